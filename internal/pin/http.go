package pin

import (
	"context"
	"net/http"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/fault"
	"coffer/internal/file"
	"coffer/internal/limit"
	"coffer/internal/rest"
)

const tag = "Pins"

// Routes registers every operation of this room, and the gateway beside them.
func (s *Service) Routes(a *rest.API) {
	op := func(method, path, id string, status int, summary, description string, refusals ...*fault.Error) rest.Op {
		return rest.Op{
			Method: method, Path: path, ID: id, Tag: tag, Access: rest.Session, Status: status, Rows: "F-W1",
			Summary: summary, Description: description, Errors: refusals,
		}
	}
	rest.Register(a, op(http.MethodPost, "/files/{id}/pins", "create-pin", http.StatusAccepted, "Publish a file or folder on IPFS",
		"What is published is what the file or folder holds now. Encrypted, which is the default, only those can read it who have the link. With `encrypt: false` everyone can read it, and nothing takes it back. "+
			"Without a body it is encrypted, at every target. The pin keeps the content: it stays published when the file is deleted, and counts as a file in the quota.",
		file.ErrNotFound, file.ErrDamaged, file.ErrTooManyEntries, content.ErrQuota, errNoTarget, errAlready, errTooMany, errTooLarge, errTotal, limit.ErrLimited, file.ErrBusy), s.post)
	rest.Register(a, op(http.MethodGet, "/pins", "list-pins", http.StatusOK, "The account's pins, the newest first", "", errNoPin), s.getList)
	rest.Register(a, op(http.MethodGet, "/pins/targets", "list-pin-targets", http.StatusOK, "Where the server can pin", "Empty where the operator has set up no pinning service."), s.getTargets)
	rest.Register(a, op(http.MethodGet, "/pins/{id}", "read-pin", http.StatusOK, "A pin", "", errNoPin), s.getOne)
	rest.Register(a, op(http.MethodDelete, "/pins/{id}", "delete-pin", http.StatusAccepted, "Take a pin from IPFS",
		"The pin is gone from the list once every target has removed it. Copies that others have made stay where they are.", errNoPin), s.del)
	rest.Register(a, op(http.MethodPost, "/pins/{id}/verify", "verify-pin", http.StatusAccepted, "Read a pin back now",
		"The server reads blocks that a random draw chooses through each target's gateway. The answer comes before that.", errNoPin, errDamaged, limit.ErrLimited), s.verifyOne)
	rest.Register(a, op(http.MethodPost, "/pins/{id}/retry", "retry-pin", http.StatusAccepted, "Try a failed pin again",
		"Targets that failed begin anew; the others stay as they are.", errNoPin, errNotFailed, errDamaged, limit.ErrLimited), s.retryOne)
	s.gatewayRoutes(a)
}

type postInput struct {
	rest.Request
	ID   string  `path:"id"`
	Body *NewPin `required:"false"`
}

// NewPin is the body of a call that publishes.
type NewPin struct {
	Encrypt *bool    `json:"encrypt,omitempty" doc:"false publishes the content itself, for ever; absent is true."`
	Targets []string `json:"targets,omitempty" minItems:"1" maxItems:"10" doc:"Names of targets; absent for all."`
}

type pinOutput struct{ Body Pin }

func ownerOf(c rest.Caller) account.ID { return account.ID(c.Account) }

func answer(p Pin, err error) (*pinOutput, error) {
	if err != nil {
		return nil, err
	}
	return &pinOutput{p}, nil
}

func (s *Service) post(ctx context.Context, in *postInput) (*pinOutput, error) {
	body := in.Body
	if body == nil {
		body = &NewPin{}
	}
	return answer(s.Create(ctx, ownerOf(in.Caller), in.ID, body.Encrypt == nil || *body.Encrypt, body.Targets))
}

type listInput struct {
	rest.Request
	rest.Paging
	State string `query:"state" enum:"queued,sending,pinned,verified,failed,removing" doc:"Only pins in this state."`
	File  string `query:"file" doc:"Only pins of this file or folder, by its id."`
}

type pageOutput struct{ Body rest.Page[Pin] }

func (s *Service) getList(ctx context.Context, in *listInput) (*pageOutput, error) {
	items, next, err := s.List(ctx, ownerOf(in.Caller), in.State, in.File, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	return &pageOutput{rest.Page[Pin]{Items: items, NextCursor: next}}, nil
}

// PinTarget is a place where the server can pin.
type PinTarget struct {
	Name    string `json:"name"`
	Kind    string `json:"kind" enum:"pinata,kubo,psa"`
	Gateway string `json:"gateway,omitempty" doc:"Where the provider shows what it holds."`
}

type targetsInput struct{ rest.Request }

type targetsOutput struct{ Body rest.Page[PinTarget] }

func (s *Service) getTargets(_ context.Context, _ *targetsInput) (*targetsOutput, error) {
	out := targetsOutput{rest.Page[PinTarget]{Items: []PinTarget{}}}
	for _, t := range s.Targets {
		out.Body.Items = append(out.Body.Items, PinTarget{t.Name, t.Kind, t.Gateway})
	}
	return &out, nil
}

type idInput struct {
	rest.Request
	ID string `path:"id"`
}

func (s *Service) getOne(ctx context.Context, in *idInput) (*pinOutput, error) {
	return answer(s.Get(ctx, ownerOf(in.Caller), in.ID))
}

func (s *Service) del(ctx context.Context, in *idInput) (*pinOutput, error) {
	return answer(s.Remove(ctx, ownerOf(in.Caller), in.ID))
}

func (s *Service) verifyOne(ctx context.Context, in *idInput) (*pinOutput, error) {
	return answer(s.VerifyNow(ctx, ownerOf(in.Caller), in.ID))
}

func (s *Service) retryOne(ctx context.Context, in *idInput) (*pinOutput, error) {
	return answer(s.Retry(ctx, ownerOf(in.Caller), in.ID))
}
