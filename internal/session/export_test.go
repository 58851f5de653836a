package session

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
	signer, err := s.keys.signer(key)
	if err != nil {
		return "", err
	}
	text := b64.EncodeToString(header) + "." + b64.EncodeToString(claims)
	signature, err := sign(signer, []byte(text))
	return text + "." + b64.EncodeToString(signature), err
}

// ParseToken reports what is wrong with a token's form, signature or claims.
func (s *Service) ParseToken(ctx context.Context, token string) error {
	_, err := s.parse(ctx, token)
	return err
}

// ReadToken is a request's token without the account: what needs no database.
func (s *Service) ReadToken(ctx context.Context, token string) error {
	_, _, err := s.read(ctx, token)
	return err
}

// ErrToken is the one error of bad tokens.
var ErrToken = errToken

// ParseRefresh takes a refresh token apart.
var ParseRefresh = parseRefresh

// FormatRefresh puts one together.
var FormatRefresh = refreshToken

// ParseKey returns the encoded point of a client's key.
func ParseKey(k *PublicKey) ([]byte, error) {
	c, err := parseClientKey(k)
	if err != nil {
		return nil, err
	}
	return c.public.Bytes(), nil
}

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

// TryOf counts one try of an attempt, as Pass does before it looks at the answer.
func (s *Service) TryOf(ctx context.Context, id, token string) error {
	_, err := countTry(ctx, s.DB, id, tokenDigest([]byte(token)), s.Now().UnixMilli())
	return err
}

// Forget drops what is remembered of tokens and derivations.
func (s *Service) Forget() {
	s.tokens.InvalidateAll()
	s.derived.InvalidateAll()
}
