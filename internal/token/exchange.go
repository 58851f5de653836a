package token

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha512"
	"slices"

	"coffer/internal/fault"
	"coffer/internal/seal"
)

// PublicKey is a client's public key as JSON Web Key (RFC 7517, RFC 8037). What browsers
// export beside the key is taken and ignored; a private key is refused.
type PublicKey struct {
	Kty    string   `json:"kty,omitempty" doc:"EC or OKP."`
	Crv    string   `json:"crv,omitempty" doc:"P-521, P-256 or X25519."`
	X      string   `json:"x,omitempty" doc:"base64url without padding, of the curve's full length."`
	Y      string   `json:"y,omitempty" doc:"The same; absent for X25519."`
	D      string   `json:"d,omitempty" doc:"The server refuses a private key."`
	Ext    *bool    `json:"ext,omitempty" doc:"Ignored."`
	KeyOps []string `json:"key_ops,omitempty" doc:"Ignored."`
	Alg    string   `json:"alg,omitempty" doc:"Ignored."`
	Use    string   `json:"use,omitempty" doc:"Ignored."`
	Kid    string   `json:"kid,omitempty" doc:"Ignored."`
}

// ErrPublicKey refuses what is no public key of a client.
var ErrPublicKey = fault.New(fault.Malformed, "invalid_public_key",
	"public_key must be a JSON Web Key with a valid point of P-521, P-256 or X25519.")

// suite is one way to agree on keys. Its name is bound into the derived key.
type suite struct {
	name     string
	kty, crv string
	curve    ecdh.Curve
	size     int // bytes of one coordinate
}

var suites = []*suite{
	{"P521-HKDF512-A256GCM", "EC", "P-521", ecdh.P521(), 66},
	{"P256-HKDF512-A256GCM", "EC", "P-256", ecdh.P256(), 32},
	{"X25519-HKDF512-A256GCM", "OKP", "X25519", ecdh.X25519(), 32},
}

// point is the length of an encoded public key, which tells the suites apart.
func (c *suite) point() int {
	if c.kty == "OKP" {
		return c.size
	}
	return 1 + 2*c.size // 4 ‖ x ‖ y (SEC 1 §2.3.3)
}

// suiteOf returns the suite of an encoded public key, nil when there is none.
func suiteOf(public []byte) *suite {
	for _, c := range suites {
		if c.point() == len(public) {
			return c
		}
	}
	return nil
}

// ParseKey returns the encoded point of a client's public key, or ErrPublicKey.
func ParseKey(k *PublicKey) ([]byte, error) {
	c, err := parseClientKey(k)
	if err != nil {
		return nil, err
	}
	return c.public.Bytes(), nil
}

// clientKey is a valid public key of a client.
type clientKey struct {
	suite  *suite
	public *ecdh.PublicKey
}

// parseClientKey reads a JWK: exact lengths, one spelling, and a point that is on the
// curve and not the identity (SP 800-56A §5.6.2.3).
func parseClientKey(k *PublicKey) (clientKey, error) {
	for _, c := range suites {
		if k.Kty != c.kty || k.Crv != c.crv || k.D != "" {
			continue
		}
		x, ok := decode(k.X)
		if !ok || len(x) != c.size {
			return clientKey{}, ErrPublicKey
		}
		encoded := x
		if c.kty == "EC" {
			y, ok := decode(k.Y)
			if !ok || len(y) != c.size {
				return clientKey{}, ErrPublicKey
			}
			encoded = append(append([]byte{4}, x...), y...)
		} else if k.Y != "" {
			return clientKey{}, ErrPublicKey
		}
		k, err := newClientKey(encoded)
		if err != nil {
			return clientKey{}, err
		}
		return k, k.contributes()
	}
	return clientKey{}, ErrPublicKey
}

// anyScalar is some X25519 private key. With a point of low order every private key agrees
// on zero.
var anyScalar = func() *ecdh.PrivateKey {
	k, err := ecdh.X25519().NewPrivateKey(append(make([]byte, 31), 1))
	if err != nil {
		panic("internal error: " + err.Error()) // 32 bytes are a key
	}
	return k
}()

// contributes refuses X25519 points of low order (RFC 7748 §6.1), so that the refusal comes
// before a password is looked at. Points of the other curves have no low order.
func (k clientKey) contributes() error {
	if k.suite.kty != "OKP" {
		return nil
	}
	if _, err := anyScalar.ECDH(k.public); err != nil {
		return ErrPublicKey.Because(err)
	}
	return nil
}

func newClientKey(encoded []byte) (clientKey, error) {
	c := suiteOf(encoded)
	if c == nil {
		return clientKey{}, ErrPublicKey
	}
	public, err := c.curve.NewPublicKey(encoded)
	if err != nil {
		return clientKey{}, ErrPublicKey.Because(err)
	}
	return clientKey{c, public}, nil
}

// jwk returns a public key as JWK.
func (c *suite) jwk(public []byte) *PublicKey {
	k := &PublicKey{Kty: c.kty, Crv: c.crv}
	if c.kty == "OKP" {
		k.X = b64.EncodeToString(public)
		return k
	}
	k.X, k.Y = b64.EncodeToString(public[1:1+c.size]), b64.EncodeToString(public[1+c.size:])
	return k
}

// agreement is what a session's two keys make together (protocols.md §1): PRK and what every
// key is bound to.
type agreement struct{ prk, bound []byte }

// agreeOn agrees on keys. An all-zero agreement, which a client forces with a low-order
// X25519 point, is an error.
func agreeOn(c *suite, private *ecdh.PrivateKey, client *ecdh.PublicKey, sid []byte, issuer string) (agreement, error) {
	z, err := private.ECDH(client)
	if err != nil {
		return agreement{}, ErrPublicKey.Because(err)
	}
	prk, err := hkdf.Extract(sha512.New, z, sid)
	return agreement{prk, seal.LP([]byte(issuer), []byte(c.name), private.PublicKey().Bytes(), client.Bytes())}, err
}

// key derives the key with a label: K_seal or K_proof.
func (a agreement) key(label string) ([]byte, error) {
	info := slices.Concat([]byte("coffer/session/v1\x00"), seal.LP([]byte(label)), a.bound)
	return hkdf.Expand(sha512.New, a.prk, string(info), 32)
}

// The labels of a session's keys.
const (
	labelSeal  = "seal"  // K_seal seals payloads
	labelProof = "proof" // K_proof keys request proofs
)

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
