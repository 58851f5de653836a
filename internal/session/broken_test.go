package session_test

import (
	"context"
	"sync/atomic"
	"time"

	"coffer/internal/kv"
)

// breakable is a store that can be away.
type breakable struct {
	kv.Store
	down atomic.Bool
}

// over puts b over a store in memory.
func (b *breakable) over(now func() time.Time) kv.Store {
	b.Store = kv.NewMemory(now)
	return b
}

func (b *breakable) err() error {
	if b.down.Load() {
		return kv.ErrUnavailable
	}
	return nil
}

func (b *breakable) Get(ctx context.Context, key string) ([]byte, error) {
	if err := b.err(); err != nil {
		return nil, err
	}
	return b.Store.Get(ctx, key)
}

func (b *breakable) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := b.err(); err != nil {
		return err
	}
	return b.Store.Put(ctx, key, value, ttl)
}

func (b *breakable) Add(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error) {
	if err := b.err(); err != nil {
		return 0, err
	}
	return b.Store.Add(ctx, key, delta, ttl)
}

func (b *breakable) Delete(ctx context.Context, key string) error {
	if err := b.err(); err != nil {
		return err
	}
	return b.Store.Delete(ctx, key)
}
