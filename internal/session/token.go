package session

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"coffer/internal/account"
	"coffer/internal/keyring"
	"coffer/internal/rest"
	"coffer/internal/seal"
)

// The form of access tokens (protocols.md §1).
const (
	tokenType = "coffer-at+jwt"
	maxToken  = 4096 // bytes
	padTo     = 128  // bytes: lengths of payloads tell nothing about what they hold
	ivSize    = 12
	// skew is by how much the clock of the node that made a token may be ahead of ours, in
	// seconds (RFC 7519 §4.1.5). It never prolongs a token's life.
	skew = 10
)

// header is all that a token's header may hold: jku, jwk, x5u, crit and their kin have no
// place to stand (RFC 8725 §3.10).
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

// payload is what a token says of somebody, to nobody but this server.
type payload struct {
	UID      account.ID `json:"uid"`
	AAL      string     `json:"aal"`
	AMR      []string   `json:"amr"`
	AuthTime int64      `json:"auth_time"` // unix seconds
	Ver      int64      `json:"ver"`
}

// verified is a token whose signature, form, issuer and audience are right. None of that
// changes while its key is live, so it is remembered by the token's digest; everything
// that can change is asked each time.
type verified struct {
	kid          string
	sid          string
	nbf, exp     int64
	client       []byte
	clientDigest [sha256.Size]byte
	iv, data     []byte
	aad          []byte
}

// tokenAAD binds the payload to everything that the token says in clear. header is the
// first part of the token as it stands there.
func tokenAAD(header string, c *claims) []byte {
	aad := seal.LP([]byte("coffer/at/v1"), []byte(header), []byte(c.Iss), []byte(c.Aud), []byte(c.Sid), []byte(c.Jti))
	aad = binary.BigEndian.AppendUint64(aad, uint64(c.Iat))
	return binary.BigEndian.AppendUint64(aad, uint64(c.Exp))
}

// mint makes an access token of session sid, good from now until the given time.
func (s *Service) mint(ctx context.Context, sid string, p payload, d *derived, client []byte, now, expires time.Time) (string, error) {
	key, err := s.Ring.Active(ctx, keyring.Token)
	if err != nil {
		return "", err
	}
	signer, err := s.keys.signer(key)
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
		Iss: s.BaseURL, Aud: s.BaseURL, Iat: now.Unix(), Nbf: now.Unix(), Exp: expires.Unix(), Jti: b64.EncodeToString(jti), Sid: sid,
		K: b64.EncodeToString(client), V: b64.EncodeToString(iv),
	}
	plain, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	// JSON bears white space at its end.
	plain = append(plain, bytes.Repeat([]byte(" "), (padTo-len(plain)%padTo)%padTo)...)
	c.Data = b64.EncodeToString(d.aead.Seal(nil, iv, plain, tokenAAD(first, &c)))
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

// errToken says that a token is not one of ours, or no longer good. Why stays in the log.
var errToken = errors.New("session: no good token")

func badToken(why string) error { return fmt.Errorf("%w: %s", errToken, why) }

// parse returns what a token says once its form, key and signature are right.
func (s *Service) parse(ctx context.Context, token string) (*verified, error) {
	if len(token) > maxToken {
		return nil, badToken("too long")
	}
	var text [maxToken]byte // a conversion would allocate as much for each request
	digest := sha256.Sum256(text[:copy(text[:], token)])
	if v, ok := s.tokens.GetIfPresent(digest); ok {
		// A destroyed key verifies nothing, remembered or not.
		if _, err := s.Ring.Key(ctx, keyring.Token, v.kid); err != nil {
			return nil, keyError(err)
		}
		return v, nil
	}
	signed, raw, ok := split(token)
	if !ok {
		return nil, badToken("not three parts of base64url")
	}
	var h header
	if err := strictJSON(raw[0], &h); err != nil {
		return nil, badToken("header")
	}
	key, err := s.Ring.Key(ctx, keyring.Token, h.Kid)
	if err != nil {
		return nil, keyError(err)
	}
	signer, err := s.keys.signer(key)
	if err != nil {
		return nil, err
	}
	if h.Alg != algOf(key) || !verify(signer.Public(), []byte(signed), raw[2]) {
		return nil, badToken("signature")
	}
	first, _, _ := strings.Cut(signed, ".")
	v, err := s.readClaims(h, first, raw[1])
	if err != nil {
		return nil, err
	}
	s.tokens.Set(digest, v)
	return v, nil
}

// keyError separates an unknown key id, which is the token's fault, from a database that
// does not answer.
func keyError(err error) error {
	if errors.Is(err, keyring.ErrNoKey) {
		return badToken("no such key")
	}
	return err
}

func (s *Service) readClaims(h header, first string, raw []byte) (*verified, error) {
	var c claims
	if err := strictJSON(raw, &c); err != nil {
		return nil, badToken("claims")
	}
	if h.Typ != tokenType || c.Iss != s.BaseURL || c.Aud != s.BaseURL {
		return nil, badToken("typ, iss or aud")
	}
	client, ok1 := decode(c.K)
	iv, ok2 := decode(c.V)
	data, ok3 := decode(c.Data)
	if !ok1 || !ok2 || !ok3 || len(iv) != ivSize || !isID(c.Sid) {
		return nil, badToken("sid, k, v or data")
	}
	return &verified{
		kid: h.Kid, sid: c.Sid, nbf: c.Nbf, exp: c.Exp, client: client, clientDigest: sha256.Sum256(client),
		iv: iv, data: data, aad: tokenAAD(first, &c),
	}, nil
}

// strictJSON refuses unknown, duplicate and case-variant names.
func strictJSON(b []byte, v any) error { return json.Unmarshal(b, v, json.RejectUnknownMembers(true)) }

// Authenticate implements rest.Authenticator. The checks stand in the order of
// protocols.md §1, the cheap ones before those that cost; each refusal is the same.
func (s *Service) Authenticate(ctx context.Context, authorization string) (rest.Caller, error) {
	token, ok := credentials(authorization, "Bearer")
	if !ok {
		return rest.Caller{}, errUnauthenticated
	}
	v, p, st, err := s.authenticate(ctx, token)
	switch {
	case errors.Is(err, errToken), errors.Is(err, errEnded), errors.Is(err, account.ErrNotFound):
		return rest.Caller{}, errUnauthenticated.Because(err)
	case err != nil:
		return rest.Caller{}, err
	}
	return rest.Caller{
		Account: string(p.UID), Session: v.sid, AAL: p.AAL, AMR: p.AMR, AuthTime: time.Unix(p.AuthTime, 0), Role: st.Role,
	}, nil
}

func (s *Service) authenticate(ctx context.Context, token string) (*verified, payload, account.State, error) {
	v, p, err := s.read(ctx, token)
	if err != nil {
		return nil, payload{}, account.State{}, err
	}
	st, err := s.Accounts.State(ctx, p.UID)
	if err == nil && (st.Status != account.Active || st.SessionEpoch != p.Ver) {
		err = badToken("account")
	}
	if err != nil {
		return nil, payload{}, account.State{}, err
	}
	return v, p, st, nil
}

// read returns what a good token of a live session says. It leaves the account unasked.
func (s *Service) read(ctx context.Context, token string) (*verified, payload, error) {
	v, err := s.parse(ctx, token)
	if err != nil {
		return nil, payload{}, err
	}
	if now := s.Now().Unix(); now < v.nbf-skew || now >= v.exp {
		return nil, payload{}, badToken("time")
	}
	d, err := s.derive(ctx, v.sid, v.client, v.clientDigest)
	if err != nil {
		return nil, payload{}, err
	}
	plain, err := d.aead.Open(nil, v.iv, v.data, v.aad)
	if err != nil {
		return nil, payload{}, badToken("data")
	}
	var p payload
	if err := json.Unmarshal(plain, &p); err != nil {
		return nil, payload{}, err
	}
	return v, p, nil
}
