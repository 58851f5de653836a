package session

import (
	"context"

	"coffer/internal/account"
	"coffer/internal/db"
)

// unusedLongest lists the live sessions of an account beside two, without the keep that were
// used last.
func unusedLongest(ctx context.Context, tx *db.Tx, r row, replaces string, now int64, keep int) ([]string, error) {
	rows, err := tx.Query(ctx, `SELECT id /* bounded: the live sessions of an account are SessionsMax */ FROM sessions
		WHERE account = $1 AND ver = $2 AND refresh_expires_at > $3 AND expires_at > $3 AND id NOT IN ($4, $5)
		ORDER BY refreshed_at DESC, created_at DESC, id DESC LIMIT $6 OFFSET $7`,
		string(r.Account), r.Ver, now, r.ID, replaces, db.BatchRows, keep)
	if err != nil {
		return nil, err
	}
	return rows.Strings()
}

// readLabels reads id, label and family of the remembered device of every session of an account.
func readLabels(ctx context.Context, tx *db.Tx, who account.ID) ([]row, error) {
	rows, err := tx.Query(ctx, `SELECT id, label, device_family /* bounded: an account's live sessions are */ FROM sessions WHERE account = $1`, string(who))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []row
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.ID, &r.Label, &r.DeviceFamily); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// forgetKnown makes a client of an account unknown.
func forgetKnown(ctx context.Context, tx *db.Tx, who account.ID, client []byte) error {
	_, err := tx.Exec(ctx, `DELETE FROM session_clients WHERE account = $1 AND client = $2`, string(who), client)
	return err
}
