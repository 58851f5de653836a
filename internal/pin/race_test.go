package pin

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
	"coffer/internal/ipfs"
	"coffer/internal/limit/limittest"
	"coffer/internal/pinning"
	"coffer/internal/pinning/pinningtest"
)

// crew runs jobs in several workers until nothing is due.
func (w *world) crew() {
	w.t.Helper()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for {
				worked, err := w.Jobs.Step(context.Background())
				if err != nil {
					w.t.Error(err)
				}
				if !worked {
					return
				}
			}
		})
	}
	all.Wait()
	w.run()
}

// TestPublicOnce makes the same public pin eight times at once: one is made.
func TestPublicOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.upload(w.ada, "", "a", []byte("a"))
		made := limittest.AtOnce(8, func() error {
			_, err := w.Create(context.Background(), w.ada, id, false, nil)
			if err != nil && fault.Of(err).Code != "already_pinned" {
				t.Error(err)
			}
			return err
		})
		if made != 1 || w.rows("pins") != 1 {
			t.Errorf("%d were made, %d rows", made, w.rows("pins"))
		}
	})
}

// TestDeletedTwice takes a pin away eight times at once, with several workers: the ledger has
// one entry of it.
func TestDeletedTwice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		p := w.verified(w.upload(w.ada, "", "a", pattern(10_000)), "")
		limittest.AtOnce(8, func() error {
			_, err := w.Remove(context.Background(), w.ada, p.ID)
			return err
		})
		w.crew()
		if got := w.kinds(); !slices.Equal(got, []string{"pin", "unpin"}) || w.rows("pins")+w.rows("pin_copies") != 0 {
			t.Errorf("the ledger says %v; %d rows", got, w.rows("pins")+w.rows("pin_copies"))
		}
	})
}

// TestCheckedTwice asks for a reading eight times at once: a failure is told once.
func TestCheckedTwice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		p := w.verified(w.upload(w.ada, "", "a", pattern(10_000)), atPinata)
		w.pinata.Misbehave(pinningtest.Faults{OtherBytes: true})
		limittest.AtOnce(8, func() error {
			_, err := w.VerifyNow(context.Background(), w.ada, p.ID)
			return err
		})
		w.crew()
		w.holds(p.ID, "pinata", Failed, reasonWrongBytes)
		if got := w.kinds(); !slices.Equal(got, []string{"pin", "fail"}) {
			t.Errorf("the ledger says %v", got)
		}
	})
}

// gate is a target whose Put waits, to be overtaken.
type gate struct {
	pinning.Target
	entered chan struct{}
	open    chan struct{}
	heeds   bool // it ends when its context does
}

// Put implements pinning.Target.
func (g *gate) Put(ctx context.Context, s pinning.Source) (string, ipfs.CID, error) {
	g.entered <- struct{}{}
	done := ctx.Done()
	if !g.heeds {
		done = nil
	}
	select {
	case <-g.open:
	case <-done:
		return "", ipfs.CID{}, ctx.Err()
	}
	return g.Target.Put(context.WithoutCancel(ctx), s)
}

// gated puts a gate before the node.
func (w *world) gated(heeds bool) *gate {
	g := &gate{Target: w.targets["kubo"].Target, entered: make(chan struct{}, 8), open: make(chan struct{}), heeds: heeds}
	named := w.targets["kubo"]
	named.Target = g
	w.targets["kubo"] = named
	w.times.beat = 5 * time.Millisecond
	return g
}

// TestDeletedWhileSent takes a pin away while it is sent, or its account: nothing stays at
// the provider, whether the sender hears of it in time or not.
func TestDeletedWhileSent(t *testing.T) {
	for _, c := range []struct {
		name           string
		heeds, account bool
	}{{"the sender stops", true, false}, {"the sender goes on", false, false}, {"the account goes", true, true}, {"the account goes, the sender goes on", false, true}} {
		t.Run(c.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := newWorld(t, d)
				g := w.gated(c.heeds)
				p := w.pin(w.upload(w.ada, "", "a", pattern(30_000)), atKubo)
				done := w.working()
				<-g.entered
				if c.account {
					if err := w.Accounts.Forget(t.Context(), w.ada); err != nil {
						t.Fatal(err)
					}
				} else {
					w.call(w.ada, "DELETE", "/pins/"+p.ID, "", http.StatusAccepted)
				}
				w.run() // a removal that is too early
				close(g.open)
				<-done
				w.later(2 * time.Minute)
				if got := w.kubo.Roots(); len(got) != 0 || w.rows("pins")+w.rows("pin_copies")+w.rows("pin_targets") != 0 {
					t.Errorf("the node holds %v; %d pins, %d copies, %d targets", got, w.rows("pins"), w.rows("pin_copies"), w.rows("pin_targets"))
				}
			})
		})
	}
}

// TestTakenAndPinned removes the last pin of a content while another pin of it comes: that
// one ends verified, and its copy is there.
func TestTakenAndPinned(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		same := pattern(20_000)
		mine, theirs := w.upload(w.ada, "", "a", same), w.upload(w.bob, "", "b", same)
		for range 5 {
			p := w.verified(mine, `"encrypt":false,`+atKubo)
			var all sync.WaitGroup
			all.Go(func() {
				if _, err := w.Remove(context.Background(), w.ada, p.ID); err != nil {
					t.Error(err)
				}
			})
			var q Pin
			all.Go(func() {
				var err error
				if q, err = w.Create(context.Background(), w.bob, theirs, false, []string{"kubo"}); err != nil {
					t.Error(err)
				}
			})
			all.Wait()
			w.crew()
			w.later(time.Minute)
			got, err := w.Get(t.Context(), w.bob, q.ID)
			if err != nil || got.State != Verified || !slices.Equal(w.kubo.Roots(), []string{*p.CID}) {
				t.Fatalf("%+v, %v; the node holds %v", got, err, w.kubo.Roots())
			}
			if _, err := w.Remove(t.Context(), w.bob, q.ID); err != nil {
				t.Fatal(err)
			}
			w.later(time.Minute)
			if len(w.kubo.Roots()) != 0 || w.rows("pin_copies") != 0 {
				t.Fatalf("the node holds %v", w.kubo.Roots())
			}
		}
	})
}

// TestCopyStates plays what two pins of one content do to their copy.
func TestCopyStates(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		tx := func(do func(tx *db.Tx) error) {
			t.Helper()
			if err := d.Tx(ctx, do); err != nil {
				t.Fatal(err)
			}
		}
		acquire := func(tx *db.Tx) error { return acquireCopy(ctx, tx, "kubo", "c") }
		release := func(pin string, want bool) func(*db.Tx) error {
			return func(tx *db.Tx) error {
				removing, err := releaseCopy(ctx, tx, "kubo", "c", pin, 1)
				if removing != want {
					t.Errorf("released by %s: removing %v", pin, removing)
				}
				return err
			}
		}
		may := func(pin string, want bool) {
			t.Helper()
			if _, err := takeCopy(ctx, d, "kubo", "c", pin); (err == nil) != want || err != nil && !errors.Is(err, db.ErrNoRows) {
				t.Errorf("%s may send: %v", pin, err)
			}
		}
		tx(acquire)
		may("one", true)
		tx(acquire)
		may("two", false) // one sends
		may("one", true)  // again, as after a crash
		if ours, err := setSent(ctx, d, "kubo", "c", "two", true, "r"); err != nil || ours {
			t.Errorf("another than the sender has sent it: %v", err)
		}
		if ours, err := setSent(ctx, d, "kubo", "c", "one", true, "r"); err != nil || !ours {
			t.Errorf("%v, %v", ours, err)
		}
		tx(release("one", false))
		may("two", true)
		tx(release("two", true))
		tx(acquire) // a third comes while it is removed
		may("three", false)
		tx(func(tx *db.Tx) error { return endRemoval(ctx, tx, "kubo", "c") })
		may("three", true)
		if c, err := readCopy(ctx, d, "kubo", "c"); err != nil || c.Sent || c.Ref != "" || c.Holders != 1 {
			t.Errorf("%+v, %v", c, err)
		}
		tx(release("three", true))
		tx(func(tx *db.Tx) error { return endRemoval(ctx, tx, "kubo", "c") })
		if n := w.rows("pin_copies"); n != 0 {
			t.Errorf("%d rows are left", n)
		}
	})
}

// TestDroppedTwice drops both providers of a pin at once: one of them keeps it.
func TestDroppedTwice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.upload(w.ada, "", "a", pattern(10_000))
		for range 5 {
			p := w.verified(id, "")
			var all sync.WaitGroup
			for _, from := range []string{"kubo", "pinata"} {
				all.Go(func() {
					if _, err := w.DropAll(context.Background(), from); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			w.crew()
			if got := w.get(p.ID); got.State != Verified || len(got.Targets) != 1 || len(w.kubo.Roots())+len(w.pinata.Roots()) != 1 {
				t.Fatalf("%+v; %v, %v", got, w.kubo.Roots(), w.pinata.Roots())
			}
			w.call(w.ada, "DELETE", "/pins/"+p.ID, "", http.StatusAccepted)
			w.crew()
		}
	})
}

// working runs jobs until there are none, or one fails. The channel is closed then.
func (w *world) working() (done chan struct{}) {
	done = make(chan struct{})
	go func() {
		defer close(done)
		for {
			if worked, err := w.Jobs.Step(context.Background()); err != nil || !worked {
				return
			}
		}
	}()
	return done
}
