package session

import (
	"context"
	"net/http"
	"time"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/limit"
	"coffer/internal/rest"
)

func (s *Service) endDeviceRoutes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/end-device", ID: "end-device", Tag: tagDevices, Status: http.StatusNoContent, Rows: "F-A13",
		Summary: "End a new device, without signing in",
		Description: "The caller sends the token of the link in the mail about a new device, or in a security alert. Every session of that device ends at once, " +
			"and the server forgets every remembered device. The link works once, also after the device has signed out.",
		Errors: []*fault.Error{account.ErrLinkGone, limit.ErrLimited},
	}, s.postEndDevice)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/end-device/confirm", ID: "confirm-device", Tag: tagDevices, Status: http.StatusNoContent, Rows: "F-G4, F-G5",
		Summary:     "Say that a new device is mine, without signing in",
		Description: "The caller sends the token of the same link. The server notes that the sign-in was the owner's. The link stays good.",
		Errors:      []*fault.Error{account.ErrLinkGone, limit.ErrLimited},
	}, s.postConfirmDevice)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/end-device/check", ID: "check-end-device", Tag: tagDevices, Status: http.StatusOK, Rows: "F-A13",
		Summary:     "Read which device a link ends",
		Description: "The answer is 200 while the link with this token works. The check uses nothing up.",
		Errors:      []*fault.Error{account.ErrLinkGone, limit.ErrLimited},
	}, s.postCheckEndDevice)
}

// DeviceToEnd is the device that a link ends, as its owner recognises it.
type DeviceToEnd struct {
	Device     string    `json:"device" doc:"Browser, its version and the system, as far as known."`
	Place      string    `json:"place" doc:"Place of the sign-in, if the operator's database knows it."`
	SignedInAt time.Time `json:"signed_in_at"`
}

func (s *Service) postEndDevice(ctx context.Context, in *account.CheckInput) (*struct{}, error) {
	if err := s.Accounts.TakeProof(ctx, in.Client); err != nil {
		return nil, err
	}
	return nil, s.EndDevice(ctx, in.Body.Token)
}

func (s *Service) postConfirmDevice(ctx context.Context, in *account.CheckInput) (*struct{}, error) {
	if err := s.Accounts.TakeProof(ctx, in.Client); err != nil {
		return nil, err
	}
	return nil, s.ConfirmDevice(ctx, in.Body.Token)
}

type deviceToEndOutput struct{ Body DeviceToEnd }

func (s *Service) postCheckEndDevice(ctx context.Context, in *account.CheckInput) (*deviceToEndOutput, error) {
	if err := s.Accounts.TakeProof(ctx, in.Client); err != nil {
		return nil, err
	}
	d, err := s.FindDevice(ctx, in.Body.Token)
	return &deviceToEndOutput{d}, err
}
