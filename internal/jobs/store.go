package jobs

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"coffer/internal/db"
)

type newJob struct {
	ID, Kind         string
	Key              *string
	Payload          []byte
	CreatedAt, RunAt int64
}

// insertJob adds a job, or merges it with the unfinished one of its key. The update locks
// that row until the transaction ends. A worker that wants the row waits, and then sees the
// transaction's changes.
func insertJob(ctx context.Context, tx *db.Tx, j newJob) error {
	_, err := tx.Exec(ctx, `INSERT INTO jobs (id, kind, key, payload, created_at, run_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (kind, key) WHERE key IS NOT NULL AND dead_at IS NULL DO UPDATE SET
			again = jobs.claim IS NOT NULL,
			run_at = CASE WHEN jobs.claim IS NULL AND jobs.attempts = 0 AND excluded.run_at < jobs.run_at THEN excluded.run_at ELSE jobs.run_at END`,
		j.ID, j.Kind, j.Key, j.Payload, j.CreatedAt, j.RunAt)
	return err
}

// job is a claimed row.
type job struct {
	ID, Kind, Claim string
	Payload         []byte
	Attempts        int64 // including this one
	CreatedAt       int64
}

// among returns "$n, $n+1…" for kinds, and the arguments before with kinds added.
func among(kinds []string, before ...any) (string, []any) {
	var marks strings.Builder
	for i, kind := range kinds {
		if i > 0 {
			marks.WriteString(", ")
		}
		marks.WriteString("$" + strconv.Itoa(len(before)+1))
		before = append(before, kind)
	}
	return marks.String(), before
}

// claimJob takes the job due for longest. [db.ErrNoRows]: there is none, or on PostgreSQL
// another worker took it first. The condition stands twice because PostgreSQL rechecks only
// the outer one after it waited for that worker.
func claimJob(ctx context.Context, d *db.DB, kinds []string, claim string, now, until int64) (job, error) {
	marks, args := among(kinds, claim, until, now)
	j := job{Claim: claim}
	err := d.WriteRow(ctx, `UPDATE jobs SET claim = $1, run_at = $2, attempts = attempts + 1
		WHERE id = (SELECT id FROM jobs WHERE dead_at IS NULL AND run_at <= $3 AND kind IN (`+marks+`) ORDER BY run_at, id LIMIT 1)
			AND dead_at IS NULL AND run_at <= $3
		RETURNING id, kind, payload, attempts, created_at`, args...).Scan(&j.ID, &j.Kind, &j.Payload, &j.Attempts, &j.CreatedAt)
	return j, err
}

// nextRun returns when the next job may be claimed; none is false when there is none.
func nextRun(ctx context.Context, d *db.DB, kinds []string) (at int64, some bool, err error) {
	marks, args := among(kinds)
	err = d.QueryRow(ctx, `SELECT run_at /* bounded: the first of a kind that this program knows */ FROM jobs WHERE dead_at IS NULL AND kind IN (`+marks+`) ORDER BY run_at, id LIMIT 1`, args...).Scan(&at)
	if errors.Is(err, db.ErrNoRows) {
		return 0, false, nil
	}
	return at, err == nil, err
}

// renewJob prolongs a lease. Zero rows: the claim has lost the job.
func renewJob(ctx context.Context, d *db.DB, j job, until int64) (int64, error) {
	return d.Exec(ctx, `UPDATE jobs SET run_at = $3 WHERE id = $1 AND claim = $2`, j.ID, j.Claim, until)
}

// finishJob ends a finished job, unless it was enqueued again.
func finishJob(ctx context.Context, d *db.DB, j job) (int64, error) {
	return d.Exec(ctx, `DELETE FROM jobs WHERE id = $1 AND claim = $2 AND NOT again`, j.ID, j.Claim)
}

// restartJob starts a job that was enqueued again.
func restartJob(ctx context.Context, d *db.DB, j job, at int64) (int64, error) {
	return d.Exec(ctx, `UPDATE jobs SET claim = NULL, again = FALSE, attempts = 0, run_at = $3 WHERE id = $1 AND claim = $2 AND again`, j.ID, j.Claim, at)
}

// failure is the record of a failed attempt.
type failure struct {
	Class string
	Error []byte // sealed; nil if sealing failed
}

// delayJob gives a job back for a later attempt.
func delayJob(ctx context.Context, d *db.DB, j job, f failure, at int64) (int64, error) {
	return d.Exec(ctx, `UPDATE jobs SET claim = NULL, again = FALSE, run_at = $3, failure = $4, error = $5 WHERE id = $1 AND claim = $2`,
		j.ID, j.Claim, at, f.Class, f.Error)
}

// releaseJob gives an interrupted job back; the attempt does not count.
func releaseJob(ctx context.Context, d *db.DB, j job, at int64) (int64, error) {
	return d.Exec(ctx, `UPDATE jobs SET claim = NULL, again = FALSE, run_at = $3, attempts = attempts - 1 WHERE id = $1 AND claim = $2`, j.ID, j.Claim, at)
}

// buryJob puts a job on the dead list, unless it was enqueued again.
func buryJob(ctx context.Context, d *db.DB, j job, f failure, now int64) (int64, error) {
	return d.Exec(ctx, `UPDATE jobs SET claim = NULL, dead_at = $3, failure = $4, error = $5 WHERE id = $1 AND claim = $2 AND NOT again`,
		j.ID, j.Claim, now, f.Class, f.Error)
}

func deleteDead(ctx context.Context, d *db.DB, before int64) error {
	_, err := d.ExecInBatches(ctx, `DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE dead_at < $1 ORDER BY dead_at LIMIT $2) AND dead_at < $1`, before)
	return err
}

// sealedRow is the sealed part of a row.
type sealedRow struct {
	ID, Kind       string
	Payload, Error []byte
}

func listSealed(ctx context.Context, q db.Querier, after string, limit int) (sealed []sealedRow, err error) {
	rows, err := q.Query(ctx, `SELECT id, kind, payload, error FROM jobs WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r sealedRow
		if err := rows.Scan(&r.ID, &r.Kind, &r.Payload, &r.Error); err != nil {
			return nil, err
		}
		sealed = append(sealed, r)
	}
	return sealed, rows.Err()
}

func replacePayload(ctx context.Context, q db.Querier, id string, before, after []byte) (int64, error) {
	return q.Exec(ctx, `UPDATE jobs SET payload = $3 WHERE id = $1 AND payload = $2`, id, before, after)
}

func replaceError(ctx context.Context, q db.Querier, id string, before, after []byte) (int64, error) {
	return q.Exec(ctx, `UPDATE jobs SET error = $3 WHERE id = $1 AND error = $2`, id, before, after)
}

// addPeriod registers periodic work, due at once.
func addPeriod(ctx context.Context, q db.Querier, name string, now int64) error {
	_, err := q.Exec(ctx, `INSERT INTO job_periods (name, due_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, now)
	return err
}

// setAges notes how long this node keeps the rows that periodic work removes.
func setAges(ctx context.Context, q db.Querier, name string, now int64, ages string) error {
	_, err := q.Exec(ctx, `INSERT INTO job_periods (name, due_at, ages) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE SET ages = excluded.ages`, name, now, ages)
	return err
}

// readAges returns what setAges noted, "" for nothing.
func readAges(ctx context.Context, q db.Querier, name string) (ages string, err error) {
	err = q.QueryRow(ctx, `SELECT ages FROM job_periods WHERE name = $1`, name).Scan(&ages)
	if errors.Is(err, db.ErrNoRows) {
		return "", nil
	}
	return ages, err
}

// look notes that periodic work looks at now, and returns since when it has done so with no gap before
// since.
func look(ctx context.Context, d *db.DB, name string, now, since int64) (steady int64, err error) {
	err = d.WriteRow(ctx, `INSERT INTO job_periods (name, due_at, looked_at, steady_at) VALUES ($1, $2, $2, $2)
		ON CONFLICT (name) DO UPDATE SET looked_at = excluded.looked_at,
			steady_at = CASE WHEN job_periods.looked_at BETWEEN $3 AND $2 THEN job_periods.steady_at ELSE excluded.steady_at END
		RETURNING steady_at`, name, now, since).Scan(&steady)
	return steady, err
}

// readPeriod returns when the work is due; [db.ErrNoRows] before its first run.
func readPeriod(ctx context.Context, q db.Querier, name string) (due int64, err error) {
	err = q.QueryRow(ctx, `SELECT due_at FROM job_periods WHERE name = $1`, name).Scan(&due)
	return due, err
}

// claimPeriod takes periodic work that is due at now, or due after most because its
// interval was longer or a clock was wrong. [db.ErrNoRows]: another node has it.
func claimPeriod(ctx context.Context, d *db.DB, name, claim string, now, most, until int64) (attempts int64, err error) {
	err = d.WriteRow(ctx, `UPDATE job_periods SET claim = $2, due_at = $5, attempts = attempts + 1
		WHERE name = $1 AND (due_at <= $3 OR due_at > $4) RETURNING attempts`, name, claim, now, most, until).Scan(&attempts)
	return attempts, err
}

func renewPeriod(ctx context.Context, d *db.DB, name, claim string, until int64) (int64, error) {
	return d.Exec(ctx, `UPDATE job_periods SET due_at = $3 WHERE name = $1 AND claim = $2`, name, claim, until)
}

// endPeriod sets the next time. attempts grows after a failure.
func endPeriod(ctx context.Context, d *db.DB, name, claim string, due int64, failed bool) (int64, error) {
	return d.Exec(ctx, `UPDATE job_periods SET claim = NULL, due_at = $3, attempts = CASE WHEN $4 THEN attempts ELSE 0 END WHERE name = $1 AND claim = $2`,
		name, claim, due, failed)
}

// readQueue counts the unfinished and the dead jobs. oldest is the first time at which one
// of the unfinished was due.
func readQueue(ctx context.Context, q db.Querier) (waiting, oldest, dead int64, err error) {
	err = q.QueryRow(ctx, `SELECT (SELECT COUNT(*) /* bounded: what waits, once for each page of metrics */ FROM jobs WHERE dead_at IS NULL),
		(SELECT COALESCE(MIN(run_at), 0) FROM jobs WHERE dead_at IS NULL),
		(SELECT COUNT(*) FROM jobs WHERE dead_at IS NOT NULL)`).Scan(&waiting, &oldest, &dead)
	return waiting, oldest, dead, err
}
