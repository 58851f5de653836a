package session

import (
	"context"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/rest"
)

// exportedDevice is a remembered device in its owner's archive.
type exportedDevice struct {
	Layers    []string  `json:"layers"` // that it is not asked for again
	ExpiresAt time.Time `json:"expires_at"`
}

// export adds sessions.json and devices.json to the owner's archive. A sign-in attempt lives
// for minutes and says nothing that these do not.
func (s *Service) export(ctx context.Context, who account.ID, to *account.Archive) error {
	err := to.PutAll("sessions.json", func(yield func(any, error) bool) {
		page := rest.Paging{Limit: 200}
		for {
			list, err := s.List(ctx, rest.Caller{Account: string(who)}, page)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, one := range list.Items {
				if !yield(one, nil) {
					return
				}
			}
			if page.Cursor = list.NextCursor; page.Cursor == "" {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	key, err := s.Accounts.DataKey(ctx, s.DB, who)
	if err != nil {
		return err
	}
	return to.PutAll("devices.json", func(yield func(any, error) bool) {
		for after := []byte{}; ; {
			devices, last, err := rememberedDevices(ctx, s.DB, who, after, db.BatchRows)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, one := range devices {
				if err := one.check(key, one.Token); err != nil { // the server wrote no such device
					s.noteAltered(ctx, "devices", b64.EncodeToString(one.Token))
					continue
				}
				if !yield(exportedDevice{Layers: one.Layers, ExpiresAt: time.UnixMilli(one.Expires).UTC()}, nil) {
					return
				}
			}
			if after = last; after == nil {
				return
			}
		}
	})
}
