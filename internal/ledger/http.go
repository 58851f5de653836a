package ledger

import (
	"context"
	"net/http"
	"strconv"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/limit"
	"coffer/internal/rest"
)

const tag = "Ledger"

// Routes registers every operation of this room.
func (s *Service) Routes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/ledger", ID: "list-ledger", Tag: tag, Access: rest.Public, Status: http.StatusOK, Rows: "F-W2",
		Summary: "The entries of the ledger, the oldest first",
		Description: "The ledger tells each pin, unpin and failure, for ever and without personal data. Entries are leaves of a tree whose checkpoints are signed; docs/ledger.md says how to verify them. " +
			"A page begins at from, or behind the page whose next_cursor is given as cursor: both are places. The newest entries may not be in a checkpoint yet.",
		Errors: []*fault.Error{limit.ErrLimited},
	}, s.getList)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/ledger/checkpoint", ID: "read-ledger-checkpoint", Tag: tag, Access: rest.Public, Status: http.StatusOK, Rows: "F-W2", Produces: noteType,
		Summary:     "The newest checkpoint of the ledger",
		Description: "A signed note (C2SP tlog-checkpoint): origin, size, root in base64, an empty line, and an Ed25519 signature. Keep it: a later ledger must continue it.",
		Errors:      []*fault.Error{errNoCheckpoint, limit.ErrLimited},
	}, s.getCheckpoint)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/ledger/keys", ID: "list-ledger-keys", Tag: tag, Access: rest.Public, Status: http.StatusOK, Rows: "F-W2",
		Summary:     "The verifier keys of the ledger, the newest first",
		Description: "The first is the one that signs next. A key stays here after another followed it, for the checkpoints that it signed. Note the keys that you trust elsewhere.",
		Errors:      []*fault.Error{limit.ErrLimited},
	}, s.getKeys)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/ledger/entries/{n}/proof", ID: "prove-ledger-entry", Tag: tag, Access: rest.Public, Status: http.StatusOK, Rows: "F-W2",
		Summary:     "Proof that an entry is in a checkpoint",
		Description: "size names a checkpoint by its size; without it the newest one is taken. Every checkpoint is kept. Code not_yet_in_checkpoint means that the checkpoint is older than the entry.",
		Errors:      []*fault.Error{errNotFound, errNoCheckpoint, errNotYet, limit.ErrLimited},
	}, s.getProof)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/ledger/consistency", ID: "prove-ledger-growth", Tag: tag, Access: rest.Public, Status: http.StatusOK, Rows: "F-W2",
		Summary:     "Proof that a later tree of the ledger begins with an earlier one",
		Description: "from and to are sizes of trees, such as those of two checkpoints. A holder of the earlier one proves with it that nothing before it was changed.",
		Errors:      []*fault.Error{errNotYet, limit.ErrLimited},
	}, s.getGrowth)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/account/ledger", ID: "list-own-ledger", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-W2",
		Summary:     "The account's entries of the ledger, the newest first",
		Description: "Nobody but the owner can tell whose entries these are, and nobody at all once the account is deleted.",
	}, s.getOwn)
}

const noteType = "text/plain; charset=utf-8"

// admit counts a read of the ledger.
func (s *Service) admit(ctx context.Context, c rest.Client, rule limit.Rule) error {
	return s.Limit.Take(ctx, rule, limit.AddrKey(c.Addr))
}

type listInput struct {
	rest.Request
	From   int64  `query:"from" minimum:"0" doc:"Place of the first entry, from 0."`
	Cursor string `query:"cursor" maxLength:"1024" doc:"next_cursor of the page before, in place of from."`
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"1000" doc:"Most entries of the page. Pages are longer than those of other lists, because readers fetch the whole ledger."`
}

// start returns the place of the first entry of the page.
func (in *listInput) start() (int64, error) {
	if in.Cursor == "" {
		return in.From, nil
	}
	if in.From != 0 {
		return 0, fault.InvalidField("query.cursor", "invalid", "Give cursor or from, not both.")
	}
	n, err := strconv.ParseUint(in.Cursor, 10, 63)
	if err != nil {
		return 0, fault.InvalidField("query.cursor", "invalid_cursor", "It is not the next_cursor of a page.")
	}
	return int64(n), nil
}

// LedgerPage is one page of the ledger.
type LedgerPage struct {
	Items      []LedgerEntry `json:"items"`
	NextCursor string        `json:"next_cursor,omitempty" doc:"Give it as cursor for the next page; absent on the last."`
	Size       int64         `json:"size" doc:"Number of all entries."`
}

type listOutput struct{ Body LedgerPage }

func (s *Service) getList(ctx context.Context, in *listInput) (*listOutput, error) {
	if err := s.admit(ctx, in.Client, s.PageLimit); err != nil {
		return nil, err
	}
	from, err := in.start()
	if err != nil {
		return nil, err
	}
	items, next, size, err := s.entries(ctx, from, in.Limit)
	if err != nil {
		return nil, err
	}
	return &listOutput{LedgerPage{items, next, size}}, nil
}

type readInput struct{ rest.Request }

type noteOutput struct{ Body []byte }

func (s *Service) getCheckpoint(ctx context.Context, in *readInput) (*noteOutput, error) {
	if err := s.admit(ctx, in.Client, s.ReadLimit); err != nil {
		return nil, err
	}
	note, err := s.newest(ctx)
	if err != nil {
		return nil, err
	}
	return &noteOutput{note}, nil
}

type keysOutput struct{ Body rest.Page[LedgerKey] }

func (s *Service) getKeys(ctx context.Context, in *readInput) (*keysOutput, error) {
	if err := s.admit(ctx, in.Client, s.ReadLimit); err != nil {
		return nil, err
	}
	keys, err := s.keys(ctx)
	if err != nil {
		return nil, err
	}
	return &keysOutput{rest.Page[LedgerKey]{Items: keys}}, nil
}

type proofInput struct {
	rest.Request
	N    int64 `path:"n" minimum:"0"`
	Size int64 `query:"size" minimum:"0" doc:"Of a checkpoint; absent or 0: the newest."`
}

type proofOutput struct{ Body LedgerProof }

func (s *Service) getProof(ctx context.Context, in *proofInput) (*proofOutput, error) {
	if err := s.admit(ctx, in.Client, s.ReadLimit); err != nil {
		return nil, err
	}
	p, err := s.prove(ctx, in.N, in.Size)
	if err != nil {
		return nil, err
	}
	return &proofOutput{p}, nil
}

type growthInput struct {
	rest.Request
	From int64 `query:"from" required:"true" minimum:"1"`
	To   int64 `query:"to" required:"true" minimum:"1"`
}

type growthOutput struct{ Body LedgerGrowth }

func (s *Service) getGrowth(ctx context.Context, in *growthInput) (*growthOutput, error) {
	if err := s.admit(ctx, in.Client, s.ReadLimit); err != nil {
		return nil, err
	}
	g, err := s.grow(ctx, in.From, in.To)
	if err != nil {
		return nil, err
	}
	return &growthOutput{g}, nil
}

type ownInput struct {
	rest.Request
	rest.Paging
}

type ownOutput struct{ Body rest.Page[OwnLedgerEntry] }

func (s *Service) getOwn(ctx context.Context, in *ownInput) (*ownOutput, error) {
	items, next, err := s.own(ctx, account.ID(in.Caller.Account), in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	return &ownOutput{rest.Page[OwnLedgerEntry]{Items: items, NextCursor: next}}, nil
}
