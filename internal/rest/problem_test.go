package rest

import (
	"bufio"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/fault"
)

func TestKindsBecomeStatuses(t *testing.T) {
	w := newWorld(t)
	want := map[fault.Kind]int{
		fault.Internal: 500, fault.Malformed: 400, fault.Invalid: 422, fault.Unauthenticated: 401, fault.Forbidden: 403, fault.NotFound: 404,
		fault.MethodNotAllowed: 405, fault.NotAcceptable: 406, fault.Conflict: 409, fault.Gone: 410, fault.Precondition: 412, fault.TooLarge: 413,
		fault.UnsupportedMedia: 415, fault.BadRange: 416, fault.Limited: 429, fault.Unavailable: 503, fault.Checksum: 460,
	}
	if len(want) != len(statuses) {
		t.Fatalf("there are %d kinds, the test knows %d", len(statuses), len(want))
	}
	for k, status := range want {
		got := w.do(t, "GET", "/v1/fail/kind-"+string(rune('a'+k)), "")
		p := got.problem(t)
		if got.status != status {
			t.Errorf("kind %d: got %d, want %d", k, got.status, status)
		}
		title := http.StatusText(status)
		if k == fault.Checksum {
			title = "Checksum Mismatch" // of tus, so net/http has no words for it
		}
		wantDoc := Problem{
			Type: base + "/docs/errors#thing_gone", Title: title, Status: status,
			Detail: "The thing is gone.", Code: "thing_gone", RequestID: got.header.Get("X-Request-Id"),
		}
		if diff := cmp.Diff(wantDoc, p); diff != "" {
			t.Errorf("kind %d (-want +got):\n%s", k, diff)
		}
		if strings.Contains(got.body, secret) {
			t.Errorf("kind %d: the cause is in the answer: %s", k, got.body)
		}
	}
	if got := statusOf(fault.Kind(200)); got != 500 {
		t.Errorf("unknown kind: got %d, want 500", got)
	}
}

func TestProblemMembers(t *testing.T) {
	w := newWorld(t)
	var members map[string]any
	if err := json.Unmarshal([]byte(w.do(t, "GET", "/v1/fail/fields", "").body), &members); err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(maps.Keys(members))
	if diff := cmp.Diff([]string{"code", "detail", "errors", "request_id", "status", "title", "type"}, got); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	fields := []any{map[string]any{"pointer": "/name", "code": "taken", "detail": "That name is taken."}}
	if diff := cmp.Diff(fields, members["errors"]); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}

func TestLimitedSaysWhenToComeBack(t *testing.T) {
	w := newWorld(t)
	got := w.do(t, "GET", "/v1/fail/limited", "")
	if got.status != 429 {
		t.Fatalf("got %d", got.status)
	}
	for name, want := range map[string]string{"Retry-After": "2", "RateLimit-Policy": `"sign-in";q=10;w=60`, "RateLimit": `"sign-in";r=0;t=2`} {
		if v := got.header.Get(name); v != want {
			t.Errorf("%s: got %q, want %q", name, v, want)
		}
	}
}

func TestUnknownErrorsStayInside(t *testing.T) {
	w := newWorld(t)
	for how, status := range map[string]int{"unknown": 500, "panic": 500, "unavailable": 503} {
		got := w.do(t, "GET", "/v1/fail/"+how, "")
		p := got.problem(t)
		if got.status != status {
			t.Errorf("%s: got %d, want %d", how, got.status, status)
		}
		for _, inside := range []string{secret, "pq:", "goroutine", ".go:", "dial"} {
			if strings.Contains(got.body, inside) {
				t.Errorf("%s: the answer says %q: %s", how, inside, got.body)
			}
		}
		if status == 503 && got.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", how)
		}
		line := w.line(t, p.RequestID)
		if !strings.Contains(line, secret) {
			t.Errorf("%s: the log does not say why: %s", how, line)
		}
	}
}

// line returns the log lines of a request.
func (w *world) line(t testing.TB, id string) string {
	t.Helper()
	w.srv.Close() // an answer precedes its line: wait for all handlers
	var all []string
	for s := bufio.NewScanner(strings.NewReader(w.log.String())); s.Scan(); {
		var line map[string]any
		if err := json.Unmarshal(s.Bytes(), &line); err != nil {
			t.Fatalf("log line %q: %v", s.Text(), err)
		}
		if line["request_id"] == id {
			all = append(all, s.Text())
		}
	}
	w.srv = newServer(t, w.Handler())
	return strings.Join(all, "\n")
}

func TestLogLinesCannotBeForged(t *testing.T) {
	w := newWorld(t)
	for _, how := range []string{"unknown", "panic"} {
		p := w.do(t, "GET", "/v1/fail/"+how, "").problem(t)
		line := w.line(t, p.RequestID)
		for _, bad := range []string{"\x1b", "\r", `\r`, `\n`, `\u001b`} {
			if strings.Contains(line, bad) {
				t.Errorf("%s: the log holds %q: %s", how, bad, line)
			}
		}
	}
}

func TestLogHoldsNoPersonalData(t *testing.T) {
	w := newWorld(t)
	w.do(t, "GET", "/v1/things?cursor=canary-query", "", "User-Agent: canary-agent", "Cookie: a=canary-cookie", "X-Forwarded-For: 192.0.2.77")
	w.do(t, "POST", "/v1/things?x=canary-query", `{"name":"canarybody"}`, "Content-Type: application/json")
	w.do(t, "POST", "/v1/things", `{"name":"canarybody","canarybody":1}`, "Content-Type: application/json")
	w.do(t, "GET", "/v1/me", "", "Authorization: Bearer canary-token")
	w.do(t, "GET", "/v1/fail/canary-path", "")
	w.do(t, "GET", "/v1/nothing/canary-path", "")
	w.do(t, "GET", "/page/canary-path", "")
	w.do(t, "GET", "/v1/me", "", "Authorization: Bearer good")
	w.srv.Close()
	log := w.log.String()
	for _, canary := range []string{"canary", "192.0.2.77", "127.0.0.1", "alice", "Go-http-client"} {
		if strings.Contains(log, canary) {
			t.Errorf("the log holds %q:\n%s", canary, log)
		}
	}
	if n := strings.Count(log, `"msg":"request"`); n != 8 {
		t.Errorf("got %d lines, want one for each of 8 requests:\n%s", n, log)
	}
	if !strings.Contains(log, `"route":"GET /v1/fail/{how}"`) {
		t.Errorf("no line names its route:\n%s", log)
	}
}

func TestLogLevels(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		method, path, level string
	}{
		{"GET", "/v1/things", "DEBUG"}, {"GET", "/v1/me", "INFO"}, {"DELETE", "/v1/me", "INFO"},
		{"GET", "/v1/fail/unavailable", "WARN"}, {"GET", "/v1/fail/unknown", "ERROR"},
	}
	for _, test := range tests {
		id := w.do(t, test.method, test.path, "").header.Get("X-Request-Id")
		if line := w.line(t, id); !strings.Contains(line, `"level":"`+test.level+`"`) {
			t.Errorf("%s %s: got %s, want level %s", test.method, test.path, line, test.level)
		}
	}
}

func TestMuxRefusalsAreProblems(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		method, path string
		status       int
		code, allow  string
	}{
		{"GET", "/v1/nothing", 404, "not_found", ""},
		{"GET", "/v1", 404, "not_found", ""},
		{"GET", "/nothing", 404, "not_found", ""},
		{"GET", "/v1/things/", 404, "not_found", ""},
		{"GET", "/page/lost", 404, "not_found", ""},
		{"PUT", "/v1/things", 405, "method_not_allowed", "GET, HEAD, POST"},
		{"OPTIONS", "/v1/things", 405, "method_not_allowed", "GET, HEAD, POST"},
		{"POST", "/v1/me", 405, "method_not_allowed", "DELETE, GET, HEAD"},
		{"POST", "/page/x", 405, "method_not_allowed", "GET, HEAD"},
		{"TRACE", "/v1/things", 405, "method_not_allowed", "GET, HEAD, POST"},
		{"TRACE", "/page/x", 405, "method_not_allowed", "GET, HEAD"},
		{"TRACK", "/v1/me", 405, "method_not_allowed", "GET, HEAD, DELETE"},
		{"PROPFIND", "/page/x", 405, "method_not_allowed", "GET, HEAD"},
		{"get", "/v1/things", 405, "method_not_allowed", "GET, HEAD, POST"},
		{"XYZ", "/nothing", 405, "method_not_allowed", strings.Join(methods, ", ")},
	}
	for _, test := range tests {
		got := w.do(t, test.method, test.path, "")
		p := got.problem(t)
		if got.status != test.status || p.Code != test.code || got.header.Get("Allow") != test.allow {
			t.Errorf("%s %s: got %d %s Allow %q, want %d %s %q", test.method, test.path, got.status, p.Code, got.header.Get("Allow"), test.status, test.code, test.allow)
		}
	}
	if got := w.raw(t, "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); !strings.Contains(got, "HTTP/1.1 4") && !strings.Contains(got, "HTTP/1.1 200") {
		t.Errorf("OPTIONS *: got %q", got)
	}
	if got := w.raw(t, "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 405 ") {
		t.Errorf("CONNECT: got %q, want 405", got)
	}
}

func TestHeadHasNoBody(t *testing.T) {
	w := newWorld(t)
	got := w.do(t, "HEAD", "/v1/things?limit=1", "")
	if got.status != 200 || got.body != "" || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("got %d %q %v", got.status, got.body, got.header)
	}
}

func TestPicture(t *testing.T) {
	w := newWorld(t)
	got := w.do(t, "GET", "/v1/picture", "")
	if got.status != 200 || got.header.Get("Content-Type") != "image/png" || !strings.HasPrefix(got.body, "\x89PNG\r\n") {
		t.Errorf("got %d %v %q, want the bytes as image/png", got.status, got.header, got.body)
	}
	// Without a Content-Type of its own the answer has the operation's, never a guess.
	if got := w.do(t, "GET", "/v1/bytes", ""); got.header.Get("Content-Type") != "image/webp" || got.body != "<script>" {
		t.Errorf("got %v %q, want the bytes as image/webp", got.header, got.body)
	}
}
