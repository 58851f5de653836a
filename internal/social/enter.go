package social

import (
	"context"
	"errors"
	"strings"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/rest"
	"coffer/internal/session"
)

// signed is the part of a token that its signature covers. The signature itself may have
// several forms.
func signed(token string) string { return token[:max(0, strings.LastIndexByte(token, '.'))] }

// enter opens a session for a person, or begins an attempt. A person without an account gets
// one first.
func (s *Service) enter(ctx context.Context, provider string, p person, n Newcomer, e session.Entry) (session.Outcome, error) {
	id, err := s.owner(ctx, s.DB, p)
	if errors.Is(err, errNotLinked) {
		id, err = s.join(ctx, provider, p, n)
	}
	if err != nil {
		return session.Outcome{}, err
	}
	st, err := s.state(ctx, id)
	if err != nil {
		return session.Outcome{}, err
	}
	if err := s.use(ctx, p, id); err != nil {
		return session.Outcome{}, err
	}
	return s.Sessions.EnterRemembered(ctx, st, e)
}

// state reads an account's state. Code link_gone when it is gone, or is being deleted.
func (s *Service) state(ctx context.Context, id account.ID) (account.State, error) {
	st, err := s.Accounts.State(ctx, id)
	if errors.Is(err, account.ErrNotFound) || err == nil && st.Status == account.Deleting {
		err = account.ErrLinkGone // deleted meanwhile
	}
	return st, err
}

// Activate mails the owner of a known person's account a link to activate it, when it is
// deactivated. The code is one of a sign-in and stays good: the mail may be asked for again.
// Codes: link_gone, identity_altered.
func (s *Service) Activate(ctx context.Context, code, browser string, c rest.Client) error {
	a, _, err := s.arrived(ctx, code, browser)
	if err == nil && a.Purpose != signIn {
		err = account.ErrLinkGone
	}
	if err != nil {
		return err
	}
	id, err := s.owner(ctx, s.DB, a.Person)
	if errors.Is(err, errNotLinked) {
		err = account.ErrLinkGone
	}
	if err != nil {
		return err
	}
	st, err := s.state(ctx, id)
	if err != nil {
		return err
	}
	return s.Sessions.AskActivation(ctx, st, c)
}

// owner returns the account that a person's identity belongs to; errNotLinked when it has none.
func (s *Service) owner(ctx context.Context, q db.Querier, p person) (account.ID, error) {
	r, known, err := s.find(ctx, q, p)
	if err == nil && !known {
		err = errNotLinked
	}
	return r.Account, err
}

// use notes the use of an identity after its account's state was read. One that was removed with
// the end of all sessions before that opens nothing: code link_gone. One that is removed later
// opens a session of a former epoch.
func (s *Service) use(ctx context.Context, p person, id account.ID) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		r, known, err := s.find(ctx, tx, p)
		if err == nil && (!known || r.Account != id) {
			err = account.ErrLinkGone
		}
		if err != nil {
			return err
		}
		return markUsed(ctx, tx, r.ID, s.Now().UnixMilli())
	})
}

// join makes an account for a person with a proven address. Of first sign-ins at once, all end
// in one account. Codes: email_unverified, link_needed, username_taken, validation_failed.
func (s *Service) join(ctx context.Context, provider string, p person, n Newcomer) (account.ID, error) {
	if !proven(p) {
		return "", errUnverified
	}
	chosen := n.Username != ""
	for try := 0; ; try++ {
		found, err := s.Accounts.Find(ctx, p.Email)
		if err != nil {
			return "", err
		}
		if found.ID != "" {
			return s.orOwner(ctx, p, errLinkNeeded)
		}
		if !chosen {
			if n.Username, err = s.freeUsername(ctx, p); err != nil {
				return "", err
			}
		}
		id, err := s.create(ctx, provider, p, n)
		switch code := fault.Of(err).Code; {
		case err == nil:
			return id, nil
		case code == account.ErrUsernameTaken.Code && !chosen && try < 3:
			// another newcomer was faster: the server proposes another name
		case code == account.ErrEmailTaken.Code:
			return s.orOwner(ctx, p, errLinkNeeded)
		case code == account.ErrUsernameTaken.Code || db.IsUnique(err):
			return s.orOwner(ctx, p, err)
		default:
			return "", err
		}
	}
}

// orOwner returns the account that the same person got meanwhile, else why. It reads where the
// other sign-in wrote: that transaction may not have ended.
func (s *Service) orOwner(ctx context.Context, p person, why error) (id account.ID, err error) {
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		id, err = s.owner(ctx, tx, p)
		return err
	})
	if errors.Is(err, errNotLinked) {
		err = why
	}
	return id, err
}

func (s *Service) create(ctx context.Context, provider string, p person, n Newcomer) (id account.ID, err error) {
	if n.FirstName == "" {
		n.FirstName = p.First
	}
	if n.LastName == "" {
		n.LastName = p.Last
	}
	newcomer, err := s.Accounts.NewFederated(ctx, account.NewAccount{
		FirstName: n.FirstName, LastName: n.LastName, Username: n.Username, Email: p.Email, Lang: n.Lang,
	})
	if err != nil {
		return "", err
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if id, err = s.Accounts.CreateFederated(ctx, tx, newcomer); err != nil {
			return err
		}
		if _, err := s.add(ctx, tx, id, provider, p, true); err != nil {
			return err
		}
		// No mail has gone to the address before: its owner learns of an account that was made on
		// the provider's word.
		return s.Events.Record(ctx, tx, event.Event{Kind: linked, Account: string(id), Data: map[string]string{"provider": s.label(provider)}})
	})
	return id, err
}

// Identity is what an owner sees of one.
type Identity struct {
	Provider   string     `json:"provider"`
	Label      string     `json:"label" doc:"The provider's name for people."`
	Email      string     `json:"email" doc:"As the provider said when it was connected; empty when it said none."`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at" doc:"The last sign-in or fresh proof with it; null before."`
}

// Identities lists those of an account, the oldest first. One that was damaged has no address.
func (s *Service) Identities(ctx context.Context, id account.ID) ([]Identity, error) {
	all := []Identity{}
	err := s.DB.Read(ctx, func(tx *db.Tx) error {
		rows, err := readIdentities(ctx, tx, id)
		if err != nil {
			return err
		}
		for _, r := range rows {
			known, err := s.open(ctx, tx, r)
			if fault.IsUnavailable(err) {
				return err
			}
			all = append(all, s.identity(r, known))
		}
		return nil
	})
	return all, err
}

func (s *Service) identity(r row, known record) Identity {
	return Identity{Provider: r.Provider, Label: s.label(r.Provider), Email: known.Email, CreatedAt: time.UnixMilli(r.Created).UTC(), LastUsedAt: at(r.Used)}
}

// Link connects the person of a code with the caller's account. The code was begun by this
// session for that; or it is one of a sign-in whose proven address is the account's own, and
// then the caller's session is the proof of the account. A refusal leaves the code good.
// Codes: link_gone, email_unverified, identity_taken, provider_linked, unauthenticated.
func (s *Service) Link(ctx context.Context, c rest.Caller, provider, code, browser string) (out Identity, err error) {
	if _, err := s.provider(provider); err != nil {
		return out, err
	}
	a, key, err := s.arrived(ctx, code, browser)
	if err != nil {
		return out, err
	}
	if a.Purpose == signIn && a.Provider == provider {
		err = s.ownAddress(ctx, account.ID(c.Account), a.Person)
	} else {
		err = a.own(provider, link, c)
	}
	if err != nil {
		return out, err
	}
	err = s.once(ctx, key, s.Accounts.CodeTTL, account.ErrLinkGone, func() (err error) {
		out, err = s.linkPerson(ctx, c, provider, a.Person)
		return err
	})
	return out, err
}

func (s *Service) ownAddress(ctx context.Context, id account.ID, p person) error {
	if !proven(p) {
		return errUnverified
	}
	found, err := s.Accounts.Find(ctx, p.Email)
	if err == nil && found.ID != id {
		err = account.ErrLinkGone
	}
	return err
}

func (s *Service) linkPerson(ctx context.Context, c rest.Caller, provider string, p person) (out Identity, err error) {
	id := account.ID(c.Account)
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := s.Sessions.Registered(ctx, tx, c, linked, map[string]string{"provider": s.label(provider)}); err != nil {
			return err
		}
		r, known, err := s.find(ctx, tx, p)
		altered := fault.Of(err).Code == errAltered.Code
		if err != nil && !altered {
			return err
		}
		if known || altered {
			return map[bool]error{true: errLinked, false: errTaken}[r.Account == id]
		}
		if _, err := readIdentity(ctx, tx, id, provider); err == nil {
			return errLinked
		} else if !errors.Is(err, db.ErrNoRows) {
			return err
		}
		r, err = s.add(ctx, tx, id, provider, p, false)
		out = s.identity(r, record{Email: p.Email})
		return err
	})
	if db.IsUnique(err) { // somebody else was faster; the account's own row is held
		err = errTaken.Because(err)
	}
	return out, err
}

// Unlink removes the caller's identity at a provider. Codes: not_found, last_way_in,
// unauthenticated.
func (s *Service) Unlink(ctx context.Context, c rest.Caller, provider string) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := s.Sessions.Changed(ctx, tx, c, unlinked, map[string]string{"provider": s.label(provider)}); err != nil {
			return err
		}
		id := account.ID(c.Account)
		if was, err := deleteIdentity(ctx, tx, id, provider); err != nil {
			return err
		} else if !was {
			return errNotLinked
		}
		return s.Accounts.KeepAWayIn(ctx, tx, id)
	})
}

// Renew takes the person of a code as a fresh proof for the caller's session, which began it.
// Codes: link_gone, wrong_identity, unauthenticated.
func (s *Service) Renew(ctx context.Context, c rest.Caller, provider, code, browser string) (out session.Outcome, err error) {
	if _, err := s.provider(provider); err != nil {
		return out, err
	}
	a, key, err := s.arrived(ctx, code, browser)
	if err == nil {
		err = a.own(provider, renew, c)
	}
	if err != nil {
		return out, err
	}
	err = s.once(ctx, key, s.Accounts.CodeTTL, account.ErrLinkGone, func() (err error) {
		out, err = s.Sessions.Renew(ctx, c, []string{session.AMRFederated}, false, func(ctx context.Context, tx *db.Tx, _ string) error {
			r, known, err := s.find(ctx, tx, a.Person)
			if err != nil {
				return err
			}
			if !known || r.Account != account.ID(c.Account) {
				return errOther
			}
			return markUsed(ctx, tx, r.ID, s.Now().UnixMilli())
		})
		return err
	})
	client, _ := rest.ClientIn(ctx)
	return out, s.Sessions.Failed(ctx, err, session.Failure{Account: account.ID(c.Account), Method: "social", Client: client, Session: c.Session})
}
