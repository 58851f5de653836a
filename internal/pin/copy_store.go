package pin

import (
	"context"
	"errors"

	"coffer/internal/db"
)

// A copy is what a provider holds under one identifier. Each service has a root once, so two
// pins of one identifier are one copy: the row counts them, and only the last one that goes
// removes it. While it is being removed no pin sends it; a pin that came meanwhile sends it after.

// copyRow is what is known of a copy.
type copyRow struct {
	Holders  int64
	Sent     bool
	Ref      string
	Removing bool
	Tries    int64
}

// acquireCopy counts one more pin that needs a copy.
func acquireCopy(ctx context.Context, tx *db.Tx, target, cid string) error {
	_, err := tx.Exec(ctx, `INSERT INTO pin_copies (target, cid, holders, sender, sent, ref, removing, tries, next_at) VALUES ($1, $2, 1, '', FALSE, '', FALSE, 0, $3)
		ON CONFLICT (target, cid) DO UPDATE SET holders = pin_copies.holders + 1`, target, cid, int64(never))
	return err
}

// takeCopy makes a pin the one that may send; [db.ErrNoRows] while another sends, or the copy
// is being removed.
func takeCopy(ctx context.Context, d *db.DB, target, cid, pin string) (c copyRow, err error) {
	err = d.WriteRow(ctx, `UPDATE pin_copies SET sender = $3 WHERE target = $1 AND cid = $2 AND NOT removing AND (sender = '' OR sender = $3) RETURNING holders, sent, ref, removing, tries`,
		target, cid, pin).Scan(&c.Holders, &c.Sent, &c.Ref, &c.Removing, &c.Tries)
	return c, err
}

// setSent notes what became of a copy, and lets others send. Its caller is the sender.
func setSent(ctx context.Context, q db.Querier, target, cid, pin string, sent bool, ref string) (bool, error) {
	n, err := q.Exec(ctx, `UPDATE pin_copies SET sender = '', sent = $4, ref = $5 WHERE target = $1 AND cid = $2 AND sender = $3`, target, cid, pin, sent, ref)
	return n == 1, err
}

// lostCopy notes that a copy is not where it was.
func lostCopy(ctx context.Context, tx *db.Tx, target, cid string) error {
	_, err := tx.Exec(ctx, `UPDATE pin_copies SET sent = FALSE WHERE target = $1 AND cid = $2`, target, cid)
	return err
}

// releaseCopy counts one pin less, and reports whether the copy is to be removed.
func releaseCopy(ctx context.Context, tx *db.Tx, target, cid, pin string, now int64) (removing bool, err error) {
	err = tx.QueryRow(ctx, `UPDATE pin_copies SET holders = holders - 1, sender = CASE WHEN sender = $3 THEN '' ELSE sender END,
		removing = removing OR holders <= 1, next_at = CASE WHEN holders <= 1 THEN $4 ELSE next_at END WHERE target = $1 AND cid = $2 RETURNING removing`,
		target, cid, pin, now).Scan(&removing)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	return removing, err
}

// leaveCopy notes a copy that may have come about and that no pin needs: it is to be removed.
// It reports whether that is so.
func leaveCopy(ctx context.Context, tx *db.Tx, target, cid, ref string, now int64) (removing bool, err error) {
	err = tx.QueryRow(ctx, `INSERT INTO pin_copies (target, cid, holders, sender, sent, ref, removing, tries, next_at) VALUES ($1, $2, 0, '', TRUE, $3, TRUE, 0, $4)
		ON CONFLICT (target, cid) DO UPDATE SET ref = CASE WHEN pin_copies.ref = '' THEN excluded.ref ELSE pin_copies.ref END RETURNING removing`,
		target, cid, ref, now).Scan(&removing)
	return removing, err
}

func readCopy(ctx context.Context, q db.Querier, target, cid string) (c copyRow, err error) {
	err = q.QueryRow(ctx, `SELECT holders, sent, ref, removing, tries FROM pin_copies WHERE target = $1 AND cid = $2`, target, cid).
		Scan(&c.Holders, &c.Sent, &c.Ref, &c.Removing, &c.Tries)
	return c, err
}

// delayCopy sets when the removal of a copy is due again.
func delayCopy(ctx context.Context, d *db.DB, target, cid string, at int64) error {
	_, err := d.Exec(ctx, `UPDATE pin_copies SET next_at = $3, tries = tries + 1 WHERE target = $1 AND cid = $2 AND removing`, target, cid, at)
	return err
}

// endRemoval notes that a copy was removed. A pin that came meanwhile may send it.
func endRemoval(ctx context.Context, tx *db.Tx, target, cid string) error {
	n, err := tx.Exec(ctx, `DELETE FROM pin_copies WHERE target = $1 AND cid = $2 AND removing AND holders <= 0`, target, cid)
	if err != nil || n == 1 {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE pin_copies SET removing = FALSE, sent = FALSE, ref = '', tries = 0, next_at = $3 WHERE target = $1 AND cid = $2 AND removing`, target, cid, int64(never))
	return err
}

// readDueCopies returns copies that are to be removed.
func readDueCopies(ctx context.Context, q db.Querier, now int64, limit int) (all []due, err error) {
	rows, err := q.Query(ctx, `SELECT target, cid FROM pin_copies WHERE removing AND next_at <= $1 ORDER BY next_at, target, cid LIMIT $2`, now, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var d due
		if err := rows.Scan(&d.target, &d.cid); err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, rows.Err()
}
