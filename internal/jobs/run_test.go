package jobs

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// The job of a dead worker runs again after its lease, not before. The dead worker's late
// results change nothing.
func TestLapsedLease(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dead, q := w.node(), w.node()
		ran := 0
		for _, n := range []*Queue{dead, q} {
			n.Handle("a", func(context.Context, []byte) error { ran++; return nil })
		}
		w.add(q, "a", 1)
		j, _, err := dead.take(t.Context(), 0)
		if err != nil || j == nil {
			t.Fatal(j, err)
		}
		w.advance(time.Minute - time.Millisecond)
		w.wantIdle(q)
		w.advance(time.Millisecond)
		again, _, err := q.take(t.Context(), 0)
		if err != nil || again == nil || again.ID != j.ID || again.Attempts != 2 {
			t.Fatalf("the second claim = %+v, %v", again, err)
		}
		for _, late := range []error{nil, errTest, Permanent(errTest), errDrain} {
			if err := dead.settle(t.Context(), *j, late); err != nil {
				t.Fatal(err)
			}
		}
		if n := w.count("claim = $1 AND attempts = 2 AND dead_at IS NULL", again.Claim); n != 1 {
			t.Fatal("a worker without the lease ended the job")
		}
		if n, err := renewJob(t.Context(), d, *j, 0); n != 0 || err != nil {
			t.Errorf("the lost lease was renewed: %d, %v", n, err)
		}
		if err := q.work(t.Context(), *again); err != nil || ran != 1 {
			t.Errorf("the second worker: %v, %d runs", err, ran)
		}
		w.wantIdle(q)
	})
}

// A job that kills every process ends on the dead list without one more attempt.
func TestJobsThatKill(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	q := w.node()
	ran := 0
	q.Handle("a", func(context.Context, []byte) error { ran++; return nil })
	w.add(q, "a", 1)
	for range MaxAttempts {
		if j, _, err := q.take(t.Context(), 0); err != nil || j == nil {
			t.Fatal(j, err)
		}
		w.advance(time.Minute)
	}
	if worked, err := w.step(q); !worked || !isPermanent(err) {
		t.Fatalf("Step = %t, %v; want a permanent error", worked, err)
	}
	if dead, err := q.Dead(t.Context()); err != nil || len(dead) != 1 || ran != 0 {
		t.Errorf("Dead = %+v, %v; %d runs", dead, err, ran)
	}
}

func TestLeaseIsRenewedAndItsLossIsTold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		q := w.node()
		q.lease = 20 * time.Millisecond // renewed by the machine's clock and counted by ours
		lost := make(chan error, 1)
		q.Handle("a", func(ctx context.Context, _ []byte) error {
			for range 2 {
				w.advance(time.Hour)
				until(t, "a renewal", func() bool { return w.count("run_at > $1", w.now().UnixMilli()) == 1 })
			}
			if _, err := d.Exec(t.Context(), `UPDATE jobs SET claim = 'another'`); err != nil {
				t.Error(err)
			}
			<-ctx.Done()
			lost <- context.Cause(ctx)
			return ctx.Err()
		})
		w.add(q, "a", 1)
		worked, _ := w.step(q)
		if cause := within(t, lost, "the end of the context"); !worked || !errors.Is(cause, errLost) {
			t.Errorf("the handler's context ended with %v, want %v", cause, errLost)
		}
		if n := w.count("claim = 'another' AND failure = ''"); n != 1 {
			t.Error("the loser wrote into the job")
		}
	})
}

// Run does committed jobs at once and due work on time. It returns only after its handlers,
// and leaves nothing behind.
func TestRun(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ignore := goleak.IgnoreCurrent()
		q := w.node()
		done, entered, leave := make(chan string, 8), make(chan context.Context), make(chan struct{})
		q.Handle("note", func(_ context.Context, payload []byte) error { done <- string(payload); return nil })
		q.Handle("long", func(ctx context.Context, _ []byte) error {
			entered <- ctx
			<-leave
			return ctx.Err()
		})
		w.add(q, "note", "before")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- q.Run(ctx) }()
		if got := within(t, done, "the first job"); got != `"before"` {
			t.Errorf("ran %s", got)
		}
		w.add(q, "note", "now")
		within(t, done, "the job that was enqueued while it ran")
		// An hour ends every lease: a job without a recorded end would run again.
		for end := time.Now().Add(10 * time.Second); w.count("TRUE") > 0 && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		w.addLater(q, time.Hour, "note", "later")
		w.advance(time.Hour)
		q.wake()
		within(t, done, "the job that came due")
		w.add(q, "long", 1)
		running := within(t, entered, "the long job")
		cancel()
		select {
		case <-ended:
			t.Error("Run returned while a handler ran")
		default:
		}
		if running.Err() != nil {
			t.Error("the end of Run's context ended the handler's")
		}
		close(leave)
		if err := within(t, ended, "the end of Run"); err != nil {
			t.Errorf("Run = %v", err)
		}
		if left := w.count("TRUE"); left != 0 {
			t.Error("what ended in the shutdown was not recorded")
		}
		if d.Engine() == db.SQLite { // pgx's pool starts and ends goroutines at any time
			goleak.VerifyNone(t, ignore)
		}
	})
}

// A shutdown waits a bounded time, and an interrupted job has not failed.
func TestRunGivesBackWhatItBreaksOff(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		q := w.node()
		q.grace = time.Millisecond
		entered := make(chan struct{})
		q.Handle("long", func(ctx context.Context, _ []byte) error {
			close(entered)
			<-ctx.Done()
			return ctx.Err()
		})
		w.add(q, "long", 1)
		stop := w.run(q)
		within(t, entered, "the job")
		stop()
		if n := w.count("attempts = 0 AND claim IS NULL AND run_at <= $1 AND failure = ''", w.now().UnixMilli()); n != 1 {
			t.Error("the job was not given back as it was")
		}
	})
}

// A kind with hanging handlers does not delay other kinds.
func TestOneKindDoesNotTakeEveryWorker(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		q := w.node()
		q.workers = 4
		entered, leave, done := make(chan struct{}, 8), make(chan struct{}), make(chan struct{})
		q.Handle("hang", func(context.Context, []byte) error {
			entered <- struct{}{}
			<-leave
			return nil
		})
		q.Handle("quick", func(context.Context, []byte) error { close(done); return nil })
		for i := range 8 {
			w.add(q, "hang", i)
		}
		stop := w.run(q)
		for range 2 {
			within(t, entered, "a job that hangs")
		}
		w.add(q, "quick", 1)
		within(t, done, "the job of the other kind")
		if n := len(entered); n != 0 {
			t.Errorf("%d more jobs of one kind run than half of the workers", n)
		}
		close(leave)
		for range 6 {
			within(t, entered, "the rest")
		}
		stop()
	})
}

// Run continues when the database returns.
func TestRunOutlivesTheDatabase(t *testing.T) {
	u, err := url.Parse(dbtest.PostgreSQLURL(t))
	if err != nil {
		t.Fatal(err)
	}
	network := dbtest.NewProxy(t, u.Host)
	direct, err := db.Open(t.Context(), u.String(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { direct.Close() })
	u.Host = network.Addr()
	far, err := db.Open(t.Context(), u.String(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	near, w := newWorld(t, direct), newWorld(t, far)
	w.vault = near.vault
	q := w.node()
	done, entered, leave := make(chan string, 4), make(chan struct{}), make(chan struct{})
	q.Handle("note", func(_ context.Context, payload []byte) error { done <- string(payload); return nil })
	q.Handle("long", func(context.Context, []byte) error {
		close(entered)
		<-leave
		return nil
	})
	stop := w.run(q)
	near.add(q, "note", 1)
	within(t, done, "a job while the database is there")
	near.add(q, "long", 1)
	within(t, entered, "the long job")
	network.Cut()
	near.add(q, "note", 2)
	q.wake()
	until(t, "the failure to look for work", func() bool { return strings.Contains(w.log.String(), "cannot look for work") })
	close(leave) // its end cannot be recorded now
	network.Restore(t)
	if got := within(t, done, "the job that was enqueued while it was away"); got != "2" {
		t.Errorf("ran %s", got)
	}
	until(t, "the record of the long job", func() bool { return near.count("TRUE") == 0 })
	stop()
}
