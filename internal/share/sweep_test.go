package share

import (
	"testing"

	"coffer/internal/db/dbtest"
)

// A link that cannot be removed holds up no other.
func TestStuckLink(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	first, second := w.upload("", "a.txt", "a"), w.upload("", "b.txt", "b")
	stuck := w.share(first, Read, "")
	w.share(second, Read, "")
	for _, entry := range []string{first, second} {
		w.call(w.ada, "DELETE", "/files/"+entry+"?permanent=true", "")
	}
	if _, err := w.DB.Exec(t.Context(), `CREATE TRIGGER stuck BEFORE DELETE ON shares WHEN OLD.id = '`+stuck.ID+`' BEGIN SELECT RAISE(ABORT, 'stuck'); END`); err != nil {
		t.Fatal(err)
	}
	if err := w.sweep(t.Context()); err == nil {
		t.Error("a sweep that left something says nothing")
	}
	if n := w.rows("shares"); n != 1 {
		t.Errorf("%d links are left, want the stuck one", n)
	}
}
