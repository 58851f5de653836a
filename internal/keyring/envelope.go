package keyring

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"coffer/internal/seal"
)

// envelopeVersion is the first byte of [Ring.Seal]'s result.
const (
	envelopeVersion = 1
	envelopeHeader  = 1 + idSize
)

// derive returns a separate key for one use of secret. It joins the labels unambiguously
// (HKDF-SHA256, RFC 5869, no salt: secret is random).
func derive(secret []byte, labels ...string) []byte {
	parts := [][]byte{[]byte("coffer/key/v1")}
	for _, l := range labels {
		parts = append(parts, []byte(l))
	}
	return hkdf256(secret, seal.LP(parts...))
}

func hkdf256(secret, info []byte) []byte {
	key, err := hkdf.Key(sha256.New, secret, nil, string(info), seal.KeySize)
	if err != nil { // only in FIPS mode, for a secret shorter than any of ours
		panic("keyring: internal error: " + err.Error())
	}
	return key
}

// mac is HMAC-SHA256 over the parts, joined unambiguously.
func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(seal.LP(parts...))
	return h.Sum(nil)
}

// envelopeAAD binds the caller's aad to purpose and key.
func envelopeAAD(p Purpose, kid string, aad []byte) []byte {
	return append(seal.LP([]byte("coffer/envelope/v1"), []byte(p), []byte(kid)), aad...)
}

// Seal returns plaintext in an envelope under p's active key, bound to aad.
func (r *Ring) Seal(ctx context.Context, p Purpose, plaintext, aad []byte) ([]byte, error) {
	e, err := r.active(ctx, p)
	if err != nil {
		return nil, err
	}
	id, err := hex.DecodeString(e.ID)
	if err != nil {
		return nil, fmt.Errorf("keyring: key id: %w", err)
	}
	out := append([]byte{envelopeVersion}, id...)
	return append(out, seal.Seal(e.seal, plaintext, envelopeAAD(p, e.ID, aad))...), nil
}

// Open returns the content of an envelope. It returns [seal.ErrOpen] for a wrong purpose or
// aad, and [ErrNoKey] when the ring lacks the key.
func (r *Ring) Open(ctx context.Context, p Purpose, sealed, aad []byte) ([]byte, error) {
	kid, err := EnvelopeKey(sealed)
	if err != nil {
		return nil, err
	}
	e, err := r.entry(ctx, p, kid)
	if err != nil {
		return nil, err
	}
	return seal.Open(e.seal, sealed[envelopeHeader:], envelopeAAD(p, kid, aad))
}

// Renew returns the envelope's content in a new envelope under the active key. If it is
// under the active key already, changed is false and again is sealed.
func (r *Ring) Renew(ctx context.Context, p Purpose, sealed, aad []byte) (again []byte, changed bool, err error) {
	active, err := r.Active(ctx, p)
	if err != nil {
		return nil, false, err
	}
	plain, err := r.Open(ctx, p, sealed, aad)
	if err != nil {
		return nil, false, err
	}
	if kid, err := EnvelopeKey(sealed); err == nil && kid == active.ID {
		return sealed, false, nil
	}
	again, err = r.Seal(ctx, p, plain, aad)
	return again, err == nil, err
}

// EnvelopeKey returns the id of an envelope's key, or [seal.ErrOpen] when sealed is no
// envelope.
func EnvelopeKey(sealed []byte) (kid string, err error) {
	if len(sealed) < envelopeHeader || sealed[0] != envelopeVersion {
		return "", seal.ErrOpen
	}
	return hex.EncodeToString(sealed[1:envelopeHeader]), nil
}

// MAC returns HMAC-SHA256 of the parts under p's active key. [Ring.MACs] finds values made
// before a rotation.
func (r *Ring) MAC(ctx context.Context, p Purpose, parts ...[]byte) ([]byte, error) {
	e, err := r.active(ctx, p)
	if err != nil {
		return nil, err
	}
	return mac(e.mac, parts...), nil
}

// MACs returns the [Ring.MAC] of the parts under each live key of p, newest first.
func (r *Ring) MACs(ctx context.Context, p Purpose, parts ...[]byte) ([][]byte, error) {
	live, err := r.live(ctx, p)
	if err != nil {
		return nil, err
	}
	sums := make([][]byte, len(live))
	for i, e := range live {
		sums[i] = mac(e.mac, parts...)
	}
	return sums, nil
}

// Index returns the blind index of a canonical value for one column ("account.email"), for
// writing. Equal values of one column have equal indexes. Without the key nothing else can
// be learnt.
func (r *Ring) Index(ctx context.Context, column, canonical string) ([]byte, error) {
	e, err := r.active(ctx, Index)
	if err != nil {
		return nil, err
	}
	return mac(e.column(column), []byte(canonical)), nil
}

// Indexes returns a value's possible blind indexes, newest first. They are the active key's
// and, while a re-wrap moves rows, its predecessor's. There are always two, equal when
// there is one key, so one statement serves both cases.
func (r *Ring) Indexes(ctx context.Context, column, canonical string) ([][]byte, error) {
	live, err := r.live(ctx, Index)
	if err != nil {
		return nil, err
	}
	newest, oldest := live[0], live[len(live)-1]
	first := mac(newest.column(column), []byte(canonical))
	if newest == oldest {
		return [][]byte{first, bytes.Clone(first)}, nil
	}
	return [][]byte{first, mac(oldest.column(column), []byte(canonical))}, nil
}
