package client

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"time"
)

// NewAccount holds the data for a sign-up.
type NewAccount struct {
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Username  string `json:"username"`
	Email     string `json:"email"`
	Password  string `json:"password"`
}

// SignUp requests an account and returns a token for [Verification] and
// [Client.ResendVerification]. The server's answer does not depend on whether the address
// has an account; only the mailbox learns the outcome.
func (c *Client) SignUp(ctx context.Context, in NewAccount) (signUp string, err error) {
	var out struct {
		SignUp string `json:"sign_up"`
	}
	_, err = c.call(ctx, request{method: http.MethodPost, path: "/v1/auth/sign-up", in: in}, &out)
	return out.SignUp, err
}

// Verification proves an address: with a mailed link or code, and with a proof that the
// sign-up is the caller's.
type Verification struct {
	Token string `json:"token,omitempty"` // of the mailed link; or
	Email string `json:"email,omitempty"` // with Code,
	Code  string `json:"code,omitempty"`  // of the same mail

	SignUp   string `json:"sign_up,omitempty"`  // what [Client.SignUp] returned; or
	Password string `json:"password,omitempty"` // of the sign-up

	// Username replaces that of the sign-up, after code username_taken.
	Username string `json:"username,omitempty"`
}

// VerifyEmail proves an address, once. After code sign_up_proof_required neither SignUp nor
// Password matches the sign-up; the link and the code stay valid.
func (c *Client) VerifyEmail(ctx context.Context, v Verification) error {
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/auth/verify-email", in: v}, nil)
	return err
}

// ResendVerification requests a new link and code. With signUp from [Client.SignUp] they
// belong to that sign-up, and its older ones become void.
func (c *Client) ResendVerification(ctx context.Context, email, signUp string) error {
	in := struct {
		Email  string `json:"email"`
		SignUp string `json:"sign_up,omitempty"`
	}{email, signUp}
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/auth/verify-email/resend", in: in}, nil)
	return err
}

// FirstAdmin makes the first admin with the one-time token that the server printed.
func (c *Client) FirstAdmin(ctx context.Context, token string, in NewAccount) error {
	body := struct {
		Token string `json:"token"`
		NewAccount
	}{token, in}
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/auth/first-admin", in: body}, nil)
	return err
}

// CheckLink returns nil while the mailed link with this token is valid, otherwise code
// link_gone. It does not use the link up.
func (c *Client) CheckLink(ctx context.Context, token string) error {
	return c.check(ctx, "/v1/auth/verify-email/check", token)
}

// CheckFirstAdmin returns nil while the token can make the first admin, otherwise code
// link_gone.
func (c *Client) CheckFirstAdmin(ctx context.Context, token string) error {
	return c.check(ctx, "/v1/auth/first-admin/check", token)
}

func (c *Client) check(ctx context.Context, path, token string) error {
	_, err := c.call(ctx, request{method: http.MethodPost, path: path, in: map[string]string{"token": token}}, nil)
	return err
}

// Profile is the account in its owner's view.
type Profile struct {
	ID            string    `json:"id"` // UUIDv7
	Email         string    `json:"email"`
	EmailVerified bool      `json:"email_verified"`
	PendingEmail  *string   `json:"pending_email"` // waits for [Client.ConfirmEmail]; nil without one
	FirstName     string    `json:"first_name"`
	LastName      string    `json:"last_name"`
	Username      string    `json:"username"`
	Bio           string    `json:"bio"`
	Language      string    `json:"language"` // BCP 47
	Role          string    `json:"role"`     // user or admin
	Avatar        *Avatar   `json:"avatar"`   // nil without a picture
	HasPassword   bool      `json:"has_password"`
	AlwaysAsk     bool      `json:"always_ask"` // sign-in asks for every layer, on remembered devices too
	CreatedAt     time.Time `json:"created_at"`
	SignInSummary struct {
		Count      int64      `json:"count"`
		LastAt     *time.Time `json:"last_at"`     // nil before the first
		PreviousAt *time.Time `json:"previous_at"` // the one before
	} `json:"sign_in_summary"`
}

// ProfileChange changes all fields that are not nil, or none.
type ProfileChange struct {
	FirstName *string `json:"first_name,omitempty"`
	LastName  *string `json:"last_name,omitempty"`
	Username  *string `json:"username,omitempty"`
	Bio       *string `json:"bio,omitempty"` // empty clears it
	Language  *string `json:"language,omitempty"`
}

// Profile reads the profile.
func (c *Client) Profile(ctx context.Context) (Profile, error) {
	var p Profile
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/account", proof: session}, &p)
	return p, err
}

// ChangeProfile changes the profile and returns the new one.
func (c *Client) ChangeProfile(ctx context.Context, change ProfileChange) (Profile, error) {
	var p Profile
	_, err := c.call(ctx, request{method: http.MethodPatch, path: "/v1/account", proof: session, in: change}, &p)
	return p, err
}

// Protection is one layer of the sign-in, or another protection of the account.
type Protection struct {
	Enabled  bool       `json:"enabled"`
	Since    *time.Time `json:"since"`     // when it was turned on; nil when it is off
	LastUsed *time.Time `json:"last_used"` // nil: never
	Left     *int       `json:"left"`      // remaining uses; nil if not counted
	Hint     string     `json:"hint"`      // for the owner to recognise it
}

// Security reads the account's protections, by names such as [TOTP].
func (c *Client) Security(ctx context.Context) (map[string]Protection, error) {
	var s map[string]Protection
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/account/security", proof: session}, &s)
	return s, err
}

// SetAlwaysAsk chooses whether sign-in asks for every layer on remembered devices too. It
// requires a fresh proof.
func (c *Client) SetAlwaysAsk(ctx context.Context, on bool) error {
	_, err := c.call(ctx, request{method: http.MethodPut, path: "/v1/account/always-ask", proof: session, in: map[string]bool{"always_ask": on}}, nil)
	return err
}

// Disabling says what else may end with a layer.
type Disabling string

// DisableRecovery turns the recovery methods off as well, if fewer layers remain than they
// need.
const DisableRecovery Disabling = "off"

// disable turns a layer off.
func (c *Client) disable(ctx context.Context, layer string, with []Disabling) error {
	r := request{method: http.MethodDelete, path: "/v1/account/" + layer, proof: session}
	if len(with) > 0 {
		r.query = url.Values{"recovery": {string(with[0])}}
	}
	_, err := c.call(ctx, r, nil)
	return err
}

// Export opens a zip of all the server's data about the account. Code step_up_required
// demands a fresh proof first. The stream of a truncated archive ends in an error. The
// caller closes it.
func (c *Client) Export(ctx context.Context) (io.ReadCloser, error) {
	res, err := c.send(ctx, request{method: http.MethodGet, path: "/v1/account/export", proof: session})
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}
