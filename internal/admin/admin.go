// Package admin is the operator's operations: find and stop accounts, jobs, keys, links, drops, and a log of every such act.
//
// # What it defends against
//
//   - Everybody else: package rest admits an admin's ordinary session alone, and asks for a
//     fresh proof of presence for every change. A role that is taken away is gone at the next
//     request.
//   - A curious admin: no answer has a name or content of a file, a password, a token, or the
//     payload of a job. An account is found by its exact address or username.
//   - An admin who takes an account over: a reset is started here, and only the owner's
//     mailbox gets the link. The server has no operation that sets a password.
//   - A server without an admin: the last active admin stays, however many go at once. No admin
//     changes the own role or suspends the own account.
//   - An admin who covers tracks, and a writer of the database: each act is a row of a log,
//     written in the transaction of the act. A MAC chains the rows, and further acts push none
//     out; see log.go.
//
// # Limits
//
// An admin can deny service: suspend accounts, block links, rotate keys. A person with the
// server's database, key and console can do everything. `coffer admin` is that person's, acts
// at the database and is in the log as well.
package admin

import (
	"context"
	"log/slog"
	"os/user"
	"sync"
	"time"

	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/drop"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/limit"
	"coffer/internal/passkey"
	"coffer/internal/recovery"
	"coffer/internal/rest"
	"coffer/internal/session"
	"coffer/internal/share"
)

// Check is one dependency of the server.
type Check struct {
	Name string
	Ping func(ctx context.Context) error
}

// Config is what a Service needs. All but Checks, Version, Now and Log are required.
type Config struct {
	DB       *db.DB
	Ring     *keyring.Ring
	Jobs     *jobs.Queue
	Limit    *limit.Limiter
	Events   *event.Log
	Accounts *account.Service
	Contents *content.Service
	Sessions *session.Service
	Passkeys *passkey.Service
	Recovery *recovery.Service
	Shares   *share.Service
	Drops    *drop.Service
	Checks   []Check
	Version  string
	Now      func() time.Time // zero: time.Now
	Log      *slog.Logger     // zero: discards

	ResetLimit limit.Rule // resets that admins start for one account; zero: 5 in an hour
}

// Service is the room. It is safe for concurrent use.
type Service struct {
	Config

	mu     sync.Mutex
	totals Totals // guarded by mu; counted at most every totalsAge
	at     time.Time

	found counted
}

// New returns the room.
func New(cfg Config) (*Service, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.ResetLimit == (limit.Rule{}) {
		cfg.ResetLimit = limit.Rule{Name: "admin-reset", Limit: 5, Window: time.Hour}
	}
	s := &Service{Config: cfg}
	if err := s.Ring.Need(context.Background(), keyring.Field); err != nil {
		return nil, err
	}
	s.Ring.AddRewraps(keyring.Rewrap{Name: "admin.log", Purpose: keyring.Field, Step: s.rewrapLog})
	s.Events.Listen(s.keepEvent)
	s.Jobs.Every("admin.trim-log", 24*time.Hour, s.TrimLog)
	return s, nil
}

// By is the one who acts.
type By struct {
	Account account.ID // of an admin; "" at the server's console
	Address string     // of an admin's request
	Console string     // the user of the operating system; "" for an admin
}

// byCaller is the admin of a request.
func byCaller(q rest.Request) By {
	return By{Account: account.ID(q.Caller.Account), Address: q.Client.Addr.String()}
}

// AtConsole is the person at the server.
func AtConsole() By {
	u, err := user.Current()
	if err != nil {
		return By{Console: "unknown"}
	}
	return By{Console: u.Username}
}

// The refusals of this room.
var (
	errYourself = fault.New(fault.Conflict, "not_yourself", "An admin does not change the own role, and does not suspend the own account. Ask another admin.")
	errOwner    = fault.New(fault.Conflict, "account_deactivated_by_owner", "The owner deactivated this account, and only the owner activates it.")
	errNoJob    = fault.New(fault.NotFound, "not_found", "No dead job has that id.")
	errKey      = fault.New(fault.Conflict, "key_needed", "A key of the last rotation is still needed. Wait until everything is under the active key, and destroy the old key at the server.")
	errNoLink   = fault.New(fault.NotFound, "not_found", "No link has that address or id.")
)

// known refuses text that is no id of an account before the database sees it.
func known(id account.ID) error {
	if u, err := uuid.Parse(string(id)); err != nil || u.String() != string(id) {
		return account.ErrNotFound
	}
	return nil
}
