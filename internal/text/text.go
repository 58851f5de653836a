// Package text is what may be shown of a text.
package text

import (
	"strings"
	"unicode"
)

// Visible reports whether a text shows anything. Spaces, controls and everything that is
// drawn as nothing do not count: an emoji with joiners in it is visible, joiners alone are not.
func Visible(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return !Blank(r) })
}

// blank are the code points that are drawn as nothing beside those that Unicode calls
// spaces, controls or default ignorables (UAX #44, Default_Ignorable_Code_Point).
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

// Blank reports whether a code point is drawn as nothing. Format characters that are drawn
// before the digits or letters that they belong to, such as U+0600, are not.
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
