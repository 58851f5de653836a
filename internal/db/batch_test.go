package db_test

import (
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// TestExecInBatches deletes many rows. The row after the first batch cannot be deleted at
// first. Rows missing then were deleted before it, within the bound.
func TestExecInBatches(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const rows = 2*db.BatchRows + 7
		exec := func(q string, args ...any) {
			t.Helper()
			if _, err := d.Exec(t.Context(), q, args...); err != nil {
				t.Fatal(err)
			}
		}
		exec(`CREATE TABLE things (id BIGINT PRIMARY KEY)`)
		exec(`CREATE TABLE holds (thing BIGINT NOT NULL REFERENCES things (id))`)
		exec(`WITH RECURSIVE n (id) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT id + 1 FROM n WHERE id < $1)
			INSERT INTO things (id) SELECT id FROM n`, rows+1)
		exec(`INSERT INTO holds (thing) VALUES ($1)`, db.BatchRows+1)

		prune := func() (int64, error) {
			return d.ExecInBatches(t.Context(), `DELETE FROM things WHERE id IN
				(SELECT id FROM things WHERE id <= $1 ORDER BY id LIMIT $2) AND id <= $1`, rows)
		}
		left := func() (n int) {
			t.Helper()
			if err := d.QueryRow(t.Context(), `SELECT COUNT(*) FROM things`).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n, err := prune(); err == nil || n != db.BatchRows || left() != rows+1-db.BatchRows {
			t.Fatalf("with a row that is held: changed %d, %v; %d are left", n, err, left())
		}
		exec(`DELETE FROM holds`)
		if n, err := prune(); err != nil || n != rows-db.BatchRows || left() != 1 {
			t.Fatalf("changed %d, %v; %d are left", n, err, left())
		}
	})
}
