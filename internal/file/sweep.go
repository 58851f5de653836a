package file

import (
	"context"
	"errors"
	"slices"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
)

// purgeJob removes the objects of doomed blobs; whoever dooms one enqueues it.
const purgeJob = "file.purge"

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

// enqueuePurge asks for a purge once tx has committed. An account has one waiting at
// most, however much it deletes while the store is away.
func (s *Service) enqueuePurge(ctx context.Context, tx *db.Tx, owner account.ID) error {
	return s.Jobs.Enqueue(ctx, tx, purgeJob, struct{}{}, jobs.Key(string(owner)))
}

// purgeFailures is how many objects may refuse to go before the store itself is blamed.
const purgeFailures = 8

// purge removes every doomed blob. One that cannot be removed does not hold up the others.
func (s *Service) purge(ctx context.Context) error {
	var failures []error
	for after := ""; ; {
		inStore, inSQL, err := readDoomed(ctx, s.DB, after, sweepBatch)
		if err != nil || len(inStore)+len(inSQL) == 0 {
			return errors.Join(append(failures, err)...)
		}
		for _, ids := range [][]string{inStore, inSQL} { // ascending both
			if len(ids) > 0 {
				after = max(after, ids[len(ids)-1])
			}
		}
		if failures = append(failures, s.remove(ctx, inStore, inSQL)...); len(failures) >= purgeFailures {
			return errors.Join(failures...)
		}
	}
}

// remove removes doomed blobs, the objects first: after a crash in between it is done again.
// It stops at the failure that blames the store.
func (s *Service) remove(ctx context.Context, inStore, inSQL []string) (failures []error) {
	gone := make([]string, 0, len(inStore))
	for _, id := range inStore {
		err := s.Blobs.Delete(ctx, id)
		if err == nil {
			gone = append(gone, id)
		} else if failures = append(failures, err); len(failures) == purgeFailures {
			break
		}
	}
	delete := func(ids []string) {
		if err := s.DB.Tx(ctx, func(tx *db.Tx) error { return deleteDoomed(ctx, tx, ids) }); err != nil {
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

// Sweep removes what uploads left that nobody finished. It runs every sweepEvery.
func (s *Service) Sweep(ctx context.Context) error {
	for {
		n, err := doomAbandoned(ctx, s.DB, s.Now().Add(-abandonedAfter), sweepBatch)
		if err != nil {
			return err
		}
		if n < sweepBatch {
			break
		}
	}
	return s.purge(ctx)
}

// orphanAge is how old an object must be before nobody knowing it is the end of it. Rows
// are older than their objects, so there are orphans only after a database was restored
// from a backup: the age is the time to find out that it was the wrong one.
const orphanAge = 7 * 24 * time.Hour

// sweepOrphans removes objects that no row knows. It runs daily. The store is this room's own.
func (s *Service) sweepOrphans(ctx context.Context) error {
	before := s.Now().Add(-orphanAge)
	var batch []string
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
				return err
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
	if err != nil {
		return err
	}
	return flush()
}

// rewraps is this room's part of a rotation of the blob key: the wrapped key of each
// object. The objects stay as they are.
func (s *Service) rewraps() []keyring.Rewrap {
	return []keyring.Rewrap{{Name: "file.blobs", Purpose: keyring.Blob, Step: s.rewrapBlobs}}
}

func (s *Service) rewrapBlobs(ctx context.Context, cursor string, limit int, skip keyring.Skip) (next string, done int, err error) {
	keys, err := readWrapped(ctx, s.DB, cursor, limit)
	if err != nil {
		return "", 0, err
	}
	for _, k := range keys {
		again, changed, err := s.Ring.Renew(ctx, keyring.Blob, k.wrapped, blobAAD(k.id, k.account))
		if err != nil {
			err = skip(ctx, "blobs.wrapped", k.id, err)
		}
		if err != nil {
			return "", 0, err
		}
		if !changed {
			continue
		}
		if err := swapWrapped(ctx, s.DB, k, again); err != nil {
			return "", 0, err
		}
	}
	if len(keys) == limit {
		next = keys[len(keys)-1].id
	}
	return next, len(keys), nil
}
