package file

import (
	"context"
	"slices"
	"strings"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/keyring"
)

// ErrNotFound refuses a folder that is not the caller's.
var ErrNotFound = errNotFound

// Named is what an index of names keeps of an entry.
type Named struct {
	ID, Parent string
	Kind       Kind
	Name       string // "" where it does not open
	ModifiedAt int64  // unix milliseconds
}

// Found is an entry and the folders above it, the outermost first.
type Found struct {
	Entry
	Path []Step `json:"path" doc:"The folders above it, the outermost first; empty at the root."`
}

// Count returns how often the account's tree has been locked for a change. It grows with
// every change, and each changed row carries the count of its last one.
func (s *Service) Count(ctx context.Context, owner account.ID) (int64, error) {
	return readChanges(ctx, s.DB, owner, "*")
}

// Names yields the entries whose last change has a count above after and at most to. An
// entry that the root does not lead to is among them; one that is gone is not.
func (s *Service) Names(ctx context.Context, owner account.ID, after, to int64, yield func(Named) error) error {
	key, err := s.dataKey(ctx, s.DB, owner)
	if err != nil {
		return err
	}
	// Among a million rows the columns cost more than the names: three of them come as one.
	rows, err := s.DB.Query(ctx, `SELECT id || '/' || parent || '/' || kind, name, name_index, modified_at FROM files WHERE account = $1 AND change > $2 AND change <= $3`, string(owner), after, to)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		var place string
		if err := rows.Scan(&place, &r.Name, &r.NameIndex, &r.ModifiedAt); err != nil {
			return err
		}
		id, rest, _ := strings.Cut(place, "/")
		parent, kind, _ := strings.Cut(rest, "/")
		r.ID, r.Parent, r.Kind = id, parent, Kind(kind)
		name, err := openName(key, r)
		if err != nil {
			name = "" // the list of its folder reports it
		}
		if err := yield(Named{ID: r.ID, Parent: r.Parent, Kind: r.Kind, Name: name, ModifiedAt: r.ModifiedAt}); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Folders yields every folder of the account, without its name, that has a row.
func (s *Service) Folders(ctx context.Context, owner account.ID, yield func(Named) error) error {
	rows, err := s.DB.Query(ctx, `SELECT id, parent, modified_at FROM files WHERE account = $1 AND kind = 'folder'`, string(owner))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		n := Named{Kind: Folder}
		if err := rows.Scan(&n.ID, &n.Parent, &n.ModifiedAt); err != nil {
			return err
		}
		if err := yield(n); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Locate returns those of the entries that are below a folder ("" = root), in the order of
// the ids, with the folders above each. gone are the ids, of them or of folders above, that
// have no row. The owner must have the folder.
func (s *Service) Locate(ctx context.Context, owner account.ID, under string, ids []string) (found []Found, gone []string, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		key, err := s.dataKey(ctx, tx, owner)
		if err != nil {
			return err
		}
		if under == "" {
			_, err = s.ancestors(ctx, tx, owner, under)
		} else if r, rowErr := s.row(ctx, tx, owner, under); rowErr != nil {
			err = rowErr
		} else if r.Kind != Folder {
			err = fault.InvalidField("query.under", "not_a_folder", "The search is below a folder.")
		}
		if err != nil {
			return err
		}
		l := locating{tx: tx, owner: owner, rows: map[string]row{}}
		if err := l.read(ctx, ids); err != nil {
			return err
		}
		found, gone = nil, l.gone
		for _, id := range ids {
			r, ok := l.rows[id]
			if !ok {
				continue
			}
			if path, ok := l.path(key, r.Parent, under); ok {
				found = append(found, Found{Entry: s.show(ctx, owner, key, r), Path: path})
			}
		}
		marked := make([]*Entry, len(found))
		for i := range found {
			marked[i] = &found[i].Entry
		}
		return s.mark(ctx, tx, owner, marked...)
	})
	return found, gone, err
}

// locating holds the rows of entries and of all folders above them.
type locating struct {
	tx    *db.Tx
	owner account.ID
	rows  map[string]row
	gone  []string
}

// read reads the rows with these ids, then those of the folders above them, a level at a time.
func (l *locating) read(ctx context.Context, ids []string) error {
	for range MaxDepth + 1 {
		var asked []string
		for _, id := range ids {
			if _, known := l.rows[id]; !known && id != "" && isID(id) && !slices.Contains(asked, id) {
				asked = append(asked, id)
			}
		}
		if len(asked) == 0 {
			return nil
		}
		ids = nil
		err := db.InPieces(asked, func(piece []string) error {
			rows, err := readByID(ctx, l.tx, l.owner, piece)
			for _, r := range rows {
				l.rows[r.ID] = r
				ids = append(ids, r.Parent)
			}
			return err
		})
		if err != nil {
			return err
		}
		for _, id := range asked {
			if _, ok := l.rows[id]; !ok {
				l.gone = append(l.gone, id)
			}
		}
	}
	return nil
}

// path returns the folders from the root to a folder, and whether it is, or is below, under.
func (l *locating) path(key *keyring.DataKey, folder, under string) (path []Step, ok bool) {
	path, ok = []Step{}, under == ""
	for range MaxDepth {
		if folder == "" {
			slices.Reverse(path)
			return path, ok
		}
		r, there := l.rows[folder]
		if !there || r.Kind != Folder {
			return nil, false
		}
		name, err := openName(key, r)
		if err != nil {
			name = damagedName
		}
		path = append(path, Step{r.ID, name})
		ok = ok || r.ID == under
		folder = r.Parent
	}
	return nil, false
}
