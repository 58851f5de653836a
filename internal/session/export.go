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

// exportedClient is a kind of client on a network that the account has signed in from. The
// server knows both by a digest alone.
type exportedClient struct {
	Session   string    `json:"session_id"` // the newest one that came from it
	FirstAt   time.Time `json:"first_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// exportedGuesses is how the account's password stands.
type exportedGuesses struct {
	InARow      int64      `json:"wrong_passwords_in_a_row"` // from devices that are not remembered
	LockedAt    *time.Time `json:"locked_by_an_admin_at"`
	ConfirmedAt *time.Time `json:"confirmed_by_mail_at"`
}

// export adds sessions.json, devices.json, known-clients.json and password-guesses.json to the
// owner's archive. A sign-in attempt lives for minutes and says nothing that these do not.
func (s *Service) export(ctx context.Context, who account.ID, to *account.Archive) error {
	if err := s.exportClients(ctx, who, to); err != nil {
		return err
	}
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

func (s *Service) exportClients(ctx context.Context, who account.ID, to *account.Archive) error {
	clients, err := knownClients(ctx, s.DB, who)
	if err != nil {
		return err
	}
	err = to.PutAll("known-clients.json", func(yield func(any, error) bool) {
		for _, one := range clients {
			if !yield(one, nil) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	f, err := readFailures(ctx, s.DB, who)
	if err != nil {
		return err
	}
	orNull := func(at int64) *time.Time {
		if at == 0 {
			return nil
		}
		return new(time.UnixMilli(at).UTC())
	}
	return to.Put("password-guesses.json", exportedGuesses{f.count, orNull(f.locked), orNull(f.confirmed)})
}
