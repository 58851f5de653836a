package rest

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"coffer/internal/fault"
)

// A refusal is declared once, as the fault value that the code returns. The OpenAPI
// document, /docs/errors and docs/errors.md come from these declarations. An answer without
// declaration is reported ([Config.Undeclared]).

// CodeInfo is one code that some operation answers.
type CodeInfo struct {
	Code    string
	Status  int
	Meaning []string // the details of the operations that answer it
}

// Codes lists every declared code, in order.
func (a *API) Codes() []CodeInfo {
	var list []CodeInfo
	for _, name := range slices.Sorted(maps.Keys(a.codes)) {
		c := *a.codes[name]
		c.Meaning = slices.Sorted(slices.Values(c.Meaning))
		list = append(list, c)
	}
	return list
}

// declared are the refusals of one operation, by code.
type declared struct {
	operation string
	codes     map[string]fault.Kind
	challenge string // of WWW-Authenticate; "": Bearer
	answers   *answers
}

// declare records an operation's refusals and those common to all operations.
func (a *API) declare(operation string, refusals ...*fault.Error) *declared {
	d := &declared{operation: operation, codes: map[string]fault.Kind{}}
	for _, f := range append(refusals, errHost, fault.ErrInternal, fault.ErrUnavailable) {
		c := a.codes[f.Code]
		if c == nil {
			c = &CodeInfo{Code: f.Code, Status: statusOf(f.Kind)}
			a.codes[f.Code] = c
		}
		if c.Status != statusOf(f.Kind) {
			panic("internal error: the code " + f.Code + " has two statuses")
		}
		if say := formatVerbs.Replace(f.Detail); !slices.Contains(c.Meaning, say) {
			c.Meaning = append(c.Meaning, say)
		}
		d.codes[f.Code] = f.Kind
	}
	return d
}

// formatVerbs replaces verbs in details that the code completes later.
var formatVerbs = strings.NewReplacer("%d", "…", "%s", "…")

// documentProblems adds the operation's refusals by status: those of its shape and access,
// and those that it declares.
func (a *API) documentProblems(o *huma.Operation, op Op) *declared {
	delete(o.Responses, "default") // huma's; the list below is complete
	if op.Form {
		o.RequestBody.Content = map[string]*huma.MediaType{formType: o.RequestBody.Content["application/json"]}
	}
	d := a.declare(op.ID, slices.Concat(a.shapeRefusals(o, op), op.Errors)...)
	switch op.Access {
	case Resource:
		d.challenge = "Basic"
	case DropMember:
		d.challenge = "Drop"
	}
	byStatus := map[int][]string{}
	for code, kind := range d.codes {
		status := statusOf(kind)
		byStatus[status] = append(byStatus[status], code)
	}
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	for status, list := range byStatus {
		slices.Sort(list)
		o.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: statusText(status) + ": `" + strings.Join(list, "`, `") + "`.",
			Content:     map[string]*huma.MediaType{problemType: {Schema: schema}},
			Extensions:  map[string]any{extensionCodes: list},
		}
	}
	return d
}

// shapeRefusals are the refusals that follow from the operation's shape.
func (a *API) shapeRefusals(o *huma.Operation, op Op) (list []*fault.Error) {
	if !op.Embeds || !safe(op.Method) || op.Socket {
		list = append(list, errCrossOrigin)
	}
	if !op.Access.public() {
		list = append(list, errUnauthenticated, ErrProof)
		if !op.Repairs {
			list = append(list, errRepairOnly)
		}
	}
	if op.Access == Admin {
		list = append(list, errNotAdmin)
	}
	if a.cfg.Auth != nil {
		list = append(list, a.cfg.Auth.Refusals(op)...)
	}
	if op.stream || op.sends {
		list = append(list, errTooManyStreams, errStreamsBusy)
	}
	if op.stream && o.RequestBody != nil {
		list = append(list, errBodyCut)
	}
	if o.RequestBody != nil {
		list = append(list, errEncoded)
	}
	if len(o.Parameters) > 0 {
		list = append(list, fault.ErrInvalid)
	}
	if o.RequestBody != nil && o.RequestBody.Content[formType] != nil && op.Form {
		list = append(list, errNotForm, errBadForm, fault.ErrInvalid, errBodyLarge, errBodyCut)
	}
	if o.RequestBody != nil && o.RequestBody.Content["application/json"] != nil {
		list = append(list, errNoBody, errBadJSON, errUnknown, fault.ErrInvalid, errBodyLarge, errBodyCut, errNotJSON, errBodiesBusy)
	}
	return list
}

// security lists the credentials that a caller sends. Every operation has a list; a public
// one has the empty list.
func (a *API) security(op Op) []map[string][]string {
	switch op.Access {
	case Public:
		return []map[string][]string{}
	case Attempt:
		return []map[string][]string{{schemeAttempt: {}}}
	case Refresh: // or in the body
		a.huma.OpenAPI().Components.SecuritySchemes[schemeRefresh] = &huma.SecurityScheme{
			Type: "apiKey", In: "cookie", Name: op.Cookie, Description: "The refresh token of a browser's session.",
		}
		return []map[string][]string{{schemeRefresh: {}}, {}}
	case Resource:
		a.huma.OpenAPI().Components.SecuritySchemes[schemeResource] = &huma.SecurityScheme{
			Type: "http", Scheme: "basic", Description: "The id and secret of a resource server.",
		}
		return []map[string][]string{{schemeResource: {}}}
	case DropMember:
		a.huma.OpenAPI().Components.SecuritySchemes[schemeDrop] = &huma.SecurityScheme{
			Type: "apiKey", In: "header", Name: "Authorization", Description: "`Drop <token>`, with the token of the host or of a guest.",
		}
		return []map[string][]string{{schemeDrop: {}}}
	}
	return []map[string][]string{{schemeBearer: {}}}
}

// accessInWords describes the access for readers of the page.
func accessInWords(op Op) string {
	words := cmp.Or(map[Access]string{
		Session: "Session", StepUp: "Session with a recent proof", Attempt: "Sign-in attempt", Refresh: "Refresh token",
		Admin: "Admin", Resource: "Resource server", DropMember: "Member of the drop",
	}[op.Access], "Open to all")
	if op.Repairs {
		words += ", also a recovery session"
	}
	return words
}
