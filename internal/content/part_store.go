package content

import (
	"context"
	"errors"
	"slices"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
)

// insertGrowing stores an object that has no byte yet.
func insertGrowing(ctx context.Context, tx *db.Tx, owner account.ID, id string, wrapped []byte, g growth, now time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO blobs (id, account, state, wrapped, size, refs, parts, touched_at) VALUES ($1, $2, 'growing', $3, 0, 1, $4, $5)`,
		id, string(owner), wrapped, []byte{}, now.UnixMilli())
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO blob_growth (blob, account, taken, length, reserved, attempt, progress, expires_at) VALUES ($1, $2, 0, $3, $4, 0, $5, $6)`,
		id, string(owner), g.length, g.reserved, g.progress, g.expires)
	return err
}

// growth is the row of an object that grows.
type growth struct {
	taken    int64
	length   *int64 // nil: not said yet
	reserved int64
	attempt  int64
	progress []byte
	expires  int64
}

const growthColumns = `taken, length, reserved, attempt, progress, expires_at`

func (g *growth) fields() []any {
	return []any{&g.taken, &g.length, &g.reserved, &g.attempt, &g.progress, &g.expires}
}

func readGrowth(ctx context.Context, q db.Querier, owner account.ID, id string) (g growth, err error) {
	err = q.QueryRow(ctx, `SELECT `+growthColumns+` FROM blob_growth WHERE blob = $1 AND account = $2`, id, string(owner)).Scan(g.fields()...)
	return g, err
}

func readAllGrowth(ctx context.Context, q db.Querier, owner account.ID) (map[string]Growing, error) {
	rows, err := q.Query(ctx, `SELECT blob, taken, length, expires_at FROM blob_growth WHERE account = $1`, string(owner))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]Growing{}
	for rows.Next() {
		var id string
		var g growth
		if err := rows.Scan(&id, &g.taken, &g.length, &g.expires); err != nil {
			return nil, err
		}
		all[id] = g.shown()
	}
	return all, rows.Err()
}

func countGrowth(ctx context.Context, tx *db.Tx, owner account.ID) (n int64, err error) {
	err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM blob_growth WHERE account = $1`, string(owner)).Scan(&n)
	return n, err
}

// takeFence ends every append before and begins another, unless the object is at another
// offset or over: ErrNoRows.
func takeFence(ctx context.Context, d *db.DB, owner account.ID, id string, at int64, now, expires time.Time) (g growth, err error) {
	var until *int64
	if !expires.IsZero() {
		ms := expires.UnixMilli()
		until = &ms
	}
	err = d.WriteRow(ctx, `UPDATE blob_growth SET attempt = attempt + 1, expires_at = COALESCE(CAST($5 AS BIGINT), expires_at)
		WHERE blob = $1 AND account = $2 AND taken = $3 AND expires_at > $4 RETURNING `+growthColumns,
		id, string(owner), at, now.UnixMilli(), until).Scan(g.fields()...)
	return g, err
}

// holdFence locks the growth of an append that still has the fence, and says that it lives.
func holdFence(ctx context.Context, q db.Querier, id string, attempt, expires int64) (bool, error) {
	n, err := q.Exec(ctx, `UPDATE blob_growth SET expires_at = $3 WHERE blob = $1 AND attempt = $2`, id, attempt, expires)
	return n == 1, err
}

// moveGrowth moves an object from an offset to the one of to, unless another append has begun.
func moveGrowth(ctx context.Context, tx *db.Tx, id string, from int64, to growth) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE blob_growth SET taken = $4, reserved = $5, progress = $6, expires_at = $7 WHERE blob = $1 AND attempt = $2 AND taken = $3`,
		id, to.attempt, from, to.taken, to.reserved, to.progress, to.expires)
	return n == 1, err
}

// holdGrowth changes what an object holds of its account's reserved bytes; false when another
// append has begun, or it has come further than the append knows.
func holdGrowth(ctx context.Context, tx *db.Tx, id string, of growth, n int64) (bool, error) {
	changed, err := tx.Exec(ctx, `UPDATE blob_growth SET reserved = reserved + $4 WHERE blob = $1 AND attempt = $2 AND taken = $3`, id, of.attempt, of.taken, n)
	return changed == 1, err
}

// writeLength says how long an object becomes, once, and ends an append that runs. It returns
// what was reserved before.
func writeLength(ctx context.Context, tx *db.Tx, owner account.ID, id string, length int64) (before int64, err error) {
	err = tx.QueryRow(ctx, `UPDATE blob_growth SET length = $3, attempt = attempt + 1
		WHERE blob = $1 AND account = $2 AND length IS NULL AND taken <= $3 RETURNING reserved`,
		id, string(owner), length).Scan(&before)
	if err == nil {
		_, err = tx.Exec(ctx, `UPDATE blob_growth SET reserved = $2 WHERE blob = $1`, id, length)
	}
	return before, err
}

// deleteGrowth ends the growth of an object, and returns its row.
func deleteGrowth(ctx context.Context, tx *db.Tx, owner account.ID, id string) (g growth, err error) {
	err = tx.QueryRow(ctx, `DELETE FROM blob_growth WHERE blob = $1 AND account = $2 RETURNING `+growthColumns, id, string(owner)).Scan(g.fields()...)
	return g, err
}

// deleteExpired is deleteGrowth of an object whose time is over: ErrNoRows when an append has
// moved that.
func deleteExpired(ctx context.Context, tx *db.Tx, owner account.ID, id string, now time.Time) (g growth, err error) {
	err = tx.QueryRow(ctx, `DELETE FROM blob_growth WHERE blob = $1 AND account = $2 AND expires_at <= $3 RETURNING `+growthColumns,
		id, string(owner), now.UnixMilli()).Scan(g.fields()...)
	return g, err
}

// endGrowth ends the growth of some objects of an account that is being deleted.
func endGrowth(ctx context.Context, q db.Querier, owner string, limit int) (int64, error) {
	return q.Exec(ctx, `DELETE FROM blob_growth WHERE blob IN (SELECT blob FROM blob_growth WHERE account = $1 LIMIT $2)`, owner, limit)
}

// readExpired returns objects behind one whose growth is over.
func readExpired(ctx context.Context, q db.Querier, now time.Time, last *due, limit int) ([]due, error) {
	return readDue(ctx, q, `SELECT blob, account, expires_at FROM blob_growth WHERE expires_at <= $1`, `(expires_at, blob)`, now, last, limit)
}

// markGrowing marks an object for deletion that has grown; the caller has ended its growth.
func markGrowing(ctx context.Context, tx *db.Tx, id string) error {
	_, err := tx.Exec(ctx, `UPDATE blobs SET state = 'deleting' WHERE id = $1 AND state = 'growing'`, id)
	return err
}

// readKey returns the wrapped key of an object that grows.
func readKey(ctx context.Context, q db.Querier, owner account.ID, id string) (wrapped []byte, err error) {
	err = q.QueryRow(ctx, `SELECT wrapped FROM blobs WHERE id = $1 AND account = $2 AND state = 'growing'`, id, string(owner)).Scan(&wrapped)
	return wrapped, err
}

// settleGrown turns an object live that has grown.
func settleGrown(ctx context.Context, tx *db.Tx, id string, wrapped, list []byte, size int64) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE blobs SET state = 'live', wrapped = $2, parts = $3, size = $4 WHERE id = $1 AND state = 'growing'`, id, wrapped, list, size)
	return n == 1, err
}

// insertPart stores the row of a part whose content follows, or is at hand and live at once.
func insertPart(ctx context.Context, q db.Querier, blob string, p part, state string, now time.Time) error {
	_, err := q.Exec(ctx, `INSERT INTO blob_parts (id, blob, start, size, state, touched_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		p.id, blob, p.start, p.size, state, now.UnixMilli())
	if err == nil && p.sealed != nil {
		_, err = q.Exec(ctx, `INSERT INTO blob_contents (blob, content) VALUES ($1, $2)`, p.id, p.sealed)
	}
	return err
}

// settlePart turns a pending part live; false when it was given up meanwhile.
func settlePart(ctx context.Context, tx *db.Tx, p part) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE blob_parts SET state = 'live', size = $2 WHERE id = $1 AND state = 'pending'`, p.id, p.size)
	return n == 1, err
}

// touchParts says of pending parts that their append lives.
func touchParts(ctx context.Context, q db.Querier, ids []string, now time.Time) error {
	return db.InPieces(ids, func(piece []string) error {
		places, args := db.List(piece, now.UnixMilli())
		_, err := q.Exec(ctx, `UPDATE blob_parts SET touched_at = $1 WHERE state = 'pending' AND id IN (`+places+`)`, args...)
		return err
	})
}

// giveUpPart marks a part for deletion, unless it is live: then it stands.
func giveUpPart(ctx context.Context, q db.Querier, id string) (stands bool, err error) {
	if _, err := q.Exec(ctx, `UPDATE blob_parts SET state = 'deleting' WHERE id = $1 AND state = 'pending'`, id); err != nil {
		return false, err
	}
	err = q.QueryRow(ctx, `SELECT state = 'live' FROM blob_parts WHERE id = $1`, id).Scan(&stands)
	if errors.Is(err, db.ErrNoRows) {
		err = nil // swept, or gone with its object, while it was still coming in
	}
	return stands, err
}

// markAbandonedParts gives up some pending parts that no append has touched since the time.
func markAbandonedParts(ctx context.Context, q db.Querier, since time.Time, limit int) (int64, error) {
	return q.Exec(ctx, `UPDATE blob_parts SET state = 'deleting' WHERE state = 'pending' AND id IN
		(SELECT id FROM blob_parts WHERE state = 'pending' AND touched_at < $1 ORDER BY touched_at LIMIT $2)`, since.UnixMilli(), limit)
}

// markParts marks some parts of objects that are marked, from an object on, and returns how many,
// and the object to go on with. Without that each run would pass over all parts that the runs before
// it have marked.
func markParts(ctx context.Context, tx *db.Tx, from string, limit int) (n int, next string, err error) {
	rows, err := tx.Query(ctx, `UPDATE blob_parts SET state = 'deleting' WHERE id IN
		(SELECT p.id FROM blobs b CROSS JOIN blob_parts p
		WHERE b.state = 'deleting' AND b.id >= $1 AND b.parts IS NOT NULL AND p.blob = b.id AND p.state <> 'deleting' ORDER BY b.id LIMIT $2) RETURNING blob`, from, limit)
	if err != nil {
		return 0, "", err
	}
	of, err := rows.Strings()
	if err != nil || len(of) == 0 {
		return 0, "", err
	}
	return len(of), slices.Max(of), nil
}

// readParts yields the parts of an object from an offset on, in order.
func readParts(ctx context.Context, q db.Querier, blob string, from int64, limit int, yield func(part)) error {
	rows, err := q.Query(ctx, `SELECT id, start, size FROM blob_parts WHERE blob = $1 AND state = 'live' AND start >= $2 ORDER BY start LIMIT $3`, blob, from, limit)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var p part
		if err := rows.Scan(&p.id, &p.start, &p.size); err != nil {
			return err
		}
		yield(p)
	}
	return rows.Err()
}

// readSmall returns the sealed content of a small part.
func readSmall(ctx context.Context, q db.Querier, id string) (sealed []byte, err error) {
	err = q.QueryRow(ctx, `SELECT content FROM blob_contents WHERE blob = $1`, id).Scan(&sealed)
	return sealed, err
}
