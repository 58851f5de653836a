package file

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// Names stand in the order of the Unicode collation's root, with numbers as numbers and
// accents beside their letters, in every script.
func TestNaturalOrder(t *testing.T) {
	order := []string{
		"2 a", "10 a", "a", "\u00e4", "a1", "a01", "a2", "\u00e42", "a10", "aachen", "\u00c4pfel 1", "Apfel 2", "\u00c4pfel 10", "apfelmus", "Band 9", "Band 10",
		"caf\u00e9", "cafeteria", "d", "\u0110\u1eb7ng", "Dara", "e", "\u00e9", "\u00ea", "f", "\u0141\u00f3d\u017a", "lodz 2", "Ma\u00df", "Mass 2", "masse",
		"\u0153uf", "oeuf 2", "r\u00e9sum\u00e9 1", "resume 2", "r\u00e9sum\u00e9 10", "S\u00e3o", "Sap", "sm\u00f8r", "sms", "z\u00fcrich", "zz",
		"\u03b1\u03bb\u03c6\u03b1", "\u03ac\u03bb\u03c6\u03b1", "\u03b2\u03ae\u03c4\u03b1", "\u0451\u043b\u043a\u0430", "\u0435\u043b\u044c", "\u0438\u044f", "\u0439\u043e\u0434", "\u043a\u043e\u0442",
		"\u05d0\u05d1\u05d0", "\u05d1\u05d9\u05ea", "\u0628\u0627\u0628", "\u0643\u062a\u0627\u0628 \u0662", "\u0643\u062a\u0627\u0628 \u0661\u0660", "\u0e01\u0e34\u0e19", "\u0e02\u0e32\u0e22",
		"\u304b\u304d", "\u304c\u304f", "\u304d", "\uac00\ub098", "\uac01", "\ub098",
	}
	for i := range order {
		order[i] = norm.NFC.String(order[i])
	}
	got := slices.Clone(order)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
	slices.SortFunc(got, func(a, b string) int { return strings.Compare(naturalKey(a), naturalKey(b)) })
	for i := range order {
		if got[i] != order[i] {
			t.Errorf("the order at %d: %q, want %q", i, got[max(0, i-1):min(len(got), i+3)], order[max(0, i-1):min(len(order), i+3)])
			break
		}
	}
	c := collate.New(language.Und, collate.Numeric)
	for i := range len(order) - 4 { // the package puts Hangul before Kana
		if c.CompareString(order[i], order[i+1]) > 0 {
			t.Errorf("the Unicode collation puts %q behind %q", order[i], order[i+1])
		}
	}
	for _, same := range [][2]string{{"Abc", "aBC"}, {"\u00c9t\u00e9", "\u00e9T\u00c9"}, {"A1", "a1"}} {
		if naturalKey(same[0]) != naturalKey(same[1]) {
			t.Errorf("%q and %q differ in case alone, and have different places", same[0], same[1])
		}
	}
}

// Digits of every script have their values.
func TestDigits(t *testing.T) {
	for _, zero := range []rune{'0', '\u0660', '\u0966', '\u0e50', '\uff10', 0x1d7ce, 0x1d7d8, 0x1e950} {
		for d := range 10 {
			if got := digitOf(zero + rune(d)); got != d {
				t.Errorf("%q is %d, want %d", zero+rune(d), got, d)
			}
		}
	}
	for _, r := range "a\u00b2\u4e00\u216b" {
		if got := digitOf(r); got != -1 {
			t.Errorf("%q is %d", r, got)
		}
	}
}

// However long the key of a name gets, the cursor behind it fits into a request.
func TestCursorsOfLongNames(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var want []string
		for _, name := range []string{
			strings.Repeat("\ufdfa", 85), strings.Repeat("\u023a", 127), strings.Repeat("a1", 127), strings.Repeat("\u00e91", 85), strings.Repeat("9", 255), strings.Repeat("\u3324", 85),
		} {
			for range 3 {
				want = append(want, w.mustFolder(ada, "", name).Name)
			}
		}
		got := w.names(ada, "", "name") // seven a page
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("listed are %d of %d names", len(got), len(want))
		}
	})
}

func BenchmarkNaturalKey(b *testing.B) {
	for what, name := range map[string]string{
		"ASCII": "IMG_20240131_101522 final.jpg", "Latin": "R\u00e9sum\u00e9 \u00c4pfel (3).pdf", "Cyrillic": "\u0414\u043e\u043a\u0443\u043c\u0435\u043d\u0442 10.docx", "Han": "\u5199\u771f\u306e\u65c5 2024.png",
	} {
		b.Run(what+"/own", func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				naturalKey(name)
			}
		})
		b.Run(what+"/collate", func(b *testing.B) {
			b.ReportAllocs()
			c, buf := collate.New(language.Und, collate.Numeric), new(collate.Buffer)
			for range b.N {
				buf.Reset()
				_ = string(c.KeyFromString(buf, name))
			}
		})
	}
}
