package session

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/keyring"
	"coffer/internal/seal"
)

// The server believes a row only as it wrote it. An attacker who writes to the database can
// change a column, but cannot make the seal that goes with it. So each row that decides who
// a caller is carries one: of a session and of an attempt under the session key, of a
// remembered device under its account's data key. A seal is checked before a row is used and
// before a row is sealed anew: nothing that was altered is ever sealed again.
//
// A seal does not tell an old row from the present one. What a row that is brought back
// means stands in docs/threat-model.md.

// errAltered says that a row is not as the server wrote it.
var errAltered = errors.New("session: a row was altered in the database")

// altered reports whether a sealed row does not open: under no key that is left, or not
// with what stands beside it.
func altered(err error) bool { return errors.Is(err, seal.ErrOpen) || errors.Is(err, keyring.ErrNoKey) }

// noteAltered logs that a row was altered.
func (s *Service) noteAltered(ctx context.Context, table, id string) {
	s.Log.ErrorContext(ctx, "session: a row was altered in the database and counts for nothing", "table", table, "id", id)
}

// bound is what a session's seal holds together: whose it is, which tokens and which client
// key open it, how sure the server is of the person, since when and until when. The chain
// of refresh tokens moves on below the family and is left out.
func (r row) bound() []byte {
	var numbers []byte
	for _, n := range []int64{r.Ver, r.AuthTime, r.Created, r.Expires} {
		numbers = binary.BigEndian.AppendUint64(numbers, uint64(n))
	}
	return seal.LP([]byte("session-row"), []byte(r.ID), []byte(r.Account), []byte(r.AAL), []byte(r.AMR), r.PublicKey, r.Family, r.Device, numbers)
}

func (s *Service) sealRow(ctx context.Context, r *row) (err error) {
	r.Seal, err = s.Ring.Seal(ctx, keyring.Session, nil, r.bound())
	return err
}

// checkRow returns errAltered when a row is not as the server wrote it.
func (s *Service) checkRow(ctx context.Context, r row) error {
	_, err := s.Ring.Open(ctx, keyring.Session, r.Seal, r.bound())
	if altered(err) {
		s.noteAltered(ctx, "sessions", r.ID)
		return fmt.Errorf("%w: %w", errAltered, err)
	}
	return err
}

// renewRow notes a fresh proof in a session. The row stays locked from before its seal is
// checked until the new one stands, so of two at once each seals what it read.
func (s *Service) renewRow(ctx context.Context, tx *db.Tx, id string, who account.ID, aal, amr string) (row, error) {
	r, err := lockSession(ctx, tx, id, who)
	if err != nil {
		return r, err
	}
	if err := s.checkRow(ctx, r); err != nil {
		return r, err
	}
	r.AAL, r.AMR, r.AuthTime = aal, amr, s.Now().UnixMilli()
	if err := s.sealRow(ctx, &r); err != nil {
		return r, err
	}
	return r, renewSession(ctx, tx, r)
}

// attemptAAD ties a plan to its attempt, to the token that proves it, and to its end.
func attemptAAD(a attemptRow) []byte {
	return seal.LP([]byte("attempt"), []byte(a.ID), []byte(a.Account), a.Token, binary.BigEndian.AppendUint64(nil, uint64(a.Expires)))
}

// bound is what a remembered device's seal holds; its account is that of the data key.
func (d device) bound() []byte {
	numbers := binary.BigEndian.AppendUint64(nil, uint64(d.Ver))
	return seal.LP(binary.BigEndian.AppendUint64(numbers, uint64(d.Expires)), []byte(strings.Join(d.Layers, " ")))
}

func (d device) sealed(key *keyring.DataKey, token []byte) []byte {
	return key.Seal("devices", "seal", b64.EncodeToString(token), d.bound())
}

// checkDevice returns errAltered when a device is not as the server remembered it.
func (s *Service) checkDevice(ctx context.Context, token []byte, d device) error {
	key, err := s.Accounts.DataKey(ctx, s.DB, d.Account)
	var b []byte
	if err == nil {
		b, err = key.Open("devices", "seal", b64.EncodeToString(token), d.Seal)
	}
	if err == nil && bytes.Equal(b, d.bound()) {
		return nil
	}
	if err == nil || altered(err) || errors.Is(err, account.ErrNotFound) {
		s.noteAltered(ctx, "devices", b64.EncodeToString(token))
		return errAltered
	}
	return err
}
