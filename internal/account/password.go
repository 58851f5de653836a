package account

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"coffer/internal/fault"
)

// Upper limits of a password, checked before any hashing: far over what people type,
// far under what would make hashing or normalising it a burden.
const (
	maxPasswordRunes = 256
	maxPasswordBytes = 1024
)

// product is a context word for every account (NIST SP 800-63B-4 §3.1.1.2).
const product = "coffer"

// normalPassword returns the one form of a password that is counted, checked and hashed:
// NFC, nothing trimmed, folded or cut. ok is false when it is over a limit.
func normalPassword(s string) (string, bool) {
	if len(s) > 4*maxPasswordBytes {
		return "", false
	}
	s = norm.NFC.String(s)
	return s, len(s) <= maxPasswordBytes && utf8.RuneCountInString(s) <= maxPasswordRunes
}

// checkPassword decides whether a password may be chosen, and returns the form to hash:
// long enough, not on the list of common ones, and not made of what is known about its
// owner (context). There are no composition rules.
func (s *Service) checkPassword(pointer, password string, context ...string) (string, *fault.Field) {
	p, ok := normalPassword(password)
	switch {
	case !ok:
		return "", tooLong(pointer)
	case utf8.RuneCountInString(p) < s.PasswordMin:
		return "", &fault.Field{Pointer: pointer, Code: "too_short",
			Detail: fmt.Sprintf("A password has at least %d characters. Several words are easy to remember and hard to guess.", s.PasswordMin)}
	case isCommon(p):
		return "", &fault.Field{Pointer: pointer, Code: "too_common",
			Detail: "That password is common, or made from a common one. Attackers try those first."}
	case isContext(p, context):
		return "", &fault.Field{Pointer: pointer, Code: "too_personal",
			Detail: "That password is made of your name, username or address, or of this product's name."}
	}
	return p, nil
}

func tooLong(pointer string) *fault.Field {
	return &fault.Field{Pointer: pointer, Code: "too_long",
		Detail: fmt.Sprintf("A password has at most %d characters and %d bytes.", maxPasswordRunes, maxPasswordBytes)}
}

// isCommon reports whether a password is on the list, is a list entry repeated, a run
// like 123456… or qwertz…, or one of those with a few digits or signs around it.
func isCommon(p string) bool {
	p = strings.ToLower(p)
	for _, form := range []string{p, trimEnds(p, 4)} {
		u := unit(form)
		if isRun(form) || isRun(u) || commonPasswords.has(u) || commonPasswords.has(form) {
			return true
		}
	}
	return false
}

// trimEnds removes up to n characters that are not letters from each end.
func trimEnds(s string, n int) string {
	r := []rune(s)
	for range n {
		if len(r) > 0 && !unicode.IsLetter(r[0]) {
			r = r[1:]
		}
		if len(r) > 0 && !unicode.IsLetter(r[len(r)-1]) {
			r = r[:len(r)-1]
		}
	}
	if len(r) == 0 {
		return s
	}
	return string(r)
}

// unit returns the shortest string that s is a repetition of, a cut-off last one allowed
// ("abcabcab" → "abc"); s itself when it does not repeat at least twice.
func unit(s string) string {
	r := []rune(s)
	// The failure function of Knuth, Morris and Pratt: its last value is the longest
	// border, and the length less the border is the shortest period.
	fail := make([]int, len(r)+1)
	fail[0] = -1
	k := -1
	for i, c := range r {
		for k >= 0 && r[k] != c {
			k = fail[k]
		}
		k++
		fail[i+1] = k
	}
	if period := len(r) - fail[len(r)]; period*2 <= len(r) {
		return string(r[:period])
	}
	return s
}

// keyboardRows are the runs of a keyboard that are not runs of code points.
var keyboardRows = []string{"qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "1q2w3e4r5t6y7u8i9o0p"}

// isRun reports whether s runs up or down by one step, stands still, or runs along the
// keyboard; digits go on from 9 to 0.
func isRun(s string) bool {
	if utf8.RuneCountInString(s) < 3 {
		return true
	}
	for _, row := range keyboardRows {
		for range 2 {
			if along(s, row) {
				return true
			}
			r := []rune(row)
			slices.Reverse(r)
			row = string(r)
		}
	}
	r := []rune(s)
	for _, step := range []rune{0, 1, -1} {
		run := true
		for i := 1; i < len(r) && run; i++ {
			run = r[i]-r[i-1] == step || step == 1 && r[i-1] == '9' && r[i] == '0' || step == -1 && r[i-1] == '0' && r[i] == '9'
		}
		if run {
			return true
		}
	}
	return false
}

// along reports whether s is cut from row, written as often as needed.
func along(s, row string) bool {
	return strings.Contains(strings.Repeat(row, len(s)/len(row)+2), s)
}

// isContext reports whether nothing but digits and signs is left of a password when the
// context words are taken out of it. Case, accents and signs do not count, words may
// overlap ("gracehop" and "hopper" in "gracehopper"), and short words count as well when
// they and the long ones fill the password ("Jo" in "jobartholomew").
func isContext(p string, context []string) bool {
	var long, short []string
	found := false
	for _, c := range append([]string{product}, context...) {
		// "1984" of an address is all of "1984-1984".
		found = found || utf8.RuneCountInString(c) >= 3 && strings.Contains(strings.ToLower(p), strings.ToLower(norm.NFC.String(c)))
		for _, w := range append(strings.FieldsFunc(c, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }), c) {
			w = letters(w)
			switch n := utf8.RuneCountInString(w); {
			case n >= 3:
				long = append(long, w)
			case n == 2 || n == 1 && len(c) == len(w): // not an initial of a longer name
				short = append(short, w)
			}
		}
	}
	text := letters(p)
	left := []rune(text)
	for _, w := range long {
		for from := 0; ; {
			at := strings.Index(text[from:], w)
			if at < 0 {
				break
			}
			found = true
			begin := utf8.RuneCountInString(text[:from+at])
			for i := range utf8.RuneCountInString(w) {
				left[begin+i] = ' '
			}
			_, size := utf8.DecodeRuneInString(text[from+at:])
			from += at + size
		}
	}
	runs := strings.Fields(string(left))
	if len(runs) == 0 || len(short) == 0 {
		return found && len(runs) == 0
	}
	filled := regexp.MustCompile("^(?:" + strings.Join(short, "|") + ")+$") // of letters alone
	return !slices.ContainsFunc(runs, func(run string) bool { return !filled.MatchString(run) })
}

// letters returns the letters of a text in lower case, without accents.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) {
			return -1
		}
		return r
	}, norm.NFD.String(strings.ToLower(s)))
}
