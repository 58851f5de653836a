package kv

import (
	"bytes"
	"testing"
	"time"
)

// newTestCache returns a cache that has just been proven current, and its clock.
func newTestCache() (*cache, *time.Time) {
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	c := newCache(func() time.Time { return now })
	c.prove(1, now)
	return c, &now
}

func fill(c *cache, key, value string) { c.begin(key).keep([]byte(value), time.Hour) }

func want(t *testing.T, c *cache, key, value string) {
	t.Helper()
	got, ok := c.get(key)
	if string(got) != value || ok != (value != "") {
		t.Errorf("%s: %q, %t; want %q", key, got, ok, value)
	}
}

func TestCacheKeepsUntilDropped(t *testing.T) {
	c, _ := newTestCache()
	want(t, c, "a", "")
	fill(c, "a", "1")
	fill(c, "b", "2")
	want(t, c, "a", "1")
	c.drop("a")
	want(t, c, "a", "")
	want(t, c, "b", "2")
	c.reset()
	want(t, c, "b", "")
	if c.size != 0 || len(c.flights) != 0 {
		t.Errorf("size %d, %d flights; want none", c.size, len(c.flights))
	}
}

// An answer under way while its key changed may be outdated.
func TestCacheDoesNotKeepWhatChangedUnderWay(t *testing.T) {
	for what, change := range map[string]func(*cache){
		"drop":           func(c *cache) { c.drop("a") },
		"reset":          func(c *cache) { c.reset() },
		"new connection": func(c *cache) { c.prove(2, c.now()) },
	} {
		c, _ := newTestCache()
		early, forgotten := c.begin("a"), c.begin("a")
		change(c)
		late := c.begin("a")
		late.keep([]byte("new"), time.Hour)
		early.keep([]byte("old"), time.Hour)
		forgotten.forget()
		if got, ok := c.get("a"); !ok || string(got) != "new" {
			t.Errorf("%s: %q, %t; want what was asked afterwards", what, got, ok)
		}
		if len(c.flights) != 0 {
			t.Errorf("%s: flights are left", what)
		}
	}
}

func TestCacheAnswersWithinItsLeaseOnly(t *testing.T) {
	c, now := newTestCache()
	fill(c, "a", "1")
	*now = now.Add(lease - 1)
	want(t, c, "a", "1")
	*now = now.Add(1)
	want(t, c, "a", "")
	c.prove(1, now.Add(-lease/2)) // requested half a lease ago, answered now
	want(t, c, "a", "1")
	*now = now.Add(lease / 2)
	want(t, c, "a", "")
	c.prove(1, now.Add(-2*lease)) // a late answer to an old question proves nothing
	want(t, c, "a", "")
	c.prove(1, *now)
	want(t, c, "a", "1")
	c.prove(2, *now) // another connection may have missed a change
	want(t, c, "a", "")
}

func TestCacheExpires(t *testing.T) {
	c, now := newTestCache()
	c.begin("short").keep([]byte("1"), 100*time.Millisecond)
	c.begin("long").keep([]byte("2"), 100*time.Hour)
	*now = now.Add(100 * time.Millisecond)
	want(t, c, "short", "")
	want(t, c, "long", "2")
	*now = now.Add(keepFor)
	c.prove(1, *now)
	want(t, c, "long", "")
}

func TestCacheIsBounded(t *testing.T) {
	c, _ := newTestCache()
	value := bytes.Repeat([]byte{'x'}, MaxValue)
	for i := range keepAtMost/MaxValue + 100 {
		c.begin(string(rune('a'+i))).keep(value, time.Hour)
		if c.size > keepAtMost {
			t.Fatalf("%d bytes are kept, at most %d may be", c.size, keepAtMost)
		}
	}
	if len(c.kept) < keepAtMost/MaxValue/2 {
		t.Errorf("only %d entries are kept", len(c.kept))
	}
}
