package account

import (
	"context"
	"fmt"
	"slices"
	"time"

	"coffer/internal/db"
)

// Keeper hands out and deletes the data that a room keeps of an account. Each function may
// run twice.
type Keeper struct {
	// Export adds to the owner's archive what the room keeps of the account and the security
	// page does not tell. Nil when there is no such thing, or another room's part tells it.
	Export func(ctx context.Context, id ID, to *Archive) error
	// Empty deletes what may be very many rows, in batches: the account still exists, and
	// other writers pass between two batches. Nil when the room has no such rows.
	Empty func(ctx context.Context, id ID) error
	// Forget runs in the transaction that deletes the account. It deletes few rows; for the
	// rest it enqueues a job, which finds the account and its data key gone. The rooms that
	// were made last come first: a room that stands on another locks its own rows before the
	// other's, as it does when it writes.
	Forget func(ctx context.Context, tx *db.Tx, id ID) error
	// SignOut runs in the transaction that ends the account's sessions. It deletes whatever
	// lets somebody in, but the session named spare, which its room takes along. Nil when the
	// room lets nobody in.
	SignOut func(ctx context.Context, tx *db.Tx, id ID, spare string) error
	// DropSince runs in the transaction that stops a recovery. It shuts what lets strangers in
	// and was made at a time or later. Nil when there is no such thing; see also [WayIn].
	DropSince func(ctx context.Context, tx *db.Tx, id ID, since time.Time) error
}

type keeping struct {
	room string
	Keeper
}

// Keep registers what a room keeps of accounts. Every room with a table of accounts calls it
// when it is made.
func (s *Service) Keep(room string, k Keeper) {
	if slices.ContainsFunc(s.keepers, func(other keeping) bool { return other.room == room }) {
		panic("internal error: account: two keepers of " + room)
	}
	s.keepers = append(s.keepers, keeping{room, k})
}

// Forget deletes an account; ErrNotFound when it does not exist. The rooms first empty what
// may be large. One transaction then deletes the account with its data key. The rest of its
// personal data stays shut, in every copy that lacks the key. The jobs of the rooms follow.
// A call that failed in between can be repeated.
func (s *Service) Forget(ctx context.Context, id ID) error {
	for _, k := range s.keepers {
		if k.Empty == nil {
			continue
		}
		if err := k.Empty(ctx, id); err != nil {
			return fmt.Errorf("empty %s: %w", k.room, err)
		}
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := holdState(ctx, tx, id); err != nil {
			return err
		}
		for _, k := range slices.Backward(s.keepers) {
			if err := k.Forget(ctx, tx, id); err != nil {
				return fmt.Errorf("forget %s: %w", k.room, err)
			}
		}
		return deleteAccount(ctx, tx, id)
	})
}
