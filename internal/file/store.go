package file

import (
	"context"
	"errors"
	"strings"

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
	Change     int64 // the count of the account's lock row at its last change
	Thumbnail  bool  // its content has one; of the table thumbnails
}

const (
	ownColumns = `id, parent, kind, name, name_index, details, blob, size, height, created_at, modified_at, change`
	rowColumns = ownColumns + `, EXISTS (SELECT 1 FROM thumbnails t WHERE t.account = files.account AND t.blob = files.blob AND t.picture IS NOT NULL)`
)

func (r *row) fields() []any {
	return []any{&r.ID, &r.Parent, &r.Kind, &r.Name, &r.NameIndex, &r.Details, &r.Blob, &r.Size, &r.Height, &r.CreatedAt, &r.ModifiedAt, &r.Change, &r.Thumbnail}
}

// lockTree makes every other change of the account's tree wait until tx has ended. It comes
// before all that a change reads of the tree: what it has read then stays true. It returns
// how often the account's tree has been locked. Rows that tx writes carry that count, so a
// row with a higher count was written later.
func lockTree(ctx context.Context, tx *db.Tx, owner account.ID) (count int64, err error) {
	return touchFolder(ctx, tx, owner, "*")
}

// deleteLock removes the last rows of an account that is gone.
func deleteLock(ctx context.Context, tx *db.Tx, owner account.ID) error {
	for _, q := range []string{
		`DELETE FROM file_trash WHERE account = $1`,
		`DELETE FROM thumbnail_marks WHERE account = $1`,
		`DELETE FROM file_folders WHERE account = $1 AND folder = '*'`,
	} {
		if _, err := tx.Exec(ctx, q, string(owner)); err != nil {
			return err
		}
	}
	return nil
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
	places, args := db.List(ids, string(owner))
	// The cast keeps the engines from walking all of the account instead of the few ids.
	rows, err := q.Query(ctx, `SELECT `+rowColumns+` FROM files WHERE CAST(account AS TEXT) = $1 AND id IN (`+places+`)`, args...)
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
