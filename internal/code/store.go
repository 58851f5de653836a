package code

import (
	"context"
	"database/sql"

	"coffer/internal/account"
	"coffer/internal/db"
)

// row is a code as SQL holds it. Times are unix milliseconds.
type row struct {
	Challenge
	Code                      []byte // keyed hash
	SentAt, ExpiresAt, EndsAt int64
}

// putCode stores a challenge's code in the place of an older one that was sent before; false
// says that the challenge may have none now.
func putCode(ctx context.Context, tx *db.Tx, r row, before int64, most int64) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO codes (challenge, purpose, account, code, tries, sends, sent_at, expires_at, ends_at)
		VALUES ($1, $2, $3, $4, 0, 1, $5, $6, $7)
		ON CONFLICT (challenge, purpose) DO UPDATE SET code = excluded.code, sends = codes.sends + 1,
			sent_at = excluded.sent_at, expires_at = excluded.expires_at, ends_at = excluded.ends_at
		WHERE codes.account = excluded.account AND codes.sent_at <= $8 AND codes.sends < $9`,
		r.ID, r.Purpose, string(r.Account), r.Code, r.SentAt, r.ExpiresAt, r.EndsAt, before, most)
	return n == 1, err
}

// countWaiting counts the codes of an account's open challenges of a purpose, and says when
// the first of these challenges ends.
func countWaiting(ctx context.Context, tx *db.Tx, c Challenge, now int64) (n, first int64, err error) {
	var ends sql.NullInt64
	err = tx.QueryRow(ctx, `SELECT CAST(COALESCE(SUM(sends), 0) AS BIGINT), MIN(ends_at) FROM codes WHERE account = $1 AND purpose = $2 AND ends_at > $3`,
		string(c.Account), c.Purpose, now).Scan(&n, &ends)
	return n, ends.Int64, err
}

func readSends(ctx context.Context, tx *db.Tx, c Challenge) (sentAt, sends int64, err error) {
	err = tx.QueryRow(ctx, `SELECT sent_at, sends FROM codes WHERE challenge = $1 AND purpose = $2`, c.ID, c.Purpose).Scan(&sentAt, &sends)
	return sentAt, sends, err
}

// countTry counts an answer and returns the code that it is for; db.ErrNoRows when the
// challenge takes no answer.
func countTry(ctx context.Context, tx *db.Tx, c Challenge, now, most int64) (row, error) {
	r := row{Challenge: c}
	err := tx.QueryRow(ctx, `UPDATE codes SET tries = tries + 1
		WHERE challenge = $1 AND purpose = $2 AND account = $3 AND tries < $5 AND expires_at > $4
		RETURNING code, sent_at, expires_at, ends_at`, c.ID, c.Purpose, string(c.Account), now, most).
		Scan(&r.Code, &r.SentAt, &r.ExpiresAt, &r.EndsAt)
	return r, err
}

func deleteCode(ctx context.Context, tx *db.Tx, c Challenge) error {
	_, err := tx.Exec(ctx, `DELETE FROM codes WHERE challenge = $1 AND purpose = $2`, c.ID, c.Purpose)
	return err
}

// countFailures counts the wrong answers after since, and says when the first was given.
func countFailures(ctx context.Context, tx *db.Tx, c Challenge, since int64) (n, first int64, err error) {
	var at sql.NullInt64
	err = tx.QueryRow(ctx, `SELECT COUNT(*), MIN(at) FROM code_failures WHERE account = $1 AND purpose = $2 AND at > $3`,
		string(c.Account), c.Purpose, since).Scan(&n, &at)
	return n, at.Int64, err
}

func insertFailure(ctx context.Context, tx *db.Tx, c Challenge, at int64, nth string) error {
	_, err := tx.Exec(ctx, `INSERT INTO code_failures (account, purpose, at, nth) VALUES ($1, $2, $3, $4)`, string(c.Account), c.Purpose, at, nth)
	return err
}

func readStreak(ctx context.Context, tx *db.Tx, id account.ID, purpose string) (n int64, err error) {
	err = tx.QueryRow(ctx, `SELECT CAST(COALESCE(SUM(failures), 0) AS BIGINT) FROM code_streaks WHERE account = $1 AND purpose = $2`, string(id), purpose).Scan(&n)
	return n, err
}

func addToStreak(ctx context.Context, tx *db.Tx, id account.ID, purpose string) error {
	_, err := tx.Exec(ctx, `INSERT INTO code_streaks (account, purpose, failures) VALUES ($1, $2, 1)
		ON CONFLICT (account, purpose) DO UPDATE SET failures = code_streaks.failures + 1`, string(id), purpose)
	return err
}

func dropStreak(ctx context.Context, tx *db.Tx, id account.ID, purpose string) error {
	_, err := tx.Exec(ctx, `DELETE FROM code_streaks WHERE account = $1 AND purpose = $2`, string(id), purpose)
	return err
}

func dropCodes(ctx context.Context, tx *db.Tx, id account.ID) error {
	_, err := tx.Exec(ctx, `DELETE FROM codes WHERE account = $1`, string(id))
	return err
}

func dropFailures(ctx context.Context, tx *db.Tx, id account.ID) error {
	_, err := tx.Exec(ctx, `DELETE FROM code_failures WHERE account = $1`, string(id))
	return err
}

// prune removes challenges that are over, and failures that count no longer.
func prune(ctx context.Context, d *db.DB, now, since int64) error {
	if _, err := d.ExecInBatches(ctx, `DELETE FROM codes WHERE (challenge, purpose) IN
		(SELECT challenge, purpose FROM codes WHERE ends_at <= $1 ORDER BY ends_at LIMIT $2) AND ends_at <= $1`, now); err != nil {
		return err
	}
	_, err := d.ExecInBatches(ctx, `DELETE FROM code_failures WHERE (account, purpose, at, nth) IN
		(SELECT account, purpose, at, nth FROM code_failures WHERE at <= $1 ORDER BY at LIMIT $2) AND at <= $1`, since)
	return err
}
