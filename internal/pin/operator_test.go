package pin

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/ipfs"
	"coffer/internal/pinning/pinningtest"
)

// TestMove copies everything to another provider and drops the old one. Each pin stays verified
// and shown all the while, and its owner hears nothing. A pin without another copy stays.
func TestMove(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		p := w.verified(w.upload(w.ada, "", "a", pattern(1_500_000)), atKubo)
		if _, err := w.CopyAll(t.Context(), "pinata"); err != nil {
			t.Fatal(err)
		}
		drop := func(from string, want Dropped) {
			t.Helper()
			if got, err := w.DropAll(t.Context(), from); err != nil || got != want {
				t.Errorf("%+v, %v, want %+v", got, err, want)
			}
		}
		drop("kubo", Dropped{Kept: 1, There: true}) // it is not there yet
		w.run()
		alone := w.verified(w.upload(w.ada, "", "b", pattern(5_000)), atKubo)
		// A copy that was not there when it was last looked for is no reason to drop another.
		w.pinata.Lose(w.root(p))
		w.call(w.ada, "POST", "/pins/"+p.ID+"/verify", "", http.StatusAccepted)
		w.run()
		w.holds(p.ID, "pinata", Verified, reasonNotYet)
		drop("kubo", Dropped{Kept: 2, There: true})
		block, ok := w.kubo.Held(w.root(p))
		if !ok {
			t.Fatal("the node has no root")
		}
		w.pinata.Restore(ipfs.Block{CID: w.root(p), Data: block})
		w.later(30 * time.Minute)
		w.holds(p.ID, "pinata", Verified, "")
		named := w.targets["pinata"]
		delete(w.targets, "pinata") // what it once had verified is read back no more
		drop("kubo", Dropped{Kept: 2, There: true})
		w.targets["pinata"] = named
		w.kubo.Misbehave(pinningtest.Faults{Status: http.StatusServiceUnavailable, Times: 1})
		drop("kubo", Dropped{Removed: 1, Kept: 1, There: true})
		shown := func() {
			t.Helper()
			if got := w.get(p.ID); got.State != Verified || got.VerifiedAt == nil || !got.VerifiedAt.Equal(*w.at(got, "pinata").VerifiedAt) {
				t.Errorf("%+v", got)
			}
			if a := w.do("", "GET", "/ipfs/"+*p.CID+"?format=raw", ""); a.StatusCode != http.StatusOK {
				t.Errorf("the gateway: %d", a.StatusCode)
			}
		}
		w.run()
		w.holds(p.ID, "kubo", Removing, "unreachable") // the node was away
		shown()
		drop("kubo", Dropped{Kept: 1, There: true}) // once is enough
		w.later(time.Hour)
		if got := w.kubo.Roots(); !slices.Equal(got, []string{*alone.CID}) || len(w.get(p.ID).Targets) != 1 {
			t.Errorf("the node holds %v, %+v", got, w.get(p.ID))
		}
		shown()
		failed := func(mail string) bool { return strings.HasSuffix(mail, " "+pinFailed) }
		if got := w.kinds(); !slices.Equal(got, []string{"pin", "pin"}) || slices.ContainsFunc(w.below.Told(), failed) {
			t.Errorf("the ledger says %v, or there is a mail", got)
		}
		drop("pinata", Dropped{Kept: 1, There: true}) // the only one by now
		if _, err := w.DropAll(t.Context(), "nowhere"); err != ErrUnknownTarget {
			t.Error(err)
		}
		w.call(w.ada, "DELETE", "/pins/"+p.ID, "", http.StatusAccepted)
		w.run()
		if got := w.kinds(); !slices.Equal(got, []string{"pin", "pin", "unpin"}) {
			t.Errorf("the ledger says %v", got)
		}
	})
}

// TestMoveFromNowhere drops a provider that does not answer any more, and one that the settings
// do not have any more. The pins that had failed there are whole again.
func TestMoveFromNowhere(t *testing.T) {
	for _, there := range []bool{true, false} {
		w := newWorld(t, dbtest.SQLite(t))
		p := w.verified(w.upload(w.ada, "", "a", pattern(5_000)), "")
		reason := reasonVanished
		if there {
			w.kubo.Misbehave(pinningtest.Faults{Status: http.StatusServiceUnavailable})
			w.call(w.ada, "POST", "/pins/"+p.ID+"/verify", "", http.StatusAccepted)
			for range 75 {
				w.later(time.Hour)
			}
		} else {
			delete(w.targets, "kubo")
			reason = reasonNoTarget
			w.later(8 * 24 * time.Hour)
		}
		if got := w.holds(p.ID, "kubo", Failed, reason); got.State != Failed {
			t.Errorf("%+v", got)
		}
		if got, err := w.DropAll(t.Context(), "kubo"); err != nil || got != (Dropped{Removed: 1, There: there}) {
			t.Errorf("%+v, %v", got, err)
		}
		w.run()
		if got := w.get(p.ID); got.State != Verified || len(got.Targets) != 1 && !there {
			t.Errorf("%+v", got)
		}
		if got, err := w.DropAll(t.Context(), "pinata"); err != nil || got != (Dropped{Kept: 1, There: true}) {
			t.Errorf("%+v, %v", got, err)
		}
		if !there && len(w.kubo.Roots()) != 1 {
			t.Error("a provider that is in no setting was called")
		}
	}
}
