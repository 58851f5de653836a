package upload

import (
	"testing"

	"coffer/internal/db/dbtest"
)

// A list reads the growth of all its uploads at once, and leaves out one that has none.
func TestList(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	list := func() (all []Upload, ran int) {
		t.Helper()
		var err error
		ran = len(dbtest.Ran(w.DB, func() { all, err = w.List(t.Context(), ada) }))
		if err != nil {
			t.Fatal(err)
		}
		return all, ran
	}
	first := w.begin(5)
	w.patch(first, 0, "he")
	_, one := list()
	for range 9 {
		w.begin(-1)
	}
	all, ten := list()
	if len(all) != 10 || all[0].Size != nil || all[9].Offset != 2 || *all[9].Size != 5 || "/uploads/"+all[9].ID != first {
		t.Errorf("%+v", all)
	}
	if one != ten {
		t.Errorf("%d statements for one upload, %d for ten", one, ten)
	}
	if _, err := w.DB.Exec(t.Context(), `DELETE FROM blob_growth WHERE length = 5`); err != nil {
		t.Fatal(err)
	}
	if all, _ := list(); len(all) != 9 {
		t.Errorf("with one that grows no more: %d", len(all))
	}
}
