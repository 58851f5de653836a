package content

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"coffer/internal/fault"
)

// Sandbox is the policy under which content is served. A browser that renders it all the same
// gives it an origin of its own, runs no script and loads nothing.
const Sandbox = "sandbox; default-src 'none'"

// Description is what the caller knows of an object that is served.
type Description struct {
	Name, MediaType string
	Sum             [32]byte  // SHA-256 of the content
	StoredAt        time.Time // when the content was stored
	Inline          bool      // it may be shown instead of saved
}

// WantsInline reads the query parameter disposition.
func WantsInline(r *http.Request) (bool, error) {
	switch r.URL.Query().Get("disposition") {
	case "", "attachment":
		return false, nil
	case "inline":
		return true, nil
	}
	return false, fault.InvalidField("query.disposition", "invalid", "disposition must be attachment or inline.")
}

// Serve answers GET and HEAD: preconditions, ranges, digest and sandbox. An error before the
// first byte becomes a problem document; after it, rest cuts the connection.
func (o *Object) Serve(w http.ResponseWriter, r *http.Request, about Description) (err error) {
	if err := o.unwrap(r.Context()); err != nil {
		return err
	}
	etag := about.etag()
	h := w.Header()
	switch precondition(r.Header, etag, about.StoredAt) {
	case failed:
		return ErrPrecondition
	case notModified:
		about.describe(h, etag)
		h.Del("Content-Type") // RFC 9110 §15.4.5: nothing about a body that is not sent
		h.Del("Content-Disposition")
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	var ranges []byteRange
	// Ranges are defined for GET alone (RFC 9110 §14.2).
	if asked := r.Header.Get("Range"); asked != "" && r.Method == http.MethodGet && rangeHolds(r.Header, etag, about.StoredAt) {
		if ranges, err = parseRanges(asked, o.size); err != nil {
			h.Set("Content-Range", fmt.Sprintf("bytes */%d", o.size))
			return ErrBadRange
		}
	}
	contentType, _ := servedType(about.MediaType)
	d := &delivery{ctx: r.Context(), o: o, w: w, contentType: contentType, prepare: func() { about.describe(h, etag) }}
	switch {
	case r.Method == http.MethodHead:
		return d.head()
	case len(ranges) == 0:
		return d.one(http.StatusOK, byteRange{0, o.size})
	case len(ranges) == 1:
		return d.one(http.StatusPartialContent, ranges[0])
	}
	return d.many(ranges)
}

// Answer is what a request for a content gets.
type Answer uint8

const (
	None  Answer = iota // no byte of it: HEAD, a precondition, or a range that does not exist
	Part                // ranges
	Whole               // all of it
)

// Asked returns how many bytes of the content [Object.Serve] would send for a request.
func (o *Object) Asked(r *http.Request, about Description) (Answer, int64) {
	etag := about.etag()
	if r.Method != http.MethodGet || precondition(r.Header, etag, about.StoredAt) != proceed {
		return None, 0
	}
	asked := r.Header.Get("Range")
	if asked == "" || !rangeHolds(r.Header, etag, about.StoredAt) {
		return Whole, o.size
	}
	ranges, err := parseRanges(asked, o.size)
	if err != nil {
		return None, 0
	}
	if len(ranges) == 0 {
		return Whole, o.size
	}
	var n int64
	for _, one := range ranges {
		n += one.length
	}
	return Part, n
}

// etag is strong: the content of an object never changes.
func (d Description) etag() string { return `"` + base64.RawURLEncoding.EncodeToString(d.Sum[:]) + `"` }

// describe sets the headers that are the same for every form of a content.
func (d Description) describe(h http.Header, etag string) {
	contentType, mayShow := servedType(d.MediaType)
	kind := "attachment"
	if d.Inline && mayShow {
		kind = "inline"
	}
	h.Set("Content-Type", contentType)
	h.Set("Content-Disposition", disposition(kind, d.Name))
	h.Set("Content-Security-Policy", Sandbox)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "private, no-store")
	h.Set("Accept-Ranges", "bytes")
	h.Set("ETag", etag)
	h.Set("Last-Modified", d.StoredAt.Format(http.TimeFormat))
	h.Set("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(d.Sum[:])+":") // RFC 9530
}

// delivery sends one object. Its methods return an error before anything was sent, which
// becomes a problem document, or after it, for which rest cuts the connection: a short body
// never looks like the end of a good one.
type delivery struct {
	ctx     context.Context
	o       *Object
	w       http.ResponseWriter
	prepare func() // sets the headers of success

	contentType string
}

// head sends what one would send, without the body, once the content's beginning has
// authenticated: what GET refuses, HEAD does too.
func (d *delivery) head() error {
	body, err := d.o.Open(d.ctx, 0, d.o.size)
	if err != nil {
		return err
	}
	defer body.Close()
	if _, err := body.Read(make([]byte, 1)); err != nil && err != io.EOF {
		return err
	}
	d.prepare()
	d.w.Header().Set("Content-Length", strconv.FormatInt(d.o.size, 10))
	d.w.WriteHeader(http.StatusOK)
	return nil
}

// one sends one range as the body.
func (d *delivery) one(status int, r byteRange) error {
	return d.o.Send(d.ctx, r.start, r.length, func() (io.Writer, error) {
		d.prepare()
		if status == http.StatusPartialContent {
			d.w.Header().Set("Content-Range", contentRange(r, d.o.size))
		}
		d.w.Header().Set("Content-Length", strconv.FormatInt(r.length, 10))
		d.w.WriteHeader(status)
		return d.w, nil
	})
}

// many sends ranges as multipart/byteranges (RFC 9110 §14.6).
func (d *delivery) many(ranges []byteRange) error {
	header := func(r byteRange) textproto.MIMEHeader {
		return textproto.MIMEHeader{"Content-Type": {d.contentType}, "Content-Range": {contentRange(r, d.o.size)}}
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
	began := false
	for _, r := range ranges {
		err := d.o.Send(d.ctx, r.start, r.length, func() (io.Writer, error) {
			if !began {
				d.prepare()
				d.w.Header().Set("Content-Type", "multipart/byteranges; boundary="+parts.Boundary())
				d.w.Header().Set("Content-Length", strconv.FormatInt(length.n, 10))
				d.w.WriteHeader(http.StatusPartialContent)
				began = true
			}
			return parts.CreatePart(header(r))
		})
		if err != nil {
			return err
		}
	}
	return parts.Close()
}

func contentRange(r byteRange, size int64) string {
	return fmt.Sprintf("bytes %d-%d/%d", r.start, r.last(), size)
}

// UnknownType is the media type of everything that is not known to be something else.
const UnknownType = "application/octet-stream"

// CleanType returns the type and subtype of a declared media type, without parameters.
func CleanType(declared string) string {
	t, _, err := mime.ParseMediaType(declared)
	if err != nil || len(t) > 127 || !strings.Contains(t, "/") {
		return UnknownType
	}
	return t
}

// inert are the types that a browser shows without running anything of theirs. Only they
// are served under their own name, and only they may be shown instead of saved.
var inert = map[string]string{
	"image/png": "", "image/jpeg": "", "image/gif": "", "image/webp": "", "image/avif": "",
	"video/mp4": "", "video/webm": "",
	"audio/mp4": "", "audio/webm": "", "audio/mpeg": "", "audio/ogg": "", "audio/wav": "", "audio/flac": "",
	"text/plain": "; charset=utf-8",
}

// servedType returns the Content-Type under which content of a declared type is served,
// and whether it may be shown inline. HTML, SVG, XML and PDF are not on the list: they
// can run script or reach out.
func servedType(mediaType string) (contentType string, mayShow bool) {
	parameter, ok := inert[mediaType]
	if !ok {
		return UnknownType, false
	}
	return mediaType + parameter, true
}

// Attachment is the Content-Disposition of a download that is to be saved under a name.
func Attachment(name string) string { return disposition("attachment", name) }

// disposition returns the Content-Disposition for a name (RFC 6266, RFC 8187): an ASCII
// form for old clients, and the name itself where the two differ.
func disposition(kind, name string) string {
	var ascii, encoded strings.Builder
	plain := true
	for _, r := range name {
		switch {
		case r == '"' || r == '\\' || r == '%': // what clients disagree on inside quotes
			ascii.WriteByte('_')
			plain = false
		case r < 0x20 || r > 0x7e:
			ascii.WriteByte('_')
			plain = false
		default:
			ascii.WriteRune(r)
		}
	}
	for _, c := range []byte(name) {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$&+-.^_`|~", c) >= 0 {
			encoded.WriteByte(c) // attr-char, RFC 8187 §3.2.1
		} else {
			fmt.Fprintf(&encoded, "%%%02X", c)
		}
	}
	value := kind + `; filename="` + ascii.String() + `"`
	if !plain {
		value += `; filename*=UTF-8''` + encoded.String()
	}
	return value
}
