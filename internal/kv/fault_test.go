package kv_test

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
	"coffer/internal/kv"
	"coffer/internal/kv/kvtest"
)

// redisBehind opens a store through a network that the test can break.
func redisBehind(t *testing.T) (*kv.Redis, *dbtest.Proxy) {
	t.Helper()
	u, err := url.Parse(kvtest.RedisURL(t))
	if err != nil {
		t.Fatal(err)
	}
	p := dbtest.NewProxy(t, u.Host)
	u.Host = p.Addr()
	r, err := kv.OpenRedis(t.Context(), u.String(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r, p
}

func sqlBehind(t *testing.T) (*kv.SQL, *dbtest.Proxy) {
	t.Helper()
	u, err := url.Parse(dbtest.PostgreSQLURL(t))
	if err != nil {
		t.Fatal(err)
	}
	p := dbtest.NewProxy(t, u.Host)
	u.Host = p.Addr()
	d, err := db.Open(t.Context(), u.String(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return kv.NewSQL(d, time.Now), p
}

// store is the common interface of both stores here.
type store interface {
	kv.Store
	Ping(ctx context.Context) error
}

// calls returns every way to call a store; key exists throughout. Each call may take longer
// than any wait of ours, so an error with its deadline is a hang.
func calls(t *testing.T, s store, key string) map[string]func() error {
	all := map[string]func(ctx context.Context) error{
		"Ping":   s.Ping,
		"Get":    func(ctx context.Context) error { _, err := s.Get(ctx, key); return err },
		"Put":    func(ctx context.Context) error { return s.Put(ctx, key+" other", []byte("x"), time.Minute) },
		"Add":    func(ctx context.Context) error { _, err := s.Add(ctx, key+" counter", 1, time.Minute); return err },
		"Delete": func(ctx context.Context) error { return s.Delete(ctx, key+" other") },
		"Once": func(ctx context.Context) error {
			_, err := s.Once(ctx, key+" once", time.Now(), time.Minute)
			return err
		},
	}
	bounded := map[string]func() error{}
	for what, call := range all {
		bounded[what] = func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			defer cancel()
			return call(ctx)
		}
	}
	return bounded
}

// An unreachable store answers so for every key, cached ones included, and recovers.
func goesAway(t *testing.T, s store, p *dbtest.Proxy) {
	ctx := t.Context()
	key := "session:" + t.Name() + time.Now().String()
	if err := s.Put(ctx, key, []byte("x"), time.Minute); err != nil {
		t.Fatal(err)
	}
	all := calls(t, s, key)
	for spoil, do := range map[string]func(){"cut": p.Cut, "frozen": p.Freeze} {
		for what, call := range all {
			if err := call(); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		}
		do()
		// The cache may answer only until the loss is noticed.
		kvtest.Eventually(t, spoil+": Get is refused", func() bool {
			_, err := s.Get(ctx, key)
			return errors.Is(err, kv.ErrUnavailable)
		})
		var waiting sync.WaitGroup
		for what, call := range all {
			waiting.Go(func() {
				if err := call(); !errors.Is(err, kv.ErrUnavailable) || !fault.IsUnavailable(err) || errors.Is(err, kv.ErrMissing) {
					t.Errorf("%s while %s: %v; want ErrUnavailable", what, spoil, err)
				}
			})
		}
		waiting.Wait()
		p.Restore(t)
		kvtest.Eventually(t, spoil+": it is found again", func() bool { return s.Ping(ctx) == nil })
		for what, call := range all {
			if err := call(); err != nil {
				t.Errorf("%s after %s: %v", what, spoil, err)
			}
		}
	}
}

func TestRedisGoesAwayAndComesBack(t *testing.T) {
	t.Parallel()
	r, p := redisBehind(t)
	goesAway(t, r, p)
}

func TestSQLGoesAwayAndComesBack(t *testing.T) {
	t.Parallel()
	s, p := sqlBehind(t)
	goesAway(t, s, p)
}

// A disconnected node must not answer from its cache what another node has changed.
func TestRedisChangedWhileCutOff(t *testing.T) {
	t.Parallel()
	near, p := redisBehind(t)
	far := openRedis(t)
	ctx := t.Context()
	key := "session:" + t.Name() + time.Now().String()
	for _, spoil := range []func(){p.Break, p.Cut, p.Freeze} {
		if err := far.Put(ctx, key, []byte("old"), time.Minute); err != nil {
			t.Fatal(err)
		}
		kvtest.Eventually(t, "the value is in memory", func() bool {
			got, err := near.Get(ctx, key)
			return err == nil && string(got) == "old"
		})
		spoil()
		if err := far.Delete(ctx, key); err != nil {
			t.Fatal(err)
		}
		kvtest.Eventually(t, "the old value is not answered any more", func() bool {
			got, err := near.Get(ctx, key)
			return err != nil && got == nil
		})
		p.Restore(t)
		kvtest.Eventually(t, "the deletion is seen", func() bool {
			got, err := near.Get(ctx, key)
			if err == nil {
				t.Fatalf("the old value is back: %q", got)
			}
			return errors.Is(err, kv.ErrMissing)
		})
	}
}

func TestOpenRedisOfAnAbsentServer(t *testing.T) {
	t.Parallel()
	_, err := kv.OpenRedis(t.Context(), "redis://127.0.0.1:1", quiet)
	if !errors.Is(err, kv.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	_, err = kv.OpenRedis(t.Context(), "redis://user:secret-word@%zz", quiet)
	if err == nil || errors.Is(err, kv.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}
