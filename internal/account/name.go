package account

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"coffer/internal/fault"
	"coffer/internal/lang"
	"coffer/internal/text"
)

// Limits of what a profile holds, in code points.
const (
	maxName     = 100
	maxBio      = 500
	minUsername = 3
	maxUsername = 32
)

// checkLanguage accepts a language that Coffer speaks, in any case.
func checkLanguage(pointer, s string) (string, *fault.Field) {
	for _, l := range lang.All() {
		if strings.EqualFold(l, s) {
			return l, nil
		}
	}
	return "", &fault.Field{Pointer: pointer, Code: "unsupported_language",
		Detail: "The server offers " + strings.Join(lang.All(), ", ") + "."}
}

// checkName reads a first or last name: any script, one line, nothing invisible that
// could reorder or hide text, and no link, because names stand in mails.
func checkName(pointer, s string) (string, *fault.Field) {
	s = strings.TrimSpace(norm.NFC.String(s))
	switch n := utf8.RuneCountInString(s); {
	case n == 0:
		return "", &fault.Field{Pointer: pointer, Code: "required", Detail: "A name has at least one character."}
	case n > maxName:
		return "", &fault.Field{Pointer: pointer, Code: "too_long", Detail: fmt.Sprintf("A name has at most %d characters.", maxName)}
	}
	if !text.Visible(s) {
		return "", &fault.Field{Pointer: pointer, Code: "required", Detail: "A name needs a visible character."}
	}
	for _, r := range s {
		if !text.Printable(r) {
			return "", &fault.Field{Pointer: pointer, Code: "invalid_characters", Detail: "A name must not contain control, direction or line-break characters."}
		}
	}
	if strings.Contains(s, "://") {
		return "", &fault.Field{Pointer: pointer, Code: "contains_link", Detail: "A name must not contain a link."}
	}
	return s, nil
}

// checkBio reads a bio: as a name, but empty, long and of several lines if wished.
func checkBio(pointer, s string) (string, *fault.Field) {
	s = strings.TrimSpace(norm.NFC.String(strings.ReplaceAll(s, "\r\n", "\n")))
	if utf8.RuneCountInString(s) > maxBio {
		return "", &fault.Field{Pointer: pointer, Code: "too_long", Detail: fmt.Sprintf("A bio has at most %d characters.", maxBio)}
	}
	for _, r := range s {
		if r != '\n' && r != '\t' && !text.Printable(r) {
			return "", &fault.Field{Pointer: pointer, Code: "invalid_characters", Detail: "A bio must not contain control or direction characters."}
		}
	}
	return s, nil
}

// parseUsername folds a username to its one form: 3 to 32 of a–z, 0–9, dot, underscore
// and hyphen, a letter first. It can hold no @, so no username is an address.
func parseUsername(s string) (string, bool) {
	if len(s) < minUsername || len(s) > maxUsername {
		return "", false
	}
	b := []byte(s)
	for i, c := range b {
		switch {
		case c >= 'A' && c <= 'Z':
			b[i] = c + 'a' - 'A'
		case c >= 'a' && c <= 'z':
		case i > 0 && (c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-'):
		default:
			return "", false
		}
	}
	return string(b), true
}

func checkUsername(pointer, s string) (string, *fault.Field) {
	u, ok := parseUsername(s)
	if !ok {
		return "", &fault.Field{Pointer: pointer, Code: "invalid_username",
			Detail: fmt.Sprintf("A username has %d to %d of a–z, 0–9, dot, underscore and hyphen, and begins with a letter.", minUsername, maxUsername)}
	}
	return u, nil
}

func isSpace(r rune) bool { return unicode.IsSpace(r) }
