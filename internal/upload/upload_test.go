package upload

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// An upload in pieces, one of them with the length, becomes a file once; HEAD, GET and the
// list tell how far it is.
func TestUpload(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		whole := pattern(200_000)
		for name, length := range map[string]int{"known": len(whole), "deferred": -1} {
			path := w.begin(length, "filetype", "text/plain", "unknown-key", "kept")
			if a := w.patch(path, 0, whole[:70_000]); a.StatusCode != http.StatusNoContent || a.Header.Get("Upload-Offset") != "70000" || a.Header.Get("Coffer-File") != "" {
				t.Fatalf("%s: first piece: %d %s %v", name, a.StatusCode, a.body, a.Header)
			} else if at, err := http.ParseTime(a.Header.Get("Upload-Expires")); err != nil || !at.After(w.Now().Add(w.Keep-time.Minute)) {
				t.Errorf("%s: Upload-Expires %q", name, a.Header.Get("Upload-Expires"))
			}
			a := w.call(ada, "HEAD", path, "")
			wantLength, wantLater := strconv.Itoa(length), ""
			if length < 0 {
				wantLength, wantLater = "", "1"
			}
			want := metadata("filename", "a.bin", "filetype", "text/plain", "unknown-key", "kept")
			if h := a.Header; h.Get("Upload-Offset") != "70000" || h.Get("Upload-Length") != wantLength || h.Get("Upload-Defer-Length") != wantLater ||
				h.Get("Upload-Metadata") != want || h.Get("Cache-Control") != "no-store" || h.Get("Tus-Resumable") != "1.0.0" {
				t.Errorf("%s: HEAD: %v", name, h)
			}
			var list struct{ Items []Upload }
			decode(t, w.call(ada, "GET", "/uploads", ""), &list)
			if len(list.Items) != 1 || list.Items[0].Offset != 70_000 || list.Items[0].Name != "a.bin" || list.Items[0].Parent != nil || (list.Items[0].Size == nil) != (length < 0) {
				t.Errorf("%s: the list: %+v", name, list.Items)
			}
			var header []string
			if length < 0 {
				header = []string{"Upload-Length", strconv.Itoa(len(whole))}
			}
			a = w.patch(path, 70_000, whole[70_000:], header...)
			id := a.Header.Get("Coffer-File")
			if a.StatusCode != http.StatusNoContent || id == "" || a.Header.Get("Upload-Offset") != "200000" || a.Header.Get("Upload-Expires") != "" {
				t.Fatalf("%s: last piece: %d %s %v", name, a.StatusCode, a.body, a.Header)
			}
			if got := w.content(id); got != whole {
				t.Errorf("%s: %d bytes came back", name, len(got))
			}
			var e struct {
				SHA256    string `json:"sha256"`
				MediaType string `json:"media_type"`
			}
			decode(t, w.call(ada, "GET", "/files/"+id, ""), &e)
			if sum := sha256.Sum256([]byte(whole)); e.SHA256 != hexOf(sum[:]) || e.MediaType != "text/plain" {
				t.Errorf("%s: the file: %+v", name, e)
			}
			// What a client asks again finds the same file.
			if a := w.call(ada, "HEAD", path, ""); a.Header.Get("Coffer-File") != id || a.Header.Get("Upload-Offset") != "200000" || a.Header.Get("Upload-Length") != "200000" {
				t.Errorf("%s: HEAD of a finished one: %v", name, a.Header)
			}
			if a := w.patch(path, len(whole), ""); a.StatusCode != http.StatusNoContent || a.Header.Get("Coffer-File") != id {
				t.Errorf("%s: the last piece again: %d %s", name, a.StatusCode, a.body)
			}
			var u Upload
			decode(t, w.call(ada, "GET", path, ""), &u)
			if u.File != id || u.Offset != 200_000 {
				t.Errorf("%s: GET: %+v", name, u)
			}
			decode(t, w.call(ada, "GET", "/uploads", ""), &list)
			if len(list.Items) != 0 {
				t.Errorf("%s: a finished one is in the list: %+v", name, list.Items)
			}
			if a := w.call(ada, "DELETE", path, ""); a.StatusCode != http.StatusNoContent {
				t.Errorf("%s: DELETE: %d %s", name, a.StatusCode, a.body)
			}
			if got := w.content(id); got != whole {
				t.Errorf("%s: the file went with its upload", name)
			}
		}
		if got := w.names(); len(got) != 2 || got[0] != "a (1).bin" && got[1] != "a (1).bin" {
			t.Errorf("files: %q", got)
		}
	})
}

// The first bytes may come with POST, also all of them, and none make an empty file.
func TestCreationWithUpload(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	const octets = "application/offset+octet-stream"
	for _, tc := range []struct {
		length       int
		body, offset string
		file         bool
	}{{0, "", "0", true}, {5, "hello", "5", true}, {5, "he", "2", false}, {5, "", "", false}} {
		header := []string{"Upload-Metadata", metadata("filename", "x"), "Upload-Length", strconv.Itoa(tc.length)}
		if tc.body != "" {
			header = append(header, "Content-Type", octets)
		}
		a := w.call(ada, "POST", "/uploads", tc.body, header...)
		if a.StatusCode != http.StatusCreated || a.Header.Get("Upload-Offset") != tc.offset || (a.Header.Get("Coffer-File") != "") != tc.file || a.Header.Get("Location") == "" {
			t.Errorf("%d with %q: %d %s %v", tc.length, tc.body, a.StatusCode, a.body, a.Header)
		}
	}
	a := w.call(ada, "POST", "/uploads", "hello", "Upload-Metadata", metadata("filename", "x"), "Upload-Length", "5", "Content-Type", "text/plain")
	if got := a.problem(t); got != "415 invalid_content_type" {
		t.Errorf("another type: %s", got)
	}
	// Bytes that are refused leave an upload that goes on.
	a = w.call(ada, "POST", "/uploads", "hello", "Upload-Metadata", metadata("filename", "x"), "Upload-Length", "5", "Content-Type", octets, "Upload-Checksum", sumOf("sha256", "other"))
	if got := a.problem(t); got != "460 checksum_mismatch" {
		t.Fatalf("a wrong sum: %s", got)
	}
	path := strings.TrimPrefix(a.Header.Get("Location"), "/v1")
	if a := w.patch(path, 0, "hello"); a.Header.Get("Coffer-File") == "" {
		t.Errorf("after a wrong sum: %d %s", a.StatusCode, a.body)
	}
}

// A header that is missing, twice, negative, too large or no number is refused by its name,
// and makes and changes nothing.
func TestHeaders(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	path := w.begin(10)
	if a := w.patch(path, 0, "12"); a.StatusCode != http.StatusNoContent {
		t.Fatal(a.StatusCode)
	}
	deferred := w.begin(-1)
	if a := w.patch(deferred, 0, "12"); a.StatusCode != http.StatusNoContent {
		t.Fatal(a.StatusCode)
	}
	good := metadata("filename", "a")
	const huge = "9223372036854775807"
	for _, tc := range []struct {
		method, path, body string
		header             []string
		want               string
	}{
		{"POST", "/uploads", "", []string{"Upload-Metadata", good}, "400 invalid_header header.Upload-Length:required"},
		{"POST", "/uploads", "", []string{"Upload-Metadata", good, "Upload-Length", "-1"}, "400 invalid_header header.Upload-Length:not_a_number"},
		{"POST", "/uploads", "", []string{"Upload-Metadata", good, "Upload-Length", "+1"}, "400 invalid_header header.Upload-Length:not_a_number"},
		{"POST", "/uploads", "", []string{"Upload-Metadata", good, "Upload-Length", "1e3"}, "400 invalid_header header.Upload-Length:not_a_number"},
		{"POST", "/uploads", "", []string{"Upload-Metadata", good, "Upload-Length", "9223372036854775808"}, "400 invalid_header header.Upload-Length:too_big"},
		{"POST", "/uploads", "", []string{"Upload-Metadata", good, "Upload-Length", huge}, "413 too_large"},
		{"POST", "/uploads", "", []string{"Upload-Metadata", good, "Upload-Length", "1", "Upload-Length", "2"}, "400 invalid_header header.Upload-Length:duplicate"},
		{"POST", "/uploads", "", []string{"Upload-Metadata", good, "Upload-Length", "1", "Upload-Defer-Length", "1"}, "400 invalid_header header.Upload-Defer-Length:conflict"},
		{"POST", "/uploads", "", []string{"Upload-Metadata", good, "Upload-Defer-Length", "2"}, "400 invalid_header header.Upload-Defer-Length:invalid"},
		{"POST", "/uploads", "", []string{"Upload-Metadata", good, "Upload-Length", "1", "Upload-Concat", "partial"}, "400 invalid_header header.Upload-Concat:unsupported"},
		{"POST", "/uploads", "", []string{"Upload-Length", "1"}, "400 invalid_header header.Upload-Metadata:required"},
		{"POST", "/uploads", "", []string{"Upload-Length", "1", "Upload-Metadata", "filename !"}, "400 invalid_header header.Upload-Metadata:invalid"},
		{"POST", "/uploads", "", []string{"Upload-Length", "1", "Upload-Metadata", good + ","}, "400 invalid_header header.Upload-Metadata:invalid"},
		{"POST", "/uploads", "", []string{"Upload-Length", "1", "Upload-Metadata", good + "," + good}, "400 invalid_header header.Upload-Metadata:duplicate"},
		{"POST", "/uploads", "", []string{"Upload-Length", "1", "Upload-Metadata", good + "," + metadata("replace", "yes")}, "400 invalid_header header.Upload-Metadata:invalid"},
		{"POST", "/uploads", "", []string{"Upload-Length", "1", "Upload-Metadata", good + "," + metadata("x", strings.Repeat("x", 7000))}, "400 invalid_header header.Upload-Metadata:too_long"},
		{"POST", "/uploads", "", []string{"Upload-Length", "1", "Upload-Metadata", metadata("filename", "a/b")}, "422 validation_failed /name:slash"},
		{"POST", "/uploads", "", []string{"Upload-Length", "1", "Upload-Metadata", metadata("filename", "\x00")}, "422 validation_failed /name:required"},
		{"POST", "/uploads", "", []string{"Upload-Length", "1", "Upload-Metadata", good + "," + metadata("parent", "nowhere")}, "404 not_found"},
		{"POST", "/uploads", "", []string{"Upload-Metadata", good, "Upload-Length", "1", "Tus-Resumable", ""}, "412 tus_version"},
		{"POST", "/uploads", "", []string{"Upload-Metadata", good, "Upload-Length", "1", "Tus-Resumable", "0.2.2"}, "412 tus_version"},
		{"PATCH", path, "x", nil, "400 invalid_header header.Upload-Offset:required"},
		{"PATCH", path, "x", []string{"Upload-Offset", "-2"}, "400 invalid_header header.Upload-Offset:not_a_number"},
		{"PATCH", path, "x", []string{"Upload-Offset", "99999999999999999999"}, "400 invalid_header header.Upload-Offset:too_big"},
		{"PATCH", path, "x", []string{"Upload-Offset", huge}, "409 offset_mismatch"},
		{"PATCH", path, "x", []string{"Upload-Offset", "1"}, "409 offset_mismatch"},
		{"PATCH", path, "x", []string{"Upload-Offset", "2", "Upload-Offset", "2"}, "400 invalid_header header.Upload-Offset:duplicate"},
		{"PATCH", path, "x", []string{"Upload-Offset", "2", "Content-Type", "text/plain"}, "415 invalid_content_type"},
		{"PATCH", path, "x", []string{"Upload-Offset", "2", "Content-Type", ""}, "415 invalid_content_type"},
		{"PATCH", path, "x", []string{"Upload-Offset", "2", "Tus-Resumable", ""}, "412 tus_version"},
		{"PATCH", path, "x", []string{"Upload-Offset", "2", "Upload-Length", "11"}, "400 invalid_header header.Upload-Length:conflict"},
		{"PATCH", path, "123456789", []string{"Upload-Offset", "2"}, "413 too_large"},
		{"PATCH", path, "x", []string{"Upload-Offset", "2", "Upload-Checksum", "md5 AAAA"}, "400 invalid_header header.Upload-Checksum:unsupported"},
		{"PATCH", path, "x", []string{"Upload-Offset", "2", "Upload-Checksum", "sha256 AAAA"}, "400 invalid_header header.Upload-Checksum:invalid"},
		{"PATCH", path, "x", []string{"Upload-Offset", "2", "Upload-Checksum", "sha1"}, "400 invalid_header header.Upload-Checksum:invalid"},
		{"PATCH", deferred, "x", []string{"Upload-Offset", "2", "Upload-Length", "1"}, "400 invalid_header header.Upload-Length:too_small"},
		{"PATCH", deferred, "x", []string{"Upload-Offset", "2", "Upload-Length", "-1"}, "400 invalid_header header.Upload-Length:not_a_number"},
		{"PATCH", deferred, "x", []string{"Upload-Offset", "2", "Upload-Length", huge}, "413 too_large"},
		{"PATCH", deferred, "xyz", []string{"Upload-Offset", "2", "Upload-Length", "3"}, "413 too_large"},
		{"DELETE", path, "", []string{"Tus-Resumable", ""}, "412 tus_version"},
	} {
		a := w.call(ada, tc.method, tc.path, tc.body, tc.header...)
		if got := a.problem(t); got != tc.want || a.Header.Get("Tus-Resumable") != "1.0.0" {
			t.Errorf("%s %.10s %.80q: %s, want %s", tc.method, tc.path, tc.header, got, tc.want)
		}
	}
	if a := w.call(ada, "HEAD", path, "", "Tus-Resumable", ""); a.StatusCode != http.StatusPreconditionFailed {
		t.Errorf("HEAD without a version: %d", a.StatusCode)
	}
	if a, b := w.offset(path), w.offset(deferred); a != 2 || b != 2 {
		t.Errorf("the uploads are at %d and %d, want 2", a, b)
	}
	if n := w.rows("uploads"); n != 2 {
		t.Errorf("%d uploads, want 2", n)
	}
	a := w.call("", "OPTIONS", "/uploads", "")
	if h := a.Header; a.StatusCode != http.StatusNoContent || h.Get("Tus-Version") != "1.0.0" || h.Get("Tus-Max-Size") != "1073741824" ||
		h.Get("Tus-Extension") != "creation,creation-with-upload,creation-defer-length,termination,checksum,expiration" || h.Get("Tus-Checksum-Algorithm") != "sha256,sha1" {
		t.Errorf("OPTIONS: %d %v", a.StatusCode, h)
	}
}

// More bytes than the length, in a body of unknown length: nothing beyond the length is
// stored.
func TestTooManyBytes(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	path := w.begin(5)
	a := w.on(0, ada, "PATCH", path, io.MultiReader(strings.NewReader("123"), strings.NewReader("4567")), "Upload-Offset", "0")
	if got := a.problem(t); got != "413 too_large" {
		t.Errorf("%s", got)
	}
	if id := w.call(ada, "HEAD", path, "").Header.Get("Coffer-File"); id != "" && w.content(id) != "12345" {
		t.Errorf("the file holds %q", w.content(id))
	}
	if at := w.offset(path); at > 5 {
		t.Errorf("the upload is at %d", at)
	}
}

// A sum is of all bytes that come. That of the bytes that fit does not let them in when more
// follow, in a body of unknown length.
func TestChecksumOfTooManyBytes(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	path := w.begin(5)
	for _, body := range []string{"123456", "12345" + pattern(200_000)} {
		a := w.on(0, ada, "PATCH", path, io.MultiReader(strings.NewReader(body)), "Upload-Offset", "0", "Upload-Checksum", sumOf("sha256", "12345"))
		if got := a.problem(t); got != "413 too_large" {
			t.Errorf("%s", got)
		}
		if at, parts := w.offset(path), w.rows("blob_parts"); at != 0 || parts != 0 {
			t.Errorf("the upload is at %d, %d parts", at, parts)
		}
	}
	if a := w.on(0, ada, "PATCH", path, io.MultiReader(strings.NewReader("12345")), "Upload-Offset", "0", "Upload-Checksum", sumOf("sha256", "12345")); a.Header.Get("Coffer-File") == "" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

// sumOf is a value of Upload-Checksum.
func sumOf(algorithm, body string) string {
	if algorithm == "sha1" {
		sum := sha1.Sum([]byte(body))
		return "sha1 " + base64.StdEncoding.EncodeToString(sum[:])
	}
	sum := sha256.Sum256([]byte(body))
	return algorithm + " " + base64.StdEncoding.EncodeToString(sum[:])
}

// Bytes with another checksum are not stored, whatever their length; the right ones are.
func TestChecksum(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		whole := pattern(300_000)
		path := w.begin(len(whole))
		digest := func(body string) string {
			return "sha-256=:" + strings.TrimPrefix(sumOf("sha256", body), "sha256 ") + ":"
		}
		for _, header := range [][]string{
			{"Upload-Checksum", sumOf("sha256", "other")}, {"Upload-Checksum", sumOf("sha1", "other")}, {"Content-Digest", digest("other")},
			{"Upload-Checksum", sumOf("sha1", whole[:150_000]), "Content-Digest", digest("other")},
			{"Upload-Checksum", sumOf("sha256", "other"), "Content-Digest", digest(whole[:150_000])},
		} {
			if got := w.patch(path, 0, whole[:150_000], header...).problem(t); got != "460 checksum_mismatch" {
				t.Errorf("%s: %s", header[0], got)
			}
			if at, parts := w.offset(path), w.rows("blob_parts"); at != 0 || parts != 0 {
				t.Errorf("%s: the upload is at %d, %d parts", header[0], at, parts)
			}
		}
		if a := w.patch(path, 0, whole[:150_000], "Upload-Checksum", sumOf("sha1", whole[:150_000]), "Content-Digest", digest(whole[:150_000])); a.StatusCode != http.StatusNoContent {
			t.Errorf("two right sums: %d %s", a.StatusCode, a.body)
		}
		a := w.patch(path, 150_000, whole[150_000:], "Upload-Checksum", sumOf("sha256", whole[150_000:]))
		if id := a.Header.Get("Coffer-File"); id == "" || w.content(id) != whole {
			t.Errorf("the last piece: %d %s", a.StatusCode, a.body)
		}
	})
}

// For every verb an upload of another account is what an absent one is, word for word.
func TestForeign(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	mine := w.begin(10)
	absent := "/uploads/01900000-0000-7000-8000-000000000000"
	for _, method := range []string{"HEAD", "PATCH", "DELETE", "GET"} {
		var problems [3]string
		for i, path := range []string{mine, absent, "/uploads/x"} {
			body := ""
			if method == "PATCH" {
				body = "x"
			}
			a := w.call(bob, method, path, body, "Upload-Offset", "0")
			if problems[i] = strconv.Itoa(a.StatusCode); method != "HEAD" {
				problems[i] = a.problem(t)
			}
		}
		if !strings.HasPrefix(problems[0], "404") || problems[1] != problems[0] || problems[2] != problems[0] {
			t.Errorf("%s: foreign %q, absent %q, none %q", method, problems[0], problems[1], problems[2])
		}
		if a := w.call("", method, mine, ""); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s without a session: %d", method, a.StatusCode)
		}
	}
	if a := w.call("", "POST", "/uploads", "", "Upload-Length", "1", "Upload-Metadata", metadata("filename", "a")); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("POST without a session: %d", a.StatusCode)
	}
	var list struct{ Items []Upload }
	if decode(t, w.call(bob, "GET", "/uploads", ""), &list); len(list.Items) != 0 {
		t.Errorf("bob sees %+v", list.Items)
	}
	if at := w.offset(mine); at != 0 {
		t.Errorf("it is at %d", at)
	}
}

// An upload that no request continues is gone at its time, and the sweep gives back everything.
// Bytes prolong it.
func TestExpires(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for _, objectsFirst := range []bool{false, true} {
			w.expire(objectsFirst)
		}
		w.empty()
	})
}

// expire leaves an upload until it is gone. The sweep of objects may come before the room's.
func (w *world) expire(objectsFirst bool) {
	t := w.t
	t.Helper()
	path := w.begin(400_000)
	w.below.Advance(w.Keep - time.Minute)
	if a := w.patch(path, 0, pattern(100_000)); a.StatusCode != http.StatusNoContent {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	w.below.Advance(w.Keep - time.Minute)
	if err := w.Service.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if at := w.offset(path); at != 100_000 {
		t.Errorf("prolonged, it is at %d", at)
	}
	w.below.Advance(2 * time.Minute)
	if got := w.patch(path, 100_000, "x").problem(t); got != "410 upload_gone" {
		t.Errorf("after its time: %s", got)
	}
	if a := w.call(ada, "HEAD", path, ""); a.StatusCode != http.StatusGone {
		t.Errorf("HEAD after its time: %d", a.StatusCode)
	}
	if objectsFirst {
		if err := w.Contents.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		var list struct{ Items []Upload }
		if decode(t, w.call(ada, "GET", "/uploads", ""), &list); len(list.Items) != 0 {
			t.Errorf("the list: %+v", list.Items)
		}
	}
	if err := w.Service.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.below.RunJobs()
	if got := w.patch(path, 100_000, "x").problem(t); got != "404 not_found" {
		t.Errorf("after the sweep: %s", got)
	}
}

// empty checks that nothing of any upload is left.
func (w *world) empty() {
	w.t.Helper()
	u, err := w.Contents.Usage(context.Background(), w.DB, ada)
	if err != nil || u.Bytes != 0 || u.Reserved != 0 || u.Files != 0 {
		w.t.Errorf("usage %+v, %v", u, err)
	}
	for _, table := range []string{"uploads", "blobs", "blob_parts"} {
		if n := w.rows(table); n != 0 {
			w.t.Errorf("%d rows of %s are left", n, table)
		}
	}
	err = w.Contents.Blobs.List(context.Background(), "", "", func(id string, _ int64, _ time.Time) error {
		w.t.Errorf("object %s is left", id)
		return nil
	})
	if err != nil {
		w.t.Error(err)
	}
}

// Many requests with the same next bytes: they are stored once, and the rest learn the offset.
func TestSameBytesAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		whole := pattern(80_000)
		path := w.begin(len(whole))
		var all sync.WaitGroup
		for i := range 10 {
			all.Go(func() {
				a := w.on(i%2, ada, "PATCH", path, strings.NewReader(whole), "Upload-Offset", "0")
				if a.StatusCode != http.StatusNoContent && a.StatusCode != http.StatusConflict {
					t.Errorf("%d %s", a.StatusCode, a.body)
				}
			})
		}
		all.Wait()
		at := w.offset(path)
		if at < len(whole) {
			if a := w.patch(path, at, whole[at:]); a.StatusCode != http.StatusNoContent {
				t.Errorf("the rest: %d %s", a.StatusCode, a.body)
			}
		}
		id := w.call(ada, "HEAD", path, "").Header.Get("Coffer-File")
		if id == "" || w.content(id) != whole || len(w.names()) != 1 {
			t.Errorf("file %q, names %q", id, w.names())
		}
	})
}

// A whole upload that is no file yet, as a crash leaves it: of many requests that find it,
// one publishes it, and all name the same file.
func TestPublishOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		path := w.begin(5)
		st, err := w.read(t.Context(), ada, strings.TrimPrefix(path, "/uploads/"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Contents.Append(t.Context(), ada, st.Blob, 0, strings.NewReader("hello"), appendOptions(w.Service)); err != nil {
			t.Fatal(err)
		}
		ids := make(chan string, 10)
		var all sync.WaitGroup
		for i := range cap(ids) {
			all.Go(func() {
				a := w.on(i%2, ada, "HEAD", path, nil)
				if a.StatusCode != http.StatusOK {
					t.Errorf("HEAD: %d", a.StatusCode)
				}
				ids <- a.Header.Get("Coffer-File")
			})
		}
		all.Wait()
		first := <-ids
		for range cap(ids) - 1 {
			if id := <-ids; id != first || id == "" {
				t.Errorf("one request names %q, another %q", first, id)
			}
		}
		if got := w.names(); len(got) != 1 || w.content(first) != "hello" {
			t.Errorf("files %q", got)
		}
	})
}

// The folder of an upload is deleted: the upload says so and keeps its bytes.
func TestFolderGone(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	folder, err := w.Files.NewFolder(t.Context(), ada, "", "f")
	if err != nil {
		t.Fatal(err)
	}
	path := w.begin(5, "parent", folder.ID)
	if err := w.Files.Delete(t.Context(), ada, folder.ID); err != nil {
		t.Fatal(err)
	}
	if got := w.patch(path, 0, "hello").problem(t); got != "409 folder_gone" {
		t.Errorf("%s", got)
	}
	var u Upload
	if decode(t, w.call(ada, "GET", path, ""), &u); u.Offset != 5 || u.File != "" {
		t.Errorf("%+v", u)
	}
}

// What is sealed about an upload opens in its own row only.
func TestSealed(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	first, second := w.begin(5), w.begin(5, "filetype", "text/plain")
	var details []byte
	if err := w.DB.QueryRow(t.Context(), `SELECT details FROM uploads WHERE id = $1`, strings.TrimPrefix(first, "/uploads/")).Scan(&details); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(details), "a.bin") {
		t.Error("the name stands in clear")
	}
	if _, err := w.DB.Exec(t.Context(), `UPDATE uploads SET details = $1 WHERE id = $2`, details, strings.TrimPrefix(second, "/uploads/")); err != nil {
		t.Fatal(err)
	}
	var u Upload
	if decode(t, w.call(ada, "GET", second, ""), &u); !u.Damaged || u.Name != "" {
		t.Errorf("another row's details: %+v", u)
	}
}

// The quota counts an upload's length from its beginning, and refuses one that does not fit.
func TestQuota(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.MaxSize = 1 << 62
	u, err := w.Contents.Usage(t.Context(), w.DB, ada)
	if err != nil {
		t.Fatal(err)
	}
	if u.QuotaBytes == 0 {
		limit := int64(1000)
		if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { return w.Contents.SetQuota(t.Context(), tx, ada, &limit, nil) }); err != nil {
			t.Fatal(err)
		}
		u.QuotaBytes = limit
	}
	header := []string{"Upload-Metadata", metadata("filename", "a"), "Upload-Length", strconv.FormatInt(u.QuotaBytes+1, 10)}
	if got := w.call(ada, "POST", "/uploads", "", header...).problem(t); got != "413 quota_exceeded" {
		t.Errorf("one byte more than the quota: %s", got)
	}
	path := w.begin(int(u.QuotaBytes))
	if got := w.call(ada, "POST", "/uploads", "", "Upload-Metadata", metadata("filename", "a"), "Upload-Length", "1").problem(t); got != "413 quota_exceeded" {
		t.Errorf("beside one that takes all: %s", got)
	}
	if a := w.call(ada, "DELETE", path, ""); a.StatusCode != http.StatusNoContent {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	w.begin(1)
}

// An account has at most 1,000 unfinished uploads.
func TestUnfinishedAreLimited(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.begin(1)
	err := w.DB.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), `
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
			INSERT INTO blob_growth (blob, account, taken, length, reserved, attempt, progress, expires_at)
			SELECT 'x' || i, account, taken, length, 0, attempt, progress, expires_at FROM blob_growth, n`, maxUnfinished-1)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.call(ada, "POST", "/uploads", "", "Upload-Metadata", metadata("filename", "a"), "Upload-Length", "1").problem(t); got != "409 too_many_uploads" {
		t.Errorf("%s", got)
	}
	u, err := w.Contents.Usage(t.Context(), w.DB, ada)
	if err != nil || u.Reserved != 1 {
		t.Errorf("the refused one is reserved: %+v, %v", u, err)
	}
}

// A deleted account leaves no upload.
func TestForget(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		path := w.begin(200_000)
		if a := w.patch(path, 0, pattern(100_000)); a.StatusCode != http.StatusNoContent {
			t.Fatal(a.StatusCode)
		}
		err := w.DB.Tx(t.Context(), func(tx *db.Tx) error {
			if err := deleteUploads(t.Context(), tx, ada); err != nil {
				return err
			}
			return w.Contents.Forget(t.Context(), tx, ada)
		})
		if err != nil {
			t.Fatal(err)
		}
		w.below.RunJobs()
		w.empty()
	})
}

func decode(t testing.TB, a answer, into any) {
	t.Helper()
	if err := json.Unmarshal(a.body, into); err != nil || a.StatusCode != http.StatusOK {
		t.Fatalf("%d %s: %v", a.StatusCode, a.body, err)
	}
}
