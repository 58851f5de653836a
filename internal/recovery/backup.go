package recovery

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/keyring"
	"coffer/internal/mail"
	"coffer/internal/rest"
)

const (
	backupCodes  = 10 // of a set
	backupDigits = 12
	pendingLife  = time.Hour // a set that nobody confirms is gone then
)

// The states of a backup code.
const (
	pendingCode = "pending"
	liveCode    = "live"
	usedCode    = "used"
	oldCode     = "old" // of the set before; it opens nothing, and its owner is told why
)

// backupLine is the name on the security page.
const backupLine = "backup_codes"

// The kinds of events of backup codes. Each is told to every verified address.
const (
	backupEnabled     = "backup-codes-enabled"
	backupRegenerated = "backup-codes-regenerated"
	backupDisabled    = "backup-codes-disabled"
)

var (
	errBackupOn    = fault.New(fault.Conflict, "backup_codes_enabled", "Backup codes are on. Make new ones to replace them.")
	errBackupOff   = fault.New(fault.Conflict, "backup_codes_off", "Backup codes are off. Turn them on first.")
	errNothingMade = fault.New(fault.Conflict, "nothing_to_confirm", "No new backup codes wait to be confirmed. Make new ones.")
)

func (s *Service) setUpBackup() {
	s.Mail.Declare(mail.Kind{Name: backupLink.Name, Header: recoveryHeader}, words)
	for _, kind := range []string{backupEnabled, backupRegenerated, backupDisabled} {
		s.Events.Declare(mail.Kind{Name: kind, Header: "security-notice"}, words)
	}
	s.Jobs.Handle(backupJob, s.runBackup)
	s.Accounts.Protect(backupLine, protectBackup)
	s.Accounts.AddWayBack(account.WayBack{On: backupOn, Off: s.dropBackup})
	// The holder of a session that ends may know the codes that wait.
	dropPending := func(ctx context.Context, tx *db.Tx, id account.ID) error {
		return dropCodesIn(ctx, tx, id, pendingCode)
	}
	s.Sessions.AddBegun(dropPending)
	s.Accounts.Keep(backupLine, account.Keeper{
		Export: s.exportBackup, Forget: func(ctx context.Context, tx *db.Tx, id account.ID) error { return dropCodes(ctx, tx, id) },
		SignOut: func(ctx context.Context, tx *db.Tx, id account.ID, _ string) error { return dropPending(ctx, tx, id) },
	})
}

// codeMACs are the keyed hashes of one code of one account: one for each state that a code
// can be found in. The account's data key makes them, and no other key opens it.
type codeMACs struct{ pending, live, used, old []byte }

func macsOf(key *keyring.DataKey, code string) codeMACs {
	of := func(state string) []byte { return key.Index("backup_codes."+state, code) }
	return codeMACs{of(pendingCode), of(liveCode), of(usedCode), of(oldCode)}
}

// newBackupCode makes a code. Each of the 10¹² is as likely: rand.Int draws again rather
// than take a remainder.
func newBackupCode(random io.Reader) (string, error) {
	most := new(big.Int).Exp(big.NewInt(10), big.NewInt(backupDigits), nil)
	n, err := rand.Int(random, most)
	if err != nil {
		return "", fmt.Errorf("make a backup code: %w", err)
	}
	return fmt.Sprintf("%0*d", backupDigits, n), nil
}

// parseBackupCode drops the spaces and dashes that people type into a code. Digits of other
// scripts are no digits here: two texts would be one code.
func parseBackupCode(text string) (string, error) {
	plain := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || r == '\u2212' { // the minus sign is no dash
			return -1
		}
		return r
	}, text)
	if len(plain) != backupDigits || strings.Trim(plain, "0123456789") != "" {
		return "", fault.InvalidField("/code", "invalid_backup_code", "A backup code has 12 digits from 0 to 9. Spaces and dashes do not matter.")
	}
	return plain, nil
}

// BackupCode is one live code, as its owner sees it.
type BackupCode struct {
	Code   string     `json:"code" doc:"12 digits."`
	UsedAt *time.Time `json:"used_at,omitempty" doc:"When it was used up; absent: it is good."`
}

// Backup is what an owner sees of backup codes.
type Backup struct {
	Enabled     bool         `json:"enabled"`
	ConfirmedAt *time.Time   `json:"confirmed_at,omitempty" doc:"From when on these codes count."`
	Codes       []BackupCode `json:"codes" doc:"Those that count, and those of them that are used up."`
	Pending     []string     `json:"pending" doc:"New ones that wait to be confirmed."`
}

// ReadBackup returns the backup codes of an account. A row that was altered in the database
// is left out.
func (s *Service) ReadBackup(ctx context.Context, id account.ID) (Backup, error) {
	out := Backup{Codes: []BackupCode{}, Pending: []string{}}
	err := s.DB.Read(ctx, func(tx *db.Tx) error {
		key, rows, err := s.codesOf(ctx, tx, id)
		if err != nil {
			return err
		}
		out.Enabled = slices.ContainsFunc(rows, codeRow.counts)
		for _, r := range rows {
			code, ok := s.openCode(ctx, key, id, r)
			switch {
			case !ok:
			case r.State == pendingCode && s.waits(r):
				out.Pending = append(out.Pending, code)
			case r.counts():
				out.ConfirmedAt = timeIn(r.ConfirmedAt)
				out.Codes = append(out.Codes, BackupCode{code, timeIn(r.UsedAt)})
			}
		}
		return nil
	})
	return out, err
}

func timeIn(ms *int64) *time.Time {
	if ms == nil {
		return nil
	}
	at := time.UnixMilli(*ms).UTC()
	return &at
}

// counts reports whether a code is of the confirmed set.
func (r codeRow) counts() bool { return r.State == liveCode || r.State == usedCode }

// waits reports whether a pending code may still be confirmed.
func (s *Service) waits(r codeRow) bool { return r.MadeAt > s.Now().Add(-pendingLife).UnixMilli() }

func (s *Service) codesOf(ctx context.Context, q db.Querier, id account.ID) (*keyring.DataKey, []codeRow, error) {
	key, err := s.Accounts.DataKey(ctx, q, id)
	if err != nil {
		return nil, nil, err
	}
	rows, err := readCodes(ctx, q, id)
	return key, rows, err
}

// openCode returns the code of a row; false when the row's code or state was altered in the
// database.
func (s *Service) openCode(ctx context.Context, key *keyring.DataKey, id account.ID, r codeRow) (string, bool) {
	code, err := key.Open("backup_codes", "code", r.ID, r.Code)
	m := macsOf(key, string(code))
	want := map[string][]byte{pendingCode: m.pending, liveCode: m.live, usedCode: m.used}[r.State]
	if err != nil || !bytes.Equal(r.MAC, want) {
		s.Log.ErrorContext(ctx, "recovery: a backup code was altered in the database and counts for nothing", "account", string(id))
		return "", false
	}
	return string(code), true
}

// MakeBackup makes a set of codes, which count once they are confirmed. again says that
// others are on and shall be replaced. Codes: needs_two_layers, backup_codes_enabled,
// backup_codes_off, unauthenticated.
func (s *Service) MakeBackup(ctx context.Context, c rest.Caller, again bool) ([]string, error) {
	id := account.ID(c.Account)
	var codes []string
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := s.holdRecovery(ctx, tx, c); err != nil {
			return err
		}
		if _, err := s.needLayers(ctx, tx, id); err != nil {
			return err
		}
		key, rows, err := s.codesOf(ctx, tx, id)
		if err != nil {
			return err
		}
		on := slices.ContainsFunc(rows, codeRow.counts)
		switch {
		case on && !again:
			return errBackupOn
		case again && !on && !slices.ContainsFunc(rows, s.waits):
			return errBackupOff
		}
		if err := dropCodesIn(ctx, tx, id, pendingCode); err != nil {
			return err
		}
		codes = codes[:0]
		for len(codes) < backupCodes {
			code, err := newBackupCode(s.Accounts.Rand)
			if err != nil {
				return err
			}
			if slices.Contains(codes, code) {
				continue
			}
			codes = append(codes, code)
			r := codeRow{ID: uuid.NewString(), Nth: int64(len(codes)), State: pendingCode, MAC: macsOf(key, code).pending, MadeAt: s.Now().UnixMilli()}
			r.Code = key.Seal("backup_codes", "code", r.ID, []byte(code))
			if err := insertCode(ctx, tx, id, r); err != nil {
				return err
			}
		}
		return nil
	})
	return codes, err
}

// ConfirmBackup makes the pending codes count, and no other. Every address is told. Codes:
// needs_two_layers, nothing_to_confirm, unauthenticated.
func (s *Service) ConfirmBackup(ctx context.Context, c rest.Caller) error {
	id := account.ID(c.Account)
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := s.holdRecovery(ctx, tx, c); err != nil {
			return err
		}
		if _, err := s.needLayers(ctx, tx, id); err != nil {
			return err
		}
		key, rows, err := s.codesOf(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := dropCodesIn(ctx, tx, id, oldCode); err != nil {
			return err
		}
		kind, confirmed, now := backupEnabled, 0, s.Now().UnixMilli()
		for _, r := range rows {
			code, ok := s.openCode(ctx, key, id, r)
			m := macsOf(key, code)
			switch {
			case r.State == pendingCode && ok && s.waits(r):
				r.State, r.MAC, r.ConfirmedAt = liveCode, m.live, &now
				confirmed++
			case r.counts() && ok:
				r.State, r.MAC, r.Code = oldCode, m.old, []byte{}
				kind = backupRegenerated
			default:
				if err := dropCode(ctx, tx, r.ID); err != nil {
					return err
				}
				continue
			}
			if err := moveCode(ctx, tx, r); err != nil {
				return err
			}
		}
		if confirmed != backupCodes {
			return errNothingMade
		}
		return s.Events.Record(ctx, tx, event.Event{Kind: kind, Account: string(id)})
	})
}

// DropBackup turns backup codes off. That they are off is no error. Code unauthenticated.
func (s *Service) DropBackup(ctx context.Context, c rest.Caller) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := s.holdRecovery(ctx, tx, c); err != nil {
			return err
		}
		if _, err := s.Accounts.Hold(ctx, tx, account.ID(c.Account)); err != nil {
			return err
		}
		return s.dropBackup(ctx, tx, account.ID(c.Account))
	})
}

// dropBackup deletes all codes. Every address is told, if some counted.
func (s *Service) dropBackup(ctx context.Context, tx *db.Tx, id account.ID) error {
	on, err := backupOn(ctx, tx, id)
	if err == nil && on {
		err = s.Events.Record(ctx, tx, event.Event{Kind: backupDisabled, Account: string(id)})
	}
	if err != nil {
		return err
	}
	return dropCodes(ctx, tx, id)
}

// stopBackup turns backup codes off that were confirmed since a recovery began: an intruder
// may know them.
func (s *Service) stopBackup(ctx context.Context, tx *db.Tx, id account.ID, since time.Time) error {
	rows, err := readCodes(ctx, tx, id)
	if err != nil || !slices.ContainsFunc(rows, func(r codeRow) bool { return r.ConfirmedAt != nil && *r.ConfirmedAt >= since.UnixMilli() }) {
		return err
	}
	return s.dropBackup(ctx, tx, id)
}

func backupOn(ctx context.Context, q db.Querier, id account.ID) (bool, error) {
	rows, err := readCodes(ctx, q, id)
	return slices.ContainsFunc(rows, codeRow.counts), err
}

// protectBackup is the line on the security page.
func protectBackup(ctx context.Context, q db.Querier, id account.ID) (account.Protection, error) {
	rows, err := readCodes(ctx, q, id)
	rows = slices.DeleteFunc(rows, func(r codeRow) bool { return !r.counts() || r.ConfirmedAt == nil })
	if err != nil || len(rows) == 0 {
		return account.Protection{}, err
	}
	left := 0
	var last *int64
	for _, r := range rows {
		if r.State == liveCode {
			left++
		}
		if r.UsedAt != nil && (last == nil || *r.UsedAt > *last) {
			last = r.UsedAt
		}
	}
	p := account.Used(*rows[0].ConfirmedAt, last)
	p.Left = &left
	return p, nil
}

// exportedBackup is backup-codes.json. A code is a key to the account, and an export lies
// about: it tells no code.
type exportedBackup struct {
	ConfirmedAt *time.Time   `json:"confirmed_at"`
	UsedAt      []*time.Time `json:"used_at"` // one for each code; null: not used
}

func (s *Service) exportBackup(ctx context.Context, id account.ID, to *account.Archive) error {
	rows, err := readCodes(ctx, s.DB, id)
	if err != nil {
		return err
	}
	var out exportedBackup
	for _, r := range rows {
		if r.counts() {
			out.ConfirmedAt, out.UsedAt = timeIn(r.ConfirmedAt), append(out.UsedAt, timeIn(r.UsedAt))
		}
	}
	if len(out.UsedAt) == 0 {
		return nil
	}
	return to.Put("backup-codes.json", out)
}
