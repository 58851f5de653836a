package client

import (
	"context"
	"net/http"
)

// TOTP names the layer of the authenticator app. [Challenge.Pass] takes a [TOTPCode] for it.
const TOTP = "totp"

// TOTPCode is a code from the authenticator app.
type TOTPCode struct {
	Code string `json:"code"` // six digits
}

// TOTPEnrolment is a pending secret for an authenticator app.
type TOTPEnrolment struct {
	Secret     string `json:"secret"` // base32
	OTPAuthURI string `json:"otpauth_uri"`
	QRPNG      []byte `json:"qr_png"` // the same as a QR code in PNG
}

// EnrolTOTP starts the setup of an authenticator app. It requires a fresh proof.
func (c *Client) EnrolTOTP(ctx context.Context) (TOTPEnrolment, error) {
	var e TOTPEnrolment
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/account/totp", proof: session}, &e)
	return e, err
}

// ConfirmTOTP turns the layer on with a first code, which is then used up.
func (c *Client) ConfirmTOTP(ctx context.Context, code string) error {
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/account/totp/confirm", proof: session, in: TOTPCode{code}}, nil)
	return err
}

// DisableTOTP turns the layer off. It requires a fresh proof. Code
// recovery_needs_two_layers: see [DisableRecovery].
func (c *Client) DisableTOTP(ctx context.Context, with ...Disabling) error {
	return c.disable(ctx, "totp", with)
}
