package rest

import (
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

// Every reason for which a token is no good looks the same.
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
	if w.auth.method != "GET" || w.auth.url != base+"/v1/me?a=b" {
		t.Errorf("the authenticator saw %s %s, want GET %s/v1/me?a=b", w.auth.method, w.auth.url, base)
	}
}

func TestWithoutAnAuthenticator(t *testing.T) {
	w := newWorld(t)
	w.SetAuthenticator(nil)
	if got := w.do(t, "GET", "/v1/me", "", "Authorization: Bearer good"); got.status != 401 {
		t.Errorf("got %d, want 401", got.status)
	}
}

// The body of who may not call is not read: nothing can be learned from its errors.
func TestAdmissionComesBeforeTheBody(t *testing.T) {
	w := newWorld(t)
	Register(w.API, Op{Method: "POST", Path: "/mine", ID: "mine", Tag: "Things", Access: Session},
		nothing[thingInput])
	got := w.do(t, "POST", "/v1/mine", `{`, "Content-Type: application/json")
	if got.status != 401 {
		t.Errorf("got %d %s, want 401", got.status, got.body)
	}
}
