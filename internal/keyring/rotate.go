package keyring

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"coffer/internal/db"
	"coffer/internal/seal"
)

const day = 24 * time.Hour

// policy is the lifetime of a purpose's keys.
type policy struct {
	next  bool          // a pending key is ready and published
	every time.Duration // Maintain rotates at this age; zero: only when asked
	keep  time.Duration // a retired key is needed this long; see untilRewrapped
}

// untilRewrapped marks a retired key that lives until a re-wrap, not for a time.
const untilRewrapped = time.Duration(0)

// publishFor is how long a signing key is published before it signs. Verifiers that cache
// the key set have it by then.
const publishFor = time.Hour

func (r *Ring) policy(p Purpose) policy {
	switch p {
	case Token:
		return policy{next: true, every: 90 * day, keep: r.tokenTTL + Settle}
	case Session:
		// Sessions live 30 days at most; an old dump of the store then stays unreadable.
		return policy{every: day, keep: 31 * day}
	case Refresh:
		return policy{keep: 31 * day}
	case Code:
		return policy{keep: 2 * day}
	case Ledger:
		return policy{keep: Settle} // its verifier key outlives it in the ledger's own table
	default: // Field, Blob, Index, Pepper
		return policy{keep: untilRewrapped}
	}
}

// checkRoot checks that the root key is the one of this ring. The first start decides which
// that is.
func (r *Ring) checkRoot(ctx context.Context) error {
	sealed, err := selectRoot(ctx, r.db)
	if errors.Is(err, db.ErrNoRows) {
		err = r.db.Tx(ctx, func(tx *db.Tx) error {
			if err := insertRoot(ctx, tx, seal.Seal(r.root, nil, []byte("coffer/root/v1"))); err != nil {
				return err
			}
			sealed, err = selectRoot(ctx, tx)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("keyring: %w", err)
	}
	if _, err := seal.Open(r.root, sealed, []byte("coffer/root/v1")); err != nil {
		return ErrRootKey
	}
	return nil
}

// Need makes the first key of each given purpose that has none. A room calls it in New for
// its purposes. No other call makes a first key, because its caller may be in a
// transaction. On SQLite the ring cannot write during another transaction.
func (r *Ring) Need(ctx context.Context, purposes ...Purpose) error {
	for _, p := range purposes {
		if r.current(ctx).active[p] != nil {
			continue
		}
		if err := r.first(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// first makes the first key of p, unless this or another node has made it meanwhile.
func (r *Ring) first(ctx context.Context, p Purpose) error {
	if !slices.Contains(Purposes, p) {
		return fmt.Errorf("%w: there is no purpose %q", ErrNoKey, p)
	}
	r.making.Lock()
	defer r.making.Unlock()
	if err := r.Refresh(ctx); err != nil {
		return err
	}
	if r.keys.Load().active[p] != nil {
		return nil
	}
	return r.fill(ctx, p)
}

// fill makes the missing keys of the purposes: an active one and, where keys are published
// ahead, a pending one of the configured algorithm.
func (r *Ring) fill(ctx context.Context, purposes ...Purpose) error {
	ring := r.keys.Load()
	var missing []row
	var unwanted []Key
	for _, p := range purposes {
		states := []State{}
		if ring.active[p] == nil {
			states = append(states, Active)
		}
		if r.policy(p).next {
			switch next := pendingOf(ring, p); {
			case next == nil:
				states = append(states, Pending)
			case next.Alg != r.algOf(p):
				unwanted = append(unwanted, next.Key)
				states = append(states, Pending)
			}
		}
		for _, state := range states {
			made, err := r.generate(p, state)
			if err != nil {
				return err
			}
			missing = append(missing, made)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	err := r.db.Tx(ctx, func(tx *db.Tx) error {
		for _, k := range unwanted {
			if _, err := destroyKey(ctx, tx, k.Purpose, k.ID, Pending, r.now()); err != nil {
				return err
			}
		}
		for _, k := range missing {
			// If another node fills at the same moment and is first, its key stays.
			if _, err := insertKey(ctx, tx, k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keyring: make keys: %w", err)
	}
	return r.Refresh(ctx)
}

func pendingOf(ring *snapshot, p Purpose) *entry {
	for _, e := range ring.live[p] {
		if e.State == Pending {
			return e
		}
	}
	return nil
}

// Rotate retires p's active key and returns its successor, or the first key of a purpose
// without one. A pending token key becomes active, and a new one is published. When two
// nodes rotate at the same moment both return the same key.
func (r *Ring) Rotate(ctx context.Context, p Purpose) (Key, error) {
	if err := r.Refresh(ctx); err != nil {
		return Key{}, err
	}
	ring := r.keys.Load()
	active := ring.active[p]
	if active == nil {
		if err := r.Need(ctx, p); err != nil {
			return Key{}, err
		}
		return r.Active(ctx, p)
	}
	if p == Index && len(ring.live[p]) > 1 {
		// A look-up uses two keys, never three.
		last := ring.live[p][len(ring.live[p])-1]
		return Key{}, fmt.Errorf("index: %w: %s from the last rotation; run `coffer keys rewrap`, then `coffer keys destroy index %s`", ErrNeeded, last.ID, last.ID)
	}
	if err := r.rotate(ctx, active.Key); err != nil {
		return Key{}, err
	}
	return r.Active(ctx, p)
}

// rotate retires from, if it is still the active key of its purpose.
func (r *Ring) rotate(ctx context.Context, from Key) error {
	p, state := from.Purpose, Active
	if r.policy(p).next {
		state = Pending
	}
	made, err := r.generate(p, state)
	if err != nil {
		return err
	}
	err = r.db.Tx(ctx, func(tx *db.Tx) error {
		now, next := r.now(), made
		if retired, err := retireKey(ctx, tx, p, from.ID, now); err != nil || !retired {
			return err // not retired: another node was faster, and its key is the next
		}
		if state == Pending {
			if promoted, err := promoteKey(ctx, tx, p, now); err != nil {
				return err
			} else if !promoted {
				next.State = Active
			}
		}
		inserted, err := insertKey(ctx, tx, next)
		if err == nil && !inserted {
			err = errors.New("another key took the new one's place")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("keyring: rotate %s: %w", p, err)
	}
	return r.Refresh(ctx)
}

// Destroy empties a pending or open-only key. It returns [ErrNeeded] for the active key and
// for a key that may still seal values.
func (r *Ring) Destroy(ctx context.Context, p Purpose, kid string) error {
	if err := r.Refresh(ctx); err != nil {
		return err
	}
	e := r.keys.Load().byID[keyRef{p, kid}]
	if e == nil {
		return fmt.Errorf("%w: %s %s", ErrNoKey, p, kid)
	}
	if err := r.needed(ctx, e.Key); err != nil {
		return err
	}
	return r.destroy(ctx, e.Key)
}

// ForceDestroy empties a pending or open-only key although values may be sealed under it.
// Such values can never be opened again.
func (r *Ring) ForceDestroy(ctx context.Context, p Purpose, kid string) error {
	if err := r.Refresh(ctx); err != nil {
		return err
	}
	e := r.keys.Load().byID[keyRef{p, kid}]
	if e == nil {
		return fmt.Errorf("%w: %s %s", ErrNoKey, p, kid)
	}
	if e.State == Active {
		return fmt.Errorf("%w: it is the active one; rotate first", ErrNeeded)
	}
	return r.destroy(ctx, e.Key)
}

func (r *Ring) destroy(ctx context.Context, k Key) error {
	err := r.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := destroyKey(ctx, tx, k.Purpose, k.ID, k.State, r.now())
		return err
	})
	if err != nil {
		return fmt.Errorf("keyring: destroy %s %s: %w", k.Purpose, k.ID, err)
	}
	if err := r.Refresh(ctx); err != nil {
		return err
	}
	return r.fill(ctx, k.Purpose) // replaces a pending key
}

// needed returns why k must be kept, or nil.
func (r *Ring) needed(ctx context.Context, k Key) error {
	switch k.State {
	case Active:
		return fmt.Errorf("%w: it is the active one; rotate first", ErrNeeded)
	case Pending:
		return nil // it has sealed nothing yet
	}
	keep := r.policy(k.Purpose).keep
	if keep == untilRewrapped {
		settled := k.Retired.Add(Settle)
		known, finished, waiting, err := countWalks(ctx, r.db, k.Purpose, settled)
		if err != nil {
			return fmt.Errorf("keyring: %w", err)
		}
		if waiting > 0 {
			return fmt.Errorf("%w: the last re-wrap met %d values whose key this ring does not hold, and tries them again; the log of `coffer keys rewrap` names them",
				ErrNeeded, waiting)
		}
		if known == 0 || finished < known {
			return fmt.Errorf("%w: no re-wrap begun after %s has finished; run `coffer keys rewrap` and see it through",
				ErrNeeded, settled.Format(time.RFC3339))
		}
		return nil
	}
	if until := k.Retired.Add(keep); r.now().Before(until) {
		return fmt.Errorf("%w: what it made is valid until %s", ErrNeeded, until.Format(time.RFC3339))
	}
	return nil
}

// Maintain is the ring's periodic work; run it every few minutes, on any number of nodes.
// It rotates due keys: session keys daily, token keys every 90 days or after a change of
// algorithm. It destroys retired keys whose time is over, but never a key that re-wrapping
// must free.
func (r *Ring) Maintain(ctx context.Context) error {
	if err := r.Refresh(ctx); err != nil {
		return err
	}
	purposes := r.keys.Load().purposes()
	if err := r.fill(ctx, purposes...); err != nil {
		return err
	}
	for _, p := range purposes {
		if k := r.keys.Load().active[p]; k != nil && r.overdue(k.Key) {
			if err := r.rotate(ctx, k.Key); err != nil {
				return err
			}
		}
		for _, e := range r.keys.Load().live[p] {
			if e.State != OpenOnly || r.policy(p).keep == untilRewrapped || r.needed(ctx, e.Key) != nil {
				continue
			}
			if err := r.destroy(ctx, e.Key); err != nil {
				return err
			}
		}
	}
	return nil
}

// overdue reports whether the active key k is past its rotation age and a successor is
// ready.
func (r *Ring) overdue(k Key) bool {
	rules, now := r.policy(k.Purpose), r.now()
	if rules.next {
		next := pendingOf(r.keys.Load(), k.Purpose)
		if next == nil || now.Before(next.Created.Add(publishFor)) {
			return false
		}
		if next.Alg != k.Alg {
			return true
		}
	}
	return rules.every > 0 && !now.Before(k.NotBefore.Add(rules.every))
}
