package kv_test

import (
	"log/slog"
	"testing"

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

func TestTwoNodesOnRedis(t *testing.T) {
	kvtest.TwoNodes(t, openRedis(t), openRedis(t))
}
