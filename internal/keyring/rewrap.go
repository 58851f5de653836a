package keyring

import (
	"context"
	"errors"
	"fmt"

	"coffer/internal/db"
)

// rewrapBatch is how many rows a step is asked to do.
const rewrapBatch = 200

// Rewrap is a walk over one table that seals everything under the active key.
//
// Step looks at up to limit rows after cursor ("" = from the front), moves those that
// are not under the active key, each by a conditional update so that a writer at the
// same moment wins, and returns the cursor to go on from ("" = finished) and how many
// rows it looked at. A crash repeats the last step, so a step must bear repetition.
type Rewrap struct {
	Name    string // stable and unique: progress is stored under it
	Purpose Purpose
	Step    func(ctx context.Context, cursor string, limit int) (next string, done int, err error)
}

// RewrapAll takes every walk to its end, from where it stopped if it was interrupted.
// A walk that has finished for the active key is not walked again. progress may be nil;
// done is the number of rows so far. Two processes may run it at once: they share the
// work.
func (r *Ring) RewrapAll(ctx context.Context, works []Rewrap, progress func(name string, done int)) error {
	if progress == nil {
		progress = func(string, int) {}
	}
	if err := r.Refresh(ctx); err != nil {
		return err
	}
	for _, w := range works {
		if err := r.rewrap(ctx, w, progress); err != nil {
			return fmt.Errorf("rewrap %s: %w", w.Name, err)
		}
	}
	return nil
}

func (r *Ring) rewrap(ctx context.Context, w Rewrap, progress func(string, int)) error {
	at, err := r.beginWalk(ctx, w)
	if err != nil {
		return err
	}
	for at.finished.IsZero() {
		if err := ctx.Err(); err != nil {
			return err
		}
		next, done, err := w.Step(ctx, at.position, rewrapBatch)
		if err != nil {
			return err
		}
		finished := at.finished
		if next == "" {
			finished = r.now()
		}
		if _, err := moveWalk(ctx, r.db, w.Name, at, next, done, finished); err != nil {
			return err
		}
		// Whether this process moved the walk or another one did: go on from where it is.
		if at, err = selectWalk(ctx, r.db, w.Name); err != nil {
			return err
		}
		progress(w.Name, int(at.done))
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
	if err == nil && at.kid == active.ID && (at.finished.IsZero() || settled) {
		return at, nil
	}
	if err := startWalk(ctx, r.db, w.Name, w.Purpose, active.ID, r.now()); err != nil {
		return walk{}, err
	}
	return selectWalk(ctx, r.db, w.Name)
}
