package kv_test

import (
	"testing"
	"time"

	"coffer/internal/db/dbtest"
	"coffer/internal/kv"
)

// each runs a benchmark on every available store.
func each(b *testing.B, f func(b *testing.B, s kv.Store)) {
	b.Run("Memory", func(b *testing.B) { f(b, kv.NewMemory(time.Now)) })
	b.Run("SQLite", func(b *testing.B) { f(b, kv.NewSQL(dbtest.SQLite(b), time.Now)) })
	b.Run("PostgreSQL", func(b *testing.B) { f(b, kv.NewSQL(dbtest.PostgreSQL(b), time.Now)) })
	b.Run("Redis", func(b *testing.B) { f(b, openRedis(b)) })
}

// A session record is about this long.
var record = make([]byte, 200)

func benchmarkGet(b *testing.B, key string) {
	each(b, func(b *testing.B, s kv.Store) {
		if err := s.Put(b.Context(), key, record, time.Hour); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Get(b.Context(), key); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// The Redis store answers these from its cache.
func BenchmarkGetSession(b *testing.B) { benchmarkGet(b, "session:bench") }

func BenchmarkGet(b *testing.B) { benchmarkGet(b, "bench") }

func BenchmarkPut(b *testing.B) {
	each(b, func(b *testing.B, s kv.Store) {
		b.ReportAllocs()
		for b.Loop() {
			if err := s.Put(b.Context(), "session:bench", record, time.Hour); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	each(b, func(b *testing.B, s kv.Store) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Add(b.Context(), "bench:counter", 1, time.Hour); err != nil {
				b.Fatal(err)
			}
		}
	})
}
