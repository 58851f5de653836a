package session

import (
	"context"
	"slices"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
)

// TurnOff turns a layer of an account off, for the layer's room. remove deletes the room's
// rows and reports whether the layer was on. A layer that the account's seal names counts as
// on, so an owner can turn it off whose row is gone. The account's remembered devices must
// pass their layers again, and the owner is told by an event of the given kind. A layer that
// is off stays as it is. Code recovery_needs_two_layers; see [account.Service.DropLayer].
func (s *Service) TurnOff(ctx context.Context, id account.ID, layer, kind string, recoveryOff bool,
	remove func(context.Context, *db.Tx, account.ID) (was bool, err error),
) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		st, err := s.Accounts.Hold(ctx, tx, id)
		if err != nil {
			return err
		}
		was, err := remove(ctx, tx, id)
		if err != nil || !was && !slices.Contains(st.Layers, layer) {
			return err
		}
		if err := s.Accounts.DropLayer(ctx, tx, id, layer, recoveryOff); err != nil {
			return err
		}
		if err := s.ForgetDevices(ctx, tx, id); err != nil {
			return err
		}
		return s.Events.Record(ctx, tx, event.Event{Kind: kind, Account: string(id)})
	})
}
