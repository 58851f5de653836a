package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
)

// identifier is P15: the content identifier of 1 GiB beside its SHA-256, on one core each. No
// request waits for an identifier, so the package's own benchmark runs instead of the server.
func (b *bench) identifier() ([]row, error) {
	program := b.path("ipfs.test")
	if out, err := exec.Command("go", "test", "-c", "-o", program, "./internal/ipfs").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("the benchmark does not build: %s", lastLine(out, err))
	}
	const hash = "SHA-256, one core"
	return []row{{
		id: "P15", work: "content identifier (CID) of 1 GiB, one core", format: mega,
		ours:   func() (sample, error) { return benchmark(program, "^BenchmarkCID$/^cid$") },
		beside: []contender{{name: hash, run: func() (sample, error) { return benchmark(program, "^BenchmarkCID$/^sha256$") }}},
		must:   []target{{text: "≥90 % of SHA-256", of: []string{hash}, ratio: 0.9}},
	}}, nil
}

// benchmark runs one benchmark of a test program on one core and returns its bytes a second.
func benchmark(program, name string) (sample, error) {
	out, err := exec.Command(program, "-test.run", "^$", "-test.bench", name, "-test.benchtime", "3x", "-test.cpu", "1").CombinedOutput()
	if err != nil {
		return sample{}, fmt.Errorf("%s: %s", name, lastLine(out, err))
	}
	m := regexp.MustCompile(`([\d.]+) MB/s`).FindSubmatch(out)
	if m == nil {
		return sample{}, fmt.Errorf("%s: no rate in %q", name, out)
	}
	rate, err := strconv.ParseFloat(string(m[1]), 64)
	return sample{value: rate * 1e6}, err
}
