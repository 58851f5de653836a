package kv

import (
	"bytes"
	"sync"
	"time"
)

// lease is how long cached values count after the last proof that changes reach us.
const lease = time.Second

// keepAtMost bounds the cache; keepFor bounds a value's time in it.
const (
	keepAtMost = 64 << 20
	keepFor    = 5 * time.Minute
)

// cache keeps values from a server that announces their changes.
//
// Only the order of events matters. A flight begins before the question is sent. It keeps
// the answer only if no drop of the key came meanwhile. So a drop after a change also
// reaches every value read before it, cached or still under way.
type cache struct {
	now func() time.Time

	mu      sync.RWMutex
	conn    int64     // the connection of the last proof
	proven  time.Time // when that proof was requested
	kept    map[string]kept
	size    int
	flights map[string]map[*flight]struct{}
}

type kept struct {
	value   []byte
	expires time.Time
}

// flight is one unanswered question.
type flight struct {
	cache   *cache
	key     string
	dropped bool
}

func newCache(now func() time.Time) *cache {
	return &cache{now: now, kept: map[string]kept{}, flights: map[string]map[*flight]struct{}{}}
}

// get returns a copy of a cached value while the lease lasts.
func (c *cache) get(key string) ([]byte, bool) {
	now := c.now()
	c.mu.RLock()
	k, ok := c.kept[key]
	fresh := now.Sub(c.proven) < lease
	c.mu.RUnlock()
	if !ok || !fresh || !now.Before(k.expires) {
		return nil, false
	}
	return bytes.Clone(k.value), true
}

func (c *cache) begin(key string) *flight {
	f := &flight{cache: c, key: key}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flights[key] == nil {
		c.flights[key] = map[*flight]struct{}{}
	}
	c.flights[key][f] = struct{}{}
	return f
}

// keep ends the flight with an answer that expires after ttl.
func (f *flight) keep(value []byte, ttl time.Duration) {
	c := f.cache
	expires := c.now().Add(min(ttl, keepFor))
	c.mu.Lock()
	defer c.mu.Unlock()
	f.end()
	if f.dropped {
		return
	}
	c.remove(f.key)
	c.kept[f.key] = kept{bytes.Clone(value), expires}
	c.size += cost(f.key, value)
	for key := range c.kept { // over the bound: evict any one
		if c.size <= keepAtMost {
			break
		}
		c.remove(key)
	}
}

// forget ends the flight without caching.
func (f *flight) forget() {
	f.cache.mu.Lock()
	defer f.cache.mu.Unlock()
	f.end()
}

func (f *flight) end() {
	flights := f.cache.flights[f.key]
	delete(flights, f)
	if len(flights) == 0 {
		delete(f.cache.flights, f.key)
	}
}

// drop removes a changed key.
func (c *cache) drop(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(key)
	for f := range c.flights[key] {
		f.dropped = true
	}
}

// reset empties the cache: it may have missed changes.
func (c *cache) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgetAll()
}

// prove notes that the connection with this id delivered every change from before asked. A
// new connection may have missed some.
func (c *cache) prove(conn int64, asked time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if conn != c.conn {
		c.forgetAll()
		c.conn, c.proven = conn, asked
	} else if asked.After(c.proven) {
		c.proven = asked
	}
}

func (c *cache) forgetAll() {
	clear(c.kept)
	c.size = 0
	for _, flights := range c.flights {
		for f := range flights {
			f.dropped = true
		}
	}
}

func (c *cache) remove(key string) {
	if k, ok := c.kept[key]; ok {
		c.size -= cost(key, k.value)
		delete(c.kept, key)
	}
}

// cost is the approximate size of an entry.
func cost(key string, value []byte) int { return len(key) + len(value) + 128 }
