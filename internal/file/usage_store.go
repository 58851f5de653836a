package file

import (
	"context"

	"coffer/internal/account"
	"coffer/internal/db"
)

// readTrashAmount returns how much is in the trash, folders with what is below them.
func readTrashAmount(ctx context.Context, q db.Querier, owner account.ID) (a Amount, err error) {
	err = q.QueryRow(ctx, `
		WITH RECURSIVE below (id) AS (
			SELECT folder FROM file_trash WHERE account = $1
			UNION SELECT f.id FROM below b CROSS JOIN files f WHERE f.account = $1 AND f.parent = b.id AND f.kind = 'folder')
		SELECT CAST(COALESCE(SUM(f.size), 0) AS BIGINT), COUNT(*) /* bounded: by the folders in the trash */ FROM below b CROSS JOIN files f
		WHERE f.account = $1 AND f.parent = b.id AND f.kind = 'file'`, string(owner)).Scan(&a.Bytes, &a.Files)
	return a, err
}

// readVersionsAmount returns how much earlier contents of files there are.
func readVersionsAmount(ctx context.Context, q db.Querier, owner account.ID) (a Amount, err error) {
	err = q.QueryRow(ctx, `SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT), COUNT(*) FROM file_versions WHERE account = $1`, string(owner)).
		Scan(&a.Bytes, &a.Files)
	return a, err
}

// readLargest returns files behind one, the largest first, reachable or not.
func readLargest(ctx context.Context, q db.Querier, owner account.ID, after *row, limit int) (all []row, err error) {
	behind, args := "", []any{string(owner), limit}
	if after != nil {
		behind, args = ` AND (size, id) < ($3, $4)`, append(args, after.Size, after.ID)
	}
	rows, err := q.Query(ctx, `SELECT `+rowColumns+` FROM files WHERE account = $1 AND kind = 'file'`+behind+` ORDER BY size DESC, id DESC LIMIT $2`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		if err := rows.Scan(r.fields()...); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}
