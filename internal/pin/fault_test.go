package pin

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/ipfs"
	"coffer/internal/pinning/pinningtest"
)

// told fails the test unless the owner got one mail about a failure, and the ledger an entry.
func (w *world) told(kinds ...string) {
	w.t.Helper()
	mails := 0
	for _, m := range w.below.Told() {
		if strings.HasSuffix(m, " "+pinFailed) {
			mails++
		}
	}
	if mails != 1 {
		w.t.Errorf("%d mails", mails)
	}
	if got := w.kinds(); !slices.Equal(got, kinds) {
		w.t.Errorf("the ledger says %v, want %v", got, kinds)
	}
}

// TestProvidersThatLie meets each provider's worst. None of it is taken for a pin.
func TestProvidersThatLie(t *testing.T) {
	for _, c := range []struct {
		name   string
		faults pinningtest.Faults
		after  time.Duration
		reason string
		ledger []string
	}{
		{"another identifier", pinningtest.Faults{OtherCID: true}, 0, "other_cid", []string{"fail"}},
		{"no credit", pinningtest.Faults{Status: http.StatusPaymentRequired}, 0, "payment", []string{"fail"}},
		{"other bytes", pinningtest.Faults{OtherBytes: true}, 0, reasonWrongBytes, []string{"pin", "fail"}},
		{"a leaf lost", pinningtest.Faults{Partial: true}, 2 * time.Hour, reasonNotRetrievable, []string{"pin", "fail"}},
		{"no answer for days", pinningtest.Faults{Status: http.StatusServiceUnavailable}, 80 * time.Hour, "unreachable", []string{"fail"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, dbtest.SQLite(t))
			w.pinata.Misbehave(c.faults)
			p := w.pin(w.upload(w.ada, "", "a", pattern(1_500_000)), atPinata)
			w.run()
			for end := c.after; end > 0; end -= 30 * time.Minute {
				if got := w.get(p.ID); got.State == Failed {
					t.Fatalf("it fails %s early: %+v", end, got)
				}
				w.later(30 * time.Minute)
				if got := w.get(p.ID); got.State == Failed {
					break
				}
			}
			w.holds(p.ID, "pinata", Failed, c.reason)
			w.told(c.ledger...)
			w.later(time.Hour)
			if got := w.below.Told(); len(got) != 0 {
				t.Errorf("told again: %v", got)
			}
			// The owner's next attempt begins anew.
			w.pinata.Misbehave(pinningtest.Faults{})
			w.call(w.ada, "POST", "/pins/"+p.ID+"/retry", "", http.StatusAccepted)
			w.run()
			w.holds(p.ID, "pinata", Verified, "")
		})
	}
}

// pauses lets the two hours pass for which Pinata asked, and shows that it is not called before.
func (w *world) pauses(p Pin) {
	w.t.Helper()
	if at := w.at(p, "pinata"); at.NextTryAt == nil || at.NextTryAt.Before(w.Now().Add(7199*time.Second)) {
		w.t.Errorf("%+v", at)
	}
	w.pinata.Misbehave(pinningtest.Faults{})
	calls := w.pinata.Calls("")
	w.later(110 * time.Minute)
	if w.pinata.Calls("") != calls {
		w.t.Error("the provider is called before the time that it named")
	}
	w.later(11 * time.Minute)
}

// TestPause waits as long as the provider asks, and never fails for that.
func TestPause(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.pinata.Misbehave(pinningtest.Faults{Status: http.StatusTooManyRequests, RetryAfter: "7200"})
	p := w.pin(w.upload(w.ada, "", "a", pattern(10_000)), atPinata)
	w.run()
	w.pauses(w.holds(p.ID, "pinata", Sending, "busy"))
	w.holds(p.ID, "pinata", Verified, "")
}

// TestVanish loses a pin after it was verified. The schedule finds out, and tells once.
func TestVanish(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		p := w.verified(w.upload(w.ada, "", "a", pattern(1_500_000)), "")
		w.kubo.Misbehave(pinningtest.Faults{Vanish: true})
		w.later(6 * 24 * time.Hour)
		w.holds(p.ID, "kubo", Verified, "")
		w.later(25 * time.Hour)
		w.holds(p.ID, "kubo", Verified, reasonNotYet)
		for range 8 {
			w.later(15 * time.Minute)
		}
		got := w.holds(p.ID, "kubo", Failed, reasonVanished)
		if got.State != Failed || got.Reason != reasonVanished || w.at(got, "pinata").State != Verified {
			t.Errorf("%+v", got)
		}
		w.told("pin", "fail")
		// The other provider has it: the gateway goes on.
		if a := w.do("", "GET", "/ipfs/"+*p.CID+"?format=raw", ""); a.StatusCode != http.StatusOK {
			t.Errorf("the gateway: %d", a.StatusCode)
		}
		w.kubo.Misbehave(pinningtest.Faults{})
		w.call(w.ada, "POST", "/pins/"+p.ID+"/retry", "", http.StatusAccepted)
		w.run()
		if got := w.get(p.ID); got.State != Verified || len(got.Ledger) != 3 {
			t.Errorf("%+v", got)
		}
		if got := w.kinds(); !slices.Equal(got, []string{"pin", "fail", "pin"}) {
			t.Errorf("the ledger says %v", got)
		}
	})
}

// TestLostBlock loses one block of a pin that the provider still counts as pinned.
func TestLostBlock(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	p := w.verified(w.upload(w.ada, "", "a", pattern(5_000)), atKubo)
	w.kubo.Lose(w.root(p))
	w.call(w.ada, "POST", "/pins/"+p.ID+"/verify", "", http.StatusAccepted)
	w.run()
	w.holds(p.ID, "kubo", Verified, reasonNotYet)
	for range 10 {
		w.later(15 * time.Minute)
	}
	w.holds(p.ID, "kubo", Failed, reasonVanished)
}

// TestOnDemand reads a pin back when its owner asks.
func TestOnDemand(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	p := w.verified(w.upload(w.ada, "", "a", pattern(5_000)), atPinata)
	w.pinata.Misbehave(pinningtest.Faults{OtherBytes: true})
	w.later(time.Hour)
	w.holds(p.ID, "pinata", Verified, "")
	w.call(w.ada, "POST", "/pins/"+p.ID+"/verify", "", http.StatusAccepted)
	w.run()
	w.holds(p.ID, "pinata", Failed, reasonWrongBytes)
}

// TestDraw draws 20,000 of 200 blocks. Each comes about as often as any other, whatever the
// gaps between their digests: a provider that keeps all but the rare ones would not be found.
func TestDraw(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	const blocks, draws = 200, 20_000
	root := ipfs.Sum(ipfs.DagPB, []byte("root"))
	rows := []blockRow{{CID: root, Ord: asNode}}
	for i := range blocks {
		rows = append(rows, blockRow{CID: ipfs.Sum(ipfs.Raw, []byte{byte(i)}), Start: int64(i)})
	}
	key, err := w.Accounts.DataKey(t.Context(), w.DB, w.ada)
	if err != nil {
		t.Fatal(err)
	}
	r := row{ID: "made-up", Blocks: sumOf(rows)}
	if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { return insertBlocks(t.Context(), tx, key, r.ID, rows) }); err != nil {
		t.Fatal(err)
	}
	drawn := map[ipfs.CID]int{}
	for n := 0; n < draws; n += samples - 1 {
		all, err := w.sample(t.Context(), r, root)
		if err != nil || len(all) != samples || all[0] != root {
			t.Fatalf("%v, %v", all, err)
		}
		for _, c := range all {
			drawn[c]++
		}
	}
	for _, b := range rows[1:] {
		if n := drawn[b.CID]; n < draws/blocks/3 || n > draws/blocks*3 {
			t.Errorf("%s was drawn %d times of %d, a fair share is %d", b.CID, n, draws, draws/blocks)
		}
	}
	// A pin of few blocks is read whole, each block once.
	few := row{ID: "few", Blocks: sumOf(rows[:5])}
	if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { return insertBlocks(t.Context(), tx, key, few.ID, rows[:5]) }); err != nil {
		t.Fatal(err)
	}
	all, err := w.sample(t.Context(), few, root)
	once := map[ipfs.CID]bool{}
	for _, c := range all {
		once[c] = true
	}
	if err != nil || len(all) != 5 || len(once) != 5 {
		t.Errorf("%v, %v", all, err)
	}
}

// TestDamage pins a content whose object is broken. Nothing of it leaves, and the owner hears.
func TestDamage(t *testing.T) {
	for _, late := range []bool{false, true} {
		w := newWorld(t, dbtest.SQLite(t))
		id := w.upload(w.ada, "", "a", pattern(2_000_000))
		var p Pin
		if late {
			p = w.verified(id, atKubo)
		} else {
			p = w.pin(id, atKubo)
		}
		w.breakObjects()
		if !late {
			w.run()
			w.holds(p.ID, "kubo", Failed, reasonDamaged)
			w.told("fail")
			if w.kubo.Calls("POST /api/v0/dag/import") != 0 {
				t.Error("something was sent")
			}
			continue
		}
		a := w.do("", "GET", "/ipfs/"+*p.CID+"?format=car", "")
		if a.StatusCode == http.StatusOK && !strings.HasSuffix(string(a.body), "CUT") {
			t.Error("a damaged archive looks whole")
		}
		if n, err := w.CopyAll(t.Context(), "pinata"); err != nil || n != 1 {
			t.Fatalf("%d, %v", n, err)
		}
		w.run()
		w.holds(p.ID, "pinata", Failed, reasonDamaged)
	}
}

// breakObjects turns a bit in the middle of every stored object.
func (w *world) breakObjects() {
	w.t.Helper()
	err := filepath.WalkDir(w.blobs, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		b[len(b)/2] ^= 1
		if err := os.Chmod(path, 0o600); err != nil {
			return err
		}
		return os.WriteFile(path, b, 0o600)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestNoTarget takes a provider out of the settings. Its pins fail or go; what it holds is
// removed when it is back.
func TestNoTarget(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	p := w.verified(w.upload(w.ada, "", "a", pattern(5_000)), atKubo)
	named := w.targets["kubo"]
	delete(w.targets, "kubo")
	w.later(8 * 24 * time.Hour)
	w.holds(p.ID, "kubo", Failed, reasonNoTarget)
	w.call(w.ada, "DELETE", "/pins/"+p.ID, "", http.StatusAccepted)
	w.run()
	w.is(w.do(w.ada, "GET", "/v1/pins/"+p.ID, ""), http.StatusNotFound, "not_found")
	if len(w.kubo.Roots()) != 1 || w.rows("pin_copies") != 1 {
		t.Errorf("%v, %d copies", w.kubo.Roots(), w.rows("pin_copies"))
	}
	w.targets["kubo"] = named
	w.later(2 * time.Hour)
	if len(w.kubo.Roots()) != 0 || w.rows("pin_copies") != 0 {
		t.Errorf("%v, %d copies", w.kubo.Roots(), w.rows("pin_copies"))
	}
}

// TestKilled stops workers in the middle, as a crash does: their rows are due again.
func TestKilled(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	p := w.pin(w.upload(w.ada, "", "a", pattern(2_000_000)), atKubo)
	now := w.Now()
	if _, err := claimOutline(t.Context(), w.DB, p.ID, now.UnixMilli(), now.Add(w.times.lease).UnixMilli()); err != nil {
		t.Fatal(err)
	}
	w.run()
	if got := w.get(p.ID); got.CID != nil {
		t.Error("two workers made an outline")
	}
	w.later(w.times.lease + time.Second)
	w.holds(p.ID, "kubo", Verified, "")

	// A worker that sends dies; its successor sends again, and the old one changes nothing.
	w.kubo.Misbehave(pinningtest.Faults{Status: http.StatusServiceUnavailable, Times: 1})
	q := w.pin(w.upload(w.ada, "", "b", pattern(2_000_000)), atKubo)
	w.run()
	w.holds(q.ID, "kubo", Sending, "unreachable")
	w.below.Advance(time.Minute)
	old, err := claimTarget(t.Context(), w.DB, q.ID, "kubo", w.Now().UnixMilli(), w.Now().Add(w.times.lease).UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	w.run()
	w.holds(q.ID, "kubo", Sending, "unreachable")
	w.later(w.times.lease + time.Second)
	w.holds(q.ID, "kubo", Verified, "")
	r, err := readByID(t.Context(), w.DB, q.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.fail(context.Background(), r, old, reasonStuck); err != errLost {
		t.Errorf("the old worker: %v", err)
	}
	if got := w.holds(q.ID, "kubo", Verified, ""); got.State != Verified {
		t.Errorf("%+v", got)
	}
}

// TestRefusedPublicFile: the ledger does not name a plain file that no provider took, for a hash
// tells all who can guess the content.
func TestRefusedPublicFile(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.pinata.Misbehave(pinningtest.Faults{Status: http.StatusPaymentRequired})
	p := w.pin(w.upload(w.ada, "", "a", pattern(5_000)), `"encrypt":false,`+atPinata)
	w.run()
	w.holds(p.ID, "pinata", Failed, "payment")
	var cid string
	var digest []byte
	if err := w.DB.QueryRow(t.Context(), `SELECT cid, digest FROM ledger_entries WHERE kind = 'fail'`).Scan(&cid, &digest); err != nil || cid != "" || !bytes.Equal(digest, make([]byte, 32)) {
		t.Errorf("the ledger names %q, %x, %v", cid, digest, err)
	}
}
