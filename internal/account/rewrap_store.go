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

// readCells reads a batch in the order of keys. Names of tables and columns are constants
// of this package.
func readCells(ctx context.Context, q db.Querier, table, key, column, after string, limit int) ([]cell, error) {
	rows, err := q.Query(ctx, `SELECT `+key+`, `+column+` FROM `+table+` WHERE `+key+` > $1 ORDER BY `+key+` LIMIT $2`, after, limit)
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

// swapCell replaces a value that nobody has changed since it was read.
func swapCell(ctx context.Context, q db.Querier, table, key, column string, c cell, value []byte) error {
	_, err := q.Exec(ctx, `UPDATE `+table+` SET `+column+` = $1 WHERE `+key+` = $2 AND `+column+` = $3`, value, string(c.id), c.value)
	return err
}
