package search

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/blob"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/feed"
	"coffer/internal/file"
	"coffer/internal/limit/limittest"
	"coffer/internal/seal"
)

// world is the room over the real rooms below it, served over HTTP.
type world struct {
	*Service
	t        testing.TB
	below    *accounttest.World
	ada, bob account.ID
	http     *httptest.Server
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
	files := file.Config{DB: d, Jobs: b.Jobs, Accounts: b.Accounts, Feed: feed.New(feed.Config{DB: d}), Now: b.Now, Log: b.Log}
	limittest.Defaults(t, &files.Settings)
	if files.Contents, err = content.New(contents); err != nil {
		t.Fatal(err)
	}
	c := Config{DB: d, Files: file.New(files), Accounts: b.Accounts, Now: b.Now}
	limittest.Defaults(t, &c.Settings)
	w.ada, w.bob = b.Join("ada"), b.Join("bob")
	w.reset(c)
	return w
}

// reset serves a room without any index.
func (w *world) reset(c Config) {
	w.Service = New(c)
	api := w.below.API(accounttest.Named{})
	w.Files.Routes(api)
	w.Routes(api)
	w.http = httptest.NewServer(api.Handler())
	w.t.Cleanup(w.http.Close)
}

func (w *world) folder(who account.ID, parent, name string) string {
	w.t.Helper()
	e, err := w.Files.NewFolder(w.t.Context(), who, parent, name)
	if err != nil {
		w.t.Fatal(err)
	}
	return e.ID
}

func (w *world) upload(who account.ID, parent string, names ...string) (ids []string) {
	w.t.Helper()
	u := w.Files.NewUpload(who)
	for _, n := range names {
		if err := u.Add(w.t.Context(), n, "text/plain", strings.NewReader(n)); err != nil {
			w.t.Fatal(err)
		}
	}
	entries, err := u.Publish(w.t.Context(), parent)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids
}

// get asks over HTTP.
func (w *world) get(who account.ID, query string) (status int, body []byte) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), "GET", w.http.URL+"/v1/files/search?"+query, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", string(who))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, b.Bytes()
}

// page is an answer.
type page struct {
	Items []struct {
		file.Entry
		Path []file.Step
	}
	NextCursor string `json:"next_cursor"`
}

// names returns the hits of all pages as their paths.
func (w *world) names(who account.ID, q, under string, limit int) (all []string) {
	w.t.Helper()
	for cursor := ""; ; {
		status, body := w.get(who, url.Values{"q": {q}, "under": {under}, "cursor": {cursor}, "limit": {fmt.Sprint(limit)}}.Encode())
		var p page
		if err := json.Unmarshal(body, &p); err != nil || status != http.StatusOK || len(p.Items) > limit {
			w.t.Fatalf("%q: %d %s: %v", q, status, body, err)
		}
		for _, i := range p.Items {
			path := ""
			for _, s := range i.Path {
				path += s.Name + "/"
			}
			all = append(all, path+i.Name)
		}
		if cursor = p.NextCursor; cursor == "" {
			return all
		}
	}
}

// seed writes rows as package file writes them, without contents: uploads of so many files
// would take minutes.
func (w *world) seed(who account.ID, files int, name func(i int) string) {
	w.t.Helper()
	ctx := context.Background()
	key, err := w.Accounts.DataKey(ctx, w.DB, who)
	if err != nil {
		w.t.Fatal(err)
	}
	const perChange = 1000
	at := w.below.Now().UnixMilli()
	for done := 0; done < files; {
		err := w.DB.Tx(ctx, func(tx *db.Tx) error {
			var count int64
			if err := tx.QueryRow(ctx, `INSERT INTO file_folders (account, folder, changes) VALUES ($1, '*', 1)
				ON CONFLICT (account, folder) DO UPDATE SET changes = file_folders.changes + 1 RETURNING changes`, string(who)).Scan(&count); err != nil {
				return err
			}
			rows := make([][]any, min(perChange, files-done))
			for i := range rows {
				id, blob, n := uuid.Must(uuid.NewV7()).String(), uuid.NewString(), name(done)
				index := key.Index("file.name", "/"+n)
				numbers := binary.BigEndian.AppendUint64(nil, 0)
				numbers = binary.BigEndian.AppendUint64(numbers, uint64(at))
				numbers = binary.BigEndian.AppendUint64(numbers, uint64(at+int64(done)))
				sealed := key.Seal("files", "name", string(seal.LP([]byte(id), nil, []byte("file"), index)), []byte(n))
				details := key.Seal("files", "details", string(seal.LP([]byte(id), []byte("file"), []byte(blob), numbers)), make([]byte, 40))
				rows[i] = []any{id, sealed, index, details, blob, at, at + int64(done)}
				done++
			}
			return db.InPieces(rows, func(piece [][]any) error {
				args := []any{string(who), count}
				var values []string
				for _, r := range piece {
					n := len(args)
					values = append(values, fmt.Sprintf("($%d, $1, '', 'file', $%d, $%d, $%d, $%d, 0, 1, $%d, $%d, $2)", n+1, n+2, n+3, n+4, n+5, n+6, n+7))
					args = append(args, r...)
				}
				_, err := tx.Exec(ctx, `INSERT INTO files (id, account, parent, kind, name, name_index, details, blob, size, height, created_at, modified_at, change)
					VALUES `+strings.Join(values, ", "), args...)
				return err
			})
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}
