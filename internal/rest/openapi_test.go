package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// document is the served OpenAPI document, decoded as by another program.
func document(t testing.TB, w *world) map[string]any {
	t.Helper()
	got := w.do(t, "GET", "/v1/openapi.json", "")
	if got.status != 200 || got.header.Get("Content-Type") != "application/json" {
		t.Fatalf("got %d %v", got.status, got.header)
	}
	var doc map[string]any
	if err := json.Unmarshal([]byte(got.body), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// at walks into a document.
func at(doc any, path ...string) any {
	for _, name := range path {
		m, ok := doc.(map[string]any)
		if !ok {
			return nil
		}
		doc = m[name]
	}
	return doc
}

func eachOperation(doc map[string]any, f func(path, method string, op map[string]any)) {
	for path, item := range doc["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			f(path, method, op.(map[string]any))
		}
	}
}

// TestDocumentIsValid checks the rules of OpenAPI 3.1 that JSON Schema cannot express.
func TestDocumentIsValid(t *testing.T) {
	w := newWorld(t)
	doc := document(t, w)
	for _, problem := range invalid(doc) {
		t.Error(problem)
	}
	if v := doc["openapi"]; v != "3.1.0" {
		t.Errorf("openapi is %v", v)
	}
	count := 0
	eachOperation(doc, func(string, string, map[string]any) { count++ })
	if count != 9 {
		t.Errorf("got %d operations, want 9", count)
	}
}

// invalid lists a document's errors.
func invalid(doc map[string]any) (problems []string) {
	complain := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	schemes, _ := at(doc, "components", "securitySchemes").(map[string]any)
	ids := map[string]bool{}
	eachOperation(doc, func(path, method string, op map[string]any) {
		name := method + " " + path
		id, _ := op["operationId"].(string)
		if id == "" || ids[id] {
			complain("%s: operationId %q is empty or taken", name, id)
		}
		ids[id] = true
		if tags, _ := op["tags"].([]any); len(tags) != 1 {
			complain("%s: tags %v", name, op["tags"])
		}
		security, ok := op["security"].([]any)
		if !ok {
			complain("%s: does not say who may call it", name)
		}
		for _, one := range security {
			for scheme := range one.(map[string]any) {
				if schemes[scheme] == nil {
					complain("%s: unknown security scheme %s", name, scheme)
				}
			}
		}
		declared := map[string]bool{}
		params, _ := op["parameters"].([]any)
		for _, p := range params {
			key := fmt.Sprint(at(p, "in"), ".", at(p, "name"))
			if declared[key] || at(p, "schema") == nil || at(p, "in") == "path" && at(p, "required") != true {
				complain("%s: parameter %s", name, key)
			}
			declared[key] = true
		}
		for _, m := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(path, -1) {
			if !declared["path."+m[1]] {
				complain("%s: %s is not declared", name, m[0])
			}
		}
		good, bad := 0, 0
		responses, _ := op["responses"].(map[string]any)
		for status, r := range responses {
			if text, _ := at(r, "description").(string); text == "" {
				complain("%s: %s has no description", name, status)
			}
			if status[0] == '2' {
				good++
			} else if status == "304" {
				continue
			} else if at(r, "content", "application/problem+json", "schema", "$ref") == "#/components/schemas/Problem" && at(r, "x-coffer-codes") != nil {
				bad++
			} else {
				complain("%s: %s is no problem document", name, status)
			}
		}
		if good != 1 || bad == 0 {
			complain("%s: %d good answers and %d problem documents", name, good, bad)
		}
	})
	schemas, _ := at(doc, "components", "schemas").(map[string]any)
	for name := range schemas {
		if !regexp.MustCompile(`^[a-zA-Z0-9._-]+$`).MatchString(name) {
			complain("schema %q cannot be called that", name)
		}
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok && schemas[strings.TrimPrefix(ref, "#/components/schemas/")] == nil {
				complain("%s leads nowhere", ref)
			}
			for _, inner := range v {
				walk(inner)
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	walk(doc)
	return problems
}

// The check detects invalid documents.
func TestInvalidNotices(t *testing.T) {
	tests := map[string]string{
		`"operationId": "list-things"`:           `"operationId": "make-thing"`,
		`"#/components/schemas/Inner"`:           `"#/components/schemas/Gone"`,
		`"name": "how"`:                          `"name": "who"`,
		`"application/problem+json"`:             `"text/plain"`,
		`"bearer": []`:                           `"bear": []`,
		`"security": [],`:                        ``,
		`"description": "Created"`:               `"description": ""`,
		`"InvalidName": {`:                       ``,
		`"name": "limit"`:                        `"name": "cursor"`,
		`"x-coffer-codes"`:                       `"x-codes"`,
		`"in": "path",` + "\n" + `"name": "how"`: ``,
	}
	w := newWorld(t)
	whole := w.do(t, "GET", "/v1/openapi.json", "").body
	for old, instead := range tests {
		broken := strings.ReplaceAll(whole, old, instead)
		if broken == whole {
			continue
		}
		var doc map[string]any
		if err := json.Unmarshal([]byte(broken), &doc); err != nil {
			t.Fatalf("%s: %v", old, err)
		}
		if len(invalid(doc)) == 0 {
			t.Errorf("nobody notices %s instead of %s", instead, old)
		}
	}
}

func TestDocumentSaysWhatTypesSay(t *testing.T) {
	w := newWorld(t)
	doc := document(t, w)
	post := at(doc, "paths", "/things", "post")
	tests := []struct {
		name      string
		got, want any
	}{
		{"rows", at(post, "x-coffer-rows"), []any{"F-A1", "F-A2"}},
		{"body is required", at(post, "requestBody", "required"), true},
		{"no other names", at(doc, "components", "schemas", "ThingBody", "additionalProperties"), false},
		{"lists are no null", at(doc, "components", "schemas", "ThingBody", "properties", "tags", "type"), "array"},
		{"public", at(post, "security"), []any{}},
		{"session", at(doc, "paths", "/me", "get", "security"), []any{map[string]any{"bearer": []any{}}}},
		{"proof", at(doc, "paths", "/me", "delete", "x-coffer-step-up"), true},
		{"bytes", at(doc, "paths", "/picture", "get", "responses", "200", "content", "image/png", "schema", "format"), "binary"},
		{"bytes are no JSON", at(doc, "paths", "/picture", "get", "responses", "200", "content", "application/json"), nil},
		{"bytes have no header for their type", at(doc, "paths", "/picture", "get", "responses", "200", "headers", "Content-Type"), nil},
		{"stream in", at(doc, "paths", "/streams/{name}", "post", "requestBody", "content", "application/octet-stream", "schema", "format"), "binary"},
		{"stream out", at(doc, "paths", "/streams/{how}", "get", "responses", "200", "content", "application/octet-stream", "schema", "format"), "binary"},
		{"more answers", at(doc, "paths", "/streams/{how}", "get", "responses", "304", "description"), "As you have it."},
		{"server", at(doc, "servers"), []any{map[string]any{"url": "/v1"}}},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, test.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func codesOf(doc map[string]any, path, method string) (all []string) {
	responses, _ := at(doc, "paths", path, method, "responses").(map[string]any)
	for _, r := range responses {
		list, _ := at(r, "x-coffer-codes").([]any)
		for _, c := range list {
			all = append(all, c.(string))
		}
	}
	slices.Sort(all)
	return all
}

func TestDocumentNamesEveryCode(t *testing.T) {
	w := newWorld(t)
	doc := document(t, w)
	always := []string{"cross_origin", "internal_error", "unavailable", "unknown_host"}
	body := []string{"invalid_json", "validation_failed", "body_too_large", "body_unreadable", "unsupported_media_type", "busy"}
	tests := []struct {
		path, method string
		want         []string
	}{
		{"/things", "post", body},
		{"/things", "get", []string{"validation_failed"}},
		{"/me", "get", []string{"unauthenticated", "invalid_proof", "recovery_session", "recovery_only"}},
		{"/me", "delete", []string{"unauthenticated", "invalid_proof", "recovery_session", "step_up_required"}},
		{"/fail/{how}", "get", []string{"thing_gone", "validation_failed"}},
		{"/streams/{how}", "get", []string{"unauthenticated", "invalid_proof", "recovery_session", "not_found", "validation_failed", "too_many_streams", "busy"}},
	}
	for _, test := range tests {
		want := slices.Sorted(slices.Values(append(slices.Clone(always), test.want...)))
		if diff := cmp.Diff(want, codesOf(doc, test.path, test.method)); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", test.method, test.path, diff)
		}
	}
}

// Two types with one name become two schemas, each named after its origin.
func TestSchemaNames(t *testing.T) {
	a := New(Config{})
	type patchInput struct{ Body struct{ A int } }
	Register(a, Op{Method: "PATCH", Path: "/a", ID: "change-a", Tag: "Things"}, nothing[patchInput])
	func() {
		type patchInput struct{ Body struct{ B int } }
		Register(a, Op{Method: "PATCH", Path: "/b", ID: "change-b", Tag: "Things"}, nothing[patchInput])
	}()
	Register(a, Op{Method: "PUT", Path: "/a", ID: "put-a", Tag: "Things"}, nothing[patchInput])
	schemas := a.huma.OpenAPI().Components.Schemas.Map()
	var got []string
	for name, s := range schemas {
		for property := range s.Properties {
			got = append(got, name+"."+property)
		}
	}
	slices.Sort(got)
	got = slices.DeleteFunc(got, func(s string) bool { return strings.HasPrefix(s, "Problem") })
	if diff := cmp.Diff([]string{"ChangeBPatchInputBody.B", "PatchInputBody.A"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSameOperationsMakeTheSameDocument(t *testing.T) {
	first, err := OpenAPI(newWorld(t).API)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		again, err := OpenAPI(newWorld(t).API)
		if err != nil || string(again) != string(first) {
			t.Fatalf("differs (%v): %s", err, cmp.Diff(string(first), string(again)))
		}
	}
}

type hidden struct {
	Token string `json:"token"`
}

type Shown struct {
	Token string `json:"token"`
}

// Unusable operations are refused when the program starts.
func TestRegisterRefusesWhatCannotWork(t *testing.T) {
	get := func(path string) Op { return Op{Method: http.MethodPost, Path: path, ID: "x", Tag: "Things"} }
	tests := []struct {
		name     string
		register func(*API)
		panics   string
	}{
		{"embedded in a body", func(a *API) {
			Register(a, get("/x"), nothing[struct{ Body struct{ hidden } }])
		}, "embeds rest.hidden"},
		{"embedded further down", func(a *API) {
			Register(a, get("/x"), nothing[struct {
				Body struct{ List []*struct{ hidden } }
			}])
		}, "embeds rest.hidden"},
		{"embedded pointer", func(a *API) { Register(a, get("/x"), nothing[struct{ Body struct{ *hidden } }]) }, "embeds *rest.hidden"},
		{"embedded beside the body", func(a *API) { Register(a, get("/x"), nothing[struct{ hidden }]) }, "embeds rest.hidden"},
		{"embedded in an answer", func(a *API) {
			Register(a, get("/x"), func(context.Context, *struct{}) (*struct{ Body struct{ hidden } }, error) { return nil, nil })
		}, "embeds rest.hidden"},
		{"nameless type argument", func(a *API) {
			Register(a, get("/x"), func(context.Context, *struct{}) (*struct{ Body Page[struct{ A int }] }, error) { return nil, nil })
		}, "give the type a name"},
		{"address taken", func(a *API) {
			Register(a, get("/x"), nothing[struct{}])
			Register(a, get("/x"), nothing[struct{}])
		}, "duplicate operation"},
		{"exported", func(a *API) { Register(a, get("/x"), nothing[struct{ Body struct{ Shown } }]) }, ""},
		{"named, not embedded", func(a *API) { Register(a, get("/x"), nothing[struct{ Body struct{ Inner hidden } }]) }, ""},
		{"embedded under a name", func(a *API) {
			Register(a, get("/x"), nothing[struct {
				Body struct {
					hidden `json:"-"`
				}
			}])
		}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			defer func() {
				got := fmt.Sprint(recover())
				if test.panics == "" && got != "<nil>" || test.panics != "" && !strings.Contains(got, test.panics) {
					t.Errorf("panics with %s, want %q", got, test.panics)
				}
			}()
			test.register(New(Config{}))
		})
	}
}

// An exported embedded type works from end to end, unlike the refused ones.
func TestEmbeddedBody(t *testing.T) {
	w := newWorld(t)
	var got string
	Register(w.API, Op{Method: "POST", Path: "/embedded", ID: "embedded", Tag: "Things"},
		func(_ context.Context, in *struct{ Body struct{ Shown } }) (*struct{}, error) {
			got = in.Body.Token
			return nil, nil
		})
	if a := w.do(t, "POST", "/v1/embedded", `{"token":"abc"}`, "Content-Type: application/json"); a.status != 204 || got != "abc" {
		t.Errorf("got %d %s and %q", a.status, a.body, got)
	}
}
