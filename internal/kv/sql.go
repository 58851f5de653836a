package kv

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"coffer/internal/db"
)

// SQL is a store in the database. Each operation is one conditional statement.
type SQL struct {
	db    *db.DB
	now   func() time.Time
	kept  *db.Kept[timed]
	marks *marks // of the process that owns the database

	began   time.Time
	claim   sync.Mutex
	claimed atomic.Int64 // until when the row of claimName stands; unix milliseconds
}

var _ Store = (*SQL)(nil)

// NewSQL returns the store in d whose clock is now.
func NewSQL(d *db.DB, now func() time.Time) *SQL {
	return &SQL{db: d, now: now, kept: db.Keep[timed](d, topic, 16_384), marks: newMarks(), began: now()}
}

// timed is a value and its expiry, in unix milliseconds.
type timed struct {
	value   []byte
	expires int64
}

// topic of the notes with changed keys.
const topic = "kv"

// column returns a key's form in the database, where text is UTF-8 without NUL. Other keys
// become base64 after a mark that no plain key begins with.
func column(key string) string {
	if utf8.ValidString(key) && strings.IndexByte(key, 0) < 0 && !strings.HasPrefix(key, keyMark) {
		return key
	}
	return keyMark + base64.RawURLEncoding.EncodeToString([]byte(key))
}

const keyMark = "base64:"

// Get returns the value, or [ErrMissing].
func (s *SQL) Get(ctx context.Context, key string) ([]byte, error) {
	if err := before(ctx, checkKey(key)); err != nil {
		return nil, err
	}
	name := column(key)
	read := func(ctx context.Context) (timed, error) { return s.read(ctx, name) }
	var v timed
	var err error
	if strings.HasPrefix(key, cachedPrefix) {
		v, err = s.kept.Get(ctx, name, read)
	} else {
		v, err = read(ctx)
	}
	switch {
	case errors.Is(err, db.ErrNoRows):
		return nil, ErrMissing
	case err != nil:
		return nil, sqlError(err)
	case s.ms() >= v.expires: // cached beyond its expiry
		return nil, ErrMissing
	}
	return bytes.Clone(v.value), nil
}

// read reads an unexpired value; db.ErrNoRows without one.
func (s *SQL) read(ctx context.Context, name string) (timed, error) {
	v := timed{value: []byte{}}
	var value []byte
	var number *int64
	err := s.db.Shared().QueryRow(ctx, `SELECT value, number, expires_at FROM kv WHERE key = $1 AND expires_at > $2`, name, s.ms()).Scan(&value, &number, &v.expires)
	switch {
	case number != nil:
		v.value = strconv.AppendInt(nil, *number, 10)
	case value != nil:
		v.value = value
	}
	return v, err
}

// Put sets the value.
func (s *SQL) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := checkPut(key, value, ttl); err != nil {
		return err
	}
	return s.change(ctx, key, `INSERT INTO kv (key, value, expires_at) VALUES ($1, $2, $3)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value, number = NULL, expires_at = excluded.expires_at`,
		column(key), full(value), s.ms()+millis(ttl))
}

// Add adds to a counter. One statement decides: it either removes a counter that reaches
// zero, or adds.
func (s *SQL) Add(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error) {
	if err := checkAdd(key, delta, ttl); err != nil {
		return 0, err
	}
	now := s.ms()
	if delta < 0 {
		if n, err := s.db.Exec(ctx, `DELETE FROM kv WHERE key = $1 AND expires_at > $2 AND number = $3`, column(key), now, -delta); err != nil || n == 1 {
			return 0, sqlError(err)
		}
	}
	var sum int64
	err := s.db.WriteRow(ctx, `INSERT INTO kv (key, number, expires_at) VALUES ($1, $2, $3)
		ON CONFLICT (key) DO UPDATE SET value = NULL,
			number = CASE WHEN kv.expires_at > $4 THEN kv.number + excluded.number ELSE excluded.number END,
			expires_at = CASE WHEN kv.expires_at > $4 THEN kv.expires_at ELSE excluded.expires_at END
		WHERE kv.number IS NOT NULL OR kv.expires_at <= $4
		RETURNING number`, column(key), delta, now+millis(ttl), now).Scan(&sum)
	if errors.Is(err, db.ErrNoRows) {
		return 0, ErrNotCounter
	}
	if err == nil && sum == 0 { // others changed it meanwhile, or it was below zero
		_, err = s.db.Exec(ctx, `DELETE FROM kv WHERE key = $1 AND number = 0`, column(key))
	}
	return sum, sqlError(err)
}

// Delete removes the key.
func (s *SQL) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	return s.change(ctx, key, `DELETE FROM kv WHERE key = $1`, column(key))
}

// Once reports whether this call is the first with key.
func (s *SQL) Once(ctx context.Context, key string, made time.Time, ttl time.Duration) (bool, error) {
	if err := before(ctx, checkPut(key, nil, ttl)); err != nil {
		return false, err
	}
	if s.db.Owned() {
		if err := s.claimMarks(ctx); err != nil {
			return false, err
		}
		now := s.now()
		if first, err := s.marks.first(key, made, now, ttl); !first || err != nil {
			return first, err
		}
		if made.Unix() <= now.Unix() {
			return s.unusedBefore(ctx, key, made)
		}
		// The process after this one cannot see that the key is older than itself.
	}
	return s.insertOnce(ctx, key, ttl)
}

// unusedBefore reports whether no process before this one took a key that was made ahead of
// its clock.
func (s *SQL) unusedBefore(ctx context.Context, key string, made time.Time) (bool, error) {
	if !s.marks.mayBeOlder(made) {
		return true, nil
	}
	_, err := s.read(ctx, column(key))
	if errors.Is(err, db.ErrNoRows) {
		return true, nil
	}
	return false, sqlError(err)
}

func (s *SQL) insertOnce(ctx context.Context, key string, ttl time.Duration) (bool, error) {
	now := s.ms()
	n, err := s.db.Exec(ctx, `INSERT INTO kv (key, value, expires_at) VALUES ($1, $2, $3)
		ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at WHERE kv.expires_at <= $4`,
		column(key), []byte{}, now+millis(ttl), now)
	return n == 1, sqlError(err)
}

// The row that says that a process keeps marks in memory. A process that finds it knows that
// another had marks not long ago.
const (
	claimName = "marks"
	claimFor  = 20 * time.Minute // longer than any ttl of a mark
	claimAt   = 10 * time.Minute // how often the row is written
)

// claimMarks notes now and then, before a mark is set, that this process has marks.
func (s *SQL) claimMarks(ctx context.Context) error {
	if s.ms() < s.claimed.Load() {
		return nil
	}
	s.claim.Lock()
	defer s.claim.Unlock()
	if s.ms() < s.claimed.Load() {
		return nil
	}
	if s.claimed.Load() == 0 {
		_, err := s.read(ctx, claimName)
		if err != nil && !errors.Is(err, db.ErrNoRows) {
			return sqlError(err)
		}
		if err == nil {
			s.marks.since(s.began)
		}
	}
	if err := s.Put(ctx, claimName, nil, claimFor); err != nil {
		return err
	}
	s.claimed.Store(s.ms() + claimAt.Milliseconds())
	return nil
}

// change runs a statement that changes key, and drops the cached value.
func (s *SQL) change(ctx context.Context, key, q string, args ...any) error {
	if !strings.HasPrefix(key, cachedPrefix) {
		_, err := s.db.Exec(ctx, q, args...)
		return sqlError(err)
	}
	return sqlError(s.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, q, args...)
		tx.Changed(topic, column(key))
		return err
	}))
}

// Prune deletes expired rows to save space. They are invisible already.
func (s *SQL) Prune(ctx context.Context) error {
	_, err := s.db.ExecInBatches(ctx, `DELETE FROM kv WHERE key IN (SELECT key FROM kv WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)
		AND expires_at <= $1`, s.ms())
	return sqlError(err)
}

// Ping reports whether the database answers.
func (s *SQL) Ping(ctx context.Context) error { return sqlError(s.db.Ping(ctx)) }

// Close does nothing: the database stays open.
func (s *SQL) Close() error { return nil }

func (s *SQL) ms() int64 { return s.now().UnixMilli() }

// full turns nil into an empty value: the column would store nil as NULL.
func full(value []byte) []byte {
	if value == nil {
		return []byte{}
	}
	return value
}

func sqlError(err error) error {
	if errors.Is(err, db.ErrUnavailable) {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}
