package passkey

import (
	"bytes"
	"context"
	"errors"

	"github.com/go-webauthn/webauthn/protocol"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/keyring"
	"coffer/internal/limit"
	"coffer/internal/rest"
	"coffer/internal/session"
)

// assertion is a passkey's answer whose signature is right. Its sign count and backup flags
// are not judged yet.
type assertion struct {
	row
	data protocol.AuthenticatorData
}

// methods are the authentication methods that a passkey shows (RFC 8176): a key in hardware,
// or one that may be copied to other devices, and the person's verification.
func (a assertion) methods() []string {
	key := "hwk"
	if a.data.Flags.HasBackupEligible() {
		key = "swk"
	}
	return []string{key, "user", "mfa"}
}

// BeginSignIn returns the options of a sign-in. They differ in the challenge alone, for every
// caller. Codes: passkeys_unavailable, rate_limited.
func (s *Service) BeginSignIn(ctx context.Context, c rest.Client) (*RequestOptions, error) {
	if !s.on {
		return nil, errUnavailable
	}
	if err := s.Limit.Take(ctx, s.BeginLimit, limit.AddrKey(c.Addr)); err != nil {
		return nil, err
	}
	challenge, err := s.begin(ctx, ceremony{Kind: signingIn})
	return s.requestOptions(challenge, []Descriptor{}), err
}

// SignIn opens a session for the owner of a passkey. It asks for no layer. Every fault of the
// answer is invalid_passkey. Codes beside: passkeys_unavailable, rate_limited,
// account_deactivated, invalid_public_key.
func (s *Service) SignIn(ctx context.Context, credential []byte, r session.SessionRequest, c rest.Client) (session.Outcome, error) {
	if !s.on {
		return session.Outcome{}, errUnavailable
	}
	entry, err := s.Sessions.Prepare(r, c)
	if err != nil {
		return session.Outcome{}, err
	}
	a, err := s.proveOwner(ctx, credential, c)
	if err != nil {
		return session.Outcome{}, err
	}
	st, err := s.Accounts.State(ctx, a.Account)
	if err != nil {
		return session.Outcome{}, gone(err)
	}
	entry.Prove(a.methods()...)
	out, err := s.Sessions.EnterProven(ctx, st, entry, func(ctx context.Context, tx *db.Tx, _ string) error { return s.spend(ctx, tx, a) })
	return out, s.told(ctx, a, gone(err))
}

// Activate mails the owner of a passkey a link to activate the account, when it is deactivated.
// The answer is one to a challenge of BeginSignIn, and is judged as at a sign-in. Codes:
// passkeys_unavailable, rate_limited, invalid_passkey.
func (s *Service) Activate(ctx context.Context, credential []byte, c rest.Client) error {
	if !s.on {
		return errUnavailable
	}
	a, err := s.proveOwner(ctx, credential, c)
	if err != nil {
		return err
	}
	var st account.State
	err = s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		if st, err = s.Accounts.Hold(ctx, tx, a.Account); err != nil {
			return err
		}
		return s.spend(ctx, tx, a)
	})
	if err = s.told(ctx, a, gone(err)); err != nil {
		return err
	}
	return s.Sessions.AskActivation(ctx, st, c)
}

// proveOwner looks at an answer to a challenge of BeginSignIn, which names no account.
func (s *Service) proveOwner(ctx context.Context, credential []byte, c rest.Client) (assertion, error) {
	return s.counting(ctx, c, ceremony{Kind: signingIn}, credential)
}

// gone answers for an account that was deleted, or whose sessions all ended, meanwhile.
func gone(err error) error {
	if errors.Is(err, account.ErrNotFound) || errors.Is(err, account.ErrCredentials) {
		return errPasskey.Because(err)
	}
	return err
}

// BeginAttempt returns the options with which a passkey passes every layer of an attempt.
// Codes: passkeys_unavailable, unauthenticated, attempt_over, not_found, rate_limited.
func (s *Service) BeginAttempt(ctx context.Context, in session.AttemptInput) (*RequestOptions, error) {
	if !s.on {
		return nil, errUnavailable
	}
	id, err := s.Sessions.AttemptOwner(ctx, in)
	if err != nil {
		return nil, err
	}
	return s.beginFor(ctx, ceremony{passing, id, in.ID, 0})
}

// PassAttempt answers an attempt with a passkey. A wrong answer counts as one of the
// attempt's. Codes: passkeys_unavailable, unauthenticated, attempt_over, invalid_passkey.
func (s *Service) PassAttempt(ctx context.Context, in session.AttemptInput, credential []byte) (session.Outcome, error) {
	if !s.on {
		return session.Outcome{}, errUnavailable
	}
	id, err := s.Sessions.AttemptOwner(ctx, in)
	if err != nil {
		return session.Outcome{}, err
	}
	// The key store is asked before the transaction of the attempt. What it found is judged
	// inside, where a wrong answer is counted.
	a, refusal := s.prove(ctx, credential, ceremony{passing, id, in.ID, 0})
	out, err := s.Sessions.PassAll(ctx, in, func(ctx context.Context, tx *db.Tx, _ account.ID) ([]string, error) {
		if refusal != nil {
			return nil, refusal
		}
		return a.methods(), s.spend(ctx, tx, a)
	})
	return out, s.told(ctx, a, err)
}

// BeginRenewal returns the options of a fresh proof. Codes: passkeys_unavailable, rate_limited.
func (s *Service) BeginRenewal(ctx context.Context, c rest.Caller) (*RequestOptions, error) {
	if !s.on {
		return nil, errUnavailable
	}
	return s.beginFor(ctx, ceremony{renewing, account.ID(c.Account), c.Session, 0})
}

// Renew takes a passkey of the caller's account as a fresh proof, which passes every layer.
// Codes: passkeys_unavailable, rate_limited, invalid_passkey, unauthenticated.
func (s *Service) Renew(ctx context.Context, c rest.Caller, client rest.Client, credential []byte) (session.Outcome, error) {
	if !s.on {
		return session.Outcome{}, errUnavailable
	}
	of := ceremony{renewing, account.ID(c.Account), c.Session, 0}
	a, err := s.counting(ctx, client, of, credential)
	if err != nil {
		return session.Outcome{}, err
	}
	out, err := s.Sessions.Renew(ctx, c, a.methods(), true, func(ctx context.Context, tx *db.Tx, _ string) error { return s.spend(ctx, tx, a) })
	return out, s.told(ctx, a, err)
}

// refuse gives a refusal its cause, which only the log tells: an operator whose page has
// another origin finds it there.
func (s *Service) refuse(ctx context.Context, as *fault.Error, cause error) error {
	s.Log.DebugContext(ctx, "passkey: refused", "code", as.Code, "cause", cause)
	return as.Because(cause)
}

// counting counts an answer of an address as a failed sign-in before it is looked at, and
// takes that back unless it was wrong.
func (s *Service) counting(ctx context.Context, c rest.Client, of ceremony, credential []byte) (assertion, error) {
	rule, addr := s.Sessions.AddressLimit, limit.AddrKey(c.Addr)
	if err := s.Limit.Take(ctx, rule, addr); err != nil {
		return assertion{}, err
	}
	a, err := s.prove(ctx, credential, of)
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != errPasskey.Code {
		if back := s.Limit.Refund(ctx, rule, addr); back != nil {
			s.Log.WarnContext(ctx, "passkey: a limit stays taken", "err", back)
		}
	}
	// A sign-in names no account: what it names proves nothing.
	return a, s.Sessions.Failed(ctx, err, session.Failure{Account: of.Account, Method: "passkey", Client: c, Session: of.Place})
}

// beginFor begins a ceremony of an account, whose passkeys the options name.
func (s *Service) beginFor(ctx context.Context, c ceremony) (*RequestOptions, error) {
	key, err := s.Accounts.DataKey(ctx, s.DB, c.Account)
	if err != nil {
		return nil, ended(err)
	}
	allow, err := s.descriptors(ctx, s.DB, key, c.Account)
	if err == nil && len(allow) == 0 && c.Kind == passing {
		err = session.ErrNotAsked
	}
	if err == nil {
		err = s.mayBegin(ctx, c.Account)
	}
	if err != nil {
		return nil, err
	}
	challenge, err := s.begin(ctx, c)
	return s.requestOptions(challenge, allow), err
}

// mayBegin bounds the challenges that wait for one account in the key store. Code rate_limited.
func (s *Service) mayBegin(ctx context.Context, id account.ID) error {
	return s.Limit.Take(ctx, s.BeginLimit, "account "+string(id))
}

// prove looks at an answer: its challenge, which is used up, its credential and its
// signature. Every fault is invalid_passkey; the log has the cause.
func (s *Service) prove(ctx context.Context, credential []byte, c ceremony) (assertion, error) {
	in, said, err := parseAssertion(credential)
	if err != nil {
		return assertion{}, s.refuse(ctx, errPasskey, err)
	}
	err = s.take(ctx, said.Challenge, c)
	if errors.Is(err, errChallenge) {
		err = s.refuse(ctx, errPasskey, err)
	}
	if err != nil {
		return assertion{}, err
	}
	r, key, rec, err := s.lookUp(ctx, in.RawID)
	switch {
	case errors.Is(err, db.ErrNoRows), errors.Is(err, account.ErrNotFound), altered(err):
		return assertion{}, s.refuse(ctx, errPasskey, err)
	case err != nil:
		return assertion{}, err
	case c.Account != "" && c.Account != r.Account:
		return assertion{}, s.refuse(ctx, errPasskey, errors.New("a passkey of another account"))
	}
	// A discoverable credential tells whose it is (§7.2 step 6). Where the server has named the
	// credentials, the authenticator may leave that out.
	owner := in.Response.UserHandle
	if (c.Account == "" || len(owner) > 0) && !bytes.Equal(owner, handle(key)) {
		return assertion{}, s.refuse(ctx, errPasskey, errors.New("another user handle"))
	}
	if err := s.party.assert(in, said, said.Challenge, rec); err != nil {
		return assertion{}, s.refuse(ctx, errPasskey, err)
	}
	return assertion{r, in.Response.AuthenticatorData}, nil
}

// lookUp finds the passkey of a credential. An index that was altered leads to a key that has
// not signed.
func (s *Service) lookUp(ctx context.Context, credential []byte) (row, *keyring.DataKey, record, error) {
	indexes, err := s.indexes(ctx, credential)
	if err != nil {
		return row{}, nil, record{}, err
	}
	r, err := find(ctx, s.DB, indexes)
	if err != nil {
		return r, nil, record{}, err
	}
	key, err := s.Accounts.DataKey(ctx, s.DB, r.Account)
	if err != nil {
		return r, nil, record{}, err
	}
	rec, err := s.open(ctx, key, r)
	return r, key, rec, err
}

// spend judges the sign count and flags of a right answer and notes the use, in the transaction that
// the answer is for. The row stays locked, and the statement that replaces the record
// decides: of two answers with one count, one passes. Code invalid_passkey.
func (s *Service) spend(ctx context.Context, tx *db.Tx, a assertion) error {
	r, key, rec, err := s.held(ctx, tx, a)
	if err != nil {
		return err
	}
	next, err := rec.next(a.data)
	if err != nil {
		return s.refuse(ctx, errPasskey, err)
	}
	sealed, err := sealRecord(key, r, next)
	if err != nil {
		return err
	}
	won, err := advance(ctx, tx, r, sealed, s.Now().UnixMilli())
	if err == nil && !won {
		err = s.refuse(ctx, errPasskey, errors.New("used at the same moment"))
	}
	return err
}

// held locks the row of an answer. Code invalid_passkey when it is gone.
func (s *Service) held(ctx context.Context, tx *db.Tx, a assertion) (row, *keyring.DataKey, record, error) {
	key, err := s.Accounts.DataKey(ctx, tx, a.Account)
	if err != nil {
		return row{}, nil, record{}, gone(err)
	}
	r, err := hold(ctx, tx, a.Account, a.ID)
	if errors.Is(err, db.ErrNoRows) {
		return row{}, nil, record{}, s.refuse(ctx, errPasskey, err) // removed meanwhile
	}
	if err != nil {
		return row{}, nil, record{}, err
	}
	rec, err := s.open(ctx, key, r)
	if altered(err) {
		err = s.refuse(ctx, errPasskey, err)
	}
	return r, key, rec, err
}

// told tells the owner of an answer that only a copy gives, at most once a day for a passkey:
// the holder of a copy must not fill the mailbox. It returns the refusal.
func (s *Service) told(ctx context.Context, a assertion, refusal error) error {
	if !errors.Is(refusal, errCopied) {
		return refusal
	}
	err := s.DB.Tx(context.WithoutCancel(ctx), func(tx *db.Tx) error {
		if _, err := s.Accounts.Hold(ctx, tx, a.Account); err != nil {
			return err
		}
		r, key, rec, err := s.held(ctx, tx, a)
		if err != nil {
			return err
		}
		now := s.Now().UnixMilli()
		if rec.ToldAt != 0 && now-rec.ToldAt < tellInterval.Milliseconds() {
			return nil
		}
		rec.ToldAt = now
		sealed, err := sealRecord(key, r, rec)
		if err != nil {
			return err
		}
		if err := amend(ctx, tx, r, sealed); err != nil {
			return err
		}
		return s.Events.Record(ctx, tx, event.Event{Kind: copied, Account: string(a.Account)})
	})
	if err != nil {
		s.Log.ErrorContext(ctx, "passkey: the owner was not told of a copied passkey", "account", string(a.Account), "err", err)
	}
	return refusal
}
