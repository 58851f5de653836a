package kvtest

import (
	"context"
	"errors"
	"slices"
	"time"

	"coffer/internal/kv"
)

// windows are the cases of [kv.Windows], for the stores that have it.
func (k *kit) windows() {
	s, ok := k.store.(kv.Windows)
	if !ok {
		return
	}
	ctx := k.Context()
	w := func(name string, limit int, part float64) kv.Window {
		return kv.Window{This: k.own + name + ":2", Last: k.own + name + ":1", Part: part, Limit: limit, TTL: time.Hour}
	}
	count := func(take bool, all ...kv.Window) ([]kv.Counts, bool) {
		k.Helper()
		counts, room, err := s.Count(ctx, all, take)
		if err != nil {
			k.Fatal(err)
		}
		return counts, room
	}
	two, ten := w("two", 2, 1), w("ten", 10, 0.5)
	for n := range int64(2) {
		if counts, room := count(true, ten, two); !room || !slices.Equal(counts, []kv.Counts{{This: n}, {This: n}}) {
			k.Fatalf("call %d: %v %v", n, counts, room)
		}
	}
	// One without room: none counts, whichever comes first.
	for _, all := range [][]kv.Window{{ten, two}, {two, ten}, {two}} {
		if _, room := count(true, all...); room {
			k.Errorf("%v: a third call of two", all)
		}
	}
	k.wants(ten.This, []byte("2"))
	// Asking counts nothing, and an empty list has room.
	if counts, room := count(false, ten); !room || counts[0].This != 2 {
		k.Errorf("asked: %v %v", counts, room)
	}
	if _, room := count(true); !room {
		k.Error("no window has no room")
	}
	k.wants(ten.This, []byte("2"))
	// The last bucket counts in part, rounded in the limit's favour.
	k.added(ten.Last, 13, 13) // 6.5 of 10: three have room
	if _, room := count(true, ten); !room {
		k.Error("the third of three has no room")
	}
	if counts, room := count(true, ten); room || counts[0] != (kv.Counts{This: 3, Last: 13}) {
		k.Errorf("the fourth of three: %v %v", counts, room)
	}
	// Calls go back to this bucket, then to the last, and a counter of none is absent.
	for _, want := range []string{"2", "1", ""} {
		if err := s.Return(ctx, []kv.Window{ten, w("unknown", 1, 1)}); err != nil {
			k.Fatal(err)
		}
		if want == "" {
			k.wants(ten.This, nil)
		} else {
			k.wants(ten.This, []byte(want))
		}
		k.wants(ten.Last, []byte("13"))
	}
	if err := s.Return(ctx, []kv.Window{ten, two}); err != nil {
		k.Fatal(err)
	}
	k.wants(ten.Last, []byte("12"))
	k.wants(two.This, []byte("1"))
	k.wants(w("unknown", 1, 1).Last, nil)
	// A value is no counter.
	k.put(k.own+"value:2", []byte("5"))
	if _, _, err := s.Count(ctx, []kv.Window{w("value", 9, 1)}, true); !errors.Is(err, kv.ErrNotCounter) {
		k.Errorf("a value: %v", err)
	}
	if _, _, err := s.Count(ctx, []kv.Window{ten, w("value", 9, 1)}, true); !errors.Is(err, kv.ErrNotCounter) {
		k.Errorf("a value beside a counter: %v", err)
	}
	k.wants(ten.This, nil)
	if _, _, err := s.Count(ctx, []kv.Window{{This: "", Last: "x", TTL: time.Hour}}, true); err == nil {
		k.Error("an empty key counts")
	}
	left, leave := context.WithCancel(ctx)
	leave()
	if _, _, err := s.Count(left, []kv.Window{ten}, true); !errors.Is(err, context.Canceled) {
		k.Errorf("a caller that gave up: %v", err)
	}
}

// windowsAtOnce: of calls at once as many pass as the strictest window has room for, and
// nothing stays of the others. All of them go back at once.
func (k *kit) windowsAtOnce() {
	s, ok := k.store.(kv.Windows)
	if !ok {
		return
	}
	all := []kv.Window{
		{This: k.own + "b", Last: k.own + "b-", Limit: 40, TTL: time.Hour}, {This: k.own + "a", Last: k.own + "a-", Limit: 7, TTL: time.Hour},
		{This: k.own + "c", Last: k.own + "c-", Limit: 1000, TTL: time.Hour},
	}
	turned := []kv.Window{all[2], all[1], all[0]} // an order in which some could wait for each other
	passed := k.race(60, func(i int) (bool, error) {
		_, room, err := s.Count(k.Context(), [][]kv.Window{all, turned}[i%2], true)
		return room, err
	})
	if passed != 7 {
		k.Errorf("%d passed, want 7", passed)
	}
	one := kv.Window{This: k.own + "one", Last: k.own + "one-", Limit: 9, TTL: time.Hour}
	if passed := k.race(60, func(int) (bool, error) {
		_, room, err := s.Count(k.Context(), []kv.Window{one}, true)
		return room, err
	}); passed != 9 {
		k.Errorf("%d passed one window, want 9", passed)
	}
	for _, w := range all {
		k.wants(w.This, []byte("7"))
	}
	k.race(7, func(i int) (bool, error) { return true, s.Return(k.Context(), [][]kv.Window{all, turned}[i%2]) })
	for _, w := range all {
		k.wants(w.This, nil)
		k.wants(w.Last, nil)
	}
}

// A counter of a window expires ttl after its first call, and then begins anew.
func (k *kit) windowsExpire() {
	s, ok := k.store.(kv.Windows)
	if !ok {
		return
	}
	w := kv.Window{This: k.own + "ends", Last: k.own + "ends-", Part: 1, Limit: 2, TTL: k.clock.life()}
	count := func() (kv.Counts, bool) {
		counts, room, err := s.Count(k.Context(), []kv.Window{w}, true)
		if err != nil {
			k.Fatal(err)
		}
		return counts[0], room
	}
	count()
	count()
	k.clock.pass(k.T, k.clock.life(), "the window's end", func() bool {
		_, err := k.store.Get(k.Context(), w.This)
		return errors.Is(err, kv.ErrMissing)
	})
	w.TTL = time.Hour
	if c, room := count(); !room || c.This != 0 {
		k.Errorf("an expired window went on: %v %v", c, room)
	}
}
