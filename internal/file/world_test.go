package file

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
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
	"coffer/internal/limit/limittest"
	"coffer/internal/picture"
)

// The two people of these tests. Their accounts are nothing but data keys.
const (
	ada = account.ID("01900000-0000-7000-8000-00000000ada0")
	bob = account.ID("01900000-0000-7000-8000-00000000b0b0")
)

// world is the room over the real rooms below it, served over HTTP.
type world struct {
	*Service
	t     testing.TB
	below *accounttest.World
	blobs string // the folder of the store, when it is one
	http  *httptest.Server
}

func newWorld(t testing.TB, d *db.DB) *world {
	t.Helper()
	root := filepath.Join(t.TempDir(), "blobs")
	store, err := blob.OpenDir(root)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorldOn(t, d, store)
	w.blobs = root
	return w
}

func newWorldOn(t testing.TB, d *db.DB, store blob.Store) *world {
	t.Helper()
	w := &world{t: t, below: accounttest.New(t, d, limittest.Setup{Start: time.Now()})} // files of the store have the real time
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
	c := Config{DB: d, Jobs: below.Jobs, Accounts: below.Accounts, Feed: feed.New(feed.Config{DB: d}), Pictures: picture.New(picture.Settings{}), Now: below.Now, Log: below.Log}
	limittest.Defaults(t, &c.Settings)
	var err error
	if c.Contents, err = content.New(contents); err != nil {
		t.Fatal(err)
	}
	w.Service = New(c)
	w.rest = 0
	api := below.API(accounttest.Named{})
	w.Routes(api)
	w.http = httptest.NewServer(api.Handler())
	t.Cleanup(w.http.Close)
	return w
}

// answer is a response, read.
type answer struct {
	*http.Response
	body []byte
}

func (a answer) json(t testing.TB, into any) {
	t.Helper()
	if err := json.Unmarshal(a.body, into); err != nil {
		t.Fatalf("%d %s: %v", a.StatusCode, a.body, err)
	}
}

// problem returns status, code and the fields refused, for comparing in one go.
func (a answer) problem(t testing.TB) string {
	t.Helper()
	var p struct {
		Code   string
		Errors []struct{ Pointer, Code string }
	}
	a.json(t, &p)
	s := http.StatusText(a.StatusCode) + " " + p.Code
	for _, e := range p.Errors {
		s += " " + e.Pointer + ":" + e.Code
	}
	return s
}

// call sends a request of the account who. A body that is no reader is JSON.
func (w *world) call(who account.ID, method, path string, body any, header ...string) answer {
	w.t.Helper()
	r, contentType := io.Reader(nil), ""
	switch b := body.(type) {
	case nil:
	case io.Reader:
		r = b
	case string:
		r, contentType = strings.NewReader(b), "application/json"
	default:
		p, err := json.Marshal(b)
		if err != nil {
			w.t.Fatal(err)
		}
		r, contentType = bytes.NewReader(p), "application/json"
	}
	req, err := http.NewRequestWithContext(context.Background(), method, w.http.URL+"/v1"+path, r)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", string(who))
	req.Header.Set("Accept-Encoding", "identity")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := w.http.Client().Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	p, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{resp, p}
}

// upFile is one file of a form.
type upFile struct{ name, mediaType, content string }

// form returns a multipart body and its type; fields come first.
func formOf(t testing.TB, fields map[string]string, files ...upFile) (body *bytes.Buffer, contentType string) {
	t.Helper()
	body = new(bytes.Buffer)
	m := multipart.NewWriter(body)
	for k, v := range fields {
		if err := m.WriteField(k, v); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range files {
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", `form-data; name="file"; filename="`+f.name+`"`)
		if f.mediaType != "" {
			h.Set("Content-Type", f.mediaType)
		}
		p, err := m.CreatePart(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(p, f.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return body, m.FormDataContentType()
}

// upload stores files in a folder and returns the answer.
func (w *world) upload(who account.ID, parent string, files ...upFile) answer {
	w.t.Helper()
	body, contentType := formOf(w.t, map[string]string{"parent": parent}, files...)
	return w.call(who, "POST", "/files", body, "Content-Type", contentType)
}

// mustUpload stores one file and returns its entry.
func (w *world) mustUpload(who account.ID, parent string, f upFile) Entry {
	w.t.Helper()
	a := w.upload(who, parent, f)
	var got struct{ Items []Entry }
	if a.json(w.t, &got); a.StatusCode != http.StatusCreated || len(got.Items) != 1 {
		w.t.Fatalf("upload: %d %s", a.StatusCode, a.body)
	}
	return got.Items[0]
}

func (w *world) mustFolder(who account.ID, parent, name string) Entry {
	w.t.Helper()
	e, err := w.NewFolder(context.Background(), who, parent, name)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// names returns a folder's children in an order.
func (w *world) names(who account.ID, parent, sort string) (names []string) {
	w.t.Helper()
	for cursor := ""; ; {
		a := w.call(who, "GET", "/files?limit=7&parent="+parent+"&sort="+sort+"&cursor="+cursor, nil)
		var page struct {
			Items      []Entry
			NextCursor string `json:"next_cursor"`
		}
		if a.json(w.t, &page); a.StatusCode != http.StatusOK {
			w.t.Fatalf("list: %d %s", a.StatusCode, a.body)
		}
		for _, e := range page.Items {
			names = append(names, e.Name)
		}
		if cursor = page.NextCursor; cursor == "" {
			return names
		}
	}
}

// forget does to both rooms what deleting an account does.
func (w *world) forget(owner account.ID) error {
	return w.DB.Tx(context.Background(), func(tx *db.Tx) error {
		return errors.Join(w.Contents.Forget(context.Background(), tx, owner), w.Forget(context.Background(), tx, owner))
	})
}

// objects returns the ids of contents, in the store and in SQL.
func (w *world) objects() (ids []string) {
	w.t.Helper()
	err := w.Contents.Blobs.List(context.Background(), "", "", func(id string, _ int64, _ time.Time) error {
		ids = append(ids, id)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	rows, err := w.DB.Query(context.Background(), `SELECT blob FROM blob_contents`)
	if err != nil {
		w.t.Fatal(err)
	}
	small, err := rows.Strings()
	if err != nil {
		w.t.Fatal(err)
	}
	return append(ids, small...)
}

// rows counts the rows of a table.
func (w *world) rows(table string) (n int64) {
	w.t.Helper()
	if err := w.DB.QueryRow(context.Background(), `SELECT COUNT(*) FROM `+table).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// pattern is content that does not repeat.
func pattern(n int) string { return string(blobtest.Pattern(n)) }
