// Package account is who exists: sign-up, e-mail, password, profile, lifecycle, deletion.
//
// # What it defends against
//
// A stranger must not learn which addresses have an account. So the request of a sign-up
// looks no account up. It checks the values, hashes the password and enqueues one job, the
// same for every address. The job decides which mail goes out. Resending works the same
// way. A mailed code is counted per address, whether or not that address waits for one. A
// sign-in with an unknown name costs the same argon2id as one with a known name.
//
// An unproven sign-up is no account. It lives in sign_ups under a data key of its own. It
// becomes an account when its own link or code comes back together with a second proof: the
// token that the sign-up answered, or its password. Sign-ups of one address wait side by
// side and end together when one is proven. So the owner of an address cannot open an
// account under a stranger's password with a link that the stranger's sign-up caused
// (security.md row 44). The order and number of sign-ups do not matter.
//
// A dump of the database names no person. Addresses, names, username and bio are sealed
// under the account's data key, and found by blind index. Passwords are argon2id, sealed
// under the pepper. Deleting the data key shreds the rest, in every copy that lacks it.
//
// # Notices
//
// This room listens to the events of all rooms. It mails each to every verified address of
// its account; see addresses.go.
//
// # What it does not do
//
// It opens no sessions and limits no sign-ins: session does. A username is not a secret: a
// holder of an account, or of a proven mailbox, can learn that a name is taken, a few times
// an hour.
package account

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"time"

	"github.com/google/uuid"

	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/kv"
	"coffer/internal/limit"
	"coffer/internal/mail"
	"coffer/internal/metric"
)

// ID names an account: a UUIDv7, public.
type ID string

// The values of [State.Status]. An address that is not proven yet has no account, so
// there is no pending status.
const (
	Active      = "active"
	Deactivated = "deactivated"
	// Suspended is the status that an operator gives an account. Its owner cannot sign in, and
	// no proof of the owner's lifts it; see operator.go.
	Suspended = "suspended"
	// Deleting is the status from the decision to delete an account until nothing of it is
	// left. No change of its standing is possible, and nobody can sign in.
	Deleting = "deleting"
)

// The values of [State.Role].
const (
	User  = "user"
	Admin = "admin"
)

// ErrNotFound says that no such account exists, or no longer.
var ErrNotFound = fault.New(fault.NotFound, "not_found", "Not found.")

// ErrCredentials is the one answer to a sign-in that failed: to an unknown account, to one
// without a password, and to a wrong password.
var ErrCredentials = fault.New(fault.Unauthenticated, "invalid_credentials", "Wrong e-mail, username or password.")

// Config is what a Service needs. DB, Ring, Jobs, Limit, KV, Mail and Events are required.
type Config struct {
	Settings
	DB      *db.DB
	Ring    *keyring.Ring
	Jobs    *jobs.Queue
	Limit   *limit.Limiter
	KV      kv.Store
	Mail    *mail.Mailer // gets the words of this room's mails
	Events  *event.Log
	Now     func() time.Time // zero: time.Now
	Rand    io.Reader        // zero: crypto/rand
	Log     *slog.Logger     // zero: slog.Default()
	Metrics *metric.Set      // zero: no counts are shown

	BaseURL string // links in mails start with it; no slash at the end

	Hashers   int // passwords hashed at once; zero: the number of cores
	HashQueue int // passwords waiting to be hashed before more are refused; zero: 32 a hasher

	VerifyLimit   limit.Rule // proofs tried from one address; zero: 100 in an hour
	ProofLimit    limit.Rule // wrong passwords for one sign-up from one address, ten times as many from all; zero: 10 in an hour
	UsernameLimit limit.Rule // usernames tried by one account or sign-up; zero: 10 in an hour

	NewAddressLimit limit.Rule // changes of its address that one account asks for; zero: 10 in an hour
}

func (c *Config) complete() error {
	if c.DB == nil || c.Ring == nil || c.Jobs == nil || c.Limit == nil || c.KV == nil || c.Mail == nil || c.Events == nil {
		return errors.New("account: DB, Ring, Jobs, Limit, KV, Mail and Events are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	if err := c.Settings.AfterApply(); err != nil {
		return err
	}
	c.nameRules()
	if c.Hashers <= 0 {
		c.Hashers = runtime.GOMAXPROCS(0)
	}
	if c.HashQueue <= 0 {
		c.HashQueue = 32 * c.Hashers
	}
	c.VerifyLimit = cmp.Or(c.VerifyLimit, limit.Rule{Name: "verify-email", Limit: 100, Window: time.Hour})
	c.ProofLimit = cmp.Or(c.ProofLimit, limit.Rule{Name: "sign-up-password", Limit: 10, Window: time.Hour})
	c.UsernameLimit = cmp.Or(c.UsernameLimit, limit.Rule{Name: "username", Limit: 10, Window: time.Hour})
	c.NewAddressLimit = cmp.Or(c.NewAddressLimit, limit.Rule{Name: "change-email", Limit: 10, Window: time.Hour})
	return nil
}

// Service is the room. It is safe for concurrent use.
type Service struct {
	Config
	hasher   *hasher
	states   *db.Kept[State]
	profiles *db.Kept[Profile]

	protections []protecting // lines of the security page
	keepers     []keeping
	waysBack    []WayBack
	waysIn      []WayIn
	avatars     ReadsAvatar // nil without a room of pictures
}

// New returns the service. It hands its jobs to cfg.Jobs, and mails the events of all rooms.
func New(cfg Config) (*Service, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	if err := cfg.Ring.Need(context.Background(), keyring.Field, keyring.Index, keyring.Pepper, keyring.Code); err != nil {
		return nil, err
	}
	s := &Service{
		Config: cfg, hasher: newHasher(cfg.Argon, cfg.Hashers, cfg.HashQueue, cfg.Rand),
		states: db.Keep[State](cfg.DB, topic, 16_384), profiles: db.Keep[Profile](cfg.DB, topic, 2048),
	}
	s.hasher.measure(cfg.Metrics)
	s.register()
	return s, nil
}

// State is what every request needs to know about its account.
type State struct {
	ID           ID
	Status       string   // Active, Deactivated, Suspended or Deleting
	Resumes      string   // of a suspended account: its status when the suspension is lifted
	SessionEpoch int64    // a session of an older epoch is over
	Role         string   // User or Admin
	Lang         string   // BCP 47
	Layers       []string // that sign-in asks for, as their rooms noted with SetLayer
	AlwaysAsk    bool     // sign-in asks for them on remembered devices too
}

// State reads an account's state; ErrNotFound when it does not exist. It is on the path
// of every request: one look-up by primary key, or none in the process that owns the
// database.
func (s *Service) State(ctx context.Context, id ID) (State, error) {
	return s.states.Get(ctx, string(id), func(ctx context.Context) (State, error) {
		r, err := readState(ctx, s.DB.Shared(), id)
		return s.believe(ctx, r, err)
	})
}

// Hold is State inside tx, and no other transaction changes it before tx has ended. It
// answers ErrNotFound for an account that is being deleted.
func (s *Service) Hold(ctx context.Context, tx *db.Tx, id ID) (State, error) {
	r, err := holdState(ctx, tx, id)
	st, err := s.believe(ctx, r, err)
	if err == nil && st.Status == Deleting {
		return State{}, ErrNotFound
	}
	return st, err
}

// DataKey opens the key under which everything personal about the account is sealed;
// ErrNotFound when the account, or its key, is gone.
func (s *Service) DataKey(ctx context.Context, q db.Querier, id ID) (*keyring.DataKey, error) {
	wrapped, err := readWrapped(ctx, q, id)
	if err != nil {
		return nil, err
	}
	return s.Ring.OpenDataKey(ctx, string(id), wrapped)
}

// SignedIn notes that the account signed in now, for the summary in its profile, and
// reports whether it is the first time. session calls it in the transaction that opens a
// session. The account's row stays locked until tx ends. ErrNotFound says that the account is
// gone or is being deleted.
func (s *Service) SignedIn(ctx context.Context, tx *db.Tx, id ID) (first bool, err error) {
	return noteSignIn(ctx, tx, id, s.Now().UnixMilli())
}

func newID() (ID, error) {
	u, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make an account id: %w", err)
	}
	return ID(u.String()), nil
}
