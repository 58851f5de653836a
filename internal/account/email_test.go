package account

import (
	"strings"
	"testing"
	"unicode"
)

func TestParseEmail(t *testing.T) {
	for _, tc := range []struct{ in, canonical, stored string }{
		{"Ada@Example.ORG", "ada@example.org", "Ada@example.org"},
		{" ada@example.org ", "ada@example.org", "ada@example.org"},
		{"ada+files@example.org.", "ada+files@example.org", "ada+files@example.org"},
		{"ÅSE@bücher.example", "åse@xn--bcher-kva.example", "ÅSE@xn--bcher-kva.example"},
		{"A\u030ase@example.org", "åse@example.org", "Åse@example.org"},
		{"straße@straße.example", "strasse@xn--strae-oqa.example", "straße@xn--strae-oqa.example"},
		{"a@ＥＸＡＭＰＬＥ。org", "a@example.org", "a@example.org"},
		{"o'neil!#$%&*/=?^_`{|}~-@x.example", "o'neil!#$%&*/=?^_`{|}~-@x.example", "o'neil!#$%&*/=?^_`{|}~-@x.example"},
		{"root@localhost", "root@localhost", "root@localhost"},
	} {
		got, ok := parseEmail(tc.in)
		if !ok || got.Canonical != tc.canonical || got.Stored != tc.stored {
			t.Errorf("parseEmail(%q) = %+v, %v; want %q, %q", tc.in, got, ok, tc.canonical, tc.stored)
		}
	}
	for _, bad := range []string{
		"", "@", "a@", "@b", "a", "a@b@c", `"a@b"@c.example`, "a b@c.example", "a@b c", "a\r\nBcc: x@y.example@c.example", "a@b.example\r\n", "a\x00@b.example",
		"a\u202e@b.example", "a\u200b@b.example", ".a@b.example", "a.@b.example", "a..b@c.example", "a@-b.example", "a@b..example", "a@[127.0.0.1]", "a@b_c.example",
		"a,b@c.example", "<a@b.example>", "a@b.example>", "a\u00a0b@c.example", strings.Repeat("a", 250) + "@b.example", strings.Repeat("a", 1<<16) + "@b.example", "\xff@b.example", "a@.",
	} {
		if got, ok := parseEmail(bad); ok {
			t.Errorf("parseEmail(%q) = %+v, want a refusal", bad, got)
		}
	}
}

func FuzzParseEmail(f *testing.F) {
	for _, s := range []string{"Ada@Example.ORG", "straße@bücher.example", "A\u030a@x.example", "İ@x.example", "ŉ@x.example", "\u0345\u0301@x.example", "a@xn--nxasmq6b.example", "ǰ\u0323@x.y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		a, ok := parseEmail(in)
		if !ok {
			if a != (address{}) {
				t.Errorf("a refusal with %+v", a)
			}
			return
		}
		for _, s := range []string{a.Canonical, a.Stored} {
			again, ok := parseEmail(s)
			if !ok || again.Canonical != a.Canonical {
				t.Errorf("parseEmail(%q).Canonical = %q, %v; want %q", s, again.Canonical, ok, a.Canonical)
			}
			if len(s) > maxEmail || strings.Count(s, "@") != 1 || strings.ContainsFunc(s, unicode.IsControl) || strings.ContainsFunc(s, unicode.IsSpace) {
				t.Errorf("accepted %q", s)
			}
		}
	})
}
