package client

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
)

// Curve is the curve of a session's key exchange.
type Curve int

// The curves that the server accepts. P521 is the default.
const (
	P521 Curve = iota
	P256
	X25519
)

func (c Curve) ecdh() (ecdh.Curve, error) {
	switch c {
	case P521:
		return ecdh.P521(), nil
	case P256:
		return ecdh.P256(), nil
	case X25519:
		return ecdh.X25519(), nil
	}
	return nil, fmt.Errorf("client: no such curve: %d", int(c))
}

// JWK is a public key in the format of RFC 7517 and RFC 8037.
type JWK struct {
	KeyType   string `json:"kty"`
	Curve     string `json:"crv,omitempty"`
	X         string `json:"x,omitempty"` // base64url without padding, as all that follow
	Y         string `json:"y,omitempty"`
	N         string `json:"n,omitempty"` // of RSA
	E         string `json:"e,omitempty"` // of RSA
	KeyID     string `json:"kid,omitempty"`
	Algorithm string `json:"alg,omitempty"`
	Use       string `json:"use,omitempty"`
}

// NewKey makes a key pair for one session.
func NewKey(c Curve) (*ecdh.PrivateKey, error) {
	curve, err := c.ecdh()
	if err != nil {
		return nil, err
	}
	return curve.GenerateKey(rand.Reader)
}

// PublicJWK returns the public key in the server's format.
func PublicJWK(pub *ecdh.PublicKey) (JWK, error) {
	b64 := base64.RawURLEncoding.EncodeToString
	raw := pub.Bytes()
	name := map[ecdh.Curve]string{ecdh.P521(): "P-521", ecdh.P256(): "P-256", ecdh.X25519(): "X25519"}[pub.Curve()]
	switch name {
	case "":
		return JWK{}, errors.New("client: the server takes no key on that curve")
	case "X25519":
		return JWK{KeyType: "OKP", Curve: name, X: b64(raw)}, nil
	}
	// 0x04 ‖ X ‖ Y, both of the field's full length (RFC 7518 §6.2.1.2).
	half := (len(raw) - 1) / 2
	return JWK{KeyType: "EC", Curve: name, X: b64(raw[1 : 1+half]), Y: b64(raw[1+half:])}, nil
}

// marshalKey returns the PKCS #8 form for [Credentials].
func marshalKey(key *ecdh.PrivateKey) ([]byte, error) {
	return x509.MarshalPKCS8PrivateKey(key)
}

// Key returns the client's private key of the session's key exchange; nil without one.
func (c Credentials) Key() (*ecdh.PrivateKey, error) {
	if len(c.PrivateKey) == 0 {
		return nil, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("client: session key: %w", err)
	}
	switch k := parsed.(type) {
	case *ecdh.PrivateKey: // X25519
		return k, nil
	case interface {
		ECDH() (*ecdh.PrivateKey, error)
	}: // the others come back as keys for signing
		return k.ECDH()
	}
	return nil, errors.New("client: session key: not a key for ECDH")
}

// public reads a server's public key of a curve.
func (k JWK) public(curve ecdh.Curve) (*ecdh.PublicKey, error) {
	x, errX := base64.RawURLEncoding.DecodeString(k.X)
	y, errY := base64.RawURLEncoding.DecodeString(k.Y)
	if err := errors.Join(errX, errY); err != nil {
		return nil, fmt.Errorf("client: the server's key: %w", err)
	}
	if k.KeyType == "EC" {
		x = slices.Concat([]byte{4}, x, y)
	}
	pub, err := curve.NewPublicKey(x)
	if err != nil {
		return nil, fmt.Errorf("client: the server's key: %w", err)
	}
	return pub, nil
}
