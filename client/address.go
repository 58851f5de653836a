package client

import (
	"context"
	"net/http"
	"time"
)

// ChangeEmail requests another address. The server mails a link there, and an undo link to
// the present address, which counts until [Client.ConfirmEmail]. The server's answer does
// not depend on whether another account has the address. Code step_up_required demands a
// fresh proof first.
func (c *Client) ChangeEmail(ctx context.Context, email string) error {
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/account/email", proof: session, in: map[string]string{"email": email}}, nil)
	return err
}

// ConfirmEmail makes the new address count, with the token of the link that was mailed there.
// After code email_taken another account has the address, and the link stays valid.
func (c *Client) ConfirmEmail(ctx context.Context, token string) (Profile, error) {
	var p Profile
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/account/email/confirm", proof: session, in: map[string]string{"token": token}}, &p)
	return p, err
}

// CheckConfirmEmail returns nil while the link confirms an address of the caller's account,
// otherwise code link_gone. It does not use the link up.
func (c *Client) CheckConfirmEmail(ctx context.Context, token string) error {
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/account/email/confirm/check", proof: session, in: map[string]string{"token": token}}, nil)
	return err
}

// UndoEmail gives an account the address back that the undo link was mailed to, and ends
// everything that lets somebody in. It needs no session.
func (c *Client) UndoEmail(ctx context.Context, token string) error {
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/account/email/undo", in: map[string]string{"token": token}}, nil)
	return err
}

// CheckUndoEmail returns nil while the undo link is valid, otherwise code link_gone. It does
// not use the link up.
func (c *Client) CheckUndoEmail(ctx context.Context, token string) error {
	return c.check(ctx, "/v1/account/email/undo/check", token)
}

// DeleteAccount deletes the account for good. Afterwards the address and the username are
// free, and the client holds no session. Code step_up_required demands a fresh proof first;
// code last_admin refuses the only admin.
func (c *Client) DeleteAccount(ctx context.Context) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: "/v1/account", proof: session}, nil)
	return err
}

// DeviceToEnd is the device that a link ends.
type DeviceToEnd struct {
	Device     string    `json:"device"`
	Place      string    `json:"place"` // may be empty
	SignedInAt time.Time `json:"signed_in_at"`
}

// CheckEndDevice reads which device the link in a mail about a new device ends. It does not
// use the link up.
func (c *Client) CheckEndDevice(ctx context.Context, token string) (DeviceToEnd, error) {
	var d DeviceToEnd
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/auth/end-device/check", in: map[string]string{"token": token}}, &d)
	return d, err
}

// ConfirmDevice says that the sign-in which such a link asks about was the owner's. The link
// stays good. It needs no session.
func (c *Client) ConfirmDevice(ctx context.Context, token string) error {
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/auth/end-device/confirm", in: map[string]string{"token": token}}, nil)
	return err
}

// EndDevice ends every session of that device and forgets every remembered device of the
// account. It needs no session.
func (c *Client) EndDevice(ctx context.Context, token string) error {
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/auth/end-device", in: map[string]string{"token": token}}, nil)
	return err
}
