package jobs

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// ticks runs Tick on every node at once and returns how many of them ran name.
func (w *world) ticks(name string, nodes ...*Queue) int {
	w.t.Helper()
	var did atomic.Int64
	var all sync.WaitGroup
	for _, q := range nodes {
		all.Go(func() {
			done, _ := q.Tick(w.t.Context())
			if slices.Contains(done, name) {
				did.Add(1)
			}
		})
	}
	all.Wait()
	return int(did.Load())
}

// One node does the work once per interval, whichever node starts when.
func TestEveryIsDoneByOneNode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var ran atomic.Int64
		node := func() *Queue {
			q := w.node()
			q.Every("sweep", time.Hour, func(context.Context) error { ran.Add(1); return nil })
			return q
		}
		nodes := []*Queue{node(), node(), node(), node()}
		for round := range 4 {
			if got := w.ticks("sweep", nodes...); got != 1 {
				t.Fatalf("round %d: %d nodes did it, want 1", round, got)
			}
			w.advance(time.Hour - time.Millisecond)
			if got := w.ticks("sweep", append(nodes, node())...); got != 0 {
				t.Fatalf("round %d: %d nodes did it before its time, one of them just started", round, got)
			}
			w.advance(time.Millisecond)
		}
		if got := ran.Load(); got != 4 {
			t.Errorf("it ran %d times in 4 intervals", got)
		}
	})
}

func TestEveryAfterFailureAndCrash(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		q := w.node()
		ran, fail := 0, true
		q.Every("sweep", time.Hour, func(context.Context) error {
			ran++
			if fail && ran == 2 {
				panic("in the middle")
			}
			if fail {
				return Permanent(errTest) // does not end periodic work
			}
			return nil
		})
		for n, want := range []int{1, 2, 3} {
			if got := w.ticks("sweep", q); got != 1 || ran != want {
				t.Fatalf("attempt %d: %d, %d runs", n+1, got, ran)
			}
			wait := 2 * time.Second << n
			w.advance(wait/2 - time.Millisecond)
			if got := w.ticks("sweep", q); got != 0 {
				t.Fatalf("after attempt %d it ran again at once", n+1)
			}
			w.advance(wait/2 + time.Millisecond)
		}
		fail = false
		if got := w.ticks("sweep", q); got != 1 {
			t.Fatal("it did not run after its failures")
		}
		w.advance(time.Hour)
		p := q.periods[slices.IndexFunc(q.periods, func(p period) bool { return p.name == "sweep" })]
		if n, _, err := q.takePeriod(t.Context(), p, "a node that dies", w.now()); n != 1 || err != nil {
			t.Fatalf("takePeriod = %d, %v", n, err)
		}
		w.advance(time.Minute - time.Millisecond)
		if got := w.ticks("sweep", q); got != 0 {
			t.Fatal("it ran while another node held it")
		}
		w.advance(time.Millisecond)
		if got := w.ticks("sweep", q); got != 1 {
			t.Fatal("nobody took over from the node that died")
		}
		if n, err := endPeriod(t.Context(), d, "sweep", "a node that dies", 0, false); n != 0 || err != nil {
			t.Errorf("the dead node set the next time: %d, %v", n, err)
		}
	})
}

// A shorter interval in a new version, or a wrong clock, does not delay work.
func TestEveryWithAShorterInterval(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		done := func(context.Context) error { return nil }
		old, q := w.node(), w.node()
		old.Every("sweep", 30*24*time.Hour, done)
		q.Every("sweep", time.Hour, done)
		if got := w.ticks("sweep", old); got != 1 {
			t.Fatal("it did not run")
		}
		if got := w.ticks("sweep", q); got != 1 {
			t.Fatal("the old interval still counts")
		}
		if got := w.ticks("sweep", q); got != 0 {
			t.Fatal("it ran twice")
		}
	})
}

// Run does periodic work too. Work interrupted by a shutdown is due at once.
func TestRunDoesPeriodicWork(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		q := w.node()
		q.grace = time.Millisecond
		entered := make(chan struct{}, 1)
		q.Every("sweep", 24*time.Hour, func(ctx context.Context) error {
			entered <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		})
		stop := w.run(q)
		within(t, entered, "the periodic work")
		stop()
		next := w.node()
		next.Every("sweep", 24*time.Hour, func(context.Context) error { return nil })
		if got := w.ticks("sweep", next); got != 1 {
			t.Error("what the shutdown broke off waits for its next time")
		}
	})
}

func TestDeadJobsAreForgotten(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		q := w.node()
		q.Handle("call", func(context.Context, []byte) error { return Permanent(errTest) })
		w.add(q, "call", 1)
		w.wantRun(q, errTest)
		w.add(q, "unheard of", 1)
		w.advance(KeepDead)
		for _, want := range []int{2, 1} { // on the day, and a day later
			if got := w.ticks("jobs.forget-dead", q); got != 1 {
				t.Fatal("it did not run")
			}
			if n := w.count("TRUE"); n != want {
				t.Fatalf("%d jobs, want %d", n, want)
			}
			w.advance(24 * time.Hour)
		}
	})
}
