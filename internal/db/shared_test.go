package db_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// Many callers read at once. Each gets the row of its own key, or none, also while the reads of others
// fail, or their callers give up.
func TestSharedReads(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const keys = 40
		for i := range keys {
			var value []byte // of every third key the number, else the value is NULL
			var number *int64
			if i%3 == 0 {
				number = new(int64(i) * 1_000_003)
			} else {
				value = bytes.Repeat([]byte{byte(i)}, i*7)
			}
			if _, err := d.Exec(t.Context(), `INSERT INTO kv (key, value, number, expires_at) VALUES ($1, $2, $3, $4)`,
				fmt.Sprint("look-", i), value, number, int64(i)); err != nil {
				t.Fatal(err)
			}
		}
		const one = `SELECT key, value, number, expires_at FROM kv WHERE key = $1`
		var wg sync.WaitGroup
		for who := range 16 {
			wg.Go(func() {
				for n := range 100 {
					i := (who*31 + n*7) % (keys + 5)
					var key string
					var value []byte
					var number *int64
					var expires int64
					err := d.Shared().QueryRow(t.Context(), one, fmt.Sprint("look-", i)).Scan(&key, &value, &number, &expires)
					if i >= keys {
						if !errors.Is(err, db.ErrNoRows) {
							t.Errorf("no row has the key %d: %v", i, err)
						}
						continue
					}
					right := err == nil && key == fmt.Sprint("look-", i) && expires == int64(i)
					if i%3 == 0 {
						right = right && value == nil && number != nil && *number == int64(i)*1_000_003
					} else {
						right = right && number == nil && bytes.Equal(value, bytes.Repeat([]byte{byte(i)}, i*7))
					}
					if !right {
						t.Errorf("key %d: %q, %x, %v, %d, %v", i, key, value, number, expires, err)
					}
				}
			})
		}
		wg.Go(func() {
			for range 50 {
				if err := d.Shared().QueryRow(t.Context(), `SELECT nothing FROM kv WHERE key = $1`, "x").Scan(new(string)); err == nil || errors.Is(err, db.ErrNoRows) {
					t.Errorf("a statement that is none: %v", err)
				}
				if err := d.Shared().QueryRow(t.Context(), one, "look-1").Scan(new(string)); err == nil {
					t.Error("four columns fit into one place")
				}
			}
		})
		wg.Go(func() {
			for n := range 100 {
				ctx, cancel := context.WithCancel(t.Context())
				go cancel()
				if err := d.Shared().QueryRow(ctx, one, "look-1").Scan(new(string), new([]byte), new(*int64), new(int64)); err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("the caller gives up, call %d: %v", n, err)
				}
			}
		})
		wg.Wait()

		// A read sees what was committed before it, and ends with an error after a Close.
		for n := range int64(50) {
			if _, err := d.Exec(t.Context(), `UPDATE kv SET number = $1 WHERE key = 'look-3'`, n); err != nil {
				t.Fatal(err)
			}
			var got int64
			if err := d.Shared().QueryRow(t.Context(), `SELECT number FROM kv WHERE key = $1`, "look-3").Scan(&got); err != nil || got != n {
				t.Fatalf("after the change to %d: %d, %v", n, got, err)
			}
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if err := d.Shared().QueryRow(t.Context(), one, "look-1").Scan(new(string), new([]byte), new(*int64), new(int64)); err == nil {
			t.Error("a closed database answers")
		}
	})
}

// Many callers change rows at once. Each learns how many rows its own statement changed, of those that
// race for one row one wins, and a refused statement undoes no other.
func TestSharedChanges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		table(t, d)
		const callers, times = 16, 40
		for i := range callers {
			if err := put(t.Context(), d, fmt.Sprint(i), 0); err != nil {
				t.Fatal(err)
			}
		}
		if err := put(t.Context(), d, "raced", 0); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var won, refused, unknown atomic.Int64
		change := func(ctx context.Context, q string, args ...any) int64 {
			n, err := d.Shared().Exec(ctx, q, args...)
			if err != nil {
				t.Errorf("%s: %v", q, err)
			}
			return n
		}
		for i := range callers {
			wg.Go(func() {
				for n := range int64(times) {
					if got := change(t.Context(), `UPDATE things SET n = n + 1 WHERE id = $1 AND n = $2`, fmt.Sprint(i), n); got != 1 {
						t.Errorf("caller %d changed %d rows at %d", i, got, n)
					}
					if got := change(t.Context(), `UPDATE things SET n = n + 1 WHERE id = $1`, "missing"); got != 0 {
						t.Errorf("of a row that is missing %d were changed", got)
					}
					won.Add(change(t.Context(), `UPDATE things SET n = $1 + 1 WHERE id = 'raced' AND n = $1`, n))
				}
			})
		}
		wg.Go(func() {
			for range times {
				if err := put(t.Context(), d.Shared(), "raced", 0); db.IsUnique(err) {
					refused.Add(1)
				}
			}
		})
		wg.Go(func() {
			for range times {
				if _, err := d.Shared().Exec(t.Context(), `UPDATE things SET n = $1 WHERE id = 'raced'`, struct{}{}); err == nil || errors.Is(err, db.ErrUnavailable) {
					t.Errorf("an argument of no type that a database knows: %v", err)
				}
			}
		})
		wg.Go(func() {
			for range times {
				ctx, cancel := context.WithCancel(t.Context())
				go cancel()
				n, err := d.Shared().Exec(ctx, `UPDATE things SET note = 'x' WHERE id = 'raced'`)
				if err == nil && n == 1 || errors.Is(err, context.Canceled) {
					unknown.Add(1)
				}
			}
		})
		wg.Wait()
		for i := range callers {
			if got := number(t, d, fmt.Sprint(i)); got != times {
				t.Errorf("caller %d: %d changes stand, want %d", i, got, times)
			}
		}
		if got := number(t, d, "raced"); won.Load() != got || got < 1 {
			t.Errorf("%d callers won, and the row says %d", won.Load(), got)
		}
		if refused.Load() != times || unknown.Load() != times {
			t.Errorf("of %d statements %d were refused, of %d callers %d gave up or changed the row", times, refused.Load(), times, unknown.Load())
		}
	})
}
