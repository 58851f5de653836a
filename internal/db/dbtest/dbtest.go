// Package dbtest gives tests fresh, migrated databases of every engine.
package dbtest

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"coffer/internal/db"
)

// Each runs f as a sub-test for each engine, on its own empty, migrated database.
// PostgreSQL needs COFFER_TEST_POSTGRES_URL, a role that may create databases. Without it
// Each skips that sub-test, or fails it when COFFER_TEST_REQUIRE=1.
func Each(t *testing.T, f func(t *testing.T, d *db.DB)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { f(t, SQLite(t)) })
	t.Run("PostgreSQL", func(t *testing.T) { f(t, PostgreSQL(t)) })
}

var quiet = slog.New(slog.DiscardHandler)

// SQLite returns a fresh SQLite database, closed when the test ends. The test fails if the
// program ran a statement whose cost grows with a table.
func SQLite(t testing.TB) *db.DB {
	t.Helper()
	return open(t, "sqlite:"+SQLiteFile(t))
}

// SQLiteFile returns the path of a fresh, migrated SQLite file, not open anywhere.
func SQLiteFile(t testing.TB) string {
	t.Helper()
	file, err := sqliteTemplate()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "coffer.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// PostgreSQL returns a fresh PostgreSQL database, dropped when the test ends. See
// [PostgreSQLURL] for the case without a server.
func PostgreSQL(t testing.TB) *db.DB {
	t.Helper()
	return open(t, PostgreSQLURL(t))
}

func open(t testing.TB, url string) *db.DB {
	t.Helper()
	r := &recorder{found: map[string]string{}}
	d, err := db.Open(context.Background(), url, slog.New(r))
	if err != nil {
		t.Fatal(err)
	}
	recorders.Store(d, r)
	t.Cleanup(func() {
		recorders.Delete(d)
		if d.Engine() == db.SQLite {
			r.check(t, d)
		}
		if err := d.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return d
}

// sqliteTemplate is a migrated file. Copying it is ten times faster than migrating for each
// test.
var sqliteTemplate = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "coffer-dbtest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "template.db")
	d, err := db.Open(context.Background(), "sqlite:"+path, quiet)
	if err != nil {
		return nil, err
	}
	if err := d.Close(); err != nil { // folds the log into the file
		return nil, err
	}
	return os.ReadFile(path)
})

// Server returns the address of the PostgreSQL server for tests. Without one it skips
// the test, or fails it when COFFER_TEST_REQUIRE=1.
func Server(t testing.TB) string {
	t.Helper()
	server := os.Getenv("COFFER_TEST_POSTGRES_URL")
	if server != "" {
		return server
	}
	if os.Getenv("COFFER_TEST_REQUIRE") == "1" {
		t.Fatal("COFFER_TEST_POSTGRES_URL is not set and COFFER_TEST_REQUIRE=1 allows no skipping")
	}
	t.Skip("needs a PostgreSQL server: COFFER_TEST_POSTGRES_URL is not set (make test brings one)")
	return ""
}

// EmptyPostgreSQLURL returns the URL of a fresh database without tables.
func EmptyPostgreSQLURL(t testing.TB) string {
	t.Helper()
	return create(t, Server(t), "template0")
}

// PostgreSQLURL returns the URL of a fresh, migrated database.
func PostgreSQLURL(t testing.TB) string {
	t.Helper()
	server := Server(t)
	template, err := postgresTemplate()
	if err != nil {
		t.Fatal(err)
	}
	return create(t, server, template)
}

func create(t testing.TB, server, template string) string {
	t.Helper()
	name := "coffer_test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if err := administer(server, func(conn *pgx.Conn) string {
		return "CREATE DATABASE " + name + " TEMPLATE " + template + strategy(conn)
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := administer(server, func(*pgx.Conn) string { return "DROP DATABASE IF EXISTS " + name + " WITH (FORCE)" }); err != nil {
			t.Errorf("drop the database: %v", err)
		}
	})
	return named(server, name)
}

// templateLock is the advisory lock for making a template.
const templateLock = 0x636f66666572

// postgresTemplate makes a migrated database to clone, or finds another process's template
// of the same migrations. A template gets its name when it is complete.
var postgresTemplate = sync.OnceValues(func() (string, error) {
	server := os.Getenv("COFFER_TEST_POSTGRES_URL")
	name := "coffer_template_" + db.SchemaID()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx) // and with it the lock
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(templateLock)); err != nil {
		return "", err
	}
	var there bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", name).Scan(&there)
	if there || err != nil {
		return name, err
	}
	draft := name + "_draft"
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + draft + " WITH (FORCE)", "CREATE DATABASE " + draft + " TEMPLATE template0"} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return "", fmt.Errorf("%s: %w", statement, err)
		}
	}
	d, err := db.Open(ctx, named(server, draft), quiet)
	if err != nil {
		return "", err
	}
	if err := d.Close(); err != nil {
		return "", err
	}
	_, err = conn.Exec(ctx, "ALTER DATABASE "+draft+" RENAME TO "+name)
	return name, err
})

func named(server, name string) string {
	u, err := url.Parse(server)
	if err != nil {
		return server
	}
	u.Path = "/" + name
	return u.String()
}

// strategy has PostgreSQL copy the template's files. Since version 15 it would else write each page of
// them to its log too, which costs three times as much.
func strategy(conn *pgx.Conn) string {
	version, err := strconv.ParseFloat(strings.Fields(conn.PgConn().ParameterStatus("server_version") + " 0")[0], 64)
	if err != nil || version < 15 { // a version such as 19beta1 does without
		return ""
	}
	return " STRATEGY FILE_COPY"
}

// administrators are this process's idle connections that make and drop databases. It keeps them:
// PostgreSQL starts a process for each one, which costs as much as the copy of a database.
var administrators struct {
	sync.Mutex
	idle []*pgx.Conn
}

// administer runs a statement, which may depend on the server that the connection has reached.
func administer(server string, statement func(*pgx.Conn) string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		conn, kept, err := administrator(ctx, server)
		if err != nil {
			return err
		}
		q := statement(conn)
		_, err = conn.Exec(ctx, q)
		if conn.IsClosed() && kept && ctx.Err() == nil {
			continue // a test has ended every connection of the server
		}
		if !conn.IsClosed() {
			administrators.Lock()
			administrators.idle = append(administrators.idle, conn)
			administrators.Unlock()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", q, err)
		}
		return nil
	}
}

// administrator returns a kept connection or a new one.
func administrator(ctx context.Context, server string) (conn *pgx.Conn, kept bool, err error) {
	administrators.Lock()
	if n := len(administrators.idle); n > 0 {
		conn, administrators.idle = administrators.idle[n-1], administrators.idle[:n-1]
	}
	administrators.Unlock()
	if conn != nil {
		return conn, true, nil
	}
	conn, err = pgx.Connect(ctx, server)
	return conn, false, err
}
