package kv_test

import (
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"go.uber.org/goleak"

	"coffer/internal/db/dbtest"
	"coffer/internal/kv"
	"coffer/internal/kv/kvtest"
)

func TestLocalBus(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	kvtest.RunBus(t, func(*testing.T) (a, b kv.Bus) {
		bus := kv.NewLocalBus()
		return bus, bus
	})
}

func openBus(t testing.TB, url string) *kv.RedisBus {
	t.Helper()
	b, err := kv.OpenRedisBus(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func TestRedisBus(t *testing.T) {
	url := kvtest.RedisURL(t)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	kvtest.RunBus(t, func(t *testing.T) (a, b kv.Bus) { return openBus(t, url), openBus(t, url) })
}

// A message of the local bus is not copied, and what waits there costs no goroutine.
func TestLocalBusIsCheap(t *testing.T) {
	b, ctx := kv.NewLocalBus(), t.Context()
	m := []byte("chunk")
	before := runtime.NumGoroutine()
	for i := range 10_000 {
		name := fmt.Sprint(i)
		if err := b.Push(ctx, name, m, time.Hour); err != nil {
			t.Fatal(err)
		}
		if _, _, err := b.Subscribe(ctx, name, func([]byte) {}); err != nil {
			t.Fatal(err)
		}
	}
	if got := runtime.NumGoroutine(); got > before+5 {
		t.Errorf("%d goroutines, %d before", got, before)
	}
	if got, err := b.Pop(ctx, "5000", 0); err != nil || &got[0] != &m[0] {
		t.Errorf("the message was copied, %v", err)
	}
	heard := make(chan []byte, 1)
	if _, _, err := b.Subscribe(ctx, "shared", func(m []byte) { heard <- m }); err != nil {
		t.Fatal(err)
	}
	if err := b.Publish(ctx, "shared", m); err != nil {
		t.Fatal(err)
	}
	if got := <-heard; &got[0] != &m[0] {
		t.Error("the published message was copied")
	}
}

// The local bus forgets queues that ended, were discarded, or were only waited for, and
// channels without hearers.
func TestLocalBusForgets(t *testing.T) {
	b, ctx := kv.NewLocalBus(), t.Context()
	for i := range 100 {
		name := fmt.Sprint(i)
		if err := b.Push(ctx, name, nil, 10*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if err := b.Push(ctx, name+"discarded", nil, time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := b.Discard(ctx, name+"discarded"); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Pop(ctx, name+"waited", time.Microsecond); !errors.Is(err, kv.ErrMissing) {
			t.Fatal(err)
		}
		cancel, _, err := b.Subscribe(ctx, name, func([]byte) {})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	kvtest.Eventually(t, "nothing is held", func() bool { return kv.Held(b) == 0 })
}

// No key of a bus outlives its nodes: each has an end after every Push.
func TestRedisQueuesHaveAnEnd(t *testing.T) {
	addr := kvtest.RedisURL(t)
	b := openBus(t, addr)
	opt, err := rueidis.ParseURL(addr)
	if err != nil {
		t.Fatal(err)
	}
	opt.DisableCache = true
	c, err := rueidis.NewClient(opt)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	name := t.Name() + time.Now().String()
	for range 3 {
		if err := b.Push(t.Context(), name, []byte("x"), time.Minute); err != nil {
			t.Fatal(err)
		}
		left, err := c.Do(t.Context(), c.B().Pttl().Key("coffer:queue:"+name).Build()).AsInt64()
		if err != nil || left <= 50_000 || left > 60_000 {
			t.Errorf("%d ms are left, %v", left, err)
		}
	}
	if err := b.Discard(t.Context(), name); err != nil {
		t.Error(err)
	}
}

// A server that is gone or silent answers ErrUnavailable to every call, those that wait
// included, and every subscription is lost. Afterwards the bus works again.
func TestRedisBusGoesAwayAndComesBack(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(kvtest.RedisURL(t))
	if err != nil {
		t.Fatal(err)
	}
	p := dbtest.NewProxy(t, u.Host)
	u.Host = p.Addr()
	b := openBus(t, u.String())
	ctx := t.Context()
	name := t.Name() + time.Now().String()
	calls := map[string]func() error{
		"Publish":   func() error { return b.Publish(ctx, name, []byte("x")) },
		"Subscribe": func() error { _, _, err := b.Subscribe(ctx, name+"more", func([]byte) {}); return err },
		"Push":      func() error { return b.Push(ctx, name+"more", []byte("x"), time.Minute) },
		"Pop":       func() error { _, err := b.Pop(ctx, name, 0); return err },
		"Pop waits": func() error { _, err := b.Pop(ctx, name, 500*time.Millisecond); return err },
		"Discard":   func() error { return b.Discard(ctx, name) },
	}
	for spoil, do := range map[string]func(){"cut": p.Cut, "frozen": p.Freeze, "broken": p.Break} {
		heard := make(chan string, 10)
		var lost []<-chan struct{}
		for _, channel := range []string{name, name, name + "2"} {
			_, gone, err := b.Subscribe(ctx, channel, func(m []byte) { heard <- string(m) })
			if err != nil {
				t.Fatalf("%s: %v", spoil, err)
			}
			lost = append(lost, gone)
		}
		if err := b.Publish(ctx, name+"2", []byte("heard")); err != nil || <-heard != "heard" {
			t.Fatalf("%s: %v", spoil, err)
		}
		waiting := make(chan error, 1)
		go func() { _, err := b.Pop(ctx, name+spoil, 5*time.Second); waiting <- err }()
		time.Sleep(20 * time.Millisecond)
		do()
		for _, l := range lost {
			select {
			case <-l:
			case <-time.After(15 * time.Second):
				t.Fatalf("%s: a subscription is not lost", spoil)
			}
		}
		if err := <-waiting; !errors.Is(err, kv.ErrUnavailable) {
			t.Errorf("%s: a Pop that waits: %v; want ErrUnavailable", spoil, err)
		}
		if spoil != "broken" { // after which new connections succeed
			var all sync.WaitGroup
			for what, call := range calls {
				all.Go(func() {
					begun := time.Now()
					if err := call(); !errors.Is(err, kv.ErrUnavailable) || errors.Is(err, kv.ErrMissing) || time.Since(begun) > 12*time.Second {
						t.Errorf("%s while %s: %v after %s; want ErrUnavailable", what, spoil, err, time.Since(begun))
					}
				})
			}
			all.Wait()
		}
		p.Restore(t)
		kvtest.Eventually(t, spoil+": every call works again", func() bool {
			for _, call := range calls {
				if err := call(); err != nil && !errors.Is(err, kv.ErrMissing) {
					return false
				}
			}
			return true
		})
		if err := b.Publish(ctx, name, []byte("late")); err != nil {
			t.Error(err)
		}
		select {
		case m := <-heard:
			t.Errorf("%s: a lost subscription heard %q", spoil, m)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestOpenRedisBusOfAnAbsentServer(t *testing.T) {
	t.Parallel()
	if _, err := kv.OpenRedisBus(t.Context(), "redis://127.0.0.1:1"); !errors.Is(err, kv.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}
