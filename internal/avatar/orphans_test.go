package avatar

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"coffer/internal/blob"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// A power cut brings back the objects of a removed picture, which a CDN would serve for ever. A walk
// removes them, and none that a row names.
func TestRemovedPictureComesBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada := w.below.Join("ada")
		gone := w.set(ada, plain(t, 10, 10, red))
		kept := w.set(ada, plain(t, 10, 10, red))
		pending := strings.Repeat("ab", 16)
		if err := insertPending(t.Context(), d, record{ID: pending, Account: ada, CreatedAt: w.Now().UnixMilli()}); err != nil {
			t.Fatal(err)
		}
		w.below.RunJobs()
		for _, id := range []string{gone.ID, pending} {
			for _, n := range sizes {
				if _, err := w.store.Put(t.Context(), place(id, n), strings.NewReader("picture")); err != nil {
					t.Fatal(err) // ErrExists: the job has not removed it
				}
			}
		}
		day := 0
		walk := func(until int) {
			t.Helper()
			for ; day <= until; day++ {
				now := time.Now().AddDate(0, 0, day)
				w.Service.Now = func() time.Time { return now }
				if err := w.sweepOrphans(t.Context()); err != nil {
					t.Error(err)
				}
			}
		}
		left := func(id string) (n int) {
			t.Helper()
			for _, size := range sizes {
				if _, err := w.object(t.Context(), id, size); err == nil {
					n++
				} else if !errors.Is(err, blob.ErrMissing) {
					t.Error(err)
				}
			}
			return n
		}
		walk(6)
		if n := left(gone.ID); n != len(sizes) {
			t.Errorf("%d young objects are left", n)
		}
		walk(8)
		if n := left(gone.ID); n != 0 {
			t.Errorf("%d objects of a removed picture are left", n)
		}
		for name, id := range map[string]string{"the account's": kept.ID, "one on its way in": pending} {
			if n := left(id); n != len(sizes) {
				t.Errorf("%s: %d objects are left", name, n)
			}
		}
	})
}

// stuck is a store that cannot remove the pictures whose ids begin with 00.
type stuck struct {
	blob.Store
	asked *int
}

func (s stuck) Delete(ctx context.Context, id string) error {
	if *s.asked++; strings.HasPrefix(id, folder+"/00") {
		return errors.New("operation not permitted")
	}
	return s.Store.Delete(ctx, id)
}

// A thousand pictures that cannot be removed, and come first, hold up no other for long: each run goes on
// behind those of the one before.
func TestStuckPictures(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), nil)
	ada, asked := w.below.Join("ada"), 0
	_, err := w.DB.Exec(t.Context(), `WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
		INSERT INTO avatars (id, account, state, created_at) SELECT CASE WHEN i < 2000 THEN '00' ELSE 'ff' END || i, $1, 'deleting', 0 FROM n`, string(ada))
	if err != nil {
		t.Fatal(err)
	}
	w.Service.Blobs = stuck{w.store, &asked}
	for run := range 6 {
		if asked = 0; w.purge(t.Context()) == nil || asked > 2*blob.MostRefused+purgeBatch {
			t.Errorf("run %d: asked for %d objects, or silent", run, asked)
		}
	}
	if n := w.rows(ada); n != 1000 {
		t.Errorf("%d rows are left, want those of the stuck pictures", n)
	}
	w.Service.Blobs = w.store
	if err := w.purge(t.Context()); err != nil || w.rows(ada) != 0 {
		t.Errorf("when they can be removed: %v, %d rows", err, w.rows(ada))
	}
}
