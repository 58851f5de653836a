package upload

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	tus "github.com/tus/tusd/v2/pkg/handler"
	tuslog "golang.org/x/exp/slog"

	"coffer/internal/content"
	"coffer/internal/fault"
	"coffer/internal/rest"
)

// call is one request on its way through tusd's handler. tusd passes only a context to its
// store, so the call travels in it.
type call struct {
	s      *Service
	caller rest.Caller
	make   *creation // of POST
	st     *state    // of an existing upload, or of the one that POST made
	sum    *checksum // that came with the bytes; nil without
	body   *source   // nil without a body
	end    func()    // leaves the upload to others; nil before it was taken
	err    error     // of the store: the refusal
}

type callKey struct{}

func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// fail keeps the refusal. tusd makes a status of its own of it, which the client does not get.
func (c *call) fail(err error) error {
	if err != nil && c.err == nil {
		c.err = err
	}
	return err
}

// newTus returns tusd's handler over this room. Its own timeouts and locks are not used:
// package rest has the deadlines, takeover.go the order.
func newTus(s *Service) (*tus.UnroutedHandler, error) {
	store := dataStore{s}
	composer := tus.NewStoreComposer()
	composer.UseCore(store)
	composer.UseTerminater(store)
	composer.UseLengthDeferrer(store)
	return tus.NewUnroutedHandler(tus.Config{
		StoreComposer: composer, MaxSize: s.MaxSize, BasePath: "/v1/uploads/", DisableConcatenation: true, DisableDownload: true,
		Cors: &tus.CorsConfig{Disable: true}, Logger: tuslog.New(silent{}),
		GracefulRequestCompletionTimeout: time.Millisecond, // the store uses a context of its own
	})
}

// silent drops what tusd logs; package rest logs each request.
type silent struct{}

var _ tuslog.Handler = silent{}

func (silent) Enabled(context.Context, tuslog.Level) bool  { return false }
func (silent) Handle(context.Context, tuslog.Record) error { return nil }
func (h silent) WithAttrs([]tuslog.Attr) tuslog.Handler    { return h }
func (h silent) WithGroup(string) tuslog.Handler           { return h }

// dataStore is this room as tusd's store.
type dataStore struct{ s *Service }

var (
	_ tus.DataStore               = dataStore{}
	_ tus.TerminaterDataStore     = dataStore{}
	_ tus.LengthDeferrerDataStore = dataStore{}
	_ tus.Upload                  = stored{}
	_ tus.TerminatableUpload      = stored{}
	_ tus.LengthDeclarableUpload  = stored{}
)

// NewUpload implements tus.DataStore.
func (d dataStore) NewUpload(ctx context.Context, info tus.FileInfo) (tus.Upload, error) {
	c := callOf(ctx)
	length := info.Size
	if info.SizeIsDeferred {
		length = -1
	}
	// Also for a client that is gone: [Service.post] takes back what was made.
	st, err := d.s.create(context.WithoutCancel(ctx), accountOf(c.caller), c.make.details, length)
	if err != nil {
		return nil, c.fail(err)
	}
	c.st = st
	return stored{c}, nil
}

// GetUpload implements tus.DataStore. The call has read the upload before.
func (d dataStore) GetUpload(ctx context.Context, _ string) (tus.Upload, error) {
	return stored{callOf(ctx)}, nil
}

// AsTerminatableUpload implements tus.TerminaterDataStore.
func (dataStore) AsTerminatableUpload(u tus.Upload) tus.TerminatableUpload { return u.(stored) }

// AsLengthDeclarableUpload implements tus.LengthDeferrerDataStore.
func (dataStore) AsLengthDeclarableUpload(u tus.Upload) tus.LengthDeclarableUpload {
	return u.(stored)
}

// stored is the upload of a call as tusd sees it. What tusd's contexts say of the client
// counts for nothing: the server stores what arrived, whether or not the client still waits.
type stored struct{ c *call }

// GetInfo implements tus.Upload.
func (u stored) GetInfo(context.Context) (tus.FileInfo, error) {
	st := u.c.st
	return tus.FileInfo{ID: st.ID, Offset: st.offset, Size: max(st.length, 0), SizeIsDeferred: st.length < 0}, nil
}

// WriteChunk implements tus.Upload.
func (u stored) WriteChunk(ctx context.Context, at int64, r io.Reader) (int64, error) {
	c := u.c
	ctx = context.WithoutCancel(ctx)
	if c.end == nil { // POST with the first bytes
		if err := c.begin(ctx); err != nil {
			return 0, c.fail(err)
		}
	}
	o := content.AppendOptions{Expires: c.s.Now().Add(c.s.Keep)}
	if c.sum != nil {
		o.Check, o.Want = c.sum.hash, c.sum.want
		r = &whole{r: r, body: c.body}
	}
	n, err := c.s.Contents.Append(ctx, c.st.Account, c.st.Blob, at, r, o)
	c.st.offset = at + n
	if err == nil {
		return n, nil
	}
	if broken := c.body.broken(); broken != nil && errors.Is(err, content.ErrChecksum) {
		err = broken // the sum of a part of the bytes says nothing
	}
	return n, c.fail(c.finished(ctx, refused(err)))
}

// whole refuses a body that goes on behind what tusd passes on of it. A sum is of all bytes,
// so it says nothing of those that fit.
type whole struct {
	r    io.Reader
	body *source
	n    int64
}

func (b *whole) Read(p []byte) (n int, err error) {
	n, err = b.r.Read(p)
	if b.n += int64(n); err == io.EOF && b.body.count() > b.n {
		err = errTooLarge
	}
	return n, err
}

// finished translates err for an upload that another request has finished meanwhile: its
// object grows no more.
func (c *call) finished(ctx context.Context, err error) error {
	if !errors.Is(err, content.ErrExpired) && !errors.Is(err, errNotFound) {
		return err
	}
	if r, rowErr := readUpload(ctx, c.s.DB, c.st.Account, c.st.ID); rowErr == nil && r.File != "" {
		return errOffset.Because(err)
	}
	return err
}

// refused translates the refusals of content.
func refused(err error) error {
	for theirs, ours := range map[error]*fault.Error{
		content.ErrOffset: errOffset, content.ErrTakenOver: errTakenOver, content.ErrChecksum: errChecksum, content.ErrBeyond: errTooLarge,
	} {
		if errors.Is(err, theirs) {
			return ours.Because(err)
		}
	}
	if errors.Is(err, content.ErrLength) {
		return badHeader("Upload-Length", "conflict", "The upload has another length.")
	}
	return ended(err)
}

// FinishUpload implements tus.Upload. tusd calls it after a failed chunk too; the next
// request finishes then.
func (u stored) FinishUpload(ctx context.Context) error {
	c := u.c
	if c.err != nil || c.st.File != "" {
		return nil
	}
	return c.fail(c.s.finish(context.WithoutCancel(ctx), c.st, c.caller.Session))
}

// DeclareLength implements tus.LengthDeclarableUpload.
func (u stored) DeclareLength(ctx context.Context, length int64) error {
	return u.c.fail(refused(u.c.s.setLength(ctx, u.c.st, length)))
}

// Terminate implements tus.TerminatableUpload.
func (u stored) Terminate(ctx context.Context) error {
	return u.c.fail(u.c.s.end(ctx, u.c.st.Account, u.c.st.row))
}

// GetReader implements tus.Upload. Downloads belong to package file.
func (stored) GetReader(context.Context) (io.ReadCloser, error) { return nil, tus.ErrNotImplemented }

// begin makes the call the one that sends bytes.
func (c *call) begin(ctx context.Context) (err error) {
	c.end, err = c.s.begin(ctx, c.st, c.body.stop)
	return c.finished(ctx, err)
}

// run passes the call to one of tusd's methods and answers. header is what tusd sees of the
// request: fields that were checked before.
func (c *call) run(w http.ResponseWriter, r *http.Request, header http.Header, method http.HandlerFunc) error {
	// A new request, so that tusd sees what was checked and nothing else.
	seen := (&http.Request{
		Method: r.Method, URL: &url.URL{Path: "/"}, Host: "localhost", Header: header, Body: http.NoBody, ContentLength: r.ContentLength,
		Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor,
	}).WithContext(context.WithValue(r.Context(), callKey{}, c))
	if c.body != nil {
		seen.Body = c.body
		defer c.body.end()
	}
	if c.end == nil {
		defer func() {
			if c.end != nil {
				c.end()
			}
		}()
	}
	answer := &recorder{header: http.Header{}}
	method(answer, seen)
	h := w.Header()
	if c.body != nil && c.body.stopped() != nil {
		h.Set("Connection", "close") // its deadline is over
	}
	if c.st != nil && c.make != nil {
		h.Set("Location", "/v1/uploads/"+c.st.ID) // also beside a refusal of the first bytes
	}
	if err := c.refusal(answer); err != nil {
		return err
	}
	for _, name := range []string{"Upload-Offset", "Upload-Length", "Upload-Defer-Length"} {
		if value := answer.header.Get(name); value != "" {
			h.Set(name, value)
		}
	}
	if c.st != nil && r.Method != http.MethodDelete {
		c.describe(h)
	}
	w.WriteHeader(cmp.Or(answer.status, http.StatusOK))
	return nil
}

// describe writes what tusd does not know.
func (c *call) describe(h http.Header) {
	if c.st.File != "" {
		h.Set("Coffer-File", c.st.File)
		h.Set("Upload-Offset", strconv.FormatInt(c.st.length, 10))
		return
	}
	expires := c.s.Now().Add(c.s.Keep)
	if c.end == nil { // it sent nothing
		expires = time.UnixMilli(c.st.ExpiresAt)
	}
	h.Set("Upload-Expires", expires.UTC().Format(http.TimeFormat))
}

// refusal returns why the call failed: the store's reason, the sender's, or tusd's own.
func (c *call) refusal(answer *recorder) error {
	if c.err != nil {
		return c.err
	}
	if c.body != nil && (c.st == nil || c.st.File == "") {
		if err := c.body.broken(); err != nil {
			var known *fault.Error
			if errors.As(err, &known) {
				return known
			}
			return errCut.Because(err)
		}
	}
	if answer.status < 400 {
		return nil
	}
	switch answer.status {
	case http.StatusRequestEntityTooLarge:
		return errTooLarge
	case http.StatusConflict:
		return errOffset
	case http.StatusUnsupportedMediaType:
		return errContentType
	case http.StatusPreconditionFailed:
		return errVersion
	case http.StatusBadRequest:
		return badHeader("Upload-Length", "invalid", "The length does not fit this upload.")
	}
	return errors.New("tusd: " + string(answer.body))
}

// recorder keeps what tusd answers. Its deadlines do nothing: package rest has them.
type recorder struct {
	header http.Header
	status int
	body   []byte
}

// Header implements http.ResponseWriter.
func (a *recorder) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *recorder) WriteHeader(status int) { a.status = cmp.Or(a.status, status) }

func (a *recorder) Write(p []byte) (int, error) {
	a.body = append(a.body, p...)
	return len(p), nil
}

// SetReadDeadline is what http.ResponseController looks for.
func (*recorder) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline is what http.ResponseController looks for.
func (*recorder) SetWriteDeadline(time.Time) error { return nil }
