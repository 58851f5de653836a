package token

import (
	"bytes"
	"context"
	"encoding/binary"
	"time"

	"github.com/go-json-experiment/json"

	"coffer/internal/account"
	"coffer/internal/keyring"
	"coffer/internal/seal"
)

// The form of access tokens (protocols.md §1).
const (
	tokenType = "coffer-at+jwt"
	maxToken  = 4096 // bytes
	padTo     = 128  // bytes: lengths of payloads tell nothing about what they hold
	ivSize    = 12
)

// header is all that a token's header may hold. There is no field for jku, jwk, x5u or
// crit (RFC 8725 §3.10).
type header struct {
	Alg string `json:"alg"`
	Kid string `json:"kid"`
	Typ string `json:"typ"`
}

type claims struct {
	Iss  string `json:"iss"`
	Aud  string `json:"aud"`
	Iat  int64  `json:"iat"`
	Nbf  int64  `json:"nbf"`
	Exp  int64  `json:"exp"`
	Jti  string `json:"jti"`
	Sid  string `json:"sid"`
	K    string `json:"k"`
	V    string `json:"v"`
	Data string `json:"data"`
}

// Payload is what a token tells the server about its holder. It is sealed.
type Payload struct {
	Account  account.ID `json:"uid"`
	AAL      string     `json:"aal"`       // assurance level
	AMR      []string   `json:"amr"`       // methods (RFC 8176)
	AuthTime int64      `json:"auth_time"` // of the last proof, unix seconds
	Ver      int64      `json:"ver"`       // the account's version
}

// tokenAAD binds the payload to everything that the token says in clear. header is the
// first part of the token as it stands there.
func tokenAAD(header string, c *claims) []byte {
	aad := seal.LP([]byte("coffer/at/v1"), []byte(header), []byte(c.Iss), []byte(c.Aud), []byte(c.Sid), []byte(c.Jti))
	aad = binary.BigEndian.AppendUint64(aad, uint64(c.Iat))
	return binary.BigEndian.AppendUint64(aad, uint64(c.Exp))
}

// Mint makes an access token of the session that k belongs to, and returns it with its
// life in whole seconds. No token lives longer than its session, which ends at end.
func (s *Service) Mint(ctx context.Context, k *Keys, p Payload, end time.Time) (string, time.Duration, error) {
	now := s.Now()
	expires := now.Add(s.AccessTTL)
	if end.Before(expires) {
		expires = end
	}
	// NumericDate counts whole seconds, and each token lives for one at least.
	start := now.Truncate(time.Second)
	life := max(time.Second, expires.Sub(now).Truncate(time.Second))
	text, err := s.mint(ctx, k, p, start.Unix(), start.Add(life).Unix())
	return text, life, err
}

func (s *Service) mint(ctx context.Context, k *Keys, p Payload, now, expires int64) (string, error) {
	key, err := s.Ring.Active(ctx, keyring.Token)
	if err != nil {
		return "", err
	}
	signer, err := s.signers.of(key)
	if err != nil {
		return "", err
	}
	h, err := json.Marshal(header{Alg: algOf(key), Kid: key.ID, Typ: tokenType})
	if err != nil {
		return "", err
	}
	unique, err := s.random(ivSize + 16)
	if err != nil {
		return "", err
	}
	iv, jti := unique[:ivSize], unique[ivSize:]
	first := b64.EncodeToString(h)
	c := claims{
		Iss: s.BaseURL, Aud: s.BaseURL, Iat: now, Nbf: now, Exp: expires, Jti: b64.EncodeToString(jti), Sid: k.Session,
		K: b64.EncodeToString(k.Client), V: b64.EncodeToString(iv),
	}
	plain, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	// JSON bears white space at its end.
	plain = append(plain, bytes.Repeat([]byte(" "), (padTo-len(plain)%padTo)%padTo)...)
	c.Data = b64.EncodeToString(k.aead.Seal(nil, iv, plain, tokenAAD(first, &c)))
	body, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	text := first + "." + b64.EncodeToString(body)
	signature, err := sign(signer, []byte(text))
	if err != nil {
		return "", err
	}
	return text + "." + b64.EncodeToString(signature), nil
}
