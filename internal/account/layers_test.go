package account

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/limit/limittest"
)

// back is a room with a recovery method, as backup codes will be.
type back struct {
	mu  sync.Mutex
	on  bool
	off int // times that it was turned off
}

func (b *back) register(s *Service) {
	s.AddWayBack(WayBack{
		On: func(context.Context, db.Querier, ID) (bool, error) {
			b.mu.Lock()
			defer b.mu.Unlock()
			return b.on, nil
		},
		Off: func(context.Context, *db.Tx, ID) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.on = false
			b.off++
			return nil
		},
	})
}

// A layer that a recovery method needs goes only with the method, and only when the owner
// agrees.
func TestRecoveryNeedsTwoLayers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.join(person1("grace"))
		b := &back{on: true}
		b.register(w.Service)
		set := func(layer string) {
			t.Helper()
			if err := d.Tx(t.Context(), func(tx *db.Tx) error { return w.SetLayer(t.Context(), tx, id, layer, true) }); err != nil {
				t.Fatal(err)
			}
		}
		drop := func(layer string, agreed bool) error {
			return d.Tx(context.Background(), func(tx *db.Tx) error { return w.DropLayer(context.Background(), tx, id, layer, agreed) })
		}
		on := func() []string {
			t.Helper()
			st, err := w.State(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			return st.Layers
		}
		for _, layer := range []string{"a", "b", "c"} {
			set(layer)
		}
		if err := drop("a", false); err != nil || len(on()) != 2 || !b.on {
			t.Errorf("a third layer: %v, %v", err, on())
		}
		if err := drop("b", false); !errors.Is(err, ErrRecoveryNeedsLayers) || len(on()) != 2 || !b.on {
			t.Errorf("a second layer: %v, %v", err, on())
		}
		if err := drop("b", true); err != nil || !slices.Equal(on(), []string{"c"}) || b.on || b.off != 1 {
			t.Errorf("with the owner's word: %v, %v, %+v", err, on(), b)
		}
		if err := drop("c", false); err != nil || len(on()) != 0 {
			t.Errorf("without a recovery method: %v", err)
		}

		// Of two that go at once, one sees the other: a method never stands on fewer than two.
		for _, layer := range []string{"a", "b", "c"} {
			set(layer)
		}
		b.on = true
		next := make(chan string, 3)
		for _, layer := range []string{"a", "b", "c"} {
			next <- layer
		}
		if won := limittest.AtOnce(3, func() error { return drop(<-next, false) }); won != 1 || len(on()) != 2 {
			t.Errorf("%d layers went at once, %v are left", won, on())
		}
	})
}

// The layer stays on when a recovery room fails to read its methods, or to turn them off.
func TestRecoveryThatFailsKeepsTheLayer(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	w := newWorld(t, d)
	id := w.join(person1("grace"))
	failed := errors.New("away")
	w.AddWayBack(WayBack{
		On:  func(context.Context, db.Querier, ID) (bool, error) { return true, nil },
		Off: func(context.Context, *db.Tx, ID) error { return failed },
	})
	err := d.Tx(t.Context(), func(tx *db.Tx) error {
		return w.SetLayer(t.Context(), tx, id, "a", true)
	})
	if err == nil {
		err = d.Tx(t.Context(), func(tx *db.Tx) error { return w.DropLayer(t.Context(), tx, id, "a", true) })
	}
	st, readErr := w.State(t.Context(), id)
	if !errors.Is(err, failed) || readErr != nil || len(st.Layers) != 1 {
		t.Errorf("%v, %v, %v", err, readErr, st.Layers)
	}
}

// The choice "always ask" is sealed with the standing: it survives a layer and a new epoch,
// and a writer of the columns does not take it away.
func TestAlwaysAskIsSealed(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.join(person1("grace"))
		is := func(want bool) {
			t.Helper()
			st, err := w.State(t.Context(), id)
			p, pErr := w.Profile(t.Context(), id)
			if err != nil || pErr != nil || st.AlwaysAsk != want || p.AlwaysAsk != want {
				t.Errorf("always ask: %t and %t, want %t; %v, %v", st.AlwaysAsk, p.AlwaysAsk, want, err, pErr)
			}
		}
		is(false)
		if err := w.SetAlwaysAsk(t.Context(), id, true); err != nil {
			t.Fatal(err)
		}
		is(true)
		err := d.Tx(t.Context(), func(tx *db.Tx) error {
			return errors.Join(w.SetLayer(t.Context(), tx, id, "a", true), w.InvalidateSessions(t.Context(), tx, id, ""))
		})
		if err != nil {
			t.Fatal(err)
		}
		is(true)
		for range 2 { // the second changes nothing, and tells nothing
			if err := w.SetAlwaysAsk(t.Context(), id, false); err != nil {
				t.Fatal(err)
			}
		}
		is(false)
		if m := w.mail(alwaysAskOff); m.To != "grace@example.org" {
			t.Errorf("told %q", m.To)
		}
	})
}

func TestMaskEmail(t *testing.T) {
	t.Parallel()
	for email, want := range map[string]string{
		"ada@example.org": "a…@example.org", "a@b.c": "a…@b.c", "élan@example.org": "é…@example.org", "x@y@z": "x…@z", "none": "", "": "", "@b": "…@b",
	} {
		if got := MaskEmail(email); got != want {
			t.Errorf("MaskEmail(%q) = %q, want %q", email, got, want)
		}
	}
}

// A secret that is no password takes a slot of the passwords' hasher.
func TestHashSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	before := w.hasher.done.Load()
	hash, err := w.HashSecret(t.Context(), "rosebud")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"rosebud": true, "Rosebud": false, "": false} {
		if ok, err := w.MatchSecret(t.Context(), hash, text); err != nil || ok != want {
			t.Errorf("%q: %t, %v", text, ok, err)
		}
	}
	if ok, err := w.MatchSecret(t.Context(), "", "rosebud"); err != nil || ok {
		t.Errorf("no hash: %t, %v", ok, err)
	}
	if n := w.hasher.done.Load() - before; n != 5 {
		t.Errorf("%d of 5 went through the hasher", n)
	}
	for range cap(w.hasher.slots) {
		w.hasher.slots <- struct{}{}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := w.HashSecret(ctx, "rosebud"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without a free slot: %v", err)
	}
}
