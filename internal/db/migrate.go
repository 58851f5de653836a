package db

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// migrations is one set for both engines. A migration's name contains its room's, and is
// removed with the room.
//
//go:embed migrations
var migrations embed.FS

// versionTable is goose's own.
const versionTable = goose.DefaultTablename

// sqliteOnly finds what only SQLite reads: the word BLOB, and WITHOUT ROWID. It also matches literals,
// names and comments, in which the words have another meaning. A comment "-- postgres: S" holds a
// statement for PostgreSQL.
var sqliteOnly = regexp.MustCompile(`'[^']*'|"[^"]*"|--[^\n]*|\bBLOB\b| WITHOUT ROWID\b`)

// SchemaID names the program's set of migrations. Two programs with the same set return the
// same name.
func SchemaID() string {
	h := sha256.New()
	names, _ := fs.Glob(migrations, "migrations/*.sql") // the pattern is well formed
	for _, name := range names {
		text, err := migrations.ReadFile(name)
		if err != nil {
			panic("internal error: an embedded file cannot be read: " + err.Error())
		}
		fmt.Fprintf(h, "%s %d\n%s", name, len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// migrationSet returns the files as the engine reads them.
func migrationSet(kind Engine) (fs.FS, error) {
	set, err := fs.Sub(migrations, "migrations")
	if err != nil || kind == SQLite {
		return set, err
	}
	return postgresFS{set}, nil
}

// postgresFS is a migration set with BYTEA for BLOB, without the clause that makes a table of SQLite its
// own index, and with the statements for PostgreSQL alone.
type postgresFS struct{ fs.FS }

// Open opens a file of the set, translated for PostgreSQL.
func (b postgresFS) Open(name string) (fs.File, error) {
	f, err := b.FS.Open(name)
	if err != nil || path.Ext(name) != ".sql" {
		return f, err
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return textFile{f, strings.NewReader(forPostgres(string(text)))}, nil
}

// textFile is a file with replaced text.
type textFile struct {
	fs.File
	text *strings.Reader
}

func (f textFile) Read(b []byte) (int, error) { return f.text.Read(b) }

func forPostgres(text string) string {
	return sqliteOnly.ReplaceAllStringFunc(text, func(s string) string {
		switch s {
		case "BLOB":
			return "BYTEA"
		case " WITHOUT ROWID":
			return ""
		}
		return strings.TrimPrefix(s, "-- postgres: ")
	})
}

// migrator migrates one database.
type migrator struct {
	provider *goose.Provider
	store    database.Store
	db       *sql.DB
	known    map[int64]bool
}

func newMigrator(kind Engine, d *sql.DB, opts ...goose.ProviderOption) (*migrator, error) {
	dialect := goose.DialectSQLite3
	if kind == PostgreSQL {
		dialect = goose.DialectPostgres
	}
	set, err := migrationSet(kind)
	if err != nil {
		return nil, err
	}
	m := &migrator{db: d, known: map[int64]bool{0: true}}
	if m.store, err = database.NewStore(dialect, versionTable); err != nil {
		return nil, err
	}
	// Rooms appear in any order, so a lower number may follow a higher one.
	opts = append(opts, goose.WithAllowOutofOrder(true), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if m.provider, err = goose.NewProvider(dialect, d, set, opts...); err != nil {
		return nil, err
	}
	for _, s := range m.provider.ListSources() {
		m.known[s.Version] = true
	}
	return m, nil
}

// current reports whether the schema is the program's own. It changes nothing.
func (m *migrator) current(ctx context.Context) (bool, error) {
	applied, err := m.store.ListMigrations(ctx, m.db)
	if noTable(err) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	have := map[int64]bool{}
	for _, v := range applied { // the newest entry of a version comes first
		if _, seen := have[v.Version]; seen {
			continue
		}
		have[v.Version] = v.IsApplied
		if v.IsApplied && !m.known[v.Version] {
			return false, fmt.Errorf("%w: it has migration %d, this program's newest is %d", ErrNewerSchema, v.Version, m.newest())
		}
	}
	for v := range m.known {
		if !have[v] {
			return false, nil
		}
	}
	return true, nil
}

func (m *migrator) newest() int64 {
	var newest int64
	for v := range m.known {
		newest = max(newest, v)
	}
	return newest
}

// up applies the missing files. Each runs in one transaction with its entry in the version
// table, so a migration cut off leaves no trace.
func (m *migrator) up(ctx context.Context, log *slog.Logger) error {
	began := time.Now()
	done, err := m.provider.Up(ctx)
	if len(done) > 0 {
		log.InfoContext(ctx, "database migrated", "migrations", len(done), "newest", path.Base(done[len(done)-1].Source.Path),
			"took", time.Since(began).Round(time.Millisecond))
	}
	return err
}

// noTable tells a database never migrated from an unreadable one.
func noTable(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() == sqlite3.SQLITE_ERROR // the statement is constant, so its table is missing
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "42P01" // undefined_table
}

func migratePostgres(ctx context.Context, d *sql.DB, log *slog.Logger) error {
	// A second node asks for the lock once a second, then finds the schema migrated.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600))
	if err != nil {
		return err
	}
	m, err := newMigrator(PostgreSQL, d, goose.WithSessionLocker(locker))
	if err != nil {
		return err
	}
	if ok, err := m.current(ctx); ok || err != nil {
		return err
	}
	return m.up(ctx, log)
}

func migrateSQLite(ctx context.Context, file string, log *slog.Logger) error {
	if ok, err := currentSQLite(ctx, file); ok || err != nil {
		return err
	}
	unlock, err := lockFile(ctx, lockPath(file))
	if err != nil {
		return err
	}
	defer unlock()
	d, err := sql.Open("sqlite", liteDSN(file, "modeof="+uriValue(lockPath(file)), "_txlock=immediate", "_journal_mode=WAL"))
	if err != nil {
		return err
	}
	d.SetMaxOpenConns(1)
	m, err := newMigrator(SQLite, d)
	if err == nil {
		var ok bool
		if ok, err = m.current(ctx); err == nil && !ok { // no other node was faster
			err = m.up(ctx, log)
		}
	}
	return errors.Join(err, d.Close())
}

// currentSQLite checks without the lock, and never opens a missing file.
func currentSQLite(ctx context.Context, file string) (bool, error) {
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	if err := private(file); err != nil {
		return false, err
	}
	d, err := sql.Open("sqlite", liteDSN(file, "mode=rw", "_query_only=1"))
	if err != nil {
		return false, err
	}
	d.SetMaxOpenConns(1)
	m, err := newMigrator(SQLite, d)
	if err != nil {
		return false, errors.Join(err, d.Close())
	}
	ok, err := m.current(ctx)
	return ok, errors.Join(err, d.Close())
}

func lockPath(file string) string { return file + ".lock" }

// lockFile waits until this caller alone holds the lock. The lock file stays: if it were
// removed, two callers could lock.
func lockFile(ctx context.Context, name string) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := tryLock(f)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", name, err), f.Close())
		}
		if ok {
			return func() { _ = f.Close() }, nil
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("lock %s: %w", name, ctx.Err()), f.Close())
		case <-tick.C:
		}
	}
}
