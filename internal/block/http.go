package block

import (
	"context"
	"net/http"
	"time"

	"coffer/internal/fault"
	"coffer/internal/rest"
)

// Routes registers every operation of this room, and asks it before every request.
func (s *Service) Routes(a *rest.API) {
	a.SetDoor(rest.Door{
		Refused: func(c rest.Client) (time.Time, bool) {
			b, refused := s.Refused(c.Addr)
			return b.ExpiresAt, refused
		},
		Admitted: func(ctx context.Context, c rest.Client, caller rest.Caller) { s.Seen(ctx, c.Addr, caller) },
		Answered: s.answered,
	})
	const tag = "Administration"
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/admin/blocks", ID: "add-block", Tag: tag, Access: rest.Admin, Status: http.StatusCreated, Rows: "F-G2",
		Summary: "Block an address or a network",
		Description: "Its requests get `address_blocked` before anything else is looked at. A network that is blocked by hand already gets the new reason and end. " +
			"A network with your own address, or with that of a trusted proxy, is refused.",
	}, s.postBlock)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/admin/blocks", ID: "list-blocks", Tag: tag, Access: rest.Admin, Rows: "F-G2",
		Summary: "List blocks in force, the newest first",
	}, s.getBlocks)
	rest.Register(a, rest.Op{
		Method: http.MethodDelete, Path: "/admin/blocks/{id}", ID: "remove-block", Tag: tag, Access: rest.Admin, Rows: "F-G2",
		Summary: "End a block", Errors: []*fault.Error{errNoBlock},
	}, s.deleteBlock)
}

// Shown is a block as the API shows it.
type Shown struct {
	ID        string     `json:"id"`
	Network   string     `json:"network" doc:"An address is a network of one: 192.0.2.7/32."`
	Reason    string     `json:"reason"`
	Automatic bool       `json:"automatic" doc:"The server blocked it by itself."`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at" nullable:"true" doc:"null for never."`
}

func shown(b Block) Shown {
	out := Shown{ID: b.ID, Network: b.Network.String(), Reason: b.Reason, Automatic: b.Automatic, CreatedAt: b.CreatedAt}
	if !b.ExpiresAt.IsZero() {
		out.ExpiresAt = &b.ExpiresAt
	}
	return out
}

type addInput struct {
	rest.Request
	Body struct {
		Network   string     `json:"network" minLength:"2" maxLength:"64" doc:"An address, or a network such as 192.0.2.0/24 or 2001:db8::/32; at most a /8 of IPv4 or a /16 of IPv6."`
		Reason    string     `json:"reason" maxLength:"500" doc:"For admins; the blocked client does not see it."`
		ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"Absent for never."`
	}
}

type blockOutput struct{ Body Shown }

func (s *Service) postBlock(ctx context.Context, in *addInput) (*blockOutput, error) {
	network, err := ParseNetwork(in.Body.Network)
	if err != nil {
		return nil, err
	}
	o := Order{Network: network, Reason: in.Body.Reason, By: in.Caller.Account, From: in.Client.Addr}
	if in.Body.ExpiresAt != nil {
		o.ExpiresAt = *in.Body.ExpiresAt
	}
	b, err := s.Add(ctx, o)
	if err != nil {
		return nil, err
	}
	return &blockOutput{shown(b)}, nil
}

type listInput struct {
	rest.Paging
	Automatic string `query:"automatic" enum:"true,false" doc:"Blocks of one sort alone: those that the server made, or those that admins made."`
}

type listOutput struct{ Body rest.Page[Shown] }

func (s *Service) getBlocks(ctx context.Context, in *listInput) (*listOutput, error) {
	var automatic *bool
	if in.Automatic != "" {
		is := in.Automatic == "true"
		automatic = &is
	}
	all, next, err := s.List(ctx, automatic, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &listOutput{rest.Page[Shown]{Items: make([]Shown, 0, len(all)), NextCursor: next}}
	for _, b := range all {
		out.Body.Items = append(out.Body.Items, shown(b))
	}
	return out, nil
}

type removeInput struct {
	rest.Request
	ID string `path:"id" maxLength:"64"`
}

func (s *Service) deleteBlock(ctx context.Context, in *removeInput) (*struct{}, error) {
	return nil, s.Remove(ctx, in.ID, in.Caller.Account)
}
