package account

import (
	"context"

	"coffer/internal/db"
)

// newestAccounts lists the ids of accounts that are older than before, "" for none: an id
// sorts by the time when it was made.
func newestAccounts(ctx context.Context, q db.Querier, before ID, limit int) ([]string, error) {
	if before == "" {
		before = "~" // after every id
	}
	rows, err := q.Query(ctx, `SELECT id FROM accounts WHERE id < $1 ORDER BY id DESC LIMIT $2`, string(before), limit)
	if err != nil {
		return nil, err
	}
	return rows.Strings()
}

func countAccounts(ctx context.Context, q db.Querier) (n Numbers, err error) {
	err = q.QueryRow(ctx, `SELECT COALESCE(SUM(CASE WHEN status = 'active' THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN status = 'deactivated' THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN status = 'suspended' THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN status = 'deleting' THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN role = 'admin' THEN 1 ELSE 0 END), 0) /* bounded: an operator asks for it, not more than every few seconds */ FROM accounts`).
		Scan(&n.Active, &n.Deactivated, &n.Suspended, &n.Deleting, &n.Admins)
	return n, err
}
