package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// liteEngine is one file with one writing connection and some reading ones.
//
// It keeps connections out of database/sql's pool, each with its prepared statements. So a
// statement is prepared once per connection, BEGIN and COMMIT included.
type liteEngine struct {
	path    string
	writer  *liteWriter
	readers *litePool
	owned   atomic.Bool // this process owns the database; see DB.Own
	localOnly
}

// sqlitePath returns the absolute path in "sqlite:PATH" or "sqlite:///PATH".
func sqlitePath(url string) (string, error) {
	path := strings.TrimPrefix(url, "sqlite:")
	if rest, ok := strings.CutPrefix(path, "//"); ok {
		if !strings.HasPrefix(rest, "/") {
			return "", fmt.Errorf("database URL: sqlite://%s names a host; write sqlite:%s or sqlite:///%s", rest, rest, rest)
		}
		path = rest
	}
	if path == "" || path == ":memory:" || strings.ContainsRune(path, '?') || strings.ContainsRune(path, 0) {
		return "", fmt.Errorf("database URL: %q is not sqlite: and the path of a file", url)
	}
	return filepath.Abs(path)
}

// liteDSN is the file's address with the settings of every connection. Only a migration may
// create the file. Its mode is then the lock file's; its log and index take the file's own
// (modeof in https://www.sqlite.org/uri.html).
func liteDSN(path string, more ...string) string {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
	settings := append([]string{
		fmt.Sprintf("_busy_timeout=%d", patience.Milliseconds()),
		"_foreign_keys=1",
		"_synchronous=FULL", // a commit is on disk before its acknowledgement
		"_dqs=0",            // "x" is a name, never a string, as on PostgreSQL
		"_pragma=temp_store(memory)",
		"_pragma=journal_size_limit(67108864)", // the log shrinks again after a large transaction
	}, more...)
	return u.String() + "?" + strings.Join(settings, "&")
}

// uriValue escapes a value for SQLite, which does not read + as a space.
func uriValue(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func openSQLite(ctx context.Context, path string, log *slog.Logger) (*liteEngine, error) {
	e := &liteEngine{path: path}
	if err := migrateSQLite(ctx, path, log); err != nil {
		return e, err
	}
	w, err := sql.Open("sqlite", liteDSN(path, "mode=rw"))
	if err != nil {
		return e, err
	}
	r, err := sql.Open("sqlite", liteDSN(path, "mode=rw", "_query_only=1"))
	if err != nil {
		return e, errors.Join(err, w.Close())
	}
	e.writer = &liteWriter{db: w, log: log, now: time.Now, most: groupWait}
	e.readers = newLitePool(r, min(max(8, 2*runtime.GOMAXPROCS(0)), 32), log)
	return e, nil
}

// private removes other users' rights to a file created under a looser umask.
func private(path string) error {
	for _, p := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(p)
		if errors.Is(err, os.ErrNotExist) {
			continue
		} else if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			if err := os.Chmod(p, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *liteEngine) lend(ctx context.Context, write bool) (session, error) {
	if write {
		return e.writer.begin(ctx, &liteMember{single: true})
	}
	return e.readers.take(ctx)
}

func (e *liteEngine) begin(ctx context.Context, write, again bool) (session, error) {
	if write {
		return e.writer.begin(ctx, &liteMember{leads: again})
	}
	c, err := e.readers.take(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := c.exec(ctx, `BEGIN`, nil); err != nil {
		c.pool.give(c, true)
		return nil, err
	}
	c.inTx = true
	return c, nil
}

func (e *liteEngine) judge(err error) verdict { return judgeSQLite(err) }

// close closes the readers first: the last connection to close folds the log into the file.
func (e *liteEngine) close() error {
	return errors.Join(e.readers.close(), e.writer.close())
}

// litePool lends the reading connections, the most recently used first.
type litePool struct {
	db    *sql.DB
	log   *slog.Logger
	slots chan struct{} // one for each lent connection

	mu   sync.Mutex
	idle []*liteConn
}

func newLitePool(d *sql.DB, size int, log *slog.Logger) *litePool {
	return &litePool{db: d, log: log, slots: make(chan struct{}, size)}
}

func (p *litePool) take(ctx context.Context) (*liteConn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := p.slot(ctx); err != nil {
		return nil, err
	}
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	p.mu.Unlock()
	c, err := newLiteConn(ctx, p.db, p.log)
	if err != nil {
		<-p.slots
		return nil, err
	}
	c.pool = p
	return c, nil
}

func (p *litePool) slot(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	default:
	}
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return fmt.Errorf("%w: every connection has been in use for %s", ErrUnavailable, patience)
	}
}

// give returns a connection. It closes a spoiled one.
func (p *litePool) give(c *liteConn, spoiled bool) {
	if spoiled {
		c.close()
	} else {
		p.mu.Lock()
		p.idle = append(p.idle, c)
		p.mu.Unlock()
	}
	<-p.slots
}

// close waits briefly for the lent connections.
func (p *litePool) close() error {
	t := time.NewTimer(patience)
	defer t.Stop()
wait:
	for range cap(p.slots) {
		select {
		case p.slots <- struct{}{}:
		case <-t.C:
			break wait
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.idle {
		c.close()
	}
	p.idle = nil
	return p.db.Close()
}

// maxStatements bounds a connection's prepared statements. Texts are constants of the
// program, so it is never reached. A text built from input would run unprepared.
const maxStatements = 512

// liteConn is one connection, used by one goroutine at a time. A reading one is lent as a
// session.
type liteConn struct {
	pool  *litePool // of a reading connection
	conn  *sql.Conn
	log   *slog.Logger
	stmts map[string]*liteStmt
	inTx  bool
}

func newLiteConn(ctx context.Context, d *sql.DB, log *slog.Logger) (*liteConn, error) {
	conn, err := d.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &liteConn{conn: conn, log: log, stmts: map[string]*liteStmt{}}, nil
}

// Prepared is the debug message for each statement that a SQLite connection prepares. The
// test kit reads it to check the plans of all statements.
const Prepared = "statement prepared"

// Ran is the message, at [LevelRan], for each statement that runs on SQLite. The program
// never logs at that level; the test kit counts look-ups with it.
const (
	Ran      = "statement run"
	LevelRan = slog.LevelDebug - 4
)

// liteStmt is a prepared statement. It is busy while its rows are open, because another run
// would reset them.
type liteStmt struct {
	*sql.Stmt
	busy bool
	free func() // ends busy; made once, for the hot path
}

func (c *liteConn) prepared(ctx context.Context, q string) (*liteStmt, error) {
	if c.log.Enabled(ctx, LevelRan) {
		c.log.Log(ctx, LevelRan, Ran, "statement", q)
	}
	if s, ok := c.stmts[q]; ok {
		if s.busy {
			return nil, nil
		}
		return s, nil
	}
	if len(c.stmts) >= maxStatements {
		return nil, nil
	}
	stmt, err := c.conn.PrepareContext(ctx, unnamed(q))
	if err != nil {
		return nil, cancelled(ctx, err)
	}
	s := &liteStmt{Stmt: stmt}
	s.free = func() { s.busy = false }
	c.stmts[q] = s
	c.log.DebugContext(ctx, Prepared, "statement", q)
	return s, nil
}

// unnamed writes the parameters of a statement as ?, if they stand in order and each stands once.
// At each run the driver looks up the name of every other one, in a list that it walks from the
// beginning: for a statement that inserts many rows most of the time went there.
func unnamed(q string) string {
	var b strings.Builder
	quoted, n := false, 0
	for i := 0; i < len(q); i++ {
		quoted = quoted != (q[i] == '\'')
		if q[i] != '$' || quoted {
			b.WriteByte(q[i])
			continue
		}
		n++
		number := strconv.Itoa(n)
		rest, ok := strings.CutPrefix(q[i+1:], number)
		if !ok || rest != "" && rest[0] >= '0' && rest[0] <= '9' {
			return q
		}
		b.WriteByte('?')
		i += len(number)
	}
	return b.String()
}

func (c *liteConn) exec(ctx context.Context, q string, args []any) (int64, error) {
	s, err := c.prepared(ctx, q)
	if err != nil {
		return 0, err
	}
	var res sql.Result
	if s == nil {
		res, err = c.conn.ExecContext(ctx, q, nulls(args)...)
	} else {
		res, err = s.ExecContext(ctx, nulls(args)...)
	}
	if err != nil {
		return 0, cancelled(ctx, err)
	}
	return res.RowsAffected()
}

func (c *liteConn) query(ctx context.Context, q string, args []any) (answer, error) {
	s, err := c.prepared(ctx, q)
	if err != nil {
		return answer{}, err
	}
	if s == nil {
		rows, err := c.conn.QueryContext(ctx, q, nulls(args)...)
		return answer{rows: rows, adapt: blobs}, cancelled(ctx, err)
	}
	rows, err := s.QueryContext(ctx, nulls(args)...)
	if err != nil {
		return answer{}, cancelled(ctx, err)
	}
	s.busy = true
	return answer{rows: rows, closed: s.free, adapt: blobs}, nil
}

// blobs reads empty columns as empty slices, as PostgreSQL's driver does. SQLite's gives
// nil.
func blobs(dest []any) {
	for i, d := range dest {
		if b, ok := d.(*[]byte); ok {
			dest[i] = (*blobScanner)(b)
		}
	}
}

type blobScanner []byte

// Scan copies a column; nil stays nil.
func (b *blobScanner) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*b = nil
	case []byte:
		*b = append([]byte{}, v...)
	case string:
		*b = []byte(v)
	default:
		return fmt.Errorf("a column of type %T is no bytes", src)
	}
	return nil
}

// nulls makes a nil slice NULL, as PostgreSQL's driver does. SQLite's would store it empty.
func nulls(args []any) []any {
	for i, a := range args {
		if b, ok := a.([]byte); ok && b == nil {
			args[i] = nil
		}
	}
	return args
}

// end ends a reading session, which has nothing to commit.
func (c *liteConn) end(ctx context.Context, commit bool, _ func()) error {
	if !c.inTx {
		c.pool.give(c, false)
		return nil
	}
	c.inTx = false
	// An error may have ended the transaction already, and then ROLLBACK fails. A new
	// connection is certain to be clean.
	_, err := c.exec(context.WithoutCancel(ctx), `ROLLBACK`, nil)
	c.pool.give(c, err != nil)
	if commit {
		return ctx.Err()
	}
	return nil
}

func (c *liteConn) close() {
	for _, s := range c.stmts {
		_ = s.Close() // closes with its connection in any case
	}
	// database/sql would reuse the connection for its next Conn, so a spoiled one must go.
	_ = c.conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = c.conn.Close()
}
