package session

import (
	"context"
	"errors"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
)

// failures is the durable count of an account. Times are unix milliseconds; 0: never.
type failures struct {
	count             int64 // in a row
	locked, confirmed int64
}

// confirmedAt reports whether the owner has confirmed the account within confirmTime.
func (f failures) confirmedAt(now time.Time) bool {
	return f.confirmed != 0 && now.Sub(time.UnixMilli(f.confirmed)) < confirmTime
}

const failureColumns = `failures, COALESCE(locked, 0), COALESCE(confirmed, 0)`

// countFailure counts a guess at the password of an account, or of none, and returns the
// count: each of many guesses at once gets a number of its own. It costs the same for both.
func countFailure(ctx context.Context, d *db.DB, who account.ID, decoy string) (f failures, err error) {
	subject, owner := decoy, any(nil)
	if who != "" {
		subject, owner = string(who), string(who)
	}
	err = d.WriteRow(ctx, `INSERT INTO sign_in_failures (subject, account, failures) VALUES ($1, $2, 1)
		ON CONFLICT (subject) DO UPDATE SET failures = sign_in_failures.failures + 1 RETURNING `+failureColumns, subject, owner).
		Scan(&f.count, &f.locked, &f.confirmed)
	if who == "" {
		f = failures{}
	}
	return f, err
}

// takeBackFailure takes one failure of an account back, or all.
func takeBackFailure(ctx context.Context, d *db.DB, who account.ID, all bool) error {
	q := `UPDATE sign_in_failures SET failures = failures - 1 WHERE subject = $1 AND failures > 0`
	if all {
		q = `UPDATE sign_in_failures SET failures = 0 WHERE subject = $1`
	}
	_, err := d.Exec(ctx, q, string(who))
	return err
}

// forgetFailures takes all failures of an account back, unless they and the guesses that are not
// judged yet are more than most. It reports whether it did.
func forgetFailures(ctx context.Context, d *db.DB, who account.ID, most int64) (bool, error) {
	n, err := d.Exec(ctx, `UPDATE sign_in_failures SET failures = 0 WHERE subject = $1 AND failures <= $2`, string(who), most)
	return n == 1, err
}

func readFailures(ctx context.Context, q db.Querier, who account.ID) (f failures, err error) {
	err = q.QueryRow(ctx, `SELECT `+failureColumns+` FROM sign_in_failures WHERE subject = $1`, string(who)).Scan(&f.count, &f.locked, &f.confirmed)
	if errors.Is(err, db.ErrNoRows) {
		return failures{}, nil
	}
	return f, err
}

// lockAccount reports false for an account that is locked. A confirmation takes every lock back,
// so none stands beside a lock.
func lockAccount(ctx context.Context, tx *db.Tx, who account.ID, now int64) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO sign_in_failures (subject, account, failures, locked) VALUES ($1, $1, 0, $2)
		ON CONFLICT (subject) DO UPDATE SET locked = excluded.locked, confirmed = NULL WHERE sign_in_failures.locked IS NULL`, string(who), now)
	return n == 1, err
}

func unlockAccount(ctx context.Context, tx *db.Tx, who account.ID) error {
	_, err := tx.Exec(ctx, `UPDATE sign_in_failures SET locked = NULL, failures = 0 WHERE subject = $1`, string(who))
	return err
}

// confirmAccount notes that the owner has confirmed an account: it takes back a lock and all
// failures.
func confirmAccount(ctx context.Context, q db.Querier, who account.ID, now int64) error {
	_, err := q.Exec(ctx, `INSERT INTO sign_in_failures (subject, account, failures, confirmed) VALUES ($1, $1, 0, $2)
		ON CONFLICT (subject) DO UPDATE SET failures = 0, locked = NULL, confirmed = excluded.confirmed`, string(who), now)
	return err
}

// countOnDevice counts a guess that comes with the token of a remembered device. It reports
// false when the device has had most of them in a row.
func countOnDevice(ctx context.Context, d *db.DB, token []byte, most int64) (bool, error) {
	n, err := d.Exec(ctx, `UPDATE devices SET failures = failures + 1 WHERE token = $1 AND failures < $2`, token, most)
	return n == 1, err
}

// takeBackOnDevice takes one failure of a remembered device back, or all.
func takeBackOnDevice(ctx context.Context, d *db.DB, token []byte, all bool) error {
	q := `UPDATE devices SET failures = failures - 1 WHERE token = $1 AND failures > 0`
	if all {
		q = `UPDATE devices SET failures = 0 WHERE token = $1`
	}
	_, err := d.Exec(ctx, q, token)
	return err
}

// countOnSession counts a guess of a caller who is signed in; db.ErrNoRows when the session had
// most of them in a row, or is gone.
func countOnSession(ctx context.Context, d *db.DB, who account.ID, id string, most int64) (n int64, err error) {
	err = d.WriteRow(ctx, `UPDATE sessions SET failures = failures + 1 WHERE id = $1 AND account = $2 AND failures < $3 RETURNING failures`,
		id, string(who), most).Scan(&n)
	return n, err
}

// takeBackOnSession takes one failure of a session back, or all.
func takeBackOnSession(ctx context.Context, d *db.DB, who account.ID, id string, all bool) error {
	q := `UPDATE sessions SET failures = failures - 1 WHERE id = $1 AND account = $2 AND failures > 0`
	if all {
		q = `UPDATE sessions SET failures = 0 WHERE id = $1 AND account = $2`
	}
	_, err := d.Exec(ctx, q, id, string(who))
	return err
}
