package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// SMS names the layer of codes by text message. [Challenge.Pass] takes an [SMSCode] for it.
const SMS = "sms"

// SMSCode is a code from a text message.
type SMSCode struct {
	Code string `json:"code"` // six digits
}

// SMSSent tells where a code went.
type SMSSent struct {
	SentTo   string    `json:"sent_to"`   // masked
	ResendAt time.Time `json:"resend_at"` // from when on another may be asked for
	Notice   string    `json:"notice"`    // of a set-up: what text messages cannot do
}

// EnrolSMS begins to set up a telephone, to which the server sends a first code. It requires
// a fresh proof.
func (c *Client) EnrolSMS(ctx context.Context, phone string) (SMSSent, error) {
	var s SMSSent
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/account/sms", proof: session, in: map[string]string{"phone": phone}}, &s)
	return s, err
}

// ConfirmSMS turns the layer on with the first code.
func (c *Client) ConfirmSMS(ctx context.Context, code string) error {
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/account/sms/confirm", proof: session, in: SMSCode{code}}, nil)
	return err
}

// ResendSMS sends the first code again.
func (c *Client) ResendSMS(ctx context.Context) (SMSSent, error) {
	var s SMSSent
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/account/sms/resend", proof: session}, &s)
	return s, err
}

// DisableSMS turns the layer off. It requires a fresh proof.
func (c *Client) DisableSMS(ctx context.Context) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: "/v1/account/sms", proof: session}, nil)
	return err
}

// ResendSMS sends the code of a sign-in again.
func (ch *Challenge) ResendSMS(ctx context.Context) (SMSSent, error) {
	var s SMSSent
	_, err := ch.c.call(ctx, request{method: http.MethodPost, path: "/v1/auth/attempts/" + url.PathEscape(ch.ID) + "/sms/resend", attempt: ch.Token}, &s)
	return s, err
}
