package recovery

import (
	"context"
	"encoding/json"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/jobs"
	"coffer/internal/limit"
	"coffer/internal/mail"
	"coffer/internal/rest"
)

// The trusted address is a second mailbox of the owner. The link that verifies it is asked
// for under a fresh proof, so the newest one voids older ones.
var trustedLink = account.Purpose{Name: "trusted-email", Page: "/trusted-email"}

// trustedLinkJob mails the link to the new address.
const trustedLinkJob = "recovery.trusted-email"

// The kinds of events of the trusted address. Each is told to every verified address.
const (
	trustedAsked   = "trusted-email-asked"
	trustedSet     = "trusted-email-set"
	trustedDropped = "trusted-email-dropped"
)

// trustedLine is the name on the security page.
const trustedLine = "trusted_email"

// trustedLimit is how many links for a new trusted address one account asks for.
var trustedLimit = limit.Rule{Name: "trusted-email", Limit: 10, Window: time.Hour}

func (s *Service) setUpTrusted() {
	s.Mail.Declare(mail.Kind{Name: trustedLink.Name}, words) // to an address that is not verified
	s.Mail.Declare(mail.Kind{Name: recoverLink.Name, Header: recoveryHeader}, words)
	for _, kind := range []string{trustedAsked, trustedSet, trustedDropped} {
		s.Events.Declare(mail.Kind{Name: kind, Header: "security-notice"}, words)
	}
	s.Jobs.Handle(trustedLinkJob, s.runTrustedLink)
	s.Jobs.Handle(recoverJob, s.runRecover)
	s.Accounts.Protect(trustedLine, s.protectTrusted)
	s.Accounts.AddWayBack(account.WayBack{On: s.trustedOn, Off: s.dropTrusted})
	s.Sessions.AddWait(s.waitEndsAt)
	s.Sessions.AddBegun(func(ctx context.Context, tx *db.Tx, id account.ID) error {
		return s.Accounts.DropLinks(ctx, tx, trustedLink, id)
	})
	s.Accounts.Keep(trustedLine, account.Keeper{Forget: func(ctx context.Context, tx *db.Tx, id account.ID) error { return dropWait(ctx, tx, id) }})
}

// Trusted is what an owner sees of the trusted address.
type Trusted struct {
	Email      string     `json:"email,omitempty" doc:"The verified address."`
	VerifiedAt *time.Time `json:"verified_at,omitempty"`
	UsableFrom *time.Time `json:"usable_from,omitempty" doc:"From when on it lets its reader recover the account."`
	Pending    string     `json:"pending_email,omitempty" doc:"The address that waits for its link to be used."`
}

// usableFrom is when a trusted address begins to count.
func (s *Service) usableFrom(t account.Trusted) time.Time { return t.VerifiedAt.Add(s.Cooldown) }

func (s *Service) usable(t account.Trusted) bool {
	return t.Email != "" && !s.Now().Before(s.usableFrom(t))
}

// ReadTrusted returns the trusted address of an account, and the one that waits.
func (s *Service) ReadTrusted(ctx context.Context, id account.ID) (Trusted, error) {
	var out Trusted
	err := s.DB.Read(ctx, func(tx *db.Tx) error {
		t, err := s.Accounts.TrustedAddress(ctx, tx, id)
		if err != nil {
			return err
		}
		out = Trusted{Email: t.Email}
		if t.Email != "" {
			from := s.usableFrom(t)
			out.VerifiedAt, out.UsableFrom = &t.VerifiedAt, &from
		}
		out.Pending, err = s.Accounts.Pending(ctx, tx, trustedLink, id)
		return err
	})
	return out, err
}

// trustedPayload is the payload of the job that mails the link.
type trustedPayload struct {
	Account account.ID     `json:"account"`
	Email   string         `json:"email"`
	Link    string         `json:"link"`
	From    account.Source `json:"from"`
}

// AskTrusted mails a link to an address. Until the link is used, the address gets nothing
// else, and the trusted address stays what it is. Every verified address is told. Codes:
// validation_failed, needs_two_layers, rate_limited.
func (s *Service) AskTrusted(ctx context.Context, c rest.Caller, email string, from account.Source) error {
	id := account.ID(c.Account)
	email, err := account.NormalEmail("/email", email)
	if err != nil {
		return err
	}
	if err := s.Limit.TakeAll(ctx, limit.Call{Rule: trustedLimit, Key: string(id)}, limit.Call{Rule: s.Accounts.MailAddressLimit, Key: from.Addr}); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := s.holdRecovery(ctx, tx, c); err != nil {
			return err
		}
		if _, err := s.needLayers(ctx, tx, id); err != nil {
			return err
		}
		to, err := s.Accounts.Contact(ctx, tx, id)
		if err != nil {
			return err
		}
		if account.SameMailbox(to.Email, email) {
			return fault.InvalidField("/email", "is_primary", "That is your primary address. A trusted address is another mailbox.")
		}
		now, err := s.Accounts.TrustedAddress(ctx, tx, id)
		if err != nil {
			return err
		}
		if account.SameMailbox(now.Email, email) {
			return fault.InvalidField("/email", "unchanged", "That is your trusted address already.")
		}
		link, err := s.Accounts.NewLink(ctx, tx, trustedLink, id, email)
		if err != nil {
			return err
		}
		if err := s.Events.Record(ctx, tx, event.Event{Kind: trustedAsked, Account: string(id)}); err != nil {
			return err
		}
		return s.Jobs.Enqueue(ctx, tx, trustedLinkJob, trustedPayload{id, email, link, from})
	})
}

// runTrustedLink mails the link, unless too much is mailed there: an owner must not bury a
// stranger's mailbox.
func (s *Service) runTrustedLink(ctx context.Context, payload []byte) error {
	var in trustedPayload
	if err := json.Unmarshal(payload, &in); err != nil {
		return jobs.Permanent(err)
	}
	if may, err := s.Accounts.MayMail(ctx, in.Email, in.From); err != nil || !may {
		return err
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		return s.Accounts.MailTo(ctx, tx, in.Account, mail.Message{Kind: trustedLink.Name, To: in.Email, Data: map[string]string{"link": in.Link}})
	})
}

// VerifyTrusted uses the mailed link: its address becomes the trusted one. Every address is
// told, and so is the trusted address before. A refusal leaves the link good. Codes:
// link_gone, needs_two_layers, trusted_is_primary.
func (s *Service) VerifyTrusted(ctx context.Context, token string) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		l, err := s.Accounts.UseLink(ctx, tx, trustedLink, token)
		if err != nil {
			return err
		}
		if _, err := s.needLayers(ctx, tx, l.Account); err != nil {
			return err
		}
		before, err := s.Accounts.SetTrusted(ctx, tx, l.Account, l.Data)
		if err != nil {
			return err
		}
		if err := dropWait(ctx, tx, l.Account); err != nil {
			return err
		}
		if err := s.Events.Record(ctx, tx, event.Event{Kind: trustedSet, Account: string(l.Account)}); err != nil || before.Email == "" {
			return err
		}
		return s.Accounts.MailTo(ctx, tx, l.Account, mail.Message{
			Kind: trustedDropped, To: before.Email, Data: map[string]string{"time": s.Now().UTC().Format(time.RFC3339)},
		})
	})
}

// DropTrusted turns the trusted address off, and voids a link for another one.
func (s *Service) DropTrusted(ctx context.Context, c rest.Caller) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		id := account.ID(c.Account)
		if err := s.holdRecovery(ctx, tx, c); err != nil {
			return err
		}
		if err := s.Accounts.DropLinks(ctx, tx, trustedLink, id); err != nil {
			return err
		}
		return s.dropTrusted(ctx, tx, id)
	})
}

// dropTrusted turns the trusted address off. The address itself is told too. That there is
// none is no error, and tells nobody.
func (s *Service) dropTrusted(ctx context.Context, tx *db.Tx, id account.ID) error {
	now, err := s.Accounts.TrustedAddress(ctx, tx, id)
	if err == nil && now.Email != "" {
		err = s.Events.Record(ctx, tx, event.Event{Kind: trustedDropped, Account: string(id)})
	}
	if err == nil {
		_, err = s.Accounts.DropTrusted(ctx, tx, id)
	}
	if err != nil {
		return err
	}
	return dropWait(ctx, tx, id)
}

func (s *Service) trustedOn(ctx context.Context, q db.Querier, id account.ID) (bool, error) {
	t, err := s.Accounts.TrustedAddress(ctx, q, id)
	return t.Email != "", err
}

func (s *Service) protectTrusted(ctx context.Context, q db.Querier, id account.ID) (account.Protection, error) {
	t, err := s.Accounts.TrustedAddress(ctx, q, id)
	if err != nil || t.Email == "" {
		return account.Protection{}, err
	}
	p := account.Used(t.VerifiedAt.UnixMilli(), nil)
	p.Hint = account.MaskEmail(t.Email)
	return p, nil
}
