package kv

import (
	"bytes"
	"context"
	"strconv"
	"sync"
	"time"
)

// Memory is a store within one process.
type Memory struct {
	now   func() time.Time
	marks *marks

	mu    sync.Mutex
	items map[string]item
	sweep int // number of items that triggers a search for expired ones
}

var _ Store = (*Memory)(nil)

// item is a value, or a counter when value is nil.
type item struct {
	value   []byte
	number  int64
	expires int64 // unix milliseconds
}

func (i item) text() []byte {
	if i.value == nil {
		return strconv.AppendInt(nil, i.number, 10)
	}
	return i.value
}

const firstSweep = 1024

// NewMemory returns an empty store whose clock is now.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now, marks: newMarks(), items: map[string]item{}, sweep: firstSweep}
}

// Get returns the value, or [ErrMissing].
func (m *Memory) Get(ctx context.Context, key string) ([]byte, error) {
	if err := before(ctx, checkKey(key)); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := m.live(key)
	if !ok {
		return nil, ErrMissing
	}
	if i.value == nil {
		return i.text(), nil
	}
	return bytes.Clone(i.value), nil
}

// Put sets the value.
func (m *Memory) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := before(ctx, checkPut(key, value, ttl)); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set(key, value, ttl)
	return nil
}

// Add adds to a counter.
func (m *Memory) Add(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error) {
	if err := before(ctx, checkAdd(key, delta, ttl)); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := m.live(key)
	if !ok {
		m.tidy()
		i = item{expires: m.now().UnixMilli() + millis(ttl)}
	} else if i.value != nil {
		return 0, ErrNotCounter
	}
	i.number += delta
	if i.number == 0 {
		delete(m.items, key)
	} else {
		m.items[key] = i
	}
	return i.number, nil
}

// Delete removes the key.
func (m *Memory) Delete(ctx context.Context, key string) error {
	if err := before(ctx, checkKey(key)); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.items, key)
	return nil
}

// Once reports whether this call is the first with key.
func (m *Memory) Once(ctx context.Context, key string, made time.Time, ttl time.Duration) (bool, error) {
	if err := before(ctx, checkPut(key, nil, ttl)); err != nil {
		return false, err
	}
	return m.marks.first(key, made, m.now(), ttl)
}

// Ping always succeeds while ctx lives.
func (m *Memory) Ping(ctx context.Context) error { return ctx.Err() }

// Close removes everything.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.items)
	return nil
}

func (m *Memory) live(key string) (item, bool) {
	i, ok := m.items[key]
	return i, ok && i.expires > m.now().UnixMilli()
}

func (m *Memory) set(key string, value []byte, ttl time.Duration) {
	m.tidy()
	copied := append([]byte{}, value...) // never nil, which would mean a counter
	m.items[key] = item{value: copied, expires: m.now().UnixMilli() + millis(ttl)}
}

// tidy removes expired items whenever their number has doubled, so the new items share its
// cost.
func (m *Memory) tidy() {
	if len(m.items) < m.sweep {
		return
	}
	now := m.now().UnixMilli()
	for key, i := range m.items {
		if i.expires <= now {
			delete(m.items, key)
		}
	}
	m.sweep = max(firstSweep, 2*len(m.items))
}

// before returns the reason not to start: bad input first, then an ended context.
func before(ctx context.Context, bad error) error {
	if bad != nil {
		return bad
	}
	return ctx.Err()
}
