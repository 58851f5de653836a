package share

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/blob"
	"coffer/internal/blob/blobtest"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/feed"
	"coffer/internal/file"
	"coffer/internal/limit/limittest"
	"coffer/internal/rest"
)

// world is two nodes of the room over the real rooms below it, each served over HTTP.
type world struct {
	*Service
	t        testing.TB
	below    *accounttest.World
	ada, bob account.ID
	urls     [2]string
	ended    map[string]error // sessions
}

func newWorld(t testing.TB, d *db.DB) *world {
	t.Helper()
	store, err := blob.OpenDir(filepath.Join(t.TempDir(), "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, below: accounttest.New(t, d, limittest.Setup{Start: time.Now()})}
	b := w.below
	contents := content.Config{DB: d, Blobs: store, Ring: b.Ring, Jobs: b.Jobs, Accounts: b.Accounts, Now: b.Now, Log: b.Log}
	limittest.Defaults(t, &contents.Settings)
	news := feed.New(feed.Config{DB: d})
	files := file.Config{DB: d, Jobs: b.Jobs, Accounts: b.Accounts, Feed: news, Now: b.Now, Log: b.Log}
	limittest.Defaults(t, &files.Settings)
	if files.Contents, err = content.New(contents); err != nil {
		t.Fatal(err)
	}
	w.Service = New(Config{
		DB: d, Contents: files.Contents, Files: file.New(files), Accounts: b.Accounts, Events: b.Events, Feed: news, Jobs: b.Jobs, Limit: b.Limits,
		Hold:   func(_ context.Context, _ *db.Tx, _ account.ID, session string) error { return w.ended[session] },
		Client: func(rest.Client) (string, string) { return "Firefox on Linux", "Utrecht" }, Now: b.Now, Log: b.Log, BaseURL: accounttest.BaseURL,
		Look: 5 * time.Millisecond,
	})
	other := &Service{Config: w.Config}
	w.ada, w.bob = b.Join("ada"), b.Join("bob")
	for i, s := range []*Service{w.Service, other} {
		api := b.API(accounttest.Named{})
		s.Files.Routes(api)
		s.Routes(api)
		server := httptest.NewServer(api.Handler())
		t.Cleanup(server.Close)
		w.urls[i] = server.URL
	}
	return w
}

// answer is a response, read.
type reply struct {
	*http.Response
	body []byte
}

// code is the problem's code; "" of a good answer.
func (a reply) code() string {
	var p struct{ Code string }
	if a.StatusCode < 400 || json.Unmarshal(a.body, &p) != nil {
		return ""
	}
	return p.Code
}

// plain is what a client sees of an answer that could differ for a reason.
func (a reply) plain() string {
	var p map[string]any
	_ = json.Unmarshal(a.body, &p)
	delete(p, "request_id")
	b, _ := json.Marshal(p)
	h := a.Header.Clone()
	for _, name := range []string{"X-Request-Id", "Date"} {
		h.Del(name)
	}
	head, _ := json.Marshal(h)
	return a.Status + string(head) + string(b)
}

func (w *world) do(node int, who account.ID, method, path string, body io.Reader, header ...string) (reply, error) {
	req, err := http.NewRequestWithContext(context.Background(), method, w.urls[node]+"/v1"+path, body)
	if err != nil {
		return reply{}, err
	}
	if who != "" {
		req.Header.Set("Authorization", string(who))
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	return reply{res, raw}, err
}

// call makes a call on the first node. body is JSON, "" for none.
func (w *world) call(who account.ID, method, path, body string, header ...string) reply {
	w.t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	a, err := w.do(0, who, method, path, r, header...)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

// guest is call of a person without an account, of a path below a link.
func (w *world) guest(token, method, path, body string, header ...string) reply {
	w.t.Helper()
	return w.call("", method, "/public/shares/"+token+path, body, header...)
}

// good decodes an answer that must have the status.
func good[T any](w *world, a reply, status int) (v T) {
	w.t.Helper()
	if a.StatusCode != status {
		w.t.Fatalf("%s %s: %d %s", a.Request.Method, a.Request.URL.Path, a.StatusCode, a.body)
	}
	if err := json.Unmarshal(a.body, &v); err != nil {
		w.t.Fatalf("%v: %s", err, a.body)
	}
	return v
}

// is fails the test unless an answer has a status and a code.
func (w *world) is(a reply, status int, code string) {
	w.t.Helper()
	if a.StatusCode != status || a.code() != code {
		w.t.Errorf("%s %s: %d %s, want %d %s", a.Request.Method, a.Request.URL, a.StatusCode, a.body, status, code)
	}
}

func (w *world) folder(parent, name string) string {
	w.t.Helper()
	e, err := w.Files.NewFolder(w.t.Context(), w.ada, parent, name)
	if err != nil {
		w.t.Fatal(err)
	}
	return e.ID
}

func (w *world) upload(parent, name, content string) string {
	w.t.Helper()
	u := w.Files.NewUpload(w.ada)
	if err := u.Add(w.t.Context(), name, "text/plain", strings.NewReader(content)); err != nil {
		w.t.Fatal(err)
	}
	entries, err := u.Publish(w.t.Context(), parent)
	if err != nil {
		w.t.Fatal(err)
	}
	return entries[0].ID
}

// share makes a link of ada's; settings are JSON members with a comma before them.
func (w *world) share(entry string, kind Kind, settings string) Share {
	w.t.Helper()
	return good[Share](w, w.call(w.ada, "POST", "/files/"+entry+"/shares", `{"kind":"`+string(kind)+`"`+settings+`}`), http.StatusCreated)
}

// form is a body of files, each a name and a content, after fields.
func form(fields map[string]string, files ...string) (body *bytes.Buffer, contentType string) {
	body = &bytes.Buffer{}
	m := multipart.NewWriter(body)
	for name, value := range fields {
		_ = m.WriteField(name, value)
	}
	for i := 0; i < len(files); i += 2 {
		part, _ := m.CreateFormFile("file", files[i])
		_, _ = io.WriteString(part, files[i+1])
	}
	_ = m.Close()
	return body, m.FormDataContentType()
}

// handIn sends files to a link of kind request.
func (w *world) handIn(token string, fields map[string]string, files ...string) reply {
	w.t.Helper()
	body, contentType := form(fields, files...)
	req, err := http.NewRequestWithContext(context.Background(), "POST", w.urls[0]+"/v1/public/shares/"+token+"/files", body)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return reply{res, raw}
}

// names returns the names in a folder of ada's.
func (w *world) names(parent string) (names []string) {
	w.t.Helper()
	entries, _, err := w.Files.List(w.t.Context(), w.ada, parent, "name", "", 200)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name)
	}
	return names
}

func pattern(n int) string { return string(blobtest.Pattern(n)) }

// rows counts the rows of a table.
func (w *world) rows(table string) (n int64) {
	w.t.Helper()
	if err := w.DB.QueryRow(context.Background(), `SELECT COUNT(*) FROM `+table).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// unzip returns a file of an archive.
func unzip(t testing.TB, archive []byte, name string) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
