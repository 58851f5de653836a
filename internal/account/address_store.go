package account

import (
	"context"

	"coffer/internal/db"
)

// addressRow is an address of an account as SQL holds it.
type addressRow struct {
	Kind       string
	Email      []byte // sealed
	Index      []byte // of a primary one
	VerifiedAt *int64 // unix milliseconds
}

// insertPrimary gives an account its primary address, unless any account has the address
// under either index key; false says that it did not.
func insertPrimary(ctx context.Context, tx *db.Tx, id ID, a addressRow, other []byte) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO addresses (account, kind, email, email_index, verified_at)
		SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS (SELECT 1 FROM addresses WHERE email_index IN ($4, $6))
		ON CONFLICT DO NOTHING`, string(id), a.Kind, a.Email, a.Index, a.VerifiedAt, other)
	return n > 0, err
}

// putPrimary gives an account another primary address, unless another account has the
// address under either index key; false says that it did not.
func putPrimary(ctx context.Context, tx *db.Tx, id ID, a addressRow, other []byte) (bool, error) {
	tx.Changed(topic, string(id))
	n, err := tx.Exec(ctx, `INSERT INTO addresses (account, kind, email, email_index, verified_at)
		SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS (SELECT 1 FROM addresses WHERE email_index IN ($4, $6) AND account <> $1)
		ON CONFLICT (account, kind) DO UPDATE SET email = excluded.email, email_index = excluded.email_index, verified_at = excluded.verified_at`,
		string(id), a.Kind, a.Email, a.Index, a.VerifiedAt, other)
	if db.IsUnique(err) {
		return false, nil // the caller undoes the transaction
	}
	return n > 0, err
}

// recipient is whom the server tells what happened to an account.
type recipient struct {
	Lang               string
	FirstName, Wrapped []byte
	Verified           []addressRow
}

// readRecipient reads an account with its verified addresses; ErrNotFound when it does not
// exist.
func readRecipient(ctx context.Context, q db.Querier, id ID) (recipient, error) {
	var to recipient
	rows, err := q.Query(ctx, `SELECT a.lang, a.first_name, k.wrapped, e.kind, e.email, e.verified_at
		FROM accounts a JOIN account_keys k ON k.account = a.id LEFT JOIN addresses e ON e.account = a.id AND e.verified_at IS NOT NULL
		WHERE a.id = $1 ORDER BY e.kind`, string(id))
	if err != nil {
		return to, err
	}
	defer rows.Close()
	found := false
	for rows.Next() {
		var kind *string
		var a addressRow
		if err := rows.Scan(&to.Lang, &to.FirstName, &to.Wrapped, &kind, &a.Email, &a.VerifiedAt); err != nil {
			return to, err
		}
		found = true
		if kind != nil {
			a.Kind = *kind
			to.Verified = append(to.Verified, a)
		}
	}
	if err := rows.Err(); err != nil || found {
		return to, err
	}
	return to, ErrNotFound
}

// readSealedAddress reads an account's wrapped data key and its primary address, and
// nothing whose damage would hide them.
func readSealedAddress(ctx context.Context, q db.Querier, id ID) (wrapped []byte, a addressRow, err error) {
	a.Kind = primary
	err = q.QueryRow(ctx, `SELECT k.wrapped, e.email, e.verified_at FROM addresses e JOIN account_keys k ON k.account = e.account
		WHERE e.account = $1 AND e.kind = $2`, string(id), primary).Scan(&wrapped, &a.Email, &a.VerifiedAt)
	return wrapped, a, orNotFound(err)
}

// readAddresses reads every address of an account, verified or not.
func readAddresses(ctx context.Context, q db.Querier, id ID) ([]addressRow, error) {
	rows, err := q.Query(ctx, `SELECT kind, email, verified_at FROM addresses WHERE account = $1 ORDER BY kind`, string(id))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []addressRow
	for rows.Next() {
		var a addressRow
		if err := rows.Scan(&a.Kind, &a.Email, &a.VerifiedAt); err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, rows.Err()
}

// readTrusted reads an account's trusted address; ErrNotFound when it has none.
func readTrusted(ctx context.Context, q db.Querier, id ID) (addressRow, error) {
	a := addressRow{Kind: trusted}
	err := q.QueryRow(ctx, `SELECT email, verified_at FROM addresses WHERE account = $1 AND kind = $2`, string(id), trusted).Scan(&a.Email, &a.VerifiedAt)
	return a, orNotFound(err)
}

// putTrusted gives an account another trusted address.
func putTrusted(ctx context.Context, tx *db.Tx, id ID, a addressRow) error {
	tx.Changed(topic, string(id))
	_, err := tx.Exec(ctx, `INSERT INTO addresses (account, kind, email, verified_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (account, kind) DO UPDATE SET email = excluded.email, verified_at = excluded.verified_at`, string(id), trusted, a.Email, a.VerifiedAt)
	return err
}

func deleteTrusted(ctx context.Context, tx *db.Tx, id ID) error {
	tx.Changed(topic, string(id))
	_, err := tx.Exec(ctx, `DELETE FROM addresses WHERE account = $1 AND kind = $2`, string(id), trusted)
	return err
}
