package keyring

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

func TestRotateEveryPurposeAndStillOpen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		r, other := open(t, d, c), open(t, d, c)
		for _, p := range Purposes {
			if p == Token {
				continue
			}
			old := active(t, r, p)
			sealed, err := r.Seal(t.Context(), p, []byte("before"), nil)
			if err != nil {
				t.Fatal(err)
			}
			next := rotate(t, r, p)
			if next.ID == old.ID || next.Seq != old.Seq+1 {
				t.Errorf("%s: rotated from %s to %s", p, old.ID, next.ID)
			}
			if got, want := states(t, r, p), []string{next.ID + " active", old.ID + " open-only"}; !cmp.Equal(got, want) {
				t.Errorf("%s: keys %v, want %v", p, got, want)
			}
			if got, err := r.Open(t.Context(), p, sealed, nil); err != nil || string(got) != "before" {
				t.Errorf("%s: after rotation %q, %v", p, got, err)
			}
			fresh, err := r.Seal(t.Context(), p, []byte("after"), nil)
			if err != nil {
				t.Fatal(err)
			}
			// The other node has not seen the rotation: the unknown key id makes it read
			// the ring.
			if got, err := other.Open(t.Context(), p, fresh, nil); err != nil || string(got) != "after" {
				t.Errorf("%s: on another node %q, %v", p, got, err)
			}
			if active(t, other, p).ID != next.ID {
				t.Errorf("%s: the other node still seals under %s", p, active(t, other, p).ID)
			}
		}
	})
}

func TestOtherNodesSeeARotationInTime(t *testing.T) {
	c := newClock()
	d := dbtest.SQLite(t)
	r, other := open(t, d, c), open(t, d, c)
	next := rotate(t, r, Pepper)
	if active(t, other, Pepper).ID == next.ID {
		t.Fatal("the other node knows before it could")
	}
	c.advance(RefreshEvery)
	if got := active(t, other, Pepper).ID; got != next.ID {
		t.Errorf("after %s the other node seals under %s, want %s", RefreshEvery, got, next.ID)
	}
}

func TestTokenKeyIsPublishedBeforeItSigns(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		r := open(t, d, c)
		first := states(t, r, Token)
		live, err := r.Live(t.Context(), Token)
		if err != nil {
			t.Fatal(err)
		}
		if len(live) != 2 || live[0].State != Pending || live[1].State != Active {
			t.Fatalf("at the start: %v, want a pending and an active key", first)
		}
		next := rotate(t, r, Token)
		if next.ID != live[0].ID {
			t.Errorf("%s signs, but %s was published", next.ID, live[0].ID)
		}
		got, err := r.Live(t.Context(), Token)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 3 || got[0].State != Pending || got[1].ID != next.ID || got[2].ID != live[1].ID || got[2].State != OpenOnly {
			t.Errorf("after rotation: %v", states(t, r, Token))
		}
	})
}

// Ten nodes rotate from the same key at once: one rotation happens.
func TestRotationAtOnceIsOne(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, p := range []Purpose{Token, Field} {
			c := newClock()
			from := active(t, open(t, d, c), p)
			var wg sync.WaitGroup
			for range 10 {
				r := open(t, d, c)
				wg.Go(func() {
					if err := r.rotate(t.Context(), from); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			r := open(t, d, c)
			var retired int
			live, err := r.Live(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range live {
				if k.State == OpenOnly {
					retired++
				}
			}
			if retired != 1 || active(t, r, p).ID == from.ID {
				t.Errorf("%s: %v, want one retired key", p, states(t, r, p))
			}
		}
	})
}

func TestIndexRotatesOnlyOverARewrappedRing(t *testing.T) {
	c := newClock()
	r := open(t, dbtest.SQLite(t), c)
	rotate(t, r, Index)
	if _, err := r.Rotate(t.Context(), Index); !errors.Is(err, ErrNeeded) {
		t.Errorf("a third live index key: %v, want ErrNeeded", err)
	}
}

// A hundred days of Maintain every hour.
func TestMaintainForAHundredDays(t *testing.T) {
	c := newClock()
	d := dbtest.SQLite(t)
	r := open(t, d, c)
	start := c.now()
	for c.now().Before(start.Add(100 * day)) {
		c.advance(time.Hour)
		if err := r.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
		now := c.now()
		session := active(t, r, Session)
		if age := now.Sub(session.NotBefore); age > day {
			t.Fatalf("%s: the session key has sealed for %s", now, age)
		}
		live, err := r.Live(t.Context(), Session)
		if err != nil {
			t.Fatal(err)
		}
		oldest := live[len(live)-1]
		if oldest.State == OpenOnly && now.Sub(oldest.Retired) >= 31*day {
			t.Fatalf("%s: a session key retired at %s is still live", now, oldest.Retired)
		}
		if want := min(32, 1+int(now.Sub(start)/day)); len(live) != want {
			t.Fatalf("%s: %d live session keys, want %d", now, len(live), want)
		}
	}
	rows, err := allRows(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	count := map[Purpose]int{}
	for _, row := range rows {
		count[row.Purpose]++
		if (row.State == Destroyed) != (row.sealed == nil) {
			t.Errorf("%s %s is %s and its secret has %d bytes", row.Purpose, row.ID, row.State, len(row.sealed))
		}
	}
	want := map[Purpose]int{Token: 3, Session: 101, Field: 1, Blob: 1, Index: 1, Pepper: 1, Refresh: 1, Ledger: 1, Code: 1}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Errorf("keys made in 100 days (-want +got):\n%s", diff)
	}
}

func TestMaintainKeepsATokenKeyUntilItsTokensAreDead(t *testing.T) {
	c := newClock()
	r := open(t, dbtest.SQLite(t), c, func(c *Config) { c.TokenTTL = 2 * time.Hour })
	old := active(t, r, Token)
	rotate(t, r, Token)
	for _, tc := range []struct {
		after time.Duration
		live  bool
	}{{2 * time.Hour, true}, {Settle - time.Second, true}, {time.Second, false}} {
		c.advance(tc.after)
		if err := r.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Key(t.Context(), Token, old.ID); (err == nil) != tc.live {
			t.Errorf("%s on: %v, want live %t", tc.after, err, tc.live)
		}
	}
}

// A changed algorithm takes effect without ending any session.
func TestAnotherTokenAlgorithm(t *testing.T) {
	c := newClock()
	d := dbtest.SQLite(t)
	old := active(t, open(t, d, c), Token)
	r := open(t, d, c, tokenAlg("ES256"))
	live, err := r.Live(t.Context(), Token)
	if err != nil {
		t.Fatal(err)
	}
	if len(live) != 2 || live[0].Alg != "ES256" || live[0].State != Pending || live[1].ID != old.ID {
		t.Fatalf("after the change: %+v", live)
	}
	for _, wait := range []time.Duration{publishFor - time.Second, time.Second} {
		if got := active(t, r, Token); got.ID != old.ID {
			t.Errorf("%s signs before it was published for %s", got.Alg, publishFor)
		}
		c.advance(wait)
		if err := r.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := active(t, r, Token); got.Alg != "ES256" {
		t.Errorf("active key of %s, want ES256", got.Alg)
	}
	if _, err := r.Key(t.Context(), Token, old.ID); err != nil {
		t.Errorf("the old key no longer verifies: %v", err)
	}
}

func TestDestroyRefusesWhatIsNeeded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		r := open(t, d, c)
		refuse := func(p Purpose, kid, when string) {
			t.Helper()
			if err := r.Destroy(t.Context(), p, kid); !errors.Is(err, ErrNeeded) {
				t.Errorf("%s %s: %v, want ErrNeeded", p, when, err)
			}
		}
		olds := map[Purpose]Key{}
		for _, p := range Purposes {
			olds[p] = active(t, r, p)
			refuse(p, olds[p].ID, "while active")
			if err := r.ForceDestroy(t.Context(), p, olds[p].ID); !errors.Is(err, ErrNeeded) {
				t.Errorf("%s: force destroyed the active key: %v", p, err)
			}
			rotate(t, r, p)
			refuse(p, olds[p].ID, "just retired")
		}
		if err := r.Destroy(t.Context(), Field, "0123456789abcdef"); !errors.Is(err, ErrNoKey) {
			t.Errorf("no such key: %v", err)
		}
		c.advance(31 * day)
		for _, p := range []Purpose{Token, Session, Refresh, Code} {
			if err := r.Destroy(t.Context(), p, olds[p].ID); err != nil {
				t.Errorf("%s after its time: %v", p, err)
			}
			if _, err := r.Key(t.Context(), p, olds[p].ID); !errors.Is(err, ErrNoKey) {
				t.Errorf("%s: destroyed but %v", p, err)
			}
		}
		for _, p := range []Purpose{Field, Blob, Index, Pepper} {
			refuse(p, olds[p].ID, "never re-wrapped")
		}
		if err := r.ForceDestroy(t.Context(), Blob, olds[Blob].ID); err != nil {
			t.Errorf("force: %v", err)
		}
	})
}

func TestDestroyedPendingKeyIsReplaced(t *testing.T) {
	r := open(t, dbtest.SQLite(t), newClock())
	live, err := r.Live(t.Context(), Token)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Destroy(t.Context(), Token, live[0].ID); err != nil {
		t.Fatal(err)
	}
	got, err := r.Live(t.Context(), Token)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].State != Pending || got[0].ID == live[0].ID {
		t.Errorf("%v, want a new pending key", states(t, r, Token))
	}
}

// Concurrent Seal, Open, Index and Rotate, for the race detector.
func TestUseWhileRotating(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		nodes := []*Ring{open(t, d, c), open(t, d, c)}
		done := make(chan struct{})
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-done:
						return
					default:
					}
					c.advance(time.Second) // so that a busy test stays below the bound on look-ups
					want := fmt.Sprintf("%d-%d", i, n)
					sealed, err := nodes[i%2].Seal(t.Context(), Blob, []byte(want), nil)
					if err != nil {
						t.Error(err)
						return
					}
					if got, err := nodes[(i+1)%2].Open(t.Context(), Blob, sealed, nil); err != nil || string(got) != want {
						t.Errorf("opened %q, %v, want %q", got, err, want)
						return
					}
				}
			})
		}
		for range 20 {
			rotate(t, nodes[0], Blob)
		}
		close(done)
		wg.Wait()
	})
}
