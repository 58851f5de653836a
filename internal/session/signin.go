package session

import (
	"context"
	"errors"

	"coffer/internal/account"
	"coffer/internal/limit"
	"coffer/internal/rest"
)

// SignIn checks a password and goes on with Enter. Failures are counted before the
// password is looked at and taken back when it is right, so that guesses at once count as
// well. Codes beside Enter's: invalid_credentials, rate_limited, busy.
func (s *Service) SignIn(ctx context.Context, identifier, password string, o Opening, b Browser, c rest.Client) (*Answer, error) {
	if o.PublicKey != nil {
		// Before a password is hashed for somebody who could not get a session anyway.
		if _, err := parseClientKey(o.PublicKey); err != nil {
			return nil, err
		}
	}
	// Before anything is looked up for an address that has failed too often.
	if err := s.Limit.Ask(ctx, s.AddressLimit, limit.AddrKey(c.Addr)); err != nil {
		return nil, err
	}
	key, id, err := s.Accounts.LimitKey(ctx, identifier)
	if err != nil {
		return nil, err
	}
	who, err := s.guesser(ctx, key, id, o, b)
	if err != nil {
		return nil, err
	}
	var st account.State
	err = s.guessing(ctx, who, c, func() error {
		var err error
		st, err = s.Accounts.CheckPassword(ctx, identifier, password)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.Enter(ctx, Entry{Account: st, AMR: "pwd", Opening: o, Browser: b, Client: c})
}

// guesser returns whose failures a sign-in to account id under key counts among: those of
// all strangers who try key, or those of the one device that the owner has used before,
// which what strangers do to the account's limit does not shut out.
func (s *Service) guesser(ctx context.Context, key string, id account.ID, o Opening, b Browser) (string, error) {
	d, digest, err := s.deviceOf(ctx, o, b)
	if err != nil || id == "" || d.Account != id {
		return key, err
	}
	st, err := s.Accounts.State(ctx, d.Account)
	if errors.Is(err, account.ErrNotFound) || err == nil && st.SessionEpoch != d.Ver {
		return key, nil
	}
	return string(id) + " device " + b64.EncodeToString(digest), err
}

// guessing runs check, which may be a guess of who at a password, within the limits.
func (s *Service) guessing(ctx context.Context, who string, c rest.Client, check func() error) error {
	addr := limit.AddrKey(c.Addr)
	calls := []limit.Call{{Rule: s.AddressLimit, Key: addr}, {Rule: s.PairLimit, Key: addr + " " + who}, {Rule: s.AccountLimit, Key: who}}
	if err := s.Limit.TakeAll(ctx, calls...); err != nil {
		return err
	}
	err := check()
	if errors.Is(err, account.ErrCredentials) {
		return err
	}
	// Right, or not judged: it was no failure.
	if back := s.Limit.RefundAll(context.WithoutCancel(ctx), calls...); back != nil {
		s.Log.WarnContext(ctx, "session: a limit stays taken", "err", back)
	}
	return err
}

// Reauthenticate takes the password as a fresh proof. An account with layers, in a session
// that passed none of them, is asked for those too: the answer is a challenge then.
func (s *Service) Reauthenticate(ctx context.Context, c rest.Caller, client rest.Client, password string) (*Answer, error) {
	id := account.ID(c.Account)
	// Strangers who guess do not take this from somebody who is signed in.
	err := s.guessing(ctx, c.Account+" signed in", client, func() error { return s.Accounts.CheckPasswordOf(ctx, id, password) })
	if err != nil {
		return nil, err
	}
	st, err := s.Accounts.State(ctx, id)
	if err != nil {
		return nil, err
	}
	p := plan{Account: id, Ver: st.SessionEpoch, AMR: []string{"pwd"}, Renews: c.Session}
	if c.AAL == AAL2 {
		p.AMR = c.AMR // the methods that this session has passed
		return s.renew(ctx, p, AAL2, nil)
	}
	layers, err := s.enabled(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(layers) > 0 {
		return s.begin(ctx, p, layers)
	}
	return s.renew(ctx, p, c.AAL, nil)
}

// SignOut ends the session that an access token or, where that has expired, a refresh
// token stands for; it is dead everywhere when SignOut returns.
func (s *Service) SignOut(ctx context.Context, authorization, refresh string) error {
	if token, ok := credentials(authorization, "Bearer"); ok {
		v, p, _, err := s.authenticate(ctx, token)
		switch {
		case err == nil:
			return s.end(ctx, p.UID, v.sid)
		case !errors.Is(err, errToken) && !errors.Is(err, errEnded) && !errors.Is(err, account.ErrNotFound):
			return err
		}
	}
	owner, sid, err := s.sessionOf(ctx, refresh)
	if err != nil {
		return err
	}
	if sid == "" {
		return errUnauthenticated
	}
	return s.end(ctx, owner, sid)
}
