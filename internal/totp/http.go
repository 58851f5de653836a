package totp

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
		Method: http.MethodPost, Path: "/account/totp", ID: "enrol-totp", Repairs: true, Tag: tag, Access: rest.StepUp, Status: http.StatusCreated, Rows: "F-L1",
		Summary:     "Begin to set up an authenticator app",
		Description: "The secret stays pending for an hour, until the caller confirms a code. The server never shows it after that. An earlier pending set-up is void.",
		Errors:      []*fault.Error{errEnabled},
	}, s.postEnrol)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/account/totp/qr.png", ID: "read-totp-qr", Repairs: true, Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-L1", Produces: "image/png",
		Summary:     "The pending secret as a QR code",
		Description: "The server shows it to the session that began the set-up. For every other session no set-up is pending.",
		Errors:      []*fault.Error{errNotPending},
	}, s.getQR)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/totp/confirm", ID: "confirm-totp", Repairs: true, Tag: tag, Access: rest.Session, Status: http.StatusNoContent, Rows: "F-L1",
		Summary:     "Turn the layer on with a first code",
		Description: "The fifth wrong code ends the set-up. The right code is used up: sign-in needs a later one.",
		Errors:      []*fault.Error{errCode, errNotPending},
	}, s.postConfirm)
	rest.Register(a, rest.Op{
		Method: http.MethodDelete, Path: "/account/totp", ID: "disable-totp", Repairs: true, Tag: tag, Access: rest.StepUp, Status: http.StatusNoContent, Rows: "F-L1",
		Summary: "Turn the layer off",
		Errors:  []*fault.Error{account.ErrRecoveryNeedsLayers},
	}, s.deleteLayer)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/attempts/{id}/totp", ID: "pass-totp", Tag: tag, Access: rest.Attempt, Status: http.StatusCreated, Rows: "F-L1",
		Summary:     "Pass the authenticator app's layer of a sign-in",
		Description: "The answer is 201 with a session after the last layer, else 202 with the layers still open. A code works once. Five wrong codes end the attempt.",
		Errors:      []*fault.Error{errCode, errLocked, session.ErrNotAsked},
	}, s.postAttempt)
}

type enrolInput struct{ rest.Request }

type enrolOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Secret     string `json:"secret" doc:"160 bits in base32, for typing by hand."`
		OTPAuthURI string `json:"otpauth_uri" doc:"The content of the QR code."`
		QRPNG      []byte `json:"qr_png" doc:"The QR code: a PNG picture in base64."`
	}
}

func (s *Service) postEnrol(ctx context.Context, in *enrolInput) (*enrolOutput, error) {
	e, err := s.Enrol(ctx, in.Caller)
	if err != nil {
		return nil, err
	}
	out := &enrolOutput{CacheControl: "no-store"}
	out.Body.Secret, out.Body.OTPAuthURI, out.Body.QRPNG = e.Secret, e.URI, e.PNG
	return out, nil
}

type qrInput struct{ rest.Request }

type qrOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         []byte
}

func (s *Service) getQR(ctx context.Context, in *qrInput) (*qrOutput, error) {
	e, err := s.Pending(ctx, in.Caller)
	if err != nil {
		return nil, err
	}
	return &qrOutput{CacheControl: "no-store", Body: e.PNG}, nil
}

type totpCode struct {
	Code string `json:"code" pattern:"^[0-9]{3} ?[0-9]{3}$" patternDescription:"six digits" doc:"Six digits, as the app shows them."`
}

type confirmInput struct {
	rest.Request
	Body totpCode
}

func (s *Service) postConfirm(ctx context.Context, in *confirmInput) (*struct{}, error) {
	return nil, s.Confirm(ctx, in.Caller, in.Body.Code)
}

func (s *Service) deleteLayer(ctx context.Context, in *account.DropLayerInput) (*struct{}, error) {
	return nil, s.Disable(ctx, in.Caller, in.RecoveryOff())
}

type attemptInput struct {
	session.AttemptInput
	Body totpCode
}

func (s *Service) postAttempt(ctx context.Context, in *attemptInput) (*session.Answer, error) {
	return session.Respond(s.pass(ctx, in.AttemptInput, in.Body.Code))
}
