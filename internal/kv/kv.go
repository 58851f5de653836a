// Package kv keeps short-lived values with expiry and counters: memory, SQL, Redis/Valkey.
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
//   - A key holds a value (Put) or a counter (Add). A counter reads as its decimal text.
//     Add to a value is [ErrNotCounter]. A counter that comes back to zero is absent:
//     what was counted and taken back leaves nothing.
//   - [Store.Add] is one step: many at once add up.
//   - A store that cannot be reached answers [ErrUnavailable], never "absent": a
//     caller that asks for a session must not take silence for a sign-out, or for a pass.
//     After it, whether a change was made is unknown.
//   - [Memory] is one process. [SQL] and [Redis] are shared by every node.
//
// # Reading from memory
//
// What is under "session:" is asked on every request. SQL answers it from memory in the
// process that owns a SQLite database, where no other process changes it.
//
// Redis keeps values under "session:" in this process too, and drops them when the
// server says that they changed; see [Redis] for how long a node that lost its
// connection can be behind. The other stores read what they wrote, always.
package kv

import (
	"context"
	"errors"
	"fmt"
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
	// Put sets the value and replaces the one before it.
	Put(ctx context.Context, key string, value []byte, ttl time.Duration) error
	// Add adds delta, at most ±2³¹, to a counter, which starts at zero and expires ttl after
	// its first Add. It returns the sum; a sum of zero removes the counter.
	Add(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error)
	// Delete removes the key; that it is absent is no error.
	Delete(ctx context.Context, key string) error
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
