package client

import (
	"context"
	"net/http"
)

// CheckUnlock returns nil while the link of a held sign-in is valid, otherwise code link_gone. It
// does not use the link up.
func (c *Client) CheckUnlock(ctx context.Context, token string) error {
	return c.check(ctx, "/v1/auth/unlock/check", token)
}

// Unlock uses the mailed link that a sign-in with the code sign_in_held asks for. It opens no
// session: the caller signs in next. For a quarter of an hour strangers' guesses hold no right
// password, from any device, and this client is known for longer if remember is set.
func (c *Client) Unlock(ctx context.Context, token string, remember bool) error {
	in := map[string]any{"token": token, "remember": remember, "refresh_in": "body"}
	var out struct {
		DeviceToken string `json:"device_token"`
	}
	if _, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/auth/unlock", in: in}, &out); err != nil {
		return err
	}
	if out.DeviceToken == "" {
		return nil
	}
	return c.know(ctx, out.DeviceToken)
}
