package account

import (
	"context"
	"net/http"

	"coffer/internal/fault"
	"coffer/internal/rest"
)

func (s *Service) lifecycleRoutes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/deactivate", ID: "deactivate-account", Tag: tag, Access: rest.Session, Status: http.StatusNoContent, Rows: "F-A5",
		Summary: "Deactivate my account",
		Description: "Every session, remembered device and outstanding link of the account ends at once. Nothing is deleted. " +
			"The owner activates the account again with the password and a mailed link, as often as wished. The server keeps its last active admin.",
		Errors: []*fault.Error{ErrLastAdmin},
	}, s.postDeactivate)
}

type deactivateInput struct{ rest.Request }

// signedOutOutput tells a browser to drop what it holds of an account that it left.
type signedOutOutput struct {
	ClearSiteData string `header:"Clear-Site-Data"`
}

func (s *Service) postDeactivate(ctx context.Context, in *deactivateInput) (*signedOutOutput, error) {
	if err := s.Deactivate(ctx, ID(in.Caller.Account)); err != nil {
		return nil, err
	}
	return &signedOutOutput{ClearSiteData: `"cache","cookies","storage"`}, nil
}
