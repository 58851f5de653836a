package client

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Provider is a service whose accounts people sign in with.
type Provider struct {
	ID    string `json:"id"` // such as google
	Label string `json:"label"`
}

// socialCookie ties a sign-in with a provider to one browser, or one [Client].
const socialCookie = "__Host-coffer-social"

// social makes a call with the cookie of this client, and keeps the one that comes back.
func (c *Client) social(ctx context.Context, r request) (*http.Response, error) {
	c.mu.Lock()
	browser := c.browser
	c.mu.Unlock()
	if browser != "" {
		r.header = http.Header{"Cookie": {socialCookie + "=" + browser}}
	}
	res, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	for _, cookie := range res.Cookies() {
		if cookie.Name == socialCookie {
			c.mu.Lock()
			c.browser = cookie.Value
			c.mu.Unlock()
		}
	}
	return res, nil
}

// withBrowser adds the cookie of this client to a call.
func (c *Client) withBrowser(r request) request {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.header = http.Header{"Cookie": {socialCookie + "=" + c.browser}}
	return r
}

// BeginSocial begins a sign-in with a provider. The person's browser goes to the address that it
// returns, and comes back to the callback of the server, which a program hands to [EndSocial].
func (c *Client) BeginSocial(ctx context.Context, provider string) (string, error) {
	res, err := c.social(ctx, request{method: http.MethodGet, path: "/v1/auth/social/" + url.PathEscape(provider), good: http.StatusSeeOther})
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	return res.Header.Get("Location"), nil
}

// EndSocial takes the address that the provider sent the browser back to, and returns the code
// for [Client.ExchangeSocial], [Client.ConfirmIdentity] or [Client.ReauthenticateSocial]. The
// same client must have begun.
func (c *Client) EndSocial(ctx context.Context, callback string) (string, error) {
	u, err := url.Parse(callback)
	if err != nil {
		return "", fmt.Errorf("client: callback: %w", err)
	}
	res, err := c.social(ctx, request{method: http.MethodGet, path: u.EscapedPath(), query: u.Query(), good: http.StatusSeeOther})
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	_, fragment, _ := strings.Cut(res.Header.Get("Location"), "#")
	values, err := url.ParseQuery(fragment)
	if err != nil || values.Get("code") == "" {
		return "", errors.New("client: the callback led to no code")
	}
	return values.Get("code"), nil
}

// Arrival is what a code of a provider stands for.
type Arrival struct {
	Provider   string `json:"provider"`
	Purpose    string `json:"purpose"`     // sign_in, link or renew
	Known      bool   `json:"known"`       // the identity is connected with an account
	Email      string `json:"email"`       // masked, unless a new account would get it
	LinkNeeded bool   `json:"link_needed"` // another account has the address
	Username   string `json:"username"`    // a free one, for a new account
	FirstName  string `json:"first_name"`
	LastName   string `json:"last_name"`
}

// CheckSocial looks at a code and uses nothing up.
func (c *Client) CheckSocial(ctx context.Context, code string) (Arrival, error) {
	var a Arrival
	_, err := c.call(ctx, c.withBrowser(request{method: http.MethodPost, path: "/v1/auth/social/check", in: map[string]string{"code": code}}), &a)
	return a, err
}

// SocialSignIn is what a person chooses at a sign-in with a provider. Names are of a new
// account only; the server proposes a username, and takes the names that the provider tells.
type SocialSignIn struct {
	Username, FirstName, LastName string
	DeviceName                    string
	Remember                      bool
}

type socialNames struct {
	Username  string `json:"username,omitempty"`
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
}

// ExchangeSocial opens a session with a code, or returns the challenge before it. A first
// sign-in makes an account. Code link_needed: sign in to the account that has the address, then
// call [Client.ConfirmIdentity] with the same code.
func (c *Client) ExchangeSocial(ctx context.Context, code string, in SocialSignIn) (*Session, *Challenge, error) {
	key, open, err := c.newSessionRequest(in.DeviceName, in.Remember)
	if err != nil {
		return nil, nil, err
	}
	body := struct {
		Code string `json:"code"`
		socialNames
		sessionRequest
	}{code, socialNames{in.Username, in.FirstName, in.LastName}, open}
	return c.open(ctx, c.withBrowser(request{method: http.MethodPost, path: "/v1/auth/social/exchange", in: body}), key)
}

// ActivateSocial requests a mail with a link to activate the deactivated account that a code of
// a sign-in stands for. The code stays good.
func (c *Client) ActivateSocial(ctx context.Context, code string) error {
	_, err := c.call(ctx, c.withBrowser(request{method: http.MethodPost, path: "/v1/auth/social/activate", in: map[string]string{"code": code}}), nil)
	return err
}

// GoogleSignIn is a sign-in with a credential that a front end gets from Google.
type GoogleSignIn struct {
	// Nonce is what the front end gives Google. It binds the credential to the key of the
	// session that [GoogleSignIn.Finish] opens.
	Nonce string

	c      *Client
	secret []byte
	key    *ecdh.PrivateKey
	open   sessionRequest
}

// BeginGoogle makes the session's key and the nonce for Google.
func (c *Client) BeginGoogle(device string, remember bool) (*GoogleSignIn, error) {
	key, open, err := c.newSessionRequest(device, remember)
	if err != nil {
		return nil, err
	}
	g := &GoogleSignIn{c: c, key: key, open: open, secret: make([]byte, 32)}
	if _, err := rand.Read(g.secret); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append(key.PublicKey().Bytes(), g.secret...))
	g.Nonce = base64.RawURLEncoding.EncodeToString(sum[:])
	return g, nil
}

// Finish opens a session with Google's credential, or returns the challenge before it.
func (g *GoogleSignIn) Finish(ctx context.Context, idToken string, in SocialSignIn) (*Session, *Challenge, error) {
	body := struct {
		IDToken string `json:"id_token"`
		Nonce   string `json:"nonce"`
		socialNames
		sessionRequest
	}{idToken, base64.RawURLEncoding.EncodeToString(g.secret), socialNames{in.Username, in.FirstName, in.LastName}, g.open}
	return g.c.open(ctx, request{method: http.MethodPost, path: "/v1/auth/social/google/token", in: body}, g.key)
}

// Identity is a connected account of a provider.
type Identity struct {
	Provider   string     `json:"provider"`
	Label      string     `json:"label"`
	Email      string     `json:"email"`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

// Identities lists the connected accounts of providers, the oldest first.
func (c *Client) Identities(ctx context.Context) ([]Identity, error) {
	var out struct {
		Items []Identity `json:"items"`
	}
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/account/identities", proof: session}, &out)
	return out.Items, err
}

// BeginIdentity begins to connect an account of a provider, and returns where the browser goes.
// It requires a fresh proof.
func (c *Client) BeginIdentity(ctx context.Context, provider string) (string, error) {
	return c.goTo(ctx, "/v1/account/identities/"+url.PathEscape(provider))
}

// ConfirmIdentity connects the account of a code. It requires a fresh proof.
func (c *Client) ConfirmIdentity(ctx context.Context, provider, code string) (Identity, error) {
	var i Identity
	_, err := c.call(ctx, c.withBrowser(request{
		method: http.MethodPost, path: "/v1/account/identities/" + url.PathEscape(provider) + "/confirm", proof: session, in: map[string]string{"code": code},
	}), &i)
	return i, err
}

// DeleteIdentity disconnects an account of a provider. It requires a fresh proof. Code
// last_way_in: nothing else signs in to the account.
func (c *Client) DeleteIdentity(ctx context.Context, provider string) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: "/v1/account/identities/" + url.PathEscape(provider), proof: session}, nil)
	return err
}

// BeginReauthenticateSocial begins a fresh proof with a connected account, and returns where the
// browser goes.
func (c *Client) BeginReauthenticateSocial(ctx context.Context, provider string) (string, error) {
	return c.goTo(ctx, "/v1/account/reauthenticate/social/"+url.PathEscape(provider))
}

// ReauthenticateSocial proves the person's presence with the code of a provider. It returns a
// challenge when the server requires more.
func (c *Client) ReauthenticateSocial(ctx context.Context, provider, code string) (*Session, *Challenge, error) {
	return c.open(ctx, c.withBrowser(request{
		method: http.MethodPost, path: "/v1/account/reauthenticate/social/" + url.PathEscape(provider) + "/confirm", proof: session, in: map[string]string{"code": code},
	}), nil)
}

func (c *Client) goTo(ctx context.Context, path string) (string, error) {
	res, err := c.social(ctx, request{method: http.MethodPost, path: path, proof: session})
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	raw, err := readAtMost(res.Body, maxJSON)
	var out struct {
		URL string `json:"url"`
	}
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	return out.URL, err
}
