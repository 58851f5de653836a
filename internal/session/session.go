// Package session is who is asking and how sure we are: sealed tokens, refresh, proofs, attempts, step-up, devices; owns the interface Layer.
//
// # What it defends against
//
//   - A read key store or database: an access token's payload opens only with the
//     session's private key, which lies sealed in the key store, and the token itself.
//     Neither store says who anybody is (protocols.md §1). A session key is sealed under
//     a key that lives 31 days, so an old dump stays shut.
//   - A session that outlives its end: every request asks the key store whether the
//     session's record still exists, and the database whether the account's version is
//     still the token's. What is cached is the outcome of mathematics (a signature, a key
//     agreement), never a decision. A store that does not answer refuses (503).
//   - Forged, foreign and confused tokens: the algorithm belongs to the key that kid
//     names, header and claims are allow-lists, every part has one spelling, and each
//     refusal is the same 401 (RFC 8725).
//   - Stolen refresh tokens: each works once; a second use after the grace, or by another
//     client key, ends the session and tells its owner (RFC 9700 §4.14.2).
//   - Guessing: failed sign-ins are limited per address, per account and per pair; an
//     attempt dies with its fifth wrong code. Who signs in from a remembered device, or is
//     signed in, is not locked out by strangers who guess: their failures count apart.
//   - A stolen password: the owner is told of a sign-in from a new device (newdevice.go).
//   - Learning who has an account: an unknown name costs and answers what a wrong
//     password does.
//
// # Limits
//
// Whoever holds an access token is the session until the token expires or the session
// ends. A remembered device is asked for its password only, and its session is aal1: what
// wants a fresh proof asks for the layers as well. A forged secret of a right family
// cannot be told from an old token and ends the session; a family is 128 random bits that
// only tokens of it show. An address and a username of one account are limited apart, so
// that guesses at one do not show at the other: who knows both has twice the guesses. The
// place of an address is a guess of the operator's database, for the owner's eyes.
package session

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/kv"
	"coffer/internal/limit"
)

// Layer is one thing that sign-in asks for beyond the first proof. Its methods may be
// called by many goroutines.
type Layer interface {
	// Name is the layer's name in attempts and in paths.
	Name() string
	// Enabled reports whether the account has the layer on.
	Enabled(ctx context.Context, q db.Querier, id account.ID) (bool, error)
	// Begin is called once for each attempt that asks for the layer, in the transaction
	// that makes the attempt; a layer that sends something enqueues it there.
	Begin(ctx context.Context, tx *db.Tx, id account.ID, attempt string) (Prompt, error)
	// Assurance says what passing the layer adds: a method (RFC 8176) and whether, with a
	// password, it makes aal2 (NIST SP 800-63B).
	Assurance() (amr string, aal2 bool)
}

// Prompt is what the person is shown of a layer that is asked.
type Prompt struct {
	SentTo   string `json:"sent_to,omitempty"`  // a masked address
	Question string `json:"question,omitempty"` // of a security question
	Hint     string `json:"hint,omitempty"`
}

// The values of an assurance level (NIST SP 800-63B).
const (
	AAL1 = "aal1"
	AAL2 = "aal2"
)

// Config is what a Service needs. DB, KV, Ring, Limit, Jobs, Accounts, Events and BaseURL are required.
type Config struct {
	Settings
	DB       *db.DB
	KV       kv.Store
	Ring     *keyring.Ring
	Limit    *limit.Limiter
	Jobs     *jobs.Queue
	Accounts *account.Service
	Events   *event.Log
	Now      func() time.Time // zero: time.Now
	Rand     io.Reader        // zero: crypto/rand
	Log      *slog.Logger     // zero: discards

	BaseURL string // issuer and audience of tokens; no slash at the end

	// Place says where an address is, "" when that is not known; nil knows nothing.
	Place func(netip.Addr) string
}

func (c *Config) complete() error {
	if c.DB == nil || c.KV == nil || c.Ring == nil || c.Limit == nil || c.Jobs == nil || c.Accounts == nil || c.Events == nil || c.BaseURL == "" {
		return errors.New("session: DB, KV, Ring, Limit, Jobs, Accounts, Events and BaseURL are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	if err := c.Settings.AfterApply(); err != nil {
		return err
	}
	c.nameRules()
	if c.Place == nil {
		c.Place = func(netip.Addr) string { return "" }
	}
	return nil
}

// Service knows who is asking. It is safe for concurrent use.
type Service struct {
	Config
	layers  []Layer
	keys    tokenKeys
	tokens  *otter.Cache[[32]byte, *verified]
	derived *otter.Cache[derivedKey, *derived]
}

// New returns the service.
func New(cfg Config) (*Service, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	if err := cfg.Ring.Need(context.Background(), keyring.Token, keyring.Session, keyring.Refresh); err != nil {
		return nil, err
	}
	s := &Service{Config: cfg}
	var err error
	// A token is about 1.5 KiB when verified, a derivation about 1 KiB.
	if s.tokens, err = otter.New(&otter.Options[[32]byte, *verified]{MaximumSize: 16_384}); err != nil {
		return nil, err
	}
	if s.derived, err = otter.New(&otter.Options[derivedKey, *derived]{MaximumSize: 16_384}); err != nil {
		return nil, err
	}
	s.declare()
	s.Accounts.Keep("session", account.Keeper{Export: s.export, Empty: s.empty, Forget: s.forget})
	s.Jobs.Handle(forgetJob, s.forgetRecords)
	s.Jobs.Every("session.prune", 10*time.Minute, s.Prune)
	return s, nil
}

// AddLayer adds a layer to sign-in. Rooms call it when they are made, before the first
// request; layers are asked for in the order in which they were added.
func (s *Service) AddLayer(l Layer) { s.layers = append(s.layers, l) }

var errUnauthenticated = fault.New(fault.Unauthenticated, "unauthenticated", "Sign in first.")

// random returns n random bytes.
func (s *Service) random(n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(s.Rand, b)
	return b, err
}

const idSize = 16 // bytes of a session's id

var b64 = base64.RawURLEncoding.Strict()

// decode reads base64url that has one spelling only: the package's decoder skips line
// breaks, which would make two texts of one token.
func decode(text string) ([]byte, bool) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, false
	}
	b, err := b64.DecodeString(text)
	return b, err == nil
}

// credentials returns what follows the scheme in an Authorization header; the scheme's
// case means nothing (RFC 9110 §11.1).
func credentials(header, scheme string) (string, bool) {
	n := len(scheme)
	if len(header) <= n+1 || header[n] != ' ' || !strings.EqualFold(header[:n], scheme) {
		return "", false
	}
	return header[n+1:], true
}

// isID reports whether text has the form of a session's id. An id of the wrong form is
// answered as not found without asking the database, which may reject such text.
func isID(text string) bool {
	b, ok := decode(text)
	return ok && len(b) == idSize
}

// Prune removes sessions, attempts and devices whose time is over. It is only about
// space: what has expired is refused already.
func (s *Service) Prune(ctx context.Context) error {
	return prune(ctx, s.DB, s.Now().UnixMilli())
}
