package file

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
)

// row is an entry as it stands in SQL.
type row struct {
	ID, Parent string
	Kind       Kind
	Name       []byte // sealed
	NameIndex  []byte
	Details    []byte // sealed
	Blob       *string
	Size       int64
	CreatedAt  int64
	ModifiedAt int64
}

const rowColumns = `id, parent, kind, name, name_index, details, blob, size, created_at, modified_at`

func (r *row) fields() []any {
	return []any{&r.ID, &r.Parent, &r.Kind, &r.Name, &r.NameIndex, &r.Details, &r.Blob, &r.Size, &r.CreatedAt, &r.ModifiedAt}
}

// lockTree makes every other change of the account's tree wait until tx has ended. It is
// the first statement of each of them: what a change has read then stays true.
func lockTree(ctx context.Context, tx *db.Tx, owner account.ID) error {
	_, err := touchFolder(ctx, tx, owner, "*")
	return err
}

// touchFolder counts a change of the folder's children and returns the count.
func touchFolder(ctx context.Context, tx *db.Tx, owner account.ID, folder string) (changes int64, err error) {
	err = tx.QueryRow(ctx, `
		INSERT INTO file_folders (account, folder, changes) VALUES ($1, $2, 1)
		ON CONFLICT (account, folder) DO UPDATE SET changes = file_folders.changes + 1
		RETURNING changes`,
		string(owner), folder).Scan(&changes)
	return changes, err
}

func readChanges(ctx context.Context, q db.Querier, owner account.ID, folder string) (n int64, err error) {
	err = q.QueryRow(ctx, `SELECT changes FROM file_folders WHERE account = $1 AND folder = $2`, string(owner), folder).Scan(&n)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// isID tells whether an id that a client sent can be one. PostgreSQL takes no text with a
// zero byte or broken UTF-8; neither is trouble of the database's.
func isID(id string) bool {
	return len(id) <= 64 && strings.Trim(id, "0123456789abcdef-") == ""
}

func readRow(ctx context.Context, q db.Querier, owner account.ID, id string) (row, error) {
	var r row
	if !isID(id) {
		return r, errNotFound
	}
	err := q.QueryRow(ctx, `SELECT `+rowColumns+` FROM files WHERE id = $1 AND account = $2`, id, string(owner)).Scan(r.fields()...)
	if errors.Is(err, db.ErrNoRows) {
		return r, errNotFound
	}
	return r, err
}

// insertRow stores an entry unless its name is taken.
func insertRow(ctx context.Context, tx *db.Tx, owner account.ID, r row) (bool, error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO files (account, `+rowColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (account, parent, name_index) DO NOTHING`,
		string(owner), r.ID, r.Parent, string(r.Kind), r.Name, r.NameIndex, r.Details, r.Blob, r.Size, r.CreatedAt, r.ModifiedAt)
	return n == 1, err
}

// moveRow gives an entry another place or name unless that is taken.
func moveRow(ctx context.Context, tx *db.Tx, owner account.ID, r row) (bool, error) {
	n, err := tx.Exec(ctx, `
		UPDATE files SET parent = $1, name = $2, name_index = $3, modified_at = $4, details = $7
		WHERE id = $5 AND account = $6 AND NOT EXISTS
			(SELECT 1 FROM files WHERE account = $6 AND parent = $1 AND name_index = $3 AND id <> $5)`,
		r.Parent, r.Name, r.NameIndex, r.ModifiedAt, r.ID, string(owner), r.Details)
	return n == 1, err
}

func nameTaken(ctx context.Context, tx *db.Tx, owner account.ID, parent string, index []byte) (bool, error) {
	var n int64
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM files WHERE account = $1 AND parent = $2 AND name_index = $3`,
		string(owner), parent, index).Scan(&n)
	return n > 0, err
}

// readAncestors returns the ids from folder up to the root: the folder first.
func readAncestors(ctx context.Context, q db.Querier, owner account.ID, folder string) ([]string, error) {
	if !isID(folder) {
		return nil, errNotFound
	}
	rows, err := q.Query(ctx, `
		WITH RECURSIVE up (id, parent, n) AS (
			SELECT id, parent, 1 FROM files WHERE id = $1 AND account = $2 AND kind = 'folder'
			UNION ALL
			SELECT f.id, f.parent, up.n + 1 FROM files f JOIN up ON f.id = up.parent WHERE f.account = $2 AND up.n < 1000)
		SELECT id FROM up ORDER BY n`, folder, string(owner))
	if err != nil {
		return nil, err
	}
	return scanStrings(rows)
}

// below is every entry of the sub-tree of entry $1 of account $2, itself included.
const below = `
	WITH RECURSIVE below (id, n) AS (
		SELECT id, 1 FROM files WHERE id = $1 AND account = $2
		UNION ALL
		SELECT f.id, below.n + 1 FROM files f JOIN below ON f.parent = below.id WHERE f.account = $2) `

// readHeight returns how many levels the sub-tree of an entry has.
func readHeight(ctx context.Context, tx *db.Tx, owner account.ID, id string) (n int64, err error) {
	err = tx.QueryRow(ctx, below+`SELECT COALESCE(MAX(n), 0) FROM below`, id, string(owner)).Scan(&n)
	return n, err
}

// deleteTree removes an entry and what is below it, and dooms their blobs.
func deleteTree(ctx context.Context, tx *db.Tx, owner account.ID, id string) error {
	for _, q := range []string{
		`UPDATE blobs SET state = 'doomed' WHERE id IN (SELECT f.blob FROM files f JOIN below b ON b.id = f.id WHERE f.blob IS NOT NULL)`,
		`DELETE FROM file_folders WHERE account = $2 AND folder IN (SELECT id FROM below)`,
		`DELETE FROM files WHERE account = $2 AND id IN (SELECT id FROM below)`,
	} {
		if _, err := tx.Exec(ctx, below+q, id, string(owner)); err != nil {
			return err
		}
	}
	return nil
}

// deleteAll removes everything that the account has.
func deleteAll(ctx context.Context, tx *db.Tx, owner account.ID) error {
	for _, q := range []string{
		`UPDATE blobs SET state = 'doomed' WHERE account = $1`,
		`DELETE FROM files WHERE account = $1`,
		`DELETE FROM file_folders WHERE account = $1 AND folder <> '*'`,
	} {
		if _, err := tx.Exec(ctx, q, string(owner)); err != nil {
			return err
		}
	}
	return nil
}

// named is what the order by name needs to know of an entry.
type named struct {
	id    string
	kind  Kind
	name  []byte // sealed
	index []byte
}

func readNames(ctx context.Context, q db.Querier, owner account.ID, parent string) ([]named, error) {
	rows, err := q.Query(ctx, `SELECT id, kind, name, name_index FROM files WHERE account = $1 AND parent = $2`, string(owner), parent)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []named
	for rows.Next() {
		var n named
		if err := rows.Scan(&n.id, &n.kind, &n.name, &n.index); err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, rows.Err()
}

// readByID returns the entries with these ids, in any order; absent ones are left out.
func readByID(ctx context.Context, q db.Querier, owner account.ID, ids []string) ([]row, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	args := []any{string(owner)}
	marks := make([]string, len(ids))
	for i, id := range ids {
		args = append(args, id)
		marks[i] = "$" + strconv.Itoa(i+2)
	}
	// The cast keeps the engines from walking all of the account instead of the few ids.
	rows, err := q.Query(ctx, `SELECT `+rowColumns+` FROM files WHERE CAST(account AS TEXT) = $1 AND id IN (`+strings.Join(marks, ", ")+`)`, args...)
	if err != nil {
		return nil, err
	}
	return scanRows(rows)
}

// readPage returns the children behind (value, id) in the order of a column, which is a
// constant of this package. first is true for the page that nothing is before.
func readPage(ctx context.Context, q db.Querier, owner account.ID, parent, column string, descending, first bool, value int64, id string, limit int) ([]row, error) {
	args := []any{string(owner), parent, limit}
	after, order, compare := "", column+", id", ">"
	if descending {
		order, compare = column+" DESC, id DESC", "<"
	}
	if !first {
		after = ` AND (` + column + `, id) ` + compare + ` ($4, $5)`
		args = append(args, value, id)
	}
	rows, err := q.Query(ctx, `SELECT `+rowColumns+` FROM files WHERE account = $1 AND parent = $2`+after+` ORDER BY `+order+` LIMIT $3`, args...)
	if err != nil {
		return nil, err
	}
	return scanRows(rows)
}

func scanRows(rows *db.Rows) ([]row, error) {
	defer rows.Close()
	var all []row
	for rows.Next() {
		var r row
		if err := rows.Scan(r.fields()...); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

func scanStrings(rows *db.Rows) ([]string, error) {
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

func insertBlob(ctx context.Context, q db.Querier, owner account.ID, id string, wrapped []byte, now time.Time) error {
	_, err := q.Exec(ctx, `INSERT INTO blobs (id, account, state, wrapped, size, created_at) VALUES ($1, $2, 'pending', $3, 0, $4)`,
		id, string(owner), wrapped, now.UnixMilli())
	return err
}

// settleBlob turns a pending blob live; false when it was given up meanwhile.
func settleBlob(ctx context.Context, tx *db.Tx, id string, size int64) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE blobs SET state = 'live', size = $1 WHERE id = $2 AND state = 'pending'`, size, id)
	return n == 1, err
}

// blobRow is what opening an object needs.
type blobRow struct {
	Wrapped []byte
	Size    int64
}

func readBlob(ctx context.Context, q db.Querier, owner account.ID, id string) (b blobRow, err error) {
	err = q.QueryRow(ctx, `SELECT wrapped, size FROM blobs WHERE id = $1 AND account = $2 AND state = 'live'`,
		id, string(owner)).Scan(&b.Wrapped, &b.Size)
	if errors.Is(err, db.ErrNoRows) {
		return b, errDamaged // an entry goes in the transaction in which its object is doomed
	}
	return b, err
}

// doomUnlessLive gives up one blob that is not published, and tells whether it is.
func doomUnlessLive(ctx context.Context, q db.Querier, id string) (live bool, err error) {
	if _, err := q.Exec(ctx, `UPDATE blobs SET state = 'doomed' WHERE id = $1 AND state = 'pending'`, id); err != nil {
		return false, err
	}
	var n int64
	err = q.QueryRow(ctx, `SELECT COUNT(*) FROM blobs WHERE id = $1 AND state = 'live'`, id).Scan(&n)
	return n > 0, err
}

// doomAbandoned gives up every blob that has been pending since before the time.
func doomAbandoned(ctx context.Context, q db.Querier, before time.Time) error {
	_, err := q.Exec(ctx, `UPDATE blobs SET state = 'doomed' WHERE state = 'pending' AND created_at < $1`, before.UnixMilli())
	return err
}

func readDoomed(ctx context.Context, q db.Querier, after string, limit int) ([]string, error) {
	rows, err := q.Query(ctx, `SELECT id FROM blobs WHERE state = 'doomed' AND id > $1 ORDER BY id LIMIT $2`, after, limit)
	if err != nil {
		return nil, err
	}
	return scanStrings(rows)
}

func deleteDoomed(ctx context.Context, q db.Querier, id string) error {
	_, err := q.Exec(ctx, `DELETE FROM blobs WHERE id = $1 AND state = 'doomed'`, id)
	return err
}

// readKnown returns which of the ids have a row.
func readKnown(ctx context.Context, q db.Querier, ids []string) (map[string]bool, error) {
	args := make([]any, len(ids))
	marks := make([]string, len(ids))
	for i, id := range ids {
		args[i], marks[i] = id, "$"+strconv.Itoa(i+1)
	}
	rows, err := q.Query(ctx, `SELECT id FROM blobs WHERE id IN (`+strings.Join(marks, ", ")+`)`, args...)
	if err != nil {
		return nil, err
	}
	have, err := scanStrings(rows)
	known := make(map[string]bool, len(have))
	for _, id := range have {
		known[id] = true
	}
	return known, err
}

// wrappedKey is a blob's key as a re-wrap sees it.
type wrappedKey struct {
	id      string
	account account.ID
	wrapped []byte
}

func readWrapped(ctx context.Context, q db.Querier, after string, limit int) ([]wrappedKey, error) {
	rows, err := q.Query(ctx, `SELECT id, account, wrapped FROM blobs WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []wrappedKey
	for rows.Next() {
		var k wrappedKey
		if err := rows.Scan(&k.id, &k.account, &k.wrapped); err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, rows.Err()
}

// swapWrapped replaces a wrapped key that nobody has changed since it was read.
func swapWrapped(ctx context.Context, q db.Querier, k wrappedKey, again []byte) error {
	_, err := q.Exec(ctx, `UPDATE blobs SET wrapped = $1 WHERE id = $2 AND wrapped = $3`, again, k.id, k.wrapped)
	return err
}
