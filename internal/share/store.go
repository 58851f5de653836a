package share

import (
	"context"
	"errors"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/keyring"
)

// row is a link as it stands in SQL.
type row struct {
	ID, Entry    string
	Account      account.ID
	Kind         Kind
	Token        []byte // digest
	Details      []byte // sealed
	ExpiresAt    *int64
	MaxDownloads *int64
	Downloads    int64
	MaxFiles     *int64
	Files        int64
	MaxFileBytes *int64
	Blocked      int64
	CreatedAt    int64
	UsedAt       *int64
	ToldAt       int64
}

const columns = `id, entry, account, kind, token, details, expires_at, max_downloads, downloads, max_files, files, max_file_bytes, blocked, created_at, used_at, told_at`

func (r *row) fields() []any {
	return []any{&r.ID, &r.Entry, &r.Account, &r.Kind, &r.Token, &r.Details, &r.ExpiresAt, &r.MaxDownloads, &r.Downloads,
		&r.MaxFiles, &r.Files, &r.MaxFileBytes, &r.Blocked, &r.CreatedAt, &r.UsedAt, &r.ToldAt}
}

// isOpen holds for links that a guest can use at a time, which its caller gives as the
// statement's parameter $2.
const isOpen = `blocked = 0 AND (expires_at IS NULL OR expires_at > $2) AND (max_downloads IS NULL OR downloads < max_downloads) AND (max_files IS NULL OR files < max_files)`

func insert(ctx context.Context, tx *db.Tx, r row) error {
	_, err := tx.Exec(ctx, `INSERT INTO shares (`+columns+`) VALUES (`+db.Places(1, 16)+`)`,
		r.ID, r.Entry, string(r.Account), string(r.Kind), r.Token, r.Details, r.ExpiresAt, r.MaxDownloads, r.Downloads,
		r.MaxFiles, r.Files, r.MaxFileBytes, r.Blocked, r.CreatedAt, r.UsedAt, r.ToldAt)
	return err
}

// count returns how many links an account has, and how many of an entry's are open.
func count(ctx context.Context, tx *db.Tx, owner account.ID, entry string, now int64) (all, open int64, err error) {
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM shares WHERE account = $1`, string(owner)).Scan(&all); err != nil {
		return 0, 0, err
	}
	err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM shares WHERE account = $1 AND entry = $3 AND `+isOpen, string(owner), now, entry).Scan(&open)
	return all, open, err
}

func read(ctx context.Context, q db.Querier, owner account.ID, id string) (row, error) {
	return readOne(ctx, q, `id = $1 AND account = $2`, id, string(owner))
}

func readByToken(ctx context.Context, q db.Querier, token []byte) (row, error) {
	return readOne(ctx, q, `token = $1`, token)
}

func readByID(ctx context.Context, q db.Querier, id string) (row, error) {
	return readOne(ctx, q, `id = $1`, id)
}

func readOne(ctx context.Context, q db.Querier, where string, args ...any) (r row, err error) {
	err = q.QueryRow(ctx, `SELECT `+columns+` FROM shares WHERE `+where, args...).Scan(r.fields()...)
	if errors.Is(err, db.ErrNoRows) {
		err = errNoShare
	}
	return r, err
}

// lock reads a link of the owner's, which no other transaction changes before tx has ended.
func lock(ctx context.Context, tx *db.Tx, owner account.ID, id string) (r row, err error) {
	err = tx.QueryRow(ctx, `UPDATE shares SET blocked = blocked WHERE id = $1 AND account = $2 RETURNING `+columns, id, string(owner)).Scan(r.fields()...)
	if errors.Is(err, db.ErrNoRows) {
		err = errNoShare
	}
	return r, err
}

// readPage returns links behind one, the newest first; kind and entry "" are any.
func readPage(ctx context.Context, q db.Querier, owner account.ID, kind, entry string, after *keyring.Mark, limit int) ([]row, error) {
	args, where := []any{string(owner), limit, kind, entry}, ` AND ($3 = '' OR kind = $3)`
	if entry != "" {
		where += ` AND entry = $4`
	} else {
		args = args[:3]
	}
	if after != nil {
		args = append(args, after.At, after.ID)
		where += ` AND (created_at, id) < (` + db.Places(len(args)-1, 2) + `)`
	}
	rows, err := q.Query(ctx, `SELECT `+columns+` FROM shares WHERE account = $1`+where+` ORDER BY created_at DESC, id DESC LIMIT $2`, args...)
	if err != nil {
		return nil, err
	}
	return scanAll(rows)
}

func scanAll(rows *db.Rows) (all []row, err error) {
	defer rows.Close()
	for rows.Next() {
		var r row
		if err := rows.Scan(r.fields()...); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// update stores the bounds and the details of a link.
func update(ctx context.Context, tx *db.Tx, r row) error {
	_, err := tx.Exec(ctx, `UPDATE shares SET details = $2, expires_at = $3, max_downloads = $4, max_files = $5, max_file_bytes = $6 WHERE id = $1`,
		r.ID, r.Details, r.ExpiresAt, r.MaxDownloads, r.MaxFiles, r.MaxFileBytes)
	return err
}

// remove removes a link without its log and its tickets.
func remove(ctx context.Context, tx *db.Tx, owner account.ID, id string) (bool, error) {
	n, err := tx.Exec(ctx, `DELETE FROM shares WHERE id = $1 AND account = $2`, id, string(owner))
	return n == 1, err
}

// clearLink removes the log and the tickets of a link that is gone.
func clearLink(ctx context.Context, d *db.DB, id string) error {
	if _, err := d.ExecInBatches(ctx, `DELETE FROM share_uses WHERE id IN (SELECT id FROM share_uses WHERE share = $1 ORDER BY at, id LIMIT $2)`, id); err != nil {
		return err
	}
	_, err := d.ExecInBatches(ctx, `
		DELETE FROM share_downloads WHERE (ticket, content) IN (SELECT ticket, content FROM share_downloads WHERE share = $1 ORDER BY expires_at LIMIT $2)`, id)
	return err
}

// readShared returns which of an account's entries have an open link.
func readShared(ctx context.Context, q db.Querier, owner account.ID, now int64, entries []string) (map[string]bool, error) {
	shared := map[string]bool{}
	err := db.InPieces(entries, func(piece []string) error {
		places, args := db.List(piece, string(owner), now)
		rows, err := q.Query(ctx, `SELECT DISTINCT entry FROM shares WHERE account = $1 AND entry IN (`+places+`) AND `+isOpen, args...)
		if err != nil {
			return err
		}
		ids, err := rows.Strings()
		for _, id := range ids {
			shared[id] = true
		}
		return err
	})
	return shared, err
}

// countDownload counts one download of an open link. It decides which of several at once pass.
func countDownload(ctx context.Context, tx *db.Tx, id string, now int64) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE shares SET downloads = downloads + 1, used_at = $2 WHERE id = $1 AND kind = 'read' AND `+isOpen, id, now)
	return n == 1, err
}

// uncountDownload takes a download back that sent nothing.
func uncountDownload(ctx context.Context, tx *db.Tx, id string) error {
	_, err := tx.Exec(ctx, `UPDATE shares SET downloads = downloads - 1 WHERE id = $1 AND downloads > 0`, id)
	return err
}

// countFiles counts files that come in by an open link, and returns the link. It decides
// which of several uploads at once pass; db.ErrNoRows is the answer to the others.
func countFiles(ctx context.Context, tx *db.Tx, id string, now int64, files int) (r row, err error) {
	err = tx.QueryRow(ctx, `UPDATE shares SET files = files + $3, used_at = $2
		WHERE id = $1 AND kind = 'request' AND `+isOpen+` AND (max_files IS NULL OR files + $3 <= max_files)
		RETURNING `+columns, id, now, files).Scan(r.fields()...)
	return r, err
}

// tellOnce reports whether the owner is to be told, at most once since a time.
func tellOnce(ctx context.Context, tx *db.Tx, id string, now, since int64) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE shares SET told_at = $2 WHERE id = $1 AND told_at <= $3`, id, now, since)
	return n == 1, err
}

// setBlocked blocks a link or lets it pass again. It reports whether that changed it.
func setBlocked(ctx context.Context, tx *db.Tx, id string, blocked bool) (bool, error) {
	was, is := 1, 0
	if blocked {
		was, is = 0, 1
	}
	n, err := tx.Exec(ctx, `UPDATE shares SET blocked = $2 WHERE id = $1 AND blocked = $3`, id, is, was)
	return n == 1, err
}

// blockSince blocks the links of an account that were made at a time or later.
func blockSince(ctx context.Context, tx *db.Tx, owner account.ID, since time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE shares SET blocked = 1 WHERE account = $1 AND created_at >= $2`, string(owner), since.UnixMilli())
	return err
}

func countAll(ctx context.Context, q db.Querier) (n Numbers, err error) {
	err = q.QueryRow(ctx, `SELECT COALESCE(SUM(CASE WHEN kind = 'read' THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN kind = 'request' THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN blocked = 1 THEN 1 ELSE 0 END), 0) /* bounded: an operator asks for it, not more than every few seconds */ FROM shares`).
		Scan(&n.Read, &n.Request, &n.Blocked)
	return n, err
}

func countOf(ctx context.Context, q db.Querier, owner account.ID) (n int64, err error) {
	err = q.QueryRow(ctx, `SELECT COUNT(*) FROM shares WHERE account = $1`, string(owner)).Scan(&n)
	return n, err
}

// readForSweep returns links behind one, in the order of their ids.
func readForSweep(ctx context.Context, q db.Querier, after string, limit int) ([]row, error) {
	rows, err := q.Query(ctx, `SELECT `+columns+` FROM shares WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
	if err != nil {
		return nil, err
	}
	return scanAll(rows)
}

// forget removes what the account has since empty: links that were made meanwhile, and what was
// done with them.
func forget(ctx context.Context, tx *db.Tx, owner account.ID) error {
	for _, q := range []string{
		`DELETE FROM shares WHERE account = $1`, `DELETE FROM share_uses WHERE account = $1`, `DELETE FROM share_downloads WHERE account = $1`,
	} {
		if _, err := tx.Exec(ctx, q, string(owner)); err != nil {
			return err
		}
	}
	return nil
}

// empty removes what may be very many rows of an account. The links go first: without them guests
// add no row.
func empty(ctx context.Context, d *db.DB, owner account.ID) error {
	for _, q := range []string{
		`DELETE FROM shares WHERE id IN (SELECT id FROM shares WHERE account = $1 ORDER BY created_at, id LIMIT $2)`,
		`DELETE FROM share_uses WHERE id IN (SELECT id FROM share_uses WHERE account = $1 ORDER BY id LIMIT $2)`,
		`DELETE FROM share_downloads WHERE (ticket, content) IN (SELECT ticket, content FROM share_downloads WHERE account = $1 LIMIT $2)`,
	} {
		if _, err := d.ExecInBatches(ctx, q, string(owner)); err != nil {
			return err
		}
	}
	return nil
}
