package session

import (
	"context"
	"strings"

	"coffer/internal/account"
	"coffer/internal/db"
)

// row is a session as SQL holds it. Times are unix milliseconds.
type row struct {
	ID               string
	Account          account.ID
	Ver              int64
	AAL, AMR         string
	AuthTime         int64
	PublicKey        []byte
	Label            []byte
	Family           []byte
	RefreshHash      []byte
	RefreshBefore    []byte
	RefreshKid       string
	RefreshSeq       int64
	RefreshedAt      int64
	RefreshExpires   int64
	Created, Expires int64
	Device           []byte // digest of the token of the remembered device that it was opened from
	DeviceFamily     []byte // see deviceRow
	Seal             []byte // see bound
}

const rowColumns = `id, account, ver, aal, amr, auth_time, public_key, label, family, refresh_hash, refresh_before, refresh_kid, refresh_seq, refreshed_at, refresh_expires_at, created_at, expires_at, device, device_family, seal`

func scanRow(scan func(...any) error) (row, error) {
	var r row
	err := scan(&r.ID, &r.Account, &r.Ver, &r.AAL, &r.AMR, &r.AuthTime, &r.PublicKey, &r.Label, &r.Family, &r.RefreshHash,
		&r.RefreshBefore, &r.RefreshKid, &r.RefreshSeq, &r.RefreshedAt, &r.RefreshExpires, &r.Created, &r.Expires, &r.Device, &r.DeviceFamily, &r.Seal)
	return r, err
}

func insertSession(ctx context.Context, tx *db.Tx, r row) error {
	_, err := tx.Exec(ctx, `INSERT INTO sessions (`+rowColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
		r.ID, string(r.Account), r.Ver, r.AAL, r.AMR, r.AuthTime, r.PublicKey, r.Label, r.Family, r.RefreshHash,
		r.RefreshBefore, r.RefreshKid, r.RefreshSeq, r.RefreshedAt, r.RefreshExpires, r.Created, r.Expires, r.Device, r.DeviceFamily, r.Seal)
	return err
}

func readByFamily(ctx context.Context, q db.Querier, family []byte) (row, error) {
	return scanRow(q.QueryRow(ctx, `SELECT `+rowColumns+` FROM sessions WHERE family = $1`, family).Scan)
}

// rotate puts the digest next in the place of old. Of many calls that use one refresh token,
// this statement lets one win.
func rotate(ctx context.Context, q db.Querier, id string, old, next []byte, kid string, now, idleEnd int64) (bool, error) {
	n, err := q.Exec(ctx, `UPDATE sessions
		SET refresh_hash = $3, refresh_before = $2, refresh_kid = $4, refresh_seq = refresh_seq + 1, refreshed_at = $5, refresh_expires_at = $6
		WHERE id = $1 AND refresh_hash = $2 AND refresh_expires_at > $5 AND expires_at > $5`,
		id, old, next, kid, now, idleEnd)
	return n == 1, err
}

// lockSession reads a session of an account and keeps others from changing it until tx ends.
func lockSession(ctx context.Context, tx *db.Tx, id string, who account.ID) (row, error) {
	return scanRow(tx.QueryRow(ctx, `UPDATE sessions SET auth_time = auth_time
		WHERE id = $1 AND account = $2 RETURNING `+rowColumns, id, string(who)).Scan)
}

// renewSession writes a fresh proof, or a new epoch, to a session that is locked.
func renewSession(ctx context.Context, tx *db.Tx, r row) error {
	_, err := tx.Exec(ctx, `UPDATE sessions SET ver = $2, aal = $3, amr = $4, auth_time = $5, seal = $6 WHERE id = $1`,
		r.ID, r.Ver, r.AAL, r.AMR, r.AuthTime, r.Seal)
	return err
}

// readSession reads a live session of an account; db.ErrNoRows when the account has no such session.
func readSession(ctx context.Context, q db.Querier, who account.ID, id string, ver, now int64) (row, error) {
	return scanRow(q.QueryRow(ctx, `SELECT `+rowColumns+` FROM sessions
		WHERE id = $1 AND account = $2 AND ver = $3 AND refresh_expires_at > $4 AND expires_at > $4`, id, string(who), ver, now).Scan)
}

// holdSession locks a live session's row until tx ends; db.ErrNoRows when it is not live.
// Setting a column to itself is the lock that both engines know.
func holdSession(ctx context.Context, tx *db.Tx, who account.ID, id string, ver, now int64) error {
	n, err := tx.Exec(ctx, `UPDATE sessions SET ver = ver
		WHERE id = $1 AND account = $2 AND ver = $3 AND refresh_expires_at > $4 AND expires_at > $4`, id, string(who), ver, now)
	if err == nil && n == 0 {
		err = db.ErrNoRows
	}
	return err
}

// listSessions reads live sessions, the newest first, after the cursor's place.
func listSessions(ctx context.Context, q db.Querier, who account.ID, ver, now, created int64, id string, limit int) ([]row, error) {
	rows, err := q.Query(ctx, `SELECT `+rowColumns+` FROM sessions
		WHERE account = $1 AND ver = $2 AND refresh_expires_at > $3 AND expires_at > $3 AND (created_at, id) < ($4, $5)
		ORDER BY created_at DESC, id DESC LIMIT $6`, string(who), ver, now, created, id, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []row
	for rows.Next() {
		r, err := scanRow(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

func countSessions(ctx context.Context, q db.Querier, who account.ID, ver, now int64) (n int64, err error) {
	err = q.QueryRow(ctx, `SELECT COUNT(*) FROM sessions WHERE account = $1 AND ver = $2 AND refresh_expires_at > $3 AND expires_at > $3`,
		string(who), ver, now).Scan(&n)
	return n, err
}

// sessionIDs lists every session of an account but one, dead ones included.
func sessionIDs(ctx context.Context, q db.Querier, who account.ID, but string) ([]string, error) {
	rows, err := q.Query(ctx, `SELECT id FROM sessions WHERE account = $1 AND id <> $2`, string(who), but)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// recoverySessions lists the sessions of an account, but one, that a recovery opened. It finds them
// by their level or methods, or by a life of at most so many milliseconds: no fresh proof changes it.
func recoverySessions(ctx context.Context, tx *db.Tx, who account.ID, but string, life int64) ([]string, error) {
	rows, err := tx.Query(ctx, `SELECT id, aal, amr, expires_at - created_at FROM sessions WHERE account = $1 AND id <> $2`, string(who), but)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id, aal, amr string
		var lives int64
		if err := rows.Scan(&id, &aal, &amr, &lives); err != nil {
			return nil, err
		}
		if aal == AALRecovery || strong(strings.Fields(amr)) || lives <= life {
			ids = append(ids, id)
		}
	}
	return ids, rows.Err()
}

func setLabel(ctx context.Context, q db.Querier, who account.ID, id string, label []byte) (bool, error) {
	n, err := q.Exec(ctx, `UPDATE sessions SET label = $3 WHERE id = $1 AND account = $2`, id, string(who), label)
	return n == 1, err
}

func deleteSession(ctx context.Context, q db.Querier, who account.ID, id string) (bool, error) {
	n, err := q.Exec(ctx, `DELETE FROM sessions WHERE id = $1 AND account = $2`, id, string(who))
	return n == 1, err
}

// deleteSessionAndDevice deletes a session and forgets the device that it was opened from.
func deleteSessionAndDevice(ctx context.Context, tx *db.Tx, who account.ID, id string) (bool, error) {
	_, err := tx.Exec(ctx, `DELETE FROM devices WHERE account = $1 AND family = (SELECT device_family FROM sessions WHERE id = $2 AND account = $1)`,
		string(who), id)
	if err != nil {
		return false, err
	}
	return deleteSession(ctx, tx, who, id)
}

// attemptRow is a sign-in that waits for layers.
type attemptRow struct {
	ID      string
	Account account.ID
	Token   []byte // digest
	Data    []byte // the pending session, sealed
	Expires int64
}

func insertAttempt(ctx context.Context, tx *db.Tx, a attemptRow) error {
	_, err := tx.Exec(ctx, `INSERT INTO attempts (id, account, token, data, tries, expires_at) VALUES ($1, $2, $3, $4, 0, $5)`,
		a.ID, string(a.Account), a.Token, a.Data, a.Expires)
	return err
}

const attemptColumns = `id, account, token, data, expires_at`

func scanAttempt(r *db.Row) (attemptRow, error) {
	var a attemptRow
	err := r.Scan(&a.ID, &a.Account, &a.Token, &a.Data, &a.Expires)
	return a, err
}

func readAttempt(ctx context.Context, d *db.DB, id string, token []byte, now int64) (attemptRow, error) {
	return scanAttempt(d.QueryRow(ctx, `SELECT `+attemptColumns+` FROM attempts
		WHERE id = $1 AND token = $2 AND expires_at > $3 AND tries < $4`, id, token, now, maxTries))
}

// countTry counts one answer before it is looked at, so that of many at once no more
// than maxTries are looked at; db.ErrNoRows when the attempt is over.
func countTry(ctx context.Context, d *db.DB, id string, token []byte, now int64) (attemptRow, error) {
	return scanAttempt(d.WriteRow(ctx, `UPDATE attempts SET tries = tries + 1
		WHERE id = $1 AND token = $2 AND expires_at > $3 AND tries < $4 RETURNING `+attemptColumns, id, token, now, maxTries))
}

func takeBackTry(ctx context.Context, d *db.DB, id string) error {
	_, err := d.Exec(ctx, `UPDATE attempts SET tries = tries - 1 WHERE id = $1 AND tries > 0`, id)
	return err
}

// lockAttempt takes a try back and keeps others from changing the attempt until tx ends.
func lockAttempt(ctx context.Context, tx *db.Tx, id string) (attemptRow, error) {
	return scanAttempt(tx.QueryRow(ctx, `UPDATE attempts SET tries = tries - 1 WHERE id = $1 RETURNING `+attemptColumns, id))
}

// holdAttempt keeps others from changing an attempt until tx ends.
func holdAttempt(ctx context.Context, tx *db.Tx, id string) (attemptRow, error) {
	return scanAttempt(tx.QueryRow(ctx, `UPDATE attempts SET tries = tries WHERE id = $1 RETURNING `+attemptColumns, id))
}

// setPending replaces what a locked attempt holds.
func setPending(ctx context.Context, tx *db.Tx, a attemptRow) error {
	_, err := tx.Exec(ctx, `UPDATE attempts SET data = $2 WHERE id = $1`, a.ID, a.Data)
	return err
}

// endAttempt removes an attempt; of many that do, one is told that it did.
func endAttempt(ctx context.Context, tx *db.Tx, id string) (bool, error) {
	n, err := tx.Exec(ctx, `DELETE FROM attempts WHERE id = $1`, id)
	return n == 1, err
}

func deleteAttempts(ctx context.Context, tx *db.Tx, who account.ID) error {
	_, err := tx.Exec(ctx, `DELETE FROM attempts WHERE account = $1`, string(who))
	return err
}

// deviceRow is a remembered device as SQL holds it.
type deviceRow struct {
	Account account.ID
	Ver     int64
	Layers  []string
	Family  []byte // of the tokens that the device has had, one after the other
	Linked  bool   // a mailed link made it known: its first sign-in is a new device's
	Expires int64
	Seal    []byte // see bound
}

func insertDevice(ctx context.Context, tx *db.Tx, token []byte, d deviceRow) error {
	_, err := tx.Exec(ctx, `INSERT INTO devices (token, account, ver, layers, family, linked, expires_at, seal) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		token, string(d.Account), d.Ver, strings.Join(d.Layers, " "), d.Family, int64(flag(d.Linked)), d.Expires, d.Seal)
	return err
}

// readDevice reads a device that is remembered. After maxFailures wrong passwords in a row with
// its token it is remembered no longer.
func readDevice(ctx context.Context, q db.Querier, token []byte, now int64) (deviceRow, error) {
	var d deviceRow
	var layers string
	var linked int64
	err := q.QueryRow(ctx, `SELECT account, ver, layers, family, linked, expires_at, seal FROM devices WHERE token = $1 AND expires_at > $2 AND failures < $3`, token, now, maxFailures).
		Scan(&d.Account, &d.Ver, &layers, &d.Family, &linked, &d.Expires, &d.Seal)
	d.Layers, d.Linked = strings.Fields(layers), linked != 0
	return d, err
}

func deleteDevice(ctx context.Context, tx *db.Tx, token []byte) error {
	_, err := tx.Exec(ctx, `DELETE FROM devices WHERE token = $1`, token)
	return err
}

// deleteDevices forgets every device of an account but the one that a session was opened
// from.
func deleteDevices(ctx context.Context, tx *db.Tx, who account.ID, butOf string) error {
	_, err := tx.Exec(ctx, `DELETE FROM devices WHERE account = $1
		AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = $2 AND s.account = $1 AND s.device = devices.token)`, string(who), butOf)
	return err
}

func prune(ctx context.Context, d *db.DB, now int64) error {
	for _, q := range []string{
		`DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) AND expires_at <= $1`,
		`DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE refresh_expires_at <= $1 ORDER BY refresh_expires_at LIMIT $2)
			AND refresh_expires_at <= $1`,
		`DELETE FROM attempts WHERE id IN (SELECT id FROM attempts WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) AND expires_at <= $1`,
		`DELETE FROM devices WHERE token IN (SELECT token FROM devices WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) AND expires_at <= $1`,
		`DELETE FROM session_clients WHERE (account, client) IN
			(SELECT account, client FROM session_clients WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) AND expires_at <= $1`,
	} {
		if _, err := d.ExecInBatches(ctx, q, now); err != nil {
			return err
		}
	}
	return nil
}
