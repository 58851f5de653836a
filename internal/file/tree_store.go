package file

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"coffer/internal/account"
	"coffer/internal/db"
)

// above is the way from entry $1 of account $2 up to the root, the entry first. It ends
// after [MaxDepth] folders, which is longer than every way that the server makes.
//
// In a CROSS JOIN SQLite keeps the order of the tables: each step looks up one row by its id.
var above = `
	WITH RECURSIVE up (id, parent, kind, n) AS (
		SELECT id, parent, kind, 1 FROM files WHERE id = $1 AND account = $2
		UNION ALL
		SELECT f.id, f.parent, f.kind, up.n + 1 FROM up CROSS JOIN files f
		WHERE f.id = up.parent AND f.account = $2 AND f.kind = 'folder' AND up.n <= ` + strconv.Itoa(MaxDepth) + `) `

// notForgotten keeps everything of an account shut whose tree is being removed.
const notForgotten = `NOT EXISTS (SELECT 1 FROM file_gone WHERE account = $2 AND folder = '')`

// way is where an entry's folders lead to.
type way struct {
	top    string // the parent of the last folder: "" = the root
	levels int64
}

// readRow returns an entry and where its folders lead to.
func readRow(ctx context.Context, q db.Querier, owner account.ID, id string) (r row, up way, err error) {
	if !isID(id) {
		return r, up, errNotFound
	}
	err = q.QueryRow(ctx, above+`
		SELECT `+rowColumns+`, up.top, up.levels
		FROM files CROSS JOIN /* bounded: one row each */ (SELECT MIN(parent) AS top, MAX(n) AS levels FROM up) up
		WHERE id = $1 AND account = $2 AND `+notForgotten, id, string(owner)).Scan(append(r.fields(), &up.top, &up.levels)...)
	if errors.Is(err, db.ErrNoRows) {
		return r, up, errNotFound
	}
	return r, up, err
}

// readAncestors returns an entry and the folders above it, the entry first, its kind, and
// where they lead to.
func readAncestors(ctx context.Context, q db.Querier, owner account.ID, id string) (ids []string, kind Kind, up way, err error) {
	if !isID(id) {
		return nil, "", up, errNotFound
	}
	rows, err := q.Query(ctx, above+`SELECT id, parent, kind /* bounded: by MaxDepth */ FROM up WHERE `+notForgotten+` ORDER BY n`, id, string(owner))
	if err != nil {
		return nil, "", up, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var k Kind
		if err := rows.Scan(&id, &up.top, &k); err != nil {
			return nil, "", up, err
		}
		if up.levels++; up.levels == 1 {
			kind = k
		}
		ids = append(ids, id)
	}
	if err = rows.Err(); err == nil && len(ids) == 0 {
		err = errNotFound
	}
	return ids, kind, up, err
}

// readPath returns an entry and the folders above it with their names, the entry first, and
// where they lead to.
func readPath(ctx context.Context, q db.Querier, owner account.ID, id string) (all []row, up way, err error) {
	if !isID(id) {
		return nil, up, errNotFound
	}
	rows, err := q.Query(ctx, above+`
		SELECT f.id, f.parent, f.kind, f.name, f.name_index /* bounded: by MaxDepth */ FROM up CROSS JOIN files f
		WHERE f.id = up.id AND f.account = $2 AND `+notForgotten+` ORDER BY up.n`, id, string(owner))
	if err != nil {
		return nil, up, err
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.ID, &r.Parent, &r.Kind, &r.Name, &r.NameIndex); err != nil {
			return nil, up, err
		}
		up.top = r.Parent
		up.levels++
		all = append(all, r)
	}
	if err = rows.Err(); err == nil && len(all) == 0 {
		err = errNotFound
	}
	return all, up, err
}

// readForgotten tells whether everything of the account is being removed.
func readForgotten(ctx context.Context, q db.Querier, owner account.ID) (bool, error) {
	var n int64
	err := q.QueryRow(ctx, `SELECT COUNT(*) FROM file_gone WHERE account = $1 AND folder = ''`, string(owner)).Scan(&n)
	return n > 0, err
}

// readBelow returns up to limit children of folders.
func readBelow(ctx context.Context, q db.Querier, owner account.ID, folders []string, limit int) (all []row, err error) {
	err = db.InPieces(folders, func(piece []string) error {
		if len(all) >= limit {
			return nil
		}
		places, args := db.List(piece, string(owner), limit-len(all))
		rows, err := q.Query(ctx, `SELECT `+rowColumns+` FROM files WHERE account = $1 AND parent IN (`+places+`) LIMIT $2`, args...)
		if err != nil {
			return err
		}
		some, err := scanRows(rows)
		all = append(all, some...)
		return err
	})
	return all, err
}

// insertRows stores entries and returns the ids of those whose names were not taken.
func insertRows(ctx context.Context, tx *db.Tx, owner account.ID, all []*row) (map[string]bool, error) {
	stored := make(map[string]bool, len(all))
	err := db.InPieces(all, func(piece []*row) error {
		args := []any{string(owner)}
		tuples := make([]string, len(piece))
		for i, r := range piece {
			values := []any{r.ID, r.Parent, string(r.Kind), r.Name, r.NameIndex, r.Details, r.Blob, r.Size, r.Height, r.CreatedAt, r.ModifiedAt, r.Change}
			tuples[i] = "($1, " + db.Places(len(args)+1, len(values)) + ")"
			args = append(args, values...)
		}
		rows, err := tx.Query(ctx, `INSERT INTO files (account, `+ownColumns+`) VALUES `+strings.Join(tuples, ", ")+
			` ON CONFLICT (account, parent, name_index) DO NOTHING RETURNING id`, args...)
		if err != nil {
			return err
		}
		ids, err := rows.Strings()
		for _, id := range ids {
			stored[id] = true
		}
		return err
	})
	return stored, err
}

// moveRow gives an entry another place or name unless that is taken.
func moveRow(ctx context.Context, tx *db.Tx, owner account.ID, r *row) (bool, error) {
	n, err := tx.Exec(ctx, `
		UPDATE files SET parent = $1, name = $2, name_index = $3, modified_at = $4, details = $7, change = $8, trashed_at = NULL, origin = NULL
		WHERE id = $5 AND account = $6 AND NOT EXISTS
			(SELECT 1 FROM files WHERE account = $6 AND parent = $1 AND name_index = $3 AND id <> $5)`,
		r.Parent, r.Name, r.NameIndex, r.ModifiedAt, r.ID, string(owner), r.Details, r.Change)
	return n == 1, err
}

// maxAsked is how many names one statement asks for.
const maxAsked = 256

// readTaken returns which of the names are taken in a folder by entries other than one.
func readTaken(ctx context.Context, q db.Querier, owner account.ID, parent, except string, indexes [][]byte) (map[string]bool, error) {
	taken := map[string]bool{}
	for len(indexes) > 0 {
		piece := indexes[:min(len(indexes), maxAsked)]
		indexes = indexes[len(piece):]
		size := maxAsked
		for _, n := range []int{64, 16, 4, 1} {
			if len(piece) <= n {
				size = n
			}
		}
		args := []any{string(owner), parent, except}
		for i := range size { // the last one again and again: few different texts
			args = append(args, piece[min(i, len(piece)-1)])
		}
		rows, err := q.Query(ctx, `SELECT name_index FROM files WHERE account = $1 AND parent = $2 AND id <> $3 AND name_index IN (`+db.Places(4, size)+`)`, args...)
		if err != nil {
			return nil, err
		}
		if err := scanTaken(rows, taken); err != nil {
			return nil, err
		}
	}
	return taken, nil
}

func scanTaken(rows *db.Rows, into map[string]bool) error {
	defer rows.Close()
	for rows.Next() {
		var index []byte
		if err := rows.Scan(&index); err != nil {
			return err
		}
		into[string(index)] = true
	}
	return rows.Err()
}

// raiseHeight makes a folder at least so high; false when it is already.
func raiseHeight(ctx context.Context, tx *db.Tx, owner account.ID, folder string, height int) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE files SET height = $1 WHERE id = $2 AND account = $3 AND height < $1`, height, folder, string(owner))
	return n == 1, err
}

// settleHeight makes a folder as high as its children want it, and returns the folder above
// it; false when it is so high already. The highest child is the last of an index.
func settleHeight(ctx context.Context, tx *db.Tx, owner account.ID, folder string) (parent string, changed bool, err error) {
	var height int64
	err = tx.QueryRow(ctx, `
		SELECT 1 + COALESCE(
			(SELECT height FROM files WHERE account = $1 AND parent = $2 AND kind = 'folder' ORDER BY height DESC LIMIT 1),
			(SELECT 1 FROM files WHERE account = $1 AND parent = $2 LIMIT 1), 0)`, string(owner), folder).Scan(&height)
	if err != nil {
		return "", false, err
	}
	err = tx.QueryRow(ctx, `UPDATE files SET height = $1 WHERE id = $2 AND account = $3 AND height <> $1 RETURNING parent`,
		height, folder, string(owner)).Scan(&parent)
	if errors.Is(err, db.ErrNoRows) {
		return "", false, nil
	}
	return parent, err == nil, err
}

// deleteRow removes one entry. What was below a folder is from then on below nothing.
func deleteRow(ctx context.Context, tx *db.Tx, owner account.ID, id string) error {
	_, err := tx.Exec(ctx, `DELETE FROM files WHERE id = $1 AND account = $2`, id, string(owner))
	return err
}

// insertGone notes that the children of a folder are to be removed.
func insertGone(ctx context.Context, tx *db.Tx, owner account.ID, folder string) error {
	_, err := tx.Exec(ctx, `INSERT INTO file_gone (account, folder) VALUES ($1, $2) ON CONFLICT (account, folder) DO NOTHING`, string(owner), folder)
	return err
}

// hasVersions tells whether a file has earlier contents.
func hasVersions(ctx context.Context, tx *db.Tx, owner account.ID, entry string) (bool, error) {
	var n int64
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM file_versions WHERE account = $1 AND entry = $2 LIMIT 1) one`, string(owner), entry).Scan(&n)
	return n > 0, err
}

// readGone returns a folder whose children are to be removed; db.ErrNoRows when there is
// none. A forgotten account comes first.
func readGone(ctx context.Context, tx *db.Tx, owner account.ID) (folder string, err error) {
	err = tx.QueryRow(ctx, `SELECT folder FROM file_gone WHERE account = $1 ORDER BY folder LIMIT 1`, string(owner)).Scan(&folder)
	return folder, err
}

// readGoneAccounts returns accounts behind one that have something to remove.
func readGoneAccounts(ctx context.Context, q db.Querier, after string, limit int) ([]string, error) {
	rows, err := q.Query(ctx, `SELECT DISTINCT account FROM file_gone WHERE account > $1 ORDER BY account LIMIT $2`, after, limit)
	if err != nil {
		return nil, err
	}
	return rows.Strings()
}

// isGone tells whether a row stands in file_gone.
func isGone(ctx context.Context, tx *db.Tx, owner account.ID, folder string) (bool, error) {
	var n int64
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM file_gone WHERE account = $1 AND folder = $2`, string(owner), folder).Scan(&n)
	return n > 0, err
}

// takeGone removes a row of file_gone; false when there is none.
func takeGone(ctx context.Context, tx *db.Tx, owner account.ID, folder string) (bool, error) {
	n, err := tx.Exec(ctx, `DELETE FROM file_gone WHERE account = $1 AND folder = $2`, string(owner), folder)
	return n == 1, err
}

// deleteGone forgets a folder whose children are removed.
func deleteGone(ctx context.Context, tx *db.Tx, owner account.ID, folder string) error {
	for _, q := range []string{
		`DELETE FROM file_folders WHERE account = $1 AND folder = $2`,
		`DELETE FROM file_gone WHERE account = $1 AND folder = $2`,
	} {
		if _, err := tx.Exec(ctx, q, string(owner), folder); err != nil {
			return err
		}
	}
	return nil
}

// deleteChildren removes up to limit children of a deleted folder, and notes those of them
// as deleted that have children or versions. It returns how many there were, and the objects
// of the files. The account's lock is held, so that both statements see the same children.
func deleteChildren(ctx context.Context, tx *db.Tx, owner account.ID, folder string, limit int) (n int, objects []string, err error) {
	return deleteBatch(ctx, tx, ` FROM files WHERE account = $1 AND parent = $2 ORDER BY created_at, id LIMIT $3`, string(owner), folder, limit)
}

// deleteBatch is deleteChildren of the entries that some selects. Outside of the sub-query
// the account is not named: with it SQLite would walk all of the account instead of the batch.
func deleteBatch(ctx context.Context, tx *db.Tx, some string, args ...any) (n int, objects []string, err error) {
	_, err = tx.Exec(ctx, `
		INSERT INTO file_gone (account, folder) SELECT account, id FROM (SELECT account, id, kind`+some+`) batch
		WHERE kind = 'folder' OR EXISTS (SELECT 1 FROM file_versions v WHERE v.account = batch.account AND v.entry = batch.id)
		ON CONFLICT (account, folder) DO NOTHING`, args...)
	if err != nil {
		return 0, nil, err
	}
	rows, err := tx.Query(ctx, `DELETE FROM files WHERE id IN (SELECT id`+some+`) RETURNING COALESCE(blob, '')`, args...)
	if err != nil {
		return 0, nil, err
	}
	all, err := rows.Strings()
	return len(all), slices.DeleteFunc(all, func(id string) bool { return id == "" }), err
}

// deleteSome removes up to limit rows of each kind that an account has. It returns the most
// that there were of one kind.
func deleteSome(ctx context.Context, tx *db.Tx, owner account.ID, limit int) (most int, err error) {
	for _, q := range []string{
		`DELETE FROM files WHERE id IN (SELECT id FROM files WHERE account = $1 ORDER BY parent, created_at, id LIMIT $2)`,
		`DELETE FROM file_versions WHERE id IN (SELECT id FROM file_versions WHERE account = $1 ORDER BY entry LIMIT $2)`,
		`DELETE FROM thumbnails WHERE account = $1 AND blob IN (SELECT blob FROM thumbnails WHERE account = $1 ORDER BY blob LIMIT $2)`,
		`DELETE FROM file_folders WHERE account = $1 AND folder IN (SELECT folder FROM file_folders WHERE account = $1 AND folder <> '*' ORDER BY folder LIMIT $2)`,
		`DELETE FROM file_gone WHERE account = $1 AND folder IN (SELECT folder FROM file_gone WHERE account = $1 AND folder <> '' ORDER BY folder LIMIT $2)`,
	} {
		n, err := tx.Exec(ctx, q, string(owner), limit)
		if err != nil {
			return 0, err
		}
		most = max(most, int(n))
	}
	return most, nil
}
