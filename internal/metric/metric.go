// Package metric counts what the process does and writes it as Prometheus reads it.
//
// A package registers its families on a [Set] when it is made, and keeps what it counts
// with. A nil Set registers nothing: its counters count, and no page shows them.
//
// # What it promises
//
//   - Counting takes an atomic addition or two, no lock and no memory, where the caller kept
//     what With returned.
//   - Label sets are bounded. A family has at most [MaxSeries] of them; further ones are
//     counted together under [Other].
//   - A label value is a word of the program: letters, digits and the marks of a route. Any
//     other value, such as an address or a name with blanks at its ends, becomes [Other].
//     So a mistake of a caller shows no personal data.
//
// The page is the text format of Prometheus, version 0.0.4.
package metric

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// MaxSeries is the number of label sets of one family.
	MaxSeries = 2000
	// Other stands for label values that a family does not take.
	Other = "other"

	longestValue = 100
)

// Set holds the families of one process. Its methods are safe for concurrent use.
type Set struct {
	mu       sync.Mutex
	families map[string]*family
	readers  []Reader
	failures *Counter
}

// Reader reads values when a page is asked for: sizes, ages, and counts that are kept
// elsewhere. Its error leaves out the values that it has not read.
type Reader func(ctx context.Context, r *Reading) error

// New returns a Set with the families of the process and its Go runtime.
func New(version string) *Set {
	s := &Set{families: map[string]*family{}}
	s.failures = s.Counter("coffer_metrics_failures_total", "Reads of values that failed while this page was made.").With()
	s.Read(readRuntime(version))
	s.Read(readProcess)
	return s
}

// family is every series of one name.
type family struct {
	name, help, kind string
	labels           []string
	bounds           []time.Duration // of a histogram
	sparse           bool            // series that counted nothing are not written

	mu     sync.RWMutex
	series map[string]series
}

// series writes its lines; labels are those of its family, formatted.
type series interface {
	write(b *bytes.Buffer, name, labels string)
	// counted reports whether there is anything to write yet.
	counted() bool
}

// family registers a family, or returns the one of that name. Another kind or other labels
// under a known name are a mistake of the program.
func (s *Set) family(f *family) *family {
	f.series = map[string]series{}
	if s == nil {
		return f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.families[f.name]; known != nil {
		if known.kind != f.kind || !slices.Equal(known.labels, f.labels) {
			panic("internal error: two metrics named " + f.name)
		}
		return known
	}
	s.families[f.name] = f
	return f
}

// with returns the series of these label values.
func (f *family) with(values []string, make func() series) series {
	if len(values) != len(f.labels) {
		panic(fmt.Sprintf("internal error: metric %s has %d labels, not %d", f.name, len(f.labels), len(values)))
	}
	key := labelsOf(f.labels, values)
	f.mu.RLock()
	known := f.series[key]
	f.mu.RUnlock()
	if known != nil {
		return known
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.series) >= MaxSeries {
		key = labelsOf(f.labels, slices.Repeat([]string{Other}, len(values)))
	}
	if f.series[key] == nil {
		f.series[key] = make()
	}
	return f.series[key]
}

// labelsOf formats labels: a="b",c="d". Cleaned values need no escaping.
func labelsOf(names, values []string) string {
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(name + `="` + clean(values[i]) + `"`)
	}
	return b.String()
}

// clean returns a value that is a word of the program, and Other for any other.
func clean(value string) string {
	if len(value) > longestValue || strings.TrimSpace(value) != value {
		return Other
	}
	for _, c := range []byte(value) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && strings.IndexByte("_-./:{}$ ", c) < 0 {
			return Other
		}
	}
	return value
}

// Counters is a family of counters.
type Counters struct{ f *family }

// Counter registers a family of counters; its name ends in _total.
func (s *Set) Counter(name, help string, labels ...string) Counters {
	return Counters{s.family(&family{name: name, help: help, kind: "counter", labels: labels})}
}

// With returns the counter of these label values, in the order of the labels.
func (c Counters) With(values ...string) *Counter {
	return c.f.with(values, func() series { return &Counter{} }).(*Counter)
}

// Sparse leaves out the counters that have counted nothing yet, for a family of many.
func (c Counters) Sparse() Counters {
	c.f.sparse = true
	return c
}

// Counter only grows.
type Counter struct{ n atomic.Int64 }

// Inc counts one.
func (c *Counter) Inc() { c.n.Add(1) }

// Add counts n, which is not negative.
func (c *Counter) Add(n int64) { c.n.Add(n) }

func (c *Counter) counted() bool { return c.n.Load() > 0 }

func (c *Counter) write(b *bytes.Buffer, name, labels string) {
	line(b, name, labels, float64(c.n.Load()))
}

// Cache counts the reads of one cache.
type Cache struct{ Hit, Miss *Counter }

// Cache returns the counters of a cache.
func (s *Set) Cache(name string) Cache {
	reads := s.Counter("coffer_cache_reads_total", "Reads of a cache: hit when it had the answer, miss when not.", "cache", "outcome")
	return Cache{reads.With(name, "hit"), reads.With(name, "miss")}
}

// Histograms is a family of histograms.
type Histograms struct{ f *family }

// Requests are bounds for the times of requests and of what they wait for.
var Requests = []time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 10 * time.Second,
}

// Work are bounds for the times of work that nobody waits for.
var Work = []time.Duration{
	10 * time.Millisecond, 100 * time.Millisecond, time.Second, 10 * time.Second, time.Minute, 10 * time.Minute,
}

// Histogram registers a family of histograms of times; its name ends in _seconds.
func (s *Set) Histogram(name, help string, bounds []time.Duration, labels ...string) Histograms {
	return Histograms{s.family(&family{name: name, help: help, kind: "histogram", labels: labels, bounds: bounds})}
}

// With returns the histogram of these label values, in the order of the labels.
func (h Histograms) With(values ...string) *Histogram {
	return h.f.with(values, func() series {
		return &Histogram{bounds: h.f.bounds, counts: make([]atomic.Int64, len(h.f.bounds)+1)}
	}).(*Histogram)
}

// Sparse leaves out the histograms that have counted nothing yet, for a family of many.
func (h Histograms) Sparse() Histograms {
	h.f.sparse = true
	return h
}

// Histogram counts times by their length.
type Histogram struct {
	bounds []time.Duration
	counts []atomic.Int64 // of times above the bound before; the last one has no bound
	sum    atomic.Int64   // nanoseconds
}

// Observe counts one time.
func (h *Histogram) Observe(d time.Duration) {
	i := 0
	for i < len(h.bounds) && d > h.bounds[i] {
		i++
	}
	h.counts[i].Add(1)
	h.sum.Add(int64(d))
}

func (h *Histogram) counted() bool {
	for i := range h.counts {
		if h.counts[i].Load() > 0 {
			return true
		}
	}
	return false
}

func (h *Histogram) write(b *bytes.Buffer, name, labels string) {
	comma := ""
	if labels != "" {
		comma = ","
	}
	var all int64
	for i := range h.counts {
		all += h.counts[i].Load()
		bound := "+Inf"
		if i < len(h.bounds) {
			bound = number(h.bounds[i].Seconds())
		}
		line(b, name+"_bucket", labels+comma+`le="`+bound+`"`, float64(all))
	}
	line(b, name+"_sum", labels, time.Duration(h.sum.Load()).Seconds())
	line(b, name+"_count", labels, float64(all))
}

// Read adds a reader to every page.
func (s *Set) Read(r Reader) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readers = append(s.readers, r)
}

// Reading collects the values of one page.
type Reading struct{ families map[string]*family }

// Gauge adds a value that rises and falls. pairs are label names and values in turn.
func (r *Reading) Gauge(name, help string, value float64, pairs ...string) {
	r.add("gauge", name, help, value, pairs)
}

// Counter adds a count that is kept elsewhere and only grows.
func (r *Reading) Counter(name, help string, value float64, pairs ...string) {
	r.add("counter", name, help, value, pairs)
}

func (r *Reading) add(kind, name, help string, value float64, pairs []string) {
	var labels, values []string
	for pair := range slices.Chunk(pairs, 2) {
		labels, values = append(labels, pair[0]), append(values, pair[1])
	}
	f := r.families[name]
	if f == nil {
		f = &family{name: name, help: help, kind: kind, labels: labels, series: map[string]series{}}
		r.families[name] = f
	}
	sum := f.with(values, func() series { return new(reading) }).(*reading)
	*sum += reading(value)
}

// reading is a value of one page. Values that share label values after cleaning add up.
type reading float64

func (r *reading) counted() bool { return true }

func (r *reading) write(b *bytes.Buffer, name, labels string) { line(b, name, labels, float64(*r)) }

// Page returns every family with its values, in the order of names.
func (s *Set) Page(ctx context.Context) []byte {
	s.mu.Lock()
	readers, all := slices.Clone(s.readers), maps.Clone(s.families)
	s.mu.Unlock()
	for _, read := range readers {
		r := &Reading{families: map[string]*family{}}
		if err := read(ctx, r); err != nil {
			s.failures.Inc()
		}
		for name, f := range r.families {
			if all[name] != nil {
				panic("internal error: two metrics named " + name)
			}
			all[name] = f
		}
	}
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(all)) {
		all[name].write(&b)
	}
	return b.Bytes()
}

func (f *family) write(b *bytes.Buffer) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	shown := slices.DeleteFunc(slices.Sorted(maps.Keys(f.series)), func(labels string) bool { return f.sparse && !f.series[labels].counted() })
	if len(shown) == 0 {
		return
	}
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", f.name, f.help, f.name, f.kind)
	for _, labels := range shown {
		f.series[labels].write(b, f.name, labels)
	}
}

func line(b *bytes.Buffer, name, labels string, value float64) {
	b.WriteString(name)
	if labels != "" {
		b.WriteString("{" + labels + "}")
	}
	b.WriteString(" " + number(value) + "\n")
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
