// Package main makes common.bloom, the list of common passwords that internal/account
// embeds, as a Bloom filter with one false answer in 10,000.
//
// The list is passwords.json of the npm package @zxcvbn-ts/language-common 4.1.3 (MIT,
// 49,233 entries, from the dictionaries of zxcvbn). To make it again:
//
//	npm pack @zxcvbn-ts/language-common@4.1.3
//	tar xzf zxcvbn-ts-language-common-4.1.3.tgz package/src/passwords.json
//	go run ./internal/account/gen -in package/src/passwords.json -out internal/account/common.bloom
package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
)

// falseRate is how many of the passwords that are not on the list are taken to be.
const falseRate = 1e-4

func main() {
	in := flag.String("in", "passwords.json", "a JSON array of passwords")
	out := flag.String("out", "common.bloom", "the filter to write")
	flag.Parse()
	if err := run(*in, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(in, out string) error {
	text, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	var words []string
	if err := json.Unmarshal(text, &words); err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	if len(words) == 0 {
		return fmt.Errorf("%s: no passwords", in)
	}
	return os.WriteFile(out, filter(words), 0o644)
}

// filter returns the filter in the form that account's bloom reads: the number of probes
// in one byte, then the bits.
func filter(words []string) []byte {
	perWord := -math.Log(falseRate) / (math.Ln2 * math.Ln2)
	size := uint64(math.Ceil(perWord*float64(len(words))/8)) * 8
	probes := uint64(math.Round(perWord * math.Ln2))
	b := make([]byte, 1+size/8)
	b[0] = byte(probes)
	for _, w := range words {
		sum := sha256.Sum256([]byte(strings.ToLower(w)))
		h1, h2 := binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])|1
		for i := range probes {
			at := (h1 + i*h2) % size
			b[1+at/8] |= 1 << (at % 8)
		}
	}
	return b
}
