package limit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
	"coffer/internal/kv"
	"coffer/internal/kv/kvtest"
	"coffer/internal/limit"
)

// signIn are the calls of one sign-in.
func signIn(name string) []limit.Call {
	return []limit.Call{
		{Rule: limit.Rule{Name: "address", Limit: 100, Window: 15 * time.Minute}, Key: "192.0.2.1"},
		{Rule: limit.Rule{Name: "pair", Limit: 10, Window: 15 * time.Minute}, Key: "192.0.2.1 " + name},
		{Rule: limit.Rule{Name: "account", Limit: 50, Window: 15 * time.Minute}, Key: name},
	}
}

// A store that counts in one step decides as one that does not: over random calls, refunds and
// steps of the clock, ahead and back.
func TestOneStepDecidesAlike(t *testing.T) {
	stores(t, func(t *testing.T, s shelf) {
		c := newClock()
		one, apart := limit.New(s.open(c), s.index, c.now), limit.New(kv.NewMemory(c.now), plain, c.now)
		draw := rand.New(rand.NewPCG(1, 2))
		rules := []limit.Rule{{Name: "a", Limit: 3, Window: 100 * time.Second}, {Name: "b", Limit: 7, Window: 250 * time.Second}, {Name: "c", Limit: 1, Window: 10 * time.Second}}
		passed := 0
		for i := range 400 {
			var calls []limit.Call
			for _, r := range rules[:1+draw.IntN(3)] {
				calls = append(calls, limit.Call{Rule: r, Key: fmt.Sprint(draw.IntN(2))})
			}
			do := (*limit.Limiter).TakeAll
			if draw.IntN(5) == 0 {
				do = (*limit.Limiter).RefundAll
			}
			got, want := do(one, t.Context(), calls...), do(apart, t.Context(), calls...)
			var g, w *fault.Error
			if errors.As(got, &g) != errors.As(want, &w) || g != nil && (g.RetryAfter != w.RetryAfter || *g.Policy != *w.Policy) {
				t.Fatalf("step %d: %v, and apart %v", i, got, want)
			}
			if got == nil {
				passed++
			}
			c.advance(time.Duration(draw.IntN(30_000)-3000) * time.Millisecond)
		}
		if passed < 50 || passed > 350 {
			t.Errorf("%d of 400 passed: the test shows little", passed)
		}
	})
}

// A refused call is one statement, a counted one two, whatever the number of rules; what comes
// back after a success is one.
func TestStatements(t *testing.T) {
	d := dbtest.SQLite(t)
	c := newClock()
	l := limit.New(kv.NewSQL(d, c.now), plain, c.now)
	of := func(fn func() error) (all []string) {
		t.Helper()
		for _, q := range dbtest.Ran(d, func() {
			if err := fn(); err != nil && fault.Of(err).Kind != fault.Limited {
				t.Error(err)
			}
		}) {
			if word, _, _ := strings.Cut(strings.TrimSpace(q), " "); word == "SELECT" || word == "INSERT" || word == "UPDATE" || word == "DELETE" {
				all = append(all, word)
			}
		}
		return all
	}
	calls := signIn("ada")
	wants := func(what string, got []string, want ...string) {
		t.Helper()
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	wants("three rules", of(func() error { return l.TakeAll(t.Context(), calls...) }), "SELECT", "INSERT")
	wants("a refund", of(func() error { return l.RefundAll(t.Context(), calls...) }), "DELETE", "DELETE", "DELETE") // each key in its turn
	wants("one rule", of(func() error { return l.Take(t.Context(), calls[1].Rule, "k") }), "SELECT", "INSERT")
	wants("a question", of(func() error { return l.Ask(t.Context(), calls[1].Rule, "k") }), "SELECT")
	for range 10 {
		if err := l.TakeAll(t.Context(), calls...); err != nil {
			t.Fatal(err)
		}
	}
	wants("a refusal", of(func() error { return l.TakeAll(t.Context(), calls...) }), "SELECT")
}

// A success shows the rule with the fewest calls left.
func TestShow(t *testing.T) {
	c := newClock()
	l := limit.New(kv.NewMemory(c.now), plain, c.now)
	var shown []string
	l.Show = func(_ context.Context, p fault.Policy, reset time.Duration) {
		shown = append(shown, fmt.Sprintf("%s %d of %d, %s", p.Name, p.Remaining, p.Limit, reset))
	}
	c.advance(time.Minute)
	if err := l.TakeAll(t.Context(), signIn("ada")...); err != nil {
		t.Fatal(err)
	}
	for range 10 { // of which one is refused
		_ = l.Take(t.Context(), signIn("ada")[1].Rule, "192.0.2.1 ada")
	}
	if len(shown) != 10 || shown[0] != "pair 9 of 10, 14m0s" || shown[9] != "pair 0 of 10, 14m0s" {
		t.Errorf("%q", shown)
	}
}

// A step of the clock, ahead or back, never lets more pass than two windows allow, and keeps
// out nobody for longer than the step and two windows.
func TestClockSteps(t *testing.T) {
	stores(t, func(t *testing.T, s shelf) {
		rule := limit.Rule{Name: "r", Limit: 5, Window: time.Minute}
		for _, step := range []time.Duration{-time.Hour, -time.Minute, -time.Second, time.Millisecond, time.Second, time.Minute, time.Hour} {
			c := newClock()
			c.advance(30 * time.Second)
			l := limit.New(s.open(c), s.index, c.now)
			key := step.String()
			take := func() (n int) {
				for range 20 {
					if l.Take(t.Context(), rule, key) == nil {
						n++
					}
				}
				return n
			}
			passed := take()
			c.advance(step)
			passed += take()
			c.advance(-step)
			passed += take()
			if passed > 2*rule.Limit {
				t.Errorf("a step of %s and back: %d calls passed of %d in a window", step, passed, rule.Limit)
			}
			c.advance(2*rule.Window + max(step, 0))
			if n := take(); n != rule.Limit {
				t.Errorf("%s, two windows later %d calls pass", step, n)
			}
		}
	})
}

// The edges of a window: the last moment of one bucket and the first of the next count
// together.
func TestWindowEdges(t *testing.T) {
	stores(t, func(t *testing.T, s shelf) {
		c := newClock()
		l := limit.New(s.open(c), s.index, c.now)
		rule := limit.Rule{Name: "r", Limit: 10, Window: time.Minute}
		c.advance(time.Minute - time.Millisecond)
		for i := range 10 {
			if err := l.Take(t.Context(), rule, "k"); err != nil {
				t.Fatalf("call %d: %v", i, err)
			}
		}
		c.advance(time.Millisecond)
		refused(t, l.Take(t.Context(), rule, "k")) // all ten still count
		c.advance(6*time.Second - time.Millisecond)
		refused(t, l.Take(t.Context(), rule, "k"))
		c.advance(time.Millisecond) // a tenth of them does not any more
		if err := l.Take(t.Context(), rule, "k"); err != nil {
			t.Error(err)
		}
		refused(t, l.Take(t.Context(), rule, "k"))
	})
}

// steps are the stores of the benchmark; apart hides that a store counts in one step, as
// before.
func steps(b *testing.B, run func(b *testing.B, l *limit.Limiter)) {
	for name, open := range map[string]func(b *testing.B) kv.Store{
		"Memory":     func(*testing.B) kv.Store { return kv.NewMemory(time.Now) },
		"SQLite":     func(b *testing.B) kv.Store { return kv.NewSQL(dbtest.SQLite(b), time.Now) },
		"PostgreSQL": func(b *testing.B) kv.Store { return kv.NewSQL(dbtest.PostgreSQL(b), time.Now) },
		"Redis":      func(b *testing.B) kv.Store { return openRedis(b, kvtest.RedisURL(b)) },
	} {
		b.Run(name+"/one step", func(b *testing.B) { run(b, limit.New(open(b), plain, time.Now)) })
		b.Run(name+"/apart", func(b *testing.B) { run(b, limit.New(struct{ kv.Store }{open(b)}, plain, time.Now)) })
	}
}

// A sign-in that succeeds: three rules count it, and take it back.
func BenchmarkSignIn(b *testing.B) {
	steps(b, func(b *testing.B, l *limit.Limiter) {
		calls := signIn("bench")
		for b.Loop() {
			if err := l.TakeAll(b.Context(), calls...); err != nil {
				b.Fatal(err)
			}
			if err := l.RefundAll(b.Context(), calls...); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkRefused(b *testing.B) {
	steps(b, func(b *testing.B, l *limit.Limiter) {
		calls := signIn("refused")
		for range 10 {
			_ = l.TakeAll(b.Context(), calls...) // earlier rounds may have used it up
		}
		for b.Loop() {
			if l.TakeAll(b.Context(), calls...) == nil {
				b.Fatal("it passed")
			}
		}
	})
}
