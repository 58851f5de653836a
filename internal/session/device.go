package session

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/keyring"
	"coffer/internal/seal"
)

// A remembered device holds a random token that stands for the layers which it has passed.
// The server keeps the token's digest.

// deviceVersion is what tokens of remembered devices start with.
const deviceVersion = "cd1."

// knownDevice is a remembered device of the account that signs in. The zero value is a
// device that is not remembered, or is another account's.
type knownDevice struct {
	digest  []byte   // of its token
	layers  []string // that it has passed
	expires int64
	family  []byte           // see deviceRow
	linked  bool             // see deviceRow
	key     *keyring.DataKey // of the account
}

// asked is the device, spared nothing.
func (d knownDevice) asked() knownDevice {
	d.layers, d.expires = nil, 0
	return d
}

// knownDevice looks up the remembered device of an account that a token stands for.
func (s *Service) knownDevice(ctx context.Context, st account.State, text string) (knownDevice, error) {
	if !strings.HasPrefix(text, deviceVersion) || len(text) > 100 {
		return knownDevice{}, nil
	}
	digest := tokenDigest([]byte(text))
	r, err := readDevice(ctx, s.DB, digest, s.Now().UnixMilli())
	if errors.Is(err, db.ErrNoRows) || err == nil && (r.Account != st.ID || r.Ver != st.SessionEpoch) {
		return knownDevice{}, nil
	}
	if err != nil {
		return knownDevice{}, err
	}
	key, err := s.Accounts.DataKey(ctx, s.DB, r.Account)
	if err == nil {
		err = r.check(key, digest)
	}
	if altered(err) || errors.Is(err, errAltered) || errors.Is(err, account.ErrNotFound) {
		s.noteAltered(ctx, "devices", b64.EncodeToString(digest))
		return knownDevice{}, nil
	}
	if err != nil {
		return knownDevice{}, err
	}
	return knownDevice{digest, r.Layers, r.Expires, r.Family, r.Linked, key}, nil
}

// newDevice is a device that is remembered from now on.
type newDevice struct {
	token  string
	digest []byte
	family []byte
	life   time.Duration
}

// remember remembers the device of p with the layers that it has passed. What it passed at
// an earlier sign-in keeps its end: remembering the device again does not prolong it.
func (s *Service) remember(ctx context.Context, tx *db.Tx, key *keyring.DataKey, p pendingSession) (newDevice, error) {
	raw, err := s.random(32)
	if err != nil {
		return newDevice{}, err
	}
	now := s.Now()
	expires := now.Add(s.DeviceTTL)
	if till := time.UnixMilli(p.KnownTill); len(p.Known) > 0 && till.Before(expires) {
		expires = till
	}
	layers := slices.Clone(p.Known)
	for _, a := range p.Asked {
		layers = append(layers, a.Layer)
	}
	if p.Device != nil {
		if err := deleteDevice(ctx, tx, p.Device); err != nil {
			return newDevice{}, err
		}
	}
	text := deviceVersion + b64.EncodeToString(raw)
	d := newDevice{text, tokenDigest([]byte(text)), p.Family, expires.Sub(now)}
	if d.family == nil {
		d.family = d.digest
	}
	r := deviceRow{Account: p.Account, Ver: p.Ver, Layers: layers, Family: d.family, Expires: expires.UnixMilli()}
	r.Seal = key.Seal("devices", "seal", b64.EncodeToString(d.digest), r.bound())
	return d, insertDevice(ctx, tx, d.digest, r)
}

// bound is what the seal of a remembered device holds. Its account is that of the data key.
func (r deviceRow) bound() []byte {
	numbers := binary.BigEndian.AppendUint64(nil, uint64(r.Ver))
	numbers = append(binary.BigEndian.AppendUint64(numbers, uint64(r.Expires)), flag(r.Linked))
	return seal.LP(numbers, []byte(strings.Join(r.Layers, " ")), r.Family)
}

// flag is a truth as a byte.
func flag(on bool) uint8 {
	if on {
		return 1
	}
	return 0
}

// check returns an error unless the row is as the server wrote it.
func (r deviceRow) check(key *keyring.DataKey, digest []byte) error {
	b, err := key.Open("devices", "seal", b64.EncodeToString(digest), r.Seal)
	if err == nil && !bytes.Equal(b, r.bound()) {
		err = errAltered
	}
	return err
}

// ForgetDevices makes every remembered device of an account pass its layers again, and ends
// the open sign-ins. A room calls it when its layer is turned off or changed: nobody is
// spared the layer that may be set up anew, and what passed the old one does not pass the new.
func (s *Service) ForgetDevices(ctx context.Context, tx *db.Tx, who account.ID) error {
	if err := deleteAttempts(ctx, tx, who); err != nil {
		return err
	}
	return s.AskDevices(ctx, tx, who)
}

// AskDevices makes every remembered device of an account pass its layers again, and leaves the
// open sign-ins. One that spares a device its layers asks for them too.
func (s *Service) AskDevices(ctx context.Context, tx *db.Tx, who account.ID) error {
	return deleteDevices(ctx, tx, who, "")
}
