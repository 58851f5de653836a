package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// Passkey is a passkey of the account.
type Passkey struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"` // nil: never
	Synced     bool       `json:"synced"`       // it may be copied to the owner's other devices
	BackedUp   bool       `json:"backed_up"`
	Provider   string     `json:"provider"` // the product that keeps it; "" when unknown
	Damaged    bool       `json:"damaged"`  // it opens nothing; only to be removed
}

// An authenticator takes the options of these calls, and gives the credential. Both are the
// JSON forms of WebAuthn Level 3: PublicKeyCredentialCreationOptionsJSON and
// RegistrationResponseJSON, PublicKeyCredentialRequestOptionsJSON and
// AuthenticationResponseJSON.

type passkeyBody struct {
	Credential json.RawMessage `json:"credential"`
}

func (c *Client) passkeyOptions(ctx context.Context, r request) (json.RawMessage, error) {
	var options json.RawMessage
	r.method = http.MethodPost
	_, err := c.call(ctx, r, &options)
	return options, err
}

// BeginPasskeySignIn returns the options of a sign-in. It needs no session.
func (c *Client) BeginPasskeySignIn(ctx context.Context) (json.RawMessage, error) {
	return c.passkeyOptions(ctx, request{path: "/v1/auth/passkey/options"})
}

// SignInByPasskey opens a session, which the client then holds. The server asks for no layer.
func (c *Client) SignInByPasskey(ctx context.Context, credential json.RawMessage, device string) (*Session, error) {
	key, open, err := c.newSessionRequest(device, false)
	if err != nil {
		return nil, err
	}
	body := struct {
		passkeyBody
		sessionRequest
	}{passkeyBody{credential}, open}
	s, _, err := c.open(ctx, request{method: http.MethodPost, path: "/v1/auth/passkey", in: body}, key)
	return s, err
}

// ActivateByPasskey requests a mail with a link to activate the deactivated account of a
// passkey. The options are those of a sign-in.
func (c *Client) ActivateByPasskey(ctx context.Context, credential json.RawMessage) error {
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/auth/activate/passkey", in: passkeyBody{credential}}, nil)
	return err
}

// BeginPasskey returns the options with which a passkey passes every layer.
func (ch *Challenge) BeginPasskey(ctx context.Context) (json.RawMessage, error) {
	return ch.c.passkeyOptions(ctx, request{path: ch.path("passkey") + "/options", attempt: ch.Token})
}

// PassByPasskey passes every layer at once and returns the session.
func (ch *Challenge) PassByPasskey(ctx context.Context, credential json.RawMessage) (*Session, error) {
	s, _, err := ch.Pass(ctx, "passkey", passkeyBody{credential})
	return s, err
}

// BeginPasskeyProof returns the options of a fresh proof.
func (c *Client) BeginPasskeyProof(ctx context.Context) (json.RawMessage, error) {
	return c.passkeyOptions(ctx, request{path: "/v1/account/reauthenticate/passkey/options", proof: session})
}

// ReauthenticateByPasskey proves the person's presence with a passkey. The session is aal2
// from then on.
func (c *Client) ReauthenticateByPasskey(ctx context.Context, credential json.RawMessage) (*Session, error) {
	s, _, err := c.open(ctx, request{
		method: http.MethodPost, path: "/v1/account/reauthenticate/passkey", proof: session, in: passkeyBody{credential},
	}, nil)
	return s, err
}

// Passkeys lists the account's passkeys, the oldest first.
func (c *Client) Passkeys(ctx context.Context) ([]Passkey, error) {
	var out struct {
		Items []Passkey `json:"items"`
	}
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/account/passkeys", proof: session}, &out)
	return out.Items, err
}

// BeginNewPasskey returns the options of a new passkey. It requires a fresh proof.
func (c *Client) BeginNewPasskey(ctx context.Context) (json.RawMessage, error) {
	return c.passkeyOptions(ctx, request{path: "/v1/account/passkeys/options", proof: session})
}

// AddPasskey adds a passkey. An empty name becomes that of the passkey's product. It requires
// a fresh proof.
func (c *Client) AddPasskey(ctx context.Context, credential json.RawMessage, name string) (Passkey, error) {
	var p Passkey
	body := struct {
		passkeyBody
		Name string `json:"name,omitempty"`
	}{passkeyBody{credential}, name}
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/account/passkeys", proof: session, in: body}, &p)
	return p, err
}

func passkeyPath(id string) string { return "/v1/account/passkeys/" + url.PathEscape(id) }

// RenamePasskey gives a passkey another name. It requires a fresh proof.
func (c *Client) RenamePasskey(ctx context.Context, id, name string) (Passkey, error) {
	var p Passkey
	_, err := c.call(ctx, request{method: http.MethodPatch, path: passkeyPath(id), proof: session, in: map[string]string{"name": name}}, &p)
	return p, err
}

// RemovePasskey removes a passkey. It requires a fresh proof. Code last_way_in: without it
// nothing would let the owner in.
func (c *Client) RemovePasskey(ctx context.Context, id string) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: passkeyPath(id), proof: session}, nil)
	return err
}
