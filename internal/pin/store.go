package pin

import (
	"context"
	"errors"
	"strings"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/file"
	"coffer/internal/keyring"
)

// never is the time of a row that waits for something else.
const never = 1 << 53

// row is a pin as it stands in SQL.
type row struct {
	ID, Entry string
	Account   account.ID
	Kind      file.Kind
	Encrypt   bool
	Details   []byte // sealed
	Size      int64
	CID       string
	Total     int64 // bytes of all blocks, as links count them
	Framed    int64 // bytes of all blocks in an archive
	State     State
	Served    bool
	Announced bool   // the ledger says that it is pinned
	Entries   string // places in the ledger, each with a comma
	Attempt   int64
	Tries     int64
	NextAt    int64
	CreatedAt int64
	Proof     []byte // sealed
	Blocks    string // stands in the proof alone
	Damaged   bool   // as the last check found
}

const columns = `id, account, entry, kind, encrypt, details, size, cid, total, framed, state, served, announced, entries, attempt, tries, next_at, created_at, proof`

func (r *row) fields() []any {
	return []any{&r.ID, &r.Account, &r.Entry, &r.Kind, &r.Encrypt, &r.Details, &r.Size, &r.CID, &r.Total, &r.Framed, &r.State, &r.Served,
		&r.Announced, &r.Entries, &r.Attempt, &r.Tries, &r.NextAt, &r.CreatedAt, &r.Proof}
}

// fileRow is a file or a folder of a pin.
type fileRow struct {
	Ord     int64
	Object  *string // nil of a folder
	Size    int64
	Details []byte // sealed
}

func insert(ctx context.Context, tx *db.Tx, r row) error {
	_, err := tx.Exec(ctx, `INSERT INTO pins (`+columns+`) VALUES (`+db.Places(1, 19)+`)`,
		r.ID, string(r.Account), r.Entry, string(r.Kind), r.Encrypt, r.Details, r.Size, r.CID, r.Total, r.Framed, string(r.State), r.Served,
		r.Announced, r.Entries, r.Attempt, r.Tries, r.NextAt, r.CreatedAt, r.Proof)
	return err
}

func insertFiles(ctx context.Context, tx *db.Tx, pin string, rows []fileRow) error {
	return db.InPieces(rows, func(piece []fileRow) error {
		args := []any{pin}
		tuples := make([]string, len(piece))
		for i, f := range piece {
			tuples[i] = "($1, " + db.Places(len(args)+1, 4) + ")"
			args = append(args, f.Ord, f.Object, f.Size, f.Details)
		}
		_, err := tx.Exec(ctx, `INSERT INTO pin_files (pin, ord, object, size, details) VALUES `+strings.Join(tuples, ", "), args...)
		return err
	})
}

// count returns how many pins an account has, and how many plain ones of an entry are not
// done yet. The caller holds the account.
func count(ctx context.Context, tx *db.Tx, owner account.ID, entry string) (all, unfinished int64, err error) {
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM pins WHERE account = $1`, string(owner)).Scan(&all); err != nil {
		return 0, 0, err
	}
	err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM pins WHERE account = $1 AND entry = $2 AND NOT encrypt AND state IN ('queued', 'sending')`, string(owner), entry).Scan(&unfinished)
	return all, unfinished, err
}

// sums returns the bytes of an account's pins, and the same with each pin times its targets.
func sums(ctx context.Context, tx *db.Tx, owner account.ID) (bytes, sent int64, err error) {
	err = tx.QueryRow(ctx, `SELECT CAST(COALESCE(SUM(p.size), 0) AS BIGINT), CAST(COALESCE(SUM(p.size * (SELECT COUNT(*) FROM pin_targets t WHERE t.pin = p.id)), 0) AS BIGINT)
		FROM pins p WHERE p.account = $1`, string(owner)).Scan(&bytes, &sent)
	return bytes, sent, err
}

func read(ctx context.Context, q db.Querier, owner account.ID, id string) (row, error) {
	return readOne(ctx, q, `id = $1 AND account = $2`, id, string(owner))
}

func readByID(ctx context.Context, q db.Querier, id string) (row, error) {
	return readOne(ctx, q, `id = $1`, id)
}

func readOne(ctx context.Context, q db.Querier, where string, args ...any) (r row, err error) {
	err = q.QueryRow(ctx, `SELECT `+columns+` FROM pins WHERE `+where, args...).Scan(r.fields()...)
	if errors.Is(err, db.ErrNoRows) {
		err = errNoPin
	}
	return r, err
}

// lock reads a pin that no other transaction changes before tx has ended.
func lock(ctx context.Context, tx *db.Tx, id string) (r row, err error) {
	err = tx.QueryRow(ctx, `UPDATE pins SET attempt = attempt WHERE id = $1 RETURNING `+columns, id).Scan(r.fields()...)
	if errors.Is(err, db.ErrNoRows) {
		err = errNoPin
	}
	return r, err
}

// readPage returns pins behind one, the newest first; state and entry "" are any.
func readPage(ctx context.Context, q db.Querier, owner account.ID, state, entry string, after *keyring.Mark, limit int) ([]row, error) {
	args, where := []any{string(owner), limit}, ""
	if state != "" {
		args = append(args, state)
		where += ` AND state = ` + db.Places(len(args), 1)
	}
	if entry != "" {
		args = append(args, entry)
		where += ` AND entry = ` + db.Places(len(args), 1)
	}
	if after != nil {
		args = append(args, after.At, after.ID)
		where += ` AND (created_at, id) < (` + db.Places(len(args)-1, 2) + `)`
	}
	return readSome(ctx, q, `SELECT `+columns+` FROM pins WHERE account = $1`+where+` ORDER BY created_at DESC, id DESC LIMIT $2`, args...)
}

// readBehind returns pins of all accounts in the order of their ids.
func readBehind(ctx context.Context, q db.Querier, after string, limit int) ([]row, error) {
	return readSome(ctx, q, `SELECT `+columns+` FROM pins WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
}

func readSome(ctx context.Context, q db.Querier, query string, args ...any) (all []row, err error) {
	rows, err := q.Query(ctx, query, args...)
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

// claimOutline gives the outline of a pin, if it is due, to one worker.
func claimOutline(ctx context.Context, d *db.DB, id string, now, until int64) (r row, err error) {
	err = d.WriteRow(ctx, `UPDATE pins SET attempt = attempt + 1, next_at = $3 WHERE id = $1 AND cid = '' AND state = 'queued' AND next_at <= $2 RETURNING `+columns,
		id, now, until).Scan(r.fields()...)
	return r, err
}

// delayOutline sets when the outline is due again; false when the worker has lost the row.
func delayOutline(ctx context.Context, d *db.DB, id string, attempt, at, tries int64) (bool, error) {
	n, err := d.Exec(ctx, `UPDATE pins SET next_at = $3, tries = tries + $4 WHERE id = $1 AND attempt = $2 AND cid = ''`, id, attempt, at, tries)
	return n == 1, err
}

// setOutline stores what the outline says; false when the worker has lost the row.
func setOutline(ctx context.Context, tx *db.Tx, r row, attempt int64) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE pins SET cid = $3, total = $4, framed = $5, tries = 0, next_at = $6, proof = $7 WHERE id = $1 AND attempt = $2 AND cid = '' AND state = 'queued'`,
		r.ID, attempt, r.CID, r.Total, r.Framed, int64(never), r.Proof)
	return n == 1, err
}

// touchOutline keeps an outline while its blocks are stored; false when the worker has lost the row.
func touchOutline(ctx context.Context, tx *db.Tx, id string, attempt, until int64) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE pins SET next_at = $3 WHERE id = $1 AND attempt = $2 AND cid = ''`, id, attempt, until)
	return n == 1, err
}

// endOutline ends the attempts at an outline.
func endOutline(ctx context.Context, tx *db.Tx, id string) error {
	_, err := tx.Exec(ctx, `UPDATE pins SET next_at = $2 WHERE id = $1 AND cid = ''`, id, int64(never))
	return err
}

// restartOutline makes an outline due that had failed.
func restartOutline(ctx context.Context, tx *db.Tx, id string, now int64) error {
	_, err := tx.Exec(ctx, `UPDATE pins SET tries = 0, next_at = $2 WHERE id = $1 AND cid = ''`, id, now)
	return err
}

// settleState brings a pin's state to that of its targets. One that is being removed counts
// only where all are: the operator may take one provider from a pin that others keep. The
// caller holds the pin's row.
func settleState(ctx context.Context, tx *db.Tx, id string) error {
	_, err := tx.Exec(ctx, `UPDATE pins SET
		state = COALESCE((SELECT CASE MIN(CASE t.state WHEN 'failed' THEN 1 WHEN 'queued' THEN 2 WHEN 'sending' THEN 3 WHEN 'pinned' THEN 4 WHEN 'verified' THEN 5 ELSE 6 END)
			WHEN 1 THEN 'failed' WHEN 2 THEN 'queued' WHEN 3 THEN 'sending' WHEN 4 THEN 'pinned' WHEN 5 THEN 'verified' WHEN 6 THEN 'removing' END
			FROM pin_targets t WHERE t.pin = $1), state),
		served = EXISTS (SELECT 1 FROM pin_targets t WHERE t.pin = $1 AND (t.state IN ('pinned', 'verified') OR t.state = 'sending' AND t.fetches))
		WHERE id = $1`, id)
	return err
}

// setEntries notes the places in the ledger of a pin that the caller holds.
func setEntries(ctx context.Context, tx *db.Tx, r row) error {
	_, err := tx.Exec(ctx, `UPDATE pins SET entries = $2, announced = $3, proof = $4 WHERE id = $1`, r.ID, r.Entries, r.Announced, r.Proof)
	return err
}

func readFiles(ctx context.Context, q db.Querier, pin string) (all []fileRow, err error) {
	rows, err := q.Query(ctx, `SELECT ord, object, size, details FROM pin_files WHERE pin = $1 ORDER BY ord`, pin)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var f fileRow
		if err := rows.Scan(&f.Ord, &f.Object, &f.Size, &f.Details); err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, rows.Err()
}

func readFile(ctx context.Context, q db.Querier, pin string, ord int64) (f fileRow, err error) {
	err = q.QueryRow(ctx, `SELECT ord, object, size, details FROM pin_files WHERE pin = $1 AND ord = $2`, pin, ord).Scan(&f.Ord, &f.Object, &f.Size, &f.Details)
	return f, err
}

// remove removes a pin whose targets are gone, without what it holds.
func remove(ctx context.Context, tx *db.Tx, id string) error {
	for _, q := range []string{`DELETE FROM pin_targets WHERE pin = $1`, `DELETE FROM pins WHERE id = $1`} {
		if _, err := tx.Exec(ctx, q, id); err != nil {
			return err
		}
	}
	return nil
}

// readIDs returns some pins of an account.
func readIDs(ctx context.Context, q db.Querier, owner account.ID, limit int) ([]string, error) {
	rows, err := q.Query(ctx, `SELECT id FROM pins WHERE account = $1 ORDER BY created_at, id LIMIT $2`, string(owner), limit)
	if err != nil {
		return nil, err
	}
	return rows.Strings()
}

// readDueOutlines returns pins whose outline is due.
func readDueOutlines(ctx context.Context, q db.Querier, now int64, limit int) ([]string, error) {
	rows, err := q.Query(ctx, `SELECT id FROM pins WHERE cid = '' AND state = 'queued' AND next_at <= $1 ORDER BY next_at, id LIMIT $2`, now, limit)
	if err != nil {
		return nil, err
	}
	return rows.Strings()
}

// countStates counts the pins of all accounts by state.
func countStates(ctx context.Context, q db.Querier) (all map[State]int64, err error) {
	rows, err := q.Query(ctx, `SELECT state, COUNT(*) /* bounded: once for each page of metrics */ FROM pins GROUP BY state`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all = map[State]int64{}
	for rows.Next() {
		var state State
		var n int64
		if err := rows.Scan(&state, &n); err != nil {
			return nil, err
		}
		all[state] = n
	}
	return all, rows.Err()
}
