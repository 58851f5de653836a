package account

import (
	"context"

	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
)

// ErrLastAdmin keeps a server from being left without an admin. A room that calls SetRole or
// Suspend declares it.
var ErrLastAdmin = fault.New(fault.Conflict, "last_admin", "This is the only active admin account. Make another account an admin first.")

// accountDeactivated is the event of an owner who deactivates the account.
const accountDeactivated = "account-deactivated"

// Deactivate closes an account until its owner activates it again. Status, sessions and
// outstanding links change in one transaction. A second call changes nothing. Code last_admin.
func (s *Service) Deactivate(ctx context.Context, id ID) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		st, err := s.holdLeaving(ctx, tx, id)
		if err != nil || st.Status != Active {
			return err
		}
		if err := s.endSessions(ctx, tx, id, "", func(st *State) { st.Status = Deactivated }); err != nil {
			return err
		}
		return s.Events.Record(ctx, tx, event.Event{
			Kind: accountDeactivated, Account: string(id), Data: map[string]string{"link": s.BaseURL + "/activate"},
		})
	})
}

// Activate opens a deactivated account again and returns its state. ErrLinkGone says that it
// is active: the link that the caller used has nothing to do any more.
func (s *Service) Activate(ctx context.Context, tx *db.Tx, id ID) (State, error) {
	st, err := s.Hold(ctx, tx, id)
	if err == nil && st.Status != Deactivated {
		err = ErrLinkGone
	}
	if err != nil {
		return State{}, err
	}
	if err := s.changeStanding(ctx, tx, id, func(st *State) { st.Status = Active }); err != nil {
		return State{}, err
	}
	return s.Hold(ctx, tx, id)
}

// holdLeaving is Hold for an account that is to go. It refuses to let the last active admin go.
// It comes before any row is locked. Of two admins who go at once, one waits for the other.
//
// An account may become an admin's while Hold waits for its row. It then waits for the others
// with its own row locked. If that is a deadlock, the database ends one transaction, which runs again.
func (s *Service) holdLeaving(ctx context.Context, tx *db.Tx, id ID) (State, error) {
	admin, err := isAdmin(ctx, tx, id)
	if err == nil && admin {
		err = lockAdmins(ctx, tx)
	}
	if err != nil {
		return State{}, err
	}
	st, err := s.Hold(ctx, tx, id)
	if err != nil || !admin && st.Role != Admin {
		return st, err
	}
	if !admin {
		if err := lockAdmins(ctx, tx); err != nil {
			return State{}, err
		}
	}
	others, err := hasOtherAdmin(ctx, tx, id)
	if err == nil && !others {
		err = ErrLastAdmin
	}
	return st, err
}
