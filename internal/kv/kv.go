// Package kv keeps short-lived values with expiry, compare-and-swap and counters: memory, SQL, Redis/Valkey.
//
// Sessions, limits and attempts stand here: what is read on every request and may be
// gone tomorrow. Which store it is decides nothing about what a caller sees; kvtest runs
// all of them through the same cases.
//
// # Rules of every store
//
//   - A key is any string of 1 to 512 bytes, a value at most 64 KiB. No text of either
//     has a meaning to a store.
//   - What has expired is absent at once, whether or not it has been removed yet.
//   - A key holds a value (Put, Swap) or a counter (Add). A counter reads as its decimal
//     text and Swap compares it as such; Add to a value is [ErrNotCounter]. A counter that
//     comes back to zero is absent: what was counted and taken back leaves nothing.
//   - [Store.Swap] and [Store.Add] are one step: of many that swap the same old value,
//     one wins.
//   - A store that cannot be reached answers [ErrUnavailable], never "absent": whoever
//     asks for a session must not take silence for a sign-out, nor for leave to pass.
//     After it, whether a change was made is unknown.
//   - [Memory] is one process. [SQL] and [Redis] are shared by every node.
//
// # Reading from memory
//
// What is under "session:" is asked on every request. SQL answers it from memory in the
// process that owns a SQLite database, where nobody else can change it.
//
// Redis keeps values under "session:" in this process too, and drops them when the
// server says that they changed; see [Redis] for how long a node that lost its
// connection can be behind. The other stores read what they wrote, always.
package kv

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Limits of every store.
const (
	MaxKey   = 512
	MaxValue = 64 << 10
	maxDelta = 1 << 31
)

var (
	// ErrMissing says that a key is absent or has expired.
	ErrMissing = errors.New("kv: no such key")
	// ErrNotCounter says that Add was asked of a value.
	ErrNotCounter = errors.New("kv: the key holds a value, not a counter")
	// ErrUnavailable is in every error that says that the store cannot serve just now.
	// It has a method Unavailable, by which it is known without this package.
	ErrUnavailable error = unavailable{}
)

type unavailable struct{}

func (unavailable) Error() string     { return "key store unavailable" }
func (unavailable) Unavailable() bool { return true }

// Store holds short-lived values. Its methods may be called by many goroutines; what it
// takes and gives is copied. A ttl is positive and rounded up to a millisecond.
type Store interface {
	// Get returns the value, or [ErrMissing].
	Get(ctx context.Context, key string) ([]byte, error)
	// Put sets the value, whatever was there.
	Put(ctx context.Context, key string, value []byte, ttl time.Duration) error
	// Swap sets new if the value is old, and reports whether it was. A nil old means
	// that the key must be absent, a nil new removes it (ttl is then unused).
	Swap(ctx context.Context, key string, old, new []byte, ttl time.Duration) (bool, error)
	// Add adds delta, at most ±2³¹, to a counter, which starts at zero and expires ttl after
	// its first Add. It returns the sum; a sum of zero removes the counter.
	Add(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error)
	// Delete removes the key; that it is absent is no error.
	Delete(ctx context.Context, key string) error
}

// Watcher is a store that tells when values change.
type Watcher interface {
	// Watch calls fn with each key under prefix that Put, Swap or Delete changed on any
	// node (not with counters, nor with what expires), and with "" when changes may have
	// been missed: then anything may have changed. fn may be called twice for one change
	// and by many goroutines; it must be quick and must not call the store.
	Watch(prefix string, fn func(key string)) (stop func())
}

func checkKey(key string) error {
	if key == "" || len(key) > MaxKey {
		return fmt.Errorf("kv: a key of %d bytes; 1 to %d are allowed", len(key), MaxKey)
	}
	return nil
}

func checkPut(key string, value []byte, ttl time.Duration) error {
	if len(value) > MaxValue {
		return fmt.Errorf("kv: a value of %d bytes; %d are allowed", len(value), MaxValue)
	}
	if ttl <= 0 {
		return fmt.Errorf("kv: a life of %s", ttl)
	}
	return checkKey(key)
}

func checkSwap(key string, new []byte, ttl time.Duration) error {
	if new == nil {
		return checkKey(key)
	}
	return checkPut(key, new, ttl)
}

func checkAdd(key string, delta int64, ttl time.Duration) error {
	if delta > maxDelta || delta < -maxDelta {
		return fmt.Errorf("kv: adding %d; at most %d either way is allowed", delta, maxDelta)
	}
	return checkPut(key, nil, ttl)
}

// millis rounds a life up: a value never dies early.
func millis(ttl time.Duration) int64 {
	return int64((ttl + time.Millisecond - 1) / time.Millisecond)
}

// watchers are the functions that wait for changes in this process.
type watchers struct {
	mu  sync.RWMutex
	all map[*watcher]struct{}
}

type watcher struct {
	prefix string
	fn     func(key string)
}

func (w *watchers) watch(prefix string, fn func(string)) (stop func()) {
	one := &watcher{prefix, fn}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[*watcher]struct{}{}
	}
	w.all[one] = struct{}{}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.all, one)
	}
}

// tell calls everybody whom a change of key concerns; "" concerns all.
func (w *watchers) tell(key string) {
	w.mu.RLock()
	var fns []func(string)
	for one := range w.all {
		if key == "" || strings.HasPrefix(key, one.prefix) {
			fns = append(fns, one.fn)
		}
	}
	w.mu.RUnlock()
	for _, fn := range fns {
		fn(key)
	}
}
