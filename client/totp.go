package client

import (
	"context"
	"net/http"
)

// TOTP names the layer of the authenticator app. [Challenge.Pass] takes a [TOTPCode] for it.
const TOTP = "totp"

// TOTPCode is what the authenticator app shows.
type TOTPCode struct {
	Code string `json:"code"` // six digits
}

// TOTPEnrolment is a pending secret for an authenticator app.
type TOTPEnrolment struct {
	Secret     string `json:"secret"` // base32
	OTPAuthURI string `json:"otpauth_uri"`
	QRPNG      []byte `json:"qr_png"` // the same as a QR code: a PNG picture
}

// EnrolTOTP begins to set up an authenticator app. It wants a fresh proof.
func (c *Client) EnrolTOTP(ctx context.Context) (TOTPEnrolment, error) {
	var e TOTPEnrolment
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/account/totp", proof: session}, &e)
	return e, err
}

// ConfirmTOTP turns the layer on with a first code. The code is spent.
func (c *Client) ConfirmTOTP(ctx context.Context, code string) error {
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/account/totp/confirm", proof: session, in: TOTPCode{code}}, nil)
	return err
}

// DisableTOTP turns the layer off. It wants a fresh proof.
func (c *Client) DisableTOTP(ctx context.Context) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: "/v1/account/totp", proof: session}, nil)
	return err
}
