package passkey

import (
	"context"

	"coffer/internal/account"
	"coffer/internal/db"
)

// row is a passkey as SQL holds it. Times are unix milliseconds.
type row struct {
	ID      string
	Account account.ID
	Name    []byte
	Record  []byte
	Created int64
	UsedAt  *int64
}

const columns = `id, account, name, record, created_at, used_at`

func scan(from func(...any) error) (row, error) {
	var r row
	err := from(&r.ID, &r.Account, &r.Name, &r.Record, &r.Created, &r.UsedAt)
	return r, err
}

// find reads the passkey whose credential has one of two indexes; db.ErrNoRows.
func find(ctx context.Context, q db.Querier, indexes [][]byte) (row, error) {
	return scan(q.QueryRow(ctx, `SELECT `+columns+` FROM passkeys WHERE credential_index IN ($1, $2)`, indexes[0], indexes[1]).Scan)
}

// read reads one passkey of an account; db.ErrNoRows.
func read(ctx context.Context, q db.Querier, id account.ID, passkey string) (row, error) {
	return scan(q.QueryRow(ctx, `SELECT `+columns+` FROM passkeys WHERE id = $1 AND account = $2`, passkey, string(id)).Scan)
}

// hold is read, and keeps others from changing the row until tx ends. Setting a column to
// itself is the lock that both engines know.
func hold(ctx context.Context, tx *db.Tx, id account.ID, passkey string) (row, error) {
	return scan(tx.QueryRow(ctx, `UPDATE passkeys SET used_at = used_at WHERE id = $1 AND account = $2 RETURNING `+columns, passkey, string(id)).Scan)
}

// list reads the passkeys of an account, the oldest first.
func list(ctx context.Context, q db.Querier, id account.ID) ([]row, error) {
	rows, err := q.Query(ctx, `SELECT `+columns+` FROM passkeys WHERE account = $1 ORDER BY created_at, id`, string(id))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []row
	for rows.Next() {
		r, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

func count(ctx context.Context, q db.Querier, id account.ID) (int, error) {
	var n int
	err := q.QueryRow(ctx, `SELECT COUNT(*) FROM passkeys WHERE account = $1`, string(id)).Scan(&n)
	return n, err
}

// insert stores a passkey, unless its credential is known under one of two indexes. Of many
// calls with one credential, one gets true.
func insert(ctx context.Context, tx *db.Tx, r row, indexes [][]byte) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO passkeys (id, account, credential_index, name, record, created_at)
		SELECT $1, $2, $3, $4, $5, $6 WHERE NOT EXISTS (SELECT 1 FROM passkeys WHERE credential_index IN ($3, $7))
		ON CONFLICT (credential_index) DO NOTHING`,
		r.ID, string(r.Account), indexes[0], r.Name, r.Record, r.Created, indexes[1])
	return n == 1, err
}

// advance replaces the record that a use was judged by, and notes the use. It returns false
// when the record is another one by now.
func advance(ctx context.Context, tx *db.Tx, r row, record []byte, now int64) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE passkeys SET record = $4, used_at = $5 WHERE id = $1 AND account = $2 AND record = $3`,
		r.ID, string(r.Account), r.Record, record, now)
	return n == 1, err
}

// amend replaces a record without noting a use.
func amend(ctx context.Context, tx *db.Tx, r row, record []byte) error {
	_, err := tx.Exec(ctx, `UPDATE passkeys SET record = $4 WHERE id = $1 AND account = $2 AND record = $3`, r.ID, string(r.Account), r.Record, record)
	return err
}

func setName(ctx context.Context, tx *db.Tx, r row, name []byte) error {
	_, err := tx.Exec(ctx, `UPDATE passkeys SET name = $3 WHERE id = $1 AND account = $2`, r.ID, string(r.Account), name)
	return err
}

func remove(ctx context.Context, tx *db.Tx, id account.ID, passkey string) (bool, error) {
	n, err := tx.Exec(ctx, `DELETE FROM passkeys WHERE id = $1 AND account = $2`, passkey, string(id))
	return n == 1, err
}

// removeSince deletes the passkeys that an account got since a moment, and returns how many.
func removeSince(ctx context.Context, tx *db.Tx, id account.ID, since int64) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM passkeys WHERE account = $1 AND created_at >= $2`, string(id), since)
}

func removeAll(ctx context.Context, tx *db.Tx, id account.ID) error {
	_, err := tx.Exec(ctx, `DELETE FROM passkeys WHERE account = $1`, string(id))
	return err
}

// cell is one index that a walk computes afresh.
type cell struct {
	row
	Index []byte
}

// readCells reads a batch of passkeys in the order of their ids.
func readCells(ctx context.Context, q db.Querier, after string, limit int) ([]cell, error) {
	rows, err := q.Query(ctx, `SELECT `+columns+`, credential_index FROM passkeys WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []cell
	for rows.Next() {
		var c cell
		if c.row, err = scan(func(to ...any) error { return rows.Scan(append(to, &c.Index)...) }); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

// swapIndex replaces an index that has not changed since it was read.
func swapIndex(ctx context.Context, q db.Querier, c cell, index []byte) error {
	_, err := q.Exec(ctx, `UPDATE passkeys SET credential_index = $3 WHERE id = $1 AND credential_index = $2`, c.ID, c.Index, index)
	return err
}
