package pin

import (
	"context"

	"coffer/internal/account"
	"coffer/internal/keyring"
)

// List returns one page of the owner's pins, the newest first, and the cursor of the next.
// state and entry "" are any.
func (s *Service) List(ctx context.Context, owner account.ID, state, entry, cursor string, limit int) (pins []Pin, next string, err error) {
	key, err := s.dataKey(ctx, s.DB, owner)
	if err != nil {
		return nil, "", err
	}
	place := "pins/" + state + "/" + entry
	after, err := key.OpenMark("pins", place, cursor)
	if err != nil {
		return nil, "", err
	}
	rows, err := readPage(ctx, s.DB, owner, state, entry, after, limit+1)
	if err != nil {
		return nil, "", err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = key.SealMark("pins", place, keyring.Mark{At: rows[limit-1].CreatedAt, ID: rows[limit-1].ID})
	}
	pins, err = s.showAll(ctx, owner, key, rows)
	return pins, next, err
}

// export adds the owner's pins to the archive, with the links of those that are encrypted.
func (s *Service) export(ctx context.Context, owner account.ID, to *account.Archive) error {
	return to.PutAll("pins.json", func(yield func(any, error) bool) {
		for cursor := ""; ; {
			pins, next, err := s.List(ctx, owner, "", "", cursor, 200)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, p := range pins {
				if !yield(p, nil) {
					return
				}
			}
			if cursor = next; cursor == "" {
				return
			}
		}
	})
}
