package recovery

import (
	"context"
	"net/http"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/limit"
	"coffer/internal/rest"
)

// stopRoutes registers the operations of the link that stops a recovery.
func (s *Service) stopRoutes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/recovery/stop", ID: "stop-recovery", Tag: tag, Status: http.StatusNoContent, Rows: "F-R3",
		Summary: "Stop a recovery with the mailed link",
		Description: "Every session, remembered device, open sign-in and outstanding link of the account ends. Layers, backup codes and a trusted address that were turned on since the recovery began are turned off, passkeys and connected accounts that were added since are removed, " +
			"and a primary address that was changed since comes back. The password works no longer: the owner sets a new one through the mailbox. The wait of the trusted address is over. The link works once.",
		Errors: []*fault.Error{account.ErrLinkGone, limit.ErrLimited, account.ErrBusy},
	}, s.postStop)
	s.checkRoute(a, "/auth/recovery/stop/check", "check-stop-recovery", "F-R3", s.check(s.stopPurpose()))
}

func (s *Service) postStop(ctx context.Context, in *account.CheckInput) (*struct{}, error) {
	if err := s.Accounts.TakeProof(ctx, in.Client); err != nil {
		return nil, err
	}
	return nil, s.Stop(ctx, in.Body.Token)
}
