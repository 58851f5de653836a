package db_test

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
)

// behind opens a fresh PostgreSQL database through a network that the test can break.
func behind(t *testing.T) (*db.DB, *dbtest.Proxy) {
	t.Helper()
	return behindOf(t, dbtest.PostgreSQLURL(t))
}

func behindOf(t *testing.T, address string) (*db.DB, *dbtest.Proxy) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	p := dbtest.NewProxy(t, u.Host)
	u.Host = p.Addr()
	d, err := db.Open(t.Context(), u.String(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() }) // the database may be away
	return d, p
}

// patient returns a context that outlasts every wait of ours. An error with its deadline is
// a hang.
func patient(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// calls returns every way to call a database.
func calls(ctx context.Context, d *db.DB) map[string]func() error {
	read := func(tx *db.Tx) error { return tx.QueryRow(ctx, `SELECT 1`).Scan(new(int)) }
	return map[string]func() error{
		"Ping":     func() error { return d.Ping(ctx) },
		"Exec":     func() error { _, err := d.Exec(ctx, `DELETE FROM kv`); return err },
		"QueryRow": func() error { return d.QueryRow(ctx, `SELECT 1`).Scan(new(int)) },
		"Shared":   func() error { return d.Shared().QueryRow(ctx, `SELECT 1`).Scan(new(int)) },
		"a change": func() error { _, err := d.Shared().Exec(ctx, `DELETE FROM kv`); return err },
		"Tx":       func() error { return d.Tx(ctx, read) },
		"Read":     func() error { return d.Read(ctx, read) },
	}
}

func wantUnavailable(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, db.ErrUnavailable) || !fault.IsUnavailable(err) {
		t.Errorf("%s: %v; want ErrUnavailable", what, err)
	}
}

func TestPostgresGoesAwayAndComesBack(t *testing.T) {
	t.Parallel()
	d, p := behind(t)
	ctx := patient(t)
	all := calls(ctx, d)
	for what, call := range all {
		if err := call(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	p.Cut()
	for what, call := range all {
		wantUnavailable(t, what+" while it is away", call())
	}
	p.Restore(t)
	for what, call := range all {
		if err := call(); err != nil {
			t.Errorf("%s when it is back: %v", what, err)
		}
	}
}

// A restart breaks every connection of the pool; later callers do not notice.
func TestPostgresRestart(t *testing.T) {
	t.Parallel()
	d, p := behind(t)
	ctx := patient(t)
	for what, call := range calls(ctx, d) {
		for range 5 {
			if err := call(); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			p.Break()
		}
	}
}

// A server that accepts connections and stays silent counts as away.
func TestPostgresFreezes(t *testing.T) {
	t.Parallel()
	d, p := behind(t)
	ctx := patient(t)
	err := d.Tx(ctx, func(tx *db.Tx) error {
		p.Freeze()
		_, err := tx.Exec(ctx, `DELETE FROM kv`)
		return err
	})
	wantUnavailable(t, "a transaction under way", err)
	wantUnavailable(t, "a new statement", d.Ping(ctx))
	begun := time.Now()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() { wantUnavailable(t, "a shared read", d.Shared().QueryRow(ctx, `SELECT 1`).Scan(new(int))) })
		wg.Go(func() {
			_, err := d.Shared().Exec(ctx, `DELETE FROM kv`)
			wantUnavailable(t, "a shared change", err)
		})
	}
	wg.Wait()
	if took := time.Since(begun); took > 8*time.Second { // five are promised; the rest is for a loaded machine
		t.Errorf("shared statements at a silent server end after %s", took)
	}
	p.Restore(t)
	if err := d.Ping(ctx); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}

func TestLostTransactionRunsAgain(t *testing.T) {
	t.Parallel()
	d, p := behind(t)
	table(t, d)
	ctx, runs := patient(t), 0
	err := d.Tx(ctx, func(tx *db.Tx) error {
		if err := put(ctx, tx, "a", 1); err != nil {
			return err
		}
		if runs++; runs == 1 {
			p.Break()
		}
		return put(ctx, tx, "b", 1)
	})
	if got := ids(t, d); err != nil || runs != 2 || len(got) != 2 {
		t.Errorf("%v after %d runs, rows %v; want one rerun and both rows", err, runs, got)
	}
}

// A lost commit may stand, so it must not run again.
func TestLostCommitIsNotRepeated(t *testing.T) {
	t.Parallel()
	d, p := behind(t)
	table(t, d)
	ctx, runs := patient(t), 0
	err := d.Tx(ctx, func(tx *db.Tx) error {
		runs++
		defer p.Freeze()
		return put(ctx, tx, "a", 1)
	})
	wantUnavailable(t, "a lost commit", err)
	if runs != 1 {
		t.Errorf("ran %d times", runs)
	}
}

// A slow statement is not an absent server, although the server is pinged meanwhile.
func TestSlowStatementIsWaitedFor(t *testing.T) {
	t.Parallel()
	d := dbtest.PostgreSQL(t)
	if err := d.QueryRow(t.Context(), `SELECT 1 FROM pg_sleep(4.5)`).Scan(new(int)); err != nil {
		t.Error(err)
	}
}

// A shared statement that waits for a lock holds up no other, and gets its answer.
func TestSharedIsLockedOut(t *testing.T) {
	t.Parallel()
	d := dbtest.PostgreSQL(t)
	table(t, d)
	for _, id := range []string{"held", "free"} {
		if err := put(t.Context(), d, id, 0); err != nil {
			t.Fatal(err)
		}
	}
	locked, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := d.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), `LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE`)
			if err == nil {
				_, err = tx.Exec(t.Context(), `UPDATE things SET n = 1 WHERE id = 'held'`)
			}
			close(locked)
			<-release
			return err
		}); err != nil {
			t.Error(err)
		}
	})
	<-locked
	wg.Go(func() {
		if err := d.Shared().QueryRow(t.Context(), `SELECT COUNT(*) FROM jobs`).Scan(new(int)); err != nil {
			t.Errorf("the read that waits: %v", err)
		}
	})
	wg.Go(func() {
		if n, err := d.Shared().Exec(t.Context(), `UPDATE things SET n = n + 1 WHERE id = 'held'`); err != nil || n != 1 {
			t.Errorf("the change that waits: %d rows, %v", n, err)
		}
	})
	const free = `UPDATE things SET n = n + 1 WHERE id = 'free'`
	if alone, err := d.Turn(free, `UPDATE things SET n = n + 1 WHERE id = 'held'`); !alone {
		t.Errorf("a turn with a change that waits for a lock: %v; want it undone", err)
	}
	for range 20 {
		if err := d.Shared().QueryRow(t.Context(), `SELECT COUNT(*) FROM kv`).Scan(new(int)); err != nil {
			t.Errorf("another read: %v", err)
		}
		if n, err := d.Shared().Exec(t.Context(), free); err != nil || n != 1 {
			t.Errorf("another change: %d rows, %v", n, err)
		}
	}
	close(release)
	wg.Wait()
	if held, other := number(t, d, "held"), number(t, d, "free"); held != 2 || other != 20 {
		t.Errorf("held %d, free %d; want 2 and 20", held, other)
	}
}

// A change whose answer was lost may stand, so it must not run again.
func TestLostSharedChangeIsNotRepeated(t *testing.T) {
	t.Parallel()
	address := dbtest.PostgreSQLURL(t)
	d, p := behindOf(t, address)
	direct, err := db.Open(t.Context(), address, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = direct.Close() }) // it only watches
	table(t, d)
	ctx := patient(t)
	if err := put(ctx, d, "a", 0); err != nil {
		t.Fatal(err)
	}
	more := func() error {
		_, err := d.Shared().Exec(ctx, `UPDATE things SET n = n + 1 WHERE id = 'a'`)
		return err
	}
	if err := more(); err != nil { // its connection knows the statement now
		t.Fatal(err)
	}
	p.Hear(func(sent []byte) {
		if bytes.Contains(sent, []byte("100ms")) { // a turn: the server gets it, its answer stays on the way
			p.Freeze()
		}
	})
	lost := make(chan error)
	go func() { lost <- more() }()
	for number(t, direct, "a") != 2 && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	p.Hear(nil)
	p.Break()
	wantUnavailable(t, "a change whose answer was lost", <-lost)
	if got := number(t, d, "a"); got != 2 {
		t.Errorf("after two changes the row says %d", got)
	}
}

func TestNotesAfterAGap(t *testing.T) {
	t.Parallel()
	d, p := behind(t)
	heard := make(chan string, 100)
	d.Listen("topic", func(s string) { heard <- s })
	for range 3 {
		if got := <-heard; got != "" {
			t.Errorf("heard %q, want to be told that notes were missed", got)
		}
		p.Break()
	}
}

func TestOpenOfAnAbsentServer(t *testing.T) {
	t.Parallel()
	for _, u := range []string{"postgres://nobody@127.0.0.1:1/none?sslmode=disable", "postgres://nobody:secret-word@192.0.2.1/none"} {
		_, err := db.Open(patient(t), u, quiet)
		wantUnavailable(t, u, err)
	}
}

// A URL that is written wrong holds a password where none belongs: no error shows it.
func TestOpenShowsNoPassword(t *testing.T) {
	t.Parallel()
	for _, u := range []string{
		"host=127.0.0.1 password=hunter2",
		"hunter2",
		"postgres://nobody:1/hunter2@127.0.0.1:1/none?sslmode=disable", // an unescaped slash
		"postgres://127.0.0.1:1/hunter2@db/none?sslmode=disable",
		"postgres://nobody:hunter2@127.0.0.1:1/none?sslmode=disable",
		"postgres://nobody:hunter2@127.0.0.1:port/none",
	} {
		if _, err := db.Open(patient(t), u, quiet); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", u, err)
		}
	}
}

// Another process that keeps SQLite's lock is waited for, but not for ever.
func TestSQLiteLockedByAnother(t *testing.T) {
	t.Parallel()
	path := dbtest.SQLiteFile(t)
	var both [2]*db.DB
	for i := range both {
		d, err := db.Open(t.Context(), "sqlite:"+path, quiet)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		both[i] = d
	}
	ctx := patient(t)
	if err := both[0].Tx(ctx, func(*db.Tx) error {
		if err := both[1].Ping(ctx); err != nil {
			t.Errorf("a reader waits for a writer: %v", err)
		}
		_, err := both[1].Exec(ctx, `DELETE FROM kv`)
		wantUnavailable(t, "a second writer", err)
		return nil
	}); err != nil {
		t.Error(err)
	}
	if _, err := both[1].Exec(ctx, `DELETE FROM kv`); err != nil {
		t.Errorf("when it is free: %v", err)
	}
}
