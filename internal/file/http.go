package file

import (
	"bufio"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/rest"
)

const tag = "Files"

// Routes registers every operation of this room.
func (s *Service) Routes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/files", ID: "list-files", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F1",
		Summary:     "A folder's children",
		Description: "Without parent: the root. By name means as people sort: case does not matter and numbers count as numbers.",
		Errors:      []string{"validation_failed", "not_found"},
	}, s.getList)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/files/folders", ID: "create-folder", Tag: tag, Access: rest.Session, Status: http.StatusCreated, Rows: "F-F2",
		Summary:     "Make a folder",
		Description: "A taken name is numbered: `name (1)`.",
		Errors:      []string{"invalid_json", "validation_failed", "not_found", "too_deep"},
	}, s.postFolder)
	rest.Raw(a, rest.Op{
		Method: http.MethodPost, Path: "/files", ID: "upload-files", Tag: tag, Access: rest.Session, Status: http.StatusCreated, Rows: "F-F3",
		Summary: "Upload one or many files",
		Description: "multipart/form-data. A field `parent`, before the files, or the query parameter names the folder. Every part with a file name is a file; taken names are " +
			"numbered: `a (1).txt`. All files of a request appear together, or none.",
		Errors: []string{"unsupported_media_type", "malformed_body", "validation_failed", "not_found", "too_deep", "too_large", "too_many_files", "upload_expired"},
	}, rest.RawDoc{}, s.postFiles)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/files/{id}", ID: "read-file", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F1",
		Summary: "A file's or folder's metadata",
		Errors:  []string{"not_found"},
	}, s.getEntry)
	rest.Register(a, rest.Op{
		Method: http.MethodPatch, Path: "/files/{id}", ID: "update-file", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F5",
		Summary:     "Rename, move, or both",
		Description: "parent null or \"\" is the root. A name that is taken there is numbered. A folder cannot go below itself.",
		Errors:      []string{"invalid_json", "validation_failed", "not_found", "folder_cycle", "too_deep"},
	}, s.patchEntry)
	rest.Register(a, rest.Op{
		Method: http.MethodDelete, Path: "/files/{id}", ID: "delete-file", Tag: tag, Access: rest.Session, Status: http.StatusNoContent, Rows: "F-F5",
		Summary:     "Delete for good",
		Description: "A folder goes with everything below it.",
		Errors:      []string{"not_found"},
	}, s.deleteEntry)
	rest.Raw(a, rest.Op{
		Method: http.MethodGet, Path: "/files/{id}/content", ID: "download-file", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F7",
		Summary: "Download",
		Description: "Ranges, also several; conditional by ETag and time; `Repr-Digest` is the SHA-256. `disposition=inline` shows images, sound, video and plain text; everything " +
			"else is an attachment. HEAD answers alike, without the bytes.",
		Errors: []string{"not_found", "is_folder", "precondition_failed", "range_not_satisfiable", "validation_failed"},
	}, rest.RawDoc{}, s.getContent)
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

func (s *Service) deleteEntry(ctx context.Context, in *idInput) (*struct{}, error) {
	return nil, s.Delete(ctx, account.ID(in.Caller.Account), in.ID)
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

var (
	errTooLarge  = fault.New(fault.TooLarge, "too_large", "The request is longer than this server takes.")
	errTooMany   = fault.New(fault.Invalid, "too_many_files", "One request carries at most 1,000 files.")
	errMalformed = fault.New(fault.Malformed, "malformed_body", "The body is not whole multipart/form-data.")
	errNotForm   = fault.New(fault.UnsupportedMedia, "unsupported_media_type", "Files come as multipart/form-data with a boundary.")
)

// afterRefusal is how much of a body is still read after a refusal, so that a client
// that only listens when it has sent everything gets to read why.
const afterRefusal = 16 << 20

func (s *Service) postFiles(w http.ResponseWriter, r *http.Request) error {
	mediaType, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "multipart/form-data" || params["boundary"] == "" || len(params["boundary"]) > 70 {
		return errNotForm
	}
	if r.ContentLength > s.MaxUpload {
		return errTooLarge
	}
	body := &steadyReader{r: r.Body, rc: http.NewResponseController(w), left: s.MaxUpload}
	defer body.end()
	u := s.NewUpload(account.ID(rest.CallerOf(r).Account))
	f := &form{u: u, ctx: r.Context(), parent: r.URL.Query().Get("parent")}
	// The parser reads 4 KiB at a time; the connection should be asked for more.
	buffered := bufio.NewReaderSize(body, 256<<10)
	entries, err := f.take(multipart.NewReader(buffered, params["boundary"]))
	if err != nil {
		u.Abort(r.Context())
		if body.left > 0 && r.Context().Err() == nil {
			_, _ = io.CopyN(io.Discard, body, afterRefusal)
		}
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusCreated)
	return json.MarshalWrite(w, uploadAnswer{entries})
}

type uploadAnswer struct {
	Items []Entry `json:"items"`
}

// form is a multipart request that is read part by part.
type form struct {
	u      *Upload
	ctx    context.Context
	parent string
}

// take stores every file of the form and publishes them.
func (f *form) take(mr *multipart.Reader) ([]Entry, error) {
	checked := false
	for {
		part, err := mr.NextRawPart()
		if err == io.EOF {
			break
		} else if errors.As(err, new(textproto.ProtocolError)) {
			return nil, f.badHeader(err) // a control character, say
		} else if err != nil {
			return nil, unread(err)
		}
		name, isFile, err := f.partName(part)
		if err != nil {
			return nil, err
		}
		if !isFile {
			if err := f.field(part); err != nil {
				return nil, err
			}
			continue
		}
		if f.u.Len() >= MaxFiles {
			return nil, errTooMany
		}
		if !checked {
			if err := f.u.CheckFolder(f.ctx, f.parent); err != nil {
				return nil, err
			}
			checked = true
		}
		if err := f.u.Add(f.ctx, name, cleanType(part.Header.Get("Content-Type")), source{part}); err != nil {
			return nil, err
		}
	}
	if f.u.Len() == 0 {
		return nil, fault.InvalidField("/files", "required", "Send at least one part with a file name.")
	}
	return f.u.Publish(f.ctx, f.parent)
}

// partName returns the cleaned name of a file part. The header is read here because
// multipart.Part.FileName forgets the difference between no name and an empty one.
func (f *form) partName(part *multipart.Part) (name string, isFile bool, err error) {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil {
		return "", false, f.badHeader(err)
	}
	raw, isFile := params["filename"]
	if !isFile {
		return "", false, nil
	}
	name, err = cleanName(f.pointer(), lastComponent(raw))
	return name, true, err
}

// pointer names the name of the file that is being read.
func (f *form) pointer() string { return "/files/" + strconv.Itoa(f.u.Len()) + "/name" }

func (f *form) badHeader(err error) error {
	return fault.InvalidField(f.pointer(), "malformed", "The part's header cannot be read: it has no Content-Disposition, or a control character.").Because(err)
}

// field reads a part that is not a file: only parent is one, and only before the files.
func (f *form) field(part *multipart.Part) error {
	if part.FormName() != "parent" {
		return fault.InvalidField("/"+strings.ReplaceAll(strings.ReplaceAll(part.FormName(), "~", "~0"), "/", "~1"), "unknown_field", "The form has parent and files only.")
	}
	if f.u.Len() > 0 {
		return fault.InvalidField("/parent", "too_late", "parent must stand before the files.")
	}
	value, err := io.ReadAll(io.LimitReader(source{part}, 65))
	if err != nil {
		return err
	}
	if f.parent = string(value); len(value) > 64 {
		return errNotFound // no id is that long
	}
	return nil
}

// source is a part's content, whose end is told from a body that was cut off.
type source struct{ r io.Reader }

func (s source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		err = unread(err)
	}
	return n, err
}

// unread is the refusal of a body that cannot be read on.
func unread(err error) error {
	var known *fault.Error
	if errors.As(err, &known) {
		return known
	}
	return errMalformed.Because(err)
}
