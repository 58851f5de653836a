package token

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"encoding/base64"
	"strconv"
	"strings"

	"coffer/internal/keyring"
	"coffer/internal/rest"
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
	_, _, err := s.read(ctx, token, &rest.Sent{})
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
	a, err := agreeOn(c.suite, server, c.public, sid, issuer)
	if err != nil {
		return nil, err
	}
	return a.key(labelSeal)
}

// SealKeyOf is [SealKey] without the check of the client's key.
func SealKeyOf(private *ecdh.PrivateKey, client *ecdh.PublicKey) ([]byte, error) {
	a, err := agreeOn(suiteOf(client.Bytes()), private, client, []byte("sid"), "iss")
	if err != nil {
		return nil, err
	}
	return a.key(labelSeal)
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

// SignatureBase is the base of components that are given, ended by params.
func SignatureBase(lines [][2]string, params string) string {
	var base []byte
	for _, line := range lines {
		base = appendLine(base, line[0], line[1])
	}
	return string(appendParams(base, params))
}

// SignatureIs reports whether a signature in base64 is that of a base.
func SignatureIs(key []byte, base, signature string) bool {
	mac, ok := bytesItem("a=:"+signature+":", "a")
	return ok && macIs(key, []byte(base), mac)
}

// Respell writes what was read of a signature, the parameters in the order in which they came.
func Respell(input, value string) (string, bool) {
	s, ok := parseSignature(input, value)
	if !ok {
		return "", false
	}
	label, _, _ := strings.Cut(input, "=")
	text := label + `=("` + strings.Join(s.covered, `" "`) + `")`
	one := map[string]string{
		"created": strconv.FormatInt(s.created, 10), "nonce": `"` + s.nonce + `"`, "keyid": `"` + s.keyID + `"`, "alg": `"` + s.alg + `"`,
	}
	for param := range strings.SplitSeq(input[strings.Index(input, ")")+1:], ";") {
		if name, _, ok := strings.Cut(param, "="); ok {
			text += ";" + name + "=" + one[name]
		}
	}
	return text + "\n" + label + "=:" + base64.StdEncoding.EncodeToString(s.mac) + ":", true
}
