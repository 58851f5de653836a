package account

import (
	"context"
	"errors"
	"time"

	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/keyring"
	"coffer/internal/seal"
)

// An operator looks at accounts, suspends them and gives roles. A suspension is no
// deactivation: every session ends, and no proof of the owner's opens the account again. What
// the owner had chosen before stands again when the suspension is lifted.

// The kinds of events of an operator's decisions.
const (
	accountSuspended = "account-suspended"
	accountResumed   = "account-resumed"
)

// Listed is an account as an operator sees it.
type Listed struct {
	ID                                   ID
	Username, Email, FirstName, LastName string // "" where a value does not open
	Status, Role                         string
	Layers                               []string
	CreatedAt                            time.Time
	SignedInAt                           time.Time // zero: never
}

// Look reads an account for an operator; ErrNotFound when it does not exist.
func (s *Service) Look(ctx context.Context, id ID) (Listed, error) {
	r, err := readAccount(ctx, s.DB, id)
	if err != nil {
		return Listed{}, err
	}
	return s.listed(ctx, r)
}

// All reads up to limit accounts for an operator, the newest first, of those that are older
// than before; "" begins with the newest.
func (s *Service) All(ctx context.Context, before ID, limit int) ([]Listed, error) {
	ids, err := newestAccounts(ctx, s.DB, before, limit)
	if err != nil {
		return nil, err
	}
	all := make([]Listed, 0, len(ids))
	for _, id := range ids {
		switch l, err := s.Look(ctx, ID(id)); {
		case errors.Is(err, ErrNotFound): // deleted meanwhile
		case err != nil:
			return nil, err
		default:
			all = append(all, l)
		}
	}
	return all, nil
}

// listed opens a row. A value that was damaged hides no account from an operator.
func (s *Service) listed(ctx context.Context, r row) (Listed, error) {
	st, err := s.believed(ctx, r.stored)
	if err != nil {
		return Listed{}, err
	}
	l := Listed{
		ID: r.ID, Status: st.Status, Role: st.Role, Layers: st.Layers, CreatedAt: time.UnixMilli(r.CreatedAt).UTC(), SignedInAt: timeOf(r.SignedInAt),
	}
	p, _, err := s.open(ctx, r)
	if errors.Is(err, seal.ErrOpen) || errors.Is(err, keyring.ErrNoKey) {
		s.Log.ErrorContext(ctx, "account: personal data was altered in the database: an operator sees the rest", "account", string(r.ID))
		err = nil
	}
	l.Username, l.Email, l.FirstName, l.LastName = p.Username, p.Email, p.FirstName, p.LastName
	return l, err
}

// Numbers says how many accounts there are.
type Numbers struct{ Active, Deactivated, Suspended, Deleting, Admins int64 }

// Numbers counts all accounts by the columns of their rows.
func (s *Service) Numbers(ctx context.Context, q db.Querier) (Numbers, error) {
	return countAccounts(ctx, q)
}

// Suspend keeps the owner out of an account until Resume. Every session, remembered device and
// outstanding link ends. It reports whether the account was not suspended before. Code
// last_admin. It begins the transaction, or follows SetRole.
func (s *Service) Suspend(ctx context.Context, tx *db.Tx, id ID) (bool, error) {
	st, err := s.holdLeaving(ctx, tx, id)
	if err != nil || st.Status == Suspended {
		return false, err
	}
	if err := s.endSessions(ctx, tx, id, "", func(st *State) { st.Resumes, st.Status = st.Status, Suspended }); err != nil {
		return false, err
	}
	return true, s.Events.Record(ctx, tx, event.Event{Kind: accountSuspended, Account: string(id)})
}

// Resume lifts a suspension, and reports whether there was one. An account whose owner had
// deactivated it is deactivated again.
func (s *Service) Resume(ctx context.Context, tx *db.Tx, id ID) (bool, error) {
	st, err := s.Hold(ctx, tx, id)
	if err != nil || st.Status != Suspended {
		return false, err
	}
	if err := s.changeStanding(ctx, tx, id, func(st *State) {
		if st.Status = Active; st.Resumes == Deactivated {
			st.Status = Deactivated
		}
		st.Resumes = ""
	}); err != nil {
		return false, err
	}
	return true, s.Events.Record(ctx, tx, event.Event{Kind: accountResumed, Account: string(id)})
}

// SetRole gives an account a role, and returns the one it had. The next request of every
// session has it. It begins the transaction. Code last_admin.
func (s *Service) SetRole(ctx context.Context, tx *db.Tx, id ID, role string) (was string, err error) {
	hold := s.holdLeaving
	if role == Admin {
		hold = s.Hold
	}
	st, err := hold(ctx, tx, id)
	if err != nil || st.Role == role {
		return st.Role, err
	}
	return st.Role, s.changeStanding(ctx, tx, id, func(st *State) { st.Role = role })
}
