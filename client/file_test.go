package client

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return "sha-256=:" + base64.StdEncoding.EncodeToString(s[:]) + ":"
}

func TestDownload(t *testing.T) {
	content := bytes.Repeat([]byte("coffer "), 10_000)
	for _, tt := range []struct {
		name   string
		digest string
		send   int // bytes before the connection breaks; negative: all
		length bool
		want   error
	}{
		{"whole", sum(content), -1, true, nil},
		{"other digest", sum([]byte("x")), -1, true, ErrDigest},
		{"other digest, no length", sum([]byte("x")), -1, false, ErrDigest},
		{"no digest", "", -1, true, nil},
		{"among others", "sha-512=:AAAA:, " + sum(content), -1, true, nil},
		{"cut", sum(content), 100, true, io.ErrUnexpectedEOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			f.HandleFunc("GET /v1/files/f/content", f.guarded(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Disposition", `attachment; filename="a.txt"; filename*=UTF-8''na%C3%AFve%20%22a%22.txt`)
				w.Header().Set("Content-Type", "text/plain")
				w.Header().Set("ETag", `"e"`)
				if tt.digest != "" {
					w.Header().Set("Repr-Digest", tt.digest)
				}
				if tt.length {
					w.Header().Set("Content-Length", fmt.Sprint(len(content)))
				}
				w.WriteHeader(http.StatusOK)
				if tt.send >= 0 {
					w.Write(content[:tt.send])
					http.NewResponseController(w).Flush()
					panic(http.ErrAbortHandler)
				}
				w.Write(content)
			}))
			c, _ := f.signedIn()
			f.stale(c) // a download is repeated too
			d, err := c.Download(t.Context(), "f")
			if err != nil {
				t.Fatal(err)
			}
			defer d.Body.Close()
			if d.Name != `naïve "a".txt` || d.MediaType != "text/plain" || d.ETag != `"e"` || (d.Size == int64(len(content))) != tt.length {
				t.Errorf("got %+v", d)
			}
			got, err := io.ReadAll(d.Body)
			if !errors.Is(err, tt.want) {
				t.Errorf("got error %v, want %v", err, tt.want)
			}
			if tt.want == nil && !bytes.Equal(got, content) {
				t.Errorf("got %d bytes", len(got))
			}
		})
	}
}

func TestDownloadRange(t *testing.T) {
	f := newFake(t)
	content := []byte("0123456789")
	var shift int
	f.HandleFunc("GET /v1/files/f/content", f.guarded(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"e"`)
		w.Header().Set("Repr-Digest", sum(content))
		if shift > 0 {
			w.Header().Set("Content-Range", "bytes 9-9/10")
			w.WriteHeader(http.StatusPartialContent)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}))
	c, _ := f.signedIn()
	for _, tt := range []struct {
		r      Range
		want   string
		offset int64
	}{
		{Range{Offset: 2, Length: 3}, "234", 2},
		{Range{Offset: 7}, "789", 7},
		{Range{Offset: 7, Length: 100}, "789", 7},
		{Range{Length: 10}, "0123456789", 0},
		{Range{Offset: 5, ETag: `"e"`}, "56789", 5},
		{Range{Offset: 5, ETag: `"other"`}, "0123456789", 0},
	} {
		d, err := c.DownloadRange(t.Context(), "f", tt.r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(d.Body)
		d.Body.Close()
		if err != nil || string(got) != tt.want || d.Offset != tt.offset || d.Length != int64(len(tt.want)) || d.Size != 10 {
			t.Errorf("%+v: got %q, %v, %+v", tt.r, got, err, d)
		}
	}
	if _, err := c.DownloadRange(t.Context(), "f", Range{Offset: 10}); Status(err) != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("past the end: %v", err)
	}
	if _, err := c.DownloadRange(t.Context(), "f", Range{Offset: -1}); err == nil {
		t.Error("a negative offset was sent")
	}
	shift = 1
	if _, err := c.DownloadRange(t.Context(), "f", Range{Offset: 2}); err == nil {
		t.Error("another range than asked for was taken")
	}
}

func FuzzContentRange(f *testing.F) {
	for _, s := range []string{"bytes 0-1/2", "bytes 0-1/*", "bytes */2", "", "bytes 5-2/9", "bytes 0-9/9", "bytes +1-2/9", "bytes 99999999999999999999-1/2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		first, last, size, err := contentRange(s)
		if err == nil && (first < 0 || last < first || size < -1 || (size >= 0 && last >= size)) {
			t.Errorf("%q: %d-%d/%d", s, first, last, size)
		}
	})
}

// endless proves that an upload streams: the server receives the first megabytes before the
// client has read the rest.
type endless struct {
	seen <-chan struct{}
	n    int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.n >= 4<<20 {
		<-e.seen
		return 0, io.EOF
	}
	clear(p)
	e.n += len(p)
	return len(p), nil
}

func TestUploadStreams(t *testing.T) {
	f := newFake(t)
	seen := make(chan struct{})
	f.HandleFunc("POST /v1/files", f.guarded(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "parent=p" || r.ContentLength != -1 {
			t.Errorf("query %q, length %d", r.URL.RawQuery, r.ContentLength)
		}
		form, err := r.MultipartReader()
		if err != nil {
			t.Error(err)
			return
		}
		var items []string
		for {
			part, err := form.NextPart()
			if err == io.EOF {
				break
			} else if err != nil {
				t.Error(err)
				return
			}
			if len(items) == 0 {
				if _, err := io.CopyN(io.Discard, part, 1<<20); err != nil {
					t.Error(err)
				}
				close(seen)
			}
			n, err := io.Copy(io.Discard, part)
			if err != nil {
				t.Error(err)
			}
			items = append(items, fmt.Sprintf(`{"name":%q,"media_type":%q,"size":%d}`, part.FileName(), part.Header.Get("Content-Type"), n))
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"items":[%s]}`, strings.Join(items, ","))
	}))
	c, _ := f.signedIn()
	got, err := c.Upload(t.Context(), "p", Source{Name: `big "file".bin`, Content: &endless{seen: seen}}, Source{"naïve.txt", "text/plain", strings.NewReader("hi")})
	if err != nil {
		t.Fatal(err)
	}
	want := []Entry{{Name: `big "file".bin`, MediaType: "application/octet-stream", Size: got[0].Size}, {Name: "naïve.txt", MediaType: "text/plain", Size: 2}}
	if diff := cmp.Diff(want, got); diff != "" || got[0].Size < 3<<20 {
		t.Error(diff, got[0].Size)
	}
}

// An upload whose token was refused before its first byte was read is sent again.
func TestUploadAfterRefusal(t *testing.T) {
	f := newFake(t)
	f.HandleFunc("POST /v1/files", f.guarded(func(w http.ResponseWriter, r *http.Request) {
		form, err := r.MultipartReader()
		if err != nil {
			t.Error(err)
			return
		}
		part, err := form.NextPart()
		if err != nil {
			t.Error(err)
			return
		}
		raw, _ := io.ReadAll(part)
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"items":[{"name":%q}]}`, raw)
	}))
	c, _ := f.signedIn()
	f.stale(c)
	got, err := c.Upload(t.Context(), "", Source{Name: "a", Content: strings.NewReader("all of it")})
	if err != nil || got[0].Name != "all of it" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestUploadRefusesNames(t *testing.T) {
	c := newFake(t).client()
	for _, name := range []string{"a/b", `a\b`, "a\r\nX: y", "a\x00"} {
		if _, err := c.Upload(t.Context(), "", Source{Name: name, Content: strings.NewReader("")}); err == nil || errors.Is(err, ErrSignedOut) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := c.Upload(t.Context(), ""); err == nil || errors.Is(err, ErrSignedOut) {
		t.Errorf("nothing: %v", err)
	}
}

func TestUploadOfABrokenReader(t *testing.T) {
	f := newFake(t)
	f.HandleFunc("POST /v1/files", f.guarded(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			t.Error("the server saw a whole body")
		}
	}))
	c, _ := f.signedIn()
	broken := errors.New("disk error")
	_, err := c.Upload(t.Context(), "", Source{Name: "a", Content: io.MultiReader(strings.NewReader("some"), failing{broken})})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the reader's error", err)
	}
}

type failing struct{ err error }

func (r failing) Read([]byte) (int, error) { return 0, r.err }

func TestPages(t *testing.T) {
	f := newFake(t)
	circle := false
	f.HandleFunc("GET /v1/files", f.guarded(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("parent") != "p" || q.Get("sort") != "-name" || q.Get("limit") != "200" {
			t.Errorf("query %s", r.URL.RawQuery)
		}
		switch {
		case q.Get("cursor") == "":
			fmt.Fprint(w, `{"items":[{"name":"a"},{"name":"b"}],"next_cursor":"2"}`)
		case q.Get("cursor") == "2" && circle:
			fmt.Fprint(w, `{"items":[],"next_cursor":"2"}`)
		case q.Get("cursor") == "2":
			fmt.Fprint(w, `{"items":[{"name":"c"}],"next_cursor":"3"}`)
		default:
			problem(w, http.StatusServiceUnavailable, "unavailable")
		}
	}))
	c, _ := f.signedIn()
	walk := func() (names string, err error) {
		for e, failed := range c.Files(t.Context(), "p", "-name") {
			if failed != nil {
				return names, failed
			}
			names += e.Name
		}
		return names, nil
	}
	if names, err := walk(); names != "abc" || Code(err) != "unavailable" {
		t.Errorf("got %q, %v", names, err)
	}
	for range c.Files(t.Context(), "p", "-name") {
		break // asks for no more
	}
	circle = true
	if names, err := walk(); names != "ab" || err == nil {
		t.Errorf("in a circle: got %q, %v", names, err)
	}
}
