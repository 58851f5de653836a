package upload

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
)

// A damaged upload hides no other one, takes no bytes and becomes no file. Its owner sees it,
// and ends it.
func TestDamaged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		good, bad, done := w.begin(5), w.begin(5), w.begin(2)
		w.patch(bad, 0, "he")
		w.patch(done, 0, "hi")
		for _, path := range []string{bad, done} {
			if _, err := d.Exec(t.Context(), `UPDATE uploads SET details = $1 WHERE id = $2`, []byte("damage"), strings.TrimPrefix(path, "/uploads/")); err != nil {
				t.Fatal(err)
			}
		}
		var list struct{ Items []Upload }
		for range 2 {
			if decode(t, w.call(ada, "GET", "/uploads", ""), &list); len(list.Items) != 2 {
				t.Fatalf("%+v", list.Items)
			}
		}
		one := list.Items[0]
		if "/uploads/"+one.ID != bad || !one.Damaged || one.Name != "" || one.Offset != 2 || one.CreatedAt.IsZero() || one.ExpiresAt.IsZero() || list.Items[1].Damaged {
			t.Errorf("%+v", list.Items)
		}
		if got := strings.Count(w.logged.String(), "is damaged"); got != 1 {
			t.Errorf("the log has %d lines of it", got)
		}
		for _, a := range []answer{w.patch(bad, 2, "llo"), w.patch(bad, 0, ""), w.call(ada, "HEAD", bad, "")} {
			if a.StatusCode != http.StatusGone {
				t.Errorf("%s: %d", a.Request.Method, a.StatusCode)
			}
		}
		if a := w.call(ada, "HEAD", done, ""); a.StatusCode != http.StatusOK || a.Header.Get("Coffer-File") == "" {
			t.Errorf("a finished one: %d %v", a.StatusCode, a.Header)
		}
		for _, path := range []string{good, bad, done} {
			if a := w.call(ada, "DELETE", path, ""); a.StatusCode != http.StatusNoContent {
				t.Errorf("DELETE: %d %s", a.StatusCode, a.body)
			}
		}
		if u, err := w.Contents.Usage(t.Context(), d, ada); err != nil || u.Reserved != 0 || u.Files != 1 || w.rows("uploads") != 0 {
			t.Errorf("%+v, %v, %d rows", u, err, w.rows("uploads"))
		}
	})
}

// A writer of the database can shorten the object of an upload. That makes a damaged upload, and no
// file that lacks its end.
func TestAttackOnTheLength(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		shorten := func() {
			t.Helper()
			if n, err := d.Exec(t.Context(), `UPDATE blob_growth SET length = taken WHERE taken > 0`); err != nil || n != 1 {
				t.Fatal(n, err)
			}
		}
		for _, length := range []int{10, -1} {
			path := w.begin(length)
			w.patch(path, 0, "hello")
			st, err := w.Service.read(t.Context(), ada, strings.TrimPrefix(path, "/uploads/"))
			if err != nil {
				t.Fatal(err)
			}
			shorten()
			if err := w.finish(t.Context(), st, ""); err == nil || fault.Of(err).Code != errGone.Code || st.File != "" {
				t.Errorf("finished by one that read it before: %v", err)
			}
			for _, a := range []answer{w.call(ada, "HEAD", path, ""), w.patch(path, 5, "")} {
				if a.StatusCode != http.StatusGone || a.Header.Get("Coffer-File") != "" {
					t.Errorf("%s: %d %v", a.Request.Method, a.StatusCode, a.Header)
				}
			}
			var list struct{ Items []Upload }
			if decode(t, w.call(ada, "GET", "/uploads", ""), &list); len(list.Items) != 1 || !list.Items[0].Damaged {
				t.Errorf("%+v", list.Items)
			}
			if a := w.call(ada, "DELETE", path, ""); a.StatusCode != http.StatusNoContent {
				t.Errorf("DELETE: %d %s", a.StatusCode, a.body)
			}
		}
		path := w.begin(-1)
		w.patch(path, 0, "hello")
		if a := w.patch(path, 5, " you", "Upload-Length", "9"); a.StatusCode != http.StatusNoContent || a.Header.Get("Coffer-File") == "" {
			t.Errorf("a length that its owner says later: %d %s", a.StatusCode, a.body)
		}
		if u, err := w.Contents.Usage(t.Context(), d, ada); err != nil || u.Reserved != 0 || u.Files != 1 || u.Bytes != 9 {
			t.Errorf("%+v, %v", u, err)
		}
	})
}

// An upload goes on that an older server began, which did not seal the length.
func TestUploadOfAnOlderServer(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	for _, length := range []int{9, -1} {
		path := w.begin(length)
		w.patch(path, 0, "hello")
		st, err := w.Service.read(t.Context(), ada, strings.TrimPrefix(path, "/uploads/"))
		if err != nil {
			t.Fatal(err)
		}
		key, err := w.dataKey(t.Context(), w.DB, ada)
		if err != nil {
			t.Fatal(err)
		}
		st.details.Length = nil
		if err := st.sealDetails(key, st.details); err != nil {
			t.Fatal(err)
		}
		if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { return setDetails(t.Context(), tx, st.row) }); err != nil {
			t.Fatal(err)
		}
		header := []string{}
		if length < 0 {
			header = []string{"Upload-Length", "9"}
		}
		if a := w.patch(path, 5, " you", header...); a.StatusCode != http.StatusNoContent || a.Header.Get("Coffer-File") == "" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	}
}

// Rows that keep uploads from being removed hold up no other, even if more of them than a sweep reads
// at once are the first.
func TestSweepGoesPastDamage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		const bad = 2*db.WalkRows + 50
		w.begin(5)
		var damage any = "damage"
		if d.Engine() == db.PostgreSQL {
			damage = int64(math.MinInt64) // nothing can be less by so much
		}
		for q, args := range map[string][]any{
			`INSERT INTO uploads (` + rowColumns + `) SELECT 'x' || i, $1, 'x' || i, $2, '', 0, '', 0, 1, i / 50 FROM n`: {string(ada), []byte("details")},
			`INSERT INTO blob_growth (blob, account, taken, length, reserved, attempt, progress, expires_at)
				SELECT 'x' || i, $1, 0, 5, $2, 0, $3, i / 50 FROM n`: {string(ada), damage, []byte("progress")},
		} {
			q = fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) `, bad) + q
			if _, err := d.Exec(t.Context(), q, args...); err != nil {
				t.Fatal(err)
			}
		}
		w.below.Advance(w.Keep + time.Hour)
		for name, sweep := range map[string]func(context.Context) error{"uploads": w.Sweep, "blob_growth": w.Contents.Sweep} {
			if err := sweep(t.Context()); err == nil {
				t.Errorf("%s: a sweep that left something says nothing", name)
			}
		}
		for _, table := range []string{"uploads", "blob_growth"} {
			if n := w.rows(table); n != bad {
				t.Errorf("%d rows in %s, want the %d damaged ones", n, table, bad)
			}
		}
		if n := w.rows("blobs"); n != 0 {
			t.Errorf("%d objects are left", n)
		}
	})
}

// To begin an upload takes the same, however many of the account's are files. Steps are counted, no
// clock.
func TestBeginningIsShort(t *testing.T) {
	d, work := dbtest.CountedSQLite(t)
	w := newWorld(t, d)
	w.begin(1)
	cost := func() dbtest.Work {
		before := work()
		w.begin(1)
		return work().Less(before)
	}
	few := cost()
	w.plantFiles(20_000)
	if many := cost(); many.Steps > 2*few.Steps {
		t.Errorf("%d steps, beside 20,000 files %d", few.Steps, many.Steps)
	}
}

// A deletion leaves few rows for its one transaction, however many files the account uploaded.
func TestForgetIsShort(t *testing.T) {
	d, work := dbtest.CountedSQLite(t)
	w := newWorld(t, d)
	who := w.below.Join("ada")
	if _, err := d.Exec(t.Context(), `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
		INSERT INTO uploads (`+rowColumns+`) SELECT 'x' || i, $1, 'x', $2, 'x', 1, '', 0, i, i FROM n`, string(who), []byte("details")); err != nil {
		t.Fatal(err)
	}
	if cost := w.below.ForgetCounted(who, work); cost.Steps > 100_000 {
		t.Errorf("%d steps in one transaction", cost.Steps)
	}
	if n := w.rows("uploads"); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}
