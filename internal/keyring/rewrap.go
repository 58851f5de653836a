package keyring

import (
	"context"
	"errors"
	"fmt"

	"coffer/internal/db"
	"coffer/internal/seal"
)

// A walk always reaches its end. It passes a value that it cannot move and leaves it
// unchanged. The reason decides what becomes of the old key:
//
//   - A damaged value opens under no key: it was altered or moved from another row, or its
//     key was destroyed. It keeps no key alive.
//   - A value waits when the ring lacks its key, or when another row holds its index. Both
//     may change: a backup returns the key, or the other row moves. The walk runs again, and
//     while values wait no key of the purpose is destroyed without force.
//   - Any other error, such as an unreachable database, says nothing about the value. The
//     walk stops before it and continues there later.

// rewrapBatch is the row limit of a step.
const rewrapBatch = 200

// Skip judges the error of one value, with place as in "accounts.password". It returns nil
// to pass the value, or an error that ends the step.
type Skip = func(ctx context.Context, place, id string, err error) error

// Rewrap is a walk over one table that seals everything under the active key.
//
// Step looks at up to limit rows after cursor ("" = from the front). It moves those under
// another key, each by a conditional update, so a concurrent writer wins. It asks skip
// about each value that it cannot move. It returns the next cursor ("" = finished) and the
// number of rows it looked at. A crash repeats the last step, so a step must be repeatable.
type Rewrap struct {
	Name    string // stable and unique: names the stored progress
	Purpose Purpose
	Step    func(ctx context.Context, cursor string, limit int, skip Skip) (next string, done int, err error)
}

// AddRewraps registers the walks of a room's tables. The room's New calls it before any
// walk begins.
func (r *Ring) AddRewraps(works ...Rewrap) { r.rewraps = append(r.rewraps, works...) }

// Rewraps returns every registered walk.
func (r *Ring) Rewraps() []Rewrap { return r.rewraps }

// RewrapAll runs every walk to its end, and resumes interrupted ones. It skips a walk
// already finished for the active key, unless values wait. progress may be nil; done is the
// number of rows so far. Two processes may run it at once and share the work. A failed walk
// does not stop the others. Waiting values cause an [ErrNoKey]; [Ring.Damaged] counts
// damaged ones.
func (r *Ring) RewrapAll(ctx context.Context, works []Rewrap, progress func(name string, done int)) error {
	if progress == nil {
		progress = func(string, int) {}
	}
	if err := r.Refresh(ctx); err != nil {
		return err
	}
	var failed []error
	for _, w := range works {
		if err := r.rewrap(ctx, w, progress); err != nil {
			failed = append(failed, fmt.Errorf("rewrap %s: %w", w.Name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failed...)
}

// Damaged returns how many values the last walks passed because no key opens them.
func (r *Ring) Damaged(ctx context.Context) (int, error) { return sumDamaged(ctx, r.db) }

func (r *Ring) rewrap(ctx context.Context, w Rewrap, progress func(string, int)) error {
	at, err := r.beginWalk(ctx, w)
	if err != nil {
		return err
	}
	for at.finished.IsZero() {
		if err := ctx.Err(); err != nil {
			return err
		}
		s := step{ring: r}
		if s.next, s.done, err = w.Step(ctx, at.position, rewrapBatch, s.skip); err != nil {
			return err
		}
		if s.next == at.position && s.next != "" {
			return fmt.Errorf("no row follows %q in the order of the ids", s.next)
		}
		finished := at.finished
		if s.next == "" {
			finished = r.now()
		}
		moved, err := moveWalk(ctx, r.db, w.Name, at, s, finished)
		if err != nil {
			return err
		}
		if moved {
			s.tell(ctx, w.Name)
		}
		// This process or another one moved the walk: continue from its position.
		if at, err = selectWalk(ctx, r.db, w.Name); err != nil {
			return err
		}
		progress(w.Name, int(at.done))
	}
	if at.waiting > 0 {
		return fmt.Errorf("%w for %d values, which stay as they are; the walk is walked again", ErrNoKey, at.waiting)
	}
	return nil
}

// beginWalk returns the start: the stored position of an unfinished walk to the active key,
// or the front.
func (r *Ring) beginWalk(ctx context.Context, w Rewrap) (walk, error) {
	active, err := r.Active(ctx, w.Purpose)
	if err != nil {
		return walk{}, err
	}
	at, err := selectWalk(ctx, r.db, w.Name)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return walk{}, err
	}
	// A walk that began before every node knew the rotation may have missed rows written
	// meanwhile under the old key. It must run again.
	settled := !at.started.Before(active.NotBefore.Add(Settle))
	if err == nil && at.kid == active.ID && (at.finished.IsZero() || settled && at.waiting == 0) {
		return at, nil
	}
	if err := startWalk(ctx, r.db, w.Name, w.Purpose, active.ID, r.now()); err != nil {
		return walk{}, err
	}
	return selectWalk(ctx, r.db, w.Name)
}

// step counts the rows that one step moved and passed.
type step struct {
	ring             *Ring
	next             string
	done             int
	damaged, waiting int
	skipped          []skipped
}

type skipped struct {
	place, id string
	damaged   bool
}

// skip is the step's [Skip].
func (s *step) skip(ctx context.Context, place, id string, err error) error {
	damaged := errors.Is(err, seal.ErrOpen)
	if missing := (*noKey)(nil); !damaged && errors.As(err, &missing) {
		gone, lookErr := isDestroyed(ctx, s.ring.db, missing.keyRef)
		if lookErr != nil {
			return lookErr
		}
		damaged = gone
	} else if !damaged && !db.IsUnique(err) {
		return fmt.Errorf("%s of %s: %w", place, id, err)
	}
	if damaged {
		s.damaged++
	} else {
		s.waiting++
	}
	s.skipped = append(s.skipped, skipped{place, id, damaged})
	return nil
}

// tell logs the values that the step passed. Only the process that recorded the step calls
// it.
func (s *step) tell(ctx context.Context, walk string) {
	for _, v := range s.skipped {
		msg := "keyring: the key of a value is not in the ring, or another row has its index: the walk tries it again"
		if v.damaged {
			msg = "keyring: a value opens under no key: the walk went past it"
		}
		s.ring.log.ErrorContext(ctx, msg, "walk", walk, "place", v.place, "id", v.id)
	}
}
