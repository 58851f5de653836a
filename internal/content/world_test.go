package content

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/blob"
	"coffer/internal/blob/blobtest"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/limit/limittest"
	"coffer/internal/rest"
)

// The two accounts of these tests. The room needs their ids and nothing else of them.
const (
	ada = account.ID("01900000-0000-7000-8000-00000000ada0")
	bob = account.ID("01900000-0000-7000-8000-00000000b0b0")
)

// world is the room over the real rooms below it, with a caller that serves what it stored.
type world struct {
	*Service
	t     testing.TB
	below *accounttest.World
	blobs string // the folder of the store, when it is one
	http  *httptest.Server
	kept  sync.Map // by id: record
}

// record is what a caller keeps of an object.
type record struct {
	Stored
	Description
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
	c := Config{DB: d, Blobs: store, Ring: below.Ring, Jobs: below.Jobs, Accounts: below.Accounts, Now: below.Now, Log: below.Log}
	limittest.Defaults(t, &c.Settings)
	var err error
	if w.Service, err = New(c); err != nil {
		t.Fatal(err)
	}
	api := below.API(accounttest.Named{})
	rest.Raw(api, rest.Op{
		Method: http.MethodGet, Path: "/objects/{id}", ID: "read-object", Tag: "Objects", Access: rest.Session, Status: http.StatusOK, Rows: "F-F7",
		Summary: "An object", Errors: []*fault.Error{ErrPrecondition, ErrBadRange},
	}, rest.RawDoc{}, w.serve)
	w.http = httptest.NewServer(api.Handler())
	t.Cleanup(w.http.Close)
	return w
}

func (w *world) serve(rw http.ResponseWriter, r *http.Request) error {
	known, _ := w.kept.Load(r.PathValue("id"))
	about := known.(record)
	o, err := w.Find(r.Context(), w.DB, account.ID(rest.CallerOf(r).Account), about.ID, about.Size)
	if err != nil {
		return err
	}
	return o.Serve(rw, r, about.Description)
}

// settle settles an upload as a caller does.
func (w *world) settle(u *Upload) error {
	return w.DB.Tx(context.Background(), func(tx *db.Tx) error { return u.Settle(context.Background(), tx) })
}

// mustStore stores one object of ada's and keeps its record.
func (w *world) mustStore(content, mediaType string) record {
	w.t.Helper()
	return w.mustStoreAs(ada, content, mediaType)
}

func (w *world) mustStoreAs(owner account.ID, content, mediaType string) record {
	w.t.Helper()
	u := w.NewUpload(owner)
	o, err := u.Store(context.Background(), strings.NewReader(content))
	if err == nil {
		err = w.settle(u)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return w.keep(o, mediaType)
}

func (w *world) keep(o Stored, mediaType string) record {
	r := record{o, Description{Name: "f", MediaType: mediaType, Sum: o.Sum, StoredAt: w.below.Now()}}
	w.kept.Store(o.ID, r)
	return r
}

// release removes references to objects as a caller does.
func (w *world) release(owner account.ID, ids ...string) {
	w.t.Helper()
	err := w.DB.Tx(context.Background(), func(tx *db.Tx) error { return w.Release(context.Background(), tx, owner, ids...) })
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) forget(owner account.ID) error {
	return w.DB.Tx(context.Background(), func(tx *db.Tx) error { return w.Forget(context.Background(), tx, owner) })
}

// answer is a response, read.
type answer struct {
	*http.Response
	body []byte
}

// call asks for an object.
func (w *world) call(method, id string, header ...string) answer {
	w.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, w.http.URL+"/v1/objects/"+id, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", string(ada))
	req.Header.Set("Accept-Encoding", "identity")
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
		w.t.Fatalf("%s %s: %v", method, id, err)
	}
	return answer{resp, p}
}

// objects returns the ids of contents, in the store and in SQL.
func (w *world) objects() (ids []string) {
	w.t.Helper()
	err := w.Blobs.List(context.Background(), "", "", func(id string, _ int64, _ time.Time) error {
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

// count returns what a query counts.
func (w *world) count(q string, args ...any) (n int64) {
	w.t.Helper()
	if err := w.DB.QueryRow(context.Background(), q, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// left fails the test unless so many objects are left, and what is counted is what there is.
func (w *world) left(when string, want int) {
	w.t.Helper()
	whole, parts := w.count(`SELECT COUNT(*) FROM blobs WHERE parts IS NULL`), w.count(`SELECT COUNT(*) FROM blob_parts`)
	if objects := len(w.objects()); int(whole+parts) != want || objects != want {
		w.t.Errorf("%s: %d blobs in one piece, %d parts and %d contents are left, want %d", when, whole, parts, objects, want)
	}
	w.counted(when)
}

// counted fails the test unless what is counted is what there is: the bytes of the live
// objects, the references, and what growing and pending objects hold.
func (w *world) counted(when string) {
	w.t.Helper()
	for column, stored := range map[string]string{
		"bytes":    `SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM blobs WHERE state = 'live'`,
		"files":    `SELECT CAST(COALESCE(SUM(refs), 0) AS BIGINT) FROM blobs WHERE state IN ('live', 'growing')`,
		"reserved": `SELECT CAST((SELECT COALESCE(SUM(reserved), 0) FROM blob_growth) + (SELECT COALESCE(SUM(size), 0) FROM blobs WHERE state = 'pending') AS BIGINT)`,
	} {
		counted := w.count(`SELECT CAST(COALESCE(SUM(` + column + `), 0) AS BIGINT) FROM content_usage`)
		if n := w.count(stored); counted != n {
			w.t.Errorf("%s: %d %s are counted, there are %d", when, counted, column, n)
		}
	}
}

// pattern is content that does not repeat.
func pattern(n int) string { return string(blobtest.Pattern(n)) }

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }
