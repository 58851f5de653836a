package admin

import (
	"context"

	"coffer/internal/db"
)

// logRow is a row of the log as SQL holds it.
type logRow struct {
	Seq, At    int64
	Entry, MAC []byte
}

// headRow is the head as SQL holds it.
type headRow struct {
	Secret       []byte
	Seq, BaseSeq int64
	MAC, BaseMAC []byte
	Seal         []byte
}

const headColumns = `secret, seq, mac, base_seq, base_mac, seal`

func (h *headRow) fields() []any {
	return []any{&h.Secret, &h.Seq, &h.MAC, &h.BaseSeq, &h.BaseMAC, &h.Seal}
}

// lockHead reads the head and keeps others from changing it until tx ends; db.ErrNoRows.
func lockHead(ctx context.Context, tx *db.Tx) (h headRow, err error) {
	err = tx.QueryRow(ctx, `UPDATE admin_log_head SET seq = seq WHERE id = 1 RETURNING `+headColumns).Scan(h.fields()...)
	return h, err
}

func readHead(ctx context.Context, q db.Querier) (h headRow, err error) {
	err = q.QueryRow(ctx, `SELECT `+headColumns+` FROM admin_log_head WHERE id = 1`).Scan(h.fields()...)
	return h, err
}

// insertHead makes the head, unless another node has made it meanwhile.
func insertHead(ctx context.Context, tx *db.Tx, h headRow) error {
	_, err := tx.Exec(ctx, `INSERT INTO admin_log_head (id, `+headColumns+`) VALUES (1, $1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		h.Secret, h.Seq, h.MAC, h.BaseSeq, h.BaseMAC, h.Seal)
	return err
}

func deleteHead(ctx context.Context, tx *db.Tx) error {
	_, err := tx.Exec(ctx, `DELETE FROM admin_log_head WHERE id = 1`)
	return err
}

func updateHead(ctx context.Context, tx *db.Tx, h headRow) error {
	_, err := tx.Exec(ctx, `UPDATE admin_log_head SET seq = $1, mac = $2, base_seq = $3, base_mac = $4, seal = $5 WHERE id = 1`,
		h.Seq, h.MAC, h.BaseSeq, h.BaseMAC, h.Seal)
	return err
}

// swapSecret replaces the sealed key only while it is still the one that was read.
func swapSecret(ctx context.Context, q db.Querier, before, after []byte) error {
	_, err := q.Exec(ctx, `UPDATE admin_log_head SET secret = $2 WHERE id = 1 AND secret = $1`, before, after)
	return err
}

func insertRow(ctx context.Context, tx *db.Tx, r logRow) error {
	_, err := tx.Exec(ctx, `INSERT INTO admin_log (seq, at, entry, mac) VALUES ($1, $2, $3, $4)`, r.Seq, r.At, r.Entry, r.MAC)
	return err
}

// lastRow is the number of the newest row, 0 without one.
func lastRow(ctx context.Context, q db.Querier) (seq int64, err error) {
	err = q.QueryRow(ctx, `SELECT COALESCE(MAX(seq), 0) FROM admin_log`).Scan(&seq)
	return seq, err
}

func macOf(ctx context.Context, q db.Querier, seq int64) (mac []byte, err error) {
	err = q.QueryRow(ctx, `SELECT mac FROM admin_log WHERE seq = $1`, seq).Scan(&mac)
	return mac, err
}

// rowsBefore reads rows older than before, 0 for none, the newest first.
func rowsBefore(ctx context.Context, q db.Querier, before int64, limit int) ([]logRow, error) {
	if before == 0 {
		before = 1<<63 - 1
	}
	return scanRows(q.Query(ctx, `SELECT seq, at, entry, mac FROM admin_log WHERE seq < $1 ORDER BY seq DESC LIMIT $2`, before, limit))
}

func rowsAfter(ctx context.Context, q db.Querier, after int64, limit int) ([]logRow, error) {
	return scanRows(q.Query(ctx, `SELECT seq, at, entry, mac FROM admin_log WHERE seq > $1 ORDER BY seq LIMIT $2`, after, limit))
}

func scanRows(rows *db.Rows, err error) (all []logRow, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r logRow
		if err := rows.Scan(&r.Seq, &r.At, &r.Entry, &r.MAC); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// deleteRows deletes the rows up to a number.
func deleteRows(ctx context.Context, tx *db.Tx, last int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM admin_log WHERE seq <= $1`, last)
	return err
}
