package rest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestJSONHasOneReading(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		name, body, pointer, code string
	}{
		{"unknown name", `{"name":"ab","role":"admin"}`, "/role", "unknown_field"},
		{"unknown name further down", `{"name":"ab","inner":{"deep":[{"value":1,"x":2}]}}`, "/inner/deep/0/x", "unknown_field"},
		{"case variant", `{"Name":"ab"}`, "/Name", "unknown_field"},
		{"case variant beside the name", `{"name":"ab","NAME":"cd"}`, "/NAME", "unknown_field"},
		{"duplicate", `{"name":"ab","name":"cd"}`, "/name", "duplicate"},
		{"duplicate by escape", `{"name":"ab","\u006eame":"cd"}`, "/name", "duplicate"},
		{"duplicate further down", `{"name":"ab","inner":{"deep":[{"value":1,"value":2}]}}`, "/inner/deep/0/value", "duplicate"},
		{"duplicate where anything goes", `{"name":"ab","any":{"a":1,"a":2}}`, "/any/a", "duplicate"},
		{"bad UTF-8 in a value", "{\"name\":\"a\xff\"}", "/name", "malformed"},
		{"bad UTF-8 in a name", "{\"na\xffme\":\"ab\"}", "", "malformed"},
		{"lone surrogate", `{"name":"\ud800"}`, "/name", "malformed"},
		{"byte order mark", "\ufeff{\"name\":\"ab\"}", "", "malformed"},
		{"trailing value", `{"name":"ab"} {}`, "", "trailing"},
		{"trailing comma", `{"name":"ab",}`, "", "malformed"},
		{"comment", `{"name":"ab"/**/}`, "", "malformed"},
		{"single quotes", `{'name':'ab'}`, "", "malformed"},
		{"NaN", `{"name":"ab","share":NaN}`, "/share", "malformed"},
		{"leading zero", `{"name":"ab","count":03}`, "", "malformed"},
		{"no end", `{"name":"ab"`, "", "truncated"},
		{"only white space", "  \n", "", "malformed"},
		{"raw control character", "{\"name\":\"a\nb\"}", "/name", "malformed"},
		{"very deep", `{"name":"ab","any":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`, "", "too_complex"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := w.post(t, test.body)
			p := got.problem(t)
			if got.status != 400 || p.Code != "invalid_json" || len(p.Errors) == 0 {
				t.Fatalf("got %d %s, want 400 invalid_json with a field", got.status, got.body)
			}
			if len(got.body) > 2000 {
				t.Errorf("the answer has %d bytes", len(got.body))
			}
			f := p.Errors[0]
			if f.Code != test.code || test.pointer != "*" && f.Pointer != test.pointer {
				t.Errorf("got field %q %q, want %q %q", f.Pointer, f.Code, test.pointer, test.code)
			}
		})
	}
	if n := w.calls.Load(); n != 0 {
		t.Errorf("the handler ran %d times", n)
	}
}

func TestBodyNeedsAType(t *testing.T) {
	w := newWorld(t)
	const body = `{"name":"ab"}`
	tests := []struct {
		name   string
		types  []string
		status int
	}{
		{"plain", []string{"application/json"}, 201},
		{"with charset", []string{"application/json; charset=utf-8"}, 201},
		{"charset in capitals", []string{"Application/JSON;charset=UTF-8"}, 201},
		{"none", nil, 415},
		{"text", []string{"text/plain"}, 415},
		{"form", []string{"application/x-www-form-urlencoded"}, 415},
		{"other charset", []string{"application/json; charset=utf-16"}, 415},
		{"other parameter", []string{"application/json; version=2"}, 415},
		{"two", []string{"application/json", "application/json"}, 415},
		{"two in one", []string{"application/json, text/plain"}, 415},
		{"suffix", []string{"application/merge-patch+json"}, 415},
		{"garbage", []string{"application/json; charset"}, 415},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var headers []string
			for _, v := range test.types {
				headers = append(headers, "Content-Type: "+v)
			}
			got := w.do(t, "POST", "/v1/things", body, headers...)
			if got.status != test.status {
				t.Fatalf("got %d %s, want %d", got.status, got.body, test.status)
			}
			if test.status == 415 {
				if p := got.problem(t); p.Code != "unsupported_media_type" {
					t.Errorf("got code %q", p.Code)
				}
			}
		})
	}
}

func TestEmptyBody(t *testing.T) {
	w := newWorld(t)
	got := w.do(t, "POST", "/v1/things", "", "Content-Type: application/json")
	if p := got.problem(t); p.Status != 400 || p.Code != "invalid_json" {
		t.Errorf("got %s, want 400 invalid_json", got.body)
	}
	got = w.do(t, "POST", "/v1/things", "")
	if p := got.problem(t); p.Status != 415 {
		t.Errorf("without a type: got %s, want 415", got.body)
	}
}

func TestLongBodyIsRefusedUnread(t *testing.T) {
	w := newWorld(t)
	// The length alone causes the refusal: the client never sends the body.
	got := w.raw(t, "POST /v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1048577\r\nExpect: 100-continue\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 413 ") || !strings.Contains(got, "body_too_large") || strings.Contains(got, "100 Continue") {
		t.Errorf("got %q, want 413", got)
	}
	// Without a length the server counts the bytes.
	chunk := strings.Repeat(" ", 64<<10)
	var b strings.Builder
	b.WriteString("POST /v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
	for range 17 {
		b.WriteString(strconv.FormatInt(int64(len(chunk)), 16) + "\r\n" + chunk + "\r\n")
	}
	b.WriteString("0\r\n\r\n")
	if got := w.raw(t, b.String()); !strings.HasPrefix(got, "HTTP/1.1 413 ") {
		t.Errorf("chunked: got %q, want 413", got)
	}
	body := `{"name":"` + strings.Repeat("a", 1<<20) + `"}`
	if got := w.post(t, body); got.status != 413 {
		t.Errorf("got %d, want 413", got.status)
	}
	if n := w.calls.Load(); n != 0 {
		t.Errorf("the handler ran %d times", n)
	}
	small := newWorld(t, func(c *Config) { c.MaxBody = 20 })
	if got := small.post(t, `{"name":"ab","on":true}`); got.status != 413 {
		t.Errorf("own limit: got %d, want 413", got.status)
	}
}

func TestBodyThatStops(t *testing.T) {
	w := newWorld(t)
	for _, cause := range []error{os.ErrDeadlineExceeded, io.ErrUnexpectedEOF, errors.New("connection reset")} {
		r := httptest.NewRequest("POST", "http://localhost/v1/things", io.MultiReader(strings.NewReader(`{"name":"ab"}`), failing{cause}))
		r.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		w.Handler().ServeHTTP(rec, r)
		if rec.Code != 400 || !strings.Contains(rec.Body.String(), "body_unreadable") || rec.Header().Get("Connection") != "close" {
			t.Errorf("%v: got %d %s Connection %q, want 400 body_unreadable and a close", cause, rec.Code, rec.Body, rec.Header().Get("Connection"))
		}
	}
	if n := w.calls.Load(); n != 0 {
		t.Errorf("the handler ran %d times on half a body", n)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestFieldErrors(t *testing.T) {
	w := newWorld(t)
	type field struct{ Pointer, Code string }
	tests := []struct {
		name, body string
		want       []field
	}{
		{"missing", `{}`, []field{{"/name", "required"}}},
		{"null", `{"name":null}`, []field{{"/name", "wrong_type"}}},
		{"too short", `{"name":"q"}`, []field{{"/name", "too_short"}}},
		{"too long", `{"name":"canarycanary"}`, []field{{"/name", "too_long"}}},
		{"pattern", `{"name":"Canary"}`, []field{{"/name", "pattern"}}},
		{"length in characters", `{"name":"éééééééééé"}`, []field{{"/name", "pattern"}}},
		{"too small", `{"name":"ab","count":0}`, []field{{"/count", "too_small"}}},
		{"too big", `{"name":"ab","count":10}`, []field{{"/count", "too_big"}}},
		{"no integer", `{"name":"ab","count":1.5}`, []field{{"/count", "wrong_type"}}},
		{"string for a number", `{"name":"ab","count":"Canary"}`, []field{{"/count", "wrong_type"}}},
		{"enum", `{"name":"ab","kind":"Canary"}`, []field{{"/kind", "not_allowed"}}},
		{"too many", `{"name":"ab","tags":["a","b","c","d"]}`, []field{{"/tags", "too_many"}}},
		{"not unique", `{"name":"ab","tags":["Canary","Canary"]}`, []field{{"/tags", "not_unique"}}},
		{"inside a list", `{"name":"ab","inner":{"deep":[{"value":1},{"value":0}]}}`, []field{{"/inner/deep/1/value", "too_small"}}},
		{"missing further down", `{"name":"ab","inner":{"deep":[{}]}}`, []field{{"/inner/deep/0/value", "required"}}},
		{"no time", `{"name":"ab","at":"Canary"}`, []field{{"/at", "format"}}},
		{"no address", `{"name":"ab","link":"Canary:\u0001//%zz"}`, []field{{"/link", "format"}}},
		{"pattern without words", `{"name":"ab","odd":"Canary"}`, []field{{"/odd", "pattern"}}},
		{"not an object", `"Canary"`, []field{{"", "wrong_type"}}},
		{"several", `{"name":"q","count":0}`, []field{{"/count", "too_small"}, {"/name", "too_short"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := w.post(t, test.body)
			p := got.problem(t)
			if p.Status != 422 || p.Code != "validation_failed" {
				t.Fatalf("got %s, want 422 validation_failed", got.body)
			}
			var fields []field
			for _, f := range p.Errors {
				fields = append(fields, field{f.Pointer, f.Code})
				if f.Detail == "" || !strings.HasSuffix(f.Detail, ".") {
					t.Errorf("detail %q is no sentence", f.Detail)
				}
			}
			if diff := cmp.Diff(test.want, fields); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			if strings.Contains(strings.ToLower(got.body), "canary") || strings.Contains(got.body, "^") {
				t.Errorf("the value is repeated: %s", got.body)
			}
		})
	}
}

func TestGoodBody(t *testing.T) {
	w := newWorld(t)
	got := w.post(t, `{"name":"ab","kind":"round","tags":["x"],"inner":{"deep":[{"value":7}]},"at":"2026-01-02T03:04:05Z","any":{"free":[1]}}`)
	if got.status != 201 || got.header.Get("Etag") != `"1"` || got.header.Get("Content-Type") != "application/json" {
		t.Fatalf("got %d %v %s", got.status, got.header, got.body)
	}
	var b thingBody
	if err := json.Unmarshal([]byte(got.body), &b); err != nil {
		t.Fatal(err)
	}
	if got := w.post(t, `{"name":"ab","tags":null,"inner":null}`); got.status != 201 {
		t.Errorf("null for what may be absent: got %s, want 201", got.body)
	}
	if b.Count != 3 || b.Inner.Deep[0].Value != 7 || b.At.Year() != 2026 {
		t.Errorf("got %+v, want the values and the default 3", b)
	}
}

func TestParameters(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		query, pointer, code string
	}{
		{"limit=0", "query.limit", "too_small"}, {"limit=201", "query.limit", "too_big"}, {"limit=Canary", "query.limit", "wrong_type"},
		{"limit=99999999999999999999", "query.limit", "wrong_type"}, {"sort=Canary", "query.sort", "not_allowed"},
		{"cursor=" + strings.Repeat("c", 1025), "query.cursor", "too_long"},
	}
	for _, test := range tests {
		got := w.do(t, "GET", "/v1/things?"+test.query, "")
		p := got.problem(t)
		if p.Status != 422 || len(p.Errors) != 1 || p.Errors[0].Pointer != test.pointer || p.Errors[0].Code != test.code || strings.Contains(got.body, "Canary") {
			t.Errorf("%s: got %s, want 422 with %s %s", test.query, got.body, test.pointer, test.code)
		}
	}
	got := w.do(t, "GET", "/v1/things", "")
	if n := strings.Count(got.body, `"name"`); got.status != 200 || n != 50 {
		t.Errorf("got %d with %d items, want the default 50", got.status, n)
	}
	if got := w.do(t, "GET", "/v1/things?limit=1", "", "Accept: text/html, application/xml;q=0.9"); got.status != 200 {
		t.Errorf("Accept without JSON: got %d %s, want 200", got.status, got.body)
	}
}

func TestListsAreNeverNull(t *testing.T) {
	w := newWorld(t)
	if got := w.do(t, "GET", "/v1/things?limit=1", ""); !strings.HasPrefix(got.body, `{"items":[`) {
		t.Errorf("got %s", got.body)
	}
}

// FuzzJSON: an accepted body has one reading, and a refusal is a problem document.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"name":"ab"}`, `{"name":"ab","name":"ab"}`, `{"Name":"ab"}`, "{\"name\":\"a\xff\"}", `{"name":"ab","any":[[[{}]]]}`, `{"name":"ab"}x`, `[]`, `{"name":"ab","at":"2026-01-02T03:04:05Z"}`} {
		f.Add([]byte(s))
	}
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		before := w.calls.Load()
		r := httptest.NewRequest("POST", "http://localhost/v1/things", strings.NewReader(string(body)))
		r.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		w.Handler().ServeHTTP(rec, r)
		accepted := w.calls.Load() > before
		switch {
		case accepted != (rec.Code == 201):
			t.Fatalf("status %d, handler ran: %v", rec.Code, accepted)
		case accepted:
			if !utf8.Valid(body) || !json.Valid(body) {
				t.Fatalf("accepted %q", body)
			}
			var loose map[string]any
			if err := json.Unmarshal(body, &loose); err != nil || loose["name"] != w.got.Load().Name {
				t.Fatalf("two readings of %q: %v and %v", body, loose["name"], w.got.Load().Name)
			}
		default:
			p := answer{rec.Code, rec.Header(), rec.Body.String()}.problem(t)
			if rec.Code != 400 && rec.Code != 422 && rec.Code != 415 || p.Status != rec.Code {
				t.Fatalf("got %d %s", rec.Code, rec.Body)
			}
		}
	})
}
