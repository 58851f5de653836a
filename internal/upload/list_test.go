package upload

import (
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// plantFiles makes uploads of ada's that are files.
func (w *world) plantFiles(n int) {
	w.t.Helper()
	if _, err := w.DB.Exec(w.t.Context(), `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < CAST($4 AS BIGINT))
		INSERT INTO uploads (`+rowColumns+`) SELECT 'x' || i, $1, 'x', $2, 'x', 1, '', 0, i, $3 FROM n`, string(ada), []byte("details"), int64(1)<<52, n); err != nil {
		w.t.Fatal(err)
	}
}

// A list takes the same, however many of the account's uploads are files. Steps and rows are counted,
// no clock.
func TestListIsShort(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		d, work := dbtest.CountedSQLite(t)
		w := newWorld(t, d)
		w.begin(1)
		cost := func() dbtest.Work {
			before := work()
			if all, err := w.List(t.Context(), ada); err != nil || len(all) != 1 {
				t.Fatal(all, err)
			}
			return work().Less(before)
		}
		few := cost()
		w.plantFiles(10_000)
		if many := cost(); many.Steps > 2*few.Steps {
			t.Errorf("%d steps, beside 10,000 files %d", few.Steps, many.Steps)
		}
	})
	t.Run("postgres", func(t *testing.T) {
		w := newWorld(t, dbtest.PostgreSQL(t))
		w.begin(1)
		w.plantFiles(10_000)
		if _, err := w.DB.Exec(t.Context(), `ANALYZE uploads`); err != nil {
			t.Fatal(err)
		}
		read := dbtest.RowsRead(t, w.DB, func(tx *db.Tx) error {
			_, err := readUnfinished(t.Context(), tx, ada, w.Now())
			return err
		})
		if read > 2 {
			t.Errorf("%d rows are read for one upload beside 10,000 files", read)
		}
	})
}

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
