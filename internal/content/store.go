package content

import (
	"context"
	"strings"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
)

// States of an object.
const (
	pending = "pending"
	live    = "live"
)

func insertPending(ctx context.Context, q db.Querier, owner account.ID, o incoming, now time.Time) error {
	_, err := q.Exec(ctx, `INSERT INTO blobs (id, account, state, wrapped, size, refs, touched_at) VALUES ($1, $2, 'pending', $3, 0, 1, $4)`,
		o.ID, string(owner), o.wrapped, now.UnixMilli())
	return err
}

// insertSmall stores objects whose sealed content is at hand.
func insertSmall(ctx context.Context, tx *db.Tx, owner account.ID, objects []incoming, state string, now time.Time) error {
	return db.InPieces(objects, func(piece []incoming) error {
		rows, contents := []any{string(owner), state, now.UnixMilli()}, []any(nil)
		tuples, sealed := make([]string, len(piece)), make([]string, len(piece))
		for i, o := range piece {
			size := o.Size
			if state == pending {
				size = 0 // [settle] says it
			}
			tuples[i] = "($1, $2, 1, $3, " + db.Places(len(rows)+1, 3) + ")"
			rows = append(rows, o.ID, o.wrapped, size)
			sealed[i] = "(" + db.Places(len(contents)+1, 2) + ")"
			contents = append(contents, o.ID, o.content)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO blobs (account, state, refs, touched_at, id, wrapped, size) VALUES `+strings.Join(tuples, ", "), rows...); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO blob_contents (blob, content) VALUES `+strings.Join(sealed, ", "), contents...)
		return err
	})
}

// settle turns pending objects live; false when one was given up meanwhile.
func settle(ctx context.Context, tx *db.Tx, objects []incoming) (bool, error) {
	whole := true
	err := db.InPieces(objects, func(piece []incoming) error {
		var args []any
		tuples := make([]string, len(piece))
		for i, o := range piece {
			tuples[i] = "(" + db.Places(len(args)+1, 2) + ")"
			args = append(args, o.ID, o.Size)
		}
		tuples[0] = "(CAST($1 AS TEXT), CAST($2 AS BIGINT))" // PostgreSQL takes the types from the first row
		n, err := tx.Exec(ctx, `WITH v (id, size) AS (VALUES `+strings.Join(tuples, ", ")+`)
			UPDATE blobs SET state = 'live', size = v.size FROM v WHERE blobs.id = v.id AND blobs.state = 'pending'`, args...)
		whole = whole && n == int64(len(piece))
		return err
	})
	return whole, err
}

// markForgotten notes that an account is being deleted. From then on it takes no content.
func markForgotten(ctx context.Context, tx *db.Tx, owner account.ID) error {
	_, err := tx.Exec(ctx, `INSERT INTO content_usage (account, bytes, reserved, files, forgotten) VALUES ($1, 0, 0, 0, TRUE) ON CONFLICT (account) DO UPDATE SET forgotten = TRUE`, string(owner))
	return err
}

// readForgotten returns some accounts behind one that are being deleted.
func readForgotten(ctx context.Context, q db.Querier, after string, limit int) ([]string, error) {
	rows, err := q.Query(ctx, `SELECT account FROM content_usage WHERE forgotten AND account > $1 ORDER BY account LIMIT $2`, after, limit)
	if err != nil {
		return nil, err
	}
	return rows.Strings()
}

// markSome marks up to limit objects of an account, and returns how many there were.
func markSome(ctx context.Context, q db.Querier, owner string, limit int) (int64, error) {
	return q.Exec(ctx, `UPDATE blobs SET state = 'deleting' WHERE id IN
		(SELECT id FROM blobs WHERE account = $1 AND state <> 'deleting' ORDER BY id LIMIT $2)`, owner, limit)
}

// deleteForgotten ends the deletion of an account.
func deleteForgotten(ctx context.Context, q db.Querier, owner string) error {
	_, err := q.Exec(ctx, `DELETE FROM content_usage WHERE account = $1 AND forgotten`, owner)
	return err
}

// read fills in what opening the object needs, and returns the size that its row says.
func (o *Object) read(ctx context.Context, q db.Querier) (size int64, err error) {
	err = q.QueryRow(ctx, `
		SELECT b.wrapped, b.size, b.parts, c.content FROM blobs b LEFT JOIN blob_contents c ON c.blob = b.id
		WHERE b.id = $1 AND b.account = $2 AND b.state = 'live'`,
		o.id, string(o.owner)).Scan(&o.wrapped, &size, &o.list, &o.small)
	if err != nil || o.list == nil {
		return size, err
	}
	return size, o.readList(ctx, q)
}

// due is an object that a sweep is to end, and since when.
type due struct {
	id    string
	owner account.ID
	at    int64
}

// readDue returns objects behind one, in an order: of time, then of ids.
func readDue(ctx context.Context, q db.Querier, query, order string, until time.Time, last *due, limit int) (all []due, err error) {
	args := []any{until.UnixMilli(), limit}
	if last != nil {
		query += ` AND ` + order + ` > ($3, $4)`
		args = append(args, last.at, last.id)
	}
	rows, err := q.Query(ctx, query+` ORDER BY `+strings.Trim(order, "()")+` LIMIT $2`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var o due
		if err := rows.Scan(&o.id, &o.owner, &o.at); err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, rows.Err()
}

// readAbandoned returns pending objects behind one that no upload has touched since the time.
func readAbandoned(ctx context.Context, q db.Querier, since time.Time, last *due, limit int) ([]due, error) {
	return readDue(ctx, q, `SELECT id, account, touched_at FROM blobs WHERE state = 'pending' AND touched_at < $1`, `(touched_at, id)`, since, last, limit)
}

// touchPending says of pending objects that their upload lives.
func touchPending(ctx context.Context, q db.Querier, ids []string, now time.Time) error {
	return db.InPieces(ids, func(piece []string) error {
		places, args := db.List(piece, now.UnixMilli())
		_, err := q.Exec(ctx, `UPDATE blobs SET touched_at = $1 WHERE state = 'pending' AND id IN (`+places+`)`, args...)
		return err
	})
}

// table is where rows stand that have content: objects, or parts of them.
type table string

const (
	objectRows table = "blobs"
	partRows   table = "blob_parts"
)

// readMarked returns rows behind one that are marked for deletion: those with content in the
// store, and those without. The content of an object in parts is theirs.
func readMarked(ctx context.Context, q db.Querier, t table, after string, limit int) (inStore, inSQL []string, err error) {
	query := `SELECT p.id, c.blob FROM blob_parts p LEFT JOIN blob_contents c ON c.blob = p.id
		WHERE p.state = 'deleting' AND p.id > $1 ORDER BY p.id LIMIT $2`
	if t == objectRows {
		query = `SELECT b.id, CASE WHEN b.parts IS NULL THEN c.blob ELSE b.id END FROM blobs b LEFT JOIN blob_contents c ON c.blob = b.id
			WHERE b.state = 'deleting' AND b.id > $1 ORDER BY b.id LIMIT $2`
	}
	rows, err := q.Query(ctx, query, after, limit)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var content *string
		if err := rows.Scan(&id, &content); err != nil {
			return nil, nil, err
		}
		if content == nil {
			inStore = append(inStore, id)
		} else {
			inSQL = append(inSQL, id)
		}
	}
	return inStore, inSQL, rows.Err()
}

// deleteMarked removes rows with what they hold in SQL. An object stays as long as it has
// parts.
func deleteMarked(ctx context.Context, tx *db.Tx, t table, ids []string) error {
	places, args := db.List(ids)
	marked := `state = 'deleting' AND id IN (` + places + `)`
	queries := []string{
		`DELETE FROM blob_contents WHERE blob IN (SELECT id FROM blob_parts WHERE ` + marked + `)`,
		`DELETE FROM blob_parts WHERE ` + marked,
	}
	if t == objectRows {
		queries = []string{
			`DELETE FROM blob_contents WHERE blob IN (SELECT id FROM blobs WHERE ` + marked + `)`,
			`DELETE FROM blobs WHERE ` + marked + ` AND NOT EXISTS (SELECT 1 FROM blob_parts p WHERE p.blob = blobs.id)`,
		}
	}
	for _, q := range queries {
		if _, err := tx.Exec(ctx, q, args...); err != nil {
			return err
		}
	}
	return nil
}

// readKnown returns which of the ids have a row: an object's or a part's.
func readKnown(ctx context.Context, q db.Querier, ids []string) (map[string]bool, error) {
	return readWhich(ctx, q, ids, func(places string) string {
		return `SELECT id FROM blobs WHERE id IN (` + places + `) UNION ALL SELECT id FROM blob_parts WHERE id IN (` + places + `)`
	})
}

// readLive returns which objects are live.
func readLive(ctx context.Context, q db.Querier, ids []string) (map[string]bool, error) {
	return readWhich(ctx, q, ids, func(places string) string {
		return `SELECT id FROM blobs WHERE id IN (` + places + `) AND state = 'live'`
	})
}

func readWhich(ctx context.Context, q db.Querier, ids []string, query func(places string) string) (map[string]bool, error) {
	places, args := db.List(ids)
	rows, err := q.Query(ctx, query(places), args...)
	if err != nil {
		return nil, err
	}
	have, err := rows.Strings()
	which := make(map[string]bool, len(have))
	for _, id := range have {
		which[id] = true
	}
	return which, err
}

// wrappedKey is an object's key as a re-wrap sees it.
type wrappedKey struct {
	id      string
	account account.ID
	parts   []byte
	wrapped []byte
}

func readWrapped(ctx context.Context, q db.Querier, after string, limit int) ([]wrappedKey, error) {
	rows, err := q.Query(ctx, `SELECT id, account, parts, wrapped FROM blobs WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []wrappedKey
	for rows.Next() {
		var k wrappedKey
		if err := rows.Scan(&k.id, &k.account, &k.parts, &k.wrapped); err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, rows.Err()
}

// swapWrapped replaces a wrapped key that no other writer has changed since it was read.
func swapWrapped(ctx context.Context, q db.Querier, k wrappedKey, again []byte) error {
	_, err := q.Exec(ctx, `UPDATE blobs SET wrapped = $1 WHERE id = $2 AND wrapped = $3`, again, k.id, k.wrapped)
	return err
}
