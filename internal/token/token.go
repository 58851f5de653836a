// Package token is sealed access tokens and their records (open, mint, read, end, JWKS).
//
// A token says whose it is to this server alone. It takes three things to open one: the
// token, the record of its session in the key store, and a key of the ring that seals
// records. The room knows a session by its id, its client's key and its end; who may open
// one, refresh it or prove something in it is decided in the room session.
//
// # What it defends against
//
//   - A read key store or database: the payload of a token opens only with the session's
//     private key, which lies sealed in the key store, and the token itself. Neither store
//     says whose session it is (protocols.md §1). Records are sealed under a key that
//     lives 31 days, so an old dump stays shut.
//   - A token that outlives its session: each reading asks the key store for the record,
//     and the database for the account's status and version. The caches hold the outcome of
//     mathematics (a signature, a key agreement), never a decision. When a store does not
//     answer, the token is refused (503).
//   - Forged, foreign and confused tokens (RFC 8725): the key that kid names decides on the
//     algorithm, header and claims are closed lists, every part has one spelling. Each
//     refusal is the same 401.
//   - Stolen tokens: a session that was opened with a binding accepts only requests that its
//     client signs, each once (proof.go, docs/design/0017-request-proofs.md).
//   - Invalid public keys of clients: a point must be on its curve and, on X25519, not of
//     low order. The check runs before a password is looked at.
//
// # Limits
//
// Whoever holds an access token of a session without binding is the session until the token
// expires or the session ends.
package token

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/keyring"
	"coffer/internal/kv"
	"coffer/internal/metric"
)

// Config is what a Service needs. KV, Ring, Accounts and BaseURL are required.
type Config struct {
	Settings
	KV       kv.Store // holds the records
	Ring     *keyring.Ring
	Metrics  *metric.Set // nil shows no counts
	Accounts *account.Service
	Now      func() time.Time // zero: time.Now
	Rand     io.Reader        // zero: crypto/rand

	BaseURL string // issuer and audience of tokens; no slash at the end
}

func (c *Config) complete() error {
	if c.KV == nil || c.Ring == nil || c.Accounts == nil || c.BaseURL == "" {
		return errors.New("token: KV, Ring, Accounts and BaseURL are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	return c.Settings.AfterApply()
}

// Service makes and reads tokens. It is safe for concurrent use.
type Service struct {
	Config
	signers signers
	reads   metric.Cache // of tokens
	tokens  *otter.Cache[[32]byte, *verified]
	derived *otter.Cache[derivation, *Keys]
}

// New returns the service.
func New(cfg Config) (*Service, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	if err := cfg.Ring.Need(context.Background(), keyring.Token, keyring.Session); err != nil {
		return nil, err
	}
	s := &Service{Config: cfg, reads: cfg.Metrics.Cache("tokens")}
	var err error
	// A token is about 1.5 KiB when verified, a derivation about 1 KiB.
	if s.tokens, err = otter.New(&otter.Options[[32]byte, *verified]{MaximumSize: 16_384}); err != nil {
		return nil, err
	}
	if s.derived, err = otter.New(&otter.Options[derivation, *Keys]{MaximumSize: 16_384}); err != nil {
		return nil, err
	}
	return s, nil
}

var (
	// ErrUnauthenticated is the one refusal of every token that is not good.
	ErrUnauthenticated = fault.New(fault.Unauthenticated, "unauthenticated", "Sign in first.")
	// ErrEnded says that a session has no record: it is over, or never was.
	ErrEnded = errors.New("token: the session has ended")
)

// random returns n random bytes.
func (s *Service) random(n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(s.Rand, b)
	return b, err
}

const idSize = 16 // bytes of a session's id

// IsID reports whether text has the form of a session's id.
func IsID(text string) bool {
	b, ok := decode(text)
	return ok && len(b) == idSize
}

var b64 = base64.RawURLEncoding.Strict()

// decode reads base64url in its one spelling. The package's decoder skips line breaks,
// which would give one token two texts.
func decode(text string) ([]byte, bool) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, false
	}
	b, err := b64.DecodeString(text)
	return b, err == nil
}
