package rest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// The pages below /docs are for people: the operations and the codes of refusals. Neither
// has a script. Both are rendered once, from the OpenAPI document.

//go:embed docs.html
var docsHTML string

//go:embed docs.css
var docsCSS []byte

// docsPolicy allows the one stylesheet and nothing else.
var docsPolicy = []string{"default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"}

var docsTemplate = template.Must(template.New("docs").Funcs(template.FuncMap{"prose": prose}).Parse(docsHTML))

func (a *API) routeDocs() {
	a.v1.HandleFunc("GET "+prefix+"/openapi.json", a.page("application/json", a.document))
	a.outer.HandleFunc("GET /docs", a.page("text/html; charset=utf-8", func() ([]byte, error) { return a.draw("operations") }))
	a.outer.HandleFunc("GET /docs/errors", a.page("text/html; charset=utf-8", func() ([]byte, error) { return a.draw("errors") }))
	a.outer.HandleFunc("GET /docs/style.css", a.page("text/css; charset=utf-8", func() ([]byte, error) { return docsCSS, nil }))
}

// page serves a page that is made once and changes only with the program.
func (a *API) page(contentType string, make func() ([]byte, error)) http.HandlerFunc {
	type made struct {
		body []byte
		etag string
	}
	once := sync.OnceValues(func() (made, error) {
		body, err := make()
		sum := sha256.Sum256(body)
		return made{body, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}, err
	})
	return func(w http.ResponseWriter, r *http.Request) {
		x := w.(*exchange)
		m, err := once()
		if err != nil {
			x.refuse(err)
			return
		}
		h := x.Header()
		h["Content-Security-Policy"] = docsPolicy
		h.Set("Cache-Control", "no-cache")
		h.Set("Etag", m.etag)
		if r.Header.Get("If-None-Match") == m.etag {
			x.WriteHeader(http.StatusNotModified)
			return
		}
		h.Set("Content-Type", contentType)
		h.Set("Content-Length", strconv.Itoa(len(m.body)))
		x.send(http.StatusOK, m.body)
	}
}

type docsView struct {
	Title, Version, About string
	Groups                []docsGroup
	Codes                 []docsCode
}

type docsGroup struct {
	Name, Anchor string
	Operations   []docsOperation
}

type docsOperation struct {
	ID, Method, Path, Summary, About, Access string
	Params                                   []docsValue
	Body                                     *docsShape
	Answers                                  []docsAnswer
	Refusals                                 []docsRefusal
}

// docsValue is one parameter, header field or member of a body.
type docsValue struct {
	Name, In, Type, Rule, About string
	Required                    bool
}

type docsShape struct {
	MediaType, Type string
	Values          []docsValue
}

type docsAnswer struct {
	Status, About string
	Headers       []docsValue
	Body          *docsShape
}

type docsRefusal struct {
	Status string
	Codes  []string
}

type docsCode struct {
	CodeInfo
	Title string
}

func (a *API) draw(name string) ([]byte, error) {
	doc := a.huma.OpenAPI()
	v := docsView{Title: doc.Info.Title, Version: doc.Info.Version, About: doc.Info.Description, Groups: a.groups(doc)}
	for _, c := range a.Codes() {
		v.Codes = append(v.Codes, docsCode{c, statusText(c.Status)})
	}
	var b bytes.Buffer
	if err := docsTemplate.ExecuteTemplate(&b, name, v); err != nil {
		return nil, fmt.Errorf("docs: %w", err)
	}
	return b.Bytes(), nil
}

func (a *API) groups(doc *huma.OpenAPI) []docsGroup {
	byTag := map[string][]docsOperation{}
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for _, op := range operationsOf(doc.Paths[path]) {
			for _, tag := range op.Tags {
				byTag[tag] = append(byTag[tag], a.describe(op))
			}
		}
	}
	var groups []docsGroup
	for _, tag := range slices.Sorted(maps.Keys(byTag)) {
		groups = append(groups, docsGroup{tag, "tag-" + strings.ToLower(strings.ReplaceAll(tag, " ", "-")), byTag[tag]})
	}
	return groups
}

func (a *API) describe(op *huma.Operation) docsOperation {
	d := docsOperation{ID: op.OperationID, Method: op.Method, Path: prefix + op.Path, Summary: op.Summary, About: op.Description, Access: accessInWords(op.Metadata[metaOp].(Op))}
	for _, p := range op.Parameters {
		v := a.value(p.Name, p.Schema, p.Required, p.Description)
		v.In = p.In
		d.Params = append(d.Params, v)
	}
	if op.RequestBody != nil {
		d.Body = a.shape(op.RequestBody.Content)
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		r := op.Responses[status]
		if list, ok := r.Extensions[extensionCodes].([]string); ok {
			d.Refusals = append(d.Refusals, docsRefusal{status, list})
			continue
		}
		answer := docsAnswer{Status: status, About: r.Description, Body: answered(a.shape(r.Content))}
		for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
			answer.Headers = append(answer.Headers, a.value(name, r.Headers[name].Schema, false, r.Headers[name].Description))
		}
		d.Answers = append(d.Answers, answer)
	}
	return d
}

// shape describes a body's only media type.
func (a *API) shape(content map[string]*huma.MediaType) *docsShape {
	if len(content) == 0 {
		return nil
	}
	s := &docsShape{MediaType: slices.Min(slices.Collect(maps.Keys(content)))}
	if schema := content[s.MediaType].Schema; schema != nil {
		s.Type = a.typeInWords(schema)
		s.Values = a.members(schema, "", nil)
	}
	return s
}

// answered marks the members of an answer that may be missing. It marks none as required.
func answered(s *docsShape) *docsShape {
	if s == nil {
		return nil
	}
	for i := range s.Values {
		if !s.Values[i].Required {
			s.Values[i].In = "may be absent"
		}
		s.Values[i].Required = false
	}
	return s
}

// members flattens an object: nested members as outer.inner, those of a list as
// list[].inner.
func (a *API) members(s *huma.Schema, before string, within []string) []docsValue {
	if s.Ref != "" {
		if slices.Contains(within, s.Ref) {
			return nil // a recursive type is described once
		}
		within = append(slices.Clip(within), s.Ref)
	}
	s = a.resolve(s)
	if s.Type == huma.TypeArray && s.Items != nil {
		return a.members(s.Items, before+"[].", within)
	}
	var list []docsValue
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		member := s.Properties[name]
		v := a.value(before+name, member, slices.Contains(s.Required, name), a.resolve(member).Description)
		if member.Description != "" {
			v.About = member.Description
		}
		list = append(list, v)
		list = append(list, a.inner(member, before+name, within)...)
	}
	return list
}

func (a *API) inner(s *huma.Schema, name string, within []string) []docsValue {
	if a.resolve(s).Type == huma.TypeArray {
		return a.members(s, name, within)
	}
	return a.members(s, name+".", within)
}

func (a *API) resolve(s *huma.Schema) *huma.Schema {
	if s.Ref != "" {
		return a.huma.OpenAPI().Components.Schemas.SchemaFromRef(s.Ref)
	}
	return s
}

func (a *API) value(name string, s *huma.Schema, required bool, about string) docsValue {
	v := docsValue{Name: name, Required: required, About: about}
	if s != nil {
		v.Type, v.Rule = a.typeInWords(s), rulesInWords(a.resolve(s))
	}
	return v
}

func (a *API) typeInWords(s *huma.Schema) string {
	nullable := s.Nullable
	s = a.resolve(s)
	text := s.Type
	switch {
	case s.Type == huma.TypeArray && s.Items != nil:
		text = "list of " + a.typeInWords(s.Items)
	case s.ContentEncoding != "":
		text = s.ContentEncoding
	case s.Format == "binary":
		text = "bytes"
	case s.Format != "" && s.Type == huma.TypeString:
		text = s.Format
	case text == "":
		text = "any value"
	}
	if nullable || s.Nullable {
		text += " or null"
	}
	return text
}

// rulesInWords describes the rules for a value.
func rulesInWords(s *huma.Schema) string {
	var rules []string
	add := func(format string, args ...any) { rules = append(rules, fmt.Sprintf(format, args...)) }
	if len(s.Enum) > 0 {
		var names []string
		for _, e := range s.Enum {
			names = append(names, fmt.Sprintf("`%v`", e))
		}
		add("one of %s", strings.Join(names, ", "))
	}
	limits(add, "characters", s.MinLength, s.MaxLength)
	limits(add, "items", s.MinItems, s.MaxItems)
	if s.Minimum != nil {
		add("at least %v", *s.Minimum)
	}
	if s.Maximum != nil {
		add("at most %v", *s.Maximum)
	}
	if s.Pattern != "" {
		add("%s", cmp.Or(s.PatternDescription, "`"+s.Pattern+"`"))
	}
	if s.Default != nil {
		add("default `%v`", s.Default)
	}
	return strings.Join(rules, "; ")
}

func limits(add func(string, ...any), unit string, least, most *int) {
	switch {
	case least != nil && most != nil:
		add("%d to %d %s", *least, *most, unit)
	case least != nil:
		add("at least %d %s", *least, unit)
	case most != nil:
		add("at most %d %s", *most, unit)
	}
}

// prose escapes text and shows the parts between backquotes as code.
func prose(text string) template.HTML {
	var b strings.Builder
	for i, part := range strings.Split(text, "`") {
		if i%2 == 1 {
			b.WriteString("<code>" + template.HTMLEscapeString(part) + "</code>")
		} else {
			b.WriteString(template.HTMLEscapeString(part))
		}
	}
	return template.HTML(b.String())
}
