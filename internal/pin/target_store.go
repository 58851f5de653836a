package pin

import (
	"context"

	"coffer/internal/db"
)

// targetRow is a pin at one target.
type targetRow struct {
	Pin, Target string
	State       State
	Reason      string
	Fetches     bool // the provider reads our gateway while it is sent
	Held        bool // counted in pin_copies
	Attempt     int64
	Tries       int64
	SinceAt     int64
	MissingAt   *int64
	NextAt      int64
	PinnedAt    *int64
	VerifiedAt  *int64
	Proof       []byte // sealed
}

const targetColumns = `pin, target, state, reason, fetches, held, attempt, tries, since_at, missing_at, next_at, pinned_at, verified_at, proof`

func (t *targetRow) fields() []any {
	return []any{&t.Pin, &t.Target, &t.State, &t.Reason, &t.Fetches, &t.Held, &t.Attempt, &t.Tries, &t.SinceAt, &t.MissingAt, &t.NextAt, &t.PinnedAt, &t.VerifiedAt, &t.Proof}
}

func insertTarget(ctx context.Context, tx *db.Tx, t targetRow) error {
	_, err := tx.Exec(ctx, `INSERT INTO pin_targets (`+targetColumns+`) VALUES (`+db.Places(1, 14)+`)`,
		t.Pin, t.Target, string(t.State), t.Reason, t.Fetches, t.Held, t.Attempt, t.Tries, t.SinceAt, t.MissingAt, t.NextAt, t.PinnedAt, t.VerifiedAt, t.Proof)
	return err
}

// readTargets returns the targets of pins, by pin and in the order of their names.
func readTargets(ctx context.Context, q db.Querier, pins []string) (map[string][]targetRow, error) {
	all := map[string][]targetRow{}
	err := db.InPieces(pins, func(piece []string) error {
		places, args := db.List(piece)
		rows, err := q.Query(ctx, `SELECT `+targetColumns+` FROM pin_targets WHERE pin IN (`+places+`) ORDER BY pin, target`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var t targetRow
			if err := rows.Scan(t.fields()...); err != nil {
				return err
			}
			all[t.Pin] = append(all[t.Pin], t)
		}
		return rows.Err()
	})
	return all, err
}

// claimTarget gives a row that is due to one worker. [db.ErrNoRows]: it is not due, or gone.
func claimTarget(ctx context.Context, d *db.DB, pin, target string, now, until int64) (t targetRow, err error) {
	err = d.WriteRow(ctx, `UPDATE pin_targets SET attempt = attempt + 1, next_at = $4 WHERE pin = $1 AND target = $2 AND next_at <= $3 RETURNING `+targetColumns,
		pin, target, now, until).Scan(t.fields()...)
	return t, err
}

// touchTarget keeps a row; false when the worker has lost it.
func touchTarget(ctx context.Context, d *db.DB, t targetRow, until int64) (bool, error) {
	n, err := d.Exec(ctx, `UPDATE pin_targets SET next_at = $4 WHERE pin = $1 AND target = $2 AND attempt = $3`, t.Pin, t.Target, t.Attempt, until)
	return n == 1, err
}

// changeTarget stores what a worker found; false when it has lost the row.
func changeTarget(ctx context.Context, q db.Querier, t targetRow) (bool, error) {
	n, err := q.Exec(ctx, `UPDATE pin_targets SET state = $4, reason = $5, tries = $6, since_at = $7, missing_at = $8, next_at = $9, pinned_at = $10, verified_at = $11, proof = $12
		WHERE pin = $1 AND target = $2 AND attempt = $3`,
		t.Pin, t.Target, t.Attempt, string(t.State), t.Reason, t.Tries, t.SinceAt, t.MissingAt, t.NextAt, t.PinnedAt, t.VerifiedAt, t.Proof)
	return n == 1, err
}

// holdTargets notes that every target of a pin counts in pin_copies, and makes them due. It
// returns their names.
func holdTargets(ctx context.Context, tx *db.Tx, pin string, now int64) ([]string, error) {
	rows, err := tx.Query(ctx, `UPDATE pin_targets SET held = TRUE, next_at = $2 WHERE pin = $1 AND NOT held RETURNING target`, pin, now)
	if err != nil {
		return nil, err
	}
	return rows.Strings()
}

// startRemoval takes every target of a pin from its worker, to be removed. It returns how
// many were not being removed yet. target "" is every one.
func startRemoval(ctx context.Context, tx *db.Tx, pin, target string, now int64) (int64, error) {
	return tx.Exec(ctx, `UPDATE pin_targets SET state = 'removing', reason = '', tries = 0, missing_at = NULL, attempt = attempt + 1, since_at = $2, next_at = $2
		WHERE pin = $1 AND state <> 'removing' AND ($3 = '' OR target = $3)`, pin, now, target)
}

// verifyNow makes the targets of a pin due that can be read back, and returns their names.
// target "" is any.
func verifyNow(ctx context.Context, tx *db.Tx, pin string, now int64) ([]string, error) {
	rows, err := tx.Query(ctx, `UPDATE pin_targets SET next_at = $2, tries = 0 WHERE pin = $1 AND state IN ('pinned', 'verified') RETURNING target`, pin, now)
	if err != nil {
		return nil, err
	}
	return rows.Strings()
}

// retryNow begins anew with the targets of a pin that failed, and returns their names.
func retryNow(ctx context.Context, tx *db.Tx, pin string, now, due int64) ([]string, error) {
	rows, err := tx.Query(ctx, `UPDATE pin_targets SET state = 'queued', reason = '', tries = 0, missing_at = NULL, attempt = attempt + 1, since_at = $2, next_at = $3
		WHERE pin = $1 AND state = 'failed' RETURNING target`, pin, now, due)
	if err != nil {
		return nil, err
	}
	return rows.Strings()
}

// failAll ends every target of a pin whose content cannot be read.
func failAll(ctx context.Context, tx *db.Tx, pin, reason string, now int64) error {
	_, err := tx.Exec(ctx, `UPDATE pin_targets SET state = 'failed', reason = $2, since_at = $3, next_at = $4 WHERE pin = $1 AND state <> 'removing'`, pin, reason, now, int64(never))
	return err
}

// letGo ends that a row counts in pin_copies; false when it did not. The row stays due, so a
// crash after it costs a lease and not the removal.
func letGo(ctx context.Context, tx *db.Tx, t targetRow) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE pin_targets SET held = FALSE WHERE pin = $1 AND target = $2 AND held`, t.Pin, t.Target)
	return n == 1, err
}

// parkTarget lets a row wait for its copy to be removed. It is due at a time all the same.
func parkTarget(ctx context.Context, tx *db.Tx, t targetRow, at int64) error {
	_, err := tx.Exec(ctx, `UPDATE pin_targets SET next_at = $4 WHERE pin = $1 AND target = $2 AND attempt = $3`, t.Pin, t.Target, t.Attempt, at)
	return err
}

// removeTarget removes a row, and reports how many of its pin are left.
func removeTarget(ctx context.Context, tx *db.Tx, t targetRow) (left int64, err error) {
	if _, err := tx.Exec(ctx, `DELETE FROM pin_targets WHERE pin = $1 AND target = $2`, t.Pin, t.Target); err != nil {
		return 0, err
	}
	err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM pin_targets WHERE pin = $1`, t.Pin).Scan(&left)
	return left, err
}

// wakeRemovals makes the rows due that wait for a copy to be removed. It returns their pins.
func wakeRemovals(ctx context.Context, tx *db.Tx, target, cid string, now int64) ([]string, error) {
	return changeRemovals(ctx, tx, "next_at", target, cid, now)
}

// explainRemovals notes why they wait on, and returns their pins too.
func explainRemovals(ctx context.Context, tx *db.Tx, target, cid, reason string) ([]string, error) {
	return changeRemovals(ctx, tx, "reason", target, cid, reason)
}

func changeRemovals(ctx context.Context, tx *db.Tx, column, target, cid string, to any) ([]string, error) {
	rows, err := tx.Query(ctx, `UPDATE pin_targets SET `+column+` = $3 WHERE target = $1 AND state = 'removing' AND NOT held AND pin IN (SELECT id FROM pins WHERE cid = $2 AND cid <> '') RETURNING pin`,
		target, cid, to)
	if err != nil {
		return nil, err
	}
	return rows.Strings()
}

// due is a row for which there is work.
type due struct{ pin, target, cid string }

// readDue returns rows that are due.
func readDue(ctx context.Context, q db.Querier, now int64, limit int) (all []due, err error) {
	rows, err := q.Query(ctx, `SELECT t.pin, t.target, p.cid FROM pin_targets t CROSS JOIN pins p WHERE p.id = t.pin AND t.next_at <= $1 ORDER BY t.next_at, t.pin, t.target LIMIT $2`, now, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var d due
		if err := rows.Scan(&d.pin, &d.target, &d.cid); err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, rows.Err()
}

// addTarget gives a pin one more target; false when it has that, or is going.
func addTarget(ctx context.Context, tx *db.Tx, pin, target string, fetches bool, now int64) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO pin_targets (pin, target, state, reason, fetches, held, attempt, tries, since_at, next_at)
		SELECT id, CAST($2 AS TEXT), 'queued', '', CAST($3 AS BOOLEAN), cid <> '', 0, 0, CAST($4 AS BIGINT), CASE WHEN cid = '' THEN CAST($5 AS BIGINT) ELSE CAST($4 AS BIGINT) END
		FROM pins WHERE id = $1 AND state <> 'removing' ON CONFLICT (pin, target) DO NOTHING`, pin, target, fetches, now, int64(never))
	return n == 1, err
}
