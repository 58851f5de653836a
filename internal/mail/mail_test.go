package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"coffer/internal/lang"
	"coffer/internal/mail/mailtest"
)

// keep is a sender that keeps what it is given.
type keep struct{ got []Rendered }

func (k *keep) Send(_ context.Context, r Rendered) error {
	k.got = append(k.got, r)
	return nil
}

const base = "https://coffer.test"

// kinds are those of testdata/words, each with data that has everything it may use.
var kinds = map[string]map[string]string{"verify-email": full(), "new-device": facts()}

func newMailer(s Sender) *Mailer {
	m := New(s, "Coffer", base+"/")
	m.now = func() time.Time { return time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC) }
	for kind := range kinds {
		m.Declare(Kind{Name: kind}, os.DirFS("testdata"))
	}
	return m
}

// full is data of a kind with a link and a code.
func full() map[string]string {
	data := facts()
	data["link"], data["code"] = base+"/verify-email#token=AbC-_123", "123456"
	return data
}

// facts is data of a kind without them.
func facts() map[string]string {
	return map[string]string{"name": "Ada", "time": "2026-11-20T10:05:00+01:00", "device": "Firefox on Linux", "place": "Zürich", "address": "192.0.2.7"}
}

// needed is what the server refuses to render a kind without.
func needed(kind string) map[string]string {
	data := map[string]string{}
	for _, key := range []string{"link", "code"} {
		if v := kinds[kind][key]; v != "" {
			data[key] = v
		}
	}
	return data
}

func TestEveryKindInEveryLanguage(t *testing.T) {
	m := newMailer(nil)
	for kind, full := range kinds {
		subjects := map[string]string{}
		for _, l := range lang.All() {
			for name, data := range map[string]map[string]string{"full": full, "needed": needed(kind)} {
				what := fmt.Sprintf("%s in %s with %s", kind, l, name)
				r, err := m.Render(Message{Kind: kind, To: "ada@example.org", Lang: l, Data: data})
				if err != nil {
					t.Errorf("%s: %v", what, err)
					continue
				}
				if r.Kind != kind || r.Lang != l || r.To != "ada@example.org" {
					t.Errorf("%s: %+v", what, r)
				}
				mailtest.Check(t, what, mailtest.Mail{Subject: r.Subject, Text: r.Text, HTML: r.HTML}, data)
				subjects[l+name] = r.Subject
			}
		}
		if subjects["enfull"] == subjects["defull"] {
			t.Errorf("%s has the same subject in English and German", kind)
		}
	}
}

// Every language has the phrases that stand in every mail.
func TestPhrases(t *testing.T) {
	for _, l := range lang.All() {
		w := languages[l]
		for _, phrase := range append(w.months[:], w.hello, w.time, w.device, w.place, w.ip, w.footer, w.date) {
			if phrase == "" {
				t.Errorf("%s lacks a phrase: %+v", l, w)
			}
		}
	}
	if len(languages) != len(lang.All()) {
		t.Errorf("phrases in %d languages, of which Coffer speaks %d", len(languages), len(lang.All()))
	}
}

// A kind that cannot be rendered in every language stops the start.
func TestDeclareRefuses(t *testing.T) {
	good := `{{define "subject"}}s{{end}}{{define "lead"}}l{{end}}{{define "rest"}}r{{end}}`
	in := func(en, de string) fstest.MapFS {
		return fstest.MapFS{"words/x.en.txt": &fstest.MapFile{Data: []byte(en)}, "words/x.de.txt": &fstest.MapFile{Data: []byte(de)}}
	}
	one := in(good, good)
	delete(one, "words/x.de.txt")
	for name, words := range map[string]fstest.MapFS{
		"one language":      one,
		"no file":           {},
		"no subject":        in(good, `{{define "lead"}}l{{end}}{{define "rest"}}r{{end}}`),
		"no rest":           in(`{{define "subject"}}s{{end}}{{define "lead"}}l{{end}}`, good),
		"a link in one":     in(good, good+`{{define "action"}}a{{end}}`),
		"a code in one":     in(good+`{{define "code"}}c{{end}}`, good),
		"a broken template": in(good, good+`{{if}}`),
	} {
		m := newMailer(nil)
		if !panics(func() { m.Declare(Kind{Name: "x"}, words) }) {
			t.Errorf("%s: declared", name)
		}
	}
	m := newMailer(nil)
	if !panics(func() { m.Declare(Kind{Name: "new-device"}, os.DirFS("testdata")) }) {
		t.Error("declared twice")
	}
	m.Declare(Kind{Name: "x", Header: "y"}, in(good, good))
	if r, err := m.Render(Message{Kind: "x", To: "ada@example.org"}); err != nil || r.Kind != "y" {
		t.Errorf("%+v, %v; want the header y", r, err)
	}
}

func panics(fn func()) (did bool) {
	defer func() { did = recover() != nil }()
	fn()
	return
}

// A template that asks for what nobody gave is an error, not a hole.
func TestMissingKeysAreErrors(t *testing.T) {
	for name, kind := range newMailer(nil).kinds {
		for l, body := range kind.words {
			if err := body.ExecuteTemplate(io.Discard, "subject", map[string]string{}); err == nil {
				t.Errorf("%s in %s: a subject without data", name, l)
			}
		}
	}
}

func TestLanguages(t *testing.T) {
	m := newMailer(nil)
	r, err := m.Render(Message{Kind: "new-device", To: "ada@example.org", Lang: "de-AT", Data: facts()})
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
		"link of no kind":   func(m *Message) { m.Kind = "new-device" },
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
	data := facts()
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
