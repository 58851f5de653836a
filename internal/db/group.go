package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Group commit: SQLite has one writer, and a durable commit costs a disk flush. Waiting
// transactions therefore run one after another within one transaction of SQLite and share
// its commit.
//
//   - Each member runs on its caller's goroutine, which then passes the connection to the
//     next in the queue and waits. The last member commits for all.
//   - Each member after the first has a savepoint, so it succeeds or fails alone. A single
//     statement needs none: SQLite itself undoes a refused statement.
//   - A caller learns of success only after the commit. A caller that stops waiting returns
//     at once; its change is still part of the group.
//   - When SQLite rolls back everything (disk full, I/O error), finished members run again.
//     Their callers have had no answer yet.
//   - Only the first member's statement can be interrupted, because an interrupt makes
//     SQLite roll back everything.
//   - A group closes after a time limit. A member still at work then is undone and runs
//     again at the head of its own group, so the others need not wait.
const (
	// groupMost bounds a group's members; each holds its notes until the commit.
	groupMost = 256
	// groupFill is how long a group takes new members, groupWait how long its members
	// wait for the one at work.
	groupFill = 10 * time.Millisecond
	groupWait = 25 * time.Millisecond
	// holdMost is how long one transaction may hold the writer. The log reports a longer
	// one, at most once in warnEvery.
	holdMost  = 50 * time.Millisecond
	warnEvery = time.Minute
)

// liteWriter is the writing connection and the queue for it.
type liteWriter struct {
	db   *sql.DB
	log  *slog.Logger
	now  func() time.Time
	most time.Duration // until a group leaves a slow member behind

	mu     sync.Mutex
	held   bool // one caller has its turn
	queue  []*liteTurn
	warned time.Time

	conn *liteConn // nil until needed; belongs to the holder of the turn
}

// liteTurn is a place in the queue. It receives the group to join, or nil.
type liteTurn struct {
	come  chan *liteGroup
	leads bool // begins a group of its own
}

// wait returns on the caller's turn, with the group to join, if any.
func (w *liteWriter) wait(ctx context.Context, leads bool) (*liteGroup, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w.mu.Lock()
	if !w.held {
		w.held = true
		w.mu.Unlock()
		return nil, nil
	}
	me := &liteTurn{make(chan *liteGroup, 1), leads}
	w.queue = append(w.queue, me)
	w.mu.Unlock()
	t := time.NewTimer(patience)
	defer t.Stop()
	var err error
	select {
	case g := <-me.come:
		return g, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-t.C:
		err = fmt.Errorf("%w: the writer has been in use for %s", ErrUnavailable, patience)
	}
	w.mu.Lock()
	i := slices.Index(w.queue, me)
	if i >= 0 {
		w.queue = slices.Delete(w.queue, i, i+1)
	}
	w.mu.Unlock()
	if i < 0 { // the turn came meanwhile, and others wait behind it
		go w.pass(<-me.come)
	}
	return nil, err
}

// pass ends a turn: the next in the queue joins g, or g is committed first.
func (w *liteWriter) pass(g *liteGroup) {
	var done *liteGroup
	w.mu.Lock()
	if g != nil && (len(w.queue) == 0 || w.queue[0].leads || !g.open()) {
		w.mu.Unlock()
		if g.commit() {
			done = g
		}
		g = nil
		w.mu.Lock()
	}
	if len(w.queue) == 0 {
		w.held = false
	} else {
		next := w.queue[0]
		w.queue = slices.Delete(w.queue, 0, 1)
		next.come <- g
	}
	w.mu.Unlock()
	if done != nil {
		done.tell()
	}
}

// begin gives m its turn: at the head of a new group or in the running one.
func (w *liteWriter) begin(ctx context.Context, m *liteMember) (session, error) {
	g, err := w.wait(ctx, m.leads)
	if err != nil {
		return nil, err
	}
	if g == nil || !g.join(m) {
		if err := w.lead(ctx, m); err != nil {
			w.pass(nil)
			return nil, err
		}
	}
	m.since = w.now()
	if failed := m.failure(); failed != nil {
		return nil, errors.Join(failed, m.end(ctx, false, nil))
	}
	return m, nil
}

// lead opens a group with m as its first member.
func (w *liteWriter) lead(ctx context.Context, m *liteMember) error {
	if w.conn == nil {
		c, err := newLiteConn(ctx, w.db, w.log)
		if err != nil {
			return err
		}
		w.conn = c
	}
	if _, err := w.conn.exec(ctx, `BEGIN IMMEDIATE`, nil); err != nil {
		w.spoiled()
		return err
	}
	m.group, m.leads = &liteGroup{w: w, current: m, began: w.now()}, true
	return nil
}

// spoiled drops a connection in an unknown state.
func (w *liteWriter) spoiled() {
	w.conn.close()
	w.conn = nil
}

// close waits a bounded time for the running turn and grants no further turn.
func (w *liteWriter) close() error {
	if _, err := w.wait(context.Background(), true); err == nil && w.conn != nil {
		w.spoiled()
	}
	return w.db.Close()
}

// tooLong logs a transaction that kept other writers waiting. A statement's text holds no
// personal data: values are its arguments.
func (w *liteWriter) tooLong(m *liteMember) {
	now := w.now()
	took := now.Sub(m.since)
	if took <= holdMost {
		return
	}
	w.mu.Lock()
	due := now.Sub(w.warned) >= warnEvery
	if due {
		w.warned = now
	}
	w.mu.Unlock()
	if due {
		w.log.Warn("a transaction held the database's writer for long", "took", took.Round(time.Millisecond), "first_statement", m.first)
	}
}

// liteGroup is one transaction of SQLite. mu keeps a running statement and the group's end
// apart.
type liteGroup struct {
	w     *liteWriter
	began time.Time

	mu      sync.Mutex
	current *liteMember   // at work; nil while the turn passes
	ended   []*liteMember // waiting for the commit
	alarm   *time.Timer   // calls cut; nil while the group has one member
	over    bool          // committed or rolled back
	err     error         // of the commit
}

func (g *liteGroup) open() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.over && len(g.ended) < groupMost && g.w.now().Sub(g.began) < groupFill
}

// join makes m the member at work, unless the group is already committed.
func (g *liteGroup) join(m *liteMember) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return false
	}
	m.group, m.leads, g.current = g, false, m
	if g.alarm == nil {
		g.alarm = time.AfterFunc(g.w.most, g.cut)
	}
	if !m.single {
		m.failed = g.run(`SAVEPOINT member`)
		m.saved = m.failed == nil
	}
	return true
}

// run runs a statement without any caller's context, so nothing interrupts it.
func (g *liteGroup) run(q string) error {
	_, err := g.w.conn.exec(context.Background(), q, nil)
	return err
}

// cut commits the finished members without the member still at work. It waits for a member
// that is reading rows or is a single statement: both end soon.
func (g *liteGroup) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return
	}
	if m := g.current; m != nil {
		if !m.saved || m.answers > 0 {
			g.alarm.Reset(g.w.most)
			return
		}
		m.failed = undone{errors.New("others could not wait for it any longer")}
		if !g.rollback(m) {
			return
		}
	}
	g.finish()
	go g.tell()
}

// rollback undoes one member's work and keeps the others'. It returns false when the whole
// transaction is gone.
func (g *liteGroup) rollback(m *liteMember) bool {
	var err error
	switch {
	case m.leads:
		if err = g.run(`ROLLBACK`); err == nil {
			g.over = true
			return false
		} // an error may have rolled back already; a new connection is certainly clean
	case m.saved:
		if err = g.run(`ROLLBACK TO member`); err == nil {
			err = g.run(`RELEASE member`)
		}
	case g.run(`BEGIN`) == nil: // BEGIN fails while the transaction exists
		err = errors.New("a statement's error rolled back everything")
	}
	if err != nil {
		g.lose(err)
	}
	return err == nil
}

// lose drops the whole group. None of its changes stands, and no caller was told of
// success.
func (g *liteGroup) lose(err error) {
	g.over = true
	g.stop()
	g.w.spoiled()
	for _, m := range g.ended {
		m.done <- undone{err}
	}
}

func (g *liteGroup) stop() {
	if g.alarm != nil {
		g.alarm.Stop()
	}
}

// commit ends the group. It returns false when the group was over before.
func (g *liteGroup) commit() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return false
	}
	g.finish()
	return true
}

func (g *liteGroup) finish() {
	g.over = true
	g.stop()
	if g.err = g.run(`COMMIT`); g.err != nil && g.run(`ROLLBACK`) != nil {
		g.w.spoiled()
	}
}

// tell reports the outcome to the members. It delivers their notes first, also those of a
// member that has given up.
func (g *liteGroup) tell() {
	for _, m := range g.ended {
		if m.told != nil {
			m.told()
		}
	}
	for _, m := range g.ended {
		m.done <- g.err
	}
}

// liteMember is one caller's write: a transaction or a single statement.
type liteMember struct {
	group  *liteGroup
	leads  bool // the first of its group; before it began: joins no group
	single bool // one statement
	saved  bool // has a savepoint
	since  time.Time
	first  string // the first statement

	// The group's mu guards failed and answers.
	failed  error // why the member is over
	answers int   // open answers
	told    func()
	done    chan error
}

// failure returns why m is over. The group may be cut at any moment since m joined it.
func (m *liteMember) failure() error {
	m.group.mu.Lock()
	defer m.group.mu.Unlock()
	return m.failed
}

// ready is asked before each statement.
func (m *liteMember) ready(ctx context.Context, q string) error {
	if m.first == "" {
		m.first = q
	}
	if m.failed != nil {
		return m.failed
	}
	return ctx.Err()
}

// reach returns the context for m's statement.
func (m *liteMember) reach(ctx context.Context) context.Context {
	if m.leads {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

func (m *liteMember) exec(ctx context.Context, q string, args []any) (int64, error) {
	m.group.mu.Lock()
	defer m.group.mu.Unlock()
	if err := m.ready(ctx, q); err != nil {
		return 0, err
	}
	return m.group.w.conn.exec(m.reach(ctx), q, args)
}

func (m *liteMember) query(ctx context.Context, q string, args []any) (answer, error) {
	m.group.mu.Lock()
	defer m.group.mu.Unlock()
	if err := m.ready(ctx, q); err != nil {
		return answer{}, err
	}
	a, err := m.group.w.conn.query(m.reach(ctx), q, args)
	if err != nil {
		return answer{}, err
	}
	m.answers++
	free := a.closed
	a.closed = func() {
		m.group.mu.Lock()
		defer m.group.mu.Unlock()
		m.answers--
		if free != nil {
			free()
		}
	}
	return a, nil
}

func (m *liteMember) end(ctx context.Context, commit bool, told func()) error {
	g := m.group
	g.mu.Lock()
	g.current = nil
	err := m.failed
	if commit && err == nil {
		err = ctx.Err()
	}
	if commit && err == nil && m.saved {
		err = g.run(`RELEASE member`)
	}
	joined := commit && err == nil
	if joined {
		m.told, m.done = told, make(chan error, 1)
		g.ended = append(g.ended, m)
	} else if !g.over {
		g.rollback(m)
	}
	over := g.over
	g.mu.Unlock()
	g.w.tooLong(m)
	if over {
		g = nil
	}
	m.group.w.pass(g)
	if !joined {
		if commit {
			return err
		}
		return nil
	}
	select {
	case err := <-m.done:
		return err
	default:
	}
	// From here on the group decides about the change, even when its caller gives up.
	select {
	case err := <-m.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
