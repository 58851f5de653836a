package token

import (
	"context"
	"crypto"
	"crypto/ecdh"

	"coffer/internal/keyring"
)

// RecordName is the key store's name of a session.
var RecordName = recordName

// Forge signs any header and claims with the ring's own active token key: a token that
// only its content can betray.
func (s *Service) Forge(ctx context.Context, header, claims []byte) (string, error) {
	key, err := s.Ring.Active(ctx, keyring.Token)
	if err != nil {
		return "", err
	}
	signer, err := s.signers.of(key)
	if err != nil {
		return "", err
	}
	text := b64.EncodeToString(header) + "." + b64.EncodeToString(claims)
	signature, err := sign(signer, []byte(text))
	return text + "." + b64.EncodeToString(signature), err
}

// Parse reports what is wrong with a token's form, signature or claims.
func (s *Service) Parse(ctx context.Context, token string) error {
	_, err := s.parse(ctx, token)
	return err
}

// Read is a request's token without the account: what needs no database.
func (s *Service) Read(ctx context.Context, token string) error {
	_, _, err := s.read(ctx, token)
	return err
}

// ErrToken is the one error of bad tokens.
var ErrToken = errToken

// SealKey is K_seal of a session between the server's private key and a client's key.
func SealKey(k *PublicKey, private, sid []byte, issuer string) ([]byte, error) {
	c, err := parseClientKey(k)
	if err != nil {
		return nil, err
	}
	server, err := c.suite.curve.NewPrivateKey(private)
	if err != nil {
		return nil, err
	}
	return sealKey(c.suite, server, c.public, sid, issuer)
}

// SealKeyOf is [SealKey] without the check of the client's key.
func SealKeyOf(private *ecdh.PrivateKey, client *ecdh.PublicKey) ([]byte, error) {
	return sealKey(suiteOf(client.Bytes()), private, client, []byte("sid"), "iss")
}

// NewAEAD is the cipher of payloads.
var NewAEAD = newAEAD

// VerifyJWS reports whether a compact JWS is good under public, as access tokens are
// checked.
func VerifyJWS(public crypto.PublicKey, token string) bool {
	text, raw, ok := split(token)
	return ok && verify(public, []byte(text), raw[2])
}

// Forget drops what is cached of tokens and derivations.
func (s *Service) Forget() {
	s.tokens.InvalidateAll()
	s.derived.InvalidateAll()
}
