package recovery

import (
	"context"
	"net/http"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/limit"
	"coffer/internal/rest"
	"coffer/internal/session"
	"coffer/internal/token"
)

const tag = "Recovery"

// Routes registers every operation of this room.
func (s *Service) Routes(a *rest.API) {
	opens := []*fault.Error{account.ErrLinkGone, session.ErrSuspended, token.ErrPublicKey, errNotSignedIn, limit.ErrLimited}
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/password/forgot", ID: "forgot-password", Tag: tag, Status: http.StatusAccepted, Rows: "F-A9",
		Summary:     "Ask for a link to set a new password",
		Description: "The answer is 202 for every address. Only an account's primary address gets a mail. A further link leaves older ones good.",
		Errors:      []*fault.Error{limit.ErrLimited},
	}, s.postForgot)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/password/reset", ID: "reset-password", Tag: tag, Status: http.StatusCreated, Rows: "F-A10",
		Summary: "Set a new password with the mailed link",
		Description: "The link works once. A password that breaks a rule leaves it good. Every session, remembered device and outstanding link of the account ends. " +
			"The answer is 201 with a session, or 202 with the layers that the account asks for. Two answers come after the password was set: " +
			"403 account_deactivated or account_suspended for an account that stays so, and 503 not_signed_in when the server could open no session.",
		Errors: append([]*fault.Error{session.ErrDeactivated, account.ErrBusy}, opens...),
	}, s.postReset)
	s.checkRoute(a, "/auth/password/reset/check", "check-reset-password", "F-A10", s.check(resetLink))
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/activate", ID: "activate", Tag: tag, Status: http.StatusAccepted, Rows: "F-A6",
		Summary:     "Ask for a link to activate a deactivated account",
		Description: "The answer is 202 for right credentials. Only a deactivated account gets a mail. The limits are those of a sign-in.",
		Errors:      []*fault.Error{account.ErrCredentials, session.ErrSignInHeld, session.ErrSuspended, limit.ErrLimited, account.ErrBusy},
	}, s.postActivate)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/activate/confirm", ID: "confirm-activation", Tag: tag, Status: http.StatusCreated, Rows: "F-A6",
		Summary: "Activate an account with the mailed link",
		Description: "The link works once. The answer is 201 with a session, or 202 with the layers that the account asks for. " +
			"After 503 not_signed_in the account is active, and the server could open no session.",
		Errors: opens,
	}, s.postConfirm)
	s.checkRoute(a, "/auth/activate/check", "check-activation", "F-A6", s.check(activateLink))
	s.backupRoutes(a)
	s.stopRoutes(a)
	s.trustedRoutes(a)
}

// checkRoute registers the operation that tells whether a link works.
func (s *Service) checkRoute(a *rest.API, path, id, rows string, check func(ctx context.Context, token string) error) {
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: path, ID: id, Tag: tag, Status: http.StatusNoContent, Rows: rows,
		Summary:     "Check a mailed link",
		Description: "The answer is 204 while the link with this token works. The check uses nothing up.",
		Errors:      []*fault.Error{account.ErrLinkGone, limit.ErrLimited},
	}, s.Accounts.Checked(check))
}

type forgotInput struct {
	rest.Request
	Body struct {
		Email string `json:"email" doc:"The account's primary address."`
	}
}

func (s *Service) postForgot(ctx context.Context, in *forgotInput) (*account.Accepted, error) {
	if err := s.Limit.Take(ctx, s.Accounts.MailAddressLimit, limit.AddrKey(in.Client.Addr)); err != nil {
		return nil, err
	}
	if err := s.Forgot(ctx, in.Body.Email, account.SourceOf(in.Client.Addr)); err != nil {
		return nil, err
	}
	return account.NewAccepted(), nil
}

// ResetBody is the body of a reset. It is exported because the schema of a body leaves out
// embedded types that are not.
type ResetBody struct {
	Token    string `json:"token" maxLength:"100" doc:"From the link."`
	Password string `json:"password" doc:"The new password. The rules are those of a sign-up."`
	session.SessionRequest
}

type resetInput struct {
	rest.Request
	session.Browser
	Body ResetBody
}

func (s *Service) postReset(ctx context.Context, in *resetInput) (*session.Answer, error) {
	if err := s.Accounts.TakeProof(ctx, in.Client); err != nil {
		return nil, err
	}
	return session.Respond(s.Reset(ctx, in.Body.Token, in.Body.Password, in.Browser.With(in.Body.SessionRequest), in.Client))
}

type activateInput struct {
	rest.Request
	Body struct {
		Identifier string `json:"identifier" maxLength:"320" doc:"E-mail address or username."`
		Password   string `json:"password"`
	}
}

func (s *Service) postActivate(ctx context.Context, in *activateInput) (*account.Accepted, error) {
	if err := s.Activate(ctx, in.Body.Identifier, in.Body.Password, in.Client); err != nil {
		return nil, err
	}
	return account.NewAccepted(), nil
}

// ConfirmBody is the body of an activation; see ResetBody.
type ConfirmBody struct {
	Token string `json:"token" maxLength:"100" doc:"From the link."`
	session.SessionRequest
}

type confirmInput struct {
	rest.Request
	session.Browser
	Body ConfirmBody
}

func (s *Service) postConfirm(ctx context.Context, in *confirmInput) (*session.Answer, error) {
	if err := s.Accounts.TakeProof(ctx, in.Client); err != nil {
		return nil, err
	}
	return session.Respond(s.ConfirmActivation(ctx, in.Body.Token, in.Browser.With(in.Body.SessionRequest), in.Client))
}
