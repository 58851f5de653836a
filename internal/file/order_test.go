package file

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"coffer/internal/content"
	"coffer/internal/db/dbtest"
)

// otherNode is the room once more, as another process has it: with orders of its own.
func (w *world) otherNode() *Service {
	return &Service{Config: w.Config, copies: NewPlaces(copiesAtOnce)}
}

// byName returns the names of a folder in order, as one node sees them.
func byName(t *testing.T, s *Service, parent, sort string) (names []string) {
	t.Helper()
	entries, _, err := s.List(t.Context(), ada, parent, sort, "", 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name)
	}
	return names
}

// After any changes, of this node or of another one, the order that is kept is the order
// that would be made anew; and as long as the changes are this node's, it is not made anew.
func TestKeptOrderIsTheOrder(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	ctx := t.Context()
	folders := []string{"", w.mustFolder(ada, "", "one").ID, w.mustFolder(ada, "", "two").ID}
	for _, f := range folders {
		byName(t, w.Service, f, "name")
	}
	var entries []Entry
	random := rand.New(rand.NewPCG(7, 11))
	name := func() string { return []string{"a", "B", "a10", "a9", "ä", "z"}[random.IntN(6)] }
	step := func(s *Service) {
		t.Helper()
		parent, n := folders[random.IntN(len(folders))], name()
		if len(entries) == 0 || random.IntN(3) == 0 {
			u := s.NewUpload(ada)
			for range 1 + random.IntN(3) {
				if err := u.Add(ctx, name(), content.UnknownType, strings.NewReader("")); err != nil {
					t.Fatal(err)
				}
			}
			more, err := u.Publish(ctx, parent)
			if err != nil {
				t.Fatal(err)
			}
			e, err := s.NewFolder(ctx, ada, parent, n)
			if err != nil {
				t.Fatal(err)
			}
			entries = append(append(entries, more...), e)
			return
		}
		i := random.IntN(len(entries))
		var err error
		switch random.IntN(4) {
		case 0:
			entries[i], err = s.Update(ctx, ada, entries[i].ID, Change{Name: &n})
		case 1:
			entries[i], err = s.Update(ctx, ada, entries[i].ID, Change{Parent: &parent})
		case 2:
			entries[i], err = s.Update(ctx, ada, entries[i].ID, Change{Name: &n, Parent: &parent})
		case 3:
			err = s.Delete(ctx, ada, entries[i].ID)
			entries = slices.Delete(entries, i, i+1)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	other := w.otherNode()
	for n := range 100 {
		missed := n%33 == 32
		if missed { // a change of another node, and at once one of this node on top
			step(other)
		}
		step(w.Service)
		for _, f := range folders {
			changes, err := readChanges(ctx, w.DB, ada, f)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := w.orders.get(ada, f, changes); !ok && !missed {
				t.Fatalf("step %d: the order was lost by a change of this node", n)
			}
			for _, sort := range []string{"name", "-name"} {
				if got, want := byName(t, w.Service, f, sort), byName(t, w.otherNode(), f, sort); !slices.Equal(got, want) {
					t.Fatalf("step %d, %s: %q is kept, %q is the order", n, sort, got, want)
				}
			}
		}
	}
}

// Changes at once may overtake each other on the way to the order; it stays true.
func TestKeptOrderUnderRaces(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	byName(t, w.Service, "", "name")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 10 {
				e, err := w.NewFolder(context.Background(), ada, "", fmt.Sprint("f", n))
				if err == nil && n%3 == i%3 {
					err = w.Delete(context.Background(), ada, e.ID)
				}
				if err == nil {
					_, _, err = w.List(context.Background(), ada, "", "name", "", 5)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got, want := byName(t, w.Service, "", "name"), byName(t, w.otherNode(), "", "name"); !slices.Equal(got, want) {
		t.Errorf("%q is kept, %q is the order", got, want)
	}
}

// What is kept is bounded, and what was used last stays.
func TestOrdersAreBounded(t *testing.T) {
	var o orders
	long := make([]ordered, maxOrdered/4)
	for i := range 10 {
		o.put(ada, fmt.Sprint(i), 1, long)
		if _, ok := o.get(ada, "0", 1); !ok {
			t.Fatalf("the order used last was dropped after %d", i)
		}
	}
	if len(o.kept) != 3 || o.total > maxOrdered {
		t.Errorf("%d orders of %d entries are kept", len(o.kept), o.total)
	}
	o.put(ada, "0", 2, make([]ordered, maxOrdered+1))
	if _, ok := o.get(ada, "0", 2); ok {
		t.Error("an order that is too long is kept")
	}
	for i := range 10 {
		o.drop(ada, fmt.Sprint(i))
	}
	if o.total != 0 || len(o.kept) != 0 {
		t.Errorf("of nothing %d entries are counted", o.total)
	}
}
