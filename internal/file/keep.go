package file

import (
	"context"
	"errors"

	"coffer/internal/account"
	"coffer/internal/db"
)

// dropLock deletes the lock row of an account that is gone; its tree is cleared, and no
// change of it can follow. A key that does not open is no reason to stop.
func (s *Service) dropLock(ctx context.Context, tx *db.Tx, owner account.ID) error {
	if _, err := s.dataKey(ctx, tx, owner); !errors.Is(err, errNotFound) {
		return nil
	}
	return deleteLock(ctx, tx, owner)
}
