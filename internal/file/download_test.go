package file

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"coffer/internal/db"
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
		{"text/html", "?disposition=inline", unknownType, "attachment"},
		{"image/svg+xml", "?disposition=inline", unknownType, "attachment"},
		{"application/xml", "?disposition=inline", unknownType, "attachment"},
		{"application/pdf", "?disposition=inline", unknownType, "attachment"},
		{"", "?disposition=inline", unknownType, "attachment"},
	} {
		e := w.mustUpload(ada, "", upFile{"f", tc.declared, "<script>alert(1)</script>"})
		a := w.call(ada, "GET", "/files/"+e.ID+"/content"+tc.query, nil)
		kind, _, err := mime.ParseMediaType(a.Header.Get("Content-Disposition"))
		if err != nil || kind != tc.kind || a.Header.Get("Content-Type") != tc.contentType ||
			a.Header.Get("Content-Security-Policy") != sandbox || a.Header.Get("X-Content-Type-Options") != "nosniff" {
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

// net/http's ServeContent is the implementation that this project did not write: for every
// request both must give the same status, headers and bytes.
func TestAgreesWithServeContent(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	content := pattern(150_000)
	e := w.mustUpload(ada, "", upFile{"f.png", "image/png", content})
	plain := w.call(ada, "GET", "/files/"+e.ID+"/content", nil)
	etag, modified := plain.Header.Get("ETag"), plain.Header.Get("Last-Modified")
	at, err := http.ParseTime(modified)
	if err != nil {
		t.Fatal(err)
	}
	early, late := at.Add(-time.Hour).Format(http.TimeFormat), at.Add(time.Hour).Format(http.TimeFormat)
	oracle := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("ETag", etag)
		rw.Header().Set("Content-Type", "image/png")
		http.ServeContent(rw, r, "", at, strings.NewReader(content))
	}))
	defer oracle.Close()

	tags := []string{"", etag, `"other"`, "*", "W/" + etag, `"other", ` + etag, `W/"other"`}
	times := []string{"", early, modified, late, "yesterday"}
	offset := rapid.OneOf(rapid.SampledFrom([]int{0, 1, 65479, 65480, 65481, 149_998, 149_999, 150_000, 150_001, 1 << 40}), rapid.IntRange(0, 160_000))
	one := rapid.Custom(func(t *rapid.T) string {
		a, b := offset.Draw(t, "a"), offset.Draw(t, "b")
		// "-0" is left to TestOddRanges: ServeContent takes it for a range.
		return rapid.SampledFrom([]string{fmt.Sprintf("%d-%d", min(a, b), max(a, b)), fmt.Sprintf("%d-", a), fmt.Sprintf("-%d", max(b, 1))}).Draw(t, "range")
	})
	rapid.Check(t, func(t *rapid.T) {
		h := http.Header{}
		set := func(name string, values []string) {
			if v := rapid.SampledFrom(values).Draw(t, name); v != "" {
				h.Set(name, v)
			}
		}
		if rapid.Bool().Draw(t, "conditional") {
			set("If-Match", tags)
			set("If-None-Match", tags)
			set("If-Modified-Since", times)
			set("If-Unmodified-Since", times)
		}
		method := "GET"
		if specs := rapid.SliceOfN(one, 0, 4).Draw(t, "ranges"); len(specs) > 0 {
			h.Set("Range", "bytes="+strings.Join(specs, ", "))
			set("If-Range", append(tags[:4:4], times...))
		} else if rapid.Bool().Draw(t, "head") {
			method = "HEAD"
		}
		ask := func(url, who string) (int, http.Header, []byte) {
			req, err := http.NewRequest(method, url, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header = h.Clone()
			req.Header.Set("Authorization", who)
			req.Header.Set("Accept-Encoding", "identity")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			return resp.StatusCode, resp.Header, body
		}
		status, head, body := ask(w.http.URL+"/v1/files/"+e.ID+"/content", string(ada))
		wantStatus, wantHead, wantBody := ask(oracle.URL, "")
		if status != wantStatus || head.Get("Content-Range") != wantHead.Get("Content-Range") {
			t.Fatalf("%v: %d %q, want %d %q", h, status, head.Get("Content-Range"), wantStatus, wantHead.Get("Content-Range"))
		}
		if status >= 400 {
			return
		}
		if parts := byteParts(t, head, body); parts != byteParts(t, wantHead, wantBody) {
			t.Fatalf("%v: other bytes", h)
		}
		if len(wantHead.Get("Content-Length")) != len(head.Get("Content-Length")) {
			t.Fatalf("%v: Content-Length %q, want %q", h, head.Get("Content-Length"), wantHead.Get("Content-Length"))
		}
	})
}

// byteParts returns a body, a multipart one without its boundary.
func byteParts(t *rapid.T, h http.Header, body []byte) string {
	mediaType, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || mediaType != "multipart/byteranges" {
		return string(body)
	}
	var all strings.Builder
	mr := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for {
		p, err := mr.NextPart()
		if err == io.EOF {
			return all.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&all, p.Header.Get("Content-Range"), p.Header.Get("Content-Type"))
		all.Write(content)
	}
}

// Where ServeContent differs from RFC 9110, the RFC holds: what is not understood is ignored.
func TestOddRanges(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	e := w.mustUpload(ada, "", upFile{"f", "", "0123456789"})
	empty := w.mustUpload(ada, "", upFile{"e", "", ""})
	many := "bytes=" + strings.Repeat("0-0,", maxRanges) + "0-0"
	for _, tc := range []struct {
		id, header string
		status     int
		body       string
	}{
		{e.ID, "lines=1-2", 200, "0123456789"},
		{e.ID, "bytes", 200, "0123456789"},
		{e.ID, "bytes=", 200, "0123456789"},
		{e.ID, "bytes=a-b", 200, "0123456789"},
		{e.ID, "bytes=5-2", 200, "0123456789"},
		{e.ID, "bytes=1-2x", 200, "0123456789"},
		{e.ID, "bytes=-", 200, "0123456789"},
		{e.ID, "bytes=+1-2", 200, "0123456789"},
		{e.ID, many, 200, "0123456789"},
		{e.ID, "bytes=0-5,3-9", 200, "0123456789"}, // more than the whole
		{e.ID, "Bytes=1-2", 206, "12"},
		{e.ID, "bytes=,1-2,", 206, "12"},
		{e.ID, "bytes=8-99999999999999999999999", 206, "89"},
		{e.ID, "bytes=-99999999999999999999999", 206, "0123456789"},
		{e.ID, "bytes=10-", 416, ""},
		{e.ID, "bytes=-0", 416, ""},
		{empty.ID, "bytes=0-", 416, ""},
		{empty.ID, "", 200, ""},
	} {
		a := w.call(ada, "GET", "/files/"+tc.id+"/content", nil, "Range", tc.header)
		if a.StatusCode != tc.status || tc.status != 416 && string(a.body) != tc.body {
			t.Errorf("%q: %d %q, want %d %q", tc.header, a.StatusCode, a.body, tc.status, tc.body)
		}
		if tc.status == 416 && !strings.HasPrefix(a.Header.Get("Content-Range"), "bytes */") {
			t.Errorf("%q: Content-Range %q", tc.header, a.Header.Get("Content-Range"))
		}
	}
}

// Bytes that do not authenticate never arrive, and no body is short without an error.
func TestBrokenContent(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	const size = 2 << 20
	content := pattern(size)
	e := w.mustUpload(ada, "", upFile{"f", "", content})
	id := w.objects()[0]
	path := filepath.Join(w.blobs, id[:2], id)
	sealed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method string, header ...string) (status int, body []byte, err error) {
		req, err := http.NewRequest(method, w.http.URL+"/v1/files/"+e.ID+"/content", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", string(ada))
		if len(header) > 0 {
			req.Header.Set("Range", header[0])
		}
		resp, err := http.DefaultClient.Do(req)
		if errors.Is(err, io.EOF) { // broken off before the header had left
			return 0, nil, io.ErrUnexpectedEOF
		} else if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err = io.ReadAll(resp.Body)
		return resp.StatusCode, body, err
	}
	for name, damage := range map[string]func() []byte{
		"first byte":  func() []byte { return flip(sealed, 50) },
		"header":      func() []byte { return flip(sealed, 3) },
		"middle":      func() []byte { return flip(sealed, size/2) },
		"last byte":   func() []byte { return flip(sealed, len(sealed)-1) },
		"cut":         func() []byte { return sealed[:len(sealed)-1] },
		"half":        func() []byte { return sealed[:len(sealed)/2] },
		"at boundary": func() []byte { return sealed[:16*65536] },
		"emptied":     func() []byte { return nil },
		"longer":      func() []byte { return append(bytes.Clone(sealed), 0) },
		"twice":       func() []byte { return append(bytes.Clone(sealed), sealed...) },
	} {
		if err := os.WriteFile(path, damage(), 0o600); err != nil {
			t.Fatal(err)
		}
		if status, _, _ := ask("HEAD"); (status == http.StatusOK) != (name == "middle" || name == "last byte") {
			t.Errorf("%s: HEAD answers %d", name, status)
		}
		for _, header := range [][]string{nil, {"bytes=0-2097151"}, {"bytes=0-1000,1048500-1048700,2097000-2097151"}} {
			status, body, err := ask("GET", header...)
			switch {
			case status == http.StatusInternalServerError:
			case err == nil:
				t.Errorf("%s %v: a whole answer of %d bytes", name, header, len(body))
			case header == nil && !strings.HasPrefix(content, string(body)):
				t.Errorf("%s: bytes arrived that are not the content's", name)
			case !errors.Is(err, io.ErrUnexpectedEOF):
				t.Errorf("%s %v: %v", name, header, err)
			}
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"GET", "HEAD"} {
		if status, _, _ := ask(method); status != http.StatusInternalServerError {
			t.Errorf("%s of a lost object: %d", method, status)
		}
	}
}

// The same of content that stands in SQL.
func TestBrokenSmallContent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		e := w.mustUpload(ada, "", upFile{"f", "", "small content"})
		var sealed []byte
		if err := d.QueryRow(t.Context(), `SELECT content FROM blob_contents`).Scan(&sealed); err != nil {
			t.Fatal(err)
		}
		set := func(p []byte) {
			if _, err := d.Exec(t.Context(), `UPDATE blob_contents SET content = $1`, p); err != nil {
				t.Fatal(err)
			}
		}
		path := "/files/" + e.ID + "/content"
		for name, p := range map[string][]byte{"flipped": flip(sealed, 60), "cut": sealed[:len(sealed)-1], "longer": append(bytes.Clone(sealed), 0), "emptied": {}} {
			set(p)
			for _, method := range []string{"GET", "HEAD"} {
				for _, header := range [][]string{nil, {"Range", "bytes=1-2"}} {
					if a := w.call(ada, method, path, nil, header...); a.StatusCode != http.StatusInternalServerError {
						t.Errorf("%s: %s %v: %d %q", name, method, header, a.StatusCode, a.body)
					}
				}
			}
		}
		set(sealed)
		if a := w.call(ada, "GET", path, nil, "Range", "bytes=6-"); string(a.body) != "content" {
			t.Errorf("%d %q", a.StatusCode, a.body)
		}
		if _, err := d.Exec(t.Context(), `DELETE FROM blob_contents`); err != nil {
			t.Fatal(err)
		}
		if a := w.call(ada, "GET", path, nil); a.StatusCode != http.StatusInternalServerError {
			t.Errorf("gone: %d %q", a.StatusCode, a.body)
		}
	})
}

func flip(p []byte, at int) []byte {
	p = bytes.Clone(p)
	p[at] ^= 1
	return p
}

// Whatever the header says, the ranges lie within the content and cost no more than the whole.
func FuzzRanges(f *testing.F) {
	for _, s := range []string{"bytes=0-1,5-", "bytes=-3", "bytes=9-8", "bytes=,", "lines=1", "bytes=18446744073709551616-", "bytes=-0"} {
		f.Add(s, int64(10))
	}
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		ranges, err := parseRanges(header, size)
		if err != nil && (len(ranges) > 0 || !errors.Is(err, errNoRange)) {
			t.Fatalf("%q of %d: %v, %v", header, size, ranges, err)
		}
		var total int64
		for _, r := range ranges {
			if r.start < 0 || r.length <= 0 || r.start > size-r.length {
				t.Fatalf("%q of %d: %v", header, size, r)
			}
			total += r.length
		}
		if total > size || total < 0 || len(ranges) > maxRanges {
			t.Fatalf("%q of %d: %d ranges of %d bytes", header, size, len(ranges), total)
		}
	})
}
