package session

import (
	"context"
	"errors"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/limit"
	"coffer/internal/mail"
)

// The mailed link of a held sign-in. It signs nobody in: it makes the account take a right
// password again, and its browser known. It works once, and all others of the account end
// with it. Whoever guesses causes one mail a day at most; whoever knows the password a few an
// hour.

// The kinds of its mail. Both have the header "unlock".
const (
	unlockMail  = "unlock"         // a right password was given
	guessedMail = "unlock-guesses" // many wrong ones were
)

var (
	unlockPurpose = account.Purpose{Name: unlockMail, Page: "/unlock", Several: true}

	unlockMailLimit  = limit.Rule{Name: "unlock-mail", Limit: 3, Window: time.Hour}
	guessedMailLimit = limit.Rule{Name: "unlock-guesses", Limit: 1, Window: 24 * time.Hour}
)

// tellHeld mails a link to the owner of the account that a held guess was at.
func (s *Service) tellHeld(ctx context.Context, g guess, right bool) error {
	who := g.found.ID
	if who == "" {
		return nil
	}
	kind, rule := guessedMail, guessedMailLimit
	if right {
		kind, rule = unlockMail, unlockMailLimit
	}
	err := s.Limit.Take(ctx, rule, string(who))
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind == fault.Limited {
		return nil
	}
	if err != nil {
		return err
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.Accounts.Hold(ctx, tx, who); err != nil {
			return err
		}
		to, err := s.Accounts.Contact(ctx, tx, who)
		if err != nil {
			return err
		}
		data := s.told(g.client.UserAgent, g.client.Addr.String())
		if data["link"], err = s.Accounts.NewLink(ctx, tx, unlockPurpose, who, ""); err != nil {
			return err
		}
		data["name"], data["time"] = to.FirstName, s.Now().UTC().Format(time.RFC3339)
		return s.Jobs.Enqueue(ctx, tx, mail.Job, mail.Message{Kind: kind, To: to.Email, Lang: to.Lang, Data: data})
	})
	if errors.Is(err, account.ErrNotFound) {
		return nil // deleted meanwhile
	}
	if err != nil { // the next guess tries again
		err = errors.Join(err, s.Limit.Refund(context.WithoutCancel(ctx), rule, string(who)))
	}
	return err
}

// KnownDevice is a device that a mailed link made known. Token is "" when it was known already.
type KnownDevice struct {
	Token string
	Life  time.Duration
}

// Confirm uses the mailed link of a held sign-in. The failures that were counted go, and with
// them an admin's lock. The caller becomes a device that strangers' guesses do not hold, which
// has passed no layer: for DeviceTTL, or for confirmTime where it is not to be remembered.
// present is the token of a device that the caller is already. Of many callers with one link,
// one gets that done. Code link_gone.
func (s *Service) Confirm(ctx context.Context, token, present string, remember bool) (KnownDevice, error) {
	var out KnownDevice
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		out = KnownDevice{}
		l, err := s.Accounts.UseLink(ctx, tx, unlockPurpose, token)
		if err != nil {
			return err
		}
		if err := s.Accounts.DropLinks(ctx, tx, unlockPurpose, l.Account); err != nil {
			return err
		}
		now := s.Now()
		if err := s.confirm(ctx, tx, l.Account); err != nil {
			return err
		}
		st, err := s.Accounts.Hold(ctx, tx, l.Account)
		if err != nil {
			return err
		}
		key, err := s.Accounts.DataKey(ctx, tx, l.Account)
		if err != nil {
			return err
		}
		d, err := readDevice(ctx, tx, tokenDigest([]byte(present)), now.UnixMilli())
		if err == nil && d.Account == st.ID && d.Ver == st.SessionEpoch && d.check(key, tokenDigest([]byte(present))) == nil {
			out.Life = time.UnixMilli(d.Expires).Sub(now)
			return nil
		}
		if err != nil && !errors.Is(err, db.ErrNoRows) {
			return err
		}
		life := s.DeviceTTL
		if !remember {
			life = min(life, confirmTime)
		}
		raw, err := s.random(32)
		if err != nil {
			return err
		}
		out = KnownDevice{deviceVersion + b64.EncodeToString(raw), life}
		digest := tokenDigest([]byte(out.Token))
		r := deviceRow{Account: st.ID, Ver: st.SessionEpoch, Family: digest, Linked: true, Expires: now.Add(life).UnixMilli()}
		r.Seal = key.Seal("devices", "seal", b64.EncodeToString(digest), r.bound())
		return insertDevice(ctx, tx, digest, r)
	})
	if errors.Is(err, account.ErrNotFound) {
		err = account.ErrLinkGone
	}
	return out, err
}
