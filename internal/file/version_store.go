package file

import (
	"context"
	"errors"
	"strings"

	"coffer/internal/account"
	"coffer/internal/db"
)

const versionColumns = `id, entry, blob, size, details, stored_at, replaced_at`

func (v *version) fields() []any {
	return []any{&v.ID, &v.Entry, &v.Blob, &v.Size, &v.Details, &v.StoredAt, &v.ReplacedAt}
}

// readNamed returns the children of a folder that have these names.
func readNamed(ctx context.Context, q db.Querier, owner account.ID, parent string, indexes [][]byte) (all []row, err error) {
	err = db.InPieces(indexes, func(piece [][]byte) error {
		places, args := db.List(piece, string(owner), parent)
		rows, err := q.Query(ctx, `SELECT `+rowColumns+` FROM files WHERE account = $1 AND parent = $2 AND name_index IN (`+places+`)`, args...)
		if err != nil {
			return err
		}
		some, err := scanRows(rows)
		all = append(all, some...)
		return err
	})
	return all, err
}

// updateContents gives files that are stored the contents that their rows say.
func updateContents(ctx context.Context, tx *db.Tx, owner account.ID, files []*row) error {
	return db.InPieces(files, func(piece []*row) error {
		args := []any{string(owner)}
		tuples := make([]string, len(piece))
		for i, r := range piece {
			values := []any{r.ID, *r.Blob, r.Size, r.ModifiedAt, r.Change, r.Details}
			tuples[i] = "(" + db.Places(len(args)+1, len(values)) + ")"
			args = append(args, values...)
		}
		// The cast keeps the engines from walking all of the account instead of the few ids.
		// PostgreSQL takes the types from the first row. The engines call the type of bytes
		// differently, so its name is taken from the column.
		tuples[0] = `(CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS BIGINT), COALESCE((SELECT details FROM files WHERE id = ''), $7))`
		_, err := tx.Exec(ctx, `WITH v (id, blob, size, modified_at, change, details) AS (VALUES `+strings.Join(tuples, ", ")+`)
			UPDATE files SET blob = v.blob, size = v.size, modified_at = v.modified_at, change = v.change, details = v.details
			FROM v WHERE files.id = v.id AND CAST(files.account AS TEXT) = $1`, args...)
		return err
	})
}

func insertVersions(ctx context.Context, tx *db.Tx, owner account.ID, versions []version) error {
	return db.InPieces(versions, func(piece []version) error {
		args := []any{string(owner)}
		tuples := make([]string, len(piece))
		for i, v := range piece {
			values := []any{v.ID, v.Entry, v.Blob, v.Size, v.Details, v.StoredAt, v.ReplacedAt}
			tuples[i] = "($1, " + db.Places(len(args)+1, len(values)) + ")"
			args = append(args, values...)
		}
		_, err := tx.Exec(ctx, `INSERT INTO file_versions (account, `+versionColumns+`) VALUES `+strings.Join(tuples, ", "), args...)
		return err
	})
}

// trimVersions removes the versions of files beyond the newest, limit at most, and returns their
// objects. For each file it looks up the first version that goes: all of them have no row number.
func trimVersions(ctx context.Context, tx *db.Tx, owner account.ID, files []string, keep, limit int) (blobs []string, err error) {
	err = db.InPieces(files, func(piece []string) error {
		args := []any{string(owner), keep, limit - len(blobs)}
		tuples := make([]string, len(piece))
		for i, id := range piece {
			tuples[i] = "(" + db.Places(len(args)+1, 1) + ")"
			args = append(args, id)
		}
		tuples[0] = "(CAST($4 AS TEXT))" // PostgreSQL takes the type from the first row
		rows, err := tx.Query(ctx, `DELETE FROM file_versions WHERE id IN (
			WITH f (id) AS (VALUES `+strings.Join(tuples, ", ")+`)
			SELECT v.id FROM f CROSS JOIN file_versions first CROSS JOIN file_versions v
			WHERE first.id = (SELECT id FROM file_versions WHERE account = $1 AND entry = f.id ORDER BY replaced_at DESC, id DESC LIMIT 1 OFFSET $2)
				AND v.account = $1 AND v.entry = f.id AND (v.replaced_at, v.id) <= (first.replaced_at, first.id)
			LIMIT $3) RETURNING blob`, args...)
		if err != nil {
			return err
		}
		some, err := rows.Strings()
		blobs = append(blobs, some...)
		return err
	})
	return blobs, err
}

// readVersions returns the versions of a file that stand behind the mark, newest first.
func readVersions(ctx context.Context, q db.Querier, owner account.ID, entry string, after *mark, limit int) ([]version, error) {
	args, behind := []any{string(owner), entry, limit}, ""
	if after != nil {
		behind = ` AND (replaced_at, id) < ($4, $5)`
		args = append(args, after.number(), after.entry())
	}
	rows, err := q.Query(ctx, `SELECT `+versionColumns+` FROM file_versions WHERE account = $1 AND entry = $2`+behind+`
		ORDER BY replaced_at DESC, id DESC LIMIT $3`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []version
	for rows.Next() {
		var v version
		if err := rows.Scan(v.fields()...); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// readVersioned returns files behind one that have versions.
func readVersioned(ctx context.Context, q db.Querier, owner account.ID, after string, limit int) ([]string, error) {
	rows, err := q.Query(ctx, `SELECT DISTINCT entry FROM file_versions WHERE account = $1 AND entry > $2 ORDER BY entry LIMIT $3`, string(owner), after, limit)
	if err != nil {
		return nil, err
	}
	return rows.Strings()
}

func readVersion(ctx context.Context, q db.Querier, owner account.ID, entry, id string) (v version, err error) {
	if !isID(id) {
		return v, errNoVersion
	}
	err = q.QueryRow(ctx, `SELECT `+versionColumns+` FROM file_versions WHERE id = $1 AND account = $2 AND entry = $3`, id, string(owner), entry).Scan(v.fields()...)
	if errors.Is(err, db.ErrNoRows) {
		err = errNoVersion
	}
	return v, err
}

// takeVersion removes a version and returns it. Its object keeps its reference.
func takeVersion(ctx context.Context, tx *db.Tx, owner account.ID, entry, id string) (v version, err error) {
	if !isID(id) {
		return v, errNoVersion
	}
	err = tx.QueryRow(ctx, `DELETE FROM file_versions WHERE id = $1 AND account = $2 AND entry = $3 RETURNING `+versionColumns, id, string(owner), entry).Scan(v.fields()...)
	if errors.Is(err, db.ErrNoRows) {
		err = errNoVersion
	}
	return v, err
}

// deleteVersions removes up to limit versions of a deleted file, and returns their objects.
func deleteVersions(ctx context.Context, tx *db.Tx, owner account.ID, entry string, limit int) ([]string, error) {
	rows, err := tx.Query(ctx, `DELETE FROM file_versions WHERE id IN
		(SELECT id FROM file_versions WHERE account = $1 AND entry = $2 ORDER BY replaced_at, id LIMIT $3) RETURNING blob`, string(owner), entry, limit)
	if err != nil {
		return nil, err
	}
	return rows.Strings()
}

// readOldVersions returns versions behind one that were replaced by then.
func readOldVersions(ctx context.Context, q db.Querier, before int64, last *old, limit int) ([]old, error) {
	return readOld(ctx, q, `SELECT replaced_at, account FROM file_versions WHERE replaced_at <= $1`, `(replaced_at, account)`, before, last, limit)
}

// old is what a sweep needs of a row: since when, and whose.
type old struct {
	at    int64
	owner account.ID
}

// readOld returns rows behind one, in an order: of time, then of accounts. It reads no younger row.
func readOld(ctx context.Context, q db.Querier, query, order string, before int64, last *old, limit int) (all []old, err error) {
	args := []any{before, limit}
	if last != nil {
		query += ` AND ` + order + ` > ($3, $4)`
		args = append(args, last.at, string(last.owner))
	}
	rows, err := q.Query(ctx, query+` ORDER BY `+strings.Trim(order, "()")+` LIMIT $2`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var o old
		if err := rows.Scan(&o.at, &o.owner); err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, rows.Err()
}

// deleteOldVersions removes up to limit versions of an account that were replaced by then.
func deleteOldVersions(ctx context.Context, tx *db.Tx, owner account.ID, before int64, limit int) ([]string, error) {
	rows, err := tx.Query(ctx, `DELETE FROM file_versions WHERE id IN
		(SELECT id FROM file_versions WHERE account = $1 AND replaced_at <= $2 ORDER BY replaced_at LIMIT $3) RETURNING blob`, string(owner), before, limit)
	if err != nil {
		return nil, err
	}
	return rows.Strings()
}
