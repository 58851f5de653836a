package jobs

import (
	"context"
	"fmt"

	"coffer/internal/db"
)

// forgetDead deletes jobs dead for longer than [KeepDead].
func (q *Queue) forgetDead(ctx context.Context) error {
	return deleteDead(ctx, q.db, q.cfg.Now().Add(-KeepDead).UnixMilli())
}

// Reseal reseals the payloads and errors of up to limit jobs after cursor, in the order of
// their ids. next is the next cursor, "" at the end; done is the number of jobs looked at.
// After the walk no value needs an old key of Seal. Reseal asks skip about each value that
// does not open, and passes it when skip returns nil.
func (q *Queue) Reseal(ctx context.Context, cursor string, limit int,
	skip func(ctx context.Context, place, id string, err error) error) (next string, done int, err error) {
	rows, err := listSealed(ctx, q.db, cursor, limit)
	if err != nil {
		return "", 0, fmt.Errorf("reseal jobs: %w", err)
	}
	for _, r := range rows {
		if err := q.reseal(ctx, "payload", r, r.Payload, replacePayload); err != nil {
			if err := skip(ctx, "jobs.payload", r.ID, err); err != nil {
				return "", 0, err
			}
		}
		if err := q.reseal(ctx, "error", r, r.Error, replaceError); err != nil {
			if err := skip(ctx, "jobs.error", r.ID, err); err != nil {
				return "", 0, err
			}
		}
	}
	if len(rows) < limit {
		return "", len(rows), nil
	}
	return rows[len(rows)-1].ID, len(rows), nil
}

// reseal replaces one value, unless another writer has meanwhile stored a newer one.
func (q *Queue) reseal(ctx context.Context, column string, r sealedRow, sealed []byte,
	replace func(ctx context.Context, q db.Querier, id string, before, after []byte) (int64, error)) error {
	if sealed == nil {
		return nil
	}
	plain, err := q.open(ctx, column, r.ID, r.Kind, sealed)
	if err != nil {
		return fmt.Errorf("reseal job %s: %w", r.ID, err)
	}
	again, err := q.seal(ctx, column, r.ID, r.Kind, plain)
	if err != nil {
		return fmt.Errorf("reseal job %s: %w", r.ID, err)
	}
	if _, err := replace(ctx, q.db, r.ID, sealed, again); err != nil {
		return fmt.Errorf("reseal job %s: %w", r.ID, err)
	}
	return nil
}
