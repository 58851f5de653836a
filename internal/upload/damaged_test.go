package upload

import (
	"net/http"
	"strings"
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
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
