package client

import (
	"context"
	"encoding/json"
	"net/http"
)

// JWKS returns the keys that sign access tokens: the one in use, the next and those
// whose tokens are not dead yet.
func (c *Client) JWKS(ctx context.Context) ([]JWK, error) {
	var set struct {
		Keys []JWK `json:"keys"`
	}
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/.well-known/jwks.json"}, &set)
	return set.Keys, err
}

// OpenAPI returns the OpenAPI document that the server makes of itself.
func (c *Client) OpenAPI(ctx context.Context) (json.RawMessage, error) {
	var document json.RawMessage
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/openapi.json"}, &document)
	return document, err
}

// Health asks whether the server is alive; nil says that it is.
func (c *Client) Health(ctx context.Context) error {
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/healthz"}, nil)
	return err
}

// Readiness is what the server needs to do its work, and whether it answers.
type Readiness struct {
	Status string            `json:"status"` // ok or unavailable
	Checks map[string]string `json:"checks"` // the same for each dependency
}

// Ready asks whether the server can work.
func (c *Client) Ready(ctx context.Context) (Readiness, error) {
	var r Readiness
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/readyz", good: http.StatusServiceUnavailable}, &r)
	return r, err
}
