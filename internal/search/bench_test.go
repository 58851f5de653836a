package search

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"coffer/internal/db/dbtest"
)

// BenchmarkSearch is the search among 1,000,000 names of one account: cold, warm by a rare
// and by a common word, and after a change.
func BenchmarkSearch(b *testing.B) {
	files := 1_000_000
	if n, err := strconv.Atoi(os.Getenv("COFFER_BENCH_NAMES")); err == nil {
		files = n
	}
	kinds := []string{"holiday photo", "tax report", "Übungsblatt", "letter to the bank", "IMG", "scan of a receipt"}
	w := newWorld(b, dbtest.SQLite(b))
	w.seed(w.ada, files, func(i int) string {
		return fmt.Sprintf("%s %07d.%s", kinds[i%len(kinds)], i, []string{"jpg", "pdf", "txt"}[i%3])
	})
	find := func(b *testing.B, q string, want int) {
		found, _, err := w.Find(b.Context(), w.ada, q, "", "", 50)
		if err != nil || len(found) != want {
			b.Fatalf("%q: %d hits, want %d: %v", q, len(found), want, err)
		}
	}
	b.Run("cold", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			w.kept = New(w.Config).kept
			find(b, "0012345", 1)
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "MiB-heap")
		b.ReportMetric(float64(w.kept.taken)/(1<<20), "MiB-counted")
	})
	for _, c := range []struct {
		name, q string
		want    int
	}{{"rare", "0012345", 1}, {"common", "photo", 50}, {"two common", "jpg photo", 50}, {"three, apart", "jpg tax 09", 0}, {"prefix of all", "0", 50}, {"none", "zzz", 0}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var worst time.Duration
			for b.Loop() {
				begin := time.Now()
				find(b, c.q, c.want)
				worst = max(worst, time.Since(begin))
			}
			b.ReportMetric(float64(worst.Microseconds())/1000, "ms-worst")
		})
	}
	b.Run("after a change", func(b *testing.B) {
		n := 0
		for b.Loop() {
			b.StopTimer()
			n++
			w.seed(w.ada, 1, func(int) string { return fmt.Sprintf("fresh %d", n) })
			b.StartTimer()
			find(b, fmt.Sprintf("fresh %d", n), 1)
		}
	})
}
