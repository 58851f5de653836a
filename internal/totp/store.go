package totp

import (
	"context"
	"errors"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
)

func isEnabled(ctx context.Context, q db.Querier, id account.ID) (bool, error) {
	var n int64
	err := q.QueryRow(ctx, `SELECT COUNT(*) FROM totp WHERE account = $1 AND enabled_at IS NOT NULL`, string(id)).Scan(&n)
	return n > 0, err
}

// readEnabled returns when the layer was turned on and last passed (nil: never), in unix
// milliseconds; db.ErrNoRows when it is off.
func readEnabled(ctx context.Context, q db.Querier, id account.ID) (since int64, used *int64, err error) {
	err = q.QueryRow(ctx, `SELECT enabled_at, used_at FROM totp WHERE account = $1 AND enabled_at IS NOT NULL`, string(id)).Scan(&since, &used)
	return since, used, err
}

// putPending stores a pending secret, unless the layer is on.
func putPending(ctx context.Context, tx *db.Tx, id account.ID, sealed []byte, now time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO totp (account, secret, created_at) VALUES ($1, $2, $3)
		ON CONFLICT (account) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at, tries = 0
		WHERE totp.enabled_at IS NULL`,
		string(id), sealed, now.UnixMilli())
	return n == 1, err
}

// readPending returns a pending secret that was made after since; db.ErrNoRows.
func readPending(ctx context.Context, tx *db.Tx, id account.ID, since time.Time) (sealed []byte, err error) {
	err = tx.QueryRow(ctx, `SELECT secret FROM totp WHERE account = $1 AND enabled_at IS NULL AND created_at > $2`,
		string(id), since.UnixMilli()).Scan(&sealed)
	return sealed, err
}

// tryPending counts a try and returns the pending secret; db.ErrNoRows when there is none.
func tryPending(ctx context.Context, tx *db.Tx, id account.ID, since time.Time) (sealed []byte, tries int64, err error) {
	err = tx.QueryRow(ctx, `
		UPDATE totp SET tries = tries + 1
		WHERE account = $1 AND enabled_at IS NULL AND created_at > $2 RETURNING secret, tries`,
		string(id), since.UnixMilli()).Scan(&sealed, &tries)
	return sealed, tries, err
}

func deletePending(ctx context.Context, tx *db.Tx, id account.ID) error {
	_, err := tx.Exec(ctx, `DELETE FROM totp WHERE account = $1 AND enabled_at IS NULL`, string(id))
	return err
}

// enable turns the pending layer on, with the secret as it is sealed from now on; step is
// spent with it.
func enable(ctx context.Context, tx *db.Tx, id account.ID, sealed []byte, step int64, now time.Time) error {
	n, err := tx.Exec(ctx, `UPDATE totp SET secret = $4, enabled_at = $1, last_step = $2 WHERE account = $3 AND enabled_at IS NULL`,
		now.UnixMilli(), step, string(id), sealed)
	if err == nil && n != 1 {
		return errNotPending
	}
	return err
}

// remove deletes what is there and reports whether it was on.
func remove(ctx context.Context, tx *db.Tx, id account.ID) (enabled bool, err error) {
	var at *int64
	err = tx.QueryRow(ctx, `DELETE FROM totp WHERE account = $1 RETURNING enabled_at`, string(id)).Scan(&at)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	return at != nil, err
}

// countTry counts a code as wrong unless maxFailures were so in a row, and returns the
// secret and the count; db.ErrNoRows when the layer is off or locked.
func countTry(ctx context.Context, tx *db.Tx, id account.ID) (sealed []byte, failures int64, err error) {
	err = tx.QueryRow(ctx, `UPDATE totp SET failures = failures + 1
		WHERE account = $1 AND enabled_at IS NOT NULL AND failures < $2 RETURNING secret, failures`,
		string(id), maxFailures).Scan(&sealed, &failures)
	return sealed, failures, err
}

// spendStep decides: of all uses of a step's code, and of older ones, one passes. The
// secret names the set-up that the code was checked against.
func spendStep(ctx context.Context, tx *db.Tx, id account.ID, sealed []byte, step int64, now time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `
		UPDATE totp SET last_step = $1, failures = 0, used_at = $4
		WHERE account = $2 AND secret = $3 AND last_step < $1`,
		step, string(id), sealed, now.UnixMilli())
	return n == 1, err
}
