package account

import (
	"context"
	"net/http"
	"time"

	"coffer/internal/fault"
	"coffer/internal/lang"
	"coffer/internal/limit"
	"coffer/internal/rest"
)

const tag = "Account"

// Routes registers every operation of this room.
func (s *Service) Routes(a *rest.API) {
	a.Tell("password_min", "Least number of characters of a password.", int64(s.PasswordMin))
	a.Tell("code_seconds", "Life of a mailed code and of a sign-in attempt.", int64(s.CodeTTL/time.Second))
	a.Tell("link_seconds", "Life of a mailed link.", int64(s.LinkTTL/time.Second))
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/sign-up", ID: "sign-up", Tag: tag, Status: http.StatusAccepted, Rows: "F-A1",
		Summary: "Sign up",
		Description: "The answer is 202 whenever the values are valid. Only the mail tells whether the address has an account. " +
			"It holds a link and a code. Either makes the account, together with sign_up or the password. " +
			"Neither opens another caller's sign-up of the same address.",
		Errors: []*fault.Error{limit.ErrLimited, ErrBusy},
	}, s.postSignUp)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/verify-email", ID: "verify-email", Tag: tag, Status: http.StatusNoContent, Rows: "F-A2",
		Summary: "Prove an e-mail address",
		Description: "The caller sends the token of the mailed link, or the address and the mailed code. Either works once. The caller also proves that the sign-up is theirs: by " +
			"its cookie, its sign_up token, or its password. Without a proof the answer is 403 sign_up_proof_required and the link stays valid. " +
			"Every other sign-up of the address ends. If the username is taken by then, the answer is 409 username_taken and " +
			"the link stays valid. The caller sends it again with another username.",
		Errors: []*fault.Error{errInvalidCode, errElsewhere, ErrUsernameTaken, ErrLinkGone, limit.ErrLimited, ErrBusy},
	}, s.postVerify)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/verify-email/check", ID: "check-verify-email", Tag: tag, Status: http.StatusNoContent, Rows: "F-A2",
		Summary:     "Check a mailed link",
		Description: "The answer is 204 while the link with this token works. The check uses nothing up, so a page can report a used or expired link at once.",
		Errors:      []*fault.Error{ErrLinkGone, limit.ErrLimited},
	}, s.Checked(s.CheckLink))
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/verify-email/resend", ID: "resend-verify-email", Tag: tag, Status: http.StatusAccepted, Rows: "F-A2",
		Summary: "Send a new link and code",
		Description: "The answer is always 202. With the cookie or sign_up, the server mails that sign-up and voids its older links and codes. Without either, " +
			"the server mails one sign-up of the address, the caller's newest if there is one, and voids nothing.",
		Errors: []*fault.Error{limit.ErrLimited},
	}, s.postResend)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/first-admin", ID: "first-admin", Tag: tag, Status: http.StatusNoContent, Rows: "F-A1",
		Summary:     "Make the first admin",
		Description: "The caller sends the one-time token that the server printed when it started without an admin.",
		Errors:      []*fault.Error{errTaken, ErrLinkGone, limit.ErrLimited, ErrBusy},
	}, s.postFirstAdmin)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/first-admin/check", ID: "check-first-admin", Tag: tag, Status: http.StatusNoContent, Rows: "F-A1",
		Summary:     "Check the first admin's token",
		Description: "The answer is 204 while the token can make the first admin. The check uses nothing up.",
		Errors:      []*fault.Error{ErrLinkGone, limit.ErrLimited},
	}, s.Checked(s.CheckFirstAdmin))
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/account", ID: "get-account", Repairs: true, Weakly: true, Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-U1",
		Summary: "Read my profile",
	}, s.getAccount)
	rest.Raw(a, rest.Op{
		Method: http.MethodGet, Path: "/account/export", ID: "export-account", Tag: tag, Access: rest.StepUp, Status: http.StatusOK, Rows: "F-U4",
		Summary: "Export everything held about me",
		Description: "The answer is a zip of account.json, each feature's data, every file in its folder, and index.html. " +
			"The server writes it while sending, so it has no Content-Length. An archive that was cut short does not open.",
		Errors: []*fault.Error{ErrNotFound},
	}, exportDoc, s.getExport)
	rest.Register(a, rest.Op{
		Method: http.MethodPatch, Path: "/account", ID: "change-account", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-U1",
		Summary:     "Change my profile",
		Description: "The server changes only the fields that the caller sends: all of them or none.",
		Errors:      []*fault.Error{ErrUsernameTaken, limit.ErrLimited},
	}, s.patchAccount)
	s.lifecycleRoutes(a)
	s.addressRoutes(a)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/account/security", ID: "read-security", Repairs: true, Weakly: true, Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-L5",
		Summary:     "Read what protects my account",
		Description: "One line for each layer of the sign-in and each other protection, by its name. The server reads all lines at one moment.",
	}, s.getSecurity)
	rest.Register(a, rest.Op{
		Method: http.MethodPut, Path: "/account/always-ask", ID: "set-always-ask", Tag: tag, Access: rest.StepUp, Status: http.StatusNoContent, Rows: "F-L5",
		Summary:     "Choose whether sign-in always asks for every layer",
		Description: "While it is on, sign-in asks remembered devices for every layer, and remembers no new device.",
	}, s.putAlwaysAsk)
}

// Accepted is the one body of answers that tell nothing.
type Accepted struct {
	Body struct {
		Status string `json:"status" enum:"accepted" doc:"Always accepted; only the mail tells the outcome."`
	}
}

// NewAccepted returns that answer.
func NewAccepted() *Accepted {
	var o Accepted
	o.Body.Status = "accepted"
	return &o
}

// NewAccountBody is what somebody gives to become an account. It is exported because the
// schema of a body leaves out embedded types that are not.
type NewAccountBody struct {
	FirstName string `json:"first_name" doc:"1 to 100 characters."`
	LastName  string `json:"last_name" doc:"1 to 100 characters."`
	Username  string `json:"username" doc:"3 to 32 of a–z, 0–9, dot, underscore and hyphen, a letter first; case does not matter."`
	Email     string `json:"email" doc:"An e-mail address."`
	Password  string `json:"password" doc:"At least 12 characters unless the operator chose otherwise; at most 256. Common ones are refused."`
}

func (b NewAccountBody) account(acceptLanguage string) NewAccount {
	return NewAccount{
		FirstName: b.FirstName, LastName: b.LastName, Username: b.Username, Email: b.Email, Password: b.Password,
		Lang: lang.Accepted(acceptLanguage),
	}
}

type signUpInput struct {
	rest.Request
	AcceptLanguage string `header:"Accept-Language" doc:"Chooses the language of mails."`
	Body           NewAccountBody
}

// signUpCookie carries the token of a browser's sign-up. A __Host- cookie is Secure, of
// this host alone and of every path (RFC 6265bis §4.1.3.2).
const signUpCookie = "__Host-coffer-sign-up"

// newSignUpCookie returns the cookie for as long as the sign-up can be proven; an empty
// token takes it back.
func (s *Service) newSignUpCookie(token string) http.Cookie {
	c := http.Cookie{
		Name: signUpCookie, Value: token, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		MaxAge: max(1, int(s.LinkTTL/time.Second)),
	}
	if token == "" {
		c.MaxAge = -1
	}
	return c
}

// signUpToken returns the token that a request shows: the one in the body, else the
// cookie's, "" for a text that the server cannot have issued.
func signUpToken(body, cookie string) string {
	token := cookie
	if body != "" {
		token = body
	}
	if len(token) != tokenLength {
		return ""
	}
	return token
}

type signUpOutput struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      struct {
		SignUp string `json:"sign_up" doc:"Proves, with the mailed link or code, that the sign-up is yours. Browsers also get it as a cookie."`
	}
}

func (s *Service) postSignUp(ctx context.Context, in *signUpInput) (*signUpOutput, error) {
	from := SourceOf(in.Client.Addr)
	if err := s.takeSignUp(ctx, from); err != nil {
		return nil, err
	}
	token, err := s.SignUp(ctx, in.Body.account(in.AcceptLanguage), from)
	if err != nil {
		return nil, err
	}
	out := &signUpOutput{SetCookie: []http.Cookie{s.newSignUpCookie(token)}}
	out.Body.SignUp = token
	return out, nil
}

type verifyInput struct {
	rest.Request
	SignUpCookie string `cookie:"__Host-coffer-sign-up" doc:"Set by the server."`
	Body         struct {
		Token    string `json:"token,omitempty" maxLength:"100" doc:"From the link."`
		Email    string `json:"email,omitempty" doc:"The address, sent with code instead of token."`
		Code     string `json:"code,omitempty" maxLength:"20" doc:"The mailed code."`
		SignUp   string `json:"sign_up,omitempty" maxLength:"100" doc:"Token from the answer to the sign-up, instead of its cookie."`
		Password string `json:"password,omitempty" doc:"The sign-up's password, for a caller without its cookie or token."`
		Username string `json:"username,omitempty" doc:"Another username, after the answer username_taken."`
	}
}

type verifyOutput struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
}

func (s *Service) postVerify(ctx context.Context, in *verifyInput) (*verifyOutput, error) {
	if err := s.TakeProof(ctx, in.Client); err != nil {
		return nil, err
	}
	b := in.Body
	p := Proof{
		Token: b.Token, Email: b.Email, Code: b.Code, SignUp: signUpToken(b.SignUp, in.SignUpCookie),
		Password: b.Password, Username: b.Username, From: SourceOf(in.Client.Addr),
	}
	var err error
	switch {
	case b.Token != "" && b.Email == "" && b.Code == "":
		err = s.VerifyToken(ctx, p)
	case b.Token == "" && b.Email != "" && b.Code != "":
		err = s.VerifyCode(ctx, p)
	default:
		err = fault.InvalidField("", "token_or_code", "Send token, or email and code.")
	}
	if err != nil {
		return nil, err
	}
	return &verifyOutput{[]http.Cookie{s.newSignUpCookie("")}}, nil
}

type resendInput struct {
	rest.Request
	SignUpCookie string `cookie:"__Host-coffer-sign-up" doc:"Set by the server."`
	Body         struct {
		Email  string `json:"email"`
		SignUp string `json:"sign_up,omitempty" maxLength:"100" doc:"Token from the answer to the sign-up, instead of its cookie."`
	}
}

func (s *Service) postResend(ctx context.Context, in *resendInput) (*Accepted, error) {
	if err := s.Limit.Take(ctx, s.MailAddressLimit, limit.AddrKey(in.Client.Addr)); err != nil {
		return nil, err
	}
	if err := s.Resend(ctx, in.Body.Email, signUpToken(in.Body.SignUp, in.SignUpCookie), SourceOf(in.Client.Addr)); err != nil {
		return nil, err
	}
	return NewAccepted(), nil
}

type firstAdminInput struct {
	rest.Request
	AcceptLanguage string `header:"Accept-Language"`
	Body           struct {
		Token string `json:"token" maxLength:"100" doc:"From the link that the server printed."`
		NewAccountBody
	}
}

func (s *Service) postFirstAdmin(ctx context.Context, in *firstAdminInput) (*struct{}, error) {
	if err := s.TakeProof(ctx, in.Client); err != nil {
		return nil, err
	}
	_, err := s.FirstAdmin(ctx, in.Body.Token, in.Body.account(in.AcceptLanguage))
	return nil, err
}

type profileBody struct {
	ID            ID            `json:"id"`
	Email         string        `json:"email" doc:"Empty when the stored address was damaged."`
	EmailVerified bool          `json:"email_verified"`
	PendingEmail  *string       `json:"pending_email" doc:"An address that waits for its confirmation; null without one."`
	FirstName     string        `json:"first_name"`
	LastName      string        `json:"last_name"`
	Username      string        `json:"username"`
	Bio           string        `json:"bio"`
	Language      string        `json:"language" doc:"BCP 47."`
	Role          string        `json:"role" enum:"user,admin"`
	Avatar        ShownAvatar   `json:"avatar"`
	AlwaysAsk     bool          `json:"always_ask" doc:"Whether every sign-in asks for all layers, on remembered devices too."`
	HasPassword   bool          `json:"has_password" doc:"Whether the account has a password. One that was made with another service's account may have none."`
	CreatedAt     time.Time     `json:"created_at"`
	SignInSummary signInSummary `json:"sign_in_summary"`
}

type signInSummary struct {
	Count      int64      `json:"count" doc:"Sign-ins since the account was made."`
	LastAt     *time.Time `json:"last_at" doc:"The latest sign-in; null before the first."`
	PreviousAt *time.Time `json:"previous_at" doc:"The one before it."`
}

type profileOutput struct{ Body profileBody }

func (s *Service) newProfileOutput(p Profile) *profileOutput {
	var pending *string
	if p.Pending != "" && s.Now().Before(p.PendingUntil) {
		pending = &p.Pending
	}
	return &profileOutput{profileBody{
		ID: p.ID, Email: p.Email, EmailVerified: p.Email != "", PendingEmail: pending, FirstName: p.FirstName, LastName: p.LastName, Username: p.Username,
		Bio: p.Bio, Language: p.Lang, Role: p.Role, Avatar: ShownAvatar{p.Avatar}, AlwaysAsk: p.AlwaysAsk, HasPassword: p.HasPassword, CreatedAt: p.CreatedAt,
		SignInSummary: signInSummary{Count: p.SignIns, LastAt: orNone(p.SignedInAt), PreviousAt: orNone(p.SignedInBeforeAt)},
	}}
}

func orNone(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

type getAccountInput struct{ rest.Request }

func (s *Service) getAccount(ctx context.Context, in *getAccountInput) (*profileOutput, error) {
	p, err := s.Profile(ctx, ID(in.Caller.Account))
	if err != nil {
		return nil, err
	}
	return s.newProfileOutput(p), nil
}

type patchAccountInput struct {
	rest.Request
	Body struct {
		FirstName *string `json:"first_name,omitempty"`
		LastName  *string `json:"last_name,omitempty"`
		Username  *string `json:"username,omitempty"`
		Bio       *string `json:"bio,omitempty" doc:"At most 500 characters; empty clears it."`
		Language  *string `json:"language,omitempty" doc:"One of the offered languages."`
	}
}

func (s *Service) patchAccount(ctx context.Context, in *patchAccountInput) (*profileOutput, error) {
	b := in.Body
	p, err := s.Change(ctx, ID(in.Caller.Account), Changes{
		FirstName: b.FirstName, LastName: b.LastName, Username: b.Username, Bio: b.Bio, Lang: b.Language,
	})
	if err != nil {
		return nil, err
	}
	return s.newProfileOutput(p), nil
}

type alwaysAskInput struct {
	rest.Request
	Body struct {
		AlwaysAsk bool `json:"always_ask"`
	}
}

func (s *Service) putAlwaysAsk(ctx context.Context, in *alwaysAskInput) (*struct{}, error) {
	return nil, s.SetAlwaysAsk(ctx, ID(in.Caller.Account), in.Body.AlwaysAsk)
}

type securityInput struct{ rest.Request }

type securityOutput struct {
	Body map[string]Protection
}

func (s *Service) getSecurity(ctx context.Context, in *securityInput) (*securityOutput, error) {
	lines, err := s.Security(ctx, ID(in.Caller.Account))
	return &securityOutput{lines}, err
}
