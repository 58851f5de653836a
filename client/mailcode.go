package client

import (
	"context"
	"net/http"
)

// EmailOTP names the layer of mailed codes. [Challenge.Pass] takes an [EmailCode] for it, and
// [Challenge.Resend] sends a further one.
const EmailOTP = "email_otp"

// EmailCode is a code from a mail.
type EmailCode struct {
	Code string `json:"code"` // six digits
}

// EnableEmailOTP turns the layer on. It requires a fresh proof.
func (c *Client) EnableEmailOTP(ctx context.Context) error {
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/account/email-otp", proof: session}, nil)
	return err
}

// DisableEmailOTP turns the layer off. It requires a fresh proof. Code
// recovery_needs_two_layers: see [DisableRecovery].
func (c *Client) DisableEmailOTP(ctx context.Context, with ...Disabling) error {
	return c.disable(ctx, "email-otp", with)
}
