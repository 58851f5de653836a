package limit_test

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/kv"
	"coffer/internal/kv/kvtest"
	"coffer/internal/limit"
)

// shelf is one kind of store, and an index by which this run's counters are its own.
type shelf struct {
	open  func(*clock) kv.Store // of the run's one set of values
	index func(ctx context.Context, column, canonical string) ([]byte, error)
}

// stores runs a test over every store. Redis has a clock of its own, so there a counter ends
// only when its time has really gone by.
func stores(t *testing.T, run func(t *testing.T, s shelf)) {
	t.Helper()
	t.Run("Memory", func(t *testing.T) {
		run(t, shelf{open: func(c *clock) kv.Store { return kv.NewMemory(c.now) }, index: plain})
	})
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		run(t, shelf{open: func(c *clock) kv.Store { return kv.NewSQL(d, c.now) }, index: plain})
	})
	t.Run("Redis", func(t *testing.T) {
		own := &redisShelf{url: kvtest.RedisURL(t), run: crand.Text()}
		s := openRedis(t, own.url)
		run(t, shelf{open: func(*clock) kv.Store { return s }, index: own.index})
	})
}

func openRedis(t testing.TB, at string) *kv.Redis {
	t.Helper()
	s, err := kv.OpenRedis(t.Context(), at, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// redisShelf is what one run keeps on a server that others use as well.
type redisShelf struct{ url, run string }

func (r *redisShelf) index(_ context.Context, column, canonical string) ([]byte, error) {
	return []byte(r.run + column + canonical), nil
}

// On Redis a call that three rules count is one command, passed or refused, and so is its
// return: one round trip each.
func TestOneRoundTrip(t *testing.T) {
	own := &redisShelf{url: kvtest.RedisURL(t), run: crand.Text()}
	u, err := url.Parse(own.url)
	if err != nil {
		t.Fatal(err)
	}
	between := dbtest.NewProxy(t, u.Host)
	var mu sync.Mutex
	var sent bytes.Buffer
	between.Hear(func(b []byte) {
		mu.Lock()
		defer mu.Unlock()
		sent.Write(b)
	})
	u.Host = between.Addr()
	c := newClock()
	l := limit.New(openRedis(t, u.String()), own.index, c.now)
	// A command is an array whose first text is its name. CLIENT is the beat of the connection.
	command := regexp.MustCompile(`\*\d+\r\n\$\d+\r\n([A-Za-z]+)\r\n`)
	of := func(fn func() error) string {
		t.Helper()
		mu.Lock()
		sent.Reset()
		mu.Unlock()
		if err := fn(); err != nil {
			refused(t, err)
		}
		mu.Lock()
		defer mu.Unlock()
		var names []string
		for _, m := range command.FindAllStringSubmatch(sent.String(), -1) {
			if name := strings.ToUpper(m[1]); name != "CLIENT" {
				names = append(names, name)
			}
		}
		return strings.Join(names, " ")
	}
	take := func() error { return l.TakeAll(t.Context(), signIn("ada")...) }
	back := func() error { return l.RefundAll(t.Context(), signIn("ada")...) }
	of(take) // the server may not have the scripts yet
	of(back)
	for range 10 { // all that the pair may have
		if got := of(take); got != "EVALSHA" {
			t.Fatalf("a call of three rules is %q", got)
		}
	}
	if got := of(take); got != "EVALSHA" {
		t.Errorf("a refusal is %q", got)
	}
	if got := of(back); got != "EVALSHA" {
		t.Errorf("a return is %q", got)
	}
}
