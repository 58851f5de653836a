package account

import (
	"strings"
	"testing"
	"unicode/utf8"

	"coffer/internal/fault"
)

func TestCheckNames(t *testing.T) {
	for _, tc := range []struct {
		check         func(pointer, s string) (string, fieldCode)
		in, want, bad string
	}{
		{first, "  Ada ", "Ada", ""},
		{first, "A/L Müller-O’Neil", "A/L Müller-O’Neil", ""},
		{first, "می\u200cخواهم", "می\u200cخواهم", ""},
		{first, "Zoe\u0308", "Zoë", ""},
		{first, "👩‍🚀", "👩‍🚀", ""},
		{first, strings.Repeat("é", 100), strings.Repeat("é", 100), ""},
		{first, strings.Repeat("é", 101), "", "too_long"},
		{first, " \t ", "", "required"},
		{first, "a\nb", "", "invalid_characters"},
		{first, "a\x00b", "", "invalid_characters"},
		{first, "a\u202eb", "", "invalid_characters"},
		{first, "a\u2066b", "", "invalid_characters"},
		{first, "a\u2028b", "", "invalid_characters"},
		{first, "\x1b[31m", "", "invalid_characters"},
		{first, "win http://x.example", "", "contains_link"},
		{bio, "two\r\nlines\tand a tab", "two\nlines\tand a tab", ""},
		{bio, "", "", ""},
		{bio, strings.Repeat("字", 500), strings.Repeat("字", 500), ""},
		{bio, strings.Repeat("字", 501), "", "too_long"},
		{bio, "a\u202eb", "", "invalid_characters"},
		{user, "Ada.L_9-x", "ada.l_9-x", ""},
		{user, "abc", "abc", ""},
		{user, "ab", "", "invalid_username"},
		{user, strings.Repeat("a", 33), "", "invalid_username"},
		{user, "9lives", "", "invalid_username"},
		{user, "a@b.example", "", "invalid_username"},
		{user, "ada lovelace", "", "invalid_username"},
		{user, "\u0430da", "", "invalid_username"},  // a Cyrillic a
		{user, "\u212aate", "", "invalid_username"}, // a Kelvin sign
		{language, "DE", "de", ""},
		{language, "tlh", "", "unsupported_language"},
		{language, "", "", "unsupported_language"},
	} {
		got, refused := tc.check("/x", tc.in)
		if got != tc.want || string(refused) != tc.bad {
			t.Errorf("%q = %q %q, want %q %q", tc.in, got, refused, tc.want, tc.bad)
		}
	}
}

type fieldCode string

func first(p, s string) (string, fieldCode)    { v, f := checkName(p, s); return v, codeOf(f) }
func bio(p, s string) (string, fieldCode)      { v, f := checkBio(p, s); return v, codeOf(f) }
func user(p, s string) (string, fieldCode)     { v, f := checkUsername(p, s); return v, codeOf(f) }
func language(p, s string) (string, fieldCode) { v, f := checkLanguage(p, s); return v, codeOf(f) }

func FuzzUsername(f *testing.F) {
	for _, s := range []string{"ada", "Ada.L", "a@b", "ΑΔΑ", "a\x00b", "ab", strings.Repeat("x", 40)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, ok := parseUsername(in)
		if !ok {
			return
		}
		if again, ok := parseUsername(got); !ok || again != got {
			t.Errorf("%q is not stable: %q, %v", got, again, ok)
		}
		if strings.Contains(got, "@") || !utf8.ValidString(got) || strings.ToLower(got) != got {
			t.Errorf("accepted %q", got)
		}
		if _, ok := parseEmail(got); ok {
			t.Errorf("%q is a username and an address", got)
		}
	})
}

func codeOf(f *fault.Field) fieldCode {
	if f == nil {
		return ""
	}
	return fieldCode(f.Code)
}

// A first or last name shows something; joiners inside one stay.
func TestNamesAreVisible(t *testing.T) {
	for _, raw := range []string{"\u200c", "\u200d\u200c", "\u3164", "\u2800", "\u115f\u1160", "\u17b4", "\uffa0", "\ufe0f", "\u034f"} {
		if _, bad := checkName("/first_name", raw); bad == nil {
			t.Errorf("%+q passed", raw)
		}
	}
	if _, bad := checkName("/first_name", "می\u200cخواهم"); bad != nil {
		t.Errorf("a joiner in a name: %v", bad)
	}
}
