package file

import (
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// Each change of an entry gives its row a count that no row of the account had before. So a
// reader that asks for higher counts misses nothing, and a row that did not change keeps its.
func TestChangeCounts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		last := int64(0)
		changed := func(what, id string) {
			t.Helper()
			var n, highest int64
			if err := d.QueryRow(t.Context(), `SELECT change FROM files WHERE id = $1`, id).Scan(&n); err != nil {
				t.Fatal(what, err)
			}
			if err := d.QueryRow(t.Context(), `SELECT MAX(change) FROM files WHERE account = $1`, string(ada)).Scan(&highest); err != nil {
				t.Fatal(what, err)
			}
			if n <= last || n != highest {
				t.Errorf("%s: the entry has %d, the highest is %d, and before it was %d", what, n, highest, last)
			}
			last = n
		}
		folder := w.mustFolder(ada, "", "folder")
		changed("a new folder", folder.ID)
		file := w.mustUpload(ada, "", upFile{"a", "", "x"})
		changed("an upload", file.ID)
		name := "b"
		if _, err := w.Update(t.Context(), ada, file.ID, Change{Name: &name}); err != nil {
			t.Fatal(err)
		}
		changed("a rename", file.ID)
		if _, err := w.Update(t.Context(), ada, file.ID, Change{Parent: &folder.ID}); err != nil {
			t.Fatal(err)
		}
		changed("a move", file.ID)
		if _, err := d.Exec(t.Context(), `UPDATE files SET name = details WHERE id = $1`, file.ID); err != nil {
			t.Fatal(err)
		}
		root := ""
		if _, err := w.Update(t.Context(), ada, file.ID, Change{Parent: &root}); err != nil {
			t.Fatal(err)
		}
		changed("a move of a damaged entry", file.ID)
	})
}
