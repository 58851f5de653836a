package upload

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strconv"
	"time"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/fault"
	"coffer/internal/rest"
)

const tag = "Uploads"

// Routes registers every operation of this room.
func (s *Service) Routes(a *rest.API) {
	header := func(name, doc string) rest.RawParam { return rest.RawParam{In: "header", Name: name, Doc: doc} }
	resumable := rest.RawParam{In: "header", Name: "Tus-Resumable", Doc: "The protocol's version.", Required: true, Enum: []string{version}}
	sum := header("Upload-Checksum", "`sha256 ` or `sha1 ` and the sum of the body in base64. The server stores the whole body or nothing.")
	length := header("Upload-Length", "Bytes of the whole upload.")
	file := header("Coffer-File", "Id of the file that the complete upload has become.")
	offset, expires := header("Upload-Offset", "Bytes that the server has."), header("Upload-Expires", "When an unfinished upload ends, unless bytes arrive before.")
	storing := []*fault.Error{
		errVersion, errHeader, errContentType, errCut, errNotFound, errTooLarge, errChecksum, errTakenOver, errOffset, content.ErrTooManyParts, errFolder, errGone, errDraining,
		content.ErrQuota, content.ErrExpired,
	}

	rest.Raw(a, rest.Op{
		Method: http.MethodOptions, Path: "/uploads", ID: "options-uploads", Tag: tag, Access: rest.Public, Status: http.StatusNoContent, Rows: "F-F4",
		Summary:     "What the server speaks of tus",
		Description: "Resumable uploads follow tus 1.0 (tus.io): see docs/uploads.md.",
	}, rest.RawDoc{Headers: []rest.RawParam{
		header("Tus-Version", "The versions that the server speaks."), header("Tus-Extension", "The extensions that it offers."),
		header("Tus-Max-Size", "Longest upload in bytes."), header("Tus-Checksum-Algorithm", "The algorithms of Upload-Checksum."),
	}}, s.options)
	rest.Raw(a, rest.Op{
		Method: http.MethodPost, Path: "/uploads", ID: "create-upload", Tag: tag, Access: rest.Session, Status: http.StatusCreated, Rows: "F-F4",
		Summary: "Begin a resumable upload",
		Description: "Upload-Metadata has the keys `filename` (required), `filetype`, `parent` and `replace`. A body of application/offset+octet-stream holds the first bytes. " +
			"The server reserves the length in the quota. Location names the upload.",
		Errors: append([]*fault.Error{fault.ErrInvalid, errTooMany, errTooDeep}, storing...),
	}, rest.RawDoc{
		Params: []rest.RawParam{resumable, length, header("Upload-Defer-Length", "1: a PATCH says the length later."),
			{In: "header", Name: "Upload-Metadata", Doc: "Pairs of key and base64, between commas.", Required: true}, sum},
		Headers: []rest.RawParam{header("Location", "The path of the upload."), offset, expires, file},
	}, s.post)
	rest.Raw(a, rest.Op{
		Method: http.MethodHead, Path: "/uploads/{id}", ID: "head-upload", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F4",
		Summary:     "Where to continue an upload",
		Description: "The server first asks a request that sends bytes to the upload to end, and waits for it for up to three seconds. If that one stores more later, a PATCH at this offset is refused.",
		Errors:      []*fault.Error{errVersion, errHeader, errNotFound, errGone, errFolder, content.ErrQuota, content.ErrExpired},
	}, rest.RawDoc{
		Params:  []rest.RawParam{resumable},
		Headers: []rest.RawParam{offset, length, header("Upload-Defer-Length", "1 while the length is unknown."), header("Upload-Metadata", "As the client sent it."), expires, file},
	}, s.head)
	rest.Raw(a, rest.Op{
		Method: http.MethodPatch, Path: "/uploads/{id}", ID: "append-upload", Tag: tag, Access: rest.Session, Status: http.StatusNoContent, Rows: "F-F4",
		Summary: "Send bytes of an upload",
		Description: "The offset must be the server's. What arrives of a body that breaks off is stored, unless it came with a checksum. A later request takes the upload over. " +
			"The answer to the last bytes names the file.",
		Errors: storing,
	}, rest.RawDoc{
		Params:   []rest.RawParam{resumable, {In: "header", Name: "Upload-Offset", Doc: "Where the bytes begin.", Required: true}, length, sum},
		Consumes: contentType,
		Headers:  []rest.RawParam{offset, expires, file},
	}, s.patch)
	rest.Raw(a, rest.Op{
		Method: http.MethodDelete, Path: "/uploads/{id}", ID: "end-upload", Tag: tag, Access: rest.Session, Status: http.StatusNoContent, Rows: "F-F4",
		Summary:     "End an upload",
		Description: "The server removes the bytes of an unfinished upload. The file of a finished one stays.",
		Errors:      []*fault.Error{errVersion, errHeader, errNotFound, errGone},
	}, rest.RawDoc{Params: []rest.RawParam{resumable}}, s.del)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/uploads", ID: "list-uploads", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F4",
		Summary:     "The unfinished uploads",
		Description: "All of them, the newest first, damaged ones too; an account has at most 1,000.",
		Errors:      []*fault.Error{errNotFound},
	}, s.getList)
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/uploads/{id}", ID: "read-upload", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F4",
		Summary:     "An upload",
		Description: "Until it expires, also one that has become a file. Bytes may be on their way: only HEAD returns an offset to continue at.",
		Errors:      []*fault.Error{errNotFound, errGone},
	}, s.getUpload)
}

func accountOf(c rest.Caller) account.ID { return account.ID(c.Account) }

func setVersion(w http.ResponseWriter) {
	w.Header().Set("Tus-Resumable", version)
	w.Header().Set("Tus-Version", version)
}

func (s *Service) options(w http.ResponseWriter, _ *http.Request) error {
	setVersion(w)
	h := w.Header()
	h.Set("Tus-Extension", extensions)
	h.Set("Tus-Checksum-Algorithm", algorithms)
	h.Set("Tus-Max-Size", strconv.FormatInt(s.MaxSize, 10))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// setBack returns a function that ends the current read of the request's body.
func setBack(w http.ResponseWriter) func() {
	rc := http.NewResponseController(w)
	return func() { _ = rc.SetReadDeadline(time.Unix(1, 0)) } // fails only without a connection
}

func (s *Service) post(w http.ResponseWriter, r *http.Request) error {
	setVersion(w)
	if err := checkVersion(r.Header); err != nil {
		return err
	}
	in, err := readCreation(r.Header, r.ContentLength != 0)
	if err != nil {
		return err
	}
	if in.length > s.MaxSize || in.bytes && !fits(0, r.ContentLength, s.most(in.length)) {
		return errTooLarge
	}
	c := &call{s: s, caller: rest.CallerOf(r), make: in}
	if c.sum, err = readChecksum(r.Header); err != nil {
		return err
	}
	if in.Name, err = s.Files.CheckPlace(r.Context(), accountOf(c.caller), in.Parent, in.Name); err != nil {
		return err
	}
	h := http.Header{"Tus-Resumable": {version}}
	if in.length >= 0 {
		h.Set("Upload-Length", strconv.FormatInt(in.length, 10))
	} else {
		h.Set("Upload-Defer-Length", "1")
	}
	if in.bytes {
		h.Set("Content-Type", contentType)
		c.body = newSource(r.Body, setBack(w))
	}
	err = c.run(w, r, h, s.tus.PostFile)
	if c.unheard(r.Context()) {
		ctx := context.WithoutCancel(r.Context())
		if err := s.withdraw(ctx, c.st); err != nil {
			s.Log.WarnContext(ctx, "an upload that its maker does not know stays until it expires", "error", err)
		}
	}
	return err
}

// unheard reports that the call has made an upload, and that its client has hung up before
// the answer, which alone names the upload. Package http ends the context also after a read
// that was stopped or took too long; then the client is there.
func (c *call) unheard(ctx context.Context) bool {
	if c.st == nil || c.st.File != "" || ctx.Err() == nil {
		return false
	}
	return c.body == nil || c.body.stopped() == nil && !errors.Is(c.body.broken(), os.ErrDeadlineExceeded)
}

// most is how many bytes an upload of that length may have.
func (s *Service) most(length int64) int64 {
	if length < 0 {
		return s.MaxSize
	}
	return length
}

// reach returns an upload to which no other request sends bytes. With publish a whole one is a
// file then: the request that sent its last bytes may have died before it published them. A
// damaged one becomes none.
func (s *Service) reach(ctx context.Context, caller rest.Caller, id string, publish bool) (*state, error) {
	st, err := s.read(ctx, accountOf(caller), id)
	if err != nil {
		return nil, err
	}
	ran, err := s.takeOver(ctx, st.row)
	if err != nil {
		return nil, err
	}
	if ran {
		if st, err = s.read(ctx, accountOf(caller), id); err != nil {
			return nil, err
		}
	}
	if publish && st.damaged && st.File == "" {
		return nil, errGone
	}
	if publish && st.File == "" && st.whole() {
		err = s.finish(ctx, st, caller.Session)
	}
	return st, err
}

func (s *Service) head(w http.ResponseWriter, r *http.Request) error {
	setVersion(w)
	if err := checkVersion(r.Header); err != nil {
		return err
	}
	caller := rest.CallerOf(r)
	st, err := s.reach(r.Context(), caller, r.PathValue("id"), true)
	if err != nil {
		return err
	}
	if st.Metadata != "" {
		w.Header().Set("Upload-Metadata", st.Metadata)
	}
	c := &call{s: s, caller: caller, st: st}
	return c.run(w, r, http.Header{"Tus-Resumable": {version}}, s.tus.HeadFile)
}

func (s *Service) patch(w http.ResponseWriter, r *http.Request) error {
	setVersion(w)
	if err := checkVersion(r.Header); err != nil {
		return err
	}
	if err := checkType(r.Header); err != nil {
		return err
	}
	at, err := readOffset(r.Header)
	if err != nil {
		return err
	}
	length, err := number(r.Header, "Upload-Length")
	if err != nil {
		return err
	}
	sum, err := readChecksum(r.Header)
	if err != nil {
		return err
	}
	caller := rest.CallerOf(r)
	st, err := s.reach(r.Context(), caller, r.PathValue("id"), true)
	if err != nil {
		return err
	}
	switch {
	case at != st.offset:
		return errOffset
	case length >= 0 && st.length >= 0 && length != st.length:
		return badHeader("Upload-Length", "conflict", "The upload has another length.")
	case length >= 0 && length < st.offset:
		return badHeader("Upload-Length", "too_small", "The server has more bytes than that.")
	case length > s.MaxSize, r.ContentLength > 0 && !fits(at, r.ContentLength, s.most(max(length, st.length))):
		return errTooLarge
	}
	c := &call{s: s, caller: caller, st: st, sum: sum, body: newSource(r.Body, setBack(w))}
	h := http.Header{"Tus-Resumable": {version}, "Content-Type": {contentType}, "Upload-Offset": {strconv.FormatInt(at, 10)}}
	if length >= 0 && st.length < 0 {
		h.Set("Upload-Length", strconv.FormatInt(length, 10))
	}
	if st.File == "" {
		if err := c.begin(r.Context()); err != nil {
			return err
		}
		defer c.end()
	}
	return c.run(w, r, h, s.tus.PatchFile)
}

func (s *Service) del(w http.ResponseWriter, r *http.Request) error {
	setVersion(w)
	if err := checkVersion(r.Header); err != nil {
		return err
	}
	caller := rest.CallerOf(r)
	st, err := s.reach(r.Context(), caller, r.PathValue("id"), false)
	if err != nil {
		return err
	}
	c := &call{s: s, caller: caller, st: st}
	return c.run(w, r, http.Header{"Tus-Resumable": {version}}, s.tus.DelFile)
}

type listInput struct{ rest.Request }

type listOutput struct {
	Body struct {
		Items []Upload `json:"items"`
	}
}

func (s *Service) getList(ctx context.Context, in *listInput) (*listOutput, error) {
	items, err := s.List(ctx, accountOf(in.Caller))
	if err != nil {
		return nil, err
	}
	out := &listOutput{}
	out.Body.Items = items
	return out, nil
}

type idInput struct {
	rest.Request
	ID string `path:"id"`
}

type uploadOutput struct{ Body Upload }

func (s *Service) getUpload(ctx context.Context, in *idInput) (*uploadOutput, error) {
	u, err := s.Get(ctx, accountOf(in.Caller), in.ID)
	if err != nil {
		return nil, err
	}
	return &uploadOutput{u}, nil
}
