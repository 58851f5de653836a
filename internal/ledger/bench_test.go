package ledger

import (
	"errors"
	"runtime/debug"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// BenchmarkAppend appends entries a thousand at a time. signed: beside it the job hashes and signs each
// hundred thousand, as in a server, and at the end what is left. An operation is one entry. Bench runs both
// as P16.
func BenchmarkAppend(b *testing.B) {
	b.Run("alone", func(b *testing.B) { appendAll(b, func(*Service) error { return nil }) })
	b.Run("signed", func(b *testing.B) {
		appendAll(b, func(s *Service) error { _, err := s.Checkpoint(b.Context(), false); return err })
	})
}

func appendAll(b *testing.B, sign func(*Service) error) {
	w := newWorld(b, dbtest.SQLite(b), func(c *Config) { c.Every, c.File = 1<<40, NoFile })
	ctx := b.Context()
	events := make([]Event, 1000)
	for i := range events {
		events[i] = event(i)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as a server with a heap of 8 MB has it
	due, done := make(chan struct{}, 1), make(chan error, 1)
	go func() {
		var err error
		for range due {
			err = errors.Join(err, sign(w.Service))
		}
		done <- errors.Join(err, sign(w.Service))
	}()
	n, begun := 0, time.Now()
	for b.Loop() {
		if n++; n%len(events) != 0 {
			continue
		}
		if err := w.DB.Tx(ctx, func(tx *db.Tx) error { _, err := w.Append(ctx, tx, w.ada, events...); return err }); err != nil {
			b.Fatal(err)
		}
		if n%100_000 == 0 {
			due <- struct{}{}
		}
	}
	close(due)
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(n)/time.Since(begun).Seconds(), "entries/s")
}
