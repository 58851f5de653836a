package keyring

import (
	"context"
	"errors"
	"fmt"

	"coffer/internal/db"
	"coffer/internal/seal"
)

// A walk always comes to its end. It goes past a value that it cannot move, and leaves the
// value as it is. What that means for the old key depends on the reason:
//
//   - A damaged value opens under no key: it was altered, it was moved from another row, or
//     its key was destroyed. It keeps no key alive.
//   - A value waits when its key is not in the ring, or when another row holds its index.
//     Both may change: a backup brings the key back, the other row moves. The walk is walked
//     again, and until none waits no key of the purpose is destroyed without force.
//   - Any other error, as of a database that cannot be reached, says nothing about the value.
//     The walk stops before it and goes on from there another time.

// rewrapBatch is how many rows a step is asked to do.
const rewrapBatch = 200

// Skip takes the error of one value, place as in "accounts.password", and returns nil when
// the walk is to go past it, else an error that ends the step.
type Skip = func(ctx context.Context, place, id string, err error) error

// Rewrap is a walk over one table that seals everything under the active key.
//
// Step looks at up to limit rows after cursor ("" = from the front), moves those that
// are not under the active key, each by a conditional update so that a writer at the
// same moment wins, and returns the cursor to go on from ("" = finished) and how many
// rows it looked at. It asks skip about each value that it cannot move. A crash repeats
// the last step, so a step must bear repetition.
type Rewrap struct {
	Name    string // stable and unique: progress is stored under it
	Purpose Purpose
	Step    func(ctx context.Context, cursor string, limit int, skip Skip) (next string, done int, err error)
}

// AddRewraps hands in the walks of a room's tables. The room's New calls it, before any
// walk begins.
func (r *Ring) AddRewraps(works ...Rewrap) { r.rewraps = append(r.rewraps, works...) }

// Rewraps returns every walk that was handed in.
func (r *Ring) Rewraps() []Rewrap { return r.rewraps }

// RewrapAll takes every walk to its end, from where it stopped if it was interrupted.
// A walk that has finished for the active key is not walked again, unless values wait.
// progress may be nil; done is the number of rows so far. Two processes may run it at once:
// they share the work. A walk that fails does not keep the others from theirs. Values that
// wait are an error that is [ErrNoKey]; of damaged ones [Ring.Damaged] tells.
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

// Damaged returns how many values the last walks went past because they open under no key.
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
		// Whether this process moved the walk or another one did: go on from where it is.
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

// beginWalk returns where to go on: the stored position of an unfinished walk to the
// active key, or the front.
func (r *Ring) beginWalk(ctx context.Context, w Rewrap) (walk, error) {
	active, err := r.Active(ctx, w.Purpose)
	if err != nil {
		return walk{}, err
	}
	at, err := selectWalk(ctx, r.db, w.Name)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return walk{}, err
	}
	// A walk begun before every node had seen the rotation may have missed rows that
	// were written under the old key behind its back: walk once more.
	settled := !at.started.Before(active.NotBefore.Add(Settle))
	if err == nil && at.kid == active.ID && (at.finished.IsZero() || settled && at.waiting == 0) {
		return at, nil
	}
	if err := startWalk(ctx, r.db, w.Name, w.Purpose, active.ID, r.now()); err != nil {
		return walk{}, err
	}
	return selectWalk(ctx, r.db, w.Name)
}

// step is what one step of a walk did, and went past.
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

// tell logs what the step went past; the process that recorded the step does so, once.
func (s *step) tell(ctx context.Context, walk string) {
	for _, v := range s.skipped {
		msg := "keyring: the key of a value is not in the ring, or another row has its index: the walk tries it again"
		if v.damaged {
			msg = "keyring: a value opens under no key: the walk went past it"
		}
		s.ring.log.ErrorContext(ctx, msg, "walk", walk, "place", v.place, "id", v.id)
	}
}
