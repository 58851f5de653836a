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
	d := &delivery{ctx: r.Context(), c: c, w: w, prepare: func() { describe(h, c, etag, inline) }}
	switch {
	case r.Method == http.MethodHead:
		return d.head()
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

// delivery sends one content. Its methods return an error before anything was sent, which
// becomes a problem document, or after it, for which rest cuts the connection: a short body
// never looks like the end of a good one.
type delivery struct {
	ctx     context.Context
	c       *Content
	w       http.ResponseWriter
	prepare func() // sets the headers of success
	began   bool
}

// head sends what one would send, without the body, once the content's beginning has
// authenticated: what GET refuses, HEAD does too.
func (d *delivery) head() error {
	body, err := d.c.Open(d.ctx, 0, d.c.Size)
	if err != nil {
		return err
	}
	defer body.Close()
	if _, err := body.Read(make([]byte, 1)); err != nil && err != io.EOF {
		return err
	}
	d.prepare()
	d.w.Header().Set("Content-Length", strconv.FormatInt(d.c.Size, 10))
	d.w.WriteHeader(http.StatusOK)
	return nil
}

// one sends one range as the body.
func (d *delivery) one(status int, r byteRange) error {
	return d.send(r, func() error {
		d.prepare()
		if status == http.StatusPartialContent {
			d.w.Header().Set("Content-Range", contentRange(r, d.c.Size))
		}
		d.w.Header().Set("Content-Length", strconv.FormatInt(r.length, 10))
		d.w.WriteHeader(status)
		return nil
	}, d.w)
}

// many sends ranges as multipart/byteranges (RFC 9110 §14.6).
func (d *delivery) many(ranges []byteRange) error {
	contentType, _ := servedType(d.c.MediaType)
	header := func(r byteRange) textproto.MIMEHeader {
		return textproto.MIMEHeader{"Content-Type": {contentType}, "Content-Range": {contentRange(r, d.c.Size)}}
	}
	parts := multipart.NewWriter(d.w)
	length := &countingWriter{w: io.Discard}
	sizes := multipart.NewWriter(length)
	err := sizes.SetBoundary(parts.Boundary())
	for _, r := range ranges {
		_, partErr := sizes.CreatePart(header(r))
		err = errors.Join(err, partErr)
		length.n += r.length
	}
	if err := errors.Join(err, sizes.Close()); err != nil {
		return err
	}
	for _, r := range ranges {
		var part io.Writer
		err := d.send(r, func() (err error) {
			if !d.began {
				d.prepare()
				d.w.Header().Set("Content-Type", "multipart/byteranges; boundary="+parts.Boundary())
				d.w.Header().Set("Content-Length", strconv.FormatInt(length.n, 10))
				d.w.WriteHeader(http.StatusPartialContent)
				d.began = true
			}
			part, err = parts.CreatePart(header(r))
			return err
		}, writerFunc(func(p []byte) (int, error) { return part.Write(p) }))
		if err != nil {
			return err
		}
	}
	return parts.Close()
}

// send opens a range, calls begin once its first bytes have authenticated, and writes all
// of it to w. So a content that is lost, or broken at its front, is a problem document.
func (d *delivery) send(r byteRange, begin func() error, w io.Writer) error {
	body, err := d.c.Open(d.ctx, r.start, r.length)
	if err != nil {
		return err
	}
	defer body.Close()
	var first [512]byte
	n, err := body.Read(first[:])
	if err != nil && err != io.EOF {
		return err
	}
	if err := begin(); err != nil {
		return err
	}
	if _, err := w.Write(first[:n]); err != nil {
		return err
	}
	_, err = body.(io.WriterTo).WriteTo(w)
	return err
}

func contentRange(r byteRange, size int64) string {
	return fmt.Sprintf("bytes %d-%d/%d", r.start, r.last(), size)
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
