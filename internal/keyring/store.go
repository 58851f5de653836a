package keyring

import (
	"context"
	"time"

	"coffer/internal/db"
)

// row is a stored key, with its secret sealed under the root key.
type row struct {
	Key
	sealed []byte
}

const columns = `purpose, kid, seq, alg, state, secret, created_at, active_at, retired_at, destroyed_at`

// liveRows returns every key that is not destroyed, by purpose, newest first.
func liveRows(ctx context.Context, q db.Querier) ([]row, error) {
	return scanRows(q.Query(ctx, `SELECT `+columns+` /* bounded: a key a rotation */ FROM ring_keys WHERE state <> 'destroyed' ORDER BY purpose, seq DESC`))
}

// allRows returns every key, by purpose, newest first.
func allRows(ctx context.Context, q db.Querier) ([]row, error) {
	return scanRows(q.Query(ctx, `SELECT `+columns+` /* bounded: a key a rotation */ FROM ring_keys ORDER BY purpose, seq DESC`))
}

func scanRows(rows *db.Rows, err error) ([]row, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []row
	for rows.Next() {
		var r row
		var created, active, retired, destroyed int64
		if err := rows.Scan(&r.Purpose, &r.ID, &r.Seq, &r.Alg, &r.State, &r.sealed, &created, &active, &retired, &destroyed); err != nil {
			return nil, err
		}
		r.Created, r.NotBefore, r.Retired, r.Key.Destroyed = timeOf(created), timeOf(active), timeOf(retired), timeOf(destroyed)
		all = append(all, r)
	}
	return all, rows.Err()
}

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// insertKey adds a key unless another one is active or pending in its place.
func insertKey(ctx context.Context, tx *db.Tx, r row) (bool, error) {
	var active int64
	if r.State == Active {
		active = r.Created.UnixMilli()
	}
	n, err := tx.Exec(ctx, `
		INSERT INTO ring_keys (purpose, kid, seq, alg, state, secret, created_at, active_at)
		VALUES ($1, $2, (SELECT COALESCE(MAX(seq), 0) + 1 FROM ring_keys WHERE purpose = $1), $3, $4, $5, $6, $7)
		ON CONFLICT DO NOTHING`,
		string(r.Purpose), r.ID, r.Alg, string(r.State), r.sealed, r.Created.UnixMilli(), active)
	return n == 1, err
}

// retireKey makes the active key open-only, if it is still kid.
func retireKey(ctx context.Context, tx *db.Tx, p Purpose, kid string, now time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE ring_keys SET state = 'open-only', retired_at = $1 WHERE purpose = $2 AND kid = $3 AND state = 'active'`,
		now.UnixMilli(), string(p), kid)
	return n == 1, err
}

// promoteKey makes the pending key active, if there is one.
func promoteKey(ctx context.Context, tx *db.Tx, p Purpose, now time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE ring_keys SET state = 'active', active_at = $1 WHERE purpose = $2 AND state = 'pending'`,
		now.UnixMilli(), string(p))
	return n == 1, err
}

// destroyKey empties a key that no longer seals, if it is still in the given state.
func destroyKey(ctx context.Context, tx *db.Tx, p Purpose, kid string, from State, now time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE ring_keys SET state = 'destroyed', secret = NULL, destroyed_at = $1 WHERE purpose = $2 AND kid = $3 AND state = $4`,
		now.UnixMilli(), string(p), kid, string(from))
	return n == 1, err
}

// insertRoot stores the sealed check value unless one exists.
func insertRoot(ctx context.Context, tx *db.Tx, sealed []byte) error {
	_, err := tx.Exec(ctx, `INSERT INTO ring_root (id, sealed) VALUES (1, $1) ON CONFLICT DO NOTHING`, sealed)
	return err
}

func selectRoot(ctx context.Context, q db.Querier) ([]byte, error) {
	var sealed []byte
	err := q.QueryRow(ctx, `SELECT sealed FROM ring_root WHERE id = 1`).Scan(&sealed)
	return sealed, err
}

// walk is the progress of one re-wrap.
type walk struct {
	purpose  Purpose
	kid      string
	position string
	done     int64
	damaged  int64
	waiting  int64
	started  time.Time
	finished time.Time // zero: not yet
}

func selectWalk(ctx context.Context, q db.Querier, name string) (walk, error) {
	var w walk
	var started, finished int64
	err := q.QueryRow(ctx, `SELECT purpose, kid, position, done, damaged, waiting, started_at, finished_at FROM ring_rewraps WHERE name = $1`, name).
		Scan(&w.purpose, &w.kid, &w.position, &w.done, &w.damaged, &w.waiting, &started, &finished)
	w.started, w.finished = timeOf(started), timeOf(finished)
	return w, err
}

func allWalks(ctx context.Context, q db.Querier) (all []Walk, err error) {
	rows, err := q.Query(ctx, `SELECT name, purpose, kid, done, damaged, waiting, started_at, finished_at
		/* bounded: a row for each walk that the program knows */ FROM ring_rewraps ORDER BY name`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var w Walk
		var started, finished int64
		if err := rows.Scan(&w.Name, &w.Purpose, &w.KeyID, &w.Done, &w.Damaged, &w.Waiting, &started, &finished); err != nil {
			return nil, err
		}
		w.StartedAt, w.FinishedAt = timeOf(started), timeOf(finished)
		all = append(all, w)
	}
	return all, rows.Err()
}

func startWalk(ctx context.Context, q db.Querier, name string, p Purpose, kid string, now time.Time) error {
	_, err := q.Exec(ctx, `
		INSERT INTO ring_rewraps (name, purpose, kid, position, done, started_at) VALUES ($1, $2, $3, '', 0, $4)
		ON CONFLICT (name) DO UPDATE SET purpose = excluded.purpose, kid = excluded.kid, position = '', done = 0, damaged = 0, waiting = 0,
			started_at = excluded.started_at, finished_at = 0`,
		name, string(p), kid, now.UnixMilli())
	return err
}

// moveWalk records a step, if the walk is still where the step began.
func moveWalk(ctx context.Context, q db.Querier, name string, from walk, s step, finished time.Time) (bool, error) {
	var at int64
	if !finished.IsZero() {
		at = finished.UnixMilli()
	}
	n, err := q.Exec(ctx, `
		UPDATE ring_rewraps SET position = $1, done = done + $2, finished_at = $3, damaged = damaged + $8, waiting = waiting + $9
		WHERE name = $4 AND kid = $5 AND position = $6 AND started_at = $7 AND finished_at = 0`,
		s.next, int64(s.done), at, name, from.kid, from.position, from.started.UnixMilli(), int64(s.damaged), int64(s.waiting))
	return n == 1, err
}

// countWalks counts p's known walks, and those finished that began at or after since. It
// also returns how many values of all walks wait for their key.
func countWalks(ctx context.Context, q db.Querier, p Purpose, since time.Time) (known, finished, waiting int, err error) {
	err = q.QueryRow(ctx, `
		SELECT COUNT(*), COALESCE(SUM(CASE WHEN finished_at > 0 AND waiting = 0 AND started_at >= $2 THEN 1 ELSE 0 END), 0), COALESCE(SUM(waiting), 0)
		/* bounded: a row for each walk that the program knows */ FROM ring_rewraps WHERE purpose = $1`, string(p), since.UnixMilli()).Scan(&known, &finished, &waiting)
	return known, finished, waiting, err
}

// sumDamaged returns the number of damaged values in the last walks.
func sumDamaged(ctx context.Context, q db.Querier) (n int, err error) {
	err = q.QueryRow(ctx, `SELECT COALESCE(SUM(damaged), 0) /* bounded: a row for each walk that the program knows */ FROM ring_rewraps`).Scan(&n)
	return n, err
}

// isDestroyed reports whether the ring records a key as destroyed.
func isDestroyed(ctx context.Context, q db.Querier, k keyRef) (bool, error) {
	var n int
	err := q.QueryRow(ctx, `SELECT COUNT(*) FROM ring_keys WHERE purpose = $1 AND kid = $2 AND state = 'destroyed'`, string(k.purpose), k.kid).Scan(&n)
	return n == 1, err
}
