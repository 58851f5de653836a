package db_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
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

// TestWalk walks past a thousand rows that fail and are at the head of the order, and names a few of
// them. A database that is away, or a context that is over, ends it at once.
func TestWalk(t *testing.T) {
	const bad, all = 1000, 1000 + 2*db.WalkRows
	walk := func(ctx context.Context, do func(n int) error) (done []int, err error) {
		err = db.Walk(ctx, func(last *int, limit int) (rows []int, _ error) {
			first := 0
			if last != nil {
				first = *last + 1
			}
			for n := first; n < min(first+limit, all); n++ {
				rows = append(rows, n)
			}
			return rows, nil
		}, func(n int) error {
			err := do(n)
			if err == nil {
				done = append(done, n)
			}
			return err
		})
		return done, err
	}
	damaged := func(n int) error {
		if n < bad {
			return fmt.Errorf("row %d is damaged", n)
		}
		return nil
	}
	done, err := walk(t.Context(), damaged)
	if len(done) != all-bad || done[0] != bad || err == nil || strings.Count(err.Error(), "is damaged") != 8 || !strings.Contains(err.Error(), "and 992 more") {
		t.Errorf("%d rows behind the damaged ones, %v", len(done), err)
	}
	if done, err := walk(t.Context(), func(int) error { return nil }); len(done) != all || err != nil {
		t.Errorf("%d rows, %v", len(done), err)
	}
	asked := 0
	if _, err := walk(t.Context(), func(int) error { asked++; return db.ErrUnavailable }); asked != 1 || !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("a database that is away: %d rows, %v", asked, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	asked = 0
	// The row is done, and the others are left.
	if _, err := walk(ctx, func(int) error { asked++; cancel(); return nil }); asked != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is over: %d rows, %v", asked, err)
	}
}
