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
	// mostLooks and lookFor bound a turn. lookFor also bounds a caller's wait for one.
	mostLooks = 64
	lookFor   = 500 * time.Millisecond
)

// Looks returns d with another QueryRow, for statements that read one row by its key: on
// PostgreSQL one round trip serves the looks of all callers that wait. A slow statement would hold
// up the others; after half a second its caller, and theirs, ask alone. Like every statement of d,
// a look sees what was committed before it.
func (d *DB) Looks() Querier { return looks{d} }

type looks struct{ *DB }

func (d looks) QueryRow(ctx context.Context, q string, args ...any) *Row {
	e, ok := d.engine.(*pgEngine)
	if !ok {
		return d.DB.QueryRow(ctx, q, args...)
	}
	r := &Row{rows: Rows{engine: e, ctx: ctx}}
	r.err = d.retry(ctx, gone, func() error {
		found, err := e.look(ctx, q, args)
		if errors.Is(err, errAlone) {
			return d.ask(ctx, &r.rows, q, args)
		}
		r.rows.answer = answer{rows: &found}
		return err
	})
	return r
}

// look is a statement that waits for its turn.
type look struct {
	query string
	args  []any
	row   lookedUp
	err   error
	done  chan struct{}
}

// errAlone says that this look had no answer from a turn. It may be the fault of another one, or of
// a lock, so the caller asks by itself.
var errAlone = errors.New("the look must be asked alone")

// look waits for a turn.
func (e *pgEngine) look(ctx context.Context, q string, args []any) (lookedUp, error) {
	l := &look{query: q, args: args, done: make(chan struct{})}
	late := time.NewTimer(lookFor)
	defer late.Stop()
	waiting := e.looks
	for {
		select {
		case waiting <- l:
			waiting = nil
		case <-l.done:
			return l.row, l.err
		case <-ctx.Done():
			return lookedUp{}, ctx.Err()
		case <-e.closed.Done():
			return lookedUp{}, errAlone
		case <-late.C:
			return lookedUp{}, errAlone
		}
	}
}

// serveLooks takes turns until the engine is closed, one after the other: while one waits for the
// server, the looks of other callers gather for the next.
func (e *pgEngine) serveLooks() {
	for {
		var turn []*look
		select {
		case l := <-e.looks:
			turn = append(turn, l)
		case <-e.closed.Done():
			return
		}
	gather:
		for len(turn) < mostLooks {
			select {
			case l := <-e.looks:
				turn = append(turn, l)
			default:
				break gather
			}
		}
		answered, err := e.answer(turn)
		if judgePostgres(err) != gone {
			err = errAlone
		}
		for i, l := range turn {
			if i >= answered {
				l.err = err
			}
			close(l.done)
		}
	}
}

// answer sends a turn and reports how many of its looks have their answer.
func (e *pgEngine) answer(turn []*look) (answered int, err error) {
	ctx, cancel := context.WithTimeout(e.closed, lookFor)
	defer cancel()
	conn, err := e.acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Release()
	var b pgx.Batch
	for _, l := range turn {
		b.Queue(l.query, l.args...)
	}
	results := conn.SendBatch(ctx, &b)
	for answered < len(turn) && err == nil {
		if err = turn[answered].row.take(results.Query()); err == nil {
			answered++
		}
	}
	if closeErr := results.Close(); err == nil {
		err = closeErr
	}
	return answered, err
}

// lookedUp is the answer to a look: one row, or none. It is a copy, since the connection serves others
// before the caller scans it.
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
