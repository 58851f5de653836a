package account

import (
	"context"
	"errors"

	"coffer/internal/db"
)

// linkRow is a mailed link as SQL holds it. Times are unix milliseconds.
type linkRow struct {
	Token             []byte // digest
	Account           ID
	Purpose           string
	Stays             bool
	Data              []byte // sealed
	MadeAt, ExpiresAt int64
}

func insertLink(ctx context.Context, tx *db.Tx, r linkRow) error {
	_, err := tx.Exec(ctx, `INSERT INTO links (token, account, purpose, stays, data, made_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		r.Token, string(r.Account), r.Purpose, r.Stays, r.Data, r.MadeAt, r.ExpiresAt)
	return err
}

// readLink reads a link that has not expired; ErrLinkGone when there is none.
func readLink(ctx context.Context, q db.Querier, purpose string, token []byte, now int64) (linkRow, error) {
	r := linkRow{Token: token, Purpose: purpose}
	err := q.QueryRow(ctx, `SELECT account, stays, data, made_at, expires_at FROM links WHERE token = $1 AND purpose = $2 AND expires_at > $3`,
		token, purpose, now).Scan(&r.Account, &r.Stays, &r.Data, &r.MadeAt, &r.ExpiresAt)
	if errors.Is(err, db.ErrNoRows) {
		err = ErrLinkGone
	}
	return r, err
}

func setLinkData(ctx context.Context, tx *db.Tx, token, data []byte) error {
	_, err := tx.Exec(ctx, `UPDATE links SET data = $2 WHERE token = $1`, token, data)
	return err
}

// takeLink deletes a link; ErrLinkGone when another transaction did.
func takeLink(ctx context.Context, tx *db.Tx, token []byte) error {
	n, err := tx.Exec(ctx, `DELETE FROM links WHERE token = $1`, token)
	if err == nil && n == 0 {
		err = ErrLinkGone
	}
	return err
}

func dropLinks(ctx context.Context, tx *db.Tx, id ID, purpose string) error {
	_, err := tx.Exec(ctx, `DELETE FROM links WHERE account = $1 AND purpose = $2`, string(id), purpose)
	return err
}

// newestLink reads the newest link of a purpose that an account has, whose time has not come.
func newestLink(ctx context.Context, q db.Querier, id ID, purpose string, now int64) (linkRow, error) {
	r := linkRow{Account: id, Purpose: purpose}
	err := q.QueryRow(ctx, `SELECT token, stays, data, made_at, expires_at FROM links
		WHERE account = $1 AND purpose = $2 AND expires_at > $3 ORDER BY made_at DESC LIMIT 1`, string(id), purpose, now).
		Scan(&r.Token, &r.Stays, &r.Data, &r.MadeAt, &r.ExpiresAt)
	if errors.Is(err, db.ErrNoRows) {
		err = ErrLinkGone
	}
	return r, err
}

// oldestLinkSince reads the oldest link of a purpose that an account has, which was made at a
// time or later and works; ErrLinkGone.
func oldestLinkSince(ctx context.Context, q db.Querier, id ID, purpose string, since, now int64) (linkRow, error) {
	r := linkRow{Account: id, Purpose: purpose}
	err := q.QueryRow(ctx, `SELECT token, stays, data, made_at, expires_at FROM links
		WHERE account = $1 AND purpose = $2 AND made_at >= $3 AND expires_at > $4 ORDER BY made_at LIMIT 1`, string(id), purpose, since, now).
		Scan(&r.Token, &r.Stays, &r.Data, &r.MadeAt, &r.ExpiresAt)
	if errors.Is(err, db.ErrNoRows) {
		err = ErrLinkGone
	}
	return r, err
}

// dropLinksSince deletes an account's links of a purpose that were made at a time or later.
func dropLinksSince(ctx context.Context, tx *db.Tx, id ID, purpose string, since int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM links WHERE account = $1 AND purpose = $2 AND made_at >= $3`, string(id), purpose, since)
	return err
}

// dropAllLinks deletes every link of an account.
func dropAllLinks(ctx context.Context, tx *db.Tx, id ID) error {
	_, err := tx.Exec(ctx, `DELETE FROM links WHERE account = $1`, string(id))
	return err
}

// dropOutstanding deletes every link of an account that does not stay.
func dropOutstanding(ctx context.Context, tx *db.Tx, id ID) error {
	_, err := tx.Exec(ctx, `DELETE FROM links WHERE account = $1 AND NOT stays`, string(id))
	return err
}

func pruneLinks(ctx context.Context, d *db.DB, now int64) error {
	_, err := d.ExecInBatches(ctx, `DELETE FROM links WHERE token IN (SELECT token FROM links WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) AND expires_at <= $1`, now)
	return err
}
