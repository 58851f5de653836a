package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// keep is a sender that keeps what it is given.
type keep struct{ got []Rendered }

func (k *keep) Send(_ context.Context, r Rendered) error {
	k.got = append(k.got, r)
	return nil
}

const base = "https://coffer.test"

func newMailer(s Sender) *Mailer {
	m := New(s, "Coffer", base+"/")
	m.now = func() time.Time { return time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC) }
	return m
}

// full is data with everything that a template may use.
func full() map[string]string {
	return map[string]string{
		"name": "Ada", "link": base + "/verify-email#token=AbC-_123", "code": "123456", "event": "totp-enabled",
		"time": "2026-11-20T10:05:00+01:00", "device": "Firefox on Linux", "place": "Zürich", "address": "192.0.2.7",
	}
}

// variants returns data for a kind: everything, only what it needs, and each event.
func variants(kind string) map[string]map[string]string {
	all := map[string]map[string]string{"full": full(), "needed": {}}
	for _, key := range needsOf()[kind] {
		all["needed"][key] = full()[key]
	}
	if kind == "security-notice" {
		for _, event := range []string{"totp-enabled", "totp-disabled", "totp-locked", "refresh-reuse", "new-device", "of a newer version"} {
			all[event] = map[string]string{"name": "Ada", "event": event, "time": "2026-11-20T10:05:00Z"}
		}
	}
	return all
}

// wantLines checks the rule that people and programs rely on: the link is the only URL,
// on a line of its own, and the code stands alone on its line.
func wantLines(t *testing.T, what, text string, data map[string]string) {
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
func wordsOf(t *testing.T, page string) string {
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

func TestEveryKindInEveryLanguage(t *testing.T) {
	m := newMailer(nil)
	if got := Languages(); !slices.Contains(got, "en") || !slices.Contains(got, "de") {
		t.Fatalf("languages = %v", got)
	}
	for kind := range needsOf() {
		subjects := map[string]string{}
		for _, lang := range Languages() {
			for name, data := range variants(kind) {
				what := fmt.Sprintf("%s in %s with %s", kind, lang, name)
				r, err := m.Render(Message{Kind: kind, To: "ada@example.org", Lang: lang, Data: data})
				if err != nil {
					t.Errorf("%s: %v", what, err)
					continue
				}
				if r.Kind != kind || r.Lang != lang || r.To != "ada@example.org" || r.Subject == "" || strings.TrimSpace(r.Subject) != r.Subject {
					t.Errorf("%s: %+v", what, r)
				}
				subjects[lang+name] = r.Subject
				for _, part := range []string{r.Subject, r.Text, r.HTML} {
					if strings.Contains(part, "no value") || strings.Contains(part, "{{") || strings.Contains(part, "\r") || strings.Contains(part, "%!") {
						t.Errorf("%s has holes: %q", what, part)
					}
				}
				wantLines(t, what, r.Text, data)
				for _, key := range []string{"name", "device", "place", "address"} {
					if v := data[key]; v != "" && (!strings.Contains(r.Text, v) || !strings.Contains(r.HTML, v)) {
						t.Errorf("%s: the %s is missing", what, key)
					}
				}
				// Both parts say the same, word for word, but for the subject and the button.
				seen := wordsOf(t, r.HTML)
				seen = strings.TrimPrefix(seen, r.Subject+" ")
				for line := range strings.SplitSeq(r.Text, "\n") {
					if line = strings.TrimSpace(line); line != "--" && !strings.Contains(seen, strings.ReplaceAll(line, ": ", " ")) && !strings.Contains(seen, line) {
						t.Errorf("%s: the HTML does not say %q", what, line)
					}
				}
			}
		}
		if subjects["enfull"] == subjects["defull"] {
			t.Errorf("%s has the same subject in English and German", kind)
		}
	}
}

// A template that asks for what nobody gave is an error, not a hole.
func TestMissingKeysAreErrors(t *testing.T) {
	for name, body := range bodies {
		if err := body.ExecuteTemplate(io.Discard, "subject", map[string]string{}); err == nil {
			t.Errorf("%s: a subject without data", name)
		}
		if got := body.Lookup("lead"); got == nil || body.Lookup("rest") == nil || body.Lookup("action") == nil {
			t.Errorf("%s: a block is missing", name)
		}
	}
}

// Nothing in the HTML is fetched from anywhere, and the link is what leads out.
func TestHTMLIsSelfContained(t *testing.T) {
	m := newMailer(nil)
	for kind := range needsOf() {
		r, err := m.Render(Message{Kind: kind, To: "ada@example.org", Data: full()})
		if err != nil {
			t.Fatal(err)
		}
		root, err := html.Parse(strings.NewReader(r.HTML))
		if err != nil {
			t.Fatal(err)
		}
		for n := range root.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			if slices.Contains([]string{"script", "img", "link", "iframe", "object", "form", "base"}, n.Data) {
				t.Errorf("%s: <%s>", kind, n.Data)
			}
			for _, a := range n.Attr {
				if a.Key == "href" && a.Val != full()["link"] || a.Key == "src" || strings.HasPrefix(a.Key, "on") {
					t.Errorf("%s: %s=%q", kind, a.Key, a.Val)
				}
			}
		}
		if strings.Contains(r.HTML, "url(") || strings.Contains(r.HTML, "@import") {
			t.Errorf("%s: the style fetches something", kind)
		}
	}
}

func TestLanguages(t *testing.T) {
	for tag, want := range map[string]string{"": "en", "en": "en", "de": "de", "DE": "de", "de-AT": "de", "de_CH": "de", "fr": "en", "den": "en", "../de": "en"} {
		if got := languageOf(tag); got != want {
			t.Errorf("%q: %s, want %s", tag, got, want)
		}
	}
	m := newMailer(nil)
	r, err := m.Render(Message{Kind: "new-device", To: "ada@example.org", Lang: "de-AT", Data: full()})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Hallo Ada,", "Zeit: 20. November 2026, 09:05 UTC", "Gerät: Firefox on Linux", "Ort: Zürich", "Adresse: 192.0.2.7"} {
		if !strings.Contains(r.Text, want) {
			t.Errorf("no %q in\n%s", want, r.Text)
		}
	}
	r, err = m.Render(Message{Kind: "new-device", To: "ada@example.org", Data: map[string]string{"time": "yesterday"}})
	if err != nil || !strings.Contains(r.Text, "Time: yesterday") || !strings.HasPrefix(r.Text, "Hello,\n") {
		t.Errorf("%v\n%s", err, r.Text)
	}
}

// What cannot become a mail is refused for good, and nothing is sent.
func TestRefusals(t *testing.T) {
	change := func(key, value string) func(*Message) {
		return func(m *Message) {
			m.Data = maps.Clone(m.Data)
			if m.Data[key] = value; value == "" {
				delete(m.Data, key)
			}
		}
	}
	to := func(s string) func(*Message) { return func(m *Message) { m.To = s } }
	for name, edit := range map[string]func(*Message){
		"unknown kind":      func(m *Message) { m.Kind = "chain-letter" },
		"no kind":           func(m *Message) { m.Kind = "" },
		"a path as kind":    func(m *Message) { m.Kind = "../layout" },
		"no link":           change("link", ""),
		"no code":           change("code", ""),
		"link elsewhere":    change("link", "https://evil.example/verify-email"),
		"look-alike link":   change("link", base+".evil.example/x"),
		"user info in link": change("link", base+"@evil.example/x"),
		"script link":       change("link", "javascript:alert(1)"),
		"two lines as link": change("link", base+"/x\r\nhttps://evil.example"),
		"two words as link": change("link", base+"/x https://evil.example"),
		"line in name":      change("name", "Ada\r\nhttps://evil.example/"),
		"NUL in name":       change("name", "Ada\x00"),
		"code with words":   change("code", "123456 or call 555"),
		"code with a line":  change("code", "123456\n654321"),
		"no recipient":      to(""),
		"header in To":      to("ada@example.org\r\nBcc: bob@example.org"),
		"LF in To":          to("ada@example.org\nBcc: bob@example.org"),
		"two recipients":    to("ada@example.org,bob@example.org"),
		"display name":      to("Ada <ada@example.org>"),
		"brackets":          to("<ada@example.org>"),
		"second command":    to("ada@example.org> SIZE=1 <"),
		"no domain":         to("ada"),
		"space":             to("ada @example.org"),
		"not UTF-8":         to("ada\xff@example.org"),
	} {
		s := &keep{}
		msg := Message{Kind: "verify-email", To: "ada@example.org", Lang: "en", Data: full()}
		edit(&msg)
		err := newMailer(s).Deliver(t.Context(), msg)
		if err == nil || !isPermanent(err) || len(s.got) != 0 {
			t.Errorf("%s: %v, sent %d; want a permanent error", name, err, len(s.got))
		}
		var e *Error
		if !errors.As(err, &e) || strings.Contains(e.Class(), "@") || len(e.Class()) > 60 {
			t.Errorf("%s: %T %v", name, err, err)
		}
	}
	for _, payload := range []string{"", "{", `[]`, `"x"`} {
		if err := newMailer(&keep{}).Handle(t.Context(), []byte(payload)); !isPermanent(err) {
			t.Errorf("payload %q: %v, want a permanent error", payload, err)
		}
	}
}

// What somebody calls their device must not keep the owner from being warned.
func TestHostileDescriptions(t *testing.T) {
	m := newMailer(nil)
	data := full()
	delete(data, "link")
	delete(data, "code")
	data["device"] = "Fire\r\n\r\nhttps://evil.example/\u202efox\x00\xff" + strings.Repeat("x", 5000)
	data["place"] = "<script>alert(1)</script>"
	data["name"] = `<b>"Ada"</b>`
	r, err := m.Render(Message{Kind: "new-device", To: "ada@example.org", Data: data})
	if err != nil {
		t.Fatalf("the notice was kept back: %v", err)
	}
	if want := "\nDevice: Firehttps://evil.example/fox"; !strings.Contains(r.Text, want) || strings.Contains(r.Text, "\u202e") || len(r.Text) > 2000 {
		t.Errorf("text = %q", r.Text)
	}
	if strings.Contains(r.HTML, "<script>") || strings.Contains(r.HTML, "<b>") || strings.Contains(r.HTML, "href") {
		t.Errorf("HTML = %s", r.HTML)
	}
}

// A mail that is tried again has the same Message-ID; any other mail has another.
func TestMessageID(t *testing.T) {
	m := newMailer(nil)
	msg := Message{Kind: "verify-email", To: "ada@example.org", Lang: "en", Data: full()}
	id := func(msg Message, at time.Time) string {
		m.now = func() time.Time { return at }
		r, err := m.Render(msg)
		if err != nil {
			t.Fatal(err)
		}
		return r.ID
	}
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	first := id(msg, at)
	if !strings.HasSuffix(first, "@coffer.test") {
		t.Errorf("id = %s", first)
	}
	if got := id(msg, at.Add(59*time.Minute)); got != first {
		t.Error("another attempt has another id")
	}
	if got := id(msg, at.Add(time.Hour)); got == first {
		t.Error("the same notice an hour later has the same id")
	}
	msg.To = "bob@example.org"
	if got := id(msg, at); got == first {
		t.Error("another recipient's mail has the same id")
	}
}
