package content

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/blob"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// stuckStore cannot remove one object.
type stuckStore struct {
	blob.Store
	id string
}

func (s stuckStore) Delete(ctx context.Context, id string) error {
	if id == s.id {
		return errors.New("operation not permitted")
	}
	return s.Store.Delete(ctx, id)
}

// An object that cannot be removed holds up no other, and is tried again.
func TestStuckObject(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	var all []record
	for range 5 {
		all = append(all, w.mustStore(pattern(70_000), ""))
	}
	store := w.Blobs
	w.Blobs = stuckStore{store, w.objects()[0]}
	for _, o := range all {
		w.release(ada, o.ID)
	}
	if err := w.purge(t.Context()); err == nil {
		t.Error("a purge that left something says nothing")
	}
	w.left("with a stuck one", 1)
	w.Blobs = store
	if err := w.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.left("after the sweep", 0)
}

// refusingStore cannot remove objects with short ids.
type refusingStore struct {
	blob.Store
	asked *int
	away  error
}

func (s refusingStore) Delete(ctx context.Context, id string) error {
	if *s.asked++; len(id) < 32 {
		return errors.New("operation not permitted")
	}
	return s.Store.Delete(ctx, id)
}

func (s refusingStore) Ping(context.Context) error { return s.away }

// A thousand objects that cannot be removed, and come first, hold up no other for long: each run goes
// on behind those of the one before. While the store is away a run asks for a few alone.
func TestStuckObjects(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	o := w.mustStore(pattern(70_000), "")
	_, err := w.DB.Exec(t.Context(), `WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 1999)
		INSERT INTO blobs (id, account, state, wrapped, size, refs, touched_at) SELECT '00' || i, $1, 'deleting', $2, 1, 0, 0 FROM n`, string(ada), []byte{0})
	if err != nil {
		t.Fatal(err)
	}
	w.release(ada, o.ID)
	store, asked := w.Blobs, 0
	w.Blobs = refusingStore{store, &asked, blob.ErrUnavailable}
	if err := w.purge(t.Context()); err == nil || asked != 8 {
		t.Errorf("a store that is away was asked for %d objects: %v", asked, err)
	}
	w.Blobs = refusingStore{store, &asked, nil}
	for run := range 6 {
		if asked = 0; w.purge(t.Context()) == nil || asked > 2*blob.MostRefused {
			t.Errorf("run %d: asked for %d objects, or silent", run, asked)
		}
	}
	if left := w.objects(); len(left) != 0 {
		t.Errorf("%v are left", left)
	}
	if n := w.count(`SELECT COUNT(*) FROM blobs`); n != 1000 {
		t.Errorf("%d rows are left, want those of the stuck objects", n)
	}
	w.Blobs = store
	if err := w.purge(t.Context()); err != nil || w.count(`SELECT COUNT(*) FROM blobs`) != 0 {
		t.Errorf("when they can be removed: %v", err)
	}
}

// Rows that a writer of the database makes, with ids that no object has, keep no content from
// being removed, however many they are. Nothing outside of the store is touched.
func TestAttackRowsThatNameNoObject(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	o := w.mustStore(pattern(70_000), "")
	for i := range 2 * blob.MostRefused {
		_, err := w.DB.Exec(t.Context(), `INSERT INTO blobs (id, account, state, wrapped, size, refs, touched_at) VALUES ($1, 'eve', 'deleting', $2, 1, 0, 0)`,
			fmt.Sprintf("../../%03d", i), []byte{0})
		if err != nil {
			t.Fatal(err)
		}
	}
	w.release(ada, o.ID)
	if err := w.purge(t.Context()); err != nil {
		t.Error(err)
	}
	w.left("with rows of no object", 0)
}

// An account that goes while an upload of its comes in: the object that arrives after the
// purge is not left behind.
func TestForgetDuringAnUpload(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		u := w.NewUpload(ada)
		midway := readFunc(func([]byte) (int, error) {
			err := w.forget(ada)
			if err == nil {
				w.below.RunJobs()
				err = io.EOF
			}
			return 0, err
		})
		if _, err := u.Store(t.Context(), io.MultiReader(strings.NewReader(pattern(700_000)), midway)); !errors.Is(err, ErrExpired) {
			t.Errorf("Store = %v", err)
		}
		if err := w.settle(u); !errors.Is(err, ErrExpired) {
			t.Errorf("Settle = %v", err)
		}
		u.Abort(t.Context())
		w.left("after the account went", 0)
	})
}

// A forgotten account takes nothing from then on, and loses everything in batches. What other
// accounts have stays.
func TestForget(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for range sweepBatch + 3 {
			w.plant(ada, 5)
		}
		w.mustStore(pattern(70_000), "")
		w.mustStore("small", "")
		kept := w.mustStoreAs(bob, "bob's", "")
		late, pendingOne := w.NewUpload(ada), w.NewUpload(ada)
		for u, content := range map[*Upload]string{late: "late", pendingOne: pattern(70_000)} {
			if _, err := u.Store(t.Context(), strings.NewReader(content)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.forget(ada); err != nil {
			t.Fatal(err)
		}
		for _, u := range []*Upload{late, pendingOne} {
			if err := w.settle(u); !errors.Is(err, ErrExpired) {
				t.Errorf("Settle = %v", err)
			}
		}
		w.below.RunJobs()
		w.left("after the job", 1)
		if n := w.count(`SELECT COUNT(*) FROM content_usage WHERE account = $1`, string(ada)); n != 0 {
			t.Error("the count of a forgotten account is left")
		}
		if _, err := w.Find(t.Context(), d, bob, kept.ID, kept.Size); err != nil {
			t.Error(err)
		}
	})
}

// Several nodes purge at once, while others store and mark: every object goes once, and every
// byte is counted once.
func TestRaceOfDeletions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var all []record
		for range 20 {
			all = append(all, w.mustStore("small", ""), w.mustStore(pattern(66_000), ""))
		}
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				for _, o := range all { // the same ones as the others
					w.release(ada, o.ID)
				}
				if i%2 == 0 {
					w.mustStore("more", "")
				}
				if err := w.Sweep(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		w.below.RunJobs()
		w.left("of what was marked", 2)
	})
}

// Only the owner's live objects are found, and only the owner marks them.
func TestOwners(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	o := w.mustStore("ada's", "")
	w.release(bob, o.ID)
	w.counted("marked by another account")
	if _, err := w.Find(t.Context(), w.DB, ada, o.ID, o.Size); err != nil {
		t.Errorf("another account marked it: %v", err)
	}
	find := func(name string, owner account.ID, id string, size int64) {
		t.Helper()
		if _, err := w.Find(t.Context(), w.DB, owner, id, size); !errors.Is(err, errDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	find("another account", bob, o.ID, o.Size)
	find("another size", ada, o.ID, o.Size+1)
	find("absent", ada, "00", 1)
	w.release(ada, o.ID)
	find("marked", ada, o.ID, o.Size)
}

// TestMarkingIsShort: each transaction that marks parts costs the same, however many parts those
// before it have marked. Steps are counted, no clock.
func TestMarkingIsShort(t *testing.T) {
	d, work := dbtest.CountedSQLite(t)
	w := newWorld(t, d)
	const objects = 5_000
	for _, q := range []string{
		`WITH RECURSIVE n(i) AS (SELECT 10000 UNION ALL SELECT i + 1 FROM n WHERE i < 9999 + $1)
			INSERT INTO blobs (id, account, state, wrapped, size, refs, parts, touched_at) SELECT 'a' || i, 'ada', 'deleting', 'w', 2, 0, 'list', 0 FROM n`,
		`WITH RECURSIVE n(i) AS (SELECT 10000 UNION ALL SELECT i + 1 FROM n WHERE i < 9999 + $1)
			INSERT INTO blob_parts (id, blob, start, size, state, touched_at) SELECT 'b' || i, 'a' || i, 0, 1, 'live', 0 FROM n
			UNION ALL SELECT 'c' || i, 'a' || i, 1, 1, 'live', 0 FROM n`,
	} {
		if _, err := d.Exec(t.Context(), q, objects); err != nil {
			t.Fatal(err)
		}
	}
	before := work()
	if err := w.markParts(t.Context()); err != nil {
		t.Fatal(err)
	}
	cost := work().Less(before)
	t.Logf("%d steps for each part", cost.Steps/(2*objects))
	if cost.Steps > 200*2*objects {
		t.Errorf("%d steps for %d parts", cost.Steps, 2*objects)
	}
	if n := w.count(`SELECT COUNT(*) FROM blob_parts WHERE state <> 'deleting'`); n != 0 {
		t.Errorf("%d parts are not marked", n)
	}
}

// TestStuckOrphan: an orphan that cannot be removed holds up no other.
func TestStuckOrphan(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	for _, id := range []string{"00aa", "77aa", "ffaa"} {
		if _, err := w.Blobs.Put(t.Context(), id, strings.NewReader("orphan")); err != nil {
			t.Fatal(err)
		}
	}
	w.Blobs = stuckStore{w.Blobs, "00aa"}
	w.look(8)
	if err := w.sweepOrphans(t.Context()); err == nil {
		t.Error("a walk that left something says nothing")
	}
	if left := w.objects(); len(left) != 1 {
		t.Errorf("%v are left", left)
	}
}

// look walks over orphans once a day.
func (w *world) look(days int) {
	w.t.Helper()
	for range days {
		_ = w.sweepOrphans(w.t.Context()) // the test's own walk comes after it
		w.below.Advance(24 * time.Hour)
	}
}

// A server that starts with a new database, or with an old backup, removes nothing of the store for a
// week, however old it is: there is time to find out.
func TestOrphansOfAnotherDatabase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		if _, err := w.Blobs.Put(t.Context(), "77aa", strings.NewReader("of another database")); err != nil {
			t.Fatal(err)
		}
		walk := func(when string, want int) {
			t.Helper()
			if err := w.sweepOrphans(t.Context()); err != nil {
				t.Error(err)
			}
			if n := len(w.objects()); n != want {
				t.Errorf("%s: %d objects are left, want %d", when, n, want)
			}
		}
		w.below.Advance(30 * 24 * time.Hour)
		walk("a new database", 1)
		w.look(6)
		walk("after six days", 1)
		w.below.Advance(4 * 24 * time.Hour) // as in a backup of then
		walk("after a gap", 1)
		w.look(6)
		walk("six days after it", 1)
		w.look(1)
		walk("a week after it", 0)
	})
}
