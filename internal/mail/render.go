package mail

import (
	"embed"
	"fmt"
	htmltemplate "html/template"
	"maps"
	"slices"
	"strings"
	"text/template"
	"time"
)

// A mail is written once a language, as words without form: templates/KIND.LANG.txt has
// the blocks subject, lead, rest and, where there is a link, action. Paragraphs are
// separated by empty lines. Both parts of the mail are made of them, by layout.txt and
// layout.html, so that they cannot say different things.

//go:embed templates
var files embed.FS

// kinds are the messages there are, each with the keys that its data must have. Beside
// them a template uses name, link, code, time (RFC 3339), device, place and address where
// they are given.
var kinds = map[string]struct{ needs []string }{
	"verify-email":    {[]string{"link", "code"}},
	"sign-up-exists":  {[]string{"link"}},
	"security-notice": {[]string{"event"}},
	"new-device":      {[]string{"time"}},
}

// words are those of a language that stand in every mail.
type words struct {
	hello, code             string
	time, device, place, ip string
	footer                  string
	months                  [12]string
	date                    string // day, month, year, clock
}

var languages = map[string]words{
	"en": {
		hello: "Hello", code: "Your code:",
		time: "Time", device: "Device", place: "Place", ip: "Address",
		footer: "%s sent this mail by itself; nobody reads answers to it.",
		months: [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		date:   "%d %s %d, %s UTC",
	},
	"de": {
		hello: "Hallo", code: "Ihr Code:",
		time: "Zeit", device: "Gerät", place: "Ort", ip: "Adresse",
		footer: "%s hat diese Mail von selbst verschickt; Antworten liest niemand.",
		months: [12]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
		date:   "%d. %s %d, %s UTC",
	},
}

// fallback is the language of people whose own has no templates.
const fallback = "en"

// Languages returns the languages that there are templates in.
func Languages() []string { return slices.Sorted(maps.Keys(languages)) }

// languageOf chooses by the primary subtag of a language tag (RFC 5646).
func languageOf(tag string) string {
	primary, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(tag), "_", "-"), "-")
	if _, ok := languages[primary]; ok {
		return primary
	}
	return fallback
}

var (
	bodies     = parseBodies()
	textLayout = template.Must(template.ParseFS(files, "templates/layout.txt"))
	htmlLayout = htmltemplate.Must(htmltemplate.ParseFS(files, "templates/layout.html"))
)

func parseBodies() map[string]*template.Template {
	all := map[string]*template.Template{}
	for kind := range kinds {
		for lang := range languages {
			name := kind + "." + lang + ".txt"
			t := template.Must(template.New(name).Option("missingkey=error").ParseFS(files, "templates/"+name))
			all[kind+"."+lang] = t
		}
	}
	return all
}

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
	Footer                 string
}

func (m *Mailer) render(kind, tag string, data map[string]string) (Rendered, error) {
	lang := languageOf(tag)
	w, t := languages[lang], bodies[kind+"."+lang]
	block := func(name string) (string, error) {
		var b strings.Builder
		err := t.ExecuteTemplate(&b, name, data)
		return strings.TrimSpace(b.String()), err
	}
	p := page{Lang: lang, Product: m.product, Code: data["code"], CodeLabel: w.code, Link: data["link"], Footer: fmt.Sprintf(w.footer, m.product)}
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
	if p.Link != "" {
		if p.Action, err = block("action"); err != nil {
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
	return Rendered{Kind: kind, Lang: lang, Subject: p.Subject, Text: text.String(), HTML: html.String()}, nil
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

// when writes an RFC 3339 time as people do, in UTC. What is no time stays as it is.
func (w words) when(s string) string {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return s
	}
	t = t.UTC()
	return fmt.Sprintf(w.date, t.Day(), w.months[t.Month()-1], t.Year(), t.Format("15:04"))
}
