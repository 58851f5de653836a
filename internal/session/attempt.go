package session

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/keyring"
)

// maxTries is how many wrong answers an attempt bears.
const maxTries = 5

var (
	errOver = fault.New(fault.Gone, "attempt_over", "This sign-in is over: it took too long, there were too many wrong answers, or it is complete. Begin again.")
	// ErrNotAsked refuses an answer for a layer that this sign-in does not ask for. A room
	// that is a layer declares it.
	ErrNotAsked = fault.New(fault.NotFound, "not_found", "This sign-in does not ask for that.")
)

// begin makes an attempt that asks for layers.
func (s *Service) begin(ctx context.Context, p plan, layers []Layer) (*Answer, error) {
	raw, err := s.random(32)
	if err != nil {
		return nil, err
	}
	u, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	id, token := u.String(), b64.EncodeToString(raw)
	a := attemptRow{ID: id, Account: p.Account, Token: tokenDigest([]byte(token)), Expires: s.Now().Add(s.Accounts.CodeTTL).UnixMilli()}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		p.Asked = nil
		for _, l := range layers {
			prompt, err := l.Begin(ctx, tx, p.Account, id)
			if err != nil {
				return err
			}
			p.Asked = append(p.Asked, asked{l.Name(), prompt})
		}
		if err := s.sealPlan(ctx, &a, p); err != nil {
			return err
		}
		return insertAttempt(ctx, tx, a)
	})
	if err != nil {
		return nil, err
	}
	return s.challenge(a, p, token), nil
}

func (s *Service) sealPlan(ctx context.Context, a *attemptRow, p plan) error {
	plain, err := json.Marshal(p)
	if err != nil {
		return err
	}
	a.Data, err = s.Ring.Seal(ctx, keyring.Session, plain, attemptAAD(*a))
	return err
}

// planOf opens the plan of an attempt; errOver when the row is not as it was written.
func (s *Service) planOf(ctx context.Context, a attemptRow) (plan, error) {
	plain, err := s.Ring.Open(ctx, keyring.Session, a.Data, attemptAAD(a))
	if altered(err) {
		s.noteAltered(ctx, "attempts", a.ID)
		return plan{}, errOver.Because(err)
	}
	if err != nil {
		return plan{}, err
	}
	var p plan
	return p, json.Unmarshal(plain, &p)
}

// proof returns the digest of an attempt's token. An id that cannot be one is over before a
// database that refuses such text is asked.
func (in AttemptInput) proof() (token string, digest []byte, err error) {
	token, ok := in.token()
	if !ok {
		return "", nil, errUnauthenticated
	}
	if id, err := uuid.Parse(in.ID); err != nil || id.String() != in.ID {
		return "", nil, errOver
	}
	return token, tokenDigest([]byte(token)), nil
}

// Attempt returns what an attempt still asks for; code attempt_over when it is no more.
func (s *Service) Attempt(ctx context.Context, in AttemptInput) (*Answer, error) {
	a, p, token, err := s.load(ctx, in, readAttempt)
	if err != nil {
		return nil, err
	}
	return s.challenge(a, p, token), nil
}

// markDone notes in a locked row that a layer is passed, and takes its try back.
func (s *Service) markDone(ctx context.Context, tx *db.Tx, id, layer string) (attemptRow, plan, error) {
	a, err := lockAttempt(ctx, tx, id)
	if err != nil {
		return a, plan{}, err
	}
	p, err := s.planOf(ctx, a)
	if err != nil {
		return a, p, err
	}
	if !p.passed(layer) {
		p.Passed = append(p.Passed, layer)
	}
	if err := s.sealPlan(ctx, &a, p); err != nil {
		return a, p, err
	}
	return a, p, setPlan(ctx, tx, a)
}

// load finds the attempt that in names and proves, by one of the two statements that may.
func (s *Service) load(ctx context.Context, in AttemptInput,
	find func(ctx context.Context, d *db.DB, id string, token []byte, now int64) (attemptRow, error),
) (a attemptRow, p plan, token string, err error) {
	token, digest, err := in.proof()
	if err != nil {
		return a, p, "", err
	}
	a, err = find(ctx, s.DB, in.ID, digest, s.Now().UnixMilli())
	if errors.Is(err, db.ErrNoRows) {
		return a, p, "", errOver
	}
	if err != nil {
		return a, p, "", err
	}
	p, err = s.planOf(ctx, a)
	return a, p, token, err
}

// Pass answers one layer of an attempt. verify decides, in the transaction that notes it,
// whether the answer is right for the account; what it spends there is spent only if the
// layer passes. When it refuses with a fault of kind Unauthenticated, what it wrote stays,
// so that it can count wrong answers in the statement that decides whether one more is
// looked at. The call that passes the last layer opens the session.
//
// The answer is counted before verify runs, so that of many at once no more than five are
// looked at; one that passes, or that could not be judged, is taken back. Codes beside
// verify's: unauthenticated, attempt_over, not_found.
func (s *Service) Pass(ctx context.Context, in AttemptInput, layer string, verify func(context.Context, *db.Tx, account.ID) error) (*Answer, error) {
	a, p, token, err := s.load(ctx, in, countTry)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(p.Asked, func(q asked) bool { return q.Layer == layer }) {
		return nil, errors.Join(ErrNotAsked, takeBackTry(ctx, s.DB, a.ID))
	}
	if p.passed(layer) {
		// It was passed, but the session could not be opened at that moment.
		if err := takeBackTry(ctx, s.DB, a.ID); err != nil {
			return nil, err
		}
	} else {
		// Who hangs up does not undo what was counted.
		ctx := context.WithoutCancel(ctx)
		var refusal error
		marked, now := a, p
		err = s.DB.Tx(ctx, func(tx *db.Tx) error {
			if refusal = verify(ctx, tx, p.Account); refusal != nil {
				if judged(refusal) {
					return nil
				}
				return refusal
			}
			var err error
			marked, now, err = s.markDone(ctx, tx, a.ID, layer)
			return err
		})
		if err == nil {
			err = refusal
		}
		switch {
		case errors.Is(err, db.ErrNoRows):
			return nil, errOver // somebody else's call ended it meanwhile
		case err != nil:
			return nil, s.refused(ctx, a, err)
		}
		a, p = marked, now
	}
	for _, q := range p.Asked {
		if !p.passed(q.Layer) {
			return s.challenge(a, p, token), nil
		}
	}
	return s.complete(ctx, a, p)
}

// judged reports whether an answer was looked at and found wrong.
func judged(refusal error) bool {
	f, ok := errors.AsType[*fault.Error](refusal)
	return ok && f.Kind == fault.Unauthenticated
}

// refused takes the try back when the answer was not judged.
func (s *Service) refused(ctx context.Context, a attemptRow, err error) error {
	if judged(err) {
		return err
	}
	if back := takeBackTry(context.WithoutCancel(ctx), s.DB, a.ID); back != nil {
		s.Log.WarnContext(ctx, "session: a try stays counted", "err", back)
	}
	return err
}

func (p plan) passed(layer string) bool { return slices.Contains(p.Passed, layer) }

// complete opens or renews the session of an attempt whose layers are all passed. Whoever
// removes the attempt is the one who may.
func (s *Service) complete(ctx context.Context, a attemptRow, p plan) (*Answer, error) {
	st, err := s.Accounts.State(ctx, p.Account)
	if err != nil {
		return nil, err
	}
	if st.Status != account.Active || st.SessionEpoch != p.Ver {
		return nil, errOver
	}
	aal := AAL1
	for _, l := range s.layers {
		if p.passed(l.Name()) {
			amr, aal2 := l.Assurance()
			p.AMR = append(p.AMR, amr)
			if aal2 {
				aal = AAL2
			}
		}
	}
	if len(p.AMR) > 1 {
		p.AMR = append(p.AMR, "mfa")
	}
	win := func(ctx context.Context, tx *db.Tx) error {
		won, err := endAttempt(ctx, tx, a.ID)
		if err == nil && !won {
			err = errOver
		}
		return err
	}
	if p.Renews != "" {
		return s.renew(ctx, p, aal, win)
	}
	return s.open(ctx, p, aal, win)
}

// renew notes a fresh proof in the session that asked for it and gives it a new access
// token.
func (s *Service) renew(ctx context.Context, p plan, aal string, first func(context.Context, *db.Tx) error) (*Answer, error) {
	var r row
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		if first != nil {
			if err := first(ctx, tx); err != nil {
				return err
			}
		}
		var err error
		r, err = s.renewRow(ctx, tx, p.Renews, p.Account, aal, strings.Join(p.AMR, " "))
		return err
	})
	if errors.Is(err, db.ErrNoRows) || errors.Is(err, errAltered) {
		return nil, errUnauthenticated.Because(err) // ended meanwhile, or altered
	}
	if err != nil {
		return nil, err
	}
	d, err := s.deriveRow(ctx, r)
	if err != nil {
		return nil, err
	}
	out := s.newAnswer(r, d)
	return out, s.issue(ctx, out, r, d, "", false)
}
