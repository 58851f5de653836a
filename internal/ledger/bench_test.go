package ledger

import (
	"context"
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// BenchmarkAppend appends entries a thousand at a time, and hashes and signs each hundred
// thousand. An operation is one entry. Bench runs it as P16.
func BenchmarkAppend(b *testing.B) {
	w := newWorld(b, dbtest.SQLite(b), func(c *Config) { c.Every, c.File = 1<<40, NoFile })
	ctx := context.Background()
	events := make([]Event, 1000)
	for i := range events {
		events[i] = event(i)
	}
	n := 0
	for b.Loop() {
		if n++; n%len(events) != 0 {
			continue
		}
		if err := w.DB.Tx(ctx, func(tx *db.Tx) error { _, err := w.Append(ctx, tx, w.ada, events...); return err }); err != nil {
			b.Fatal(err)
		}
		if n%100_000 == 0 {
			if _, err := w.Checkpoint(ctx, false); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "entries/s")
}
