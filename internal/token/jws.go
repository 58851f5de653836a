package token

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"math/big"
	"strings"
	"sync"

	"coffer/internal/keyring"
)

// signers holds parsed signing keys: parsing one costs about as much as a signature. Whether
// a key still lives is asked of the ring each time.
type signers struct{ parsed sync.Map } // kid → crypto.Signer

func (k *signers) of(key keyring.Key) (crypto.Signer, error) {
	if s, ok := k.parsed.Load(key.ID); ok {
		return s.(crypto.Signer), nil
	}
	s, err := key.Signer()
	if err != nil {
		return nil, err
	}
	k.parsed.Store(key.ID, s)
	return s, nil
}

// algOf is the "alg" of tokens (RFC 7518 §3.1) that a key of the ring signs: a property of
// the key, never of a token.
func algOf(key keyring.Key) string {
	if key.Alg == "RS256-3072" {
		return "RS256"
	}
	return key.Alg
}

// split takes a compact JWS apart (RFC 7515 §7.1): what is signed, and its three parts
// decoded. Another serialisation, padding and white space are refused.
func split(token string) (text string, raw [3][]byte, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != len(raw) {
		return "", raw, false
	}
	for i, part := range parts {
		if raw[i], ok = decode(part); !ok {
			return "", raw, false
		}
	}
	return token[:len(parts[0])+1+len(parts[1])], raw, true
}

// sign returns the JWS signature of text under key.
func sign(signer crypto.Signer, text []byte) ([]byte, error) {
	digest := sha256.Sum256(text)
	switch key := signer.(type) {
	case *rsa.PrivateKey:
		return rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
		if err != nil {
			return nil, err
		}
		// RFC 7518 §3.4: both numbers at full length.
		out := make([]byte, 64)
		r.FillBytes(out[:32])
		s.FillBytes(out[32:])
		return out, nil
	case ed25519.PrivateKey:
		return ed25519.Sign(key, text), nil
	}
	return nil, fmt.Errorf("token: a %T signs no tokens", signer)
}

// verify reports whether signature is key's over text.
func verify(public crypto.PublicKey, text, signature []byte) bool {
	switch key := public.(type) {
	case *rsa.PublicKey:
		digest := sha256.Sum256(text)
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
	case *ecdsa.PublicKey:
		if len(signature) != 64 {
			return false
		}
		digest := sha256.Sum256(text)
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		return ecdsa.Verify(key, digest[:], r, s)
	case ed25519.PublicKey:
		return len(signature) == ed25519.SignatureSize && ed25519.Verify(key, text, signature)
	}
	return false
}

// JWKS is a set of public signing keys (RFC 7517 §5).
type JWKS struct {
	Keys []VerifyKey `json:"keys"`
}

// VerifyKey is one public signing key as JSON Web Key.
type VerifyKey struct {
	Kty string `json:"kty"`
	Kid string `json:"kid"`
	Alg string `json:"alg"`
	Use string `json:"use"`
	N   string `json:"n,omitempty"`
	E   string `json:"e,omitempty"`
	Crv string `json:"crv,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
}

// JWKS returns every key that verifies tokens now or soon. The next key is published before
// it signs, the last one until its tokens are dead.
func (s *Service) JWKS(ctx context.Context) (JWKS, error) {
	live, err := s.Ring.Live(ctx, keyring.Token)
	if err != nil {
		return JWKS{}, err
	}
	set := JWKS{Keys: []VerifyKey{}}
	for _, key := range live {
		signer, err := s.signers.of(key)
		if err != nil {
			return JWKS{}, err
		}
		k := VerifyKey{Kid: key.ID, Alg: algOf(key), Use: "sig"}
		switch public := signer.Public().(type) {
		case *rsa.PublicKey:
			k.Kty, k.N, k.E = "RSA", b64.EncodeToString(public.N.Bytes()), b64.EncodeToString(big.NewInt(int64(public.E)).Bytes())
		case *ecdsa.PublicKey:
			point, err := public.Bytes()
			if err != nil {
				return JWKS{}, err
			}
			k.Kty, k.Crv, k.X, k.Y = "EC", "P-256", b64.EncodeToString(point[1:33]), b64.EncodeToString(point[33:])
		case ed25519.PublicKey:
			k.Kty, k.Crv, k.X = "OKP", "Ed25519", b64.EncodeToString(public)
		}
		set.Keys = append(set.Keys, k)
	}
	return set, nil
}
