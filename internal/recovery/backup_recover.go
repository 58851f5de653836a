package recovery

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/jobs"
	"coffer/internal/limit"
	"coffer/internal/rest"
	"coffer/internal/session"
)

// backupLink opens a recovery session with the code that it was asked for with, which the
// link's data holds. Anybody who knows a code may ask for one, so a further link voids none.
var backupLink = account.Purpose{Name: "recovery-backup", Page: "/recover", Several: true}

// backupMethod is how watches know a backup code.
const backupMethod = "backup_code"

// backupJob looks a code up, and mails the link when it is good.
const backupJob = "recovery.backup-code"

var (
	errBackupWrong    = fault.New(fault.Unauthenticated, "invalid_code", "That backup code is wrong.")
	errBackupUsed     = fault.New(fault.Gone, "code_used", "That backup code was used already. Take another one.")
	errBackupReplaced = fault.New(fault.Gone, "code_replaced", "That backup code was replaced by newer ones. Take one of the newest.")
)

// Wrong codes of an account. Those who give the password, and those who do not, count apart:
// strangers who know only a name cannot take the owner's other way.
var (
	backupLimit      = limit.Rule{Name: "backup-code", Limit: 10, Window: time.Hour}
	backupMailLimit  = limit.Rule{Name: "backup-code-mail", Limit: 10, Window: time.Hour} // from one source
	backupTotalLimit = limit.Rule{Name: "backup-code-mail-total", Limit: 100, Window: time.Hour}
)

// backupPayload is the payload of the job.
type backupPayload struct {
	Identifier string         `json:"identifier"`
	Code       string         `json:"code"`
	From       account.Source `json:"from"`
}

// AskBackup asks for a recovery link to the primary address of an account. It does the same
// for every identifier and code: only the mailbox learns the outcome. Code validation_failed.
func (s *Service) AskBackup(ctx context.Context, identifier, code string, from account.Source) error {
	code, err := parseBackupCode(code)
	if err != nil {
		return err
	}
	return s.enqueue(ctx, backupJob, backupPayload{identifier, code, from})
}

func (s *Service) runBackup(ctx context.Context, payload []byte) error {
	var in backupPayload
	if err := json.Unmarshal(payload, &in); err != nil {
		return jobs.Permanent(err)
	}
	found, err := s.Accounts.Find(ctx, in.Identifier)
	if err != nil || found.ID == "" {
		return err
	}
	err = s.guess(ctx, found.ID, in.Code,
		limit.Call{Rule: backupMailLimit, Key: string(found.ID) + " " + in.From.Addr}, limit.Call{Rule: backupTotalLimit, Key: string(found.ID)})
	if errors.Is(err, errBackupWrong) {
		err = s.Sessions.Failed(ctx, err, session.Failure{Account: found.ID, Method: backupMethod, Apart: true, Client: rest.Client{Addr: in.From.Address()}})
	}
	if isWrong(err) || err != nil && fault.Of(err).Kind == fault.Limited {
		return nil
	}
	if err != nil {
		return err
	}
	return s.mailLink(ctx, found.ID, backupLink, in.Code, in.From)
}

// guess judges a code, and uses nothing up. A wrong one stays counted by calls. Codes:
// invalid_code, code_used, code_replaced, rate_limited.
func (s *Service) guess(ctx context.Context, id account.ID, code string, calls ...limit.Call) error {
	// The count comes first, so of many guesses at once no more are judged.
	if err := s.Limit.TakeAll(ctx, calls...); err != nil {
		return err
	}
	err := s.judge(ctx, s.DB, id, code)
	if isWrong(err) {
		return err
	}
	if back := s.Limit.RefundAll(context.WithoutCancel(ctx), calls...); back != nil {
		s.Log.WarnContext(ctx, "recovery: a limit stays taken", "err", back)
	}
	return err
}

// judge is nil for a live code.
func (s *Service) judge(ctx context.Context, q db.Querier, id account.ID, code string) error {
	key, err := s.Accounts.DataKey(ctx, q, id)
	if errors.Is(err, account.ErrNotFound) {
		return errBackupWrong // deleted meanwhile
	}
	if err != nil {
		return err
	}
	state, err := findCode(ctx, q, id, macsOf(key, code))
	switch {
	case err != nil:
		return err
	case state == usedCode:
		return errBackupUsed
	case state == oldCode:
		return errBackupReplaced
	case state != liveCode:
		return errBackupWrong
	}
	return nil
}

// spend uses a live code up in the transaction of what it allows. Codes: those of judge.
func (s *Service) spend(ctx context.Context, tx *db.Tx, id account.ID, code string) error {
	key, err := s.Accounts.DataKey(ctx, tx, id)
	if err != nil {
		return err
	}
	if spent, err := spendCode(ctx, tx, id, macsOf(key, code), s.Now().UnixMilli()); err != nil || spent {
		return err
	}
	if err := s.judge(ctx, tx, id, code); err != nil {
		return err
	}
	return errBackupWrong
}

// RecoverBackup opens a recovery session with password and code. Only a caller with the right
// password learns whether the code is wrong, used or replaced. Codes: validation_failed, invalid_public_key,
// invalid_credentials, rate_limited, busy, invalid_code, code_used, code_replaced,
// account_deactivated.
func (s *Service) RecoverBackup(ctx context.Context, identifier, password, code string, r session.SessionRequest, c rest.Client) (session.Outcome, error) {
	code, err := parseBackupCode(code)
	if err != nil {
		return session.Outcome{}, err
	}
	entry, err := s.Sessions.Prepare(r, c, session.AMRPassword, session.AMRBackupCode)
	if err != nil {
		return session.Outcome{}, err
	}
	st, err := s.Sessions.CheckCredentials(ctx, identifier, password, c)
	if err != nil {
		return session.Outcome{}, err
	}
	if err := s.guess(ctx, st.ID, code, limit.Call{Rule: backupLimit, Key: string(st.ID)}); err != nil {
		return session.Outcome{}, s.Sessions.Failed(ctx, err, session.Failure{Account: st.ID, Method: backupMethod, Client: c})
	}
	return s.Sessions.Recover(ctx, st, entry, func(ctx context.Context, tx *db.Tx, sessionID string) error {
		if err := s.spend(ctx, tx, st.ID, code); err != nil {
			return err
		}
		return s.recovered(ctx, tx, st.ID, sessionID, session.AMRBackupCode)
	})
}

// ConfirmBackupLink opens a recovery session with the mailed link, and uses its code up.
// Codes: link_gone, invalid_public_key, account_deactivated.
func (s *Service) ConfirmBackupLink(ctx context.Context, token string, r session.SessionRequest, c rest.Client) (session.Outcome, error) {
	entry, err := s.Sessions.Prepare(r, c, session.AMREmail, session.AMRBackupCode)
	if err != nil {
		return session.Outcome{}, err
	}
	l, err := s.findBackup(ctx, token)
	if err != nil {
		return session.Outcome{}, err
	}
	st, err := s.Accounts.State(ctx, l.Account)
	if errors.Is(err, account.ErrNotFound) {
		err = account.ErrLinkGone // deleted meanwhile
	}
	if err != nil {
		return session.Outcome{}, err
	}
	out, err := s.Sessions.Recover(ctx, st, entry, func(ctx context.Context, tx *db.Tx, sessionID string) error {
		if _, err := s.Accounts.UseLink(ctx, tx, backupLink, token); err != nil {
			return err
		}
		if err := s.spend(ctx, tx, l.Account, l.Data); err != nil {
			return err
		}
		return s.recovered(ctx, tx, l.Account, sessionID, session.AMRBackupCode)
	})
	if errors.Is(err, account.ErrCredentials) { // all sessions and links ended meanwhile
		err = account.ErrLinkGone.Because(err)
	}
	return out, codeGone(err)
}

// findBackup is FindLink for a link whose code is live.
func (s *Service) findBackup(ctx context.Context, token string) (account.Link, error) {
	l, err := s.Accounts.FindLink(ctx, backupLink, token)
	if err != nil {
		return account.Link{}, err
	}
	return l, codeGone(s.judge(ctx, s.DB, l.Account, l.Data))
}

// checkBackup is nil while a link and its code work.
func (s *Service) checkBackup(ctx context.Context, token string) error {
	_, err := s.findBackup(ctx, token)
	return err
}

// isWrong reports whether err says that a code is not live.
func isWrong(err error) bool {
	return errors.Is(err, errBackupWrong) || errors.Is(err, errBackupUsed) || errors.Is(err, errBackupReplaced)
}

// codeGone tells the reader of a link no more of its code than that the link is of no use.
func codeGone(err error) error {
	if isWrong(err) {
		return account.ErrLinkGone.Because(err)
	}
	return err
}
