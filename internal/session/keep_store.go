package session

import (
	"context"
	"strings"

	"coffer/internal/account"
	"coffer/internal/db"
)

// oldestSessions lists the oldest sessions of an account, dead ones included.
func oldestSessions(ctx context.Context, q db.Querier, who account.ID, limit int) ([]string, error) {
	rows, err := q.Query(ctx, `SELECT id FROM sessions WHERE account = $1 ORDER BY created_at, id LIMIT $2`, string(who), limit)
	if err != nil {
		return nil, err
	}
	return rows.Strings()
}

// deleteListed deletes these sessions of an account, and no older one that was opened since
// they were listed: its record is not ended.
func deleteListed(ctx context.Context, d *db.DB, who account.ID, ids []string) error {
	return db.InPieces(ids, func(piece []string) error {
		places, args := db.List(piece, string(who))
		_, err := d.Exec(ctx, `DELETE FROM sessions WHERE CAST(account AS TEXT) = $1 AND id IN (`+places+`)`, args...)
		return err
	})
}

// deleteOfAccount deletes the devices, attempts and clients of an account in batches.
func deleteOfAccount(ctx context.Context, d *db.DB, who account.ID) error {
	for _, q := range []string{
		`DELETE FROM devices WHERE token IN (SELECT token FROM devices WHERE account = $1 LIMIT $2)`,
		`DELETE FROM attempts WHERE id IN (SELECT id FROM attempts WHERE account = $1 LIMIT $2)`,
		`DELETE FROM session_clients WHERE account = $1 AND client IN (SELECT client FROM session_clients WHERE account = $1 LIMIT $2)`,
	} {
		if _, err := d.ExecInBatches(ctx, q, string(who)); err != nil {
			return err
		}
	}
	return nil
}

// deleteOthers deletes every session of an account but one, and whatever else would let
// somebody in without the whole sign-in. Clients become unknown, except the one of that
// session.
func deleteOthers(ctx context.Context, tx *db.Tx, who account.ID, spare string) error {
	for _, q := range []string{
		`DELETE FROM sessions WHERE account = $1 AND id <> $2`,
		`DELETE FROM session_clients WHERE account = $1 AND session <> $2`,
	} {
		if _, err := tx.Exec(ctx, q, string(who), spare); err != nil {
			return err
		}
	}
	for _, q := range []string{`DELETE FROM devices WHERE account = $1`, `DELETE FROM attempts WHERE account = $1`} {
		if _, err := tx.Exec(ctx, q, string(who)); err != nil {
			return err
		}
	}
	return nil
}

// remembered is a remembered device with the digest of its token.
type remembered struct {
	Token []byte
	deviceRow
}

// rememberedDevices lists the devices of an account behind the token after, and returns the
// token to go on from; nil when there are no more.
func rememberedDevices(ctx context.Context, q db.Querier, who account.ID, after []byte, limit int) (all []remembered, last []byte, err error) {
	rows, err := q.Query(ctx, `SELECT token, ver, layers, family, linked, expires_at, seal FROM devices WHERE account = $1 AND token > $2 ORDER BY token LIMIT $3`, string(who), after, limit)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		d, layers, linked := remembered{deviceRow: deviceRow{Account: who}}, "", int64(0)
		if err := rows.Scan(&d.Token, &d.Ver, &layers, &d.Family, &linked, &d.Expires, &d.Seal); err != nil {
			return nil, nil, err
		}
		d.Layers, d.Linked, last = strings.Fields(layers), linked != 0, d.Token
		all = append(all, d)
	}
	if len(all) < limit {
		last = nil
	}
	return all, last, rows.Err()
}
