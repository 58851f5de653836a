// Package session is who is asking and how sure we are: sign-in, layers, refresh, step-up, devices; owns the interface Layer.
//
// # What it defends against
//
//   - A session that outlives its end: the room token refuses the tokens of an ended session
//     on every node, and a refresh asks the same stores.
//   - Stolen refresh tokens: each works once; a second use after the grace, or by another
//     client key, ends the session and tells its owner (RFC 9700 §4.14.2).
//   - Guessing: failed sign-ins are limited per address, per account and per pair; an
//     attempt dies with its fifth wrong code. After a hundred wrong passwords in a row the
//     right one opens nothing from a new device until its owner used a mailed link (lock.go).
//     A remembered device, and a person who is signed in, have counts of their own, so
//     strangers who guess do not lock them out.
//   - A stolen password: the owner is told of a sign-in from a new device (newdevice.go).
//   - Learning who has an account: an unknown name costs and answers what a wrong
//     password does.
//   - A writer of the database: sessions, attempts and remembered devices carry seals, and
//     a row whose seal is wrong counts for nothing.
//
// # Limits
//
// A remembered device is asked for its password only, and its session is aal1: an operation
// that wants a fresh proof asks for the layers as well. The server cannot tell a forged
// secret of a right family from an old token, and ends the session; a family is 128 random
// bits that only tokens of it show. An address and a username of one account are limited
// apart, so that guesses at one do not show at the other. The place of an address is a guess of
// the operator's database, for the owner's eyes.
package session

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/limit"
	"coffer/internal/metric"
	"coffer/internal/rest"
	"coffer/internal/token"
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
	// Last reports whether sign-in asks for the layer only when all others are passed. Begin is
	// called then, in the transaction that notes that the last of the others is passed.
	Last() bool
	// Assurance says what passing the layer adds: a method (RFC 8176) and whether, with a
	// password, it makes aal2 (NIST SP 800-63B).
	Assurance() (amr string, aal2 bool)
}

// Prompt is what the person is shown of a layer that is asked.
type Prompt struct {
	SentTo   string `json:"sent_to,omitempty"`  // a masked address
	Question string `json:"question,omitempty"` // of a security question
	Hint     string `json:"hint,omitempty"`
	// ResendAt is from when on another message may be asked for; nil for a layer that sends none.
	ResendAt *time.Time `json:"resend_at,omitempty"`
}

// The values of an assurance level (NIST SP 800-63B).
const (
	AAL1 = "aal1"
	AAL2 = "aal2"
)

// Config is what a Service needs. DB, Ring, Limit, Jobs, Accounts, Events and Tokens are required.
type Config struct {
	Settings
	DB       *db.DB
	Ring     *keyring.Ring
	Limit    *limit.Limiter
	Jobs     *jobs.Queue
	Accounts *account.Service
	Events   *event.Log
	Tokens   *token.Service
	Metrics  *metric.Set      // zero: no counts are shown
	Now      func() time.Time // zero: time.Now
	Rand     io.Reader        // zero: crypto/rand
	Log      *slog.Logger     // zero: discards

	// Place says where an address is; nil knows nothing.
	Place func(netip.Addr) Place
}

func (c *Config) complete() error {
	if c.DB == nil || c.Ring == nil || c.Limit == nil || c.Jobs == nil || c.Accounts == nil || c.Events == nil || c.Tokens == nil {
		return errors.New("session: DB, Ring, Limit, Jobs, Accounts, Events and Tokens are required")
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
	if err := c.Settings.AfterApply(); err != nil {
		return err
	}
	c.nameRules()
	if c.Place == nil {
		c.Place = func(netip.Addr) Place { return Place{} }
	}
	return nil
}

// Service knows who is asking. It is safe for concurrent use.
type Service struct {
	Config
	layers []Layer
	off    []func(context.Context, *db.Tx, account.ID) (was bool, err error) // of each layer
	wait   func(context.Context, account.ID) (time.Time, error)              // see AddWait
	pass   func(context.Context, db.Querier, account.ID) (bool, error)       // see AddPass
	mail   func(context.Context, account.ID, rest.Client) error              // see AddActivation
	watch  func(context.Context, Failure) error                              // see Watch
	sure   []func(context.Context, *db.Tx, account.ID) error                 // see AddConfirmed
	look   func(context.Context, account.State, Entering) (Verdict, error)   // see Judge
	begun  []func(context.Context, *db.Tx, account.ID) error                 // see AddBegun
	beside sync.WaitGroup                                                    // see later

	signIns metric.Counters
}

// New returns the service.
func New(cfg Config) (*Service, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	if err := cfg.Ring.Need(context.Background(), keyring.Session, keyring.Refresh); err != nil {
		return nil, err
	}
	s := &Service{Config: cfg}
	s.measure(cfg.Metrics)
	s.declare()
	s.Accounts.Keep("session", account.Keeper{Export: s.export, Empty: s.empty, Forget: s.forget, SignOut: s.signOutAll})
	s.Jobs.Handle(forgetJob, s.forgetRecords)
	s.Jobs.Every("session.prune", 10*time.Minute, s.Prune,
		jobs.Old{Table: "sessions", Rows: "(expires_at <= $1 OR refresh_expires_at <= $1)"}, jobs.Old{Table: "attempts", Rows: "expires_at <= $1"},
		jobs.Old{Table: "devices", Rows: "expires_at <= $1"}, jobs.Old{Table: "session_clients", Rows: "expires_at <= $1"})
	return s, nil
}

// AddLayer adds a layer to sign-in. A room calls it when it is made, before the first
// request. Sign-in asks for layers in the order in which they were added. off deletes the
// room's rows of an account and reports whether the layer was on.
func (s *Service) AddLayer(l Layer, off func(context.Context, *db.Tx, account.ID) (was bool, err error)) {
	s.layers, s.off = append(s.layers, l), append(s.off, off)
}

// random returns n random bytes.
func (s *Service) random(n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(s.Rand, b)
	return b, err
}

var b64 = base64.RawURLEncoding.Strict()

// Prune removes sessions, attempts and devices whose time is over. It only frees space: the
// server refuses what has expired anyway.
func (s *Service) Prune(ctx context.Context) error {
	return prune(ctx, s.DB, s.Now().UnixMilli())
}
