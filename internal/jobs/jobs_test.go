package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/seal"
)

var errTest = errors.New("the handler said no")

// A job exists if and only if its transaction committed.
func TestEnqueueIsTransactional(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		q := w.node()
		var got []string
		q.Handle("greet", func(_ context.Context, payload []byte) error {
			got = append(got, string(payload))
			return nil
		})
		err := d.Tx(t.Context(), func(tx *db.Tx) error {
			if err := q.Enqueue(t.Context(), tx, "greet", "lost"); err != nil {
				t.Fatal(err)
			}
			return errTest
		})
		if !errors.Is(err, errTest) {
			t.Fatal(err)
		}
		w.wantIdle(q)
		w.add(q, "greet", map[string]string{"name": "Ada"})
		w.wantRun(q, nil)
		w.wantIdle(q)
		if want := []string{`{"name":"Ada"}`}; !cmp.Equal(got, want) {
			t.Errorf("payloads = %q, want %q", got, want)
		}
		if n := w.count("TRUE"); n != 0 {
			t.Errorf("%d rows are left of jobs that were done", n)
		}
	})
}

func TestJobsRunInOrderAndInTime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		q := w.node()
		var got []string
		q.Handle("note", func(_ context.Context, payload []byte) error {
			got = append(got, string(payload))
			return nil
		})
		w.addLater(q, time.Hour, "note", 4)
		w.addLater(q, time.Minute, "note", 3)
		w.add(q, "note", 1)
		w.add(q, "note", 2)
		w.add(q, "note", 0)
		w.add(q, "unheard of", 5) // another process may handle it
		for range 3 {
			w.wantRun(q, nil)
		}
		w.wantIdle(q)
		w.advance(time.Minute - time.Millisecond)
		w.wantIdle(q)
		w.advance(time.Millisecond)
		w.wantRun(q, nil)
		w.wantIdle(q)
		w.advance(time.Hour)
		w.wantRun(q, nil)
		w.wantIdle(q)
		if want := []string{"1", "2", "0", "3", "4"}; !cmp.Equal(got, want) {
			t.Errorf("order = %v, want %v", got, want)
		}
		if n := w.count("kind = 'unheard of' AND attempts = 0"); n != 1 {
			t.Errorf("a job that nobody here handles was touched")
		}
	})
}

func TestEnqueueRefuses(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	q := w.node()
	err := w.db.Tx(t.Context(), func(tx *db.Tx) error { return q.Enqueue(t.Context(), tx, "greet", func() {}) })
	if err == nil {
		t.Error("a payload without JSON was enqueued")
	}
	q.cfg.Seal = func(context.Context, []byte) ([]byte, error) { return nil, errTest }
	err = w.db.Tx(t.Context(), func(tx *db.Tx) error { return q.Enqueue(t.Context(), tx, "greet", 1) })
	if !errors.Is(err, errTest) {
		t.Errorf("with a Seal that fails: %v, want its error", err)
	}
}

func TestMisuseStopsTheStart(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	nothing := func(context.Context, []byte) error { return nil }
	for name, f := range map[string]func(){
		"no Seal":      func() { New(w.db, Config{Open: w.vault.open}) },
		"no Open":      func() { New(w.db, Config{Seal: w.vault.seal}) },
		"two handlers": func() { q := w.node(); q.Handle("a", nothing); q.Handle("a", nothing) },
		"two periods": func() {
			q := w.node()
			q.Every("a", time.Hour, func(context.Context) error { return nil })
			q.Every("a", time.Hour, func(context.Context) error { return nil })
		},
		"no interval": func() { w.node().Every("a", 0, func(context.Context) error { return nil }) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

// One of many workers gets the only job.
func TestOneWinner(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var ran atomic.Int64
		nodes := make([]*Queue, 4)
		for i := range nodes {
			nodes[i] = w.node()
			nodes[i].Handle("once", func(context.Context, []byte) error { ran.Add(1); return nil })
		}
		for round := range 10 {
			w.add(nodes[0], "once", round)
			var worked atomic.Int64
			var all sync.WaitGroup
			for i := range 16 {
				all.Go(func() {
					ok, err := nodes[i%len(nodes)].Step(t.Context())
					if err != nil {
						t.Error(err)
					}
					if ok {
						worked.Add(1)
					}
				})
			}
			all.Wait()
			if got := worked.Load(); got != 1 {
				t.Fatalf("round %d: %d workers had the job, want 1", round, got)
			}
		}
		if got := ran.Load(); got != 10 {
			t.Errorf("the handler ran %d times for 10 jobs", got)
		}
	})
}

// Many workers on many nodes run every job once, and leave none.
func TestManyNodesDoEveryJobOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		const jobs = 150
		var mu sync.Mutex
		ran := map[string]int{}
		done := make(chan struct{}, 2*jobs)
		nodes := make([]*Queue, 3)
		for i := range nodes {
			nodes[i] = w.node()
			nodes[i].Handle("count", func(_ context.Context, payload []byte) error {
				mu.Lock()
				ran[string(payload)]++
				mu.Unlock()
				done <- struct{}{}
				return nil
			})
		}
		if err := d.Tx(t.Context(), func(tx *db.Tx) error {
			for i := range jobs {
				if err := nodes[0].Enqueue(t.Context(), tx, "count", i); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		stop := w.run(nodes...)
		for range jobs {
			within(t, done, "a job")
		}
		stop()
		for i := range jobs {
			if n := ran[fmt.Sprint(i)]; n != 1 {
				t.Errorf("job %d ran %d times", i, n)
			}
		}
		if n := w.count("TRUE"); n != 0 {
			t.Errorf("%d rows are left", n)
		}
	})
}

// A failing job waits twice as long each time, up to an hour, and then goes to the dead
// list. Retry restarts it.
func TestBackoffDeadListAndRetry(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		q := w.node()
		answer, ran := errTest, 0
		q.Handle("call", func(context.Context, []byte) error { ran++; return answer })
		begun := w.now()
		w.add(q, "call", "number")
		for n := 1; ; n++ {
			w.wantRun(q, errTest)
			if n == MaxAttempts {
				break
			}
			most := min(2*time.Second<<(n-1), time.Hour)
			w.advance(most/2 - time.Millisecond)
			w.wantIdle(q)
			w.advance(most/2 + time.Millisecond)
		}
		w.advance(KeepDead - time.Hour)
		w.wantIdle(q)
		dead, err := q.Dead(t.Context())
		if err != nil || len(dead) != 1 {
			t.Fatalf("Dead = %+v, %v; want one job", dead, err)
		}
		got := dead[0]
		if got.Kind != "call" || got.Attempts != MaxAttempts || got.Class != "error" || got.Error != errTest.Error() ||
			!got.CreatedAt.Equal(begun) || !got.DiedAt.After(begun.Add(2*time.Hour)) {
			t.Errorf("dead job = %+v", got)
		}
		for _, id := range []string{"", "nobody"} {
			if err := q.retry(t.Context(), id); !errors.Is(err, ErrNoJob) {
				t.Errorf("Retry(%q) = %v, want ErrNoJob", id, err)
			}
		}
		answer = nil
		if err := q.retry(t.Context(), got.ID); err != nil {
			t.Fatal(err)
		}
		if err := q.retry(t.Context(), got.ID); !errors.Is(err, ErrNoJob) {
			t.Errorf("a second Retry = %v, want ErrNoJob: it is not dead any more", err)
		}
		w.wantRun(q, nil)
		w.wantIdle(q)
		if dead, err := q.Dead(t.Context()); err != nil || len(dead) != 0 || ran != MaxAttempts+1 {
			t.Errorf("after the retry: %d dead, %v, %d runs", len(dead), err, ran)
		}
	})
}

// A handler that fails once runs again, and no trace remains.
func TestRecovery(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		q := w.node()
		answers := []error{errTest, nil}
		q.Handle("call", func(context.Context, []byte) error {
			err := answers[0]
			answers = answers[1:]
			return err
		})
		w.add(q, "call", 1)
		w.wantRun(q, errTest)
		w.wantIdle(q)
		w.advance(2 * time.Second)
		w.wantRun(q, nil)
		if n := w.count("TRUE"); n != 0 {
			t.Errorf("%d rows are left", n)
		}
	})
}

// final is an error of a package that does not import this one.
type final struct{ is bool }

func (f final) Error() string   { return "no such recipient ada@canary.example" }
func (f final) Permanent() bool { return f.is }
func (f final) Class() string   { return strings.Repeat("smtp 550 ", 20) }

func TestPermanentErrorsAreNotTriedAgain(t *testing.T) {
	if Permanent(nil) != nil {
		t.Error("Permanent(nil) is an error")
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		q := w.node()
		var answer error
		q.Handle("call", func(context.Context, []byte) error { return answer })
		for i, test := range []struct {
			err  error
			dead bool
		}{
			{Permanent(errTest), true},
			{fmt.Errorf("send: %w", final{true}), true},
			{fmt.Errorf("send: %w", final{false}), false},
			{errTest, false},
		} {
			answer = test.err
			w.add(q, "call", i)
			w.wantRun(q, answer)
			dead, err := q.Dead(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := len(dead) == 1; got != test.dead {
				t.Errorf("%v: dead = %t, want %t", test.err, got, test.dead)
			}
			if test.dead && (dead[0].Attempts != 1 || len(dead[0].Class) > 60) {
				t.Errorf("%v: %+v", test.err, dead[0])
			}
			if _, err := d.Exec(t.Context(), `DELETE FROM jobs`); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestPanicsAreFailures(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		q := w.node()
		fine := false
		q.Handle("burn", func(context.Context, []byte) error {
			if !fine {
				panic("with ada@canary.example in hand")
			}
			return nil
		})
		w.add(q, "burn", 1)
		worked, err := w.step(q)
		if !worked || err == nil || !strings.Contains(err.Error(), "in hand") {
			t.Fatalf("Step = %t, %v; want the panic as an error", worked, err)
		}
		if n := w.count("failure = 'panic' AND attempts = 1 AND claim IS NULL"); n != 1 {
			t.Error("the panic was not recorded as a failure")
		}
		if strings.Contains(w.log.String(), "canary") {
			t.Error("what was panicked with stands in the log")
		}
		fine = true
		w.advance(2 * time.Second)
		w.wantRun(q, nil)
	})
}

// The queue writes no part of a payload, or of a handler's error, to its table or the log.
func TestNothingInClear(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		q := w.node()
		q.Handle("mail", func(_ context.Context, payload []byte) error {
			return fmt.Errorf("refused: %s", payload)
		})
		w.add(q, "mail", map[string]string{"to": "ada@canary.example"}, Key("a"))
		w.addLater(q, time.Hour, "mail", map[string]string{"to": "bob@canary.example"})
		w.step(q)
		if !strings.Contains(w.log.String(), "an attempt failed") {
			t.Error("the failure is not in the log")
		}
		rows, err := d.Query(t.Context(), `SELECT id, kind, COALESCE(key, ''), payload, failure, COALESCE(error, payload) FROM jobs`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		n := 0
		for ; rows.Next(); n++ {
			var id, kind, key, failure string
			var payload, text []byte
			if err := rows.Scan(&id, &kind, &key, &payload, &failure, &text); err != nil {
				t.Fatal(err)
			}
			if all := id + kind + key + string(payload) + failure + string(text); strings.Contains(all, "canary") {
				t.Errorf("a row shows its payload: %q", all)
			}
		}
		if rows.Err() != nil || n != 2 {
			t.Fatalf("%d rows, %v", n, rows.Err())
		}
		if strings.Contains(w.log.String(), "canary") {
			t.Errorf("the log shows a payload: %s", w.log.String())
		}
	})
}

// A payload moved to another row does not run.
func TestSwappedPayloadsDoNotOpen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		q := w.node()
		ran := 0
		q.Handle("a", func(context.Context, []byte) error { ran++; return nil })
		q.Handle("b", func(context.Context, []byte) error { ran++; return nil })
		w.add(q, "a", 1)
		w.add(q, "b", 2)
		if _, err := d.Exec(t.Context(), `UPDATE jobs SET payload = (SELECT payload FROM jobs WHERE kind = 'b') WHERE kind = 'a'`); err != nil {
			t.Fatal(err)
		}
		w.wantRun(q, errMoved)
		w.wantRun(q, nil)
		if ran != 1 {
			t.Errorf("%d handlers ran, want only the one whose payload is its own", ran)
		}
	})
}

func stopAt(_ context.Context, place, id string, err error) error {
	return fmt.Errorf("%s of %s: %w", place, id, err)
}

// A value moved to another row counts as damaged: the walk passes it to skip and continues.
func TestResealGoesPastDamage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		q := w.node()
		ran := 0
		q.Handle("call", func(context.Context, []byte) error { ran++; return nil })
		for i := range 3 {
			w.add(q, "call", i)
		}
		var first, second string
		if err := d.QueryRow(t.Context(), `SELECT MIN(id), MAX(id) FROM jobs`).Scan(&first, &second); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Exec(t.Context(), `UPDATE jobs SET payload = (SELECT payload FROM jobs WHERE id = $1) WHERE id = $2`, second, first); err != nil {
			t.Fatal(err)
		}
		w.vault.rotate(t)
		var asked []string
		next, done, err := q.Reseal(t.Context(), "", 10, func(_ context.Context, place, id string, err error) error {
			if asked = append(asked, place+" "+id); !errors.Is(err, seal.ErrOpen) {
				t.Errorf("%v, want that it is told as damage", err)
			}
			return nil
		})
		if next != "" || done != 3 || err != nil {
			t.Errorf("Reseal = %q, %d, %v", next, done, err)
		}
		if want := []string{"jobs.payload " + first}; !cmp.Equal(asked, want) {
			t.Errorf("skip was asked about %v, want %v", asked, want)
		}
		w.vault.forget()
		for range 2 {
			_, _ = w.step(q)
		}
		if _, err := w.step(q); ran != 2 || err != nil && !errors.Is(err, errMoved) {
			t.Errorf("%d of the undamaged jobs ran under the new key (%v), want 2", ran, err)
		}
	})
}

// After the walk nothing needs the old key.
func TestReseal(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		q := w.node()
		answer, ran := Permanent(errTest), 0
		q.Handle("call", func(context.Context, []byte) error { ran++; return answer })
		w.add(q, "call", "dead")
		w.wantRun(q, errTest)
		answer = nil
		for i := range 4 {
			w.add(q, "call", i)
		}
		w.vault.rotate(t)
		rounds, total := 0, 0
		for cursor := ""; ; rounds++ {
			next, done, err := q.Reseal(t.Context(), cursor, 2, stopAt)
			if err != nil {
				t.Fatal(err)
			}
			total += done
			if cursor = next; cursor == "" {
				break
			}
		}
		if total != 5 || rounds != 2 {
			t.Errorf("%d jobs in %d more rounds, want 5 in 2", total, rounds)
		}
		w.vault.forget()
		dead, err := q.Dead(t.Context())
		if err != nil || len(dead) != 1 || dead[0].Error != errTest.Error() {
			t.Fatalf("Dead = %+v, %v", dead, err)
		}
		if err := q.retry(t.Context(), dead[0].ID); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			w.wantRun(q, nil)
		}
		w.wantIdle(q)
	})
}
