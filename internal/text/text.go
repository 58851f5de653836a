// Package text is what may be shown of a text.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable reports whether a character may stand in one line of text for other people. It
// refuses controls, line and paragraph separators, direction marks and all other invisible
// characters. It allows joiners, which Persian and Indic names need.
func Printable(r rune) bool {
	switch {
	case r == utf8.RuneError:
		return false
	case r == '\u200c' || r == '\u200d':
		return true
	}
	return !unicode.In(r, unicode.C, unicode.Zl, unicode.Zp, unicode.Noncharacter_Code_Point)
}

// Control reports whether a character is a control or ends a line. One-line texts hold
// neither.
func Control(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }

// Reorders reports whether a character is a bidirectional override, embedding or isolate.
// These make "exe.jpg" read as "gpj.exe" (Unicode TR36 §2.1). The marks U+200E and U+200F
// do not count: they never reverse letters.
func Reorders(r rune) bool { return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' }

// Visible reports whether a text shows anything. Spaces, controls and characters without a
// glyph do not count. An emoji with joiners is visible; joiners alone are not.
func Visible(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return !Blank(r) })
}

// Line drops of a text what may not stand in one line, and the spaces around it. It returns ""
// for a text that shows nothing.
func Line(s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if !Printable(r) {
			return -1
		}
		return r
	}, s))
	if !Visible(s) {
		return ""
	}
	return s
}

// blank lists further code points without a glyph, beside Unicode's spaces, controls and
// default ignorables (UAX #44, Default_Ignorable_Code_Point).
var blank = map[rune]bool{
	'\u2800':     true, // braille pattern blank
	'\U0001D159': true, // musical symbol null notehead
	'\U00016FE4': true, // Khitan small script filler
	'\u115f':     true, // Hangul fillers
	'\u1160':     true,
	'\u3164':     true,
	'\uffa0':     true,
	'\u17b4':     true, // Khmer inherent vowels
	'\u17b5':     true,
}

// Blank reports whether a code point has no glyph. Format characters shown before their
// digits or letters, such as U+0600, have one.
func Blank(r rune) bool {
	switch {
	case blank[r], unicode.IsSpace(r):
		return true
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zs, unicode.Zl, unicode.Zp,
		unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
