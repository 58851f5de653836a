// Package kvtest is the contracts of kv.Store and kv.Bus as tests: every store and every bus runs the same cases.
package kvtest

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/internal/kv"
)

// Clock is the time of a store under test: manual, or real for a store on its own server.
type Clock struct {
	mu   sync.Mutex
	at   time.Time
	real bool
}

// Now returns the time for the store.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.real {
		return time.Now()
	}
	return c.at
}

// Real says that the store uses its server's clock. Lives are then short, and tests wait.
func (c *Clock) Real() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.real = true
}

// life returns a ttl that a test can outlast.
func (c *Clock) life() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.real {
		return 60 * time.Millisecond
	}
	return time.Minute
}

// pass lets d go by and then requires ok. On a real clock it polls until a generous
// deadline.
func (c *Clock) pass(t *testing.T, d time.Duration, what string, ok func() bool) {
	t.Helper()
	c.mu.Lock()
	wait := c.real
	c.at = c.at.Add(d)
	c.mu.Unlock()
	if !wait {
		if !ok() {
			t.Errorf("%s: not after %s", what, d)
		}
		return
	}
	Eventually(t, what, ok)
}

// Eventually polls until ok holds. It fails the test after ten seconds, a limit that
// measures nothing.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Errorf("%s: not within ten seconds", what)
			return
		}
	}
}

// RedisURL returns the server for tests. Without one it skips the test, or fails it
// when COFFER_TEST_REQUIRE=1.
func RedisURL(t testing.TB) string {
	t.Helper()
	url := os.Getenv("COFFER_TEST_REDIS_URL")
	if url != "" {
		return url
	}
	if os.Getenv("COFFER_TEST_REQUIRE") == "1" {
		t.Fatal("COFFER_TEST_REDIS_URL is not set and COFFER_TEST_REQUIRE=1 allows no skipping")
	}
	t.Skip("needs a Redis or Valkey server: COFFER_TEST_REDIS_URL is not set (make test brings one)")
	return ""
}

// Run runs every case on the stores that open returns. It calls open once per case.
func Run(t *testing.T, open func(t *testing.T, clock *Clock) kv.Store) {
	for _, c := range []struct {
		name string
		run  func(*kit)
	}{
		{"OddKeysAndValues", (*kit).oddKeysAndValues},
		{"Limits", (*kit).limits},
		{"Absent", (*kit).absent},
		{"Expiry", (*kit).expiry},
		{"Counters", (*kit).counters},
		{"CounterKeepsItsEnd", (*kit).counterKeepsItsEnd},
		{"AddsAddUp", (*kit).addsAddUp},
		{"ZeroIsAbsent", (*kit).zeroIsAbsent},
		{"ValueOrCounter", (*kit).valueOrCounter},
		{"Once", (*kit).once},
		{"OnceAtOnce", (*kit).onceAtOnce},
		{"DeleteIsSeenAtOnce", (*kit).deleteIsSeenAtOnce},
		{"Copies", (*kit).copies},
		{"Cancelled", (*kit).cancelled},
		{"Windows", (*kit).windows},
		{"WindowsAtOnce", (*kit).windowsAtOnce},
		{"WindowsExpire", (*kit).windowsExpire},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := &Clock{at: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}
			// A server may hold keys of other tests, so this run has its own prefix.
			c.run(&kit{T: t, store: open(t, clock), clock: clock, own: rand.Text()[:10] + ":"})
		})
	}
}

type kit struct {
	*testing.T
	store kv.Store
	clock *Clock
	own   string
}

// keys returns one key for each way of reading: a store may cache "session:".
func (k *kit) keys(name string) []string {
	return []string{k.own + name, "session:" + k.own + name}
}

func (k *kit) put(key string, value []byte) {
	k.Helper()
	if err := k.store.Put(k.Context(), key, value, time.Hour); err != nil {
		k.Fatalf("Put %q: %v", key, err)
	}
}

// wants checks the answer of Get; nil means absent.
func (k *kit) wants(key string, want []byte) {
	k.Helper()
	got, err := k.store.Get(k.Context(), key)
	if want == nil {
		if !errors.Is(err, kv.ErrMissing) || got != nil {
			k.Errorf("Get %q: %q, %v; want ErrMissing", short(key), short(string(got)), err)
		}
		return
	}
	if err != nil || got == nil || !slices.Equal(got, want) {
		k.Errorf("Get %q: %q, %v; want %q", short(key), short(string(got)), err, short(string(want)))
	}
}

func short(s string) string { return s[:min(len(s), 40)] }

func (k *kit) added(key string, delta, want int64) {
	k.Helper()
	got, err := k.store.Add(k.Context(), key, delta, time.Hour)
	if err != nil || got != want {
		k.Errorf("Add %d to %q: %d, %v; want %d", delta, key, got, err, want)
	}
}

func (k *kit) oddKeysAndValues() {
	odd := []string{
		"plain", "with space", " ", "\t\n", "über/größe?&=%", "日本語", "🔑", "\x00", "nul\x00inside", "\xff\xfe", "base64:AAAA", "base64:", "v",
		"'; DROP TABLE kv; --", "*", "{slot}", "a|b", "12", "session:", strings.Repeat("k", kv.MaxKey-len("session:")-len(k.own)),
	}
	values := map[string][]byte{
		"empty": {}, "nul": {0}, "text": []byte("text"), "not UTF-8": {0xff, 0xfe}, "number": []byte("42"), "marked": []byte("v1"),
		"largest": []byte(strings.Repeat("\x00v", kv.MaxValue/2)),
	}
	seen := map[string][]byte{}
	for _, name := range odd {
		for _, key := range k.keys(name) {
			value := []byte("value of " + key)
			k.put(key, value)
			seen[key] = value
		}
	}
	for name, value := range values {
		for _, key := range k.keys(name) {
			k.put(key, value)
			seen[key] = value
		}
	}
	for range 2 { // the second time perhaps from the cache
		for key, value := range seen {
			k.wants(key, value)
		}
	}
	for key := range seen {
		k.put(key, []byte("new"))
		k.wants(key, []byte("new"))
	}
}

func (k *kit) limits() {
	ctx := k.Context()
	long := strings.Repeat("k", kv.MaxKey+1)
	big := make([]byte, kv.MaxValue+1)
	for what, op := range map[string]func() error{
		"no key":           func() error { return k.store.Put(ctx, "", nil, time.Hour) },
		"long key":         func() error { return k.store.Put(ctx, long, nil, time.Hour) },
		"big value":        func() error { return k.store.Put(ctx, k.own, big, time.Hour) },
		"no life":          func() error { return k.store.Put(ctx, k.own, nil, 0) },
		"get of no key":    func() error { _, err := k.store.Get(ctx, ""); return err },
		"delete of long":   func() error { return k.store.Delete(ctx, long) },
		"add for no time":  func() error { _, err := k.store.Add(ctx, k.own, 1, 0); return err },
		"once for no time": func() error { _, err := k.store.Once(ctx, k.own, k.clock.Now(), 0); return err },
		"once of no key":   func() error { _, err := k.store.Once(ctx, "", k.clock.Now(), time.Hour); return err },
		"add too much":     func() error { _, err := k.store.Add(ctx, k.own, 1<<31+1, time.Hour); return err },
	} {
		if err := op(); err == nil || errors.Is(err, kv.ErrMissing) || errors.Is(err, kv.ErrUnavailable) {
			k.Errorf("%s: %v; want a refusal", what, err)
		}
	}
	k.wants(k.own, nil)
	k.added(k.own+"most", 1<<31, 1<<31)
	k.added(k.own+"most", -1<<31, 0)
}

func (k *kit) absent() {
	for _, key := range k.keys("absent") {
		k.wants(key, nil)
		if err := k.store.Delete(k.Context(), key); err != nil {
			k.Errorf("Delete of an absent key: %v", err)
		}
		k.wants(key, nil)
	}
}

func (k *kit) expiry() {
	ctx := k.Context()
	for _, key := range k.keys("expiry") {
		if err := k.store.Put(ctx, key, []byte("1"), k.clock.life()); err != nil {
			k.Fatal(err)
		}
		k.put(key+"stays", []byte("2"))
		k.wants(key+"stays", []byte("2"))
		k.clock.pass(k.T, k.clock.life(), "expiry of "+key, func() bool {
			_, err := k.store.Get(ctx, key)
			return errors.Is(err, kv.ErrMissing)
		})
		k.wants(key+"stays", []byte("2"))
		k.put(key, []byte("again"))
		k.wants(key, []byte("again"))
	}
}

// race runs n of op at once and returns how many return true.
func (k *kit) race(n int, op func(i int) (bool, error)) int {
	k.Helper()
	start := make(chan struct{})
	won := make(chan bool, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			ok, err := op(i)
			if err != nil {
				k.Error(err)
			}
			won <- ok
		})
	}
	close(start)
	wg.Wait()
	close(won)
	count := 0
	for ok := range won {
		if ok {
			count++
		}
	}
	return count
}

func (k *kit) deleteIsSeenAtOnce() {
	for _, key := range k.keys("gone") {
		for i := range 200 {
			value := []byte{byte(i)}
			k.put(key, value)
			k.wants(key, value)
			k.wants(key, value)
			if err := k.store.Delete(k.Context(), key); err != nil {
				k.Fatal(err)
			}
			k.wants(key, nil)
		}
	}
	// The same with constant readers, which fill any cache.
	key := "session:" + k.own + "busy"
	ctx, stop := context.WithCancel(k.Context())
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for ; ctx.Err() == nil; runtime.Gosched() { // reading from memory never waits
				if _, err := k.store.Get(ctx, key); err != nil && ctx.Err() == nil && !errors.Is(err, kv.ErrMissing) {
					k.Error(err)
					return
				}
			}
		})
	}
	for i := range 50 {
		value := []byte{byte(i)}
		k.put(key, value)
		k.wants(key, value)
		if err := k.store.Delete(k.Context(), key); err != nil {
			k.Fatal(err)
		}
		k.wants(key, nil)
	}
	stop()
	readers.Wait()
}

// Arguments and results belong to the caller.
func (k *kit) copies() {
	for _, key := range k.keys("copies") {
		value := []byte("value")
		k.put(key, value)
		value[0] = 'X'
		for range 2 {
			got, err := k.store.Get(k.Context(), key)
			if err != nil || string(got) != "value" {
				k.Errorf("%q, %v", got, err)
				continue
			}
			got[0] = 'Y'
		}
		k.wants(key, []byte("value"))
	}
}

func (k *kit) cancelled() {
	key := k.own + "cancelled"
	k.put(key, []byte("kept"))
	k.put("session:"+key, []byte("kept"))
	k.wants("session:"+key, []byte("kept"))
	ctx, cancel := context.WithCancel(k.Context())
	cancel()
	for what, op := range map[string]func() error{
		"Get":             func() error { _, err := k.store.Get(ctx, key); return err },
		"Get from memory": func() error { _, err := k.store.Get(ctx, "session:"+key); return err },
		"Put":             func() error { return k.store.Put(ctx, key, nil, time.Hour) },
		"Add":             func() error { _, err := k.store.Add(ctx, key+"counter", 1, time.Hour); return err },
		"Delete":          func() error { return k.store.Delete(ctx, key) },
		"Once":            func() error { _, err := k.store.Once(ctx, key+"once", k.clock.Now(), time.Hour); return err },
	} {
		if err := op(); !errors.Is(err, context.Canceled) || errors.Is(err, kv.ErrUnavailable) {
			k.Errorf("%s of a caller that left: %v; want context.Canceled alone", what, err)
		}
	}
	k.wants(key, []byte("kept"))
	k.wants(key+"counter", nil)
}

// TwoNodes runs the cases for two stores on one server: each sees the other's changes.
func TwoNodes(t *testing.T, a, b kv.Store) {
	own := rand.Text()[:10] + ":"
	k := &kit{T: t, own: own, clock: &Clock{real: true}}
	for _, key := range k.keys("shared") {
		a, b := &kit{T: t, store: a, own: own}, &kit{T: t, store: b, own: own}
		for i := range 20 {
			value := []byte{byte(i)}
			a.put(key, value)
			Eventually(t, "the other node sees the value", func() bool {
				got, err := b.store.Get(t.Context(), key)
				return err == nil && slices.Equal(got, value)
			})
			if err := a.store.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
			Eventually(t, "the other node sees the deletion", func() bool {
				_, err := b.store.Get(t.Context(), key)
				return errors.Is(err, kv.ErrMissing)
			})
		}
	}
	nodes := []kv.Store{a, b}
	if won := k.race(20, func(i int) (bool, error) {
		return nodes[i%2].Once(t.Context(), own+"once", time.Now(), time.Hour)
	}); won != 1 {
		t.Errorf("%d calls at once on two nodes were the first", won)
	}
}
