package limit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
	"coffer/internal/keyring"
	"coffer/internal/kv"
	"coffer/internal/limit"
)

// clock is a manual clock. It starts at a bucket's beginning for every rule here.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC).UnixMilli())
	return c
}

func (c *clock) now() time.Time          { return time.UnixMilli(c.ms.Load()) }
func (c *clock) advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }

// plain is an index without encryption, for tests that do not concern it.
func plain(_ context.Context, column, canonical string) ([]byte, error) {
	return []byte(column + canonical), nil
}

func refused(t testing.TB, err error) *fault.Error {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Limited || f.Code != "rate_limited" {
		t.Fatalf("%v, want rate_limited", err)
	}
	return f
}

func TestTakeUntilTheLimit(t *testing.T) {
	c := newClock()
	l := limit.New(kv.NewMemory(c.now), plain, c.now)
	rule := limit.Rule{Name: "sign-in", Limit: 10, Window: 15 * time.Minute}
	for i := range 10 {
		if err := l.Take(t.Context(), rule, "ada"); err != nil {
			t.Fatalf("call %d: %v", i+1, err)
		}
		c.advance(time.Second)
	}
	f := refused(t, l.Take(t.Context(), rule, "ada"))
	want := &fault.Policy{Name: "sign-in", Limit: 10, Window: 15 * time.Minute}
	if diff := cmp.Diff(want, f.Policy); diff != "" || f.RetryAfter < time.Second {
		t.Errorf("RetryAfter %s, policy %s", f.RetryAfter, diff)
	}
	if err := l.Take(t.Context(), rule, "bob"); err != nil {
		t.Errorf("another key: %v", err)
	}
	other := rule
	other.Name = "mail"
	if err := l.Take(t.Context(), other, "ada"); err != nil {
		t.Errorf("another rule: %v", err)
	}
}

// The next call passes at the time that the refusal names, and not a second before.
func TestRetryAfterIsTrue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		l := limit.New(kv.NewMemory(c.now), plain, c.now)
		rule := limit.Rule{Name: "r", Limit: rapid.IntRange(1, 20).Draw(t, "limit"), Window: time.Duration(rapid.IntRange(2, 1000).Draw(t, "window")) * time.Second}
		var f *fault.Error
		for range 200 {
			err := l.Take(context.Background(), rule, "k")
			if errors.As(err, &f) {
				break
			}
			c.advance(time.Duration(rapid.Int64Range(0, int64(rule.Window)/int64(rule.Limit)).Draw(t, "pause")))
		}
		for f == nil { // without pauses calls pass up to the limit
			errors.As(l.Take(context.Background(), rule, "k"), &f)
		}
		if f.RetryAfter > 2*rule.Window+time.Second {
			t.Fatalf("wait of %s for a window of %s", f.RetryAfter, rule.Window)
		}
		c.advance(f.RetryAfter - 1001*time.Millisecond)
		if f.RetryAfter > 2*time.Second {
			if err := l.Take(context.Background(), rule, "k"); err == nil {
				t.Fatalf("passed more than a second before RetryAfter %s", f.RetryAfter)
			}
		}
		c.advance(1001 * time.Millisecond)
		if err := l.Take(context.Background(), rule, "k"); err != nil {
			t.Fatalf("after RetryAfter %s: %v", f.RetryAfter, err)
		}
	})
}

// The promises of the package doc, for random sequences of calls.
func TestBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		l := limit.New(kv.NewMemory(c.now), plain, c.now)
		rule := limit.Rule{Name: "r", Limit: rapid.IntRange(1, 8).Draw(t, "limit"), Window: 60 * time.Second}
		var passed []time.Time
		buckets := map[int64]int{}
		for _, pause := range rapid.SliceOfN(rapid.IntRange(0, 20_000), 1, 150).Draw(t, "pauses") {
			c.advance(time.Duration(pause) * time.Millisecond)
			if l.Take(context.Background(), rule, "k") == nil {
				passed = append(passed, c.now())
				buckets[c.now().UnixMilli()/rule.Window.Milliseconds()]++
			}
		}
		for b, n := range buckets {
			if n > rule.Limit {
				t.Fatalf("bucket %d: %d calls, limit %d", b, n, rule.Limit)
			}
		}
		for i, from := range passed {
			n := 0
			for _, at := range passed[i:] {
				if at.Sub(from) < rule.Window {
					n++
				}
			}
			if n >= 2*rule.Limit {
				t.Fatalf("%d calls in one window from %s, limit %d", n, from, rule.Limit)
			}
		}
	})
}

func TestKnockingDoesNotKeepTheDoorClosed(t *testing.T) {
	c := newClock()
	l := limit.New(kv.NewMemory(c.now), plain, c.now)
	rule := limit.Rule{Name: "r", Limit: 2, Window: time.Minute}
	for range 2 {
		if err := l.Take(t.Context(), rule, "k"); err != nil {
			t.Fatal(err)
		}
	}
	f := refused(t, l.Take(t.Context(), rule, "k"))
	for range 50 {
		refused(t, l.Take(t.Context(), rule, "k"))
	}
	c.advance(f.RetryAfter)
	if err := l.Take(t.Context(), rule, "k"); err != nil {
		t.Errorf("after RetryAfter and much knocking: %v", err)
	}
}

// writes counts the writes to a store.
type writes struct {
	kv.Store
	n atomic.Int64
}

func (w *writes) Add(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error) {
	w.n.Add(1)
	return w.Store.Add(ctx, key, delta, ttl)
}

// A refused call only reads, and TakeAll counts all calls or none.
func TestRefusalsWriteNothing(t *testing.T) {
	c := newClock()
	store := &writes{Store: kv.NewMemory(c.now)}
	l := limit.New(store, plain, c.now)
	few := limit.Call{Rule: limit.Rule{Name: "few", Limit: 2, Window: time.Minute}, Key: "k"}
	many := limit.Call{Rule: limit.Rule{Name: "many", Limit: 100, Window: time.Minute}, Key: "k"}
	for range 2 {
		if err := l.TakeAll(t.Context(), many, few); err != nil {
			t.Fatal(err)
		}
	}
	before := store.n.Load()
	for range 200 {
		refused(t, l.TakeAll(t.Context(), many, few))
		refused(t, l.Take(t.Context(), few.Rule, few.Key))
		refused(t, l.Ask(t.Context(), few.Rule, few.Key))
	}
	if n := store.n.Load() - before; n != 0 {
		t.Errorf("600 refusals wrote %d times", n)
	}
	// The refusals counted nothing under many: 98 are left.
	for i := range 98 {
		if err := l.Take(t.Context(), many.Rule, many.Key); err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
	}
	refused(t, l.Take(t.Context(), many.Rule, many.Key))
}

// Of concurrent calls under two rules, as many pass as the stricter one allows. The other
// rule counts only those. Refunds leave no row.
func TestTakeAllAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		l := limit.New(kv.NewSQL(d, c.now), plain, c.now)
		calls := []limit.Call{
			{Rule: limit.Rule{Name: "address", Limit: 50, Window: time.Hour}, Key: "k"}, {Rule: limit.Rule{Name: "pair", Limit: 7, Window: time.Hour}, Key: "k"},
		}
		var passed atomic.Int64
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() {
				if l.TakeAll(t.Context(), calls...) == nil {
					passed.Add(1)
				}
			})
		}
		wg.Wait()
		if passed.Load() != 7 {
			t.Errorf("%d passed, want 7", passed.Load())
		}
		for range 7 {
			if err := l.RefundAll(t.Context(), calls...); err != nil {
				t.Fatal(err)
			}
		}
		var rows int
		if err := d.QueryRow(t.Context(), `SELECT COUNT(*) FROM kv`).Scan(&rows); err != nil || rows != 0 {
			t.Errorf("%d rows are left, %v", rows, err)
		}
	})
}

func TestRefund(t *testing.T) {
	c := newClock()
	l := limit.New(kv.NewMemory(c.now), plain, c.now)
	rule := limit.Rule{Name: "r", Limit: 1, Window: time.Minute}
	for i := range 100 { // across many buckets
		if err := l.Take(t.Context(), rule, "k"); err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
		c.advance(7 * time.Second)
		if err := l.Refund(t.Context(), rule, "k"); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Take(t.Context(), rule, "k"); err != nil {
		t.Fatal(err)
	}
	refused(t, l.Take(t.Context(), rule, "k")) // refunds left no spare calls
}

// Clear forgets the calls of this bucket and the last, of one key and rule alone.
func TestClear(t *testing.T) {
	c := newClock()
	l := limit.New(kv.NewMemory(c.now), plain, c.now)
	rule, other := limit.Rule{Name: "r", Limit: 2, Window: time.Minute}, limit.Rule{Name: "other", Limit: 1, Window: time.Minute}
	for _, call := range []limit.Call{{Rule: rule, Key: "k"}, {Rule: rule, Key: "k"}, {Rule: rule, Key: "z"}, {Rule: rule, Key: "z"}, {Rule: other, Key: "k"}} {
		if err := l.Take(t.Context(), call.Rule, call.Key); err != nil {
			t.Fatal(err)
		}
	}
	c.advance(time.Minute) // they are in the last bucket now, whose calls count in full
	refused(t, l.Take(t.Context(), rule, "k"))
	if err := l.Clear(t.Context(), limit.Call{Rule: rule, Key: "k"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Take(t.Context(), rule, "k"); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, l.Take(t.Context(), rule, "k"))
	refused(t, l.Take(t.Context(), rule, "z"))
	refused(t, l.Take(t.Context(), other, "k"))
	if err := l.Clear(t.Context(), limit.Call{Rule: rule, Key: "k"}, limit.Call{Rule: rule, Key: "nobody"}); err != nil {
		t.Fatal(err)
	}
	if err := l.Take(t.Context(), rule, "k"); err != nil {
		t.Fatal(err)
	}
}

// Of 200 concurrent calls from two nodes on one database exactly the limit passes.
func TestCallsAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		rule := limit.Rule{Name: "r", Limit: 20, Window: time.Hour}
		nodes := []*limit.Limiter{limit.New(kv.NewSQL(d, c.now), plain, c.now), limit.New(kv.NewSQL(d, c.now), plain, c.now)}
		atOnce(t, rule, nodes)
	})
	t.Run("memory", func(t *testing.T) {
		c := newClock()
		l := limit.New(kv.NewMemory(c.now), plain, c.now)
		atOnce(t, limit.Rule{Name: "r", Limit: 20, Window: time.Hour}, []*limit.Limiter{l})
	})
}

func atOnce(t *testing.T, rule limit.Rule, nodes []*limit.Limiter) {
	t.Helper()
	var wg sync.WaitGroup
	var passed atomic.Int32
	start := make(chan struct{})
	for i := range 200 {
		wg.Go(func() {
			<-start
			err := nodes[i%len(nodes)].Take(t.Context(), rule, "k")
			var f *fault.Error
			switch {
			case err == nil:
				passed.Add(1)
			case !errors.As(err, &f) || f.Kind != fault.Limited:
				t.Error(err)
			}
		})
	}
	close(start)
	wg.Wait()
	if got := int(passed.Load()); got != rule.Limit {
		t.Errorf("%d calls passed, want %d", got, rule.Limit)
	}
}

// overtaken counts another call before its caller's first count, and cancels the caller
// after it.
type overtaken struct {
	kv.Store
	once  *sync.Once
	leave context.CancelFunc
}

func (o overtaken) Add(ctx context.Context, key string, n int64, ttl time.Duration) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	o.once.Do(func() { o.Store.Add(ctx, key, 1, ttl) })
	defer o.leave()
	return o.Store.Add(ctx, key, n, ttl)
}

// A refused call of a caller that gives up is not counted: otherwise it would cost other
// callers.
func TestALeaverLeavesNoCount(t *testing.T) {
	c := newClock()
	store := kv.NewMemory(c.now)
	ctx, leave := context.WithCancel(t.Context())
	refused(t, limit.New(overtaken{store, new(sync.Once), leave}, plain, c.now).Take(ctx, limit.Rule{Name: "r", Limit: 1, Window: time.Hour}, "k"))
	if err := limit.New(store, plain, c.now).Take(t.Context(), limit.Rule{Name: "r", Limit: 2, Window: time.Hour}, "k"); err != nil {
		t.Errorf("the refused call is counted beside the one that overtook it: %v", err)
	}
}

// down is an unreachable store.
type down struct{ kv.Store }

func (down) Get(context.Context, string) ([]byte, error) { return nil, kv.ErrUnavailable }
func (down) Add(context.Context, string, int64, time.Duration) (int64, error) {
	return 0, kv.ErrUnavailable
}

// deaf is a store that counts and does not answer.
type deaf struct{ kv.Store }

func (deaf) Get(context.Context, string) ([]byte, error) { return nil, kv.ErrUnavailable }

func TestStoreAwayRefuses(t *testing.T) {
	c := newClock()
	l := limit.New(down{}, plain, c.now)
	rule := limit.Rule{Name: "r", Limit: 1, Window: time.Minute}
	for name, err := range map[string]error{"Take": l.Take(t.Context(), rule, "k"), "Refund": l.Refund(t.Context(), rule, "k")} {
		if got := fault.Of(err).Kind; err == nil || got != fault.Unavailable {
			t.Errorf("%s: %v of kind %d, want Unavailable", name, err, got)
		}
	}
	half := limit.New(deaf{kv.NewMemory(c.now)}, plain, c.now)
	if err := half.Take(t.Context(), rule, "k"); fault.Of(err).Kind != fault.Unavailable {
		t.Errorf("a store that cannot be read: %v, want Unavailable", err)
	}
	broken := limit.New(kv.NewMemory(c.now), func(context.Context, string, string) ([]byte, error) { return nil, errors.New("no key") }, c.now)
	if err := broken.Take(t.Context(), rule, "k"); err == nil {
		t.Error("a key that cannot be hidden was let through")
	}
}

func TestARuleWithoutALimitIsAnError(t *testing.T) {
	c := newClock()
	l := limit.New(kv.NewMemory(c.now), plain, c.now)
	for _, rule := range []limit.Rule{{Name: "r", Window: time.Minute}, {Name: "r", Limit: 1}, {Name: "r", Limit: -1, Window: time.Minute}} {
		if err := l.Take(t.Context(), rule, "k"); err == nil {
			t.Errorf("%+v let a call pass", rule)
		}
	}
}

// spy records every key and value that reaches the store.
type spy struct {
	kv.Store
	seen bytes.Buffer
}

func (s *spy) Add(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error) {
	fmt.Fprintln(&s.seen, key)
	return s.Store.Add(ctx, key, delta, ttl)
}

func (s *spy) Get(ctx context.Context, key string) ([]byte, error) {
	fmt.Fprintln(&s.seen, key)
	return s.Store.Get(ctx, key)
}

func TestNoAddressReachesTheStore(t *testing.T) {
	c := newClock()
	ring, err := keyring.Open(t.Context(), dbtest.SQLite(t), make([]byte, 32), keyring.Config{Now: c.now, TokenAlg: "EdDSA", TokenTTL: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	s := &spy{Store: kv.NewMemory(c.now)}
	if err := ring.Need(t.Context(), keyring.Index); err != nil {
		t.Fatal(err)
	}
	l := limit.New(s, ring.Index, c.now)
	rule := limit.Rule{Name: "r", Limit: 1, Window: time.Minute}
	for _, canary := range []string{"203.0.113.77", "canary@example.org"} {
		if err := l.Take(t.Context(), rule, canary); err != nil {
			t.Fatal(err)
		}
		refused(t, l.Take(t.Context(), rule, canary))
		seen := strings.ToLower(s.seen.String())
		if seen == "" || strings.Contains(seen, canary) || strings.Contains(seen, fmt.Sprintf("%x", canary)) {
			t.Errorf("the store saw %q", seen)
		}
	}
}

func TestKeysOfAddresses(t *testing.T) {
	for _, tc := range []struct{ addr, wantAddr, wantNet string }{
		{"192.0.2.1", "192.0.2.1", "192.0.2.1"},
		{"::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"},
		{"2001:db8:1:2::", "2001:db8:1:2::/64", "2001:db8:1::/48"},
		{"2001:db8:1:3::", "2001:db8:1:3::/64", "2001:db8:1::/48"},
		{"2001:db8:1:ffff::", "2001:db8:1:ffff::/64", "2001:db8:1::/48"},
		{"2001:db8:2::", "2001:db8:2::/64", "2001:db8:2::/48"},
		{"fe80::1%eth0", "fe80::/64", "fe80::/48"},
		{"", "unknown", "unknown"},
	} {
		var a netip.Addr
		if tc.addr != "" {
			a = netip.MustParseAddr(tc.addr)
		}
		if got := limit.AddrKey(a); got != tc.wantAddr {
			t.Errorf("AddrKey(%q) = %s, want %s", tc.addr, got, tc.wantAddr)
		}
		if got := limit.NetKey(a); got != tc.wantNet {
			t.Errorf("NetKey(%q) = %s, want %s", tc.addr, got, tc.wantNet)
		}
	}
}
