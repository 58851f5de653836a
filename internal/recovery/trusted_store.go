package recovery

import (
	"context"
	"errors"

	"coffer/internal/account"
	"coffer/internal/db"
)

// readWait reads the sealed wait of an account; nil when it has none.
func readWait(ctx context.Context, q db.Querier, id account.ID) (sealed []byte, err error) {
	err = q.QueryRow(ctx, `SELECT wait FROM trusted_waits WHERE account = $1`, string(id)).Scan(&sealed)
	if errors.Is(err, db.ErrNoRows) {
		return nil, nil
	}
	return sealed, err
}

func putWait(ctx context.Context, tx *db.Tx, id account.ID, sealed []byte) error {
	_, err := tx.Exec(ctx, `INSERT INTO trusted_waits (account, wait) VALUES ($1, $2)
		ON CONFLICT (account) DO UPDATE SET wait = excluded.wait`, string(id), sealed)
	return err
}

func dropWait(ctx context.Context, tx *db.Tx, id account.ID) error {
	_, err := tx.Exec(ctx, `DELETE FROM trusted_waits WHERE account = $1`, string(id))
	return err
}
