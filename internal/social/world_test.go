package social

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/limit/limittest"
	"coffer/internal/outbound"
	"coffer/internal/rest"
	"coffer/internal/session"
	"coffer/internal/social/socialtest"
	"coffer/internal/token"
)

// world is the room over the real rooms below it, with three providers.
type world struct {
	*Service
	below        *accounttest.World
	t            *testing.T
	google, acme *socialtest.Provider
	github       *socialtest.GitHub
}

func newWorld(t *testing.T, d *db.DB) *world { return newWorldAt(t, d, limittest.Setup{}) }

func newWorldAt(t *testing.T, d *db.DB, in limittest.Setup) *world {
	t.Helper()
	w := &world{t: t, below: accounttest.New(t, d, in), google: socialtest.New(), acme: socialtest.New(), github: socialtest.NewGitHub()}
	t.Cleanup(w.google.Close)
	t.Cleanup(w.acme.Close)
	t.Cleanup(w.github.Close)
	b := w.below
	w.google.Now, w.acme.Now = b.Now, b.Now
	tc := token.Config{KV: b.KV, Ring: b.Ring, Accounts: b.Accounts, Now: b.Now, BaseURL: accounttest.BaseURL}
	limittest.Defaults(t, &tc.Settings)
	tokens, err := token.New(tc)
	if err != nil {
		t.Fatal(err)
	}
	sc := session.Config{DB: d, Ring: b.Ring, Limit: b.Limits, Jobs: b.Jobs, Accounts: b.Accounts, Events: b.Events, Tokens: tokens, Now: b.Now}
	limittest.Defaults(t, &sc.Settings)
	sessions, err := session.New(sc)
	if err != nil {
		t.Fatal(err)
	}
	c := Config{DB: d, KV: b.KV, Ring: b.Ring, Limit: b.Limits, Accounts: b.Accounts, Sessions: sessions, Events: b.Events, Now: b.Now, BaseURL: accounttest.BaseURL}
	limittest.Defaults(t, &c.Settings)
	c.GoogleIssuer, c.GoogleID, c.GoogleSecret = w.google.URL, socialtest.ClientID, socialtest.ClientSecret
	c.GitHubURL, c.GitHubAPIURL, c.GitHubID, c.GitHubSecret = w.github.URL, w.github.URL, socialtest.ClientID, socialtest.ClientSecret
	c.Further = []Further{{Name: "ACME", Issuer: w.acme.URL, ID: socialtest.ClientID, Secret: socialtest.ClientSecret}}
	if w.Service, err = New(c); err != nil {
		t.Fatal(err)
	}
	return w
}

// patience gives calls to a provider so much time.
func (w *world) patience(most time.Duration) {
	for _, p := range w.providers {
		if o, ok := p.provider.(*openID); ok {
			o.oauth.client = outbound.New(outbound.Config{Named: []string{"127.0.0.1"}, Time: most}).HTTP()
		}
	}
}

var (
	ada = socialtest.Person{Subject: "ada-1", Email: "ada@social.example", Verified: true, First: "Ada", Last: "Lovelace"}
	bob = socialtest.Person{Subject: "bob-2", Email: "bob@social.example", Verified: true, First: "Bob", Last: "Babbage"}
)

// browser is a new browser.
func (w *world) browser() string {
	w.t.Helper()
	text, err := w.secretText()
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

// visit is a browser at a provider: it returns the query that the provider sends it back with.
func visit(t *testing.T, at string) url.Values {
	t.Helper()
	h := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := h.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	to, err := res.Location()
	if err != nil {
		t.Fatalf("GET %s: %s", at, res.Status)
	}
	return to.Query()
}

// back brings a provider's answer to the room.
func (w *world) back(provider, browser string, q url.Values) (string, error) {
	return w.Arrive(w.t.Context(), provider, browser, q.Get("state"), answer{Code: q.Get("code"), Error: q.Get("error"), Issuer: q.Get("iss")})
}

// goes begins at a provider, and returns the query that it answers with.
func (w *world) goes(provider, browser, purpose string, c rest.Caller) url.Values {
	w.t.Helper()
	at, err := w.Begin(w.t.Context(), provider, browser, purpose, c)
	if err != nil {
		w.t.Fatal(err)
	}
	return visit(w.t, at)
}

// code goes to a provider and back.
func (w *world) code(provider, browser, purpose string, c rest.Caller) string {
	w.t.Helper()
	code, err := w.back(provider, browser, w.goes(provider, browser, purpose, c))
	if err != nil {
		w.t.Fatal(err)
	}
	return code
}

var here = rest.Client{UserAgent: "test"}

// exchange opens a session with a code.
func (w *world) exchange(code, browser string) (session.Outcome, error) {
	return w.Exchange(context.Background(), code, browser, Newcomer{}, session.SessionRequest{RefreshIn: "body"}, here)
}

// signsIn signs a person in at a provider and returns the caller of the session.
func (w *world) signsIn(provider string) rest.Caller {
	w.t.Helper()
	b := w.browser()
	out, err := w.exchange(w.code(provider, b, signIn, rest.Caller{}), b)
	if err != nil {
		w.t.Fatal(err)
	}
	return callerOf(w.t, out)
}

func callerOf(t *testing.T, out session.Outcome) rest.Caller {
	t.Helper()
	if out.Opened == nil {
		t.Fatalf("no session: %+v", out)
	}
	return rest.Caller{Account: string(out.Opened.Account), Session: out.Opened.ID, AAL: out.Opened.AAL, AMR: out.Opened.AMR}
}

// joined makes an account with a password and a session of it.
func (w *world) joined(name string) rest.Caller {
	w.t.Helper()
	w.below.Join(name)
	out, err := w.Sessions.SignIn(w.t.Context(), name, accounttest.Password, session.SessionRequest{RefreshIn: "body"}, here)
	if err != nil {
		w.t.Fatal(err)
	}
	return callerOf(w.t, out)
}

// rows counts what a refusal must not add to.
func (w *world) rows() string {
	w.t.Helper()
	var text string
	for _, table := range []string{"accounts", "addresses", "identities", "sessions", "attempts"} {
		var n int
		if err := w.DB.QueryRow(context.Background(), `SELECT COUNT(*) FROM `+table).Scan(&n); err != nil {
			w.t.Fatal(err)
		}
		text += fmt.Sprintf("%s %d ", table, n)
	}
	var n int
	if err := w.DB.QueryRow(context.Background(), `SELECT COUNT(*) FROM kv WHERE key LIKE 'social:code:%' AND key NOT LIKE '%:uses'`).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return text + fmt.Sprintf("codes %d", n)
}

func codeOf(err error) string {
	if err == nil {
		return "ok"
	}
	return fault.Of(err).Code
}

// key is a client's key, as octets and as the request has it.
func key(t *testing.T) (*ecdh.PrivateKey, *token.PublicKey) {
	t.Helper()
	k, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k, &token.PublicKey{Kty: "OKP", Crv: "X25519", X: b64.EncodeToString(k.PublicKey().Bytes())}
}

// found is the account of a person; "" without one.
func (w *world) found(p person) account.ID {
	w.t.Helper()
	r, known, err := w.find(w.t.Context(), w.DB, p)
	if err != nil && codeOf(err) != errAltered.Code {
		w.t.Fatal(err)
	}
	if !known {
		return ""
	}
	return r.Account
}
