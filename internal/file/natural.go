package file

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Names stand as people of any language look for them: case does not matter, numbers count
// as numbers, and a letter with an accent stands beside the letter without it. One order
// serves every language, as the root of the Unicode collation does; a Swede finds å beside a.
// The key is made here, because a key of package collate costs many times as much, and a
// folder may hold 100,000 names.

// naturalKey returns a string whose byte order is that of the names. Names that differ only
// in what the order passes over, accents and leading zeros, stand beside each other in the
// order of the names in lower case.
func naturalKey(name string) string {
	var b strings.Builder
	b.Grow(len(name) + 8)
	passed := false // the key says less than the name in lower case
	for i := 0; i < len(name); {
		c := name[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(name[i:])
			if digitOf(r) < 0 {
				passed = foldRune(&b, r) || passed
				i += size
				continue
			}
		} else if c < '0' || c > '9' {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			b.WriteByte(c)
			i++
			continue
		}
		end, less := writeNumber(&b, name[i:])
		i += end
		passed = passed || less
	}
	key := cut(b.String())
	if passed {
		key += "\x00" + cut(strings.ToLower(name)) // no name contains a zero byte
	}
	return key
}

// maxKey bounds each half of a key, so that a cursor, which has the key in it, fits into a
// request. One character of three bytes may stand for eighteen.
const maxKey = 320

func cut(key string) string { return key[:min(len(key), maxKey)] }

// writeNumber writes the number that s begins with, and returns where it ends. less reports
// whether it has another form than the plainest.
func writeNumber(b *strings.Builder, s string) (end int, less bool) {
	n, first := 0, 0 // digits without leading zeros, and where they begin
	for end < len(s) {
		r, size := rune(s[end]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[end:])
		}
		d := digitOf(r)
		if d < 0 {
			break
		}
		less = less || size > 1
		if n == 0 {
			first = end
			less = less || d == 0
		}
		if n > 0 || d > 0 {
			n++
		}
		end += size
	}
	// '0' keeps numbers where digits stand; their length compares before their value.
	b.WriteByte('0')
	b.WriteByte(byte(n))
	if n == end-first {
		b.WriteString(s[first:end])
	} else if n > 0 {
		for _, r := range s[first:end] {
			b.WriteByte('0' + byte(digitOf(r)))
		}
	}
	return end, less
}

// digitOf returns the value of a decimal digit of any script, -1 when r is none. Unicode
// has the ten digits of a script one after the other, and starts each range with a zero.
func digitOf(r rune) int {
	if r < utf8.RuneSelf {
		if r < '0' || r > '9' {
			return -1
		}
		return int(r - '0')
	}
	if r < 0x660 || r >= 0x3400 && r < 0xa000 || !unicode.Is(unicode.Nd, r) {
		return -1
	}
	for _, in := range unicode.Nd.R16 {
		if rune(in.Lo) <= r && r <= rune(in.Hi) {
			return int(r-rune(in.Lo)) % 10
		}
	}
	for _, in := range unicode.Nd.R32 {
		if rune(in.Lo) <= r && r <= rune(in.Hi) {
			return int(r-rune(in.Lo)) % 10
		}
	}
	return -1
}

// plain are letters that stand beside others, though Unicode does not take them apart.
var plain = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d", 'ħ': "h", 'ı': "i", 'ł': "l", 'þ': "th", 'ŧ': "t",
}

// folded is what the order sees of a character.
type folded struct {
	to   string
	less bool // something is left out
}

// common are the characters of the alphabets that have most accents, folded in advance.
var common = sync.OnceValue(func() []folded {
	all := make([]folded, 0x600)
	for r := range all {
		all[r] = fold(rune(r))
	}
	return all
})

// foldRune writes a character without its accents, and reports whether it left something out.
func foldRune(b *strings.Builder, r rune) (less bool) {
	if all := common(); int(r) < len(all) {
		b.WriteString(all[r].to)
		return all[r].less
	}
	if r >= 0x3400 && r < 0xa000 || unicode.Is(unicode.Hangul, r) { // most have no parts
		b.WriteRune(r)
		return false
	}
	f := fold(r)
	b.WriteString(f.to)
	return f.less
}

// fold leaves out the marks that belong to no script: those of Latin, Greek and Cyrillic
// letters, of Arabic vowels and of voiced Kana. Marks that are letters, as in Thai and
// Devanagari, stay. So does й, which is a letter of its own.
func fold(r rune) folded {
	low := unicode.ToLower(r)
	if p, ok := plain[low]; ok {
		return folded{p, true}
	}
	if low == 'й' {
		return folded{string(low), false}
	}
	whole := string(r)
	parts := norm.NFKD.String(whole)
	var b strings.Builder
	for _, p := range parts {
		if !unicode.Is(unicode.Mn, p) || !unicode.Is(unicode.Inherited, p) {
			b.WriteRune(unicode.ToLower(p))
		}
	}
	return folded{b.String(), parts != whole || b.Len() == 0}
}
