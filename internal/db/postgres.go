package db

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// maxConns is the pool's size unless the URL has pool_max_conns. Many nodes share the
	// server's hundred connections.
	maxConns = 16
	// connectFor bounds a new connection, pingFor the answer on a doubtful one.
	connectFor = 3 * time.Second
	pingFor    = 2 * time.Second
	// asksAfter is how long a statement waits before we check that the server lives.
	asksAfter = 2 * time.Second
)

// pgEngine is a PostgreSQL server. pgx prepares each statement once per connection.
type pgEngine struct {
	pool           *pgxpool.Pool
	reads, changes chan *asked // statements that no turn has taken yet
	node           string      // tells our own notes from those of other processes
	log            *slog.Logger

	asking  sync.Mutex
	asked   time.Time // time of the last check of alive
	alive   bool
	closing context.CancelFunc
	closed  context.Context
}

// postgresConfig reads a URL. Its errors leave the password out.
func postgresConfig(url string) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err == nil && strings.Contains(cfg.ConnConfig.Database, "@") {
		// The rest of a password is there, and pgx's errors show the name of the database.
		err = errors.New("database URL: write / ? # and @ of the password as %2F %3F %23 and %40")
	}
	return cfg, err
}

func openPostgres(ctx context.Context, url string, log *slog.Logger) (*pgEngine, error) {
	e := &pgEngine{node: rand.Text(), log: log, reads: make(chan *asked), changes: make(chan *asked)}
	cfg, err := postgresConfig(url)
	if err != nil {
		return e, err
	}
	if !strings.Contains(url, "pool_max_conns") {
		cfg.MaxConns = maxConns
	}
	if cfg.ConnConfig.ConnectTimeout == 0 || cfg.ConnConfig.ConnectTimeout > connectFor {
		cfg.ConnConfig.ConnectTimeout = connectFor
	}
	params := cfg.ConnConfig.RuntimeParams
	if params["application_name"] == "" {
		params["application_name"] = "coffer"
	}
	// A node that vanished during a transaction must not keep its locks.
	params["idle_in_transaction_session_timeout"] = "60000"
	cfg.PingTimeout = pingFor
	cfg.MaxConnIdleTime = 5 * time.Minute
	cfg.ShouldPing = func(_ context.Context, p pgxpool.ShouldPingParams) bool {
		return p.IdleDuration > time.Second || !quiet(p.Conn.PgConn().Conn())
	}
	if e.pool, err = pgxpool.NewWithConfig(context.WithoutCancel(ctx), cfg); err != nil {
		return e, err
	}
	e.closed, e.closing = context.WithCancel(context.Background())
	migrating := stdlib.OpenDBFromPool(e.pool)
	err = errors.Join(migratePostgres(ctx, migrating, log), migrating.Close())
	if err != nil {
		return e, errors.Join(err, e.close())
	}
	go e.serve(e.reads, e.answerReads)
	go e.serve(e.changes, e.answerChanges)
	return e, nil
}

// acquire returns a connection of the pool. Its wait is bounded, so a pool without a free
// connection counts as an unavailable database, not as the caller's timeout.
func (e *pgEngine) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := e.pool.Acquire(limited)
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		return nil, fmt.Errorf("%w: no connection within %s: %w", ErrUnavailable, patience, err)
	}
	return c, cancelled(ctx, err)
}

func (e *pgEngine) lend(ctx context.Context, _ bool) (session, error) {
	c, err := e.acquire(ctx)
	if err != nil {
		return nil, err
	}
	return &pgSession{engine: e, conn: c}, nil
}

func (e *pgEngine) begin(ctx context.Context, write, _ bool) (session, error) {
	c, err := e.acquire(ctx)
	if err != nil {
		return nil, err
	}
	s := &pgSession{engine: e, conn: c, begin: `begin`}
	if !write {
		s.begin = `begin isolation level repeatable read read only`
	}
	return s, nil
}

func (e *pgEngine) judge(err error) verdict { return judgePostgres(err) }

func (e *pgEngine) close() error {
	if e.pool == nil {
		return nil
	}
	e.closing()
	closed := make(chan struct{})
	go func() {
		e.pool.Close() // waits for every lent connection
		close(closed)
	}()
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-closed:
	case <-t.C:
	}
	return nil
}

// attention watches one call that waits for the server.
type attention struct {
	timer  *time.Timer
	end    context.CancelCauseFunc
	engine *pgEngine
}

// attend returns a context for one call. It ends with [ErrUnavailable] as its cause when
// the server is dead. The caller calls done.stop when the answer has come, and done.cancel
// when the context is no longer needed.
func (e *pgEngine) attend(ctx context.Context) (context.Context, *attention) {
	ctx, cancel := context.WithCancelCause(ctx)
	a := &attention{end: cancel, engine: e}
	a.timer = time.AfterFunc(time.Hour, a.ask) // started below, so that ask sees a.timer
	a.timer.Reset(asksAfter)
	return ctx, a
}

func (a *attention) stop() { a.timer.Stop() }
func (a *attention) cancel() {
	a.timer.Stop()
	a.end(nil)
}

func (a *attention) ask() {
	if a.engine.lives() {
		a.timer.Reset(asksAfter)
		return
	}
	a.end(fmt.Errorf("%w: no answer within %s", ErrUnavailable, asksAfter))
}

// lives pings the server on a new connection. Any answer counts, even a refusal.
func (e *pgEngine) lives() bool {
	e.asking.Lock()
	defer e.asking.Unlock()
	if time.Since(e.asked) < time.Second {
		return e.alive
	}
	ctx, cancel := context.WithTimeout(e.closed, pingFor)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, e.pool.Config().ConnConfig)
	if err == nil {
		err = conn.Ping(ctx)
		_ = conn.Close(ctx) // it served only to ask
	}
	_, refused := errors.AsType[*pgconn.PgError](err)
	e.alive, e.asked = err == nil || refused, time.Now()
	return e.alive
}

// cause returns why a call failed: its caller gave up, or attend found the server dead.
func cause(ctx, attended context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return cancelled(ctx, err)
	}
	if why := context.Cause(attended); why != nil && errors.Is(why, ErrUnavailable) {
		return why
	}
	return err
}

// pgSession is a connection of the pool. It sends BEGIN with the first statement of a
// transaction, in one round trip.
type pgSession struct {
	engine *pgEngine
	conn   *pgxpool.Conn
	begin  string // to be sent; empty outside a transaction
	began  bool
}

// first sends a transaction's first statement behind its BEGIN.
func (s *pgSession) first(ctx context.Context, q string, args []any) (pgx.BatchResults, error) {
	b := &pgx.Batch{}
	b.Queue(s.begin)
	b.Queue(q, args...)
	s.begin, s.began = "", true
	results := s.conn.SendBatch(ctx, b)
	_, err := results.Exec()
	return results, err
}

func (s *pgSession) exec(ctx context.Context, q string, args []any) (int64, error) {
	attended, done := s.engine.attend(ctx)
	defer done.cancel()
	if s.begin == "" {
		tag, err := s.conn.Exec(attended, q, args...)
		return tag.RowsAffected(), cause(ctx, attended, err)
	}
	results, err := s.first(attended, q, args)
	var tag pgconn.CommandTag
	if err == nil {
		tag, err = results.Exec()
	}
	if closeErr := results.Close(); err == nil {
		err = closeErr
	}
	return tag.RowsAffected(), cause(ctx, attended, err)
}

func (s *pgSession) query(ctx context.Context, q string, args []any) (answer, error) {
	attended, done := s.engine.attend(ctx)
	r := &pgRows{}
	var err error
	if s.begin == "" {
		r.Rows, err = s.conn.Query(attended, q, args...)
	} else if r.batch, err = s.first(attended, q, args); err == nil {
		r.Rows, err = r.batch.Query()
	}
	if err == nil {
		if r.ahead = r.Rows.Next(); !r.ahead { // only this call shows whether the server refused it
			err = r.Rows.Err()
		}
	}
	done.stop() // the first row has arrived
	if err != nil {
		_ = r.Close() // the caller gets the statement's error
		err = cause(ctx, attended, err)
		done.cancel()
		return answer{}, err
	}
	return answer{rows: r, closed: done.cancel}, nil
}

// pgRows is an answer whose first row has arrived.
type pgRows struct {
	pgx.Rows
	batch pgx.BatchResults // contains this answer; may be nil
	ahead bool             // the next row of Next is here
}

var _ rows = (*pgRows)(nil)

func (r *pgRows) Next() bool {
	if r.ahead {
		r.ahead = false
		return true
	}
	return r.Rows.Next()
}

func (r *pgRows) Close() error {
	if r.Rows != nil {
		r.Rows.Close()
	}
	if r.batch != nil {
		return r.batch.Close()
	}
	return nil
}

func (s *pgSession) end(ctx context.Context, commit bool, told func()) error {
	if !s.began { // no transaction, or one without a statement
		s.conn.Release()
		if !commit || s.begin == "" {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		told()
		return nil
	}
	if err := ctx.Err(); err != nil { // the caller gave up
		go s.rollback(context.WithoutCancel(ctx))
		if commit {
			return err
		}
		return nil
	}
	if !commit {
		s.rollback(ctx)
		return nil
	}
	defer s.conn.Release()
	attended, done := s.engine.attend(ctx)
	defer done.cancel()
	tag, err := s.conn.Exec(attended, `commit`)
	told()
	if err == nil && tag.String() != "COMMIT" {
		err = fmt.Errorf("commit answered %s", tag)
	}
	return cause(ctx, attended, err)
}

// rollback returns the connection. The pool closes a connection still in a transaction.
func (s *pgSession) rollback(ctx context.Context) {
	defer s.conn.Release()
	if c := s.conn.Conn(); c.IsClosed() || c.PgConn().IsBusy() {
		return
	}
	attended, done := s.engine.attend(ctx)
	defer done.cancel()
	_, _ = s.conn.Exec(attended, `rollback`)
}

// channel carries the notes of all topics; each note names its topic.
const channel = "coffer"

func (e *pgEngine) publish(ctx context.Context, s session, n note) error {
	_, err := s.exec(ctx, `SELECT pg_notify($1, $2)`, []any{channel, e.node + " " + n.topic + " " + n.payload})
	return err
}

func (e *pgEngine) receive(ctx context.Context, heard func(note), missed func()) {
	for n := 1; ctx.Err() == nil; n++ {
		if e.hear(ctx, heard, missed) {
			n = 1
		}
		if ctx.Err() == nil {
			_ = pause(ctx, n+4)
		}
	}
}

// hear listens on one connection until it breaks. It reports whether it ever connected.
func (e *pgEngine) hear(ctx context.Context, heard func(note), missed func()) bool {
	connecting, cancel := context.WithTimeout(ctx, connectFor)
	conn, err := pgx.ConnectConfig(connecting, e.pool.Config().ConnConfig)
	cancel()
	if err != nil {
		return false
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingFor)
		defer cancel()
		_ = conn.Close(closing) // broken or no longer needed
	}()
	if _, err := conn.Exec(ctx, `LISTEN `+channel); err != nil {
		return false
	}
	missed() // notes sent before we listened
	for {
		n, err := nextNote(ctx, conn)
		if err != nil {
			return true
		}
		if n == nil {
			continue
		}
		from, rest, _ := strings.Cut(n.Payload, " ")
		topic, payload, ok := strings.Cut(rest, " ")
		if ok && from != e.node {
			heard(note{topic, payload})
		}
	}
}

// nextNote waits for a note. It returns nil after a quiet while in which the server still
// answers.
func nextNote(ctx context.Context, conn *pgx.Conn) (*pgconn.Notification, error) {
	waiting, cancel := context.WithTimeout(ctx, asksAfter)
	defer cancel()
	n, err := conn.WaitForNotification(waiting)
	if err == nil || ctx.Err() != nil || waiting.Err() == nil {
		return n, err
	}
	asking, cancelAsk := context.WithTimeout(ctx, pingFor)
	defer cancelAsk()
	return nil, conn.Ping(asking)
}
