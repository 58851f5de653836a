// Package question is the layer of a security question, which sign-in asks last.
//
// # What it defends against
//
//   - Looking a question up to prepare its answer: sign-in shows question and hint only when
//     every other layer of the attempt is passed. It shows the same question until the
//     owner changes it (security.md row 30).
//   - Guessing: five answers an attempt (session counts them), and [maxFailures] wrong ones
//     an hour an account. The server counts an answer as wrong before it looks at it, and
//     takes the count back when it is right. So of many at once no more are judged.
//   - A read database: question and hint lie under the account's data key. Of the answer
//     there is an argon2id hash, sealed under the pepper and bound to the account.
//   - A written database: a moved row opens nothing, and the account's seal says that the
//     layer is on. A writer can reset the counts.
//   - Weak set-ups: an answer that stands in the question or in the hint is refused.
//   - Argon2id used against the server: an answer takes a slot of the passwords' hasher, and
//     no database transaction waits for it.
//
// # Limits
//
// People who know the owner can guess the answer, and so can a search. Thus the layer never
// makes aal2, is off by default, never stands without the password, and is no way back into
// an account (security.md §3).
package question

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/mail"
	"coffer/internal/rest"
	"coffer/internal/seal"
	"coffer/internal/session"
)

const (
	name        = "security_question" // of the layer, in attempts and on the security page
	maxFailures = 10                  // wrong answers of an account in failureTime
	failureTime = time.Hour
)

// The kinds of events of this room.
const (
	enabled  = "security-question-enabled"
	changed  = "security-question-changed"
	disabled = "security-question-disabled"
)

//go:embed words
var words embed.FS

var (
	errAnswer  = fault.New(fault.Unauthenticated, "wrong_answer", "That answer is wrong.")
	errTooMany = fault.New(fault.Limited, "rate_limited", "Too many wrong answers. Try again later.")
)

// Config is what a Service needs. All but Now and Log are required.
type Config struct {
	DB       *db.DB
	Ring     *keyring.Ring
	Jobs     *jobs.Queue
	Accounts *account.Service
	Sessions *session.Service // runs the attempts and remembers devices
	Events   *event.Log
	Now      func() time.Time // zero: time.Now
	Log      *slog.Logger     // zero: discards
}

// Service is the room. It is safe for concurrent use.
type Service struct{ Config }

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
	if err := cfg.Ring.Need(context.Background(), keyring.Pepper); err != nil {
		return nil, err
	}
	s := &Service{cfg}
	for _, kind := range []string{enabled, changed, disabled} {
		s.Events.Declare(mail.Kind{Name: kind, Header: "security-notice"}, words)
	}
	s.Sessions.AddLayer(s, remove)
	s.Accounts.Protect(name, protection)
	s.Accounts.Keep(name, account.Keeper{Export: s.export, Forget: forget})
	s.Ring.AddRewraps(keyring.Rewrap{Name: "question.answers", Purpose: keyring.Pepper, Step: s.rewrap})
	s.Jobs.Every("question.prune", 10*time.Minute, func(ctx context.Context) error {
		return prune(ctx, s.DB, s.Now().Add(-failureTime).UnixMilli())
	}, jobs.Old{Table: "question_failures", Rows: "at <= $1", Age: failureTime})
	return s, nil
}

// Name is the layer's name in attempts.
func (s *Service) Name() string { return name }

// Last reports that sign-in asks the question when all other layers are passed.
func (s *Service) Last() bool { return true }

// Enabled reports whether sign-in to the account asks a question.
func (s *Service) Enabled(ctx context.Context, q db.Querier, id account.ID) (bool, error) {
	_, err := read(ctx, q, id)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Assurance says that the answer is knowledge (RFC 8176), as the password is: no second factor.
func (s *Service) Assurance() (amr string, aal2 bool) { return "kba", false }

// Begin shows the question and the hint. A question that was deleted or altered in the
// database is asked for without its words, and no answer passes.
func (s *Service) Begin(ctx context.Context, tx *db.Tx, id account.ID, _ string) (session.Prompt, error) {
	q, err := s.open(ctx, tx, id)
	if errors.Is(err, db.ErrNoRows) || altered(err) {
		s.Log.ErrorContext(ctx, "question: a security question was altered in the database", "account", string(id))
		return session.Prompt{}, nil
	}
	return session.Prompt{Question: q.Question, Hint: q.Hint}, err
}

func altered(err error) bool {
	return errors.Is(err, seal.ErrOpen) || errors.Is(err, keyring.ErrNoKey)
}

// Put turns the layer on with a question, or changes it. A change forgets the devices that
// were spared the older question. Codes: validation_failed, busy.
func (s *Service) Put(ctx context.Context, c rest.Caller, in Question) error {
	id := account.ID(c.Account)
	in, answer, err := in.checked()
	if err != nil {
		return err
	}
	hash, err := s.Accounts.HashSecret(ctx, answer)
	if err != nil {
		return err
	}
	r := row{}
	if r.Answer, err = s.Ring.Seal(ctx, keyring.Pepper, []byte(hash), answerAAD(id)); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		st, err := s.Accounts.Hold(ctx, tx, id)
		if err != nil {
			return err
		}
		key, err := s.Accounts.DataKey(ctx, tx, id)
		if err != nil {
			return err
		}
		r.Question = key.Seal("questions", "question", string(id), []byte(in.Question))
		r.Hint = key.Seal("questions", "hint", string(id), []byte(in.Hint))
		if err := put(ctx, tx, id, r, s.Now().UnixMilli()); err != nil {
			return err
		}
		if slices.Contains(st.Layers, name) {
			if err := s.Sessions.ForgetDevices(ctx, tx, id); err != nil {
				return err
			}
			return s.Sessions.TurnOn(ctx, tx, c, name, changed)
		}
		return s.Sessions.TurnOn(ctx, tx, c, name, enabled)
	})
}

// Disable turns the layer off and forgets the devices that were spared it. That it is off
// already is no error. recoveryOff says that recovery methods end with it, when they need it.
func (s *Service) Disable(ctx context.Context, c rest.Caller, recoveryOff bool) error {
	return s.Sessions.TurnOff(ctx, c, name, disabled, recoveryOff)
}

// pass answers this layer of an attempt. The answer is hashed between two transactions: the
// first counts it as wrong, the second takes that back and passes the layer.
func (s *Service) pass(ctx context.Context, in session.AttemptInput, answer string) (session.Outcome, error) {
	var t try
	out, err := s.Sessions.PassSlowly(ctx, in, name, func(ctx context.Context, id account.ID) (err error) {
		t, err = s.judge(ctx, id, answer)
		return err
	}, func(ctx context.Context, tx *db.Tx, id account.ID) error {
		return s.settle(ctx, tx, id, t)
	})
	if err != nil && t.nth != "" && !errors.Is(err, errAnswer) {
		// The answer was right, and the attempt ended before it passed.
		err = errors.Join(err, deleteFailure(context.WithoutCancel(ctx), s.DB, t.who, t.nth))
	}
	return out, err
}

// try is a right answer that is still counted as wrong.
type try struct {
	who    account.ID
	nth    string // its failure
	answer []byte // the sealed hash that it is right for
}

// judge counts an answer as wrong and compares it. Codes: wrong_answer, rate_limited, busy.
func (s *Service) judge(ctx context.Context, id account.ID, answer string) (try, error) {
	t := try{who: id, nth: uuid.NewString()}
	now := s.Now()
	err := s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		// The row's lock makes answers at once follow each other, so the count is exact.
		t.answer, err = hold(ctx, tx, id)
		if err != nil {
			return err
		}
		counted, err := insertFailure(ctx, tx, id, t.nth, now.UnixMilli(), now.Add(-failureTime).UnixMilli(), maxFailures)
		if err != nil || counted {
			return err
		}
		first, err := firstFailure(ctx, tx, id, now.Add(-failureTime).UnixMilli())
		if err != nil {
			return err
		}
		wait := *errTooMany
		wait.RetryAfter = max(time.UnixMilli(first).Add(failureTime).Sub(now), time.Second)
		wait.Policy = &fault.Policy{Name: "question-wrong", Limit: maxFailures, Window: failureTime}
		return &wait
	})
	if errors.Is(err, db.ErrNoRows) {
		return try{}, errAnswer // the layer's row is gone
	}
	if err != nil {
		return try{}, err
	}
	right, err := s.right(ctx, id, t.answer, answer)
	switch {
	case err != nil: // the server could not judge it
		return try{}, errors.Join(err, deleteFailure(context.WithoutCancel(ctx), s.DB, id, t.nth))
	case !right:
		return try{}, errAnswer
	}
	return t, nil
}

// right reports whether an answer has the sealed hash.
func (s *Service) right(ctx context.Context, id account.ID, sealed []byte, answer string) (bool, error) {
	hash, err := s.Ring.Open(ctx, keyring.Pepper, sealed, answerAAD(id))
	if altered(err) {
		s.Log.ErrorContext(ctx, "question: a security question was altered in the database", "account", string(id))
		return false, nil
	}
	if err != nil {
		return false, err
	}
	text := canon(answer)
	if text == "" {
		return false, nil
	}
	return s.Accounts.MatchSecret(ctx, string(hash), text)
}

// settle passes a right answer, unless the owner has changed the question meanwhile.
func (s *Service) settle(ctx context.Context, tx *db.Tx, id account.ID, t try) error {
	used, err := noteUse(ctx, tx, id, t.answer, s.Now().UnixMilli())
	if err != nil {
		return err
	}
	if !used {
		return errAnswer
	}
	return deleteFailure(ctx, tx, id, t.nth)
}

func answerAAD(id account.ID) []byte {
	return seal.LP([]byte("questions"), []byte("answer"), []byte(id))
}

func forget(ctx context.Context, tx *db.Tx, id account.ID) error {
	if err := dropFailures(ctx, tx, id); err != nil {
		return err
	}
	_, err := remove(ctx, tx, id)
	return err
}

// protection is the layer's line on the security page. It shows nothing of the question.
func protection(ctx context.Context, q db.Querier, id account.ID) (account.Protection, error) {
	r, err := read(ctx, q, id)
	if errors.Is(err, db.ErrNoRows) {
		return account.Protection{}, nil
	}
	if err != nil {
		return account.Protection{}, err
	}
	return account.Used(r.EnabledAt, r.UsedAt), nil
}

// open returns the question and the hint of an account; db.ErrNoRows when it has none.
func (s *Service) open(ctx context.Context, q db.Querier, id account.ID) (Question, error) {
	r, err := read(ctx, q, id)
	if err != nil {
		return Question{}, err
	}
	key, err := s.Accounts.DataKey(ctx, q, id)
	if err != nil {
		return Question{}, err
	}
	text, err := key.Open("questions", "question", string(id), r.Question)
	if err != nil {
		return Question{}, err
	}
	hint, err := key.Open("questions", "hint", string(id), r.Hint)
	return Question{Question: string(text), Hint: string(hint)}, err
}

// exported is security-question.json. The server does not know the answer.
type exported struct {
	Question string `json:"question"`
	Hint     string `json:"hint"`
}

func (s *Service) export(ctx context.Context, id account.ID, to *account.Archive) error {
	q, err := s.open(ctx, s.DB, id)
	if errors.Is(err, db.ErrNoRows) || altered(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return to.Put("security-question.json", exported{q.Question, q.Hint})
}

// rewrap moves sealed answers to the active pepper; see keyring.Rewrap.
func (s *Service) rewrap(ctx context.Context, cursor string, limit int, skip keyring.Skip) (next string, done int, err error) {
	rows, err := readAnswers(ctx, s.DB, cursor, limit)
	if err != nil {
		return "", 0, err
	}
	for _, r := range rows {
		again, moved, err := s.Ring.Renew(ctx, keyring.Pepper, r.answer, answerAAD(r.id))
		if err != nil {
			err = skip(ctx, "questions.answer", string(r.id), err)
		} else if moved {
			err = swapAnswer(ctx, s.DB, r, again)
		}
		if err != nil {
			return "", 0, err
		}
	}
	if len(rows) == limit {
		next = string(rows[len(rows)-1].id)
	}
	return next, len(rows), nil
}
