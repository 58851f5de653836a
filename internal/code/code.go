// Package code makes short codes that are sent to a person, and judges what comes back.
//
// A room that sends codes (by mail, by SMS) keeps none itself. It asks here for a code,
// in the transaction that enqueues the message, and hands the answer in.
//
// # What it defends against
//
//   - Guessing: a challenge bears [maxTries] answers over all its codes, and an account
//     bears [maxFailures] wrong answers an hour over all its challenges. A new code forgives
//     none (NIST SP 800-63B-4 §3.1.3.2). A sign-in bears [maxStreak] wrong answers in a row, and
//     no time takes them away: then its owner confirms the account from the mailbox (§3.2.2).
//     The account's row is locked while an answer is
//     judged, so of answers at once no more are looked at.
//   - A read database: a code is a keyed hash over challenge, purpose, account, recipient,
//     times and code (protocols.md §4).
//   - A written database: a row that was moved, prolonged or copied fits no code. A writer
//     can reset the counts.
//   - A code used twice, or in another challenge: the row goes with its use, and the hash
//     binds the challenge (ASVS 6.5.1, 6.6.2).
//   - Somebody who makes the server send: a challenge gets one code in [Config.Cooldown],
//     and [maxSends] codes in all. An account gets [maxWaiting] codes of a purpose before one
//     is used or its challenge ends.
package code

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
)

const (
	digits      = 6  // ASVS 6.5.4
	maxTries    = 5  // answers to one challenge
	maxSends    = 5  // codes of one challenge
	maxWaiting  = 20 // codes of an account and a purpose, over its open challenges
	maxFailures = 10 // wrong answers of an account, an hour and a purpose
	failureTime = time.Hour
	maxStreak   = 100 // wrong answers of an account in a row, of a purpose that is an authenticator
)

var (
	// ErrWrong refuses a wrong code; the caller may try again.
	ErrWrong = fault.New(fault.Unauthenticated, "invalid_code", "That code is wrong or was replaced by a newer one.")
	// ErrOver refuses every answer to a challenge whose code has expired or was used, or
	// that had too many answers.
	ErrOver = fault.New(fault.Gone, "code_expired", "That code has expired, was used, or had too many wrong answers. Ask for a new one.")
	// ErrTooMany refuses answers of an account with too many wrong ones, until RetryAfter.
	ErrTooMany = fault.New(fault.Limited, "rate_limited", "Too many wrong codes. Try again later.")
	// ErrLocked refuses every answer of an account that gave maxStreak wrong ones in a row, until
	// its owner has confirmed the account from the mailbox.
	ErrLocked = fault.New(fault.Unauthenticated, "code_locked", "Too many wrong codes. Set a new password with \"Forgot password\", then sign in again.")
	// ErrTooSoon refuses a further code until RetryAfter.
	ErrTooSoon = fault.New(fault.Limited, "rate_limited", "A code was sent a moment ago. Wait before you ask for another.")
	// ErrWaiting refuses a further code until RetryAfter to an account that used none of many.
	ErrWaiting = fault.New(fault.Limited, "rate_limited", "Too many codes were sent and not used. Try again later.")
	// ErrNoMore refuses a further code of a challenge that had all of its codes.
	ErrNoMore = fault.New(fault.Gone, "code_expired", "No more codes are sent for this sign-in. Begin again.")
)

// Config is what a Service needs. DB, Ring, Jobs and Accounts are required.
type Config struct {
	Settings
	DB       *db.DB
	Ring     *keyring.Ring
	Jobs     *jobs.Queue
	Accounts *account.Service
	Now      func() time.Time // zero: time.Now
	Rand     io.Reader        // zero: crypto/rand
}

// Service makes and judges codes. It is safe for concurrent use.
type Service struct{ Config }

// New returns the service.
func New(cfg Config) (*Service, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if err := cfg.AfterApply(); err != nil {
		return nil, err
	}
	if err := cfg.Ring.Need(context.Background(), keyring.Code); err != nil {
		return nil, err
	}
	s := &Service{cfg}
	s.Accounts.Keep("code", account.Keeper{Forget: forget, SignOut: func(ctx context.Context, tx *db.Tx, id account.ID, _ string) error {
		return dropCodes(ctx, tx, id)
	}})
	s.Jobs.Every("code.prune", 10*time.Minute, func(ctx context.Context) error {
		now := s.Now()
		return prune(ctx, s.DB, now.UnixMilli(), now.Add(-failureTime).UnixMilli())
	}, jobs.Old{Table: "codes", Rows: "ends_at <= $1"}, jobs.Old{Table: "code_failures", Rows: "at <= $1", Age: failureTime})
	return s, nil
}

// Challenge is what a code answers: an attempt, or a set-up.
type Challenge struct {
	ID      string
	Purpose string // names the room and the step, such as "mailcode"
	Account account.ID
	To      string    // where its code goes, in clear; a code that went elsewhere is wrong. No row holds it
	Ends    time.Time // no code of it lives longer

	Authenticates bool // an answer is part of a sign-in: wrong ones in a row count for good
}

// Send makes a code for a challenge, in the transaction that enqueues its message. The
// challenge's older code ends. again is from when on another may be asked for. Codes:
// rate_limited, code_expired.
func (s *Service) Send(ctx context.Context, tx *db.Tx, c Challenge) (text string, again time.Time, err error) {
	if _, err := s.Accounts.Hold(ctx, tx, c.Account); err != nil {
		return "", time.Time{}, err
	}
	if text, err = newCode(s.Rand); err != nil {
		return "", time.Time{}, err
	}
	now := s.Now()
	waiting, ends, err := countWaiting(ctx, tx, c, now.UnixMilli())
	if err != nil {
		return "", time.Time{}, err
	}
	if waiting >= maxWaiting {
		wait := time.UnixMilli(ends).Sub(now)
		return "", time.Time{}, after(ErrWaiting, wait, fault.Policy{Name: "code-waiting", Limit: maxWaiting, Window: max(wait, c.Ends.Sub(now))})
	}
	r := row{Challenge: c, SentAt: now.UnixMilli(), EndsAt: c.Ends.UnixMilli()}
	r.ExpiresAt = min(now.Add(s.Accounts.CodeTTL).UnixMilli(), r.EndsAt)
	if r.Code, err = s.Ring.MAC(ctx, keyring.Code, r.parts(text)...); err != nil {
		return "", time.Time{}, err
	}
	sent, err := putCode(ctx, tx, r, now.Add(-s.Cooldown).UnixMilli(), maxSends)
	if err != nil {
		return "", time.Time{}, err
	}
	if !sent {
		return "", time.Time{}, s.mayNotSend(ctx, tx, c)
	}
	return text, now.Add(s.Cooldown), nil
}

// mayNotSend says why a challenge gets no further code now.
func (s *Service) mayNotSend(ctx context.Context, tx *db.Tx, c Challenge) error {
	sent, sends, err := readSends(ctx, tx, c)
	if err != nil {
		return err
	}
	if sends >= maxSends {
		return ErrNoMore
	}
	return s.TooSoon(time.UnixMilli(sent))
}

// TooSoon is the refusal of a further code after one that was sent then.
func (s *Service) TooSoon(sent time.Time) error {
	return after(ErrTooSoon, sent.Add(s.Cooldown).Sub(s.Now()), fault.Policy{Name: "code-resend", Limit: 1, Window: s.Cooldown})
}

// after is a refusal by a limit that ends after a while.
func after(f *fault.Error, wait time.Duration, p fault.Policy) error {
	e := *f
	e.RetryAfter, e.Policy = max(wait, time.Second), &p
	return &e
}

// Use judges an answer in the transaction of what it allows. Of all answers to a code, one
// right one is good. A wrong one is [ErrWrong], of kind Unauthenticated, and the caller
// commits what Use has counted. Other codes: code_expired, code_locked, rate_limited.
func (s *Service) Use(ctx context.Context, tx *db.Tx, c Challenge, text string) error {
	// The lock makes answers of one account follow each other, so the counts are exact.
	if _, err := s.Accounts.Hold(ctx, tx, c.Account); err != nil {
		return err
	}
	now := s.Now()
	failures, first, err := countFailures(ctx, tx, c, now.Add(-failureTime).UnixMilli())
	if err != nil {
		return err
	}
	if failures >= maxFailures {
		return after(ErrTooMany, time.UnixMilli(first).Add(failureTime).Sub(now), fault.Policy{Name: "code-wrong", Limit: maxFailures, Window: failureTime})
	}
	if c.Authenticates {
		// The lock on the account makes this exact, too.
		n, err := readStreak(ctx, tx, c.Account, c.Purpose)
		if err != nil {
			return err
		}
		if n >= maxStreak {
			return ErrLocked
		}
	}
	r, err := countTry(ctx, tx, c, now.UnixMilli(), maxTries)
	if errors.Is(err, db.ErrNoRows) {
		return ErrOver
	}
	if err != nil {
		return err
	}
	right, err := s.right(ctx, r, text)
	if err != nil {
		return err
	}
	if right {
		if c.Authenticates {
			err = s.Forgive(ctx, tx, c.Account, c.Purpose)
		}
		return errors.Join(err, deleteCode(ctx, tx, c))
	}
	if c.Authenticates {
		if err := addToStreak(ctx, tx, c.Account, c.Purpose); err != nil {
			return err
		}
	}
	if err := insertFailure(ctx, tx, c, now.UnixMilli(), uuid.NewString()); err != nil {
		return err
	}
	return ErrWrong
}

// Forgive forgets how many wrong answers in a row an account has given for a purpose. Those of
// the last hour stay counted.
func (s *Service) Forgive(ctx context.Context, tx *db.Tx, id account.ID, purpose string) error {
	return dropStreak(ctx, tx, id, purpose)
}

// Try is Use in a transaction of its own, in which then runs for a right answer. The count
// of a wrong answer stays.
func (s *Service) Try(ctx context.Context, c Challenge, text string, then func(*db.Tx) error) error {
	var wrong error
	err := s.DB.Tx(context.WithoutCancel(ctx), func(tx *db.Tx) error {
		wrong = nil
		err := s.Use(ctx, tx, c, text)
		if errors.Is(err, ErrWrong) {
			wrong = err
			return nil
		}
		if err != nil {
			return err
		}
		return then(tx)
	})
	return errors.Join(err, wrong)
}

// right compares an answer with the code under every live key.
func (s *Service) right(ctx context.Context, r row, text string) (bool, error) {
	sums, err := s.Ring.MACs(ctx, keyring.Code, r.parts(plain(text))...)
	if err != nil {
		return false, err
	}
	found := 0
	for _, sum := range sums {
		found |= subtle.ConstantTimeCompare(sum, r.Code)
	}
	return found == 1, nil
}

// plain drops the spaces that people type into a code.
func plain(text string) string { return strings.ReplaceAll(text, " ", "") }

// parts is what a code's keyed hash goes over.
func (r row) parts(text string) [][]byte {
	var times []byte
	for _, at := range []int64{r.SentAt, r.ExpiresAt, r.EndsAt} {
		times = binary.BigEndian.AppendUint64(times, uint64(at))
	}
	return [][]byte{[]byte("code"), []byte(r.ID), []byte(r.Purpose), []byte(r.Account), []byte(r.To), times, []byte(text)}
}

func newCode(random io.Reader) (string, error) {
	most := new(big.Int).Exp(big.NewInt(10), big.NewInt(digits), nil)
	n, err := rand.Int(random, most)
	if err != nil {
		return "", fmt.Errorf("make a code: %w", err)
	}
	return fmt.Sprintf("%0*d", digits, n), nil
}

func forget(ctx context.Context, tx *db.Tx, id account.ID) error {
	return errors.Join(dropCodes(ctx, tx, id), dropFailures(ctx, tx, id))
}
