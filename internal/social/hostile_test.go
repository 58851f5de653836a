package social

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/rest"
	"coffer/internal/social/socialtest"
)

// set returns a lie that sets a claim; a nil value drops it.
func set(name string, value any) socialtest.Lies {
	return socialtest.Lies{Claims: func(c map[string]any) {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}}
}

// forged is a lie that makes the whole id_token.
func forged(make func(map[string]any) string) socialtest.Lies { return socialtest.Lies{Token: make} }

// lyingTokens are the id_tokens of a provider that lies, each with its code.
func lyingTokens(t *testing.T, p *socialtest.Provider, now time.Time) map[string]socialtest.Lies {
	t.Helper()
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(socialtest.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return map[string]socialtest.Lies{
		"another issuer": set("iss", "https://evil.example"), "no issuer": set("iss", nil), "the issuer with a slash": set("iss", p.URL+"/"),
		"another audience": set("aud", "another-client"), "no audience": set("aud", nil), "no audience in a list": set("aud", []string{}),
		"a further audience": set("aud", []string{socialtest.ClientID, "another-client"}), "another authorised party": set("azp", "another-client"),
		"another nonce": set("nonce", "bm9uY2U"), "no nonce": set("nonce", nil), "an empty nonce": set("nonce", ""),
		"expired": set("exp", now.Add(-time.Second).Unix()), "no expiry": set("exp", nil),
		"issued long ago": set("iat", now.Add(-11*time.Minute).Unix()), "issued later": set("iat", now.Add(3*time.Minute).Unix()), "issued never": set("iat", nil),
		"valid later": set("nbf", now.Add(10*time.Minute).Unix()),
		"no subject":  set("sub", nil), "an empty subject": set("sub", ""), "a long subject": set("sub", strings.Repeat("x", 256)), "a subject that is a number": set("sub", 7),
		"the hash of another access token": set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
		"unsigned":                         forged(socialtest.Unsigned),
		"HS256 with the public key":        forged(func(c map[string]any) string { return socialtest.SignAs(c, jose.HS256, public, "RS256") }),
		"HS256 with the client's secret": forged(func(c map[string]any) string {
			return socialtest.SignAs(c, jose.HS256, []byte(strings.Repeat(socialtest.ClientSecret, 2)), "RS256")
		}),
		"an unknown key":                       forged(func(c map[string]any) string { return socialtest.SignAs(c, jose.RS256, stranger, "unknown") }),
		"a stranger's key under a known name":  forged(func(c map[string]any) string { return socialtest.SignAs(c, jose.RS256, stranger, "RS256") }),
		"a stranger's key under no name":       forged(func(c map[string]any) string { return socialtest.SignAs(c, jose.RS256, stranger, "") }),
		"another algorithm than the key's":     forged(func(c map[string]any) string { return socialtest.SignAs(c, jose.PS256, stranger, "RS256") }),
		"an algorithm that is not in the list": forged(func(c map[string]any) string { return socialtest.SignAs(c, jose.RS512, stranger, "RS256") }),
		"altered": forged(func(c map[string]any) string {
			good := strings.Split(p.Sign(c), ".")
			c["sub"] = bob.Subject
			return good[0] + "." + strings.Split(p.Sign(c), ".")[1] + "." + good[2]
		}),
		"in JSON": forged(func(c map[string]any) string {
			parts := strings.Split(p.Sign(c), ".")
			return `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`
		}),
		"with a fourth part":      forged(func(c map[string]any) string { return p.Sign(c) + ".x" }),
		"no token":                {Tokens: func(a map[string]any) { delete(a, "id_token") }},
		"a token that is no text": {Tokens: func(a map[string]any) { a["id_token"] = map[string]any{"sub": "ada-1"} }},
		"userinfo of another subject": {
			Claims: func(c map[string]any) { delete(c, "email") }, UserInfo: func(i map[string]any) { i["sub"] = bob.Subject },
		},
		"userinfo of no subject": {
			Claims: func(c map[string]any) { delete(c, "email") }, UserInfo: func(i map[string]any) { delete(i, "sub") },
		},
	}
}

// Every lie of a provider is refused with its code and creates nothing, and the transaction is
// used up. After all of them the truth is believed. Row 43.
func TestLyingProvider(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.google.Become(ada)
		type lie struct {
			socialtest.Lies
			code string
		}
		lies := map[string]lie{
			"an unverified address":    {set("email_verified", false), "email_unverified"},
			"an address in doubt":      {set("email_verified", "false"), "email_unverified"},
			"an address verified by 1": {set("email_verified", 1), "email_unverified"},
			"no address": {socialtest.Lies{
				Claims:   func(c map[string]any) { delete(c, "email") },
				UserInfo: func(i map[string]any) { delete(i, "email") },
			}, "email_unverified"},
			"an address that is none": {set("email", "ada"), "email_unverified"},
			"verified, nobody knows by whom": {socialtest.Lies{
				Claims:   func(c map[string]any) { delete(c, "email_verified") },
				UserInfo: func(i map[string]any) { delete(i, "email_verified") },
			}, "email_unverified"},
			"a refusal":                      {socialtest.Lies{Answer: func(a url.Values) { a.Del("code"); a.Set("error", "access_denied") }}, "provider_refused"},
			"neither code nor no":            {socialtest.Lies{Answer: func(a url.Values) { a.Del("code") }}, "invalid_state"},
			"another issuer":                 {socialtest.Lies{Answer: func(a url.Values) { a.Set("iss", w.acme.URL) }}, "invalid_state"},
			"no issuer, which was announced": {socialtest.Lies{Answer: func(a url.Values) { a.Del("iss") }}, "invalid_state"},
			"a code of nobody":               {socialtest.Lies{Answer: func(a url.Values) { a.Set("code", "guessed") }}, "provider_refused"},
		}
		for name, l := range lyingTokens(t, w.google, w.Now()) {
			lies["token: "+name] = lie{l, "invalid_id_token"}
		}
		before := w.rows()
		for name, l := range lies {
			w.google.Lie(l.Lies)
			b := w.browser()
			q := w.goes(google, b, signIn, rest.Caller{})
			if code, err := w.back(google, b, q); codeOf(err) != l.code || code != "" {
				t.Errorf("%s: %s, want %s (%v)", name, codeOf(err), l.code, err)
			}
			w.google.Lie(socialtest.Lies{})
			if _, err := w.back(google, b, q); codeOf(err) != "invalid_state" {
				t.Errorf("%s, again: %v", name, err)
			}
		}
		if after := w.rows(); after != before {
			t.Errorf("refusals left rows: %s, want %s", after, before)
		}
		w.below.Advance(time.Minute) // the key set was asked for an unknown key
		w.signsIn(google)
	})
}

// A lie does not stop somebody known, whose address is not looked at.
func TestKnownWithoutAnAddress(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.google.Become(ada)
	first := w.signsIn(google)
	w.google.Become(socialtest.Person{Subject: ada.Subject, Email: "other@social.example"})
	if again := w.signsIn(google); again.Account != first.Account {
		t.Errorf("%s, want %s", again.Account, first.Account)
	}
}

// Each algorithm of the list is believed, tokens without a key's name only where there is one
// key, and an address that stands in userinfo alone.
func TestTruthInOtherForms(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.google.Become(ada)
	first := w.signsIn(google)
	for _, alg := range []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.RS256} {
		w.google.SignWith(alg)
		if got := w.signsIn(google); got.Account != first.Account {
			t.Errorf("%s: %+v", alg, got)
		}
	}
	for name, l := range map[string]socialtest.Lies{
		"the audience in a list": set("aud", []string{socialtest.ClientID}), "an authorised party": set("azp", socialtest.ClientID),
		"verified in words":       set("email_verified", "true"),
		"the address in userinfo": {Claims: func(c map[string]any) { delete(c, "email"); delete(c, "email_verified") }},
		"a clock that is ahead":   set("iat", w.Now().Add(time.Minute).Unix()),
	} {
		w.google.Lie(l)
		w.google.Become(socialtest.Person{Subject: name, Email: "x" + strings.ReplaceAll(name, " ", "") + "@social.example", Verified: true, First: "A", Last: "B"})
		w.signsIn(google)
	}
}

// A provider that is away, slow, endless or elsewhere is unavailable, and the server asks no
// place that it names. It is asked again later.
func TestProviderAway(t *testing.T) {
	huge := func(rw http.ResponseWriter) {
		for range 100 {
			if _, err := rw.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	}
	serve := func(path string, how func(rw http.ResponseWriter, r *http.Request)) socialtest.Lies {
		return socialtest.Lies{Serve: func(rw http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != path {
				return false
			}
			how(rw, r)
			return true
		}}
	}
	ways := map[string]func(rw http.ResponseWriter, r *http.Request){
		"failing": func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusInternalServerError) },
		"huge":    func(rw http.ResponseWriter, _ *http.Request) { huge(rw) },
		"redirecting": func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "/elsewhere", http.StatusTemporaryRedirect)
		},
		"babbling": func(rw http.ResponseWriter, _ *http.Request) { rw.Write([]byte("<html>hello")) },
		"hanging": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done(): // the server gave it up
			case <-time.After(2 * time.Second):
			}
		},
	}
	for _, path := range []string{"/.well-known/openid-configuration", "/token", "/jwks", "/userinfo"} {
		for name, how := range ways {
			t.Run(name+path, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, dbtest.SQLite(t))
				hurry := func() {
					if name == "hanging" {
						w.patience(300 * time.Millisecond)
					}
				}
				w.google.Become(ada)
				before := w.rows()
				lie := serve(path, how)
				if path == "/userinfo" {
					lie.Claims = func(c map[string]any) { delete(c, "email") }
				}
				w.google.Lie(lie)
				b := w.browser()
				if path == "/.well-known/openid-configuration" {
					hurry()
				}
				at, err := w.Begin(t.Context(), google, b, signIn, rest.Caller{})
				if path == "/.well-known/openid-configuration" {
					if codeOf(err) != "provider_unavailable" {
						t.Fatal(err)
					}
					// Others are not kept waiting, and the provider is left in peace.
					calls := w.google.Calls(path)
					if _, err := w.Begin(t.Context(), google, b, signIn, rest.Caller{}); codeOf(err) != "provider_unavailable" || w.google.Calls(path) != calls {
						t.Errorf("%v, %d calls, want %d", err, w.google.Calls(path), calls)
					}
					// The rest of signing in works.
					w.patience(10 * time.Second)
					w.acme.Become(bob)
					w.signsIn("acme")
				} else {
					if err != nil {
						t.Fatal(err)
					}
					hurry()
					if _, err := w.back(google, b, visit(t, at)); codeOf(err) != "provider_unavailable" {
						t.Fatal(err)
					}
					w.patience(10 * time.Second)
					if after := w.rows(); after != before {
						t.Errorf("it left rows: %s, want %s", after, before)
					}
				}
				if n := w.google.Calls("/elsewhere"); n != 0 {
					t.Errorf("a redirect was followed %d times", n)
				}
				w.google.Lie(socialtest.Lies{})
				w.below.Advance(time.Minute)
				w.signsIn(google)
			})
		}
	}
}

// A discovery that names places where nobody should go is no discovery.
func TestLyingDiscovery(t *testing.T) {
	for name, change := range map[string]map[string]any{
		"another issuer":               {"issuer": "https://evil.example"},
		"a script":                     {"authorization_endpoint": "javascript:alert(1)"},
		"a page without TLS":           {"authorization_endpoint": "http://evil.example/authorize"},
		"credentials in the address":   {"authorization_endpoint": "https://google.example@evil.example/"},
		"no token endpoint":            {"token_endpoint": ""},
		"a token endpoint without TLS": {"token_endpoint": "http://evil.example/token"},
		"no key set":                   {"jwks_uri": nil},
		"weak algorithms alone":        {"id_token_signing_alg_values_supported": []string{"HS256", "none"}},
	} {
		w := newWorld(t, dbtest.SQLite(t))
		w.google.Lie(socialtest.Lies{Discovery: func(d map[string]any) { maps.Copy(d, change) }})
		if at, err := w.Begin(t.Context(), google, w.browser(), signIn, rest.Caller{}); codeOf(err) != "provider_unavailable" {
			t.Errorf("%s: %s %v", name, at, err)
		}
	}
	// Places that are private are no places to call, though the address looks good.
	for name, change := range map[string]map[string]any{
		"tokens":   {"token_endpoint": "https://169.254.169.254/latest/meta-data"},
		"key set":  {"jwks_uri": "https://10.0.0.1/jwks"},
		"key set ": {"jwks_uri": "https://localhost/jwks"},
	} {
		w := newWorld(t, dbtest.SQLite(t))
		w.google.Become(ada)
		w.google.Lie(socialtest.Lies{Discovery: func(d map[string]any) { maps.Copy(d, change) }})
		b := w.browser()
		if _, err := w.back(google, b, w.goes(google, b, signIn, rest.Caller{})); codeOf(err) != "provider_unavailable" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What a provider said last holds while it is away, and a discovery is kept.
func TestDiscoveryIsKept(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.google.Become(ada)
	const path = "/.well-known/openid-configuration"
	w.signsIn(google)
	w.signsIn(google)
	if n, keys := w.google.Calls(path), w.google.Calls("/jwks"); n != 1 || keys != 1 {
		t.Errorf("%d discoveries, %d key sets", n, keys)
	}
	w.google.Lie(socialtest.Lies{Serve: func(rw http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == path {
			rw.WriteHeader(http.StatusBadGateway)
		}
		return r.URL.Path == path
	}})
	w.below.Advance(keepDiscovery + time.Minute)
	w.signsIn(google)
}

// Tokens with unknown keys make the server ask for the key set at intervals, not each time.
func TestUnknownKeysAskSeldom(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.google.Become(ada)
	w.signsIn(google)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		raw := socialtest.SignAs(w.google.Claims(ada, "x"), jose.RS256, stranger, "unknown")
		if _, err := w.Token(t.Context(), TokenProof{IDToken: raw, Nonce: b64.EncodeToString(make([]byte, 32)), Key: []byte("k")}, Newcomer{}, request(t), here); codeOf(err) != "invalid_id_token" {
			t.Fatal(err)
		}
	}
	if n := w.google.Calls("/jwks"); n != 1 {
		t.Errorf("%d key sets", n)
	}
	w.below.Advance(keysPause)
	w.signsIn(google)
}
