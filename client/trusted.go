package client

import (
	"context"
	"net/http"
	"time"
)

// TrustedEmail names the line of the trusted address in [Client.Security].
const TrustedEmail = "trusted_email"

// TrustedAddress is the second mailbox of an account, a way back into it.
type TrustedAddress struct {
	Email      string     `json:"email"` // empty: none is verified
	VerifiedAt *time.Time `json:"verified_at"`
	UsableFrom *time.Time `json:"usable_from"`   // it opens nothing before
	Pending    string     `json:"pending_email"` // waits for its link to be used; may be empty
}

// TrustedAddress reads the trusted address. It requires a fresh proof.
func (c *Client) TrustedAddress(ctx context.Context) (TrustedAddress, error) {
	var t TrustedAddress
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/account/trusted-email", proof: session}, &t)
	return t, err
}

// SetTrustedAddress requests a link to another trusted address. The present one stays until
// [Client.VerifyTrustedAddress]. It requires a fresh proof. Code needs_two_layers refuses an
// account with too few layers.
func (c *Client) SetTrustedAddress(ctx context.Context, email string) error {
	_, err := c.call(ctx, request{method: http.MethodPut, path: "/v1/account/trusted-email", proof: session, in: map[string]string{"email": email}}, nil)
	return err
}

// DropTrustedAddress turns the trusted address off. It requires a fresh proof.
func (c *Client) DropTrustedAddress(ctx context.Context) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: "/v1/account/trusted-email", proof: session}, nil)
	return err
}

// VerifyTrustedAddress makes the address count that the link was mailed to. It needs no
// session. Codes needs_two_layers and trusted_is_primary leave the link valid.
func (c *Client) VerifyTrustedAddress(ctx context.Context, token string) error {
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/auth/trusted-email/verify", in: map[string]string{"token": token}}, nil)
	return err
}

// CheckTrustedAddress returns nil while that link is valid, otherwise code link_gone. It does
// not use the link up.
func (c *Client) CheckTrustedAddress(ctx context.Context, token string) error {
	return c.check(ctx, "/v1/auth/trusted-email/verify/check", token)
}

// RecoverByTrustedAddress requests a link to the trusted address of an account. The server's
// answer does not depend on whether there is one.
func (c *Client) RecoverByTrustedAddress(ctx context.Context, identifier string) error {
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/auth/recovery/trusted-email", in: map[string]string{"identifier": identifier}}, nil)
	return err
}

// CheckTrustedRecovery returns nil while a link to the trusted address is valid, otherwise
// code link_gone. It does not use the link up.
func (c *Client) CheckTrustedRecovery(ctx context.Context, token string) error {
	return c.check(ctx, "/v1/auth/recovery/trusted-email/confirm/check", token)
}

// TrustedRecovery is a request to get back in with a link to the trusted address.
type TrustedRecovery struct {
	Token      string // of the mailed link
	DeviceName string // shown beside the session; optional
}

// ConfirmTrustedRecovery opens a recovery session, which the client then holds.
func (c *Client) ConfirmTrustedRecovery(ctx context.Context, in TrustedRecovery) (*Session, error) {
	key, open, err := c.newSessionRequest(in.DeviceName, false)
	if err != nil {
		return nil, err
	}
	body := struct {
		Token string `json:"token"`
		sessionRequest
	}{in.Token, open}
	s, _, err := c.open(ctx, request{method: http.MethodPost, path: "/v1/auth/recovery/trusted-email/confirm", in: body}, key)
	return s, err
}
