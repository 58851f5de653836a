// Package file is an account's tree of folders and files: upload, list, rename, move, delete, download.
// What its owner deleted waits in a trash, and what an upload replaced is a version of its file.
// The bytes are package content's.
//
// # What is promised, and how
//
//   - Owners only: every statement names the account. An id of another account is absent,
//     word for word.
//   - Nothing is readable at rest. Names, media types and hashes are sealed under the
//     account's data key. A name is compared through a keyed index of (folder, name). In
//     clear stand sizes, times and the shape of the tree.
//   - A row that opens is a row that the server wrote: what stands in clear is bound into
//     what is sealed (bind.go).
//   - All or nothing: the entries of a request and their contents appear in one transaction.
//   - One order of changes: each change of a tree first takes the account's lock row. So
//     numbers of taken names, folder cycles and depth are decided on what is true. The unique
//     index of names stands behind it.
//
// # Limits
//
// A tree has at most [MaxDepth] levels, a request at most [MaxFiles] files and
// Config.MaxUpload bytes. Names are a matter of name.go.
package file

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/feed"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/picture"
)

// Limits of a tree and of a request.
const (
	MaxDepth = 64
	MaxFiles = 1000
	// maxReplaced is MaxFiles of a request that replaces: a file that has as many versions as
	// it keeps costs more than twice what a new one does.
	maxReplaced = 500
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
	Parent     *string   `json:"parent" doc:"Id of its folder; null at the root."`
	Size       int64     `json:"size" doc:"Bytes of content; 0 for a folder."`
	Damaged    bool      `json:"damaged,omitzero" doc:"The server cannot open its stored name, or its media type and hash. The caller can move, rename and delete it."`
	MediaType  string    `json:"media_type,omitempty" doc:"Media type that the upload declared. Files only."`
	SHA256     string    `json:"sha256,omitempty" doc:"SHA-256 of the content, hexadecimal. Files only."`
	Thumbnail  bool      `json:"thumbnail" doc:"GET /files/{id}/thumbnail has a small picture of it."`
	CreatedAt  time.Time `json:"created_at"`
	ModifiedAt time.Time `json:"modified_at" doc:"When its content, name or place last changed."`
	Shared     bool      `json:"shared" doc:"A link to it is open. In the trash it is false."`
}

// Config is what the room needs. Hold refuses a session that is over, and keeps it from
// ending before tx has; nil takes each for live.
type Config struct {
	Settings
	DB       *db.DB
	Contents *content.Service
	Jobs     *jobs.Queue
	Accounts *account.Service
	Feed     *feed.Service
	Pictures *picture.Service
	Now      func() time.Time
	Log      *slog.Logger
	Hold     func(ctx context.Context, tx *db.Tx, owner account.ID, session string) error
}

// Service is the room. It is safe for concurrent use.
type Service struct {
	Config
	orders  orders
	reports reports
	drawing chan struct{} // holds one: a thumbnail that is being made
	rest    time.Duration // at most, behind each thumbnail
	copies  *Places       // of copies of folders
	shared  func(ctx context.Context, q db.Querier, owner account.ID, ids []string) (map[string]bool, error)
}

// New returns the room and registers its jobs.
func New(c Config) *Service {
	s := &Service{Config: c, drawing: make(chan struct{}, 1), rest: drawRest, copies: NewPlaces(copiesAtOnce)}
	s.Accounts.Keep("file", account.Keeper{Export: s.export, Forget: s.Forget})
	s.Jobs.Handle(clearJob, s.clear)
	s.Contents.OnDrop(deleteThumbnails)
	s.Jobs.Handle(thumbnailJob, s.draw)
	s.Jobs.Every("file.thumbnails", time.Hour, s.drawAll)
	s.Jobs.Every("file.clear", time.Hour, s.clearAll)
	s.Jobs.Every("file.trash", time.Hour, s.purgeTrash, jobs.Old{Table: "files", Rows: "trashed_at <= $1", Age: cmp.Or(s.TrashKeep, jobs.Forever)})
	s.Jobs.Every("file.versions", time.Hour, s.purgeVersions, jobs.Old{Table: "file_versions", Rows: "replaced_at <= $1", Age: cmp.Or(s.VersionsKeep, jobs.Forever)})
	return s
}

var (
	errNotFound = fault.New(fault.NotFound, "not_found", "File or folder not found.")
	errCycle    = fault.New(fault.Conflict, "folder_cycle", "A folder cannot be moved into itself or below itself.")
	errTooDeep  = fault.New(fault.Conflict, "too_deep", "Folders can be nested at most 64 levels deep.")
	errIsFolder = fault.New(fault.Conflict, "is_folder", "A folder has no content.")
)

// notAFolder refuses a parent that is a file.
func notAFolder() error {
	return fault.InvalidField("/parent", "not_a_folder", "The parent must be a folder.")
}

// Get returns one entry.
func (s *Service) Get(ctx context.Context, owner account.ID, id string) (Entry, error) {
	r, err := s.row(ctx, s.DB, owner, id)
	if err != nil {
		return Entry{}, err
	}
	key, err := s.dataKey(ctx, s.DB, owner)
	if err != nil {
		return Entry{}, err
	}
	e := s.show(ctx, owner, key, r)
	return e, s.mark(ctx, s.DB, owner, &e)
}

// Content returns what serving a file needs. The entry, its object's row and the account's
// key are of one moment.
func (s *Service) Content(ctx context.Context, owner account.ID, id string) (o *content.Object, about content.Description, err error) {
	return s.contentBelow(ctx, owner, "", id)
}

// contentBelow is [Service.Content] of a file that is below the top.
func (s *Service) contentBelow(ctx context.Context, owner account.ID, top, id string) (o *content.Object, about content.Description, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		if err := s.below(ctx, tx, owner, top, id); err != nil {
			return err
		}
		r, err := s.row(ctx, tx, owner, id)
		if err != nil {
			return err
		}
		key, err := s.dataKey(ctx, tx, owner)
		if err != nil {
			return err
		}
		o, about, err = s.contentOf(ctx, tx, key, owner, r)
		return err
	})
	return o, about, err
}

// contentOf is [Service.Content] of a row.
func (s *Service) contentOf(ctx context.Context, tx *db.Tx, key *keyring.DataKey, owner account.ID, r row) (o *content.Object, about content.Description, err error) {
	e, err := open(key, r)
	if err != nil {
		return nil, about, err
	}
	if r.Kind == Folder {
		return nil, about, errIsFolder
	}
	d, err := openDetails(key, r)
	if err != nil {
		return nil, about, err
	}
	about = content.Description{Name: e.Name, MediaType: e.MediaType, Sum: d.sum, StoredAt: time.UnixMilli(d.stored).UTC()}
	if o, err = s.Contents.Find(ctx, tx, owner, *r.Blob, r.Size); err != nil {
		return nil, about, fmt.Errorf("entry %s: %w", r.ID, err)
	}
	return o, about, nil
}

// NewFolder makes a folder in parent ("" = root); a taken name is numbered.
func (s *Service) NewFolder(ctx context.Context, owner account.ID, parent, name string) (e Entry, err error) {
	name, err = cleanName("/name", name)
	if err != nil {
		return Entry{}, err
	}
	err = s.changeNames(ctx, owner, func(c *changing) error {
		up, err := s.folderFor(ctx, c.tx, owner, parent)
		if err != nil {
			return err
		}
		if err := s.Contents.CountFolders(ctx, c.tx, owner, 1); err != nil {
			return err
		}
		now := s.Now().UnixMilli()
		r := row{ID: newID(), Parent: parent, Kind: Folder, Height: 1, CreatedAt: now, ModifiedAt: now}
		r.sealDetails(c.key, details{})
		n := newNaming(c.key, owner, parent)
		n.want(&r, name)
		if err := c.insert(ctx, n); err != nil {
			return err
		}
		e = s.show(ctx, owner, c.key, r)
		return c.raise(ctx, up, 1)
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
		r, err := s.row(ctx, c.tx, owner, id)
		if err != nil {
			return err
		}
		e = s.show(ctx, owner, c.key, r)
		from := r.Parent
		name, nameErr := openName(c.key, r)
		if to.Parent != nil {
			r.Parent = *to.Parent
		}
		if to.Name == nil && r.Parent == from || to.Name != nil && nameErr == nil && *to.Name == name && r.Parent == from {
			return s.mark(ctx, c.tx, owner, &e)
		}
		var up []string
		if r.Parent != from {
			if up, err = s.checkMove(ctx, c.tx, owner, r); err != nil {
				return err
			}
			if err := c.leave(ctx, from, id); err != nil {
				return err
			}
		}
		if d, err := openDetails(c.key, r); err == nil { // damaged ones stay as they are
			r.ModifiedAt = s.Now().UnixMilli()
			r.sealDetails(c.key, d)
		}
		if to.Name != nil {
			name, nameErr = *to.Name, nil
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
		if err := s.mark(ctx, c.tx, owner, &e); err != nil || r.Parent == from {
			return err
		}
		if err := c.raise(ctx, up, int(r.Height)); err != nil {
			return err
		}
		return c.lower(ctx, from)
	})
	return e, err
}

// checkMove refuses a cycle and a tree that would become too deep, and returns the new
// parent and the folders above it. The account's lock is held, so no other move can make
// the answer untrue.
func (s *Service) checkMove(ctx context.Context, tx *db.Tx, owner account.ID, r row) (up []string, err error) {
	if r.Parent == r.ID {
		return nil, errCycle
	}
	if up, err = s.ancestors(ctx, tx, owner, r.Parent); err != nil {
		return nil, err
	}
	if slices.Contains(up, r.ID) {
		return nil, errCycle
	}
	if len(up)+int(r.Height) > MaxDepth {
		return nil, errTooDeep
	}
	return up, nil
}

// dataKey opens the account's data key. An account that is gone has no files.
func (s *Service) dataKey(ctx context.Context, q db.Querier, owner account.ID) (*keyring.DataKey, error) {
	key, err := s.Accounts.DataKey(ctx, q, owner)
	if errors.Is(err, account.ErrNotFound) {
		return nil, errNotFound
	}
	return key, err
}

// nameIndex is the blind index of a name in a folder. Ids have no slash, so the two
// cannot run together.
func nameIndex(key *keyring.DataKey, parent, name string) []byte {
	return key.Index("file.name", parent+"/"+name)
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
