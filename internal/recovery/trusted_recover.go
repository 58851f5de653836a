package recovery

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/jobs"
	"coffer/internal/mail"
	"coffer/internal/rest"
	"coffer/internal/session"
)

// recoverLink opens a recovery session. Anybody may ask for one, so a further link voids none.
var recoverLink = account.Purpose{Name: "recovery-trusted", Page: "/recover", Several: true}

// recoverJob looks the account up and mails the link.
const recoverJob = "recovery.trusted-recover"

// mailedTo is the content of a recovery link: the trusted address that it was mailed to. Of
// another one, or of one that was verified anew, it opens nothing.
type mailedTo struct {
	Email      string `json:"email"`
	VerifiedAt int64  `json:"verified_at"`
}

func contentOf(t account.Trusted) mailedTo { return mailedTo{t.Email, t.VerifiedAt.UnixMilli()} }

// recoverPayload is the payload of the job.
type recoverPayload struct {
	Identifier string         `json:"identifier"`
	From       account.Source `json:"from"`
}

// AskRecovery asks for a recovery link to the trusted address of an account. It does the same
// for every identifier: only the mailbox learns the outcome.
func (s *Service) AskRecovery(ctx context.Context, identifier string, from account.Source) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error { return s.Jobs.Enqueue(ctx, tx, recoverJob, recoverPayload{identifier, from}) })
}

func (s *Service) runRecover(ctx context.Context, payload []byte) error {
	var in recoverPayload
	if err := json.Unmarshal(payload, &in); err != nil {
		return jobs.Permanent(err)
	}
	found, err := s.Accounts.Find(ctx, in.Identifier)
	if err != nil || found.ID == "" {
		return err
	}
	to, err := s.Accounts.TrustedAddress(ctx, s.DB, found.ID)
	if errors.Is(err, account.ErrNotFound) {
		return nil // deleted meanwhile
	}
	if err != nil || !s.usable(to) {
		return err
	}
	if may, err := s.Accounts.MayMail(ctx, to.Email, in.From); err != nil || !may {
		return err
	}
	content, err := json.Marshal(contentOf(to))
	if err != nil {
		return err
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.Accounts.Hold(ctx, tx, found.ID); err != nil {
			return err
		}
		// Its owner may have dropped the address meanwhile: it gets nothing more.
		if now, err := s.Accounts.TrustedAddress(ctx, tx, found.ID); err != nil || now != to {
			return err
		}
		link, err := s.Accounts.NewLink(ctx, tx, recoverLink, found.ID, string(content))
		if err != nil {
			return err
		}
		return s.Accounts.MailTo(ctx, tx, found.ID, mail.Message{Kind: recoverLink.Name, To: to.Email, Data: map[string]string{"link": link + "&way=trusted-email"}})
	})
	if errors.Is(err, account.ErrNotFound) {
		return nil
	}
	return err
}

// stillTrusted returns the trusted address that a link was mailed to; ErrLinkGone when the
// account has another one, or none.
func (s *Service) stillTrusted(ctx context.Context, q db.Querier, l account.Link) (account.Trusted, error) {
	var to mailedTo
	if err := json.Unmarshal([]byte(l.Data), &to); err != nil {
		return account.Trusted{}, err
	}
	now, err := s.Accounts.TrustedAddress(ctx, q, l.Account)
	if errors.Is(err, account.ErrNotFound) || err == nil && (!s.usable(now) || contentOf(now) != to) {
		err = account.ErrLinkGone
	}
	return now, err
}

// checkRecover is nil while a recovery link works.
func (s *Service) checkRecover(ctx context.Context, token string) error {
	l, err := s.Accounts.FindLink(ctx, recoverLink, token)
	if err == nil {
		_, err = s.stillTrusted(ctx, s.DB, l)
	}
	return err
}

// A wait begins with the first recovery session that the trusted address opens.
type wait struct {
	Began int64    `json:"began"` // unix milliseconds
	For   mailedTo `json:"for"`
}

func (w wait) began() time.Time { return time.UnixMilli(w.Began).UTC() }

// RecoverTrusted uses a recovery link. Codes: link_gone, invalid_public_key,
// account_deactivated.
func (s *Service) RecoverTrusted(ctx context.Context, token string, r session.SessionRequest, c rest.Client) (session.Outcome, error) {
	return session.Outcome{}, account.ErrLinkGone
}
