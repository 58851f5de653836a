package file

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// nothing fails the test unless no trace of a file is left.
func (w *world) nothing(when string) {
	w.t.Helper()
	if files, blobs, objects := w.rows("files"), w.rows("blobs"), len(w.objects()); files != 0 || blobs != 0 || objects != 0 {
		w.t.Errorf("%s: %d files, %d blobs, %d objects are left", when, files, blobs, objects)
	}
}

func TestUploadOfMany(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		in := w.mustFolder(ada, "", "in")
		files := []upFile{
			{"a.txt", "text/plain", "one"}, {"b", "", ""}, {"a.txt", "", pattern(300_000)},
			{`C:\\pictures\\c.png`, "image/png", pattern(70_000)}, {"dir/d.bin", "nonsense", pattern(1 << 20)},
		}
		a := w.upload(ada, in.ID, files...)
		var got struct{ Items []Entry }
		if a.json(t, &got); a.StatusCode != http.StatusCreated || len(got.Items) != len(files) {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
		for i, want := range []struct{ name, mediaType string }{
			{"a.txt", "text/plain"}, {"b", content.UnknownType}, {"a (1).txt", content.UnknownType}, {"c.png", "image/png"}, {"d.bin", content.UnknownType},
		} {
			e := got.Items[i]
			if e.Name != want.name || e.MediaType != want.mediaType || e.Size != int64(len(files[i].content)) || e.Parent == nil || *e.Parent != in.ID {
				t.Errorf("file %d: %+v, want %v", i, e, want)
			}
			if c := w.call(ada, "GET", "/files/"+e.ID+"/content", nil); string(c.body) != files[i].content {
				t.Errorf("file %d: %d bytes came back, want %d", i, len(c.body), len(files[i].content))
			}
		}
		// The query may name the folder too.
		body, contentType := formOf(t, nil, upFile{"q", "", "x"})
		if a := w.call(ada, "POST", "/files?parent="+in.ID, body, "Content-Type", contentType); a.StatusCode != http.StatusCreated || !strings.Contains(string(a.body), in.ID) {
			t.Errorf("parent in the query: %d %s", a.StatusCode, a.body)
		}
	})
}

// Every refusal names what is wrong, and changes nothing: not even the good files of the
// same request.
func TestUploadRefusals(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	good := upFile{"good.txt", "", pattern(100_000)}
	const invalid = "Unprocessable Entity validation_failed "
	for _, tc := range []struct {
		name string
		file upFile
		want string
	}{
		{"4 KB name", upFile{strings.Repeat("n", 4096), "", "x"}, invalid + "/files/1/name:too_long"},
		{"path of dots", upFile{"../..", "", "x"}, invalid + "/files/1/name:dots"},
		{"no name", upFile{"", "", "x"}, invalid + "/files/1/name:required"},
		{"folder only", upFile{"dir/", "", "x"}, invalid + "/files/1/name:required"},
		{"override", upFile{"a\u202egpj.exe", "", "x"}, invalid + "/files/1/name:bidi_control"},
		{"not UTF-8", upFile{"a\xff", "", "x"}, invalid + "/files/1/name:invalid_utf8"},
		{"control", upFile{"a\x01b", "", "x"}, invalid + "/files/1/name:malformed"},
		{"NUL", upFile{"a\x00b", "", "x"}, invalid + "/files/1/name:malformed"},
		{"C1", upFile{"a\u0085b", "", "x"}, invalid + "/files/1/name:control_character"},
	} {
		if got := w.upload(ada, "", good, tc.file).problem(t); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
		w.nothing(tc.name)
	}
	form := func(s string) answer {
		return w.call(ada, "POST", "/files", strings.NewReader(strings.ReplaceAll(s, "\n", "\r\n")), "Content-Type", "multipart/form-data; boundary=b")
	}
	for name, tc := range map[string]struct{ body, want string }{
		"no file":                {"--b--\n", invalid + "/files:required"},
		"only a field":           {"--b\nContent-Disposition: form-data; name=parent\n\n\n--b--\n", invalid + "/files:required"},
		"unknown field":          {"--b\nContent-Disposition: form-data; name=\"x/y\"\n\n1\n--b--\n", invalid + "/x~1y:unknown_field"},
		"parent too late":        {"--b\nContent-Disposition: form-data; name=f; filename=a\n\n1\n--b\nContent-Disposition: form-data; name=parent\n\n\n--b--\n", invalid + "/parent:too_late"},
		"no end":                 {"--b\nContent-Disposition: form-data; name=f; filename=a\n\n1", "Bad Request malformed_body"},
		"no end after a part":    {"--b\nContent-Disposition: form-data; name=f; filename=a\n\n1\n--b\n", "Bad Request malformed_body"},
		"no line behind the end": {"--b\nContent-Disposition: form-data; name=f; filename=..\n\n1\n--b--", invalid + "/files/0/name:dots"},
		"empty":                  {"", "Bad Request malformed_body"},
		"no disposition":         {"--b\nX: y\n\n1\n--b--\n", invalid + "/files/0/name:malformed"},
		"another boundary":       {"--c\nContent-Disposition: form-data; name=f; filename=a\n\n1\n--c--\n", "Bad Request malformed_body"},
		"two dispositions":       {"--b\nContent-Disposition: form-data; name=f; filename=a\nContent-Disposition: form-data; name=f; filename=b\n\n1\n--b--\n", invalid + "/files/0/name:duplicate"},
		"two types":              {"--b\nContent-Disposition: form-data; name=f; filename=a\nContent-Type: a/b\nContent-Type: c/d\n\n1\n--b--\n", invalid + "/files/0/name:duplicate"},
		"filename twice":         {"--b\nContent-Disposition: form-data; name=f; filename=a; filename=b\n\n1\n--b--\n", invalid + "/files/0/name:duplicate"},
		"filename two ways":      {"--b\nContent-Disposition: form-data; name=f; filename=a; FileName*=UTF-8''b\n\n1\n--b--\n", invalid + "/files/0/name:duplicate"},
		"filename in pieces":     {"--b\nContent-Disposition: form-data; name=f; filename*0=a; filename*1=b\n\n1\n--b--\n", invalid + "/files/0/name:duplicate"},
		"name twice":             {"--b\nContent-Disposition: form-data; name=\"f;\\\"\"; name=f; filename=a\n\n1\n--b--\n", invalid + "/files/0/name:duplicate"},
		"charset twice":          {"--b\nContent-Disposition: form-data; name=f; filename=a\nContent-Type: text/plain; charset=a; charset=b\n\n1\n--b--\n", invalid + "/files/0/name:duplicate"},
		"parent twice":           {"--b\nContent-Disposition: form-data; name=parent\n\n\n--b\nContent-Disposition: form-data; name=parent\n\n\n--b--\n", invalid + "/parent:duplicate"},
		"header without colon":   {"--b\nContent-Disposition\n\n1\n--b--\n", invalid + "/files/0/name:malformed"},
	} {
		if got := form(tc.body).problem(t); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
		w.nothing(name)
	}
	one := "--b\r\nContent-Disposition: form-data; name=parent\r\n\r\n\r\n--b\r\nContent-Disposition: form-data; name=f; filename=a\r\n\r\n1\r\n--b--\r\n"
	for name, tc := range map[string]struct{ path, contentType, want string }{
		"parent in query and form": {"/files?parent=", "multipart/form-data; boundary=b", invalid + "/parent:duplicate"},
		"parent twice in query":    {"/files?parent=&parent=x", "multipart/form-data; boundary=b", invalid + "query.parent:duplicate"},
		"boundary twice":           {"/files", "multipart/form-data; boundary=b; boundary=c", invalid + "header.Content-Type:duplicate"},
		"boundary two ways":        {"/files", "multipart/form-data; boundary=b; boundary*=us-ascii''c", invalid + "header.Content-Type:duplicate"},
	} {
		if got := w.call(ada, "POST", tc.path, strings.NewReader(one), "Content-Type", tc.contentType).problem(t); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
		w.nothing(name)
	}
	// A name of any length is answered in few words.
	long := form("--b\nContent-Disposition: form-data; name=\"" + strings.Repeat("n", 20_000) + "\"\n\n1\n--b--\n")
	if len(long.body) > 1000 || !strings.Contains(string(long.body), "unknown_field") {
		t.Errorf("a long field name: %d bytes, %.300s", len(long.body), long.body)
	}
	for _, contentType := range []string{"application/json", "multipart/form-data", "multipart/mixed; boundary=b", "multipart/form-data; boundary=" + strings.Repeat("b", 71), ""} {
		if got := w.call(ada, "POST", "/files", strings.NewReader("{}"), "Content-Type", contentType).problem(t); got != "Unsupported Media Type unsupported_media_type" {
			t.Errorf("%q: %s", contentType, got)
		}
	}
}

// Browsers write a quotation mark in a name as %22; a curly one, and a % of another kind, as it is.
func TestUploadNamesAsBrowsersWriteThem(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	for written, want := range map[string]string{"a%22b%22.txt": `a"b".txt`, "100%25.txt": "100%25.txt", "“c”.txt": "“c”.txt"} {
		body := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + written + "\"\r\n\r\nx\r\n--b--\r\n"
		got := w.call(ada, "POST", "/files", strings.NewReader(body), "Content-Type", "multipart/form-data; boundary=b")
		var page struct{ Items []Entry }
		if got.json(t, &page); len(page.Items) != 1 || page.Items[0].Name != want {
			t.Errorf("%s became %s, want %s", written, got.body, want)
		}
	}
}

func TestUploadLimits(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.MaxUpload = 1 << 20
	body, contentType := formOf(t, nil, upFile{"a", "", pattern(1 << 20)})
	p := body.Bytes()
	for name, r := range map[string]io.Reader{
		"declared":   bytes.NewReader(p),
		"undeclared": io.MultiReader(bytes.NewReader(p)), // chunked: without a length
	} {
		if got := w.call(ada, "POST", "/files", r, "Content-Type", contentType).problem(t); got != "Request Entity Too Large too_large" {
			t.Errorf("%s: %s", name, got)
		}
		w.nothing(name)
	}
	// The first ones are counted, not sent: each would wait for the disk.
	for most, fields := range map[int]map[string]string{MaxFiles: {"replace": "false"}, maxReplaced: {"replace": "true"}} {
		u := w.NewUpload(ada)
		body, contentType = formOf(t, fields, upFile{"a", "", ""})
		_, params, err := mime.ParseMediaType(contentType)
		if err != nil {
			t.Fatal(err)
		}
		f := &form{u: u, ctx: t.Context(), complete: func() error { return nil }}
		parts := multipart.NewReader(body, params["boundary"])
		field, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		if err := f.field(field); err != nil {
			t.Fatal(err)
		}
		u.files = make([]arrival, most)
		if _, err := f.take(parts); !errors.Is(err, errTooMany) {
			t.Errorf("file number %d: %v", most+1, err)
		}
		w.nothing("too many files")
	}
}

// A form that exceeds the quota is refused whole; what is deleted makes room.
func TestUploadOverTheQuota(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.Contents.Quota = 100_000
	first := w.mustUpload(ada, "", upFile{"first", "", pattern(70_000)})
	for _, files := range [][]upFile{{{"a", "", "fits"}, {"b", "", pattern(30_000)}}, {{"a", "", "fits"}, {"b", "", pattern(300_000)}}} {
		if got := w.upload(ada, "", files...).problem(t); got != "Request Entity Too Large quota_exceeded" {
			t.Error(got)
		}
		if files, blobs, objects := w.rows("files"), w.rows("blobs"), len(w.objects()); files != 1 || blobs != 1 || objects != 1 {
			t.Errorf("after a refusal: %d files, %d blobs, %d objects", files, blobs, objects)
		}
	}
	if err := w.Delete(t.Context(), ada, first.ID); err != nil {
		t.Fatal(err)
	}
	w.mustUpload(ada, "", upFile{"a", "", pattern(100_000)})
}

// A client that goes away leaves nothing, wherever it stops.
func TestUploadCutOff(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	body, contentType := formOf(t, nil, upFile{"a", "", pattern(400_000)}, upFile{"b", "", pattern(400_000)})
	p := body.Bytes()
	address, err := url.Parse(w.http.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 10, 200, 200_000, 400_300, 600_000, len(p) - 40, len(p) - 3} {
		conn, err := net.Dial("tcp", address.Host)
		if err != nil {
			t.Fatal(err)
		}
		head := "POST /v1/files HTTP/1.1\r\nHost: " + address.Host + "\r\nAuthorization: " + string(ada) +
			"\r\nContent-Type: " + contentType + "\r\nTransfer-Encoding: chunked\r\n\r\n"
		chunk := append([]byte(head), "FFFFFF\r\n"...)
		if _, err := conn.Write(append(chunk, p[:n]...)); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, conn); err != nil { // until the server is done with it
			t.Fatal(err)
		}
		conn.Close()
	}
	// The server answers each before it closes, and has cleaned up before it answers.
	w.nothing("after eight that went away")
}

// No name, type, hash or content stands readable anywhere on the disk.
func TestNothingReadableAtRest(t *testing.T) {
	file := dbtest.SQLiteFile(t)
	d, err := db.Open(t.Context(), "sqlite:"+file, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, d)
	content := strings.Repeat("canary-content ", 10_000)
	e := w.mustUpload(ada, w.mustFolder(ada, "", "canary-folder").ID, upFile{"canary-name.txt", "application/x-canary-type", content})
	w.names(ada, "", "name")
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := hex.DecodeString(e.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	canaries := []string{"canary-content", "canary-folder", "canary-name", "x-canary-type", e.SHA256, string(raw)}
	searched := 0
	for _, root := range []string{filepath.Dir(file), w.blobs} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			p, err := os.ReadFile(path)
			searched += len(p)
			for _, c := range canaries {
				if bytes.Contains(p, []byte(c)) {
					t.Errorf("%s holds %q", path, c)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if searched < len(content) {
		t.Errorf("only %d bytes were searched", searched)
	}
}

func FuzzForm(f *testing.F) {
	body, contentType := formOf(f, map[string]string{"parent": ""}, upFile{"a.txt", "text/plain", "x"})
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bytes.ReplaceAll(body.Bytes(), []byte(params["boundary"]), []byte("b")))
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=f; filename*=UTF-8''%2e%2e\r\n\r\n1\r\n--b--"))
	w := newWorld(f, dbtest.SQLite(f))
	f.Fuzz(func(t *testing.T, p []byte) {
		w.t = t
		a := w.call(ada, "POST", "/files", bytes.NewReader(p), "Content-Type", "multipart/form-data; boundary=b")
		if a.StatusCode >= 500 {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
	})
}
