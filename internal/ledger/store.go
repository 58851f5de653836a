package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"coffer/internal/account"
	"coffer/internal/db"
)

// take reserves n places behind the last entry, and returns the first of them and the time
// of the entries: now, or that of the last entry if it is later. The row stays locked until
// tx ends, so that the places of a transaction that fails are given again.
func take(ctx context.Context, tx *db.Tx, n int, now int64) (first, at int64, err error) {
	err = tx.QueryRow(ctx, `INSERT INTO ledger_state (id, size, last_at) VALUES (1, $1, $2)
		ON CONFLICT (id) DO UPDATE SET size = ledger_state.size + $1,
			last_at = CASE WHEN ledger_state.last_at > $2 THEN ledger_state.last_at ELSE $2 END
		RETURNING size, last_at`, int64(n), now).Scan(&first, &at)
	return first - int64(n), at, err
}

// row is an entry as SQL holds it.
type row struct {
	N, At              int64
	Kind, CID          string
	Size               int64
	Digest, Commitment []byte
}

const columns = `n, at, kind, cid, size, digest, commitment`

func (r *row) fields() []any {
	return []any{&r.N, &r.At, &r.Kind, &r.CID, &r.Size, &r.Digest, &r.Commitment}
}

// tuples returns the placeholders of several rows.
func tuples(rows, width int) string {
	var all strings.Builder
	for i := range rows {
		if i > 0 {
			all.WriteString(", ")
		}
		all.WriteString("(" + db.Places(1+i*width, width) + ")")
	}
	return all.String()
}

func insertEntries(ctx context.Context, tx *db.Tx, all []row) error {
	return db.InPieces(all, func(piece []row) error {
		args := make([]any, 0, 7*len(piece))
		for _, r := range piece {
			args = append(args, r.N, r.At, r.Kind, r.CID, r.Size, r.Digest, r.Commitment)
		}
		_, err := tx.Exec(ctx, `INSERT INTO ledger_entries (`+columns+`) VALUES `+tuples(len(piece), 7), args...)
		return err
	})
}

func insertOwners(ctx context.Context, tx *db.Tx, owner account.ID, all []row) error {
	return db.InPieces(all, func(piece []row) error {
		args := make([]any, 0, 2*len(piece))
		for _, r := range piece {
			args = append(args, string(owner), r.N)
		}
		_, err := tx.Exec(ctx, `INSERT INTO ledger_owners (account, n) VALUES `+tuples(len(piece), 2), args...)
		return err
	})
}

// readEntries returns up to limit entries from a place on.
func readEntries(ctx context.Context, q db.Querier, from int64, limit int) ([]row, error) {
	rows, err := q.Query(ctx, `SELECT `+columns+` FROM ledger_entries WHERE n >= $1 ORDER BY n LIMIT $2`, from, limit)
	return scanAll(make([]row, 0, limit), rows, err)
}

func readEntry(ctx context.Context, q db.Querier, n int64) (r row, err error) {
	err = q.QueryRow(ctx, `SELECT `+columns+` FROM ledger_entries WHERE n = $1`, n).Scan(r.fields()...)
	if errors.Is(err, db.ErrNoRows) {
		err = errNotFound
	}
	return r, err
}

// readOwn returns an account's entries before a place, the newest first.
func readOwn(ctx context.Context, q db.Querier, owner account.ID, before int64, limit int) ([]row, error) {
	rows, err := q.Query(ctx, `SELECT e.n, e.at, e.kind, e.cid, e.size, e.digest, e.commitment
		FROM ledger_owners o JOIN ledger_entries e ON e.n = o.n WHERE o.account = $1 AND o.n < $2 ORDER BY o.n DESC LIMIT $3`, string(owner), before, limit)
	return scanAll(nil, rows, err)
}

func scanAll(all []row, rows *db.Rows, err error) ([]row, error) {
	if err != nil {
		return nil, err
	}
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

// empty deletes an account's rows in batches, forget those that are left.
func empty(ctx context.Context, d *db.DB, owner account.ID) error {
	_, err := d.ExecInBatches(ctx, `DELETE FROM ledger_owners WHERE account = $1 AND n IN (SELECT n FROM ledger_owners WHERE account = $1 ORDER BY n LIMIT $2)`, string(owner))
	return err
}

func forget(ctx context.Context, tx *db.Tx, owner account.ID) error {
	_, err := tx.Exec(ctx, `DELETE FROM ledger_owners WHERE account = $1`, string(owner))
	return err
}

// state is how far the ledger is; the zero value is an empty one.
type state struct {
	Size, Hashed, Signed int64
	Damaged              string
	AuditedAt            int64
}

func readState(ctx context.Context, q db.Querier) (st state, err error) {
	err = q.QueryRow(ctx, `SELECT size, hashed, signed, damaged, audited_at FROM ledger_state WHERE id = 1`).
		Scan(&st.Size, &st.Hashed, &st.Signed, &st.Damaged, &st.AuditedAt)
	if errors.Is(err, db.ErrNoRows) {
		err = nil
	}
	return st, err
}

// advance moves the size of the tree; false when another node was faster.
func advance(ctx context.Context, tx *db.Tx, from, to int64) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE ledger_state SET hashed = $2 WHERE id = 1 AND hashed = $1 AND size >= $2 AND $2 > $1`, from, to)
	return n == 1, err
}

// setSigned makes a size that of the newest checkpoint; false when another node was faster, or
// when the ledger is damaged.
func setSigned(ctx context.Context, tx *db.Tx, size int64) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE ledger_state SET signed = $1 WHERE id = 1 AND signed < $1 AND hashed >= $1 AND damaged = ''`, size)
	return n == 1, err
}

func setDamaged(ctx context.Context, d *db.DB, why string) error {
	_, err := d.Exec(ctx, `UPDATE ledger_state SET damaged = $1 WHERE id = 1`, why)
	return err
}

// setAudited notes that all entries up to the newest checkpoint are sound.
func setAudited(ctx context.Context, d *db.DB, now int64) error {
	_, err := d.Exec(ctx, `UPDATE ledger_state SET damaged = '', audited_at = $1 WHERE id = 1`, now)
	return err
}

// readTile returns the hashes of a tile; nil without one.
func readTile(ctx context.Context, q db.Querier, level int, n int64) (hashes []byte, err error) {
	err = q.QueryRow(ctx, `SELECT hashes FROM ledger_tiles WHERE level = $1 AND n = $2`, level, n).Scan(&hashes)
	if errors.Is(err, db.ErrNoRows) {
		err = nil
	}
	return hashes, err
}

func putTile(ctx context.Context, tx *db.Tx, level int, n int64, hashes []byte) error {
	_, err := tx.Exec(ctx, `INSERT INTO ledger_tiles (level, n, hashes) VALUES ($1, $2, $3) ON CONFLICT (level, n) DO UPDATE SET hashes = $3`, level, n, hashes)
	return err
}

// signed is a checkpoint as SQL holds it.
type signed struct {
	Size int64
	Note []byte
}

func insertCheckpoint(ctx context.Context, tx *db.Tx, c signed, now int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO ledger_checkpoints (size, at, note) VALUES ($1, $2, $3)`, c.Size, now, c.Note)
	return err
}

func readOneCheckpoint(ctx context.Context, q db.Querier, where string, args ...any) (c signed, err error) {
	err = q.QueryRow(ctx, `SELECT size, note FROM ledger_checkpoints `+where, args...).Scan(&c.Size, &c.Note)
	if errors.Is(err, db.ErrNoRows) {
		err = errNoCheckpoint
	}
	return c, err
}

func newestCheckpoint(ctx context.Context, q db.Querier) (signed, error) {
	return readOneCheckpoint(ctx, q, `WHERE size > 0 ORDER BY size DESC LIMIT 1`)
}

func checkpointOf(ctx context.Context, q db.Querier, size int64) (signed, error) {
	return readOneCheckpoint(ctx, q, `WHERE size = $1`, size)
}

// checkpointAfter returns the first checkpoint that is larger than a size.
func checkpointAfter(ctx context.Context, q db.Querier, size int64) (signed, error) {
	return readOneCheckpoint(ctx, q, `WHERE size > $1 ORDER BY size LIMIT 1`, size)
}

// checkpointBefore returns the last checkpoint that is smaller than a size.
func checkpointBefore(ctx context.Context, q db.Querier, size int64) (signed, error) {
	return readOneCheckpoint(ctx, q, `WHERE size < $1 ORDER BY size DESC LIMIT 1`, size)
}

// keyRow is a verifier key as SQL holds it.
type keyRow struct {
	Key   string
	Seq   int64 // order of the ring's keys
	Since int64
	Until *int64
}

// insertKey keeps the verifier key that signs now, and ends the earlier ones that begin with a
// prefix. A key that signs again, because the server moved back, is open again.
func insertKey(ctx context.Context, tx *db.Tx, k keyRow, ends string) error {
	_, err := tx.Exec(ctx, `INSERT INTO ledger_keys (key, seq, since_at) VALUES ($1, $2, $3) ON CONFLICT (key) DO UPDATE SET until_at = NULL`, k.Key, k.Seq, k.Since)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE ledger_keys SET until_at = $3 WHERE key <> $1 AND seq <= $2 AND until_at IS NULL
		AND substr(key, 1, length(CAST($4 AS TEXT))) = CAST($4 AS TEXT) /* bounded: a row for each rotation */`, k.Key, k.Seq, k.Since, ends)
	return err
}

func readKeys(ctx context.Context, q db.Querier) (all []keyRow, err error) {
	rows, err := q.Query(ctx, `SELECT key, seq, since_at, until_at /* bounded: a row for each rotation */ FROM ledger_keys ORDER BY seq DESC, since_at DESC`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var k keyRow
		if err := rows.Scan(&k.Key, &k.Seq, &k.Since, &k.Until); err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, rows.Err()
}

// readPlace returns the size of the newest checkpoint that a place has; false without one.
func readPlace(ctx context.Context, q db.Querier, name string) (size int64, known bool, err error) {
	err = q.QueryRow(ctx, `SELECT size FROM ledger_places WHERE name = $1`, name).Scan(&size)
	if errors.Is(err, db.ErrNoRows) {
		return 0, false, nil
	}
	return size, err == nil, err
}

// beginPlace notes where a place begins that has no row yet.
func beginPlace(ctx context.Context, tx *db.Tx, name string, size int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO ledger_places (name, size) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, size)
	return err
}

// movePlace notes that a place has one checkpoint more; an error when another node did.
func movePlace(ctx context.Context, tx *db.Tx, name string, from, to int64) error {
	n, err := tx.Exec(ctx, `INSERT INTO ledger_places (name, size) VALUES ($1, $3)
		ON CONFLICT (name) DO UPDATE SET size = $3 WHERE ledger_places.size = $2`, name, from, to)
	if err == nil && n != 1 {
		err = fmt.Errorf("ledger: the place %s went on from %s meanwhile", name, strconv.FormatInt(from, 10))
	}
	return err
}
