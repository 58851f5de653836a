// Package recovery is the ways back in: a forgotten password, a deactivated account, backup codes and the trusted address.
//
// # What it defends against
//
//   - Learning who has an account: a request for a reset checks the form of the address and
//     enqueues one job, the same for every address. The job looks the address up.
//   - Mails to strangers: they count against the shares of recipient and source that
//     sign-ups have. A stranger's request voids no link that the owner waits for.
//   - A stolen session, a device or an older link that outlives the reset: they end in the
//     transaction that sets the password.
//   - A mailbox in foreign hands: a mailed link is one proof. The account's layers are asked
//     after it, on remembered devices too (ASVS 6.4.3). Activation asks for the password, a
//     passkey or another service's word before it mails a link.
//   - Mail scanners that follow links: only a POST uses a link up.
//   - A backup code or a trusted mailbox in foreign hands: it opens a session that may only
//     repair the account. Every verified address is told, with a link that stops the recovery.
//
// # Limits
//
// A reader of the mailbox can take an account without layers. The server tells its owner at
// every verified address. Strangers on many networks can use up the mails of an
// address for an hour. A reader of the trusted mailbox can set a password at once, and change
// layers after a wait in which the owner neither stops it nor passes a layer.
package recovery

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/jobs"
	"coffer/internal/limit"
	"coffer/internal/mail"
	"coffer/internal/rest"
	"coffer/internal/session"
)

// A reset may be asked for by anybody, so a further link voids none. A link to activate is
// asked for with a first proof.
var (
	resetLink    = account.Purpose{Name: "reset-password", Page: "/reset", Several: true}
	activateLink = account.Purpose{Name: "activate", Page: "/activate"}
)

// Jobs of this room.
const (
	forgotJob   = "recovery.forgot"
	activateJob = "recovery.activate"
)

// The kinds of events of this room.
const (
	passwordReset    = "password-reset"
	accountActivated = "account-activated"
)

//go:embed words
var words embed.FS

// errNotSignedIn is the answer when the change stands, and the session after it failed.
var errNotSignedIn = fault.New(fault.Unavailable, "not_signed_in", "The change was made, but the server could not sign you in after it. Sign in now.")

// Config is what a Service needs. All but Now and Log are required.
type Config struct {
	Settings
	DB       *db.DB
	Jobs     *jobs.Queue
	Limit    *limit.Limiter
	Mail     *mail.Mailer
	Accounts *account.Service
	Sessions *session.Service
	Events   *event.Log
	Now      func() time.Time // zero: time.Now
	Log      *slog.Logger     // zero: discards
}

// Service is the room. It is safe for concurrent use.
type Service struct{ Config }

// New returns the room.
func New(cfg Config) *Service {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Service{cfg}
	for _, p := range []account.Purpose{resetLink, activateLink} {
		s.Mail.Declare(mail.Kind{Name: p.Name}, words) // to the primary address alone
	}
	for _, kind := range []string{passwordReset, accountActivated} {
		s.Events.Declare(mail.Kind{Name: kind, Header: "security-notice"}, words)
	}
	s.setUpBackup()
	s.setUpStop()
	s.setUpTrusted()
	s.Jobs.Handle(forgotJob, s.runForgot)
	s.Jobs.Handle(activateJob, s.runActivate)
	s.Sessions.AddActivation(s.askActivation)
	return s
}

// asked is the payload of both jobs: an address, or an account whose owner gave a proof.
type asked struct {
	Email   string         `json:"email,omitempty"`
	Account account.ID     `json:"account,omitempty"`
	From    account.Source `json:"from"`
}

// StartReset mails an account's owner a link with which to set a new password, as an operator
// asks for it. The shares of strangers' mails do not count: they may be used up.
func (s *Service) StartReset(ctx context.Context, tx *db.Tx, id account.ID) error {
	return s.Jobs.Enqueue(ctx, tx, forgotJob, asked{Account: id})
}

// Forgot asks for a link with which to set a new password. It does the same for every
// address: only the mailbox learns the outcome. Codes: validation_failed for no address.
func (s *Service) Forgot(ctx context.Context, email string, from account.Source) error {
	email, err := account.NormalEmail("/email", email)
	if err != nil {
		return err
	}
	return s.enqueue(ctx, forgotJob, asked{Email: email, From: from})
}

func (s *Service) enqueue(ctx context.Context, job string, in any) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error { return s.Jobs.Enqueue(ctx, tx, job, in) })
}

func (s *Service) runForgot(ctx context.Context, payload []byte) error {
	var in asked
	if err := json.Unmarshal(payload, &in); err != nil {
		return jobs.Permanent(err)
	}
	if in.Account != "" {
		return s.sendLink(ctx, in.Account, resetLink, "", nil)
	}
	found, err := s.Accounts.Find(ctx, in.Email)
	if err != nil || found.ID == "" {
		return err
	}
	return s.mailLink(ctx, found.ID, resetLink, "", in.From)
}

func (s *Service) runActivate(ctx context.Context, payload []byte) error {
	var in asked
	if err := json.Unmarshal(payload, &in); err != nil {
		return jobs.Permanent(err)
	}
	return s.mailLink(ctx, in.Account, activateLink, "", in.From)
}

// mailLink mails a new link with data to the primary address of an account, as a source asked
// for it.
func (s *Service) mailLink(ctx context.Context, id account.ID, p account.Purpose, data string, from account.Source) error {
	return s.sendLink(ctx, id, p, data, func(email string) (bool, error) { return s.Accounts.MayMail(ctx, email, from) })
}

// sendLink is mailLink; may says whether an address may get the mail, nil that any may.
func (s *Service) sendLink(ctx context.Context, id account.ID, p account.Purpose, data string, may func(email string) (bool, error)) error {
	to, err := s.Accounts.Contact(ctx, s.DB, id)
	if errors.Is(err, account.ErrNotFound) {
		return nil // deleted meanwhile
	}
	if err != nil {
		return err
	}
	if may != nil {
		if ok, err := may(to.Email); err != nil || !ok {
			return err
		}
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		st, err := s.Accounts.Hold(ctx, tx, id)
		if err != nil || p.Name == activateLink.Name && st.Status != account.Deactivated {
			return err
		}
		// The account may have got another address since, which voided the links to this one. An
		// intruder's mailbox must get no new link after the owner has undone that change.
		if now, err := s.Accounts.Contact(ctx, tx, id); err != nil || now.Email != to.Email {
			return err
		}
		link, err := s.Accounts.NewLink(ctx, tx, p, id, data)
		if err != nil {
			return err
		}
		if p.Name == backupLink.Name {
			link += "&way=backup-code"
		}
		return s.Jobs.Enqueue(ctx, tx, mail.Job, mail.Message{
			Kind: p.Name, To: to.Email, Lang: to.Lang, Data: map[string]string{"name": to.FirstName, "link": link},
		})
	})
	if errors.Is(err, account.ErrNotFound) {
		return nil
	}
	return err
}

// Check tells whether a link works. It uses nothing up. Code link_gone.
func (s *Service) check(p account.Purpose) func(context.Context, string) error {
	return func(ctx context.Context, token string) error {
		_, err := s.Accounts.FindLink(ctx, p, token)
		return err
	}
}

// Reset uses a mailed link to set a new password. In the same transaction every session,
// refresh token, remembered device, attempt and outstanding link of the account ends. Then
// it opens a session, or begins an attempt for the account's layers.
//
// A deactivated account gets the new password and stays deactivated: its owner needs the
// password to activate it. Codes: link_gone, validation_failed, invalid_public_key, busy,
// account_deactivated, not_signed_in.
func (s *Service) Reset(ctx context.Context, token, password string, r session.SessionRequest, c rest.Client) (session.Outcome, error) {
	entry, err := s.Sessions.Prepare(r, c, session.AMREmail)
	if err != nil {
		return session.Outcome{}, err
	}
	// The server hashes no password for a guess, and uses nothing up for a bad password.
	l, err := s.Accounts.FindLink(ctx, resetLink, token)
	if err != nil {
		return session.Outcome{}, err
	}
	next, err := s.Accounts.NewPassword(ctx, l.Account, "/password", password)
	if errors.Is(err, account.ErrNotFound) {
		err = account.ErrLinkGone // deleted meanwhile
	}
	if err != nil {
		return session.Outcome{}, err
	}
	var st account.State
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.Accounts.UseLink(ctx, tx, resetLink, token); err != nil {
			return err
		}
		if err := s.Accounts.SetPassword(ctx, tx, next); err != nil {
			return err
		}
		if err := s.Accounts.InvalidateSessions(ctx, tx, l.Account, ""); err != nil {
			return err
		}
		var err error
		if st, err = s.Accounts.Hold(ctx, tx, l.Account); err != nil {
			return err
		}
		return s.Events.Record(ctx, tx, event.Event{Kind: passwordReset, Account: string(l.Account)})
	})
	if err != nil {
		return session.Outcome{}, err
	}
	return s.enter(ctx, st, entry)
}

// Activate takes the credentials of an account. It mails a link when the account is
// deactivated, and does nothing for an active one. Codes: invalid_credentials, rate_limited,
// busy.
func (s *Service) Activate(ctx context.Context, identifier, password string, c rest.Client) error {
	st, err := s.Sessions.CheckCredentials(ctx, identifier, password, c)
	if err != nil {
		return err
	}
	return s.Sessions.AskActivation(ctx, st, c)
}

// askActivation is Activate after the proof, of whatever room.
func (s *Service) askActivation(ctx context.Context, id account.ID, c rest.Client) error {
	return s.enqueue(ctx, activateJob, asked{Account: id, From: account.SourceOf(c.Addr)})
}

// ConfirmActivation uses the mailed link to activate an account. Then it opens a session, or
// begins an attempt for the account's layers. Codes: link_gone, invalid_public_key,
// not_signed_in.
func (s *Service) ConfirmActivation(ctx context.Context, token string, r session.SessionRequest, c rest.Client) (session.Outcome, error) {
	entry, err := s.Sessions.Prepare(r, c, session.AMREmail)
	if err != nil {
		return session.Outcome{}, err
	}
	var st account.State
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		l, err := s.Accounts.UseLink(ctx, tx, activateLink, token)
		if err != nil {
			return err
		}
		if st, err = s.Accounts.Activate(ctx, tx, l.Account); err != nil {
			return err
		}
		return s.Events.Record(ctx, tx, event.Event{Kind: accountActivated, Account: string(l.Account)})
	})
	if err != nil {
		return session.Outcome{}, err
	}
	return s.enter(ctx, st, entry)
}

// enter goes on from a change that stands. Its link is used up, so a caller who was told to
// try again could not: a failure is told as what it is.
func (s *Service) enter(ctx context.Context, st account.State, e session.Entry) (session.Outcome, error) {
	out, err := s.Sessions.Enter(ctx, st, e)
	if err != nil && !session.Closed(err) {
		s.Log.WarnContext(ctx, "recovery: a change stands, and no session was opened after it", "account", string(st.ID), "err", err)
		err = errNotSignedIn.Because(err)
	}
	return out, err
}
