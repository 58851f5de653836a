// Package tokentest gives tests the client's side of tokens: keys, and protocols.md §1
// written a second time with nothing of the package token in it.
package tokentest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"

	"coffer/internal/token"
)

var b64 = base64.RawURLEncoding

// Suites are the names of the ways to agree on keys, by curve.
var Suites = map[string]string{
	"P-521": "P521-HKDF512-A256GCM", "P-256": "P256-HKDF512-A256GCM", "X25519": "X25519-HKDF512-A256GCM",
}

// Curves are the curves of [Suites].
var Curves = map[string]ecdh.Curve{"P-521": ecdh.P521(), "P-256": ecdh.P256(), "X25519": ecdh.X25519()}

// KeyPair is a client's key, and its public half as JWK.
func KeyPair(t testing.TB, crv string) (*ecdh.PrivateKey, *token.PublicKey) {
	t.Helper()
	k, err := Curves[crv].GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k, JWK(crv, k.PublicKey().Bytes())
}

// JWK is an encoded point as JWK.
func JWK(crv string, public []byte) *token.PublicKey {
	if crv == "X25519" {
		return &token.PublicKey{Kty: "OKP", Crv: crv, X: b64.EncodeToString(public)}
	}
	n := (len(public) - 1) / 2
	return &token.PublicKey{Kty: "EC", Crv: crv, X: b64.EncodeToString(public[1 : 1+n]), Y: b64.EncodeToString(public[1+n:])}
}

// Point is the encoded point of a JWK.
func Point(t testing.TB, k *token.PublicKey) []byte {
	t.Helper()
	x, errX := b64.DecodeString(k.X)
	y, errY := b64.DecodeString(k.Y)
	if errX != nil || errY != nil || k.D != "" {
		t.Fatalf("not a public key: %+v", k)
	}
	if k.Crv == "X25519" {
		return x
	}
	return append(append([]byte{4}, x...), y...)
}

// Decode reads base64url.
func Decode(t testing.TB, s string) []byte {
	t.Helper()
	b, err := b64.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Header is the first part of a token.
type Header struct{ Alg, Kid, Typ string }

// Claims is the second.
type Claims struct {
	Iss string `json:"iss"`
	Aud string `json:"aud"`
	Iat int64  `json:"iat"`
	Nbf int64  `json:"nbf"`
	Exp int64  `json:"exp"`
	Jti string `json:"jti"`
	Sid string `json:"sid"`
	// K is the client's public key, V the nonce and Data the sealed payload.
	K    string `json:"k"`
	V    string `json:"v"`
	Data string `json:"data"`
}

// Parts are those of a token that can be read; first is the header as it stands there.
func Parts(t testing.TB, text string) (first string, h Header, c Claims) {
	t.Helper()
	parts := strings.Split(text, ".")
	for i, v := range []any{&h, &c} {
		if err := json.Unmarshal(Decode(t, parts[i]), v); err != nil {
			t.Fatal(err)
		}
	}
	return parts[0], h, c
}

func lp(parts ...[]byte) (out []byte) {
	for _, p := range parts {
		out = append(binary.BigEndian.AppendUint16(out, uint16(len(p))), p...)
	}
	return out
}

// hkdf512 is HKDF-SHA512 (RFC 5869).
func hkdf512(secret, salt, info []byte) []byte {
	extract := hmac.New(sha512.New, salt)
	extract.Write(secret)
	expand := hmac.New(sha512.New, extract.Sum(nil))
	expand.Write(info)
	expand.Write([]byte{1})
	return expand.Sum(nil)[:32]
}

// Agreed is K_seal of the agreement z.
func Agreed(crv string, z, sid []byte, issuer string, server, client []byte) []byte {
	return agreed("seal", crv, z, sid, issuer, server, client)
}

func agreed(label, crv string, z, sid []byte, issuer string, server, client []byte) []byte {
	info := append([]byte("coffer/session/v1\x00"), lp([]byte(label), []byte(issuer), []byte(Suites[crv]), server, client)...)
	return hkdf512(z, sid, info)
}

// Opened is what a client finds in its own token.
func Opened(t testing.TB, crv string, private *ecdh.PrivateKey, server *token.PublicKey, text string) []byte {
	t.Helper()
	first, _, c := Parts(t, text)
	remote, err := private.Curve().NewPublicKey(Point(t, server))
	if err != nil {
		t.Fatal(err)
	}
	z, err := private.ECDH(remote)
	if err != nil {
		t.Fatal(err)
	}
	key := Agreed(crv, z, Decode(t, c.Sid), c.Iss, remote.Bytes(), private.PublicKey().Bytes())
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	aad := lp([]byte("coffer/at/v1"), []byte(first), []byte(c.Iss), []byte(c.Aud), []byte(c.Sid), []byte(c.Jti))
	aad = binary.BigEndian.AppendUint64(aad, uint64(c.Iat))
	aad = binary.BigEndian.AppendUint64(aad, uint64(c.Exp))
	plain, err := gcm.Open(nil, Decode(t, c.V), Decode(t, c.Data), aad)
	if err != nil {
		t.Fatalf("the client cannot open its own token: %v", err)
	}
	return plain
}
