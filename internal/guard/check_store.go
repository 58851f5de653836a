package guard

import (
	"context"

	"coffer/internal/account"
	"coffer/internal/db"
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

// failureRow is whose failure came from where: network, account if there is one, and the name that
// was given, as indexes.
type failureRow struct{ Network, Subject, Name []byte }

// insertFailure keeps a failure, unless the network has most for that name after a time and after
// the last sign-in of the account: those before it no longer count against the next one.
func insertFailure(ctx context.Context, tx *db.Tx, id string, who account.ID, r failureRow, at, since int64, most int) error {
	_, err := tx.Exec(ctx, `INSERT INTO guard_failures (id, network, subject, name, at) SELECT $1, $2, $3, $4, $5
		WHERE (SELECT COUNT(*) FROM (SELECT 1 FROM guard_failures WHERE network = $2 AND subject = $3 AND name = $4 AND at > $6
			AND NOT EXISTS (SELECT 1 FROM guard_entries e WHERE e.account = $8 AND e.at >= guard_failures.at) LIMIT $7) f) < $7`,
		id, r.Network, r.Subject, r.Name, at, since, most, string(who))
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

// tryRow is one try at an account from a network: a failure, or a sign-in.
type tryRow struct {
	Subject, Name string
	At            int64
}

// readTries lists a network's failures and sign-ins after a time, the newest first, up to most of
// each.
func readTries(ctx context.Context, q db.Querier, network []byte, since int64, most int) (failures, entries []tryRow, err error) {
	for statement, to := range map[string]*[]tryRow{
		`SELECT subject, name, at FROM guard_failures WHERE network = $1 AND at > $2 ORDER BY at DESC LIMIT $3`:   &failures,
		`SELECT subject, subject, at FROM guard_entries WHERE network = $1 AND at > $2 ORDER BY at DESC LIMIT $3`: &entries,
	} {
		rows, err := q.Query(ctx, statement, network, since, most)
		if err != nil {
			return nil, nil, err
		}
		defer rows.Close()
		for rows.Next() {
			var subject, name []byte
			var r tryRow
			if err := rows.Scan(&subject, &name, &r.At); err != nil {
				return nil, nil, err
			}
			r.Subject, r.Name = string(subject), string(name)
			*to = append(*to, r)
		}
		if err := rows.Err(); err != nil {
			return nil, nil, err
		}
	}
	return failures, entries, nil
}

// entryRow is a sign-in as the tables that compare accounts keep it.
type entryRow struct {
	ID               string // of the session
	Account          account.ID
	Network, Subject []byte
	At               int64
	Judged           bool // no later look need tell of it
}

// insertEntry keeps a sign-in, unless the network has most of that account after a time. Those
// that a later look may tell of count by themselves. The account's row is locked.
func insertEntry(ctx context.Context, tx *db.Tx, e entryRow, since int64, most int) error {
	_, err := tx.Exec(ctx, `INSERT INTO guard_entries (id, account, network, subject, at, judged) SELECT $1, $2, $3, $4, $5, $6
		WHERE (SELECT COUNT(*) FROM (SELECT 1 FROM guard_entries WHERE account = $2 AND network = $3 AND at > $7 AND judged = $6 LIMIT $8) e) < $8`,
		e.ID, string(e.Account), e.Network, e.Subject, e.At, e.Judged, since, most)
	return err
}

// entriesOf lists the sign-ins of an account that are compared, the oldest first.
func entriesOf(ctx context.Context, q db.Querier, who account.ID) (all []entryRow, err error) {
	rows, err := q.Query(ctx, `SELECT id, at, judged FROM guard_entries WHERE account = $1 ORDER BY at, id LIMIT 10000`, string(who))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		e := entryRow{Account: who}
		if err := rows.Scan(&e.ID, &e.At, &e.Judged); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, rows.Err()
}

// suspectNetwork notes that a network guesses at many accounts.
func suspectNetwork(ctx context.Context, q db.Querier, network []byte, at int64) error {
	_, err := q.Exec(ctx, `INSERT INTO guard_networks (network, at) VALUES ($1, $2) ON CONFLICT (network) DO UPDATE SET at = excluded.at`, network, at)
	return err
}

// suspectNetworks lists the networks that were noted after a time.
func suspectNetworks(ctx context.Context, q db.Querier, since int64) (all [][]byte, err error) {
	rows, err := q.Query(ctx, `SELECT network FROM guard_networks WHERE at > $1 ORDER BY at DESC LIMIT 1000`, since)
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

// pruneEntries removes the sign-ins and networks up to a time.
func pruneEntries(ctx context.Context, d *db.DB, before int64) error {
	if _, err := d.ExecInBatches(ctx, `DELETE FROM guard_networks WHERE network IN (SELECT network FROM guard_networks WHERE at <= $1 ORDER BY at LIMIT $2) AND at <= $1`, before); err != nil {
		return err
	}
	_, err := d.ExecInBatches(ctx, `DELETE FROM guard_entries WHERE id IN (SELECT id FROM guard_entries WHERE at <= $1 ORDER BY at, id LIMIT $2) AND at <= $1`, before)
	return err
}
