package passkey

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/limit"
	"coffer/internal/rest"
	"coffer/internal/session"
	"coffer/internal/token"
)

const tag = "Passkeys"

// Routes registers every operation of this room.
func (s *Service) Routes(a *rest.API) {
	rest.TellValue(a, "passkeys", "Whether browsers allow passkeys here: they need a host name, and TLS.", s.on)
	s.signInRoutes(a)
	s.ownerRoutes(a)
}

func (s *Service) signInRoutes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/passkey/options", ID: "begin-passkey-sign-in", Tag: tag, Status: http.StatusOK, Rows: "F-P1",
		Summary:     "Begin a sign-in with a passkey",
		Description: "The answer is the same for everybody but for its challenge. It fits the browser's parseRequestOptionsFromJSON, and conditional mediation.",
		Errors:      []*fault.Error{errUnavailable, limit.ErrLimited},
	}, s.postSignInOptions)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/passkey", ID: "sign-in-by-passkey", Tag: tag, Status: http.StatusCreated, Rows: "F-P1",
		Summary:     "Sign in with a passkey",
		Description: "The answer is 201 with a session, whatever layers the account has. Every fault of the credential has one answer.",
		Errors:      []*fault.Error{errUnavailable, errPasskey, token.ErrPublicKey, session.ErrDeactivated, session.ErrSuspended, limit.ErrLimited},
	}, s.postSignIn)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/activate/passkey", ID: "activate-by-passkey", Tag: tag, Status: http.StatusAccepted, Rows: "F-A6, F-P1",
		Summary:     "Ask with a passkey for a link to activate a deactivated account",
		Description: "The credential answers a challenge of a sign-in. The answer is 202 for a right one; only a deactivated account gets a mail. Every fault of the credential has one answer.",
		Errors:      []*fault.Error{errUnavailable, errPasskey, session.ErrSuspended, limit.ErrLimited},
	}, s.postActivate)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/attempts/{id}/passkey/options", ID: "begin-passkey-attempt", Tag: tag, Access: rest.Attempt, Status: http.StatusOK, Rows: "F-P1",
		Summary: "Begin to pass a sign-in with a passkey",
		Errors:  []*fault.Error{errUnavailable, session.ErrNotAsked, limit.ErrLimited},
	}, s.postAttemptOptions)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/attempts/{id}/passkey", ID: "pass-passkey", Tag: tag, Access: rest.Attempt, Status: http.StatusCreated, Rows: "F-P1",
		Summary:     "Pass every layer of a sign-in with a passkey",
		Description: "The answer is 201 with a session. Five wrong answers end the attempt.",
		Errors:      []*fault.Error{errUnavailable, errPasskey},
	}, s.postAttempt)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/reauthenticate/passkey/options", ID: "begin-passkey-reauthentication", Tag: tag, Access: rest.Session, Repairs: true, Weakly: true, Status: http.StatusOK, Rows: "F-P1, F-A14",
		Summary: "Begin to re-authenticate with a passkey",
		Errors:  []*fault.Error{errUnavailable, limit.ErrLimited},
	}, s.postRenewalOptions)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/reauthenticate/passkey", ID: "reauthenticate-by-passkey", Tag: tag, Access: rest.Session, Repairs: true, Weakly: true, Status: http.StatusCreated, Rows: "F-P1, F-A14",
		Summary:     "Re-authenticate with a passkey",
		Description: "The answer is 201 with a new access token of the same session, which is aal2 from then on. A recovery session becomes an ordinary one.",
		Errors:      []*fault.Error{errUnavailable, errPasskey, limit.ErrLimited},
	}, s.postRenewal)
}

func (s *Service) ownerRoutes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/account/passkeys", ID: "list-passkeys", Repairs: true, Weakly: true, Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-P1",
		Summary: "List the account's passkeys, the oldest first",
	}, s.getList)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/passkeys/options", ID: "begin-passkey", Repairs: true, Tag: tag, Access: rest.StepUp, Status: http.StatusOK, Rows: "F-P1",
		Summary:     "Begin to add a passkey",
		Description: "The answer fits the browser's parseCreationOptionsFromJSON.",
		Errors:      []*fault.Error{errUnavailable, errTooMany, limit.ErrLimited},
	}, s.postOptions)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/passkeys", ID: "add-passkey", Repairs: true, Tag: tag, Access: rest.StepUp, Status: http.StatusCreated, Rows: "F-P1",
		Summary:     "Add a passkey",
		Description: "Every verified address is told. Without a name the passkey gets that of its product, or \"Passkey\".",
		Errors:      []*fault.Error{errUnavailable, errRefused, errExists, errTooMany},
	}, s.post)
	rest.Register(a, rest.Op{
		Method: http.MethodPatch, Path: "/account/passkeys/{id}", ID: "rename-passkey", Repairs: true, Tag: tag, Access: rest.StepUp, Status: http.StatusOK, Rows: "F-P1",
		Summary: "Name a passkey",
		Errors:  []*fault.Error{errNoPasskey},
	}, s.patch)
	rest.Register(a, rest.Op{
		Method: http.MethodDelete, Path: "/account/passkeys/{id}", ID: "remove-passkey", Repairs: true, Tag: tag, Access: rest.StepUp, Status: http.StatusNoContent, Rows: "F-P1",
		Summary:     "Remove a passkey",
		Description: "Every verified address is told. The last way into an account stays.",
		Errors:      []*fault.Error{errNoPasskey, account.ErrLastWayIn},
	}, s.delete)
}

// Credential is what a browser's PublicKeyCredential.toJSON() returns. Browsers add members,
// so any are allowed.
type Credential jsontext.Value

// UnmarshalJSON keeps the text as it is.
func (c *Credential) UnmarshalJSON(b []byte) error {
	*c = append((*c)[:0], b...)
	return nil
}

// Schema implements huma.SchemaProvider.
func (Credential) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "What PublicKeyCredential.toJSON() returns."}
}

type anyInput struct{ rest.Request }

type requestOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         *RequestOptions
}

func begun(o *RequestOptions, err error) (*requestOutput, error) {
	if err != nil {
		return nil, err
	}
	return &requestOutput{"no-store", o}, nil
}

func (s *Service) postSignInOptions(ctx context.Context, in *anyInput) (*requestOutput, error) {
	return begun(s.BeginSignIn(ctx, in.Client))
}

type signInInput struct {
	rest.Request
	session.Browser
	Body SignInBody
}

// SignInBody is the body of a sign-in. It is exported because the schema of a body leaves out
// embedded types that are not.
type SignInBody struct {
	Credential Credential `json:"credential"`
	session.SessionRequest
}

func (s *Service) postSignIn(ctx context.Context, in *signInInput) (*session.Answer, error) {
	return session.Respond(s.SignIn(ctx, in.Body.Credential, in.Browser.With(in.Body.SessionRequest), in.Client))
}

type credentialInput struct {
	rest.Request
	Body CredentialBody
}

func (s *Service) postActivate(ctx context.Context, in *credentialInput) (*account.Accepted, error) {
	if err := s.Activate(ctx, in.Body.Credential, in.Client); err != nil {
		return nil, err
	}
	return account.NewAccepted(), nil
}

func (s *Service) postAttemptOptions(ctx context.Context, in *session.AttemptInput) (*requestOutput, error) {
	return begun(s.BeginAttempt(ctx, *in))
}

type attemptInput struct {
	session.AttemptInput
	Body CredentialBody
}

// CredentialBody is the body of a proof.
type CredentialBody struct {
	Credential Credential `json:"credential"`
}

func (s *Service) postAttempt(ctx context.Context, in *attemptInput) (*session.Answer, error) {
	return session.Respond(s.PassAttempt(ctx, in.AttemptInput, in.Body.Credential))
}

func (s *Service) postRenewalOptions(ctx context.Context, in *anyInput) (*requestOutput, error) {
	return begun(s.BeginRenewal(ctx, in.Caller))
}

func (s *Service) postRenewal(ctx context.Context, in *credentialInput) (*session.Answer, error) {
	return session.Respond(s.Renew(ctx, in.Caller, in.Client, in.Body.Credential))
}

type listOutput struct {
	Body struct {
		Items []Passkey `json:"items"`
	}
}

func (s *Service) getList(ctx context.Context, in *anyInput) (*listOutput, error) {
	all, err := s.List(ctx, account.ID(in.Caller.Account))
	if err != nil {
		return nil, err
	}
	out := &listOutput{}
	out.Body.Items = all
	return out, nil
}

type creationOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         *CreationOptions
}

func (s *Service) postOptions(ctx context.Context, in *anyInput) (*creationOutput, error) {
	o, err := s.BeginRegistration(ctx, in.Caller)
	if err != nil {
		return nil, err
	}
	return &creationOutput{"no-store", o}, nil
}

type postInput struct {
	rest.Request
	Body struct {
		Credential Credential `json:"credential"`
		Name       string     `json:"name,omitempty" doc:"1 to 64 characters."`
	}
}

type passkeyOutput struct{ Body Passkey }

func (s *Service) post(ctx context.Context, in *postInput) (*passkeyOutput, error) {
	p, err := s.Register(ctx, in.Caller, in.Body.Credential, in.Body.Name)
	return &passkeyOutput{p}, err
}

// OneInput names one passkey.
type OneInput struct {
	rest.Request
	ID string `path:"id" maxLength:"64"`
}

type patchInput struct {
	OneInput
	Body struct {
		Name string `json:"name" doc:"1 to 64 characters."`
	}
}

func (s *Service) patch(ctx context.Context, in *patchInput) (*passkeyOutput, error) {
	p, err := s.Rename(ctx, in.Caller, in.ID, in.Body.Name)
	return &passkeyOutput{p}, err
}

func (s *Service) delete(ctx context.Context, in *OneInput) (*struct{}, error) {
	return nil, s.Remove(ctx, in.Caller, in.ID)
}
