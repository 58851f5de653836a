package share

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/file"
	"coffer/internal/rest"
)

const tag = "Shares"

// Routes registers every operation of this room.
func (s *Service) Routes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/files/{id}/shares", ID: "create-share", Tag: tag, Access: rest.Session, Status: http.StatusCreated, Rows: "F-F11 F-F13",
		Summary: "Make a link to a file or folder",
		Description: "A link of kind `read` shows the entry to every holder of it, one of kind `request` takes files into a folder and shows nothing of it. The link follows the entry wherever the owner moves it. " +
			"In the trash it is not found.",
		Errors: []*fault.Error{file.ErrNotFound, account.ErrBusy, errTooMany, errTooManyOpen},
	}, s.post)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/files/{id}/shares", ID: "list-file-shares", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F11",
		Summary: "The links to a file or folder",
		Errors:  []*fault.Error{file.ErrNotFound},
	}, s.getOfEntry)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/shares", ID: "list-shares", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F11",
		Summary: "The account's links, the newest first",
		Errors:  []*fault.Error{errNoShare},
	}, s.getList)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/shares/{id}", ID: "read-share", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F11",
		Summary: "A link",
		Errors:  []*fault.Error{errNoShare},
	}, s.getOne)
	rest.Register(a, rest.Op{
		Method: http.MethodPatch, Path: "/shares/{id}", ID: "update-share", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F11",
		Summary:     "Change a link",
		Description: "What is absent stays, null clears. A new password ends what the old one opened.",
		Errors:      []*fault.Error{errNoShare, account.ErrBusy, errTooManyOpen, errDamaged},
	}, s.patch)
	rest.Register(a, rest.Op{
		Method: http.MethodDelete, Path: "/shares/{id}", ID: "delete-share", Tag: tag, Access: rest.Session, Status: http.StatusNoContent, Rows: "F-F11",
		Summary:     "Stop sharing",
		Description: "The link and its log are gone. Downloads that run are cut.",
		Errors:      []*fault.Error{errNoShare},
	}, s.del)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/shares/{id}/uses", ID: "list-share-uses", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F11",
		Summary:     "What was done with a link, the newest first",
		Description: "The newest 1,000 uses of the last 90 days.",
		Errors:      []*fault.Error{errNoShare},
	}, s.getUses)
	s.guestRoutes(a)
}

// member is a value in a body: absent, null or something.
type member[T any] struct{ Option[T] }

// UnmarshalJSON implements json.Unmarshaler: only an absent member leaves Given false.
func (m *member[T]) UnmarshalJSON(b []byte) error {
	m.Given = true
	return json.Unmarshal(b, &m.Value)
}

// Schema implements huma.SchemaProvider.
func (member[T]) Schema(r huma.Registry) *huma.Schema {
	schema := *r.Schema(reflect.TypeFor[T](), false, "")
	schema.Nullable = true
	return &schema
}

// Settings are what a body says of a link.
type Settings struct {
	Password     member[string]    `json:"password" required:"false" doc:"4 to 256 characters; null for none."`
	ExpiresAt    member[time.Time] `json:"expires_at" required:"false" doc:"null for never."`
	MaxDownloads member[int64]     `json:"max_downloads" required:"false" doc:"Of a link of kind read; null for any number."`
	Note         member[string]    `json:"note" required:"false" doc:"Message to the receiver, at most 1,000 characters."`
	MaxFiles     member[int64]     `json:"max_files" required:"false" doc:"Files that a link of kind request takes; null for any number."`
	MaxFileBytes member[int64]     `json:"max_file_bytes" required:"false" doc:"Bytes of one file that a link of kind request takes; null for any."`
	Accept       member[[]string]  `json:"accept" required:"false" doc:"Endings such as .pdf that a link of kind request takes; null or empty for any."`
}

func (b *Settings) options() Options {
	return Options{
		Password: b.Password.Option, ExpiresAt: b.ExpiresAt.Option, MaxDownloads: b.MaxDownloads.Option, Note: b.Note.Option,
		MaxFiles: b.MaxFiles.Option, MaxFileBytes: b.MaxFileBytes.Option, Accept: b.Accept.Option,
	}
}

type postInput struct {
	rest.Request
	ID   string `path:"id"`
	Body struct {
		Kind Kind `json:"kind" enum:"read,request"`
		Settings
	}
}

type shareOutput struct{ Body Share }

func ownerOf(c rest.Caller) account.ID { return account.ID(c.Account) }

func answer(sh Share, err error) (*shareOutput, error) {
	if err != nil {
		return nil, err
	}
	return &shareOutput{sh}, nil
}

func (s *Service) post(ctx context.Context, in *postInput) (*shareOutput, error) {
	return answer(s.Create(ctx, ownerOf(in.Caller), in.Caller.Session, in.ID, in.Body.Kind, in.Body.options()))
}

type pageOutput struct{ Body rest.Page[Share] }

type ofEntryInput struct {
	rest.Request
	rest.Paging
	ID string `path:"id"`
}

func (s *Service) page(ctx context.Context, owner account.ID, kind, entry string, p rest.Paging) (*pageOutput, error) {
	items, next, err := s.List(ctx, owner, kind, entry, p.Cursor, p.Limit)
	if err != nil {
		return nil, err
	}
	return &pageOutput{rest.Page[Share]{Items: items, NextCursor: next}}, nil
}

func (s *Service) getOfEntry(ctx context.Context, in *ofEntryInput) (*pageOutput, error) {
	return s.page(ctx, ownerOf(in.Caller), "", in.ID, in.Paging)
}

type listInput struct {
	rest.Request
	rest.Paging
	Kind string `query:"kind" enum:"read,request" doc:"Only links of this kind."`
}

func (s *Service) getList(ctx context.Context, in *listInput) (*pageOutput, error) {
	return s.page(ctx, ownerOf(in.Caller), in.Kind, "", in.Paging)
}

type idInput struct {
	rest.Request
	ID string `path:"id"`
}

func (s *Service) getOne(ctx context.Context, in *idInput) (*shareOutput, error) {
	return answer(s.Get(ctx, ownerOf(in.Caller), in.ID))
}

type patchInput struct {
	rest.Request
	ID   string `path:"id"`
	Body Settings
}

func (s *Service) patch(ctx context.Context, in *patchInput) (*shareOutput, error) {
	return answer(s.Update(ctx, ownerOf(in.Caller), in.ID, in.Body.options()))
}

func (s *Service) del(ctx context.Context, in *idInput) (*struct{}, error) {
	return nil, s.Stop(ctx, ownerOf(in.Caller), in.ID)
}

type usesInput struct {
	rest.Request
	rest.Paging
	ID string `path:"id"`
}

type usesOutput struct{ Body rest.Page[Use] }

func (s *Service) getUses(ctx context.Context, in *usesInput) (*usesOutput, error) {
	items, next, err := s.Uses(ctx, ownerOf(in.Caller), in.ID, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	return &usesOutput{rest.Page[Use]{Items: items, NextCursor: next}}, nil
}
