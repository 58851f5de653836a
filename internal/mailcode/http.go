package mailcode

import (
	"context"
	"net/http"
	"time"

	"coffer/internal/account"
	"coffer/internal/code"
	"coffer/internal/fault"
	"coffer/internal/rest"
	"coffer/internal/session"
)

const tag = "Layers"

// Routes registers every operation of this room.
func (s *Service) Routes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/email-otp", ID: "enable-email-otp", Repairs: true, Tag: tag, Access: rest.StepUp, Status: http.StatusNoContent, Rows: "F-L2",
		Summary:     "Turn mailed codes on",
		Description: "From now on sign-in mails a code to the primary address and asks for it. A session that passed it is aal1.",
	}, s.postLayer)
	rest.Register(a, rest.Op{
		Method: http.MethodDelete, Path: "/account/email-otp", ID: "disable-email-otp", Repairs: true, Tag: tag, Access: rest.StepUp, Status: http.StatusNoContent, Rows: "F-L2",
		Summary: "Turn the layer off",
		Errors:  []*fault.Error{account.ErrRecoveryNeedsLayers},
	}, s.deleteLayer)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/attempts/{id}/email-otp", ID: "pass-email-otp", Tag: tag, Access: rest.Attempt, Status: http.StatusCreated, Rows: "F-L2",
		Summary: "Pass the mailed code's layer of a sign-in",
		Description: "The answer is 201 with a session after the last layer, else 202 with the layers still open. A code works once. " +
			"Five wrong answers end the code and the attempt; ten in an hour stop the account's mailed codes for the rest of it.",
		Errors: []*fault.Error{code.ErrWrong, code.ErrOver, code.ErrTooMany, code.ErrLocked, session.ErrNotAsked},
	}, s.postAttempt)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/attempts/{id}/email-otp/resend", ID: "resend-email-otp", Tag: tag, Access: rest.Attempt, Status: http.StatusAccepted, Rows: "F-L2",
		Summary:     "Mail a further code",
		Description: "The older code ends, and wrong answers stay counted.",
		Errors:      []*fault.Error{code.ErrTooSoon, code.ErrNoMore, session.ErrNotAsked},
	}, s.postResend)
}

type enableInput struct{ rest.Request }

func (s *Service) postLayer(ctx context.Context, in *enableInput) (*struct{}, error) {
	return nil, s.Enable(ctx, in.Caller)
}

func (s *Service) deleteLayer(ctx context.Context, in *account.DropLayerInput) (*struct{}, error) {
	return nil, s.Disable(ctx, in.Caller, in.RecoveryOff())
}

type attemptInput struct {
	session.AttemptInput
	Body struct {
		Code string `json:"code" pattern:"^[0-9]{3} ?[0-9]{3}$" patternDescription:"six digits" doc:"Six digits, from the mail."`
	}
}

func (s *Service) postAttempt(ctx context.Context, in *attemptInput) (*session.Answer, error) {
	return session.Respond(s.pass(ctx, in.AttemptInput, in.Body.Code))
}

type resendOutput struct {
	Body struct {
		ResendAt time.Time `json:"resend_at" doc:"From when on another code may be asked for."`
	}
}

func (s *Service) postResend(ctx context.Context, in *session.AttemptInput) (*resendOutput, error) {
	again, err := s.resend(ctx, *in)
	out := &resendOutput{}
	out.Body.ResendAt = again
	return out, err
}
