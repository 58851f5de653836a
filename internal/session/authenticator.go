package session

import (
	"context"
	"errors"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/rest"
	"coffer/internal/token"
)

var _ rest.Authenticator = (*Service)(nil)

var errStepUp = fault.New(fault.Forbidden, "step_up_required", "Prove your identity again: POST /v1/account/reauthenticate, then try again.")

// Authenticate implements rest.Authenticator.
func (s *Service) Authenticate(ctx context.Context, q *rest.Sent) (rest.Caller, error) {
	return s.Tokens.Authenticate(ctx, q)
}

// StepUp implements rest.Authenticator. The last proof must be fresh, and as strong as the
// account can give (NIST SP 800-63B §4.1.2.1).
//
// A recovery session shows its proof when it is opened, which counts for its whole life. Its
// backup code, or its wait, is as strong as the account's layers for what repairs, also after
// it became an ordinary session. For nothing else: it has passed none of them.
func (s *Service) StepUp(ctx context.Context, c rest.Caller, repairs bool) error {
	if c.AAL == AALRecovery {
		if !repairs {
			return errStepUp
		}
		return s.mayRepair(ctx, c)
	}
	if s.Now().Sub(c.AuthTime) > s.StepUpTTL {
		return errStepUp
	}
	if c.AAL == AAL2 || repairs && strong(c.AMR) {
		return nil
	}
	st, err := s.Accounts.State(ctx, account.ID(c.Account))
	if err != nil {
		return err
	}
	layers, err := s.enabled(ctx, s.DB, st)
	if err != nil {
		return err
	}
	for _, l := range layers {
		if _, aal2 := l.Assurance(); aal2 || strong(c.AMR) {
			return errStepUp
		}
	}
	return nil
}

// Refusals implements rest.Authenticator.
func (s *Service) Refusals(op rest.Op) (list []*fault.Error) {
	switch op.Access {
	case rest.Attempt:
		list = append(list, token.ErrUnauthenticated, errOver)
	case rest.Refresh:
		list = append(list, errRefresh, rest.ErrProof)
	}
	if op.Proof() {
		list = append(list, errStepUp)
	}
	if op.Strong() {
		list = append(list, errWaits)
	}
	return list
}

// Alive implements rest.Authenticator. It asks for everything that ends a session, and not
// for the access token that opened the stream.
func (s *Service) Alive(ctx context.Context, c rest.Caller) error {
	_, err := s.Still(ctx, c)
	return err
}

// Still implements rest.Authenticator.
func (s *Service) Still(ctx context.Context, c rest.Caller) (rest.Caller, error) {
	if err := s.Tokens.Alive(ctx, c.Session); err != nil {
		return c, ended(err)
	}
	who := account.ID(c.Account)
	st, err := s.Accounts.State(ctx, who)
	if err == nil {
		err = active(st)
	}
	if err == nil {
		_, err = readSession(ctx, s.DB, who, c.Session, st.SessionEpoch, s.Now().UnixMilli())
	}
	c.Role = st.Role
	return c, ended(err)
}

// Hold refuses a session that is over. Until tx has ended it keeps a session from ending and
// its account from being deactivated. An end that was acknowledged first wins, and Hold waits
// for an end that is under way. It changes nothing.
func (s *Service) Hold(ctx context.Context, tx *db.Tx, who account.ID, id string) error {
	st, err := s.Accounts.Hold(ctx, tx, who)
	if err == nil {
		err = active(st)
	}
	if err == nil {
		err = holdSession(ctx, tx, who, id, st.SessionEpoch, s.Now().UnixMilli())
	}
	return ended(err)
}

func active(st account.State) error {
	if st.Status != account.Active {
		return token.ErrEnded
	}
	return nil
}

// ended gives every way in which a session can be over the same refusal.
func ended(err error) error {
	if errors.Is(err, db.ErrNoRows) || errors.Is(err, account.ErrNotFound) || errors.Is(err, token.ErrEnded) {
		return token.ErrUnauthenticated.Because(token.ErrEnded)
	}
	return err
}
