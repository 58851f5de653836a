package db_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// grouped makes the calls, in this order, members of one group. A transaction holds the
// writer until all of them wait. grouped returns when all have returned.
func grouped(t *testing.T, d *db.DB, calls ...func()) {
	t.Helper()
	var wg sync.WaitGroup
	var once sync.Once // it is a member too, and may run again
	if err := d.Tx(t.Context(), func(*db.Tx) error {
		once.Do(func() {
			for i, call := range calls {
				wg.Go(call)
				waiting(t, d, i+1)
			}
		})
		return nil
	}); err != nil {
		t.Error(err)
	}
	wg.Wait()
}

// waiting returns when n callers wait for the writer.
func waiting(t *testing.T, d *db.DB, n int) {
	t.Helper()
	for give := time.Now().Add(30 * time.Second); d.Waiting() != n; runtime.Gosched() {
		if time.Now().After(give) {
			t.Fatalf("%d wait for the writer, want %d", d.Waiting(), n)
		}
	}
}

// commits counts the commits in a database's log: frames with the file's size
// (https://www.sqlite.org/fileformat2.html#walformat).
func commits(t *testing.T, path string) int {
	t.Helper()
	wal, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	const header, frame = 32, 24
	page := int(binary.BigEndian.Uint32(wal[8:]))
	n := 0
	for at := header; at+frame+page <= len(wal); at += frame + page {
		salts := bytes.Equal(wal[at+8:at+16], wal[16:24]) // a frame of an older log has other salts
		if salts && binary.BigEndian.Uint32(wal[at+4:]) != 0 {
			n++
		}
	}
	return n
}

func lite(t *testing.T) (d *db.DB, path string) {
	t.Helper()
	path = dbtest.SQLiteFile(t)
	d, err := db.Open(t.Context(), "sqlite:"+path, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	table(t, d)
	return d, path
}

// Concurrent callers share one commit, and each succeeds or fails alone.
func TestGroupSharesItsCommit(t *testing.T) {
	d, path := lite(t)
	d.Unhurried()
	ctx := t.Context()
	if err := put(ctx, d, "taken", 1); err != nil {
		t.Fatal(err)
	}
	before := commits(t, path)
	mine := errors.New("changed my mind")
	pair := func(id string, end func(tx *db.Tx) error) error {
		return d.Tx(ctx, func(tx *db.Tx) error {
			if err := put(ctx, tx, id, 1); err != nil {
				return err
			}
			if err := put(ctx, tx, id+" too", 1); err != nil {
				return err
			}
			return end(tx)
		})
	}
	want := func(what string, got, want error) {
		if !errors.Is(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	good := func(*db.Tx) error { return nil }
	grouped(t, d,
		func() { want("a", pair("a", good), nil) },
		func() { want("undone", pair("undone", func(*db.Tx) error { return mine }), mine) },
		func() { want("Exec", put(ctx, d, "b", 1), nil) },
		func() {
			if err := put(ctx, d, "taken", 2); !db.IsUnique(err) {
				t.Errorf("a refused Exec: %v", err)
			}
		},
		func() {
			err := pair("refused", func(tx *db.Tx) error {
				_ = put(ctx, tx, "taken", 2)
				return nil
			})
			if !db.IsUnique(err) {
				t.Errorf("a refused statement: %v", err)
			}
		},
		func() {
			defer func() { _ = recover() }()
			_ = pair("panic", func(*db.Tx) error { panic("boom") })
		},
		func() { _ = pair("exit", func(*db.Tx) error { runtime.Goexit(); return nil }) },
		func() {
			var n int64
			err := d.WriteRow(ctx, `INSERT INTO things (id, n) VALUES ('c', 7) RETURNING n`).Scan(&n)
			if err != nil || n != 7 {
				t.Errorf("WriteRow: %d, %v", n, err)
			}
		},
		func() {
			err := d.WriteRow(ctx, `INSERT INTO things (id, n) VALUES ('taken', 7) RETURNING n`).Scan(new(int64))
			if !db.IsUnique(err) {
				t.Errorf("a refused WriteRow: %v", err)
			}
		},
		func() {
			err := d.WriteRow(ctx, `UPDATE things SET n = 9 WHERE id = 'taken' RETURNING note`).Scan(new(int64))
			if err == nil {
				t.Error("WriteRow into what cannot hold its row")
			}
		},
		func() { want("z", pair("z", good), nil) },
	)
	if diff := cmp.Diff([]string{"a", "a too", "b", "c", "taken", "z", "z too"}, ids(t, d)); diff != "" {
		t.Error(diff)
	}
	if n := commits(t, path) - before; n != 1 {
		t.Errorf("%d commits, want one", n)
	}
}

// A caller told of success finds its change.
func TestGroupTellsAfterItsCommit(t *testing.T) {
	d, _ := lite(t)
	var heard sync.Map
	d.Listen("topic", func(id string) { heard.Store(id, true) })
	var wg sync.WaitGroup
	for c := range 12 {
		wg.Go(func() {
			for i := range 15 {
				id := fmt.Sprint(c, " ", i)
				if err := d.Tx(t.Context(), func(tx *db.Tx) error {
					tx.Changed("topic", id)
					return put(t.Context(), tx, id, 1)
				}); err != nil {
					t.Error(err)
					return
				}
				if err := d.QueryRow(t.Context(), `SELECT n FROM things WHERE id = $1`, id).Scan(new(int)); err != nil {
					t.Errorf("acknowledged before it was committed: %v", err)
				}
				if _, ok := heard.Load(id); !ok {
					t.Error("acknowledged before its note was told")
				}
			}
		})
	}
	wg.Wait()
}

// Finished members do not wait for a slow transaction; here it waits for one of them. It
// runs again.
func TestGroupIsCutFromItsSlowMember(t *testing.T) {
	d, _ := lite(t)
	ctx := t.Context()
	returned := make(chan struct{})
	runs := 0
	grouped(t, d,
		func() {
			defer close(returned)
			if err := put(ctx, d, "quick", 1); err != nil {
				t.Error(err)
			}
		},
		func() {
			if err := d.Tx(ctx, func(tx *db.Tx) error {
				runs++
				if err := put(ctx, tx, fmt.Sprint("slow ", runs), 1); err != nil {
					return err
				}
				<-returned
				return put(ctx, tx, "slow", 1)
			}); err != nil {
				t.Error(err)
			}
		},
		func() {
			if err := put(ctx, d, "behind", 1); err != nil {
				t.Error(err)
			}
		},
	)
	if diff := cmp.Diff([]string{"behind", "quick", "slow", "slow 2"}, ids(t, d)); diff != "" || runs != 2 {
		t.Errorf("%d runs\n%s", runs, diff)
	}
}

// A group may be cut at the moment at which a member joins it, and the member goes on in
// another one. The race detector watches.
func TestGroupIsCutAtOnce(t *testing.T) {
	d := dbtest.SQLite(t)
	if _, err := d.Exec(t.Context(), `CREATE TABLE cut (n BIGINT PRIMARY KEY)`); err != nil {
		t.Fatal(err)
	}
	d.Hurried()
	var wg sync.WaitGroup
	const many = 200
	for n := range many {
		wg.Go(func() {
			if err := d.Tx(t.Context(), func(tx *db.Tx) error {
				_, err := tx.Exec(t.Context(), `INSERT INTO cut (n) VALUES ($1)`, n)
				return err
			}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var n int
	if err := d.QueryRow(t.Context(), `SELECT COUNT(*) FROM cut`).Scan(&n); err != nil || n != many {
		t.Errorf("%d rows of %d, %v", n, many, err)
	}
}

// A caller that gives up in the queue leaves it and writes nothing. A caller that gives up
// before the commit is answered at once; its change and its note go with the group.
func TestGroupGivingUp(t *testing.T) {
	d, _ := lite(t)
	d.Unhurried()
	var heard atomic.Int64
	d.Listen("topic", func(string) { heard.Add(1) })
	waits, leaveQueue := context.WithCancel(t.Context())
	ended, leaveGroup := context.WithCancel(t.Context())
	left := make(chan error)
	grouped(t, d,
		func() {
			err := d.Tx(ended, func(tx *db.Tx) error {
				tx.Changed("topic", "x")
				return put(ended, tx, "ended", 1)
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("given up before the commit: %v", err)
			}
			left <- err
		},
		func() {
			if err := d.Tx(t.Context(), func(tx *db.Tx) error {
				rows, err := tx.Query(t.Context(), `SELECT id FROM things`) // a member that is reading rows is waited for
				if err != nil {
					return err
				}
				leaveQueue()
				if err := <-left; !errors.Is(err, context.Canceled) {
					t.Errorf("given up in the queue: %v", err)
				}
				leaveGroup()
				<-left
				if err := rows.Close(); err != nil {
					return err
				}
				return put(t.Context(), tx, "worked", 1)
			}); err != nil {
				t.Error(err)
			}
		},
		func() { left <- put(waits, d, "waited", 1) },
	)
	if diff := cmp.Diff([]string{"ended", "worked"}, ids(t, d)); diff != "" {
		t.Error(diff)
	}
	if heard.Load() != 1 {
		t.Errorf("the note was told %d times", heard.Load())
	}
}

// When an error makes SQLite roll back everything, the finished members run again.
func TestGroupThatSQLiteRollsBack(t *testing.T) {
	const big = `INSERT INTO things (id, n, data) VALUES ('big', 1, $1)`
	full := func(t *testing.T, tx *db.Tx) { // no more pages than now
		if err := tx.QueryRow(t.Context(), `PRAGMA max_page_count = 1`).Scan(new(int)); err != nil {
			t.Error(err)
		}
	}
	for name, spoil := range map[string]func(t *testing.T, d *db.DB) (stands bool){
		"by a transaction": func(t *testing.T, d *db.DB) bool {
			runs := 0
			err := d.Tx(t.Context(), func(tx *db.Tx) error {
				if runs++; runs == 1 {
					full(t, tx)
				}
				_, err := tx.Exec(t.Context(), big, make([]byte, 1<<20))
				return err
			})
			if err != nil || runs != 2 {
				t.Errorf("%v after %d runs", err, runs)
			}
			return true
		},
		"by a statement": func(t *testing.T, d *db.DB) bool {
			_, err := d.Exec(t.Context(), big, make([]byte, 1<<20))
			wantUnavailable(t, "a full disk", err)
			return false
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := lite(t)
			d.Unhurried()
			ctx := t.Context()
			runs, stands := 0, false
			grouped(t, d,
				func() {
					if err := d.Tx(ctx, func(tx *db.Tx) error {
						if runs++; runs == 1 && name == "by a statement" {
							full(t, tx)
						}
						return put(ctx, tx, "a", 1)
					}); err != nil {
						t.Error(err)
					}
				},
				func() {
					if err := put(ctx, d, "b", 1); err != nil {
						t.Error(err)
					}
				},
				func() {
					var n int
					if err := d.WriteRow(ctx, `INSERT INTO things (id, n) VALUES ('c', 3) RETURNING n`).Scan(&n); err != nil || n != 3 {
						t.Error(n, err)
					}
				},
				func() { stands = spoil(t, d) },
			)
			want := []string{"a", "b", "c"}
			if stands {
				want = []string{"a", "b", "big", "c"}
			}
			if diff := cmp.Diff(want, ids(t, d)); diff != "" || runs != 2 {
				t.Errorf("%d runs\n%s", runs, diff)
			}
		})
	}
}

// A failed commit fails for every member.
func TestGroupWhoseCommitFails(t *testing.T) {
	d, _ := lite(t)
	d.Unhurried()
	ctx := t.Context()
	if _, err := d.Exec(ctx, `CREATE TABLE parts (of TEXT REFERENCES things (id) DEFERRABLE INITIALLY DEFERRED)`); err != nil {
		t.Fatal(err)
	}
	var failed atomic.Int64
	count := func(err error) {
		if err != nil {
			failed.Add(1)
		}
	}
	var wg sync.WaitGroup
	count(d.Tx(ctx, func(tx *db.Tx) error {
		wg.Go(func() { count(put(ctx, d, "a", 1)) })
		waiting(t, d, 1)
		_, err := tx.Exec(ctx, `INSERT INTO parts VALUES ('none')`)
		return err
	}))
	wg.Wait()
	if got := ids(t, d); len(got) != 0 || failed.Load() != 2 {
		t.Errorf("%d of 2 were told of the failure; left behind: %v", failed.Load(), got)
	}
	if err := put(ctx, d, "b", 1); err != nil {
		t.Error(err)
	}
}

// The log reports a transaction that holds the writer too long, by its first statement and
// once a minute.
func TestLongHoldIsLogged(t *testing.T) {
	var text bytes.Buffer
	d, err := db.Open(t.Context(), "sqlite:"+dbtest.SQLiteFile(t), slog.New(slog.NewTextHandler(&text, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	table(t, d)
	now := time.Now()
	d.SetClock(func() time.Time { return now })
	hold := func(id string, took time.Duration) {
		t.Helper()
		if err := d.Tx(t.Context(), func(tx *db.Tx) error {
			now = now.Add(took)
			return put(t.Context(), tx, id, 1)
		}); err != nil {
			t.Fatal(err)
		}
	}
	hold("quick", 50*time.Millisecond)
	if text.Len() != 0 {
		t.Errorf("logged: %s", &text)
	}
	hold("slow", 60*time.Millisecond)
	hold("slow again", 70*time.Millisecond)
	hold("a minute later", time.Minute)
	got := text.String()
	if n := strings.Count(got, "INSERT INTO things"); n != 2 || !strings.Contains(got, "took=60ms") || strings.Contains(got, "again") {
		t.Errorf("logged %d times: %s", n, got)
	}
}
