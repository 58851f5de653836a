package client

import (
	"context"
	"net/http"
)

// SecurityQuestion names the layer of the security question, which a sign-in asks last.
// [Challenge.Pass] takes a [SecurityAnswer] for it. Question and hint stand in [Layer] once
// every other layer is passed.
const SecurityQuestion = "security_question"

// SecurityAnswer is the answer to the security question. Case and white space do not count.
type SecurityAnswer struct {
	Answer string `json:"answer"`
}

// NewQuestion is a security question with its answer.
type NewQuestion struct {
	Question string `json:"question"`
	Answer   string `json:"answer"`
	Hint     string `json:"hint,omitempty"` // shown with the question
}

// SetSecurityQuestion turns the layer on, or changes it. It requires a fresh proof.
func (c *Client) SetSecurityQuestion(ctx context.Context, q NewQuestion) error {
	_, err := c.call(ctx, request{method: http.MethodPut, path: "/v1/account/security-question", proof: session, in: q}, nil)
	return err
}

// DisableSecurityQuestion turns the layer off. It requires a fresh proof. Code
// recovery_needs_two_layers: see [DisableRecovery].
func (c *Client) DisableSecurityQuestion(ctx context.Context, with ...Disabling) error {
	return c.disable(ctx, "security-question", with)
}
