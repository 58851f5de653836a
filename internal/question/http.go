package question

import (
	"context"
	"net/http"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/rest"
	"coffer/internal/session"
)

const tag = "Layers"

// Routes registers every operation of this room.
func (s *Service) Routes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodPut, Path: "/account/security-question", ID: "put-security-question", Repairs: true, Tag: tag, Access: rest.StepUp, Status: http.StatusNoContent, Rows: "F-L4",
		Summary: "Turn the security question on, or change it",
		Description: "Sign-in asks the question when every other layer is passed. Case, white space and Unicode form of the answer do not count. " +
			"A session that passed it is aal1.",
		Errors: []*fault.Error{account.ErrBusy},
	}, s.putLayer)
	rest.Register(a, rest.Op{
		Method: http.MethodDelete, Path: "/account/security-question", ID: "disable-security-question", Repairs: true, Tag: tag, Access: rest.StepUp, Status: http.StatusNoContent, Rows: "F-L4",
		Summary: "Turn the layer off",
		Errors:  []*fault.Error{account.ErrRecoveryNeedsLayers},
	}, s.deleteLayer)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/attempts/{id}/security-question", ID: "pass-security-question", Tag: tag, Access: rest.Attempt, Status: http.StatusCreated, Rows: "F-L4",
		Summary: "Answer the security question of a sign-in",
		Description: "The answer is 201 with a session. The attempt shows the question once every other layer is passed; before that the answer is 409. " +
			"Five wrong answers end the attempt; ten in an hour stop the layer for the rest of it.",
		Errors: []*fault.Error{errAnswer, errTooMany, account.ErrBusy, session.ErrNotAsked, session.ErrHeld},
	}, s.postAttempt)
}

type putInput struct {
	rest.Request
	Body struct {
		Question string `json:"question" doc:"1 to 200 characters."`
		Answer   string `json:"answer" doc:"3 to 200 characters. It must stand neither in the question nor in the hint."`
		Hint     string `json:"hint,omitempty" doc:"Shown with the question; at most 200 characters."`
	}
}

func (s *Service) putLayer(ctx context.Context, in *putInput) (*struct{}, error) {
	return nil, s.Put(ctx, in.Caller, Question{in.Body.Question, in.Body.Answer, in.Body.Hint})
}

func (s *Service) deleteLayer(ctx context.Context, in *account.DropLayerInput) (*struct{}, error) {
	return nil, s.Disable(ctx, in.Caller, in.RecoveryOff())
}

type attemptInput struct {
	session.AttemptInput
	Body struct {
		Answer string `json:"answer" minLength:"1" maxLength:"1000"`
	}
}

func (s *Service) postAttempt(ctx context.Context, in *attemptInput) (*session.Answer, error) {
	return session.Respond(s.pass(ctx, in.AttemptInput, in.Body.Answer))
}
