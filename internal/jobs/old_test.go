package jobs

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/metric"
)

// Periodic work names the rows that it removes. They are counted by age, and removed at once
// where an operator wants that. Work that fails does not keep other work from its turn.
func TestOldRows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		q := w.node()
		failed := errors.New("away")
		var ran []string
		q.Every("b.prune", time.Hour, func(context.Context) error { ran = append(ran, "b"); return failed },
			Old{Table: "job_periods", Rows: "due_at <= $1"}, Old{Table: "kv", Rows: "expires_at <= $1", Age: Forever})
		q.Every("c.other", time.Hour, func(context.Context) error { ran = append(ran, "c"); return nil })
		var tables []string
		for _, r := range q.Removals() {
			tables = append(tables, r.Table+" by "+r.By)
		}
		if want := []string{"job_periods by b.prune", "jobs by jobs.forget-dead", "kv by b.prune"}; !slices.Equal(tables, want) {
			t.Fatalf("got %q, want %q", tables, want)
		}
		for i, dead := range []time.Duration{KeepDead + time.Hour, KeepDead - time.Hour} {
			if _, err := d.Exec(t.Context(), `INSERT INTO jobs (id, kind, payload, created_at, run_at, dead_at) VALUES ($1, 'x', '', 1, 1, $2)`,
				string(rune('a'+i)), w.now().Add(-dead).UnixMilli()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := d.Exec(t.Context(), `INSERT INTO kv (key, value, expires_at) VALUES ('old', '', 1)`); err != nil {
			t.Fatal(err)
		}
		if rows, err := q.CountOld(t.Context()); err != nil || !slices.Equal(rows, []int64{0, 1, 0}) {
			t.Errorf("counted %v, %v", rows, err)
		}
		if err := q.RemoveOld(t.Context()); !errors.Is(err, failed) || !strings.Contains(err.Error(), "b.prune") {
			t.Errorf("got %v, want the failure by its name", err)
		}
		if !slices.Equal(ran, []string{"b"}) {
			t.Errorf("ran %q, want what removes rows and no more", ran)
		}
		if rows, err := q.CountOld(t.Context()); err != nil || !slices.Equal(rows, []int64{0, 0, 0}) || w.count(`TRUE`) != 1 {
			t.Errorf("counted %v, %v; %d jobs are left", rows, err, w.count(`TRUE`))
		}
	})
}

// The page has the outcomes of jobs and of periodic work, and the state of the queue.
func TestMeasures(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		set := metric.New("")
		q := New(w.db, Config{Now: w.now, Seal: w.vault.seal, Open: w.vault.open, Metrics: set})
		wrong := errors.New("wrong")
		q.Handle("good", func(context.Context, []byte) error { return nil })
		q.Handle("bad", func(context.Context, []byte) error { return wrong })
		q.Handle("hopeless", func(context.Context, []byte) error { return Permanent(wrong) })
		q.Every("x.work", time.Hour, func(context.Context) error { return wrong })
		for _, kind := range []string{"good", "good", "bad", "hopeless"} {
			w.add(q, kind, "payload")
		}
		for range 4 {
			if worked, _ := q.Step(t.Context()); !worked {
				t.Fatal("no job was due")
			}
		}
		if _, err := q.Tick(t.Context()); !errors.Is(err, wrong) {
			t.Fatal(err)
		}
		w.advance(time.Hour)
		page := string(set.Page(t.Context()))
		for _, want := range []string{
			`coffer_jobs_total{kind="good",outcome="done"} 2`, `coffer_jobs_total{kind="bad",outcome="failed"} 1`, `coffer_jobs_total{kind="hopeless",outcome="dead"} 1`,
			`coffer_job_duration_seconds_count{kind="good"} 2`, `coffer_periodic_total{name="x.work",outcome="failed"} 1`,
			`coffer_periodic_total{name="jobs.forget-dead",outcome="done"} 1`, `coffer_periodic_duration_seconds_count{name="x.work"} 1`,
			"coffer_jobs_waiting 1", "coffer_jobs_dead 1",
		} {
			if !strings.Contains(page, want+"\n") {
				t.Errorf("the page does not have %s", want)
			}
		}
		if !strings.Contains(page, "coffer_jobs_oldest_seconds 359") { // an hour without the first delay
			t.Error("the oldest job is not an hour old")
		}
		if t.Failed() {
			t.Log(page)
		}
	})
}

// A process that would keep rows for another time than the node that started last is told so.
func TestAges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		node := func(age time.Duration) *Queue {
			q := w.node()
			q.Every("b.prune", time.Hour, func(context.Context) error { return nil }, Old{Table: "kv", Rows: "expires_at <= $1", Age: age})
			return q
		}
		if err := node(time.Hour).CheckAges(t.Context()); err != nil {
			t.Errorf("before any node ran: %v", err)
		}
		for _, age := range []time.Duration{48 * time.Hour, 24 * time.Hour} { // the second after a restart
			stop := w.run(node(age))
			deadline := time.Now().Add(30 * time.Second)
			for {
				err := node(time.Hour).CheckAges(t.Context())
				if errors.Is(err, ErrAges) && strings.Contains(err.Error(), "keep kv for "+age.String()) && strings.Contains(err.Error(), "here it is kv for 1h0m0s") {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("of a node that runs with other ages: %v", err)
				}
				time.Sleep(5 * time.Millisecond)
			}
			stop()
			if err := node(age).CheckAges(t.Context()); err != nil {
				t.Errorf("the same ages: %v", err)
			}
		}
	})
}
