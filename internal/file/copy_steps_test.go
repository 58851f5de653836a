package file

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// fill puts n folders and files into a folder; the files share one content.
func (w *world) fill(parent string, n int) {
	w.t.Helper()
	ctx := w.t.Context()
	f := w.mustUpload(ada, parent, upFile{"content", "", "content"})
	err := w.changeNames(ctx, ada, func(c *changing) error {
		of, err := w.row(ctx, c.tx, ada, f.ID)
		if err != nil {
			return err
		}
		names, rows := newNaming(c.key, ada, parent), make([]*row, n-1)
		for i := range rows {
			rows[i] = &row{ID: newID(), Parent: parent, Kind: Folder, Height: 1, CreatedAt: 1, ModifiedAt: 1}
			if i%2 == 1 {
				rows[i].Kind, rows[i].Blob, rows[i].Size = File, of.Blob, of.Size
			}
			rows[i].sealDetails(c.key, details{mediaType: content.UnknownType})
			names.want(rows[i], fmt.Sprintf("%s %d", rows[i].Kind, i))
		}
		up, err := w.folderFor(ctx, c.tx, ada, parent)
		if err != nil {
			return err
		}
		if err := w.shareCopies(ctx, c, rows); err != nil {
			return err
		}
		if err := c.insert(ctx, names); err != nil {
			return err
		}
		return c.raise(ctx, up, 1)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// plan begins a copy under a name.
func (w *world) plan(id, name string) *copying {
	w.t.Helper()
	p, err := w.planCopy(context.Background(), ada, id, Place{Name: &name})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// stepping is a folder of more entries than two steps copy.
type stepping struct {
	*world
	from   Entry
	before int64 // of files, without a copy
}

const steppingMany = 2*copyRows + 50

func newStepping(t *testing.T, d *db.DB) *stepping {
	w := &stepping{world: newWorld(t, d)}
	w.from = w.mustFolder(ada, "", "from")
	w.fill(w.mustFolder(ada, w.from.ID, "sub").ID, steppingMany-1)
	w.before = w.rows("files")
	return w
}

// some stores some of a copy, of which nothing shows.
func (w *stepping) some(p *copying) {
	w.t.Helper()
	if err := w.copySome(w.t.Context(), p); err != nil {
		w.t.Fatal(err)
	}
	w.counted() // runs the jobs, too
	if got := w.names(ada, "", "name"); len(got) != 1 {
		w.t.Errorf("a copy under way shows %q", got)
	}
	for _, r := range p.below[:p.stored] {
		if _, err := w.Get(w.t.Context(), ada, r.ID); !errors.Is(err, errNotFound) {
			w.t.Fatalf("an entry of a copy under way: %v", err)
		}
	}
	if n := w.rows("files"); n != w.before+int64(p.stored) {
		w.t.Errorf("%d rows, want %d", n, w.before+int64(p.stored))
	}
}

// gone checks that nothing is left of a copy.
func (w *stepping) gone(when string) {
	w.t.Helper()
	w.below.RunJobs()
	w.counted()
	if n, m := w.rows("files"), w.rows("file_gone"); n != w.before || m != 0 {
		w.t.Errorf("%s: %d entries, want %d; %d marks", when, n, w.before, m)
	}
}

// A copy in several transactions is invisible before the last one, and each of them counts what
// it stores. A failure, and a crash, leave nothing for good.
func TestCopyInSteps(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newStepping(t, d)
		ctx := t.Context()
		// A server that dies leaves it to the hourly job, and the copy does not go on behind it.
		p := w.plan(w.from.ID, "crashed")
		w.some(p)
		if err := w.clearAll(ctx); err != nil || w.rows("file_gone") != 1 {
			t.Errorf("within the hour: %v, %d marks", err, w.rows("file_gone"))
		}
		w.below.Advance(copyTime + time.Minute)
		if err := w.clearAll(ctx); err != nil {
			t.Fatal(err)
		}
		w.gone("after a crash")
		if err := w.copySome(ctx, p); !errors.Is(err, db.ErrUnavailable) {
			t.Errorf("a step behind the job: %v", err)
		}
		if _, err := w.copyRest(ctx, p); !errors.Is(err, db.ErrUnavailable) {
			t.Errorf("the end behind the job: %v", err)
		}
		w.gone("behind the job")
		if err := w.dropCopy(ctx, p); err != nil {
			t.Fatal(err)
		}
		w.gone("given up twice")

		// It is whole in the end, and given up no more.
		p = w.plan(w.from.ID, "whole")
		w.some(p)
		w.some(p)
		e, err := w.copyRest(ctx, p)
		if err != nil || e.Name != "whole" {
			t.Fatal(e, err)
		}
		if err := w.dropCopy(ctx, p); err != nil {
			t.Fatal(err)
		}
		w.below.Advance(2 * copyTime)
		if err := w.clearAll(ctx); err != nil {
			t.Fatal(err)
		}
		w.counted()
		if n := w.countBelow(e.ID); n != steppingMany || w.rows("file_gone") != 0 {
			t.Errorf("the copy holds %d entries, want %d; %d marks", n, steppingMany, w.rows("file_gone"))
		}
		w.trashAll()
		w.drained()
	})
}

// TestCopyThatEndsOnTheWay meets a quota, and a place that goes: nothing is left.
func TestCopyThatEndsOnTheWay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newStepping(t, d)
		ctx := t.Context()
		// The quota is reached on the way.
		p := w.plan(w.from.ID, "refused")
		w.some(p)
		use, err := w.Contents.Usage(ctx, d, ada)
		if err != nil {
			t.Fatal(err)
		}
		bound := use.Files + use.Folders + copyRows/2
		quota := func(files *int64) {
			t.Helper()
			if err := d.Tx(ctx, func(tx *db.Tx) error { return w.Contents.SetQuota(ctx, tx, ada, nil, files) }); err != nil {
				t.Fatal(err)
			}
		}
		quota(&bound)
		if _, err := w.storeCopy(ctx, p); !errors.Is(err, content.ErrQuota) {
			t.Errorf("beyond the quota: %v", err)
		}
		w.gone("beyond the quota")
		quota(nil)

		// Its place goes on the way.
		into := w.mustFolder(ada, w.from.ID, "into")
		to, err := w.planCopy(ctx, ada, w.from.ID, Place{Parent: new(string)})
		if err != nil {
			t.Fatal(err)
		}
		to.from.Parent = into.ID // as if it had moved below the original
		if _, err := w.storeCopy(ctx, to); !errors.Is(err, errCycle) {
			t.Errorf("below itself: %v", err)
		}
		if err := w.Delete(ctx, ada, into.ID); err != nil {
			t.Fatal(err)
		}
		w.gone("below itself")
		to, err = w.planCopy(ctx, ada, w.from.ID, Place{Parent: new(string)})
		if err != nil {
			t.Fatal(err)
		}
		to.from.Parent = into.ID
		if _, err := w.storeCopy(ctx, to); !errors.Is(err, errNotFound) {
			t.Errorf("into nothing: %v", err)
		}
		w.gone("into nothing")
	})
}

// countBelow counts the entries below a folder that the root leads to.
func (w *world) countBelow(id string) (n int) {
	w.t.Helper()
	entries, _, err := w.List(context.Background(), ada, id, "created", "", 100_000)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		if n++; e.Kind == Folder {
			n += w.countBelow(e.ID)
		}
	}
	return n
}

// Something is deleted for good between the look at the original and the copy: the copy is of
// what is left, and absent when the original is gone.
func TestCopyOfWhatGoes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		from := w.mustFolder(ada, "", "from")
		w.fill(from.ID, copyRows+10)
		one := w.mustUpload(ada, from.ID, upFile{"one", "", "another content"})
		meanwhile := func(id string) {
			w.Now = func() time.Time {
				w.Now = w.below.Now
				if err := w.Delete(ctx, ada, id); err != nil {
					t.Error(err)
				}
				w.below.RunJobs()
				return w.below.Now()
			}
		}
		meanwhile(one.ID)
		e, err := w.Copy(ctx, ada, from.ID, Place{})
		if err != nil {
			t.Fatal(err)
		}
		w.counted()
		if n := w.countBelow(e.ID); n != copyRows+10 {
			t.Errorf("the copy holds %d entries", n)
		}
		if err := w.Delete(ctx, ada, e.ID); err != nil {
			t.Fatal(err)
		}
		meanwhile(from.ID)
		if e, err := w.Copy(ctx, ada, from.ID, Place{}); !errors.Is(err, errNotFound) {
			t.Errorf("a copy of nothing: %+v, %v", e, err)
		}
		w.counted()
		w.drained()
	})
}

// Two copies of one large folder, into each other's place, and its deletion at once: a copy is
// whole or is not there.
func TestCopyInStepsRaces(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		const many = copyRows + 20
		for i := range 3 {
			from := w.mustFolder(ada, "", fmt.Sprint("from ", i))
			w.fill(from.ID, many)
			name := "to"
			made := make([]Entry, 4)
			copying := func(j int) func(*Service) error {
				return func(s *Service) (err error) { made[j], err = s.Copy(ctx, ada, from.ID, Place{Name: &name}); return err }
			}
			w.race(copying(0), func(s *Service) error {
				if i == 0 {
					return nil
				}
				return s.Delete(ctx, ada, from.ID)
			}, copying(2), func(s *Service) error { return s.clearAll(ctx) })
			w.counted()
			whole := 0
			for _, e := range made {
				if e.ID == "" {
					continue
				}
				whole++
				if n := w.countBelow(e.ID); n != many {
					t.Errorf("round %d: a copy holds %d entries, want %d", i, n, many)
				}
			}
			if i == 0 && whole != 2 {
				t.Errorf("%d copies", whole)
			}
		}
		w.trashAll()
		w.drained()
	})
}

// TestCopySurvivesKills kills a process at random moments of copies. Each copy that is visible is
// whole, and after an hour nothing of the others is left.
func TestCopySurvivesKills(t *testing.T) {
	root := t.TempDir()
	w := crashWorld(t, root)
	from := w.mustFolder(ada, "", "from")
	const many = 2*copyRows + 10
	w.fill(from.ID, many)
	done := map[string]string{}
	dbtest.Kill(t, "TestCopyUntilKilled", root, func(what, name string) { done[name] = what })
	w = crashWorld(t, root)
	entries, _, err := w.List(t.Context(), ada, "", "created", "", 100_000)
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, e := range entries {
		there[e.Name] = true
		if n := w.countBelow(e.ID); n != many {
			t.Errorf("%s holds %d entries, want %d", e.Name, n, many)
		}
	}
	broken := 0
	for name, what := range done {
		if what == "copied" && !there[name] {
			t.Errorf("a copy is lost: %s", name)
		}
		if !there[name] {
			broken++
		}
	}
	t.Logf("%d copies, %d broken", len(entries)-1, broken)
	w.below.Advance(copyTime + time.Minute)
	if err := w.clearAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.counted()
	if got, want := w.rows("files"), int64(len(entries)*(many+1)); got != want || w.rows("file_gone") != 0 {
		t.Errorf("%d entries are left, want %d; %d marks", got, want, w.rows("file_gone"))
	}
}

// TestCopyUntilKilled is the process that [TestCopySurvivesKills] kills; on its own it does
// nothing.
func TestCopyUntilKilled(t *testing.T) {
	root := dbtest.WorkIn()
	if root == "" {
		return
	}
	w := crashWorld(t, root)
	ctx := t.Context()
	entries, _, err := w.List(ctx, ada, "", "created", "", 1)
	if err != nil {
		t.Fatal(err)
	}
	for {
		name := hex.EncodeToString([]byte("killed..")) + fmt.Sprintf("%016x", rand.Uint64())
		p := w.plan(entries[0].ID, name)
		for len(p.below)-p.stored > copyRows {
			if err := w.copySome(ctx, p); err != nil {
				t.Fatal(err)
			}
			fmt.Println("begun", name)
		}
		if _, err := w.copyRest(ctx, p); err != nil {
			t.Fatal(err)
		}
		fmt.Println("copied", name)
	}
}
