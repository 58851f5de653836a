package pin

import (
	"context"
	"encoding/base64"
	"encoding/binary"

	"coffer/internal/account"
	"coffer/internal/fault"
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
	after, err := openCursor(key, place, cursor)
	if err != nil {
		return nil, "", err
	}
	rows, err := readPage(ctx, s.DB, owner, state, entry, after, limit+1)
	if err != nil {
		return nil, "", err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = sealCursor(key, place, mark{rows[limit-1].CreatedAt, rows[limit-1].ID})
	}
	pins, err = s.showAll(ctx, owner, key, rows)
	return pins, next, err
}

// Cursors stand in URLs. They are sealed, and open for the same account and list only.
func sealCursor(key *keyring.DataKey, place string, m mark) string {
	plain := append(binary.BigEndian.AppendUint64(nil, uint64(m.at)), m.id...)
	return base64.RawURLEncoding.EncodeToString(key.Seal("pins", "cursor", place, plain))
}

func openCursor(key *keyring.DataKey, place, cursor string) (*mark, error) {
	if cursor == "" {
		return nil, nil
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cursor)
	var plain []byte
	if err == nil {
		plain, err = key.Open("pins", "cursor", place, sealed)
	}
	if err != nil || len(plain) < 8 {
		return nil, fault.InvalidField("query.cursor", "invalid_cursor", "The cursor does not belong to this list.")
	}
	return &mark{int64(binary.BigEndian.Uint64(plain)), string(plain[8:])}, nil
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
