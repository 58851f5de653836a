package keyring

import (
	"context"
	"fmt"
	"sync"
	"time"

	"coffer/internal/seal"
)

const (
	// RefreshEvery is the age at which a node reads the ring again.
	RefreshEvery = 30 * time.Second
	// Settle is how long after a change every node has certainly seen it. A node that
	// cannot reach the database has not, but it cannot store anything either.
	Settle = 2 * time.Minute

	// refreshTimeout bounds a caller's wait. The caller may hold a database connection, so
	// its wait for another one must end.
	refreshTimeout = 3 * time.Second
)

// snapshot is the live ring at one moment. It never changes after its publication.
type snapshot struct {
	active map[Purpose]*entry
	live   map[Purpose][]*entry // newest first
	byID   map[keyRef]*entry
}

// purposes returns the purposes that have a key, in the order of [Purposes].
func (s *snapshot) purposes() (have []Purpose) {
	for _, p := range Purposes {
		if len(s.live[p]) > 0 {
			have = append(have, p)
		}
	}
	return have
}

type keyRef struct {
	purpose Purpose
	kid     string
}

// entry is a key with its derived keys.
type entry struct {
	Key
	*material
}

// material is shared by a key's entries in successive snapshots.
type material struct {
	seal, mac []byte
	columns   sync.Map // column name → index key
}

// column returns the key of one column's blind index.
func (m *material) column(name string) []byte {
	if key, ok := m.columns.Load(name); ok {
		return key.([]byte)
	}
	key, _ := m.columns.LoadOrStore(name, derive(m.mac, "index", name))
	return key.([]byte)
}

// current returns the snapshot in force. When a refresh is due, one caller reads the ring
// while the others use the old copy. If the database is unreachable the copy stays in
// force; the caller's own statements will fail.
func (r *Ring) current(ctx context.Context) *snapshot {
	now := r.now().UnixMilli()
	if due := r.due.Load(); now >= due && r.due.CompareAndSwap(due, now+time.Second.Milliseconds()) {
		_ = r.Refresh(context.WithoutCancel(ctx))
	}
	return r.keys.Load()
}

// active returns p's active entry.
func (r *Ring) active(ctx context.Context, p Purpose) (*entry, error) {
	if e := r.current(ctx).active[p]; e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("%w: %q has no active key", ErrNoKey, p)
}

// live returns p's live entries, newest first.
func (r *Ring) live(ctx context.Context, p Purpose) ([]*entry, error) {
	if live := r.current(ctx).live[p]; len(live) > 0 {
		return live, nil
	}
	return nil, fmt.Errorf("%w: %q has no live key", ErrNoKey, p)
}

// entry finds a live key, if necessary in the database.
func (r *Ring) entry(ctx context.Context, p Purpose, kid string) (*entry, error) {
	ref := keyRef{p, kid}
	if e := r.current(ctx).byID[ref]; e != nil {
		return e, nil
	}
	missing := &noKey{ref}
	if !validID(kid) {
		return nil, missing
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.keys.Load().byID[ref]; e != nil {
		return e, nil
	}
	if r.asked == nil {
		r.asked = map[Purpose]*bucket{}
	}
	if r.asked[p] == nil { // of its own: key ids in strangers' tokens must not starve those of rows
		r.asked[p] = &bucket{}
	}
	if !r.asked[p].take(r.now()) {
		return nil, missing
	}
	if err := r.refresh(ctx); err != nil {
		return nil, err
	}
	if e := r.keys.Load().byID[ref]; e != nil {
		return e, nil
	}
	return nil, missing
}

// noKey is an [ErrNoKey] that names the key.
type noKey struct{ keyRef }

func (e *noKey) Error() string { return fmt.Sprintf("%v: %s %s", ErrNoKey, e.purpose, e.kid) }
func (e *noKey) Unwrap() error { return ErrNoKey }

// Refresh reads the ring from the database now.
func (r *Ring) Refresh(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refresh(ctx)
}

func (r *Ring) refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	at := r.now()
	rows, err := r.reload(ctx)
	if err != nil {
		return fmt.Errorf("keyring: read: %w", err)
	}
	old := r.keys.Load()
	next := &snapshot{active: map[Purpose]*entry{}, live: map[Purpose][]*entry{}, byID: map[keyRef]*entry{}}
	for _, row := range rows {
		e, err := r.unseal(row, old)
		if err != nil {
			return err
		}
		next.byID[keyRef{e.Purpose, e.ID}] = e
		next.live[e.Purpose] = append(next.live[e.Purpose], e)
		if e.State == Active {
			next.active[e.Purpose] = e
		}
	}
	r.keys.Store(next)
	r.due.Store(at.Add(RefreshEvery).UnixMilli())
	return nil
}

// unseal opens one row, or reuses an earlier snapshot's entry.
func (r *Ring) unseal(row row, old *snapshot) (*entry, error) {
	if old != nil {
		if e := old.byID[keyRef{row.Purpose, row.ID}]; e != nil && e.Alg == row.Alg {
			row.Secret = e.Secret
			return &entry{Key: row.Key, material: e.material}, nil
		}
	}
	secret, err := seal.Open(r.root, row.sealed, ringAAD(row.Key))
	if err != nil {
		return nil, fmt.Errorf("keyring: %s key %s was altered or is sealed under another root key: %w", row.Purpose, row.ID, err)
	}
	row.Secret = secret
	return &entry{Key: row.Key, material: &material{seal: derive(secret, "seal"), mac: derive(secret, "mac")}}, nil
}

// ringAAD binds a sealed secret to the key it belongs to.
func ringAAD(k Key) []byte {
	return seal.LP([]byte("coffer/ring/v1"), []byte(k.Purpose), []byte(k.ID), []byte(k.Alg))
}

// bucket allows a burst of requests and then one a second.
type bucket struct {
	spent float64
	at    time.Time
}

const askBurst = 10

func (b *bucket) take(now time.Time) bool {
	if elapsed := now.Sub(b.at).Seconds(); elapsed > 0 {
		b.spent, b.at = max(0, b.spent-elapsed), now
	}
	if b.spent > askBurst-1 {
		return false
	}
	b.spent++
	return true
}
