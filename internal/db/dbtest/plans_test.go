package dbtest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
)

// TestGrows asks SQLite for the plans of good and bad statements.
func TestGrows(t *testing.T) {
	d := SQLite(t)
	for _, s := range []string{
		`CREATE TABLE shelves (id TEXT PRIMARY KEY, room TEXT NOT NULL, above TEXT NOT NULL, price BIGINT NOT NULL)`,
		`CREATE INDEX shelves_room ON shelves (room, price)`,
		`CREATE INDEX shelves_above ON shelves (above)`,
		`CREATE TABLE notes (shelf TEXT NOT NULL, word TEXT NOT NULL)`,
	} {
		if _, err := d.Exec(context.Background(), s); err != nil {
			t.Fatal(err)
		}
	}
	for q, want := range map[string][]string{
		`SELECT id FROM shelves WHERE id = $1`:                                                             nil,
		`SELECT id FROM shelves WHERE room = $1 ORDER BY price LIMIT $2`:                                   nil,
		`SELECT s.id FROM (SELECT id FROM shelves WHERE room = $1 LIMIT 5) s`:                              nil,
		`INSERT INTO notes (shelf, word) VALUES ($1, $2), ($3, $4)`:                                        nil,
		`UPDATE shelves SET price = $1 WHERE id IN ($2, $3)`:                                               nil,
		`DELETE FROM shelves WHERE id IN (SELECT id FROM shelves WHERE room = $1 LIMIT $2)`:                nil,
		`WITH v (id, price) AS (VALUES ($1, 1), ($2, 2)) SELECT s.id FROM v JOIN shelves s ON s.id = v.id`: nil,
		`WITH RECURSIVE below (id) AS (SELECT id FROM shelves WHERE id = $1
			UNION ALL SELECT s.id FROM below CROSS JOIN shelves s ON s.above = below.id) SELECT id FROM below`: nil,
		`SELECT word /* bounded: a room has ten notes */ FROM notes ORDER BY word`: nil,

		`SELECT id FROM shelves WHERE price = $1`:                                                       {"reads shelves from end to end"},
		`SELECT s.id FROM shelves AS s WHERE s.price > $1`:                                              {"reads s from end to end"},
		`SELECT COUNT(*) FROM shelves`:                                                                  {"reads shelves from end to end"},
		`DELETE FROM notes WHERE word = $1`:                                                             {"reads notes from end to end"},
		`UPDATE notes SET word = $1 WHERE shelf IN ($2)`:                                                {"reads notes from end to end"},
		`SELECT word /* bounded: */ FROM notes`:                                                         {"reads notes from end to end"},
		`SELECT id FROM shelves WHERE room = $1 ORDER BY above LIMIT 1`:                                 {"sorts"},
		`SELECT DISTINCT above FROM shelves WHERE room = $1`:                                            {"sorts"},
		`SELECT id FROM shelves WHERE id = $1 AND EXISTS (SELECT 1 FROM notes WHERE word = shelves.id)`: {"reads notes from end to end"},
		`SELECT 1 FROM notes a JOIN notes b ON a.word = b.word`:                                         {"reads a from end to end", "makes an index for itself"},
		`WITH RECURSIVE below (id) AS (SELECT id FROM shelves WHERE id = $1
			UNION ALL SELECT s.id FROM shelves s CROSS JOIN below ON s.above = below.id WHERE s.room = $1) SELECT id FROM below`: {"reads below again"},
	} {
		steps, err := plan(d, q)
		if err != nil {
			t.Errorf("%s: %v", q, err)
			continue
		}
		got := grows(q, steps)
		for i := range got {
			if i < len(want) && strings.HasPrefix(got[i], want[i]) {
				got[i] = want[i]
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%v\n-want +got\n%s", q, steps, diff)
		}
	}
}

// complaints is a test that records its failures.
type complaints struct {
	testing.TB
	all []string
}

func (c *complaints) Helper() {}
func (c *complaints) Errorf(format string, a ...any) {
	c.all = append(c.all, fmt.Sprintf(format, a...))
}

// TestStatementsAreExplained closes a database on which the program ran a good and a bad
// statement. A test ran the good one and another bad one.
func TestStatementsAreExplained(t *testing.T) {
	c := &complaints{TB: t}
	t.Run("", func(t *testing.T) {
		c.TB = t
		d := SQLite(c)
		for _, ask := range []func(string) (int64, error){
			func(q string) (int64, error) { return asRoom(d, q) },
			func(q string) (int64, error) { return d.Exec(t.Context(), q) },
		} {
			for _, q := range []string{`DELETE FROM kv WHERE key = 'a'`, `DELETE FROM kv WHERE number = 1`} {
				if _, err := ask(q); err != nil {
					t.Error(err)
				}
			}
		}
		if _, err := d.Exec(t.Context(), `DELETE FROM kv WHERE number = 2`); err != nil {
			t.Error(err)
		}
	})
	if len(c.all) != 1 || !strings.HasPrefix(c.all[0], "room/store.go:1: the statement reads kv from end to end\nDELETE FROM kv WHERE number = 1\n") {
		t.Errorf("the test was failed for %q", c.all)
	}
}

// asRoom runs a statement on a line that counts as the program's.
//
//line /coffer/internal/room/store.go:1
func asRoom(d *db.DB, q string) (int64, error) { return d.Exec(context.Background(), q) }
