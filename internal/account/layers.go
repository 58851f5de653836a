package account

import (
	"context"
	"slices"

	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/rest"
)

// RecoveryLayers is how many layers an account has on before it may have a recovery method.
const RecoveryLayers = 2

// ErrRecoveryNeedsLayers refuses to turn a layer off that a recovery method needs. A room
// that calls DropLayer declares it.
var ErrRecoveryNeedsLayers = fault.New(fault.Conflict, "recovery_needs_two_layers",
	"A recovery method is on, and it needs two layers. Send recovery=off to turn the recovery methods off too.")

// WayBack is a room with recovery methods, which need layers.
type WayBack struct {
	// On reports whether a recovery method of the account is on.
	On func(ctx context.Context, q db.Querier, id ID) (bool, error)
	// Off turns the room's recovery methods off and records that. It runs in the transaction
	// that turns a layer off.
	Off func(ctx context.Context, tx *db.Tx, id ID) error
}

// AddWayBack registers the recovery methods of a room. The room calls it when it is made,
// before the first request.
func (s *Service) AddWayBack(w WayBack) { s.waysBack = append(s.waysBack, w) }

// DropLayer notes that sign-in asks for a layer no longer. The layer's room calls it in the
// transaction that turns the layer off. It locks the account's row, so of two layers that
// are turned off at once the second sees the first. When fewer than RecoveryLayers remain,
// no recovery method may be on: with recoveryOff they end, else the call is
// ErrRecoveryNeedsLayers.
func (s *Service) DropLayer(ctx context.Context, tx *db.Tx, id ID, layer string, recoveryOff bool) error {
	st, err := s.Hold(ctx, tx, id)
	if err != nil {
		return err
	}
	if rest := slices.DeleteFunc(slices.Clone(st.Layers), func(l string) bool { return l == layer }); len(rest) < RecoveryLayers {
		if err := s.endRecovery(ctx, tx, id, recoveryOff); err != nil {
			return err
		}
	}
	return s.SetLayer(ctx, tx, id, layer, false)
}

func (s *Service) endRecovery(ctx context.Context, tx *db.Tx, id ID, agreed bool) error {
	for _, w := range s.waysBack {
		on, err := w.On(ctx, tx, id)
		if err == nil && on && !agreed {
			err = ErrRecoveryNeedsLayers
		}
		if err == nil && on {
			err = w.Off(ctx, tx, id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// DropLayerInput is the input of the operations that turn a layer off.
type DropLayerInput struct {
	rest.Request
	Recovery string `query:"recovery" enum:"off,keep" default:"keep" doc:"off: also turn the recovery methods off, if too few layers remain for them."`
}

// RecoveryOff reports whether the caller agreed that recovery methods end.
func (in DropLayerInput) RecoveryOff() bool { return in.Recovery == "off" }
