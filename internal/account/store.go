package account

import (
	"context"
	"errors"

	"coffer/internal/db"
)

// stored is the rights of an account as SQL holds them; [Service.believed] says which count.
type stored struct {
	State
	Standing []byte
}

// row is an account as SQL holds it: personal columns sealed.
type row struct {
	stored
	Primary                       addressRow
	UsernameIndex                 []byte
	Username, FirstName, LastName []byte
	Bio, Password, Wrapped        []byte
	CreatedAt, SignIns            int64
	SignedInAt, SignedInBeforeAt  *int64
}

// topic is where changes of an account's row are told: every statement that changes what
// readState or readAccount reads says so.
const topic = "account"

func orNotFound(err error) error {
	if errors.Is(err, db.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

func readState(ctx context.Context, q db.Querier, id ID) (stored, error) {
	st := stored{State: State{ID: id}}
	err := q.QueryRow(ctx, `SELECT status, ver, role, lang, standing FROM accounts WHERE id = $1`, string(id)).
		Scan(&st.Status, &st.SessionEpoch, &st.Role, &st.Lang, &st.Standing)
	return st, orNotFound(err)
}

// holdState is readState that locks the row until tx ends, and changes nothing.
func holdState(ctx context.Context, tx *db.Tx, id ID) (stored, error) {
	st := stored{State: State{ID: id}}
	err := tx.QueryRow(ctx, `UPDATE accounts SET ver = ver WHERE id = $1 RETURNING status, ver, role, lang, standing`, string(id)).
		Scan(&st.Status, &st.SessionEpoch, &st.Role, &st.Lang, &st.Standing)
	return st, orNotFound(err)
}

func putStanding(ctx context.Context, tx *db.Tx, st stored) error {
	tx.Changed(topic, string(st.ID))
	return one(tx.Exec(ctx, `UPDATE accounts SET status = $2, ver = $3, role = $4, standing = $5 WHERE id = $1`,
		string(st.ID), st.Status, st.SessionEpoch, st.Role, st.Standing))
}

func readWrapped(ctx context.Context, q db.Querier, id ID) ([]byte, error) {
	var wrapped []byte
	err := q.QueryRow(ctx, `SELECT wrapped FROM account_keys WHERE account = $1`, string(id)).Scan(&wrapped)
	return wrapped, orNotFound(err)
}

func readAccount(ctx context.Context, q db.Querier, id ID) (row, error) {
	r := row{stored: stored{State: State{ID: id}}, Primary: addressRow{Kind: primary}}
	err := q.QueryRow(ctx, `SELECT a.status, a.ver, a.role, a.lang, a.standing, e.email, e.verified_at, a.username, a.first_name, a.last_name, a.bio,
		a.password, a.created_at, a.sign_ins, a.signed_in_at, a.signed_in_before_at, k.wrapped
		FROM accounts a JOIN account_keys k ON k.account = a.id LEFT JOIN addresses e ON e.account = a.id AND e.kind = $2
		WHERE a.id = $1`, string(id), primary).
		Scan(&r.Status, &r.SessionEpoch, &r.Role, &r.Lang, &r.Standing, &r.Primary.Email, &r.Primary.VerifiedAt, &r.Username, &r.FirstName, &r.LastName, &r.Bio,
			&r.Password, &r.CreatedAt, &r.SignIns, &r.SignedInAt, &r.SignedInBeforeAt, &r.Wrapped)
	return r, orNotFound(err)
}

// The two columns that an account is found by, of addresses and of accounts.
const (
	byEmail    = "email_index"
	byUsername = "username_index"
)

// findCredentials finds an account by a blind index under either of two index keys.
func findCredentials(ctx context.Context, q db.Querier, column string, index [2][]byte) (stored, []byte, error) {
	var st stored
	var password []byte
	from := `accounts a`
	if column == byEmail {
		from = `addresses e JOIN accounts a ON a.id = e.account`
	}
	err := q.QueryRow(ctx, `SELECT a.id, a.status, a.ver, a.role, a.lang, a.standing, a.password FROM `+from+` WHERE `+column+` IN ($1, $2)`,
		index[0], index[1]).
		Scan(&st.ID, &st.Status, &st.SessionEpoch, &st.Role, &st.Lang, &st.Standing, &password)
	return st, password, orNotFound(err)
}

func readPassword(ctx context.Context, q db.Querier, id ID) ([]byte, error) {
	var password []byte
	err := q.QueryRow(ctx, `SELECT password FROM accounts WHERE id = $1`, string(id)).Scan(&password)
	return password, orNotFound(err)
}

// swapPassword replaces a sealed hash only while it is still the one that was read.
func swapPassword(ctx context.Context, q db.Querier, id ID, old, sealed []byte) (int64, error) {
	return q.Exec(ctx, `UPDATE accounts SET password = $1 WHERE id = $2 AND password = $3`, sealed, string(id), old)
}

func setPassword(ctx context.Context, tx *db.Tx, id ID, sealed []byte) (int64, error) {
	tx.Changed(topic, string(id))
	return tx.Exec(ctx, `UPDATE accounts SET password = $1 WHERE id = $2`, sealed, string(id))
}

// insertAccount makes the account unless another has its address or username, under either
// index key; false says that it did not, and left nothing.
func insertAccount(ctx context.Context, tx *db.Tx, r row, emails, usernames [2][]byte) (bool, error) {
	if ok, err := insertPrimary(ctx, tx, r.ID, r.Primary, emails[1]); err != nil || !ok {
		return false, err
	}
	n, err := tx.Exec(ctx, `INSERT INTO accounts (id, status, ver, role, lang, username_index, username,
		first_name, last_name, bio, password, created_at, sign_ins, standing)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13
		WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE username_index IN ($14, $15))
		ON CONFLICT DO NOTHING`,
		string(r.ID), r.Status, r.SessionEpoch, r.Role, r.Lang, r.UsernameIndex, r.Username,
		r.FirstName, r.LastName, r.Bio, r.Password, r.CreatedAt, r.Standing, usernames[0], usernames[1])
	if err != nil {
		return false, err
	}
	if n == 0 {
		_, err := tx.Exec(ctx, `DELETE FROM addresses WHERE account = $1 AND kind = $2`, string(r.ID), primary)
		return false, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO account_keys (account, wrapped) VALUES ($1, $2)`, string(r.ID), r.Wrapped)
	return err == nil, err
}

// update is a change of some columns of an account, sealed; nil leaves a column alone.
type update struct {
	ID                                 ID
	Lang                               *string
	Username, FirstName, LastName, Bio []byte
	Usernames                          [2][]byte
}

// updateProfile writes the columns that change and no others, so that two changes at once
// both stand; it changes no row while another account has the username.
func updateProfile(ctx context.Context, tx *db.Tx, u update) (int64, error) {
	tx.Changed(topic, string(u.ID))
	var lang any
	if u.Lang != nil {
		lang = *u.Lang
	}
	return tx.Exec(ctx, `UPDATE accounts SET lang = COALESCE($1, lang), username = COALESCE($2, username),
		username_index = COALESCE($3, username_index), first_name = COALESCE($4, first_name), last_name = COALESCE($5, last_name),
		bio = COALESCE($6, bio)
		WHERE id = $7 AND NOT EXISTS (SELECT 1 FROM accounts o WHERE o.username_index IN ($3, $8) AND o.id <> $7)`,
		lang, orNull(u.Username), orNull(u.Usernames[0]), orNull(u.FirstName), orNull(u.LastName),
		orNull(u.Bio), string(u.ID), orNull(u.Usernames[1]))
}

// orNull makes an absent value NULL: drivers differ on what a nil slice is.
func orNull(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

func noteSignIn(ctx context.Context, tx *db.Tx, id ID, at int64) (first bool, err error) {
	tx.Changed(topic, string(id))
	var n int64
	err = tx.QueryRow(ctx, `UPDATE accounts SET sign_ins = sign_ins + 1, signed_in_before_at = signed_in_at, signed_in_at = $1
		WHERE id = $2 AND status <> 'deleting' RETURNING sign_ins`, at, string(id)).Scan(&n)
	return n == 1, orNotFound(err)
}

func one(n int64, err error) error {
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

// readDeleting lists accounts whose column says that they are being deleted.
func readDeleting(ctx context.Context, q db.Querier, after string, limit int) ([]string, error) {
	rows, err := q.Query(ctx, `SELECT id FROM accounts WHERE status = 'deleting' AND id > $1 ORDER BY id LIMIT $2`, after, limit)
	if err != nil {
		return nil, err
	}
	return rows.Strings()
}

func deleteAccount(ctx context.Context, tx *db.Tx, id ID) error {
	tx.Changed(topic, string(id))
	for _, q := range []string{
		`DELETE FROM account_keys WHERE account = $1`,
		`DELETE FROM links WHERE account = $1`,
		`DELETE FROM addresses WHERE account = $1`,
		`DELETE FROM accounts WHERE id = $1`,
		`DELETE FROM sign_up_proofs WHERE sign_up = $1`,
		`DELETE FROM sign_ups WHERE id = $1`,
	} {
		if _, err := tx.Exec(ctx, q, string(id)); err != nil {
			return err
		}
	}
	return nil
}

// putFirstAdminToken replaces the one-time token unless there is an admin; false says
// that there is.
func putFirstAdminToken(ctx context.Context, tx *db.Tx, token []byte) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO first_admin (id, token) SELECT 1, $1
		WHERE NOT EXISTS (SELECT 1 /* bounded: the first admin decides */ FROM accounts WHERE role = 'admin')
		ON CONFLICT (id) DO UPDATE SET token = excluded.token`, token)
	return n > 0, err
}

func hasFirstAdminToken(ctx context.Context, q db.Querier, token []byte) (bool, error) {
	var n int64
	err := q.QueryRow(ctx, `SELECT COUNT(*) FROM first_admin WHERE id = 1 AND token = $1
		AND NOT EXISTS (SELECT 1 /* bounded: the first admin decides */ FROM accounts WHERE role = 'admin')`, token).Scan(&n)
	return n > 0, err
}

// useFirstAdminToken takes the one-time token; only one caller ever gets 1.
func useFirstAdminToken(ctx context.Context, tx *db.Tx, token []byte) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM first_admin WHERE id = 1 AND token = $1
		AND NOT EXISTS (SELECT 1 /* bounded: the first admin decides */ FROM accounts WHERE role = 'admin')`, token)
}

func isAdmin(ctx context.Context, tx *db.Tx, id ID) (bool, error) {
	var n int64
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM accounts WHERE id = $1 AND role = 'admin'`, string(id)).Scan(&n)
	return n > 0, err
}

// lockAdmins makes transactions that take an admin away follow each other: each first writes
// the row of the oldest admin. On PostgreSQL that row may be deleted, or be no admin's any more,
// while they wait for it. Then they have locked nothing: each goes on with the oldest that is left.
func lockAdmins(ctx context.Context, tx *db.Tx) error {
	for {
		n, err := tx.Exec(ctx, `UPDATE accounts SET ver = ver WHERE role = 'admin' AND id = (SELECT MIN(id) FROM accounts WHERE role = 'admin')`)
		if err != nil || n > 0 {
			return err
		}
		var left int64
		err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM accounts WHERE role = 'admin' LIMIT 1) admins`).Scan(&left)
		if err != nil || left == 0 {
			return err
		}
	}
}

// hasOtherAdmin reports whether another account than id is an active admin.
func hasOtherAdmin(ctx context.Context, tx *db.Tx, id ID) (bool, error) {
	var n int64
	err := tx.QueryRow(ctx, `SELECT COUNT(*) /* bounded: a few people run a server */ FROM accounts WHERE role = 'admin' AND status = 'active' AND id <> $1`, string(id)).Scan(&n)
	return n > 0, err
}
