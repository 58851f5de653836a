package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// identifier is P15: the content identifier of 1 GiB beside its SHA-256, on one core each. No
// request waits for an identifier, so the package's own benchmark runs instead of the server.
func (b *bench) identifier() ([]row, error) {
	program, err := b.tests("ipfs")
	if err != nil {
		return nil, err
	}
	rate := func(name string) func() (sample, error) {
		return func() (sample, error) {
			mb, err := benchmark(program, name, "MB/s", "-test.benchtime", "3x", "-test.cpu", "1")
			return sample{value: mb * 1e6}, err
		}
	}
	const hash = "SHA-256, one core"
	return []row{{
		id: "P15", work: "content identifier (CID) of 1 GiB, one core", format: mega,
		ours:   rate("^BenchmarkCID$/^cid$"),
		beside: []contender{{name: hash, run: rate("^BenchmarkCID$/^sha256$")}},
		must:   []target{{text: "≥90 % of SHA-256", of: []string{hash}, ratio: 0.9}},
	}}, nil
}

// tests compiles the tests of a package, and its benchmarks with them.
func (b *bench) tests(name string) (program string, err error) {
	program = b.path(name + ".test")
	if out, err := exec.Command("go", "test", "-c", "-o", program, "./internal/"+name).CombinedOutput(); err != nil {
		return "", fmt.Errorf("the benchmark does not build: %s", lastLine(out, err))
	}
	return program, nil
}

// benchmark runs one benchmark of a test program and returns the figure that it gives in a unit.
func benchmark(program, name, unit string, args ...string) (float64, error) {
	cmd := exec.Command(program, append([]string{"-test.run", "^$", "-test.bench", name}, args...)...)
	cmd.Env = append(os.Environ(), "TMPDIR="+filepath.Dir(program)) // on the measured disk
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%s: %s", name, lastLine(out, err))
	}
	m := regexp.MustCompile(`([\d.]+) ` + regexp.QuoteMeta(unit)).FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("%s: no rate in %q", name, out)
	}
	return strconv.ParseFloat(string(m[1]), 64)
}
