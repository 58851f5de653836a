package server

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

const oldReport = `{"csp-report":{"document-uri":"https://coffer.example/files/0199-secret?x=y","referrer":"","violated-directive":"script-src-elem","effective-directive":"script-src-elem",
	"original-policy":"default-src 'none'","blocked-uri":"https://evil.example/steal.js?who=alice","status-code":200}}`

const olderReport = `{"csp-report":{"document-uri":"https://coffer.example/files/0199-secret","violated-directive":"style-src-attr 'self'","blocked-uri":"inline"}}`

func TestReports(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		if got := w.do(t, "POST", ReportPath, oldReport, "Content-Type: application/csp-report"); got.status != 204 {
			t.Fatalf("got %d %s", got.status, got.body)
		}
		if got := w.do(t, "POST", ReportPath, olderReport, "Content-Type: application/csp-report"); got.status != 204 {
			t.Fatalf("got %d %s", got.status, got.body)
		}
	}
	log := w.log.String()
	for _, want := range []string{"directive=script-src-elem blocked=https:evil.example", "directive=style-src-attr blocked=inline"} {
		if n := strings.Count(log, want); n != 1 {
			t.Errorf("%q stands %d times in the log, want once:\n%s", want, n, log)
		}
	}
	for _, private := range []string{"secret", "alice", "steal", "x=y"} {
		if strings.Contains(log, private) {
			t.Errorf("the log holds %q:\n%s", private, log)
		}
	}
	w.clock.pass(reportWindow)
	w.do(t, "POST", ReportPath, oldReport, "Content-Type: application/csp-report")
	if n := strings.Count(w.log.String(), "blocked=https:evil.example"); n != 2 {
		t.Errorf("after the window: %d lines, want 2", n)
	}
}

func TestReportsAreBounded(t *testing.T) {
	w := newWorld(t)
	for i := range 3 * reportLines {
		w.do(t, "POST", ReportPath, strings.ReplaceAll(oldReport, "evil", "evil"+strconv.Itoa(i)), "Content-Type: application/csp-report")
	}
	if n := strings.Count(w.log.String(), "refused something"); n != reportLines {
		t.Errorf("got %d lines, want %d", n, reportLines)
	}
}

func TestReportsThatAreNone(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		name, contentType, body string
		status                  int
	}{
		{"no type", "", oldReport, 415},
		{"other type", "application/json", oldReport, 415},
		{"no JSON", "application/csp-report", "{", 400},
		{"reporting API", "application/reports+json", "[]", 415},
		{"a list", "application/csp-report", "[]", 400},
		{"long", "application/csp-report", `{"x":"` + strings.Repeat("x", reportBytes) + `"}`, 413},
		{"empty object", "application/csp-report", `{}`, 204},
		{"line breaks", "application/csp-report", `{"csp-report":{"effective-directive":"a\nlevel=ERROR","blocked-uri":"\u001b[31m\n"}}`, 204},
		{"from another site", "application/csp-report", oldReport, 403},
	}
	for _, test := range tests {
		var headers []string
		if test.contentType != "" {
			headers = append(headers, "Content-Type: "+test.contentType)
		}
		if test.status == 403 {
			headers = append(headers, "Sec-Fetch-Site: cross-site")
		}
		if got := w.do(t, "POST", ReportPath, test.body, headers...); got.status != test.status {
			t.Errorf("%s: got %d %s, want %d", test.name, got.status, got.body, test.status)
		}
	}
	if log := w.log.String(); strings.Contains(log, "\x1b") || strings.Contains(log, "\nlevel=ERROR") {
		t.Errorf("a report wrote into the log:\n%s", log)
	}
}

func TestWindowOfReportsNeedsNoWaiting(t *testing.T) {
	p := newReports(Config{Log: newStopped(t).cfg.Log, Now: func() time.Time { return time.Time{} }})
	p.keep(refused{"a", "b"}) // the zero time is a time
	if len(p.seen) != 1 {
		t.Errorf("got %v", p.seen)
	}
}
