package session

import (
	"context"
	"fmt"
	"slices"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/rest"
)

// TurnOff turns a layer of the caller's account off, for the layer's room. A layer that the
// account's seal names counts as on, so an owner can turn it off whose row is gone. The
// account's remembered devices must pass their layers again, and the owner is told by an
// event of the given kind. A layer that is off stays as it is. A session that has ended
// meanwhile is refused. Codes recovery_needs_two_layers; see [account.Service.DropLayer],
// and unauthenticated.
func (s *Service) TurnOff(ctx context.Context, c rest.Caller, layer, kind string, recoveryOff bool) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.holdRepair(ctx, tx, c); err != nil {
			return err
		}
		was, err := s.DropLayer(ctx, tx, account.ID(c.Account), layer, recoveryOff)
		if err != nil || !was {
			return err
		}
		return s.Events.Record(ctx, tx, event.Event{Kind: kind, Account: c.Account})
	})
}

// DropLayer is TurnOff in the transaction of another room, which tells the owner itself. It
// reports whether the layer was on.
func (s *Service) DropLayer(ctx context.Context, tx *db.Tx, id account.ID, layer string, recoveryOff bool) (was bool, err error) {
	i := slices.IndexFunc(s.layers, func(l Layer) bool { return l.Name() == layer })
	if i < 0 {
		return false, fmt.Errorf("session: there is no layer %q", layer)
	}
	st, err := s.Accounts.Hold(ctx, tx, id)
	if err != nil {
		return false, err
	}
	was, err = s.off[i](ctx, tx, id)
	if err != nil || !was && !slices.Contains(st.Layers, layer) {
		return false, err
	}
	if err := s.Accounts.DropLayer(ctx, tx, id, layer, recoveryOff); err != nil {
		return false, err
	}
	return true, s.ForgetDevices(ctx, tx, id)
}
