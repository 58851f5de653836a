package content

import (
	"context"
	"errors"
	"slices"
	"time"

	"coffer/internal/account"
	"coffer/internal/blob"
	"coffer/internal/db"
	"coffer/internal/jobs"
)

// purgeJob removes what is marked for deletion. The transaction that marks enqueues it.
const purgeJob = "content.purge"

// abandonedAfter is how long a pending object may go untouched. Its upload touches it every
// touchEvery, and is ended when no byte comes for a minute: what is older was left by a
// crash. With sweepEvery it is gone within the hour.
const (
	abandonedAfter = 30 * time.Minute
	sweepEvery     = 15 * time.Minute
)

// Objects that are removed in one transaction: rows alone, or rows with their content.
const (
	sweepBatch = 200
	smallBatch = 50
)

// Forget stops an account from taking content, inside the transaction that deletes it. A job
// removes what there is.
func (s *Service) Forget(ctx context.Context, tx *db.Tx, owner account.ID) error {
	if err := markForgotten(ctx, tx, owner); err != nil {
		return err
	}
	return s.enqueuePurge(ctx, tx, owner)
}

// enqueuePurge asks for a purge once tx has committed. An account has one waiting at
// most, however much it deletes while the store is away.
func (s *Service) enqueuePurge(ctx context.Context, tx *db.Tx, owner account.ID) error {
	return s.Jobs.Enqueue(ctx, tx, purgeJob, struct{}{}, jobs.Key(string(owner)))
}

// purgeFailures is how many objects may refuse to go before the store itself is blamed.
const purgeFailures = 8

// purge removes everything that is marked, and first marks the objects of forgotten accounts.
// An object that cannot be removed does not hold up the others.
func (s *Service) purge(ctx context.Context) error {
	if err := s.markAccounts(ctx); err != nil {
		return err
	}
	if err := s.markParts(ctx); err != nil {
		return err
	}
	failures := s.purgeRows(ctx, partRows)
	if len(failures) < purgeFailures {
		failures = append(failures, s.purgeRows(ctx, objectRows)...)
	}
	return errors.Join(failures...)
}

// inBatches runs a statement until it finds less than sweepBatch.
func inBatches(do func() (int64, error)) error {
	for {
		if n, err := do(); err != nil || n < sweepBatch {
			return err
		}
	}
}

// markParts marks the parts of objects that are marked, a few in each transaction.
func (s *Service) markParts(ctx context.Context) error {
	for from := ""; ; {
		var n int
		var next string
		err := s.DB.Tx(ctx, func(tx *db.Tx) (err error) { // perhaps more than once
			n, next, err = markParts(ctx, tx, from, sweepBatch)
			return err
		})
		if err != nil || n < sweepBatch {
			return err
		}
		from = next
	}
}

func (s *Service) purgeRows(ctx context.Context, t table) (failures []error) {
	for after := ""; ; {
		inStore, inSQL, err := readMarked(ctx, s.DB, t, after, sweepBatch)
		if err != nil {
			return append(failures, err)
		}
		if len(inStore)+len(inSQL) == 0 {
			return failures
		}
		for _, ids := range [][]string{inStore, inSQL} { // ascending both
			if len(ids) > 0 {
				after = max(after, ids[len(ids)-1])
			}
		}
		if failures = append(failures, s.remove(ctx, t, inStore, inSQL)...); len(failures) >= purgeFailures {
			return failures
		}
	}
}

// markAccounts marks the objects of forgotten accounts, a few in each transaction.
func (s *Service) markAccounts(ctx context.Context) error {
	for after := ""; ; {
		owners, err := readForgotten(ctx, s.DB, after, sweepBatch)
		if err != nil || len(owners) == 0 {
			return err
		}
		for _, owner := range owners {
			err := errors.Join(
				inBatches(func() (int64, error) { return endGrowth(ctx, s.DB, owner, sweepBatch) }),
				inBatches(func() (int64, error) { return markSome(ctx, s.DB, owner, sweepBatch) }))
			if err == nil {
				err = deleteForgotten(ctx, s.DB, owner)
			}
			if err != nil {
				return err
			}
			after = owner
		}
	}
}

// remove removes rows that are marked, content first: after a crash in between it is done
// again. It stops at the failure that blames the store.
func (s *Service) remove(ctx context.Context, t table, inStore, inSQL []string) (failures []error) {
	gone := make([]string, 0, len(inStore))
	for _, id := range inStore {
		err := s.Blobs.Delete(ctx, id)
		if err == nil || errors.Is(err, blob.ErrID) { // a row that a writer of the database made
			gone = append(gone, id)
		} else if failures = append(failures, err); len(failures) == purgeFailures {
			break
		}
	}
	delete := func(ids []string) {
		if err := s.DB.Tx(ctx, func(tx *db.Tx) error { return deleteMarked(ctx, tx, t, ids) }); err != nil {
			failures = append(failures, err)
		}
	}
	for ids := range slices.Chunk(gone, sweepBatch) {
		delete(ids)
	}
	for ids := range slices.Chunk(inSQL, smallBatch) {
		delete(ids)
	}
	return failures
}

// Sweep removes what unfinished uploads left. It runs every sweepEvery.
func (s *Service) Sweep(ctx context.Context) error {
	since := s.Now().Add(-abandonedAfter)
	var failures []error // of one kind; the others go all the same
	for _, mark := range []func() (int64, error){
		func() (int64, error) {
			return s.giveUpPending(ctx, func(tx *db.Tx) (given, error) { return markAbandoned(ctx, tx, since, sweepBatch) })
		},
		func() (int64, error) { return markAbandonedParts(ctx, s.DB, since, sweepBatch) },
		func() (int64, error) { return s.abandonExpired(ctx) },
	} {
		failures = append(failures, inBatches(mark))
	}
	return errors.Join(append(failures, s.purge(ctx))...)
}

// orphanAge is how old an object without a row must be before it is removed. Rows are older
// than their objects, so there are orphans only after a database was restored from a backup.
// The age is the time to find out that it was the wrong one.
const orphanAge = 7 * 24 * time.Hour

// sweepOrphans removes objects that no row knows. It runs daily.
func (s *Service) sweepOrphans(ctx context.Context) error {
	before := s.Now().Add(-orphanAge)
	var batch []string
	var failures []error // one that cannot be removed does not hold up the others
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		known, err := readKnown(ctx, s.DB, batch)
		if err != nil {
			return err
		}
		for _, id := range batch {
			if known[id] {
				continue
			}
			if err := s.Blobs.Delete(ctx, id); err != nil {
				failures = append(failures, err)
			}
			if len(failures) == purgeFailures {
				return errors.Join(failures...)
			}
		}
		batch = batch[:0]
		return nil
	}
	err := s.Blobs.List(ctx, "", func(id string, _ int64, at time.Time) error {
		if at.After(before) {
			return nil
		}
		if batch = append(batch, id); len(batch) < sweepBatch {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	if len(failures) < purgeFailures { // else err has them
		err = errors.Join(append(failures, err)...)
	}
	return err
}
