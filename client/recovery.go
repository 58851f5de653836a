package client

import (
	"context"
	"net/http"
)

// Forgot requests a mail with a link to set a new password. The server's answer does not
// depend on whether the address has an account.
func (c *Client) Forgot(ctx context.Context, email string) error {
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/auth/password/forgot", in: map[string]string{"email": email}}, nil)
	return err
}

// Reset is a request for a new password and a session.
type Reset struct {
	Token      string // of the mailed link
	Password   string // the new one
	DeviceName string // shown beside the session; optional
	Remember   bool   // skip the layers on this device next time
}

// ResetPassword sets a new password and ends every session of the account. It opens a
// session, which the client then holds, or returns the challenge before it. The password is
// also set after the codes account_deactivated and not_signed_in.
func (c *Client) ResetPassword(ctx context.Context, in Reset) (*Session, *Challenge, error) {
	key, open, err := c.newSessionRequest(in.DeviceName, in.Remember)
	if err != nil {
		return nil, nil, err
	}
	body := struct {
		Token    string `json:"token"`
		Password string `json:"password"`
		sessionRequest
	}{in.Token, in.Password, open}
	return c.open(ctx, request{method: http.MethodPost, path: "/v1/auth/password/reset", in: body}, key)
}

// CheckReset returns nil while the link of a reset is valid, otherwise code link_gone. It
// does not use the link up.
func (c *Client) CheckReset(ctx context.Context, token string) error {
	return c.check(ctx, "/v1/auth/password/reset/check", token)
}

// PasswordChange is a change by the signed-in owner.
type PasswordChange struct {
	Current    string // empty for an account without a password, which wants a fresh proof
	New        string
	KeepOthers bool // leave the account's other sessions alive
}

// ChangePassword sets a new password. The session goes on with a new access token.
func (c *Client) ChangePassword(ctx context.Context, in PasswordChange) (*Session, error) {
	body := struct {
		Current      string `json:"current_password,omitempty"`
		New          string `json:"new_password"`
		RevokeOthers bool   `json:"revoke_others"`
	}{in.Current, in.New, !in.KeepOthers}
	s, _, err := c.open(ctx, request{method: http.MethodPut, path: "/v1/account/password", proof: session, in: body}, nil)
	return s, err
}

// AALRecovery is the AAL of a session that may only repair its account.
const AALRecovery = "recovery"

// RepairPassword sets a new password from a recovery session, without the present one. Every
// other session of the account ends. A session that may repair layers becomes an ordinary
// one. For any other the result is the challenge of the account's layers.
func (c *Client) RepairPassword(ctx context.Context, next string) (*Session, *Challenge, error) {
	return c.open(ctx, request{
		method: http.MethodPut, path: "/v1/account/password", proof: session, in: map[string]string{"new_password": next},
	}, nil)
}

// StopRecovery ends a recovery with the mailed link: every session, the layers,
// passkeys and connected accounts that were added since, and the password. It needs no session.
func (c *Client) StopRecovery(ctx context.Context, token string) error {
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/auth/recovery/stop", in: map[string]string{"token": token}}, nil)
	return err
}

// CheckStopRecovery returns nil while that link is valid, otherwise code link_gone. It does
// not use the link up.
func (c *Client) CheckStopRecovery(ctx context.Context, token string) error {
	return c.check(ctx, "/v1/auth/recovery/stop/check", token)
}

// Deactivate closes the account until it is activated again, and drops the session.
func (c *Client) Deactivate(ctx context.Context) error {
	id := c.Credentials().SessionID
	if _, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/account/deactivate", proof: session}, nil); err != nil {
		return err
	}
	return c.forget(ctx, id)
}

// Activate requests a mail with a link to activate a deactivated account.
func (c *Client) Activate(ctx context.Context, identifier, password string) error {
	in := map[string]string{"identifier": identifier, "password": password}
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/auth/activate", in: in}, nil)
	return err
}

// Activation is a request to activate an account and for a session.
type Activation struct {
	Token      string // of the mailed link
	DeviceName string // shown beside the session; optional
	Remember   bool   // skip the layers on this device next time
}

// ConfirmActivation activates the account. It opens a session, which the client then holds,
// or returns the challenge before it. The account is also active after code not_signed_in.
func (c *Client) ConfirmActivation(ctx context.Context, in Activation) (*Session, *Challenge, error) {
	key, open, err := c.newSessionRequest(in.DeviceName, in.Remember)
	if err != nil {
		return nil, nil, err
	}
	body := struct {
		Token string `json:"token"`
		sessionRequest
	}{in.Token, open}
	return c.open(ctx, request{method: http.MethodPost, path: "/v1/auth/activate/confirm", in: body}, key)
}

// CheckActivation returns nil while the link of an activation is valid, otherwise code
// link_gone. It does not use the link up.
func (c *Client) CheckActivation(ctx context.Context, token string) error {
	return c.check(ctx, "/v1/auth/activate/check", token)
}
