package file

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"coffer/internal/fault"
)

func TestCleanName(t *testing.T) {
	for _, tc := range []struct{ raw, want, code string }{
		{"a.txt", "a.txt", ""},
		{"e\u0301", "\u00e9", ""},
		{"CON", "CON", ""},
		{"aux.txt.", "aux.txt.", ""},
		{" leading", " leading", ""},
		{"...txt", "...txt", ""},
		{"שלום\u200f.txt", "שלום\u200f.txt", ""},
		{"\u200eabc", "\u200eabc", ""},
		{"日本語 📄", "日本語 📄", ""},
		{"a%2fb", "a%2fb", ""},
		{strings.Repeat("a", 255), strings.Repeat("a", 255), ""},
		{strings.Repeat("é", 127), strings.Repeat("é", 127), ""},
		{strings.Repeat("e\u0301", 127), strings.Repeat("é", 127), ""}, // 381 bytes, 254 after NFC

		{"", "", "required"},
		{"  \t", "", "required"},
		{"\u00a0", "", "required"},
		{".", "", "dots"},
		{"..", "", "dots"},
		{"....", "", "dots"},
		{"../x", "", "slash"},
		{"a/b", "", "slash"},
		{`a\b`, "", "slash"},
		{"a\x00b", "", "control_character"},
		{"a\nb", "", "control_character"},
		{"a\x7fb", "", "control_character"},
		{"a\u0085b", "", "control_character"},
		{"a\u2028b", "", "control_character"},
		{"exe\u202egpj.", "", "bidi_control"},
		{"a\u202ab", "", "bidi_control"},
		{"a\u2066b", "", "bidi_control"},
		{"a\u2069b", "", "bidi_control"},
		{"a\xffb", "", "invalid_utf8"},
		{"\xed\xa0\x80", "", "invalid_utf8"},
		{strings.Repeat("a", 256), "", "too_long"},
		{strings.Repeat("é", 128), "", "too_long"},
		{strings.Repeat("a", 4096), "", "too_long"},
	} {
		got, err := cleanName("/name", tc.raw)
		code := ""
		var f *fault.Error
		if errors.As(err, &f) {
			code = f.Fields[0].Code
			if f.Fields[0].Pointer != "/name" {
				t.Errorf("%q: pointer %q", tc.raw, f.Fields[0].Pointer)
			}
		}
		if got != tc.want || code != tc.code {
			t.Errorf("cleanName(%q) = %q, %q; want %q, %q", tc.raw, got, code, tc.want, tc.code)
		}
	}
}

func TestLastComponent(t *testing.T) {
	for raw, want := range map[string]string{
		"a.txt": "a.txt", "/etc/passwd": "passwd", `C:\fake\a.txt`: "a.txt", "a/b\\c": "c", "a/": "", "../..": "..", "": "",
	} {
		if got := lastComponent(raw); got != want {
			t.Errorf("lastComponent(%q) = %q, want %q", raw, got, want)
		}
	}
}

func TestNumbered(t *testing.T) {
	long := strings.Repeat("é", 125) + ".jpeg" // 255 bytes
	for _, tc := range []struct {
		name string
		kind Kind
		n    int
		want string
	}{
		{"a.txt", File, 1, "a (1).txt"},
		{"a.tar.gz", File, 2, "a.tar (2).gz"},
		{"a", File, 1, "a (1)"},
		{".profile", File, 1, ".profile (1)"},
		{"a.", File, 1, "a. (1)"},
		{"v1.2", Folder, 1, "v1.2 (1)"},
		{long, File, 10, strings.Repeat("é", 122) + " (10).jpeg"},
		{strings.Repeat("a", 255), Folder, 1, strings.Repeat("a", 251) + " (1)"},
	} {
		if got := numbered(tc.name, tc.kind, tc.n); got != tc.want {
			t.Errorf("numbered(%q, %d) = %q, want %q", tc.name, tc.n, got, tc.want)
		}
	}
}

func FuzzCleanName(f *testing.F) {
	for _, s := range []string{"a.txt", "../x", "e\u0301", "\u202e", strings.Repeat("\u0344", 200), "a\x00", "..", "\ufb1d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		name, err := cleanName("/name", raw)
		if err != nil {
			var refusal *fault.Error
			if !errors.As(err, &refusal) || refusal.Kind != fault.Invalid || len(refusal.Fields) != 1 || name != "" {
				t.Fatalf("%q: %v", raw, err)
			}
			return
		}
		again, err := cleanName("/name", name)
		if err != nil || again != name {
			t.Fatalf("%q is clean as %q, which is clean as %q (%v)", raw, name, again, err)
		}
		if len(name) == 0 || len(name) > maxName || !utf8.ValidString(name) || !norm.NFC.IsNormalString(name) || strings.ContainsAny(name, "/\\\x00\n\u202e\u2066") || name == "." || name == ".." {
			t.Fatalf("%q is clean as %q", raw, name)
		}
		for _, n := range []int{1, 99, 1 << 30} {
			for _, kind := range []Kind{File, Folder} {
				next, err := cleanName("/name", numbered(name, kind, n))
				if err != nil || next != numbered(name, kind, n) || next == name {
					t.Fatalf("numbered(%q, %d) = %q: %v", name, n, numbered(name, kind, n), err)
				}
			}
		}
	})
}

// A name shows something, for files and folders alike; joiners inside one stay.
func TestNamesAreVisible(t *testing.T) {
	for _, raw := range []string{"\u200b", "\u200e", "\u3164", "\u2800", "\u115f\u1160", "\u17b4", "\u17b5", "\uffa0", "\u00ad", "\ufe0f", " \u200d "} {
		if name, err := cleanName("/name", raw); err == nil {
			t.Errorf("%+q passed as %+q", raw, name)
		}
	}
	for _, raw := range []string{"👨\u200d👩\u200d👧.png", "\u200eשלום", "a\u200b"} {
		if name, err := cleanName("/name", raw); err != nil || name != raw {
			t.Errorf("%+q: %+q, %v", raw, name, err)
		}
	}
}
