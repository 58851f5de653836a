package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"coffer/internal/db"
)

// These functions read and revive dead jobs, and run periodic work once. Only tests call
// them.

// maxDead is the most dead jobs in a list.
const maxDead = 1000

// DeadJob is a job without further attempts. Its payload stays sealed.
type DeadJob struct {
	ID, Kind  string
	Attempts  int
	Class     string // why, in a few words without personal data
	Error     string // the last attempt's error; may contain personal data; empty when it cannot be opened
	CreatedAt time.Time
	DiedAt    time.Time
}

// Dead returns at most 1000 dead jobs, the newest first.
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

// retry is Retry in a transaction of its own.
func (q *Queue) retry(ctx context.Context, id string) error {
	return q.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := q.Retry(ctx, tx, id)
		return err
	})
}

type deadRow struct {
	ID, Kind, Failure           string
	Error                       []byte
	Attempts, CreatedAt, DeadAt int64
}

// listDead reads the dead list, the newest first.
func listDead(ctx context.Context, q db.Querier, limit int) (dead []deadRow, err error) {
	rows, err := q.Query(ctx, `SELECT id, kind, failure, error, attempts, created_at, dead_at FROM jobs
		WHERE dead_at IS NOT NULL ORDER BY dead_at DESC, id DESC LIMIT $1`, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r deadRow
		if err := rows.Scan(&r.ID, &r.Kind, &r.Failure, &r.Error, &r.Attempts, &r.CreatedAt, &r.DeadAt); err != nil {
			return nil, err
		}
		dead = append(dead, r)
	}
	return dead, rows.Err()
}

// Tick runs each due piece of periodic work once, as Run does. done names those that ran
// here; err joins the errors.
func (q *Queue) Tick(ctx context.Context) (done []string, err error) {
	q.mu.Lock()
	periods := slices.Clone(q.periods)
	q.mu.Unlock()
	for _, p := range periods {
		ran, _, tickErr := q.tick(ctx, p)
		if ran {
			done = append(done, p.name)
		}
		if tickErr != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", p.name, tickErr))
		}
	}
	return done, err
}
