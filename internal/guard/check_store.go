package guard

import (
	"context"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/habit"
)

// readHabit reads the sealed habit of an account; db.ErrNoRows when it has none.
func readHabit(ctx context.Context, q db.Querier, who account.ID) (sealed []byte, err error) {
	err = q.QueryRow(ctx, `SELECT sealed FROM habits WHERE account = $1`, string(who)).Scan(&sealed)
	return sealed, err
}

func setHabit(ctx context.Context, tx *db.Tx, who account.ID, sealed []byte) error {
	_, err := tx.Exec(ctx, `INSERT INTO habits (account, sealed) VALUES ($1, $2) ON CONFLICT (account) DO UPDATE SET sealed = excluded.sealed`, string(who), sealed)
	return err
}

func insertFailure(ctx context.Context, tx *db.Tx, id string, network, subject []byte, at int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO guard_failures (id, network, subject, at) VALUES ($1, $2, $3, $4)`, id, network, subject, at)
	return err
}

// countFailures counts the failures of a subject after a time, up to most.
func countFailures(ctx context.Context, q db.Querier, subject []byte, since int64, most int) (n int, err error) {
	err = q.QueryRow(ctx, `SELECT COUNT(*) FROM (SELECT id FROM guard_failures WHERE subject = $1 AND at > $2 LIMIT $3) f`, subject, since, most).Scan(&n)
	return n, err
}

// countNetwork counts the failures from a network after a time, up to most.
func countNetwork(ctx context.Context, q db.Querier, network []byte, since int64, most int) (n int, err error) {
	err = q.QueryRow(ctx, `SELECT COUNT(*) FROM (SELECT id FROM guard_failures WHERE network = $1 AND at > $2 LIMIT $3) f`, network, since, most).Scan(&n)
	return n, err
}

// tally counts what a network did after a time: accounts that failed and did not sign in, and
// those that did.
func tally(ctx context.Context, q db.Querier, network []byte, since int64) (t habit.Tally, err error) {
	err = q.QueryRow(ctx, `SELECT COUNT(*), CAST(COALESCE(SUM(f.n), 0) AS BIGINT) FROM
		(SELECT subject, COUNT(*) AS n FROM guard_failures WHERE network = $1 AND at > $2 GROUP BY subject) f
		WHERE NOT EXISTS (SELECT 1 FROM guard_entries e WHERE e.network = $1 AND e.subject = f.subject AND e.at > $2)`, network, since).Scan(&t.Failed, &t.Tries)
	if err == nil {
		err = q.QueryRow(ctx, `SELECT COUNT(DISTINCT subject) FROM guard_entries WHERE network = $1 AND at > $2`, network, since).Scan(&t.Succeeded)
	}
	return t, err
}

// entryRow is a sign-in as the tables that compare accounts keep it.
type entryRow struct {
	ID               string // of the session
	Account          account.ID
	Network, Subject []byte
	At               int64
	Judged           bool // no later look need tell of it
}

func insertEntry(ctx context.Context, tx *db.Tx, e entryRow) error {
	_, err := tx.Exec(ctx, `INSERT INTO guard_entries (id, account, network, subject, at, judged) VALUES ($1, $2, $3, $4, $5, $6)`,
		e.ID, string(e.Account), e.Network, e.Subject, e.At, e.Judged)
	return err
}

// busyNetworks lists networks on which many subjects failed after a time.
func busyNetworks(ctx context.Context, q db.Querier, since int64, least int) (all [][]byte, err error) {
	rows, err := q.Query(ctx, `SELECT network FROM guard_failures WHERE at > $1 GROUP BY network HAVING COUNT(DISTINCT subject) >= $2 ORDER BY network LIMIT 1000`, since, least)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var network []byte
		if err := rows.Scan(&network); err != nil {
			return nil, err
		}
		all = append(all, network)
	}
	return all, rows.Err()
}

// unjudged lists sign-ins from a network after a time that nothing has told of.
func unjudged(ctx context.Context, q db.Querier, network []byte, since int64) (all []entryRow, err error) {
	rows, err := q.Query(ctx, `SELECT id, account, at FROM guard_entries WHERE network = $1 AND at > $2 AND NOT judged ORDER BY at LIMIT 1000`, network, since)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var e entryRow
		if err := rows.Scan(&e.ID, &e.Account, &e.At); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, rows.Err()
}

// judgeEntry marks a sign-in as told. Of many callers one gets true.
func judgeEntry(ctx context.Context, tx *db.Tx, id string) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE guard_entries SET judged = TRUE WHERE id = $1 AND NOT judged`, id)
	return n == 1, err
}

// pruneEntries removes the sign-ins up to a time.
func pruneEntries(ctx context.Context, d *db.DB, before int64) error {
	_, err := d.ExecInBatches(ctx, `DELETE FROM guard_entries WHERE id IN (SELECT id FROM guard_entries WHERE at <= $1 ORDER BY at, id LIMIT $2) AND at <= $1`, before)
	return err
}
