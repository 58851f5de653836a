package smscode

import (
	"context"
	"net/http"
	"time"

	"coffer/internal/account"
	"coffer/internal/code"
	"coffer/internal/fault"
	"coffer/internal/lang"
	"coffer/internal/rest"
	"coffer/internal/session"
)

const tag = "Layers"

// Routes registers every operation of this room.
func (s *Service) Routes(a *rest.API) {
	var sends int64
	if s.Sends {
		sends = 1
	}
	a.Tell("sms", "1 when text messages reach people; 0 when the server keeps them as files, for development.", sends)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/sms", ID: "enrol-sms", Repairs: true, Tag: tag, Access: rest.StepUp, Status: http.StatusAccepted, Rows: "F-L3",
		Summary: "Begin to set up a telephone for codes",
		Description: "The server sends a first code to the number. The set-up stays pending for half an hour, until the caller confirms the code. " +
			"A number that is in force stays so until then. An earlier pending set-up is void.",
		Errors: []*fault.Error{fault.ErrInvalid, errEnabled, errCapped},
	}, s.postEnrol)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/sms/confirm", ID: "confirm-sms", Repairs: true, Tag: tag, Access: rest.Session, Status: http.StatusNoContent, Rows: "F-L3",
		Summary:     "Turn the layer on with the first code",
		Description: "Five wrong codes end the set-up's codes.",
		Errors:      []*fault.Error{code.ErrWrong, code.ErrOver, code.ErrTooMany, errNotPending},
	}, s.postConfirm)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/sms/resend", ID: "resend-sms-setup", Repairs: true, Tag: tag, Access: rest.Session, Status: http.StatusAccepted, Rows: "F-L3",
		Summary:     "Send the code of the set-up again",
		Description: "The older code is void. Wrong codes stay counted.",
		Errors:      []*fault.Error{code.ErrTooSoon, code.ErrNoMore, errNotPending},
	}, s.postResend)
	rest.Register(a, rest.Op{
		Method: http.MethodDelete, Path: "/account/sms", ID: "disable-sms", Repairs: true, Tag: tag, Access: rest.StepUp, Status: http.StatusNoContent, Rows: "F-L3",
		Summary: "Turn the layer off",
		Errors:  []*fault.Error{account.ErrRecoveryNeedsLayers},
	}, s.deleteLayer)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/attempts/{id}/sms", ID: "pass-sms", Tag: tag, Access: rest.Attempt, Status: http.StatusCreated, Rows: "F-L3",
		Summary:     "Pass the layer of text messages of a sign-in",
		Description: "The answer is 201 with a session after the last layer, else 202 with the layers still open. A code works once. Five wrong codes end the attempt.",
		Errors:      []*fault.Error{code.ErrWrong, code.ErrOver, code.ErrTooMany, code.ErrLocked, session.ErrNotAsked},
	}, s.postAttempt)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/attempts/{id}/sms/resend", ID: "resend-sms", Tag: tag, Access: rest.Attempt, Status: http.StatusAccepted, Rows: "F-L3",
		Summary:     "Send the code of a sign-in again",
		Description: "The older code is void. Wrong codes stay counted.",
		Errors:      []*fault.Error{code.ErrTooSoon, code.ErrNoMore, session.ErrNotAsked},
	}, s.postAgain)
}

type smsSent struct {
	SentTo   string    `json:"sent_to" doc:"The number, masked."`
	ResendAt time.Time `json:"resend_at" doc:"From when on another code may be asked for."`
	Notice   string    `json:"notice,omitempty" doc:"Of a set-up: what text messages cannot do, in the person's language."`
}

type sentOutput struct{ Body smsSent }

func sentAnswer(sent Sent, err error) (*sentOutput, error) {
	if err != nil {
		return nil, err
	}
	return &sentOutput{smsSent{SentTo: sent.To, ResendAt: sent.Again}}, nil
}

// notices tell, when a number is set up, what text messages cannot do (NIST SP 800-63B-4
// §3.1.3.3).
var notices = map[string]string{
	"en": "Text messages can be read on their way, and a number can be taken over. An authenticator app protects you better.",
	"de": "Textnachrichten können unterwegs mitgelesen und Nummern übernommen werden. Eine Authenticator-App schützt Sie besser.",
}

type enrolInput struct {
	rest.Request
	Body struct {
		Phone string `json:"phone" minLength:"8" maxLength:"30" doc:"Number in E.164, such as +49 170 1234512."`
	}
}

func (s *Service) postEnrol(ctx context.Context, in *enrolInput) (*sentOutput, error) {
	id := account.ID(in.Caller.Account)
	out, err := sentAnswer(s.Enrol(ctx, id, in.Body.Phone))
	if err != nil {
		return nil, err
	}
	st, err := s.Accounts.State(ctx, id)
	if err != nil {
		return nil, err
	}
	out.Body.Notice = notices[lang.Of(st.Lang)]
	return out, nil
}

type smsCode struct {
	Code string `json:"code" pattern:"^[0-9]{3} ?[0-9]{3}$" patternDescription:"six digits" doc:"Six digits, as the message shows them."`
}

type confirmInput struct {
	rest.Request
	Body smsCode
}

func (s *Service) postConfirm(ctx context.Context, in *confirmInput) (*struct{}, error) {
	return nil, s.Confirm(ctx, in.Caller, in.Body.Code)
}

type emptyInput struct{ rest.Request }

func (s *Service) postResend(ctx context.Context, in *emptyInput) (*sentOutput, error) {
	return sentAnswer(s.Resend(ctx, account.ID(in.Caller.Account)))
}

func (s *Service) deleteLayer(ctx context.Context, in *account.DropLayerInput) (*struct{}, error) {
	return nil, s.Disable(ctx, in.Caller, in.RecoveryOff())
}

type attemptInput struct {
	session.AttemptInput
	Body smsCode
}

func (s *Service) postAttempt(ctx context.Context, in *attemptInput) (*session.Answer, error) {
	return session.Respond(s.pass(ctx, in.AttemptInput, in.Body.Code))
}

func (s *Service) postAgain(ctx context.Context, in *session.AttemptInput) (*sentOutput, error) {
	return sentAnswer(s.again(ctx, *in))
}
