package file

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/fault"
)

// HandIn is what people without a session may put into a folder of the owner's.
type HandIn struct {
	Folder   string
	MaxFiles int64 // at most so many; 0 is no bound but that of every request
	MaxBytes int64 // of one file; 0 is no bound
	// Field takes a field that stands before the files. It refuses one that it does not know.
	Field func(name, value string) error
	// Check refuses a name of a file; pointer names it.
	Check func(pointer, name string) error
	// Hold decides, at the beginning of the transaction that makes this many files appear.
	Hold func(ctx context.Context, tx *db.Tx, files int) error
	// Done ends that transaction.
	Done func(ctx context.Context, tx *db.Tx, files int) error
}

// Handed is a file as the one who handed it in knows it.
type Handed struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
}

// HandInRefusals are those of [Service.HandIn] beside the ones of its functions.
var HandInRefusals = []*fault.Error{errNotForm, errMalformed, errTooDeep, errTooLarge, errTooMany, content.ErrExpired, content.ErrQuota}

// HandIn stores the files of a request's form in a folder of the owner's: all, or none. A
// name that is taken there is numbered, and the answer does not tell.
func (s *Service) HandIn(r *http.Request, owner account.ID, in HandIn) (handed []Handed, err error) {
	boundary, err := formBoundary(r)
	if err != nil {
		return nil, err
	}
	// A guest who declares a length learns nothing of the owner's room, and reserves none of it:
	// bytes are refused, and reserved, as they come.
	if r.ContentLength > s.MaxUpload {
		return nil, errTooLarge
	}
	usage, err := s.Contents.Usage(r.Context(), s.DB, owner)
	if err != nil {
		return nil, err
	}
	if usage.LeftFiles() <= 0 {
		return nil, content.ErrQuota
	}
	u := s.NewUpload(owner)
	u.done, u.guests = in.Done, in.Hold
	f := s.newForm(r, u)
	f.parent, f.named, f.guests = in.Folder, true, &in
	if _, err := f.take(f.parser(boundary)); err != nil {
		u.Abort(r.Context())
		return nil, err
	}
	for _, a := range u.files {
		handed = append(handed, Handed{a.name, a.Size})
	}
	return handed, nil
}

// admit refuses one more file.
func (in *HandIn) admit(f *form, name string) error {
	if in.MaxFiles > 0 && int64(f.u.Len()) >= in.MaxFiles {
		return fault.InvalidField("/files", "too_many", "The link does not take so many files.")
	}
	return in.Check(f.pointer(), name)
}

// guestSource reads a file of a guest's.
type guestSource struct {
	r       io.Reader
	in      *HandIn
	left    int64 // of MaxBytes
	pointer string
}

func (g *guestSource) Read(p []byte) (int, error) {
	if g.in.MaxBytes > 0 {
		p = p[:min(int64(len(p)), g.left+1)]
	}
	n, err := g.r.Read(p)
	if g.left -= int64(n); g.in.MaxBytes > 0 && g.left < 0 {
		return 0, fault.InvalidField(g.pointer, "too_large", "The file is larger than the link takes.")
	}
	return n, err
}

// limit returns the content of the next file.
func (in *HandIn) limit(f *form, r io.Reader) io.Reader {
	return &guestSource{r, in, in.MaxBytes, "/files/" + strconv.Itoa(f.u.Len()) + "/size"}
}
