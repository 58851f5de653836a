package smscode

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
)

// telephone is the number that sign-in sends codes to.
type telephone struct {
	Sealed []byte
	Since  int64
	Used   *int64
}

// setup is a number that waits for its first code.
type setup struct {
	Sealed    []byte
	Challenge string
	At        int64
}

// readEnabled returns the telephone of the layer; db.ErrNoRows when it is off.
func readEnabled(ctx context.Context, q db.Querier, id account.ID) (t telephone, err error) {
	err = q.QueryRow(ctx, `SELECT phone, enabled_at, used_at FROM smscode WHERE account = $1 AND enabled_at IS NOT NULL`, string(id)).Scan(&t.Sealed, &t.Since, &t.Used)
	return t, err
}

// putPending begins a set-up in the place of one that began before; false says that the last
// one is too young.
func putPending(ctx context.Context, tx *db.Tx, id account.ID, p setup, before int64) (bool, error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO smscode (account, pending, setup, setup_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (account) DO UPDATE SET pending = excluded.pending, setup = excluded.setup, setup_at = excluded.setup_at
		WHERE smscode.setup_at IS NULL OR smscode.setup_at <= $5`,
		string(id), p.Sealed, p.Challenge, p.At, before)
	return n == 1, err
}

func readSetupAt(ctx context.Context, tx *db.Tx, id account.ID) (at int64, err error) {
	var found sql.NullInt64
	err = tx.QueryRow(ctx, `SELECT setup_at FROM smscode WHERE account = $1`, string(id)).Scan(&found)
	return found.Int64, err
}

// readPending returns a set-up that began after since; db.ErrNoRows.
func readPending(ctx context.Context, q db.Querier, id account.ID, since int64) (p setup, err error) {
	err = q.QueryRow(ctx, `SELECT pending, setup, setup_at FROM smscode WHERE account = $1 AND pending IS NOT NULL AND setup_at > $2`,
		string(id), since).Scan(&p.Sealed, &p.Challenge, &p.At)
	return p, err
}

// enable makes the pending number the layer's. Of all uses of a set-up, one does.
func enable(ctx context.Context, tx *db.Tx, id account.ID, challenge string, sealed []byte, now int64) (bool, error) {
	n, err := tx.Exec(ctx, `
		UPDATE smscode SET phone = $1, enabled_at = $2, used_at = NULL, pending = NULL, setup = NULL, setup_at = NULL
		WHERE account = $3 AND setup = $4 AND pending IS NOT NULL`,
		sealed, now, string(id), challenge)
	return n == 1, err
}

// markUsed notes that a code was passed, unless the number has changed.
func markUsed(ctx context.Context, tx *db.Tx, id account.ID, since, now int64) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE smscode SET used_at = $1 WHERE account = $2 AND enabled_at = $3`, now, string(id), since)
	return n == 1, err
}

// remove deletes what is there and reports whether the layer was on.
func remove(ctx context.Context, tx *db.Tx, id account.ID) (enabled bool, err error) {
	var at *int64
	err = tx.QueryRow(ctx, `DELETE FROM smscode WHERE account = $1 RETURNING enabled_at`, string(id)).Scan(&at)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	return at != nil, err
}

// readCount returns how many messages a rule has counted for a key in a window.
func readCount(ctx context.Context, tx *db.Tx, rule string, key []byte, nth int64) (n int64, err error) {
	err = tx.QueryRow(ctx, `SELECT n FROM smscode_counts WHERE rule = $1 AND key = $2 AND nth = $3`, rule, key, nth).Scan(&n)
	if errors.Is(err, db.ErrNoRows) {
		err = nil
	}
	return n, err
}

// count adds a message unless the rule has counted most of them. Of messages at once, no
// more pass.
func count(ctx context.Context, tx *db.Tx, rule string, key []byte, nth, most int64, ends time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO smscode_counts (rule, key, nth, n, ends_at) VALUES ($1, $2, $3, 1, $5)
		ON CONFLICT (rule, key, nth) DO UPDATE SET n = smscode_counts.n + 1 WHERE smscode_counts.n < $4`,
		rule, key, nth, most, ends.UnixMilli())
	return n == 1, err
}

// prune removes the counts of windows that are over.
func prune(ctx context.Context, d *db.DB, now int64) error {
	_, err := d.ExecInBatches(ctx, `DELETE FROM smscode_counts WHERE (rule, key, nth) IN
		(SELECT rule, key, nth FROM smscode_counts WHERE ends_at <= $1 ORDER BY ends_at LIMIT $2) AND ends_at <= $1`, now)
	return err
}
