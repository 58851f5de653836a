package pin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/ipfs"
	"coffer/internal/parcel"
	"coffer/internal/pinning"
	"coffer/internal/pinning/pinningtest"
)

// TestHalfRemoved stops a worker between the end of its pin's claim to a shared copy and the
// end of the pin. The pin goes all the same, and the copy stays for the other.
func TestHalfRemoved(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		same := pattern(20_000)
		p := w.verified(w.upload(w.ada, "", "a", same), `"encrypt":false,`+atKubo)
		if _, err := w.Create(t.Context(), w.bob, w.upload(w.bob, "", "b", same), false, []string{"kubo"}); err != nil {
			t.Fatal(err)
		}
		w.run()
		w.call(w.ada, "DELETE", "/pins/"+p.ID, "", http.StatusAccepted)
		now := w.Now()
		row, err := claimTarget(t.Context(), d, p.ID, "kubo", now.UnixMilli(), now.Add(w.times.lease).UnixMilli())
		if err != nil {
			t.Fatal(err)
		}
		r, err := readByID(t.Context(), d, p.ID)
		if err == nil {
			err = d.Tx(t.Context(), func(tx *db.Tx) error {
				removing, err := w.stopHolding(t.Context(), tx, r, row)
				if removing {
					t.Error("the other pin's copy is removed")
				}
				return err
			})
		}
		if err != nil {
			t.Fatal(err)
		}
		w.later(w.times.lease + time.Second)
		w.is(w.do(w.ada, "GET", "/v1/pins/"+p.ID, ""), http.StatusNotFound, "not_found")
		if got := w.kubo.Roots(); !slices.Equal(got, []string{*p.CID}) {
			t.Errorf("the node holds %v", got)
		}
	})
}

// TestMissedWake removes a copy in the moment in which another pin of it lets go. That pin is
// not woken, and finds out on its own.
func TestMissedWake(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	p := w.verified(w.upload(w.ada, "", "a", pattern(20_000)), atKubo)
	w.kubo.Misbehave(pinningtest.Faults{Status: http.StatusServiceUnavailable})
	w.call(w.ada, "DELETE", "/pins/"+p.ID, "", http.StatusAccepted)
	w.run()
	w.holds(p.ID, "kubo", Removing, string(pinning.Unreachable))
	if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { return endRemoval(t.Context(), tx, "kubo", *p.CID) }); err != nil {
		t.Fatal(err)
	}
	w.later(time.Hour + time.Second)
	w.is(w.do(w.ada, "GET", "/v1/pins/"+p.ID, ""), http.StatusNotFound, "not_found")
}

// answers is a target whose Status says something else.
type answers struct {
	pinning.Target
	state pinning.State
	err   error
}

// Status implements pinning.Target.
func (a *answers) Status(ctx context.Context, root ipfs.CID, ref string) (pinning.State, error) {
	if a.state == "" && a.err == nil {
		return a.Target.Status(ctx, root, ref)
	}
	return a.state, a.err
}

// answering puts answers before the node.
func (w *world) answering() *answers {
	a := &answers{Target: w.targets["kubo"].Target}
	named := w.targets["kubo"]
	named.Target = a
	w.targets["kubo"] = named
	return a
}

// TestSentAnew meets a provider that takes a content and gives up on it. The next attempt
// sends it again.
func TestSentAnew(t *testing.T) {
	otherCID := &pinning.PermanentError{Reason: pinning.OtherCID, Err: pinning.ErrOtherCID}
	for _, c := range []struct {
		answer answers
		after  time.Duration
		reason string
	}{
		{answers{state: pinning.Failed}, 0, reasonProvider},
		{answers{state: pinning.Queued}, 80 * time.Hour, reasonStuck},
		{answers{err: otherCID}, 0, string(pinning.OtherCID)},
	} {
		w := newWorld(t, dbtest.SQLite(t))
		a := w.answering()
		a.state, a.err = c.answer.state, c.answer.err
		p := w.pin(w.upload(w.ada, "", "a", pattern(10_000)), atKubo)
		w.run()
		w.later(c.after)
		w.holds(p.ID, "kubo", Failed, c.reason)
		if at, err := readCopy(t.Context(), w.DB, "kubo", *w.get(p.ID).CID); err != nil || at.Sent {
			t.Errorf("%s: %+v, %v", c.reason, at, err)
		}
		a.state, a.err = "", nil
		puts := w.kubo.Calls("POST /api/v0/dag/import")
		w.call(w.ada, "POST", "/pins/"+p.ID+"/retry", "", http.StatusAccepted)
		w.run()
		w.holds(p.ID, "kubo", Verified, "")
		if w.kubo.Calls("POST /api/v0/dag/import") == puts {
			t.Errorf("%s: it is not sent again", c.reason)
		}
	}
}

// TestOtherLater reads a pin back from a provider that names another identifier by now.
func TestOtherLater(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	a := w.answering()
	p := w.verified(w.upload(w.ada, "", "a", pattern(10_000)), atKubo)
	a.err = &pinning.PermanentError{Reason: pinning.OtherCID, Err: pinning.ErrOtherCID}
	w.call(w.ada, "POST", "/pins/"+p.ID+"/verify", "", http.StatusAccepted)
	w.run()
	w.holds(p.ID, "kubo", Failed, string(pinning.OtherCID))
	w.told("pin", "fail")
}

// TestOutageIsNoGrace: a block that is not there has its hour, however long the provider was
// away before, and being away again begins no second one.
func TestOutageIsNoGrace(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	p := w.verified(w.upload(w.ada, "", "a", pattern(10_000)), atKubo)
	away := pinningtest.Faults{Status: http.StatusServiceUnavailable}
	w.kubo.Misbehave(away)
	w.call(w.ada, "POST", "/pins/"+p.ID+"/verify", "", http.StatusAccepted)
	w.run()
	for range 6 {
		w.later(30 * time.Minute)
	}
	w.holds(p.ID, "kubo", Verified, "unreachable")
	w.kubo.Misbehave(pinningtest.Faults{Vanish: true})
	w.later(time.Hour)
	w.holds(p.ID, "kubo", Verified, reasonNotYet)
	w.kubo.Misbehave(away)
	w.later(16 * time.Minute)
	w.kubo.Misbehave(pinningtest.Faults{Vanish: true})
	for range 4 {
		w.later(30 * time.Minute)
	}
	w.holds(p.ID, "kubo", Failed, reasonVanished)
}

// TestOutageOfDays fails a pin whose provider cannot be read for three days. One that refuses is
// waited for as well, for a key may be late; the reason then tells the operator what to mend.
func TestOutageOfDays(t *testing.T) {
	for _, c := range []struct {
		target       string
		status       int
		waits, fails string
	}{
		{"kubo", http.StatusServiceUnavailable, "unreachable", reasonVanished},
		{"pinata", http.StatusForbidden, "unauthorized", "unauthorized"},
	} {
		t.Run(c.waits, func(t *testing.T) {
			w := newWorld(t, dbtest.SQLite(t))
			p := w.verified(w.upload(w.ada, "", "a", pattern(10_000)), `"targets":["`+c.target+`"]`)
			for _, provider := range []*pinningtest.Server{w.kubo, w.pinata} {
				provider.Misbehave(pinningtest.Faults{Status: c.status})
			}
			w.call(w.ada, "POST", "/pins/"+p.ID+"/verify", "", http.StatusAccepted)
			for range 71 {
				w.later(time.Hour)
			}
			w.holds(p.ID, c.target, Verified, c.waits)
			for range 3 {
				w.later(time.Hour)
			}
			w.holds(p.ID, c.target, Failed, c.fails)
			w.told("pin", "fail")
		})
	}
}

// TestPausedReading waits with a verification for as long as the provider asks.
func TestPausedReading(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	p := w.verified(w.upload(w.ada, "", "a", pattern(10_000)), atPinata)
	w.pinata.Misbehave(pinningtest.Faults{Status: http.StatusTooManyRequests, RetryAfter: "7200"})
	w.call(w.ada, "POST", "/pins/"+p.ID+"/verify", "", http.StatusAccepted)
	w.run()
	before := w.holds(p.ID, "pinata", Verified, "busy")
	w.pauses(before)
	after := w.holds(p.ID, "pinata", Verified, "")
	if was, is := w.at(before, "pinata").VerifiedAt, w.at(after, "pinata").VerifiedAt; is == nil || !is.After(*was) {
		t.Errorf("read back at %v, before at %v", is, was)
	}
}

// TestFailedOutline: an outline that failed is not due any more, until its owner asks. Then
// it has its days again.
func TestFailedOutline(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		p := w.pin(w.upload(w.ada, "", "a", pattern(2_000_000)), atKubo)
		w.breakObjects()
		w.run()
		w.holds(p.ID, "kubo", Failed, reasonDamaged)
		if r, err := readByID(t.Context(), d, p.ID); err != nil || r.NextAt != never {
			t.Errorf("due at %d, %v", r.NextAt, err)
		}
		far := w.Now().Add(1000 * time.Hour).UnixMilli()
		if _, err := d.Exec(t.Context(), `UPDATE pins SET next_at = 0 WHERE id = $1`, p.ID); err != nil {
			t.Fatal(err)
		}
		if due, err := readDueOutlines(t.Context(), d, far, 10); err != nil || len(due) != 0 {
			t.Errorf("due: %v, %v", due, err)
		}
		w.below.Advance(200 * time.Hour)
		if n, err := w.CopyAll(t.Context(), "pinata"); err != nil || n != 0 {
			t.Errorf("a copy brings %d pins, %v", n, err)
		}
		w.call(w.ada, "POST", "/pins/"+p.ID+"/retry", "", http.StatusAccepted)
		r, err := readByID(t.Context(), d, p.ID)
		if begun, late := w.begun(t.Context(), r); err != nil || late != nil || w.Now().Sub(begun) > time.Minute {
			t.Errorf("begun %v, %v, %v", begun, err, late)
		}
		w.breakObjects() // the same bit again: they are whole
		w.run()
		w.holds(p.ID, "kubo", Verified, "")
		w.holds(p.ID, "pinata", Verified, "")
	})
}

// TestRefKept: a provider's name of a content outlives an attempt that fails, so that the
// copy under it can be removed.
func TestRefKept(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	p := w.verified(w.upload(w.ada, "", "a", pattern(10_000)), atPinata)
	before, err := readCopy(t.Context(), w.DB, "pinata", *p.CID)
	if err != nil || before.Ref == "" {
		t.Fatalf("%+v, %v", before, err)
	}
	w.pinata.Misbehave(pinningtest.Faults{OtherBytes: true})
	w.call(w.ada, "POST", "/pins/"+p.ID+"/verify", "", http.StatusAccepted)
	w.run()
	w.holds(p.ID, "pinata", Failed, reasonWrongBytes)
	w.pinata.Misbehave(pinningtest.Faults{Status: http.StatusServiceUnavailable})
	w.call(w.ada, "POST", "/pins/"+p.ID+"/retry", "", http.StatusAccepted)
	w.run()
	w.holds(p.ID, "pinata", Sending, "unreachable")
	if after, err := readCopy(t.Context(), w.DB, "pinata", *p.CID); err != nil || after.Ref != before.Ref || after.Sent {
		t.Errorf("%+v, before %+v, %v", after, before, err)
	}
}

// TestNeverPinned takes away a pin that no provider ever had. The ledger, which never said
// that it was pinned, does not say that it is not.
func TestNeverPinned(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.pinata.Misbehave(pinningtest.Faults{OtherCID: true})
	p := w.pin(w.upload(w.ada, "", "a", pattern(10_000)), atPinata)
	w.run()
	w.holds(p.ID, "pinata", Failed, string(pinning.OtherCID))
	w.pinata.Misbehave(pinningtest.Faults{})
	w.call(w.ada, "DELETE", "/pins/"+p.ID, "", http.StatusAccepted)
	w.run()
	w.is(w.do(w.ada, "GET", "/v1/pins/"+p.ID, ""), http.StatusNotFound, "not_found")
	if got := w.kinds(); !slices.Equal(got, []string{"fail"}) {
		t.Errorf("the ledger says %v", got)
	}
}

// rename gives a file of a pin another path, before its blocks are made.
func (w *world) rename(pin string, path string) {
	w.t.Helper()
	key, err := w.Accounts.DataKey(w.t.Context(), w.DB, w.ada)
	if err != nil {
		w.t.Fatal(err)
	}
	f, err := readFile(w.t.Context(), w.DB, pin, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	d, err := f.open(key, pin)
	if err != nil {
		w.t.Fatal(err)
	}
	d.Path = path
	plain, err := json.Marshal(d)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.DB.Exec(w.t.Context(), `UPDATE pin_files SET details = $1 WHERE pin = $2 AND ord = 0`, key.Seal("pin_files", "details", f.place(pin), plain), pin); err != nil {
		w.t.Fatal(err)
	}
}

// TestHopeless makes pins whose blocks can never be made. They fail at once, with a reason of
// their own.
func TestHopeless(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	id := w.folder("", "f")
	w.upload(w.ada, id, "a", []byte("a"))
	public := w.pin(id, `"encrypt":false,`+atKubo)
	w.rename(public.ID, "..")
	sealed := w.pin(id, atKubo)
	w.rename(sealed.ID, strings.Repeat("n", parcel.MaxManifest))
	w.run()
	w.holds(public.ID, "kubo", Failed, reasonNames)
	w.holds(sealed.ID, "kubo", Failed, string(pinning.TooLarge))
	if hopeless(nil) != "" || hopeless(errors.New("a disk that is away")) != "" {
		t.Error("what may pass is hopeless")
	}
}

// TestWaitsAreTold: open pages hear that a pin waits, and that its removal does, with the reason.
func TestWaitsAreTold(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	p := w.verified(w.upload(w.ada, "", "a", pattern(1_000)), atKubo)
	var told atomic.Int64
	stop := w.DB.Listen("feed", func(note string) { // on the goroutine that commits
		if strings.Contains(note, p.ID) {
			told.Add(1)
		}
	})
	defer stop()
	waits := func(state State) {
		t.Helper()
		before := told.Load()
		w.run()
		if w.holds(p.ID, "kubo", state, string(pinning.Unreachable)); told.Load() == before {
			t.Errorf("%s: nobody heard of it", state)
		}
	}
	w.kubo.Misbehave(pinningtest.Faults{Status: http.StatusServiceUnavailable})
	w.call(w.ada, "POST", "/pins/"+p.ID+"/verify", "", http.StatusAccepted)
	waits(Verified)
	w.call(w.ada, "DELETE", "/pins/"+p.ID, "", http.StatusAccepted)
	waits(Removing)
}
