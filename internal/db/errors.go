package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrNoRows is what [Row.Scan] returns when the answer is empty.
var ErrNoRows = sql.ErrNoRows

// ErrUnavailable is in every error that says that the database cannot serve just now.
// It has a method Unavailable, by which it is known without this package.
var ErrUnavailable error = unavailable{}

// ErrNewerSchema says that a newer program has migrated the database.
var ErrNewerSchema = errors.New("the database was migrated by a newer version of this program")

type unavailable struct{}

func (unavailable) Error() string     { return "database unavailable" }
func (unavailable) Unavailable() bool { return true }

// verdict is what an error means for a caller that might try again.
type verdict uint8

const (
	final     verdict = iota // trying again would not help, or err is nil
	brokenOff                // the engine undid the transaction to let another one pass
	gone                     // the database cannot be reached or cannot work
)

// explain returns err as a caller may see it: with [ErrUnavailable] in it when that is
// what it means.
func explain(e engine, err error) error {
	if err == nil || errors.Is(err, ErrUnavailable) {
		return err
	}
	switch e.judge(err) {
	case gone, brokenOff: // still broken off after every retry: too busy to serve
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

// IsUnique reports whether a unique constraint, or a primary key, refused a statement.
func IsUnique(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "23505" // unique_violation
}

// cancelled returns err with the reason why ctx ended in it, where the driver's own words
// would hide that the caller gave up: a closed connection, an interrupted statement. What
// the database itself answered stays the answer.
func cancelled(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || errors.Is(err, ctx.Err()) || errors.Is(err, ErrUnavailable) {
		return err
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code != "57014" { // query_canceled
		return err
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code()&0xff != sqlite3.SQLITE_INTERRUPT {
		return err
	}
	if _, ok := errors.AsType[undone](err); ok {
		return err
	}
	return fmt.Errorf("%w: %v", ctx.Err(), err)
}

// undone is the error of a transaction that the engine rolled back although its own
// statements were not refused. It may run again.
type undone struct{ why error }

func (u undone) Error() string { return "the transaction was undone: " + u.why.Error() }

func judgeSQLite(err error) verdict {
	if _, ok := errors.AsType[undone](err); ok {
		return brokenOff
	}
	if errors.Is(err, ErrUnavailable) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		return gone
	}
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return final
	}
	switch e.Code() & 0xff { // the primary code; the rest of it says where
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return brokenOff
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL:
		return gone
	}
	return final
}

func judgePostgres(err error) verdict {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		if e.Routine == "RevalidateCachedQuery" { // a table changed under a prepared statement; pgx has dropped it
			return brokenOff
		}
		return judgeState(e.Code)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return gone
	}
	if err != nil && pgconn.SafeToRetry(err) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return brokenOff // it was not sent
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return final // the caller gave up; pgx wraps this in a network error
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return gone
	}
	for _, lost := range []error{ErrUnavailable, driver.ErrBadConn, sql.ErrConnDone, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed} {
		if errors.Is(err, lost) {
			return gone
		}
	}
	return final
}

// judgeState reads an SQLSTATE (PostgreSQL, appendix A).
func judgeState(code string) verdict {
	switch code {
	case "40001", "40P01", // serialization_failure, deadlock_detected
		"55P03": // lock_not_available
		return brokenOff
	case "57P01", "57P02", "57P03", "57P05", // shutdown, crash, starting up, idle session ended
		"25P03": // the transaction was idle for too long
		return gone
	}
	for _, class := range []string{"08", "53", "58"} { // connection, resources, system error
		if strings.HasPrefix(code, class) {
			return gone
		}
	}
	return final
}
