package session

import (
	"context"
	"net/http"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/limit"
	"coffer/internal/rest"
)

func (s *Service) passwordRoutes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodPut, Path: "/account/password", ID: "change-password", Repairs: true, Weakly: true, Tag: tagSignIn, Access: rest.Session, Status: http.StatusCreated, Rows: "F-A8",
		Summary: "Change my password",
		Description: "The answer is 201 with a new access token of the same session, as for reauthenticate. Unless revoke_others is false, every other session and " +
			"remembered device of the account ends at once. Mailed links, open sign-ins and other sessions of a recovery end in any case. The server refuses the present password as the new one. " +
			"An account without a password gives none, and a fresh proof of another kind: without one the answer is 403 step_up_required. " +
			"A recovery session gives no present password, and every other session ends. A strong one becomes an ordinary session. " +
			"For a weak one the answer is 202 with the account's layers; it becomes an ordinary session when they are passed.",
		Errors: []*fault.Error{account.ErrCredentials, errStepUp, limit.ErrLimited, account.ErrBusy},
	}, s.putPassword)
}

type passwordInput struct {
	rest.Request
	Body struct {
		CurrentPassword *string `json:"current_password,omitempty" doc:"Required, except from a recovery session and for an account without a password."`
		NewPassword     string  `json:"new_password" doc:"The rules are those of a sign-up."`
		RevokeOthers    *bool   `json:"revoke_others,omitempty" default:"true" doc:"Whether every other session of the account ends."`
	}
}

func (s *Service) putPassword(ctx context.Context, in *passwordInput) (*Answer, error) {
	b := in.Body
	revoke := b.RevokeOthers == nil || *b.RevokeOthers
	if b.CurrentPassword == nil {
		return Respond(s.FirstPassword(ctx, in.Caller, b.NewPassword, revoke))
	}
	return Respond(s.ChangePassword(ctx, in.Caller, in.Client, *b.CurrentPassword, b.NewPassword, revoke))
}
