package upload

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
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
	"coffer/internal/kv"
	"coffer/internal/limit/limittest"
)

// The two people of these tests. Their accounts are nothing but data keys.
const (
	ada = account.ID("01900000-0000-7000-8000-00000000ada0")
	bob = account.ID("01900000-0000-7000-8000-00000000b0b0")
)

// world is two nodes of the room over the real rooms below it, each served over HTTP.
type world struct {
	*Service // the first node
	other    *Service
	t        testing.TB
	below    *accounttest.World
	logged   *bytes.Buffer // of the room
	urls     [2]string
	handlers [2]http.Handler
}

func newWorld(t testing.TB, d *db.DB) *world {
	t.Helper()
	store, err := blob.OpenDir(filepath.Join(t.TempDir(), "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, logged: &bytes.Buffer{}, below: accounttest.New(t, d, limittest.Setup{Start: time.Now()})}
	below := w.below
	for _, id := range []account.ID{ada, bob} {
		_, wrapped, err := below.Ring.NewDataKey(t.Context(), string(id))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Exec(t.Context(), `INSERT INTO account_keys (account, wrapped) VALUES ($1, $2) ON CONFLICT (account) DO NOTHING`, string(id), wrapped); err != nil {
			t.Fatal(err)
		}
	}
	contents := content.Config{DB: d, Blobs: store, Ring: below.Ring, Jobs: below.Jobs, Accounts: below.Accounts, Now: below.Now, Log: below.Log}
	limittest.Defaults(t, &contents.Settings)
	files := file.Config{DB: d, Jobs: below.Jobs, Accounts: below.Accounts, Feed: feed.New(feed.Config{DB: d}), Now: below.Now, Log: below.Log}
	limittest.Defaults(t, &files.Settings)
	if files.Contents, err = content.New(contents); err != nil {
		t.Fatal(err)
	}
	c := Config{
		MaxSize: 1 << 30, DB: d, Bus: kv.NewLocalBus(), Contents: files.Contents, Files: file.New(files), Accounts: below.Accounts,
		Jobs: below.Jobs, Now: below.Now, Log: slog.New(slog.NewTextHandler(w.logged, nil)),
	}
	limittest.Defaults(t, &c.Settings)
	if w.Service, err = New(c); err != nil {
		t.Fatal(err)
	}
	// Another process has the same stores and bus, and its own name and requests.
	w.other = &Service{Config: c, node: "the other node", running: map[string]*running{}, told: map[string]bool{}}
	if w.other.tus, err = newTus(w.other); err != nil {
		t.Fatal(err)
	}
	for i, s := range []*Service{w.Service, w.other} {
		api := below.API(accounttest.Named{})
		s.Routes(api)
		s.Files.Routes(api)
		w.handlers[i] = api.Handler()
		server := httptest.NewServer(w.handlers[i])
		t.Cleanup(server.Close)
		w.urls[i] = server.URL
	}
	return w
}

// answer is a response, read.
type answer struct {
	*http.Response
	body []byte
}

// problem returns status, code and the fields refused, for comparing in one go.
func (a answer) problem(t testing.TB) string {
	t.Helper()
	var p struct {
		Code   string
		Errors []struct{ Pointer, Code string }
	}
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Fatalf("%d %s: %v", a.StatusCode, a.body, err)
	}
	s := strconv.Itoa(a.StatusCode) + " " + p.Code
	for _, e := range p.Errors {
		s += " " + e.Pointer + ":" + e.Code
	}
	return s
}

// on sends a request of the account who to a node. Header values are given in pairs; "" as a
// value leaves the field out.
func (w *world) on(node int, who account.ID, method, path string, body io.Reader, header ...string) answer {
	w.t.Helper()
	a, err := w.try(context.Background(), node, who, method, path, body, header...)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) try(ctx context.Context, node int, who account.ID, method, path string, body io.Reader, header ...string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, w.urls[node]+"/v1"+path, body)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", string(who))
	if strings.HasPrefix(path, "/uploads") && method != "GET" {
		req.Header.Set("Tus-Resumable", "1.0.0")
	}
	if method == "PATCH" {
		req.Header.Set("Content-Type", "application/offset+octet-stream")
	}
	seen := map[string]bool{}
	for i := 0; i < len(header); i += 2 {
		if !seen[header[i]] {
			req.Header.Del(header[i])
		}
		if seen[header[i]] = true; header[i+1] != "" {
			req.Header.Add(header[i], header[i+1])
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	return answer{res, raw}, err
}

func (w *world) call(who account.ID, method, path string, body string, header ...string) answer {
	w.t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	return w.on(0, who, method, path, r, header...)
}

// metadata is a value of Upload-Metadata; keys and plain values are given in pairs.
func metadata(pairs ...string) string {
	var all []string
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, pairs[i]+" "+base64.StdEncoding.EncodeToString([]byte(pairs[i+1])))
	}
	return strings.Join(all, ",")
}

// begin makes an upload of ada's and returns its path below /v1.
func (w *world) begin(length int, pairs ...string) string {
	w.t.Helper()
	header := []string{"Upload-Metadata", metadata(append([]string{"filename", "a.bin"}, pairs...)...)}
	if length < 0 {
		header = append(header, "Upload-Defer-Length", "1")
	} else {
		header = append(header, "Upload-Length", strconv.Itoa(length))
	}
	a := w.call(ada, "POST", "/uploads", "", header...)
	if a.StatusCode != http.StatusCreated || !strings.HasPrefix(a.Header.Get("Location"), "/v1/uploads/") {
		w.t.Fatalf("POST: %d %s, Location %q", a.StatusCode, a.body, a.Header.Get("Location"))
	}
	return strings.TrimPrefix(a.Header.Get("Location"), "/v1")
}

// patch sends bytes at an offset.
func (w *world) patch(path string, at int, body string, header ...string) answer {
	w.t.Helper()
	return w.call(ada, "PATCH", path, body, append([]string{"Upload-Offset", strconv.Itoa(at)}, header...)...)
}

// offset returns what HEAD says.
func (w *world) offset(path string) int {
	w.t.Helper()
	a := w.call(ada, "HEAD", path, "")
	n, err := strconv.Atoi(a.Header.Get("Upload-Offset"))
	if a.StatusCode != http.StatusOK || err != nil {
		w.t.Fatalf("HEAD: %d, Upload-Offset %q", a.StatusCode, a.Header.Get("Upload-Offset"))
	}
	return n
}

// content downloads a file of ada's.
func (w *world) content(id string) string {
	w.t.Helper()
	a := w.call(ada, "GET", "/files/"+id+"/content", "")
	if a.StatusCode != http.StatusOK {
		w.t.Fatalf("GET: %d %s", a.StatusCode, a.body)
	}
	return string(a.body)
}

// names returns the names in ada's root.
func (w *world) names() (names []string) {
	w.t.Helper()
	var page struct{ Items []file.Entry }
	a := w.call(ada, "GET", "/files", "")
	if err := json.Unmarshal(a.body, &page); err != nil {
		w.t.Fatal(err)
	}
	for _, e := range page.Items {
		names = append(names, e.Name)
	}
	return names
}

// rows counts the rows of a table.
func (w *world) rows(table string) (n int64) {
	w.t.Helper()
	if err := w.DB.QueryRow(context.Background(), `SELECT COUNT(*) FROM `+table).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// until waits for what a test has begun.
func (w *world) until(what string, is func() bool) {
	w.t.Helper()
	for range 1000 {
		if is() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	w.t.Fatal(what + ": not after ten seconds")
}

// pattern is content that does not repeat.
func pattern(n int) string { return string(blobtest.Pattern(n)) }

func hexOf(b []byte) string { return hex.EncodeToString(b) }

func appendOptions(s *Service) content.AppendOptions {
	return content.AppendOptions{Expires: s.Now().Add(s.Keep)}
}
