package recovery

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/limit"
	"coffer/internal/rest"
	"coffer/internal/session"
	"coffer/internal/token"
)

// backupRoutes registers the operations of backup codes.
func (s *Service) backupRoutes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/account/backup-codes", ID: "read-backup-codes", Tag: tag, Access: rest.StepUp, Status: http.StatusOK, Rows: "F-R1",
		Summary: "Read the backup codes", Description: "The owner sees the codes themselves, which of them are used up, and new ones that wait to be confirmed.",
	}, s.getBackup)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/backup-codes", ID: "make-backup-codes", Tag: tag, Access: rest.StepUp, Status: http.StatusCreated, Rows: "F-R1",
		Summary:     "Make the first backup codes",
		Description: "The codes count once they are confirmed, within an hour. Two layers must be on.",
		Errors:      []*fault.Error{errTwoLayers, errBackupOn},
	}, s.postBackup)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/backup-codes/regenerate", ID: "regenerate-backup-codes", Tag: tag, Access: rest.StepUp, Status: http.StatusCreated, Rows: "F-R1",
		Summary:     "Make new backup codes",
		Description: "The present ones stay good until the new ones are confirmed, within an hour. New ones that wait already are replaced.",
		Errors:      []*fault.Error{errTwoLayers, errBackupOff},
	}, s.postRegenerate)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/account/backup-codes/confirm", ID: "confirm-backup-codes", Tag: tag, Access: rest.StepUp, Status: http.StatusNoContent, Rows: "F-R1",
		Summary:     "Say that the new backup codes are saved",
		Description: "The new codes count from now on, and older ones open nothing. Every verified address is told.",
		Errors:      []*fault.Error{errTwoLayers, errNothingMade},
	}, s.postConfirmBackup)
	rest.Register(a, rest.Op{
		Method: http.MethodDelete, Path: "/account/backup-codes", ID: "disable-backup-codes", Tag: tag, Access: rest.StepUp, Status: http.StatusNoContent, Rows: "F-R1",
		Summary: "Turn backup codes off", Description: "No code opens anything from now on. Every verified address is told.",
	}, s.deleteBackup)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/recovery/backup-code", ID: "recover-by-backup-code", Tag: tag, Status: http.StatusCreated, Rows: "F-R1, F-R3",
		Summary: "Open a recovery session with a backup code",
		Description: "With the password the answer is 201 with a recovery session, and the code is used up. Only a caller with the right password learns what a code is. " +
			"Without a password the answer is 202 for every identifier and code; a good code mails a link to the primary address. " +
			"Spaces and dashes in a code do not count. Ten wrong codes in an hour stop this way for the rest of it.",
		Errors: []*fault.Error{account.ErrCredentials, session.ErrSignInHeld, errBackupWrong, errBackupUsed, errBackupReplaced, token.ErrPublicKey, session.ErrDeactivated, session.ErrSuspended, limit.ErrLimited, account.ErrBusy},
	}, s.postRecoverBackup)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/recovery/backup-code/confirm", ID: "confirm-backup-code-recovery", Tag: tag, Status: http.StatusCreated, Rows: "F-R1, F-R3",
		Summary:     "Open a recovery session with the mailed link",
		Description: "The link works once. The backup code is used up now; when it was used meanwhile, the link is gone.",
		Errors:      []*fault.Error{account.ErrLinkGone, token.ErrPublicKey, session.ErrDeactivated, session.ErrSuspended, limit.ErrLimited},
	}, s.postConfirmBackupLink)
	s.checkRoute(a, "/auth/recovery/backup-code/confirm/check", "check-backup-code-recovery", "F-R1", s.checkBackup)
}

type backupInput struct{ rest.Request }

type backupOutput struct{ Body Backup }

func (s *Service) getBackup(ctx context.Context, in *backupInput) (*backupOutput, error) {
	b, err := s.ReadBackup(ctx, account.ID(in.Caller.Account))
	return &backupOutput{b}, err
}

type madeOutput struct {
	Body struct {
		Codes []string `json:"codes" doc:"Ten codes of 12 digits."`
	}
}

func (s *Service) made(ctx context.Context, in *backupInput, again bool) (*madeOutput, error) {
	codes, err := s.MakeBackup(ctx, in.Caller, again)
	if err != nil {
		return nil, err
	}
	out := &madeOutput{}
	out.Body.Codes = codes
	return out, nil
}

func (s *Service) postBackup(ctx context.Context, in *backupInput) (*madeOutput, error) {
	return s.made(ctx, in, false)
}

func (s *Service) postRegenerate(ctx context.Context, in *backupInput) (*madeOutput, error) {
	return s.made(ctx, in, true)
}

func (s *Service) postConfirmBackup(ctx context.Context, in *backupInput) (*struct{}, error) {
	return nil, s.ConfirmBackup(ctx, in.Caller)
}

func (s *Service) deleteBackup(ctx context.Context, in *backupInput) (*struct{}, error) {
	return nil, s.DropBackup(ctx, in.Caller)
}

// BackupCodeBody is the body of a recovery with a backup code; see ResetBody.
type BackupCodeBody struct {
	Identifier string  `json:"identifier" maxLength:"320" doc:"Primary e-mail address or username."`
	Code       string  `json:"code" maxLength:"100" doc:"12 digits; spaces and dashes do not count."`
	Password   *string `json:"password,omitempty" doc:"Absent: a good code mails a link to the primary address."`
	session.SessionRequest
}

type recoverBackupInput struct {
	rest.Request
	session.Browser
	Body BackupCodeBody
}

// RecoveryBody is an open session, or the word that the request was accepted.
type RecoveryBody struct{ Session *session.Session }

// MarshalJSON writes whichever of the two it is.
func (b RecoveryBody) MarshalJSON() ([]byte, error) {
	if b.Session == nil {
		return json.Marshal(account.NewAccepted().Body)
	}
	return json.Marshal(b.Session)
}

// Schema implements huma.SchemaProvider.
func (RecoveryBody) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		r.Schema(reflect.TypeFor[session.Session](), true, "Session"), r.Schema(reflect.TypeOf(account.NewAccepted().Body), true, "Accepted"),
	}}
}

// recoveryAnswer is 201 with a session, or 202.
type recoveryAnswer struct {
	Status    int
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      RecoveryBody
}

func (s *Service) postRecoverBackup(ctx context.Context, in *recoverBackupInput) (*recoveryAnswer, error) {
	b := in.Body
	if b.Password == nil {
		if err := s.Limit.Take(ctx, s.Accounts.MailAddressLimit, limit.AddrKey(in.Client.Addr)); err != nil {
			return nil, err
		}
		if err := s.AskBackup(ctx, b.Identifier, b.Code, account.SourceOf(in.Client.Addr)); err != nil {
			return nil, err
		}
		return &recoveryAnswer{Status: http.StatusAccepted}, nil
	}
	opened, err := session.Respond(s.RecoverBackup(ctx, b.Identifier, *b.Password, b.Code, in.Browser.With(b.SessionRequest), in.Client))
	if err != nil {
		return nil, err
	}
	return &recoveryAnswer{opened.Status, opened.SetCookie, RecoveryBody{opened.Body.Session}}, nil
}

func (s *Service) postConfirmBackupLink(ctx context.Context, in *confirmRecoverInput) (*session.Answer, error) {
	if err := s.Accounts.TakeProof(ctx, in.Client); err != nil {
		return nil, err
	}
	return session.Respond(s.ConfirmBackupLink(ctx, in.Body.Token, in.Browser.With(in.Body.SessionRequest), in.Client))
}
