package file

import (
	"crypto/sha256"
	"encoding/base64"
	"mime"
	"net/http"
	"testing"

	"coffer/internal/content"
	"coffer/internal/db/dbtest"
)

func TestDownloadHeaders(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	content := pattern(100_000)
	e := w.mustUpload(ada, "", upFile{"naïve.png", "image/png", content})
	sum := sha256.Sum256([]byte(content))
	want := map[string]string{
		"Content-Type":                 "image/png",
		"Content-Length":               "100000",
		"Content-Disposition":          `attachment; filename="na_ve.png"; filename*=UTF-8''na%C3%AFve.png`,
		"Content-Security-Policy":      "sandbox; default-src 'none'",
		"X-Content-Type-Options":       "nosniff",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control":                "private, no-store",
		"Accept-Ranges":                "bytes",
		"Etag":                         `"` + base64.RawURLEncoding.EncodeToString(sum[:]) + `"`,
		"Repr-Digest":                  "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":",
		"Last-Modified":                e.CreatedAt.Format(http.TimeFormat),
	}
	for _, method := range []string{"GET", "HEAD"} {
		a := w.call(ada, method, "/files/"+e.ID+"/content", nil)
		for name, value := range want {
			if got := a.Header.Get(name); a.StatusCode != http.StatusOK || got != value {
				t.Errorf("%s: %d, %s: %q, want %q", method, a.StatusCode, name, got, value)
			}
		}
		if wantBody := method == "GET"; wantBody != (string(a.body) == content) || len(a.body) > 0 != wantBody {
			t.Errorf("%s: %d bytes", method, len(a.body))
		}
	}
}

// Only what runs nothing is shown, or served under its own name.
func TestDispositionOfTypes(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	for _, tc := range []struct{ declared, query, contentType, kind string }{
		{"image/png", "", "image/png", "attachment"},
		{"image/png", "?disposition=attachment", "image/png", "attachment"},
		{"image/png", "?disposition=inline", "image/png", "inline"},
		{"text/plain", "?disposition=inline", "text/plain; charset=utf-8", "inline"},
		{"text/html", "?disposition=inline", content.UnknownType, "attachment"},
		{"image/svg+xml", "?disposition=inline", content.UnknownType, "attachment"},
		{"application/xml", "?disposition=inline", content.UnknownType, "attachment"},
		{"application/pdf", "?disposition=inline", content.UnknownType, "attachment"},
		{"", "?disposition=inline", content.UnknownType, "attachment"},
	} {
		e := w.mustUpload(ada, "", upFile{"f", tc.declared, "<script>alert(1)</script>"})
		a := w.call(ada, "GET", "/files/"+e.ID+"/content"+tc.query, nil)
		kind, _, err := mime.ParseMediaType(a.Header.Get("Content-Disposition"))
		if err != nil || kind != tc.kind || a.Header.Get("Content-Type") != tc.contentType ||
			a.Header.Get("Content-Security-Policy") != "sandbox; default-src 'none'" || a.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%q%s: %v", tc.declared, tc.query, a.Header)
		}
	}
	e := w.mustUpload(ada, "", upFile{"f", "", "x"})
	if got := w.call(ada, "GET", "/files/"+e.ID+"/content?disposition=evil", nil).problem(t); got != "Unprocessable Entity validation_failed query.disposition:invalid" {
		t.Error(got)
	}
	folder := w.mustFolder(ada, "", "folder")
	if got := w.call(ada, "GET", "/files/"+folder.ID+"/content", nil).problem(t); got != "Conflict is_folder" {
		t.Error(got)
	}
}
