package client

import (
	"cmp"
	"context"
	"crypto/ecdh"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Session is the server's answer when it opens, refreshes or strengthens a session.
type Session struct {
	ID               string   `json:"session_id"`
	AccessToken      string   `json:"access_token"`
	TokenType        string   `json:"token_type"`
	ExpiresIn        int64    `json:"expires_in"` // seconds
	RefreshToken     string   `json:"refresh_token"`
	RefreshExpiresIn int64    `json:"refresh_expires_in"` // seconds
	DeviceToken      string   `json:"device_token"`       // once, after a sign-in with Remember
	ServerPublicKey  JWK      `json:"server_public_key"`
	Binding          string   `json:"binding"` // proof when the server wants requests signed, else none
	AAL              string   `json:"aal"`
	AMR              []string `json:"amr"`
	Account          struct {
		ID string `json:"id"`
	} `json:"account"`
	Recovery *Recovery `json:"recovery"` // of a session whose AAL is [AALRecovery]; else nil
}

// Recovery is what a recovery session may do. It may always set a password.
type Recovery struct {
	MayRepairLayers bool       `json:"may_repair_layers"` // turn layers off and on
	From            *time.Time `json:"from"`              // when another recovery by the trusted address may
}

// Challenge holds the layers to pass before a session opens. It is not safe for concurrent
// use.
type Challenge struct {
	ID        string  `json:"attempt_id"`
	Token     string  `json:"attempt_token"`
	ExpiresIn int64   `json:"expires_in"` // seconds
	Layers    []Layer `json:"layers"`
	Passkey   bool    `json:"passkey"` // a passkey passes every layer at once

	c   *Client
	key *ecdh.PrivateKey
}

// Layer is one proof that an attempt requires.
type Layer struct {
	Name     string `json:"layer"` // such as [TOTP]
	Done     bool   `json:"done"`
	SentTo   string `json:"sent_to"`
	Question string `json:"question"`
	Hint     string `json:"hint"`
	// ResendAt is from when on another message may be asked for; nil for a layer that sends none.
	ResendAt *time.Time `json:"resend_at"`
}

// Open reports whether the named layer is still to be passed.
func (ch *Challenge) Open(layer string) bool {
	return slices.ContainsFunc(ch.Layers, func(l Layer) bool { return l.Name == layer && !l.Done })
}

// SignIn is a request for a session.
type SignIn struct {
	Identifier string // e-mail or username
	Password   string
	DeviceName string // shown beside the session; optional
	Remember   bool   // skip the layers on this device next time
}

type sessionRequest struct {
	PublicKey      *JWK   `json:"public_key,omitempty"`
	DeviceName     string `json:"device_name,omitempty"`
	RememberDevice bool   `json:"remember_device,omitempty"`
	DeviceToken    string `json:"device_token,omitempty"`
	RefreshIn      string `json:"refresh_in,omitempty"`
	Binding        string `json:"binding,omitempty"`
}

// newSessionRequest makes a session's key and the common fields of every call that opens
// one.
func (c *Client) newSessionRequest(device string, remember bool) (*ecdh.PrivateKey, sessionRequest, error) {
	key, err := NewKey(c.curve)
	if err != nil {
		return nil, sessionRequest{}, err
	}
	jwk, err := PublicJWK(key.PublicKey())
	if err != nil {
		return nil, sessionRequest{}, err
	}
	binding := bindingProof
	if c.bare {
		binding = bindingNone
	}
	return key, sessionRequest{
		PublicKey: &jwk, DeviceName: device, RememberDevice: remember, DeviceToken: c.Credentials().DeviceToken, RefreshIn: "body", Binding: binding,
	}, nil
}

// SignIn opens a session, which the client then holds, or returns the challenge before it.
// Exactly one of session, challenge and error is set.
func (c *Client) SignIn(ctx context.Context, in SignIn) (*Session, *Challenge, error) {
	key, open, err := c.newSessionRequest(in.DeviceName, in.Remember)
	if err != nil {
		return nil, nil, err
	}
	body := struct {
		Identifier string `json:"identifier"`
		Password   string `json:"password"`
		sessionRequest
	}{in.Identifier, in.Password, open}
	return c.open(ctx, request{method: http.MethodPost, path: "/v1/auth/sign-in", in: body}, key)
}

// Pass answers a layer, for example with a [TOTPCode]. After the last layer it returns the
// session, otherwise the challenge with the remaining layers.
func (ch *Challenge) Pass(ctx context.Context, layer string, body any) (*Session, *Challenge, error) {
	return ch.c.open(ctx, request{method: http.MethodPost, path: ch.path(layer), attempt: ch.Token, in: body}, ch.key)
}

// Resend requests the message of a layer once more, and returns from when on it may be
// requested again. The older code is void from then on. Code rate_limited demands to wait.
func (ch *Challenge) Resend(ctx context.Context, layer string) (time.Time, error) {
	var out struct {
		ResendAt time.Time `json:"resend_at"`
	}
	_, err := ch.c.call(ctx, request{method: http.MethodPost, path: ch.path(layer) + "/resend", attempt: ch.Token}, &out)
	return out.ResendAt, err
}

// path is the path of a layer's operation; there a hyphen stands for each underscore.
func (ch *Challenge) path(layer string) string {
	return "/v1/auth/attempts/" + url.PathEscape(ch.ID) + "/" + url.PathEscape(strings.ReplaceAll(layer, "_", "-"))
}

// Refresh reads the remaining layers into the challenge.
func (ch *Challenge) Refresh(ctx context.Context) error {
	var now Challenge
	_, err := ch.c.call(ctx, request{method: http.MethodGet, path: "/v1/auth/attempts/" + url.PathEscape(ch.ID), attempt: ch.Token}, &now)
	if err == nil {
		ch.ExpiresIn, ch.Layers, ch.Passkey = now.ExpiresIn, now.Layers, now.Passkey
	}
	return err
}

// answer is a session or a challenge, whose fields have different names.
type answer struct {
	Session
	AttemptID    string  `json:"attempt_id"`
	AttemptToken string  `json:"attempt_token"`
	Layers       []Layer `json:"layers"`
	Passkey      bool    `json:"passkey"`
}

// open makes a call that opens a session. key is the key sent, or nil when the session
// keeps its own.
func (c *Client) open(ctx context.Context, r request, key *ecdh.PrivateKey) (*Session, *Challenge, error) {
	var a answer
	status, err := c.call(ctx, r, &a)
	if err != nil {
		return nil, nil, err
	}
	if status == http.StatusAccepted {
		if a.AttemptID == "" {
			return nil, nil, fmt.Errorf("%s %s: a challenge without a name", r.method, r.path)
		}
		return nil, &Challenge{
			ID: a.AttemptID, Token: cmp.Or(a.AttemptToken, r.attempt), ExpiresIn: a.ExpiresIn, Layers: a.Layers, Passkey: a.Passkey, c: c, key: key,
		}, nil
	}
	if a.AccessToken == "" {
		return nil, nil, fmt.Errorf("%s %s: a session without a token", r.method, r.path)
	}
	if err := c.adopt(ctx, &a.Session, key, ""); err != nil {
		return nil, nil, err
	}
	return &a.Session, nil, nil
}

// SignOut ends the session at the server and drops it. A session already ended is no error.
// After any other error it may still be alive.
func (c *Client) SignOut(ctx context.Context) error {
	creds := c.Credentials()
	if creds.isZero() {
		return nil
	}
	// The refresh token identifies the session when the access token has expired.
	r := request{method: http.MethodPost, path: "/v1/auth/sign-out", signed: true, in: map[string]string{"refresh_token": creds.RefreshToken}}
	res, err := c.exchange(ctx, r, "Bearer "+creds.AccessToken)
	if Code(err) == codeProof {
		res, err = c.exchange(ctx, r, "Bearer "+creds.AccessToken)
	}
	if err == nil {
		res.Body.Close()
	} else if Status(err) != http.StatusUnauthorized || Code(err) == codeProof {
		return err
	}
	return c.forget(ctx, creds.SessionID)
}

// Reauthenticate proves the person's presence with the password. Sensitive changes require
// a recent proof (code step_up_required). It returns a challenge when the server requires
// more than the password.
func (c *Client) Reauthenticate(ctx context.Context, password string) (*Session, *Challenge, error) {
	return c.open(ctx, request{
		method: http.MethodPost, path: "/v1/account/reauthenticate", proof: session, in: map[string]string{"password": password},
	}, nil)
}

// Device is one session of the account: a place where the person is signed in.
type Device struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`    // chosen by the person
	Device     string    `json:"device"`  // from its user agent
	Address    string    `json:"address"` // of the sign-in
	Place      string    `json:"place"`
	AAL        string    `json:"aal"`
	AMR        []string  `json:"amr"` // by which methods (RFC 8176)
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at"` // the last sign-in or refresh
	ExpiresAt  time.Time `json:"expires_at"`   // unless the session is used before
	Current    bool      `json:"current"`
}

// Sessions iterates over the account's sessions.
func (c *Client) Sessions(ctx context.Context) iter.Seq2[Device, error] {
	return pages[Device](ctx, c, "/v1/sessions", nil)
}

// SessionByID returns one session of the account.
func (c *Client) SessionByID(ctx context.Context, id string) (Device, error) {
	var d Device
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/sessions/" + url.PathEscape(id), proof: session}, &d)
	return d, err
}

// RenameSession renames a session.
func (c *Client) RenameSession(ctx context.Context, id, name string) (Device, error) {
	var d Device
	_, err := c.call(ctx, request{
		method: http.MethodPatch, path: "/v1/sessions/" + url.PathEscape(id), proof: session, in: map[string]string{"name": name},
	}, &d)
	return d, err
}

// RevokeSession ends one session of the account.
func (c *Client) RevokeSession(ctx context.Context, id string) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: "/v1/sessions/" + url.PathEscape(id), proof: session}, nil)
	return err
}

// RevokeOtherSessions ends every other session of the account.
func (c *Client) RevokeOtherSessions(ctx context.Context) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: "/v1/sessions", proof: session}, nil)
	return err
}
