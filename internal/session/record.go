package session

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"coffer/internal/keyring"
	"coffer/internal/kv"
	"coffer/internal/seal"
)

// record is what the key store holds of a session, sealed: the server's private key, the
// digest of the client's public key and the absolute end. It names nobody.
type record struct {
	private []byte
	client  [sha256.Size]byte
	expires int64 // unix milliseconds
}

func recordName(sid string) string { return "session:" + sid }

func recordAAD(sid string) []byte { return seal.LP([]byte("session"), []byte(sid)) }

// encode is private ‖ digest ‖ end: the tail has a fixed length.
func (r record) encode() []byte {
	b := append(bytes.Clone(r.private), r.client[:]...)
	return binary.BigEndian.AppendUint64(b, uint64(r.expires))
}

func decodeRecord(b []byte) (record, error) {
	const tail = sha256.Size + 8
	if len(b) <= tail {
		return record{}, errors.New("session: a record is too short")
	}
	n := len(b) - tail
	r := record{private: b[:n:n], expires: int64(binary.BigEndian.Uint64(b[n+sha256.Size:]))}
	copy(r.client[:], b[n:])
	return r, nil
}

// putRecord seals r and stores it until the session's end.
func (s *Service) putRecord(ctx context.Context, sid string, r record) ([]byte, error) {
	// keyring binds the key id, which the envelope starts with.
	sealed, err := s.Ring.Seal(ctx, keyring.Session, r.encode(), recordAAD(sid))
	if err != nil {
		return nil, err
	}
	ttl := time.UnixMilli(r.expires).Sub(s.Now())
	return sealed, s.KV.Put(ctx, recordName(sid), sealed, max(ttl, time.Millisecond))
}

// errEnded says that a session is over, or never was.
var errEnded = errors.New("session: ended")

// derivedKey names a derivation: another record of the same session is another one.
type derivedKey struct {
	sid    string
	record [sha256.Size]byte
	client [sha256.Size]byte
}

// derive asks the key store whether the session lives and returns what its two keys make
// together; errEnded when it does not live, or belongs to another client key. Only the
// mathematics is remembered.
func (s *Service) derive(ctx context.Context, sid string, client []byte, clientDigest [sha256.Size]byte) (*derived, error) {
	sealed, err := s.KV.Get(ctx, recordName(sid))
	if errors.Is(err, kv.ErrMissing) {
		return nil, errEnded
	}
	if err != nil {
		return nil, err
	}
	key := derivedKey{sid, sha256.Sum256(sealed), clientDigest}
	d, ok := s.derived.GetIfPresent(key)
	if !ok {
		if d, err = s.agree(ctx, sid, sealed, client); err != nil {
			return nil, err
		}
		s.derived.Set(key, d)
	} else if _, err := s.Ring.Key(ctx, keyring.Session, d.kid); err != nil {
		// A destroyed key opens nothing, remembered or not.
		if errors.Is(err, keyring.ErrNoKey) {
			err = errEnded
		}
		return nil, err
	}
	if s.Now().UnixMilli() >= d.expires {
		return nil, errEnded
	}
	return d, nil
}

func (s *Service) agree(ctx context.Context, sid string, sealed, client []byte) (*derived, error) {
	plain, err := s.Ring.Open(ctx, keyring.Session, sealed, recordAAD(sid))
	if errors.Is(err, seal.ErrOpen) || errors.Is(err, keyring.ErrNoKey) {
		return nil, fmt.Errorf("%w: %w", errEnded, err)
	}
	if err != nil {
		return nil, err
	}
	r, err := decodeRecord(plain)
	if err != nil {
		return nil, err
	}
	if r.client != sha256.Sum256(client) {
		return nil, errEnded
	}
	return s.deriveFrom(sid, r, sealed, client)
}

// deriveFrom does the mathematics for a record that was sealed, or is, as sealed.
func (s *Service) deriveFrom(sid string, r record, sealed, client []byte) (*derived, error) {
	kid, err := keyring.EnvelopeKey(sealed)
	if err != nil {
		return nil, err
	}
	k, err := newClientKey(client)
	if err != nil {
		return nil, err
	}
	private, err := k.suite.curve.NewPrivateKey(r.private)
	if err != nil {
		return nil, err
	}
	raw, ok := decode(sid)
	if !ok {
		return nil, errEnded
	}
	secret, err := sealKey(k.suite, private, k.public, raw, s.BaseURL)
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(secret)
	if err != nil {
		return nil, err
	}
	return &derived{aead: aead, server: private.PublicKey().Bytes(), expires: r.expires, kid: kid}, nil
}

// newPair makes a key pair for one session.
func (s *Service) newPair(c *suite) (*ecdh.PrivateKey, error) { return c.curve.GenerateKey(s.Rand) }
