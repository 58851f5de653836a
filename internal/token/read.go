package token

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"coffer/internal/account"
	"coffer/internal/keyring"
	"coffer/internal/rest"
)

// skew is by how much the clock of the node that made a token may be ahead of ours, in
// seconds (RFC 7519 §4.1.5). It never prolongs a token's life.
const skew = 10

// verified is a token whose signature, form, issuer and audience are right. None of that
// changes while the key lives, so it is cached under the token's digest. What can change is
// asked at each reading.
type verified struct {
	kid          string
	sid          string
	nbf, exp     int64
	client       []byte
	clientDigest [sha256.Size]byte
	iv, data     []byte
	aad          []byte
}

// errToken says that a token is not good. The reason is for the log alone.
var errToken = errors.New("token: no good token")

func badToken(why string) error { return fmt.Errorf("%w: %s", errToken, why) }

// parse returns what a token says once its form, key and signature are right.
func (s *Service) parse(ctx context.Context, token string) (*verified, error) {
	if len(token) > maxToken {
		return nil, badToken("too long")
	}
	var text [maxToken]byte // a conversion would allocate as much for each request
	digest := sha256.Sum256(text[:copy(text[:], token)])
	if v, ok := s.tokens.GetIfPresent(digest); ok {
		// A destroyed key verifies nothing, also not what is cached.
		if _, err := s.Ring.Key(ctx, keyring.Token, v.kid); err != nil {
			return nil, keyError(err)
		}
		s.reads.Hit.Inc()
		return v, nil
	}
	s.reads.Miss.Inc()
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
	signer, err := s.signers.of(key)
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
	if !ok1 || !ok2 || !ok3 || len(iv) != ivSize || !IsID(c.Sid) {
		return nil, badToken("sid, k, v or data")
	}
	return &verified{
		kid: h.Kid, sid: c.Sid, nbf: c.Nbf, exp: c.Exp, client: client, clientDigest: sha256.Sum256(client),
		iv: iv, data: data, aad: tokenAAD(first, &c),
	}, nil
}

// strictJSON refuses unknown, duplicate and case-variant names.
func strictJSON(b []byte, v any) error { return json.Unmarshal(b, v, json.RejectUnknownMembers(true)) }

// Authenticate returns the holder of a request's access token. It makes the cheap checks
// before those that cost, in the order of protocols.md §1. Every token that is not good gets
// ErrUnauthenticated. A good token of a bound session without a good proof gets
// rest.ErrProof.
func (s *Service) Authenticate(ctx context.Context, q *rest.Sent) (rest.Caller, error) {
	token, ok := rest.Credentials(q.Authorization, "Bearer")
	if !ok {
		return rest.Caller{}, ErrUnauthenticated
	}
	c, _, err := s.inspect(ctx, token, q)
	return c, err
}

// Inspect returns the holder of an access token and when the token expires. Every token that
// is not good gets ErrUnauthenticated. A token of a bound session is good only in requests
// that its client signs, and gets rest.ErrProof here.
func (s *Service) Inspect(ctx context.Context, token string) (rest.Caller, time.Time, error) {
	return s.inspect(ctx, token, &rest.Sent{})
}

func (s *Service) inspect(ctx context.Context, token string, q *rest.Sent) (rest.Caller, time.Time, error) {
	v, p, err := s.read(ctx, token, q)
	var c rest.Caller
	if err == nil {
		c, err = s.holder(ctx, v, p)
	}
	if errors.Is(err, errToken) || errors.Is(err, ErrEnded) || errors.Is(err, account.ErrNotFound) {
		err = ErrUnauthenticated.Because(err)
	}
	if err != nil {
		return rest.Caller{}, time.Time{}, err
	}
	return c, time.Unix(v.exp, 0), nil
}

// holder returns whose token it is, if the account is active and in the token's epoch.
func (s *Service) holder(ctx context.Context, v *verified, p Payload) (rest.Caller, error) {
	st, err := s.Accounts.State(ctx, p.Account)
	if err != nil {
		return rest.Caller{}, err
	}
	if st.Status != account.Active || st.SessionEpoch != p.Ver {
		return rest.Caller{}, badToken("account")
	}
	return rest.Caller{
		Account: string(p.Account), Session: v.sid, AAL: p.AAL, AMR: p.AMR, AuthTime: time.Unix(p.AuthTime, 0), Role: st.Role,
	}, nil
}

// read returns what a good token of a live session says. It does not ask for the account.
func (s *Service) read(ctx context.Context, token string, q *rest.Sent) (*verified, Payload, error) {
	v, err := s.parse(ctx, token)
	if err != nil {
		return nil, Payload{}, err
	}
	if now := s.Now().Unix(); now < v.nbf-skew || now >= v.exp {
		return nil, Payload{}, badToken("time")
	}
	k, err := s.keys(ctx, v.sid, v.client, v.clientDigest)
	if err != nil {
		return nil, Payload{}, err
	}
	if err := s.Prove(ctx, k, q); err != nil {
		return nil, Payload{}, err
	}
	plain, err := k.aead.Open(nil, v.iv, v.data, v.aad)
	if err != nil {
		return nil, Payload{}, badToken("data")
	}
	var p Payload
	if err := json.Unmarshal(plain, &p); err != nil {
		return nil, Payload{}, err
	}
	return v, p, nil
}
