package content

import (
	"context"
	"errors"
	"fmt"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/keyring"
)

// Why an object does not grow. [ErrExpired] says that it grows no more.
var (
	ErrOffset       = errors.New("content: the object has come to another offset")
	ErrTakenOver    = errors.New("content: another append has begun")
	ErrChecksum     = errors.New("content: the bytes have another checksum")
	ErrBeyond       = errors.New("content: more bytes than the object's length")
	ErrUnfinished   = errors.New("content: the object has not come to its length")
	ErrLength       = errors.New("content: the object's length is said already, or less than what it has")
	ErrTooManyParts = fault.New(fault.Conflict, "too_many_parts", "The upload consists of too many parts. Begin again and send more at a time.")
)

// UnknownLength is the length of an object that says it later.
const UnknownLength = -1

// Growing is how far an object has come.
type Growing struct {
	Offset  int64
	Length  int64 // or UnknownLength
	Expires time.Time
}

// Grow begins an object that comes in by parts, in the caller's transaction. It counts as one
// file, and its length, when that is known, is reserved in the quota. The object ends at
// expires unless an append moves that.
func (s *Service) Grow(ctx context.Context, tx *db.Tx, owner account.ID, length int64, expires time.Time) (id string, err error) {
	o, key, err := s.newObject(ctx, owner, []byte{})
	if err != nil {
		return "", err
	}
	g := growth{expires: expires.UnixMilli()}
	if g.progress, err = newProgress(o.ID).seal(o.ID, key); err != nil {
		return "", err
	}
	if length != UnknownLength {
		g.length, g.reserved = &length, length
	}
	if err := s.charge(ctx, tx, owner, use{reserved: g.reserved, files: 1}); err != nil {
		return "", err
	}
	return o.ID, insertGrowing(ctx, tx, owner, o.ID, o.wrapped, g, s.Now())
}

// Growing returns how far an object of the owner's has come.
func (s *Service) Growing(ctx context.Context, q db.Querier, owner account.ID, id string) (Growing, error) {
	g, err := readGrowth(ctx, q, owner, id)
	if errors.Is(err, db.ErrNoRows) {
		err = ErrExpired
	}
	if err != nil {
		return Growing{}, err
	}
	return g.shown(), nil
}

// AllGrowing returns how far each growing object of the owner's has come, by its id.
func (s *Service) AllGrowing(ctx context.Context, q db.Querier, owner account.ID) (map[string]Growing, error) {
	return readAllGrowth(ctx, q, owner)
}

// CountGrowing returns how many objects of the owner's grow. A transaction that has called
// [Service.Grow] sees all that others began.
func (s *Service) CountGrowing(ctx context.Context, tx *db.Tx, owner account.ID) (int64, error) {
	return countGrowth(ctx, tx, owner)
}

func (g growth) shown() Growing {
	now := Growing{Offset: g.taken, Length: UnknownLength, Expires: time.UnixMilli(g.expires).UTC()}
	if g.length != nil {
		now.Length = *g.length
	}
	return now
}

// SetLength says the length of an object that began without one, once, and reserves it. It
// ends an append that runs.
func (s *Service) SetLength(ctx context.Context, tx *db.Tx, owner account.ID, id string, length int64) error {
	before, err := writeLength(ctx, tx, owner, id, length)
	if errors.Is(err, db.ErrNoRows) {
		if _, err = s.Growing(ctx, tx, owner, id); err == nil {
			err = ErrLength
		}
	}
	if err != nil {
		return err
	}
	return s.charge(ctx, tx, owner, use{reserved: length - before})
}

// SettleGrown makes an object live that has come to its length, in the caller's transaction,
// which stores what refers to it. It takes the same time for every length.
func (s *Service) SettleGrown(ctx context.Context, tx *db.Tx, owner account.ID, id string) (Stored, error) {
	g, err := deleteGrowth(ctx, tx, owner, id)
	if errors.Is(err, db.ErrNoRows) {
		err = ErrExpired
	}
	if err != nil {
		return Stored{}, err
	}
	if g.length == nil || *g.length != g.taken {
		return Stored{}, ErrUnfinished
	}
	key, err := s.growingKey(ctx, tx, owner, id)
	if err != nil {
		return Stored{}, err
	}
	p, err := openProgress(g.progress, id, key, g.taken)
	if err != nil {
		return Stored{}, err
	}
	wrapped, err := s.Ring.Seal(ctx, keyring.Blob, key, keyAAD(id, owner, p.list[:]))
	if err != nil {
		return Stored{}, err
	}
	settled, err := settleGrown(ctx, tx, id, wrapped, p.list[:], g.taken)
	if err == nil && !settled {
		err = ErrExpired
	}
	if err == nil {
		err = s.charge(ctx, tx, owner, use{bytes: g.taken, reserved: -g.reserved})
	}
	o := Stored{ID: id, Size: g.taken}
	p.digest.Sum(o.Sum[:0])
	return o, err
}

// Abandon gives up an object that grows, and everything that it holds.
func (s *Service) Abandon(ctx context.Context, tx *db.Tx, owner account.ID, id string) error {
	g, err := deleteGrowth(ctx, tx, owner, id)
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.giveUp(ctx, tx, owner, id, g)
}

// Expire is Abandon of an object whose time is over. It reports false for one that still grows.
func (s *Service) Expire(ctx context.Context, tx *db.Tx, owner account.ID, id string) (over bool, err error) {
	g, err := deleteExpired(ctx, tx, owner, id, s.Now())
	if err == nil {
		return true, s.giveUp(ctx, tx, owner, id, g)
	}
	if errors.Is(err, db.ErrNoRows) {
		_, err = readGrowth(ctx, tx, owner, id)
		if errors.Is(err, db.ErrNoRows) {
			return true, nil
		}
	}
	return false, err
}

// giveUp removes an object whose growth has ended.
func (s *Service) giveUp(ctx context.Context, tx *db.Tx, owner account.ID, id string, g growth) error {
	if err := markGrowing(ctx, tx, id); err != nil {
		return err
	}
	if err := subUsage(ctx, tx, owner, use{reserved: g.reserved, files: 1}); err != nil {
		return err
	}
	return s.enqueuePurge(ctx, tx, owner)
}

// abandonExpired gives up objects whose growth is over. Damaged ones hold up no other.
func (s *Service) abandonExpired(ctx context.Context) error {
	now := s.Now()
	return db.Walk(ctx, func(last *due, limit int) ([]due, error) {
		return readExpired(ctx, s.DB, now, last, limit)
	}, func(o due) error {
		return o.failed(s.DB.Tx(ctx, func(tx *db.Tx) error {
			_, err := s.Expire(ctx, tx, o.owner, o.id)
			return err
		}))
	})
}

// growingKey opens the key of an object that grows.
func (s *Service) growingKey(ctx context.Context, q db.Querier, owner account.ID, id string) ([]byte, error) {
	wrapped, err := readKey(ctx, q, owner, id)
	if errors.Is(err, db.ErrNoRows) {
		err = ErrExpired
	}
	if err != nil {
		return nil, err
	}
	key, err := s.Ring.Open(ctx, keyring.Blob, wrapped, keyAAD(id, owner, []byte{}))
	if err != nil {
		return nil, fmt.Errorf("key of object %s: %w", id, err)
	}
	return key, nil
}
