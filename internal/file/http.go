package file

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/fault"
	"coffer/internal/rest"
)

const tag = "Files"

// Routes registers every operation of this room.
func (s *Service) Routes(a *rest.API) {
	a.Tell("versions", "How many earlier contents a file keeps; 0 when a replaced content is gone.", int64(s.MaxVersions))
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/files", ID: "list-files", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F1",
		Summary:     "List a folder's children",
		Description: "Without parent, the server lists the root. Order by name puts folders first, ignores case and compares numbers as numbers.",
		Errors:      []*fault.Error{errNotFound},
	}, s.getList)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/files/folders", ID: "create-folder", Tag: tag, Access: rest.Session, Status: http.StatusCreated, Rows: "F-F2",
		Summary:     "Make a folder",
		Description: "The server numbers a taken name: `name (1)`.",
		Errors:      []*fault.Error{errNotFound, errTooDeep, content.ErrQuota},
	}, s.postFolder)
	rest.Raw(a, rest.Op{
		Method: http.MethodPost, Path: "/files", ID: "upload-files", Tag: tag, Access: rest.Session, Status: http.StatusCreated, Rows: "F-F3",
		Summary: "Upload one or many files",
		Description: "The body is multipart/form-data. A field `parent` before the files, or the query parameter, names the folder. Every part with a file name is a file. The server " +
			"numbers taken names: `a (1).txt`. With `replace`, it puts a file into the file that has its name, whose content becomes a version. All files of a request appear together, or none.",
		Errors: []*fault.Error{errNotForm, errMalformed, errNotFound, errTooDeep, errTooLarge, errTooMany, content.ErrExpired, content.ErrQuota},
	}, uploadDoc, s.postFiles)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/files/{id}", ID: "read-file", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F1",
		Summary: "A file's or folder's metadata",
		Errors:  []*fault.Error{errNotFound},
	}, s.getEntry)
	rest.Register(a, rest.Op{
		Method: http.MethodPatch, Path: "/files/{id}", ID: "update-file", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F5",
		Summary:     "Rename, move, or both",
		Description: "A parent of null or \"\" is the root. The server numbers a name that is taken there. A folder cannot move below itself.",
		Errors:      []*fault.Error{errNotFound, errCycle, errTooDeep},
	}, s.patchEntry)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/files/{id}/copy", ID: "copy-file", Tag: tag, Access: rest.Session, Status: http.StatusCreated, Rows: "F-F14",
		Summary: "Copy a file or a folder",
		Description: "A copy shares the stored content with the original: it takes no bytes of the quota, and counts as files and folders. Without a parent it goes beside the original. The server numbers " +
			"a taken name. Versions stay with the original. A folder cannot be copied below itself.",
		Errors: []*fault.Error{errNotFound, errCycle, errTooDeep, errTooManyEntries, errDamagedCopy, content.ErrQuota, ErrBusy},
	}, s.postCopy)
	rest.Register(a, rest.Op{
		Method: http.MethodDelete, Path: "/files/{id}", ID: "delete-file", Tag: tag, Access: rest.Session, Status: http.StatusNoContent, Rows: "F-F5",
		Summary:     "Move to the trash, or delete for good",
		Description: "A folder goes with everything below it.",
		Errors:      []*fault.Error{errNotFound},
	}, s.deleteEntry)
	s.archiveRoutes(a)
	s.usageRoutes(a)
	rest.Raw(a, rest.Op{
		Method: http.MethodGet, Path: "/files/{id}/content", ID: "download-file", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F7",
		Summary: "Download",
		Description: "The server takes one or several ranges, and conditions by ETag and time. `Repr-Digest` is the SHA-256. `disposition=inline` shows images, sound, video and plain text; everything " +
			"else is an attachment. HEAD gets the same answer without the bytes.",
		Errors: []*fault.Error{errNotFound, errIsFolder, content.ErrPrecondition, content.ErrBadRange},
	}, downloadDoc, s.getContent)
	s.thumbnailRoutes(a)
	s.keepRoutes(a)
}

var uploadDoc = rest.RawDoc{
	Params: []rest.RawParam{
		{In: "query", Name: "parent", Doc: "Id of the folder, where the form does not name it; empty for the root."},
		{In: "query", Name: "replace", Doc: "true puts a file into the file that has its name, where the form does not say it.", Enum: []string{"true", "false"}},
	},
	Consumes: "multipart/form-data",
	Form: []rest.RawParam{
		{Name: "parent", Doc: "Id of the folder; before the files."},
		{Name: "replace", Doc: "true or false; before the files. Of several files of one name the first replaces."},
		{Name: "file", Doc: "One or many parts, each with a file name and its media type. The part's name is free.", Required: true, File: true},
	},
	Response: uploadAnswer{},
}

var downloadDoc = rest.RawDoc{
	Params: []rest.RawParam{
		{In: "query", Name: "disposition", Doc: "inline shows what a browser can show without running anything.", Enum: []string{"attachment", "inline"}},
		{In: "header", Name: "Range", Doc: "bytes=…, one range or several (RFC 9110)."},
		{In: "header", Name: "If-Range", Doc: "The ETag or time for which the range is meant."},
		{In: "header", Name: "If-None-Match", Doc: "304 when the content has this ETag."},
		{In: "header", Name: "If-Modified-Since", Doc: "304 when the content is not newer."},
	},
	Headers: []rest.RawParam{
		{Name: "ETag", Doc: "Strong: the content's hash."},
		{Name: "Repr-Digest", Doc: "SHA-256 of the whole content (RFC 9530)."},
		{Name: "Content-Disposition", Doc: "The file's name (RFC 6266)."},
		{Name: "Last-Modified", Doc: "When the content was stored."},
	},
	Statuses: map[int]string{http.StatusPartialContent: "The range, or several as multipart/byteranges.", http.StatusNotModified: "The client has it already."},
}

type listInput struct {
	rest.Request
	rest.Paging
	Parent string `query:"parent" maxLength:"64" doc:"Id of the folder; empty for the root."`
	Sort   string `query:"sort" default:"name" enum:"name,-name,created,-created,modified,-modified,size,-size"`
}

type listOutput struct {
	Body rest.Page[Entry]
}

func (s *Service) getList(ctx context.Context, in *listInput) (*listOutput, error) {
	items, next, err := s.List(ctx, account.ID(in.Caller.Account), in.Parent, in.Sort, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	return &listOutput{Body: rest.Page[Entry]{Items: items, NextCursor: next}}, nil
}

type entryOutput struct {
	Body Entry
}

type folderInput struct {
	rest.Request
	Body struct {
		Name   string `json:"name" doc:"1 to 255 bytes of UTF-8 after NFC."`
		Parent parent `json:"parent" required:"false"`
	}
}

func (s *Service) postFolder(ctx context.Context, in *folderInput) (*entryOutput, error) {
	e, err := s.NewFolder(ctx, account.ID(in.Caller.Account), in.Body.Parent.id, in.Body.Name)
	if err != nil {
		return nil, err
	}
	return &entryOutput{e}, nil
}

type idInput struct {
	rest.Request
	ID string `path:"id"`
}

func (s *Service) getEntry(ctx context.Context, in *idInput) (*entryOutput, error) {
	e, err := s.Get(ctx, account.ID(in.Caller.Account), in.ID)
	if err != nil {
		return nil, err
	}
	return &entryOutput{e}, nil
}

type patchInput struct {
	rest.Request
	ID   string `path:"id"`
	Body struct {
		Name   *string `json:"name,omitempty" doc:"The new name."`
		Parent parent  `json:"parent" required:"false"`
	}
}

func (s *Service) patchEntry(ctx context.Context, in *patchInput) (*entryOutput, error) {
	c := Change{Name: in.Body.Name}
	if in.Body.Parent.given {
		c.Parent = &in.Body.Parent.id
	}
	e, err := s.Update(ctx, account.ID(in.Caller.Account), in.ID, c)
	if err != nil {
		return nil, err
	}
	return &entryOutput{e}, nil
}

type copyInput struct {
	rest.Request
	ID   string `path:"id"`
	Body struct {
		Name   *string `json:"name,omitempty" doc:"The copy's name; the original's by default."`
		Parent parent  `json:"parent" required:"false"`
	}
}

func (s *Service) postCopy(ctx context.Context, in *copyInput) (*entryOutput, error) {
	to := Place{Name: in.Body.Name}
	if in.Body.Parent.given {
		to.Parent = &in.Body.Parent.id
	}
	e, err := s.Copy(ctx, account.ID(in.Caller.Account), in.ID, to)
	if err != nil {
		return nil, err
	}
	return &entryOutput{e}, nil
}

type deleteInput struct {
	rest.Request
	ID        string `path:"id"`
	Permanent bool   `query:"permanent" doc:"Delete for good."`
}

func (s *Service) deleteEntry(ctx context.Context, in *deleteInput) (*struct{}, error) {
	if in.Permanent {
		return nil, s.Delete(ctx, account.ID(in.Caller.Account), in.ID)
	}
	return nil, s.Trash(ctx, account.ID(in.Caller.Account), in.ID)
}

// getContent serves GET and HEAD of a file's content.
func (s *Service) getContent(w http.ResponseWriter, r *http.Request) error {
	inline, err := content.WantsInline(r)
	if err != nil {
		return err
	}
	o, about, err := s.Content(r.Context(), account.ID(rest.CallerOf(r).Account), r.PathValue("id"))
	if err != nil {
		return err
	}
	about.Inline = inline
	return o.Serve(w, r, about)
}

// parent is a folder in a body: absent, null or "" for the root, or an id.
type parent struct {
	given bool
	id    string
}

// UnmarshalJSON implements json.Unmarshaler: only an absent member leaves given false.
func (p *parent) UnmarshalJSON(b []byte) error {
	p.given = true
	return json.Unmarshal(b, &p.id) // null is ""
}

// Schema implements huma.SchemaProvider.
func (parent) Schema(huma.Registry) *huma.Schema {
	longest := 64
	return &huma.Schema{Type: huma.TypeString, Nullable: true, MaxLength: &longest, Description: "Id of the folder; null or empty for the root."}
}
