package content

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"coffer/internal/blob"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/seal"
)

// net/http's ServeContent is the implementation that this project did not write: for every
// request both must give the same status, headers and bytes.
func TestAgreesWithServeContent(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	content := pattern(150_000)
	e := w.mustStore(content, "image/png")
	plain := w.call("GET", e.ID)
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
		status, head, body := ask(w.http.URL+"/v1/objects/"+e.ID, string(ada))
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
	e := w.mustStore("0123456789", "")
	empty := w.mustStore("", "")
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
		a := w.call("GET", tc.id, "Range", tc.header)
		if a.StatusCode != tc.status || tc.status != 416 && string(a.body) != tc.body {
			t.Errorf("%q: %d %q, want %d %q", tc.header, a.StatusCode, a.body, tc.status, tc.body)
		}
		if tc.status == 416 && !strings.HasPrefix(a.Header.Get("Content-Range"), "bytes */") {
			t.Errorf("%q: Content-Range %q", tc.header, a.Header.Get("Content-Range"))
		}
	}
}

// meter counts what is asked of a store.
type meter struct {
	blob.Store
	gets, bytes atomic.Int64
}

func (m *meter) Get(ctx context.Context, id string, off, n int64) (io.ReadCloser, int64, error) {
	m.gets.Add(1)
	m.bytes.Add(n)
	return m.Store.Get(ctx, id, off, n)
}

// A range costs what it covers: at most two segments more, and two questions.
func TestRangeTouchesFewSegments(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	content := pattern(5 << 20)
	o := w.mustStore(content, "")
	m := &meter{Store: w.Blobs}
	w.Blobs = m
	for range 50 {
		const n = 1 << 20
		off := rand.IntN(len(content) - n)
		m.gets.Store(0)
		m.bytes.Store(0)
		a := w.call("GET", o.ID, "Range", fmt.Sprintf("bytes=%d-%d", off, off+n-1))
		if string(a.body) != content[off:off+n] {
			t.Fatalf("at %d: %d, %d bytes", off, a.StatusCode, len(a.body))
		}
		whole := int64(n/seal.SegmentSize) * seal.SegmentSize
		if got := m.bytes.Load(); got > whole+2*seal.SegmentSize+64 || m.gets.Load() > 2 {
			t.Errorf("at %d: %d bytes in %d questions for %d bytes", off, got, m.gets.Load(), n)
		}
	}
	m.gets.Store(0)
	w.call("GET", o.ID, "If-None-Match", "*")
	if m.gets.Load() != 0 {
		t.Error("an answer about nothing but the entry read the object")
	}
}

// Bytes that do not authenticate never arrive, and no body is short without an error.
func TestBrokenContent(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	const size = 2 << 20
	content := pattern(size)
	e := w.mustStore(content, "")
	id := w.objects()[0]
	path := filepath.Join(w.blobs, id[:2], id)
	sealed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method string, header ...string) (status int, body []byte, err error) {
		req, err := http.NewRequest(method, w.http.URL+"/v1/objects/"+e.ID, nil)
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
		e := w.mustStore("small content", "")
		var sealed []byte
		if err := d.QueryRow(t.Context(), `SELECT content FROM blob_contents`).Scan(&sealed); err != nil {
			t.Fatal(err)
		}
		set := func(p []byte) {
			if _, err := d.Exec(t.Context(), `UPDATE blob_contents SET content = $1`, p); err != nil {
				t.Fatal(err)
			}
		}
		for name, p := range map[string][]byte{"flipped": flip(sealed, 60), "cut": sealed[:len(sealed)-1], "longer": append(bytes.Clone(sealed), 0), "emptied": {}} {
			set(p)
			for _, method := range []string{"GET", "HEAD"} {
				for _, header := range [][]string{nil, {"Range", "bytes=1-2"}} {
					if a := w.call(method, e.ID, header...); a.StatusCode != http.StatusInternalServerError {
						t.Errorf("%s: %s %v: %d %q", name, method, header, a.StatusCode, a.body)
					}
				}
			}
		}
		set(sealed)
		if a := w.call("GET", e.ID, "Range", "bytes=6-"); string(a.body) != "content" {
			t.Errorf("%d %q", a.StatusCode, a.body)
		}
		if _, err := d.Exec(t.Context(), `DELETE FROM blob_contents`); err != nil {
			t.Fatal(err)
		}
		if a := w.call("GET", e.ID); a.StatusCode != http.StatusInternalServerError {
			t.Errorf("gone: %d %q", a.StatusCode, a.body)
		}
	})
}

func flip(p []byte, at int) []byte {
	p = bytes.Clone(p)
	p[at] ^= 1
	return p
}

// FuzzRanges: for any header, the ranges lie within the content and sum up to its length at most.
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

func TestDisposition(t *testing.T) {
	for name, want := range map[string]string{
		"a.txt":   `attachment; filename="a.txt"`,
		`a"b`:     `attachment; filename="a_b"; filename*=UTF-8''a%22b`,
		"é.txt":   `attachment; filename="_.txt"; filename*=UTF-8''%C3%A9.txt`,
		"100%":    `attachment; filename="100_"; filename*=UTF-8''100%25`,
		"a;b c,d": `attachment; filename="a;b c,d"`,
		"日":       `attachment; filename="_"; filename*=UTF-8''%E6%97%A5`,
	} {
		if got := disposition("attachment", name); got != want {
			t.Errorf("disposition(%q) = %s, want %s", name, got, want)
		}
	}
}

func TestServedType(t *testing.T) {
	for declared, want := range map[string]string{
		"image/png": "image/png", "IMAGE/PNG": "image/png", "text/plain; charset=latin1": "text/plain; charset=utf-8",
		"video/mp4": "video/mp4", "text/html": UnknownType, "image/svg+xml": UnknownType, "application/pdf": UnknownType,
		"text/xml": UnknownType, "application/xhtml+xml": UnknownType, "text/javascript": UnknownType, "": UnknownType,
		"image": UnknownType, "image/png\r\nX: y": UnknownType, "multipart/form-data": UnknownType, "a/" + strings.Repeat("b", 200): UnknownType,
	} {
		got, show := servedType(CleanType(declared))
		if got != want || show != (want != UnknownType) {
			t.Errorf("%q is served as %q (inline %v), want %q", declared, got, show, want)
		}
	}
}

// FuzzDisposition: the header for any name is one line of ASCII. A standard parser finds the name in it.
func FuzzDisposition(f *testing.F) {
	for _, s := range []string{"a.txt", `"\%;`, "é", "日本", "a\u200f", "' '", "=?utf-8?q?x?="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		name := raw[strings.LastIndexAny(raw, `/\\`)+1:] // a parser takes a path's last part
		if name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
			return
		}
		value := disposition("attachment", name)
		for _, c := range []byte(value) {
			if c < 0x20 || c > 0x7e {
				t.Fatalf("%q becomes %q", name, value)
			}
		}
		kind, params, err := mime.ParseMediaType(value)
		if err != nil || kind != "attachment" || params["filename"] != name {
			t.Fatalf("%q becomes %s, which reads as %q (%v)", name, value, params["filename"], err)
		}
	})
}
