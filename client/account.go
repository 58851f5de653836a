package client

import (
	"context"
	"io"
	"net/http"
	"time"
)

// NewAccount is what somebody gives to become an account.
type NewAccount struct {
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Username  string `json:"username"`
	Email     string `json:"email"`
	Password  string `json:"password"`
}

// SignUp asks for an account and returns a token that [Verification] and
// [Client.ResendVerification] take. The server's answer is the same whether or not the
// address has an account; what comes of it, the mailbox learns.
func (c *Client) SignUp(ctx context.Context, in NewAccount) (signUp string, err error) {
	var out struct {
		SignUp string `json:"sign_up"`
	}
	_, err = c.call(ctx, request{method: http.MethodPost, path: "/v1/auth/sign-up", in: in}, &out)
	return out.SignUp, err
}

// Verification proves an address: with what was mailed, and beside it that the sign-up is
// the caller's.
type Verification struct {
	Token string `json:"token,omitempty"` // of the mailed link; or
	Email string `json:"email,omitempty"` // with Code,
	Code  string `json:"code,omitempty"`  // of the same mail

	SignUp   string `json:"sign_up,omitempty"`  // what [Client.SignUp] returned; or
	Password string `json:"password,omitempty"` // of the sign-up

	// Username replaces the one that was signed up with, after code username_taken.
	Username string `json:"username,omitempty"`
}

// VerifyEmail proves an address, once. Code sign_up_proof_required says that neither
// SignUp nor Password is that of the sign-up; the link and the code are as good as before.
func (c *Client) VerifyEmail(ctx context.Context, v Verification) error {
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/auth/verify-email", in: v}, nil)
	return err
}

// ResendVerification asks for a new link and code. With signUp, which [Client.SignUp]
// returned, they are that sign-up's and its older ones are void.
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

// CheckLink is nil while the link of a sign-up's mail with this token can be used; else code
// link_gone. It uses nothing up.
func (c *Client) CheckLink(ctx context.Context, token string) error {
	return c.check(ctx, "/v1/auth/verify-email/check", token)
}

// CheckFirstAdmin is nil while the token can make the first admin; else code link_gone.
func (c *Client) CheckFirstAdmin(ctx context.Context, token string) error {
	return c.check(ctx, "/v1/auth/first-admin/check", token)
}

func (c *Client) check(ctx context.Context, path, token string) error {
	_, err := c.call(ctx, request{method: http.MethodPost, path: path, in: map[string]string{"token": token}}, nil)
	return err
}

// Profile is the account as its owner sees it.
type Profile struct {
	ID            string    `json:"id"` // UUIDv7
	Email         string    `json:"email"`
	EmailVerified bool      `json:"email_verified"`
	FirstName     string    `json:"first_name"`
	LastName      string    `json:"last_name"`
	Username      string    `json:"username"`
	Bio           string    `json:"bio"`
	Language      string    `json:"language"` // BCP 47
	Role          string    `json:"role"`     // user or admin
	Avatar        *string   `json:"avatar"`   // where the picture is; nil without
	CreatedAt     time.Time `json:"created_at"`
	SignInSummary struct {
		Count      int64      `json:"count"`
		LastAt     *time.Time `json:"last_at"`     // nil before the first
		PreviousAt *time.Time `json:"previous_at"` // the one before
	} `json:"sign_in_summary"`
}

// ProfileChange changes what is not nil; all of it or nothing.
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

// ChangeProfile changes the profile and returns it as it is then.
func (c *Client) ChangeProfile(ctx context.Context, change ProfileChange) (Profile, error) {
	var p Profile
	_, err := c.call(ctx, request{method: http.MethodPatch, path: "/v1/account", proof: session, in: change}, &p)
	return p, err
}

// Protection is one layer of the sign-in, or another protection of the account.
type Protection struct {
	Enabled bool       `json:"enabled"`
	Since   *time.Time `json:"since"` // when it was turned on; nil when it is off
	Left    *int       `json:"left"`  // uses that are left; nil where they are not counted
	Hint    string     `json:"hint"`  // what the owner recognises it by
}

// Security reads what protects the account, by names such as [TOTP].
func (c *Client) Security(ctx context.Context) (map[string]Protection, error) {
	var s map[string]Protection
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/account/security", proof: session}, &s)
	return s, err
}

// Export opens a zip of everything that the server holds about the account. Code
// step_up_required wants a fresh proof first. The stream ends in an error when the archive
// was cut short; the caller closes it.
func (c *Client) Export(ctx context.Context) (io.ReadCloser, error) {
	res, err := c.send(ctx, request{method: http.MethodGet, path: "/v1/account/export", proof: session})
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}
