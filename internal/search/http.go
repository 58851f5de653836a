package search

import (
	"context"
	"net/http"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/file"
	"coffer/internal/rest"
)

// Routes registers every operation of this room.
func (s *Service) Routes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/files/search", ID: "search-files", Tag: "Files", Access: rest.Session, Status: http.StatusOK, Rows: "F-F6",
		Summary: "Search by name below a folder",
		Description: "A hit has each word of q as the beginning of a word of its name, in any order; case and accents do not matter. " +
			"The ones modified last come first. What is in the trash is not found.",
		Errors: []*fault.Error{file.ErrNotFound},
	}, s.getSearch)
}

type searchInput struct {
	rest.Request
	rest.Paging
	Q     string `query:"q" required:"true" minLength:"1" maxLength:"200" doc:"Words, or the beginnings of words."`
	Under string `query:"under" maxLength:"64" doc:"Id of a folder; empty for everything."`
}

type searchOutput struct {
	Body rest.Page[file.Found]
}

func (s *Service) getSearch(ctx context.Context, in *searchInput) (*searchOutput, error) {
	items, next, err := s.Find(ctx, account.ID(in.Caller.Account), in.Q, in.Under, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	return &searchOutput{Body: rest.Page[file.Found]{Items: items, NextCursor: next}}, nil
}
