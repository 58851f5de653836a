package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/keyring"
	"coffer/internal/seal"
)

// The server seals status, version, role, layers and the choice "always ask" of an account
// beside their columns, under the field key and bound to the account's id. An attacker who writes to the database
// can take rights away through the columns, but cannot grant any. An account is active, or
// an admin, only where column and seal both say so. Its version is the higher of the two. A
// layer in the seal is asked for even when the layer's own row is gone. An account whose
// seal does not open counts as deactivated. One is suspended where column or seal says so.

// standing is what the seal holds.
type standing struct {
	Status       string   `json:"status"`
	SessionEpoch int64    `json:"ver"`
	Role         string   `json:"role"`
	Layers       []string `json:"layers,omitempty"`
	AlwaysAsk    bool     `json:"always_ask,omitempty"`
	Resumes      string   `json:"resumes,omitempty"`
}

func standingAAD(id ID) []byte {
	return seal.LP([]byte("accounts"), []byte("standing"), []byte(id))
}

// sealStanding seals what st says.
func (s *Service) sealStanding(ctx context.Context, st State) ([]byte, error) {
	b, err := json.Marshal(standing{Status: st.Status, SessionEpoch: st.SessionEpoch, Role: st.Role, Layers: st.Layers, AlwaysAsk: st.AlwaysAsk, Resumes: st.Resumes})
	if err != nil {
		return nil, err
	}
	return s.Ring.Seal(ctx, keyring.Field, b, standingAAD(st.ID))
}

// believed returns the state in which columns and seal agree.
func (s *Service) believed(ctx context.Context, r stored) (State, error) {
	st := r.State
	in, err := s.openStanding(ctx, r)
	if errors.Is(err, errAltered) {
		s.Log.ErrorContext(ctx, "account: a row was altered in the database: the account counts as deactivated", "account", string(st.ID))
	} else if err != nil {
		return State{}, err
	}
	switch {
	case in.Status == Deleting:
		st.Status = Deleting
	case in.Status == Suspended || st.Status == Suspended:
		st.Status = Suspended
	case in.Status != Active || st.Status != Active:
		st.Status = Deactivated
	}
	if in.Role != Admin {
		st.Role = User
	}
	st.SessionEpoch, st.Layers, st.AlwaysAsk = max(st.SessionEpoch, in.SessionEpoch), in.Layers, in.AlwaysAsk
	st.Resumes = in.Resumes
	return st, nil
}

// errAltered says that a row is not as the server wrote it.
var errAltered = errors.New("account: the row was altered in the database")

// openStanding returns what a row's seal holds; errAltered when it does not open.
func (s *Service) openStanding(ctx context.Context, r stored) (standing, error) {
	b, err := s.Ring.Open(ctx, keyring.Field, r.Standing, standingAAD(r.ID))
	var in standing
	if err == nil {
		err = json.Unmarshal(b, &in)
	}
	if errors.Is(err, seal.ErrOpen) || errors.Is(err, keyring.ErrNoKey) {
		return standing{}, fmt.Errorf("%w: %w", errAltered, err)
	}
	return in, err
}

// believe is believed for the answer of a store function.
func (s *Service) believe(ctx context.Context, r stored, err error) (State, error) {
	if err != nil {
		return State{}, err
	}
	return s.believed(ctx, r)
}

// insert seals the standing of a new account and makes it; see insertAccount.
func (s *Service) insert(ctx context.Context, tx *db.Tx, r row, emails, usernames [2][]byte) (made bool, err error) {
	if r.Standing, err = s.sealStanding(ctx, r.State); err != nil {
		return false, err
	}
	return insertAccount(ctx, tx, r, emails, usernames)
}

// changeStanding changes a row that stays locked until its new seal stands. It refuses a row
// whose seal does not open: a new seal would make an altered row a good one, without the
// layers that the old one named. An account that is being deleted stays so: the answer is
// ErrNotFound.
func (s *Service) changeStanding(ctx context.Context, tx *db.Tx, id ID, change func(*State)) error {
	r, err := holdState(ctx, tx, id)
	if err == nil {
		_, err = s.openStanding(ctx, r)
	}
	st, err := s.believe(ctx, r, err)
	if err == nil && st.Status == Deleting {
		err = ErrNotFound
	}
	if err != nil {
		return err
	}
	change(&st)
	sealed, err := s.sealStanding(ctx, st)
	if err != nil {
		return err
	}
	return putStanding(ctx, tx, stored{State: st, Standing: sealed})
}

// InvalidateSessions ends every session of the account: it begins a new epoch, and a token
// carries the epoch in which it was issued. In the same transaction the rooms delete what
// lets somebody in, and outstanding links end, except those that stay. The caller brings the
// session spare, if it names one, into the new epoch.
func (s *Service) InvalidateSessions(ctx context.Context, tx *db.Tx, id ID, spare string) error {
	return s.endSessions(ctx, tx, id, spare, func(*State) {})
}

// endSessions begins a new epoch and makes another change of the standing with it.
func (s *Service) endSessions(ctx context.Context, tx *db.Tx, id ID, spare string, change func(*State)) error {
	if err := s.changeStanding(ctx, tx, id, func(st *State) {
		st.SessionEpoch++
		change(st)
	}); err != nil {
		return err
	}
	for _, k := range slices.Backward(s.keepers) {
		if k.SignOut == nil {
			continue
		}
		if err := k.SignOut(ctx, tx, id, spare); err != nil {
			return fmt.Errorf("sign out of %s: %w", k.room, err)
		}
	}
	return dropOutstanding(ctx, tx, id)
}

// EndLinks ends the outstanding links of an account, except those that stay, and no session.
func (s *Service) EndLinks(ctx context.Context, tx *db.Tx, id ID) error {
	return dropOutstanding(ctx, tx, id)
}

// SetAlwaysAsk notes whether the owner wants every sign-in to ask for all layers, on
// remembered devices too. The owner is told when that ends.
func (s *Service) SetAlwaysAsk(ctx context.Context, id ID, on bool) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		var was bool
		err := s.changeStanding(ctx, tx, id, func(st *State) { was, st.AlwaysAsk = st.AlwaysAsk, on })
		if err != nil || on || !was {
			return err
		}
		return s.Events.Record(ctx, tx, event.Event{Kind: alwaysAskOff, Account: string(id)})
	})
}

// SetLayer notes that sign-in asks for a layer, or does so no longer. The layer's room calls
// it in the transaction that turns the layer on. To turn it off, the room calls DropLayer.
func (s *Service) SetLayer(ctx context.Context, tx *db.Tx, id ID, layer string, on bool) error {
	return s.changeStanding(ctx, tx, id, func(st *State) {
		st.Layers = slices.DeleteFunc(slices.Clone(st.Layers), func(l string) bool { return l == layer })
		if on {
			st.Layers = append(st.Layers, layer)
		}
	})
}

func (s *Service) renewStanding(ctx context.Context, id ID, sealed []byte) ([]byte, error) {
	return ifChanged(s.Ring.Renew(ctx, keyring.Field, sealed, standingAAD(id)))
}
