package limit_test

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

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
	db    *db.DB      // of a store in SQL
	redis *redisShelf // of a store in Redis
}

// stores runs a test over every store. Redis has a clock of its own, so there a counter ends
// only when its time has really gone by.
func stores(t *testing.T, run func(t *testing.T, s shelf)) {
	t.Helper()
	t.Run("Memory", func(t *testing.T) {
		run(t, shelf{open: func(c *clock) kv.Store { return kv.NewMemory(c.now) }, index: plain})
	})
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		run(t, shelf{open: func(c *clock) kv.Store { return kv.NewSQL(d, c.now) }, index: plain, db: d})
	})
	t.Run("Redis", func(t *testing.T) {
		own := &redisShelf{url: kvtest.RedisURL(t), run: crand.Text()}
		s := openRedis(t, own.url)
		run(t, shelf{open: func(*clock) kv.Store { return s }, index: own.index, redis: own})
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

// lives returns how long each counter of a rule still lives; less than 0 is for good.
func (r *redisShelf) lives(t *testing.T, rule limit.Rule) (all []time.Duration) {
	t.Helper()
	opt, err := rueidis.ParseURL(r.url)
	if err != nil {
		t.Fatal(err)
	}
	opt.DisableCache = true
	c, err := rueidis.NewClient(opt)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for cursor := uint64(0); ; {
		page, err := c.Do(t.Context(), c.B().Scan().Cursor(cursor).Match("coffer:limit:"+rule.Name+":"+hex.EncodeToString([]byte(r.run))+"*").Count(1000).Build()).AsScanEntry()
		if err != nil {
			t.Fatal(err)
		}
		var asks []rueidis.Completed
		for _, key := range page.Elements {
			asks = append(asks, c.B().Pttl().Key(key).Build())
		}
		for _, answer := range c.DoMulti(t.Context(), asks...) {
			left, err := answer.AsInt64()
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, time.Duration(left)*time.Millisecond)
		}
		if cursor = page.Cursor; cursor == 0 {
			return all
		}
	}
}

// Many addresses, one call each. Each has a counter of its own, which ends after two windows,
// and the counter of one address under attack stays: others cannot push it out. In the memory
// of a process an address costs 400 bytes at most.
func TestManyAddresses(t *testing.T) {
	stores(t, func(t *testing.T, s shelf) {
		c := newClock()
		store := s.open(c)
		n, index := 20_000, s.index
		if s.db == nil && s.redis == nil {
			n, index = 100_000, func(_ context.Context, _, canonical string) ([]byte, error) {
				return fmt.Appendf(nil, "%-32s", canonical), nil // as long as an index
			}
		}
		l := limit.New(store, index, c.now)
		rule := limit.Rule{Name: "sign-in-address", Limit: 3, Window: 15 * time.Minute}
		attacked := func() error { return l.Take(t.Context(), rule, "attacked") }
		for range rule.Limit {
			if err := attacked(); err != nil {
				t.Fatal(err)
			}
		}
		before := heap()
		var all sync.WaitGroup
		for worker := range 16 { // at once, so that their commits share one flush of the disk
			all.Go(func() {
				for i := worker; i < n; i += 16 {
					if err := l.Take(t.Context(), rule, fmt.Sprint(i)); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
		each := (heap() - before) / int64(n)
		refused(t, attacked())
		switch {
		case s.db != nil:
			endsInSQL(t, s.db, store.(*kv.SQL), c, rule, n+1)
		case s.redis != nil:
			all := s.redis.lives(t, rule)
			if len(all) != n+1 {
				t.Errorf("%d counters, want %d", len(all), n+1)
			}
			for _, left := range all {
				if left <= 0 || left > 2*rule.Window {
					t.Fatalf("a counter lives for another %s", left)
				}
			}
		case each > 400:
			t.Errorf("%d bytes for each address, more than 400", each)
		default:
			t.Logf("%d bytes for each address", each)
		}
		runtime.KeepAlive(l)
	})
}

// endsInSQL counts the rows of so many counters. Two windows later periodic work removes them.
func endsInSQL(t *testing.T, d *db.DB, s *kv.SQL, c *clock, rule limit.Rule, want int) {
	t.Helper()
	rows := func() (n int) {
		t.Helper()
		if err := d.QueryRow(t.Context(), `SELECT COUNT(*) /* bounded: a test */ FROM kv`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, want}, {2*rule.Window - time.Millisecond, want}, {time.Millisecond, 0}} {
		c.advance(step.after)
		if err := s.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := rows(); n != step.want {
			t.Errorf("%d rows, want %d", n, step.want)
		}
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC() // the first leaves what pools hold
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
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
