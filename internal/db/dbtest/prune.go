package dbtest

import (
	"fmt"
	"testing"

	"coffer/internal/db"
)

// PrunesInBatches checks that prune removes every row of insert, in transactions of at most
// [db.BatchRows] rows. insert reads n.i, one number for each row. d is a SQLite database.
//
// The row after the first batch cannot be deleted at first. Rows missing then were deleted
// before it.
func PrunesInBatches(t testing.TB, d *db.DB, table, insert string, prune func() error) {
	t.Helper()
	const rows = 2*db.BatchRows + 7
	exec := func(q string) {
		t.Helper()
		if _, err := d.Exec(t.Context(), q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	left := func() (n int) {
		t.Helper()
		if err := d.QueryRow(t.Context(), `SELECT COUNT(*) FROM `+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := left()
	exec(fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) %s`, rows, insert))
	if got := left(); got != before+rows {
		t.Fatalf("%s: %d rows after the insert, want %d", table, got, before+rows)
	}
	held := before + rows - db.BatchRows
	exec(fmt.Sprintf(`CREATE TRIGGER held BEFORE DELETE ON %s WHEN (SELECT COUNT(*) FROM %[1]s) <= %d BEGIN SELECT RAISE(ABORT, 'held'); END`, table, held))
	if err := prune(); err == nil || left() != held {
		t.Errorf("%s: a row behind the first batch cannot be deleted: %v, and %d rows are left, want %d", table, err, left(), held)
	}
	exec(`DROP TRIGGER held`)
	if err := prune(); err != nil || left() != before {
		t.Errorf("%s: %v, and %d rows are left, want %d", table, err, left(), before)
	}
}
