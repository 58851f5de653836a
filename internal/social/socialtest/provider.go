// Package socialtest gives tests an OpenID Connect provider and a GitHub that lie on demand.
//
// Both do what the specifications demand of them, and check what they demand of a client: PKCE
// with S256, the client's secret, the redirect address, codes that work once. A test changes
// what they say with [Lies].
package socialtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// The client that the providers know.
const (
	ClientID     = "coffer-client"
	ClientSecret = "s3cret-of-the-client"
)

// Person is what the provider says of a person.
type Person struct {
	Subject  string
	Email    string
	Verified bool
	First    string
	Last     string
}

// Lies change what a provider says. The zero value is the truth.
type Lies struct {
	Discovery func(map[string]any)                              // changes the document
	Claims    func(map[string]any)                              // changes the id_token's claims
	Token     func(claims map[string]any) string                // makes the id_token
	Answer    func(url.Values)                                  // changes what the browser brings back
	UserInfo  func(map[string]any)                              // changes userinfo
	Tokens    func(map[string]any)                              // changes the token endpoint's answer
	Serve     func(w http.ResponseWriter, r *http.Request) bool // answers in place of an endpoint, or returns false
}

// Provider is an OpenID Connect provider. Each sign-in there is that of Person.
type Provider struct {
	*httptest.Server
	Now func() time.Time // zero: time.Now

	mu     sync.Mutex
	person Person
	lies   Lies
	codes  map[string]asked
	tokens map[string]Person
	calls  map[string]int
	alg    jose.SignatureAlgorithm
	last   url.Values
}

// asked is what belongs to a code.
type asked struct {
	query url.Values
	who   Person
}

// keys of all providers of a process: RSA keys take long to make.
var keys = sync.OnceValue(func() map[jose.SignatureAlgorithm]crypto.Signer {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	_, d, err := ed25519.GenerateKey(rand.Reader)
	must(err)
	return map[jose.SignatureAlgorithm]crypto.Signer{jose.RS256: r, jose.ES256: e, jose.EdDSA: d}
})

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// New starts a provider, which the caller closes.
func New() *Provider {
	p := &Provider{codes: map[string]asked{}, tokens: map[string]Person{}, calls: map[string]int{}, alg: jose.RS256}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /jwks", p.jwks)
	mux.HandleFunc("GET /userinfo", p.userInfo)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.calls[r.URL.Path]++
		serve := p.lies.Serve
		p.mu.Unlock()
		if serve == nil || !serve(w, r) {
			mux.ServeHTTP(w, r)
		}
	}))
	return p
}

// Become sets the person that comes from now on.
func (p *Provider) Become(who Person) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.person = who
}

// Lie changes what the provider says from now on.
func (p *Provider) Lie(l Lies) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lies = l
}

// SignWith chooses the algorithm of id_tokens: RS256, ES256 or EdDSA.
func (p *Provider) SignWith(alg jose.SignatureAlgorithm) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alg = alg
}

// Calls is how often a path was asked for.
func (p *Provider) Calls(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[path]
}

// Asked is the query of the last authorization request.
func (p *Provider) Asked() url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.last)
}

func (p *Provider) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}

func (p *Provider) told() Lies {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lies
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	d := map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/jwks",
		"userinfo_endpoint": p.URL + "/userinfo", "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256", "ES256", "EdDSA"}, "code_challenge_methods_supported": []string{"S256"},
		"authorization_response_iss_parameter_supported": true,
	}
	if lie := p.told().Discovery; lie != nil {
		lie(d)
	}
	write(w, http.StatusOK, d)
}

// authorize signs the person in without a question, and sends the browser back.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	p.mu.Lock()
	p.last = q
	code := random()
	p.codes[code] = asked{q, p.person}
	lie := p.lies.Answer
	p.mu.Unlock()
	if q.Get("client_id") != ClientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || q.Get("nonce") == "" {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	back(w, r, q, url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {p.URL}}, lie)
}

func back(w http.ResponseWriter, r *http.Request, q, answer url.Values, lie func(url.Values)) {
	if lie != nil {
		lie(answer)
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+answer.Encode(), http.StatusFound)
}

// redeem checks what a client sends with a code, which is used up.
func redeem(r *http.Request, codes map[string]asked, id, secret string) (asked, bool) {
	code := r.PostFormValue("code")
	a, ok := codes[code]
	delete(codes, code)
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	return a, ok && id == ClientID && secret == ClientSecret && r.PostFormValue("redirect_uri") == a.query.Get("redirect_uri") &&
		base64.RawURLEncoding.EncodeToString(sum[:]) == a.query.Get("code_challenge")
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	p.mu.Lock()
	a, ok := redeem(r, p.codes, id, secret)
	access := random()
	p.tokens[access] = a.who
	lies := p.lies
	p.mu.Unlock()
	if !ok {
		write(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
		return
	}
	hash := sha256.Sum256([]byte(access))
	claims := p.Claims(a.who, a.query.Get("nonce"))
	if p.algorithm() != jose.EdDSA { // whose hash is SHA-512
		claims["at_hash"] = base64.RawURLEncoding.EncodeToString(hash[:16])
	}
	if a.query.Get("max_age") != "" {
		claims["auth_time"] = p.now().Unix()
	}
	if lies.Claims != nil {
		lies.Claims(claims)
	}
	text := ""
	if lies.Token != nil {
		text = lies.Token(claims)
	} else {
		text = p.Sign(claims)
	}
	answer := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": text}
	if lies.Tokens != nil {
		lies.Tokens(answer)
	}
	write(w, http.StatusOK, answer)
}

func (p *Provider) algorithm() jose.SignatureAlgorithm {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.alg
}

// Claims are those of a good id_token.
func (p *Provider) Claims(who Person, nonce string) map[string]any {
	now := p.now()
	c := map[string]any{
		"iss": p.URL, "sub": who.Subject, "aud": ClientID, "exp": now.Add(5 * time.Minute).Unix(), "iat": now.Unix(), "nonce": nonce,
		"email": who.Email, "email_verified": who.Verified,
	}
	if who.First != "" {
		c["given_name"], c["family_name"] = who.First, who.Last
	}
	return c
}

// Sign makes an id_token of claims.
func (p *Provider) Sign(claims map[string]any) string {
	alg := p.algorithm()
	return SignAs(claims, alg, keys()[alg], string(alg))
}

// SignAs signs claims with any key, under any name of a key.
func SignAs(claims map[string]any, alg jose.SignatureAlgorithm, key any, kid string) string {
	raw, err := json.Marshal(claims)
	must(err)
	return sign(raw, alg, key, kid)
}

// SignText makes an id_token whose claims are a text of JSON.
func (p *Provider) SignText(claims string) string {
	alg := p.algorithm()
	return sign([]byte(claims), alg, keys()[alg], string(alg))
}

func sign(claims []byte, alg jose.SignatureAlgorithm, key any, kid string) string {
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, (&jose.SignerOptions{}).WithType("JWT"))
	must(err)
	jws, err := s.Sign(claims)
	must(err)
	text, err := jws.CompactSerialize()
	must(err)
	return text
}

// Unsigned is a token of algorithm none.
func Unsigned(claims map[string]any) string {
	raw, err := json.Marshal(claims)
	must(err)
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(raw) + "."
}

// PublicKey is the RSA key of the key set.
func PublicKey() *rsa.PublicKey { return keys()[jose.RS256].Public().(*rsa.PublicKey) }

func (p *Provider) jwks(w http.ResponseWriter, _ *http.Request) {
	set := jose.JSONWebKeySet{}
	for alg, key := range keys() {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: string(alg), Algorithm: string(alg), Use: "sig"})
	}
	write(w, http.StatusOK, set)
}

func (p *Provider) userInfo(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	who, ok := p.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	lie := p.lies.UserInfo
	p.mu.Unlock()
	if !ok {
		write(w, http.StatusUnauthorized, map[string]any{"error": "invalid_token"})
		return
	}
	info := map[string]any{"sub": who.Subject, "email": who.Email, "email_verified": who.Verified}
	if lie != nil {
		lie(info)
	}
	write(w, http.StatusOK, info)
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	must(json.NewEncoder(w).Encode(v))
}

func random() string {
	raw := make([]byte, 20)
	_, err := rand.Read(raw)
	must(err)
	return fmt.Sprintf("%x", raw)
}
