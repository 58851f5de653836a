package kvtest

import (
	"errors"
	"time"

	"coffer/internal/kv"
)

func (k *kit) counters() {
	key := k.own + "counter"
	k.added(key, 1, 1)
	k.added(key, 0, 1)
	k.added(key, -5, -4)
	k.wants(key, []byte("-4"))
	k.added(key, 46, 42)
	other := k.own + "deleted"
	k.added(other, 7, 7)
	if err := k.store.Delete(k.Context(), other); err != nil {
		k.Error(err)
	}
	k.wants(other, nil)
}

// A counter expires ttl after its first Add; an expired one starts at zero.
func (k *kit) counterKeepsItsEnd() {
	ctx, key := k.Context(), k.own+"window"
	add := func(ttl time.Duration) int64 {
		n, err := k.store.Add(ctx, key, 1, ttl)
		if err != nil {
			k.Fatal(err)
		}
		return n
	}
	add(k.clock.life())
	add(time.Hour)
	k.clock.pass(k.T, k.clock.life(), "the counter's end", func() bool {
		_, err := k.store.Get(ctx, key)
		return errors.Is(err, kv.ErrMissing)
	})
	if got := add(time.Hour); got != 1 {
		k.Errorf("an expired counter went on: %d", got)
	}
	k.wants(key, []byte("1"))
}

func (k *kit) addsAddUp() {
	key := k.own + "total"
	sums := make(chan int64, 50)
	k.race(50, func(int) (bool, error) {
		n, err := k.store.Add(k.Context(), key, 3, time.Hour)
		sums <- n
		return true, err
	})
	close(sums)
	seen := map[int64]bool{}
	for n := range sums {
		if n%3 != 0 || n < 3 || n > 150 || seen[n] {
			k.Errorf("a sum of %d, seen before: %t", n, seen[n])
		}
		seen[n] = true
	}
	k.wants(key, []byte("150"))
}

// A counter that returns to zero is removed, from either side and by any caller.
func (k *kit) zeroIsAbsent() {
	key := k.own + "zero"
	for _, deltas := range [][]int64{{1, -1}, {3, -1, -2}, {-2, 2}, {0}, {-1, 3, -2}} {
		var sum int64
		for _, d := range deltas {
			sum += d
			k.added(key, d, sum)
		}
		k.wants(key, nil)
	}
	k.added(key, 50, 50)
	k.race(50, func(int) (bool, error) {
		_, err := k.store.Add(k.Context(), key, -1, time.Hour)
		return true, err
	})
	k.wants(key, nil)
	// A later Add begins a new life.
	k.added(key, 2, 2)
	k.wants(key, []byte("2"))
}

func (k *kit) valueOrCounter() {
	for _, value := range []string{"5", "", "text"} {
		key := k.own + "value" + value
		k.put(key, []byte(value))
		if n, err := k.store.Add(k.Context(), key, 1, time.Hour); !errors.Is(err, kv.ErrNotCounter) {
			k.Errorf("Add to the value %q: %d, %v; want ErrNotCounter", value, n, err)
		}
		k.wants(key, []byte(value))
	}
	key := k.own + "counter"
	k.added(key, 1, 1)
	k.put(key, []byte("now a value"))
	k.wants(key, []byte("now a value"))
}
