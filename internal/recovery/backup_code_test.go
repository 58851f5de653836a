package recovery

import (
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// Each place of a code is uniform, by a chi-square test, and leading zeros are kept.
func TestNewBackupCodeIsUniform(t *testing.T) {
	const n = 20_000
	var count [backupDigits][10]int
	for range n {
		code, err := newBackupCode(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if len(code) != backupDigits {
			t.Fatalf("the code %q", code)
		}
		for place, r := range code {
			count[place][r-'0']++
		}
	}
	for place, digits := range count {
		chi := 0.0
		for _, c := range digits {
			d := float64(c) - n/10
			chi += d * d / (n / 10)
		}
		if chi > 50 { // 9 degrees of freedom: less than one in ten million
			t.Errorf("place %d: %v, chi-square %.1f", place, digits, chi)
		}
	}
	if _, err := newBackupCode(iotest.ErrReader(io.ErrUnexpectedEOF)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("without a random source: %v", err)
	}
	if code, err := newBackupCode(strings.NewReader(strings.Repeat("\x00", 64))); err != nil || code != "000000000000" {
		t.Errorf("the least code: %q, %v", code, err)
	}
}

func TestParseBackupCode(t *testing.T) {
	for text, want := range map[string]string{
		"012345678901": "012345678901", "0123 4567 8901": "012345678901", "0123-4567-8901": "012345678901", " 0123\t4567–8901\n": "012345678901",
		"0123\u00a04567\u20128901": "012345678901", "012345\u2212678901": "012345678901",
		"": "", "01234567890": "", "0123456789012": "", "01234567890a": "", "0123456789.1": "", "+12345678901": "",
		"٠١٢٣٤٥٦٧٨٩٠١": "", "01234567890１": "", "01234567890²": "", "0123456789\x001": "", "012345678901\u200b": "", "012345678\xff01": "",
	} {
		got, err := parseBackupCode(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
}

// The parser accepts a text with exactly twelve digits, and returns them in their order.
func FuzzBackupCode(f *testing.F) {
	for _, seed := range []string{"012345678901", "0123-4567 8901", "٠١٢٣٤٥٦٧٨٩٠١", "", "--", "1\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseBackupCode(text)
		if err != nil {
			return
		}
		digits := strings.Map(func(r rune) rune {
			if '0' <= r && r <= '9' {
				return r
			}
			return -1
		}, text)
		if len(got) != backupDigits || got != digits {
			t.Fatalf("%q: %q, the digits %q", text, got, digits)
		}
		if again, err := parseBackupCode(got); err != nil || again != got {
			t.Fatalf("%q: %q, %v", got, again, err)
		}
	})
}
