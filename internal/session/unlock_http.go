package session

import (
	"context"
	"net/http"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/limit"
	"coffer/internal/rest"
)

func (s *Service) unlockRoutes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/unlock", ID: "unlock", Tag: tagSignIn, Status: http.StatusOK, Rows: "F-G3",
		Summary: "Confirm by mail that a sign-in is the owner's",
		Description: "The caller sends the token of the link in the mail about a held sign-in. It opens no session: the caller signs in next. " +
			"For a quarter of an hour strangers' guesses hold no right password of the account, from any device, and the caller's device is known from now on: strangers' guesses do not hold its sign-ins. " +
			"It has passed no layer. The link works once.",
		Errors: []*fault.Error{account.ErrLinkGone, limit.ErrLimited},
	}, s.postUnlock)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/unlock/check", ID: "check-unlock", Tag: tagSignIn, Status: http.StatusNoContent, Rows: "F-G3",
		Summary:     "Check a link of a held sign-in",
		Description: "The answer is 204 while the link with this token works. The check uses nothing up.",
		Errors:      []*fault.Error{account.ErrLinkGone, limit.ErrLimited},
	}, s.Accounts.Checked(func(ctx context.Context, token string) error {
		_, err := s.Accounts.FindLink(ctx, unlockPurpose, token)
		return err
	}))
}

// UnlockBody is the body of an unlock.
type UnlockBody struct {
	Token     string `json:"token" maxLength:"100" doc:"From the link."`
	Remember  *bool  `json:"remember,omitempty" default:"true" doc:"Whether this device stays known. Otherwise it is known for a quarter of an hour."`
	RefreshIn string `json:"refresh_in,omitempty" enum:"cookie,body" default:"cookie" doc:"Where the server puts the device token, as for a sign-in."`
}

type unlockInput struct {
	rest.Request
	Browser
	Body UnlockBody
}

// Unlocked says for how long the device is known.
type Unlocked struct {
	DeviceToken string `json:"device_token,omitempty" doc:"With refresh_in body; else it is a cookie. A device that is known already keeps its token."`
	ExpiresIn   int64  `json:"expires_in" doc:"Seconds for which this device is known."`
}

type unlockOutput struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      Unlocked
}

func (s *Service) postUnlock(ctx context.Context, in *unlockInput) (*unlockOutput, error) {
	if err := s.Accounts.TakeProof(ctx, in.Client); err != nil {
		return nil, err
	}
	b := in.Body
	d, err := s.Confirm(ctx, b.Token, in.DeviceCookie, b.Remember == nil || *b.Remember)
	if err != nil {
		return nil, err
	}
	out := &unlockOutput{Body: Unlocked{ExpiresIn: seconds(d.Life)}}
	switch {
	case d.Token == "":
	case b.RefreshIn == inBody:
		out.Body.DeviceToken = d.Token
	default:
		out.SetCookie = []http.Cookie{cookie(deviceCookie, d.Token, d.Life)}
	}
	return out, nil
}
