package jobs

import (
	"context"
	"time"

	"coffer/internal/db"
)

// whichJobs are the conditions of the states.
var whichJobs = map[string]string{
	Waiting: `dead_at IS NULL AND claim IS NULL`,
	Running: `dead_at IS NULL AND claim IS NOT NULL`,
	Dead:    `dead_at IS NOT NULL`,
}

func listJobs(ctx context.Context, q db.Querier, state, after string, limit int) (all []Listed, err error) {
	rows, err := q.Query(ctx, `SELECT id, kind, attempts, failure, created_at, run_at, COALESCE(dead_at, 0) FROM jobs
		WHERE id > $1 AND `+whichJobs[state]+` ORDER BY id LIMIT $2`, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		j := Listed{State: state}
		var created, run, dead int64
		if err := rows.Scan(&j.ID, &j.Kind, &j.Attempts, &j.Failure, &created, &run, &dead); err != nil {
			return nil, err
		}
		j.CreatedAt = time.UnixMilli(created).UTC()
		switch state {
		case Waiting:
			j.RunAt = time.UnixMilli(run).UTC()
		case Dead:
			j.DeadAt = time.UnixMilli(dead).UTC()
		}
		all = append(all, j)
	}
	return all, rows.Err()
}

// reviveJob takes a job off the dead list; db.ErrNoRows. It drops the key, which another job
// may have now.
func reviveJob(ctx context.Context, tx *db.Tx, id string, now int64) (kind string, err error) {
	err = tx.QueryRow(ctx, `UPDATE jobs SET dead_at = NULL, key = NULL, attempts = 0, run_at = $2 WHERE id = $1 AND dead_at IS NOT NULL RETURNING kind`,
		id, now).Scan(&kind)
	return kind, err
}

func countJobs(ctx context.Context, q db.Querier, now int64) (n Numbers, err error) {
	var oldest int64
	err = q.QueryRow(ctx, `SELECT COALESCE(SUM(CASE WHEN dead_at IS NULL AND claim IS NULL THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN dead_at IS NULL AND claim IS NOT NULL THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN dead_at IS NOT NULL THEN 1 ELSE 0 END), 0),
		COALESCE(MIN(CASE WHEN dead_at IS NULL AND claim IS NULL AND run_at <= $1 THEN run_at END), 0)
		/* bounded: an operator asks for it, not more than every few seconds */ FROM jobs`, now).Scan(&n.Waiting, &n.Running, &n.Dead, &oldest)
	if oldest != 0 {
		n.Oldest = time.UnixMilli(oldest).UTC()
	}
	return n, err
}
