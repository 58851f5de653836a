package keyring

import (
	"context"
	"time"
)

// Walk is how far one walk has come that seals everything under the active key.
type Walk struct {
	Name, KeyID           string
	Purpose               Purpose
	Done                  int64 // rows that it looked at
	Damaged, Waiting      int64
	StartedAt, FinishedAt time.Time // FinishedAt zero: not yet
}

// Walks returns the progress of every walk that ever began.
func (r *Ring) Walks(ctx context.Context) ([]Walk, error) { return allWalks(ctx, r.db) }
