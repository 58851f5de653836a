package file

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"coffer/internal/account"
	"coffer/internal/content"
)

// exportedEntry is a line of files.json.
type exportedEntry struct {
	Path       string `json:"path"`                 // in the archive
	Unreadable bool   `json:"unreadable,omitempty"` // its content is lost or damaged, and not in the archive
	Entry
}

// export adds every file, in its folder, and files.json to the owner's archive. A content
// that cannot be read does not keep the others back; a store that does not answer ends the
// archive.
func (s *Service) export(ctx context.Context, owner account.ID, to *account.Archive) error {
	unreadable := map[string]bool{}
	for at, err := range s.walk(ctx, owner) {
		if err != nil {
			return err
		}
		began := true
		if at.Kind == Folder {
			err = to.Folder(at.Path, at.ModifiedAt)
		} else {
			began, err = s.exportContent(ctx, owner, at, to)
		}
		switch {
		case began && err != nil:
			return err
		case content.IsLost(err):
			unreadable[at.ID] = true
		case errors.Is(err, errNotFound): // deleted meanwhile
		case err != nil:
			return err
		}
	}
	return to.PutAll("files.json", func(yield func(any, error) bool) {
		for at, err := range s.walk(ctx, owner) {
			at.Unreadable = unreadable[at.ID]
			if !yield(at, err) {
				return
			}
		}
	})
}

// exportContent adds a file once its first bytes have authenticated; only then it began.
func (s *Service) exportContent(ctx context.Context, owner account.ID, at exportedEntry, to *account.Archive) (began bool, err error) {
	o, _, err := s.Content(ctx, owner, at.ID)
	if err != nil {
		return false, err
	}
	err = o.Send(ctx, 0, o.Size(), func() (io.Writer, error) {
		began = true
		return to.Stored(at.Path, at.ModifiedAt)
	})
	return began, err
}

// walk yields every entry of an account, a folder before what is in it, with a path below
// files/ that every system takes. Both walks over a tree that does not change give the same
// paths.
func (s *Service) walk(ctx context.Context, owner account.ID) iter.Seq2[exportedEntry, error] {
	return func(yield func(exportedEntry, error) bool) { s.walkFolder(ctx, owner, "", "", "files/", yield) }
}

// walkFolder reports whether the walk goes on. It passes over what is not below the top.
func (s *Service) walkFolder(ctx context.Context, owner account.ID, top, folder, path string, yield func(exportedEntry, error) bool) bool {
	taken := siblings{}
	for cursor := ""; ; {
		entries, next, err := s.listBelow(ctx, owner, top, folder, "created", cursor, 200)
		if errors.Is(err, errNotFound) {
			return true // deleted meanwhile
		}
		if err != nil {
			return yield(exportedEntry{}, err) && false
		}
		for _, e := range entries {
			if !s.walkEntry(ctx, owner, top, e, path+taken.name(e.Name, e.Kind), yield) {
				return false
			}
		}
		if cursor = next; cursor == "" {
			return true
		}
	}
}

// walkEntry yields an entry and what is in it, and reports whether the walk goes on.
func (s *Service) walkEntry(ctx context.Context, owner account.ID, top string, e Entry, path string, yield func(exportedEntry, error) bool) bool {
	return yield(exportedEntry{Path: path, Entry: e}, nil) && (e.Kind != Folder || s.walkFolder(ctx, owner, top, e.ID, path+"/", yield))
}

// siblings are the names of one folder of an archive that are taken, folded because some
// systems do not tell the cases apart.
type siblings map[string]int

// name returns a name that is free, and takes it.
func (t siblings) name(name string, kind Kind) string {
	name = portable(name)
	free, low := name, sameCase(name)
	if t[low] > 0 {
		// Long names are shortened for a number, to the same beginning perhaps. Those share
		// the number that is tried next; no name has the slash.
		next := "/" + sameCase(numbered(name, kind, 1_000_000))
		for t[low] > 0 {
			t[next]++
			free = numbered(name, kind, t[next])
			low = sameCase(free)
		}
	}
	t[low] = 1
	return free
}

var caseless = cases.Fold()

// sameCase returns what a name is to a system that does not tell the cases apart: macOS takes
// ß for ss, and Windows ς for σ. They are not in lower case what they are in upper case.
func sameCase(name string) string {
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			return norm.NFD.String(caseless.String(norm.NFD.String(name)))
		}
	}
	return strings.ToLower(name)
}

// reserved are the names of devices on Windows, with any extension.
var reserved = func() map[string]bool {
	all := map[string]bool{"con": true, "prn": true, "aux": true, "nul": true}
	for _, n := range "123456789¹²³" {
		all["com"+string(n)], all["lpt"+string(n)] = true, true
	}
	return all
}()

// portable returns the name as Windows, too, can make a file of it. A program that unpacks
// the archive must never take a name for a path.
func portable(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || strings.ContainsRune(`/\<>:"|?*`, r) {
			return '_'
		}
		return r
	}, name)
	if end := len(name) - 1; end < 0 || name[end] == '.' || name[end] == ' ' {
		name = name[:max(end, 0)] + "_"
	}
	stem, _, _ := strings.Cut(name, ".")
	if reserved[strings.ToLower(strings.TrimSpace(stem))] {
		name = "_" + name
	}
	return name
}
