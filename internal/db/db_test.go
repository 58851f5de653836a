package db_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
)

var quiet = slog.New(slog.DiscardHandler)

// table makes a table for a test, because rooms may change theirs.
func table(t *testing.T, d *db.DB) {
	t.Helper()
	blob := map[db.Engine]string{db.SQLite: "BLOB", db.PostgreSQL: "BYTEA"}[d.Engine()]
	if _, err := d.Exec(t.Context(), `CREATE TABLE things (id TEXT PRIMARY KEY, n BIGINT NOT NULL, flag BOOLEAN, data `+blob+`, note TEXT)`); err != nil {
		t.Fatal(err)
	}
}

func put(ctx context.Context, q db.Querier, id string, n int64) error {
	_, err := q.Exec(ctx, `INSERT INTO things (id, n) VALUES ($1, $2)`, id, n)
	return err
}

func number(t *testing.T, q db.Querier, id string) int64 {
	t.Helper()
	var n int64
	if err := q.QueryRow(t.Context(), `SELECT n FROM things WHERE id = $1`, id).Scan(&n); err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	return n
}

func ids(t *testing.T, q db.Querier) []string {
	t.Helper()
	rows, err := q.Query(t.Context(), `SELECT id FROM things ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		all = append(all, id)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTxCommitsAllOrNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		table(t, d)
		mine := errors.New("changed my mind")
		for _, c := range []struct {
			id   string
			end  error
			want []string
		}{{"kept", nil, []string{"kept", "kept too"}}, {"undone", mine, []string{"kept", "kept too"}}} {
			err := d.Tx(ctx, func(tx *db.Tx) error {
				if err := put(ctx, tx, c.id, 1); err != nil {
					return err
				}
				if err := put(ctx, tx, c.id+" too", 2); err != nil {
					return err
				}
				return c.end
			})
			if !errors.Is(err, c.end) {
				t.Errorf("Tx: %v, want %v", err, c.end)
			}
			if diff := cmp.Diff(c.want, ids(t, d)); diff != "" {
				t.Error(diff)
			}
		}
	})
}

func TestPanicRollsBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		table(t, d)
		func() {
			defer func() {
				if got := recover(); got != "boom" {
					t.Errorf("recovered %v", got)
				}
			}()
			_ = d.Tx(ctx, func(tx *db.Tx) error {
				if err := put(ctx, tx, "a", 1); err != nil {
					t.Error(err)
				}
				panic("boom")
			})
		}()
		if got := ids(t, d); len(got) != 0 {
			t.Errorf("left behind: %v", got)
		}
		if err := put(ctx, d, "b", 1); err != nil { // its connection was returned
			t.Error(err)
		}
	})
}

// A transaction must not outlive its function: it would write at an unknown time.
func TestTxEndsWithItsFunction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		table(t, d)
		var kept *db.Tx
		var rows *db.Rows
		err := d.Tx(ctx, func(tx *db.Tx) (err error) {
			kept = tx
			if err := put(ctx, tx, "a", 1); err != nil {
				return err
			}
			rows, err = tx.Query(ctx, `SELECT id FROM things`) // left open
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if rows.Next() {
			t.Error("rows outlived their transaction")
		}
		if err := put(ctx, kept, "b", 1); err == nil {
			t.Error("a statement ran in a transaction that was over")
		}
		if err := kept.QueryRow(ctx, `SELECT 1`).Scan(new(int)); err == nil {
			t.Error("a query ran in a transaction that was over")
		}
		if diff := cmp.Diff([]string{"a"}, ids(t, d)); diff != "" {
			t.Error(diff)
		}
	})
}

// PostgreSQL ends a transaction at the first refused statement; so does package db on both
// engines.
func TestRefusedStatementEndsTx(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		table(t, d)
		runs := 0
		err := d.Tx(ctx, func(tx *db.Tx) error {
			runs++
			if err := put(ctx, tx, "a", 1); err != nil {
				return err
			}
			if err := put(ctx, tx, "a", 2); !db.IsUnique(err) {
				t.Errorf("a second a: %v, want a unique violation", err)
			}
			if err := put(ctx, tx, "b", 1); err == nil {
				t.Error("the transaction went on")
			}
			return nil
		})
		if !db.IsUnique(err) || runs != 1 {
			t.Errorf("commit after a refused statement: %v after %d runs", err, runs)
		}
		// A missing row is no refusal.
		err = d.Tx(ctx, func(tx *db.Tx) error {
			if err := tx.QueryRow(ctx, `SELECT n FROM things WHERE id = 'none'`).Scan(new(int)); !errors.Is(err, db.ErrNoRows) {
				t.Errorf("got %v, want ErrNoRows", err)
			}
			return put(ctx, tx, "c", 1)
		})
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff([]string{"c"}, ids(t, d)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestIsUnique(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		table(t, d)
		for _, q := range []string{`CREATE UNIQUE INDEX things_note ON things (note) WHERE flag`, `INSERT INTO things (id, n, note, flag) VALUES ('a', 1, 'x', TRUE)`} {
			if _, err := d.Exec(ctx, q); err != nil {
				t.Fatal(err)
			}
		}
		for q, want := range map[string]bool{
			`INSERT INTO things (id, n) VALUES ('a', 1)`:                             true,
			`INSERT INTO things (id, n, note, flag) VALUES ('b', 1, 'x', TRUE)`:      true,
			`INSERT INTO things (id, n, note, flag) VALUES ('c', 1, 'x', FALSE)`:     false,
			`INSERT INTO things (id, n) VALUES ('d', NULL)`:                          false,
			`INSERT INTO things (id, n) VALUES ('a', 1) ON CONFLICT (id) DO NOTHING`: false,
		} {
			_, err := d.Exec(ctx, q)
			if db.IsUnique(err) != want || db.IsUnique(fmt.Errorf("store: %w", err)) != want {
				t.Errorf("%s: %v, IsUnique want %t", q, err, want)
			}
			if errors.Is(err, db.ErrUnavailable) {
				t.Errorf("%s: %v: a refusal is no outage", q, err)
			}
		}
		if db.IsUnique(nil) || db.IsUnique(db.ErrNoRows) {
			t.Error("IsUnique of other errors")
		}
	})
}

// Every value comes back unchanged from every method.
func TestValues(t *testing.T) {
	type row struct {
		Flag *bool
		Data []byte
		Note *string
	}
	yes, no, empty, odd := true, false, "", "ünï\n'\"$1 ☂"
	rows := map[string]row{
		"true": {&yes, []byte{0, 255}, &odd}, "false": {&no, []byte{}, &empty}, "null": {},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		table(t, d)
		for id, r := range rows {
			// The placeholders are out of order, and one occurs twice.
			if _, err := d.Exec(ctx, `INSERT INTO things (note, data, flag, n, id) VALUES ($4, $3, $2, $5, $1)`, id, r.Flag, r.Data, r.Note, len(id)); err != nil {
				t.Fatal(err)
			}
			var got row
			var n int
			err := d.QueryRow(ctx, `SELECT flag, data, note, n FROM things WHERE id = $2 AND n = $1 AND id = $2`, len(id), id).Scan(&got.Flag, &got.Data, &got.Note, &n)
			if err != nil || n != len(id) {
				t.Fatalf("%s: %d, %v", id, n, err)
			}
			if diff := cmp.Diff(r, got); diff != "" {
				t.Errorf("%s:\n%s", id, diff)
			}
		}
		var nulls int
		if err := d.QueryRow(ctx, `SELECT count(*) FROM things WHERE data IS NULL`).Scan(&nulls); err != nil || nulls != 1 {
			t.Errorf("%d rows without data, %v; want the one whose slice is nil", nulls, err)
		}
	})
}

// The statements that rooms need: upsert, RETURNING, row values, optional filters.
func TestPortableStatements(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		table(t, d)
		err := d.Tx(ctx, func(tx *db.Tx) error {
			for i := range 10 {
				var n int64
				if err := tx.QueryRow(ctx, `INSERT INTO things (id, n) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET n = things.n + excluded.n RETURNING n`,
					fmt.Sprint(i%5), int64(i)).Scan(&n); err != nil {
					return err
				}
				if want := int64(i + max(i-5, 0)*btoi(i >= 5)); n != want {
					t.Errorf("upsert %d returned %d, want %d", i, n, want)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var filter *string
		var count int
		if err := d.QueryRow(ctx, `SELECT count(*) FROM things WHERE (n, id) > ($1, $2) AND (CAST($3 AS TEXT) IS NULL OR id = $3)`, 9, "2", filter).Scan(&count); err != nil || count != 2 {
			t.Errorf("after (9, 2): %d rows, %v; want 2", count, err)
		}
		if n, err := d.Exec(ctx, `UPDATE things SET n = 0 WHERE id IN (SELECT id FROM things ORDER BY id LIMIT $1)`, 3); err != nil || n != 3 {
			t.Errorf("updated %d, %v; want 3", n, err)
		}
	})
}

// A statement that returns a row commits by itself, whichever row the caller reads.
func TestWriteRow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		table(t, d)
		var wg sync.WaitGroup
		var sum atomic.Int64
		for range 50 {
			wg.Go(func() {
				var n int64
				if err := d.WriteRow(ctx, `INSERT INTO things (id, n) VALUES ('a', 1) ON CONFLICT (id) DO UPDATE SET n = things.n + 1 RETURNING n`).Scan(&n); err != nil {
					t.Error(err)
				}
				sum.Add(n)
			})
		}
		wg.Wait()
		if got := number(t, d, "a"); got != 50 || sum.Load() != 50*51/2 {
			t.Errorf("%d at the end, %d in sum", got, sum.Load())
		}
		if err := put(ctx, d, "b", 1); err != nil {
			t.Fatal(err)
		}
		var n int64
		if err := d.WriteRow(ctx, `UPDATE things SET n = 7 RETURNING n`).Scan(&n); err != nil || n != 7 {
			t.Errorf("%d, %v", n, err)
		}
		if a, b := number(t, d, "a"), number(t, d, "b"); a != 7 || b != 7 {
			t.Errorf("a %d, b %d; want both changed", a, b)
		}
		if err := d.WriteRow(ctx, `UPDATE things SET n = 8 WHERE id = 'none' RETURNING n`).Scan(&n); !errors.Is(err, db.ErrNoRows) {
			t.Errorf("got %v, want ErrNoRows", err)
		}
		if err := d.WriteRow(ctx, `INSERT INTO things (id, n) VALUES ('a', 1) RETURNING n`).Scan(&n); !db.IsUnique(err) {
			t.Errorf("got %v, want a unique violation", err)
		}
	})
}

// A full disk is an outage, not a bug, and ends when space is free again.
func TestSQLiteFull(t *testing.T) {
	d := dbtest.SQLite(t)
	ctx := t.Context()
	table(t, d)
	err := d.Tx(ctx, func(tx *db.Tx) error {
		var pages int
		if err := tx.QueryRow(ctx, `PRAGMA max_page_count = 1`).Scan(&pages); err != nil { // no more than there are
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO things (id, n, data) VALUES ('big', 1, $1)`, make([]byte, 1<<20))
		return err
	})
	if !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
	if got := ids(t, d); len(got) != 0 {
		t.Errorf("left behind: %v", got)
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestReadIsOneMomentAndCannotWrite(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		table(t, d)
		if err := put(ctx, d, "a", 1); err != nil {
			t.Fatal(err)
		}
		err := d.Read(ctx, func(tx *db.Tx) error {
			if got := number(t, tx, "a"); got != 1 {
				t.Errorf("before: %d", got)
			}
			if _, err := d.Exec(ctx, `UPDATE things SET n = 2`); err != nil { // another writer
				return err
			}
			if got := number(t, tx, "a"); got != 1 {
				t.Errorf("the snapshot moved: %d", got)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := number(t, d, "a"); got != 2 {
			t.Errorf("afterwards: %d", got)
		}
		err = d.Read(ctx, func(tx *db.Tx) error { return put(ctx, tx, "b", 1) })
		if err == nil || errors.Is(err, db.ErrUnavailable) {
			t.Errorf("a write in Read: %v", err)
		}
		if diff := cmp.Diff([]string{"a"}, ids(t, d)); diff != "" {
			t.Error(diff)
		}
	})
}

// One conditional statement decides a race; concurrent transactions lose nothing.
func TestRace(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		table(t, d)
		for _, id := range []string{"once", "sum"} {
			if err := put(ctx, d, id, 0); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		var won atomic.Int64
		for i := range 50 {
			wg.Go(func() {
				n, err := d.Exec(ctx, `UPDATE things SET n = 1 WHERE id = 'once' AND n = 0`)
				if err != nil {
					t.Error(err)
				}
				won.Add(n)
				err = d.Tx(ctx, func(tx *db.Tx) error {
					if err := put(ctx, tx, fmt.Sprint(i), 0); err != nil {
						return err
					}
					_, err := tx.Exec(ctx, `UPDATE things SET n = n + 1 WHERE id = 'sum'`)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d winners", won.Load())
		}
		if got := number(t, d, "sum"); got != 50 {
			t.Errorf("lost updates: %d of 50", got)
		}
	})
}

// PostgreSQL breaks off one of two transactions that wait for each other; it runs again.
func TestDeadlockRunsAgain(t *testing.T) {
	d := dbtest.PostgreSQL(t)
	ctx := t.Context()
	table(t, d)
	rows := []string{"x", "y"}
	for _, id := range rows {
		if err := put(ctx, d, id, 0); err != nil {
			t.Fatal(err)
		}
	}
	var wg, both sync.WaitGroup
	var runs atomic.Int64
	both.Add(2)
	for i := range 2 {
		wg.Go(func() {
			first := true
			err := d.Tx(ctx, func(tx *db.Tx) error {
				runs.Add(1)
				for j := range 2 {
					if _, err := tx.Exec(ctx, `UPDATE things SET n = n + 1 WHERE id = $1`, rows[(i+j)%2]); err != nil {
						return err
					}
					if first { // each holds one row and requests the other's
						first = false
						both.Done()
						both.Wait()
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if x, y := number(t, d, "x"), number(t, d, "y"); x != 2 || y != 2 || runs.Load() < 3 {
		t.Errorf("x %d, y %d after %d runs; want 2, 2 and at least 3", x, y, runs.Load())
	}
}

func TestCancelled(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		table(t, d)
		ctx, cancel := context.WithCancel(t.Context())
		err := d.Tx(ctx, func(tx *db.Tx) error {
			if err := put(ctx, tx, "a", 1); err != nil {
				return err
			}
			cancel()
			return nil
		})
		if !errors.Is(err, context.Canceled) || errors.Is(err, db.ErrUnavailable) {
			t.Errorf("commit for a caller that left: %v", err)
		}
		for what, err := range map[string]error{
			"Exec": put(ctx, d, "b", 1), "QueryRow": d.QueryRow(ctx, `SELECT 1`).Scan(new(int)), "Ping": d.Ping(ctx),
			"Tx": d.Tx(ctx, func(*db.Tx) error { return nil }), "Read": d.Read(ctx, func(*db.Tx) error { return nil }),
			"WriteRow": d.WriteRow(ctx, `INSERT INTO things (id, n) VALUES ('c', 1) RETURNING n`).Scan(new(int)),
		} {
			if !errors.Is(err, context.Canceled) || errors.Is(err, db.ErrUnavailable) {
				t.Errorf("%s for a caller that left: %v", what, err)
			}
		}
		if got := ids(t, d); len(got) != 0 {
			t.Errorf("written for a caller that left: %v", got)
		}
	})
}

// A running statement is interrupted when its caller gives up, and its connection stays
// usable. SQLite's driver loses an interrupt just before the statement begins. Such a
// statement ends by itself, and the next round counts.
func TestCancelledWhileRunning(t *testing.T) {
	long := `WITH RECURSIVE c(n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM c WHERE n < 20000000) SELECT count(*) FROM c`
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		table(t, d)
		if err := put(t.Context(), d, "a", 1); err != nil {
			t.Fatal(err)
		}
		for what, call := range map[string]func(context.Context) error{
			"QueryRow": func(ctx context.Context) error { return d.QueryRow(ctx, long).Scan(new(int64)) },
			"Tx": func(ctx context.Context) error {
				return d.Tx(ctx, func(tx *db.Tx) error { return tx.QueryRow(ctx, long).Scan(new(int64)) })
			},
			"Exec": func(ctx context.Context) error {
				_, err := d.Exec(ctx, `UPDATE things SET n = (`+long+`)`)
				return err
			},
			"WriteRow": func(ctx context.Context) error {
				return d.WriteRow(ctx, `UPDATE things SET n = (`+long+`) RETURNING n`).Scan(new(int64))
			},
		} {
			var err error
			for range 3 {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
				err = call(ctx)
				cancel()
				if err != nil {
					break
				}
			}
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, db.ErrUnavailable) {
				t.Errorf("%s: %v", what, err)
			}
			if err := d.Ping(t.Context()); err != nil {
				t.Error(err)
			}
			if err := d.Tx(t.Context(), func(tx *db.Tx) error { return tx.QueryRow(t.Context(), `SELECT 1`).Scan(new(int)) }); err != nil {
				t.Error(err)
			}
		}
	})
}

// A caller that gives up at any moment gets a cancellation or a complete success. Either
// way nothing is half done, and other callers are not affected.
func TestCancelledAtAnyMoment(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		table(t, d)
		if err := put(t.Context(), d, "first", 1); err != nil {
			t.Fatal(err)
		}
		var told sync.Map
		var wg sync.WaitGroup
		for c := range 12 {
			wg.Go(func() {
				for i := range 25 {
					ctx, cancel := context.WithCancel(t.Context())
					if c%2 == 0 {
						time.AfterFunc(time.Duration(37*i*c%1500)*time.Microsecond, cancel)
					}
					id := fmt.Sprint(c, " ", i)
					err := callsOf(ctx, d, id)[i%5]()
					if err == nil && i%5 < 3 {
						told.Store(id, true)
					}
					if err != nil && (c%2 == 1 || !errors.Is(err, context.Canceled) || errors.Is(err, db.ErrUnavailable)) {
						t.Errorf("%s: %v", id, err)
					}
					cancel()
				}
			})
		}
		wg.Wait()
		there := map[string]bool{}
		for _, id := range ids(t, d) {
			there[id] = true
		}
		told.Range(func(id, _ any) bool {
			if !there[id.(string)] {
				t.Errorf("%s was acknowledged and is not there", id)
			}
			return true
		})
		for id := range there {
			whole, _ := strings.CutSuffix(id, " too")
			var i int
			if _, err := fmt.Sscanf(whole, "%d %d", new(int), &i); err == nil && i%5 == 0 && !(there[whole] && there[whole+" too"]) {
				t.Errorf("%s is there by half", whole)
			}
		}
		if err := put(t.Context(), d, "last", 1); err != nil {
			t.Error(err)
		}
	})
}

// callsOf returns every way to call a database. The first writes two rows, the next two
// write one.
func callsOf(ctx context.Context, d *db.DB, id string) []func() error {
	return []func() error{
		func() error {
			return d.Tx(ctx, func(tx *db.Tx) error {
				if err := put(ctx, tx, id, 1); err != nil {
					return err
				}
				return put(ctx, tx, id+" too", 1)
			})
		},
		func() error { return put(ctx, d, id, 1) },
		func() error {
			return d.WriteRow(ctx, `INSERT INTO things (id, n) VALUES ($1, 1) RETURNING n`, id).Scan(new(int))
		},
		func() error {
			return d.Read(ctx, func(tx *db.Tx) error {
				rows, err := tx.Query(ctx, `SELECT id FROM things`)
				if err != nil {
					return err
				}
				for rows.Next() {
				}
				return errors.Join(rows.Err(), rows.Close())
			})
		},
		func() error {
			rows, err := d.Query(ctx, `SELECT id FROM things`)
			if err != nil {
				return err
			}
			for rows.Next() {
			}
			return errors.Join(rows.Err(), rows.Close(), d.Ping(ctx))
		},
	}
}

// Open rows of a statement stay intact when the statement runs again.
func TestStatementInsideItself(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		table(t, d)
		for i := range 3 {
			if err := put(ctx, d, fmt.Sprint(i), int64(i)); err != nil {
				t.Fatal(err)
			}
		}
		if d.Engine() == db.PostgreSQL {
			return // the protocol allows pgx one statement per connection
		}
		err := d.Read(ctx, func(tx *db.Tx) error {
			q := `SELECT n FROM things WHERE n >= $1 ORDER BY n`
			rows, err := tx.Query(ctx, q, 0)
			if err != nil {
				return err
			}
			defer rows.Close()
			var got []int64
			for rows.Next() {
				var n, same int64
				if err := rows.Scan(&n); err != nil {
					return err
				}
				if err := tx.QueryRow(ctx, q, n).Scan(&same); err != nil || same != n {
					t.Errorf("inside: %d, %v; want %d", same, err, n)
				}
				got = append(got, n)
			}
			if diff := cmp.Diff([]int64{0, 1, 2}, got); diff != "" {
				t.Error(diff)
			}
			return rows.Err()
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestNotes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		var mu sync.Mutex
		var heard []string
		stop := d.Listen("topic", func(p string) {
			mu.Lock()
			defer mu.Unlock()
			if p != "" {
				heard = append(heard, p)
			}
		})
		note := func(payload string, end error) {
			t.Helper()
			if err := d.Tx(ctx, func(tx *db.Tx) error {
				if err := tx.Notify(ctx, "topic", payload); err != nil {
					t.Error(err)
				}
				return errors.Join(end, tx.Notify(ctx, "other", "not for us"))
			}); !errors.Is(err, end) {
				t.Error(err)
			}
		}
		note("one", nil)
		note("undone", errors.New("rolled back"))
		note("with space", nil)
		stop()
		note("too late", nil)
		mu.Lock()
		defer mu.Unlock()
		if diff := cmp.Diff([]string{"one", "with space"}, heard); diff != "" {
			t.Error(diff)
		}
		err := d.Tx(ctx, func(tx *db.Tx) error { return tx.Notify(ctx, "topic", "\xff") })
		if err == nil {
			t.Error("a note that is not UTF-8")
		}
	})
}

// Two processes on PostgreSQL receive each other's notes.
func TestNotesBetweenNodes(t *testing.T) {
	url := dbtest.PostgreSQLURL(t)
	var nodes [2]*db.DB
	for i := range nodes {
		d, err := db.Open(t.Context(), url, quiet)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		nodes[i] = d
	}
	heard := make(chan string, 100)
	nodes[1].Listen("topic", func(p string) { heard <- p })
	if got := <-heard; got != "" {
		t.Errorf("first heard %q, want to be told that notes were missed", got)
	}
	if err := nodes[0].Tx(t.Context(), func(tx *db.Tx) error { return tx.Notify(t.Context(), "topic", "news") }); err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got != "news" {
		t.Errorf("heard %q", got)
	}
}

func TestURLs(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for url, want := range map[string]string{
		"sqlite:rel.db":                     "rel.db",
		"sqlite://" + dir + "/abs.db":       "abs.db",
		"sqlite:" + dir + "/one slash.db":   "one slash.db",
		"sqlite:odd #%20 name&x=1;é.db":     "odd #%20 name&x=1;é.db",
		"":                                  "",
		"sqlite:":                           "",
		"sqlite::memory:":                   "",
		"sqlite://host/x.db":                "",
		"sqlite:x.db?cache=shared":          "",
		"mysql://localhost/x":               "",
		"sqlite:" + dir + "/no/folder/x.db": "",
	} {
		d, err := db.Open(t.Context(), url, quiet)
		if want == "" {
			if err == nil {
				t.Errorf("%s was opened", url)
				d.Close()
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(dir, want)); err != nil {
			t.Error(err)
		}
	}
}

// Only the owner can read a file, its log and its index, even of an old file.
func TestSQLiteFilesArePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "private.db")
	look := func(d *db.DB) {
		t.Helper()
		if _, err := d.Exec(t.Context(), `DELETE FROM kv`); err != nil {
			t.Fatal(err)
		}
		for _, end := range []string{"", "-wal", "-shm", ".lock"} {
			info, err := os.Stat(path + end)
			if err != nil {
				t.Error(err)
			} else if info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %s", info.Name(), info.Mode())
			}
		}
	}
	d, err := db.Open(t.Context(), "sqlite:"+path, quiet)
	if err != nil {
		t.Fatal(err)
	}
	look(d)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if d, err = db.Open(t.Context(), "sqlite:"+path, quiet); err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	look(d)
}

// No test here can cause a power cut, which acknowledged changes must survive. So this test
// reads the relevant settings back from every kind of connection.
func TestSQLiteSettings(t *testing.T) {
	d := dbtest.SQLite(t)
	ctx := t.Context()
	read := func(q db.Querier) map[string]string {
		got := map[string]string{}
		for _, name := range []string{"journal_mode", "synchronous", "foreign_keys", "query_only"} {
			var v string
			if err := q.QueryRow(ctx, `PRAGMA `+name).Scan(&v); err != nil {
				t.Fatal(err)
			}
			got[name] = v
		}
		return got
	}
	if err := d.Tx(ctx, func(tx *db.Tx) error {
		want := map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "query_only": "0"}
		if diff := cmp.Diff(want, read(tx)); diff != "" {
			t.Errorf("writer:\n%s", diff)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("1", read(d)["query_only"]); diff != "" {
		t.Errorf("reader:\n%s", diff)
	}
}

// A transaction that uses its DB waits for itself, but gets an error after a while.
func TestWriterInsideItsOwnTransaction(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	err := d.Tx(t.Context(), func(*db.Tx) error {
		_, err := d.Exec(t.Context(), `DELETE FROM kv`)
		return err
	})
	if !errors.Is(err, db.ErrUnavailable) || fault.Of(err).Kind != fault.Unavailable {
		t.Errorf("got %v", err)
	}
}
