package server

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	built "coffer/web"
)

func TestPage(t *testing.T) {
	w := newWorld(t)
	nonces := map[string]bool{}
	for _, path := range []string{"/", "/files", "/files/0199-aa", "/sign-in", "/verify-email"} {
		got := w.do(t, "GET", path, "", "Accept: text/html,application/xhtml+xml")
		if got.status != 200 || got.header.Get("Content-Type") != "text/html; charset=utf-8" || got.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s: got %d %v", path, got.status, got.header)
		}
		csp := got.header.Get("Content-Security-Policy")
		m := regexp.MustCompile(`script-src 'nonce-([A-Z2-7]{26})'`).FindStringSubmatch(csp)
		if m == nil || nonces[m[1]] {
			t.Fatalf("%s: no new nonce in %q", path, csp)
		}
		nonces[m[1]] = true
		if strings.Count(got.body, `nonce="`+m[1]+`"`) != 1 || strings.Contains(got.body, "{{") {
			t.Errorf("%s: the page does not carry the nonce: %s", path, got.body)
		}
	}
}

func TestPagePolicy(t *testing.T) {
	w := newWorld(t)
	csp := w.do(t, "GET", "/", "").header.Get("Content-Security-Policy")
	for _, want := range []string{
		"default-src 'none'", "style-src 'self'", "worker-src 'self'", "connect-src 'self'", "img-src 'self' data: blob:", "media-src blob:", "frame-src blob:", "font-src 'self'", "form-action 'self'",
		"frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'", "report-uri /csp-reports",
	} {
		if !strings.Contains("; "+csp+";", "; "+want+";") {
			t.Errorf("the policy lacks %s: %s", want, csp)
		}
	}
	for _, bad := range []string{"unsafe", "*", "http:", "https:"} {
		if strings.Contains(csp, bad) {
			t.Errorf("the policy has %s: %s", bad, csp)
		}
	}
}

func TestWhatIsNoPage(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{
		"/.git/HEAD", "/.env", "/x/.git/config", "/debug/pprof", "/debug/pprof/heap", "/metrics", "/index.html", "/app.js", "/favicon.ico",
		"/robots.txt", "/wp-login.php", "/account/x.css", "/.well-known/security.txt", "/assets/", "/assets/none.js", "/assets/index.html",
		"/assets/../index.html", "/assets/%2e%2e/index.html", "/assets/..%2findex.html", "/v1/nothing",
	} {
		got := w.do(t, "GET", path, "")
		if got.status != 404 || got.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: got %d %s, want a 404 problem", path, got.status, got.header.Get("Content-Type"))
		}
	}
	if got := w.do(t, "GET", "/files", "", "Accept: application/json"); got.status != 404 {
		t.Errorf("who wants JSON gets %d", got.status)
	}
	if got := w.do(t, "POST", "/files", ""); got.status != 405 {
		t.Errorf("POST: got %d", got.status)
	}
}

func TestAssets(t *testing.T) {
	w := newWorld(t)
	page := w.do(t, "GET", "/", "").body
	for name, contentType := range map[string]string{"app.js": "text/javascript; charset=utf-8", "app.css": "text/css; charset=utf-8"} {
		address := regexp.MustCompile(`"(/assets/` + regexp.QuoteMeta(name) + `\?v=[\w-]{16})"`).FindStringSubmatch(page)
		if address == nil {
			t.Fatalf("the page has no hashed address of %s: %s", name, page)
		}
		got := w.do(t, "GET", address[1], "")
		want := string(testApp()[name].Data)
		if got.status != 200 || got.body != want || got.header.Get("Content-Type") != contentType || got.header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: got %d %v", address[1], got.status, got.header)
		}
		etag := got.header.Get("Etag")
		if got := w.do(t, "GET", address[1], "", "If-None-Match: "+etag); got.status != 304 || got.body != "" {
			t.Errorf("%s with its ETag: got %d", name, got.status)
		}
		if got := w.do(t, "HEAD", address[1], ""); got.status != 200 || got.body != "" || got.header.Get("Content-Length") == "" {
			t.Errorf("HEAD %s: got %d %v", name, got.status, got.header)
		}
	}
	if got := w.do(t, "GET", "/assets/app.js", ""); got.header.Get("Cache-Control") != "no-cache" {
		t.Errorf("without a hash: %s", got.header.Get("Cache-Control"))
	}
	// Two versions behind one address: the hash comes from another node.
	if got := w.do(t, "GET", "/assets/app.js?v=0123456789abcdef", ""); got.status != 200 || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("with another hash: %d %s, want no-store", got.status, got.header.Get("Cache-Control"))
	}
}

// A worker obeys the policy of its own file, so that file has one that lets it talk to the server.
func TestWorkerPolicy(t *testing.T) {
	app := testApp()
	app["x-worker.js"] = &fstest.MapFile{Data: []byte("onmessage = () => {}")}
	w := newWorld(t, func(c *Config) { c.Web = app })
	want := "default-src 'none'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; report-uri /csp-reports"
	if got := w.do(t, "GET", "/assets/x-worker.js", "").header.Get("Content-Security-Policy"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := w.do(t, "GET", "/assets/app.js", "").header.Get("Content-Security-Policy"); strings.Contains(got, "connect-src") {
		t.Errorf("another file: %q", got)
	}
}

func TestCompression(t *testing.T) {
	w := newWorld(t)
	want := string(testApp()["app.js"].Data)
	for accept, packed := range map[string]bool{
		"gzip": true, "br, gzip;q=0.5": true, "GZIP": true, "": false, "br": false, "gzip;q=0": false, "gzip; q=0.0": false, "*": false, "x-gzip": false,
	} {
		got := w.do(t, "GET", "/assets/app.js", "", "Accept-Encoding: "+accept)
		if got.header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: Vary is %q", accept, got.header.Get("Vary"))
		}
		if (got.header.Get("Content-Encoding") == "gzip") != packed {
			t.Errorf("%q: Content-Encoding %q, want gzip: %v", accept, got.header.Get("Content-Encoding"), packed)
			continue
		}
		body := got.body
		if packed {
			z, err := gzip.NewReader(strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			plain, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			body = string(plain)
		}
		if body != want {
			t.Errorf("%q: got %d bytes, want %d", accept, len(body), len(want))
		}
	}
	if got := w.do(t, "GET", "/assets/app.css", "", "Accept-Encoding: gzip"); got.header.Get("Content-Encoding") != "" {
		t.Error("a small file is packed although that saves nothing")
	}
}

func TestBrokenAppStopsTheStart(t *testing.T) {
	for name, app := range map[string]fstest.MapFS{
		"no page":    {"app.js": {Data: []byte("1")}},
		"no nonce":   {"index.html": {Data: []byte("<script src=x></script>")}},
		"two nonces": {"index.html": {Data: []byte("{{nonce}}{{nonce}}")}},
	} {
		cfg := newStopped(t).cfg
		cfg.API, cfg.Web = newStopped(t, func(c *Config) { c.Web = nil }).api, app
		if err := newWeb(app, cfg.API, ""); err == nil {
			t.Errorf("%s: got nil", name)
		}
	}
}

func TestWithoutAnApp(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Web = nil })
	if got := w.do(t, "GET", "/", ""); got.status != 404 {
		t.Errorf("got %d", got.status)
	}
}

// Files on disk are read anew for each request, because a developer edits them.
func TestDevelopment(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("index.html", `{{nonce}}<script src="/assets/app.js">`)
	write("app.js", "old")
	w := newWorld(t, func(c *Config) { c.Web = os.DirFS(dir) })
	before := w.do(t, "GET", "/", "").body
	write("app.js", "new")
	if got := w.do(t, "GET", "/assets/app.js", ""); got.body != "new" {
		t.Errorf("got %q, want the new file", got.body)
	}
	hash := regexp.MustCompile(`v=[\w-]+`)
	if after := w.do(t, "GET", "/", "").body; hash.FindString(after) == hash.FindString(before) {
		t.Errorf("the page has the old address: %s", after)
	}
	if err := os.Remove(filepath.Join(dir, "index.html")); err != nil {
		t.Fatal(err)
	}
	if got := w.do(t, "GET", "/", ""); got.status != 500 {
		t.Errorf("without a page: got %d", got.status)
	}
}

// The embedded app starts.
func TestBuiltApp(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Web = built.Dist })
	page := w.do(t, "GET", "/", "").body
	addresses := regexp.MustCompile(`(?:src|href|content)="(/assets/[^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(addresses) < 4 {
		t.Fatalf("the page names %d files: %s", len(addresses), page)
	}
	for _, a := range addresses {
		if got := w.do(t, "GET", a[1], ""); got.status != 200 || !strings.Contains(got.header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: got %d %s", a[1], got.status, got.header.Get("Cache-Control"))
		}
	}
	// No part of the app violates the policy.
	if strings.Contains(page, "<style") || strings.Contains(page, " style=") || strings.Count(page, "<script") != 1 {
		t.Errorf("the page has inline parts: %s", page)
	}
}
