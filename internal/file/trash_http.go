package file

import (
	"context"
	"net/http"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/fault"
	"coffer/internal/rest"
)

// keepRoutes registers the operations on what a tree keeps beside itself: the trash and
// versions.
func (s *Service) keepRoutes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/trash", ID: "list-trash", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F9",
		Summary:     "List the trash",
		Description: "What was deleted last comes first. What lies in the trash counts against the quota. An entry below a deleted folder is not listed: it comes back with the folder.",
		Errors:      []*fault.Error{errNotFound},
	}, s.getTrash)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/trash/{id}/restore", ID: "restore-trash", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F9",
		Summary: "Move an entry out of the trash, to where it was",
		Description: "The entry keeps its id. The server makes folders above it again that are gone, by name, and uses one of that name that is there. It numbers a taken name: " +
			"`a (1).txt`.",
		Errors: []*fault.Error{errNotFound, errTooDeep, content.ErrQuota},
	}, s.postRestore)
	rest.Register(a, rest.Op{
		Method: http.MethodDelete, Path: "/trash/{id}", ID: "delete-trash", Tag: tag, Access: rest.Session, Status: http.StatusNoContent, Rows: "F-F9",
		Summary: "Delete an entry of the trash for good",
		Errors:  []*fault.Error{errNotFound},
	}, s.deleteTrashed)
	rest.Register(a, rest.Op{
		Method: http.MethodDelete, Path: "/trash", ID: "empty-trash", Tag: tag, Access: rest.Session, Status: http.StatusNoContent, Rows: "F-F9",
		Summary:     "Empty the trash",
		Description: "Everything in the trash is gone at once. Its bytes leave the quota within moments.",
		Errors:      []*fault.Error{errNotFound},
	}, s.emptyTrash)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/files/{id}/versions", ID: "list-versions", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F9",
		Summary:     "List a file's earlier contents",
		Description: "What was replaced last comes first. Versions count against the quota.",
		Errors:      []*fault.Error{errNotFound, errIsFolder},
	}, s.getVersions)
	rest.Raw(a, rest.Op{
		Method: http.MethodGet, Path: "/files/{id}/versions/{version}/content", ID: "download-version", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F9",
		Summary:     "Download an earlier content",
		Description: "As `GET /files/{id}/content`.",
		Errors:      []*fault.Error{errNotFound, errIsFolder, content.ErrPrecondition, content.ErrBadRange},
	}, downloadDoc, s.getVersionContent)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/files/{id}/versions/{version}/restore", ID: "restore-version", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F9",
		Summary:     "Make an earlier content the file's content",
		Description: "The content that the file had becomes a version. `COFFER_VERSIONS` bounds how many the server keeps.",
		Errors:      []*fault.Error{errNotFound, errIsFolder},
	}, s.postVersionRestore)
	rest.Register(a, rest.Op{
		Method: http.MethodDelete, Path: "/files/{id}/versions/{version}", ID: "delete-version", Tag: tag, Access: rest.Session, Status: http.StatusNoContent, Rows: "F-F9",
		Summary: "Delete an earlier content for good",
		Errors:  []*fault.Error{errNotFound, errIsFolder},
	}, s.deleteVersion)
}

type trashInput struct {
	rest.Request
	rest.Paging
}

type trashOutput struct {
	Body rest.Page[Trashed]
}

func (s *Service) getTrash(ctx context.Context, in *trashInput) (*trashOutput, error) {
	items, next, err := s.ListTrash(ctx, account.ID(in.Caller.Account), in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	return &trashOutput{Body: rest.Page[Trashed]{Items: items, NextCursor: next}}, nil
}

func (s *Service) postRestore(ctx context.Context, in *idInput) (*entryOutput, error) {
	e, err := s.Restore(ctx, account.ID(in.Caller.Account), in.ID)
	if err != nil {
		return nil, err
	}
	return &entryOutput{e}, nil
}

func (s *Service) deleteTrashed(ctx context.Context, in *idInput) (*struct{}, error) {
	return nil, s.DeleteTrashed(ctx, account.ID(in.Caller.Account), in.ID)
}

func (s *Service) emptyTrash(ctx context.Context, in *rest.Request) (*struct{}, error) {
	return nil, s.EmptyTrash(ctx, account.ID(in.Caller.Account))
}

type versionsInput struct {
	rest.Request
	rest.Paging
	ID string `path:"id"`
}

type versionsOutput struct {
	Body rest.Page[Version]
}

func (s *Service) getVersions(ctx context.Context, in *versionsInput) (*versionsOutput, error) {
	items, next, err := s.Versions(ctx, account.ID(in.Caller.Account), in.ID, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	return &versionsOutput{Body: rest.Page[Version]{Items: items, NextCursor: next}}, nil
}

// getVersionContent serves GET and HEAD of a version's content.
func (s *Service) getVersionContent(w http.ResponseWriter, r *http.Request) error {
	inline, err := content.WantsInline(r)
	if err != nil {
		return err
	}
	o, about, err := s.VersionContent(r.Context(), account.ID(rest.CallerOf(r).Account), r.PathValue("id"), r.PathValue("version"))
	if err != nil {
		return err
	}
	about.Inline = inline
	return o.Serve(w, r, about)
}

type versionInput struct {
	rest.Request
	ID      string `path:"id"`
	Version string `path:"version"`
}

func (s *Service) postVersionRestore(ctx context.Context, in *versionInput) (*entryOutput, error) {
	e, err := s.RestoreVersion(ctx, account.ID(in.Caller.Account), in.ID, in.Version)
	if err != nil {
		return nil, err
	}
	return &entryOutput{e}, nil
}

func (s *Service) deleteVersion(ctx context.Context, in *versionInput) (*struct{}, error) {
	return nil, s.DeleteVersion(ctx, account.ID(in.Caller.Account), in.ID, in.Version)
}
