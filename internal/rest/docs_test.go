package rest

import (
	"regexp"
	"strings"
	"testing"
)

func TestDocsPage(t *testing.T) {
	w := newWorld(t)
	got := w.do(t, "GET", "/docs", "")
	if got.status != 200 || got.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("got %d %v", got.status, got.header)
	}
	for _, want := range []string{
		`<article id="make-thing">`, "/v1/things/", "Make a thing", "Takes <code>name</code> and more.", "2 to 10 characters; small letters",
		`<code>inner.deep[].value</code>`, "one of <code>round</code>, <code>square</code>", "default <code>50</code>", "Session with a recent proof",
		`href="/docs/errors#thing_gone"`, "image/png", "list of ", "1.2.3", `<span class="soft">query</span>`, `<span class="needed">required</span>`,
	} {
		if want == "/v1/things/" {
			want = "<code>/v1/things</code>"
		}
		if !strings.Contains(got.body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	doc := document(t, w)
	eachOperation(doc, func(path, method string, op map[string]any) {
		if !strings.Contains(got.body, `<article id="`+op["operationId"].(string)+`">`) {
			t.Errorf("the page lacks %s %s", method, path)
		}
	})
}

// The pages follow their own policy: no script, no inline style, no foreign resource.
func TestDocsKeepToTheirPolicy(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/docs", "/docs/errors"} {
		got := w.do(t, "GET", path, "")
		if csp := got.header.Get("Content-Security-Policy"); csp != "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'" {
			t.Errorf("%s: policy %q", path, csp)
		}
		for _, bad := range []string{"<script", "<style", " style=", " onclick", "javascript:", "<img", "<iframe", "<form", "@import"} {
			if strings.Contains(got.body, bad) {
				t.Errorf("%s holds %s", path, bad)
			}
		}
		for _, m := range regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(got.body, -1) {
			if !strings.HasPrefix(m[1], "/") && !strings.HasPrefix(m[1], "#") || strings.HasPrefix(m[1], "//") {
				t.Errorf("%s leads to %s", path, m[1])
			}
		}
		ids := map[string]bool{}
		for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(got.body, -1) {
			if ids[m[1]] {
				t.Errorf("%s has id %s twice", path, m[1])
			}
			ids[m[1]] = true
		}
	}
	css := w.do(t, "GET", "/docs/style.css", "")
	if css.status != 200 || css.header.Get("Content-Type") != "text/css; charset=utf-8" || strings.Contains(css.body, "url(") {
		t.Errorf("stylesheet: %d %v", css.status, css.header)
	}
}

func TestDocsEscape(t *testing.T) {
	w := newWorld(t)
	Register(w.API, Op{Method: "GET", Path: "/odd", ID: "odd", Tag: "Odd & <b>", Summary: "<script>alert(1)</script>", Description: "a `<i>` b"}, nothing[struct{}])
	got := w.do(t, "GET", "/docs", "").body
	if strings.Contains(got, "<script>") || strings.Contains(got, "<b>") || strings.Contains(got, "<i>") || !strings.Contains(got, "<code>&lt;i&gt;</code>") {
		t.Error("what operations say is not escaped")
	}
}

func TestDocsAreAskedForOnce(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/docs", "/docs/errors", "/docs/style.css", "/v1/openapi.json"} {
		etag := w.do(t, "GET", path, "").header.Get("Etag")
		if got := w.do(t, "GET", path, "", "If-None-Match: "+etag); etag == "" || got.status != 304 || got.body != "" {
			t.Errorf("%s: got %d for its own ETag %q", path, got.status, etag)
		}
		if got := w.do(t, "GET", path, "", `If-None-Match: "old"`); got.status != 200 {
			t.Errorf("%s: got %d for an old ETag", path, got.status)
		}
		if got := w.do(t, "HEAD", path, ""); got.status != 200 || got.body != "" {
			t.Errorf("HEAD %s: got %d", path, got.status)
		}
	}
}

// The page has an anchor for every code in a problem's type.
func TestErrorsPage(t *testing.T) {
	w := newWorld(t)
	page := w.do(t, "GET", "/docs/errors", "").body
	for _, c := range w.Codes() {
		if !strings.Contains(page, `<tr id="`+c.Code+`">`) {
			t.Errorf("the page lacks %s", c.Code)
		}
		if c.Status < 400 || c.Status > 599 || len(c.Meaning) == 0 {
			t.Errorf("%+v says too little", c)
		}
	}
	p := w.do(t, "GET", "/v1/nothing", "").problem(t)
	if p.Type != base+"/docs/errors#not_found" {
		t.Errorf("type %s", p.Type)
	}
}
