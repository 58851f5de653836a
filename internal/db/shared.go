package db

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

const (
	mostShare = 64 // statements of a turn
	// shareFor bounds the wait for a turn of reads, together with the turn. Of changes it bounds two
	// halves: the wait for a turn, and the turn's wait for a connection.
	shareFor = 500 * time.Millisecond
	// lockFor is how long a change of a turn waits for a row that another transaction holds.
	lockFor = "100ms"
)

// Shared returns d with another QueryRow and Exec, for statements that read or change one row by
// its key. On PostgreSQL one round trip, and one commit, serves all callers that wait. A slow
// statement would hold up the others; its caller, and theirs, soon ask alone. As with d itself, a
// read sees what was committed before it, and a change stands when Exec returns. The change of a
// caller that gives up may stand too; its arguments may still be read.
func (d *DB) Shared() Querier { return shared{d} }

type shared struct{ *DB }

func (d shared) QueryRow(ctx context.Context, q string, args ...any) *Row {
	e, ok := d.engine.(*pgEngine)
	if !ok {
		return d.DB.QueryRow(ctx, q, args...)
	}
	r := &Row{rows: Rows{engine: e, ctx: ctx}}
	r.err = d.retry(ctx, gone, func() error {
		a := &asked{query: q, args: args, done: make(chan struct{})}
		err := e.wait(ctx, e.reads, a, true)
		if errors.Is(err, errAlone) {
			return d.ask(ctx, &r.rows, q, args)
		}
		r.rows.answer = answer{rows: &a.row}
		return err
	})
	return r
}

func (d shared) Exec(ctx context.Context, q string, args ...any) (int64, error) {
	e, ok := d.engine.(*pgEngine)
	if !ok {
		return d.DB.Exec(ctx, q, args...)
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	a := &asked{query: q, args: args, done: make(chan struct{})}
	err := e.wait(ctx, e.changes, a, false)
	if errors.Is(err, errAlone) {
		return d.DB.Exec(ctx, q, args...)
	}
	if err != nil { // the turn may still write into a
		return 0, explain(e, err)
	}
	return a.changed, nil
}

// asked is a statement that waits for its turn.
type asked struct {
	query   string
	args    []any
	row     lookedUp // of a read
	changed int64    // rows, of a change
	err     error
	done    chan struct{}
}

// errAlone says that a turn did not serve a statement, and changed nothing. It may be the fault of
// another statement, or of a lock, so the caller asks by itself.
var errAlone = errors.New("the statement must be asked alone")

// wait waits for a turn of line, and for its end. A caller may leave a turn of reads that lasts, but
// not one of changes, which may stand.
func (e *pgEngine) wait(ctx context.Context, line chan<- *asked, a *asked, leaves bool) error {
	bound := shareFor / 2
	if leaves {
		bound = shareFor
	}
	late := time.NewTimer(bound)
	defer late.Stop()
	select {
	case line <- a:
	case <-ctx.Done():
		return ctx.Err()
	case <-e.closed.Done():
		return errAlone
	case <-late.C:
		return errAlone
	}
	var leave <-chan time.Time // never comes for a change
	if leaves {
		leave = late.C
	}
	select {
	case <-a.done:
		return a.err
	case <-ctx.Done():
		return ctx.Err()
	case <-leave:
		return errAlone
	}
}

// serve takes turns until the engine is closed, one after the other: while one waits for the server,
// the statements of other callers gather for the next.
func (e *pgEngine) serve(line <-chan *asked, answer func(turn []*asked)) {
	for {
		var turn []*asked
		select {
		case a := <-line:
			turn = append(turn, a)
		case <-e.closed.Done():
			return
		}
	gather:
		for len(turn) < mostShare {
			select {
			case a := <-line:
				turn = append(turn, a)
			default:
				break gather
			}
		}
		answer(turn)
		for _, a := range turn {
			close(a.done)
		}
	}
}

// answerReads sends a turn of reads.
func (e *pgEngine) answerReads(turn []*asked) {
	ctx, cancel := context.WithTimeout(context.Background(), shareFor) // Close waits for it
	defer cancel()
	answered := 0
	conn, err := e.acquire(ctx)
	if err == nil {
		defer conn.Release()
		var b pgx.Batch
		for _, a := range turn {
			b.Queue(a.query, a.args...).Fn = func(results pgx.BatchResults) error {
				err := a.row.take(results.Query())
				if err == nil {
					answered++
				}
				return err
			}
		}
		err = conn.SendBatch(ctx, &b).Close()
	}
	if judgePostgres(err) != gone {
		err = errAlone
	}
	for _, a := range turn[answered:] {
		a.err = err
	}
}

// answerChanges sends a turn of changes.
func (e *pgEngine) answerChanges(turn []*asked) {
	if err := e.change(turn); err != nil {
		for _, a := range turn {
			a.err = err
		}
	}
}

// change sends a turn as one transaction. It returns errAlone only if the turn changed nothing. The
// first time that a connection prepares a statement is outside the transaction, and of lockFor.
func (e *pgEngine) change(turn []*asked) error {
	ctx := context.Background() // Close waits for it
	short, cancel := context.WithTimeout(ctx, shareFor/2)
	defer cancel()
	conn, err := e.acquire(short)
	if err != nil {
		if judgePostgres(err) == gone {
			return err
		}
		return errAlone
	}
	defer conn.Release()
	attended, done := e.attend(ctx)
	defer done.cancel()
	var b pgx.Batch
	b.Queue(`SELECT set_config('lock_timeout', $1, true)`, lockFor)
	for _, a := range turn {
		b.Queue(a.query, a.args...).Exec(func(tag pgconn.CommandTag) error {
			a.changed = tag.RowsAffected()
			return nil
		})
	}
	err = cause(ctx, attended, conn.SendBatch(attended, &b).Close())
	if err == nil {
		return nil
	}
	refusal, refused := errors.AsType[*pgconn.PgError](err)
	undone := refused && refusal.SeverityUnlocalized == "ERROR"
	_, unsent := errors.AsType[pgx.ErrPreprocessingBatch](err) // an argument that fits no type
	if v := judgePostgres(err); v == brokenOff || v == final && (undone || unsent) {
		return errAlone
	}
	return fmt.Errorf("%w: a change may stand: %w", ErrUnavailable, err)
}

// lookedUp is the answer to a shared read: one row, or none. It is a copy, since the connection serves
// others before the caller scans it.
type lookedUp struct {
	fields []pgconn.FieldDescription
	values [][]byte
	ahead  bool
}

var _ rows = (*lookedUp)(nil)

func (r *lookedUp) take(from pgx.Rows, err error) error {
	if err != nil {
		return err
	}
	defer from.Close()
	if !from.Next() {
		return from.Err()
	}
	raw := from.RawValues()
	size := 0
	for _, v := range raw {
		size += len(v)
	}
	all := make([]byte, 0, size)
	*r = lookedUp{fields: append(r.fields, from.FieldDescriptions()...), values: make([][]byte, len(raw)), ahead: true}
	for i, v := range raw {
		if v == nil {
			continue
		}
		begin := len(all)
		all = append(all, v...)
		r.values[i] = all[begin:len(all):len(all)]
	}
	from.Close()
	return from.Err()
}

func (r *lookedUp) Next() bool {
	ahead := r.ahead
	r.ahead = false
	return ahead
}

func (r *lookedUp) Err() error   { return nil }
func (r *lookedUp) Close() error { return nil }

// typeMaps decode values. One serves one goroutine at a time.
var typeMaps = sync.Pool{New: func() any { return pgtype.NewMap() }}

func (r *lookedUp) Scan(dest ...any) error {
	if len(dest) != len(r.values) {
		return fmt.Errorf("%d columns into %d places", len(r.values), len(dest))
	}
	m := typeMaps.Get().(*pgtype.Map)
	defer typeMaps.Put(m)
	for i, d := range dest {
		if err := m.Scan(r.fields[i].DataTypeOID, r.fields[i].Format, r.values[i], d); err != nil {
			return fmt.Errorf("column %s: %w", r.fields[i].Name, err)
		}
	}
	return nil
}
