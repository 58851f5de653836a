package jobs

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

func TestKeyIsEnqueuedOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		q := w.node()
		var answer error
		var got []string
		handler := func(_ context.Context, payload []byte) error {
			got = append(got, string(payload))
			return answer
		}
		q.Handle("a", handler)
		q.Handle("b", handler)
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				if err := d.Tx(t.Context(), func(tx *db.Tx) error { return q.Enqueue(t.Context(), tx, "a", i, Key("x")) }); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		w.add(q, "a", 0, Key("y"))
		w.add(q, "b", 0, Key("x"))
		w.add(q, "b", 0)
		w.add(q, "b", 0)
		if n := w.count("TRUE"); n != 5 {
			t.Fatalf("%d jobs, want 5: one of each kind and key, and two without a key", n)
		}
		for range 5 {
			w.wantRun(q, nil)
		}
		w.wantIdle(q)
		w.add(q, "a", 0, Key("x")) // the first is finished
		answer = Permanent(errTest)
		w.wantRun(q, errTest)
		w.add(q, "a", 0, Key("x")) // the second is dead
		answer = nil
		dead, err := q.Dead(t.Context())
		if err != nil || len(dead) != 1 {
			t.Fatal(dead, err)
		}
		if err := q.retry(t.Context(), dead[0].ID); err != nil {
			t.Fatalf("Retry beside a job of the same key: %v", err)
		}
		w.wantRun(q, nil)
		w.wantRun(q, nil)
		w.wantIdle(q)
	})
}

// The earlier time counts, but a job that waits after a failure keeps waiting.
func TestKeyTakesTheEarlierTime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		q := w.node()
		var answer error
		q.Handle("a", func(context.Context, []byte) error { return answer })
		w.addLater(q, time.Hour, "a", 1, Key("x"))
		w.addLater(q, 2*time.Hour, "a", 1, Key("x"))
		w.addLater(q, time.Minute, "a", 1, Key("x"))
		w.advance(time.Minute)
		answer = errTest
		w.wantRun(q, errTest)
		w.add(q, "a", 1, Key("x"))
		w.wantIdle(q)
		w.advance(2 * time.Second)
		answer = nil
		w.wantRun(q, nil)
		w.wantIdle(q)
	})
}

// A job enqueued while it runs runs again afterwards, whatever the run's outcome.
func TestKeyWhileRunning(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		q := w.node()
		for _, answer := range []error{nil, errTest, Permanent(errTest)} {
			runs := 0
			q.mu.Lock()
			q.handlers["a"] = func(context.Context, []byte) error {
				if runs++; runs > 1 {
					return nil
				}
				w.add(q, "a", 2, Key("x"))
				w.add(q, "a", 3, Key("x"))
				return answer
			}
			q.mu.Unlock()
			w.add(q, "a", 1, Key("x"))
			w.wantRun(q, answer)
			w.advance(2 * time.Second)
			w.wantRun(q, nil)
			w.wantIdle(q)
			if n := w.count("TRUE"); runs != 2 || n != 0 {
				t.Errorf("after a run that ended with %v: %d runs and %d rows, want 2 and 0", answer, runs, n)
			}
		}
	})
}

// However enqueueing and running interleave, the last run sees every committed change.
func TestKeyLosesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var seen atomic.Int64
		nodes := []*Queue{w.node(), w.node()}
		for _, q := range nodes {
			q.Handle("sum", func(ctx context.Context, _ []byte) error {
				var n int64
				if err := d.QueryRow(ctx, `SELECT COUNT(*) FROM kv`).Scan(&n); err != nil {
					return err
				}
				for {
					old := seen.Load()
					if n <= old || seen.CompareAndSwap(old, n) {
						return nil
					}
				}
			})
		}
		stop := w.run(nodes...)
		const writers, each = 6, 25
		var all sync.WaitGroup
		for i := range writers {
			all.Go(func() {
				for k := range each {
					if err := d.Tx(t.Context(), func(tx *db.Tx) error {
						if err := nodes[i%2].Enqueue(t.Context(), tx, "sum", 0, Key("one")); err != nil {
							return err
						}
						_, err := tx.Exec(t.Context(), `INSERT INTO kv (key, number, expires_at) VALUES ($1, 1, 1)`, fmt.Sprint(i, "/", k))
						return err
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		until(t, "the end of the last job", func() bool { return w.count("TRUE") == 0 })
		stop()
		if got := seen.Load(); got != writers*each {
			t.Errorf("the last run saw %d of %d rows: a change was forgotten", got, writers*each)
		}
	})
}
