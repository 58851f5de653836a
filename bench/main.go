// Command bench measures Coffer beside its physical limits and its peers, in turn, in one
// run. It writes the table of bench/RESULTS.md. Absolute figures of a shared machine mean
// little; only the ratio of two figures from the same minute counts.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// row is a line of the table: some work, its contenders and its targets.
type row struct {
	id, work string
	per      string // unit of the processor time: GiB, 1,000 requests
	format   func(float64) string
	ours     func() (sample, error)
	beside   []contender
	must     []target
}

// contender is a program that does Coffer's work for comparison.
type contender struct {
	name    string
	limit   bool   // a physical limit; a figure above it is a measuring error
	note    string // work that it omits and Coffer does
	missing string // why it cannot be measured here; empty: it can
	run     func() (sample, error)
}

// bench holds the common state of all measurements.
type bench struct {
	binary  string        // the measured server
	before  string        // the server as it was before the guard; empty: not measured
	dir     string        // scratch folder, on the measured disk
	span    time.Duration // duration of each rate measurement
	rounds  int           // alternations
	size    int64         // bytes of the large file
	files   int           // in the large folder
	names   int           // among which searches look
	closers []func()      // of the running group
	peers   []string      // names and versions of the measured contenders
}

// groups are the rows that share a server, in the table's order.
var groups = []struct {
	id   string
	open func(b *bench) ([]row, error)
}{
	{"P10", (*bench).start}, {"P1", (*bench).account}, {"P2", (*bench).proofs}, {"P3", (*bench).signIn}, {"P4", (*bench).refresh},
	{"P5", (*bench).upload}, {"P6", (*bench).download}, {"P7", (*bench).drops}, {"P8", (*bench).sockets}, {"P9", (*bench).folder}, {"P9", (*bench).search}, {"P11", (*bench).avatar}, {"P11", (*bench).queue}, {"P13", (*bench).small}, {"P15", (*bench).identifier}, {"P16", (*bench).ledger},
}

func main() {
	log.SetFlags(log.Ltime)
	if len(os.Args) > 1 && os.Args[1] == "bare" {
		bareServer(os.Args[2], os.Args[3])
		return
	}
	b := &bench{}
	only := flag.String("only", "", "comma-separated ids to measure; prints the table instead of writing it (default all)")
	out := flag.String("out", "", "where the table goes (default bench/RESULTS.md for a whole run)")
	version := flag.String("version", "", "what is measured, for the head of the table")
	flag.StringVar(&b.binary, "binary", "", "coffer binary to measure")
	flag.StringVar(&b.before, "before", "", "coffer binary of a commit before the guard, to measure beside it")
	flag.DurationVar(&b.span, "span", 5*time.Second, "how long each rate is measured, each round")
	flag.IntVar(&b.rounds, "rounds", 5, "how often each row alternates with its limit and its peers")
	flag.Int64Var(&b.size, "size", 1<<30, "bytes of the large file")
	flag.IntVar(&b.files, "files", 100_000, "files in the large folder")
	flag.IntVar(&b.names, "names", 1_000_000, "names among which searches look")
	flag.Parse()
	if err := b.run(*only, *out, *version); err != nil {
		log.Fatal(err)
	}
}

func (b *bench) run(only, out, version string) error {
	if out == "" && only == "" {
		out = "bench/RESULTS.md"
	}
	if b.rounds < 1 {
		return fmt.Errorf("-rounds %d: at least 1", b.rounds)
	}
	var err error
	if b.dir, err = os.MkdirTemp(os.Getenv("BENCH_DIR"), "coffer-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	var wanted []string
	if only != "" {
		wanted = strings.Split(only, ",")
	}
	for _, id := range wanted {
		if !slices.ContainsFunc(groups, func(g struct {
			id   string
			open func(b *bench) ([]row, error)
		}) bool {
			return g.id == id
		}) {
			return fmt.Errorf("-only %s: no such row", id)
		}
	}
	before := loadAverage()
	var lines []string
	for _, g := range groups {
		if wanted != nil && !slices.Contains(wanted, g.id) {
			continue
		}
		log.Printf("== %s: preparing", g.id)
		l, err := b.group(g.open)
		if err != nil {
			return fmt.Errorf("%s: %w", g.id, err)
		}
		lines = append(lines, l...)
	}
	text := b.head(version, before) + strings.Join(lines, "\n") + "\n"
	if out == "" {
		_, err = fmt.Print(text)
		return err
	}
	return os.WriteFile(out, []byte(text), 0o644)
}

// group measures the rows of open and ends what it started.
func (b *bench) group(open func(*bench) ([]row, error)) ([]string, error) {
	defer func() {
		for _, c := range slices.Backward(b.closers) {
			c()
		}
		b.closers = nil
	}()
	rows, err := open(b)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, r := range rows {
		o, err := b.measure(r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.work, err)
		}
		lines = append(lines, o.line())
		log.Print(o.line())
	}
	return lines, nil
}

// measure alternates a row with its contenders. The order reverses each round, so no
// contender always follows the same one.
func (b *bench) measure(r row) (outcome, error) {
	o := outcome{row: r, others: make([]series, len(r.beside))}
	type side struct {
		name string
		run  func() (sample, error)
		into *series
	}
	sides := []side{{"Coffer", r.ours, &o.ours}}
	for i, c := range r.beside {
		if c.missing == "" {
			sides = append(sides, side{c.name, c.run, &o.others[i]})
		}
	}
	for n := range b.rounds {
		log.Printf("%s, %s: round %d of %d", r.id, r.work, n+1, b.rounds)
		for _, s := range sides {
			one, err := s.run()
			if err != nil {
				return o, fmt.Errorf("%s: %w", s.name, err)
			}
			*s.into = append(*s.into, one)
		}
		slices.Reverse(sides)
	}
	return o, nil
}

func (b *bench) later(f func()) { b.closers = append(b.closers, f) }

func (b *bench) path(elem ...string) string {
	return filepath.Join(append([]string{b.dir}, elem...)...)
}

func perSecond(v float64) string { return number(v) + "/s" }
func mega(v float64) string      { return fmt.Sprintf("%.0f MB/s", v/1e6) }
func millis(v float64) string    { return fmt.Sprintf("%.1f ms", v) }
func megabytes(v float64) string { return fmt.Sprintf("%.0f MB", v/1e6) }

// number formats the significant digits: 1234, 12.3.
func number(v float64) string {
	if v >= 100 || v == float64(int64(v)) {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.1f", v)
}
