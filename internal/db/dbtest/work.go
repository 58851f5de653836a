package dbtest

import (
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"coffer/internal/db"
)

// Work is the cost of statements without a clock: steps of SQLite's virtual machine, and
// the number of runs.
type Work struct{ Steps, Runs int64 }

// Less returns the work done since other.
func (w Work) Less(other Work) Work { return Work{w.Steps - other.Steps, w.Runs - other.Runs} }

// CountedSQLite returns a fresh SQLite database, and a function for the cost so far of the
// statements on its open connections. No statement may run during a call of it.
func CountedSQLite(t testing.TB) (*db.DB, func() Work) {
	t.Helper()
	watch()
	path := SQLiteFile(t)
	return open(t, "sqlite:"+path), func() (sum Work) {
		watched.mu.Lock()
		defer watched.mu.Unlock()
		for _, c := range watched.conns {
			if strings.Contains(c.dsn, path) {
				w := c.work()
				sum.Steps += w.Steps
				sum.Runs += w.Runs
			}
		}
		return sum
	}
}

var watched struct {
	mu    sync.Mutex
	conns []watchedConn
}

// watchedConn is a connection of the driver. The driver does not expose SQLite's counters
// for each prepared statement, so its fields are read by reflection.
type watchedConn struct {
	dsn  string
	conn reflect.Value
}

var watch = sync.OnceFunc(func() {
	sqlite.RegisterConnectionHook(func(conn sqlite.ExecQuerierContext, dsn string) error {
		watched.mu.Lock()
		defer watched.mu.Unlock()
		watched.conns = append(watched.conns, watchedConn{dsn, reflect.ValueOf(conn).Elem()})
		return nil
	})
})

func (c watchedConn) work() (sum Work) {
	field := c.conn.FieldByName("db")
	if field.Uint() == 0 { // closed
		return sum
	}
	handle := reflect.ValueOf(uintptr(field.Uint()))
	thread := c.conn.FieldByName("tls")
	thread = reflect.NewAt(thread.Type(), unsafe.Pointer(thread.UnsafeAddr())).Elem()
	next, status := reflect.ValueOf(lib.Xsqlite3_next_stmt), reflect.ValueOf(lib.Xsqlite3_stmt_status)
	number := func(stmt reflect.Value, which int32) int64 {
		return status.Call([]reflect.Value{thread, stmt, reflect.ValueOf(which), reflect.ValueOf(int32(0))})[0].Int()
	}
	stmt := reflect.ValueOf(uintptr(0))
	for {
		if stmt = next.Call([]reflect.Value{thread, handle, stmt})[0]; stmt.Uint() == 0 {
			return sum
		}
		sum.Steps += number(stmt, lib.SQLITE_STMTSTATUS_VM_STEP)
		sum.Runs += number(stmt, lib.SQLITE_STMTSTATUS_RUN)
	}
}

// RowsRead returns how many rows of tables and indexes do reads in a PostgreSQL
// transaction, which it rolls back. It forbids PostgreSQL to read a small table whole.
func RowsRead(t testing.TB, d *db.DB, do func(tx *db.Tx) error) (n int64) {
	t.Helper()
	undo := errors.New("roll back")
	err := d.Tx(t.Context(), func(tx *db.Tx) error {
		read := func() (n int64) {
			err := tx.QueryRow(t.Context(), `
				SELECT CAST(SUM(COALESCE(seq_tup_read, 0) + COALESCE(idx_tup_fetch, 0)) AS BIGINT) FROM pg_stat_xact_user_tables`).Scan(&n)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if _, err := tx.Exec(t.Context(), `SET LOCAL enable_seqscan = off`); err != nil {
			return err
		}
		before := read()
		if err := do(tx); err != nil {
			return err
		}
		n = read() - before
		return undo
	})
	if !errors.Is(err, undo) {
		t.Fatal(err)
	}
	return n
}
