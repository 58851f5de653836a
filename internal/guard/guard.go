// Package guard is what happened at the doors of an account: its sign-in history, for its owner's eyes.
//
// It hears every event of every account, and every proof that was wrong or held.
//
// # What it defends against
//
//   - A reader of the database: where, with what and how is sealed under the account's data
//     key. The table shows that something of a kind happened to an account, and when.
//   - A writer of the database: a row that was moved, to another account too, or altered does
//     not open, and is left out.
//   - Strangers who fill the history: what a stranger can cause without a right proof has a
//     bound of its own.
//   - Learning who has an account: a wrong proof costs the same in its request whether or not
//     there is an account. A job does the rest.
//
// # Limits
//
// A writer of the database can delete rows. A thief with every proof of an account can fill
// the history with successes.
package guard

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/mail"
	"coffer/internal/rest"
	"coffer/internal/session"
)

// Config is what a Service needs. DB, Ring, Jobs, Accounts, Events and Sessions are required.
type Config struct {
	Settings
	DB       *db.DB
	Ring     *keyring.Ring
	Jobs     *jobs.Queue
	Accounts *account.Service
	Events   *event.Log
	Sessions *session.Service
	Now      func() time.Time // zero: time.Now
	Log      *slog.Logger     // zero: discards

	// Private compares what loopback and private addresses do to many accounts, as it does for
	// others. Such an address is often a proxy's.
	Private bool
	// Offence blocks an address for a reason; nil blocks none.
	Offence func(ctx context.Context, addr netip.Addr, reason string) error
}

func (c *Config) complete() error {
	if c.DB == nil || c.Ring == nil || c.Jobs == nil || c.Accounts == nil || c.Events == nil || c.Sessions == nil {
		return errors.New("guard: DB, Ring, Jobs, Accounts, Events and Sessions are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c.Settings.AfterApply()
}

//go:embed words
var words embed.FS

// Service is the room. It is safe for concurrent use.
type Service struct{ Config }

// New returns the room. It listens to events and failures, and registers its jobs and what it
// keeps of accounts.
func New(c Config) (*Service, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	s := &Service{c}
	s.Events.Declare(mail.Kind{Name: alertKind, Header: "security-notice"}, words)
	s.Events.Listen(s.hear)
	s.Sessions.Watch(s.failed)
	s.Sessions.Judge(s.judge)
	s.Jobs.Handle(failedJob, s.noteFailed)
	s.Jobs.Every("guard.check", 10*time.Minute, s.LookBack)
	s.Jobs.Every("guard.prune", time.Hour, s.prune,
		jobs.Old{Table: "sign_in_events", Rows: "at <= $1", Age: s.HistoryTTL}, jobs.Old{Table: "guard_failures", Rows: "at <= $1", Age: failureTTL},
		jobs.Old{Table: "guard_entries", Rows: "at <= $1", Age: failureTTL}, jobs.Old{Table: "guard_networks", Rows: "at <= $1", Age: failureTTL})
	s.Accounts.Keep("guard", account.Keeper{Export: s.export, Empty: s.empty, Forget: forget})
	return s, nil
}

// Routes registers every operation of this room.
func (s *Service) Routes(a *rest.API) { s.historyRoutes(a) }

// failureTTL is how long wrong proofs and sign-ins of all accounts are kept to be compared.
const failureTTL = 48 * time.Hour

// prune removes what is too old.
func (s *Service) prune(ctx context.Context) error {
	now := s.Now()
	if err := pruneHistory(ctx, s.DB, now.Add(-s.HistoryTTL).UnixMilli()); err != nil {
		return err
	}
	if err := pruneEntries(ctx, s.DB, now.Add(-failureTTL).UnixMilli()); err != nil {
		return err
	}
	return pruneFailures(ctx, s.DB, now.Add(-failureTTL).UnixMilli())
}

// empty deletes an account's history and sign-ins in batches.
func (s *Service) empty(ctx context.Context, who account.ID) error {
	return emptyHistory(ctx, s.DB, who)
}
