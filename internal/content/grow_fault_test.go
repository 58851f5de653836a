package content

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coffer/internal/blob"
	"coffer/internal/blob/blobtest"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/keyring"
)

// TestGrowWhileTheStoreFails: a store that fails in the middle of a part loses what was not
// acknowledged and nothing else. The append goes on when the store is back. Of both stores.
func TestGrowWhileTheStoreFails(t *testing.T) {
	for name, world := range map[string]func(t *testing.T) *world{
		"folder": func(t *testing.T) *world { return newWorld(t, dbtest.SQLite(t)) },
		"S3":     func(t *testing.T) *world { return newWorldOn(t, dbtest.PostgreSQL(t), blobtest.S3(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			w := world(t)
			w.partSize = 100_000
			store, content := w.Blobs, pattern(350_000)
			id, puts := w.mustGrow(350_000), 0
			full := fmt.Errorf("no space left on device: %w", blob.ErrUnavailable)
			w.Blobs = failingStore{store, func(ctx context.Context, id string, r io.Reader) (int64, error) {
				if puts++; puts < 3 {
					return store.Put(ctx, id, r)
				}
				return store.Put(ctx, id, io.MultiReader(io.LimitReader(r, 80_000), readFunc(func([]byte) (int, error) { return 0, full })))
			}}
			n, err := w.append(id, 0, content)
			if n != 200_000 || !errors.Is(err, blob.ErrUnavailable) || w.offset(id) != n {
				t.Errorf("Append = %d, %v; it has come to %d", n, err, w.offset(id))
			}
			w.Blobs = store
			w.left("while the store was away", 2)
			w.mustAppend(id, n, content[n:])
			o := w.mustSettleGrown(id)
			if got, err := w.read(o.Stored, 90_000, 220_000); err != nil || got != content[90_000:310_000] {
				t.Errorf("a range: %d bytes, %v", len(got), err)
			}
			if a := w.call("GET", id); string(a.body) != content || o.Stored.Sum != sha256.Sum256([]byte(content)) {
				t.Errorf("served: %d, %d bytes", a.StatusCode, len(a.body))
			}
			gone := w.mustGrow(350_000)
			w.mustAppend(gone, 0, content)
			w.abandon(gone)
			w.release(ada, id)
			w.below.RunJobs()
			w.left("in the end", 0)
			if n := w.count(`SELECT COUNT(*) FROM blobs`); n != 0 {
				t.Errorf("%d rows of objects are left", n)
			}
		})
	}
}

// TestStuckPart: a part that cannot be removed keeps its object's row, and holds up nothing
// else.
func TestStuckPart(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	id, other := w.mustGrow(210_000), w.mustStore(pattern(70_000), "")
	for i := range int64(3) {
		w.mustAppend(id, i*70_000, pattern(70_000))
	}
	w.mustSettleGrown(id)
	var part string
	if err := w.DB.QueryRow(t.Context(), `SELECT id FROM blob_parts WHERE start = 70000`).Scan(&part); err != nil {
		t.Fatal(err)
	}
	store := w.Blobs
	w.Blobs = stuckStore{store, part}
	w.release(ada, id, other.ID)
	if err := w.purge(t.Context()); err == nil {
		t.Error("a purge that left something says nothing")
	}
	w.left("with a stuck one", 1)
	if n := w.count(`SELECT COUNT(*) FROM blobs`); n != 1 {
		t.Errorf("%d rows of objects while a part is left, want 1", n)
	}
	w.Blobs = store
	if err := w.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.left("after the sweep", 0)
	if n := w.count(`SELECT COUNT(*) FROM blobs`); n != 0 {
		t.Errorf("%d rows of objects are left", n)
	}
}

// TestAppendWithSumThatLasts: parts that wait for the sum of a long append are as safe from the sweep
// as the one that comes in.
func TestAppendWithSumThatLasts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.partSize = 300_000
		content := pattern(1_000_000)
		id, sum := w.mustGrow(int64(len(content))), sha256.Sum256([]byte(content))
		rest := strings.NewReader(content)
		slow := readFunc(func(p []byte) (int, error) { // twenty reads, an hour
			w.below.Advance(3 * time.Minute)
			if err := w.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
			return rest.Read(p[:min(len(p), 50_000)])
		})
		n, err := w.Append(t.Context(), ada, id, 0, slow, AppendOptions{Check: sha256.New(), Want: sum[:]})
		if n != int64(len(content)) || err != nil {
			t.Fatalf("Append = %d, %v", n, err)
		}
		o := w.mustSettleGrown(id)
		if got, err := w.read(o.Stored, 0, o.Size); err != nil || got != content {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		w.left("in the end", 4)
	})
}

// TestAppendAsksBeforeItStores: an append that was taken over before its first byte stores
// nothing at all.
func TestAppendAsksBeforeItStores(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.Blobs = failingStore{w.Blobs, func(context.Context, string, io.Reader) (int64, error) {
		t.Error("a part is stored")
		return 0, errBroken
	}}
	id := w.mustGrow(200_000)
	first := readFunc(func([]byte) (int, error) {
		w.mustAppend(id, 0, "")
		return 0, io.EOF
	})
	if n, err := w.Append(t.Context(), ada, id, 0, io.MultiReader(first, strings.NewReader(pattern(200_000))), AppendOptions{}); n != 0 || !errors.Is(err, ErrTakenOver) {
		t.Errorf("Append = %d, %v", n, err)
	}
	w.left("taken over", 0)
}

// TestForgetWhileItGrows: an account that goes takes along what grows, also a part that comes
// in just then.
func TestForgetWhileItGrows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		settled, idle, running := w.mustGrow(70_000), w.mustGrow(200_000), w.mustGrow(800_000)
		w.mustAppend(settled, 0, pattern(70_000))
		w.mustSettleGrown(settled)
		w.mustAppend(idle, 0, pattern(100))
		w.mustAppend(idle, 100, pattern(70_000))
		midway := readFunc(func([]byte) (int, error) {
			err := w.forget(ada)
			if err == nil {
				w.below.RunJobs()
				err = io.EOF
			}
			return 0, err
		})
		n, err := w.Append(t.Context(), ada, running, 0, io.MultiReader(strings.NewReader(pattern(700_000)), midway), AppendOptions{})
		if n != 0 || !errors.Is(err, ErrExpired) {
			t.Errorf("Append = %d, %v", n, err)
		}
		w.left("after the account went", 0)
		for _, table := range []string{"blobs", "blob_growth", "content_usage"} {
			if n := w.count(`SELECT COUNT(*) FROM ` + table); n != 0 {
				t.Errorf("%s: %d rows are left", table, n)
			}
		}
	})
}

// TestRewrapOfParts: a rotation of the blob key goes through what grows and what has grown.
func TestRewrapOfParts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		rotate := func() {
			t.Helper()
			if err := w.Ring.Destroy(t.Context(), keyring.Blob, w.rotateAndWalk()); err != nil {
				t.Fatal(err)
			}
		}
		content := pattern(80_000)
		id, err := w.grow(ada, 80_000)
		if err != nil {
			t.Fatal(err)
		}
		w.mustAppend(id, 0, content[:10])
		rotate()
		w.mustAppend(id, 10, content[10:])
		o := w.mustSettleGrown(id)
		rotate()
		if got, err := w.read(o.Stored, 0, o.Size); err != nil || got != content {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if n, err := w.Ring.Damaged(t.Context()); n != 0 || err != nil {
			t.Errorf("Damaged = %d, %v", n, err)
		}
	})
}

// TestOrphansAreNotParts: the daily walk knows parts, of what grows and of what has grown.
func TestOrphansAreNotParts(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	settled, growing := w.mustGrow(70_000), w.mustGrow(100_000)
	w.mustAppend(settled, 0, pattern(70_000))
	w.mustAppend(growing, 0, pattern(70_000))
	w.mustSettleGrown(settled)
	if _, err := w.Blobs.Put(t.Context(), newID(), strings.NewReader("orphan")); err != nil {
		t.Fatal(err)
	}
	w.look(8)
	if err := w.sweepOrphans(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.left("after the walk", 2)
}

// growWorld opens the room on a folder that another process uses too.
func growWorld(t *testing.T, root string) *world {
	t.Helper()
	d, err := db.Open(t.Context(), "sqlite:"+filepath.Join(root, "coffer.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	store, err := blob.OpenDir(filepath.Join(root, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorldOn(t, d, store)
	w.partSize = 100_000
	return w
}

// lifeOf is the content of the objects that grow until the process is killed.
const lifeOf = 400_000

// TestGrowSurvivesKills kills a process at random moments of the life of objects that grow.
// Every acknowledged byte is there afterwards. Each object continues at the offset that the
// server names, and holds the right bytes. A sweep leaves nothing else.
func TestGrowSurvivesKills(t *testing.T) {
	root := t.TempDir()
	growWorld(t, root) // migrated
	acknowledged := map[string]string{}
	rounds := dbtest.Kill(t, "TestGrowUntilKilled", root, func(done, id string) { acknowledged[id] = done })
	w := growWorld(t, root)
	w.counted("after the kills")
	content, want := pattern(lifeOf), 0
	for id, what := range acknowledged {
		g, err := w.Growing(t.Context(), w.DB, ada, id)
		switch {
		case err == nil && (what == "settled" || what == "abandoned"):
			t.Errorf("an object that was %s grows", what)
		case err == nil:
			var at int64
			if _, err := fmt.Sscan(what, &at); err != nil || g.Offset < at {
				t.Errorf("an object has come to %d, %s were acknowledged", g.Offset, what)
			}
			w.mustAppend(id, g.Offset, content[g.Offset:])
			w.mustSettleGrown(id)
		case !errors.Is(err, ErrExpired):
			t.Error(err)
		}
		got, err := w.read(Stored{ID: id, Size: lifeOf}, 0, lifeOf)
		stands := err == nil
		if stands && got != content || stands && what == "abandoned" || !stands && what == "settled" {
			t.Errorf("an object that was %s: %d bytes, %v", what, len(got), err)
		}
		if stands {
			want++
		}
	}
	if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { // those of which no line came
		rows, err := tx.Query(t.Context(), `SELECT blob FROM blob_growth`)
		if err != nil {
			return err
		}
		ids, err := rows.Strings()
		for _, id := range ids {
			err = errors.Join(err, w.Abandon(t.Context(), tx, ada, id))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	w.below.Advance(time.Hour)
	if err := w.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := int(w.count(`SELECT COUNT(*) FROM blobs`)); n < want || n > want+rounds { // a settle may be done and not told
		t.Errorf("%d objects, want %d and at most one more a round", n, want)
	}
	w.left("after the sweep", int(w.count(`SELECT COUNT(*) FROM blob_parts WHERE state = 'live'`)))
}

// TestGrowUntilKilled is the process that [TestGrowSurvivesKills] kills; on its own it does
// nothing.
func TestGrowUntilKilled(t *testing.T) {
	root := dbtest.WorkIn()
	if root == "" {
		return
	}
	w := growWorld(t, root)
	content := pattern(lifeOf)
	for i := 0; ; i++ {
		id := w.mustGrow(lifeOf)
		fmt.Println("0", id)
		for at := int64(0); at < lifeOf; {
			n := min(lifeOf-at, []int64{100, 250_000, 70_000}[rand.IntN(3)])
			w.mustAppend(id, at, content[at:at+n])
			at += n
			fmt.Println(at, id)
		}
		if i%3 == 0 {
			w.abandon(id)
			fmt.Println("abandoned", id)
			continue
		}
		w.mustSettleGrown(id)
		fmt.Println("settled", id)
	}
}
