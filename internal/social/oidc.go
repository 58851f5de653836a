package social

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"coffer/internal/outbound"
)

// algorithms are those of id_tokens. The key set names no other (RFC 8725 §3.1).
var algorithms = []string{oidc.RS256, oidc.ES256, oidc.PS256, oidc.EdDSA}

const (
	keepDiscovery = time.Hour
	askAgain      = 10 * time.Second // after a discovery that failed
	skew          = 2 * time.Minute  // of the provider's clock
	tokenAge      = 10 * time.Minute // of an id_token, at most
)

// openID is a provider that speaks OpenID Connect (Core 1.0, Discovery 1.0).
type openID struct {
	issuer string
	oauth  // without endpoints
	now    func() time.Time
	log    *slog.Logger

	mu     sync.Mutex
	known  *discovered
	until  time.Time     // when to ask again
	why    error         // of the last discovery
	flight chan struct{} // closed when the running discovery ends; nil without one
}

var _ provider = (*openID)(nil)

func newOIDC(issuer, id, secret, redirect string, now func() time.Time, log *slog.Logger) *openID {
	return &openID{
		issuer: issuer, now: now, log: log,
		oauth: oauth{id: id, secret: secret, redirect: redirect, scope: "openid email", client: caller(issuer)},
	}
}

// discovered is what a provider says about itself.
type discovered struct {
	oauth
	userInfo  string // endpoint; "" without one
	announced bool   // the provider names itself in every answer (RFC 9207 §3)
	algs      []string
	keys      *keySet
}

// discover returns what the provider says about itself. A provider that is away is asked
// again at intervals; what it said last holds until then.
func (p *openID) discover(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	if p.flight == nil && !p.now().Before(p.until) {
		p.flight = make(chan struct{})
		go p.fetch(p.flight)
	}
	known, flight := p.known, p.flight
	p.mu.Unlock()
	if known == nil && flight != nil {
		select {
		case <-flight:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		return nil, errAway.Because(p.why)
	}
	return p.known, nil
}

// fetch outlives the request that caused it: others wait for it too.
func (p *openID) fetch(done chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), callTime)
	defer cancel()
	d, err := p.ask(ctx)
	if err != nil {
		err = short(err)
		p.log.WarnContext(ctx, "social: the discovery of a provider failed", "issuer", p.issuer, "err", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.why, p.until = err, p.now().Add(askAgain); err == nil {
		if p.known != nil && p.known.keys.url == d.keys.url {
			d.keys = p.known.keys
		}
		p.known, p.until = d, p.now().Add(keepDiscovery)
	}
	p.flight = nil
	close(done)
}

func (p *openID) ask(ctx context.Context) (*discovered, error) {
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.issuer)
	if err != nil {
		return nil, err
	}
	var more struct {
		JWKS       string   `json:"jwks_uri"`
		Announced  bool     `json:"authorization_response_iss_parameter_supported"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
		Methods    []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := found.Claims(&more); err != nil {
		return nil, err
	}
	d := &discovered{oauth: p.oauth, userInfo: found.UserInfoEndpoint(), announced: more.Announced, keys: &keySet{url: more.JWKS, client: p.client, now: p.now}}
	d.authorize, d.token = found.Endpoint().AuthURL, found.Endpoint().TokenURL
	// Basic is the default (Discovery §3).
	d.inForm = len(more.Methods) > 0 && !slices.Contains(more.Methods, "client_secret_basic")
	for _, alg := range algorithms {
		if slices.Contains(more.Algorithms, alg) || len(more.Algorithms) == 0 {
			d.algs = append(d.algs, alg)
		}
	}
	if len(d.algs) == 0 {
		return nil, fmt.Errorf("the provider signs with none of %s", strings.Join(algorithms, ", "))
	}
	endpoints := map[string]string{"authorization": d.authorize, "token": d.token, "jwks": more.JWKS}
	if d.userInfo != "" {
		endpoints["userinfo"] = d.userInfo
	}
	for name, text := range endpoints {
		if err := p.mayName(text); err != nil {
			return nil, fmt.Errorf("its %s endpoint: %w", name, err)
		}
	}
	return d, nil
}

// mayName refuses an endpoint that a browser or the server must not be sent to.
func (p *openID) mayName(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "" || u.User != nil || u.Fragment != "":
		return errors.New("no address")
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && strings.HasPrefix(p.issuer, "http://") && outbound.Here(u.Hostname()):
		return nil
	}
	return errors.New("without TLS")
}

func (p *openID) begin(ctx context.Context, f flow) (string, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	more := url.Values{"nonce": {f.Nonce}}
	if f.Fresh {
		more.Set("max_age", "0")
		more.Set("prompt", "login")
		if p.issuer == googleIssuer {
			more.Set("prompt", "select_account") // Google knows no login
		}
	}
	return d.request(f, more)
}

func (p *openID) finish(ctx context.Context, f flow, a answer) (person, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return person{}, err
	}
	if err := a.check(p.issuer, d.announced); err != nil {
		return person{}, err
	}
	t, err := d.redeem(ctx, f, a.Code)
	if err != nil {
		return person{}, err
	}
	raw, ok := t.ID.(string)
	if !ok {
		return person{}, errIDToken.Because(errors.New("there is none"))
	}
	token, err := p.verify(ctx, d, raw, f.Nonce)
	if err != nil {
		return person{}, err
	}
	if token.AccessTokenHash != "" {
		if err := token.VerifyAccessToken(t.Access); err != nil {
			return person{}, errIDToken.Because(err)
		}
	}
	if f.Fresh && token.AuthTime != nil && time.Unix(int64(*token.AuthTime), 0).Before(f.Began.Add(-skew)) {
		return person{}, errIDToken.Because(errors.New("the provider asked for no fresh proof"))
	}
	if err := token.complete(ctx, d, t); err != nil {
		return person{}, err
	}
	return token.person(p.issuer), nil
}

// idToken is a verified id_token.
type idToken struct {
	*oidc.IDToken
	claims
}

// claims are those that go-oidc leaves to its caller. They stand apart: a claim must not
// reach a field of oidc.IDToken by its Go name.
type claims struct {
	Azp      string      `json:"azp"`
	AuthTime *float64    `json:"auth_time"`
	Email    string      `json:"email"`
	Verified *stringBool `json:"email_verified"`
	First    string      `json:"given_name"`
	Last     string      `json:"family_name"`
}

// readClaims refuses claims that two parsers might read in two ways: go-oidc takes the last of
// two equal names, and a name in another case.
func readClaims(t *oidc.IDToken) (c claims, err error) {
	var raw json.RawMessage
	if err := t.Claims(&raw); err != nil {
		return c, err
	}
	var named map[string]jsontext.Value
	if err := jsonv2.Unmarshal(raw, &named); err != nil {
		return c, err
	}
	folded := map[string]bool{}
	for name := range named {
		name = strings.ToLower(strings.ToUpper(name))
		if folded[name] {
			return c, errors.New("a claim stands twice")
		}
		folded[name] = true
	}
	return c, jsonv2.Unmarshal(raw, &c)
}

// canonicalCompact refuses what decoders of base64 skip: line breaks, and bits that are left over
// (RFC 7515 §2). Otherwise one token would have many forms, and each would work once.
func canonicalCompact(raw string) bool {
	for part := range strings.SplitSeq(raw, ".") {
		b, err := b64.DecodeString(part)
		if err != nil || b64.EncodeToString(b) != part {
			return false
		}
	}
	return true
}

// verify checks what OpenID Connect Core §3.1.3.7 demands: one signature by a key of the
// provider, its issuer, this client as the only audience and the authorised party, times,
// and the nonce. go-oidc leaves azp, the nonce, iat and further audiences to its caller.
func (p *openID) verify(ctx context.Context, d *discovered, raw, nonce string) (idToken, error) {
	bad := func(err error) (idToken, error) { return idToken{}, errIDToken.Because(short(err)) }
	algs := make([]jose.SignatureAlgorithm, len(d.algs))
	for i, alg := range d.algs {
		algs[i] = jose.SignatureAlgorithm(alg)
	}
	if !canonicalCompact(raw) {
		return bad(errors.New("it is not in the one form of a JWS"))
	}
	jws, err := jose.ParseSignedCompact(raw, algs)
	if err != nil {
		return bad(err)
	}
	key, err := d.keys.find(ctx, jws.Signatures[0].Header)
	if errors.Is(err, errNoKey) {
		return bad(err)
	}
	if err != nil {
		return idToken{}, errAway.Because(short(err))
	}
	verified, err := oidc.NewVerifier(p.issuer, &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{key.Key}}, &oidc.Config{ClientID: p.id, SupportedSigningAlgs: d.algs, Now: p.now}).Verify(ctx, raw)
	if err != nil {
		return bad(err)
	}
	token := idToken{IDToken: verified}
	if token.claims, err = readClaims(verified); err != nil {
		return bad(err)
	}
	now := p.now()
	switch {
	case len(token.Audience) != 1:
		return bad(errors.New("it is for others too"))
	case token.Azp != "" && token.Azp != p.id:
		return bad(errors.New("it was issued to another client"))
	case nonce == "" || !same(token.Nonce, nonce):
		return bad(errors.New("it has another nonce"))
	case token.IssuedAt.After(now.Add(skew)) || token.IssuedAt.Before(now.Add(-tokenAge)):
		return bad(errors.New("it was issued at another time"))
	case token.Subject == "" || len(token.Subject) > 255:
		return bad(errors.New("it names nobody"))
	}
	return token, nil
}

// complete asks the provider for the address when the id_token has none (Core §5.3).
func (t *idToken) complete(ctx context.Context, d *discovered, got tokens) error {
	if t.Email != "" && t.Verified != nil || d.userInfo == "" {
		return nil
	}
	var info struct {
		Subject  string      `json:"sub"`
		Email    string      `json:"email"`
		Verified *stringBool `json:"email_verified"`
	}
	if err := resource(ctx, d.client, d.userInfo, got.Access, nil, &info); err != nil {
		return err
	}
	if info.Subject != t.Subject { // Core §5.3.2
		return errIDToken.Because(errors.New("userinfo is of another subject"))
	}
	t.Email, t.Verified = info.Email, info.Verified
	return nil
}

func (t idToken) person(issuer string) person {
	return person{
		Issuer: issuer, Subject: t.Subject, Email: t.Email, Verified: t.Email != "" && t.Verified != nil && bool(*t.Verified), First: t.First, Last: t.Last,
	}
}

// stringBool reads true and "true": some providers write the text.
type stringBool bool

var _ json.Unmarshaler = (*stringBool)(nil)

// UnmarshalJSON implements json.Unmarshaler.
func (b *stringBool) UnmarshalJSON(raw []byte) error {
	*b = string(raw) == "true" || string(raw) == `"true"`
	return nil
}
