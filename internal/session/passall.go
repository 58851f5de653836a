package session

import (
	"context"

	"coffer/internal/account"
	"coffer/internal/db"
)

// AddPass adds the room whose proof passes every layer of an attempt. has reports whether an
// account can give that proof. The room calls it when it is made, before the first request.
func (s *Service) AddPass(has func(ctx context.Context, q db.Querier, id account.ID) (bool, error)) {
	s.pass = has
}

// AttemptOwner returns the account that an attempt is of. Codes: unauthenticated, attempt_over.
func (s *Service) AttemptOwner(ctx context.Context, in AttemptInput) (account.ID, error) {
	_, p, _, err := s.load(ctx, in, readAttempt)
	return p.Account, err
}

// PassAll is Pass for a proof that passes every layer of an attempt, held ones too. verify
// returns the methods of a right proof, at least one. The session that opens is aal2.
func (s *Service) PassAll(ctx context.Context, in AttemptInput, verify func(ctx context.Context, tx *db.Tx, id account.ID) (amr []string, err error)) (Outcome, error) {
	a, p, _, err := s.load(ctx, in, countTry)
	if err != nil {
		return Outcome{}, err
	}
	if p.Proof != nil {
		// The proof was right, but the session could not be opened at that moment.
		if err := takeBackTry(ctx, s.DB, a.ID); err != nil {
			return Outcome{}, err
		}
		return s.complete(ctx, a, p)
	}
	// A client that hangs up does not undo the count.
	ctx = context.WithoutCancel(ctx)
	var amr []string
	a, p, err = s.judge(ctx, a, p, "passkey", func(ctx context.Context, tx *db.Tx) (err error) {
		amr, err = verify(ctx, tx, p.Account)
		return err
	}, func(p *pendingSession) { p.Proof = amr })
	if err != nil {
		return Outcome{}, err
	}
	return s.complete(ctx, a, p)
}
