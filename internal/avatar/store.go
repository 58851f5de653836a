package avatar

import (
	"context"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
)

// record is a picture as SQL knows it.
type record struct {
	ID        string
	Account   account.ID
	CreatedAt int64
	Proof     []byte // sealed
}

func insertPending(ctx context.Context, q db.Querier, p record) error {
	_, err := q.Exec(ctx, `INSERT INTO avatars (id, account, state, created_at, proof) VALUES ($1, $2, 'pending', $3, $4)`, p.ID, string(p.Account), p.CreatedAt, p.Proof)
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

// readOf returns the row of the account's picture; db.ErrNoRows.
func readOf(ctx context.Context, q db.Querier, owner account.ID) (record, error) {
	return readLive(ctx, q, `account = $1`, string(owner))
}

// readByID returns the row of a picture that an account has; db.ErrNoRows.
func readByID(ctx context.Context, q db.Querier, id string) (record, error) {
	return readLive(ctx, q, `id = $1`, id)
}

func readLive(ctx context.Context, q db.Querier, where, arg string) (p record, err error) {
	err = q.QueryRow(ctx, `SELECT id, account, created_at, proof FROM avatars WHERE `+where+` AND state = 'live'`, arg).Scan(&p.ID, &p.Account, &p.CreatedAt, &p.Proof)
	return p, err
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

// readNamed returns those of the pictures that a row names, in any state.
func readNamed(ctx context.Context, q db.Querier, ids []string) (map[string]bool, error) {
	places, args := db.List(ids)
	rows, err := q.Query(ctx, `SELECT id FROM avatars WHERE id IN (`+places+`)`, args...)
	if err != nil {
		return nil, err
	}
	have, err := rows.Strings()
	named := make(map[string]bool, len(have))
	for _, id := range have {
		named[id] = true
	}
	return named, err
}
