package pin

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/pinning/pinningtest"
)

// alter is what a writer of the database does.
func (w *world) alter(statement string, args ...any) {
	w.t.Helper()
	if n, err := w.DB.Exec(w.t.Context(), statement, args...); err != nil || n != 1 {
		w.t.Fatalf("%s: %d rows, %v", statement, n, err)
	}
}

// entered returns the identifiers that the ledger names, each with its kind.
func (w *world) entered() (all []string) {
	w.t.Helper()
	rows, err := w.DB.Query(w.t.Context(), `SELECT kind || ' ' || cid FROM ledger_entries ORDER BY n`)
	if err == nil {
		all, err = rows.Strings()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// TestAlteredPin has a writer of the database change each column of a pin that its proof repeats. The
// pin is shown as damaged, nothing more is said of it, and its removal takes its own copy alone.
func TestAlteredPin(t *testing.T) {
	for _, c := range []struct {
		change string
		lost   bool // nothing tells any more where the copy is
	}{
		{"cid = $2", false}, {"cid = ''", false}, {"size = size + 1", false}, {"total = total + 1", false}, {"framed = framed + 1", false},
		{"entries = '7,'", false}, {"announced = FALSE", false}, {"encrypt = NOT encrypt", false}, {"kind = 'folder'", false},
		{"created_at = created_at - 1", false}, {"entry = account", false}, {"details = details || '0'", false}, {"proof = NULL", true},
		{"proof = (SELECT proof FROM pins WHERE cid = $2)", true}, {"proof = (SELECT proof FROM pins WHERE cid = $2), cid = $2, announced = FALSE", true},
	} {
		t.Run(c.change, func(t *testing.T) {
			w := newWorld(t, dbtest.SQLite(t))
			theirs, err := w.Create(t.Context(), w.bob, w.upload(w.bob, "", "theirs", pattern(5_000)), true, []string{"kubo"})
			if err != nil {
				t.Fatal(err)
			}
			w.run()
			if theirs, err = w.Get(t.Context(), w.bob, theirs.ID); err != nil || theirs.State != Verified {
				t.Fatalf("%+v, %v", theirs, err)
			}
			p := w.verified(w.upload(w.ada, "", "mine", pattern(7_000)), atKubo)
			before := w.entered()
			w.alter(`UPDATE pins SET `+c.change+` WHERE id = $1 AND $2 <> ''`, p.ID, *theirs.CID)

			got := w.get(p.ID)
			if !got.Damaged || got.State != Failed || got.CID != nil || got.Link != "" || got.Name != "" || len(got.Ledger) != 0 || w.at(got, "kubo").State == Verified {
				t.Errorf("%+v", got)
			}
			if list, _, err := w.List(t.Context(), w.ada, "", "", "", 10); err != nil || len(list) != 1 || !list[0].Damaged {
				t.Errorf("the list: %+v, %v", list, err)
			}
			w.is(w.do(w.ada, "POST", "/v1/pins/"+p.ID+"/retry", ""), http.StatusConflict, map[bool]string{true: "not_failed", false: "damaged"}[c.change[:5] == "entry" || c.change[:5] == "detai"])
			if a := w.do("", "GET", "/ipfs/"+*p.CID+"?format=raw", ""); a.StatusCode == http.StatusOK {
				t.Error("the gateway shows it")
			}
			w.later(8 * 24 * time.Hour) // the schedule reads everything back
			if got := w.get(p.ID); got.State == Verified {
				t.Errorf("%+v", got)
			}
			for _, said := range w.entered()[len(before):] {
				if said != "fail "+*p.CID && said != "fail " {
					t.Errorf("the ledger says %s", said)
				}
			}
			if got := w.call(w.ada, "DELETE", "/pins/"+p.ID, "", http.StatusAccepted); got.State != Removing {
				t.Errorf("%+v", got)
			}
			w.later(2 * time.Hour)
			w.later(2 * time.Hour) // the row that waits for its copy looks for itself
			w.is(w.do(w.ada, "GET", "/v1/pins/"+p.ID, ""), http.StatusNotFound, "not_found")
			want := []string{*theirs.CID}
			if c.lost {
				want = append(want, *p.CID)
			}
			have := w.kubo.Roots()
			if slices.Sort(have); !slices.Equal(have, slices.Sorted(slices.Values(want))) {
				t.Errorf("the node holds %v, want %v", have, want)
			}
			all := w.entered()
			if end := all[len(all)-1] == "unpin "+*p.CID; end == c.lost || slices.Contains(all, "unpin "+*theirs.CID) {
				t.Errorf("the ledger says %v", all)
			}
			if theirs, err = w.Get(t.Context(), w.bob, theirs.ID); err != nil || theirs.State != Verified {
				t.Errorf("the other pin: %+v, %v", theirs, err)
			}
		})
	}
}

// TestMovedPin gives a pin to another account, which can do no more with it than remove the row.
func TestMovedPin(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		p := w.verified(w.upload(w.ada, "", "mine", pattern(7_000)), atKubo)
		w.alter(`UPDATE pins SET account = $2 WHERE id = $1`, p.ID, string(w.bob))
		got, err := w.Get(t.Context(), w.bob, p.ID)
		if err != nil || !got.Damaged || got.CID != nil {
			t.Errorf("%+v, %v", got, err)
		}
		before := w.entered()
		if _, err := w.Remove(t.Context(), w.bob, p.ID); err != nil {
			t.Fatal(err)
		}
		w.later(2 * time.Hour)
		if got := w.entered(); !slices.Equal(got, before) || !slices.Equal(w.kubo.Roots(), []string{*p.CID}) {
			t.Errorf("the ledger says %v, the node holds %v", got, w.kubo.Roots())
		}
	})
}

// TestForgottenAltered deletes an account one of whose pins was altered.
func TestForgottenAltered(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		p := w.verified(w.upload(w.ada, "", "a", pattern(7_000)), atKubo)
		q := w.verified(w.upload(w.ada, "", "b", pattern(8_000)), atKubo)
		w.alter(`UPDATE pins SET cid = $2 WHERE id = $1`, p.ID, *q.CID)
		w.alter(`UPDATE pins SET proof = NULL WHERE id = $1`, q.ID)
		if err := w.Accounts.Forget(t.Context(), w.ada); err != nil {
			t.Fatal(err)
		}
		w.later(2 * time.Hour)
		if got := w.kubo.Roots(); !slices.Equal(got, []string{*q.CID}) || w.rows("pins")+w.rows("pin_files")+w.rows("pin_blocks")+w.rows("pin_targets") != 0 {
			t.Errorf("the node holds %v", got)
		}
	})
}

// TestAlteredTarget has a writer of the database say that a provider has what it never took. The owner
// sees a failure, a drop spares the other copy, and the next attempt sends it.
func TestAlteredTarget(t *testing.T) {
	for name, change := range map[string]string{
		"verified":      `UPDATE pin_targets SET state = 'verified', reason = '', pinned_at = 1, verified_at = $2 WHERE pin = $1 AND target = 'pinata'`,
		"pinned":        `UPDATE pin_targets SET state = 'pinned', reason = '', pinned_at = $2 WHERE pin = $1 AND target = 'pinata'`,
		"another proof": `UPDATE pin_targets SET (state, pinned_at, verified_at, proof) = (SELECT state, pinned_at, verified_at, proof FROM pin_targets WHERE pin = $1 AND target = 'kubo') WHERE pin = $1 AND target = 'pinata' AND $2 > 0`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, dbtest.SQLite(t))
			w.pinata.Misbehave(pinningtest.Faults{Status: http.StatusPaymentRequired})
			p := w.pin(w.upload(w.ada, "", "a", pattern(5_000)), "")
			w.run()
			w.holds(p.ID, "pinata", Failed, "payment")
			w.alter(change, p.ID, w.Now().UnixMilli())
			w.alter(`UPDATE pins SET state = 'verified' WHERE id = $1`, p.ID)
			got := w.holds(p.ID, "pinata", Failed, reasonDamaged)
			if at := w.at(got, "pinata"); got.Damaged || got.State != Failed || at.PinnedAt != nil || at.VerifiedAt != nil {
				t.Errorf("%+v", got)
			}
			if got, err := w.DropAll(t.Context(), "kubo"); err != nil || got != (Dropped{Kept: 1, There: true}) {
				t.Errorf("%+v, %v", got, err)
			}
			w.pinata.Misbehave(pinningtest.Faults{})
			w.call(w.ada, "POST", "/pins/"+p.ID+"/retry", "", http.StatusAccepted)
			w.run()
			if got := w.holds(p.ID, "pinata", Verified, ""); got.State != Verified || len(w.pinata.Roots()) != 1 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestAlteredTime: the time at which a provider was read back is the server's own word, also after a
// worker has had the row.
func TestAlteredTime(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	p := w.verified(w.upload(w.ada, "", "a", pattern(5_000)), atKubo)
	w.alter(`UPDATE pin_targets SET verified_at = verified_at + 1000 WHERE pin = $1`, p.ID)
	w.holds(p.ID, "kubo", Failed, reasonDamaged)
	w.later(8 * 24 * time.Hour)
	w.holds(p.ID, "kubo", Failed, reasonDamaged)
	var sent bool
	if err := w.DB.QueryRow(t.Context(), `SELECT sent FROM pin_copies WHERE cid = $1`, *p.CID).Scan(&sent); err != nil || sent {
		t.Errorf("the next attempt does not send it: %v", err)
	}
	w.call(w.ada, "POST", "/pins/"+p.ID+"/retry", "", http.StatusAccepted)
	w.run()
	w.holds(p.ID, "kubo", Verified, "")
}

// TestAlteredOutline: a reading draws of all blocks or says that it cannot.
func TestAlteredOutline(t *testing.T) {
	for _, change := range []string{
		`DELETE FROM pin_blocks WHERE pin = $1 AND digest = (SELECT MAX(digest) FROM pin_blocks WHERE pin = $1)`,
		`INSERT INTO pin_blocks (pin, digest, codec, ord, start, length) SELECT pin, digest || '0', codec, 0, 0, 1 FROM pin_blocks WHERE pin = $1 LIMIT 1`,
	} {
		w := newWorld(t, dbtest.SQLite(t))
		p := w.verified(w.upload(w.ada, "", "a", pattern(5_000)), atKubo)
		w.alter(change, p.ID)
		w.call(w.ada, "POST", "/pins/"+p.ID+"/verify", "", http.StatusAccepted)
		w.run()
		w.holds(p.ID, "kubo", Failed, reasonDamaged)
	}
}
