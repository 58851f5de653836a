package main

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// head explains the table and names the machine.
func (b *bench) head(version, before string) string {
	var s strings.Builder
	s.WriteString(`# Results

Written by ` + "`make bench`" + `. How to read it:

- A figure is the median of the rounds, with the lowest and the highest in brackets. In each round Coffer, its limits and its peers take turns.
- The percentage behind a limit or peer is Coffer's median as a share of its median. Quote that, not the figure: the machine may be shared.
- A limit is what the machine can do without a server. A figure above its limit is a faulty measurement.
- CPU-s is the processor's time of the server process. The load comes from a raw HTTP/1.1 client in the bench, on the same cores.
- p99 and memory over idle are the highest of all rounds.
- What a peer leaves out stands beside its name. A peer that could not be had is named as missing.

`)
	fmt.Fprintf(&s, "%s · %s · %s, %d cores, %s memory · %s/%s, kernel %s · %s\n\n", time.Now().UTC().Format("2006-01-02 15:04"), orUnknown(version),
		field("/proc/cpuinfo", `model name\s*:\s*(.+)`), runtime.NumCPU(), memory(), runtime.GOOS, runtime.GOARCH, field("/proc/sys/kernel/osrelease", `(\S+)`), runtime.Version())
	fmt.Fprintf(&s, "%d rounds of %s · large file %d MiB · large folder %d files · load average before %s, after %s\n\n", b.rounds, b.span, b.size>>20, b.files, before, loadAverage())
	if len(b.peers) > 0 {
		fmt.Fprintf(&s, "Beside it: %s\n\n", strings.Join(b.peers, ", "))
	}
	s.WriteString("| id | work | Coffer | limit or peer, same run → Coffer's share | must reach | |\n| --- | --- | --- | --- | --- | --- |\n")
	return s.String()
}

// field returns the match of an expression in a system file.
func field(file, expression string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	m := regexp.MustCompile(expression).FindSubmatch(text)
	if m == nil {
		return "unknown"
	}
	return string(m[1])
}

func memory() string {
	var kib int64
	if _, err := fmt.Sscan(field("/proc/meminfo", `MemTotal:\s+(\d+)`), &kib); err != nil {
		return "unknown"
	}
	return fmt.Sprintf("%d GiB", (kib+1<<19)>>20)
}

func loadAverage() string { return field("/proc/loadavg", `(\S+)`) }

func orUnknown(s string) string {
	if s == "" {
		return "version unknown"
	}
	return s
}
