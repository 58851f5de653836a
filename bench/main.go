// Command bench measures Coffer and its physical limit side by side, in one run, and
// writes the table of bench/RESULTS.md. Absolute figures of a shared machine mean
// little; the ratio of two figures taken in the same run is what counts.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// result is one row of the table.
type result struct {
	id, work        string
	got, limit      string
	ratio, mustHave string
	ok              bool
}

// bench holds what every measurement uses.
type bench struct {
	binary string        // the server to measure
	dir    string        // scratch folder, on the disk that is measured
	span   time.Duration // how long each rate is measured
	size   int64         // bytes of the large file
	rows   []result
}

func main() {
	log.SetFlags(0)
	if len(os.Args) > 1 && os.Args[1] == "bare" {
		bareServer(os.Args[2], os.Args[3])
		return
	}
	b := &bench{}
	only := flag.String("only", "", "comma-separated ids to measure (default all)")
	out := flag.String("out", "bench/RESULTS.md", "where the table goes")
	flag.StringVar(&b.binary, "binary", "", "coffer binary to measure")
	flag.DurationVar(&b.span, "span", 5*time.Second, "how long each rate is measured")
	flag.Int64Var(&b.size, "size", 1<<30, "bytes of the large file")
	flag.Parse()
	dir, err := os.MkdirTemp(os.Getenv("BENCH_DIR"), "coffer-bench-")
	if err != nil {
		log.Fatal(err)
	}
	b.dir = dir
	defer os.RemoveAll(dir)
	for _, m := range []struct {
		id  string
		run func() error
	}{
		{"P10", b.start}, {"P1", b.account}, {"P3", b.signIn}, {"P4", b.refresh}, {"P5", b.transfer},
	} {
		if *only != "" && !strings.Contains(","+*only+",", ","+m.id+",") {
			continue
		}
		log.Printf("== %s", m.id)
		if err := m.run(); err != nil {
			log.Fatalf("%s: %v", m.id, err)
		}
	}
	if err := os.WriteFile(*out, []byte(b.table()), 0o644); err != nil {
		log.Fatal(err)
	}
}

// add records a row and prints it as it comes.
func (b *bench) add(r result) {
	b.rows = append(b.rows, r)
	log.Printf("%-4s %-50s %-22s limit %-28s %-10s must %s: %v", r.id, r.work, r.got, r.limit, r.ratio, r.mustHave, verdict(r.ok))
}

func verdict(ok bool) string {
	if ok {
		return "reached"
	}
	return "**not reached**"
}

func (b *bench) table() string {
	var s strings.Builder
	fmt.Fprintf(&s, "# Results\n\nWritten by `make bench`. Each figure stands beside its limit or peer from the same run on the same machine; quote the ratio, not the figure.\n\n")
	fmt.Fprintf(&s, "%s · %s/%s · %s · %d cores · large file %d MiB · each rate over %s\n\n", time.Now().UTC().Format("2006-01-02"), runtime.GOOS, runtime.GOARCH, runtime.Version(), runtime.NumCPU(), b.size>>20, b.span)
	s.WriteString("| id | work | Coffer | limit or peer, same run | ratio | must reach | |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, r := range b.rows {
		fmt.Fprintf(&s, "| %s | %s | %s | %s | %s | %s | %s |\n", r.id, r.work, r.got, r.limit, r.ratio, r.mustHave, verdict(r.ok))
	}
	s.WriteString("\nThe load generator is a raw HTTP/1.1 client in the same program, so it shares the cores with what it measures; that is the same for both columns.\n")
	return s.String()
}

func (b *bench) path(elem ...string) string {
	return filepath.Join(append([]string{b.dir}, elem...)...)
}

// percent formats a ratio.
func percent(a, b float64) string { return fmt.Sprintf("%.0f %%", 100*a/b) }
