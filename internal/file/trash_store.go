package file

import (
	"context"
	"errors"

	"coffer/internal/account"
	"coffer/internal/db"
)

// inTrash are the entries of account $1 in its trash.
const inTrash = ` FROM files WHERE account = $1 AND trashed_at IS NOT NULL AND parent = (SELECT folder FROM file_trash WHERE account = $1)`

// takeTrash returns the id of the account's trash, which is fresh when there is none yet.
func takeTrash(ctx context.Context, tx *db.Tx, owner account.ID, fresh string) (folder string, err error) {
	err = tx.QueryRow(ctx, `INSERT INTO file_trash (account, folder) VALUES ($1, $2)
		ON CONFLICT (account) DO UPDATE SET folder = file_trash.folder RETURNING folder`, string(owner), fresh).Scan(&folder)
	return folder, err
}

// readTrashFolder returns the id of the account's trash; db.ErrNoRows when it has none.
func readTrashFolder(ctx context.Context, q db.Querier, owner account.ID) (folder string, err error) {
	err = q.QueryRow(ctx, `SELECT folder FROM file_trash WHERE account = $1`, string(owner)).Scan(&folder)
	return folder, err
}

// dropTrash makes the account's trash an ordinary folder without a row, and returns its id.
func dropTrash(ctx context.Context, tx *db.Tx, owner account.ID) (folder string, err error) {
	err = tx.QueryRow(ctx, `DELETE FROM file_trash WHERE account = $1 RETURNING folder`, string(owner)).Scan(&folder)
	return folder, err
}

// isEntry reports whether an account has an entry with that id.
func isEntry(ctx context.Context, q db.Querier, owner account.ID, id string) (bool, error) {
	var n int64
	err := q.QueryRow(ctx, `SELECT COUNT(*) FROM files WHERE id = $1 AND account = $2`, id, string(owner)).Scan(&n)
	return n > 0, err
}

func moveToTrash(ctx context.Context, tx *db.Tx, owner account.ID, t *trashed) error {
	_, err := tx.Exec(ctx, `UPDATE files SET parent = $1, name = $2, name_index = $3, change = $4, trashed_at = $5, origin = $6 WHERE id = $7 AND account = $8`,
		t.Parent, t.Name, t.NameIndex, t.Change, t.At, t.Origin, t.ID, string(owner))
	return err
}

// readTrash returns the entries of the trash that stand behind the mark, deleted last first.
func readTrash(ctx context.Context, q db.Querier, owner account.ID, after *mark, limit int) ([]trashed, error) {
	args, behind := []any{string(owner), limit}, ""
	if after != nil {
		behind = ` AND (trashed_at, id) < ($3, $4)`
		args = append(args, after.number(), after.entry())
	}
	rows, err := q.Query(ctx, `SELECT `+rowColumns+`, trashed_at, origin`+inTrash+behind+` ORDER BY trashed_at DESC, id DESC LIMIT $2`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []trashed
	for rows.Next() {
		var t trashed
		if err := rows.Scan(append(t.fields(), &t.At, &t.Origin)...); err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, rows.Err()
}

func readTrashed(ctx context.Context, q db.Querier, owner account.ID, id string) (t trashed, err error) {
	if !isID(id) {
		return t, errNotFound
	}
	err = q.QueryRow(ctx, `SELECT `+rowColumns+`, trashed_at, origin`+inTrash+` AND id = $2`, string(owner), id).Scan(append(t.fields(), &t.At, &t.Origin)...)
	if errors.Is(err, db.ErrNoRows) {
		err = errNotFound
	}
	return t, err
}

// readOldTrash returns entries behind one that were deleted by then.
func readOldTrash(ctx context.Context, q db.Querier, before int64, last *old, limit int) ([]old, error) {
	return readOld(ctx, q, `SELECT trashed_at, account FROM files WHERE trashed_at IS NOT NULL AND trashed_at <= $1`, `(trashed_at, account)`, before, last, limit)
}

// deleteOldTrash is [deleteChildren] of the entries of the trash that were deleted by then.
func deleteOldTrash(ctx context.Context, tx *db.Tx, owner account.ID, before int64, limit int) (n int, objects []string, err error) {
	return deleteBatch(ctx, tx, inTrash+` AND trashed_at <= $2 ORDER BY trashed_at, id LIMIT $3`, string(owner), before, limit)
}
