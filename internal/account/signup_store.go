package account

import (
	"context"

	"coffer/internal/db"
)

// signUpRow is an unproven sign-up; its sealed columns become those of its account.
type signUpRow struct {
	ID                                   ID
	Lang                                 string
	EmailIndex, Source, Belonging        []byte
	Wrapped                              []byte
	Email, Username, FirstName, LastName []byte
	Password                             []byte
	ExpiresAt                            int64
	UsedAt                               *int64
}

// open says that the sign-up can become an account.
func (r signUpRow) open(now int64) bool { return r.UsedAt == nil && r.ExpiresAt > now }

// proofRow is the link and the code of one mail, as digests.
type proofRow struct {
	Token, Link, Code []byte
	CodeExpiresAt     int64
}

const (
	signUpColumns = `s.id, s.email_index, s.source, s.belonging, s.wrapped, s.lang, s.email, s.username, s.first_name, s.last_name,
		s.password, s.expires_at, s.used_at`
	proofColumns = `p.token, p.link, p.code, p.code_expires_at`
)

func (r *signUpRow) columns() []any {
	return []any{&r.ID, &r.EmailIndex, &r.Source, &r.Belonging, &r.Wrapped, &r.Lang, &r.Email, &r.Username, &r.FirstName, &r.LastName,
		&r.Password, &r.ExpiresAt, &r.UsedAt}
}

func (p *proofRow) columns() []any { return []any{&p.Token, &p.Link, &p.Code, &p.CodeExpiresAt} }

// lockSignUps makes transactions that change sign-ups of one address follow each other: each
// first writes the oldest row. PostgreSQL would break off all but one that delete each
// other's rows. The one that proves an address deletes it with all others, and so ends them.
func lockSignUps(ctx context.Context, tx *db.Tx, email []byte) error {
	_, err := tx.Exec(ctx, `UPDATE sign_ups SET used_at = used_at WHERE id = (SELECT MIN(id) FROM sign_ups WHERE email_index = $1)`, email)
	return err
}

// putSignUp stores a sign-up beside the others of its address, with its first proof.
// Storing the same one again changes nothing and answers false.
func putSignUp(ctx context.Context, tx *db.Tx, r signUpRow, p proofRow) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO sign_ups (id, email_index, source, belonging, wrapped, lang, email, username, first_name, last_name,
		password, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (id) DO NOTHING`,
		string(r.ID), r.EmailIndex, r.Source, r.Belonging, r.Wrapped, r.Lang, r.Email, r.Username, r.FirstName, r.LastName,
		r.Password, r.ExpiresAt)
	if err != nil || n == 0 {
		return false, err
	}
	return true, insertProof(ctx, tx, r, p)
}

func insertProof(ctx context.Context, tx *db.Tx, r signUpRow, p proofRow) error {
	_, err := tx.Exec(ctx, `INSERT INTO sign_up_proofs (token, sign_up, link, code, code_expires_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		p.Token, string(r.ID), p.Link, p.Code, p.CodeExpiresAt, r.ExpiresAt)
	return err
}

// beyond are the waiting sign-ups of an address that are over a bound. Sign-ups are ranked
// among those of their own source, the newest first, and kept rank by rank: a source that
// has many loses its own before another loses its newest.
const beyond = `SELECT id /* bounded: what waits for one address is within these bounds, and one more */ FROM (
	SELECT id, nth, ROW_NUMBER() OVER (ORDER BY nth, id DESC) AS place FROM (
		SELECT id, ROW_NUMBER() OVER (PARTITION BY source ORDER BY id DESC) AS nth
		FROM sign_ups WHERE email_index IN ($1, $2) AND used_at IS NULL
	) ranked
) placed WHERE nth > $3 OR place > $4`

// boundSignUps drops the sign-ups of an address that are more than perSource of one
// source, or more than all together.
func boundSignUps(ctx context.Context, tx *db.Tx, emails [2][]byte, perSource, all int) error {
	for _, q := range []string{
		`DELETE FROM sign_up_proofs WHERE sign_up IN (` + beyond + `)`,
		`DELETE FROM sign_ups WHERE id IN (` + beyond + `)`,
	} {
		if _, err := tx.Exec(ctx, q, emails[0], emails[1], perSource, all); err != nil {
			return err
		}
	}
	return nil
}

// findSignUps returns the sign-ups of an address that are not used, the newest first.
func findSignUps(ctx context.Context, q db.Querier, emails [2][]byte, now int64) ([]signUpRow, error) {
	rows, err := q.Query(ctx, `SELECT `+signUpColumns+` /* bounded: see boundSignUps */ FROM sign_ups s
		WHERE s.email_index IN ($1, $2) AND s.used_at IS NULL AND s.expires_at > $3 ORDER BY s.id DESC`, emails[0], emails[1], now)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []signUpRow
	for rows.Next() {
		var r signUpRow
		if err := rows.Scan(r.columns()...); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// proven is a sign-up with one of its proofs.
type proven struct {
	signUpRow
	proofRow
}

// findProofs returns every proof of every sign-up of an address, used ones too, the
// newest first; at most limit, which is far over what one address is mailed while a code
// lives.
func findProofs(ctx context.Context, q db.Querier, emails [2][]byte, limit int) ([]proven, error) {
	rows, err := q.Query(ctx, `SELECT `+signUpColumns+`, `+proofColumns+` /* bounded: see boundSignUps; mails to one address are limited */ FROM sign_ups s JOIN sign_up_proofs p ON p.sign_up = s.id
		WHERE s.email_index IN ($1, $2) ORDER BY p.code_expires_at DESC, p.token LIMIT $3`, emails[0], emails[1], limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []proven
	for rows.Next() {
		var r proven
		if err := rows.Scan(append(r.signUpRow.columns(), r.proofRow.columns()...)...); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

func findByToken(ctx context.Context, q db.Querier, token []byte) (proven, error) {
	var r proven
	err := q.QueryRow(ctx, `SELECT `+signUpColumns+`, `+proofColumns+` FROM sign_up_proofs p JOIN sign_ups s ON s.id = p.sign_up
		WHERE p.token = $1`, token).Scan(append(r.signUpRow.columns(), r.proofRow.columns()...)...)
	return r, orNotFound(err)
}

// addProof gives a sign-up that is still open one more proof; false says that it is not.
func addProof(ctx context.Context, tx *db.Tx, r signUpRow, p proofRow, now int64) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO sign_up_proofs (token, sign_up, link, code, code_expires_at, expires_at)
		SELECT $1, id, $2, $3, $4, expires_at FROM sign_ups WHERE id = $5 AND used_at IS NULL AND expires_at > $6`,
		p.Token, p.Link, p.Code, p.CodeExpiresAt, string(r.ID), now)
	return n > 0, err
}

// dropOtherProofs voids every proof of a sign-up but one.
func dropOtherProofs(ctx context.Context, tx *db.Tx, id ID, token []byte) error {
	_, err := tx.Exec(ctx, `DELETE FROM sign_up_proofs WHERE sign_up = $1 AND token <> $2`, string(id), token)
	return err
}

// useByLink takes a sign-up by one of its links, once.
func useByLink(ctx context.Context, tx *db.Tx, r proven, now int64) (int64, error) {
	return tx.Exec(ctx, `UPDATE sign_ups SET used_at = $1 WHERE id = $2 AND used_at IS NULL AND expires_at > $1
		AND EXISTS (SELECT 1 FROM sign_up_proofs p WHERE p.token = $3 AND p.sign_up = sign_ups.id)`, now, string(r.ID), r.Token)
}

// useByCode takes a sign-up by one of its codes, once.
func useByCode(ctx context.Context, tx *db.Tx, r proven, now int64) (int64, error) {
	return tx.Exec(ctx, `UPDATE sign_ups SET used_at = $1 WHERE id = $2 AND used_at IS NULL AND expires_at > $1
		AND EXISTS (SELECT 1 FROM sign_up_proofs p WHERE p.token = $3 AND p.sign_up = sign_ups.id AND p.code_expires_at > $1)`,
		now, string(r.ID), r.Token)
}

// emptySignUp drops everything of a used sign-up but its proofs.
func emptySignUp(ctx context.Context, tx *db.Tx, id ID) error {
	_, err := tx.Exec(ctx, `UPDATE sign_ups SET wrapped = $1, email = $1, username = $1, first_name = $1, last_name = $1, password = $1 WHERE id = $2`,
		[]byte{}, string(id))
	return err
}

// deleteSignUps drops the sign-ups of an address, but not the one named keep.
func deleteSignUps(ctx context.Context, tx *db.Tx, emails [2][]byte, keep ID) error {
	for _, q := range []string{
		`DELETE FROM sign_up_proofs WHERE sign_up IN (SELECT id FROM sign_ups WHERE email_index IN ($1, $2) AND id <> $3)`,
		`DELETE FROM sign_ups WHERE email_index IN ($1, $2) AND id <> $3`,
	} {
		if _, err := tx.Exec(ctx, q, emails[0], emails[1], string(keep)); err != nil {
			return err
		}
	}
	return nil
}

func pruneSignUps(ctx context.Context, d *db.DB, now int64) (int64, error) {
	_, err := d.ExecInBatches(ctx, `DELETE FROM sign_up_proofs WHERE token IN
		(SELECT token FROM sign_up_proofs WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) AND expires_at <= $1`, now)
	if err != nil {
		return 0, err
	}
	return d.ExecInBatches(ctx, `DELETE FROM sign_ups WHERE id IN
		(SELECT id FROM sign_ups WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) AND expires_at <= $1`, now)
}
