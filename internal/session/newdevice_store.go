package session

import (
	"context"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
)

// noteClient keeps a client until expires, with the newest session that came from it, and
// reports whether it was known at now.
func noteClient(ctx context.Context, tx *db.Tx, who account.ID, client []byte, session string, now, expires int64) (known bool, err error) {
	n, err := tx.Exec(ctx, `UPDATE session_clients SET session = $3, expires_at = $5 WHERE account = $1 AND client = $2 AND expires_at > $4`,
		string(who), client, session, now, expires)
	if err != nil || n > 0 {
		return n > 0, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO session_clients (account, client, session, first_at, expires_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (account, client) DO UPDATE SET session = excluded.session, first_at = excluded.first_at, expires_at = excluded.expires_at`,
		string(who), client, session, now, expires)
	return false, err
}

// countClients counts the clients of an account that were new after a time, up to most.
func countClients(ctx context.Context, tx *db.Tx, who account.ID, after int64, most int) (n int, err error) {
	err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM session_clients WHERE account = $1 AND first_at > $2 LIMIT $3) fresh`,
		string(who), after, most).Scan(&n)
	return n, err
}

// knownClients lists the clients of an account, the oldest first.
func knownClients(ctx context.Context, q db.Querier, who account.ID) (all []exportedClient, err error) {
	rows, err := q.Query(ctx, `SELECT session, first_at, expires_at FROM session_clients WHERE account = $1 ORDER BY first_at, client LIMIT 10000`, string(who))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var one exportedClient
		var first, expires int64
		if err := rows.Scan(&one.Session, &first, &expires); err != nil {
			return nil, err
		}
		one.FirstAt, one.ExpiresAt = time.UnixMilli(first).UTC(), time.UnixMilli(expires).UTC()
		all = append(all, one)
	}
	return all, rows.Err()
}

// forgetClient makes the client unknown whose newest session this is.
func forgetClient(ctx context.Context, tx *db.Tx, who account.ID, session string) error {
	_, err := tx.Exec(ctx, `DELETE FROM session_clients WHERE account = $1 AND session = $2`, string(who), session)
	return err
}

// forgetClients makes every client of an account unknown but that whose newest session is
// except.
func forgetClients(ctx context.Context, tx *db.Tx, who account.ID, except string) error {
	_, err := tx.Exec(ctx, `DELETE FROM session_clients WHERE account = $1 AND session <> $2`, string(who), except)
	return err
}
