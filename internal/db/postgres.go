package db

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
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
	// maxConns is the pool's size unless the URL has pool_max_conns: many nodes share
	// the server's hundred.
	maxConns = 16
	// connectFor bounds a new connection, pingFor a doubtful one's answer.
	connectFor = 3 * time.Second
	pingFor    = 2 * time.Second
	// asksAfter is when a statement that waits makes us ask whether the server lives.
	asksAfter = 2 * time.Second
)

// pgEngine is a PostgreSQL server. pgx prepares each statement once a connection.
type pgEngine struct {
	pool *pgxpool.Pool
	db   *sql.DB
	node string // tells our own notes from those of other processes
	log  *slog.Logger

	asking  sync.Mutex
	asked   time.Time // when alive was last found out
	alive   bool
	closing context.CancelFunc
	closed  context.Context
}

func openPostgres(ctx context.Context, url string, log *slog.Logger) (*pgEngine, error) {
	e := &pgEngine{node: rand.Text(), log: log}
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return e, err // pgx leaves the password out
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
	// A node that vanished in the middle of a transaction must not hold its locks.
	params["idle_in_transaction_session_timeout"] = "60000"
	cfg.PingTimeout = pingFor
	cfg.MaxConnIdleTime = 5 * time.Minute
	cfg.ShouldPing = func(_ context.Context, p pgxpool.ShouldPingParams) bool {
		return p.IdleDuration > time.Second || !quiet(p.Conn.PgConn().Conn())
	}
	if e.pool, err = pgxpool.NewWithConfig(context.WithoutCancel(ctx), cfg); err != nil {
		return e, err
	}
	e.db = sql.OpenDB(patient{stdlib.GetPoolConnector(e.pool)})
	e.db.SetMaxIdleConns(0) // idle connections are the pool's
	e.closed, e.closing = context.WithCancel(context.Background())
	if err := migratePostgres(ctx, e.db, log); err != nil {
		return e, errors.Join(err, e.close())
	}
	return e, nil
}

// patient bounds the wait for a connection of the pool: that nobody has one to give is
// the database's trouble, not the caller's deadline.
type patient struct{ driver.Connector }

func (p patient) Connect(ctx context.Context) (driver.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := p.Connector.Connect(limited)
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		return nil, fmt.Errorf("%w: no connection within %s: %w", ErrUnavailable, patience, err)
	}
	return c, err
}

func (e *pgEngine) lend(context.Context, bool) (session, error) { return pgSession{e, e.db}, nil }

func (e *pgEngine) begin(ctx context.Context, write, _ bool) (session, error) {
	var opts *sql.TxOptions
	if !write {
		opts = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	attended, done := e.attend(ctx)
	tx, err := e.db.BeginTx(attended, opts)
	done.stop()
	if err != nil {
		done.cancel()
		return nil, cause(ctx, attended, err)
	}
	return &pgTx{pgSession{e, tx}, tx, attended, done}, nil
}

func (e *pgEngine) judge(err error) verdict { return judgePostgres(err) }

func (e *pgEngine) close() error {
	if e.pool == nil {
		return nil
	}
	e.closing()
	err := e.db.Close()
	closed := make(chan struct{})
	go func() {
		e.pool.Close() // waits for every connection that is lent
		close(closed)
	}()
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-closed:
	case <-t.C:
	}
	return err
}

// attention watches over one call that waits for the server.
type attention struct {
	timer  *time.Timer
	end    context.CancelCauseFunc
	engine *pgEngine
}

// attend returns a context for one call, which ends with [ErrUnavailable] as its cause
// when the server turns out to be dead. done.stop is called when the answer has come,
// done.cancel when nothing needs the context any more.
func (e *pgEngine) attend(ctx context.Context) (context.Context, *attention) {
	ctx, cancel := context.WithCancelCause(ctx)
	a := &attention{end: cancel, engine: e}
	a.timer = time.AfterFunc(time.Hour, a.ask) // started below, so that ask sees a.timer
	a.timer.Reset(asksAfter)
	return ctx, a
}

func (a *attention) again() { a.timer.Reset(asksAfter) }
func (a *attention) stop()  { a.timer.Stop() }
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

// lives asks the server on a connection of its own. Any answer counts, a refusal too.
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
		_ = conn.Close(ctx) // only asked
	}
	_, refused := errors.AsType[*pgconn.PgError](err)
	e.alive, e.asked = err == nil || refused, time.Now()
	return e.alive
}

// cause returns why a call failed: that its server is dead, when attend found that out.
func cause(ctx, attended context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	if why := context.Cause(attended); why != nil && errors.Is(why, ErrUnavailable) {
		return why
	}
	return err
}

// runner is the part of [sql.DB] and [sql.Tx] that runs statements.
type runner interface {
	ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error)
}

var (
	_ runner = (*sql.DB)(nil)
	_ runner = (*sql.Tx)(nil)
)

type pgSession struct {
	engine *pgEngine
	run    runner
}

func (s pgSession) exec(ctx context.Context, q string, args []any) (int64, error) {
	attended, done := s.engine.attend(ctx)
	defer done.cancel()
	res, err := s.run.ExecContext(attended, q, args...)
	if err != nil {
		return 0, cause(ctx, attended, err)
	}
	return res.RowsAffected()
}

func (s pgSession) query(ctx context.Context, q string, args []any) (answer, error) {
	attended, done := s.engine.attend(ctx)
	rows, err := s.run.QueryContext(attended, q, args...)
	done.stop() // the first row is here
	if err != nil {
		done.cancel()
		return answer{}, cause(ctx, attended, err)
	}
	return answer{Rows: rows, closed: done.cancel}, nil
}

func (s pgSession) end(context.Context, bool, func()) error { return nil }

type pgTx struct {
	pgSession
	tx       *sql.Tx
	attended context.Context
	done     *attention
}

func (t *pgTx) end(ctx context.Context, commit bool, told func()) error {
	defer t.done.cancel()
	t.done.again()
	if !commit {
		return t.tx.Rollback()
	}
	err := t.tx.Commit()
	told()
	return cause(ctx, t.attended, err)
}

// channel carries every note; which topic it is for stands in it.
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

// hear listens on one connection until it breaks, and says whether it ever stood.
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
		_ = conn.Close(closing) // it is broken or no longer wanted
	}()
	if _, err := conn.Exec(ctx, `LISTEN `+channel); err != nil {
		return false
	}
	missed() // what came before we listened
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

// nextNote waits for a note. It returns nil when there was none for a while but the
// server still answers.
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
