package file

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/keyring"
	"coffer/internal/seal"
)

// A deleted entry moves into the account's trash: a folder id that no row has. So the root
// does not lead to it, and every other operation answers for it, and for all below it, as
// for an entry that never was. To empty the trash is to give it another id: the old one is
// from then on a deleted folder, whose children the clear job removes.

// Trashed is an entry in the trash.
type Trashed struct {
	Entry
	DeletedAt time.Time  `json:"deleted_at" doc:"When its owner deleted it."`
	ExpiresAt *time.Time `json:"expires_at" doc:"From when on the server deletes it for good; null for never."`
	Origin    Origin     `json:"origin" doc:"Where it was."`
}

// Origin is the place that an entry in the trash had.
type Origin struct {
	ID   *string  `json:"id" doc:"Id of its folder, which may be deleted by now; null for the root."`
	Path []string `json:"path" doc:"Names of the folders above it, outermost first."`
}

// trashed is a row of the trash.
type trashed struct {
	row
	At     int64
	Origin []byte // sealed
}

// originRow is the place in which an origin opens.
func originRow(id, trash string, at int64) string {
	return string(seal.LP([]byte(id), []byte(trash), binary.BigEndian.AppendUint64(nil, uint64(at))))
}

func (t *trashed) sealOrigin(key *keyring.DataKey, steps []Step) error {
	plain, err := json.Marshal(steps)
	if err != nil {
		return err
	}
	t.Origin = key.Seal("files", "origin", originRow(t.ID, t.Parent, t.At), plain)
	return nil
}

// origin returns the folders that were above an entry, outermost first.
func (t *trashed) origin(key *keyring.DataKey) (steps []Step, err error) {
	plain, err := key.Open("files", "origin", originRow(t.ID, t.Parent, t.At), t.Origin)
	if err == nil {
		err = json.Unmarshal(plain, &steps)
	}
	return steps, err
}

// Trash moves an entry into the trash, a folder with everything below it.
func (s *Service) Trash(ctx context.Context, owner account.ID, id string) error {
	return s.changeNames(ctx, owner, func(c *changing) error {
		r, err := s.row(ctx, c.tx, owner, id)
		if err != nil {
			return err
		}
		steps, err := s.path(ctx, c.tx, c.key, owner, id)
		if err != nil {
			return err
		}
		from := r.Parent
		name, nameErr := openName(c.key, r)
		t := trashed{row: r, At: s.Now().UnixMilli()}
		if t.Parent, err = s.trashFolder(ctx, c); err != nil {
			return err
		}
		// Entries of one name may lie in the trash, so the id takes the name's place in the index.
		t.NameIndex, t.Change = nameIndex(c.key, t.Parent, id), c.count
		if nameErr == nil {
			t.sealName(c.key, name)
		}
		if err := t.sealOrigin(c.key, steps); err != nil {
			return err
		}
		if err := moveToTrash(ctx, c.tx, owner, &t); err != nil {
			return err
		}
		if err := c.leave(ctx, from, id); err != nil {
			return err
		}
		c.trash = true
		return c.lower(ctx, from)
	})
}

// trashFolder returns the id of the account's trash. One that was altered in the database gives way
// to a fresh one.
func (s *Service) trashFolder(ctx context.Context, c *changing) (string, error) {
	folder, err := takeTrash(ctx, c.tx, c.owner, newID())
	if err != nil {
		return "", err
	}
	if ok, err := s.isTrash(ctx, c, folder); err != nil || ok {
		return folder, err
	}
	if _, err := dropTrash(ctx, c.tx, c.owner); err != nil {
		return "", err
	}
	return takeTrash(ctx, c.tx, c.owner, newID())
}

// isTrash reports whether an id may be that of a trash: no entry has it. Nothing else binds the id,
// and a writer of the database could name a folder that stands, to have it emptied.
func (s *Service) isTrash(ctx context.Context, c *changing, folder string) (bool, error) {
	entry, err := isEntry(ctx, c.tx, c.owner, folder)
	if err != nil || folder != "" && !entry { // "" is the whole tree
		return err == nil, err
	}
	s.Log.ErrorContext(ctx, "file: the trash was altered in the database; what lay in it is lost", "account", c.owner, "folder", folder)
	return false, nil
}

// ListTrash returns one page of the trash, deleted last first, and the next one's cursor.
func (s *Service) ListTrash(ctx context.Context, owner account.ID, cursor string, limit int) (items []Trashed, next string, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		items, next = []Trashed{}, ""
		key, err := s.dataKey(ctx, tx, owner)
		if err != nil {
			return err
		}
		if _, err := s.ancestors(ctx, tx, owner, ""); err != nil {
			return err
		}
		after, err := openCursor(key, "", "trash", cursor)
		if err != nil {
			return err
		}
		all, err := readTrash(ctx, tx, owner, after, limit+1)
		if err != nil {
			return err
		}
		for _, t := range all[:min(limit, len(all))] {
			items = append(items, s.showTrashed(ctx, owner, key, t))
		}
		if len(all) > limit {
			next = sealCursor(key, "", "trash", numberMark(all[limit-1].At, all[limit-1].ID))
		}
		return nil
	})
	return items, next, err
}

func (s *Service) showTrashed(ctx context.Context, owner account.ID, key *keyring.DataKey, t trashed) Trashed {
	at := time.UnixMilli(t.At).UTC()
	shown := Trashed{Entry: s.show(ctx, owner, key, t.row), DeletedAt: at, Origin: Origin{Path: []string{}}}
	shown.Parent = nil
	if s.TrashKeep > 0 {
		expires := at.Add(s.TrashKeep)
		shown.ExpiresAt = &expires
	}
	steps, err := t.origin(key)
	if err != nil {
		s.reports.once("origin "+t.ID, func() {
			s.Log.ErrorContext(ctx, "file: the origin of an entry in the trash does not open", "account", owner, "entry", t.ID, "error", err)
		})
		shown.Damaged = true
	}
	for i, step := range steps {
		shown.Origin.Path = append(shown.Origin.Path, step.Name)
		if i == len(steps)-1 {
			shown.Origin.ID = &step.ID
		}
	}
	return shown
}

// Restore moves an entry out of the trash, to where it was. Folders that are gone are made
// again. The server numbers a name that is taken. What has no readable origin goes to the root.
func (s *Service) Restore(ctx context.Context, owner account.ID, id string) (e Entry, err error) {
	err = s.changeNames(ctx, owner, func(c *changing) error {
		if _, err := s.ancestors(ctx, c.tx, owner, ""); err != nil {
			return err
		}
		t, err := readTrashed(ctx, c.tx, owner, id)
		if err != nil {
			return err
		}
		steps, err := t.origin(c.key)
		if err != nil {
			steps = nil
		}
		up, err := s.restoreFolders(ctx, c, steps)
		if err != nil {
			return err
		}
		if len(up)+int(t.Height) > MaxDepth {
			return errTooDeep
		}
		r := t.row
		name, nameErr := openName(c.key, r)
		if r.Parent = ""; len(up) > 0 {
			r.Parent = up[0]
		}
		if nameErr != nil {
			err = c.keepName(ctx, &r)
		} else {
			err = c.rename(ctx, &r, name)
		}
		if err != nil {
			return err
		}
		e = s.show(ctx, owner, c.key, r)
		c.trash = true
		return c.raise(ctx, up, int(r.Height))
	})
	return e, err
}

// restoreFolders returns the folder at the end of the steps and the folders above it,
// innermost first. It begins at the innermost step that still exists, wherever that is now.
// Below it each step is the folder of that name, or a new one.
func (s *Service) restoreFolders(ctx context.Context, c *changing, steps []Step) (up []string, err error) {
	there := len(steps) // steps before it exist
	for ; there > 0; there-- {
		up, err = s.ancestors(ctx, c.tx, c.owner, steps[there-1].ID)
		if err == nil {
			break
		}
		if !errors.Is(err, errNotFound) {
			return nil, err
		}
	}
	if there == 0 {
		up = nil
	}
	for _, step := range steps[there:] {
		parent := ""
		if len(up) > 0 {
			parent = up[0]
		}
		id, err := s.folderNamed(ctx, c, parent, step.Name)
		if err != nil {
			return nil, err
		}
		up = append([]string{id}, up...)
	}
	return up, nil
}

// folderNamed returns the folder of that name in a folder, and makes it when there is none.
// Where a file has the name, the new folder's is numbered.
func (s *Service) folderNamed(ctx context.Context, c *changing, parent, name string) (id string, err error) {
	rows, err := readNamed(ctx, c.tx, c.owner, parent, [][]byte{nameIndex(c.key, parent, name)})
	if err != nil {
		return "", err
	}
	if i := slices.IndexFunc(rows, func(r row) bool { return r.Kind == Folder }); i >= 0 {
		return rows[i].ID, nil
	}
	if err := s.Contents.CountFolders(ctx, c.tx, c.owner, 1); err != nil {
		return "", err
	}
	now := s.Now().UnixMilli()
	r := row{ID: newID(), Parent: parent, Kind: Folder, Height: 1, CreatedAt: now, ModifiedAt: now}
	r.sealDetails(c.key, details{})
	n := newNaming(c.key, c.owner, parent)
	n.want(&r, name)
	return r.ID, c.insert(ctx, n)
}

// DeleteTrashed removes an entry of the trash for good.
func (s *Service) DeleteTrashed(ctx context.Context, owner account.ID, id string) error {
	return s.change(ctx, owner, func(c *changing) error {
		if _, err := s.ancestors(ctx, c.tx, owner, ""); err != nil {
			return err
		}
		t, err := readTrashed(ctx, c.tx, owner, id)
		if err != nil {
			return err
		}
		c.trash = true
		return s.remove(ctx, c, t.row)
	})
}

// EmptyTrash puts everything in the trash out of reach; a job removes it.
func (s *Service) EmptyTrash(ctx context.Context, owner account.ID) error {
	return s.change(ctx, owner, func(c *changing) error {
		if _, err := s.ancestors(ctx, c.tx, owner, ""); err != nil {
			return err
		}
		trash, err := dropTrash(ctx, c.tx, owner)
		if errors.Is(err, db.ErrNoRows) {
			return nil // nothing was deleted since it was emptied
		}
		if err != nil {
			return err
		}
		c.trash = true
		if ok, err := s.isTrash(ctx, c, trash); err != nil || !ok {
			return err
		}
		return s.enqueueClear(ctx, c.tx, owner, trash)
	})
}

// purgeTrash removes what lies in the trash for too long. It runs hourly.
func (s *Service) purgeTrash(ctx context.Context) error {
	if s.TrashKeep == 0 {
		return nil
	}
	before := s.Now().Add(-s.TrashKeep).UnixMilli()
	return s.eachOwner(ctx, readOldTrash, before, func(c *changing) (int, error) {
		n, objects, err := deleteOldTrash(ctx, c.tx, c.owner, before, clearRows)
		if err != nil || n == 0 {
			return n, err
		}
		c.trash = true
		if err := s.enqueueClearing(ctx, c.tx, c.owner); err != nil { // of folders and versions
			return n, err
		}
		if err := s.Contents.Release(ctx, c.tx, c.owner, objects...); err != nil {
			return n, err
		}
		return n, s.Contents.CountFolders(ctx, c.tx, c.owner, len(objects)-n)
	})
}
