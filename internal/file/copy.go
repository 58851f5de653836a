package file

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/keyring"
)

// A copy is new entries that share the objects of the old ones. No byte is read or written:
// each entry has a reference to its object, and the object goes with the last of them.
//
// The server reads the original at one moment and stores the copy in several transactions, the
// top last: until then the root leads to none of it. Meanwhile a mark stands among the deleted
// entries. The last transaction removes the mark, and each one before it looks for it. A
// failure turns the mark into the deleted folder that the top never was, and file.clear removes
// what is below it. After a crash file.clear does so itself, once the mark is [copyTime] old.

const (
	// MaxCopied is how many entries one copy makes.
	MaxCopied = 10_000
	// copyRows is how many of them one transaction stores.
	copyRows = 400
	// copyTime is how long a copy may take.
	copyTime = time.Hour
	// copyTries is how often a copy begins anew because an object went meanwhile.
	copyTries = 3
	// copiesAtOnce bounds the copies of folders in memory: one of 10,000 entries takes some 15 MB.
	copiesAtOnce = 4
)

var (
	errTooManyEntries = fault.New(fault.Conflict, "too_many_entries", "One copy takes at most 10,000 files and folders.")
	errDamagedCopy    = fault.New(fault.Conflict, "damaged", "A file that is to be copied is damaged. Delete it first.")
)

// errCopyEnded ends a copy whose mark is gone.
var errCopyEnded = fmt.Errorf("file: a copy takes longer than %v: %w", copyTime, db.ErrUnavailable)

// Place is where a copy goes; nil is what the original has.
type Place struct {
	Name   *string
	Parent *string // "" = root
}

// copying is a copy under way.
type copying struct {
	key   *keyring.DataKey
	owner account.ID
	from  row    // the original, its parent that of the copy
	name  string // that the copy wants
	top   *row
	below []*row // a folder before what is in it

	stored int // of below
}

// Copy copies an entry, a folder with everything below it. It leaves out versions. A taken
// name is numbered. A file whose details do not open is not copied, and nothing with it. An account copies
// one folder at a time, and it refuses with [ErrBusy] when several wait.
func (s *Service) Copy(ctx context.Context, owner account.ID, id string, to Place) (e Entry, err error) {
	if to.Name != nil {
		name, err := cleanName("/name", *to.Name)
		if err != nil {
			return Entry{}, err
		}
		to.Name = &name
	}
	r, err := s.row(ctx, s.DB, owner, id)
	if err != nil {
		return Entry{}, err
	}
	if r.Kind == Folder {
		leave, err := s.copies.Take(ctx, owner)
		if err != nil {
			return Entry{}, err
		}
		defer leave()
	}
	for try := 1; ; try++ {
		p, err := s.planCopy(ctx, owner, id, to)
		if err != nil {
			return Entry{}, err
		}
		e, err := s.storeCopy(ctx, p)
		if err == nil || try == copyTries || !content.IsLost(err) {
			return e, err
		}
	}
}

// planCopy reads an entry and all below it, of one moment, and makes the rows of the copy.
func (s *Service) planCopy(ctx context.Context, owner account.ID, id string, to Place) (p *copying, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		r, err := s.row(ctx, tx, owner, id)
		if err != nil {
			return err
		}
		key, err := s.dataKey(ctx, tx, owner)
		if err != nil {
			return err
		}
		p = &copying{key: key, owner: owner, from: r, name: shownName(key, r)}
		if to.Name != nil {
			p.name = *to.Name
		}
		if to.Parent != nil {
			p.from.Parent = *to.Parent
		}
		if _, err := s.checkMove(ctx, tx, owner, p.from); err != nil {
			return err
		}
		if p.top, err = p.duplicate(r, p.from.Parent, s.Now().UnixMilli()); err != nil {
			return err
		}
		if r.Kind == Folder {
			if err := p.duplicateBelow(ctx, tx); err != nil {
				return err
			}
		}
		use, err := s.Contents.Usage(ctx, tx, owner)
		if err == nil && int64(len(p.below)) >= use.LeftFiles() {
			err = content.ErrQuota // rather than half-way
		}
		return err
	})
	return p, err
}

// shownName returns the name by which an entry is shown.
func shownName(key *keyring.DataKey, r row) string {
	name, err := openName(key, r)
	if err != nil {
		return damagedName
	}
	return name
}

// duplicate returns a copy of r in a folder, without a name.
func (p *copying) duplicate(r row, parent string, now int64) (*row, error) {
	d, err := openDetails(p.key, r)
	if err != nil && r.Kind == File {
		return nil, errDamagedCopy.Because(err)
	}
	r.ID, r.Parent, r.CreatedAt, r.ModifiedAt = newID(), parent, now, now
	r.sealDetails(p.key, d)
	return &r, nil
}

// duplicateBelow adds copies of everything below the original. Nothing else will be in their
// folders, so that a name is never taken.
func (p *copying) duplicateBelow(ctx context.Context, tx *db.Tx) error {
	level := map[string]*naming{p.from.ID: newNaming(p.key, p.owner, p.top.ID)} // by the id of the original
	for len(level) > 0 {
		left := MaxCopied - 1 - len(p.below)
		rows, err := readBelow(ctx, tx, p.owner, slices.Sorted(maps.Keys(level)), left+1)
		if err != nil {
			return err
		}
		if len(rows) > left {
			return errTooManyEntries
		}
		next := map[string]*naming{}
		for _, r := range rows {
			n := level[r.Parent]
			if n == nil {
				return errNotFound // a ring
			}
			made, err := p.duplicate(r, n.parent, p.top.CreatedAt)
			if err != nil {
				return err
			}
			n.want(made, shownName(p.key, r))
			p.below = append(p.below, made)
			if r.Kind == Folder {
				next[r.ID] = newNaming(p.key, p.owner, made.ID)
			}
		}
		for _, n := range level {
			if err := n.find(ctx, tx); err != nil { // of those with one name, which are damaged
				return err
			}
		}
		level = next
	}
	return nil
}

// storeCopy stores a copy: whole, or nothing for good.
func (s *Service) storeCopy(ctx context.Context, p *copying) (e Entry, err error) {
	for err == nil && len(p.below)-p.stored > copyRows {
		err = s.copySome(ctx, p)
	}
	if err == nil {
		e, err = s.copyRest(ctx, p)
	}
	if err != nil && len(p.below) > copyRows {
		if err := s.dropCopy(context.WithoutCancel(ctx), p); err != nil {
			s.Log.WarnContext(ctx, "file: what is stored of a broken copy stays for an hour", "account", p.owner, "error", err)
		}
	}
	return e, err
}

// copySome stores some of what is below the top.
func (s *Service) copySome(ctx context.Context, p *copying) error {
	some := p.below[p.stored : p.stored+copyRows]
	err := s.changeNames(ctx, p.owner, func(c *changing) error {
		if p.stored == 0 {
			if err := insertGone(ctx, c.tx, p.owner, p.mark()); err != nil {
				return err
			}
		} else if there, err := isGone(ctx, c.tx, p.owner, p.mark()); err != nil {
			return err
		} else if !there {
			return errCopyEnded
		}
		return s.insertCopies(ctx, c, some)
	})
	if err == nil {
		p.stored += len(some)
	}
	return err
}

// copyRest stores the rest, and the top.
func (s *Service) copyRest(ctx context.Context, p *copying) (e Entry, err error) {
	err = s.changeNames(ctx, p.owner, func(c *changing) error {
		up, err := s.checkMove(ctx, c.tx, p.owner, p.from)
		if err != nil {
			return err
		}
		if p.stored > 0 {
			if there, err := takeGone(ctx, c.tx, p.owner, p.mark()); err != nil {
				return err
			} else if !there {
				return errCopyEnded
			}
		}
		if err := s.insertCopies(ctx, c, p.below[p.stored:]); err != nil {
			return err
		}
		if err := s.shareCopies(ctx, c, []*row{p.top}); err != nil {
			return err
		}
		n := newNaming(c.key, p.owner, p.from.Parent)
		n.want(p.top, p.name)
		if err := c.insert(ctx, n); err != nil {
			return err
		}
		e = s.show(ctx, p.owner, c.key, *p.top)
		return c.raise(ctx, up, int(p.top.Height))
	})
	return e, err
}

// insertCopies stores entries that share the objects of others.
func (s *Service) insertCopies(ctx context.Context, c *changing, rows []*row) error {
	if err := s.shareCopies(ctx, c, rows); err != nil {
		return err
	}
	for _, r := range rows {
		r.Change = c.count
	}
	stored, err := insertRows(ctx, c.tx, c.owner, rows)
	if err == nil && len(stored) != len(rows) {
		err = errDamaged
	}
	return err
}

// shareCopies counts entries that share the objects of others.
func (s *Service) shareCopies(ctx context.Context, c *changing, rows []*row) error {
	var blobs []string
	for _, r := range rows {
		if r.Blob != nil {
			blobs = append(blobs, *r.Blob)
		}
	}
	if err := s.Contents.Share(ctx, c.tx, c.owner, blobs...); err != nil {
		return err
	}
	return s.Contents.CountFolders(ctx, c.tx, c.owner, len(rows)-len(blobs))
}

// dropCopy gives a copy up unless it is whole: the last transaction may have committed though
// its answer was lost.
func (s *Service) dropCopy(ctx context.Context, p *copying) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := lockTree(ctx, tx, p.owner); err != nil {
			return err
		}
		if there, err := isGone(ctx, tx, p.owner, p.mark()); err != nil {
			return err
		} else if !there {
			return s.dropLock(ctx, tx, p.owner) // the account may be gone, and its tree cleared
		}
		if err := giveUpCopy(ctx, tx, p.owner, p.mark()); err != nil {
			return err
		}
		return s.enqueueClearing(ctx, tx, p.owner)
	})
}

// giveUpCopy turns a mark into the deleted folder that the top of the copy never was.
func giveUpCopy(ctx context.Context, tx *db.Tx, owner account.ID, mark string) error {
	if _, err := takeGone(ctx, tx, owner, mark); err != nil {
		return err
	}
	return insertGone(ctx, tx, owner, strings.TrimPrefix(mark, copyMark))
}

// copyMark is what a mark begins with. It sorts behind every id, for ids are of UUIDv7: their first sign is
// a digit until the year 7500.
const copyMark = "copy "

// mark stands among the deleted entries as long as the copy is not whole.
func (p *copying) mark() string { return copyMark + p.top.ID }

// begun returns when a copy with that mark began: its id tells.
func begun(mark string) time.Time {
	id, err := uuid.Parse(strings.TrimPrefix(mark, copyMark))
	if err != nil {
		return time.Time{}
	}
	return time.Unix(id.Time().UnixTime())
}
