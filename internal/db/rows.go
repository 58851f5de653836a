package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Tx is a transaction. It belongs to one goroutine and ends with its function.
type Tx struct {
	db      *DB
	session session
	failed  error   // the driver's error that ended the transaction
	open    []*Rows // rows that fn may have left open
	notes   []note
	over    bool
}

// fail records a refused statement, which ends the transaction on both engines. An answer
// without rows is no refusal.
func (t *Tx) fail(err error) error {
	if err != nil && t.failed == nil {
		t.failed = err
	}
	return explain(t.db.engine, err)
}

func (t *Tx) usable() error {
	if t.over {
		return sql.ErrTxDone
	}
	if t.failed != nil {
		return fmt.Errorf("the transaction is over since: %w", t.failed)
	}
	return nil
}

func (t *Tx) finish() {
	for _, r := range t.open {
		_ = r.Close() // its error, if any, came with the rows
	}
	t.open, t.over = nil, true
}

// Exec runs a statement and returns the number of rows that it changed.
func (t *Tx) Exec(ctx context.Context, q string, args ...any) (int64, error) {
	if err := t.usable(); err != nil {
		return 0, err
	}
	n, err := t.session.exec(ctx, q, args)
	return n, t.fail(err)
}

// Query runs a statement and returns its rows. The caller closes them.
func (t *Tx) Query(ctx context.Context, q string, args ...any) (*Rows, error) {
	r := &Rows{}
	if err := t.query(ctx, r, q, args); err != nil {
		return nil, err
	}
	t.open = append(t.open, r)
	return r, nil
}

// QueryRow runs a statement and returns its first row.
func (t *Tx) QueryRow(ctx context.Context, q string, args ...any) *Row {
	r := &Row{}
	r.err = t.query(ctx, &r.rows, q, args)
	return r
}

func (t *Tx) query(ctx context.Context, r *Rows, q string, args []any) (err error) {
	if err := t.usable(); err != nil {
		return err
	}
	r.engine, r.tx, r.ctx = t.db.engine, t, ctx
	r.answer, err = t.session.query(ctx, q, args)
	return t.fail(err)
}

// rows is a driver's answer to a query: [sql.Rows], or pgx's.
type rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

var _ rows = (*sql.Rows)(nil)

// answer is rows with the work to do on Close.
type answer struct {
	rows
	closed func()           // may be nil
	adapt  func(dest []any) // converts dest for the driver; may be nil
}

func (a *answer) scan(dest []any) error {
	if a.adapt != nil {
		a.adapt(dest)
	}
	return a.rows.Scan(dest...)
}

func (a *answer) end() error {
	err := a.rows.Close()
	if a.closed != nil {
		a.closed()
	}
	return err
}

// Rows is the answer to a query, read row by row.
type Rows struct {
	answer  answer
	engine  engine
	ctx     context.Context // of the query, for the session's end
	session session         // returned by Close; nil in a transaction
	tx      *Tx             // nil outside a transaction
	done    bool
	err     error
}

// Next steps to the next row, if there is one.
func (r *Rows) Next() bool {
	if r.done {
		return false
	}
	if r.answer.Next() {
		return true
	}
	r.note(r.answer.Err())
	_ = r.Close()
	return false
}

func (r *Rows) note(err error) {
	if err == nil || r.err != nil {
		return
	}
	err = cancelled(r.ctx, err)
	if r.tx != nil {
		r.err = r.tx.fail(err)
		return
	}
	r.err = explain(r.engine, err)
}

// Scan copies the row's columns into dest.
func (r *Rows) Scan(dest ...any) error {
	return r.answer.scan(dest)
}

// Err returns the error that ended the rows early, or nil.
func (r *Rows) Err() error { return r.err }

// Close returns the rows' connection. A second call does nothing.
func (r *Rows) Close() error {
	if r.done {
		return nil
	}
	r.done = true
	err := r.answer.end()
	if r.session != nil {
		if endErr := r.session.end(r.ctx, true, nil); err == nil {
			err = endErr
		}
		r.session = nil
	}
	err = cancelled(r.ctx, err)
	if r.tx != nil {
		return r.tx.fail(err)
	}
	return explain(r.engine, err)
}

// Row is the first row of a query's answer.
type Row struct {
	rows  Rows
	write func(dest []any) error // runs a writing statement; nil for a reading one
	err   error
}

// Scan copies the columns of the first row into dest. It returns [ErrNoRows] without a row.
func (r *Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	if r.write != nil {
		return r.write(dest)
	}
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return ErrNoRows
	}
	err := r.rows.Scan(dest...)
	if closeErr := r.rows.Close(); err == nil {
		err = closeErr
	}
	return err
}

// writeRow runs a writing statement to its end, because only then is the write done. It
// copies the first row into dest.
func writeRow(ctx context.Context, s session, q string, args, dest []any) (found bool, err error) {
	a, err := s.query(ctx, q, args)
	if err != nil {
		return false, err
	}
	var scanErr error
	for a.Next() {
		if !found {
			scanErr = a.scan(dest)
		}
		found = true
	}
	err = errors.Join(a.Err(), scanErr, a.end())
	return found, cancelled(ctx, err)
}
