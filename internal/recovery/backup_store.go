package recovery

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"coffer/internal/account"
	"coffer/internal/db"
)

// codeRow is a backup code as SQL holds it. Times are unix milliseconds.
type codeRow struct {
	ID          string
	Nth         int64
	State       string
	Code, MAC   []byte
	MadeAt      int64
	ConfirmedAt *int64
	UsedAt      *int64
}

// readCodes reads the codes of an account that are pending, live or used, in their order.
func readCodes(ctx context.Context, q db.Querier, id account.ID) ([]codeRow, error) {
	rows, err := q.Query(ctx, `SELECT id, nth, state, code, mac, made_at, confirmed_at, used_at FROM backup_codes
		WHERE account = $1 AND state <> 'old'`, string(id))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []codeRow
	for rows.Next() {
		var r codeRow
		if err := rows.Scan(&r.ID, &r.Nth, &r.State, &r.Code, &r.MAC, &r.MadeAt, &r.ConfirmedAt, &r.UsedAt); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b codeRow) int { return cmp.Compare(a.Nth, b.Nth) })
	return all, rows.Err()
}

func insertCode(ctx context.Context, tx *db.Tx, id account.ID, r codeRow) error {
	_, err := tx.Exec(ctx, `INSERT INTO backup_codes (id, account, nth, state, code, mac, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		r.ID, string(id), r.Nth, r.State, r.Code, r.MAC, r.MadeAt)
	return err
}

// moveCode gives a code its next state.
func moveCode(ctx context.Context, tx *db.Tx, r codeRow) error {
	_, err := tx.Exec(ctx, `UPDATE backup_codes SET state = $2, code = $3, mac = $4, confirmed_at = $5 WHERE id = $1`,
		r.ID, r.State, r.Code, r.MAC, r.ConfirmedAt)
	return err
}

// spendCode uses a live code up. Of many calls at once, one gets true.
func spendCode(ctx context.Context, tx *db.Tx, id account.ID, m codeMACs, now int64) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE backup_codes SET state = 'used', mac = $3, used_at = $4 WHERE account = $1 AND mac = $2`,
		string(id), m.live, m.used, now)
	return n > 0, err
}

// findCode says what the account's rows tell of a code: the best of live, used and old; ""
// for a wrong one.
func findCode(ctx context.Context, q db.Querier, id account.ID, m codeMACs) (state string, err error) {
	rows, err := q.Query(ctx, `SELECT mac FROM backup_codes WHERE account = $1 AND mac IN ($2, $3, $4)`, string(id), m.live, m.used, m.old)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var found [][]byte
	for rows.Next() {
		var mac []byte
		if err := rows.Scan(&mac); err != nil {
			return "", err
		}
		found = append(found, mac)
	}
	for _, best := range []struct {
		state string
		mac   []byte
	}{{liveCode, m.live}, {usedCode, m.used}, {oldCode, m.old}} {
		for _, mac := range found {
			if bytes.Equal(mac, best.mac) {
				return best.state, rows.Err()
			}
		}
	}
	return "", rows.Err()
}

func dropCode(ctx context.Context, tx *db.Tx, row string) error {
	_, err := tx.Exec(ctx, `DELETE FROM backup_codes WHERE id = $1`, row)
	return err
}

// dropCodesIn deletes the codes of an account that have a state.
func dropCodesIn(ctx context.Context, tx *db.Tx, id account.ID, state string) error {
	_, err := tx.Exec(ctx, `DELETE FROM backup_codes WHERE account = $1 AND state = $2`, string(id), state)
	return err
}

func dropCodes(ctx context.Context, tx *db.Tx, id account.ID) error {
	_, err := tx.Exec(ctx, `DELETE FROM backup_codes WHERE account = $1`, string(id))
	return err
}
