package upload

import (
	"context"
	"errors"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
)

// row is an upload as it stands in SQL.
type row struct {
	ID        string
	Account   account.ID
	Blob      string
	Details   []byte // sealed
	File      string // "" until it is one
	Size      int64  // of the file
	Node      string // that receives bytes now
	Turn      int64
	CreatedAt int64
	ExpiresAt int64
}

const rowColumns = `id, account, blob, details, file, size, node, turn, created_at, expires_at`

func (r *row) fields() []any {
	return []any{&r.ID, &r.Account, &r.Blob, &r.Details, &r.File, &r.Size, &r.Node, &r.Turn, &r.CreatedAt, &r.ExpiresAt}
}

func insertUpload(ctx context.Context, tx *db.Tx, r row) error {
	_, err := tx.Exec(ctx, `INSERT INTO uploads (`+rowColumns+`) VALUES ($1, $2, $3, $4, '', 0, '', 0, $5, $6)`,
		r.ID, string(r.Account), r.Blob, r.Details, r.CreatedAt, r.ExpiresAt)
	return err
}

func readUpload(ctx context.Context, q db.Querier, owner account.ID, id string) (r row, err error) {
	err = q.QueryRow(ctx, `SELECT `+rowColumns+` FROM uploads WHERE id = $1 AND account = $2`, id, string(owner)).Scan(r.fields()...)
	return r, err
}

// readUnfinished returns the account's unfinished uploads, the newest first.
func readUnfinished(ctx context.Context, q db.Querier, owner account.ID, now time.Time) (all []row, err error) {
	rows, err := q.Query(ctx, `SELECT `+rowColumns+` FROM uploads WHERE account = $1 AND file = '' AND expires_at > $2 ORDER BY created_at DESC, id DESC`,
		string(owner), now.UnixMilli())
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

// readExpired returns uploads behind one that have expired by now: what their removal needs of them.
func readExpired(ctx context.Context, q db.Querier, now time.Time, last *row, limit int) (all []row, err error) {
	args, behind := []any{now.UnixMilli(), limit}, ""
	if last != nil {
		behind = ` AND (expires_at, id) > ($3, $4)`
		args = append(args, last.ExpiresAt, last.ID)
	}
	rows, err := q.Query(ctx, `SELECT id, account, blob, file, expires_at FROM uploads WHERE expires_at <= $1`+behind+` ORDER BY expires_at, id LIMIT $2`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.ID, &r.Account, &r.Blob, &r.File, &r.ExpiresAt); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// takeTurn names the process that receives bytes from now on, and prolongs the upload's life.
// It returns the turn; errNotFound when the upload is finished or gone.
func takeTurn(ctx context.Context, d *db.DB, r row, node string, expires time.Time) (turn int64, err error) {
	err = d.WriteRow(ctx, `
		UPDATE uploads SET node = $3, turn = turn + 1, expires_at = $4
		WHERE id = $1 AND account = $2 AND file = ''
		RETURNING turn`,
		r.ID, string(r.Account), node, expires.UnixMilli()).Scan(&turn)
	if errors.Is(err, db.ErrNoRows) {
		err = errNotFound
	}
	return turn, err
}

// endTurn leaves the upload to others, unless another process has taken it. It prolongs the
// upload's life.
func endTurn(ctx context.Context, d *db.DB, id string, turn int64, expires time.Time) error {
	_, err := d.Exec(ctx, `UPDATE uploads SET node = '', expires_at = $3 WHERE id = $1 AND turn = $2 AND file = ''`, id, turn, expires.UnixMilli())
	return err
}

// forgetNode clears the name of a process that did not answer.
func forgetNode(ctx context.Context, q db.Querier, r row) error {
	_, err := q.Exec(ctx, `UPDATE uploads SET node = '' WHERE id = $1 AND node = $2 AND turn = $3`, r.ID, r.Node, r.Turn)
	return err
}

// lockUnfinished keeps others from finishing or removing the upload before tx ends. It
// reports whether the upload is still unfinished.
func lockUnfinished(ctx context.Context, tx *db.Tx, owner account.ID, id string) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE uploads SET turn = turn + 1, node = '' WHERE id = $1 AND account = $2 AND file = ''`, id, string(owner))
	return n == 1, err
}

func setFile(ctx context.Context, tx *db.Tx, id, file string, size int64) error {
	_, err := tx.Exec(ctx, `UPDATE uploads SET file = $2, size = $3 WHERE id = $1`, id, file, size)
	return err
}

// setDetails replaces what is sealed of an unfinished upload.
func setDetails(ctx context.Context, tx *db.Tx, r row) error {
	n, err := tx.Exec(ctx, `UPDATE uploads SET details = $3 WHERE id = $1 AND account = $2 AND file = ''`, r.ID, string(r.Account), r.Details)
	if err == nil && n == 0 {
		err = errNotFound
	}
	return err
}

// lockUpload keeps others from changing the upload before tx ends.
func lockUpload(ctx context.Context, tx *db.Tx, id string) error {
	_, err := tx.Exec(ctx, `UPDATE uploads SET expires_at = expires_at WHERE id = $1`, id)
	return err
}

func prolong(ctx context.Context, tx *db.Tx, id string, expires time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE uploads SET expires_at = $2 WHERE id = $1`, id, expires.UnixMilli())
	return err
}

// deleteUpload removes a row, and reports whether it was unfinished.
func deleteUpload(ctx context.Context, tx *db.Tx, owner account.ID, id string) (unfinished bool, err error) {
	var file string
	err = tx.QueryRow(ctx, `DELETE FROM uploads WHERE id = $1 AND account = $2 RETURNING file`, id, string(owner)).Scan(&file)
	return file == "", err
}

// deleteUnheard removes a row that no request has taken since that turn, and reports whether
// it did.
func deleteUnheard(ctx context.Context, tx *db.Tx, owner account.ID, id string, turn int64) (bool, error) {
	n, err := tx.Exec(ctx, `DELETE FROM uploads WHERE id = $1 AND account = $2 AND turn = $3 AND file = ''`, id, string(owner), turn)
	return n == 1, err
}

// deleteFinished removes the account's uploads that are files, in batches.
func deleteFinished(ctx context.Context, d *db.DB, owner account.ID) error {
	_, err := d.ExecInBatches(ctx, `DELETE FROM uploads WHERE id IN (SELECT id FROM uploads WHERE account = $1 AND file <> '' ORDER BY created_at, id LIMIT $2)`, string(owner))
	return err
}

// deleteUploads removes what is left of an account's uploads: at most those that are
// unfinished, and the ones that ended since deleteFinished.
func deleteUploads(ctx context.Context, tx *db.Tx, owner account.ID) error {
	_, err := tx.Exec(ctx, `DELETE FROM uploads WHERE account = $1`, string(owner))
	return err
}
