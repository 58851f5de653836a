package guard

import (
	"context"
	"strconv"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/keyring"
)

// eventRow is one happening as it stands in SQL.
type eventRow struct {
	ID      string
	Account account.ID
	At      int64 // unix milliseconds
	Kind    string
	Outcome string
	Sealed  []byte
}

// insertEvent adds a happening, unless it is there, and removes the oldest ones of its outcome
// beyond keep.
func insertEvent(ctx context.Context, tx *db.Tx, r eventRow, keep int) error {
	if _, err := tx.Exec(ctx, `INSERT INTO sign_in_events (id, account, at, kind, outcome, sealed) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING`,
		r.ID, string(r.Account), r.At, r.Kind, r.Outcome, r.Sealed); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM sign_in_events WHERE id IN
		(SELECT id FROM sign_in_events WHERE account = $1 AND outcome = $2 ORDER BY at DESC, id DESC LIMIT 10 OFFSET $3)`, string(r.Account), r.Outcome, keep)
	return err
}

// readEvents returns happenings of an account that are newer than since, the newest first.
func readEvents(ctx context.Context, q db.Querier, who account.ID, f Filter, since int64, after *keyring.Mark, limit int) (all []eventRow, err error) {
	where, args := `account = $1 AND at > $2`, []any{string(who), since}
	add := func(condition string, value any) {
		args = append(args, value)
		where += condition + "$" + strconv.Itoa(len(args))
	}
	if f.Kind != "" {
		add(` AND kind = `, f.Kind)
	}
	if f.Outcome != "" {
		add(` AND outcome = `, f.Outcome)
	}
	if !f.Until.IsZero() {
		add(` AND at < `, f.Until.UnixMilli())
	}
	if after != nil {
		add(` AND (at, id) < (`, after.At)
		add(`, `, after.ID)
		where += `)`
	}
	args = append(args, limit)
	rows, err := q.Query(ctx, `SELECT id, account, at, kind, outcome, sealed FROM sign_in_events WHERE `+where+` ORDER BY at DESC, id DESC LIMIT $`+strconv.Itoa(len(args)), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r eventRow
		if err := rows.Scan(&r.ID, &r.Account, &r.At, &r.Kind, &r.Outcome, &r.Sealed); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// pruneHistory removes the happenings up to a time.
func pruneHistory(ctx context.Context, d *db.DB, before int64) error {
	_, err := d.ExecInBatches(ctx, `DELETE FROM sign_in_events WHERE id IN (SELECT id FROM sign_in_events WHERE at <= $1 ORDER BY at, id LIMIT $2) AND at <= $1`, before)
	return err
}

// pruneFailures removes the wrong proofs up to a time.
func pruneFailures(ctx context.Context, d *db.DB, before int64) error {
	_, err := d.ExecInBatches(ctx, `DELETE FROM guard_failures WHERE id IN (SELECT id FROM guard_failures WHERE at <= $1 ORDER BY at, id LIMIT $2) AND at <= $1`, before)
	return err
}

// emptyHistory deletes an account's happenings, and its sign-ins of the last days, in batches.
func emptyHistory(ctx context.Context, d *db.DB, who account.ID) error {
	for _, q := range []string{
		`DELETE FROM sign_in_events WHERE id IN (SELECT id FROM sign_in_events WHERE account = $1 LIMIT $2)`,
		`DELETE FROM guard_entries WHERE id IN (SELECT id FROM guard_entries WHERE account = $1 LIMIT $2)`,
	} {
		if _, err := d.ExecInBatches(ctx, q, string(who)); err != nil {
			return err
		}
	}
	return nil
}

// forget deletes what is left of an account: its habit, and what happened since emptyHistory.
func forget(ctx context.Context, tx *db.Tx, who account.ID) error {
	for _, q := range []string{`DELETE FROM sign_in_events WHERE account = $1`, `DELETE FROM habits WHERE account = $1`, `DELETE FROM guard_entries WHERE account = $1`} {
		if _, err := tx.Exec(ctx, q, string(who)); err != nil {
			return err
		}
	}
	return nil
}
