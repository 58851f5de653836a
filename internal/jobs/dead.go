package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"coffer/internal/db"
)

// ErrNotFound says that there is no dead job of an id.
var ErrNotFound = errors.New("no such dead job")

// maxDead is how many dead jobs are listed.
const maxDead = 1000

// DeadJob is a job that is not tried any more. Its payload stays sealed.
type DeadJob struct {
	ID, Kind  string
	Attempts  int
	Class     string // why, in a few words that name nobody
	Error     string // what the last attempt said; may name people; empty when it cannot be opened
	CreatedAt time.Time
	DiedAt    time.Time
}

// Dead returns the jobs that were given up, the newest first, 1000 at most.
func (q *Queue) Dead(ctx context.Context) ([]DeadJob, error) {
	rows, err := listDead(ctx, q.db, maxDead)
	if err != nil {
		return nil, fmt.Errorf("list dead jobs: %w", err)
	}
	dead := make([]DeadJob, 0, len(rows))
	for _, r := range rows {
		d := DeadJob{
			ID: r.ID, Kind: r.Kind, Attempts: int(r.Attempts), Class: r.Failure,
			CreatedAt: time.UnixMilli(r.CreatedAt), DiedAt: time.UnixMilli(r.DeadAt),
		}
		if r.Error != nil {
			if text, err := q.open(ctx, "error", r.ID, r.Kind, r.Error); err == nil {
				d.Error = string(text)
			}
		}
		dead = append(dead, d)
	}
	return dead, nil
}

// Retry takes a job off the dead list; it begins anew, now. It returns [ErrNotFound] when
// no dead job has the id.
func (q *Queue) Retry(ctx context.Context, id string) error {
	return q.db.Tx(ctx, func(tx *db.Tx) error {
		n, err := reviveJob(ctx, tx, id, q.cfg.Now().UnixMilli())
		if err != nil {
			return fmt.Errorf("retry a job: %w", err)
		}
		if n == 0 {
			return ErrNotFound
		}
		return tx.Notify(ctx, topic, "")
	})
}

// forgetDead deletes what nobody retried.
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

// reseal replaces one value if nobody else has meanwhile: what they wrote is newer.
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
