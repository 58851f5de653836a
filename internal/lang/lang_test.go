package lang

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	for tag, want := range map[string]string{"": "en", "en": "en", "de": "de", "DE": "de", "de-AT": "de", "de_CH": "de", "fr": "en", "den": "en", "../de": "en"} {
		if got := Of(tag); got != want {
			t.Errorf("%q: %s, want %s", tag, got, want)
		}
	}
}

func TestAccepted(t *testing.T) {
	for header, want := range map[string]string{
		"": "en", "de": "de", "de-AT,en;q=0.5": "de", "fr;q=0.9, de;q=0.8": "de", "fr": "en", "gsw": "de", "\x00;;;": "en", strings.Repeat("de,", 1000): "en",
	} {
		if got := Accepted(header); got != want {
			t.Errorf("%.40q: %s, want %s", header, got, want)
		}
	}
}

// The web app has its own copy of the list, because it is built without the server.
func TestTheWebAppSpeaksTheSame(t *testing.T) {
	source, err := os.ReadFile("../../web/src/shell/i18n.ts")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`export const languages = \{(.*)\} as const`).FindSubmatch(source)
	if list == nil {
		t.Fatal("i18n.ts has no list of languages")
	}
	var got []string
	for _, m := range regexp.MustCompile(`(\w+):`).FindAllSubmatch(list[1], -1) {
		got = append(got, string(m[1]))
	}
	if !slices.Equal(got, All()) {
		t.Errorf("the web app speaks %v, the server %v", got, All())
	}
}
