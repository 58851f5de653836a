package session

import (
	"cmp"
	"context"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/limit"
	"coffer/internal/rest"
	"coffer/internal/token"
)

const (
	tagSignIn  = "Sign-in"
	tagDevices = "Devices"
)

// Routes registers every operation of this room.
func (s *Service) Routes(a *rest.API) {
	a.Tell("step_up_seconds", "How long a fresh proof counts for sensitive changes.", seconds(s.StepUpTTL))
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/sign-in", ID: "sign-in", Tag: tagSignIn, Status: http.StatusCreated, Rows: "F-A3, F-S1, F-S3",
		Summary:     "Sign in with e-mail or username and password",
		Description: "The answer is 201 with a session, or 202 with the layers that the account asks for. A remembered device skips the layers it has passed.",
		Errors:      []*fault.Error{account.ErrCredentials, ErrSignInHeld, token.ErrPublicKey, ErrDeactivated, ErrSuspended, limit.ErrLimited, account.ErrBusy},
	}, s.postSignIn)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/auth/attempts/{id}", ID: "read-attempt", Tag: tagSignIn, Access: rest.Attempt, Status: http.StatusOK, Rows: "F-A3",
		Summary: "The layers of a sign-in that are still open",
	}, s.getAttempt)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/refresh", ID: "refresh", Tag: tagSignIn, Access: rest.Refresh, Cookie: refreshCookie, Status: http.StatusCreated, Rows: "F-A11, F-S3",
		Summary: "The next access and refresh token",
		Description: "The refresh token comes from the cookie or the body and works once. A repetition within the grace gets the same answer while the next token is unused. Any other second use ends the session. " +
			"A session with proofs also wants this request signed, over @method, @target-uri and, with a body, content-digest.",
		Errors: []*fault.Error{token.ErrPublicKey},
	}, s.postRefresh)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/sign-out", ID: "sign-out", Tag: tagSignIn, Status: http.StatusNoContent, Rows: "F-A4",
		Summary:     "Sign out",
		Description: "The caller sends the access token or, after its expiry, the refresh token. The session ends everywhere at once. A session with proofs wants this request signed.",
		Errors:      []*fault.Error{token.ErrUnauthenticated, rest.ErrProof},
	}, s.postSignOut)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/reauthenticate", ID: "reauthenticate", Tag: tagSignIn, Access: rest.Session, Status: http.StatusCreated, Rows: "F-A14",
		Summary:     "Re-authenticate",
		Description: "The answer is 201 with a new access token of the same session, or 202 with layers that the session has not passed.",
		Errors:      []*fault.Error{account.ErrCredentials, limit.ErrLimited, account.ErrBusy},
	}, s.postReauthenticate)
	s.passwordRoutes(a)
	s.deviceRoutes(a)
	s.endDeviceRoutes(a)
	s.unlockRoutes(a)
}

func (s *Service) deviceRoutes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/sessions", ID: "list-sessions", Tag: tagDevices, Access: rest.Session, Status: http.StatusOK, Rows: "F-A12",
		Summary: "List the account's sessions, the newest first",
	}, s.getList)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/sessions/{id}", ID: "read-session", Tag: tagDevices, Access: rest.Session, Status: http.StatusOK, Rows: "F-A12",
		Summary: "Read one session", Errors: []*fault.Error{errNoSession},
	}, s.getOne)
	rest.Register(a, rest.Op{
		Method: http.MethodPatch, Path: "/sessions/{id}", ID: "rename-session", Tag: tagDevices, Access: rest.Session, Status: http.StatusOK, Rows: "F-A12",
		Summary: "Name a session", Errors: []*fault.Error{errNoSession},
	}, s.patchOne)
	rest.Register(a, rest.Op{
		Method: http.MethodDelete, Path: "/sessions/{id}", ID: "revoke-session", Tag: tagDevices, Access: rest.Session, Status: http.StatusNoContent, Rows: "F-A13",
		Summary: "End one session, at once and everywhere", Errors: []*fault.Error{errNoSession},
	}, s.deleteOne)
	rest.Register(a, rest.Op{
		Method: http.MethodDelete, Path: "/sessions", ID: "revoke-other-sessions", Tag: tagDevices, Access: rest.Session, Status: http.StatusNoContent, Rows: "F-A13",
		Summary: "End every session but this one",
	}, s.deleteOthers)
}

// The cookies. A __Host- cookie is Secure, of this host alone and of every path (RFC 6265bis
// §4.1.3.2).
const (
	refreshCookie = "__Host-coffer-refresh"
	deviceCookie  = "__Host-coffer-device"
	inBody        = "body"
)

func cookie(name, value string, life time.Duration) http.Cookie {
	return http.Cookie{
		Name: name, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		MaxAge: max(1, int(seconds(life))),
	}
}

// Browser is the part of a request that only browsers send.
type Browser struct {
	RefreshCookie string `cookie:"__Host-coffer-refresh" doc:"Set by the server."`
	DeviceCookie  string `cookie:"__Host-coffer-device" doc:"Set by the server."`
}

// With adds the browser's cookies to what its request asks of a session.
func (b Browser) With(r SessionRequest) SessionRequest {
	r.DeviceToken, r.Former = cmp.Or(r.DeviceToken, b.DeviceCookie), b.RefreshCookie
	return r
}

// Session is an open session.
type Session struct {
	SessionID        string           `json:"session_id"`
	AccessToken      string           `json:"access_token"`
	TokenType        string           `json:"token_type" enum:"Bearer"`
	ExpiresIn        int64            `json:"expires_in" doc:"Seconds that the access token lives."`
	RefreshToken     string           `json:"refresh_token,omitempty" doc:"With refresh_in body; else it is a cookie."`
	RefreshExpiresIn int64            `json:"refresh_expires_in" doc:"Seconds until the session ends unless it is refreshed."`
	DeviceToken      string           `json:"device_token,omitempty" doc:"With remember_device and refresh_in body; else it is a cookie."`
	ServerPublicKey  *token.PublicKey `json:"server_public_key"`
	Binding          string           `json:"binding" enum:"none,proof" doc:"Whether the session accepts only signed requests."`
	AAL              string           `json:"aal" doc:"Assurance level: aal1 or aal2 (NIST SP 800-63B), or recovery: the session may only repair the account."`
	AMR              []string         `json:"amr" doc:"Authentication methods (RFC 8176)."`
	Account          Owner            `json:"account"`
	Recovery         *Recovery        `json:"recovery,omitempty" doc:"Of a session whose aal is recovery."`
}

// Owner is whose session it is.
type Owner struct {
	ID account.ID `json:"id"`
}

// AnswerBody is an open session or a challenge.
type AnswerBody struct {
	Session   *Session
	Challenge *Challenge
}

// MarshalJSON writes whichever of the two it is.
func (b AnswerBody) MarshalJSON() ([]byte, error) {
	if b.Challenge != nil {
		return json.Marshal(b.Challenge)
	}
	return json.Marshal(b.Session)
}

// Schema implements huma.SchemaProvider.
func (AnswerBody) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		r.Schema(reflect.TypeFor[Session](), true, "Session"), r.Schema(reflect.TypeFor[Challenge](), true, "Challenge"),
	}}
}

// Answer is what every call that may open a session answers: 201 with a session, 202 with
// a challenge.
type Answer struct {
	Status    int
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      AnswerBody
}

// Respond turns the outcome of a call into its answer. A room that is a layer answers an
// attempt with it.
func Respond(out Outcome, err error) (*Answer, error) {
	if err != nil {
		return nil, err
	}
	if out.Challenge != nil {
		return &Answer{Status: http.StatusAccepted, Body: AnswerBody{Challenge: out.Challenge}}, nil
	}
	o := out.Opened
	body := &Session{
		SessionID: o.ID, AccessToken: o.AccessToken, TokenType: "Bearer", ExpiresIn: seconds(o.AccessLife),
		RefreshExpiresIn: seconds(o.RefreshLife), ServerPublicKey: o.ServerKey, AAL: o.AAL, AMR: o.AMR, Recovery: o.Recovery, Account: Owner{o.Account}, Binding: bindingNone,
	}
	if o.Bound {
		body.Binding = bindingProof
	}
	a := &Answer{Status: http.StatusCreated, Body: AnswerBody{Session: body}}
	if o.InBody {
		body.RefreshToken, body.DeviceToken = o.RefreshToken, o.DeviceToken
		return a, nil
	}
	if o.DeviceToken != "" {
		a.SetCookie = append(a.SetCookie, cookie(deviceCookie, o.DeviceToken, o.DeviceLife))
	}
	if o.RefreshToken != "" {
		a.SetCookie = append(a.SetCookie, cookie(refreshCookie, o.RefreshToken, o.RefreshLife))
	}
	return a, nil
}

type signInInput struct {
	rest.Request
	Browser
	Body SignInBody
}

// SignInBody is the body of a sign-in. It is exported because the schema of a body leaves
// out embedded types that are not.
type SignInBody struct {
	Identifier string `json:"identifier" maxLength:"320" doc:"E-mail address or username."`
	Password   string `json:"password"`
	SessionRequest
}

func (s *Service) postSignIn(ctx context.Context, in *signInInput) (*Answer, error) {
	return Respond(s.SignIn(ctx, in.Body.Identifier, in.Body.Password, in.Browser.With(in.Body.SessionRequest), in.Client))
}

// AttemptInput is the input of every operation on an attempt; rooms of layers embed it.
type AttemptInput struct {
	rest.Request
	ID            string `path:"id" doc:"attempt_id of the challenge."`
	Authorization string `header:"Authorization" doc:"Attempt <attempt_token>"`
}

func (in AttemptInput) token() (string, bool) {
	return rest.Credentials(in.Authorization, "Attempt")
}

func (s *Service) getAttempt(ctx context.Context, in *AttemptInput) (*Answer, error) {
	c, err := s.Attempt(ctx, *in)
	if err != nil {
		return nil, err
	}
	return &Answer{Status: http.StatusOK, Body: AnswerBody{Challenge: c}}, nil
}

type refreshInput struct {
	rest.Request
	Browser
	Body *RefreshBody `required:"false"`
}

// RefreshBody is the body of a refresh by clients without cookies.
type RefreshBody struct {
	RefreshToken string           `json:"refresh_token,omitempty" maxLength:"100"`
	PublicKey    *token.PublicKey `json:"public_key,omitempty" doc:"The key that the session was opened with. The server refuses any other key."`
}

func (s *Service) postRefresh(ctx context.Context, in *refreshInput) (*Answer, error) {
	body := in.Body
	if body == nil {
		body = &RefreshBody{}
	}
	out, err := s.Refresh(ctx, in.Sent, cmp.Or(body.RefreshToken, in.RefreshCookie), body.PublicKey)
	if err != nil {
		return nil, err
	}
	out.InBody = body.RefreshToken != ""
	return Respond(Outcome{Opened: out}, nil)
}

type signOutInput struct {
	rest.Request
	Browser
	Authorization string       `header:"Authorization" doc:"Bearer <access_token>"`
	Body          *SignOutBody `required:"false"`
}

// SignOutBody is the body of a sign-out by clients whose access token has expired.
type SignOutBody struct {
	RefreshToken string `json:"refresh_token,omitempty" maxLength:"100"`
}

type signOutOutput struct {
	ClearSiteData string        `header:"Clear-Site-Data"`
	SetCookie     []http.Cookie `header:"Set-Cookie"`
}

func (s *Service) postSignOut(ctx context.Context, in *signOutInput) (*signOutOutput, error) {
	refresh := in.RefreshCookie
	if in.Body != nil {
		refresh = cmp.Or(in.Body.RefreshToken, refresh)
	}
	if err := s.SignOut(ctx, in.Sent, refresh); err != nil {
		return nil, err
	}
	gone := cookie(refreshCookie, "", 0)
	gone.MaxAge = -1
	out := &signOutOutput{ClearSiteData: `"cache","cookies","storage"`, SetCookie: []http.Cookie{gone}}
	if strings.HasPrefix(in.DeviceCookie, deviceVersion) {
		// A remembered device stays one after a sign-out, so its cookie is left alone: a
		// browser that clears cookies also drops one that the same answer sets.
		out.ClearSiteData = `"cache","storage"`
	}
	return out, nil
}

type reauthenticateInput struct {
	rest.Request
	Body struct {
		Password string `json:"password"`
	}
}

func (s *Service) postReauthenticate(ctx context.Context, in *reauthenticateInput) (*Answer, error) {
	return Respond(s.Reauthenticate(ctx, in.Caller, in.Client, in.Body.Password))
}

type listInput struct {
	rest.Request
	rest.Paging
}

type listOutput struct{ Body rest.Page[ListedSession] }

func (s *Service) getList(ctx context.Context, in *listInput) (*listOutput, error) {
	page, err := s.List(ctx, in.Caller, in.Paging)
	return &listOutput{page}, err
}

// OneInput names one session.
type OneInput struct {
	rest.Request
	ID string `path:"id" maxLength:"64"`
}

type oneOutput struct{ Body ListedSession }

func (s *Service) getOne(ctx context.Context, in *OneInput) (*oneOutput, error) {
	d, err := s.Get(ctx, in.Caller, in.ID)
	return &oneOutput{d}, err
}

type patchInput struct {
	OneInput
	Body struct {
		Name string `json:"name" minLength:"1" maxLength:"100"`
	}
}

func (s *Service) patchOne(ctx context.Context, in *patchInput) (*oneOutput, error) {
	d, err := s.Rename(ctx, in.Caller, in.ID, in.Body.Name)
	return &oneOutput{d}, err
}

func (s *Service) deleteOne(ctx context.Context, in *OneInput) (*struct{}, error) {
	return nil, s.Revoke(ctx, account.ID(in.Caller.Account), in.ID)
}

type othersInput struct{ rest.Request }

func (s *Service) deleteOthers(ctx context.Context, in *othersInput) (*struct{}, error) {
	return nil, s.RevokeAll(ctx, account.ID(in.Caller.Account), in.Caller.Session)
}
