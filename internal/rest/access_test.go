package rest

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAccess(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		name, method, path string
		headers            []string
		status             int
		code               string
	}{
		{"public without a token", "GET", "/v1/things", nil, 200, ""},
		{"public with a bad token", "GET", "/v1/things", []string{"Authorization: Bearer bad"}, 200, ""},
		{"session", "GET", "/v1/me", []string{"Authorization: Bearer good"}, 200, ""},
		{"session, none", "GET", "/v1/me", nil, 401, "unauthenticated"},
		{"session, bad", "GET", "/v1/me", []string{"Authorization: Bearer bad"}, 401, "unauthenticated"},
		{"session, expired", "GET", "/v1/me", []string{"Authorization: Bearer expired"}, 401, "unauthenticated"},
		{"session, basic", "GET", "/v1/me", []string{"Authorization: Basic Z29vZDpnb29k"}, 401, "unauthenticated"},
		{"session, twice", "GET", "/v1/me", []string{"Authorization: Bearer good", "Authorization: Bearer good"}, 401, "unauthenticated"},
		{"session, forbidden", "GET", "/v1/me", []string{"Authorization: Bearer blocked"}, 403, "recovery_only"},
		{"session, store away", "GET", "/v1/me", []string{"Authorization: Bearer down"}, 503, "unavailable"},
		{"session, bug", "GET", "/v1/me", []string{"Authorization: Bearer broken"}, 500, "internal_error"},
		{"proof", "DELETE", "/v1/me", []string{"Authorization: Bearer good"}, 204, ""},
		{"proof, stale", "DELETE", "/v1/me", []string{"Authorization: Bearer stale"}, 403, "step_up_required"},
		{"proof, none", "DELETE", "/v1/me", nil, 401, "unauthenticated"},
		{"stream", "GET", "/v1/streams/x", []string{"Authorization: Bearer good"}, 200, ""},
		{"stream, none", "GET", "/v1/streams/x", nil, 401, "unauthenticated"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w.calls.Store(0)
			got := w.do(t, test.method, test.path, "", test.headers...)
			if got.status != test.status {
				t.Fatalf("got %d %s, want %d", got.status, got.body, test.status)
			}
			want := int32(1)
			if test.code != "" {
				want = 0
				if p := got.problem(t); p.Code != test.code {
					t.Errorf("got code %q, want %q", p.Code, test.code)
				}
			}
			if n := w.calls.Load(); n != want {
				t.Errorf("the handler ran %d times, want %d", n, want)
			}
			if challenge := got.header.Get("WWW-Authenticate"); (challenge != "") != (test.status == 401) {
				t.Errorf("WWW-Authenticate %q with status %d", challenge, got.status)
			}
			if strings.Contains(got.body, secret) {
				t.Errorf("the cause is in the answer: %s", got.body)
			}
		})
	}
}

// Refusals of a token look alike, whatever the reason.
func TestRefusedTokensLookAlike(t *testing.T) {
	w := newWorld(t)
	var first answer
	for i, header := range []string{"Authorization: ", "Authorization: Bearer bad", "Authorization: Bearer expired", "Authorization: Attempt x"} {
		got := w.do(t, "GET", "/v1/me", "", header)
		got.body = strings.ReplaceAll(got.body, got.header.Get("X-Request-Id"), "")
		got.header.Del("X-Request-Id")
		got.header.Del("Date")
		if i == 0 {
			first = got
		} else if diff := cmp.Diff([]any{first.status, first.header, first.body}, []any{got.status, got.header, got.body}); diff != "" {
			t.Errorf("%s differs:\n%s", header, diff)
		}
	}
}

func TestCallerReachesTheHandler(t *testing.T) {
	w := newWorld(t)
	got := w.do(t, "GET", "/v1/me?a=b", "", "Authorization: Bearer good")
	if !strings.Contains(got.body, `"alice"`) || !strings.Contains(got.body, `"s1"`) {
		t.Errorf("got %s", got.body)
	}
}

func TestWithoutAnAuthenticator(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Auth = nil })
	if got := w.do(t, "GET", "/v1/me", "", "Authorization: Bearer good"); got.status != 401 {
		t.Errorf("got %d, want 401", got.status)
	}
}

// A refused caller's body is not read, so its errors reveal nothing.
func TestAdmissionComesBeforeTheBody(t *testing.T) {
	w := newWorld(t)
	Register(w.API, Op{Method: "POST", Path: "/mine", ID: "mine", Tag: "Things", Access: Session},
		nothing[thingInput])
	got := w.do(t, "POST", "/v1/mine", `{`, "Content-Type: application/json")
	if got.status != 401 {
		t.Errorf("got %d %s, want 401", got.status, got.body)
	}
}

// Every access admits its callers and refuses all others.
func TestEachAccess(t *testing.T) {
	w := newWorld(t)
	accesses := []Op{
		{Access: Public}, {Access: Session}, {Access: StepUp}, {Access: Attempt}, {Access: Refresh}, {Access: Session, Repairs: true, Weakly: true}, {Access: Admin},
		{Access: Session, Repairs: true}, {Access: StepUp, Repairs: true},
	}
	for i, op := range accesses {
		for _, method := range []string{"GET", "POST"} {
			op.Method, op.Path, op.ID, op.Tag, op.Cookie = method, "/access/"+string(rune('0'+i)), method+string(rune('0'+i)), "Access", "__Host-refresh"
			Register(w.API, op, nothing[struct{}])
		}
	}
	const ok = 204
	tests := []struct {
		token string
		read  [9]int // status of a GET for each access
		write [9]int // of a POST
	}{
		{"", [9]int{ok, 401, 401, ok, ok, 401, 401, 401, 401}, [9]int{ok, 401, 401, ok, ok, 401, 401, 401, 401}},
		{"bad", [9]int{ok, 401, 401, ok, ok, 401, 401, 401, 401}, [9]int{ok, 401, 401, ok, ok, 401, 401, 401, 401}},
		{"good", [9]int{ok, ok, ok, ok, ok, ok, 403, ok, ok}, [9]int{ok, ok, ok, ok, ok, ok, 403, ok, ok}},
		{"stale", [9]int{ok, ok, 403, ok, ok, ok, 403, ok, 403}, [9]int{ok, ok, 403, ok, ok, ok, 403, ok, 403}},
		{"repair", [9]int{ok, 403, 403, ok, ok, ok, 403, 403, 403}, [9]int{ok, 403, 403, ok, ok, ok, 403, 403, 403}},
		{"strong repair", [9]int{ok, 403, 403, ok, ok, ok, 403, ok, ok}, [9]int{ok, 403, 403, ok, ok, ok, 403, ok, ok}},
		{"admin", [9]int{ok, ok, ok, ok, ok, ok, ok, ok, ok}, [9]int{ok, ok, ok, ok, ok, ok, ok, ok, ok}},
		{"stale admin", [9]int{ok, ok, 403, ok, ok, ok, ok, ok, 403}, [9]int{ok, ok, 403, ok, ok, ok, 403, ok, 403}},
	}
	for _, test := range tests {
		for method, want := range map[string][9]int{"GET": test.read, "POST": test.write} {
			for i := range accesses {
				got := w.do(t, method, "/v1/access/"+string(rune('0'+i)), "", "Authorization: Bearer "+test.token)
				if got.status != want[i] {
					t.Errorf("%q, %s, access %d: got %d %s, want %d", test.token, method, i, got.status, got.body, want[i])
				}
			}
		}
	}

	doc := document(t, w)
	for _, problem := range invalid(doc) {
		t.Error(problem)
	}
	bearer := []any{map[string]any{"bearer": []any{}}}
	for i, want := range [][]any{
		{}, bearer, bearer, {map[string]any{"attempt": []any{}}}, {map[string]any{"refresh_cookie": []any{}}, map[string]any{}}, bearer, bearer, bearer, bearer,
	} {
		if diff := cmp.Diff(any(want), at(doc, "paths", "/access/"+string(rune('0'+i)), "get", "security")); diff != "" {
			t.Errorf("access %d (-want +got):\n%s", i, diff)
		}
	}
	if got := at(doc, "components", "securitySchemes", "refresh_cookie", "name"); got != "__Host-refresh" {
		t.Errorf("the cookie is %v", got)
	}
	if diff := cmp.Diff([]string{"admin_only", "cross_origin", "internal_error", "invalid_proof", "recovery_session", "unauthenticated", "unavailable", "unknown_host"}, codesOf(doc, "/access/6", "get")); diff != "" {
		t.Errorf("reading as an admin (-want +got):\n%s", diff)
	}
	if got := codesOf(doc, "/access/6", "post"); !slices.Contains(got, "step_up_required") {
		t.Errorf("changing as an admin answers %v", got)
	}
}
