package file

import (
	"context"
	"slices"

	"coffer/internal/account"
	"coffer/internal/fault"
)

// A copy is new entries that share the objects of the old ones. No byte is read or written:
// each entry has a reference to its object, and the object goes with the last of them.

// MaxCopied is how many entries one copy makes, which one transaction stores.
const MaxCopied = 10_000

var (
	errTooManyEntries = fault.New(fault.Conflict, "too_many_entries", "One copy takes at most 10,000 files and folders.")
	errDamagedCopy    = fault.New(fault.Conflict, "damaged", "A file that is to be copied is damaged. Delete it first.")
)

// Place is where a copy goes; nil is what the original has.
type Place struct {
	Name   *string
	Parent *string // "" = root
}

// Copy copies an entry, a folder with everything below it. It leaves out versions. A taken
// name is numbered. A file whose details do not open is not copied, and nothing with it.
func (s *Service) Copy(ctx context.Context, owner account.ID, id string, to Place) (e Entry, err error) {
	if to.Name != nil {
		name, err := cleanName("/name", *to.Name)
		if err != nil {
			return Entry{}, err
		}
		to.Name = &name
	}
	err = s.changeNames(ctx, owner, func(c *changing) error {
		r, err := s.row(ctx, c.tx, owner, id)
		if err != nil {
			return err
		}
		parent := r.Parent
		if to.Parent != nil {
			parent = *to.Parent
		}
		moved := r
		moved.Parent = parent
		up, err := s.checkMove(ctx, c.tx, owner, moved)
		if err != nil {
			return err
		}
		name, err := openName(c.key, r)
		if err != nil {
			name = damagedName
		}
		if to.Name != nil {
			name = *to.Name
		}
		n := newNaming(c.key, owner, parent)
		top, err := c.duplicate(n, r, name, s.Now().UnixMilli())
		if err != nil {
			return err
		}
		if err := c.insert(ctx, n); err != nil {
			return err
		}
		copies := []*row{top}
		if r.Kind == Folder {
			below, err := c.duplicateBelow(ctx, r.ID, top)
			if err != nil {
				return err
			}
			copies = append(copies, below...)
		}
		blobs := blobsOf(copies)
		if err := s.Contents.Share(ctx, c.tx, owner, blobs...); err != nil {
			return err
		}
		if err := s.Contents.CountFolders(ctx, c.tx, owner, len(copies)-len(blobs)); err != nil {
			return err
		}
		e = s.show(ctx, owner, c.key, *top)
		return c.raise(ctx, up, int(r.Height))
	})
	return e, err
}

// duplicate adds a copy of r to a naming.
func (c *changing) duplicate(n *naming, r row, name string, now int64) (*row, error) {
	d, err := openDetails(c.key, r)
	if err != nil && r.Kind == File {
		return nil, errDamagedCopy.Because(err)
	}
	r.ID, r.Parent, r.CreatedAt, r.ModifiedAt, r.Change = newID(), n.parent, now, now, c.count
	r.sealDetails(c.key, d)
	n.want(&r, name)
	return &r, nil
}

// duplicateBelow stores copies of everything below a folder, below its copy. Nothing else
// is there, so that a name of it is never taken.
func (c *changing) duplicateBelow(ctx context.Context, folder string, into *row) (copies []*row, err error) {
	now := into.CreatedAt
	level := map[string]*naming{folder: newNaming(c.key, c.owner, into.ID)} // by the id of the original
	for len(level) > 0 {
		left := MaxCopied - 1 - len(copies)
		rows, err := readBelow(ctx, c.tx, c.owner, keysOf(level), left+1)
		if err != nil {
			return nil, err
		}
		if len(rows) > left {
			return nil, errTooManyEntries
		}
		next := map[string]*naming{}
		for _, r := range rows {
			name, err := openName(c.key, r)
			if err != nil {
				name = damagedName
			}
			n := level[r.Parent]
			if n == nil {
				return nil, errNotFound // a ring
			}
			made, err := c.duplicate(n, r, name, now)
			if err != nil {
				return nil, err
			}
			copies = append(copies, made)
			if r.Kind == Folder {
				next[r.ID] = newNaming(c.key, c.owner, made.ID)
			}
		}
		for _, n := range level {
			if err := n.find(ctx, c.tx); err != nil { // of those with one name, which are damaged
				return nil, err
			}
		}
		level = next
	}
	stored, err := insertRows(ctx, c.tx, c.owner, copies)
	if err == nil && len(stored) != len(copies) {
		err = errDamaged
	}
	return copies, err
}

func keysOf(level map[string]*naming) (ids []string) {
	for id := range level {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func blobsOf(rows []*row) (blobs []string) {
	for _, r := range rows {
		if r.Blob != nil {
			blobs = append(blobs, *r.Blob)
		}
	}
	return blobs
}
