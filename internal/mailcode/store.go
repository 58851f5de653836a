package mailcode

import (
	"context"

	"coffer/internal/account"
	"coffer/internal/db"
)

// read returns when the layer was turned on and last passed (nil: never), in unix
// milliseconds; db.ErrNoRows when it is off.
func read(ctx context.Context, q db.Querier, id account.ID) (since int64, used *int64, err error) {
	err = q.QueryRow(ctx, `SELECT enabled_at, used_at FROM mailcode WHERE account = $1`, string(id)).Scan(&since, &used)
	return since, used, err
}

// insert turns the layer on; false says that it was on.
func insert(ctx context.Context, tx *db.Tx, id account.ID, now int64) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO mailcode (account, enabled_at) VALUES ($1, $2) ON CONFLICT (account) DO NOTHING`, string(id), now)
	return n == 1, err
}

// remove turns the layer off and reports whether it was on.
func remove(ctx context.Context, tx *db.Tx, id account.ID) (bool, error) {
	n, err := tx.Exec(ctx, `DELETE FROM mailcode WHERE account = $1`, string(id))
	return n == 1, err
}

func noteUse(ctx context.Context, tx *db.Tx, id account.ID, now int64) error {
	_, err := tx.Exec(ctx, `UPDATE mailcode SET used_at = $2 WHERE account = $1`, string(id), now)
	return err
}
