package content

import (
	"context"
	"errors"
	"strings"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
)

// States of an object.
const (
	pending  = "pending"
	live     = "live"
	deleting = "deleting" // marked for deletion
)

func insertPending(ctx context.Context, q db.Querier, owner account.ID, o incoming, now time.Time) error {
	_, err := q.Exec(ctx, `INSERT INTO blobs (id, account, state, wrapped, size, touched_at) VALUES ($1, $2, 'pending', $3, 0, $4)`,
		o.ID, string(owner), o.wrapped, now.UnixMilli())
	return err
}

// insertSmall stores objects whose sealed content is at hand.
func insertSmall(ctx context.Context, tx *db.Tx, owner account.ID, objects []incoming, state string, now time.Time) error {
	return db.InPieces(objects, func(piece []incoming) error {
		rows, contents := []any{string(owner), state, now.UnixMilli()}, []any(nil)
		tuples, sealed := make([]string, len(piece)), make([]string, len(piece))
		for i, o := range piece {
			tuples[i] = "($1, $2, $3, " + db.Places(len(rows)+1, 3) + ")"
			rows = append(rows, o.ID, o.wrapped, o.Size)
			sealed[i] = "(" + db.Places(len(contents)+1, 2) + ")"
			contents = append(contents, o.ID, o.content)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO blobs (account, state, touched_at, id, wrapped, size) VALUES `+strings.Join(tuples, ", "), rows...); err != nil {
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

// addUsage counts bytes of an account; false, and nothing counted, when the quota has no room
// for them or the account is being deleted. The row is locked until tx has ended.
func addUsage(ctx context.Context, tx *db.Tx, owner account.ID, bytes, quota int64) (bool, error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO content_usage (account, bytes, forgotten)
		SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), FALSE WHERE CAST($2 AS BIGINT) <= CAST($3 AS BIGINT)
		ON CONFLICT (account) DO UPDATE SET bytes = content_usage.bytes + excluded.bytes
		WHERE NOT content_usage.forgotten AND content_usage.bytes <= CAST($3 AS BIGINT) - excluded.bytes`,
		string(owner), bytes, quota)
	return n == 1, err
}

// readUsage returns how many bytes of live content an account has, and whether it is being
// deleted.
func readUsage(ctx context.Context, q db.Querier, owner account.ID) (bytes int64, forgotten bool, err error) {
	err = q.QueryRow(ctx, `SELECT bytes, forgotten FROM content_usage WHERE account = $1`, string(owner)).Scan(&bytes, &forgotten)
	if errors.Is(err, db.ErrNoRows) {
		return 0, false, nil
	}
	return bytes, forgotten, err
}

// markForDeletion marks live objects of an account, and no longer counts their bytes.
func markForDeletion(ctx context.Context, tx *db.Tx, owner account.ID, ids []string) error {
	var freed int64
	err := db.InPieces(ids, func(piece []string) error {
		places, args := db.List(piece, string(owner))
		rows, err := tx.Query(ctx, `UPDATE blobs SET state = 'deleting' WHERE CAST(account AS TEXT) = $1 AND state = 'live' AND id IN (`+places+`) RETURNING size`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var size int64
			if err := rows.Scan(&size); err != nil {
				return err
			}
			freed += size
		}
		return rows.Err()
	})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE content_usage SET bytes = bytes - $1 WHERE account = $2`, freed, string(owner))
	return err
}

// markForgotten notes that an account is being deleted. From then on it takes no content.
func markForgotten(ctx context.Context, tx *db.Tx, owner account.ID) error {
	_, err := tx.Exec(ctx, `INSERT INTO content_usage (account, bytes, forgotten) VALUES ($1, 0, TRUE) ON CONFLICT (account) DO UPDATE SET forgotten = TRUE`, string(owner))
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
		SELECT b.wrapped, b.size, c.content FROM blobs b LEFT JOIN blob_contents c ON c.blob = b.id
		WHERE b.id = $1 AND b.account = $2 AND b.state = 'live'`,
		o.id, string(o.owner)).Scan(&o.wrapped, &size, &o.small)
	return size, err
}

// touchPending says of pending objects that their upload lives.
func touchPending(ctx context.Context, q db.Querier, ids []string, now time.Time) error {
	return db.InPieces(ids, func(piece []string) error {
		places, args := db.List(piece, now.UnixMilli())
		_, err := q.Exec(ctx, `UPDATE blobs SET touched_at = $1 WHERE state = 'pending' AND id IN (`+places+`)`, args...)
		return err
	})
}

// markPending gives up those of the objects that are not live.
func markPending(ctx context.Context, q db.Querier, ids []string) error {
	places, args := db.List(ids)
	_, err := q.Exec(ctx, `UPDATE blobs SET state = 'deleting' WHERE state = 'pending' AND id IN (`+places+`)`, args...)
	return err
}

// markAbandoned gives up some pending objects that no upload has touched since the time, and
// returns how many.
func markAbandoned(ctx context.Context, q db.Querier, since time.Time, limit int) (int64, error) {
	return q.Exec(ctx, `UPDATE blobs SET state = 'deleting' WHERE state = 'pending' AND id IN
		(SELECT id FROM blobs WHERE state = 'pending' AND touched_at < $1 ORDER BY touched_at LIMIT $2)`, since.UnixMilli(), limit)
}

// readMarked returns objects behind one that are marked for deletion: those in the store,
// and those whose content is in SQL.
func readMarked(ctx context.Context, q db.Querier, after string, limit int) (inStore, inSQL []string, err error) {
	rows, err := q.Query(ctx, `
		SELECT b.id, c.blob FROM blobs b LEFT JOIN blob_contents c ON c.blob = b.id
		WHERE b.state = 'deleting' AND b.id > $1 ORDER BY b.id LIMIT $2`, after, limit)
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

// deleteMarked removes the rows of objects, with what they hold in SQL.
func deleteMarked(ctx context.Context, tx *db.Tx, ids []string) error {
	places, args := db.List(ids)
	for _, q := range []string{
		`DELETE FROM blob_contents WHERE blob IN (SELECT id FROM blobs WHERE state = 'deleting' AND id IN (` + places + `))`,
		`DELETE FROM blobs WHERE state = 'deleting' AND id IN (` + places + `)`,
	} {
		if _, err := tx.Exec(ctx, q, args...); err != nil {
			return err
		}
	}
	return nil
}

// readKnown returns which of the ids have a row, readLive which are live.
func readKnown(ctx context.Context, q db.Querier, ids []string) (map[string]bool, error) {
	return readWhich(ctx, q, ids, ``)
}

func readLive(ctx context.Context, q db.Querier, ids []string) (map[string]bool, error) {
	return readWhich(ctx, q, ids, ` AND state = 'live'`)
}

func readWhich(ctx context.Context, q db.Querier, ids []string, and string) (map[string]bool, error) {
	places, args := db.List(ids)
	rows, err := q.Query(ctx, `SELECT id FROM blobs WHERE id IN (`+places+`)`+and, args...)
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

// swapWrapped replaces a wrapped key that no other writer has changed since it was read.
func swapWrapped(ctx context.Context, q db.Querier, k wrappedKey, again []byte) error {
	_, err := q.Exec(ctx, `UPDATE blobs SET wrapped = $1 WHERE id = $2 AND wrapped = $3`, again, k.id, k.wrapped)
	return err
}
