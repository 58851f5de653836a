package recovery

import (
	"context"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/rest"
)

// recoveryHeader is the kind, in a mail's header, of the links that open a recovery session.
const recoveryHeader = "recovery"

// errTwoLayers refuses a further way back for an account with too few layers.
var errTwoLayers = fault.New(fault.Conflict, "needs_two_layers", "Turn two sign-in layers on first. A way back needs them.")

// needLayers locks the account's row, and refuses an account that may not have a further way
// back. The layers stay as they are until tx ends.
func (s *Service) needLayers(ctx context.Context, tx *db.Tx, id account.ID) (account.State, error) {
	st, err := s.Accounts.Hold(ctx, tx, id)
	if err == nil && len(st.Layers) < account.RecoveryLayers {
		err = errTwoLayers
	}
	return st, err
}

// holdRecovery refuses a session that ended meanwhile, as those of a recovery do when it is
// stopped, and keeps it until tx ends. A call of the server's own has no session.
func (s *Service) holdRecovery(ctx context.Context, tx *db.Tx, c rest.Caller) error {
	if c.Session == "" {
		return nil
	}
	return s.Sessions.Hold(ctx, tx, account.ID(c.Account), c.Session)
}
