package introspect

import (
	"context"
	"time"

	"coffer/internal/db"
)

// insertServer makes a resource server unless another has its name; false says that it did
// not.
func insertServer(ctx context.Context, tx *db.Tx, r ResourceServer, secret []byte) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO resource_servers (id, name, secret, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		r.ID, r.Name, secret, r.Made.UnixMilli())
	return n == 1, err
}

func readSecret(ctx context.Context, q db.Querier, id string) (secret []byte, err error) {
	err = q.QueryRow(ctx, `SELECT secret FROM resource_servers WHERE id = $1`, id).Scan(&secret)
	return secret, err
}

// deleteServer deletes a resource server and returns its name; db.ErrNoRows without one.
func deleteServer(ctx context.Context, tx *db.Tx, id string) (name string, err error) {
	err = tx.QueryRow(ctx, `DELETE FROM resource_servers WHERE id = $1 RETURNING name`, id).Scan(&name)
	return name, err
}

func listServers(ctx context.Context, q db.Querier) ([]ResourceServer, error) {
	rows, err := q.Query(ctx, `SELECT id, name, created_at /* bounded: an operator made each by hand */ FROM resource_servers ORDER BY id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []ResourceServer
	for rows.Next() {
		var r ResourceServer
		var made int64
		if err := rows.Scan(&r.ID, &r.Name, &made); err != nil {
			return nil, err
		}
		r.Made = time.UnixMilli(made).UTC()
		all = append(all, r)
	}
	return all, rows.Err()
}
