package content

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// The sweep takes an object while its upload settles. Both lock the object before the usage, so
// the engine breaks neither off: PostgreSQL would look for a deadlock for a second.
func TestSettleAndSweepInOneOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := newWorld(t, d), t.Context()
		w.mustStore("a", "text/plain") // makes the row of the usage
		u := w.NewUpload(ada)
		o, err := u.Store(ctx, strings.NewReader(strings.Repeat("x", 100_000)))
		if err != nil {
			t.Fatal(err)
		}
		if err := u.hold(ctx, u.objects[0], nil); err != nil { // so that the sweep has usage to count off
			t.Fatal(err)
		}
		sweeps, settles, settled := 0, 0, make(chan error, 1)
		err = w.giveUpPending(ctx, func(tx *db.Tx) (given, error) {
			g, err := markPending(ctx, tx, []string{o.ID})
			if err != nil {
				return g, err
			}
			if sweeps == 0 {
				go func() {
					settled <- w.DB.Tx(context.Background(), func(tx *db.Tx) error {
						settles++
						return u.Settle(context.Background(), tx)
					})
				}()
				time.Sleep(300 * time.Millisecond) // it waits for the object by now
			}
			sweeps++
			return g, nil
		})
		if err != nil {
			t.Error(err)
		}
		if err := <-settled; !errors.Is(err, ErrExpired) {
			t.Errorf("settled an object that was given up: %v", err)
		}
		if sweeps != 1 || settles != 1 {
			t.Errorf("the sweep ran %d times, and the settling %d times", sweeps, settles)
		}
	})
}
