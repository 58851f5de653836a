package file

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
	pending = "pending"
	live    = "live"
)

func insertBlob(ctx context.Context, q db.Querier, owner account.ID, f stored, state string, now time.Time) error {
	_, err := q.Exec(ctx, `INSERT INTO blobs (id, account, state, wrapped, size, touched_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		f.blob, string(owner), state, f.wrapped, f.size, now.UnixMilli())
	return err
}

// insertSmall stores objects whose sealed content is at hand.
func insertSmall(ctx context.Context, tx *db.Tx, owner account.ID, files []stored, state string, now time.Time) error {
	return inPieces(files, func(piece []stored) error {
		objects, contents := []any{string(owner), state, now.UnixMilli()}, []any(nil)
		rows, sealed := make([]string, len(piece)), make([]string, len(piece))
		for i, f := range piece {
			rows[i] = "($1, $2, $3, " + marks(len(objects)+1, 3) + ")"
			objects = append(objects, f.blob, f.wrapped, f.size)
			sealed[i] = "(" + marks(len(contents)+1, 2) + ")"
			contents = append(contents, f.blob, f.content)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO blobs (account, state, touched_at, id, wrapped, size) VALUES `+strings.Join(rows, ", "), objects...); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO blob_contents (blob, content) VALUES `+strings.Join(sealed, ", "), contents...)
		return err
	})
}

// blobRow is what opening an object needs.
type blobRow struct {
	Wrapped []byte
	Size    int64
	Content []byte // sealed; nil when it is in the store
}

func readBlob(ctx context.Context, q db.Querier, owner account.ID, id string) (b blobRow, err error) {
	err = q.QueryRow(ctx, `
		SELECT b.wrapped, b.size, c.content FROM blobs b LEFT JOIN blob_contents c ON c.blob = b.id
		WHERE b.id = $1 AND b.account = $2 AND b.state = 'live'`,
		id, string(owner)).Scan(&b.Wrapped, &b.Size, &b.Content)
	if errors.Is(err, db.ErrNoRows) {
		return b, errDamaged // an entry goes in the transaction in which its object is doomed
	}
	return b, err
}

// touchBlobs says of pending blobs that their upload lives.
func touchBlobs(ctx context.Context, q db.Querier, ids []string, now time.Time) error {
	places, args := list(ids, now.UnixMilli())
	_, err := q.Exec(ctx, `UPDATE blobs SET touched_at = $1 WHERE state = 'pending' AND id IN (`+places+`)`, args...)
	return err
}

// list returns placeholders for ids behind the arguments before them, and all arguments.
func list(ids []string, before ...any) (places string, args []any) {
	args = before
	for _, id := range ids {
		args = append(args, id)
	}
	return marks(len(before)+1, len(ids)), args
}

// doomPending gives up those of the blobs that are not published.
func doomPending(ctx context.Context, q db.Querier, ids []string) error {
	places, args := list(ids)
	_, err := q.Exec(ctx, `UPDATE blobs SET state = 'doomed' WHERE state = 'pending' AND id IN (`+places+`)`, args...)
	return err
}

// doomAbandoned gives up some pending blobs that nobody has touched since the time, and
// tells how many.
func doomAbandoned(ctx context.Context, q db.Querier, since time.Time, limit int) (int64, error) {
	return q.Exec(ctx, `UPDATE blobs SET state = 'doomed' WHERE state = 'pending' AND id IN
		(SELECT id FROM blobs WHERE state = 'pending' AND touched_at < $1 ORDER BY touched_at LIMIT $2)`, since.UnixMilli(), limit)
}

// readDoomed returns doomed blobs: those in the store, and those whose content is in SQL.
func readDoomed(ctx context.Context, q db.Querier, after string, limit int) (inStore, inSQL []string, err error) {
	rows, err := q.Query(ctx, `
		SELECT b.id, c.blob FROM blobs b LEFT JOIN blob_contents c ON c.blob = b.id
		WHERE b.state = 'doomed' AND b.id > $1 ORDER BY b.id LIMIT $2`, after, limit)
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

// deleteDoomed removes the rows of doomed blobs, with what they hold in SQL.
func deleteDoomed(ctx context.Context, tx *db.Tx, ids []string) error {
	places, args := list(ids)
	for _, q := range []string{
		`DELETE FROM blob_contents WHERE blob IN (SELECT id FROM blobs WHERE state = 'doomed' AND id IN (` + places + `))`,
		`DELETE FROM blobs WHERE state = 'doomed' AND id IN (` + places + `)`,
	} {
		if _, err := tx.Exec(ctx, q, args...); err != nil {
			return err
		}
	}
	return nil
}

// readKnown returns which of the ids have a row.
func readKnown(ctx context.Context, q db.Querier, ids []string) (map[string]bool, error) {
	return readWhich(ctx, q, ids, ``)
}

// readLive returns which of the ids are published.
func readLive(ctx context.Context, q db.Querier, ids []string) (map[string]bool, error) {
	return readWhich(ctx, q, ids, ` AND state = 'live'`)
}

func readWhich(ctx context.Context, q db.Querier, ids []string, and string) (map[string]bool, error) {
	places, args := list(ids)
	rows, err := q.Query(ctx, `SELECT id FROM blobs WHERE id IN (`+places+`)`+and, args...)
	if err != nil {
		return nil, err
	}
	have, err := scanStrings(rows)
	which := make(map[string]bool, len(have))
	for _, id := range have {
		which[id] = true
	}
	return which, err
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
