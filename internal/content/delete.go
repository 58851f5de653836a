package content

import (
	"context"
	"errors"
	"fmt"
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

// purge removes everything that is marked, and first marks the objects of forgotten accounts.
// Objects that cannot be removed do not hold up the others.
func (s *Service) purge(ctx context.Context) error {
	if err := s.markAccounts(ctx); err != nil {
		return err
	}
	if err := s.markParts(ctx); err != nil {
		return err
	}
	return errors.Join(append(s.purgeRows(ctx, partRows, &s.goneParts), s.purgeRows(ctx, objectRows, &s.goneObjects)...)...)
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

func (s *Service) purgeRows(ctx context.Context, t table, place *blob.Removal) (failures []error) {
	begun := place.Begin()
	for after := begun; ; {
		inStore, inSQL, err := readMarked(ctx, s.DB, t, after, sweepBatch)
		if err != nil {
			return append(failures, err)
		}
		if len(inStore)+len(inSQL) == 0 {
			if place.Leave(""); begun == "" {
				return failures
			}
			begun, after = "", ""
			continue
		}
		for _, ids := range [][]string{inStore, inSQL} { // ascending both
			if len(ids) > 0 {
				after = max(after, ids[len(ids)-1])
			}
		}
		refused, away := s.remove(ctx, t, inStore, inSQL)
		if failures = append(failures, refused...); away {
			return failures
		}
		if len(failures) >= blob.MostRefused {
			place.Leave(after)
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
// again. It reports whether the store is away, and then leaves the rest.
func (s *Service) remove(ctx context.Context, t table, inStore, inSQL []string) (failures []error, away bool) {
	gone := make([]string, 0, len(inStore))
	for _, id := range inStore {
		err := s.Blobs.Delete(ctx, id)
		if err == nil || errors.Is(err, blob.ErrID) { // a row that a writer of the database made
			gone = append(gone, id)
			continue
		}
		failures = append(failures, err)
		if away = blob.Away(ctx, s.Blobs, len(failures)) != nil; away {
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
	return failures, away
}

// Sweep removes what unfinished uploads left. It runs every sweepEvery.
func (s *Service) Sweep(ctx context.Context) error {
	since := s.Now().Add(-abandonedAfter)
	return errors.Join( // of one kind; the others go all the same
		s.giveUpAbandoned(ctx, since),
		inBatches(func() (int64, error) { return markAbandonedParts(ctx, s.DB, since, sweepBatch) }),
		s.abandonExpired(ctx),
		s.purge(ctx))
}

// giveUpAbandoned gives up pending objects that no upload has touched. Damaged ones hold up no other.
func (s *Service) giveUpAbandoned(ctx context.Context, since time.Time) error {
	return db.Walk(ctx, func(last *due, limit int) ([]due, error) {
		return readAbandoned(ctx, s.DB, since, last, limit)
	}, func(o due) error {
		return o.failed(s.giveUpPending(ctx, func(tx *db.Tx) (given, error) { return markAbandoned(ctx, tx, o.id, since) }))
	})
}

// failed names the object in an error.
func (o due) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("object %s: %w", o.id, err)
}

const orphansJob = "content.orphans"

// sweepOrphans removes objects that no row knows. It runs daily.
func (s *Service) sweepOrphans(ctx context.Context) error {
	now := s.Now()
	steady, err := s.Jobs.Steady(ctx, orphansJob, now, blob.OrphanGap)
	if err != nil {
		return err
	}
	return blob.RemoveOrphans(ctx, s.Blobs, "", now, steady, func(ctx context.Context, ids []string) (map[string]bool, error) {
		return readKnown(ctx, s.DB, ids)
	})
}
