package file

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"iter"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"coffer/internal/account"
	"coffer/internal/content"
)

// exportedEntry is a line of files.json or trash.json.
type exportedEntry struct {
	Path       string `json:"path"`                 // in the archive
	Unreadable bool   `json:"unreadable,omitempty"` // its content is lost or damaged, and not in the archive
	Entry
	DeletedAt *time.Time `json:"deleted_at,omitempty"` // of what lies in the trash itself
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	Origin    *Origin    `json:"origin,omitempty"`
}

// exportedVersion is a line of versions.json.
type exportedVersion struct {
	Path       string `json:"path"`
	Unreadable bool   `json:"unreadable,omitempty"`
	File       string `json:"file"` // id of its file, which is in files.json or trash.json
	Version
}

// export adds to the owner's archive every file, those in the trash and earlier contents
// too, and the lists of them.
func (s *Service) export(ctx context.Context, owner account.ID, to *account.Archive) error {
	addEntry := func(at exportedEntry) (began bool, err error) {
		if at.Kind == Folder {
			return true, to.Folder(at.Path, at.ModifiedAt)
		}
		return s.exportContent(ctx, to, at.Path, at.ModifiedAt, func() (*content.Object, error) { return s.keptContent(ctx, owner, at.ID) })
	}
	addVersion := func(at exportedVersion) (began bool, err error) {
		return s.exportContent(ctx, to, at.Path, at.StoredAt, func() (*content.Object, error) { return s.keptVersion(ctx, owner, at.File, at.ID) })
	}
	entryID := func(at *exportedEntry) (string, *bool) { return at.ID, &at.Unreadable }
	versionID := func(at *exportedVersion) (string, *bool) { return at.ID, &at.Unreadable }
	if err := exportAll(to, "files.json", s.walk(ctx, owner, to.Hold), addEntry, entryID); err != nil {
		return err
	}
	if err := exportAll(to, "trash.json", s.walkTrash(ctx, owner, to.Hold), addEntry, entryID); err != nil {
		return err
	}
	return exportAll(to, "versions.json", s.walkVersions(ctx, owner, to.Hold), addVersion, versionID)
}

// exportAll adds each line's content, and the list of the lines. A content that cannot be read
// does not keep the others back; a store that does not answer ends the archive. Two walks over
// what does not change give the same paths.
func exportAll[T any](to *account.Archive, list string, walk iter.Seq2[T, error], add func(T) (began bool, err error), of func(*T) (id string, unreadable *bool)) error {
	unreadable := map[string]bool{}
	for at, err := range walk {
		if err != nil {
			return err
		}
		began, err := add(at)
		switch {
		case began && err != nil:
			return err
		case content.IsLost(err):
			id, _ := of(&at)
			unreadable[id] = true
		case errors.Is(err, errNotFound), errors.Is(err, errNoVersion): // deleted meanwhile
		case err != nil:
			return err
		}
	}
	return to.PutAll(list, func(yield func(any, error) bool) {
		for at, err := range walk {
			id, lost := of(&at)
			*lost = unreadable[id]
			if !yield(at, err) {
				return
			}
		}
	})
}

// exportContent adds a content once its first bytes have authenticated; only then it began.
func (s *Service) exportContent(ctx context.Context, to *account.Archive, path string, modified time.Time, find func() (*content.Object, error)) (began bool, err error) {
	o, err := find()
	if err != nil {
		return false, err
	}
	err = o.Send(ctx, 0, o.Size(), func() (io.Writer, error) {
		began = true
		return to.Stored(path, modified)
	})
	return began, err
}

// walking is a way through a tree.
type walking struct {
	owner account.ID
	list  lister
	hold  holder
}

// holder counts n more bytes that a walk keeps, or refuses them; below zero, it keeps less.
type holder func(n int) error

// walkPage is how many entries of a folder a walk reads at a time. It keeps them while it is
// below one, in up to 64 folders at a time. A stalled archive is somewhere on its way.
const walkPage = 50

// level is what a walk keeps of one folder.
type level struct {
	hold holder
	kept int
}

// page counts what is at hand, and the names that the folder had so far.
func (l *level) page(atHand int, taken siblings) error {
	n := atHand + taken.weight()
	err := l.hold(n - l.kept)
	if err == nil {
		l.kept = n
	}
	return err
}

// weight is about how many bytes entries take.
func weight(entries []Entry) (n int) {
	for _, e := range entries {
		n += 400 + len(e.Name) + len(e.MediaType) // ids, the hash, times
	}
	return n
}

// leave counts nothing of it any more.
func (l *level) leave() { _ = l.hold(-l.kept) } // fails only for more

// lister returns one page of a folder's children, and the next one's cursor.
type lister func(ctx context.Context, owner account.ID, folder, cursor string) ([]Entry, string, error)

// reachable lists folders below the top ("" = root). It passes over what is not below it.
func (s *Service) reachable(top string) lister {
	return func(ctx context.Context, owner account.ID, folder, cursor string) ([]Entry, string, error) {
		return s.listBelow(ctx, owner, top, folder, "created", cursor, walkPage)
	}
}

// walk yields every entry of an account, a folder before what is in it, with a path below
// files/ that every system takes.
func (s *Service) walk(ctx context.Context, owner account.ID, hold holder) iter.Seq2[exportedEntry, error] {
	return func(yield func(exportedEntry, error) bool) {
		walking{owner, s.reachable(""), hold}.folder(ctx, "", "files/", yield)
	}
}

// walkTrash is walk of what lies in the trash, below trash/.
func (s *Service) walkTrash(ctx context.Context, owner account.ID, hold holder) iter.Seq2[exportedEntry, error] {
	return func(yield func(exportedEntry, error) bool) {
		taken, w := newSiblings(), walking{owner, s.listKept, hold}
		level := level{hold: hold}
		defer level.leave()
		for cursor := ""; ; {
			items, next, err := s.ListTrash(ctx, owner, cursor, walkPage)
			entries := make([]Entry, len(items))
			for i, t := range items {
				entries[i] = t.Entry
			}
			if err == nil {
				err = level.page(weight(entries), taken)
			}
			if err != nil {
				yield(exportedEntry{}, err)
				return
			}
			for _, t := range items {
				at := exportedEntry{Path: "trash/" + taken.name(t.Name, t.Kind), Entry: t.Entry, DeletedAt: &t.DeletedAt, ExpiresAt: t.ExpiresAt, Origin: &t.Origin}
				if !w.entry(ctx, at, yield) {
					return
				}
			}
			if cursor = next; cursor == "" {
				return
			}
		}
	}
}

// walkVersions yields every version of every file, with a path below versions/.
func (s *Service) walkVersions(ctx context.Context, owner account.ID, hold holder) iter.Seq2[exportedVersion, error] {
	return func(yield func(exportedVersion, error) bool) {
		files := newSiblings()
		level := level{hold: hold}
		defer level.leave()
		for after := ""; ; {
			ids, err := readVersioned(ctx, s.DB, owner, after, 200)
			if err == nil {
				err = level.page(0, files)
			}
			if err != nil {
				yield(exportedVersion{}, err)
				return
			}
			if len(ids) == 0 {
				return
			}
			for _, id := range ids {
				name, versions, err := s.keptVersions(ctx, owner, id)
				if errors.Is(err, errNotFound) {
					continue // its removal is under way
				}
				if err == nil {
					err = level.page(300*len(versions), files)
				}
				if err != nil {
					yield(exportedVersion{}, err)
					return
				}
				folder, taken := "versions/"+files.name(name, Folder)+"/", newSiblings()
				for _, v := range versions {
					at := exportedVersion{Path: folder + taken.name(v.StoredAt.Format("2006-01-02 15.04.05 ")+name, File), File: id, Version: v}
					if !yield(at, nil) {
						return
					}
				}
			}
			after = ids[len(ids)-1]
		}
	}
}

// folder reports whether the walk goes on.
func (w walking) folder(ctx context.Context, id, path string, yield func(exportedEntry, error) bool) bool {
	taken, level := newSiblings(), level{hold: w.hold}
	defer level.leave()
	for cursor := ""; ; {
		entries, next, err := w.list(ctx, w.owner, id, cursor)
		if errors.Is(err, errNotFound) {
			return true // deleted meanwhile
		}
		if err == nil {
			err = level.page(len(path)+weight(entries), taken)
		}
		if err != nil {
			return yield(exportedEntry{}, err) && false
		}
		for _, e := range entries {
			if !w.entry(ctx, exportedEntry{Path: path + taken.name(e.Name, e.Kind), Entry: e}, yield) {
				return false
			}
		}
		if cursor = next; cursor == "" {
			return true
		}
	}
}

// entry yields an entry and what is in it, and reports whether the walk goes on.
func (w walking) entry(ctx context.Context, at exportedEntry, yield func(exportedEntry, error) bool) bool {
	return yield(at, nil) && (at.Kind != Folder || w.folder(ctx, at.ID, at.Path+"/", yield))
}

// siblings are the names of one folder of an archive that are taken, folded because some
// systems do not tell the cases apart. It has the hash of each, because a folder may have
// 100,000: two names of one hash would cost a number.
type siblings struct {
	taken map[uint64]struct{}
	next  map[uint64]int // the number that is tried next for a name that was taken
}

func newSiblings() siblings {
	return siblings{map[uint64]struct{}{}, map[uint64]int{}}
}

// seed is one for all, because two walks over the same names give the same paths.
var seed = maphash.MakeSeed()

// weight is about how many bytes they take.
func (t siblings) weight() int { return 20 * (len(t.taken) + len(t.next)) }

// name returns a name that is free, and takes it.
func (t siblings) name(name string, kind Kind) string {
	name = portable(name)
	free, low := name, t.hash(name)
	if t.has(low) {
		// Long names are shortened for a number, to the same beginning perhaps. Those share
		// the number that is tried next.
		next := t.hash(numbered(name, kind, 1_000_000))
		for t.has(low) {
			t.next[next]++
			free = numbered(name, kind, t.next[next])
			low = t.hash(free)
		}
	}
	t.taken[low] = struct{}{}
	return free
}

func (t siblings) has(hash uint64) bool {
	_, ok := t.taken[hash]
	return ok
}

func (t siblings) hash(name string) uint64 { return maphash.String(seed, sameCase(name)) }

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
