package search

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/file"
)

// TestWithoutIndex: an account whose names find no room is searched all the same, and what a
// search takes is given back.
func TestWithoutIndex(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.Config
		c.Memory = 1000
		w.reset(c)
		papers := w.folder(w.ada, "", "papers")
		gone := w.folder(w.ada, "", "gone")
		var names, want []string
		for i := range 25 {
			names = append(names, fmt.Sprintf("otter %02d", i))
			want = append(want, fmt.Sprintf("papers/otter %02d", i))
		}
		w.upload(w.ada, gone, names...)
		w.upload(w.ada, papers, names...)
		w.upload(w.bob, "", "otter of bob")
		if err := w.Files.Delete(t.Context(), w.ada, gone); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if diff := cmp.Diff(want, sorted(w.names(w.ada, "otter", "", 7))); diff != "" {
				t.Error(diff)
			}
		}
		if diff := cmp.Diff([]string{"papers/otter 03"}, w.names(w.ada, "03 ot", papers, 7)); diff != "" {
			t.Error(diff)
		}
		w.kept.mu.Lock()
		defer w.kept.mu.Unlock()
		if x := w.kept.all[w.ada]; w.kept.taken != 0 || x == nil || !x.large {
			t.Errorf("%d bytes are counted, index %+v", w.kept.taken, x)
		}
	})
}

// TestMemory: the index that was used longest ago makes room, and what no search uses goes.
func TestMemory(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	now := w.below.Now()
	clock := sync.Mutex{}
	c := w.Config
	c.Now = func() time.Time { clock.Lock(); defer clock.Unlock(); return now }
	pass := func(d time.Duration) { clock.Lock(); now = now.Add(d); clock.Unlock() }
	eve := w.below.Join("eve")
	for i, who := range []account.ID{w.ada, w.bob, eve} {
		w.upload(who, "", fmt.Sprintf("otter %d", i))
	}
	w.reset(c)
	search := func(who account.ID) {
		t.Helper()
		if got := w.names(who, "otter", "", 50); len(got) != 1 {
			t.Errorf("%q", got)
		}
		pass(time.Second)
	}
	search(w.ada)
	c.Memory = w.kept.taken*2 + w.kept.taken/2 // for two
	w.reset(c)
	kept := func() (all []account.ID) {
		w.kept.mu.Lock()
		defer w.kept.mu.Unlock()
		sum := int64(0)
		for _, who := range []account.ID{w.ada, w.bob, eve} {
			if x := w.kept.all[who]; x != nil {
				all = append(all, who)
				sum += x.bytes
			}
		}
		if sum != w.kept.taken || sum > c.Memory {
			t.Errorf("indexes take %d, counted are %d of %d", sum, w.kept.taken, c.Memory)
		}
		return all
	}
	for _, step := range []struct {
		who  account.ID
		want []account.ID
	}{{w.ada, []account.ID{w.ada}}, {w.bob, []account.ID{w.ada, w.bob}}, {w.ada, []account.ID{w.ada, w.bob}}, {eve, []account.ID{w.ada, eve}}, {w.bob, []account.ID{w.bob, eve}}} {
		if search(step.who); !cmp.Equal(kept(), step.want) {
			t.Errorf("after a search of %s %v are kept, want %v", step.who, kept(), step.want)
		}
	}
	pass(idle - 2*time.Second)
	w.kept.giveBack()
	if got := kept(); !cmp.Equal(got, []account.ID{w.bob}) {
		t.Errorf("after %s %v are kept", idle, got)
	}
	pass(time.Hour)
	w.kept.giveBack()
	if got := kept(); got != nil || w.kept.taken != 0 || w.kept.timer != nil {
		t.Errorf("after an hour %v are kept, %d bytes", got, w.kept.taken)
	}
	search(w.ada)
}

// TestOneReading: callers that come together wait for one reading. One that leaves ends
// its own wait only.
func TestOneReading(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.upload(w.ada, "", "otter")
	count, err := w.Files.Count(t.Context(), w.ada)
	if err != nil {
		t.Fatal(err)
	}
	x := w.kept.get(w.ada)
	begun, goOn := make(chan bool, 100), make(chan bool)
	read := func(ctx context.Context, x *index) error {
		begun <- true
		<-goOn
		return w.read(ctx, x)
	}
	leaving, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() { left <- x.bring(leaving, count, read) }()
	<-begun
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that left: %v", err)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := x.bring(t.Context(), count, read); err != nil {
				t.Error(err)
			}
		})
	}
	close(goOn)
	all.Wait()
	if n := len(begun); n != 0 {
		t.Errorf("the names were read %d times more", n)
	}
	if got := w.names(w.ada, "otter", "", 50); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

// TestSearchWhileChanging: a search beside changes shows nothing that was gone before it
// began, and all that had come.
func TestSearchWhileChanging(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		folder := w.folder(w.ada, "", "folder")
		var all sync.WaitGroup
		for g := range 4 {
			all.Go(func() {
				for i := range 6 {
					word := fmt.Sprintf("w%dx%d", g, i)
					id := w.upload(w.ada, folder, word)[0]
					find := func(want int) {
						found, _, err := w.Find(t.Context(), w.ada, word, folder, "", 50)
						if err != nil || len(found) != want {
							t.Errorf("%s: %v, want %d, %v", word, found, want, err)
						}
					}
					find(1)
					word2 := word + "y"
					if _, err := w.Files.Update(t.Context(), w.ada, id, file.Change{Name: &word2}); err != nil {
						t.Error(err)
					}
					word = word2
					find(1)
					if err := w.Files.Delete(t.Context(), w.ada, id); err != nil {
						t.Error(err)
					}
					find(0)
				}
			})
		}
		all.Wait()
	})
}

// TestScanOnce: a search without an index reads the names once, however many other folders
// have hits.
func TestScanOnce(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	papers := w.folder(w.ada, "", "papers")
	w.upload(w.ada, papers, "otter here")
	w.seed(w.ada, 3000, func(i int) string { return fmt.Sprintf("otter %d", i) })
	for _, limit := range []int{2, 50} {
		hits, last, err := w.scan(t.Context(), w.ada, query("otter"), uuid.MustParse(papers), nil, limit)
		if len(hits) != 1 || last != nil || err != nil {
			t.Errorf("%d hits, the next reading begins at %v: %v", len(hits), last, err)
		}
	}
	hits, last, err := w.scan(t.Context(), w.ada, query("otter"), uuid.UUID{}, nil, 50)
	if len(hits) != 50 || last == nil || err != nil {
		t.Errorf("%d hits, %v: %v", len(hits), last, err)
	}
}

// TestDroppedWhileRead: an index that loses its room to others is read no further, since
// nothing counts its memory. The search finds all the same.
func TestDroppedWhileRead(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.upload(w.ada, "", "otter")
	count, err := w.Files.Count(t.Context(), w.ada)
	if err != nil {
		t.Fatal(err)
	}
	x := w.kept.get(w.ada)
	grown := make(chan error, 1)
	err = x.bring(t.Context(), count, func(ctx context.Context, x *index) error {
		w.kept.mu.Lock()
		w.kept.drop(x)
		w.kept.mu.Unlock()
		err := w.read(ctx, x)
		grown <- err
		return err
	})
	if !errors.Is(err, errNoRoom) || !errors.Is(<-grown, errDropped) {
		t.Errorf("the reading went on: %v", err)
	}
	if got := w.names(w.ada, "otter", "", 50); len(got) != 1 || w.kept.all[w.ada].large {
		t.Errorf("%q", got)
	}
}

// TestColdReadings: accounts that are searched for the first time wait for each other, so
// that many at once take neither all memory nor all connections to the database.
func TestColdReadings(t *testing.T) {
	k := newIndexes(1<<20, time.Now)
	var most, now atomic.Int32
	var all sync.WaitGroup
	begun, goOn := make(chan bool, 20), make(chan bool)
	for i := range 20 {
		x := k.get(account.ID(fmt.Sprint(i)))
		all.Go(func() {
			err := x.bring(t.Context(), 1, func(_ context.Context, x *index) error {
				most.Store(max(most.Load(), now.Add(1)))
				defer now.Add(-1)
				begun <- true
				<-goOn
				x.take(1, nil)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	for range coldBuilds {
		<-begun
	}
	close(goOn)
	all.Wait()
	if n := most.Load(); n > coldBuilds {
		t.Errorf("%d accounts were read at once", n)
	}
}
