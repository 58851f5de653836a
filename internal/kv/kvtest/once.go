package kvtest

import (
	"time"
)

// first is a call of Once with a key that is made now.
func (k *kit) first(key string, ttl time.Duration) bool {
	k.Helper()
	ok, err := k.store.Once(k.Context(), key, k.clock.Now(), ttl)
	if err != nil {
		k.Fatal(err)
	}
	return ok
}

// A key is first once in its ttl, and again after that. A repetition does not prolong it.
func (k *kit) once() {
	for _, key := range append(k.keys("once"), k.own+"\x00\xff") {
		if !k.first(key, k.clock.life()) {
			k.Errorf("%q: the first call is not the first", key)
		}
		if !k.first(key+"other", time.Hour) {
			k.Errorf("%q: another key is not its own", key)
		}
		if !k.clock.real && k.first(key, time.Hour) {
			k.Errorf("%q: the second call is the first", key)
		}
		// A store may forget some seconds late.
		k.clock.pass(k.T, k.clock.life()+30*time.Second, "the end of a mark", func() bool { return k.first(key, time.Hour) })
		for range 3 {
			if k.first(key, time.Hour) || k.first(key+"other", time.Hour) {
				k.Errorf("%q: a later call is the first", key)
			}
		}
	}
}

func (k *kit) onceAtOnce() {
	for _, key := range k.keys("first of many") {
		if won := k.race(50, func(int) (bool, error) { return k.store.Once(k.Context(), key, k.clock.Now(), time.Hour) }); won != 1 {
			k.Errorf("%q: %d calls at once were the first", key, won)
		}
	}
}
