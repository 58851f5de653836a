package rest

import (
	"cmp"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"
)

// OpenAPI returns the OpenAPI 3.1 document of all operations, in a stable order.
func OpenAPI(a *API) ([]byte, error) { return a.document() }

func (a *API) render() ([]byte, error) {
	doc := a.huma.OpenAPI()
	tags := map[string]bool{}
	for _, item := range doc.Paths {
		for _, op := range operationsOf(item) {
			for _, t := range op.Tags {
				tags[t] = true
			}
		}
	}
	doc.Tags = nil
	for t := range tags {
		doc.Tags = append(doc.Tags, &huma.Tag{Name: t})
	}
	slices.SortFunc(doc.Tags, func(x, y *huma.Tag) int { return cmp.Compare(x.Name, y.Name) })
	raw, err := doc.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	// Canonical form sorts names, so the same operations give the same bytes.
	v := jsontext.Value(raw)
	if err := v.Canonicalize(); err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	if err := v.Indent(jsontext.WithIndent("  ")); err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	return append(v, '\n'), nil
}

func operationsOf(item *huma.PathItem) []*huma.Operation {
	all := []*huma.Operation{item.Get, item.Head, item.Post, item.Put, item.Patch, item.Delete, item.Options}
	return slices.DeleteFunc(all, func(op *huma.Operation) bool { return op == nil })
}

func humaConfig(cfg Config, operation *string) huma.Config {
	c := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: cfg.Title, Version: cfg.Version,
				Description: "Paths are below /v1. Times are RFC 3339 in UTC; names are snake_case. A refusal is a problem document (RFC 9457) with a stable code. " +
					"/docs/errors lists every code. The server refuses unknown, duplicate and case-variant JSON names.",
			},
			Servers: []*huma.Server{{URL: prefix}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", newNamer(operation)),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					schemeBearer:  {Type: "http", Scheme: "bearer", Description: bearerDescription},
					schemeAttempt: {Type: "apiKey", In: "header", Name: "Authorization", Description: "`Attempt <attempt_token>`, with the token of a Challenge."},
				},
			},
		},
		Formats:       map[string]huma.Format{"application/json": format, problemType: format, formType: format},
		DefaultFormat: "application/json",
	}
	return c
}

const bearerDescription = "The access token of a session. A session that was opened with binding `proof` accepts only requests with one HTTP message signature (RFC 9421): " +
	"alg `hmac-sha256`, keyid the session_id, created within 60 s of the server's time, a nonce of up to 64 visible characters that is used once. It covers `@method`, `@target-uri` " +
	"(COFFER_URL, path and query), `authorization` where that is sent and, with a JSON body, `content-digest` (sha-256, RFC 9530). The key is K_proof: see docs/design/0017-request-proofs.md."

const (
	schemeBearer  = "bearer"
	schemeAttempt = "attempt"
	schemeRefresh = "refresh_cookie"

	schemeResource = "resource_server"
	schemeDrop     = "drop_member"
	metaOp         = "op"
	// extensionCodes lists the codes of a refusal.
	extensionCodes = "x-coffer-codes"
)

// newNamer names schemas by type. A name that another type already has becomes package and
// type. A type without a name is named by operation and place.
func newNamer(operation *string) func(reflect.Type, string) string {
	names, taken := map[reflect.Type]string{}, map[string]bool{}
	return func(t reflect.Type, hint string) string {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return huma.DefaultSchemaNamer(t, hint)
		}
		name, ok := names[t]
		if ok {
			return name
		}
		name = huma.DefaultSchemaNamer(t, hint)
		if taken[name] {
			pkg := t.PkgPath()[strings.LastIndexByte(t.PkgPath(), '/')+1:]
			name = camel(cmp.Or(pkg, *operation)) + name
		}
		if strings.ContainsFunc(name, notInName) || taken[name] {
			panic("internal error: a schema cannot be called " + name + ": give the type a name")
		}
		names[t], taken[name] = name, true
		return name
	}
}

func camel(words string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(words, "-") {
		b.WriteString(strings.ToUpper(word[:min(1, len(word))]) + word[min(1, len(word)):])
	}
	return b.String()
}

// notInName reports whether a component's key may not contain r (OpenAPI 3.1 §4.8.7).
func notInName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_'
}

// describeBytes corrects huma's description of answers. A Body of []byte is not JSON, and
// its media type describes Content-Type (OpenAPI 3.1 §4.8.17).
func describeBytes(o *huma.Operation, op Op) {
	octets := map[string]*huma.MediaType{op.Produces: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
	if op.sends {
		o.Responses[strconv.Itoa(o.DefaultStatus)].Content = octets
	}
	for _, r := range o.Responses {
		delete(r.Headers, "Content-Type")
		media := r.Content["application/json"]
		if media != nil && media.Schema != nil && media.Schema.ContentEncoding == "base64" {
			r.Content = octets
		}
	}
}

// operation is op as huma gets it, before huma looks at the types.
func (a *API) operation(op Op) huma.Operation {
	a.registering = op.ID
	o := huma.Operation{
		Method: op.Method, Path: op.Path, OperationID: op.ID, Summary: op.Summary, Description: op.Description,
		Tags: []string{op.Tag}, DefaultStatus: op.Status,
		MaxBodyBytes: -1, BodyReadTimeout: -1, // rest reads and measures the body before huma sees it
		Metadata:  map[string]any{metaOp: op},
		Responses: map[string]*huma.Response{},
		Extensions: map[string]any{
			"x-coffer-rows": strings.Fields(strings.NewReplacer(",", " ").Replace(op.Rows)),
		},
	}
	o.Security = a.security(op)
	if op.Proof() {
		o.Extensions["x-coffer-step-up"] = true
	}
	return o
}

// RawDoc documents a streaming operation, which has no types to derive it from. Its path
// parameters come from the path.
type RawDoc struct {
	Params   []RawParam     // query and header parameters
	Consumes string         // media type of the body; empty without a body
	Form     []RawParam     // parts of a multipart body
	Produces string         // media type of the good answer; empty is application/octet-stream for GET, else JSON where Response is set
	Response any            // a value of the JSON answer's type
	Headers  []RawParam     // of the good answer
	Statuses map[int]string // further answers without refusal: 206, 304
}

// RawParam is one named value.
type RawParam struct {
	In, Name, Doc string // In is "query" or "header"
	Required      bool
	Enum          []string
	File          bool // the part is a file
}

func (p RawParam) schema() *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	if p.File {
		s.Format = "binary"
	}
	for _, e := range p.Enum {
		s.Enum = append(s.Enum, e)
	}
	return s
}

func (d RawDoc) describe(registry huma.Registry, o *huma.Operation) {
	for part := range strings.SplitSeq(o.Path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			o.Parameters = append(o.Parameters, &huma.Param{In: "path", Name: strings.TrimRight(name, ".}"), Required: true, Schema: &huma.Schema{Type: huma.TypeString}})
		}
	}
	for _, p := range d.Params {
		o.Parameters = append(o.Parameters, &huma.Param{In: p.In, Name: p.Name, Description: p.Doc, Required: p.Required, Schema: p.schema()})
	}
	if d.Consumes != "" {
		body := &huma.Schema{Type: huma.TypeString, Format: "binary"}
		if len(d.Form) > 0 {
			body = &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}}
			for _, p := range d.Form {
				s := p.schema()
				s.Description = p.Doc
				body.Properties[p.Name] = s
				if p.Required {
					body.Required = append(body.Required, p.Name)
				}
			}
		}
		o.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{d.Consumes: {Schema: body}}}
	}
	d.describeAnswers(registry, o)
}

func (d RawDoc) describeAnswers(registry huma.Registry, o *huma.Operation) {
	if o.DefaultStatus == 0 {
		o.DefaultStatus = http.StatusOK
	}
	good := &huma.Response{Description: http.StatusText(o.DefaultStatus), Headers: map[string]*huma.Param{}}
	for _, p := range d.Headers {
		good.Headers[p.Name] = &huma.Param{Description: p.Doc, Schema: p.schema()}
	}
	produces := d.Produces
	switch {
	case o.DefaultStatus == http.StatusSwitchingProtocols: // no content
	case d.Response != nil:
		good.Content = map[string]*huma.MediaType{
			cmp.Or(produces, "application/json"): {Schema: registry.Schema(reflect.TypeOf(d.Response), true, o.OperationID+"Response")},
		}
	case produces != "" || o.Method == http.MethodGet:
		good.Content = map[string]*huma.MediaType{
			cmp.Or(produces, "application/octet-stream"): {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
		}
	}
	o.Responses[strconv.Itoa(o.DefaultStatus)] = good
	for status, text := range d.Statuses {
		o.Responses[strconv.Itoa(status)] = &huma.Response{Description: text}
	}
}
