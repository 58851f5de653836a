package file

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/keyring"
)

// Doors for a room that shows one entry of an account, and the entries below it, to guests.
// A guest names an entry by a path: names from the top down, joined by slashes. A path goes down
// only. Each name is looked up in the folder before it, so no spelling of a path leaves the
// top, and no id of the owner's is a name.

// maxPath is the longest path that may lead somewhere.
const maxPath = MaxDepth * (maxName + 1)

// rowAt returns the entry that a path leads to below the top, which "" is itself.
func (s *Service) rowAt(ctx context.Context, q db.Querier, key *keyring.DataKey, owner account.ID, top, path string) (row, error) {
	r, err := s.row(ctx, q, owner, top)
	if err != nil || path == "" {
		return r, err
	}
	if len(path) > maxPath {
		return row{}, errNotFound
	}
	for name := range strings.SplitSeq(path, "/") {
		if clean, err := cleanName("", name); err != nil || clean != name || r.Kind != Folder {
			return row{}, errNotFound
		}
		rows, err := readNamed(ctx, q, owner, r.ID, [][]byte{nameIndex(key, r.ID, name)})
		if err != nil {
			return row{}, err
		}
		if len(rows) != 1 {
			return row{}, errNotFound
		}
		if opened, err := openName(key, rows[0]); err != nil || opened != name {
			return row{}, errNotFound // damaged ones have no name that leads to them
		}
		r = rows[0]
	}
	return r, nil
}

// At returns the entry that a path leads to below an entry of the owner's.
func (s *Service) At(ctx context.Context, owner account.ID, top, path string) (e Entry, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		e, _, _, err = s.entryAt(ctx, tx, owner, top, path)
		return err
	})
	return e, err
}

func (s *Service) entryAt(ctx context.Context, tx *db.Tx, owner account.ID, top, path string) (e Entry, r row, key *keyring.DataKey, err error) {
	if key, err = s.dataKey(ctx, tx, owner); err != nil {
		return e, r, nil, err
	}
	if r, err = s.rowAt(ctx, tx, key, owner, top, path); err != nil {
		return e, r, nil, err
	}
	return s.show(ctx, owner, key, r), r, key, nil
}

// ListAt is [Service.At] with one page of what is in it, by name; nothing for a file.
func (s *Service) ListAt(ctx context.Context, owner account.ID, top, path, cursor string, limit int) (e Entry, items []Entry, next string, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		var key *keyring.DataKey
		e, _, key, err = s.entryAt(ctx, tx, owner, top, path)
		if err != nil || e.Kind != Folder {
			return err
		}
		items, next, err = s.list(ctx, tx, key, owner, e.ID, "name", cursor, limit)
		return err
	})
	return e, items, next, err
}

// ContentAt is [Service.Content] of the file that a path leads to.
func (s *Service) ContentAt(ctx context.Context, owner account.ID, top, path string) (e Entry, o *content.Object, about content.Description, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		var r row
		var key *keyring.DataKey
		if e, r, key, err = s.entryAt(ctx, tx, owner, top, path); err != nil {
			return err
		}
		o, about, err = s.contentOf(ctx, tx, key, owner, r)
		return err
	})
	return e, o, about, err
}

// ArchiveAt returns the entry that a path leads to, the name of its archive, and what writes
// that. Entries that leave the top meanwhile are left out. An error of last, which comes
// before the archive's end, leaves it without one.
func (s *Service) ArchiveAt(ctx context.Context, owner account.ID, top, path string) (e Entry, name string, send func(ctx context.Context, to io.Writer, last func(context.Context) error) error, err error) {
	if e, err = s.At(ctx, owner, top, path); err != nil {
		return e, "", nil, err
	}
	return e, portable(e.Name) + ".zip", func(ctx context.Context, to io.Writer, last func(context.Context) error) error {
		return s.writeArchive(ctx, owner, top, []Entry{e}, to, last)
	}, nil
}

// below refuses an entry that is not, or is not any more, below the top; every entry is below "".
func (s *Service) below(ctx context.Context, q db.Querier, owner account.ID, top, id string) error {
	if top == "" {
		return nil
	}
	ids, _, up, err := readAncestors(ctx, q, owner, id)
	if err == nil {
		err = s.check(ctx, owner, id, up)
	}
	if err == nil && !slices.Contains(ids, top) {
		err = errNotFound
	}
	return err
}

// Locations returns the entries with these ids that the root leads to, each with the folders
// above it, in the order of the ids.
func (s *Service) Locations(ctx context.Context, owner account.ID, ids []string) ([]Found, error) {
	found, _, err := s.Locate(ctx, owner, "", ids)
	if errors.Is(err, errNotFound) {
		return nil, nil
	}
	return found, err
}

// Missing returns those of the ids that no entry has, in the trash or elsewhere.
func (s *Service) Missing(ctx context.Context, q db.Querier, owner account.ID, ids []string) (missing []string, err error) {
	rows, err := readByID(ctx, q, owner, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if !slices.ContainsFunc(rows, func(r row) bool { return r.ID == id }) {
			missing = append(missing, id)
		}
	}
	return missing, nil
}

// MarkShared sets what tells which of an account's entries are shared. A room calls it when
// it is made.
func (s *Service) MarkShared(shared func(ctx context.Context, q db.Querier, owner account.ID, ids []string) (map[string]bool, error)) {
	s.shared = shared
}

// mark says of entries whether they are shared.
func (s *Service) mark(ctx context.Context, q db.Querier, owner account.ID, entries ...*Entry) error {
	if s.shared == nil || len(entries) == 0 {
		return nil
	}
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = e.ID
	}
	shared, err := s.shared(ctx, q, owner, ids)
	if err != nil {
		return err
	}
	for _, e := range entries {
		e.Shared = shared[e.ID]
	}
	return nil
}

func pointers(entries []Entry) []*Entry {
	all := make([]*Entry, len(entries))
	for i := range entries {
		all[i] = &entries[i]
	}
	return all
}

// ThumbnailAt is [Service.Thumbnail] of the file that a path leads to.
func (s *Service) ThumbnailAt(ctx context.Context, owner account.ID, top, path string) (webp []byte, etag string, err error) {
	_, webp, etag, err = s.thumbnail(ctx, owner, path, func(ctx context.Context, q db.Querier, owner account.ID, path string) (row, error) {
		key, err := s.dataKey(ctx, q, owner)
		if err != nil {
			return row{}, err
		}
		return s.rowAt(ctx, q, key, owner, top, path)
	})
	return webp, etag, err
}
