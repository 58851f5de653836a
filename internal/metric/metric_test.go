package metric

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// page returns the lines of names that begin with prefix.
func page(t *testing.T, s *Set, prefix string) string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(string(s.Page(t.Context()))) {
		if strings.HasPrefix(strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE "), prefix) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func TestPage(t *testing.T) {
	s := New("v1.2.3")
	c := s.Counter("a_total", "Things.", "kind", "outcome")
	c.With("x", "ok").Inc()
	c.With("x", "ok").Add(2)
	c.With("y", "ok")
	h := s.Histogram("a_seconds", "Times.", []time.Duration{time.Millisecond, time.Second}, "kind").With("x")
	for _, d := range []time.Duration{0, time.Millisecond, time.Millisecond + 1, time.Second, time.Minute} {
		h.Observe(d)
	}
	s.Histogram("a_rare_seconds", "Rare times.", Work, "kind").Sparse().With("x")
	s.Read(func(_ context.Context, r *Reading) error {
		r.Gauge("a_size", "Size.", 1.5)
		return nil
	})
	want := `# HELP a_seconds Times.
# TYPE a_seconds histogram
a_seconds_bucket{kind="x",le="0.001"} 2
a_seconds_bucket{kind="x",le="1"} 4
a_seconds_bucket{kind="x",le="+Inf"} 5
a_seconds_sum{kind="x"} 61.002000001
a_seconds_count{kind="x"} 5
# HELP a_size Size.
# TYPE a_size gauge
a_size 1.5
# HELP a_total Things.
# TYPE a_total counter
a_total{kind="x",outcome="ok"} 3
a_total{kind="y",outcome="ok"} 0
`
	if got := page(t, s, "a_"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := page(t, s, "coffer_build_info"); !strings.Contains(got, `version="v1.2.3"`) {
		t.Errorf("got %s", got)
	}
	for _, name := range []string{"go_goroutines", "go_memstats_heap_alloc_bytes", "go_gc_cycles_total"} {
		if got := page(t, s, name+" "); !strings.Contains(got, "\n"+name+" ") {
			t.Errorf("no value of %s: %s", name, got)
		}
	}
}

// Label values that are no words of the program are counted together, and so are label sets
// beyond the bound.
func TestLabelsAreBounded(t *testing.T) {
	s := New("")
	c := s.Counter("a_total", "Things.", "of")
	for _, value := range []string{
		"alice@example.org", "Grüße", `quote"`, "line\nbreak", "back\\slash", " blank", "blank ", strings.Repeat("x", longestValue+1), "a=b", "1,2", "\x00",
	} {
		c.With(value).Inc()
	}
	if got := page(t, s, "a_total{"); got != "a_total{of=\"other\"} 11\n" {
		t.Errorf("got %s", got)
	}
	for _, value := range []string{"GET", "/v1/files/{id}", "/v1/x/{path...}", "/{$}", "share-password", "", "v1.2.3"} {
		if got := clean(value); got != value {
			t.Errorf("%q became %q", value, got)
		}
	}
	for i := range 2 * MaxSeries {
		c.With(fmt.Sprint("n", i)).Inc()
	}
	lines := strings.Count(page(t, s, "a_total{"), "\n")
	if lines != MaxSeries {
		t.Errorf("%d series, want %d", lines, MaxSeries)
	}
	if got, want := c.With("one more"), c.With(Other); got != want {
		t.Error("a label set beyond the bound has a counter of its own")
	}
}

// A reader that fails leaves out its own values only.
func TestReaderFails(t *testing.T) {
	s := New("")
	s.Read(func(_ context.Context, r *Reading) error {
		r.Gauge("a_read", "Read.", 1)
		return errors.New("away")
	})
	s.Read(func(_ context.Context, r *Reading) error {
		r.Gauge("a_other", "Other.", 2)
		return nil
	})
	s.Page(t.Context())
	if got := page(t, s, "a_"); !strings.Contains(got, "a_read 1") || !strings.Contains(got, "a_other 2") {
		t.Errorf("got %s", got)
	}
	if got := page(t, s, "coffer_metrics_failures_total"); !strings.HasSuffix(got, "coffer_metrics_failures_total 3\n") {
		t.Errorf("got %s", got)
	}
}

func TestNoSet(t *testing.T) {
	var s *Set
	s.Counter("a_total", "Things.", "kind").With("x").Inc()
	s.Histogram("a_seconds", "Times.", Requests).With().Observe(time.Second)
	s.Cache("a").Hit.Inc()
	s.Read(func(context.Context, *Reading) error { t.Error("read"); return nil })
}

func TestOneNameOneFamily(t *testing.T) {
	s := New("")
	first, other, again := s.Cache("a"), s.Cache("b"), s.Cache("a")
	if first.Hit == other.Hit || first.Hit != again.Hit {
		t.Error("a family shared by two users does not keep their series apart")
	}
	defer func() {
		if recover() == nil {
			t.Error("a second family under a name was taken")
		}
	}()
	s.Counter("coffer_cache_reads_total", "Other labels.", "kind")
}

// Concurrent users of one family and of the page; run with -race.
func TestConcurrent(t *testing.T) {
	s := New("")
	c, h := s.Counter("a_total", "Things.", "n"), s.Histogram("a_seconds", "Times.", Work, "n")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 200 {
				n := fmt.Sprint(i % 7)
				c.With(n).Inc()
				h.With(n).Observe(time.Second)
			}
		})
	}
	for range 3 {
		s.Page(t.Context())
	}
	all.Wait()
	if got := page(t, s, "a_total{"); strings.Count(got, "\n") != 7 || !strings.Contains(got, `a_total{n="0"} 232`) {
		t.Errorf("got %s", got)
	}
}

func TestParseStat(t *testing.T) {
	stat := "4242 (a name) with) blanks) S 1 4242 4242 0 -1 4194560 3000 0 10 0 250 50 0 0 20 0 9 0 12345 1000000 200 18446744073709551615 1 1"
	got, err := parseStat([]byte(stat))
	if err != nil || got.cpu != 3 || got.start != 123.45 || got.resident < 200*4096 {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{"", "1 (x) S 1", "no name"} {
		if _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// BenchmarkCount is what one request costs.
func BenchmarkCount(b *testing.B) {
	s := New("")
	c, h := s.Counter("a_total", "Things.", "route").With("/v1/account"), s.Histogram("a_seconds", "Times.", Requests, "route").With("/v1/account")
	b.ReportAllocs()
	for b.Loop() {
		c.Inc()
		h.Observe(30 * time.Millisecond)
	}
}

// BenchmarkPage is what a page costs that shows many routes.
func BenchmarkPage(b *testing.B) {
	s := New("")
	h := s.Histogram("a_seconds", "Times.", Requests, "route")
	for i := range 200 {
		h.With(fmt.Sprintf("/v1/route-%d", i)).Observe(time.Second)
	}
	b.ReportAllocs()
	for b.Loop() {
		s.Page(b.Context())
	}
}
