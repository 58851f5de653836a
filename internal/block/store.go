package block

import (
	"context"
	"errors"

	"coffer/internal/db"
)

// row is a row of blocks.
type row struct {
	ID                   string
	Subject, Sealed      []byte
	Automatic            bool
	CreatedAt, ExpiresAt int64
	Version              int64
}

const columns = `id, subject, sealed, automatic, created_at, expires_at, version`

func (r *row) fields() []any {
	return []any{&r.ID, &r.Subject, &r.Sealed, &r.Automatic, &r.CreatedAt, &r.ExpiresAt, &r.Version}
}

// nextVersion takes the list's next version. Other changes wait until this one commits.
func nextVersion(ctx context.Context, tx *db.Tx) (version int64, err error) {
	err = tx.QueryRow(ctx, `UPDATE block_list SET version = version + 1 WHERE name = 'blocks' RETURNING version`).Scan(&version)
	return version, err
}

func readVersion(ctx context.Context, q db.Querier) (version int64, err error) {
	err = q.QueryRow(ctx, `SELECT version FROM block_list WHERE name = 'blocks'`).Scan(&version)
	return version, err
}

// putBlock adds a block by hand, or replaces the one that the network has.
func putBlock(ctx context.Context, tx *db.Tx, r row) error {
	_, err := tx.Exec(ctx, `INSERT INTO blocks (id, subject, sealed, automatic, created_at, expires_at, span, version) VALUES ($1, $2, $3, FALSE, $4, $5, 0, $6)
		ON CONFLICT (subject) DO UPDATE SET id = excluded.id, sealed = excluded.sealed, created_at = excluded.created_at,
			expires_at = excluded.expires_at, version = excluded.version`,
		r.ID, r.Subject, r.Sealed, r.CreatedAt, r.ExpiresAt, r.Version)
	return err
}

// spans are how long automatic blocks last, in milliseconds.
type spans struct{ first, growth, most int64 }

// putOffence blocks a network automatically, unless it is blocked so already: then added is
// false. An end after calm makes the block last longer than the one before.
func putOffence(ctx context.Context, tx *db.Tx, r row, calm int64, is spans) (added bool, err error) {
	var id string
	err = tx.QueryRow(ctx, `INSERT INTO blocks (id, subject, sealed, automatic, created_at, expires_at, span, version)
		VALUES ($1, $2, $3, TRUE, $4, CAST($4 AS BIGINT) + CAST($5 AS BIGINT), $5, $6)
		ON CONFLICT (subject) DO UPDATE SET id = excluded.id, sealed = excluded.sealed, created_at = excluded.created_at, version = excluded.version,
			span = CASE WHEN blocks.span = 0 OR blocks.expires_at <= $7 THEN excluded.span WHEN blocks.span * $8 < $9 THEN blocks.span * $8 ELSE $9 END,
			expires_at = excluded.created_at
				+ CASE WHEN blocks.span = 0 OR blocks.expires_at <= $7 THEN excluded.span WHEN blocks.span * $8 < $9 THEN blocks.span * $8 ELSE $9 END
		WHERE blocks.expires_at <= excluded.created_at
		RETURNING id`,
		r.ID, r.Subject, r.Sealed, r.CreatedAt, is.first, r.Version, calm, is.growth, is.most).Scan(&id)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// removeBlock ends a block in force; db.ErrNoRows without one.
func removeBlock(ctx context.Context, tx *db.Tx, id string, now, version int64) (r row, err error) {
	err = tx.QueryRow(ctx, `UPDATE blocks SET expires_at = $2, span = 0, version = $3 WHERE id = $1 AND expires_at > $2 RETURNING `+columns,
		id, now, version).Scan(r.fields()...)
	return r, err
}

// readStanding returns the blocks of one sort that are in force.
func readStanding(ctx context.Context, q db.Querier, automatic bool, now int64) ([]row, error) {
	return scan(q.Query(ctx, `SELECT `+columns+` FROM blocks WHERE automatic = $1 AND expires_at > $2`, automatic, now))
}

// readSince returns what changed after a version, in order.
func readSince(ctx context.Context, q db.Querier, version int64) ([]row, error) {
	return scan(q.Query(ctx, `SELECT `+columns+` FROM blocks WHERE version > $1 ORDER BY version`, version))
}

func readBatch(ctx context.Context, q db.Querier, after string, most int) ([]row, error) {
	return scan(q.Query(ctx, `SELECT `+columns+` FROM blocks WHERE id > $1 ORDER BY id LIMIT $2`, after, most))
}

func scan(rows *db.Rows, err error) ([]row, error) {
	if err != nil {
		return nil, err
	}
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

// replaceSealed stores a row that was sealed and indexed afresh, unless another writer was
// there before. A newer row of the same network replaces it.
func replaceSealed(ctx context.Context, q db.Querier, before, after row) error {
	n, err := q.Exec(ctx, `UPDATE blocks SET sealed = $3, subject = $4 WHERE id = $1 AND sealed = $2
		AND NOT EXISTS (SELECT 1 FROM blocks o WHERE o.subject = $4 AND o.id <> $1)`, before.ID, before.Sealed, after.Sealed, after.Subject)
	if err != nil || n == 1 {
		return err
	}
	_, err = q.Exec(ctx, `DELETE FROM blocks WHERE id = $1 AND EXISTS (SELECT 1 FROM blocks o WHERE o.subject = $2 AND o.id <> $1)`, before.ID, after.Subject)
	return err
}

func pruneEnded(ctx context.Context, d *db.DB, automatic bool, before int64) error {
	_, err := d.ExecInBatches(ctx, `DELETE FROM blocks WHERE id IN (SELECT id FROM blocks WHERE automatic = $1 AND expires_at <= $2 ORDER BY expires_at LIMIT $3)
		AND expires_at <= $2`, automatic, before)
	return err
}

// pruneOver removes the automatic rows over a bound, first those that end first.
func pruneOver(ctx context.Context, d *db.DB, most int) error {
	_, err := d.ExecInBatches(ctx, `DELETE FROM blocks WHERE id IN (SELECT id FROM blocks WHERE automatic = TRUE ORDER BY expires_at DESC LIMIT $2 OFFSET $1)`, most)
	return err
}
