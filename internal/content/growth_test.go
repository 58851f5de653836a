package content

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// plant makes a live object in rows only, and returns its id.
func (w *world) plant(owner account.ID, size int64) string {
	w.t.Helper()
	id := strings.ReplaceAll(uuid.NewString(), "-", "")
	for q, args := range map[string][]any{
		`INSERT INTO blobs (id, account, state, wrapped, size, refs, touched_at) VALUES ($1, $2, 'live', '', $3, 1, 0)`: {id, string(owner), size},
		`INSERT INTO content_usage (account, bytes, reserved, files, forgotten) VALUES ($1, $2, 0, 1, FALSE)
			ON CONFLICT (account) DO UPDATE SET bytes = content_usage.bytes + excluded.bytes, files = content_usage.files + 1`: {string(owner), size},
	} {
		if _, err := w.DB.Exec(context.Background(), q, args...); err != nil {
			w.t.Fatal(err)
		}
	}
	return id
}

// statements are those that meet the rows of a full server.
var statements = []struct {
	name string
	do   func(ctx context.Context, tx *db.Tx, w grown) error
}{
	{"settle", func(ctx context.Context, tx *db.Tx, _ grown) error {
		_, err := settle(ctx, tx, make([]incoming, 32))
		return err
	}},
	{"hold", func(ctx context.Context, tx *db.Tx, w grown) error {
		_, err := holdMore(ctx, tx, w.one, 1)
		return err
	}},
	{"hold growth", func(ctx context.Context, tx *db.Tx, _ grown) error {
		_, err := holdGrowth(ctx, tx, "blob 7", growth{}, 1)
		return err
	}},
	{"usage", func(ctx context.Context, tx *db.Tx, _ grown) error {
		_, err := addUsage(ctx, tx, ada, use{bytes: 1, files: 1}, Quota{1 << 40, 1 << 40})
		return err
	}},
	{"find", func(ctx context.Context, tx *db.Tx, w grown) error {
		_, err := w.Find(ctx, tx, ada, w.one, 7)
		return err
	}},
	{"share", func(ctx context.Context, tx *db.Tx, w grown) error {
		return w.Share(ctx, tx, ada, w.one)
	}},
	{"release", func(ctx context.Context, tx *db.Tx, w grown) error {
		unique, n := times([]string{w.one})
		_, _, err := dropRefs(ctx, tx, ada, unique, n)
		return err
	}},
	{"mark some", func(ctx context.Context, tx *db.Tx, _ grown) error {
		_, err := markSome(ctx, tx, string(ada), 100)
		return err
	}},
	{"forgotten", func(ctx context.Context, tx *db.Tx, _ grown) error {
		_, err := readForgotten(ctx, tx, "", 100)
		return err
	}},
	{"abandoned", func(ctx context.Context, tx *db.Tx, w grown) error {
		_, err := readAbandoned(ctx, tx, w.Now().Add(time.Hour), nil, 100)
		return err
	}},
	{"marked", func(ctx context.Context, tx *db.Tx, _ grown) error {
		_, _, err := readMarked(ctx, tx, objectRows, "", 100)
		return err
	}},
	{"marked parts", func(ctx context.Context, tx *db.Tx, _ grown) error {
		_, _, err := readMarked(ctx, tx, partRows, "", 100)
		return err
	}},
	{"expired", func(ctx context.Context, tx *db.Tx, w grown) error {
		_, err := readExpired(ctx, tx, w.Now(), nil, 100)
		return err
	}},
	{"parts of marked", func(ctx context.Context, tx *db.Tx, _ grown) error {
		_, _, err := markParts(ctx, tx, "", 100)
		return err
	}},
	{"abandoned parts", func(ctx context.Context, tx *db.Tx, w grown) error {
		_, err := markAbandonedParts(ctx, tx, w.Now().Add(-time.Hour), 100)
		return err
	}},
	{"parts", func(ctx context.Context, tx *db.Tx, _ grown) error {
		return readParts(ctx, tx, "blob 7", 0, MaxParts+1, func(part) {})
	}},
	{"known", func(ctx context.Context, tx *db.Tx, _ grown) error {
		_, err := readKnown(ctx, tx, []string{"blob 7", "part 7"})
		return err
	}},
	{"walk of keys", func(ctx context.Context, tx *db.Tx, _ grown) error {
		_, err := readWrapped(ctx, tx, "", 100)
		return err
	}},
}

// grown is a server with many objects, one of them of seven bytes.
type grown struct {
	*world
	one string
}

func newGrown(t *testing.T, n int) grown {
	w := newWorld(t, dbtest.PostgreSQL(t))
	one := w.plant(ada, 7)
	for _, q := range []string{
		`INSERT INTO blobs (id, account, state, wrapped, size, refs, touched_at) SELECT 'blob ' || i, $1, 'live', '', 0, 1, 0 FROM generate_series(1, $2) i`,
		`INSERT INTO content_usage (account, bytes, reserved, files, forgotten) SELECT 'account ' || i, 0, 0, 0, FALSE FROM generate_series(1, $1) i`,
		`INSERT INTO blob_parts (id, blob, start, size, state, touched_at) SELECT 'part ' || i, 'blob ' || i, 0, 1, CASE WHEN i % 2 = 0 THEN 'live' ELSE 'pending' END, 9000000000000 FROM generate_series(1, $1) i`,
		`INSERT INTO blob_growth (blob, account, taken, length, reserved, attempt, progress, expires_at) SELECT 'blob ' || i, '', 0, 1, 0, 0, '', 9000000000000 FROM generate_series(1, $1) i`,
		`ANALYZE`,
	} {
		if _, err := w.DB.Exec(t.Context(), q, []any{string(ada), n}[2-strings.Count(q, "$"):]...); err != nil {
			t.Fatal(err)
		}
	}
	return grown{w, one}
}

// Every statement reads about as many rows on a server with twice the objects.
func TestStatementsGrow(t *testing.T) {
	servers := [2]grown{newGrown(t, 2_000), newGrown(t, 4_000)}
	for _, tc := range statements {
		var rows [2]int64
		for i, w := range servers {
			rows[i] = dbtest.RowsRead(t, w.DB, func(tx *db.Tx) error { return tc.do(t.Context(), tx, w) })
		}
		t.Logf("%-14s reads %4d rows, among twice as many %4d", tc.name, rows[0], rows[1])
		if float64(rows[1]) > 1.3*float64(rows[0])+20 {
			t.Errorf("%s: %d rows are read, among twice as many %d", tc.name, rows[0], rows[1])
		}
	}
}
