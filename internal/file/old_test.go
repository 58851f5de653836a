package file

import (
	"context"
	"testing"
	"time"

	"coffer/internal/db/dbtest"
)

// The hourly removal of what is old reads nothing of what is young, however much that is. Steps are
// counted, no clock.
func TestOldIsFoundAlone(t *testing.T) {
	d, work := dbtest.CountedSQLite(t)
	w := newWorld(t, d)
	w.TrashKeep, w.VersionsKeep = time.Hour, time.Hour
	sweeps := map[string]func(context.Context) error{"trash": w.purgeTrash, "versions": w.purgeVersions}
	cost := func(name string) dbtest.Work {
		t.Helper()
		before := work()
		if err := sweeps[name](t.Context()); err != nil {
			t.Fatal(err)
		}
		return work().Less(before)
	}
	few := map[string]dbtest.Work{}
	for name := range sweeps {
		few[name] = cost(name)
	}
	for _, q := range []string{
		`INSERT INTO files (id, account, parent, kind, name, name_index, details, size, height, created_at, modified_at, change, trashed_at)
			SELECT 'x' || i, 'a' || (i % 50), 'trash', 'file', $1, 'x' || i, $1, 1, 1, 0, 0, 0, $2 FROM n`,
		`INSERT INTO file_versions (id, account, entry, blob, size, details, stored_at, replaced_at)
			SELECT 'x' || i, 'a' || (i % 50), 'x', 'x', 1, $1, 0, $2 FROM n`,
	} {
		q = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) ` + q
		if _, err := d.Exec(t.Context(), q, []byte("x"), w.Now().UnixMilli()); err != nil {
			t.Fatal(err)
		}
	}
	for name := range sweeps {
		if many := cost(name); many.Steps > 2*few[name].Steps+100 {
			t.Errorf("%s: %d steps beside 20,000 young rows, %d without", name, many.Steps, few[name].Steps)
		}
	}
}
