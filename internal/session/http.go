package session

import (
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
)

const (
	tagSignIn  = "Sign-in"
	tagDevices = "Devices"
)

// Routes registers every operation of this room.
func (s *Service) Routes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/sign-in", ID: "sign-in", Tag: tagSignIn, Status: http.StatusCreated, Rows: "F-A3, F-S1",
		Summary:     "Sign in with e-mail or username and password",
		Description: "201 with a session, or 202 with the layers that this account asks for. A remembered device is not asked again.",
		Errors:      []*fault.Error{account.ErrCredentials, errPublicKey, errDeactivated, limit.ErrLimited, account.ErrBusy},
	}, s.postSignIn)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/auth/attempts/{id}", ID: "read-attempt", Tag: tagSignIn, Access: rest.Attempt, Status: http.StatusOK, Rows: "F-A3",
		Summary: "The layers of a sign-in that are still open",
	}, s.getAttempt)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/refresh", ID: "refresh", Tag: tagSignIn, Access: rest.Refresh, Cookie: refreshCookie, Status: http.StatusCreated, Rows: "F-A11",
		Summary:     "The next access and refresh token",
		Description: "The refresh token comes from the cookie or the body and is used up. Asked again within the grace, while the next one is unused, the answer is the same; any other second use ends the session.",
		Errors:      []*fault.Error{errPublicKey},
	}, s.postRefresh)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/sign-out", ID: "sign-out", Tag: tagSignIn, Status: http.StatusNoContent, Rows: "F-A4",
		Summary:     "Sign out",
		Description: "By access token or, where that has expired, by refresh token. The session is dead everywhere at once.",
		Errors:      []*fault.Error{errUnauthenticated},
	}, s.postSignOut)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/reauthenticate", ID: "reauthenticate", Tag: tagSignIn, Access: rest.Session, Status: http.StatusCreated, Rows: "F-A14",
		Summary:     "Prove afresh who is there",
		Description: "201 with a new access token of the same session, or 202 with layers that this session has not passed.",
		Errors:      []*fault.Error{account.ErrCredentials, limit.ErrLimited, account.ErrBusy},
	}, s.postReauthenticate)
	s.deviceRoutes(a)
	s.jwksRoutes(a)
}

func (s *Service) deviceRoutes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/sessions", ID: "list-sessions", Tag: tagDevices, Access: rest.Session, Status: http.StatusOK, Rows: "F-A12",
		Summary: "Where the account is signed in, the newest first",
	}, s.getList)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/sessions/{id}", ID: "read-session", Tag: tagDevices, Access: rest.Session, Status: http.StatusOK, Rows: "F-A12",
		Summary: "One session", Errors: []*fault.Error{errNoSession},
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

func (s *Service) jwksRoutes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/.well-known/jwks.json", ID: "read-jwks", Tag: tagSignIn, Status: http.StatusOK, Rows: "F-S2",
		Summary:     "The keys that sign access tokens",
		Description: "Also at /.well-known/jwks.json without /v1. The next key is here an hour before it signs, the last one until its tokens are dead.",
	}, s.getJWKS)
	a.Handle("GET /.well-known/jwks.json", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		set, err := s.JWKS(r.Context())
		var body []byte
		if err == nil {
			body, err = json.Marshal(set)
		}
		if err != nil {
			rest.Refuse(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", jwksCaching)
		_, _ = w.Write(body) // who hung up reads no answer
	}))
}

// jwksCaching is far below the hour that a key is published before it signs.
const jwksCaching = "public, max-age=300"

// Session is an open session.
type Session struct {
	SessionID        string     `json:"session_id"`
	AccessToken      string     `json:"access_token"`
	TokenType        string     `json:"token_type" enum:"Bearer"`
	ExpiresIn        int64      `json:"expires_in" doc:"Seconds that the access token lives."`
	RefreshToken     string     `json:"refresh_token,omitempty" doc:"With refresh_in body; else it is a cookie."`
	RefreshExpiresIn int64      `json:"refresh_expires_in" doc:"Seconds until the session ends unless it is refreshed."`
	DeviceToken      string     `json:"device_token,omitempty" doc:"With remember_device and refresh_in body; else it is a cookie."`
	ServerPublicKey  *PublicKey `json:"server_public_key"`
	AAL              string     `json:"aal" doc:"How sure we are: aal1 or aal2 (NIST SP 800-63B)."`
	AMR              []string   `json:"amr" doc:"By which methods (RFC 8176)."`
	Account          Owner      `json:"account"`
}

// Owner is whose session it is.
type Owner struct {
	ID account.ID `json:"id"`
}

// Challenge is a sign-in that asks for more.
type Challenge struct {
	AttemptID    string           `json:"attempt_id"`
	AttemptToken string           `json:"attempt_token" doc:"Send it as Authorization: Attempt <token>."`
	ExpiresIn    int64            `json:"expires_in" doc:"Seconds."`
	Layers       []ChallengeLayer `json:"layers" doc:"Each must be passed, in any order."`
	Passkey      bool             `json:"passkey" doc:"Whether a passkey would pass all of them at once."`
}

// ChallengeLayer is one layer that is asked.
type ChallengeLayer struct {
	Layer string `json:"layer"`
	Done  bool   `json:"done"`
	Prompt
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

func (s *Service) newAnswer(r row, d *derived) *Answer {
	return &Answer{Status: http.StatusCreated, Body: AnswerBody{Session: &Session{
		SessionID: r.ID, ServerPublicKey: suiteOf(d.server).jwk(d.server), AAL: r.AAL, AMR: strings.Fields(r.AMR), Account: Owner{r.Account},
	}}}
}

func (s *Service) challenge(a attemptRow, p plan, token string) *Answer {
	c := &Challenge{AttemptID: a.ID, AttemptToken: token, ExpiresIn: seconds(time.UnixMilli(a.Expires).Sub(s.Now()))}
	for _, q := range p.Asked {
		c.Layers = append(c.Layers, ChallengeLayer{q.Layer, p.passed(q.Layer), q.Prompt})
	}
	return &Answer{Status: http.StatusAccepted, Body: AnswerBody{Challenge: c}}
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
	Opening
}

func (s *Service) postSignIn(ctx context.Context, in *signInInput) (*Answer, error) {
	return s.SignIn(ctx, in.Body.Identifier, in.Body.Password, in.Body.Opening, in.Browser, in.Client)
}

// AttemptInput is the input of every operation on an attempt; rooms of layers embed it.
type AttemptInput struct {
	rest.Request
	ID            string `path:"id" doc:"attempt_id of the challenge."`
	Authorization string `header:"Authorization" doc:"Attempt <attempt_token>"`
}

func (in AttemptInput) token() (string, bool) {
	return credentials(in.Authorization, "Attempt")
}

func (s *Service) getAttempt(ctx context.Context, in *AttemptInput) (*Answer, error) {
	out, err := s.Attempt(ctx, *in)
	if err == nil {
		out.Status = http.StatusOK
	}
	return out, err
}

type refreshInput struct {
	rest.Request
	Browser
	Body *RefreshBody `required:"false"`
}

// RefreshBody is the body of a refresh by clients without cookies.
type RefreshBody struct {
	RefreshToken string     `json:"refresh_token,omitempty" maxLength:"100"`
	PublicKey    *PublicKey `json:"public_key,omitempty" doc:"The key that the session was opened with; when it is sent, another one is refused."`
}

func (s *Service) postRefresh(ctx context.Context, in *refreshInput) (*Answer, error) {
	body := in.Body
	if body == nil {
		body = &RefreshBody{}
	}
	if body.RefreshToken != "" {
		return s.Refresh(ctx, body.RefreshToken, body.PublicKey, true)
	}
	return s.Refresh(ctx, in.RefreshCookie, body.PublicKey, false)
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
	if in.Body != nil && in.Body.RefreshToken != "" {
		refresh = in.Body.RefreshToken
	}
	if err := s.SignOut(ctx, in.Authorization, refresh); err != nil {
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
	return s.Reauthenticate(ctx, in.Caller, in.Client, in.Body.Password)
}

type listInput struct {
	rest.Request
	rest.Paging
}

type listOutput struct{ Body rest.Page[Device] }

func (s *Service) getList(ctx context.Context, in *listInput) (*listOutput, error) {
	page, err := s.List(ctx, in.Caller, in.Paging)
	return &listOutput{page}, err
}

// OneInput names one session.
type OneInput struct {
	rest.Request
	ID string `path:"id" maxLength:"64"`
}

type oneOutput struct{ Body Device }

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

type jwksOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         JWKS
}

func (s *Service) getJWKS(ctx context.Context, _ *struct{}) (*jwksOutput, error) {
	set, err := s.JWKS(ctx)
	return &jwksOutput{jwksCaching, set}, err
}
