// Package db opens and migrates SQLite or PostgreSQL; every statement is written once.
//
// # One text for two engines
//
// Statements use $1…, app-made text ids, BIGINT unix milliseconds, BOOLEAN, BLOB, ON
// CONFLICT, RETURNING, partial unique indexes and row-value keyset paging: all of it
// runs unchanged on both. What an attacker can race is one conditional statement whose
// affected rows decide; nothing reads first and writes then. Engine-only statements are
// counted by a test.
//
// # Transactions
//
// [DB.Tx] is a write transaction and [DB.Read] a snapshot that cannot write. On SQLite
// writers stand in one queue and share commits (group.go); on PostgreSQL they run at READ COMMITTED, which is enough
// because the statements are conditional. Both keep PostgreSQL's rule that a refused
// statement ends its transaction, so that a program right on one engine is right on the
// other. A transaction that the engine broke off (busy, deadlock, serialization) or
// whose connection was lost before its commit was sent runs again: fn must change
// nothing outside the transaction that a second run would spoil.
//
// A transaction that uses its DB instead of its Tx waits for itself: SQLite has one
// writer. Such a wait ends after a few seconds with [ErrUnavailable].
//
// # What is promised
//
//   - What was acknowledged survives a power cut: SQLite runs WAL with synchronous=FULL.
//   - An absent database answers within five seconds, with [ErrUnavailable], and is
//     found again without a restart. While a statement waits, its server is asked on
//     another connection whether it lives, so a slow answer is not mistaken for none.
//   - [ErrUnavailable] from a commit or from [DB.Exec] says nothing about whether the
//     change stands.
//   - The SQLite file, its log and its index are readable by their owner only.
//   - Many nodes may start at once on an empty database; a schema that is newer than
//     the program is refused ([ErrNewerSchema]); a migration that was cut off leaves the
//     schema before it or after it.
package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"time"

)

// Engine names a database engine.
type Engine uint8

// The engines.
const (
	SQLite Engine = iota + 1
	PostgreSQL
)

// String returns the engine's name.
func (e Engine) String() string {
	switch e {
	case SQLite:
		return "SQLite"
	case PostgreSQL:
		return "PostgreSQL"
	}
	return fmt.Sprintf("engine %d", uint8(e))
}

// patience is how long a call waits for a free connection; with the time that a new
// connection may take it stays under the five seconds that the package promises.
const patience = 4 * time.Second

// engine is what SQLite and PostgreSQL do differently. Errors come back as the driver
// made them; judge reads them.
type engine interface {
	// lend returns a connection on which each statement commits by itself.
	lend(ctx context.Context, write bool) (session, error)
	// begin returns a connection in a transaction; again says that it was broken off before.
	begin(ctx context.Context, write, again bool) (session, error)
	judge(err error) verdict
	notifier
	close() error
}

// session is a connection, lent. It is used by one goroutine at a time.
type session interface {
	exec(ctx context.Context, q string, args []any) (int64, error)
	query(ctx context.Context, q string, args []any) (answer, error)
	// end gives the connection back. A transaction is committed or rolled back first.
	// told is called between the commit and its acknowledgement, also when the commit's
	// outcome is unknown and when the caller gives up meanwhile; nil calls nothing.
	end(ctx context.Context, commit bool, told func()) error
}

// DB is an open database. Its methods may be called by many goroutines.
type DB struct {
	kind   Engine
	engine engine
	hub    *hub
	owner  *os.File // locked while this process owns the database; see Own
}

// Querier runs statements: a [DB], each statement by itself, or a [Tx]. A statement
// with RETURNING goes through a Tx or [DB.WriteRow]: on SQLite the DB's queries cannot
// write.
type Querier interface {
	// Exec returns the number of rows that q changed.
	Exec(ctx context.Context, q string, args ...any) (int64, error)
	// Query returns the rows of q. The caller closes them.
	Query(ctx context.Context, q string, args ...any) (*Rows, error)
	// QueryRow returns the first row of q. The caller scans it, which gives its connection back.
	QueryRow(ctx context.Context, q string, args ...any) *Row
}

var (
	_ Querier = (*DB)(nil)
	_ Querier = (*Tx)(nil)
)

// Open opens the database at url, "sqlite:PATH" or "postgres://…", and brings its
// schema up to date. It returns [ErrNewerSchema] when a newer program has been there.
func Open(ctx context.Context, url string, log *slog.Logger) (*DB, error) {
	kind, err := engineOf(url)
	if err != nil {
		return nil, err
	}
	if kind == SQLite {
		path, err := sqlitePath(url)
		if err != nil {
			return nil, err
		}
		e, err := openSQLite(ctx, path, log)
		if err != nil {
			return nil, fmt.Errorf("database %s: %w", path, explain(e, err))
		}
		return newDB(SQLite, e), nil
	}
	e, err := openPostgres(ctx, url, log)
	if err != nil {
		return nil, fmt.Errorf("database: %w", explain(e, err))
	}
	return newDB(PostgreSQL, e), nil
}

// engineOf returns the engine that a URL names. It refuses a URL that cannot be one of that
// engine, and asks nothing else.
func engineOf(url string) (Engine, error) {
	scheme, _, _ := strings.Cut(url, ":")
	switch scheme {
	case "sqlite":
		_, err := sqlitePath(url)
		return SQLite, err
	case "postgres", "postgresql":
		_, err := postgresConfig(url)
		return PostgreSQL, err
	}
	return 0, errors.New("database URL: neither sqlite:PATH nor postgres://…") // what it is may hold a password
}

func newDB(kind Engine, e engine) *DB {
	return &DB{kind: kind, engine: e, hub: newHub(e)}
}

// Close waits a moment for what runs, then closes every connection.
func (d *DB) Close() error {
	d.hub.close()
	err := d.engine.close()
	if d.owner != nil {
		err = errors.Join(err, d.owner.Close())
	}
	return err
}

// Engine returns which engine this is.
func (d *DB) Engine() Engine { return d.kind }

// Ping reports whether the database answers.
func (d *DB) Ping(ctx context.Context) error {
	var one int
	return d.QueryRow(ctx, `SELECT 1`).Scan(&one)
}

// Exec runs one statement that commits by itself.
func (d *DB) Exec(ctx context.Context, q string, args ...any) (int64, error) {
	var n int64
	err := d.retry(ctx, brokenOff, func() error {
		s, err := d.engine.lend(ctx, true)
		if err != nil {
			return err
		}
		n, err = s.exec(ctx, q, args)
		if endErr := s.end(ctx, err == nil, nil); err == nil {
			err = endErr
		}
		return err
	})
	return n, err
}

// WriteRow runs one statement with RETURNING that commits by itself. It runs when its
// row is scanned. It is one round trip where a [DB.Tx] takes three.
func (d *DB) WriteRow(ctx context.Context, q string, args ...any) *Row {
	return &Row{write: func(dest []any) error {
		return d.retry(ctx, brokenOff, func() error {
			s, err := d.engine.lend(ctx, true)
			if err != nil {
				return err
			}
			found, err := writeRow(ctx, s, q, args, dest)
			if endErr := s.end(ctx, err == nil, nil); err == nil {
				err = endErr
			}
			if err == nil && !found {
				err = ErrNoRows
			}
			return err
		})
	}}
}

// Query runs one reading statement.
func (d *DB) Query(ctx context.Context, q string, args ...any) (*Rows, error) {
	r := &Rows{engine: d.engine}
	if err := d.read(ctx, r, q, args); err != nil {
		return nil, err
	}
	return r, nil
}

// QueryRow runs one reading statement of which the first row counts.
func (d *DB) QueryRow(ctx context.Context, q string, args ...any) *Row {
	r := &Row{rows: Rows{engine: d.engine}}
	r.err = d.read(ctx, &r.rows, q, args)
	return r
}

// read fills r. A reading statement changes nothing, so one whose connection was lost
// before the first row is asked again.
func (d *DB) read(ctx context.Context, r *Rows, q string, args []any) error {
	return d.retry(ctx, gone, func() error { return d.ask(ctx, r, q, args) })
}

// ask runs a statement on a connection that goes back when r is closed.
func (d *DB) ask(ctx context.Context, r *Rows, q string, args []any) error {
	s, err := d.engine.lend(ctx, false)
	if err != nil {
		return err
	}
	if r.answer, err = s.query(ctx, q, args); err != nil {
		_ = s.end(ctx, false, nil) // the statement's error is the one to tell
		return err
	}
	r.session, r.ctx = s, ctx
	return nil
}

// Tx runs fn in a write transaction and commits when fn returns nil. Any error of fn,
// and a panic, rolls back. fn may run more than once.
func (d *DB) Tx(ctx context.Context, fn func(tx *Tx) error) error {
	return d.transact(ctx, true, fn)
}

// Read runs fn in a transaction that sees one moment of the database and cannot write.
// fn may run more than once.
func (d *DB) Read(ctx context.Context, fn func(tx *Tx) error) error {
	return d.transact(ctx, false, fn)
}

func (d *DB) transact(ctx context.Context, write bool, fn func(tx *Tx) error) error {
	var err error
	again := false
	_ = d.retry(ctx, gone, func() (why error) { // err tells it
		err, why = d.attempt(ctx, write, again, fn)
		again = true
		return why
	})
	return err
}

// attempt runs the transaction once. why is the engine's error after which another
// attempt may succeed, nil when none may.
func (d *DB) attempt(ctx context.Context, write, again bool, fn func(tx *Tx) error) (err, why error) {
	s, err := d.engine.begin(ctx, write, again)
	if err != nil {
		return explain(d.engine, err), err
	}
	tx := &Tx{db: d, session: s}
	returned := false
	defer func() {
		if !returned { // fn panicked or ended its goroutine
			tx.finish()
			_ = s.end(ctx, false, nil) // the caller has left
		}
	}()
	err = fn(tx)
	returned = true
	tx.finish()
	if tx.failed != nil && err == nil {
		err = fmt.Errorf("commit after a refused statement: %w", explain(d.engine, tx.failed))
	}
	if err != nil {
		_ = s.end(ctx, false, nil) // what is not committed is rolled back in any case
		return err, tx.failed
	}
	if err = s.end(ctx, true, func() { d.hub.tell(tx.notes) }); err != nil {
		if d.engine.judge(err) == brokenOff {
			why = err
		} // a commit whose connection was lost may stand: it must not run again
		return explain(d.engine, err), why
	}
	return nil, nil
}

const (
	// lostFor bounds the time in which something whose connection was lost starts again,
	// brokenFor that of what was broken off: a deadlock takes a second to be found.
	lostFor   = time.Second
	brokenFor = 8 * time.Second
)

// retry runs op again while its error is no worse than worst and there is time.
func (d *DB) retry(ctx context.Context, worst verdict, op func() error) error {
	start := time.Now()
	for n := 1; ; n++ {
		err := op()
		if err == nil {
			return nil
		}
		v := d.engine.judge(err)
		limit := brokenFor
		if _, with := errors.AsType[undone](err); v == gone || d.kind == SQLite && !with {
			limit = lostFor // SQLite has waited before it says that it is busy
		}
		if v == final || v > worst || ctx.Err() != nil || time.Since(start) > limit {
			return explain(d.engine, err)
		}
		if err := pause(ctx, n); err != nil {
			return err
		}
	}
}

// pause waits before attempt n+1: twice as long each time, at random so that two that
// met do not meet again.
func pause(ctx context.Context, n int) error {
	most := time.Millisecond << min(n, 7)
	t := time.NewTimer(time.Duration(rand.Int64N(int64(most))))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
