package kv_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/redis/rueidis"

	"coffer/internal/kv"
	"coffer/internal/kv/kvtest"
)

// The log of a start names the policy of a server that may evict keys. It says nothing of a
// server that evicts none, and nothing where the server refuses to tell.
func TestRedisThatEvicts(t *testing.T) {
	at := kvtest.RedisURL(t)
	opt, err := rueidis.ParseURL(at)
	if err != nil {
		t.Fatal(err)
	}
	opt.DisableCache = true
	c, err := rueidis.NewClient(opt)
	if err != nil {
		t.Fatal(err)
	}
	do := func(words ...string) rueidis.RedisResult {
		t.Helper()
		answer := c.Do(context.Background(), c.B().Arbitrary(words...).Build())
		if err := answer.Error(); err != nil {
			t.Fatalf("%s: %v", words[0], err)
		}
		return answer
	}
	set := func(memory, policy string) {
		t.Helper()
		do("CONFIG", "SET", "maxmemory", memory)
		do("CONFIG", "SET", "maxmemory-policy", policy)
	}
	was, err := do("CONFIG", "GET", "maxmemory*").AsStrMap()
	if err != nil {
		t.Fatal(err)
	}
	user := "without-info-" + rand.Text()
	do("ACL", "SETUSER", user, "on", ">secret", "~*", "&*", "+@all", "-info")
	t.Cleanup(func() {
		set(was["maxmemory"], was["maxmemory-policy"])
		do("ACL", "DELUSER", user)
		c.Close()
	})
	starts := func(at string) string {
		t.Helper()
		var log bytes.Buffer
		r, err := kv.OpenRedis(t.Context(), at, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		return log.String()
	}
	// So large a bound evicts nothing of the other tests.
	for _, test := range []struct{ memory, policy, warns string }{
		{"0", "allkeys-lru", ""}, {"1000gb", "noeviction", ""}, {"1000gb", "allkeys-lru", "policy=allkeys-lru"}, {"1000gb", "volatile-ttl", "policy=volatile-ttl"},
	} {
		set(test.memory, test.policy)
		if log := starts(at); test.warns == "" && log != "" || !strings.Contains(log, test.warns) {
			t.Errorf("%s of at most %s: the log has %q", test.policy, test.memory, log)
		}
	}
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(user, "secret")
	if log := starts(u.String()); log != "" {
		t.Errorf("without INFO: %q", log)
	}
}
