// Package smscode is the layer of codes that are sent to a telephone.
//
// # What it defends against
//
//   - A stolen password: with the layer on, sign-in asks for a code as well.
//   - A number that is not the owner's: a code sent to it turns the layer on (ASVS 6.6.1). A
//     change of the number leaves the old one in force until the new one is proved.
//   - Guessing, codes used twice or for another sign-in: package code judges them. A challenge
//     is bound to the number that its code went to, so a change of the number ends open codes.
//   - Messages at the operator's cost (SMS pumping): five caps, see caps.go, and a list of
//     countries. A refusal says until when.
//   - A read database: the number is sealed under the account's data key. The caps count
//     under blind indexes.
//   - A written database: a number is sealed to its account and to the time since when it is
//     in force. The account's seal says that the layer is on; without its row it is asked for
//     and no code passes.
//   - A layer that is turned on or off, or a number that is changed, by whoever finds an open
//     session: each asks for a fresh proof and is told to every verified address.
//
// # Choices
//
// A code lives for ten minutes at most, also where mailed codes live longer (NIST SP
// 800-63B-4 §3.1.3). With a password the layer makes aal2, as §2.2 allows an out-of-band
// authenticator. The telephone network is restricted there (§3.1.3.3): messages can be
// read on the way, and numbers are taken over. So the set-up's answer carries a notice, and
// pages offer the authenticator app first. A strict operator sets no service.
//
// A sign-in whose message a cap forbids is a challenge all the same: its prompt has no
// recipient, and says from when on a message may be asked for.
package smscode

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/code"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/mail"
	"coffer/internal/rest"
	"coffer/internal/seal"
	"coffer/internal/session"
	"coffer/internal/sms"
)

const (
	name  = "sms"           // of the layer, in attempts and under /account
	enrol = "smscode.setup" // the purpose of a set-up's codes
	enter = "smscode"       // of a sign-in's codes
	kind  = "sms-code"      // of messages

	pendingFor = 30 * time.Minute
	codeFor    = 10 * time.Minute // at most
)

// The kinds of events of this room.
const (
	enabled  = "sms-enabled"
	changed  = "sms-changed"
	disabled = "sms-disabled"
)

//go:embed words
var words embed.FS

var (
	errEnabled    = fault.New(fault.Conflict, "sms_already_enabled", "Codes are sent to that number already.")
	errNotPending = fault.New(fault.Conflict, "sms_not_pending", "No set-up of a telephone is pending. Begin the set-up again.")
	errNoNumber   = errors.New("smscode: there is no number to send to") // of an account
)

// Config is what a Service needs. DB, Ring, Jobs, Accounts, Sessions, Codes and Events are required.
type Config struct {
	Settings
	DB       *db.DB
	Ring     *keyring.Ring
	Jobs     *jobs.Queue
	Accounts *account.Service
	Sessions *session.Service // runs the attempts and remembers devices
	Codes    *code.Service
	Events   *event.Log
	Now      func() time.Time // zero: time.Now
	Log      *slog.Logger     // zero: discards

	BaseURL string // names the host that a code is bound to
	Sends   bool   // messages reach people; else they are files of the operator
}

// Service is the room. It is safe for concurrent use.
type Service struct {
	Config
	host string
}

var _ session.Layer = (*Service)(nil)

// New returns the room, which is a layer of sign-in and a line of the security page from
// then on.
func New(cfg Config) (*Service, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if err := cfg.AfterApply(); err != nil {
		return nil, err
	}
	cfg.nameRules()
	if err := cfg.Ring.Need(context.Background(), keyring.Index); err != nil {
		return nil, err
	}
	s := &Service{Config: cfg}
	if u, err := url.Parse(cfg.BaseURL); err == nil {
		s.host = u.Hostname()
	}
	for _, kind := range []string{enabled, changed, disabled} {
		s.Events.Declare(mail.Kind{Name: kind, Header: "security-notice"}, words)
	}
	s.Sessions.AddLayer(s, remove)
	s.Sessions.AddConfirmed(func(ctx context.Context, tx *db.Tx, id account.ID) error { return s.Codes.Forgive(ctx, tx, id, enter) })
	s.Accounts.Protect(name, s.protection)
	s.Accounts.Keep("smscode", account.Keeper{Export: s.export, Forget: forget})
	s.Jobs.Every("smscode.prune", 10*time.Minute, func(ctx context.Context) error { return prune(ctx, s.DB, s.Now().UnixMilli()) },
		jobs.Old{Table: "smscode_counts", Rows: "ends_at <= $1"})
	return s, nil
}

// Name is the layer's name in attempts.
func (s *Service) Name() string { return name }

// Last reports that sign-in may ask for a code at any time.
func (s *Service) Last() bool { return false }

// Assurance says that the layer is a code by text message, something the person has.
func (s *Service) Assurance() (amr string, aal2 bool) { return "sms", true }

// Enabled reports whether sign-in to the account asks for a code.
func (s *Service) Enabled(ctx context.Context, q db.Querier, id account.ID) (bool, error) {
	_, err := readEnabled(ctx, q, id)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func forget(ctx context.Context, tx *db.Tx, id account.ID) error {
	_, err := remove(ctx, tx, id)
	return err
}

// protection is the layer's line on the security page.
func (s *Service) protection(ctx context.Context, q db.Querier, id account.ID) (account.Protection, error) {
	t, err := readEnabled(ctx, q, id)
	if errors.Is(err, db.ErrNoRows) {
		return account.Protection{}, nil
	}
	if err != nil {
		return account.Protection{}, err
	}
	line := account.Used(t.Since, t.Used)
	number, err := s.open(ctx, q, id, "phone", t.label(), t.Sealed)
	if err == nil {
		line.Hint = mask(number)
	}
	if s.altered(ctx, id, err) {
		err = nil
	}
	return line, err
}

// export adds sms.json to the owner's archive.
func (s *Service) export(ctx context.Context, id account.ID, to *account.Archive) error {
	var numbers struct {
		Phone   string `json:"phone,omitempty"`
		Pending string `json:"pending,omitempty"`
	}
	err := s.DB.Read(ctx, func(tx *db.Tx) error {
		t, err := readEnabled(ctx, tx, id)
		if err == nil {
			numbers.Phone, err = s.open(ctx, tx, id, "phone", t.label(), t.Sealed)
		}
		if err != nil && !errors.Is(err, db.ErrNoRows) && !s.altered(ctx, id, err) {
			return err
		}
		p, err := readPending(ctx, tx, id, 0)
		if err == nil {
			numbers.Pending, err = s.open(ctx, tx, id, "pending", p.label(), p.Sealed)
		}
		if errors.Is(err, db.ErrNoRows) || s.altered(ctx, id, err) {
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	return to.Put("sms.json", numbers)
}

// Sent tells where a code went, and from when on another may be asked for.
type Sent struct {
	To    string // masked
	Again time.Time
}

// Enrol begins to set up a number: it sends a first code there. Codes: validation_failed,
// sms_already_enabled, rate_limited.
func (s *Service) Enrol(ctx context.Context, id account.ID, phone string) (Sent, error) {
	number, err := s.parse(phone)
	if err != nil {
		return Sent{}, err
	}
	challenge, err := uuid.NewV7()
	if err != nil {
		return Sent{}, err
	}
	var sent Sent
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.Accounts.Hold(ctx, tx, id); err != nil {
			return err
		}
		now := s.Now()
		p := setup{Challenge: challenge.String(), At: now.UnixMilli()}
		if err := s.mayEnrol(ctx, tx, id, number); err != nil {
			return err
		}
		var err error
		if p.Sealed, err = s.seal(ctx, tx, id, "pending", p.label(), number); err != nil {
			return err
		}
		put, err := putPending(ctx, tx, id, p, now.Add(-s.Codes.Cooldown).UnixMilli())
		if err != nil {
			return err
		}
		if !put {
			return s.tooSoon(ctx, tx, id)
		}
		sent, err = s.send(ctx, tx, s.set(p, id), number)
		return err
	})
	return sent, err
}

// mayEnrol refuses the number that is in force.
func (s *Service) mayEnrol(ctx context.Context, tx *db.Tx, id account.ID, number string) error {
	t, err := readEnabled(ctx, tx, id)
	if err == nil {
		var current string
		if current, err = s.open(ctx, tx, id, "phone", t.label(), t.Sealed); err == nil && current == number {
			return errEnabled
		}
	}
	if errors.Is(err, db.ErrNoRows) || s.altered(ctx, id, err) {
		return nil
	}
	return err
}

func (s *Service) tooSoon(ctx context.Context, tx *db.Tx, id account.ID) error {
	at, err := readSetupAt(ctx, tx, id)
	if err != nil {
		return err
	}
	return s.Codes.TooSoon(time.UnixMilli(at))
}

// Resend sends another code to the number that is being set up. The older code ends. Codes:
// sms_not_pending, rate_limited, code_expired.
func (s *Service) Resend(ctx context.Context, id account.ID) (Sent, error) {
	var sent Sent
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.Accounts.Hold(ctx, tx, id); err != nil {
			return err
		}
		p, number, err := s.pending(ctx, tx, id)
		if err != nil {
			return err
		}
		sent, err = s.send(ctx, tx, s.set(p, id), number)
		return err
	})
	return sent, err
}

// pending returns the set-up that waits for its first code, and its number.
func (s *Service) pending(ctx context.Context, q db.Querier, id account.ID) (setup, string, error) {
	p, err := readPending(ctx, q, id, s.Now().Add(-pendingFor).UnixMilli())
	if errors.Is(err, db.ErrNoRows) {
		return p, "", errNotPending
	}
	if err != nil {
		return p, "", err
	}
	number, err := s.open(ctx, q, id, "pending", p.label(), p.Sealed)
	if s.altered(ctx, id, err) {
		err = errNotPending.Because(err)
	}
	return p, number, err
}

// Confirm turns the layer on for the number whose code comes back. Codes: invalid_code,
// code_expired, rate_limited, sms_not_pending.
func (s *Service) Confirm(ctx context.Context, c rest.Caller, text string) error {
	id := account.ID(c.Account)
	p, _, err := s.pending(ctx, s.DB, id)
	if err != nil {
		return err
	}
	return s.Codes.Try(ctx, s.set(p, id), text, func(tx *db.Tx) error {
		now, number, err := s.pending(ctx, tx, id)
		if err != nil {
			return err
		}
		if now.Challenge != p.Challenge {
			return errNotPending
		}
		old, err := readEnabled(ctx, tx, id)
		was := err == nil
		if err != nil && !errors.Is(err, db.ErrNoRows) {
			return err
		}
		// No two numbers of an account have the same time: it tells their codes apart.
		t := telephone{Since: max(s.Now().UnixMilli(), old.Since+1)}
		if t.Sealed, err = s.seal(ctx, tx, id, "phone", t.label(), number); err != nil {
			return err
		}
		on, err := enable(ctx, tx, id, p.Challenge, t.Sealed, t.Since)
		if err != nil {
			return err
		}
		if !on {
			return errNotPending
		}
		if !was {
			return s.Sessions.TurnOn(ctx, tx, c, name, enabled)
		}
		// A remembered device has passed the old number, and never the new one.
		if err := s.Sessions.ForgetDevices(ctx, tx, id); err != nil {
			return err
		}
		return s.Sessions.TurnOn(ctx, tx, c, name, changed)
	})
}

// Disable turns the layer off and forgets its number, and the devices that were spared it.
// That it is off already is no error.
func (s *Service) Disable(ctx context.Context, c rest.Caller, recoveryOff bool) error {
	return s.Sessions.TurnOff(ctx, c, name, disabled, recoveryOff)
}

// Begin sends a code, unless a cap forbids it now. A layer whose number is gone or altered
// sends none, and cannot be passed.
func (s *Service) Begin(ctx context.Context, tx *db.Tx, id account.ID, attempt string) (session.Prompt, error) {
	t, number, err := s.telephone(ctx, tx, id)
	if errors.Is(err, errNoNumber) {
		return session.Prompt{}, nil
	}
	if err != nil {
		return session.Prompt{}, err
	}
	if err := s.ask(ctx, tx, id, number, enter); err != nil {
		refusal, ok := errors.AsType[*fault.Error](err)
		if !ok || refusal.Kind != fault.Limited {
			return session.Prompt{}, err
		}
		at := s.Now().Add(refusal.RetryAfter).UTC()
		return session.Prompt{ResendAt: &at}, nil
	}
	sent, err := s.send(ctx, tx, s.entry(t, id, attempt), number)
	if err != nil {
		return session.Prompt{}, err
	}
	return sent.prompt(), nil
}

func (sent Sent) prompt() session.Prompt {
	return session.Prompt{SentTo: sent.To, ResendAt: &sent.Again}
}

// again sends another code for an attempt. The older code ends.
func (s *Service) again(ctx context.Context, in session.AttemptInput) (Sent, error) {
	var sent Sent
	err := s.Sessions.Again(ctx, in, name, func(ctx context.Context, tx *db.Tx, id account.ID, attempt string) (session.Prompt, error) {
		if _, err := s.Accounts.Hold(ctx, tx, id); err != nil {
			return session.Prompt{}, err
		}
		t, number, err := s.telephone(ctx, tx, id)
		if errors.Is(err, errNoNumber) {
			return session.Prompt{}, session.ErrNotAsked.Because(err)
		}
		if err != nil {
			return session.Prompt{}, err
		}
		sent, err = s.send(ctx, tx, s.entry(t, id, attempt), number)
		return sent.prompt(), err
	})
	return sent, err
}

// pass answers this layer of an attempt with a code.
func (s *Service) pass(ctx context.Context, in session.AttemptInput, text string) (session.Outcome, error) {
	return s.Sessions.Pass(ctx, in, name, func(ctx context.Context, tx *db.Tx, id account.ID) error {
		return s.spend(ctx, tx, id, in.ID, text)
	})
}

// spend takes a code as the proof of one sign-in, inside the attempt's transaction.
func (s *Service) spend(ctx context.Context, tx *db.Tx, id account.ID, attempt, text string) error {
	t, _, err := s.telephone(ctx, tx, id)
	if errors.Is(err, errNoNumber) {
		return code.ErrOver
	}
	if err != nil {
		return err
	}
	if err := s.Codes.Use(ctx, tx, s.entry(t, id, attempt), text); err != nil {
		return err
	}
	used, err := markUsed(ctx, tx, id, t.Since, s.Now().UnixMilli())
	if err == nil && !used {
		err = code.ErrOver // the number was changed meanwhile
	}
	return err
}

// telephone returns the number of the layer; errNoNumber when it is gone or altered.
func (s *Service) telephone(ctx context.Context, q db.Querier, id account.ID) (telephone, string, error) {
	t, err := readEnabled(ctx, q, id)
	if errors.Is(err, db.ErrNoRows) {
		return t, "", errNoNumber
	}
	if err != nil {
		return t, "", err
	}
	number, err := s.open(ctx, q, id, "phone", t.label(), t.Sealed)
	if s.altered(ctx, id, err) {
		err = errNoNumber
	}
	return t, number, err
}

// send makes a code for a challenge, counts the message and enqueues it.
func (s *Service) send(ctx context.Context, tx *db.Tx, c code.Challenge, number string) (Sent, error) {
	text, again, err := s.Codes.Send(ctx, tx, c)
	if err != nil {
		return Sent{}, err
	}
	if err := s.take(ctx, tx, c.Account, number, c.Purpose); err != nil {
		return Sent{}, err
	}
	st, err := s.Accounts.Hold(ctx, tx, c.Account)
	if err != nil {
		return Sent{}, err
	}
	err = s.Jobs.Enqueue(ctx, tx, sms.Job, sms.Message{
		ID: uuid.NewString(), To: number, Text: sms.CodeText(st.Lang, "Coffer", text, s.host), Kind: kind, Ends: c.Ends,
	})
	return Sent{To: mask(number), Again: again.UTC()}, err
}

// entry is what a code of a sign-in answers. Its id names the number's time as well, so a code
// that went to another number is none of it.
func (s *Service) entry(t telephone, id account.ID, attempt string) code.Challenge {
	return code.Challenge{
		ID: attempt + " " + strconv.FormatInt(t.Since, 10), Purpose: enter, Account: id, Authenticates: true, Ends: s.Now().Add(min(codeFor, s.Accounts.CodeTTL)),
	}
}

// set is what a code of a set-up answers.
func (s *Service) set(p setup, id account.ID) code.Challenge {
	ends := time.UnixMilli(p.At).Add(pendingFor)
	if most := s.Now().Add(codeFor); most.Before(ends) {
		ends = most
	}
	return code.Challenge{ID: p.Challenge, Purpose: enrol, Account: id, Ends: ends}
}

func (t telephone) label() string { return strconv.FormatInt(t.Since, 10) }

func (p setup) label() string { return p.Challenge + " " + strconv.FormatInt(p.At, 10) }

func (s *Service) seal(ctx context.Context, q db.Querier, id account.ID, column, label, number string) ([]byte, error) {
	key, err := s.Accounts.DataKey(ctx, q, id)
	if err != nil {
		return nil, err
	}
	return key.Seal("smscode", column, string(id)+" "+label, []byte(number)), nil
}

func (s *Service) open(ctx context.Context, q db.Querier, id account.ID, column, label string, sealed []byte) (string, error) {
	key, err := s.Accounts.DataKey(ctx, q, id)
	if err != nil {
		return "", err
	}
	number, err := key.Open("smscode", column, string(id)+" "+label, sealed)
	return string(number), err
}

// altered reports whether err says that a row is not as the server wrote it, and logs it.
func (s *Service) altered(ctx context.Context, id account.ID, err error) bool {
	if !errors.Is(err, seal.ErrOpen) {
		return false
	}
	s.Log.ErrorContext(ctx, "smscode: a row was altered in the database", "account", string(id))
	return true
}
