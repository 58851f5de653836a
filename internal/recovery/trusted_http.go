package recovery

import (
	"context"
	"net/http"
	"time"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/limit"
	"coffer/internal/rest"
	"coffer/internal/session"
	"coffer/internal/token"
)

// trustedRoutes registers the operations of the trusted address.
func (s *Service) trustedRoutes(a *rest.API) {
	a.Tell("trusted_rest_seconds", "How long a trusted address rests after it was verified.", int64(s.Cooldown/time.Second))
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/account/trusted-email", ID: "read-trusted-email", Tag: tag, Access: rest.StepUp, Status: http.StatusOK, Rows: "F-R2",
		Summary: "Read the trusted address",
	}, s.getTrusted)
	rest.Register(a, rest.Op{
		Method: http.MethodPut, Path: "/account/trusted-email", ID: "set-trusted-email", Tag: tag, Access: rest.StepUp, Repairs: true, Status: http.StatusAccepted, Rows: "F-R2",
		Summary: "Ask for another trusted address",
		Description: "The server mails a link to the address, and a notice to every verified one. The present trusted address stays until the new one is verified. " +
			"Two layers must be on.",
		Errors: []*fault.Error{errTwoLayers, limit.ErrLimited},
	}, s.putTrusted)
	rest.Register(a, rest.Op{
		Method: http.MethodDelete, Path: "/account/trusted-email", ID: "delete-trusted-email", Tag: tag, Access: rest.StepUp, Repairs: true, Status: http.StatusNoContent, Rows: "F-R2",
		Summary:     "Turn the trusted address off",
		Description: "Every verified address is told, the trusted one too. A link for another address ends.",
	}, s.deleteTrusted)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/trusted-email/verify", ID: "verify-trusted-email", Tag: tag, Status: http.StatusNoContent, Rows: "F-R2",
		Summary: "Verify a trusted address with the mailed link",
		Description: "The link works once. The address gets every notice from now on, and takes part in recovery after a rest. " +
			"A refusal with 409 leaves the link good.",
		Errors: []*fault.Error{account.ErrLinkGone, errTwoLayers, account.ErrTrustedIsPrimary, limit.ErrLimited},
	}, s.postVerifyTrusted)
	s.checkRoute(a, "/auth/trusted-email/verify/check", "check-trusted-email", "F-R2", s.check(trustedLink))
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/recovery/trusted-email", ID: "recover-by-trusted-email", Tag: tag, Status: http.StatusAccepted, Rows: "F-R2",
		Summary:     "Ask for a link to the trusted address",
		Description: "The answer is 202 for every identifier. Only a trusted address whose rest is over gets a mail. A further link leaves older ones good.",
		Errors:      []*fault.Error{limit.ErrLimited},
	}, s.postRecover)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/recovery/trusted-email/confirm", ID: "confirm-trusted-recovery", Tag: tag, Status: http.StatusCreated, Rows: "F-R2, F-R3",
		Summary: "Open a recovery session with the link to the trusted address",
		Description: "The link works once. The first such session may set a new password, and begins a wait. With a link that was asked for when the wait was over, the next one may also change layers, unless " +
			"somebody stopped the recovery or passed a layer meanwhile. recovery.from tells from when on. A wait ends unused after 7 days.",
		Errors: []*fault.Error{account.ErrLinkGone, token.ErrPublicKey, session.ErrDeactivated, session.ErrSuspended, account.ErrCredentials, limit.ErrLimited},
	}, s.postConfirmRecover)
	s.checkRoute(a, "/auth/recovery/trusted-email/confirm/check", "check-trusted-recovery", "F-R2", s.checkRecover)
}

type trustedInput struct{ rest.Request }

type trustedOutput struct{ Body Trusted }

func (s *Service) getTrusted(ctx context.Context, in *trustedInput) (*trustedOutput, error) {
	t, err := s.ReadTrusted(ctx, account.ID(in.Caller.Account))
	return &trustedOutput{t}, err
}

type putTrustedInput struct {
	rest.Request
	Body struct {
		Email string `json:"email" doc:"Another address than the primary one."`
	}
}

func (s *Service) putTrusted(ctx context.Context, in *putTrustedInput) (*account.Accepted, error) {
	if err := s.AskTrusted(ctx, in.Caller, in.Body.Email, account.SourceOf(in.Client.Addr)); err != nil {
		return nil, err
	}
	return account.NewAccepted(), nil
}

func (s *Service) deleteTrusted(ctx context.Context, in *trustedInput) (*struct{}, error) {
	return nil, s.DropTrusted(ctx, in.Caller)
}

func (s *Service) postVerifyTrusted(ctx context.Context, in *account.CheckInput) (*struct{}, error) {
	if err := s.Accounts.TakeProof(ctx, in.Client); err != nil {
		return nil, err
	}
	return nil, s.VerifyTrusted(ctx, in.Body.Token)
}

type recoverInput struct {
	rest.Request
	Body struct {
		Identifier string `json:"identifier" maxLength:"320" doc:"Primary e-mail address or username."`
	}
}

func (s *Service) postRecover(ctx context.Context, in *recoverInput) (*account.Accepted, error) {
	if err := s.Limit.Take(ctx, s.Accounts.MailAddressLimit, limit.AddrKey(in.Client.Addr)); err != nil {
		return nil, err
	}
	if err := s.AskRecovery(ctx, in.Body.Identifier, account.SourceOf(in.Client.Addr)); err != nil {
		return nil, err
	}
	return account.NewAccepted(), nil
}

type confirmRecoverInput struct {
	rest.Request
	session.Browser
	Body ConfirmBody
}

func (s *Service) postConfirmRecover(ctx context.Context, in *confirmRecoverInput) (*session.Answer, error) {
	if err := s.Accounts.TakeProof(ctx, in.Client); err != nil {
		return nil, err
	}
	return session.Respond(s.RecoverTrusted(ctx, in.Body.Token, in.Browser.With(in.Body.SessionRequest), in.Client))
}
