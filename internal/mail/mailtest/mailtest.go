// Package mailtest checks what every mail must be, whoever wrote its words.
package mailtest

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// Mail is a mail as its reader sees it.
type Mail struct{ Subject, Text, HTML string }

// Check fails the test when m has holes, says different things in its two parts, loses one
// of the data, shows another URL than the link, or would fetch something.
func Check(t testing.TB, what string, m Mail, data map[string]string) {
	t.Helper()
	if m.Subject == "" || strings.TrimSpace(m.Subject) != m.Subject {
		t.Errorf("%s: the subject is %q", what, m.Subject)
	}
	for _, part := range []string{m.Subject, m.Text, m.HTML} {
		if strings.Contains(part, "no value") || strings.Contains(part, "{{") || strings.Contains(part, "\r") || strings.Contains(part, "%!") {
			t.Errorf("%s has holes: %.300q", what, part)
		}
	}
	Lines(t, what, m.Text, data)
	seen := wordsOf(t, m.HTML)
	for _, key := range []string{"name", "device", "place", "address"} {
		if v := strings.Join(strings.Fields(data[key]), " "); v != "" && (!strings.Contains(m.Text, v) || !strings.Contains(seen, v)) {
			t.Errorf("%s: the %s is missing", what, key)
		}
	}
	// Both parts say the same, word for word, but for the subject and the button.
	seen = strings.TrimPrefix(seen, m.Subject+" ")
	for line := range strings.SplitSeq(m.Text, "\n") {
		line = strings.Join(strings.Fields(line), " ")
		if line != "--" && !strings.Contains(seen, strings.ReplaceAll(line, ": ", " ")) && !strings.Contains(seen, line) {
			t.Errorf("%s: the HTML does not say %q", what, line)
		}
	}
	selfContained(t, what, m.HTML, data["link"])
}

// Lines checks the rule that people and programs rely on: the link is the only URL, on a
// line of its own, and the code stands alone on its line.
func Lines(t testing.TB, what, text string, data map[string]string) {
	t.Helper()
	var links, codes []string
	for line := range strings.SplitSeq(text, "\n") {
		if strings.Contains(line, "://") {
			links = append(links, line)
		}
		if data["code"] != "" && strings.Contains(line, data["code"]) {
			codes = append(codes, line)
		}
	}
	var wantLinks, wantCodes []string
	if data["link"] != "" {
		wantLinks = []string{data["link"]}
	}
	if data["code"] != "" {
		wantCodes = []string{data["code"]}
	}
	if !slices.Equal(links, wantLinks) || !slices.Equal(codes, wantCodes) {
		t.Errorf("%s: lines with a URL %q, want %q; with the code %q, want %q", what, links, wantLinks, codes, wantCodes)
	}
}

// wordsOf returns the text that a reader of the HTML sees, word by word.
func wordsOf(t testing.TB, page string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" && n.Parent.Data != "title" {
			words = append(words, strings.Fields(n.Data)...)
		}
	}
	return strings.Join(words, " ")
}

// selfContained: nothing in the HTML is fetched from anywhere, and only the link leads out.
func selfContained(t testing.TB, what, page, link string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if slices.Contains([]string{"script", "img", "link", "iframe", "object", "form", "base"}, n.Data) {
			t.Errorf("%s: <%s>", what, n.Data)
		}
		for _, a := range n.Attr {
			if a.Key == "href" && a.Val != link || a.Key == "src" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("%s: %s=%q", what, a.Key, a.Val)
			}
		}
	}
	if strings.Contains(page, "url(") || strings.Contains(page, "@import") {
		t.Errorf("%s: the style fetches something", what)
	}
}
