package keyring

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"slices"

	"coffer/internal/seal"
)

// symmetric is the algorithm of all keys but signing keys.
const symmetric = "secret-256"

// signing lists the algorithms of token keys.
var signing = []string{"RS256", "RS256-3072", "ES256", "EdDSA"}

func knownAlg(alg string) bool { return slices.Contains(signing, alg) }

const idSize = 8 // bytes of a key id

func newID() string {
	var id [idSize]byte
	rand.Read(id[:])
	return hex.EncodeToString(id[:])
}

// validID reports whether kid has the form of a key id. Other ids are not looked up.
func validID(kid string) bool {
	raw, err := hex.DecodeString(kid)
	return err == nil && len(raw) == idSize && hex.EncodeToString(raw) == kid
}

// generate makes a key for p and seals it. RSA may take a second, so generate never runs
// inside a transaction.
func (r *Ring) generate(p Purpose, state State) (row, error) {
	k := Key{ID: newID(), Purpose: p, State: state, Alg: r.algOf(p), Created: r.now()}
	secret, err := newSecret(k.Alg)
	if err != nil {
		return row{}, fmt.Errorf("keyring: make a %s key: %w", p, err)
	}
	return row{Key: k, sealed: seal.Seal(r.root, secret, ringAAD(k))}, nil
}

// algOf returns the algorithm for new keys of p.
func (r *Ring) algOf(p Purpose) string {
	switch p {
	case Token:
		return r.tokenAlg
	default:
		return symmetric
	}
}

func newSecret(alg string) ([]byte, error) {
	var key crypto.Signer
	var err error
	switch alg {
	case symmetric:
		secret := make([]byte, seal.KeySize)
		rand.Read(secret)
		return secret, nil
	case "RS256":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "RS256-3072":
		key, err = rsa.GenerateKey(rand.Reader, 3072)
	case "ES256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EdDSA":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		return nil, fmt.Errorf("unknown algorithm %q", alg)
	}
	if err != nil {
		return nil, err
	}
	return x509.MarshalPKCS8PrivateKey(key)
}
