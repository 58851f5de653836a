package session

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

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

// altered reports whether err says that a sealed row does not open: its key is gone, or the
// columns beside the seal are not those that it was made for.
func altered(err error) bool { return errors.Is(err, seal.ErrOpen) || errors.Is(err, keyring.ErrNoKey) }

// noteAltered logs that a row was altered.
func (s *Service) noteAltered(ctx context.Context, table, id string) {
	s.Log.ErrorContext(ctx, "session: a row was altered in the database and counts for nothing", "table", table, "id", id)
}

// bound is what a session's seal holds: the owner, the refresh family and the client key, how
// sure the server is of the person, beginning and end. The chain of refresh tokens moves on
// within the family and is left out.
func (r row) bound() []byte {
	var numbers []byte
	for _, n := range []int64{r.Ver, r.AuthTime, r.Created, r.Expires} {
		numbers = binary.BigEndian.AppendUint64(numbers, uint64(n))
	}
	return seal.LP([]byte("session-row"), []byte(r.ID), []byte(r.Account), []byte(r.AAL), []byte(r.AMR), r.PublicKey, r.Family, r.Device, r.DeviceFamily, numbers)
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

// attemptAAD binds what an attempt holds to its id, account, token and end.
func attemptAAD(a attemptRow) []byte {
	return seal.LP([]byte("attempt"), []byte(a.ID), []byte(a.Account), a.Token, binary.BigEndian.AppendUint64(nil, uint64(a.Expires)))
}
