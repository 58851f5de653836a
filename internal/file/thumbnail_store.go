package file

import (
	"context"
	"errors"

	"coffer/internal/account"
	"coffer/internal/db"
)

// pictureMark is how far the making of thumbnails has come in an account.
type pictureMark struct {
	change int64
	entry  string
}

func readPictureMark(ctx context.Context, tx *db.Tx, owner account.ID) (m pictureMark, err error) {
	err = tx.QueryRow(ctx, `SELECT change, entry FROM thumbnail_marks WHERE account = $1`, string(owner)).Scan(&m.change, &m.entry)
	if errors.Is(err, db.ErrNoRows) {
		return m, nil
	}
	return m, err
}

func writePictureMark(ctx context.Context, tx *db.Tx, owner account.ID, m pictureMark) error {
	_, err := tx.Exec(ctx, `INSERT INTO thumbnail_marks (account, change, entry) VALUES ($1, $2, $3)
		ON CONFLICT (account) DO UPDATE SET change = excluded.change, entry = excluded.entry`, string(owner), m.change, m.entry)
	return err
}

// readUnpictured returns files behind the mark, in the order of their changes, whose contents
// nothing has tried to make a thumbnail of.
func readUnpictured(ctx context.Context, tx *db.Tx, owner account.ID, m pictureMark, most int64, limit int) ([]row, error) {
	rows, err := tx.Query(ctx, `SELECT `+rowColumns+` FROM files WHERE account = $1 AND (change, id) > ($2, $3)
		AND kind = 'file' AND size > 0 AND size <= $4
		AND NOT EXISTS (SELECT 1 FROM thumbnails t WHERE t.account = files.account AND t.blob = files.blob)
		ORDER BY change, id LIMIT $5`, string(owner), m.change, m.entry, most, limit)
	if err != nil {
		return nil, err
	}
	return scanRows(rows)
}

// readUnpicturedAccounts returns accounts behind one whose trees have changed since the making
// of thumbnails came to their end.
func readUnpicturedAccounts(ctx context.Context, q db.Querier, after string, limit int) ([]string, error) {
	rows, err := q.Query(ctx, `SELECT account FROM file_folders WHERE folder = '*' AND account > $1
		AND changes >= COALESCE((SELECT m.change FROM thumbnail_marks m WHERE m.account = file_folders.account), 0)
		ORDER BY account LIMIT $2`, after, limit)
	if err != nil {
		return nil, err
	}
	return rows.Strings()
}

// insertThumbnail stores what became of an object: its sealed thumbnail, or nil.
func insertThumbnail(ctx context.Context, tx *db.Tx, owner account.ID, blob string, picture []byte) error {
	_, err := tx.Exec(ctx, `INSERT INTO thumbnails (account, blob, picture) VALUES ($1, $2, $3) ON CONFLICT (account, blob) DO NOTHING`,
		string(owner), blob, picture)
	return err
}

// readThumbnail returns the sealed thumbnail of an object; db.ErrNoRows when it has none.
func readThumbnail(ctx context.Context, q db.Querier, owner account.ID, blob string) (picture []byte, err error) {
	err = q.QueryRow(ctx, `SELECT picture FROM thumbnails WHERE account = $1 AND blob = $2 AND picture IS NOT NULL`, string(owner), blob).Scan(&picture)
	return picture, err
}

// hasThumbnail tells whether an object has a thumbnail.
func hasThumbnail(ctx context.Context, q db.Querier, owner account.ID, blob string) (bool, error) {
	var n int64
	err := q.QueryRow(ctx, `SELECT COUNT(*) FROM thumbnails WHERE account = $1 AND blob = $2 AND picture IS NOT NULL`, string(owner), blob).Scan(&n)
	return n > 0, err
}

// deleteThumbnails removes what belongs to objects.
func deleteThumbnails(ctx context.Context, tx *db.Tx, owner account.ID, blobs []string) error {
	return db.InPieces(blobs, func(piece []string) error {
		places, args := db.List(piece, string(owner))
		_, err := tx.Exec(ctx, `DELETE FROM thumbnails WHERE account = $1 AND blob IN (`+places+`)`, args...)
		return err
	})
}
