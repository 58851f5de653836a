package file

import (
	"bufio"
	"context"
	"errors"
	"io"
	"iter"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/fault"
	"coffer/internal/rest"
)

var (
	errTooLarge  = fault.New(fault.TooLarge, "too_large", "The request exceeds the server's size limit.")
	errTooMany   = fault.New(fault.Invalid, "too_many_files", "One request carries at most 1,000 files, with replace at most 500.")
	errMalformed = fault.New(fault.Malformed, "malformed_body", "The body is not complete multipart/form-data.")
	errNotForm   = fault.New(fault.UnsupportedMedia, "unsupported_media_type", "Send files as multipart/form-data with a boundary.")
)

// formBoundary returns what stands between the parts of a request's form.
func formBoundary(r *http.Request) (string, error) {
	contentType, err := only(r.Header, "Content-Type")
	if err != nil {
		return "", fault.InvalidField("header.Content-Type", "duplicate", "Send Content-Type once, and each of its parameters once.")
	}
	mediaType, params, err := mime.ParseMediaType(contentType)
	if err != nil || mediaType != "multipart/form-data" || params["boundary"] == "" || len(params["boundary"]) > 70 {
		return "", errNotForm
	}
	return params["boundary"], nil
}

// checkLength refuses a request that is longer than the server, or the owner's quota, takes.
func (s *Service) checkLength(ctx context.Context, owner account.ID, length int64, replaces bool) error {
	if length > s.MaxUpload {
		return errTooLarge
	}
	return s.checkRoom(ctx, owner, length, replaces)
}

// newForm returns the form in a request's body.
func (s *Service) newForm(r *http.Request, u *Upload) *form {
	f := &form{u: u, ctx: r.Context(), complete: func() error { return rest.Complete(r) }}
	// The parser reads 4 KiB at a time; the connection should be asked for more.
	f.heads.r = bufio.NewReaderSize(&formBody{r: r.Body, left: s.MaxUpload}, 16<<10)
	return f
}

func (s *Service) postFiles(w http.ResponseWriter, r *http.Request) error {
	boundary, err := formBoundary(r)
	if err != nil {
		return err
	}
	caller := rest.CallerOf(r)
	if err := s.checkLength(r.Context(), account.ID(caller.Account), r.ContentLength, slices.Equal(r.URL.Query()["replace"], []string{"true"})); err != nil {
		return err
	}
	u := s.NewUpload(account.ID(caller.Account))
	u.session = caller.Session
	u.contents.Expect(r.ContentLength)
	f := s.newForm(r, u)
	if query := r.URL.Query()["parent"]; len(query) == 1 {
		f.parent, f.named = query[0], true
	}
	if values := r.URL.Query()["replace"]; len(values) == 1 {
		if err := f.setReplace("query.replace", values[0]); err != nil {
			return err
		}
	}
	entries, err := f.take(f.parser(boundary))
	if err != nil {
		u.Abort(r.Context())
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
	named  bool // parent was given
	heads  heads

	replaces bool    // replace was given
	guests   *HandIn // nil: the owner sends

	complete func() error // reads what stands behind the last part, where that counts
}

// parser reads the parts of the form.
func (f *form) parser(boundary string) *multipart.Reader {
	return multipart.NewReader(&f.heads, boundary)
}

// take stores every file of the form and publishes them.
func (f *form) take(mr *multipart.Reader) ([]Entry, error) {
	checked := false
	for {
		f.heads.begin()
		part, err := mr.NextRawPart()
		f.heads.end()
		if err == io.EOF {
			if err := f.complete(); err != nil {
				return nil, unread(err)
			}
			break
		} else if errors.Is(err, errLongHead) {
			return nil, fault.InvalidField(f.pointer(), "too_long", "A part's header may have at most 32 KiB.").Because(err)
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
		if f.u.Len() >= MaxFiles || f.u.Replace && f.u.Len() >= maxReplaced {
			return nil, errTooMany
		}
		if f.guests != nil {
			if err := f.guests.admit(f, name); err != nil {
				return nil, err
			}
		}
		if !checked {
			if err := f.u.CheckFolder(f.ctx, f.parent); err != nil {
				return nil, err
			}
			checked = true
		}
		mediaType, err := only(part.Header, "Content-Type")
		if err != nil {
			return nil, f.badHeader(err)
		}
		from := io.Reader(source{part})
		if f.guests != nil {
			from = f.guests.limit(f, from)
		}
		if err := f.u.Add(f.ctx, name, content.CleanType(mediaType), from); err != nil {
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
	value, err := only(part.Header, "Content-Disposition")
	if err != nil {
		return "", false, f.badHeader(err)
	}
	_, params, err := mime.ParseMediaType(value)
	if err != nil {
		return "", false, f.badHeader(err)
	}
	raw, isFile := params["filename"]
	if !isFile {
		return "", false, nil
	}
	// Browsers write a quotation mark so (HTML, "multipart/form-data encoding algorithm").
	raw = strings.ReplaceAll(raw, "%22", `"`)
	name, err = cleanName(f.pointer(), lastComponent(raw))
	return name, true, err
}

// pointer names the name of the file that is being read.
func (f *form) pointer() string { return "/files/" + strconv.Itoa(f.u.Len()) + "/name" }

func (f *form) badHeader(err error) error {
	if errors.Is(err, errTwice) {
		return fault.InvalidField(f.pointer(), "duplicate", "Send one Content-Disposition and one Content-Type a part, each parameter once. Send filename or filename*, not both.")
	}
	return fault.InvalidField(f.pointer(), "malformed", "The part's header cannot be read: it has no Content-Disposition, or a control character.").Because(err)
}

// maxField is how much is read of a field of [HandIn].
const maxField = 1 << 10

// pointerTo escapes a name for a JSON pointer (RFC 6901 §3).
var pointerTo = strings.NewReplacer("~", "~0", "/", "~1")

// errTwice is a header, or a parameter of one, that stands twice: programs between a client
// and its file disagree on which of the two counts.
var errTwice = errors.New("file: a header or a parameter stands twice")

// only returns the header's value, "" when there is none, unless the header or one of its
// parameters stands twice. name and name* are the same parameter.
func only[H ~map[string][]string](h H, name string) (string, error) {
	values := h[name]
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 {
		return "", errTwice
	}
	seen := map[string]bool{}
	for name := range parameters(values[0]) {
		name, _, _ = strings.Cut(strings.ToLower(name), "*")
		if seen[name] {
			return "", errTwice
		}
		seen[name] = true
	}
	return values[0], nil
}

// parameters yields the names of a header value's parameters (RFC 9110 §5.6.6), whether or
// not the rest of the value makes sense.
func parameters(value string) iter.Seq[string] {
	return func(yield func(string) bool) {
		start, quoted, first := 0, false, true
		for i := 0; i <= len(value); i++ {
			switch {
			case i < len(value) && quoted && value[i] == '\\':
				i++
			case i < len(value) && value[i] == '"':
				quoted = !quoted
			case i >= len(value) || value[i] == ';' && !quoted:
				name, _, ok := strings.Cut(value[start:min(i, len(value))], "=")
				if ok && !first && !yield(strings.TrimSpace(name)) {
					return
				}
				start, first = i+1, false
			}
		}
	}
}

// field reads a part that is not a file: parent or replace, and only before the files.
func (f *form) field(part *multipart.Part) error {
	name := part.FormName()
	if f.guests != nil {
		if f.u.Len() > 0 {
			return fault.InvalidField("/"+pointerTo.Replace(name), "too_late", "Send it before the files.")
		}
		value, err := io.ReadAll(io.LimitReader(source{part}, maxField))
		if err != nil {
			return err
		}
		return f.guests.Field(name, string(value))
	}
	if name != "parent" && name != "replace" {
		return fault.InvalidField("/"+pointerTo.Replace(name), "unknown_field", "The form accepts only parent, replace and files.")
	}
	if name == "parent" && f.named || name == "replace" && f.replaces {
		return fault.InvalidField("/"+name, "duplicate", "Send it once, in the query or in the form.")
	}
	if f.u.Len() > 0 {
		return fault.InvalidField("/"+name, "too_late", "Send it before the files.")
	}
	value, err := io.ReadAll(io.LimitReader(source{part}, 65))
	if err != nil {
		return err
	}
	if name == "replace" {
		return f.setReplace("/replace", string(value))
	}
	f.named = true
	if f.parent = string(value); len(value) > 64 {
		return errNotFound // no id is that long
	}
	return nil
}

func (f *form) setReplace(pointer, value string) error {
	if value != "true" && value != "false" {
		return fault.InvalidField(pointer, "invalid", "Send true or false.")
	}
	f.u.Replace, f.replaces = value == "true", true
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

// formBody is the body of a form, at most left bytes long.
//
// It ends in io.ErrUnexpectedEOF, after the line break that some clients leave out.
// multipart.Reader never reads past the line of the last boundary: a form that ends here had
// none. Otherwise a body that is cut off right behind a boundary would look whole.
type formBody struct {
	r    io.Reader
	left int64
	last byte // that was read
	over bool
}

func (b *formBody) Read(p []byte) (int, error) {
	if b.over {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooLarge
	}
	if n > 0 {
		b.last = p[n-1]
	}
	if err != io.EOF {
		return n, err
	} else if n > 0 {
		return n, nil // asked again, it is the end again
	}
	b.over = true
	if b.last == '\n' || len(p) < 2 {
		return 0, io.ErrUnexpectedEOF
	}
	return copy(p, "\r\n"), nil
}
