package disk

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestSafeName(t *testing.T) {
	long := strings.Repeat("é", 127) + "x" // 255 bytes
	for _, c := range []struct {
		name    string
		windows bool
		want    string // "" is refused
	}{
		{"letter.txt", false, "letter.txt"},
		{"grüße 🦦.txt", true, "grüße 🦦.txt"},
		{"", false, ""}, {".", false, ""}, {"..", false, ""}, {"../x", false, ""}, {"a/b", false, ""}, {"/etc", false, ""},
		{`..\x`, false, ""}, {`a\b`, true, ""}, {"a\x00b", false, ""},
		{long, false, long}, {long + "y", false, ""},
		{"...", false, "..."}, {"...", true, ".._"}, {".ssh", false, ".ssh"},
		{"\x1b[31mred\x1b[0m", false, "_[31mred_[0m"},
		{"\u009b2J", false, "_2J"},
		{"ab\ncd\re", false, "ab_cd_e"},
		{"gpj.\u202eexe", false, "gpj._exe"},
		{"a\u200bb\u2066c\ufeff\u00ad", false, "a_b_c__"},
		{"a\u2028b\u2029", false, "a_b_"},
		{"broken\xff.txt", false, "broken_.txt"},
		{"12:30.txt", false, "12:30.txt"}, {"12:30.txt", true, "12_30.txt"},
		{`<>"|?*`, true, "______"},
		{"end.", true, "end_"}, {"end ", true, "end_"}, {"end.", false, "end."},
		{"CON", true, "_CON"}, {"con.txt", true, "_con.txt"}, {"nul .tar.gz", true, "_nul .tar.gz"}, {"COM¹", true, "_COM¹"}, {"lpt9.x", true, "_lpt9.x"},
		{"CON", false, "CON"}, {"COM10", true, "COM10"}, {"console", true, "console"},
		{"x.coffer-part", false, "x.coffer-part_"}, {"X.Coffer-Part", false, "X.Coffer-Part_"},
		{strings.Repeat("z", 255-len(Suffix)) + Suffix, false, strings.Repeat("z", 255-len(Suffix)) + ".coffer-par_"},
	} {
		got, err := safeName(c.name, c.windows)
		if got != c.want || (err == nil) != (c.want != "") || (err != nil && !errors.Is(err, ErrUnsafe)) {
			t.Errorf("%q, windows %t: got %q, %v, want %q", c.name, c.windows, got, err, c.want)
		}
	}
}

// TestSafeNames draws names of every kind: what passes is storable, and passes unchanged
// when it is sent on.
func TestSafeNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("./\\\x00\x1b\u202e:. CONcon1¹é\u200d"))),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "name")
		windows := rapid.Bool().Draw(t, "windows")
		safe, err := safeName(name, windows)
		if err != nil {
			return
		}
		if safe == "" || safe == "." || safe == ".." || len(safe) > maxName || strings.ContainsAny(safe, "/\\\x00\x1b\u202e\u200d") || !utf8.ValidString(safe) {
			t.Fatalf("%q → %q", name, safe)
		}
		if again, err := safeName(safe, windows); again != safe || err != nil {
			t.Fatalf("%q → %q → %q, %v", name, safe, again, err)
		}
		for n := range 3 {
			if part := partName(safe, n+1); len(part) > maxName || !strings.HasSuffix(part, Suffix) || !utf8.ValidString(part) {
				t.Fatalf("part %d of %q is %q", n+1, safe, part)
			}
		}
	})
}

func TestClean(t *testing.T) {
	for _, r := range [][2]rune{{0, 0x1f}, {0x7f, 0x9f}, {0xad, 0xad}, {0x61c, 0x61c}, {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},
		{0x2060, 0x2064}, {0x2066, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0001, 0xe0001}, {0xe0020, 0xe007f}, {0xfffd, 0xfffd}} {
		for c := r[0]; c <= r[1]; c++ {
			if got := Clean("a" + string(c) + "b"); got != "a_b" {
				t.Errorf("%U: %q", c, got)
			}
		}
	}
	for _, s := range []string{"", "plain", "grüße", "日本語 テスト", "عربي", "🦦 e\u0301", "a\u00a0b", "\ue000"} {
		if got := Clean(s); got != s {
			t.Errorf("%q: %q", s, got)
		}
	}
	if got, want := Clean("\x1b]0;title\a\x7f\xff"), "_]0;title___"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNumbered(t *testing.T) {
	for _, c := range [][2]string{
		{"letter.txt", "letter (2).txt"}, {"README", "README (2)"}, {".profile", ".profile (2)"}, {"a.tar.gz", "a.tar (2).gz"},
		{"v1.a long sentence with a dot", "v1.a long sentence with a dot (2)"},
		{strings.Repeat("z", 255), strings.Repeat("z", 251) + " (2)"},
	} {
		if got := Numbered(c[0], 2); got != c[1] {
			t.Errorf("%q: got %q, want %q", c[0], got, c[1])
		}
	}
	if a, b := partName(strings.Repeat("z", 250)+"a", 1), partName(strings.Repeat("z", 250)+"b", 1); a == b || len(a) != 255 {
		t.Errorf("two long names share the part %q (%d bytes)", a, len(a))
	}
}

// TestPlaces gives paths their places in a folder.
func TestPlaces(t *testing.T) {
	same := func(s string) string { return s }
	for _, c := range []struct {
		what  string
		key   func(string) string
		paths []string // a folder ends with "/"
		want  []string // "" is refused, the rest is not read
	}{
		{"plain", same, []string{"a", "b/c", "b/d", "e/", "b/"}, []string{"a", "b/c", "b/d", "e", "b"}},
		{"twice", same, []string{"a", "a"}, []string{"a", ""}},
		{"a folder twice", same, []string{"e/", "e/"}, []string{"e", ""}},
		{"a file that is a folder", same, []string{"a", "a/b"}, []string{"a", ""}},
		{"a folder that is a file", same, []string{"a/b", "a"}, []string{"a/b", ""}},
		{"up", same, []string{"a/../b"}, []string{""}},
		{"absolute", same, []string{"/a"}, []string{""}},
		{"a slash at the end", same, []string{"a/b//"}, []string{""}},
		{"cleaned alike", same, []string{"a\x01.txt", "a\x02.txt", "a_.txt", "a\x03.txt"}, []string{"a_.txt", "a_ (2).txt", "a_ (3).txt", "a_ (4).txt"}},
		{"case counts", same, []string{"A", "a"}, []string{"A", "a"}},
		{"case does not count", FoldKey, []string{"README", "readme", "ReadMe/x", "readMe/y"}, []string{"README", "readme (2)", "ReadMe (3)/x", "readMe (4)/y"}},
		{"composed and decomposed", FoldKey, []string{"é", "e\u0301"}, []string{"é", "e\u0301 (2)"}},
		{"ß and ss", FoldKey, []string{"straße", "STRASSE"}, []string{"straße", "STRASSE (2)"}},
		{"too long", same, []string{strings.Repeat("a/", 2048) + "a"}, []string{""}},
	} {
		n := newNames(func(s string) (string, error) { return safeName(s, false) }, c.key)
		for i, path := range c.paths {
			got, err := n.place(strings.TrimSuffix(path, "/"), strings.HasSuffix(path, "/"))
			if got != c.want[i] || (err == nil) != (c.want[i] != "") {
				t.Errorf("%s: %q: got %q, %v, want %q", c.what, path, got, err, c.want[i])
			}
		}
	}
}

// TestManyAlike places names that all become one. A search from 2 for each would take hours.
func TestManyAlike(t *testing.T) {
	n := newNames(func(s string) (string, error) { return safeName(s, false) }, FoldKey)
	marks := []rune("\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e")
	for i := range MaxEntries {
		name := []rune(fmt.Sprintf("%05d", i))
		for j := range name {
			name[j] = marks[name[j]-'0']
		}
		if _, err := n.place(string(name), false); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPlacesOfPaths: paths that a file system may take for one have places of their own, and a path
// that occurs twice has none.
func TestPlacesOfPaths(t *testing.T) {
	p := NewPlaces(20)
	for _, c := range []struct {
		path, want string
		dir        bool
	}{{"a", "a", true}, {"a/x.txt", "a/x.txt", false}, {"A/x.txt", "A (2)/x.txt", false}, {"a/X.TXT", "a/X (2).TXT", false}} {
		if got, err := p.Place(c.path, c.dir); err != nil || got != c.want {
			t.Errorf("%q: %q, %v", c.path, got, err)
		}
	}
	for _, path := range []string{"a", "a/x.txt", "a/x.txt/y", "..", strings.Repeat("n", 21)} {
		if got, err := p.Place(path, false); err == nil {
			t.Errorf("%q: %q", path, got)
		}
	}
}
