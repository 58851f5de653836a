package session

import (
	"context"
	"errors"
	"strings"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/keyring"
	"coffer/internal/limit"
	"coffer/internal/rest"
	"coffer/internal/token"
)

// Entry is what a client asks of the session that its call opens, checked. The call's own
// proof may be a password, or a mailed link in another room.
type Entry struct {
	pending pendingSession
	former  string // see SessionRequest
	device  string // token of a remembered device
	client  rest.Client
}

// Prepare checks what a client asks of a session. A room calls it before it changes
// anything. amr names the proofs of its call (RFC 8176). Codes: invalid_public_key,
// validation_failed.
func (s *Service) Prepare(r SessionRequest, c rest.Client, amr ...string) (Entry, error) {
	e := Entry{former: r.Former, device: r.DeviceToken, client: c, pending: pendingSession{
		AMR: amr, Name: cleanName(r.DeviceName), UserAgent: c.UserAgent, Addr: c.Addr.String(),
		Remember: r.RememberDevice, InBody: r.RefreshIn == inBody, Bound: r.Binding == bindingProof,
	}}
	if r.PublicKey != nil {
		var err error
		if e.pending.PublicKey, err = token.ParseKey(r.PublicKey); err != nil {
			return Entry{}, err
		}
	} else if e.pending.Bound {
		return Entry{}, fault.InvalidField("/public_key", "required", "A session with proofs needs the client's public key.")
	}
	return e, nil
}

// The values of binding.
const (
	bindingNone  = "none"
	bindingProof = "proof"
)

// Enter opens a session for the owner of an account, who has given the proof of e. It asks
// for every layer of the account: a remembered device spares none here. st is the account's
// state after all that the room has changed. Code account_deactivated.
func (s *Service) Enter(ctx context.Context, st account.State, e Entry) (Outcome, error) {
	// The proof counts, even if no session opens: a deactivated account's owner needs the
	// password next, and strangers' guesses must not be in the way.
	s.forgive(ctx, st.ID, limit.AddrKey(e.client.Addr))
	return s.enter(ctx, st, knownDevice{}, e)
}

// EnterRemembered is Enter for a proof that stands in a password's place: a remembered device
// is spared the layers that it has passed. Failed sign-ins stay counted.
func (s *Service) EnterRemembered(ctx context.Context, st account.State, e Entry) (Outcome, error) {
	known, err := s.knownDevice(ctx, st, e.device)
	if err != nil {
		return Outcome{}, err
	}
	v, err := s.verdict(ctx, st, strings.Join(e.pending.AMR, " "), known, e.client)
	if err != nil {
		return Outcome{}, err
	}
	if v.AskAll {
		known = known.asked()
	}
	return s.enter(ctx, st, known, e)
}

// EnterProven opens a session for the owner of an account, whose proof e passes every layer:
// it asks for none, also where the owner chose "always ask". The session is aal2, and its
// device is not remembered. first runs in the transaction that opens the session, when the
// account's row is locked, and may refuse. A state of an older epoch opens nothing. Codes:
// account_deactivated, invalid_credentials, and those of first.
func (s *Service) EnterProven(ctx context.Context, st account.State, e Entry, first func(ctx context.Context, tx *db.Tx, sessionID string) error) (Outcome, error) {
	// A device that is remembered stays so when its owner ends the other sessions.
	known, err := s.knownDevice(ctx, st, e.device)
	if err != nil {
		return Outcome{}, err
	}
	e.pending.Device, e.pending.Family, e.pending.Linked = known.digest, known.family, known.linked
	return s.enterAtOnce(ctx, st, e, AAL2, known.key, first)
}

// enterAtOnce opens a session that asks for no layer and remembers no device.
func (s *Service) enterAtOnce(ctx context.Context, st account.State, e Entry, aal string, key *keyring.DataKey, first func(ctx context.Context, tx *db.Tx, sessionID string) error) (Outcome, error) {
	if err := mayEnter(st); err != nil {
		return Outcome{}, err
	}
	p := e.pending
	replaced, err := s.rowOf(ctx, e.former)
	if err != nil {
		return Outcome{}, err
	}
	p.Owner, p.Replaces = replaced.Account, replaced.ID
	p.Account, p.Ver, p.Remember = st.ID, st.SessionEpoch, false
	return s.open(ctx, p, aal, key, func(ctx context.Context, tx *db.Tx, id string) error {
		now, err := s.Accounts.Hold(ctx, tx, p.Account)
		switch {
		case errors.Is(err, account.ErrNotFound) || err == nil && now.SessionEpoch != p.Ver:
			return account.ErrCredentials
		case err == nil:
			err = mayEnter(now)
		}
		if err != nil {
			return err
		}
		return first(ctx, tx, id)
	})
}

// mayEnter refuses an account that opens no session. One that is being deleted is answered as
// if it never was: nothing activates it.
func mayEnter(st account.State) error {
	switch st.Status {
	case account.Active:
		return nil
	case account.Deleting:
		return account.ErrCredentials
	case account.Suspended:
		return ErrSuspended
	}
	return ErrDeactivated
}

// Closed reports whether err says that an account is deactivated or suspended.
func Closed(err error) bool { return errors.Is(err, ErrDeactivated) || errors.Is(err, ErrSuspended) }

// forgive forgets the failed sign-ins to an account from anywhere, and those from addr. Its
// owner has proven the mailbox, and guesses at a password that is gone count for nothing.
// What addr has failed in all stays counted.
func (s *Service) forgive(ctx context.Context, id account.ID, addr string) {
	subjects, err := s.Accounts.LimitKeys(ctx, id)
	if err == nil {
		var calls []limit.Call
		for _, subject := range append(subjects, signedIn(id)) {
			calls = append(calls, limit.Call{Rule: s.AccountLimit, Key: subject}, limit.Call{Rule: s.PairLimit, Key: addr + " " + subject})
		}
		err = s.Limit.Clear(ctx, calls...)
	}
	if err == nil {
		err = s.DB.Tx(ctx, func(tx *db.Tx) error { return s.confirm(ctx, tx, id) })
	}
	if err != nil {
		s.Log.WarnContext(ctx, "session: failed sign-ins stay counted", "account", string(id), "err", err)
	}
}

// OpenDoor takes the failed sign-ins to an account from anywhere out of the limits of its
// identifiers, as when an admin unlocks it. Guesses that go on hold its door again.
func (s *Service) OpenDoor(ctx context.Context, id account.ID) error {
	subjects, err := s.Accounts.LimitKeys(ctx, id)
	if err != nil {
		return err
	}
	var calls []limit.Call
	for _, subject := range subjects {
		calls = append(calls, limit.Call{Rule: s.AccountLimit, Key: subject})
	}
	return s.Limit.Clear(ctx, calls...)
}

// CheckCredentials returns the account whose identifier and password a caller gives, whatever
// its status. The limits are those of a sign-in. Codes: invalid_credentials, sign_in_held, rate_limited, busy.
func (s *Service) CheckCredentials(ctx context.Context, identifier, password string, c rest.Client) (account.State, error) {
	found, _, err := s.credentials(ctx, identifier, password, "", c)
	return found.State, err
}

// AddActivation adds the room that mails a link to activate a deactivated account, as a
// client asks for it. The room calls it when it is made, before the first request.
func (s *Service) AddActivation(mail func(ctx context.Context, id account.ID, c rest.Client) error) {
	s.mail = mail
}

// AskActivation mails a link to activate the account of st, whose owner has given a first
// proof. It does nothing for an account that is active. Code account_suspended: the owner
// would wait for a mail in vain.
func (s *Service) AskActivation(ctx context.Context, st account.State, c rest.Client) error {
	if st.Status == account.Suspended {
		return ErrSuspended
	}
	if st.Status != account.Deactivated {
		return nil
	}
	return s.mail(ctx, st.ID, c)
}
