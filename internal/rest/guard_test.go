package rest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"coffer/internal/fault"
)

func TestEveryAnswerIsGuarded(t *testing.T) {
	w := newWorld(t)
	requests := []struct {
		method, path, body string
		headers            []string
		status             int
	}{
		{"GET", "/v1/things", "", nil, 200},
		{"POST", "/v1/things", `{"name":"ab"}`, []string{"Content-Type: application/json"}, 201},
		{"DELETE", "/v1/me", "", []string{"Authorization: Bearer good"}, 204},
		{"GET", "/v1//things", "", nil, 200}, // after the redirect of the mux
		{"POST", "/v1/things", `{`, []string{"Content-Type: application/json"}, 400},
		{"GET", "/v1/me", "", nil, 401},
		{"POST", "/v1/things", "", []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"GET", "/v1/nothing", "", nil, 404},
		{"GET", "/nothing", "", nil, 404},
		{"TRACE", "/", "", nil, 405},
		{"PATCH", "/v1/things", "", nil, 405},
		{"POST", "/v1/things", "x", nil, 415},
		{"GET", "/v1/things?limit=0", "", nil, 422},
		{"GET", "/v1/fail/panic", "", nil, 500},
		{"GET", "/v1/fail/unknown", "", nil, 500},
		{"GET", "/v1/fail/unavailable", "", nil, 503},
		{"GET", "/v1/things", "", []string{"Host: evil.example"}, 400},
		{"GET", "/v1/streams/x", "", []string{"Authorization: Bearer good"}, 200},
		{"GET", "/page/x", "", nil, 200},
		{"GET", "/docs", "", nil, 200},
		{"GET", "/docs/errors", "", nil, 200},
		{"GET", "/docs/style.css", "", nil, 200},
		{"GET", "/v1/openapi.json", "", nil, 200},
	}
	ids := map[string]bool{}
	for _, q := range requests {
		name := q.method + " " + q.path
		got := w.do(t, q.method, q.path, q.body, q.headers...)
		if got.status != q.status {
			t.Errorf("%s: got %d, want %d", name, got.status, q.status)
		}
		checkHeaders(t, name, got.header)
		id := got.header.Get("X-Request-Id")
		if !regexp.MustCompile(`^[0-9a-z]{20}$`).MatchString(id) || ids[id] {
			t.Errorf("%s: X-Request-Id %q", name, id)
		}
		ids[id] = true
		if got.body != "" && got.header.Get("Content-Type") == "" {
			t.Errorf("%s: a body without a type", name)
		}
	}
	if w.calls.Load() != 5 {
		t.Errorf("handlers ran %d times, want 5", w.calls.Load())
	}
}

func checkHeaders(t *testing.T, name string, h http.Header) {
	t.Helper()
	for field, want := range map[string]string{
		"Strict-Transport-Security":    `^max-age=(6[3-9]|[7-9]\d)\d{6}; includeSubDomains$`,
		"X-Content-Type-Options":       `^nosniff$`,
		"Referrer-Policy":              `^no-referrer$`,
		"Cross-Origin-Opener-Policy":   `^same-origin$`,
		"Cross-Origin-Resource-Policy": `^same-origin$`,
		"Content-Security-Policy":      `default-src '(none|self)'`,
		"Cache-Control":                `^(no-store|no-cache)$`,
		"Permissions-Policy":           `camera=\(\)`,
	} {
		if v := h.Values(field); len(v) != 1 || !regexp.MustCompile(want).MatchString(v[0]) {
			t.Errorf("%s: %s is %q, want %s", name, field, v, want)
		}
	}
	for field := range h {
		if strings.HasPrefix(field, "Access-Control-") || field == "Server" || field == "X-Powered-By" {
			t.Errorf("%s: answers %s", name, field)
		}
	}
}

func TestNoCORS(t *testing.T) {
	w := newWorld(t)
	for _, origin := range []string{"https://evil.example", "null", "https://coffer.example.evil.example", base} {
		for _, method := range []string{"GET", "OPTIONS", "POST"} {
			got := w.do(t, method, "/v1/things", "", "Origin: "+origin, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization")
			for field := range got.header {
				if strings.HasPrefix(field, "Access-Control-") {
					t.Errorf("%s from %s: answers %s", method, origin, field)
				}
			}
		}
	}
}

func TestCrossOrigin(t *testing.T) {
	w := newWorld(t)
	const local = "127.0.0.1:4321"
	tests := []struct {
		name, method, host, origin, site string
		ok                               bool
	}{
		{"no browser", "POST", "coffer.example", "", "", true},
		{"our page", "POST", "coffer.example", base, "same-origin", true},
		{"our page, old browser", "POST", "coffer.example", base, "", true},
		{"typed by hand", "POST", "coffer.example", "", "none", true},
		{"loopback page", "POST", local, "http://" + local, "same-origin", true},
		{"loopback page, old browser", "POST", local, "http://" + local, "", true},
		{"another site", "POST", "coffer.example", "https://evil.example", "cross-site", false},
		{"another site, old browser", "POST", "coffer.example", "https://evil.example", "", false},
		{"another site without origin", "POST", "coffer.example", "", "cross-site", false},
		{"sibling domain", "POST", "coffer.example", "https://www.coffer.example", "same-site", false},
		{"null", "POST", "coffer.example", "null", "", false},
		{"null, same origin", "POST", "coffer.example", "null", "same-origin", false},
		{"other scheme", "POST", "coffer.example", "http://coffer.example", "", false},
		{"other port", "POST", "coffer.example", "https://coffer.example:8443", "", false},
		{"longer name", "POST", "coffer.example", "https://coffer.example.evil.example", "", false},
		{"other loopback port", "POST", local, "http://127.0.0.1:9", "", false},
		{"other loopback port that says it is ours", "POST", local, "http://127.0.0.1:9", "same-origin", false},
		{"garbage", "POST", "coffer.example", "://", "", false},
		{"delete", "DELETE", "coffer.example", "https://evil.example", "cross-site", false},
		{"patch", "PATCH", "coffer.example", "https://evil.example", "cross-site", false},
		{"put", "PUT", "coffer.example", "https://evil.example", "cross-site", false},
		{"a link elsewhere", "GET", "coffer.example", "", "cross-site", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, "http://"+test.host+"/v1/nothing", nil)
			if test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
			if test.site != "" {
				r.Header.Set("Sec-Fetch-Site", test.site)
			}
			rec := httptest.NewRecorder()
			w.Handler().ServeHTTP(rec, r)
			want := http.StatusNotFound // the request reached the mux
			if !test.ok {
				want = http.StatusForbidden
			}
			if rec.Code != want {
				t.Errorf("got %d %s, want %d", rec.Code, rec.Body, want)
			}
		})
	}
}

// A page of another site that shows our addresses as pictures, or sends its readers to them, causes
// no call of an operation: the refusals that they would get count against their addresses.
func TestOtherSites(t *testing.T) {
	w := newWorld(t)
	for path, op := range map[string]Op{"/embeds": {Embeds: true}, "/returns": {Returns: true}} {
		op.Method, op.Path, op.ID, op.Tag = "GET", path, path[1:], "Things"
		Register(w.API, op, nothing[struct{}])
	}
	const everywhere, embeds, returns = "/v1/things /v1/me /v1/streams/x /v1/embeds /v1/returns", "/v1/embeds", "/v1/embeds /v1/returns"
	for _, test := range []struct{ site, dest, passes string }{
		{"", "", everywhere}, {"same-origin", "empty", everywhere}, {"same-origin", "document", everywhere}, {"none", "document", everywhere},
		{"cross-site", "document", returns}, {"same-site", "document", returns}, {"cross-site", "", returns},
		{"cross-site", "image", embeds}, {"cross-site", "iframe", embeds}, {"cross-site", "empty", embeds}, {"same-site", "script", embeds},
	} {
		for path := range strings.SplitSeq(everywhere, " ") {
			got := w.do(t, "GET", path, "", "Authorization: Bearer good", "Sec-Fetch-Site: "+test.site, "Sec-Fetch-Dest: "+test.dest)
			passes := slices.Contains(strings.Fields(test.passes), path)
			if refused := strings.Contains(got.body, "cross_origin"); refused == passes || refused != (got.status == http.StatusForbidden) {
				t.Errorf("%s, %q %q: %d %s", path, test.site, test.dest, got.status, got.body)
			}
		}
	}
}

// TestOtherSitesBlockNoReader sends a browser to a link that does not exist. Such refusals count against
// its address, but not when a page of another site is the cause.
func TestOtherSitesBlockNoReader(t *testing.T) {
	w := newWorld(t)
	var told []Refusal
	w.SetDoor(Door{Answered: func(_ context.Context, r Refusal) { told = append(told, r) }})
	Register(w.API, Op{Method: "GET", Path: "/links/{token}", ID: "read-link", Tag: "Things", Errors: []*fault.Error{errNoStream}},
		func(context.Context, *struct {
			Token string `path:"token"`
		}) (*struct{}, error) {
			return nil, errNoStream
		})
	for site, want := range map[string]int{"none": 1, "same-origin": 1, "": 1, "cross-site": 0, "same-site": 0} {
		told = nil
		r := httptest.NewRequest("GET", base+"/v1/links/AAAA", nil)
		r.Header.Set("Sec-Fetch-Site", site)
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		r.Header.Set("Sec-Fetch-Dest", "document")
		rec := httptest.NewRecorder()
		w.Handler().ServeHTTP(rec, r)
		if len(told) != want || rec.Code != map[int]int{0: http.StatusForbidden, 1: http.StatusNotFound}[want] {
			t.Errorf("%q: %d, counted %v", site, rec.Code, told)
		}
	}
}

// No id, name or token of the API holds NUL or bytes that are not UTF-8, and PostgreSQL takes none.
func TestAddressesAreText(t *testing.T) {
	w := newWorld(t)
	for path, want := range map[string]string{
		"/v1/fail/a": "204", "/v1/fail/%C3%A9": "204", "/v1/fail/%00": "404 not_found", "/v1/fail/%ff": "404 not_found", "/v1/fail/%ED%A0%80": "404 not_found", "/v1/nothing%00": "404 not_found",
		"/v1/things?cursor=%C3%A9+%25": "200", "/v1/things?cursor=%00": "422 query.cursor", "/v1/things?x=1&cursor=%ff": "422 query.cursor", "/v1/things?cursor=%C3&x=%A9": "422 query.cursor", "/v1/things?limit=%00": "422 query.limit",
		"/v1/things?a%00=1": "422 query", "/page/%00": "200", "/page/x?%ff=%00": "200",
	} {
		got := w.do(t, "GET", path, "")
		have := strconv.Itoa(got.status)
		if got.status >= 400 {
			p := got.problem(t)
			if have += " " + p.Code; len(p.Errors) > 0 {
				have = strconv.Itoa(got.status) + " " + p.Errors[0].Pointer
			}
		}
		if have != want {
			t.Errorf("%s: %s, want %s: %s", path, have, want, got.body)
		}
	}
}

func TestHost(t *testing.T) {
	proxied := newWorld(t, func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	tests := []struct {
		host, peer string
		ok         bool
	}{
		{"coffer.example", "192.0.2.1:1", true}, {"COFFER.example", "192.0.2.1:1", true}, {"coffer.example:8443", "192.0.2.1:1", true},
		{"localhost", "127.0.0.1:1", true}, {"LocalHost:8420", "127.0.0.1:1", true}, {"127.0.0.1:8420", "127.0.0.1:1", true}, {"127.9.9.9", "127.0.0.1:1", true},
		{"[::1]:8420", "[::1]:1", true}, {"[::1]", "[::1]:1", true},
		{"evil.example", "192.0.2.1:1", false}, {"coffer.example.evil.example", "192.0.2.1:1", false}, {"evil.example:443", "127.0.0.1:1", false},
		{"localhost.evil.example", "127.0.0.1:1", false}, {"127.0.0.1.evil.example", "127.0.0.1:1", false}, {"192.0.2.9", "192.0.2.1:1", false},
		{"", "192.0.2.1:1", false}, {"coffer.example.", "192.0.2.1:1", false},
		{"inside:8080", "10.1.2.3:1", true}, {"inside:8080", "11.1.2.3:1", false},
	}
	for _, test := range tests {
		for _, path := range []string{"/v1/things", "/page/x", "/healthz"} {
			r := httptest.NewRequest("GET", "http://x"+path, nil)
			r.Host, r.RemoteAddr = test.host, test.peer
			rec := httptest.NewRecorder()
			proxied.Handler().ServeHTTP(rec, r)
			want := 400
			if test.ok || path == "/healthz" {
				want = 200
			}
			if rec.Code != want {
				t.Errorf("Host %q from %s at %s: got %d, want %d", test.host, test.peer, path, rec.Code, want)
			}
		}
	}
	// The absolute form of a request's target determines the host (RFC 9112 §3.2.2).
	got := proxied.raw(t, "GET http://evil.example/v1/things HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 400 ") || !strings.Contains(got, "unknown_host") {
		t.Errorf("absolute form: got %q, want 400", got)
	}
}

// The body of an HTTP/1.0 request with Transfer-Encoding would stay on the connection and
// be read as a new request (RFC 9112 §6.1).
func TestOldProtocolClosesTheConnection(t *testing.T) {
	w := newWorld(t)
	smuggled := "GET /v1/things HTTP/1.1\r\nHost: localhost\r\n\r\n"
	for _, head := range []string{
		"GET /v1/things HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n",
		"GET /v1/things HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		w.calls.Store(0)
		got := w.raw(t, head+smuggled)
		if n := w.calls.Load(); n != 1 || strings.Count(got, "HTTP/1.") != 1 || !strings.Contains(got, "Connection: close") {
			t.Errorf("%q: the handler ran %d times, want once and a closed connection: %q", head, n, got)
		}
	}
	w.calls.Store(0)
	w.raw(t, "GET /v1/things HTTP/1.1\r\nHost: localhost\r\n\r\nGET /v1/things HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	if n := w.calls.Load(); n != 2 {
		t.Errorf("HTTP/1.1: the handler ran %d times, want 2", n)
	}
}

// A front proxy may see another end of a request with both a length and chunks (RFC 9112
// §6.1). The bytes after it are no request.
func TestChunksCloseTheConnection(t *testing.T) {
	w := newWorld(t)
	body := `{"name":"ab"}`
	got := w.raw(t, "POST /v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 3\r\n"+
		"Transfer-Encoding: chunked\r\n\r\nd\r\n"+body+"\r\n0\r\n\r\nGET /v1/things HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if n := w.calls.Load(); n != 1 || strings.Count(got, "HTTP/1.") != 1 || !strings.Contains(got, "Connection: close") {
		t.Errorf("the handlers ran %d times, want once and a closed connection: %q", n, got)
	}
}

// net/url drops unreadable parameters and takes the first of two; the server refuses such
// queries.
func TestOneReadingOfTheQuery(t *testing.T) {
	w := newWorld(t)
	for query, want := range map[string]int{
		"limit=1": 200, "limit=1&": 200, "": 200, "unknown=1": 200,
		"limit=1;x": 400, "x;limit=1": 400, "limit=%zz": 400,
		"limit=1&limit=2": 422, "limit=1&limit=1": 422, "l%69mit=1&limit=1": 422, "x=1&x=2": 422,
	} {
		if got := w.do(t, "GET", "/v1/things?"+query, ""); got.status != want {
			t.Errorf("%q: got %d, want %d: %s", query, got.status, want, got.body)
		}
	}
	stream := w.do(t, "GET", "/v1/streams/x?a=b;c", "", "Authorization: Bearer good")
	if stream.status != 400 || !strings.Contains(stream.body, "malformed_request") {
		t.Errorf("a stream: got %d %s", stream.status, stream.body)
	}
	long := strings.Repeat("a", 10_000)
	if got := w.do(t, "GET", "/v1/things?"+long+"=1&"+long+"=2", ""); got.status != 422 || len(got.body) > 2000 {
		t.Errorf("a long name: got %d with %d bytes", got.status, len(got.body))
	}
}

// Compressed content would be read or stored as if it were plain.
func TestContentEncodingIsRefused(t *testing.T) {
	w := newWorld(t)
	for coding, want := range map[string]int{"": 201, "identity": 201, "gzip": 415, "br": 415, "identity, gzip": 415} {
		if got := w.do(t, "POST", "/v1/things", `{"name":"ab"}`, "Content-Type: application/json", "Content-Encoding: "+coding); got.status != want {
			t.Errorf("%q: got %d, want %d: %s", coding, got.status, want, got.body)
		}
	}
}

func TestOddRequests(t *testing.T) {
	w := newWorld(t)
	for name, text := range map[string]string{
		"two lengths":        "POST /v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
		"signed length":      "POST /v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: +3\r\n\r\nabc",
		"unknown encoding":   "POST /v1/things HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"two hosts":          "GET /v1/things HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
		"no host":            "GET /v1/things HTTP/1.1\r\n\r\n",
		"escape in a header": "GET /v1/things HTTP/1.1\r\nHost: localhost\r\nUser-Agent: \x1b[31m\r\n\r\n",
		"bad chunk":          "POST /v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nd\n{\"name\":\"ab\"}\r\n0\r\n\r\n",
	} {
		got := w.raw(t, text)
		if !strings.HasPrefix(got, "HTTP/1.1 4") && !strings.HasPrefix(got, "HTTP/1.1 501") {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if n := w.calls.Load(); n != 0 {
		t.Errorf("handlers ran %d times", n)
	}
}
