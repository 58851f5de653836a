package file

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"time"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/rest"
)

var (
	errBadRange     = fault.New(fault.BadRange, "range_not_satisfiable", "No byte of the range exists; Content-Range names the size.")
	errPrecondition = fault.New(fault.Precondition, "precondition_failed", "The content is not the one that the precondition names.")
)

// sandbox is the policy under which content is served: even if a browser were to render
// it, it would stand on an origin of its own, without script, and could load nothing.
const sandbox = "sandbox; default-src 'none'"

// getContent serves GET and HEAD of a file's content.
func (s *Service) getContent(w http.ResponseWriter, r *http.Request) error {
	inline := false
	switch r.URL.Query().Get("disposition") {
	case "", "attachment":
	case "inline":
		inline = true
	default:
		return fault.InvalidField("query.disposition", "invalid", "disposition is attachment or inline.")
	}
	c, err := s.Content(r.Context(), account.ID(rest.CallerOf(r).Account), r.PathValue("id"))
	if err != nil {
		return err
	}
	// Content never changes under an id of an object, so its hash is a strong tag.
	etag := `"` + base64.RawURLEncoding.EncodeToString(c.Sum[:]) + `"`
	h := w.Header()
	switch precondition(r.Header, etag, c.StoredAt) {
	case failed:
		return errPrecondition
	case notModified:
		describe(h, c, etag, inline)
		h.Del("Content-Type") // RFC 9110 §15.4.5: nothing about a body that is not sent
		h.Del("Content-Disposition")
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	var ranges []byteRange
	// Ranges are defined for GET alone (RFC 9110 §14.2).
	if asked := r.Header.Get("Range"); asked != "" && r.Method == http.MethodGet && rangeHolds(r.Header, etag, c.StoredAt) {
		if ranges, err = parseRanges(asked, c.Size); err != nil {
			h.Set("Content-Range", fmt.Sprintf("bytes */%d", c.Size))
			return errBadRange
		}
	}
	d := &delivery{s: s, ctx: r.Context(), c: c, w: w, out: newSteadyWriter(w)}
	defer d.out.end()
	d.prepare = func() { describe(h, c, etag, inline) }
	switch {
	case r.Method == http.MethodHead:
		d.prepare()
		h.Set("Content-Length", strconv.FormatInt(c.Size, 10))
		w.WriteHeader(http.StatusOK)
		return nil
	case len(ranges) == 0:
		return d.one(http.StatusOK, byteRange{0, c.Size})
	case len(ranges) == 1:
		return d.one(http.StatusPartialContent, ranges[0])
	}
	return d.many(ranges)
}

// describe sets the headers that are the same for every form of a content.
func describe(h http.Header, c *Content, etag string, inline bool) {
	contentType, mayShow := servedType(c.MediaType)
	kind := "attachment"
	if inline && mayShow {
		kind = "inline"
	}
	h.Set("Content-Type", contentType)
	h.Set("Content-Disposition", disposition(kind, c.Name))
	h.Set("Content-Security-Policy", sandbox)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "private, no-store")
	h.Set("Accept-Ranges", "bytes")
	h.Set("ETag", etag)
	h.Set("Last-Modified", c.StoredAt.Format(http.TimeFormat))
	h.Set("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(c.Sum[:])+":") // RFC 9530
}

// delivery sends one content.
type delivery struct {
	s       *Service
	ctx     context.Context
	c       *Content
	w       http.ResponseWriter
	out     *steadyWriter
	prepare func() // sets the headers of success
	began   bool
}

// one sends one range as the body. Its first bytes authenticate before the header goes
// out, so a content that is lost or broken is a problem document; whatever breaks later
// aborts the connection.
func (d *delivery) one(status int, r byteRange) error {
	return d.send(r, func() {
		d.prepare()
		if status == http.StatusPartialContent {
			d.w.Header().Set("Content-Range", contentRange(r, d.c.Size))
		}
		d.w.Header().Set("Content-Length", strconv.FormatInt(r.length, 10))
		d.w.WriteHeader(status)
	}, d.out)
}

// many sends ranges as multipart/byteranges (RFC 9110 §14.6).
func (d *delivery) many(ranges []byteRange) error {
	contentType, _ := servedType(d.c.MediaType)
	header := func(r byteRange) textproto.MIMEHeader {
		return textproto.MIMEHeader{"Content-Type": {contentType}, "Content-Range": {contentRange(r, d.c.Size)}}
	}
	var length countingWriter
	length.w = io.Discard
	sizes := multipart.NewWriter(&length)
	parts := multipart.NewWriter(d.out)
	if err := errors.Join(sizes.SetBoundary(parts.Boundary())); err != nil {
		return err
	}
	for _, r := range ranges {
		if _, err := sizes.CreatePart(header(r)); err != nil {
			return err
		}
		length.n += r.length
	}
	if err := sizes.Close(); err != nil {
		return err
	}
	for _, r := range ranges {
		var part io.Writer
		err := d.send(r, func() {
			if !d.began {
				d.prepare()
				d.w.Header().Set("Content-Type", "multipart/byteranges; boundary="+parts.Boundary())
				d.w.Header().Set("Content-Length", strconv.FormatInt(length.n, 10))
				d.w.WriteHeader(http.StatusPartialContent)
			}
			part, _ = parts.CreatePart(header(r)) // its failure is that of the write below
		}, writerFunc(func(p []byte) (int, error) { return part.Write(p) }))
		if err != nil {
			return err
		}
	}
	if err := parts.Close(); err != nil {
		d.abort(err)
	}
	return nil
}

// send opens a range, calls begin once its first bytes have authenticated, and writes it
// to w. It returns an error only before anything was sent.
func (d *delivery) send(r byteRange, begin func(), w io.Writer) error {
	body, err := d.c.Open(d.ctx, r.start, r.length)
	var first [512]byte
	n := 0
	if err == nil {
		defer body.Close()
		n, err = body.Read(first[:])
	}
	if err != nil && err != io.EOF {
		if d.began {
			d.abort(err)
		}
		return err
	}
	begin()
	d.began = true
	if _, err := w.Write(first[:n]); err != nil {
		d.abort(err)
	}
	if _, err := body.(io.WriterTo).WriteTo(w); err != nil {
		d.abort(err)
	}
	return nil
}

// abort ends the connection: a short body must not look like the end of a good one.
func (d *delivery) abort(err error) {
	if d.ctx.Err() == nil {
		d.s.Log.WarnContext(d.ctx, "a download was broken off", "file", d.c.ID, "error", err)
	}
	d.out.end()
	panic(http.ErrAbortHandler)
}

func contentRange(r byteRange, size int64) string {
	return fmt.Sprintf("bytes %d-%d/%d", r.start, r.last(), size)
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// stall is how long a peer may take for one write or read of ours. There is no limit on a
// whole transfer.
const stall = time.Minute

// steadyWriter writes to a client that must keep up.
type steadyWriter struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func newSteadyWriter(w http.ResponseWriter) *steadyWriter {
	return &steadyWriter{w, http.NewResponseController(w)}
}

func (s *steadyWriter) Write(p []byte) (int, error) {
	_ = s.rc.SetWriteDeadline(time.Now().Add(stall)) // not every writer has a connection
	return s.w.Write(p)
}

// end lets the connection's next answer have its own time.
func (s *steadyWriter) end() { _ = s.rc.SetWriteDeadline(time.Time{}) }

// steadyReader reads a form from a client that must keep up, and at most left bytes.
//
// It ends in io.ErrUnexpectedEOF, after the line break that some clients leave out:
// multipart.Reader never asks for what is behind the line of the last boundary, so whoever
// gets there had none. Otherwise a body that is cut off right behind a boundary would look
// whole.
type steadyReader struct {
	r    io.Reader
	rc   *http.ResponseController
	left int64
	last byte // that was read
	over bool
}

func (s *steadyReader) Read(p []byte) (int, error) {
	if s.over {
		return 0, io.ErrUnexpectedEOF
	}
	_ = s.rc.SetReadDeadline(time.Now().Add(stall))
	n, err := s.r.Read(p)
	if s.left -= int64(n); s.left < 0 {
		return 0, errTooLarge
	}
	if n > 0 {
		s.last = p[n-1]
	}
	if err != io.EOF {
		return n, err
	} else if n > 0 {
		return n, nil // asked again, it is the end again
	}
	s.over = true
	if s.last == '\n' || len(p) < 2 {
		return 0, io.ErrUnexpectedEOF
	}
	return copy(p, "\r\n"), nil
}

func (s *steadyReader) end() { _ = s.rc.SetReadDeadline(time.Time{}) }
