package account

import (
	"context"
	"errors"
	"time"

	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/keyring"
	"coffer/internal/seal"
)

// An account signs in with a password, or with what other rooms keep: it may have no password.
// Its column then holds a seal of the empty hash. An attacker who writes to the database can
// damage a password, and the account still has one, of which no person knows the text.

// ErrLastWayIn refuses to remove the one thing that an account signs in with. A room that calls
// KeepAWayIn declares it.
var ErrLastWayIn = fault.New(fault.Conflict, "last_way_in", "This is the only way to sign in to the account. Set a password or add another way first.")

// WayIn is a room with what accounts sign in with instead of a password.
type WayIn struct {
	// Count says how many the account has.
	Count func(ctx context.Context, q db.Querier, id ID) (int, error)
	// DropSince removes those that were added at a time or later. It runs in the transaction
	// that stops a recovery.
	DropSince func(ctx context.Context, tx *db.Tx, id ID, since time.Time) error
}

// AddWayIn registers the ways in of a room. The room calls it when it is made, before the first
// request.
func (s *Service) AddWayIn(w WayIn) { s.waysIn = append(s.waysIn, w) }

// KeepAWayIn refuses, in the transaction that removed a way in, to leave the account without
// one. It locks the account's row, so of two removals at once the second sees the first. Code
// last_way_in.
func (s *Service) KeepAWayIn(ctx context.Context, tx *db.Tx, id ID) error {
	if _, err := s.Hold(ctx, tx, id); err != nil {
		return err
	}
	has, err := s.hasPassword(ctx, tx, id)
	if err != nil || has {
		return err
	}
	for _, w := range s.waysIn {
		if n, err := w.Count(ctx, tx, id); err != nil || n > 0 {
			return err
		}
	}
	return ErrLastWayIn
}

// DropWaysSince removes the ways in that were added to an account at a time or later, and shuts
// what lets strangers in. The password is not among them.
func (s *Service) DropWaysSince(ctx context.Context, tx *db.Tx, id ID, since time.Time) error {
	for _, k := range s.keepers {
		if k.DropSince == nil {
			continue
		}
		if err := k.DropSince(ctx, tx, id, since); err != nil {
			return err
		}
	}
	for _, w := range s.waysIn {
		if err := w.DropSince(ctx, tx, id, since); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) hasPassword(ctx context.Context, q db.Querier, id ID) (bool, error) {
	sealed, err := readPassword(ctx, q, id)
	if err != nil {
		return false, err
	}
	return s.isSet(ctx, id, sealed)
}

// isSet reports whether a sealed hash is that of a password. One that does not open is.
func (s *Service) isSet(ctx context.Context, id ID, sealed []byte) (bool, error) {
	b, err := s.Ring.Open(ctx, keyring.Pepper, sealed, passwordAAD(id))
	if errors.Is(err, seal.ErrOpen) || errors.Is(err, keyring.ErrNoKey) {
		return true, nil
	}
	return len(b) > 0, err
}

// protectPassword is the line of the security page.
func (s *Service) protectPassword(ctx context.Context, q db.Querier, id ID) (Protection, error) {
	has, err := s.hasPassword(ctx, q, id)
	return Protection{Enabled: has}, err
}
