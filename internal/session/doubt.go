package session

import (
	"context"
	"errors"
	"maps"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
)

// Doubt is a sign-in that the owner of an account is asked about in a mail.
type Doubt struct {
	Account account.ID
	Session string // that it opened; "" when it opened none
	At      time.Time
	// Told is what is known of the client: device, place and address. Ask overwrites it with
	// what the session's own label says.
	Told map[string]string
}

// Ask returns the data of a mail about d: device, place, address, and the link to the page that
// asks "was this you". The link works as the one in the mail about a new device. A session that
// has ended, or none, leaves the link to forget every remembered device.
func (s *Service) Ask(ctx context.Context, tx *db.Tx, d Doubt) (map[string]string, error) {
	data := maps.Clone(d.Told)
	if data == nil {
		data = map[string]string{}
	}
	r, err := lockSession(ctx, tx, d.Session, d.Account)
	if errors.Is(err, db.ErrNoRows) {
		r, err = row{Account: d.Account, Created: d.At.UnixMilli()}, nil
	}
	if err != nil {
		return nil, err
	}
	l := label{UserAgent: data["device"], Kind: data["device"], Place: data["place"], Addr: data["address"]}
	if r.ID != "" {
		key, err := s.Accounts.DataKey(ctx, tx, d.Account)
		if err != nil {
			return nil, err
		}
		if own, err := openLabel(key, r.ID, r.Label); err == nil {
			l = own
			data["device"], data["place"], data["address"] = l.Kind, l.Place, l.Addr
		}
	}
	data["link"], err = s.newEndDevice(ctx, tx, r, l)
	return data, err
}
