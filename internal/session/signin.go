package session

import (
	"context"
	"errors"
	"slices"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/limit"
	"coffer/internal/rest"
	"coffer/internal/token"
)

// SessionRequest is what a client asks of the session that its call may open.
type SessionRequest struct {
	PublicKey      *token.PublicKey `json:"public_key,omitempty" doc:"The client's public key; without one the server makes a throw-away pair."`
	DeviceName     string           `json:"device_name,omitempty" maxLength:"100" doc:"Name of this device in the list of sessions."`
	RememberDevice bool             `json:"remember_device,omitempty" doc:"Do not ask this device again for the layers it passes now."`
	DeviceToken    string           `json:"device_token,omitempty" maxLength:"100" doc:"Device token of an earlier sign-in with remember_device, for clients without cookies."`
	Binding        string           `json:"binding,omitempty" enum:"none,proof" default:"none" doc:"With proof the session accepts only requests that carry a signature (RFC 9421) under a key that the two public keys agree on. It needs public_key."`
	RefreshIn      string           `json:"refresh_in,omitempty" enum:"cookie,body" default:"cookie" doc:"Where the server puts refresh and device tokens. Browsers need the cookie, which scripts cannot read."`

	// Former is the refresh token that a browser holds already. A new session ends the one
	// that this token belongs to.
	Former string `json:"-"`
}

// Outcome is what came of a call that may open a session: an open session, or a challenge
// when layers are still to be passed. One of the two is nil.
type Outcome struct {
	Opened    *Opened
	Challenge *Challenge
}

// ErrDeactivated refuses a session to a deactivated account. A room that calls Enter
// declares it.
var ErrDeactivated = fault.New(fault.Forbidden, "account_deactivated", "This account is deactivated. Activate it to sign in again.")

// ErrSuspended refuses a session to an account that an operator suspended. A room that
// calls Enter declares it.
var ErrSuspended = fault.New(fault.Forbidden, "account_suspended", "An operator of this server suspended this account. Ask them.")

// SignIn checks a password. It opens a session, or begins an attempt for the layers that
// this device has yet to pass. A failure is counted before the password is looked at, and
// taken back when the password is right, so guesses at the same moment count as well.
// Codes: invalid_credentials, sign_in_held, rate_limited, busy, account_deactivated,
// account_suspended, invalid_public_key.
func (s *Service) SignIn(ctx context.Context, identifier, password string, r SessionRequest, c rest.Client) (Outcome, error) {
	// The server hashes no password for a client that could not get a session anyway.
	e, err := s.Prepare(r, c, AMRPassword)
	if err != nil {
		return Outcome{}, err
	}
	found, known, err := s.credentials(ctx, identifier, password, r.DeviceToken, c)
	if err != nil {
		return Outcome{}, err
	}
	if err := mayEnter(found.State); err != nil {
		return Outcome{}, err
	}
	v, err := s.verdict(ctx, found.State, AMRPassword, known, c)
	if err != nil {
		return Outcome{}, err
	}
	if v.Hold {
		return Outcome{}, s.hold(found.State, c)
	}
	if v.AskAll {
		known = known.asked()
	}
	return s.enter(ctx, found.State, known, e)
}

// credentials finds the account that identifier names, and checks its password within the
// limits. device is the token of a remembered device, "" for none.
func (s *Service) credentials(ctx context.Context, identifier, password, device string, c rest.Client) (account.Found, knownDevice, error) {
	// The server looks nothing up for an address that has failed too often.
	if err := s.Limit.Ask(ctx, s.AddressLimit, limit.AddrKey(c.Addr)); err != nil {
		return account.Found{}, knownDevice{}, err
	}
	found, err := s.Accounts.Find(ctx, identifier)
	if err != nil {
		return account.Found{}, knownDevice{}, err
	}
	known, err := s.knownDevice(ctx, found.State, device)
	if err != nil {
		return account.Found{}, knownDevice{}, err
	}
	g, err := s.count(ctx, found, known, c)
	if err != nil {
		return account.Found{}, knownDevice{}, err
	}
	right := s.Accounts.CheckPassword(ctx, found, password)
	err = s.settle(ctx, g, right)
	f := Failure{Account: found.ID, Subject: found.LimitKey, Method: passwordMethod, Client: c, Held: right == nil}
	if errors.Is(err, ErrSignInHeld) { // the watch hears of it as of others
		if heard := s.Failed(ctx, account.ErrCredentials, f); !errors.Is(heard, account.ErrCredentials) {
			return account.Found{}, knownDevice{}, heard
		}
		return account.Found{}, knownDevice{}, err
	}
	return found, known, s.Failed(ctx, err, f)
}

// enter goes on from a first proof that the account's owner is there.
func (s *Service) enter(ctx context.Context, st account.State, known knownDevice, e Entry) (Outcome, error) {
	if err := mayEnter(st); err != nil {
		return Outcome{}, err
	}
	p := e.pending
	replaced, err := s.rowOf(ctx, e.former)
	if err != nil {
		return Outcome{}, err
	}
	p.Owner, p.Replaces = replaced.Account, replaced.ID
	p.Account, p.Ver = st.ID, st.SessionEpoch
	p.Device, p.Family, p.Linked = known.digest, known.family, known.linked
	if !st.AlwaysAsk {
		p.Known, p.KnownTill = known.layers, known.expires
	}
	layers, err := s.enabled(ctx, s.DB, st)
	if err != nil {
		return Outcome{}, err
	}
	all := len(layers)
	if layers = slices.DeleteFunc(layers, func(l Layer) bool { return slices.Contains(p.Known, l.Name()) }); len(layers) < all {
		p.Proven = time.UnixMilli(p.KnownTill).Add(-s.DeviceTTL).UnixMilli()
	}
	if len(layers) > 0 {
		return s.begin(ctx, p, layers, nil)
	}
	if len(p.Known) == 0 {
		return s.open(ctx, p, AAL1, known.key, nil)
	}
	out, err := s.open(ctx, p, AAL1, known.key, func(ctx context.Context, tx *db.Tx, _ string) error { return s.holds(ctx, tx, p) })
	if errors.Is(err, errOver) { // the device was forgotten, or a layer turned on, meanwhile
		return s.enter(ctx, st, knownDevice{}, e)
	}
	return out, err
}

// enabled lists the layers that an account has on: those whose room says so, and those that
// the account's seal names. A layer whose row was deleted by hand is asked for, and cannot
// be passed.
func (s *Service) enabled(ctx context.Context, q db.Querier, st account.State) ([]Layer, error) {
	var on []Layer
	for _, l := range s.layers {
		ok, err := l.Enabled(ctx, q, st.ID)
		if err != nil {
			return nil, err
		}
		if ok || slices.Contains(st.Layers, l.Name()) {
			on = append(on, l)
		}
	}
	return on, nil
}

// limitSubject returns the key under which failed sign-ins are counted. A remembered device
// has its own count, so strangers cannot lock it out.
func limitSubject(found account.Found, known knownDevice) string {
	if known.digest == nil {
		return found.LimitKey
	}
	return string(found.ID) + " device " + b64.EncodeToString(known.digest)
}

// signedIn is the key of a signed-in owner's own count.
func signedIn(id account.ID) string { return string(id) + " signed in" }

// ownPassword runs check, which may be a wrong guess at the password of a caller who is signed
// in, within limits of its own: strangers who guess do not take this call away. The session ends
// with its maxFailures-th wrong guess in a row.
func (s *Service) ownPassword(ctx context.Context, c rest.Caller, client rest.Client, check func() error) error {
	who, addr := account.ID(c.Account), limit.AddrKey(client.Addr)
	subject := signedIn(who)
	g := guess{calls: []limit.Call{{Rule: s.AddressLimit, Key: addr}, {Rule: s.PairLimit, Key: addr + " " + subject}, {Rule: s.AccountLimit, Key: subject}}}
	if err := s.Limit.TakeAll(ctx, g.calls...); err != nil {
		return err
	}
	n, err := countOnSession(ctx, s.DB, who, c.Session, maxFailures)
	if errors.Is(err, db.ErrNoRows) {
		err = token.ErrUnauthenticated // it has ended, or ends now
	}
	if err != nil {
		s.giveBack(ctx, g)
		return err
	}
	ctx = context.WithoutCancel(ctx)
	err = check()
	if errors.Is(err, account.ErrCredentials) {
		if n == maxFailures {
			err = errors.Join(err, s.end(ctx, who, c.Session))
		}
		return err
	}
	// A right password, or one that was not judged, is no failure.
	s.giveBack(ctx, g)
	if back := takeBackOnSession(ctx, s.DB, who, c.Session, err == nil); back != nil {
		s.Log.WarnContext(ctx, "session: a failure stays counted", "err", back)
	}
	return err
}

// Reauthenticate takes the password as a fresh proof. When the account has layers and the
// session has passed none of them, the outcome is a challenge for those.
func (s *Service) Reauthenticate(ctx context.Context, c rest.Caller, client rest.Client, password string) (Outcome, error) {
	id := account.ID(c.Account)
	err := s.ownPassword(ctx, c, client, func() error { return s.Accounts.CheckPasswordOf(ctx, id, password) })
	if err != nil {
		return Outcome{}, s.Failed(ctx, err, Failure{Account: id, Method: passwordMethod, Client: client, Session: c.Session})
	}
	return s.Renew(ctx, c, []string{AMRPassword}, false, nil)
}

// SignOut ends the session of an access token or, when that has expired, of a refresh token.
// A bound session wants a proof in both cases. The session is dead everywhere when SignOut
// returns.
func (s *Service) SignOut(ctx context.Context, q *rest.Sent, refresh string) error {
	c, err := s.Tokens.Authenticate(ctx, q)
	if err == nil {
		return s.end(ctx, account.ID(c.Account), c.Session)
	}
	if f := fault.Of(err); f.Kind != fault.Unauthenticated || f.Code == rest.ErrProof.Code {
		return err
	}
	r, err := s.rowOf(ctx, refresh)
	if err != nil {
		return err
	}
	if r.ID == "" {
		return token.ErrUnauthenticated
	}
	keys, err := s.keysOf(ctx, r)
	if err == nil {
		err = s.Tokens.Prove(ctx, keys, q)
	}
	if err != nil && !errors.Is(err, token.ErrEnded) { // without its record the session is dead already
		return err
	}
	return s.end(ctx, r.Account, r.ID)
}
