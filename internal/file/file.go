// Package file is an account's tree: folders, uploads (tus and multipart), versions, trash, quota, search, download.
//
// Today it holds folders, multipart uploads, renaming, moving, deleting and downloads.
//
// # What is promised, and how
//
//   - Nobody but the owner: every statement names the account; somebody else's id is
//     absent, word for word.
//   - Nothing is readable at rest. Content is sealed under a random key for each object
//     (package seal), wrapped under the key ring's blob key and bound to the object and its
//     owner. Names, media types and hashes are sealed under the account's data key; a name
//     is compared through a keyed index of (folder, name). In clear stand sizes, times and
//     the shape of the tree.
//   - All or nothing: the row of an object is committed as pending before its first byte
//     is written and becomes live in the transaction that publishes every entry of the
//     request. A crash at any moment leaves pending rows that [Service.Sweep] removes.
//   - One order of changes: each change of a tree first takes the account's lock row, so
//     numbering of taken names, folder cycles and depth are decided on what is true. The
//     unique index of names stands behind it.
//   - User content never runs on our origin: a short list of inert types is served under
//     its own name, everything else is application/octet-stream to be saved, all of it under
//     a sandboxing CSP (security.md rows 74 and 88). No byte leaves before it authenticates,
//     and a download that breaks is aborted, never ended short.
//
// # Limits
//
// A tree has at most [MaxDepth] levels, a request at most [MaxFiles] files and
// Config.MaxUpload bytes. Names are a matter of name.go.
package file

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/blob"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
)

// Limits of a tree and of a request.
const (
	MaxDepth = 64
	MaxFiles = 1000
)

// Kind tells files from folders.
type Kind string

// The kinds.
const (
	File   Kind = "file"
	Folder Kind = "folder"
)

// Entry is a file or a folder as its owner sees it.
type Entry struct {
	ID         string    `json:"id" doc:"UUIDv7."`
	Kind       Kind      `json:"kind" enum:"file,folder"`
	Name       string    `json:"name" doc:"NFC, at most 255 bytes."`
	Parent     *string   `json:"parent" doc:"The folder it is in; null at the root."`
	Size       int64     `json:"size" doc:"Bytes of content; 0 for a folder."`
	MediaType  string    `json:"media_type,omitempty" doc:"As declared by whoever uploaded it. Files only."`
	SHA256     string    `json:"sha256,omitempty" doc:"Of the content, hexadecimal. Files only."`
	CreatedAt  time.Time `json:"created_at"`
	ModifiedAt time.Time `json:"modified_at" doc:"When its content, name or place last changed."`
}

// Config is what the room needs. MaxUpload is the longest upload request in bytes; 0
// means 16 GiB. Hold refuses a session that is over, and keeps it from ending before tx has;
// nil takes each for live.
type Config struct {
	DB        *db.DB
	Blobs     blob.Store
	Ring      *keyring.Ring
	Jobs      *jobs.Queue
	Accounts  *account.Service
	Now       func() time.Time
	Log       *slog.Logger
	MaxUpload int64
	Hold      func(ctx context.Context, tx *db.Tx, owner account.ID, session string) error
}

// Service is the room. It is safe for concurrent use.
type Service struct {
	Config
	orders orders
}

// New returns the room and registers its jobs.
func New(c Config) *Service {
	c.MaxUpload = cmp.Or(c.MaxUpload, 16<<30)
	s := &Service{Config: c}
	s.Jobs.Handle(purgeJob, func(ctx context.Context, _ []byte) error { return s.purge(ctx) })
	s.Jobs.Every("file.sweep", time.Hour, s.Sweep)
	s.Jobs.Every("file.orphans", 24*time.Hour, s.sweepOrphans)
	return s
}

var (
	errNotFound = fault.New(fault.NotFound, "not_found", "There is no such file or folder.")
	errCycle    = fault.New(fault.Conflict, "folder_cycle", "A folder cannot be moved into itself or below itself.")
	errTooDeep  = fault.New(fault.Conflict, "too_deep", "Folders can be nested 64 levels deep.")
	errIsFolder = fault.New(fault.Conflict, "is_folder", "A folder has no content to download.")
)

// notAFolder refuses a parent that is a file.
func notAFolder() error {
	return fault.InvalidField("/parent", "not_a_folder", "The parent must be a folder.")
}

// Get returns one entry.
func (s *Service) Get(ctx context.Context, owner account.ID, id string) (Entry, error) {
	r, err := readRow(ctx, s.DB, owner, id)
	if err != nil {
		return Entry{}, err
	}
	key, err := s.dataKey(ctx, s.DB, owner)
	if err != nil {
		return Entry{}, err
	}
	return open(key, r)
}

// NewFolder makes a folder in parent ("" = root); a taken name is numbered.
func (s *Service) NewFolder(ctx context.Context, owner account.ID, parent, name string) (e Entry, err error) {
	name, err = cleanName("/name", name)
	if err != nil {
		return Entry{}, err
	}
	err = s.changeNames(ctx, owner, func(c *changing) error {
		depth, err := s.depth(ctx, c.tx, owner, parent)
		if err != nil {
			return err
		}
		if depth+1 > MaxDepth {
			return errTooDeep
		}
		now := s.Now().UnixMilli()
		r := row{ID: newID(), Parent: parent, Kind: Folder, CreatedAt: now, ModifiedAt: now}
		r.sealDetails(c.key, details{})
		if err := c.place(ctx, &r, name, insertRow); err != nil {
			return err
		}
		e, err = open(c.key, r)
		return err
	})
	return e, err
}

// Change is what [Service.Update] does to an entry; nil leaves it as it is.
type Change struct {
	Name   *string
	Parent *string // "" = root
}

// Update renames and moves in one step. A name that is taken at the new place is numbered.
func (s *Service) Update(ctx context.Context, owner account.ID, id string, to Change) (e Entry, err error) {
	if to.Name != nil {
		name, err := cleanName("/name", *to.Name)
		if err != nil {
			return Entry{}, err
		}
		to.Name = &name
	}
	err = s.changeNames(ctx, owner, func(c *changing) error {
		r, err := readRow(ctx, c.tx, owner, id)
		if err != nil {
			return err
		}
		if e, err = open(c.key, r); err != nil {
			return err
		}
		name, from, parent := e.Name, r.Parent, r.Parent
		if to.Name != nil {
			name = *to.Name
		}
		if to.Parent != nil {
			parent = *to.Parent
		}
		if name == e.Name && parent == from {
			return nil
		}
		if parent != from {
			if err := s.checkMove(ctx, c.tx, owner, r, parent); err != nil {
				return err
			}
			if err := c.leave(ctx, from, id); err != nil {
				return err
			}
		}
		d, err := openDetails(c.key, r)
		if err != nil {
			return err
		}
		r.Parent, r.ModifiedAt = parent, s.Now().UnixMilli()
		r.sealDetails(c.key, d)
		if err := c.place(ctx, &r, name, moveRow); err != nil {
			return err
		}
		e, err = open(c.key, r)
		return err
	})
	return e, err
}

// checkMove refuses a cycle and a tree that would become too deep. The account's lock is
// held, so no other move can make the answer untrue.
func (s *Service) checkMove(ctx context.Context, tx *db.Tx, owner account.ID, r row, to string) error {
	if to == r.ID {
		return errCycle
	}
	var up []string
	if to != "" {
		var err error
		if up, err = s.ancestors(ctx, tx, owner, to); err != nil {
			return err
		}
	}
	for _, id := range up {
		if id == r.ID {
			return errCycle
		}
	}
	height, err := readHeight(ctx, tx, owner, r.ID)
	if err != nil {
		return err
	}
	if len(up)+int(height) > MaxDepth {
		return errTooDeep
	}
	return nil
}

// ancestors returns the folder and what is above it; an error when it is no folder of
// the owner's.
func (s *Service) ancestors(ctx context.Context, q db.Querier, owner account.ID, folder string) ([]string, error) {
	up, err := readAncestors(ctx, q, owner, folder)
	if err != nil || len(up) > 0 {
		return up, err
	}
	if _, err := readRow(ctx, q, owner, folder); err != nil {
		return nil, err
	}
	return nil, notAFolder()
}

// depth returns the level of a folder, 0 for the root; an error when it is none.
func (s *Service) depth(ctx context.Context, q db.Querier, owner account.ID, folder string) (int, error) {
	if folder == "" {
		return 0, nil
	}
	up, err := s.ancestors(ctx, q, owner, folder)
	return len(up), err
}

// Delete removes an entry for good, a folder with everything below it.
func (s *Service) Delete(ctx context.Context, owner account.ID, id string) error {
	return s.change(ctx, owner, func(c *changing) error {
		r, err := readRow(ctx, c.tx, owner, id)
		if err != nil {
			return err
		}
		if err := deleteTree(ctx, c.tx, owner, id); err != nil {
			return err
		}
		if err := c.leave(ctx, r.Parent, id); err != nil {
			return err
		}
		return s.enqueuePurge(ctx, c.tx, owner)
	})
}

// Forget removes everything that the account has, inside tx; a job removes the content.
func (s *Service) Forget(ctx context.Context, tx *db.Tx, owner account.ID) error {
	if err := lockTree(ctx, tx, owner); err != nil {
		return err
	}
	if err := deleteAll(ctx, tx, owner); err != nil {
		return err
	}
	return s.enqueuePurge(ctx, tx, owner)
}

// changing is a change of a tree under way. Its transaction holds the account's lock.
type changing struct {
	tx    *db.Tx
	owner account.ID
	key   *keyring.DataKey // of changeNames only
	edits []edit
}

// change runs fn in a transaction that holds the account's lock.
func (s *Service) change(ctx context.Context, owner account.ID, fn func(c *changing) error) error {
	var c *changing
	err := s.DB.Tx(ctx, func(tx *db.Tx) error { // perhaps more than once
		c = &changing{tx: tx, owner: owner}
		if err := lockTree(ctx, tx, owner); err != nil {
			return err
		}
		return fn(c)
	})
	if err == nil {
		s.orders.follow(owner, c.edits)
	}
	return err
}

// changeNames is change with the data key, which is read behind the lock: an account that
// was deleted meanwhile has none any more.
func (s *Service) changeNames(ctx context.Context, owner account.ID, fn func(c *changing) error) error {
	return s.change(ctx, owner, func(c *changing) (err error) {
		if c.key, err = s.dataKey(ctx, c.tx, owner); err != nil {
			return err
		}
		return fn(c)
	})
}

// leave notes that an entry is not in the folder any more.
func (c *changing) leave(ctx context.Context, folder, id string) error {
	changes, err := touchFolder(ctx, c.tx, c.owner, folder)
	c.edits = append(c.edits, edit{folder: folder, changes: changes, id: id, gone: true})
	return err
}

// dataKey opens the account's data key. An account that is gone has no files.
func (s *Service) dataKey(ctx context.Context, q db.Querier, owner account.ID) (*keyring.DataKey, error) {
	key, err := s.Accounts.DataKey(ctx, q, owner)
	if errors.Is(err, account.ErrNotFound) {
		return nil, errNotFound
	}
	return key, err
}

// linear is up to which number a taken name is counted up one by one.
const linear = 16

// place gives r the name, or the name with the first free number, and puts it where write
// puts it. write decides whether a name is free.
func (c *changing) place(ctx context.Context, r *row, name string, write func(context.Context, *db.Tx, account.ID, row) (bool, error)) error {
	changes, err := touchFolder(ctx, c.tx, c.owner, r.Parent)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		if n > linear { // long runs are searched, not walked
			if n, err = c.firstFree(ctx, r, name, n); err != nil {
				return err
			}
		}
		candidate := name
		if n > 0 {
			candidate = numbered(name, r.Kind, n)
		}
		r.NameIndex = nameIndex(c.key, r.Parent, candidate)
		r.sealName(c.key, candidate)
		done, err := write(ctx, c.tx, c.owner, *r)
		if err != nil {
			return err
		}
		if done {
			c.edits = append(c.edits, edit{folder: r.Parent, changes: changes, id: r.ID, key: nameKey(r.Kind, candidate)})
			return nil
		}
	}
}

// firstFree returns a free number from n on such that the one before it is taken, in a
// number of questions that grows with the logarithm of the run.
func (c *changing) firstFree(ctx context.Context, r *row, name string, n int) (int, error) {
	taken := func(n int) (bool, error) {
		return nameTaken(ctx, c.tx, c.owner, r.Parent, nameIndex(c.key, r.Parent, numbered(name, r.Kind, n)))
	}
	low, high := n-1, n // low is taken
	for step := 1; ; step *= 2 {
		yes, err := taken(high)
		if err != nil {
			return 0, err
		}
		if !yes {
			break
		}
		low, high = high, high+step
	}
	for high-low > 1 {
		middle := low + (high-low)/2
		yes, err := taken(middle)
		if err != nil {
			return 0, err
		}
		if yes {
			low = middle
		} else {
			high = middle
		}
	}
	return high, nil
}

// nameIndex is the blind index of a name in a folder. Ids have no slash, so the two
// cannot run together.
func nameIndex(key *keyring.DataKey, parent, name string) []byte {
	return key.Index("file.name", parent+"/"+name)
}

// open returns the entry that a row holds; an error when a value of the row is not the one
// that was sealed with it.
func open(key *keyring.DataKey, r row) (Entry, error) {
	name, err := key.Open("files", "name", nameRow(r.ID, r.Parent, r.Kind, r.NameIndex), r.Name)
	if err != nil {
		return Entry{}, fmt.Errorf("open the name of entry %s: %w", r.ID, err)
	}
	d, err := openDetails(key, r)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{
		ID: r.ID, Kind: r.Kind, Name: string(name), Size: r.Size,
		CreatedAt: time.UnixMilli(r.CreatedAt).UTC(), ModifiedAt: time.UnixMilli(r.ModifiedAt).UTC(),
	}
	if r.Parent != "" {
		e.Parent = &r.Parent
	}
	if r.Kind == File {
		e.MediaType, e.SHA256 = d.mediaType, hex.EncodeToString(d.sum[:])
	}
	return e, nil
}

func openAll(key *keyring.DataKey, rows []row) ([]Entry, error) {
	entries := make([]Entry, 0, len(rows))
	for _, r := range rows {
		e, err := open(key, r)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
