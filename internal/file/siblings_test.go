package file

import (
	"fmt"
	"strings"
	"testing"
)

// TestSiblings: long names that are alike up to their end each get a name of their own, and
// none makes the search for the next one's longer.
func TestSiblings(t *testing.T) {
	taken := newSiblings()
	seen := map[string]bool{}
	for i := range 4000 {
		name := fmt.Sprintf("%s%06d", strings.Repeat("x", maxName-6), i)
		for _, n := range []string{name, strings.ToUpper(name)} {
			got := strings.ToLower(taken.name(n, File))
			if seen[got] || len(got) > maxName {
				t.Fatalf("%q", got)
			}
			seen[got] = true
		}
	}
	for _, pair := range [][2]string{{"Μάριος", "ΜΆΡΙΟΣ"}, {"straße", "STRASSE"}, {"ſ", "S"}} {
		taken := newSiblings()
		if first, second := taken.name(pair[0], File), taken.name(pair[1], File); first != pair[0] || second != pair[1]+" (1)" {
			t.Errorf("%q beside %q", second, first)
		}
	}
	for _, n := range []string{"a.txt", "A.txt", "a (1).txt", "a.TXT"} {
		seen[taken.name(n, File)] = true
	}
	if !seen["a.txt"] || !seen["A (1).txt"] || !seen["a (1) (1).txt"] || !seen["a (2).TXT"] {
		t.Error("short names are numbered otherwise")
	}
}
