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
	Height     int64 // levels of its sub-tree, itself included
	CreatedAt  int64
	ModifiedAt int64
}

const rowColumns = `id, parent, kind, name, name_index, details, blob, size, height, created_at, modified_at`

func (r *row) fields() []any {
	return []any{&r.ID, &r.Parent, &r.Kind, &r.Name, &r.NameIndex, &r.Details, &r.Blob, &r.Size, &r.Height, &r.CreatedAt, &r.ModifiedAt}
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
