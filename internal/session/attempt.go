package session

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/keyring"
	"coffer/internal/rest"
	"coffer/internal/token"
)

// maxTries is how many wrong answers an attempt bears.
const maxTries = 5

var (
	errOver = fault.New(fault.Gone, "attempt_over", "This sign-in has expired, had too many wrong answers, or is complete. Begin again.")
	// ErrHeld refuses an answer for a layer whose turn has not come.
	ErrHeld = fault.New(fault.Conflict, "earlier_layers_open", "This step comes last. Pass the other steps first.")
	// ErrNotAsked refuses an answer for a layer that this sign-in does not ask for. A room
	// that is a layer declares it.
	ErrNotAsked = fault.New(fault.NotFound, "not_found", "This sign-in does not ask for that step.")
)

// Challenge is a sign-in that asks for more.
type Challenge struct {
	AttemptID    string           `json:"attempt_id"`
	AttemptToken string           `json:"attempt_token" doc:"Send it as Authorization: Attempt <token>."`
	ExpiresIn    int64            `json:"expires_in" doc:"Seconds."`
	Layers       []ChallengeLayer `json:"layers" doc:"Each must be passed, in any order."`
	Passkey      bool             `json:"passkey" doc:"Whether a passkey would pass all of them at once."`
}

// ChallengeLayer is one layer that is asked.
type ChallengeLayer struct {
	Layer string `json:"layer"`
	Done  bool   `json:"done"`
	Prompt
}

func (s *Service) challenge(ctx context.Context, a attemptRow, p pendingSession, text string) (*Challenge, error) {
	c := &Challenge{AttemptID: a.ID, AttemptToken: text, ExpiresIn: seconds(time.UnixMilli(a.Expires).Sub(s.Now()))}
	for _, q := range p.Asked {
		c.Layers = append(c.Layers, ChallengeLayer{q.Layer, p.passed(q.Layer), q.Prompt})
	}
	var err error
	if s.pass != nil {
		c.Passkey, err = s.pass(ctx, s.DB, p.Account)
	}
	return c, err
}

// seconds counts a second that has begun as whole, so that a new value says its full life.
func seconds(d time.Duration) int64 { return max(0, int64((d+time.Second-1)/time.Second)) }

// begin makes an attempt that asks for layers. first runs in the transaction that does so, and
// may refuse.
func (s *Service) begin(ctx context.Context, p pendingSession, layers []Layer, first func(ctx context.Context, tx *db.Tx, sessionID string) error) (Outcome, error) {
	raw, err := s.random(32)
	if err != nil {
		return Outcome{}, err
	}
	u, err := uuid.NewV7()
	if err != nil {
		return Outcome{}, err
	}
	id, text := u.String(), b64.EncodeToString(raw)
	a := attemptRow{ID: id, Account: p.Account, Token: tokenDigest([]byte(text)), Expires: s.Now().Add(s.Accounts.CodeTTL).UnixMilli()}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if first != nil {
			if err := first(ctx, tx, p.Renews); err != nil {
				return err
			}
		}
		p.Asked = nil
		for _, l := range layers {
			p.Asked = append(p.Asked, askedLayer{Layer: l.Name(), Held: true})
		}
		if err := s.release(ctx, tx, id, &p, layers); err != nil {
			return err
		}
		if err := s.sealPending(ctx, &a, p); err != nil {
			return err
		}
		return insertAttempt(ctx, tx, a)
	})
	if err != nil {
		return Outcome{}, s.orGone(ctx, p, err)
	}
	c, err := s.challenge(ctx, a, p, text)
	return Outcome{Challenge: c}, err
}

// orGone answers for an account that was deleted since it was looked up as for one that never
// was. Any other error stays as it is.
func (s *Service) orGone(ctx context.Context, p pendingSession, err error) error {
	if _, gone := s.Accounts.State(ctx, p.Account); !errors.Is(gone, account.ErrNotFound) {
		return err
	}
	if p.Renews != "" {
		return token.ErrUnauthenticated.Because(err)
	}
	return account.ErrCredentials.Because(err)
}

// release begins every held layer whose turn it is: at once those that are not last, and the
// last ones when all others are passed.
func (s *Service) release(ctx context.Context, tx *db.Tx, attempt string, p *pendingSession, layers []Layer) error {
	others := slices.ContainsFunc(layers, func(l Layer) bool { return !l.Last() && p.asks(l.Name()) && !p.passed(l.Name()) })
	for i := range p.Asked {
		asked := &p.Asked[i]
		at := slices.IndexFunc(layers, func(l Layer) bool { return l.Name() == asked.Layer })
		if !asked.Held || at < 0 || layers[at].Last() && others {
			continue
		}
		prompt, err := layers[at].Begin(ctx, tx, p.Account, attempt)
		if err != nil {
			return err
		}
		asked.Held, asked.Prompt = false, prompt
	}
	return nil
}

func (s *Service) sealPending(ctx context.Context, a *attemptRow, p pendingSession) error {
	plain, err := json.Marshal(p)
	if err != nil {
		return err
	}
	a.Data, err = s.Ring.Seal(ctx, keyring.Session, plain, attemptAAD(*a))
	return err
}

// pendingOf opens what an attempt holds; errOver when the row is not as the server wrote it.
func (s *Service) pendingOf(ctx context.Context, a attemptRow) (pendingSession, error) {
	plain, err := s.Ring.Open(ctx, keyring.Session, a.Data, attemptAAD(a))
	if altered(err) {
		s.noteAltered(ctx, "attempts", a.ID)
		return pendingSession{}, errOver.Because(err)
	}
	if err != nil {
		return pendingSession{}, err
	}
	var p pendingSession
	return p, json.Unmarshal(plain, &p)
}

// proof returns an attempt's token and its digest. An attempt whose id has the wrong form is
// answered as over without asking the database, which may reject such text.
func (in AttemptInput) proof() (text string, digest []byte, err error) {
	text, ok := in.token()
	if !ok {
		return "", nil, token.ErrUnauthenticated
	}
	if id, err := uuid.Parse(in.ID); err != nil || id.String() != in.ID {
		return "", nil, errOver
	}
	return text, tokenDigest([]byte(text)), nil
}

// Attempt returns what an attempt asks for; code attempt_over when it is over.
func (s *Service) Attempt(ctx context.Context, in AttemptInput) (*Challenge, error) {
	a, p, text, err := s.load(ctx, in, readAttempt)
	if err != nil {
		return nil, err
	}
	return s.challenge(ctx, a, p, text)
}

// markDone notes in a locked row what mark says is passed, and takes the try back.
func (s *Service) markDone(ctx context.Context, tx *db.Tx, id string, mark func(*pendingSession)) (attemptRow, pendingSession, error) {
	a, err := lockAttempt(ctx, tx, id)
	if err != nil {
		return a, pendingSession{}, err
	}
	p, err := s.pendingOf(ctx, a)
	if err != nil {
		return a, p, err
	}
	mark(&p)
	if err := s.release(ctx, tx, id, &p, s.layers); err != nil {
		return a, p, err
	}
	if err := s.sealPending(ctx, &a, p); err != nil {
		return a, p, err
	}
	return a, p, setPending(ctx, tx, a)
}

// load finds the attempt whose id and token the caller sent, with one of two statements:
// readAttempt, or countTry.
func (s *Service) load(ctx context.Context, in AttemptInput,
	find func(ctx context.Context, d *db.DB, id string, token []byte, now int64) (attemptRow, error),
) (a attemptRow, p pendingSession, text string, err error) {
	text, digest, err := in.proof()
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
	p, err = s.pendingOf(ctx, a)
	return a, p, text, err
}

// Pass answers one layer of an attempt. verify decides whether the answer is right for the
// account, in the transaction that notes that the layer is passed. What verify spends there
// is spent only if the layer passes. When verify refuses with a fault of kind
// Unauthenticated, its writes stay: it can count wrong answers in the statement that decides
// whether to look at one more. The call that passes the last layer opens the session.
//
// The answer is counted before verify runs, so of many at once verify looks at five at most.
// The count is taken back for an answer that passes or that verify could not judge. Codes
// beside verify's: unauthenticated, attempt_over, not_found.
func (s *Service) Pass(ctx context.Context, in AttemptInput, layer string, verify func(context.Context, *db.Tx, account.ID) error) (Outcome, error) {
	return s.PassSlowly(ctx, in, layer, func(context.Context, account.ID) error { return nil }, verify)
}

// PassSlowly is Pass for an answer that takes long to check. check runs after the answer was
// counted, and before the transaction, which it would hold up. It refuses as verify does.
func (s *Service) PassSlowly(ctx context.Context, in AttemptInput, layer string, check func(context.Context, account.ID) error, verify func(context.Context, *db.Tx, account.ID) error) (Outcome, error) {
	a, p, text, err := s.load(ctx, in, countTry)
	if err != nil {
		return Outcome{}, err
	}
	if err := p.mayAnswer(layer); err != nil {
		return Outcome{}, errors.Join(err, takeBackTry(ctx, s.DB, a.ID))
	}
	if p.passed(layer) {
		// It was passed, but the session could not be opened at that moment.
		if err := takeBackTry(ctx, s.DB, a.ID); err != nil {
			return Outcome{}, err
		}
	} else {
		// A client that hangs up does not undo the count.
		ctx := context.WithoutCancel(ctx)
		if err := check(ctx, p.Account); err != nil {
			return Outcome{}, s.refused(ctx, a, p, layer, err)
		}
		a, p, err = s.judge(ctx, a, p, layer, func(ctx context.Context, tx *db.Tx) error { return verify(ctx, tx, p.Account) }, func(p *pendingSession) {
			if !p.passed(layer) {
				p.Passed = append(p.Passed, layer)
			}
		})
		if err != nil {
			return Outcome{}, err
		}
	}
	for _, q := range p.Asked {
		if p.Proof == nil && !p.passed(q.Layer) {
			c, err := s.challenge(ctx, a, p, text)
			return Outcome{Challenge: c}, err
		}
	}
	return s.complete(ctx, a, p)
}

// judge lets verify look at an answer by a method to the attempt a of p, which was counted. In
// the same transaction mark notes what a right answer passes.
func (s *Service) judge(ctx context.Context, a attemptRow, of pendingSession, method string, verify func(context.Context, *db.Tx) error, mark func(*pendingSession)) (marked attemptRow, p pendingSession, err error) {
	var refusal error
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if refusal = verify(ctx, tx); refusal != nil {
			if judged(refusal) {
				return nil
			}
			return refusal
		}
		var err error
		marked, p, err = s.markDone(ctx, tx, a.ID, mark)
		return err
	})
	if err == nil {
		err = refusal
	}
	switch {
	case errors.Is(err, db.ErrNoRows):
		err = errOver // another call ended it meanwhile
	case err != nil:
		err = s.refused(ctx, a, of, method, err)
	}
	return marked, p, err
}

// Again sends the message of a layer once more. send runs in the transaction that notes what
// it returns; it refuses while it is too soon. Codes beside send's: unauthenticated,
// attempt_over, not_found, earlier_layers_open.
func (s *Service) Again(ctx context.Context, in AttemptInput, layer string, send func(ctx context.Context, tx *db.Tx, who account.ID, attempt string) (Prompt, error)) error {
	a, p, _, err := s.load(ctx, in, readAttempt)
	if err == nil {
		err = p.mayAnswer(layer)
	}
	if err != nil {
		return err
	}
	if p.passed(layer) {
		return ErrNotAsked
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		prompt, err := send(ctx, tx, p.Account, a.ID)
		if err != nil {
			return err
		}
		a, err := holdAttempt(ctx, tx, a.ID)
		if errors.Is(err, db.ErrNoRows) {
			return errOver // another call ended it meanwhile
		}
		if err != nil {
			return err
		}
		p, err := s.pendingOf(ctx, a)
		if err != nil {
			return err
		}
		if p.passed(layer) {
			return ErrNotAsked // another call passed it meanwhile
		}
		p.Asked[slices.IndexFunc(p.Asked, func(q askedLayer) bool { return q.Layer == layer })].Prompt = prompt
		if err := s.sealPending(ctx, &a, p); err != nil {
			return err
		}
		return setPending(ctx, tx, a)
	})
}

// judged reports whether an answer was looked at and found wrong.
func judged(refusal error) bool {
	f, ok := errors.AsType[*fault.Error](refusal)
	return ok && f.Kind == fault.Unauthenticated
}

// refused tells the watch of a wrong answer by a method. It takes the try back when the answer
// was not judged.
func (s *Service) refused(ctx context.Context, a attemptRow, p pendingSession, method string, err error) error {
	if judged(err) {
		client, _ := rest.ClientIn(ctx)
		return s.Failed(ctx, err, Failure{Account: p.Account, Method: method, Client: client, Session: p.Renews})
	}
	if back := takeBackTry(context.WithoutCancel(ctx), s.DB, a.ID); back != nil {
		s.Log.WarnContext(ctx, "session: a try stays counted", "err", back)
	}
	return err
}

// complete opens or renews the session of an attempt whose layers are all passed. Of many
// calls, the one that removes the attempt may do so.
func (s *Service) complete(ctx context.Context, a attemptRow, p pendingSession) (Outcome, error) {
	st, err := s.Accounts.State(ctx, p.Account)
	if err != nil {
		return Outcome{}, err
	}
	if err := s.stands(ctx, s.DB, st, p); err != nil {
		return Outcome{}, err
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
	if p.Proof != nil {
		p.AMR, p.Proven, aal = append(p.AMR, p.Proof...), 0, AAL2
	}
	if aal == AAL2 && !slices.Contains(p.AMR, amrSeveral) {
		p.AMR = append(p.AMR, amrSeveral) // a mailbox or an answer beside the password is no second factor
	}
	win := func(ctx context.Context, tx *db.Tx, _ string) error {
		if err := s.holds(ctx, tx, p); err != nil {
			return err
		}
		won, err := endAttempt(ctx, tx, a.ID)
		if err == nil && !won {
			err = errOver
		}
		return err
	}
	if p.Renews != "" {
		return s.renew(ctx, p, aal, win)
	}
	return s.open(ctx, p, aal, nil, win)
}

// stands refuses a sign-in that its account has outgrown: each layer that is on now must be
// passed, or be spared to a device that is still remembered. A proof that passes every layer
// passes one that was turned on meanwhile. Code attempt_over.
func (s *Service) stands(ctx context.Context, q db.Querier, st account.State, p pendingSession) error {
	if st.Status != account.Active || st.SessionEpoch != p.Ver {
		return errOver
	}
	if p.Proof != nil {
		return nil
	}
	if st.AlwaysAsk && len(p.Known) > 0 {
		return errOver
	}
	layers, err := s.enabled(ctx, q, st)
	if err != nil {
		return err
	}
	for _, l := range layers {
		if !p.passed(l.Name()) && !slices.Contains(p.Known, l.Name()) {
			return errOver
		}
	}
	if len(p.Known) == 0 {
		return nil
	}
	_, err = readDevice(ctx, q, p.Device, s.Now().UnixMilli())
	if errors.Is(err, db.ErrNoRows) {
		return errOver
	}
	return err
}

// holds is stands in the transaction that opens the session. The account's row is locked, so
// a layer that is turned on and a device that is forgotten at the same moment count.
func (s *Service) holds(ctx context.Context, tx *db.Tx, p pendingSession) error {
	st, err := s.Accounts.Hold(ctx, tx, p.Account)
	if errors.Is(err, account.ErrNotFound) {
		return errOver
	}
	if err != nil {
		return err
	}
	return s.stands(ctx, tx, st, p)
}
