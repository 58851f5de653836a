// Package kv keeps short-lived values with expiry and counters, and carries messages between nodes: memory, SQL, Redis/Valkey.
//
// It stores sessions, limits and attempts: values that requests read often and that soon
// expire. The choice of store changes nothing for a caller; kvtest runs all stores through
// the same cases.
//
// # Rules of every store
//
//   - A key is any string of 1 to 512 bytes, a value at most 64 KiB. Stores do not interpret
//     either.
//   - An expired key is absent at once, even before its removal.
//   - A key holds a value (Put) or a counter (Add). A counter reads as its decimal text. Add
//     to a value is [ErrNotCounter]. A counter that returns to zero is absent.
//   - [Store.Add] is atomic: concurrent calls add up.
//   - [Store.Once] is atomic too: of concurrent calls with one key, one is the first.
//   - An unreachable store answers [ErrUnavailable], never "absent": a caller must not take
//     silence for a sign-out, or for permission. A change with that answer may have happened.
//   - [Memory] belongs to one process. All nodes share [SQL] and [Redis].
//
// # Reading from memory
//
// Every request reads keys under "session:". SQL caches them in the process that owns a
// SQLite database, where no other process changes them.
//
// Such a process also keeps the marks of [Store.Once] in memory, bounded, because each would
// cost a synced write. They end with the process. On PostgreSQL they are rows.
//
// Redis caches values under "session:" too, and drops them when the server announces a
// change. [Redis] says how long a node without connection may be behind. The other stores
// always read the last write.
//
// # Messages between nodes
//
// A [Bus] has channels, which reach all their present hearers, and queues, which keep each
// message for one taker until an end that every Push renews. It keeps the order of each
// caller, and gives no message twice. [LocalBus] is for a single process, [RedisBus] for
// several.
//
// A bus promises delivery only while its connection holds. When that breaks, the lost of
// every subscription closes, and what a queue held may be gone. Its user therefore begins
// anew; it does not guess what was missed. An unreachable bus answers [ErrUnavailable].
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
	// ErrMissing says that a key is absent or expired.
	ErrMissing = errors.New("kv: no such key")
	// ErrNotCounter says that Add met a value.
	ErrNotCounter = errors.New("kv: the key holds a value, not a counter")
	// ErrUnavailable is in every error of a store that cannot serve at the moment. Its
	// method Unavailable identifies it without an import of this package.
	ErrUnavailable error = unavailable{}
)

type unavailable struct{}

func (unavailable) Error() string     { return "key store unavailable" }
func (unavailable) Unavailable() bool { return true }

// Store holds short-lived values. Its methods are safe for concurrent use, and copy their
// arguments and results. A ttl is positive and rounded up to a millisecond.
type Store interface {
	// Get returns the value, or [ErrMissing].
	Get(ctx context.Context, key string) ([]byte, error)
	// Put sets or replaces the value.
	Put(ctx context.Context, key string, value []byte, ttl time.Duration) error
	// Add adds delta, at most ±2³¹, to a counter, which starts at zero and expires ttl after
	// its first Add. It returns the sum; a sum of zero removes the counter.
	Add(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error)
	// Delete removes the key; an absent key is no error.
	Delete(ctx context.Context, key string) error
	// Once reports whether no call with key came in the ttl before, and remembers this one.
	// made is when the key was made: a store that forgets marks with its process answers
	// false for what is older, by the second, if another process ran shortly before. Its store
	// keeps a mark that was made ahead of its clock, by up to two minutes. No other method may
	// use a key of Once.
	Once(ctx context.Context, key string, made time.Time, ttl time.Duration) (bool, error)
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

// millis rounds a ttl up, so no value expires early.
func millis(ttl time.Duration) int64 {
	return int64((ttl + time.Millisecond - 1) / time.Millisecond)
}
