package social

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"coffer/internal/account"
	"coffer/internal/db"
)

// row is one identity.
type row struct {
	ID       string
	Account  account.ID
	Provider string
	Index    []byte
	Sealed   []byte
	Created  int64
	Used     *int64
}

// label binds the sealed record to its row.
func (r row) label() string {
	return fmt.Sprintf("%s %s %s %d", r.ID, r.Account, r.Provider, r.Created)
}

const columns = `id, account, provider, subject_index, record, created_at, used_at`

type scanner interface{ Scan(into ...any) error }

func scan(s scanner) (r row, err error) {
	err = s.Scan(&r.ID, &r.Account, &r.Provider, &r.Index, &r.Sealed, &r.Created, &r.Used)
	return r, err
}

// findIdentity finds an identity by the indexes of its issuer and subject, one for each live
// key; db.ErrNoRows.
func findIdentity(ctx context.Context, q db.Querier, indexes [][]byte) (row, error) {
	places, args := make([]string, len(indexes)), make([]any, len(indexes))
	for i, index := range indexes {
		places[i], args[i] = fmt.Sprintf("$%d", i+1), index
	}
	return scan(q.QueryRow(ctx, `SELECT `+columns+` FROM identities WHERE subject_index IN (`+strings.Join(places, ", ")+`)`, args...))
}

// readIdentity returns an account's identity at a provider; db.ErrNoRows.
func readIdentity(ctx context.Context, q db.Querier, id account.ID, provider string) (row, error) {
	return scan(q.QueryRow(ctx, `SELECT `+columns+` FROM identities WHERE account = $1 AND provider = $2`, string(id), provider))
}

// readIdentities returns those of an account, the oldest first.
func readIdentities(ctx context.Context, q db.Querier, id account.ID) ([]row, error) {
	all, err := list(q.Query(ctx, `SELECT `+columns+` FROM identities WHERE account = $1`, string(id)))
	slices.SortFunc(all, func(a, b row) int { return strings.Compare(a.ID, b.ID) })
	return all, err
}

// readBatch reads identities in the order of ids.
func readBatch(ctx context.Context, q db.Querier, after string, limit int) ([]row, error) {
	return list(q.Query(ctx, `SELECT `+columns+` FROM identities WHERE id > $1 ORDER BY id LIMIT $2`, after, limit))
}

func list(rows *db.Rows, err error) ([]row, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []row
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// insertIdentity adds an identity. An error for which db.IsUnique holds says that the identity
// is somebody's, or that the account has one of the provider.
func insertIdentity(ctx context.Context, tx *db.Tx, r row) error {
	_, err := tx.Exec(ctx, `INSERT INTO identities (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		r.ID, string(r.Account), r.Provider, r.Index, r.Sealed, r.Created, r.Used)
	return err
}

// markUsed notes a use.
func markUsed(ctx context.Context, tx *db.Tx, id string, now int64) error {
	_, err := tx.Exec(ctx, `UPDATE identities SET used_at = $1 WHERE id = $2`, now, id)
	return err
}

// swapIndex replaces an index that has not changed since it was read.
func swapIndex(ctx context.Context, q db.Querier, r row, index []byte) error {
	_, err := q.Exec(ctx, `UPDATE identities SET subject_index = $1 WHERE id = $2 AND subject_index = $3`, index, r.ID, r.Index)
	return err
}

func deleteIdentity(ctx context.Context, tx *db.Tx, id account.ID, provider string) (bool, error) {
	n, err := tx.Exec(ctx, `DELETE FROM identities WHERE account = $1 AND provider = $2`, string(id), provider)
	return n == 1, err
}

// dropIdentities deletes those that were added since a time.
func dropIdentities(ctx context.Context, tx *db.Tx, id account.ID, since int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM identities WHERE account = $1 AND created_at >= $2`, string(id), since)
	return err
}
