package session

import (
	"context"
	"errors"
	"slices"
	"strings"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/rest"
	"coffer/internal/token"
)

// Renew takes a room's proof of the owner, with the methods amr, as a fresh one for the session
// of c. With aal2 the proof passes every layer: the session is aal2, and a recovery session
// becomes an ordinary one. Without it the outcome is a challenge when the account has layers
// and the session has passed none of them. first runs in the transaction that notes the proof
// or begins the attempt, when the session is held, and may refuse. Codes: unauthenticated, and
// those of first.
func (s *Service) Renew(ctx context.Context, c rest.Caller, amr []string, aal2 bool, first func(ctx context.Context, tx *db.Tx, sessionID string) error) (Outcome, error) {
	id := account.ID(c.Account)
	st, err := s.Accounts.State(ctx, id)
	if err != nil {
		return Outcome{}, ended(err)
	}
	p := pendingSession{Account: id, Ver: st.SessionEpoch, AMR: amr, Renews: c.Session}
	held := func(ctx context.Context, tx *db.Tx, sessionID string) error {
		err := s.Hold(ctx, tx, id, c.Session)
		if err == nil && first != nil {
			err = first(ctx, tx, sessionID)
		}
		return err
	}
	switch {
	case aal2:
		// What a recovery session has shown stays in its amr: a later stop finds it there.
		p.AMR = slices.Clone(c.AMR)
		for _, m := range amr {
			if !slices.Contains(p.AMR, m) {
				p.AMR = append(p.AMR, m)
			}
		}
		return s.renew(ctx, p, AAL2, held)
	case c.AAL == AALRecovery:
		return Outcome{}, errStepUp
	case c.AAL == AAL2:
		p.AMR = c.AMR // the methods that this session has passed
		return s.renew(ctx, p, AAL2, held)
	}
	layers, err := s.enabled(ctx, s.DB, st)
	if err != nil {
		return Outcome{}, err
	}
	if len(layers) > 0 {
		return s.begin(ctx, p, layers, held)
	}
	return s.renew(ctx, p, c.AAL, held)
}

// renew notes a fresh proof in the session that asked for it and gives it a new access
// token.
func (s *Service) renew(ctx context.Context, p pendingSession, aal string, first func(ctx context.Context, tx *db.Tx, id string) error) (Outcome, error) {
	var r row
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		if first != nil {
			if err := first(ctx, tx, p.Renews); err != nil {
				return err
			}
		}
		var err error
		if r, err = s.renewRow(ctx, tx, p.Renews, p.Account, aal, strings.Join(p.AMR, " ")); err != nil {
			return err
		}
		return s.noteStepUp(ctx, tx, p)
	})
	if errors.Is(err, db.ErrNoRows) || errors.Is(err, errAltered) {
		return Outcome{}, token.ErrUnauthenticated.Because(err) // ended meanwhile, or altered
	}
	if err != nil {
		return Outcome{}, err
	}
	keys, err := s.keysOf(ctx, r)
	if err != nil {
		return Outcome{}, ended(err) // the record goes before the row
	}
	out, err := s.issue(ctx, r, keys)
	return Outcome{Opened: out}, err
}
