package token

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"coffer/internal/rest"
)

// Request proofs (protocols.md §3): a session that was opened with a binding accepts only
// requests that carry a signature (RFC 9421) under K_proof. The seal of the session's record
// holds the binding, so no writer of a store can take it away, and each access token of the
// session has it.

const (
	// proofWindow is by how much the time of a proof may differ from the server's.
	proofWindow = 60 * time.Second
	proofAlg    = "hmac-sha256"
)

// proofName is the key store's name of a nonce. It needs no digest: the owner of the session
// chose it, and its length is bounded.
func proofName(sid, nonce string) string { return "proof:" + sid + ":" + nonce }

// Bound reports whether the session accepts only signed requests.
func (k *Keys) Bound() bool { return k.proof != nil }

// Prove returns [rest.ErrProof] if the session is bound and q has no good proof. A proof is
// good once.
func (s *Service) Prove(ctx context.Context, k *Keys, q *rest.Sent) error {
	if !k.Bound() {
		return nil
	}
	why := s.prove(ctx, k, q)
	if errors.Is(why, errUnproven) {
		return rest.ErrProof.Because(why)
	}
	return why
}

// errUnproven says that a proof is missing or not good. The reason is for the log alone.
var errUnproven = errors.New("token: no good proof")

func unproven(why string) error { return fmt.Errorf("%w: %s", errUnproven, why) }

func (s *Service) prove(ctx context.Context, k *Keys, q *rest.Sent) error {
	inputs, values := q.Fields("Signature-Input"), q.Fields("Signature")
	if len(inputs) != 1 || len(values) != 1 {
		return unproven("not one signature")
	}
	sig, ok := parseSignature(inputs[0], values[0])
	if !ok {
		return unproven("form")
	}
	if sig.keyID != k.Session || sig.alg != proofAlg {
		return unproven("keyid or alg")
	}
	now, created := s.Now(), time.Unix(sig.created, 0)
	if age := now.Unix() - sig.created; age > int64(proofWindow/time.Second) || -age > int64(proofWindow/time.Second) {
		return unproven("created")
	}
	if !sig.covers(methodOf) || !sig.covers(targetOf) || len(q.Fields("Authorization")) > 0 && !sig.covers(credentials) || q.JSON() && !sig.covers(digestOf) {
		return unproven("a component is missing")
	}
	if err := sig.check(k.proof, q); err != nil {
		return err
	}
	if sig.covers(digestOf) {
		sum, ok := bytesItem(q.Fields("Content-Digest")[0], "sha-256")
		if !ok || len(sum) != sha256.Size {
			return unproven("content-digest")
		}
		if err := q.MustBe([sha256.Size]byte(sum)); err != nil {
			return err
		}
	}
	// The nonce is kept for as long as a node whose clock is behind may take the proof.
	first, err := s.KV.Once(ctx, proofName(k.Session, sig.nonce), created, created.Add(proofWindow+skew*time.Second).Sub(now))
	if err == nil && !first {
		err = unproven("nonce")
	}
	return err
}

// bases holds signature bases while they are checked.
var bases = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}

// check compares the signature with that of q under key.
func (sig *signature) check(key []byte, q *rest.Sent) error {
	buf := bases.Get().(*[]byte)
	defer func() { bases.Put(buf) }()
	base := (*buf)[:0]
	for _, name := range sig.covered {
		var value string
		switch name {
		case methodOf:
			value = q.Method()
		case targetOf:
			value = q.Target()
		default:
			lines := q.Fields(fieldNames[name])
			if len(lines) != 1 {
				return unproven("not one field " + name)
			}
			value = lines[0]
		}
		base = appendLine(base, name, value)
	}
	base = appendParams(base, sig.params)
	*buf = base
	if !macIs(key, base, sig.mac) {
		return unproven("signature")
	}
	return nil
}

func macIs(key, base, mac []byte) bool {
	h := hmac.New(sha256.New, key)
	h.Write(base)
	return hmac.Equal(h.Sum(nil), mac)
}

// fieldNames are the header fields of components.
var fieldNames = map[string]string{credentials: "Authorization", digestOf: "Content-Digest"}
