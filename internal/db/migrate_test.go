package db_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// childURL makes the test binary open that database and exit: a process to race and to
// kill.
const childURL = "COFFER_DBTEST_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(writeToEnv); path != "" {
		if err := writeUntilKilled(path); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	url := os.Getenv(childURL)
	if url == "" {
		os.Exit(m.Run())
	}
	fmt.Println("opening")
	d, err := db.Open(context.Background(), url, quiet)
	if err == nil {
		err = d.Close()
	}
	if err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

func child(t *testing.T, url string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(os.Environ(), childURL+"="+url)
	c.Stderr = os.Stderr
	return c
}

// empty calls f with each engine's URL of a database without tables.
func empty(t *testing.T, f func(t *testing.T, url func() string)) {
	t.Run("SQLite", func(t *testing.T) {
		f(t, func() string { return "sqlite:" + filepath.Join(t.TempDir(), "empty.db") })
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		dbtest.Server(t)
		f(t, func() string { return dbtest.EmptyPostgreSQLURL(t) })
	})
}

func open(t *testing.T, url string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), url, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func TestManyStartsAtOnce(t *testing.T) {
	empty(t, func(t *testing.T, url func() string) {
		u := url()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				d, err := db.Open(t.Context(), u, quiet)
				if err != nil {
					t.Error(err)
					return
				}
				if err := d.Close(); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if err := child(t, u).Run(); err != nil {
					t.Errorf("another process: %v", err)
				}
			})
		}
		wg.Wait()
		if diff := cmp.Diff(schema(t, dbtest.SQLite(t)), schema(t, open(t, u))); diff != "" {
			t.Error(diff)
		}
	})
}

// A killed migration leaves the state before it or after it, and the next start continues
// there.
func TestKilledMigration(t *testing.T) {
	rounds := 6
	if os.Getenv("COFFER_TEST_LONG") == "1" {
		rounds = 100
	}
	want := schema(t, dbtest.SQLite(t))
	empty(t, func(t *testing.T, url func() string) {
		for range rounds {
			u := url()
			c := child(t, u)
			out, err := c.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			<-time.After(rand.N(40 * time.Millisecond)) // somewhere in the middle
			_ = c.Process.Kill()                        // unless it has already ended
			_, _ = io.Copy(io.Discard, out)
			_ = c.Wait()
			if diff := cmp.Diff(want, schema(t, open(t, u))); diff != "" {
				t.Error(diff)
			}
		}
	})
}

func TestNewerSchemaIsRefused(t *testing.T) {
	empty(t, func(t *testing.T, url func() string) {
		u := url()
		d := open(t, u)
		if _, err := d.Exec(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, $1)`, true); err != nil {
			t.Fatal(err)
		}
		before := schema(t, d)
		_, err := db.Open(t.Context(), u, quiet)
		if !errors.Is(err, db.ErrNewerSchema) || !strings.Contains(err.Error(), "9999") || errors.Is(err, db.ErrUnavailable) {
			t.Errorf("got %v, want ErrNewerSchema that names the migration", err)
		}
		if diff := cmp.Diff(before, schema(t, d)); diff != "" {
			t.Errorf("it was changed:\n%s", diff)
		}
		// With one migration missing and one unknown, the program may add nothing.
		if _, err := d.Exec(t.Context(), `DELETE FROM goose_db_version WHERE version_id = 2`); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Open(t.Context(), u, quiet); !errors.Is(err, db.ErrNewerSchema) {
			t.Errorf("got %v, want ErrNewerSchema", err)
		}
	})
}

// A start does not write to a complete schema. So it is quick, and concurrent starts do not
// wait for each other.
func TestOpenAgain(t *testing.T) {
	empty(t, func(t *testing.T, url func() string) {
		u := url()
		d := open(t, u)
		if _, err := d.Exec(t.Context(), `INSERT INTO kv (key, value, expires_at) VALUES ('a', $1, 1)`, []byte{1}); err != nil {
			t.Fatal(err)
		}
		if err := d.Tx(t.Context(), func(*db.Tx) error { // SQLite's write lock is taken
			open(t, u)
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
}

// The schema must be the same on both engines, so that both refuse the same statements.
func TestSchemaParity(t *testing.T) {
	if diff := cmp.Diff(schema(t, dbtest.SQLite(t)), schema(t, dbtest.PostgreSQL(t))); diff != "" {
		t.Errorf("SQLite (-) and PostgreSQL (+) differ:\n%s", diff)
	}
}

// schema describes tables, columns and indexes in the same format for both engines. It
// omits goose's version table.
func schema(t *testing.T, d *db.DB) []string {
	t.Helper()
	queries := map[db.Engine][]string{
		db.SQLite: {
			// A primary key of SQLite may be NULL by default. No statement of ours writes
			// NULL, so the column counts as NOT NULL, as on PostgreSQL.
			`SELECT m.name || '.' || c.name || ' ' || lower(c.type) || CASE WHEN c."notnull" = 1 OR c.pk > 0 THEN ' not null' ELSE '' END
				|| CASE WHEN c.dflt_value IS NULL THEN '' ELSE ' default' END
				FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'goose_db_version'`,
			`SELECT 'index on ' || m.name || ' (' || (SELECT group_concat(x.name, ', ') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno) x) || ')'
				|| CASE WHEN i."unique" = 1 THEN ' unique' ELSE '' END || CASE WHEN i.partial = 1 THEN ' partial' ELSE '' END
				FROM sqlite_schema m JOIN pragma_index_list(m.name) i WHERE m.type = 'table' AND m.name <> 'goose_db_version'`,
			`SELECT m.name || '.' || f."from" || ' references ' || f."table" || ' on delete ' || lower(f.on_delete)
				FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'`,
		},
		db.PostgreSQL: {
			`SELECT table_name || '.' || column_name || ' ' || CASE data_type WHEN 'bytea' THEN 'blob' ELSE data_type END
				|| CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END || CASE WHEN column_default IS NULL THEN '' ELSE ' default' END
				FROM information_schema.columns WHERE table_schema = current_schema() AND table_name <> 'goose_db_version'`,
			`SELECT 'index on ' || t.relname || ' (' || (SELECT string_agg(a.attname, ', ' ORDER BY k.n) FROM unnest(i.indkey) WITH ORDINALITY k(col, n)
				JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.col) || ')'
				|| CASE WHEN i.indisunique THEN ' unique' ELSE '' END || CASE WHEN i.indpred IS NOT NULL THEN ' partial' ELSE '' END
				FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace s ON s.oid = t.relnamespace
				WHERE s.nspname = current_schema() AND t.relname <> 'goose_db_version'`,
			`SELECT t.relname || '.' || a.attname || ' references ' || r.relname || ' on delete '
				|| CASE c.confdeltype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' WHEN 'r' THEN 'restrict' ELSE 'no action' END
				FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class r ON r.oid = c.confrelid
				JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) WHERE c.contype = 'f'`,
		},
	}
	var all []string
	for _, q := range queries[d.Engine()] {
		rows, err := d.Query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			all = append(all, line)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if len(all) < 5 {
		t.Fatalf("%s: no schema was found: %q", d.Engine(), all)
	}
	sort.Strings(all)
	return all
}
