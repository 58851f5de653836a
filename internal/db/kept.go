package db

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"coffer/internal/metric"
)

// ErrOwned says that another process has claimed the database.
var ErrOwned = errors.New("another server runs on this database; several nodes need PostgreSQL")

// Own claims a SQLite database for this process until Close. It returns ErrOwned when
// another process has claimed it. Cached reads then stay true until this process changes
// them (see [Kept]). A program beside the server need not claim the database: the owner hears
// of its changes within a second. On PostgreSQL, which serves many processes, Own does nothing.
func (d *DB) Own() error {
	e, ok := d.engine.(*liteEngine)
	if !ok || d.owner != nil {
		return nil
	}
	f, err := os.OpenFile(e.path+".owner", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	taken, err := tryLock(f)
	if err == nil && !taken {
		err = ErrOwned
	}
	if err != nil {
		return errors.Join(fmt.Errorf("database %s: %w", e.path, err), f.Close())
	}
	d.owner = f
	e.owned.Store(true)
	d.hub.ended.Go(func() { e.watchOthers(d.hub.ctx, d.hub.missed) })
	return nil
}

// Owned reports whether this process has claimed the database: no other process changes it.
func (d *DB) Owned() bool { return d.owner != nil }

// Changed drops the values of every [Kept] of topic under key. It does so when the
// transaction ends, before the caller has its result.
func (t *Tx) Changed(topic, key string) { t.notes = append(t.notes, note{topic, key}) }

// Kept caches values, each under a key, in the process that owns the database. In any other
// process it reads each time. A transaction that changes the source of a value must call
// [Tx.Changed] or [Tx.Notify].
//
// Kept stores a value only when no drop happened since before the read. So a reader slower
// than a change caches no old value.
type Kept[V any] struct {
	db    *DB
	most  int
	reads metric.Cache

	mu     sync.RWMutex
	values map[string]V
	drops  uint64
}

// Keep returns an empty Kept for at most that many values. Notes of topic drop its values.
// Call Keep before the server serves requests.
func Keep[V any](d *DB, topic string, most int) *Kept[V] {
	k := &Kept[V]{db: d, most: most, reads: d.metrics.Cache(topic), values: map[string]V{}}
	d.Listen(topic, k.drop)
	return k
}

// Get returns the value under key, from memory or by read.
func (k *Kept[V]) Get(ctx context.Context, key string, read func(context.Context) (V, error)) (V, error) {
	if !k.db.Owned() {
		return read(ctx)
	}
	k.mu.RLock()
	v, ok := k.values[key]
	drops := k.drops
	k.mu.RUnlock()
	if ok {
		k.reads.Hit.Inc()
		return v, nil
	}
	k.reads.Miss.Inc()
	v, err := read(ctx)
	if err != nil {
		return v, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.drops != drops {
		return v, nil
	}
	for other := range k.values { // over the bound: evict any one
		if len(k.values) < k.most {
			break
		}
		delete(k.values, other)
	}
	k.values[key] = v
	return v, nil
}

// drop removes a key, or everything after a gap in the notes.
func (k *Kept[V]) drop(key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drops++
	if key == "" {
		clear(k.values)
		return
	}
	delete(k.values, key)
}
