package file

import (
	"context"
	"errors"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
)

// purgeJob removes the objects of doomed blobs; whoever dooms one enqueues it.
const purgeJob = "file.purge"

// abandonedAfter is how long an upload may take. What is pending for longer is left from
// a crash.
const abandonedAfter = 24 * time.Hour

const sweepBatch = 200

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
		ids, err := readDoomed(ctx, s.DB, after, sweepBatch)
		if err != nil || len(ids) == 0 {
			return errors.Join(append(failures, err)...)
		}
		for _, id := range ids {
			if err := s.remove(ctx, id); err != nil {
				if failures = append(failures, err); len(failures) == purgeFailures {
					return errors.Join(failures...)
				}
			}
		}
		after = ids[len(ids)-1]
	}
}

// remove removes a doomed blob, the object first: after a crash in between it is done again.
func (s *Service) remove(ctx context.Context, id string) error {
	if err := s.Blobs.Delete(ctx, id); err != nil {
		return err
	}
	return deleteDoomed(ctx, s.DB, id)
}

// Sweep removes what uploads left that nobody finished within a day. It runs hourly.
func (s *Service) Sweep(ctx context.Context) error {
	if err := doomAbandoned(ctx, s.DB, s.Now().Add(-abandonedAfter)); err != nil {
		return err
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

// Rewraps is this room's part of a rotation of the blob key: the wrapped key of each
// object. The objects stay as they are.
func (s *Service) Rewraps() []keyring.Rewrap {
	return []keyring.Rewrap{{Name: "file.blobs", Purpose: keyring.Blob, Step: s.rewrapBlobs}}
}

func (s *Service) rewrapBlobs(ctx context.Context, cursor string, limit int) (next string, done int, err error) {
	keys, err := readWrapped(ctx, s.DB, cursor, limit)
	if err != nil {
		return "", 0, err
	}
	for _, k := range keys {
		again, changed, err := s.Ring.Renew(ctx, keyring.Blob, k.wrapped, blobAAD(k.id, k.account))
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
