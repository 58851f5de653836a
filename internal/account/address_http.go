package account

import (
	"context"
	"net/http"

	"coffer/internal/fault"
	"coffer/internal/limit"
	"coffer/internal/rest"
)

// addressRoutes registers the operations that change the address or delete the account.
func (s *Service) addressRoutes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/email", ID: "change-email", Repairs: true, Tag: tag, Access: rest.StepUp, Status: http.StatusAccepted, Rows: "F-U2",
		Summary: "Ask for another e-mail address",
		Description: "The server mails a link to the new address, and a notice with an undo link to the present one, which counts until the new one is confirmed. " +
			"The answer is the same when another account has the new address. A new request replaces the one before.",
		Errors: []*fault.Error{ErrNotFound, limit.ErrLimited},
	}, s.postEmail)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/email/confirm", ID: "confirm-email", Repairs: true, Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-U2",
		Summary: "Confirm the new e-mail address",
		Description: "The caller sends the token of the mailed link, with a session of the account that asked for the change. " +
			"The link works once. It stays valid when another account got the address meanwhile (409).",
		Errors: []*fault.Error{ErrLinkGone, ErrEmailTaken, limit.ErrLimited},
	}, s.postConfirmEmail)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/email/confirm/check", ID: "check-confirm-email", Repairs: true, Tag: tag, Access: rest.Session, Status: http.StatusNoContent, Rows: "F-U2",
		Summary:     "Check a link that confirms an address",
		Description: "The answer is 204 while the link works for the caller's account. The check uses nothing up.",
		Errors:      []*fault.Error{ErrLinkGone, limit.ErrLimited},
	}, s.postCheckConfirmEmail)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/email/undo", ID: "undo-email", Tag: tag, Status: http.StatusNoContent, Rows: "F-U2",
		Summary: "Undo a change of the e-mail address",
		Description: "The account gets the address back that the link was mailed to, whether the change was confirmed or still waits. All its sessions, remembered devices, " +
			"open sign-ins and links end, and so do undo links that were mailed to later addresses. The link works once, for 72 hours. " +
			"When another account got the address meanwhile, the answer is 409 and nothing changes.",
		Errors: []*fault.Error{ErrLinkGone, ErrEmailTaken, limit.ErrLimited},
	}, s.postUndoEmail)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/email/undo/check", ID: "check-undo-email", Tag: tag, Status: http.StatusNoContent, Rows: "F-U2",
		Summary:     "Check a link that undoes a change",
		Description: "The answer is 204 while the link works. The check uses nothing up.",
		Errors:      []*fault.Error{ErrLinkGone, limit.ErrLimited},
	}, s.Checked(s.CheckUndoEmail))
	rest.Register(a, rest.Op{
		Method: http.MethodDelete, Path: "/account", ID: "delete-account", Tag: tag, Access: rest.StepUp, Status: http.StatusNoContent, Rows: "F-A7",
		Summary: "Delete my account for good",
		Description: "All sessions end at once and the account's key is destroyed, so nothing personal opens any more. Jobs remove the content of its files. " +
			"After 204 the address and the username are free. When a store fails in between, the answer is 503 and the server goes on by itself. " +
			"The only admin is refused with 409 last_admin.",
		Errors: []*fault.Error{ErrNotFound, ErrLastAdmin},
	}, s.deleteAccount)
}

type emailInput struct {
	rest.Request
	Body struct {
		Email string `json:"email" doc:"The new address."`
	}
}

func (s *Service) postEmail(ctx context.Context, in *emailInput) (*Accepted, error) {
	if err := s.ChangeEmail(ctx, ID(in.Caller.Account), in.Body.Email, SourceOf(in.Client.Addr)); err != nil {
		return nil, err
	}
	return NewAccepted(), nil
}

func (s *Service) postConfirmEmail(ctx context.Context, in *CheckInput) (*profileOutput, error) {
	if err := s.TakeProof(ctx, in.Client); err != nil {
		return nil, err
	}
	p, err := s.ConfirmEmail(ctx, ID(in.Caller.Account), in.Body.Token)
	if err != nil {
		return nil, err
	}
	return s.newProfileOutput(p), nil
}

func (s *Service) postCheckConfirmEmail(ctx context.Context, in *CheckInput) (*struct{}, error) {
	if err := s.TakeProof(ctx, in.Client); err != nil {
		return nil, err
	}
	return nil, s.CheckConfirmEmail(ctx, ID(in.Caller.Account), in.Body.Token)
}

func (s *Service) postUndoEmail(ctx context.Context, in *CheckInput) (*struct{}, error) {
	if err := s.TakeProof(ctx, in.Client); err != nil {
		return nil, err
	}
	return nil, s.UndoEmail(ctx, in.Body.Token)
}

type deleteAccountInput struct{ rest.Request }

func (s *Service) deleteAccount(ctx context.Context, in *deleteAccountInput) (*signedOutOutput, error) {
	if err := s.Delete(ctx, ID(in.Caller.Account)); err != nil {
		return nil, err
	}
	return &signedOutOutput{ClearSiteData: `"cache","cookies","storage"`}, nil
}
