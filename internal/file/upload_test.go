package file

import (
	"bytes"
	"context"
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
	"testing/iotest"
	"time"

	"github.com/tink-crypto/tink-go/v2/streamingaead/subtle"

	"coffer/internal/blob"
	"coffer/internal/blob/blobtest"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/keyring"
	"coffer/internal/seal"
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
			{"a.txt", "text/plain"}, {"b", unknownType}, {"a (1).txt", unknownType}, {"c.png", "image/png"}, {"d.bin", unknownType},
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
		"undeclared": io.MultiReader(bytes.NewReader(p)), // chunked: nobody knows the length
	} {
		if got := w.call(ada, "POST", "/files", r, "Content-Type", contentType).problem(t); got != "Request Entity Too Large too_large" {
			t.Errorf("%s: %s", name, got)
		}
		w.nothing(name)
	}
	// The first thousand are counted, not sent: each would wait for the disk.
	u := w.NewUpload(ada)
	u.files = make([]stored, MaxFiles)
	body, contentType = formOf(t, nil, upFile{"a", "", ""})
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&form{u: u, ctx: t.Context()}).take(multipart.NewReader(body, params["boundary"])); !errors.Is(err, errTooMany) {
		t.Errorf("file number %d: %v", MaxFiles+1, err)
	}
	w.nothing("too many files")
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

// failingStore breaks in the ways a store can.
type failingStore struct {
	blob.Store
	put func(ctx context.Context, id string, r io.Reader) (int64, error)
}

func (f failingStore) Put(ctx context.Context, id string, r io.Reader) (int64, error) {
	return f.put(ctx, id, r)
}

func TestUploadWhenTheStoreFails(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	dir := w.Blobs
	for name, put := range map[string]func(ctx context.Context, id string, r io.Reader) (int64, error){
		"at once": func(context.Context, string, io.Reader) (int64, error) { return 0, blob.ErrUnavailable },
		"in the middle": func(_ context.Context, _ string, r io.Reader) (int64, error) {
			_, _ = io.CopyN(io.Discard, r, 500_000)
			return 0, blob.ErrUnavailable
		},
		"at the end": func(_ context.Context, _ string, r io.Reader) (int64, error) {
			_, _ = io.Copy(io.Discard, r)
			return 0, blob.ErrUnavailable
		},
		"writing": func(_ context.Context, _ string, r io.Reader) (int64, error) {
			return r.(io.WriterTo).WriteTo(brokenWriter{})
		},
	} {
		w.Blobs = failingStore{dir, put}
		a := w.upload(ada, "", upFile{"a", "", pattern(3 << 20)})
		if a.StatusCode < 500 {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
		w.nothing(name)
	}
	// A store that reads instead of letting the source write gets the same bytes.
	w.Blobs = failingStore{dir, func(ctx context.Context, id string, r io.Reader) (int64, error) {
		return dir.Put(ctx, id, struct{ io.Reader }{r})
	}}
	content := pattern(3<<20 + 7)
	e := w.mustUpload(ada, "", upFile{"a", "", content})
	if a := w.call(ada, "GET", "/files/"+e.ID+"/content", nil); string(a.body) != content {
		t.Errorf("through Read: %d bytes", len(a.body))
	}
}

// A store that has given up ends the reading too: nobody sends a terabyte for nothing.
func TestStoreThatGaveUpIsNotFed(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.Blobs = failingStore{w.Blobs, func(_ context.Context, _ string, r io.Reader) (int64, error) {
		_, _ = io.CopyN(io.Discard, r, 1<<20)
		return 0, blob.ErrUnavailable
	}}
	source := &endless{block: make([]byte, 1<<20), left: 1 << 40}
	if err := w.NewUpload(ada).Add(t.Context(), "a", unknownType, source); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("Add = %v", err)
	}
	if read := 1<<40 - source.left; read > 64<<20 {
		t.Errorf("%d MiB were read after all", read>>20)
	}
}

// A source that breaks never looks like one that ended: the store must not keep a short
// object as whole.
func TestBrokenSourceReachesTheStore(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	dir, broken := w.Blobs, errors.New("the client went away")
	for _, n := range []int{200_000, 700_000, 5 << 20} {
		for name, read := range map[string]func(r io.Reader) error{
			"Read":    func(r io.Reader) error { _, err := io.Copy(io.Discard, struct{ io.Reader }{r}); return err },
			"WriteTo": func(r io.Reader) error { _, err := r.(io.WriterTo).WriteTo(io.Discard); return err },
		} {
			var seen error
			w.Blobs = failingStore{dir, func(_ context.Context, _ string, r io.Reader) (int64, error) {
				seen = read(r)
				return 0, seen
			}}
			u := w.NewUpload(ada)
			source := io.MultiReader(strings.NewReader(pattern(n)), iotest.ErrReader(broken))
			if err := u.Add(t.Context(), "a", unknownType, source); !errors.Is(err, broken) || !errors.Is(seen, broken) {
				t.Errorf("%s, %d bytes: Add = %v, the store saw %v", name, n, err, seen)
			}
		}
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// An S3 store takes and gives the same.
func TestUploadToS3(t *testing.T) {
	w := newWorldOn(t, dbtest.SQLite(t), blobtest.S3(t))
	content := pattern(17<<20 + 11)
	e := w.mustUpload(ada, "", upFile{"big", "", content})
	a := w.call(ada, "GET", "/files/"+e.ID+"/content", nil)
	if string(a.body) != content {
		t.Errorf("%d bytes came back", len(a.body))
	}
	if a := w.call(ada, "GET", "/files/"+e.ID+"/content", nil, "Range", "bytes=16777000-16778000"); string(a.body) != content[16777000:16778001] {
		t.Errorf("range: %d bytes", len(a.body))
	}
	if err := w.Delete(t.Context(), ada, e.ID); err != nil {
		t.Fatal(err)
	}
	w.below.RunJobs()
	w.nothing("after deleting")
}

// The leftovers of a crash are invisible and go within the hour. Live objects stay, and so
// does an upload that runs for longer than that.
func TestSweep(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		keep := w.mustUpload(ada, "", upFile{"keep", "", "x"})
		long := strings.Repeat("long", 50_000)
		// As a process leaves it that dies between the last byte and the publishing …
		u := w.NewUpload(ada)
		for _, content := range []string{long, "small", strings.Repeat("x", maxHeld)} {
			if err := u.Add(t.Context(), "lost", unknownType, strings.NewReader(content)); err != nil {
				t.Fatal(err)
			}
		}
		if blobs, objects := w.rows("blobs"), len(w.objects()); blobs != 4 || objects != 4 {
			t.Fatalf("before: %d blobs, %d objects; what is small did not go to SQL", blobs, objects)
		}
		// … and one whose object was never finished.
		unfinished := filepath.Join(w.blobs, "tmp", "00ff.ABC")
		if err := errors.Join(insertBlob(t.Context(), d, ada, stored{blob: "00ff", wrapped: []byte{1}}, pending, w.below.Now()), os.WriteFile(unfinished, []byte("half"), 0o600)); err != nil {
			t.Fatal(err)
		}
		// … and a database restored from before the object was made.
		if _, err := w.Blobs.Put(t.Context(), "ffffffff", strings.NewReader("orphan")); err != nil {
			t.Fatal(err)
		}
		sweep := func() {
			t.Helper()
			if err := errors.Join(w.Sweep(t.Context()), w.sweepOrphans(t.Context())); err != nil {
				t.Fatal(err)
			}
		}
		// A form that takes hours: files that came early wait for the last one.
		running := w.NewUpload(ada)
		if err := running.Add(t.Context(), "early", unknownType, strings.NewReader(long)); err != nil {
			t.Fatal(err)
		}
		late := io.MultiReader(strings.NewReader(long), readFunc(func([]byte) (int, error) {
			for range 12 {
				w.below.Advance(touchEvery)
				running.touch(t.Context())
				sweep()
			}
			return 0, io.EOF
		}))
		if err := running.Add(t.Context(), "late", unknownType, late); err != nil {
			t.Fatal(err)
		}
		if blobs, objects := w.rows("blobs"), len(w.objects()); blobs != 3 || objects != 4 {
			t.Errorf("after an hour: %d blobs, %d objects; want the live one, those of the upload that runs, and the orphan", blobs, objects)
		}
		if _, err := os.Stat(unfinished); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("what an unfinished object left: %v", err)
		}
		if _, err := running.Publish(t.Context(), ""); err != nil {
			t.Errorf("publishing what ran for an hour: %v", err)
		}
		if _, err := u.Publish(t.Context(), ""); !errors.Is(err, errAbandoned) {
			t.Errorf("publishing what was swept: %v", err)
		}
		w.below.Advance(7 * 24 * time.Hour)
		sweep()
		if objects := len(w.objects()); objects != 3 {
			t.Errorf("after a week: %d objects", objects)
		}
		if a := w.call(ada, "GET", "/files/"+keep.ID+"/content", nil); string(a.body) != "x" {
			t.Errorf("the live file: %d %s", a.StatusCode, a.body)
		}
	})
}

// An upload whose commit failed must not lose what did commit.
func TestAbortSparesWhatIsPublished(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	u := w.NewUpload(ada)
	if err := u.Add(t.Context(), "a", unknownType, strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	entries, err := u.Publish(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	u.Abort(t.Context())
	if a := w.call(ada, "GET", "/files/"+entries[0].ID+"/content", nil); string(a.body) != "x" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
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

// Tink opens the object in the store with the unwrapped key: the format is not ours alone.
func TestTinkOpensAnObject(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	content := pattern(200_000)
	w.mustUpload(ada, "", upFile{"a", "", content})
	id := w.objects()[0]
	var wrapped []byte
	if err := w.DB.QueryRow(t.Context(), `SELECT wrapped FROM blobs WHERE id = $1`, id).Scan(&wrapped); err != nil {
		t.Fatal(err)
	}
	key, err := w.Ring.Open(t.Context(), keyring.Blob, wrapped, blobAAD(id, ada))
	if err != nil {
		t.Fatal(err)
	}
	tink, err := subtle.NewAESGCMHKDF(key, "SHA256", 32, seal.SegmentSize, 0)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := blobtest.Read(t, w.Blobs, id, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	r, err := tink.NewDecryptingReader(bytes.NewReader(sealed), contentAAD(id))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != content {
		t.Errorf("tink read %d bytes, %v", len(got), err)
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
