package share

import (
	"context"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/fault"
	"coffer/internal/file"
	"coffer/internal/limit"
	"coffer/internal/rest"
)

const guestTag = "Links"

// guestRoutes registers what people without an account call. The secret in the path is what
// lets them in.
func (s *Service) guestRoutes(a *rest.API) {
	op := func(method, path, id, rows, summary, description string, status int, refusals ...*fault.Error) rest.Op {
		return rest.Op{
			Method: method, Path: "/public/shares/{token}" + path, ID: id, Tag: guestTag, Access: rest.Public, Status: status, Rows: rows,
			Summary: summary, Description: description, Errors: append([]*fault.Error{errGone, errPassword}, refusals...),
		}
	}
	at := rest.RawParam{In: "query", Name: "path", Doc: "Names below what is shared, joined by slashes; empty for itself."}
	rest.Register(a, op(http.MethodGet, "", "read-link", "F-F11 F-F13", "What is at a link",
		"A link that does not work, for any reason, answers like one that never was. A link of kind `request` shows nothing of its folder.", http.StatusOK), s.getVisit)
	rest.Register(a, op(http.MethodPost, "/unlock", "unlock-link", "F-F11", "Give a link's password",
		"The answer sets a cookie for this link, which every other operation of the link wants. It is good for twelve hours and until the password changes.",
		http.StatusNoContent, errWrong, limit.ErrLimited, account.ErrBusy), s.postUnlock)
	rest.Raw(a, op(http.MethodGet, "/content", "download-link", "F-F11", "Download from a link",
		"As the owner's download: ranges, conditions, `disposition`. It counts as a download of the link. A range that comes with the `Coffer-Download` of a counted answer, as header or cookie, goes on with "+
			"that download and does not count, for a day and four times the content's bytes.",
		http.StatusOK, content.ErrPrecondition, content.ErrBadRange, fault.ErrInvalid),
		rest.RawDoc{
			Params: []rest.RawParam{at,
				{In: "query", Name: "disposition", Doc: "inline shows what a browser can show without running anything.", Enum: []string{"attachment", "inline"}},
				{In: "header", Name: "Range", Doc: "bytes=…, one range or several (RFC 9110)."},
				{In: "header", Name: ticketHeader, Doc: "Of the answer that counted."}},
			Headers: []rest.RawParam{
				{Name: ticketHeader, Doc: "Goes on with this download."}, {Name: "ETag", Doc: "Strong: the content's hash."},
				{Name: "Repr-Digest", Doc: "SHA-256 of the whole content (RFC 9530)."}, {Name: "Content-Disposition", Doc: "The file's name (RFC 6266)."}},
			Statuses: map[int]string{http.StatusPartialContent: "The range, or several as multipart/byteranges.", http.StatusNotModified: "The client has it already."},
		}, s.getContent)
	rest.Raw(a, op(http.MethodGet, "/archive", "download-link-archive", "F-F11", "Download a folder from a link as a zip",
		"It counts as one download of the link. A connection that breaks off leaves a zip that does not open.", http.StatusOK),
		rest.RawDoc{Params: []rest.RawParam{at}, Produces: "application/zip"}, s.getArchive)
	rest.Raw(a, op(http.MethodGet, "/thumbnail", "read-link-thumbnail", "F-F8 F-F11", "A small picture of a picture at a link", "It does not count as a download.", http.StatusOK, file.ErrNoThumbnail),
		rest.RawDoc{
			Params: []rest.RawParam{at}, Produces: "image/webp", Headers: []rest.RawParam{{Name: "ETag", Doc: "Strong: the thumbnail's hash."}},
			Statuses: map[int]string{http.StatusNotModified: "The client has it already."},
		}, s.getThumbnail)
	rest.Raw(a, op(http.MethodPost, "/files", "hand-in-files", "F-F13", "Hand files in by a link of kind request",
		"The body is multipart/form-data. A field `from` before the files may name the sender. All files of a request arrive, or none. The server numbers names that are taken, and does not tell.",
		http.StatusCreated, append(slices.Clone(file.HandInRefusals), fault.ErrInvalid)...),
		rest.RawDoc{
			Consumes: "multipart/form-data",
			Form: []rest.RawParam{
				{Name: "from", Doc: "What the sender calls himself; before the files, at most 100 characters."},
				{Name: "file", Doc: "One or many parts, each with a file name.", Required: true, File: true},
			},
			Response: handedAnswer{},
		}, s.postFiles)
}

type handedAnswer struct {
	Items []file.Handed `json:"items"`
}

// cookiesOf returns the cookies of a typed operation's request.
func cookiesOf(q *rest.Sent) []*http.Cookie {
	return (&http.Request{Header: http.Header{"Cookie": q.Fields("Cookie")}}).Cookies()
}

type visitInput struct {
	rest.Request
	rest.Paging
	Token string `path:"token"`
	Path  string `query:"path" doc:"Names below what is shared, joined by slashes; empty for itself."`
}

type visitOutput struct{ Body Visit }

func (s *Service) getVisit(ctx context.Context, in *visitInput) (*visitOutput, error) {
	v, err := s.visit(ctx, in.Token, cookiesOf(in.Sent))
	if err != nil {
		return nil, err
	}
	if v.used {
		return nil, errGone
	}
	out, err := s.look(ctx, v, in.Path, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	return &visitOutput{out}, nil
}

type unlockInput struct {
	rest.Request
	Token string `path:"token"`
	Body  struct {
		Password string `json:"password" maxLength:"1024"`
	}
}

type unlockOutput struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
}

func (s *Service) postUnlock(ctx context.Context, in *unlockInput) (*unlockOutput, error) {
	cookies, err := s.unlock(ctx, in.Token, in.Body.Password, in.Client)
	if err != nil {
		return nil, err
	}
	return &unlockOutput{cookies}, nil
}

// guest returns the link of a streaming request, of one kind.
func (s *Service) guest(r *http.Request, kind Kind) (visit, error) {
	v, err := s.visit(r.Context(), r.PathValue("token"), r.Cookies())
	if err == nil && v.Kind != kind {
		err = errGone
	}
	return v, err
}

func (s *Service) getContent(w http.ResponseWriter, r *http.Request) error {
	v, err := s.guest(r, Read)
	if err != nil {
		return err
	}
	return s.sendContent(w, r, v, r.URL.Query().Get("path"))
}

func (s *Service) getArchive(w http.ResponseWriter, r *http.Request) error {
	v, err := s.guest(r, Read)
	if err != nil {
		return err
	}
	return s.sendArchive(w, r, v, r.URL.Query().Get("path"))
}

func (s *Service) getThumbnail(w http.ResponseWriter, r *http.Request) error {
	v, err := s.guest(r, Read)
	if err == nil && v.used {
		err = errGone
	}
	if err != nil {
		return err
	}
	webp, etag, err := s.Files.ThumbnailAt(r.Context(), v.Account, v.Entry, r.URL.Query().Get("path"))
	if err != nil {
		return gone(err)
	}
	file.ServeThumbnail(w, r, webp, etag, "private, no-store")
	return nil
}

func (s *Service) postFiles(w http.ResponseWriter, r *http.Request) error {
	v, err := s.guest(r, Request)
	if err != nil {
		return err
	}
	handed, err := s.take(w, r, v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	return json.MarshalWrite(w, handedAnswer{handed})
}
