// Package blob is opaque immutable objects: directory, S3.
//
// A caller writes an object once under its own id and never changes it. It can read the
// object whole or in ranges, and delete it. A store knows nothing of the bytes; Coffer's
// rooms store only ciphertext (package seal), but for public objects.
//
// A public object lies in the clear under a readable place, [Public], from which a web server
// or a CDN may serve it. Its room keeps a record of each, and [RemoveOrphans] removes those without one.
//
// # What every store promises
//
//   - Put is all or nothing. On nil the object is durable and visible whole. After an error
//     or a crash nothing is visible under the id.
//   - Put never replaces: of several Puts of one id one succeeds, the others get [ErrExists].
//   - An object that List shows is whole.
//   - Errors of the caller's reader come back unchanged. The store's own errors are
//     [ErrUnavailable], [ErrMissing] or [ErrExists].
//
// [coffer/internal/blob/blobtest] tests these promises on every store.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// Store keeps objects. Ids are 4 to 64 characters of lower-case hexadecimal and "-", the
// first two hexadecimal, or come from [Public]. Random ids spread best. Safe for concurrent
// use.
type Store interface {
	// Put stores the content of r and returns its size. On nil the object is durable and
	// visible whole, otherwise absent. ErrExists: the id is taken. ErrMissing: a Delete ran
	// meanwhile; some S3 servers cannot report that.
	Put(ctx context.Context, id string, r io.Reader) (size int64, err error)
	// Get reads n bytes from off; n < 0 reads to the end. A range beyond the end is no
	// error: the reader ends early. size is the whole object's. ErrMissing: no such object.
	Get(ctx context.Context, id string, off, n int64) (r io.ReadCloser, size int64, err error)
	// Delete removes an object and the leftovers of its unfinished Puts. An absent object
	// is no error.
	Delete(ctx context.Context, id string) error
	// List calls fn for every object with an id after after, ascending, until fn fails: for the
	// public ones of a folder, or, if that is "", for those that are not public.
	List(ctx context.Context, folder, after string, fn func(id string, size int64, at time.Time) error) error
	// Ping reports whether the store is reachable.
	Ping(ctx context.Context) error
}

// The errors of a store.
var (
	ErrMissing     = errors.New("blob: no such object")
	ErrExists      = errors.New("blob: object exists")
	ErrUnavailable = errors.New("blob: store is unavailable")
)

// ErrID says that no store has an object of that id. Ids are made by the program, never by a
// client: it is a caller's mistake, or the caller's record was altered.
var ErrID = errors.New("blob: internal error: not an object id")

// leftoverAge is how long an unfinished Put may rest before it counts as the leftover of a
// crash. A running upload touches its leftover all the time.
const leftoverAge = 24 * time.Hour

// Open opens the store that spec names: "s3://key:secret@host:port/bucket" or a folder.
func Open(ctx context.Context, spec string) (Store, error) {
	if strings.HasPrefix(spec, "s3://") {
		return OpenS3(ctx, spec)
	}
	return OpenDir(strings.TrimPrefix(spec, "file://"))
}

// publicType is the media type of public objects, and publicCache how long a cache may keep
// them: they never change.
const (
	publicType  = "image/webp"
	publicCache = "public, max-age=31536000, immutable"
)

// Public returns the id of a public WebP file: its place below the store's root. folder and
// name are small letters and digits, folder more than three of them; id is hexadecimal.
func Public(folder, id, name string) string { return folder + "/" + id + "/" + name + ".webp" }

var publicID = regexp.MustCompile(`^[a-z]{4,32}/[0-9a-f]{4,64}/[0-9a-z]{1,32}\.webp$`)

func isPublic(id string) bool { return strings.Contains(id, "/") && publicID.MatchString(id) }

var publicFolder = regexp.MustCompile(`^[a-z]{4,32}$`)

func checkFolder(folder string) error {
	if folder != "" && !publicFolder.MatchString(folder) {
		return fmt.Errorf("blob: internal error: not a public folder: %q", folder)
	}
	return nil
}

func checkID(id string) error {
	if isPublic(id) {
		return nil
	}
	if len(id) < 4 || len(id) > 64 || id[0] == '-' || id[1] == '-' {
		return fmt.Errorf("%w: %q", ErrID, id)
	}
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && c != '-' {
			return fmt.Errorf("%w: %q", ErrID, id)
		}
	}
	return nil
}

func checkRange(off int64) error {
	if off < 0 {
		return fmt.Errorf("blob: internal error: negative offset %d", off)
	}
	return nil
}

// unavailable is an error of the store itself. fault turns it into 503.
type unavailable struct {
	op  string
	err error
}

func (e *unavailable) Error() string     { return "blob: " + e.op + ": " + e.err.Error() }
func (e *unavailable) Unwrap() error     { return e.err }
func (e *unavailable) Is(err error) bool { return err == ErrUnavailable }

// Unavailable marks the error as temporary for package fault.
func (e *unavailable) Unavailable() bool { return true }

// down wraps an error of the store. It does not blame the store when the caller gave up.
func down(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return &unavailable{op: op, err: err}
}
