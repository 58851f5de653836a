package content

import (
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"sync"
	"testing"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// Uploads that each fit and together do not: as many win as have room, always.
func TestRaceForTheQuota(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, first := range []bool{true, false} { // with the account's row, and without one
			w := newWorld(t, d)
			w.Quota = 250
			owner := ada
			if first {
				owner = bob
				w.mustStoreAs(owner, "", "")
			}
			const racers = 8
			errs := make([]error, racers)
			var ready, wg sync.WaitGroup
			ready.Add(racers)
			for i := range racers {
				wg.Go(func() {
					u := w.NewUpload(owner)
					_, err := u.Store(context.Background(), strings.NewReader(strings.Repeat("x", 100)))
					ready.Done()
					ready.Wait()
					if errs[i] = err; err == nil {
						errs[i] = w.settle(u)
					}
				})
			}
			wg.Wait()
			won := 0
			for _, err := range errs {
				if err == nil {
					won++
				} else if !errors.Is(err, ErrQuota) {
					t.Error(err)
				}
			}
			if won != 2 {
				t.Errorf("%d uploads of 100 bytes have room in 250", won)
			}
			w.counted("after the race")
		}
	})
}

// TestQuota: the server refuses content that exceeds the quota by one byte, and stores nothing of
// it. It takes the same content once there is room.
func TestQuota(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.Quota = 200_000
		put := func(owner account.ID, sizes ...int) (last Stored, err error) {
			u := w.NewUpload(owner)
			for _, n := range sizes {
				if last, err = u.Store(t.Context(), strings.NewReader(pattern(n))); err != nil {
					break
				}
			}
			if err == nil {
				err = w.settle(u)
			}
			if err != nil {
				u.Abort(t.Context())
			}
			return last, err
		}
		first, err := put(ada, 150_000)
		if err != nil {
			t.Fatal(err)
		}
		for _, sizes := range [][]int{{50_001}, {200_000}, {25_000, 25_001}, {10, 49_991}, {66_000}} {
			if _, err := put(ada, sizes...); !errors.Is(err, ErrQuota) {
				t.Errorf("%v: %v", sizes, err)
			}
			w.left("after a refusal", 1)
		}
		if _, err := put(ada, 25_000, 25_000); err != nil {
			t.Errorf("what fits to the byte: %v", err)
		}
		if _, err := put(bob, 200_000); err != nil {
			t.Errorf("another account: %v", err)
		}
		w.release(ada, first.ID)
		w.counted("marked")
		w.release(ada, first.ID) // its bytes are given back once
		w.counted("marked twice")
		if _, err := put(ada, 150_000); err != nil {
			t.Errorf("after deleting: %v", err)
		}
		w.below.RunJobs()
		w.left("in the end", 4)
	})
}

// An upload learns early that it has no room: it is not read to its end.
func TestQuotaEndsTheReading(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.Quota = 1 << 20
	read := 0
	source := readFunc(func(p []byte) (int, error) {
		if read += len(p); read > 64<<20 {
			return 0, io.EOF
		}
		return len(p), nil
	})
	u := w.NewUpload(ada)
	if _, err := u.Store(t.Context(), source); !errors.Is(err, ErrQuota) {
		t.Errorf("Store = %v", err)
	}
	if read > 2<<20 {
		t.Errorf("%d KiB were read", read>>10)
	}
	u.Abort(t.Context())
	w.left("after the refusal", 0)
}

// The quota holds at settling, whatever the upload was told when it began.
func TestSettleDecidesTheQuota(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.Quota = math.MaxInt64
		u := w.NewUpload(ada)
		if _, err := u.Store(t.Context(), strings.NewReader("123456")); err != nil {
			t.Fatal(err)
		}
		w.Quota = 5
		if err := w.settle(u); !errors.Is(err, ErrQuota) {
			t.Errorf("the first object of an account: %v", err)
		}
		w.Quota = 6
		if err := w.settle(u); err != nil {
			t.Errorf("what fits: %v", err)
		}
		w.counted("settled")
		w.left("settled", 1)
	})
}
