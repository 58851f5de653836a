// Package disk puts drops on disk: it reads a file or a folder as one stream, and writes a
// stream as a file or a folder.
//
// [Open] gives a [Source], the stream of docs/drop-protocol.md §8. It reads nothing before
// a receiver asks, and it notices a file that changes. [OpenTarget] gives a folder that
// receives; [Target.Begin] gives a [Part], which holds what has come.
//
// # What a sender, or another user of the folder, cannot do
//
//   - Leave the folder: every write goes through an [os.Root], and no name has a separator.
//   - Write through a link: the package makes each folder and file itself. It begins a part
//     anew that holds anything else.
//   - Overwrite: [Part.Finish] takes a name only while it is free, in one step, or replaces
//     what is there when the caller says so.
//   - Look whole too early: until Finish, what has come bears [Suffix].
//   - Have what is verified altered: a part that another user planted is left alone.
//   - Hide in a name: see [Clean] and [SafeName].
//   - Fill the memory: a header has at most 16 MiB and 100,000 entries, and their folders a bound.
//
// # Parts
//
// A file grows in NAME.coffer-part. A folder grows in NAME.coffer-part/, which holds the
// stream's header and the folder content; Finish moves content to NAME. So a folder needs its
// space once, and after a break the next attempt goes on behind the last byte in either. A part is locked:
// a second receive of the same name begins a part of its own.
package disk

import (
	"errors"
	"io/fs"
)

// Suffix ends the name of what is not verified yet.
const Suffix = ".coffer-part"

// The limits of a folder (docs/drop-protocol.md §8).
const (
	MaxHeader  = 16 << 20
	MaxEntries = 100_000
)

// The errors that callers tell apart.
var (
	// ErrUnsafe means that a sender's name or header breaks a rule of §8.
	ErrUnsafe = errors.New("the sender's names are not safe")
	// ErrTooMany means that a folder is beyond MaxEntries or MaxHeader.
	ErrTooMany = errors.New("the folder has too many files for one transfer; pack it into an archive first")
	// ErrExists means that the name is taken.
	ErrExists = fs.ErrExist
	// ErrOrder means that a caller wrote elsewhere than at the end of a part.
	ErrOrder = errors.New("internal error: a part grows at its end only")
)
