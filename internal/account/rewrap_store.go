package account

import (
	"context"

	"coffer/internal/db"
)

// cell is one value of a column that a walk moves to another key.
type cell struct {
	id    ID
	value []byte
}

// readCells reads a batch in the order of keys, of the rows that have a value. Names of
// tables and columns are constants of this package.
func readCells(ctx context.Context, q db.Querier, table, key, column, after string, limit int) ([]cell, error) {
	rows, err := q.Query(ctx, `SELECT `+key+`, `+column+` FROM `+table+` WHERE `+key+` > $1 AND `+column+` IS NOT NULL ORDER BY `+key+` LIMIT $2`, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var cells []cell
	for rows.Next() {
		var c cell
		if err := rows.Scan(&c.id, &c.value); err != nil {
			return nil, err
		}
		cells = append(cells, c)
	}
	return cells, rows.Err()
}

// swapCell replaces a value that has not changed since it was read.
func swapCell(ctx context.Context, q db.Querier, table, key, column string, c cell, value []byte) error {
	_, err := q.Exec(ctx, `UPDATE `+table+` SET `+column+` = $1 WHERE `+key+` = $2 AND `+column+` = $3`, value, string(c.id), c.value)
	return err
}

// readSealedUsername reads an account's wrapped data key and its username, and nothing
// whose damage would hide them.
func readSealedUsername(ctx context.Context, q db.Querier, id ID) (wrapped, sealed []byte, err error) {
	err = q.QueryRow(ctx, `SELECT k.wrapped, a.username FROM accounts a JOIN account_keys k ON k.account = a.id WHERE a.id = $1`, string(id)).
		Scan(&wrapped, &sealed)
	return wrapped, sealed, orNotFound(err)
}

// readOpenSignUp reads the sealed address of an unused sign-up, and its wrapped data key.
func readOpenSignUp(ctx context.Context, q db.Querier, id ID) (signUpRow, error) {
	r := signUpRow{ID: id}
	err := q.QueryRow(ctx, `SELECT wrapped, email FROM sign_ups WHERE id = $1 AND used_at IS NULL`, string(id)).Scan(&r.Wrapped, &r.Email)
	return r, orNotFound(err)
}
