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
	// A guest who declares a length learns nothing of the owner's room: bytes are refused as they come.
	if r.ContentLength > s.MaxUpload {
		return nil, errTooLarge
	}
	if err := s.checkRoom(r.Context(), owner, 0, false); err != nil {
		return nil, err
	}
	u := s.NewUpload(owner)
	u.guests, u.done = in.Hold, in.Done
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

// bounded reads a file that may have at most so many bytes.
type bounded struct {
	r       io.Reader
	left    int64
	pointer string
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p[:min(int64(len(p)), b.left+1)])
	if b.left -= int64(n); b.left < 0 {
		return 0, fault.InvalidField(b.pointer, "too_large", "The file is larger than the link takes.")
	}
	return n, err
}

// limit returns the content of the next file.
func (in *HandIn) limit(f *form, r io.Reader) io.Reader {
	if in.MaxBytes <= 0 {
		return r
	}
	return &bounded{r, in.MaxBytes, "/files/" + strconv.Itoa(f.u.Len()) + "/size"}
}
