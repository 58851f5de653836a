package token

import (
	"bytes"
	"context"
	"crypto/cipher"
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
// digest of the client's public key, the absolute end and whether requests must be signed. It
// does not say whose session it is.
type record struct {
	private []byte
	client  [sha256.Size]byte
	expires int64 // unix milliseconds
	bound   bool
}

func recordName(sid string) string { return "session:" + sid }

func recordAAD(sid string) []byte { return seal.LP([]byte("session"), []byte(sid)) }

// encode returns private ‖ digest ‖ end ‖ binding. The tail has a fixed length.
func (r record) encode() []byte {
	b := append(bytes.Clone(r.private), r.client[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(r.expires))
	if r.bound {
		return append(b, 1)
	}
	return append(b, 0)
}

func decodeRecord(b []byte) (record, error) {
	const tail = sha256.Size + 8 + 1
	if len(b) <= tail || b[len(b)-1] > 1 {
		return record{}, errors.New("token: a record has another form")
	}
	n := len(b) - tail
	r := record{private: b[:n:n], expires: int64(binary.BigEndian.Uint64(b[n+sha256.Size:])), bound: b[len(b)-1] == 1}
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

// Keys are a session's two public keys and what they make together. Both ends can compute
// it, and no third party. The server keeps it in memory only.
type Keys struct {
	Session string // id
	Client  []byte // the client's public key, encoded
	server  []byte // the server's
	aead    cipher.AEAD
	proof   []byte // keys request proofs; nil when the session wants none
	expires int64  // the session's end, unix milliseconds
	kid     string // the key of the ring that seals the record
}

// ServerKey returns the server's public key.
func (k *Keys) ServerKey() *PublicKey { return suiteOf(k.server).jwk(k.server) }

// Open makes the record of a new session that ends at end, and returns its id and keys.
// client is what ParseKey returned. Without a client key the server makes a pair and
// throws the private half away. A bound session accepts only signed requests; without the
// client's key it would accept none.
func (s *Service) Open(ctx context.Context, client []byte, bound bool, end time.Time) (*Keys, error) {
	if bound && client == nil {
		return nil, ErrPublicKey
	}
	raw, err := s.random(idSize)
	if err != nil {
		return nil, err
	}
	sid, c := b64.EncodeToString(raw), suites[0]
	if client == nil {
		thrown, err := s.newPair(c)
		if err != nil {
			return nil, err
		}
		client = thrown.PublicKey().Bytes()
	} else if c = suiteOf(client); c == nil {
		return nil, ErrPublicKey
	}
	private, err := s.newPair(c)
	if err != nil {
		return nil, err
	}
	r := record{private: private.Bytes(), client: sha256.Sum256(client), expires: end.UnixMilli(), bound: bound}
	sealed, err := s.putRecord(ctx, sid, r)
	if err != nil {
		return nil, err
	}
	k, err := s.deriveFrom(sid, r, sealed, client)
	if err != nil {
		return nil, err
	}
	s.derived.Set(derivation{sid, sha256.Sum256(sealed), r.client}, k)
	return k, nil
}

// End removes a session's record. When End returns, every token of the session is dead on
// every node.
func (s *Service) End(ctx context.Context, sid string) error {
	return s.KV.Delete(ctx, recordName(sid))
}

// Alive returns ErrEnded unless a session has its record.
func (s *Service) Alive(ctx context.Context, sid string) error {
	_, err := s.record(ctx, sid)
	return err
}

func (s *Service) record(ctx context.Context, sid string) ([]byte, error) {
	sealed, err := s.KV.Get(ctx, recordName(sid))
	if errors.Is(err, kv.ErrMissing) {
		return nil, ErrEnded
	}
	return sealed, err
}

// Keys returns the keys of a live session whose client has the given public key. It returns
// ErrEnded when the session has ended or belongs to another client key.
func (s *Service) Keys(ctx context.Context, sid string, client []byte) (*Keys, error) {
	return s.keys(ctx, sid, client, sha256.Sum256(client))
}

// derivation names what was derived from one record for one client key.
type derivation struct {
	sid    string
	record [sha256.Size]byte
	client [sha256.Size]byte
}

// keys asks the key store each time whether the session lives. Only the mathematics is
// cached.
func (s *Service) keys(ctx context.Context, sid string, client []byte, clientDigest [sha256.Size]byte) (*Keys, error) {
	sealed, err := s.record(ctx, sid)
	if err != nil {
		return nil, err
	}
	name := derivation{sid, sha256.Sum256(sealed), clientDigest}
	k, ok := s.derived.GetIfPresent(name)
	if !ok {
		if k, err = s.agree(ctx, sid, sealed, client); err != nil {
			return nil, err
		}
		s.derived.Set(name, k)
	} else if _, err := s.Ring.Key(ctx, keyring.Session, k.kid); err != nil {
		// A destroyed key opens nothing, also not what is cached.
		if errors.Is(err, keyring.ErrNoKey) {
			err = ErrEnded
		}
		return nil, err
	}
	if s.Now().UnixMilli() >= k.expires {
		return nil, ErrEnded
	}
	return k, nil
}

func (s *Service) agree(ctx context.Context, sid string, sealed, client []byte) (*Keys, error) {
	plain, err := s.Ring.Open(ctx, keyring.Session, sealed, recordAAD(sid))
	if errors.Is(err, seal.ErrOpen) || errors.Is(err, keyring.ErrNoKey) {
		return nil, fmt.Errorf("%w: %w", ErrEnded, err)
	}
	if err != nil {
		return nil, err
	}
	r, err := decodeRecord(plain)
	if err != nil {
		return nil, err
	}
	if r.client != sha256.Sum256(client) {
		return nil, ErrEnded
	}
	return s.deriveFrom(sid, r, sealed, client)
}

// deriveFrom does the mathematics. sealed is the envelope of r.
func (s *Service) deriveFrom(sid string, r record, sealed, client []byte) (*Keys, error) {
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
		return nil, ErrEnded
	}
	agreed, err := agreeOn(k.suite, private, k.public, raw, s.BaseURL)
	if err != nil {
		return nil, err
	}
	secret, err := agreed.key(labelSeal)
	if err != nil {
		return nil, err
	}
	out := &Keys{Session: sid, Client: client, server: private.PublicKey().Bytes(), expires: r.expires, kid: kid}
	if out.aead, err = newAEAD(secret); err == nil && r.bound {
		out.proof, err = agreed.key(labelProof)
	}
	return out, err
}

// newPair makes a key pair for one session.
func (s *Service) newPair(c *suite) (*ecdh.PrivateKey, error) { return c.curve.GenerateKey(s.Rand) }
