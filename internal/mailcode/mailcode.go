// Package mailcode is the layer of codes that are mailed to the account's primary address.
//
// # What it defends against
//
//   - A stolen password: with the layer on, sign-in asks for a code that only the mailbox
//     gets. Package code judges it: a code works once, for its own attempt; five answers a
//     challenge, ten wrong ones an hour an account. A further code voids the older one and
//     forgives no wrong answer.
//   - Phishing by mail: the mail holds a code and no link.
//   - A mail server that is away: the attempt and its mail commit together, and the mail
//     waits in the queue.
//   - A mail to somebody else's address: it goes to the stored address, which was proven and
//     is sealed. A code that went to another address than the present one is wrong, so a
//     change of the address ends what lies in the former mailbox. Devices that were spared
//     the layer for a code of that mailbox are asked again.
//   - A deleted row: the account's seal also says that the layer is on.
//
// # Limits
//
// A reader of the mailbox can pass the layer, and can reset the password as well. So the
// layer never makes aal2. A live phishing page can relay a code.
package mailcode

import (
	"context"
	"embed"
	"errors"
	"slices"
	"time"

	"coffer/internal/account"
	"coffer/internal/code"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/jobs"
	"coffer/internal/mail"
	"coffer/internal/rest"
	"coffer/internal/session"
)

const (
	name    = "email_otp" // of the layer, in attempts and on the security page
	purpose = "mailcode"  // of its codes
	message = "email-code"
)

// The kinds of events of this room.
const (
	enabled  = "email-otp-enabled"
	disabled = "email-otp-disabled"
)

//go:embed words
var words embed.FS

// Config is what a Service needs. All but Now are required.
type Config struct {
	DB       *db.DB
	Codes    *code.Service
	Jobs     *jobs.Queue
	Mail     *mail.Mailer // gets the words of the code's mail
	Accounts *account.Service
	Sessions *session.Service // runs the attempts and remembers devices
	Events   *event.Log
	Now      func() time.Time // zero: time.Now
}

// Service is the room. It is safe for concurrent use.
type Service struct{ Config }

var _ session.Layer = (*Service)(nil)

// New returns the room, which is a layer of sign-in and a line of the security page from
// then on.
func New(cfg Config) *Service {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Service{cfg}
	s.Mail.Declare(mail.Kind{Name: message}, words) // to the primary address alone
	for _, kind := range []string{enabled, disabled} {
		s.Events.Declare(mail.Kind{Name: kind, Header: "security-notice"}, words)
	}
	s.Sessions.AddLayer(s, remove)
	s.Sessions.AddConfirmed(func(ctx context.Context, tx *db.Tx, id account.ID) error {
		return s.Codes.Forgive(ctx, tx, id, purpose)
	})
	s.Accounts.Protect(name, s.protection)
	s.Accounts.Keep(name, account.Keeper{Forget: forget})
	s.Events.Listen(s.moved)
	return s
}

// Name is the layer's name in attempts.
func (s *Service) Name() string { return name }

// Last reports that sign-in may ask for a code at any time.
func (s *Service) Last() bool { return false }

// Enabled reports whether sign-in to the account asks for a code.
func (s *Service) Enabled(ctx context.Context, q db.Querier, id account.ID) (bool, error) {
	_, _, err := read(ctx, q, id)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Assurance says that the layer is a one-time code, and no second factor by itself: it comes
// through the mailbox that can also reset the password.
func (s *Service) Assurance() (amr string, aal2 bool) { return "otp", false }

// Begin mails a code for a new attempt.
func (s *Service) Begin(ctx context.Context, tx *db.Tx, id account.ID, attempt string) (session.Prompt, error) {
	return s.send(ctx, tx, id, attempt)
}

func challenge(id account.ID, attempt string, to account.Contact) code.Challenge {
	return code.Challenge{ID: attempt, Purpose: purpose, Account: id, To: to.Email, Authenticates: true}
}

// contact reads the primary address. It locks the account's row first, so the address is
// the present one until tx ends.
func (s *Service) contact(ctx context.Context, tx *db.Tx, id account.ID) (account.Contact, error) {
	if _, err := s.Accounts.Hold(ctx, tx, id); err != nil {
		return account.Contact{}, err
	}
	return s.Accounts.Contact(ctx, tx, id)
}

// send makes a code and enqueues its mail, in the transaction of the attempt. The challenge
// does not outlive an attempt that is made now. Codes: rate_limited, code_expired.
func (s *Service) send(ctx context.Context, tx *db.Tx, id account.ID, attempt string) (session.Prompt, error) {
	to, err := s.contact(ctx, tx, id)
	if err != nil {
		return session.Prompt{}, err
	}
	c := challenge(id, attempt, to)
	c.Ends = s.Now().Add(s.Accounts.CodeTTL)
	text, again, err := s.Codes.Send(ctx, tx, c)
	if err != nil {
		return session.Prompt{}, err
	}
	again = again.UTC()
	return session.Prompt{SentTo: account.MaskEmail(to.Email), ResendAt: &again}, s.Jobs.Enqueue(ctx, tx, mail.Job, mail.Message{
		Kind: message, To: to.Email, Lang: to.Lang, Data: map[string]string{"name": to.FirstName, "code": text},
	})
}

// resend mails a further code for an attempt, which voids the older one. It returns from when
// on the caller may ask again. Codes beside those of session.Again: rate_limited, code_expired.
func (s *Service) resend(ctx context.Context, in session.AttemptInput) (time.Time, error) {
	var again time.Time
	err := s.Sessions.Again(ctx, in, name, func(ctx context.Context, tx *db.Tx, id account.ID, attempt string) (session.Prompt, error) {
		p, err := s.send(ctx, tx, id, attempt)
		if err == nil {
			again = *p.ResendAt
		}
		return p, err
	})
	return again, err
}

// pass answers this layer of an attempt with a code.
func (s *Service) pass(ctx context.Context, in session.AttemptInput, text string) (session.Outcome, error) {
	return s.Sessions.Pass(ctx, in, name, func(ctx context.Context, tx *db.Tx, id account.ID) error {
		to, err := s.contact(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := s.Codes.Use(ctx, tx, challenge(id, in.ID, to), text); err != nil {
			return err
		}
		return noteUse(ctx, tx, id, s.Now().UnixMilli())
	})
}

// Enable turns the layer on. That it is on already is no error, and tells nobody.
func (s *Service) Enable(ctx context.Context, c rest.Caller) error {
	id := account.ID(c.Account)
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		// The lock lets calls at once follow each other: one of them turns the layer on.
		st, err := s.Accounts.Hold(ctx, tx, id)
		if err != nil {
			return err
		}
		made, err := insert(ctx, tx, id, s.Now().UnixMilli())
		if err != nil || !made && slices.Contains(st.Layers, name) {
			return err
		}
		return s.Sessions.TurnOn(ctx, tx, c, name, enabled)
	})
}

// Disable turns the layer off and forgets the devices that were spared it. That it is off
// already is no error. recoveryOff says that recovery methods end with it, when they need it.
func (s *Service) Disable(ctx context.Context, c rest.Caller, recoveryOff bool) error {
	return s.Sessions.TurnOff(ctx, c, name, disabled, recoveryOff)
}

// moved is the listener that hears of another primary address. A remembered device has passed the
// former mailbox, and never the new one.
func (s *Service) moved(ctx context.Context, tx *db.Tx, e event.Event) error {
	if e.Kind != account.EmailChanged {
		return nil
	}
	id := account.ID(e.Account)
	st, err := s.Accounts.Hold(ctx, tx, id)
	if err != nil {
		return err
	}
	on, err := s.Enabled(ctx, tx, id)
	if err != nil || !on && !slices.Contains(st.Layers, name) {
		return err
	}
	return s.Sessions.AskDevices(ctx, tx, id)
}

func forget(ctx context.Context, tx *db.Tx, id account.ID) error {
	_, err := remove(ctx, tx, id)
	return err
}

// protection is the layer's line on the security page. Its hint is the masked address.
func (s *Service) protection(ctx context.Context, q db.Querier, id account.ID) (account.Protection, error) {
	since, used, err := read(ctx, q, id)
	if errors.Is(err, db.ErrNoRows) {
		return account.Protection{}, nil
	}
	if err != nil {
		return account.Protection{}, err
	}
	to, err := s.Accounts.Contact(ctx, q, id)
	p := account.Used(since, used)
	p.Hint = account.MaskEmail(to.Email)
	return p, err
}
