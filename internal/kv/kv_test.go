package kv_test

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/kv"
	"coffer/internal/kv/kvtest"
)

var quiet = slog.New(slog.DiscardHandler)

func TestMemory(t *testing.T) {
	kvtest.Run(t, func(_ *testing.T, clock *kvtest.Clock) kv.Store { return kv.NewMemory(clock.Now) })
}

func TestSQL(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		kvtest.Run(t, func(t *testing.T, clock *kvtest.Clock) kv.Store {
			s := kv.NewSQL(d, clock.Now)
			t.Cleanup(func() { _ = s.Close() })
			return s
		})
	})
}

func openRedis(t testing.TB) *kv.Redis {
	t.Helper()
	r, err := kv.OpenRedis(t.Context(), kvtest.RedisURL(t), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func TestRedis(t *testing.T) {
	kvtest.RedisURL(t)
	kvtest.Run(t, func(t *testing.T, clock *kvtest.Clock) kv.Store {
		clock.Real()
		return openRedis(t)
	})
}

func TestTwoNodesOnPostgreSQL(t *testing.T) {
	url := dbtest.PostgreSQLURL(t)
	var nodes [2]*kv.SQL
	for i := range nodes {
		d, err := db.Open(t.Context(), url, quiet)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		nodes[i] = kv.NewSQL(d, time.Now)
	}
	kvtest.TwoNodes(t, nodes[0], nodes[1])
}

// Two stores on one database see each other's changes at once.
func TestTwoStoresOnOneDatabase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { kvtest.TwoNodes(t, kv.NewSQL(d, time.Now), kv.NewSQL(d, time.Now)) })
}

func TestPruneInBatches(t *testing.T) {
	d := dbtest.SQLite(t)
	s := kv.NewSQL(d, time.Now)
	dbtest.PrunesInBatches(t, d, "kv", `INSERT INTO kv (key, number, expires_at) SELECT 'k' || i, 1, 1 FROM n`,
		func() error { return s.Prune(t.Context()) })
}

// Prune frees space and removes nothing unexpired.
func TestPrune(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
		s := kv.NewSQL(d, func() time.Time { return now })
		err := d.Tx(ctx, func(tx *db.Tx) error {
			for i := range 2500 { // more than one step
				if _, err := tx.Exec(ctx, `INSERT INTO kv (key, number, expires_at) VALUES ($1, 1, $2)`, fmt.Sprint("old", i), now.UnixMilli()-int64(i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Put(ctx, "alive", nil, time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if err := s.Prune(ctx); err != nil {
			t.Fatal(err)
		}
		var key string
		var rows int
		if err := d.QueryRow(ctx, `SELECT count(*), min(key) FROM kv`).Scan(&rows, &key); err != nil || rows != 1 || key != "alive" {
			t.Errorf("%d rows are left, the first %q, %v; want the one that is alive", rows, key, err)
		}
	})
}

// Memory removes expired items without any request for them.
func TestMemoryIsBounded(t *testing.T) {
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	m := kv.NewMemory(func() time.Time { return now })
	for i := range 100_000 {
		now = now.Add(time.Millisecond)
		if _, err := m.Add(t.Context(), fmt.Sprint(i), 1, time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if got := kv.Items(m); got > 5000 {
		t.Errorf("%d counters are held, of which 1000 are alive", got)
	}
}

func TestTwoNodesOnRedis(t *testing.T) {
	kvtest.TwoNodes(t, openRedis(t), openRedis(t))
}

// owned is a SQLite database that this process has claimed.
func owned(t *testing.T) *db.DB {
	t.Helper()
	d := dbtest.SQLite(t)
	if err := d.Own(); err != nil {
		t.Fatal(err)
	}
	return d
}

// The owner of a database keeps marks in memory, by the rules of every store.
func TestSQLOfOneProcess(t *testing.T) {
	d := owned(t)
	kvtest.Run(t, func(_ *testing.T, clock *kvtest.Clock) kv.Store { return kv.NewSQL(d, clock.Now) })
	var rows int
	if err := d.QueryRow(t.Context(), `SELECT count(*) FROM kv WHERE key LIKE '%once%'`).Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d marks were written, %v", rows, err)
	}
}

// After a restart the store refuses keys that were made before the process began: the process
// before may have taken them. It takes them when no other process ran for a while.
func TestOnceAfterARestart(t *testing.T) {
	d, ctx := owned(t), t.Context()
	now := time.Date(2026, 11, 20, 9, 0, 0, 500e6, time.UTC)
	clock := func() time.Time { return now }
	made := now
	if ok, err := kv.NewSQL(d, clock).Once(ctx, "x", made, time.Minute); !ok || err != nil {
		t.Fatal(ok, err)
	}
	now = now.Add(time.Second)
	restarted := kv.NewSQL(d, clock)
	for _, key := range []string{"x", "unused"} {
		if ok, err := restarted.Once(ctx, key, made, time.Minute); ok || err != nil {
			t.Errorf("%s is of an earlier process: %t, %v", key, ok, err)
		}
	}
	if ok, err := restarted.Once(ctx, "y", now.Truncate(time.Second), time.Minute); !ok || err != nil {
		t.Errorf("a key of this second: %t, %v", ok, err)
	}
	now = now.Add(15 * time.Minute)
	if ok, err := restarted.Once(ctx, "z", now, time.Minute); !ok || err != nil { // it says again that it runs
		t.Fatal(ok, err)
	}
	now = now.Add(15 * time.Minute)
	if ok, err := kv.NewSQL(d, clock).Once(ctx, "z", now.Add(-time.Second), time.Minute); ok || err != nil {
		t.Errorf("a quarter of an hour later: %t, %v", ok, err)
	}
	now = now.Add(time.Hour)
	if ok, err := kv.NewSQL(d, clock).Once(ctx, "z", now.Add(-time.Second), time.Minute); !ok || err != nil {
		t.Errorf("the first process for a while: %t, %v", ok, err)
	}
}

// A key may be made ahead of this clock: its client's runs fast. It was used before the
// restart, and stays used.
func TestOnceAheadOfARestart(t *testing.T) {
	d, ctx := owned(t), t.Context()
	now := time.Date(2026, 11, 20, 9, 0, 0, 500e6, time.UTC)
	clock := func() time.Time { return now }
	made := now.Add(50 * time.Second)
	if ok, err := kv.NewSQL(d, clock).Once(ctx, "x", made, 2*time.Minute); !ok || err != nil {
		t.Fatal(ok, err)
	}
	now = now.Add(time.Second)
	restarted := kv.NewSQL(d, clock)
	for _, after := range []time.Duration{0, 30 * time.Second, 70 * time.Second} {
		now = now.Add(after)
		if ok, err := restarted.Once(ctx, "x", made, time.Minute); ok || err != nil {
			t.Errorf("%s after the restart: %t, %v", after, ok, err)
		}
		if ok, err := restarted.Once(ctx, "unused "+after.String(), made, time.Minute); !ok || err != nil {
			t.Errorf("%s after the restart, an unused key: %t, %v", after, ok, err)
		}
	}
}

// Marks in memory are bounded. A full store refuses; it does not forget.
func TestMarksAreBounded(t *testing.T) {
	d, ctx := owned(t), t.Context()
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	s := kv.NewSQL(d, func() time.Time { return now })
	kv.AtMost(s, 1000)
	for i := range 1000 {
		if ok, err := s.Once(ctx, fmt.Sprint(i), now, time.Minute); !ok || err != nil {
			t.Fatal(i, ok, err)
		}
	}
	if ok, err := s.Once(ctx, "one more", now, time.Minute); ok || !errors.Is(err, kv.ErrUnavailable) {
		t.Errorf("over the bound: %t, %v", ok, err)
	}
	if ok, err := s.Once(ctx, "0", now, time.Minute); ok || err != nil {
		t.Errorf("a mark was forgotten: %t, %v", ok, err)
	}
	now = now.Add(2 * time.Minute)
	if ok, err := s.Once(ctx, "0", now, time.Minute); !ok || err != nil || kv.Marks(s) != 1 {
		t.Errorf("later: %t, %v, %d marks", ok, err, kv.Marks(s))
	}
}
