package client

import (
	"context"
	"encoding/json"
	"net/http"
)

// JWKS returns the public keys for access tokens: the current one, the next one and those
// whose tokens may still be valid.
func (c *Client) JWKS(ctx context.Context) ([]JWK, error) {
	var set struct {
		Keys []JWK `json:"keys"`
	}
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/.well-known/jwks.json"}, &set)
	return set.Keys, err
}

// Settings are the rules of the server that everybody may know.
type Settings struct {
	PasswordMin        int   `json:"password_min"`         // least number of characters
	CodeSeconds        int64 `json:"code_seconds"`         // life of a mailed code and of a sign-in attempt
	LinkSeconds        int64 `json:"link_seconds"`         // life of a mailed link
	StepUpSeconds      int64 `json:"step_up_seconds"`      // how long a fresh proof counts
	SMS                int64 `json:"sms"`                  // 1 when text messages reach people
	TrustedRestSeconds int64 `json:"trusted_rest_seconds"` // how long a trusted address rests after it was verified
	Passkeys           bool  `json:"passkeys"`             // browsers allow passkeys for this server
	Versions           int   `json:"versions"`             // how many earlier contents a file keeps

	Providers []Provider `json:"providers"` // whose accounts people sign in with
}

// Settings returns the rules of the server. It needs no session.
func (c *Client) Settings(ctx context.Context) (Settings, error) {
	var s Settings
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/settings"}, &s)
	return s, err
}

// OpenAPI returns the OpenAPI document that the server makes of itself.
func (c *Client) OpenAPI(ctx context.Context) (json.RawMessage, error) {
	var document json.RawMessage
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/openapi.json"}, &document)
	return document, err
}

// Health returns nil when the server is alive.
func (c *Client) Health(ctx context.Context) error {
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/healthz"}, nil)
	return err
}

// Readiness lists the server's dependencies and whether they answer.
type Readiness struct {
	Status string            `json:"status"` // ok or unavailable
	Checks map[string]string `json:"checks"` // the same for each dependency
}

// Ready returns whether the server can work.
func (c *Client) Ready(ctx context.Context) (Readiness, error) {
	var r Readiness
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/readyz", good: http.StatusServiceUnavailable}, &r)
	return r, err
}
