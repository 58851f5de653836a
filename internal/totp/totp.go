// Package totp is the layer of one-time codes from an authenticator app (RFC 6238).
//
// # What it defends against
//
//   - A stolen password: with the layer on, sign-in asks for a code as well.
//   - A code seen over a shoulder or phished and used again: a code is spent by one
//     conditional UPDATE that lets its 30-second step, and none before it, pass once.
//     Twenty uses at once have one winner. The code that confirms an enrolment is spent too.
//   - An old or early code: only the current step and the one before it pass, by the
//     server's clock (protocols.md §4). A phone whose clock runs ahead is refused.
//   - Guessing: an attempt dies after five wrong codes (session counts them), an enrolment
//     too, and after [maxFailures] wrong codes in a row, over however many attempts, the
//     layer answers nobody until it is set up anew; waiting does not reset that count
//     (NIST SP 800-63B §3.2.2). The owner is told by mail.
//   - A read database: the secret is 160 random bits under the account's data key, bound
//     to its row. Deleting the account's key shreds it.
//   - A secret planted or removed by whoever finds an open session: both ask for a fresh
//     proof (step-up) and mail the owner. A secret is shown while its enrolment is pending,
//     to the session that began it, and never again.
//
// # Choices
//
// SHA-1, six digits and 30 seconds are what every authenticator app reads; HMAC-SHA-1 is
// not weakened by collisions in SHA-1. An enrolment is open for [pendingFor]; a new one
// replaces it. The layer is of the possession kind and can be phished in real time: a
// passkey cannot.
package totp

import (
	"cmp"
	"context"
	"crypto/rand"
	"embed"
	"encoding/base32"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/mail"
	"coffer/internal/rest"
	"coffer/internal/seal"
	"coffer/internal/session"
)

const (
	name       = "totp" // of the layer, in attempts and under /account
	secretSize = 20     // bytes: 160 bits (RFC 4226 §4 R6)
	period     = 30     // seconds of one step

	pendingFor  = time.Hour
	maxTries    = 5   // codes against one enrolment
	maxFailures = 100 // wrong codes in a row at sign-in
)

// The kinds of events of this room.
const (
	enabled  = "totp-enabled"
	disabled = "totp-disabled"
	locked   = "totp-locked"
)

//go:embed words
var words embed.FS

var (
	errCode       = fault.New(fault.Unauthenticated, "invalid_code", "That code is wrong or was used already. Wait for the next one and try again.")
	errLocked     = fault.New(fault.Unauthenticated, "totp_locked", "Too many wrong codes. Use a recovery method, then set the app up again.")
	errEnabled    = fault.New(fault.Conflict, "totp_already_enabled", "An authenticator app is set up already. Disable it first.")
	errNotPending = fault.New(fault.Conflict, "totp_not_pending", "No set-up of an authenticator app is pending. Begin the set-up again.")
)

// Config is what a Service needs. DB, Accounts, Sessions and Events are required.
type Config struct {
	DB       *db.DB
	Accounts *account.Service
	Sessions *session.Service // runs the attempts and remembers devices
	Events   *event.Log
	Now      func() time.Time // zero: time.Now
	Rand     io.Reader        // zero: crypto/rand
}

// Service is the room. It is safe for concurrent use.
type Service struct {
	Config
}

var _ session.Layer = (*Service)(nil)

// New returns the room, which is a layer of sign-in and a line of the security page from
// then on.
func New(cfg Config) *Service {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	s := &Service{Config: cfg}
	for _, kind := range []string{enabled, disabled, locked} {
		s.Events.Declare(mail.Kind{Name: kind, Header: "security-notice"}, words)
	}
	s.Sessions.AddLayer(s, remove)
	s.Accounts.Protect(name, protection)
	s.Accounts.Keep(name, account.Keeper{Forget: forget})
	return s
}

// Name is the layer's name in attempts.
func (s *Service) Name() string { return name }

// Last reports that sign-in may ask for a code at any time.
func (s *Service) Last() bool { return false }

// Enabled reports whether sign-in to the account asks for a code.
func (s *Service) Enabled(ctx context.Context, q db.Querier, id account.ID) (bool, error) {
	return isEnabled(ctx, q, id)
}

func forget(ctx context.Context, tx *db.Tx, id account.ID) error {
	_, err := remove(ctx, tx, id)
	return err
}

// protection is the layer's line on the security page.
func protection(ctx context.Context, q db.Querier, id account.ID) (account.Protection, error) {
	since, used, err := readEnabled(ctx, q, id)
	if errors.Is(err, db.ErrNoRows) {
		return account.Protection{}, nil
	}
	if err != nil {
		return account.Protection{}, err
	}
	return account.Used(since, used), nil
}

// Begin has nothing to send: the code comes from the app.
func (s *Service) Begin(context.Context, *db.Tx, account.ID, string) (session.Prompt, error) {
	return session.Prompt{}, nil
}

// Assurance says that the layer is a one-time code from something the person has.
func (s *Service) Assurance() (amr string, aal2 bool) { return "otp", true }

// Enrol makes a new pending secret in the place of an older pending one. It belongs to the
// caller's session.
func (s *Service) Enrol(ctx context.Context, c rest.Caller) (Enrolment, error) {
	id := account.ID(c.Account)
	secret := make([]byte, secretSize)
	if _, err := io.ReadFull(s.Rand, secret); err != nil {
		return Enrolment{}, err
	}
	var e Enrolment
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		sealed, err := s.seal(ctx, tx, id, append(secret[:secretSize:secretSize], c.Session...))
		if err != nil {
			return err
		}
		if put, err := putPending(ctx, tx, id, sealed, s.Now()); err != nil {
			return err
		} else if !put {
			return errEnabled
		}
		e, err = s.enrolment(ctx, tx, id, secret)
		return err
	})
	return e, err
}

// Pending returns the enrolment that waits for its first code, to the session that began it.
// That session gave a fresh proof to see the secret; another one did not.
func (s *Service) Pending(ctx context.Context, c rest.Caller) (Enrolment, error) {
	id := account.ID(c.Account)
	var e Enrolment
	err := s.DB.Read(ctx, func(tx *db.Tx) error {
		sealed, err := readPending(ctx, tx, id, s.Now().Add(-pendingFor))
		if errors.Is(err, db.ErrNoRows) {
			return errNotPending
		}
		if err != nil {
			return err
		}
		secret, began, err := s.openPending(ctx, tx, id, sealed)
		if err != nil {
			return err
		}
		if began != c.Session {
			return errNotPending
		}
		e, err = s.enrolment(ctx, tx, id, secret)
		return err
	})
	return e, err
}

// Confirm turns the layer on when code is right for the pending secret.
func (s *Service) Confirm(ctx context.Context, c rest.Caller, code string) error {
	id := account.ID(c.Account)
	var wrong bool
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		// The try is counted before the code is looked at: what happens at once is
		// counted as well. The row stays locked until the transaction ends.
		sealed, tries, err := tryPending(ctx, tx, id, s.Now().Add(-pendingFor))
		if errors.Is(err, db.ErrNoRows) {
			return errNotPending
		}
		if err != nil {
			return err
		}
		secret, _, err := s.openPending(ctx, tx, id, sealed)
		if err != nil {
			return err
		}
		step, ok := match(secret, code, s.Now())
		if wrong = !ok; wrong && tries >= maxTries {
			return deletePending(ctx, tx, id)
		}
		if wrong {
			return nil
		}
		if sealed, err = s.seal(ctx, tx, id, secret); err != nil { // without the session
			return err
		}
		if err := enable(ctx, tx, id, sealed, step, s.Now()); err != nil {
			return err
		}
		return s.Sessions.TurnOn(ctx, tx, c, name, enabled)
	})
	if err == nil && wrong {
		err = errCode
	}
	return err
}

// Disable turns the layer off and forgets its secret, and the devices that were spared it:
// they have never passed the one that may come after it. That it is off already is no error.
// recoveryOff says that recovery methods end with it, when they need it.
func (s *Service) Disable(ctx context.Context, c rest.Caller, recoveryOff bool) error {
	return s.Sessions.TurnOff(ctx, c, name, disabled, recoveryOff)
}

// pass answers this layer of an attempt with a code.
func (s *Service) pass(ctx context.Context, in session.AttemptInput, code string) (session.Outcome, error) {
	return s.Sessions.Pass(ctx, in, name, func(ctx context.Context, tx *db.Tx, id account.ID) error {
		return s.spend(ctx, tx, id, code)
	})
}

// spend takes code as the proof of one sign-in. It is the verification of an attempt,
// inside the attempt's transaction. The code is counted as wrong before it is looked at,
// so that of many at once no more than maxFailures are; a right one takes that back.
func (s *Service) spend(ctx context.Context, tx *db.Tx, id account.ID, code string) error {
	sealed, failures, err := countTry(ctx, tx, id)
	if errors.Is(err, db.ErrNoRows) {
		on, err := isEnabled(ctx, tx, id)
		if err == nil && on {
			return errLocked
		}
		return cmp.Or(err, error(errCode))
	}
	if err != nil {
		return err
	}
	secret, err := s.open(ctx, tx, id, sealed)
	if err != nil {
		return err
	}
	step, ok := match(secret, code, s.Now())
	if ok {
		if ok, err = spendStep(ctx, tx, id, sealed, step, s.Now()); err != nil || ok {
			return err
		}
	}
	if failures == maxFailures {
		if err := s.record(ctx, tx, id, locked); err != nil {
			return err
		}
	}
	return errCode
}

// match returns the step that code belongs to, of the current one and the one before.
func match(secret []byte, code string, now time.Time) (step int64, ok bool) {
	opts := hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}
	code = strings.ReplaceAll(code, " ", "") // apps show 123 456
	current := now.Unix() / period
	for _, step := range []int64{current, current - 1} {
		// The comparison is constant-time; a code of another length is just wrong.
		if ok, err := hotp.ValidateCustom(code, uint64(step), encode(secret), opts); err == nil && ok {
			return step, true
		}
	}
	return 0, false
}

// encode is how secrets are shown to people and apps (RFC 4648 §6, no padding).
func encode(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}

func (s *Service) seal(ctx context.Context, q db.Querier, id account.ID, secret []byte) ([]byte, error) {
	key, err := s.Accounts.DataKey(ctx, q, id)
	if err != nil {
		return nil, err
	}
	return key.Seal("totp", "secret", string(id), secret), nil
}

func (s *Service) open(ctx context.Context, q db.Querier, id account.ID, sealed []byte) ([]byte, error) {
	key, err := s.Accounts.DataKey(ctx, q, id)
	if err != nil {
		return nil, err
	}
	return key.Open("totp", "secret", string(id), sealed)
}

// openPending returns a pending secret and the session that began its enrolment.
func (s *Service) openPending(ctx context.Context, q db.Querier, id account.ID, sealed []byte) (secret []byte, began string, err error) {
	plain, err := s.open(ctx, q, id, sealed)
	if err != nil {
		return nil, "", err
	}
	if len(plain) < secretSize {
		return nil, "", seal.ErrOpen
	}
	return plain[:secretSize], string(plain[secretSize:]), nil
}

func (s *Service) record(ctx context.Context, tx *db.Tx, id account.ID, kind string) error {
	return s.Events.Record(ctx, tx, event.Event{Kind: kind, Account: string(id)})
}
