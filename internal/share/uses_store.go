package share

import (
	"context"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/keyring"
)

// useRow is a line of a link's log as it stands in SQL.
type useRow struct {
	ID, Share string
	Account   account.ID
	At        int64
	Details   []byte // sealed
}

// insertUse adds a line, and removes the oldest beyond keep.
func insertUse(ctx context.Context, tx *db.Tx, u useRow, keep int) error {
	if _, err := tx.Exec(ctx, `INSERT INTO share_uses (id, share, account, at, details) VALUES ($1, $2, $3, $4, $5)`,
		u.ID, u.Share, string(u.Account), u.At, u.Details); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM share_uses WHERE id IN (SELECT id FROM share_uses WHERE share = $1 ORDER BY at DESC, id DESC LIMIT 10 OFFSET $2)`, u.Share, keep)
	return err
}

func deleteUse(ctx context.Context, tx *db.Tx, id string) error {
	_, err := tx.Exec(ctx, `DELETE FROM share_uses WHERE id = $1`, id)
	return err
}

// readUses returns lines behind one, the newest first.
func readUses(ctx context.Context, q db.Querier, share string, after *keyring.Mark, since int64, limit int) (all []useRow, err error) {
	args, behind := []any{share, limit, since}, ""
	if after != nil {
		args, behind = append(args, after.At, after.ID), ` AND (at, id) < ($4, $5)`
	}
	rows, err := q.Query(ctx, `SELECT id, share, account, at, details FROM share_uses WHERE share = $1 AND at > $3`+behind+` ORDER BY at DESC, id DESC LIMIT $2`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var u useRow
		if err := rows.Scan(&u.ID, &u.Share, &u.Account, &u.At, &u.Details); err != nil {
			return nil, err
		}
		all = append(all, u)
	}
	return all, rows.Err()
}

// pruneUses removes the lines up to a time, and the tickets that have expired.
func pruneUses(ctx context.Context, d *db.DB, before, now int64) error {
	if _, err := d.ExecInBatches(ctx, `DELETE FROM share_uses WHERE id IN (SELECT id FROM share_uses WHERE at <= $1 ORDER BY at, id LIMIT $2) AND at <= $1`, before); err != nil {
		return err
	}
	_, err := d.ExecInBatches(ctx, `
		DELETE FROM share_downloads WHERE (ticket, content) IN (SELECT ticket, content FROM share_downloads WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) AND expires_at <= $1`, now)
	return err
}

// ticketRow is a download that was counted.
type ticketRow struct {
	Ticket, Content []byte
	Share           string
	Account         account.ID
	Remaining       int64
	ExpiresAt       int64
}

// addTicket notes a download, which may have been noted before under the same ticket.
func addTicket(ctx context.Context, tx *db.Tx, t ticketRow) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO share_downloads (ticket, content, share, account, remaining, expires_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (ticket, content) DO UPDATE SET remaining = share_downloads.remaining + excluded.remaining, expires_at = excluded.expires_at`,
		t.Ticket, t.Content, t.Share, string(t.Account), t.Remaining, t.ExpiresAt)
	return err
}

// dropTickets removes the oldest tickets of a link beyond keep.
func dropTickets(ctx context.Context, tx *db.Tx, share string, keep int) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM share_downloads WHERE (ticket, content) IN
		(SELECT ticket, content FROM share_downloads WHERE share = $1 ORDER BY expires_at DESC LIMIT 10 OFFSET $2)`, share, keep)
	return err
}

// hasTicket reports whether a ticket was given by a link.
func hasTicket(ctx context.Context, q db.Querier, ticket []byte, share string, now int64) (bool, error) {
	var n int64
	err := q.QueryRow(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM share_downloads WHERE ticket = $1 AND share = $2 AND expires_at > $3 LIMIT 1) one`, ticket, share, now).Scan(&n)
	return n > 0, err
}

// reserve takes bytes from a download that may go on. It decides which of several ranges at
// once pass.
func reserve(ctx context.Context, d *db.DB, t ticketRow, now, bytes int64) (bool, error) {
	n, err := d.Exec(ctx, `UPDATE share_downloads SET remaining = remaining - $4 WHERE ticket = $1 AND content = $2 AND share = $3 AND expires_at > $5 AND remaining >= $4`,
		t.Ticket, t.Content, t.Share, bytes, now)
	return n == 1, err
}

// withdraw takes back the bytes that a counted download added to its ticket. It reports false,
// and takes none, when ranges have used them.
func withdraw(ctx context.Context, tx *db.Tx, t ticketRow) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE share_downloads SET remaining = remaining - $3 WHERE ticket = $1 AND content = $2 AND remaining >= $3`, t.Ticket, t.Content, t.Remaining)
	return n == 1, err
}

// giveBack returns bytes that were reserved and not sent.
func giveBack(ctx context.Context, q db.Querier, t ticketRow, bytes int64) error {
	_, err := q.Exec(ctx, `UPDATE share_downloads SET remaining = remaining + $3 WHERE ticket = $1 AND content = $2`, t.Ticket, t.Content, bytes)
	return err
}
