package search

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// A name is compared in a form without case, accents and compatibility forms: NFKD, then
// the full case folding of Unicode (so ß is ss), then without marks. A word is a run of
// letters and digits. A name also has what follows where the two meet in a word, so that
// 2023 finds IMG2023.

// maxInner is the most words that a name has within one word.
const maxInner = 8

// words calls yield with each word of a name, in that form. A word is valid until yield
// returns.
func words(name string, yield func(word []byte)) { split(fold(nil, name), maxInner, yield) }

// split is words of a name that is folded, with up to inner words within each.
func split(folded []byte, inner int, yield func(word []byte)) {
	var starts [maxInner + 1]int
	n, last := 0, breaks // n starts of the word that is read
	for i := 0; i <= len(folded); {
		kind, size := breaks, 1
		if i < len(folded) {
			kind, size = kindAt(folded[i:])
		}
		switch {
		case kind == last && kind != single:
		case kind == breaks || kind == single || last == breaks || last == single:
			for _, start := range starts[:n] {
				yield(folded[start:i])
			}
			if n = 0; kind != breaks {
				starts[0], n = i, 1
			}
		case n <= inner:
			starts[n] = i
			n++
		}
		last = kind
		i += size
	}
}

// The kinds of characters.
const (
	breaks = iota // is of no word
	letter
	digit
	single // a word by itself: signs, and letters of scripts that do not part words
)

func kindAt(folded []byte) (kind, size int) {
	if c := folded[0]; c < utf8.RuneSelf {
		switch {
		case 'a' <= c && c <= 'z':
			return letter, 1
		case '0' <= c && c <= '9':
			return digit, 1
		}
		return breaks, 1
	}
	r, size := utf8.DecodeRune(folded)
	switch {
	case r == utf8.RuneError:
		return breaks, size
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar), unicode.Is(unicode.So, r):
		return single, size
	case unicode.IsLetter(r), unicode.IsMark(r):
		return letter, size
	case unicode.IsNumber(r):
		return digit, size
	}
	return breaks, size
}

// alike are letters that Unicode does not take apart and that people type without their sign.
var alike = map[rune]string{'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'ħ': "h", 'ı': "i", 'æ': "ae", 'œ': "oe", 'þ': "th"}

var caseless = cases.Fold()

func fold(to []byte, name string) []byte {
	plain := true
	for i := range len(name) {
		c := name[i]
		if plain = c < utf8.RuneSelf; !plain {
			break
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		to = append(to, c)
	}
	if plain {
		return to
	}
	to = to[:0]
	// Folding and taking apart can each make work for the other (Unicode §3.13, D146).
	for _, r := range norm.NFKD.String(caseless.String(norm.NFKD.String(name))) {
		if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) {
			continue
		}
		if other, ok := alike[r]; ok {
			to = append(to, other...)
			continue
		}
		to = utf8.AppendRune(to, r)
	}
	return to
}

// query returns the words that a name must have, each as the prefix of one of its own. A
// word that is the prefix of another asks for nothing more.
func query(q string) (all []string) {
	split(fold(nil, q), 0, func(word []byte) { all = append(all, string(word)) })
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(word string) bool {
		i, _ := slices.BinarySearch(all, word+"\x00")
		return i < len(all) && strings.HasPrefix(all[i], word)
	})
}

// matches reports whether a name has all words of a query.
func matches(query []string, name string) bool {
	left := slices.Clone(query)
	words(name, func(word []byte) {
		left = slices.DeleteFunc(left, func(asked string) bool { return strings.HasPrefix(string(word), asked) })
	})
	return len(left) == 0
}
