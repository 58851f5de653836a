package kv_test

import (
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
