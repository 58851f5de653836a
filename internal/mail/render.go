package mail

import (
	"cmp"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"strings"
	"text/template"
	"time"

	"coffer/internal/lang"
)

// The layouts make both parts of a mail of the same words, so that the parts cannot say
// different things.

//go:embed templates
var files embed.FS

// Kind is a kind of mail.
type Kind struct {
	Name   string // messages name it; its words are words/NAME.LANG.txt
	Header string // the value of X-Coffer-Kind; zero: Name
}

// declared is a kind with its words by language.
type declared struct {
	header     string
	words      map[string]*template.Template
	link, code bool // a message needs one, and no other kind may carry one
}

// Declare adds a kind of mail. A room calls it when it is made, before the first message.
//
// A file of words has the blocks subject, lead and rest. A mail with a link has the block
// action, its button; a mail with a code has the block code, the line above it. Empty lines
// separate paragraphs. The words may use product, name, device, place and address.
//
// Declare panics when the kind is declared twice, or lacks words in a language of [lang.All].
func (m *Mailer) Declare(k Kind, words fs.FS) {
	if _, ok := m.kinds[k.Name]; ok {
		panic("internal error: mail: " + k.Name + " is declared twice")
	}
	d := declared{header: cmp.Or(k.Header, k.Name), words: map[string]*template.Template{}}
	for i, l := range lang.All() {
		name := k.Name + "." + l + ".txt"
		t := template.Must(template.New(name).Option("missingkey=error").ParseFS(words, "words/"+name))
		for _, block := range []string{"subject", "lead", "rest"} {
			if t.Lookup(block) == nil {
				panic("internal error: mail: " + name + " has no block " + block)
			}
		}
		link, code := t.Lookup("action") != nil, t.Lookup("code") != nil
		if i > 0 && (link != d.link || code != d.code) {
			panic("internal error: mail: " + name + " has other blocks than the other languages")
		}
		d.words[l], d.link, d.code = t, link, code
	}
	m.kinds[k.Name] = d
}

// phrases are those of a language that stand in every mail.
type phrases struct {
	hello                   string
	time, device, place, ip string
	footer                  string
	months                  [12]string
	date                    string // day, month, year, clock
}

var languages = map[string]phrases{
	"en": {
		hello: "Hello",
		time:  "Time", device: "Device", place: "Place", ip: "Address",
		footer: "%s sent this mail by itself; nobody reads answers to it.",
		months: [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		date:   "%d %s %d, %s UTC",
	},
	"de": {
		hello: "Hallo",
		time:  "Zeit", device: "Gerät", place: "Ort", ip: "Adresse",
		footer: "%s hat diese Mail von selbst verschickt; Antworten liest niemand.",
		months: [12]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
		date:   "%d. %s %d, %s UTC",
	},
}

var (
	textLayout = template.Must(template.ParseFS(files, "templates/layout.txt"))
	htmlLayout = htmltemplate.Must(htmltemplate.ParseFS(files, "templates/layout.html"))
)

// fact is a line about what happened.
type fact struct{ Label, Value string }

// page is a mail as the layouts see it. Every string is one paragraph or less.
type page struct {
	Lang, Product, Subject string
	Greeting               string
	Lead, Rest             []string
	Facts                  []fact
	Link, Action           string
	Code, CodeLabel        string
	Note                   string // lines, each with its end
	Footer                 string
}

func (m *Mailer) render(kind declared, tag string, data map[string]string) (Rendered, error) {
	l := lang.Of(tag)
	w, t := languages[l], kind.words[l]
	block := func(name string) (string, error) {
		var b strings.Builder
		err := t.ExecuteTemplate(&b, name, data)
		return strings.TrimSpace(b.String()), err
	}
	p := page{Lang: l, Product: m.product, Code: data["code"], Link: data["link"], Note: data["note"], Footer: fmt.Sprintf(w.footer, m.product)}
	p.Greeting = w.hello + ","
	if name := data["name"]; name != "" {
		p.Greeting = w.hello + " " + name + ","
	}
	for _, f := range []fact{{w.time, w.when(data["time"])}, {w.device, data["device"]}, {w.place, data["place"]}, {w.ip, data["address"]}} {
		if f.Value != "" {
			p.Facts = append(p.Facts, f)
		}
	}
	var err error
	if p.Subject, err = block("subject"); err != nil {
		return Rendered{}, err
	}
	for name, to := range map[string]*[]string{"lead": &p.Lead, "rest": &p.Rest} {
		text, err := block(name)
		if err != nil {
			return Rendered{}, err
		}
		*to = paragraphs(text)
	}
	if kind.link {
		if p.Action, err = block("action"); err != nil {
			return Rendered{}, err
		}
	}
	if kind.code {
		if p.CodeLabel, err = block("code"); err != nil {
			return Rendered{}, err
		}
	}
	var text, html strings.Builder
	if err := textLayout.Execute(&text, p); err != nil {
		return Rendered{}, err
	}
	if err := htmlLayout.Execute(&html, p); err != nil {
		return Rendered{}, err
	}
	return Rendered{Kind: kind.header, Lang: l, Subject: p.Subject, Text: text.String(), HTML: html.String()}, nil
}

// paragraphs splits at empty lines and joins each paragraph's lines.
func paragraphs(text string) (all []string) {
	for part := range strings.SplitSeq(text, "\n\n") {
		if part = strings.Join(strings.Fields(part), " "); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// when writes an RFC 3339 time as people do, in UTC. Another text stays as it is.
func (w phrases) when(s string) string {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return s
	}
	t = t.UTC()
	return fmt.Sprintf(w.date, t.Day(), w.months[t.Month()-1], t.Year(), t.Format("15:04"))
}
