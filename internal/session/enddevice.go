package session

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/keyring"
)

// The mail about a new device carries a link that asks its owner whether it was him. Yes
// records that, and leaves the link good. No ends the device, for an owner who is not signed in:
// it ends every session of the device, which may have signed in again without a mail, also
// from elsewhere with the token of a remembered device, and makes every remembered device pass
// its layers again. It works once, as long as a session may live, and stays when other sessions end: an
// intruder who changes the password keeps a session, and must not void the link. It signs
// nobody in, so it needs no other proof than the mailbox.

// endedDevice is the content of such a link.
type endedDevice struct {
	Session string    `json:"session"`
	Name    string    `json:"device"` // in words
	Kind    string    `json:"kind"`
	Place   string    `json:"place"`
	Addr    string    `json:"addr"`
	Family  []byte    `json:"family"` // of the remembered device
	At      time.Time `json:"at"`
	Mine    bool      `json:"mine"` // the owner has said yes
}

func (s *Service) endDevicePurpose() account.Purpose {
	return account.Purpose{Name: "end-device", Page: "/end-device", Life: s.SessionTTL, Several: true, Stays: true}
}

// Doubt is a sign-in that its owner is asked about. While its session lives, the session says
// the rest.
type Doubt struct {
	Session                string // "" when none was opened
	Device, Place, Address string
	At                     time.Time
}

// AskOwner makes the link that asks the owner of an account whether a sign-in was his, for the
// mail that is enqueued in the same transaction.
func (s *Service) AskOwner(ctx context.Context, tx *db.Tx, who account.ID, about Doubt) (link string, err error) {
	d := endedDevice{Session: about.Session, Name: about.Device, Kind: about.Device, Place: about.Place, Addr: about.Address, At: about.At.UTC()}
	r, err := lockSession(ctx, tx, about.Session, who)
	if err == nil {
		key, err := s.Accounts.DataKey(ctx, tx, who)
		if err != nil {
			return "", err
		}
		l := s.labelOf(ctx, key, r)
		d.Name, d.Kind, d.Place, d.Addr, d.Family, d.At = l.UserAgent, l.Kind, l.Place, l.Addr, r.DeviceFamily, time.UnixMilli(r.Created).UTC()
	} else if !errors.Is(err, db.ErrNoRows) {
		return "", err
	}
	data, err := json.Marshal(d)
	if err != nil {
		return "", err
	}
	return s.Accounts.NewLink(ctx, tx, s.endDevicePurpose(), who, string(data))
}

func (d endedDevice) told() map[string]string {
	return map[string]string{"device": d.Kind, "place": d.Place, "address": d.Addr, "session": d.Session}
}

// ConfirmDevice records, once, that the sign-in which a link asks about was the owner's. The
// link stays good. Code link_gone.
func (s *Service) ConfirmDevice(ctx context.Context, token string) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		return s.Accounts.AmendLink(ctx, tx, s.endDevicePurpose(), token, func(l account.Link) (string, error) {
			d, err := deviceOf(l)
			if err != nil || d.Mine {
				return l.Data, err
			}
			d.Mine = true
			data, err := json.Marshal(d)
			if err != nil {
				return "", err
			}
			return string(data), s.Events.Record(ctx, tx, event.Event{Kind: deviceConfirmed, Account: string(l.Account), Data: d.told()})
		})
	})
}

// deviceOf reads what a link carries.
func deviceOf(l account.Link) (d endedDevice, err error) {
	if err := json.Unmarshal([]byte(l.Data), &d); err != nil {
		return d, fmt.Errorf("a link that ends a device: %w", err)
	}
	return d, nil
}

// FindDevice says which device a link ends. It uses nothing up. Code link_gone.
func (s *Service) FindDevice(ctx context.Context, token string) (DeviceToEnd, error) {
	l, err := s.Accounts.FindLink(ctx, s.endDevicePurpose(), token)
	if err != nil {
		return DeviceToEnd{}, err
	}
	d, err := deviceOf(l)
	return DeviceToEnd{d.Name, d.Place, d.At}, err
}

// EndDevice ends the sessions of the device that a link is for, and forgets that it was known.
// It forgets every remembered device and ends the open sign-ins: the next one asks for every
// layer. Of many callers with one link, one gets that done. Code link_gone.
func (s *Service) EndDevice(ctx context.Context, token string) error {
	var ended []string
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		ended = nil
		l, err := s.Accounts.UseLink(ctx, tx, s.endDevicePurpose(), token)
		if err != nil {
			return err
		}
		d, err := deviceOf(l)
		if err != nil {
			return err
		}
		key, err := s.Accounts.DataKey(ctx, tx, l.Account)
		if err != nil {
			return err
		}
		if ended, err = s.sessionsOf(ctx, tx, key, l.Account, d); err != nil {
			return err
		}
		for _, id := range ended {
			if err := forgetClient(ctx, tx, l.Account, id); err != nil {
				return err
			}
			if _, err := deleteSessionAndDevice(ctx, tx, l.Account, id); err != nil {
				return err
			}
		}
		if err := s.ForgetDevices(ctx, tx, l.Account); err != nil {
			return err
		}
		if err := s.takeBack(ctx, tx, l.Account); err != nil {
			return err
		}
		if err := forgetKnown(ctx, tx, l.Account, clientOf(key, d.Kind, d.Addr)); err != nil {
			return err
		}
		data := d.told()
		data["sessions"] = strings.Join(ended, " ") // wherever they were opened, the owner was not there
		if err := s.Events.Record(ctx, tx, event.Event{Kind: deviceEnded, Account: string(l.Account), Data: data}); err != nil {
			return err
		}
		return s.forgetLater(ctx, tx, ended)
	})
	if err != nil {
		return err
	}
	s.endRecords(ctx, ended)
	return nil
}

// sessionsOf lists the sessions of a device: the one that was told of, those from the same
// kind of client on the same network, and those from anywhere that were opened with the
// device's token. No mail told of those either.
func (s *Service) sessionsOf(ctx context.Context, tx *db.Tx, key *keyring.DataKey, who account.ID, d endedDevice) ([]string, error) {
	rows, err := readLabels(ctx, tx, who)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, r := range rows {
		l, err := openLabel(key, r.ID, r.Label)
		here := err == nil && l.Kind == d.Kind && networkOf(l.Addr) == networkOf(d.Addr)
		if r.ID == d.Session || here || len(d.Family) > 0 && bytes.Equal(r.DeviceFamily, d.Family) {
			ids = append(ids, r.ID)
		}
	}
	return ids, nil
}
