package social

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/keyring"
	"coffer/internal/kv"
	"coffer/internal/rest"
	"coffer/internal/seal"
	"coffer/internal/session"
)

// What a transaction is for.
const (
	signIn = "sign_in"
	link   = "link"
	renew  = "renew"
)

// intent is what a transaction is for, and whose it is.
type intent struct {
	Provider string `json:"provider"`
	Purpose  string `json:"purpose"`
	Browser  []byte `json:"browser"` // digest of its cookie
	Account  string `json:"account"` // of link and renew
	Session  string `json:"session"`
}

// transaction waits under its state for the provider's answer.
type transaction struct {
	intent
	Flow flow `json:"flow"`
}

// arrival waits under its code for the web app.
type arrival struct {
	intent
	Person person `json:"person"`
}

const maxText = 400 // bytes of an address or a name: 100 characters take at most so many

var b64 = base64.RawURLEncoding

// secretText is a random text of 256 bits.
func (s *Service) secretText() (string, error) {
	raw := make([]byte, 32)
	_, err := io.ReadFull(s.Rand, raw)
	return b64.EncodeToString(raw), err
}

func newID() (string, error) {
	u, err := uuid.NewV7()
	return u.String(), err
}

// isSecret reports whether a text can be one of secretText.
func isSecret(text string) bool {
	raw, err := b64.Strict().DecodeString(text)
	return err == nil && len(raw) == 32
}

func digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// place is where the key store holds what belongs to a secret.
func place(kind, secret string) string {
	return "social:" + kind + ":" + hex.EncodeToString(digest(secret))
}

// put keeps a value, sealed to its place.
func (s *Service) put(ctx context.Context, key string, value any, life time.Duration) error {
	b, err := json.Marshal(value)
	if err != nil {
		return err
	}
	sealed, err := s.Ring.Seal(ctx, keyring.Field, b, []byte("coffer/social/v1 "+key))
	if err != nil {
		return err
	}
	return s.KV.Put(ctx, key, sealed, life)
}

// get reads a value; false when it is gone.
func (s *Service) get(ctx context.Context, key string, into any) (bool, error) {
	sealed, err := s.KV.Get(ctx, key)
	if errors.Is(err, kv.ErrMissing) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	b, err := s.Ring.Open(ctx, keyring.Field, sealed, []byte("coffer/social/v1 "+key))
	if errors.Is(err, seal.ErrOpen) || errors.Is(err, keyring.ErrNoKey) {
		s.Log.ErrorContext(ctx, "social: a value of the key store was altered", "err", err)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, json.Unmarshal(b, into)
}

// once runs use for one of the callers that come with one key, and spends the key when use
// succeeds. After a failure the key is good for another try. gone is for all others.
func (s *Service) once(ctx context.Context, key string, life time.Duration, gone error, use func() error) error {
	n, err := s.KV.Add(ctx, key+":uses", 1, life)
	if err != nil {
		return err
	}
	if n == 1 {
		if err = use(); err == nil {
			if kept := s.KV.Delete(context.WithoutCancel(ctx), key); kept != nil {
				s.Log.WarnContext(ctx, "social: a spent code stays until it expires", "err", kept)
			}
			return nil
		}
	} else {
		err = gone
	}
	if _, kept := s.KV.Add(context.WithoutCancel(ctx), key+":uses", -1, life); kept != nil {
		s.Log.WarnContext(ctx, "social: a code stays spent", "err", kept)
	}
	return err
}

// Begin makes a transaction and returns the address that the browser goes to. c is the caller of
// link and renew. Codes: not_found, rate_limited, provider_unavailable.
func (s *Service) Begin(ctx context.Context, provider, browser, purpose string, c rest.Caller) (string, error) {
	p, err := s.provider(provider)
	if err != nil {
		return "", err
	}
	t := transaction{
		intent: intent{Provider: provider, Purpose: purpose, Browser: digest(browser), Account: c.Account, Session: c.Session},
		Flow:   flow{Fresh: purpose == renew, Began: s.Now()},
	}
	for _, secret := range []*string{&t.Flow.State, &t.Flow.Nonce, &t.Flow.Verifier} {
		if *secret, err = s.secretText(); err != nil {
			return "", err
		}
	}
	to, err := p.begin(ctx, t.Flow)
	if err != nil {
		return "", err
	}
	return to, s.put(ctx, place("state", t.Flow.State), t, transactionFor)
}

// Arrive takes the provider's answer to a transaction of this browser, and returns the code for
// the web app. An answer that belongs to another provider or browser goes nowhere, and leaves
// the transaction. Codes: invalid_state, provider_refused, invalid_id_token, email_unverified,
// provider_unavailable, identity_altered.
func (s *Service) Arrive(ctx context.Context, provider, browser, state string, a answer) (string, error) {
	p, err := s.provider(provider)
	if err != nil {
		return "", err
	}
	key := place("state", state)
	var t transaction
	found, err := s.get(ctx, key, &t)
	if err != nil {
		return "", err
	}
	if !found || t.Provider != provider || !same(string(t.Browser), string(digest(browser))) {
		return "", errState
	}
	// The provider gets a code once, whatever comes of it.
	if n, err := s.KV.Add(ctx, key+":uses", 1, transactionFor); err != nil || n != 1 {
		return "", orState(err)
	}
	if err := s.KV.Delete(ctx, key); err != nil {
		return "", err
	}
	who, err := p.finish(ctx, t.Flow, a)
	who.bound()
	if err != nil {
		s.Log.InfoContext(ctx, "social: a sign-in failed", "provider", provider, "err", err)
		return "", err
	}
	if t.Purpose == signIn && !proven(who) {
		if _, known, err := s.find(ctx, s.DB, who); err != nil || !known {
			return "", orUnverified(err)
		}
	}
	code, err := s.secretText()
	if err != nil {
		return "", err
	}
	return code, s.put(ctx, place("code", code), arrival{t.intent, who}, s.Accounts.CodeTTL)
}

func orState(err error) error {
	if err == nil {
		return errState
	}
	return err
}

func orUnverified(err error) error {
	if err == nil {
		return errUnverified
	}
	return err
}

// bound drops what no account could take, so that a provider cannot fill the key store.
func (p *person) bound() {
	for _, text := range []*string{&p.Email, &p.First, &p.Last} {
		if len(*text) > maxText {
			*text = ""
		}
	}
}

// proven reports whether the provider has proven an address that may be an account's.
func proven(p person) bool {
	_, err := account.NormalEmail("/email", p.Email)
	return p.Verified && err == nil
}

// arrived returns what a code stands for, and its key. Code link_gone.
func (s *Service) arrived(ctx context.Context, code, browser string) (arrival, string, error) {
	key := place("code", code)
	var a arrival
	found, err := s.get(ctx, key, &a)
	if err != nil {
		return a, "", err
	}
	if !found || !same(string(a.Browser), string(digest(browser))) {
		return a, "", account.ErrLinkGone
	}
	// A spent code stays until it expires, and is not shown.
	if _, err := s.KV.Get(ctx, key+":uses"); !errors.Is(err, kv.ErrMissing) {
		if err == nil {
			err = account.ErrLinkGone
		}
		return a, "", err
	}
	return a, key, nil
}

// own refuses a code that another session, or none, began.
func (a arrival) own(provider, purpose string, c rest.Caller) error {
	if a.Provider != provider || a.Purpose != purpose || a.Account != c.Account || a.Session != c.Session {
		return account.ErrLinkGone
	}
	return nil
}

// Seen is what the web app shows of a code.
type Seen struct {
	Provider   string `json:"provider"`
	Purpose    string `json:"purpose" enum:"sign_in,link,renew"`
	Known      bool   `json:"known" doc:"Whether that account of the provider is connected with one here."`
	Email      string `json:"email" doc:"Masked, unless a new account would get it."`
	LinkNeeded bool   `json:"link_needed" doc:"Whether another account has the address: its owner signs in to it and connects the two."`
	Username   string `json:"username,omitempty" doc:"A free one, for a new account."`
	FirstName  string `json:"first_name,omitempty" doc:"What the provider tells, for a new account."`
	LastName   string `json:"last_name,omitempty"`
}

// Check tells what a code stands for. It uses nothing up. Code link_gone.
func (s *Service) Check(ctx context.Context, code, browser string) (Seen, error) {
	a, _, err := s.arrived(ctx, code, browser)
	if err != nil {
		return Seen{}, err
	}
	out := Seen{Provider: a.Provider, Purpose: a.Purpose, Email: account.MaskEmail(a.Person.Email)}
	if _, out.Known, err = s.find(ctx, s.DB, a.Person); err != nil || out.Known || a.Purpose != signIn {
		return out, err
	}
	found, err := s.Accounts.Find(ctx, a.Person.Email)
	if err != nil {
		return Seen{}, err
	}
	if out.LinkNeeded = found.ID != ""; out.LinkNeeded {
		return out, nil
	}
	out.Email, out.FirstName, out.LastName = a.Person.Email, a.Person.First, a.Person.Last
	out.Username, err = s.freeUsername(ctx, a.Person)
	return out, err
}

func (s *Service) freeUsername(ctx context.Context, p person) (string, error) {
	return s.Accounts.FreeUsername(ctx, p.Email, p.First+" "+p.Last)
}

// Newcomer is what a person chooses at a first sign-in.
type Newcomer struct {
	Username  string `json:"username,omitempty" doc:"Of a new account. The server chooses a free one when it is absent."`
	FirstName string `json:"first_name,omitempty" doc:"Of a new account. The provider's word when it is absent."`
	LastName  string `json:"last_name,omitempty" doc:"The same."`
	Lang      string `json:"-"`
}

// Exchange opens a session for a code, or begins an attempt for the account's layers. A first
// sign-in makes an account. A refusal leaves the code good. Codes: link_gone, link_needed,
// email_unverified, username_taken, validation_failed, account_deactivated,
// invalid_public_key, identity_altered.
func (s *Service) Exchange(ctx context.Context, code, browser string, n Newcomer, r session.SessionRequest, c rest.Client) (out session.Outcome, err error) {
	e, err := s.Sessions.Prepare(r, c, session.AMRFederated)
	if err != nil {
		return out, err
	}
	a, key, err := s.arrived(ctx, code, browser)
	if err != nil {
		return out, err
	}
	if a.Purpose != signIn {
		return out, account.ErrLinkGone
	}
	err = s.once(ctx, key, s.Accounts.CodeTTL, account.ErrLinkGone, func() (err error) {
		out, err = s.enter(ctx, a.Provider, a.Person, n, e)
		return err
	})
	return out, err
}

// TokenProof is a credential of Google that a front end holds.
type TokenProof struct {
	IDToken string
	Nonce   string // the secret
	Key     []byte // the client's public key
}

// Token opens a session for an id_token that Google made for the client's key. Each works
// once. Codes: not_found, invalid_id_token, and those of Exchange.
func (s *Service) Token(ctx context.Context, in TokenProof, n Newcomer, r session.SessionRequest, c rest.Client) (out session.Outcome, err error) {
	p, err := s.provider(google)
	if err != nil {
		return out, err
	}
	e, err := s.Sessions.Prepare(r, c, session.AMRFederated)
	if err != nil {
		return out, err
	}
	secret, err := b64.DecodeString(in.Nonce)
	if err != nil || len(secret) < 16 || len(secret) > 64 {
		return out, fault.InvalidField("/nonce", "invalid", "16 to 64 random bytes in base64url, without padding.")
	}
	openid := p.provider.(*openID)
	d, err := openid.discover(ctx)
	if err != nil {
		return out, err
	}
	bound := sha256.Sum256(append(append([]byte{}, in.Key...), secret...))
	token, err := openid.verify(ctx, d, in.IDToken, b64.EncodeToString(bound[:]))
	if err != nil {
		s.Log.InfoContext(ctx, "social: an id_token is refused", "provider", google, "err", err)
		return out, err
	}
	err = s.once(ctx, place("token", signed(in.IDToken)), tokenAge+2*skew, errIDToken, func() (err error) {
		out, err = s.enter(ctx, google, token.person(openid.issuer), n, e)
		return err
	})
	return out, err
}
