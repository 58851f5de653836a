package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
)

// An entry is there when the root leads to it. So a folder is deleted by removing its own
// row: from then on nothing leads to what is below it, however much that is, and every
// statement that takes an id walks up at most [MaxDepth] folders to see it. A job removes
// the rest a few rows at a time. It goes down one level at a time and removes what it has
// seen, so that it ends whatever the table holds.

// row returns an entry that the root leads to. Below a deleted folder there is none.
func (s *Service) row(ctx context.Context, q db.Querier, owner account.ID, id string) (row, error) {
	r, up, err := readRow(ctx, q, owner, id)
	if err == nil {
		err = s.check(ctx, owner, id, up)
	}
	return r, err
}

// check refuses an entry that the root does not lead to.
func (s *Service) check(ctx context.Context, owner account.ID, id string, up way) error {
	if up.levels > MaxDepth {
		s.reports.once("way "+id, func() {
			s.Log.ErrorContext(ctx, "file: the folders above an entry form a ring or are nested too deep", "account", owner, "entry", id)
		})
		return errNotFound
	}
	if up.top != "" {
		return errNotFound // a folder above it is deleted
	}
	return nil
}

// ancestors returns the folder and what is above it, nothing for the root; an error when
// it is no folder of the owner's.
func (s *Service) ancestors(ctx context.Context, q db.Querier, owner account.ID, folder string) ([]string, error) {
	if folder == "" {
		forgotten, err := readForgotten(ctx, q, owner)
		if err == nil && forgotten {
			err = errNotFound
		}
		return nil, err
	}
	ids, kind, up, err := readAncestors(ctx, q, owner, folder)
	if err == nil {
		err = s.check(ctx, owner, folder, up)
	}
	if err == nil && kind != Folder {
		err = notAFolder()
	}
	return ids, err
}

// folderFor is ancestors of a folder that is to take something.
func (s *Service) folderFor(ctx context.Context, q db.Querier, owner account.ID, folder string) ([]string, error) {
	up, err := s.ancestors(ctx, q, owner, folder)
	if err == nil && len(up)+1 > MaxDepth {
		err = errTooDeep
	}
	return up, err
}

// changing is a change of a tree under way. Its transaction holds the account's lock.
type changing struct {
	tx    *db.Tx
	owner account.ID
	count int64            // of the account's lock row
	key   *keyring.DataKey // of changeNames only
	edits []edit
	other []string // folders whose names are the same, but whose entries are not
	trash bool     // the trash is another
}

// news notes that a folder's entries changed, though none came, went or has another name.
func (c *changing) news(folder string) { c.other = append(c.other, folder) }

// change runs fn in a transaction that holds the account's lock.
func (s *Service) change(ctx context.Context, owner account.ID, fn func(c *changing) error) error {
	return s.changeHeld(ctx, owner, func(context.Context, *db.Tx) error { return nil }, fn)
}

// changeHeld is change in a transaction in which hold comes before the account's lock. The
// deletion of an account locks its row, then its tree; who holds the row keeps that order.
func (s *Service) changeHeld(ctx context.Context, owner account.ID, hold func(context.Context, *db.Tx) error, fn func(c *changing) error) error {
	var c *changing
	err := s.DB.Tx(ctx, func(tx *db.Tx) error { // perhaps more than once
		if err := hold(ctx, tx); err != nil {
			return err
		}
		count, err := lockTree(ctx, tx, owner)
		if err != nil {
			return err
		}
		c = &changing{tx: tx, owner: owner, count: count}
		if err := fn(c); err != nil {
			return err
		}
		return s.tell(ctx, c)
	})
	if err == nil {
		s.orders.follow(owner, c.edits)
	}
	return err
}

// tell lets the owner's open pages know which folders changed.
func (s *Service) tell(ctx context.Context, c *changing) error {
	folders := c.other
	for _, e := range c.edits {
		folders = append(folders, e.folder)
	}
	slices.Sort(folders)
	for _, folder := range slices.Compact(folders) {
		if err := s.Feed.Tell(ctx, c.tx, c.owner, "files", folder); err != nil {
			return err
		}
	}
	if c.trash {
		return s.Feed.Tell(ctx, c.tx, c.owner, "trash", "")
	}
	return nil
}

// changeNames is change with the data key, which is read behind the lock: an account that
// was deleted meanwhile has none any more.
func (s *Service) changeNames(ctx context.Context, owner account.ID, fn func(c *changing) error) error {
	return s.change(ctx, owner, s.withKey(ctx, fn))
}

// withKey is fn with the data key.
func (s *Service) withKey(ctx context.Context, fn func(c *changing) error) func(c *changing) error {
	return func(c *changing) (err error) {
		if c.key, err = s.dataKey(ctx, c.tx, c.owner); err != nil {
			return err
		}
		return fn(c)
	}
}

// leave notes that an entry is not in the folder any more.
func (c *changing) leave(ctx context.Context, folder, id string) error {
	changes, err := touchFolder(ctx, c.tx, c.owner, folder)
	c.edits = append(c.edits, edit{folder: folder, changes: changes, id: id, gone: true})
	return err
}

// keepName puts an entry whose name does not open into another folder. Its sealed name
// stays as it is: with the right key it may open again.
func (c *changing) keepName(ctx context.Context, r *row) error {
	changes, err := touchFolder(ctx, c.tx, c.owner, r.Parent)
	if err != nil {
		return err
	}
	r.Change = c.count
	if _, err := moveRow(ctx, c.tx, c.owner, r); err != nil {
		return err
	}
	c.edits = append(c.edits, edit{folder: r.Parent, changes: changes, id: r.ID, key: nameKey(r.Kind, damagedName)})
	return nil
}

// raise makes a folder, and those above it, high enough for an entry of that height in it.
// A folder that is high enough already stands in ones that are.
func (c *changing) raise(ctx context.Context, folders []string, height int) error {
	for _, f := range folders {
		height++
		if raised, err := raiseHeight(ctx, c.tx, c.owner, f, height); err != nil || !raised {
			return err
		}
	}
	return nil
}

// lower makes a folder that an entry has left, and those above it, as high as they are now.
func (c *changing) lower(ctx context.Context, folder string) error {
	for range MaxDepth {
		if folder == "" {
			return nil
		}
		parent, changed, err := settleHeight(ctx, c.tx, c.owner, folder)
		if err != nil || !changed {
			return err
		}
		folder = parent
	}
	return nil
}

// Delete removes an entry for good, a folder with everything below it: at once it is out
// of reach, and a job removes the rows and the content.
func (s *Service) Delete(ctx context.Context, owner account.ID, id string) error {
	return s.change(ctx, owner, func(c *changing) error {
		r, err := s.row(ctx, c.tx, owner, id)
		if err != nil {
			return err
		}
		if err := s.remove(ctx, c, r); err != nil {
			return err
		}
		if err := c.leave(ctx, r.Parent, id); err != nil {
			return err
		}
		return c.lower(ctx, r.Parent)
	})
}

// remove removes an entry's row and its content; a job removes what is below it, and its
// versions.
func (s *Service) remove(ctx context.Context, c *changing, r row) error {
	if err := deleteRow(ctx, c.tx, c.owner, r.ID); err != nil {
		return err
	}
	if r.Blob != nil {
		if err := s.Contents.Release(ctx, c.tx, c.owner, *r.Blob); err != nil {
			return err
		}
	}
	more := r.Kind == Folder
	if more {
		if err := s.Contents.CountFolders(ctx, c.tx, c.owner, -1); err != nil {
			return err
		}
	}
	if !more {
		var err error
		if more, err = hasVersions(ctx, c.tx, c.owner, r.ID); err != nil {
			return err
		}
	}
	if !more {
		return nil
	}
	return s.enqueueClear(ctx, c.tx, c.owner, r.ID)
}

// Forget puts everything that the account has out of reach, inside tx; a job removes it.
func (s *Service) Forget(ctx context.Context, tx *db.Tx, owner account.ID) error {
	if _, err := lockTree(ctx, tx, owner); err != nil {
		return err
	}
	return s.enqueueClear(ctx, tx, owner, "")
}

// clearJob removes what is below deleted folders of an account; the transaction that
// deletes one enqueues it.
const clearJob = "file.clear"

type clearing struct {
	Account account.ID `json:"account"`
}

// enqueueClear notes that an entry is deleted, "" for all of the account, and asks for the
// removal of what is below it and of its versions.
func (s *Service) enqueueClear(ctx context.Context, tx *db.Tx, owner account.ID, folder string) error {
	if err := insertGone(ctx, tx, owner, folder); err != nil {
		return err
	}
	return s.enqueueClearing(ctx, tx, owner)
}

// enqueueClearing asks for the removal of what is below deleted folders. An account has one
// job waiting at most.
func (s *Service) enqueueClearing(ctx context.Context, tx *db.Tx, owner account.ID) error {
	return s.Jobs.Enqueue(ctx, tx, clearJob, clearing{owner}, jobs.Key(string(owner)))
}

func (s *Service) clear(ctx context.Context, payload []byte) error {
	var of clearing
	if err := json.Unmarshal(payload, &of); err != nil {
		return jobs.Permanent(fmt.Errorf("%s: %w", clearJob, err))
	}
	return s.clearAccount(ctx, of.Account)
}

// clearAll goes on where a job was given up. It runs hourly. An account that cannot be cleared
// holds up no other.
func (s *Service) clearAll(ctx context.Context) error {
	return db.Walk(ctx, func(last *string, limit int) ([]string, error) {
		after := ""
		if last != nil {
			after = *last
		}
		return readGoneAccounts(ctx, s.DB, after, limit)
	}, func(owner string) error {
		if err := s.clearAccount(ctx, account.ID(owner)); err != nil {
			return fmt.Errorf("account %s: %w", owner, err)
		}
		return nil
	})
}

func (s *Service) clearAccount(ctx context.Context, owner account.ID) error {
	for {
		more, err := s.clearSome(ctx, owner)
		if err != nil || !more {
			return err
		}
	}
}

// clearRows bounds what one transaction of the job removes, so that others write between
// two of them. A folder costs some statements even when it is empty, hence counts for more.
const (
	clearRows  = 200
	folderCost = 10
)

// clearSome removes a few entries below deleted folders, and tells whether there are more.
// It may be cut off at any moment, and other nodes may do the same: each transaction holds
// the account's lock and removes what it finds.
func (s *Service) clearSome(ctx context.Context, owner account.ID) (more bool, err error) {
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := lockTree(ctx, tx, owner); err != nil {
			return err
		}
		var gone cleared
		if more, err = s.clearGone(ctx, tx, owner, &gone); err != nil {
			return err
		}
		if err := s.Contents.Release(ctx, tx, owner, gone.objects...); err != nil {
			return err
		}
		return s.Contents.CountFolders(ctx, tx, owner, -gone.folders)
	})
	return more, err
}

// cleared is what went in one transaction. Its objects are released together and before the folders are
// counted: the row of usage is locked behind all objects.
type cleared struct {
	objects []string
	folders int
}

// clearGone is clearSome without what it counts.
func (s *Service) clearGone(ctx context.Context, tx *db.Tx, owner account.ID, gone *cleared) (more bool, err error) {
	for left := clearRows; left > 0; left -= folderCost {
		folder, err := readGone(ctx, tx, owner)
		if errors.Is(err, db.ErrNoRows) {
			return false, s.dropLock(ctx, tx, owner)
		} else if err != nil {
			return false, err
		}
		if strings.HasPrefix(folder, copyMark) { // the last ones, the oldest first
			if s.Now().Sub(begun(folder)) < copyTime {
				return false, nil
			}
			if err := giveUpCopy(ctx, tx, owner, folder); err != nil {
				return false, err
			}
			continue
		}
		var n int
		if folder == "" {
			n, err = deleteSome(ctx, tx, owner, left)
		} else {
			n, err = clearChildren(ctx, tx, owner, folder, left, gone)
		}
		if err != nil || n >= left {
			return true, err
		}
		left -= n
		if err := deleteGone(ctx, tx, owner, folder); err != nil {
			return false, err
		}
	}
	return true, nil
}

// clearChildren removes up to limit children of a deleted folder with their contents, or
// versions of a deleted file. It returns how many there were.
func clearChildren(ctx context.Context, tx *db.Tx, owner account.ID, folder string, limit int, gone *cleared) (int, error) {
	n, objects, err := deleteChildren(ctx, tx, owner, folder, limit)
	gone.folders += n - len(objects)
	if err == nil && n == 0 {
		objects, err = deleteVersions(ctx, tx, owner, folder, limit)
		n = len(objects)
	}
	gone.objects = append(gone.objects, objects...)
	return n, err
}

// dropLock deletes the lock row of an account that is gone; its tree is cleared, and no
// change of it can follow. A key that does not open is no reason to stop.
func (s *Service) dropLock(ctx context.Context, tx *db.Tx, owner account.ID) error {
	if _, err := s.dataKey(ctx, tx, owner); !errors.Is(err, errNotFound) {
		return nil
	}
	return deleteLock(ctx, tx, owner)
}
