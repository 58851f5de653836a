package jobs

import (
	"context"
	"fmt"

	"coffer/internal/db"
)

// forgetDead deletes what died long ago.
func (q *Queue) forgetDead(ctx context.Context) error {
	return deleteDead(ctx, q.db, q.cfg.Now().Add(-KeepDead).UnixMilli())
}

// Reseal seals the payloads and errors of up to limit jobs anew, those after cursor in the
// order of their ids. next is where to go on, "" at the end; done is how many jobs it
// looked at. With it the key that Seal used before can be given up. skip is asked about each
// value that does not open, and returns nil to go past it.
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

// reseal replaces one value, unless another writer has meanwhile: that value is newer.
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
