package avatar

import (
	"context"
	"errors"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
)

func insertPending(ctx context.Context, q db.Querier, owner account.ID, id string, now time.Time) error {
	_, err := q.Exec(ctx, `INSERT INTO avatars (id, account, state, created_at) VALUES ($1, $2, 'pending', $3)`, id, string(owner), now.UnixMilli())
	return err
}

// settle makes a pending picture the account's; false when it was given up meanwhile. The
// caller has marked the picture before it.
func settle(ctx context.Context, tx *db.Tx, owner account.ID, id string) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE avatars SET state = 'live' WHERE id = $1 AND account = $2 AND state = 'pending'`, id, string(owner))
	return n == 1, err
}

// markLive gives up the account's picture, and reports whether there was one.
func markLive(ctx context.Context, tx *db.Tx, owner account.ID) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE avatars SET state = 'deleting' WHERE account = $1 AND state = 'live'`, string(owner))
	return n > 0, err
}

func markPending(ctx context.Context, q db.Querier, id string) error {
	_, err := q.Exec(ctx, `UPDATE avatars SET state = 'deleting' WHERE id = $1 AND state = 'pending'`, id)
	return err
}

func markAbandoned(ctx context.Context, q db.Querier, since time.Time) error {
	_, err := q.Exec(ctx, `UPDATE avatars SET state = 'deleting' WHERE state = 'pending' AND created_at < $1`, since.UnixMilli())
	return err
}

// record is an account's picture as SQL knows it.
type record struct {
	ID        string
	CreatedAt int64
}

// readLive returns the account's picture, an empty one where it has none.
func readLive(ctx context.Context, q db.Querier, owner account.ID) (record, error) {
	var p record
	err := q.QueryRow(ctx, `SELECT id, created_at FROM avatars WHERE account = $1 AND state = 'live'`, string(owner)).Scan(&p.ID, &p.CreatedAt)
	if errors.Is(err, db.ErrNoRows) {
		return record{}, nil
	}
	return p, err
}

func isLive(ctx context.Context, q db.Querier, id string) (bool, error) {
	var one int
	err := q.QueryRow(ctx, `SELECT 1 FROM avatars WHERE id = $1 AND state = 'live'`, id).Scan(&one)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// readMarked returns some pictures behind one that are to be removed.
func readMarked(ctx context.Context, q db.Querier, after string, limit int) ([]string, error) {
	rows, err := q.Query(ctx, `SELECT id FROM avatars WHERE state = 'deleting' AND id > $1 ORDER BY id LIMIT $2`, after, limit)
	if err != nil {
		return nil, err
	}
	return rows.Strings()
}

func deleteMarked(ctx context.Context, q db.Querier, id string) error {
	_, err := q.Exec(ctx, `DELETE FROM avatars WHERE id = $1 AND state = 'deleting'`, id)
	return err
}
