package content

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// share adds references to objects as a caller does.
func (w *world) share(owner account.ID, ids ...string) error {
	return w.DB.Tx(context.Background(), func(tx *db.Tx) error { return w.Share(context.Background(), tx, owner, ids...) })
}

// TestShare: an object stands until its last reference goes. Its bytes count once, each
// reference is a file.
func TestShare(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		a, b := w.mustStore(pattern(70_000), ""), w.mustStore("small", "")
		if err := w.share(ada, a.ID, b.ID, a.ID); err != nil {
			t.Fatal(err)
		}
		usage := func(when string, bytes, files int64) {
			t.Helper()
			if u, err := w.Usage(t.Context(), d, ada); err != nil || u.Bytes != bytes || u.Files != files {
				t.Errorf("%s: usage %+v, %v, want %d bytes, %d files", when, u, err, bytes, files)
			}
			w.counted(when)
		}
		usage("shared", 70_005, 5)
		w.release(ada, a.ID, b.ID, a.ID)
		w.below.RunJobs()
		usage("some released", 70_005, 2)
		if _, err := w.Find(t.Context(), d, ada, a.ID, a.Size); err != nil {
			t.Errorf("with a reference left: %v", err)
		}
		w.left("with a reference each", 2)
		w.release(ada, a.ID)
		if _, err := w.Find(t.Context(), d, ada, a.ID, a.Size); !errors.Is(err, errDamaged) {
			t.Errorf("without a reference: %v", err)
		}
		usage("one gone", 5, 1)
		for name, err := range map[string]error{"gone": w.share(ada, b.ID, a.ID), "another's": w.share(bob, b.ID), "absent": w.share(ada, "00")} {
			if !errors.Is(err, errDamaged) {
				t.Errorf("shared one that is %s: %v", name, err)
			}
		}
		w.release(ada, b.ID, b.ID, b.ID) // more than there are
		usage("all gone", 0, 0)
		w.below.RunJobs()
		w.left("in the end", 0)
	})
}

// TestShareCountsFiles: a reference more than the quota of files is refused, with all of its
// call; bytes beyond a quota that was lowered are no reason.
func TestShareCountsFiles(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		a := w.mustStore("12345", "")
		w.Quota, w.QuotaFiles = 3, 3
		if err := w.share(ada, a.ID, a.ID, a.ID); !errors.Is(err, ErrQuota) {
			t.Errorf("one too many: %v", err)
		}
		if err := w.share(ada, a.ID, a.ID); err != nil {
			t.Errorf("what fits: %v", err)
		}
		w.counted("shared")
		u := w.NewUpload(ada)
		if _, err := u.Store(t.Context(), strings.NewReader("")); err == nil {
			if err = w.settle(u); !errors.Is(err, ErrQuota) {
				t.Errorf("an empty file too many: %v", err)
			}
		}
		w.counted("refused")
	})
}

// TestRaceOfReferences: fifty copies and deletions of one content at once. As long as a
// reference is left the content stands; a copy after the last one is refused.
func TestRaceOfReferences(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		o := w.mustStore(pattern(70_000), "")
		var wg sync.WaitGroup
		var mu sync.Mutex
		held := 1
		for i := range 50 {
			wg.Go(func() {
				if i%2 == 0 {
					if err := w.share(ada, o.ID); err == nil {
						mu.Lock()
						held++
						mu.Unlock()
					} else if !errors.Is(err, errDamaged) {
						t.Error(err)
					}
					return
				}
				mu.Lock()
				mine := held > 0
				if mine {
					held--
				}
				mu.Unlock()
				if mine {
					w.release(ada, o.ID)
				}
			})
		}
		wg.Wait()
		w.below.RunJobs()
		w.counted("after the race")
		_, err := w.Find(t.Context(), d, ada, o.ID, o.Size)
		if stands := err == nil; stands != (held > 0) {
			t.Errorf("%d references are held, and the object: %v", held, err)
		}
		w.left("after the race", min(held, 1))
	})
}

// TestOwnQuota: an account's own quota holds instead of the setting, greater or less, and may
// be none.
func TestOwnQuota(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.Quota = 100
		put := func(n int) error {
			u := w.NewUpload(ada)
			_, err := u.Store(t.Context(), strings.NewReader(strings.Repeat("x", n)))
			if err == nil {
				err = w.settle(u)
			}
			return err
		}
		set := func(bytes, files *int64) {
			t.Helper()
			if err := d.Tx(t.Context(), func(tx *db.Tx) error { return w.SetQuota(t.Context(), tx, ada, bytes, files) }); err != nil {
				t.Fatal(err)
			}
		}
		n := func(n int64) *int64 { return &n }
		for _, step := range []struct {
			bytes, files *int64
			put          int
			want         error
		}{
			{nil, nil, 101, ErrQuota},
			{n(200), nil, 150, nil},
			{n(200), nil, 51, ErrQuota},
			{n(200), nil, 50, nil},
			{nil, nil, 1, ErrQuota},
			{n(0), n(2), 1, ErrQuota},
			{n(0), n(3), 1_000, nil},
			{n(0), n(0), 1_000, nil},
			{n(10), nil, 1, ErrQuota},
		} {
			set(step.bytes, step.files)
			if err := put(step.put); !errors.Is(err, step.want) {
				t.Errorf("%d bytes: %v, want %v", step.put, err, step.want)
			}
			w.counted("after a step")
		}
		if u, err := w.Usage(t.Context(), d, ada); err != nil || u != (Usage{Bytes: 2_200, Files: 4, QuotaBytes: 10}) {
			t.Errorf("usage %+v, %v", u, err)
		}
		if u, err := w.Usage(t.Context(), d, bob); err != nil || u != (Usage{QuotaBytes: 100}) {
			t.Errorf("of an account without anything %+v, %v", u, err)
		}
	})
}
