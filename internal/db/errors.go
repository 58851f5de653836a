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

// ErrNoRows is the error of [Row.Scan] when there is no row.
var ErrNoRows = sql.ErrNoRows

// ErrUnavailable is in every error of a database that cannot serve at the moment. Its
// method Unavailable identifies it without an import of this package.
var ErrUnavailable error = unavailable{}

// ErrNewerSchema says that a newer program has migrated the database.
var ErrNewerSchema = errors.New("the database was migrated by a newer version of this program")

type unavailable struct{}

func (unavailable) Error() string     { return "database unavailable" }
func (unavailable) Unavailable() bool { return true }

// verdict says what an error means for a retry.
type verdict uint8

const (
	final     verdict = iota // a retry would not help, or err is nil
	brokenOff                // the engine undid the transaction in favour of another
	gone                     // the engine is unreachable or cannot work
)

// explain returns err for the caller, with [ErrUnavailable] added where it applies.
func explain(e engine, err error) error {
	if err == nil || errors.Is(err, ErrUnavailable) {
		return err
	}
	switch e.judge(err) {
	case gone, brokenOff: // brokenOff: every retry failed; the database is too busy
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

// IsUnique reports whether err is a violation of a unique constraint or primary key.
func IsUnique(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "23505" // unique_violation
}

// cancelled adds to err the reason why ctx ended. The driver reports only a closed
// connection or an interrupted statement. An error that the database itself returned stays
// as it is.
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

// undone is the error of a transaction that the engine rolled back without refusing its
// statements. The transaction may run again.
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
	switch e.Code() & 0xff { // the primary code, without the details
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return brokenOff
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL:
		return gone
	}
	return final
}

func judgePostgres(err error) verdict {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		if e.Routine == "RevalidateCachedQuery" { // a table changed under a prepared statement, which pgx has dropped
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
