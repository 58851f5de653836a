package db_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// counted is a Kept over one row, with the number of reads.
type counted struct {
	t     *testing.T
	db    *db.DB
	kept  *db.Kept[int64]
	reads atomic.Int64
}

func newCounted(t *testing.T, d *db.DB) *counted {
	if _, err := d.Exec(t.Context(), `CREATE TABLE kept_rows (id TEXT PRIMARY KEY, n BIGINT NOT NULL)`); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Exec(t.Context(), `INSERT INTO kept_rows VALUES ('a', 0)`); err != nil {
		t.Fatal(err)
	}
	return &counted{t: t, db: d, kept: db.Keep[int64](d, "kept", 10)}
}

func (c *counted) get() int64 {
	n, err := c.kept.Get(context.Background(), "a", func(ctx context.Context) (n int64, err error) {
		c.reads.Add(1)
		return n, c.db.QueryRow(ctx, `SELECT n FROM kept_rows WHERE id = 'a'`).Scan(&n)
	})
	if err != nil {
		c.t.Error(err)
	}
	return n
}

func (c *counted) add() {
	err := c.db.Tx(context.Background(), func(tx *db.Tx) error {
		tx.Changed("kept", "a")
		_, err := tx.Exec(context.Background(), `UPDATE kept_rows SET n = n + 1 WHERE id = 'a'`)
		return err
	})
	if err != nil {
		c.t.Error(err)
	}
}

func TestKeptAnswersFromMemoryOnlyWhereItIsOwned(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newCounted(t, d)
		c.get()
		c.get()
		if got := c.reads.Load(); got != 2 {
			t.Errorf("unowned: %d reads for 2 questions", got)
		}
		if err := d.Own(); err != nil {
			t.Fatal(err)
		}
		c.get()
		c.add()
		if got := c.get(); got != 1 {
			t.Errorf("after a change: %d, want 1", got)
		}
		before := c.reads.Load()
		c.get()
		if fromMemory := c.reads.Load() == before; fromMemory != (d.Engine() == db.SQLite) {
			t.Errorf("%s: answered from memory: %v", d.Engine(), fromMemory)
		}
	})
}

// A caller told of a change never reads the value before it, however reads and changes
// interleave.
func TestKeptIsNeverBehind(t *testing.T) {
	d := dbtest.SQLite(t)
	if err := d.Own(); err != nil {
		t.Fatal(err)
	}
	c := newCounted(t, d)
	var acknowledged atomic.Int64
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				least := acknowledged.Load()
				if got := c.get(); got < least {
					t.Errorf("read %d after %d was acknowledged", got, least)
					return
				}
			}
		})
	}
	for n := range int64(300) {
		c.add()
		acknowledged.Store(n + 1)
	}
	close(stop)
	wg.Wait()
}

func TestKeptForgetsWhatARefusedReadSaid(t *testing.T) {
	d := dbtest.SQLite(t)
	if err := d.Own(); err != nil {
		t.Fatal(err)
	}
	k := db.Keep[int](d, "kept", 2)
	refused := errors.New("refused")
	if _, err := k.Get(t.Context(), "a", func(context.Context) (int, error) { return 1, refused }); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	for i, key := range []string{"a", "b", "c", "d"} {
		if got, err := k.Get(t.Context(), key, func(context.Context) (int, error) { return i, nil }); got != i || err != nil {
			t.Errorf("%s: %d, %v", key, got, err)
		}
	}
	missed := 0
	for _, key := range []string{"a", "b", "c", "d"} {
		_, _ = k.Get(t.Context(), key, func(context.Context) (int, error) { missed++; return 0, refused })
	}
	if missed != 2 {
		t.Errorf("2 of 4 values fit, %d were read again", missed)
	}
}

func TestOneProcessOwns(t *testing.T) {
	path := t.TempDir() + "/own.db"
	open := func() *db.DB {
		d, err := db.Open(t.Context(), "sqlite:"+path, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	first, second := open(), open()
	t.Cleanup(func() { _ = second.Close() })
	if err := first.Own(); err != nil {
		t.Fatal(err)
	}
	if err := second.Own(); !errors.Is(err, db.ErrOwned) {
		t.Errorf("the second owner: %v, want ErrOwned", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := second.Own(); err != nil {
		t.Errorf("after the first has closed: %v", err)
	}
}
