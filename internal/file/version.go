package file

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/keyring"
	"coffer/internal/seal"
)

// A file keeps its earlier contents as versions. The transaction that gives a file another
// content makes a version of the one before, so of two uploads that replace one file none
// is lost. A version has a reference to its object, as an entry has.

// Version is an earlier content of a file.
type Version struct {
	ID         string    `json:"id" doc:"UUIDv7."`
	Size       int64     `json:"size" doc:"Bytes of content."`
	Damaged    bool      `json:"damaged,omitzero" doc:"The server cannot open its media type and hash. The caller can delete it."`
	MediaType  string    `json:"media_type" doc:"Media type that the upload declared."`
	SHA256     string    `json:"sha256,omitempty" doc:"SHA-256 of the content, hexadecimal."`
	StoredAt   time.Time `json:"stored_at" doc:"When it became the file's content."`
	ReplacedAt time.Time `json:"replaced_at" doc:"When another content took its place."`
}

// version is a version as it stands in SQL.
type version struct {
	ID, Entry, Blob string
	Size            int64
	Details         []byte // sealed
	StoredAt        int64
	ReplacedAt      int64
}

var errNoVersion = fault.New(fault.NotFound, "not_found", "File or version not found.")

// place is where a version's details open: everything that stands in clear is bound.
func (v *version) place() string {
	numbers := binary.BigEndian.AppendUint64(nil, uint64(v.Size))
	numbers = binary.BigEndian.AppendUint64(numbers, uint64(v.StoredAt))
	numbers = binary.BigEndian.AppendUint64(numbers, uint64(v.ReplacedAt))
	return string(seal.LP([]byte(v.ID), []byte(v.Entry), []byte(v.Blob), numbers))
}

// newVersion returns the version that the content of r becomes.
func newVersion(key *keyring.DataKey, r *row, d details, now int64) version {
	v := version{ID: newID(), Entry: r.ID, Blob: *r.Blob, Size: r.Size, StoredAt: d.stored, ReplacedAt: now}
	v.Details = key.Seal("file_versions", "details", v.place(), append(d.sum[:], d.mediaType...))
	return v
}

func openVersion(key *keyring.DataKey, v version) (d details, err error) {
	plain, err := key.Open("file_versions", "details", v.place(), v.Details)
	if err == nil && len(plain) < len(d.sum) {
		err = errDamaged
	}
	if err != nil {
		return d, fmt.Errorf("open the details of version %s: %w", v.ID, err)
	}
	d.mediaType = string(plain[copy(d.sum[:], plain):])
	d.stored = v.StoredAt
	return d, nil
}

func (s *Service) showVersion(ctx context.Context, owner account.ID, key *keyring.DataKey, v version) Version {
	shown := Version{
		ID: v.ID, Size: v.Size, MediaType: content.UnknownType,
		StoredAt: time.UnixMilli(v.StoredAt).UTC(), ReplacedAt: time.UnixMilli(v.ReplacedAt).UTC(),
	}
	d, err := openVersion(key, v)
	if err != nil {
		s.reports.once("damaged "+v.ID, func() {
			s.Log.ErrorContext(ctx, "file: a version does not open", "account", owner, "version", v.ID, "error", err)
		})
		shown.Damaged = true
		return shown
	}
	shown.MediaType, shown.SHA256 = d.mediaType, hex.EncodeToString(d.sum[:])
	return shown
}

// place stores settled contents as files of a folder, and returns their rows in the order
// of files. n are names that were found beforehand, or nil. A content goes into the file of
// old that has its name, the first of a name into that file.
func (s *Service) place(ctx context.Context, c *changing, parent string, files []arrival, old map[string]row, n *naming) ([]*row, error) {
	now := s.Now().UnixMilli()
	rows := make([]*row, len(files))
	var replaced []*row
	var versions []version
	fresh := n
	if fresh == nil {
		fresh = newNaming(c.key, c.owner, parent)
	}
	for i := range files {
		f := &files[i]
		if r, ok := old[f.name]; ok {
			delete(old, f.name)
			d, err := openDetails(c.key, r)
			if err != nil {
				return nil, err
			}
			versions = append(versions, newVersion(c.key, &r, d, now))
			r.Blob, r.Size, r.ModifiedAt, r.Change, r.Thumbnail = &f.ID, f.Size, now, c.count, false
			r.sealDetails(c.key, details{f.Sum, now, f.mediaType})
			rows[i] = &r
			replaced = append(replaced, &r)
		} else if n == nil {
			rows[i] = f.want(fresh, now)
		} else {
			rows[i] = n.all[i].row
		}
	}
	if len(replaced) > 0 {
		if err := s.keepVersions(ctx, c, parent, replaced, versions); err != nil {
			return nil, err
		}
	}
	if len(fresh.all) > 0 {
		if err := c.insert(ctx, fresh); err != nil {
			return nil, err
		}
	}
	if slices.ContainsFunc(files, func(f arrival) bool { return mayBePicture(f.name, f.mediaType, f.Size) }) {
		if err := s.enqueueThumbnails(ctx, c.tx, c.owner); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// replaceable returns the files of a folder that arrivals replace, by name. A folder of that
// name and a file that does not open keep theirs, and the new file is numbered. It removes the
// versions that the arrivals will push out: at the quota of files a replacement has room
// that only takes the place of the oldest version. [Service.place] follows in the same
// transaction.
func (s *Service) replaceable(ctx context.Context, c *changing, parent string, files []arrival) (old map[string]row, err error) {
	if old, err = c.filesNamed(ctx, parent, files); err != nil {
		return nil, err
	}
	var ids []string
	for _, r := range old {
		ids = append(ids, r.ID)
	}
	return old, s.trim(ctx, c, ids)
}

// trim removes the oldest versions of files that are to get one more. It is one of each file,
// but for a setting that was higher before: then it may take several replacements.
func (s *Service) trim(ctx context.Context, c *changing, files []string) error {
	blobs, err := trimVersions(ctx, c.tx, c.owner, files, max(s.MaxVersions-1, 0), len(files)+clearRows)
	if err != nil {
		return err
	}
	return s.Contents.Release(ctx, c.tx, c.owner, blobs...)
}

// want makes f an entry of n's folder.
func (f *arrival) want(n *naming, now int64) *row {
	r := &row{ID: newID(), Parent: n.parent, Kind: File, Blob: &f.ID, Size: f.Size, Height: 1, CreatedAt: now, ModifiedAt: now}
	r.sealDetails(n.key, details{f.Sum, now, f.mediaType})
	n.want(r, f.name)
	return r
}

// filesNamed returns the files of a folder that have the names of arrivals and open, by name.
func (c *changing) filesNamed(ctx context.Context, parent string, files []arrival) (map[string]row, error) {
	indexes := make([][]byte, len(files))
	for i, f := range files {
		indexes[i] = nameIndex(c.key, parent, f.name)
	}
	rows, err := readNamed(ctx, c.tx, c.owner, parent, indexes)
	if err != nil {
		return nil, err
	}
	old := map[string]row{}
	for _, r := range rows {
		if e, err := open(c.key, r); err == nil && r.Kind == File {
			old[e.Name] = r
		}
	}
	return old, nil
}

// keepVersions stores the rows of files of one folder that have another content, and the
// versions that they had before; with a setting of 0 it drops those.
func (s *Service) keepVersions(ctx context.Context, c *changing, folder string, files []*row, versions []version) error {
	if err := updateContents(ctx, c.tx, c.owner, files); err != nil {
		return err
	}
	c.news(folder)
	if s.MaxVersions > 0 {
		return insertVersions(ctx, c.tx, c.owner, versions)
	}
	blobs := make([]string, len(versions))
	for i, v := range versions {
		blobs[i] = v.Blob
	}
	return s.Contents.Release(ctx, c.tx, c.owner, blobs...)
}

// fileRow returns a file; a folder is refused.
func (s *Service) fileRow(ctx context.Context, q db.Querier, owner account.ID, id string) (row, error) {
	r, err := s.row(ctx, q, owner, id)
	if err == nil && r.Kind != File {
		err = errIsFolder
	}
	return r, err
}

// Versions returns one page of a file's versions, newest first, and the next one's cursor.
func (s *Service) Versions(ctx context.Context, owner account.ID, id, cursor string, limit int) (versions []Version, next string, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		versions, next = []Version{}, ""
		if _, err := s.fileRow(ctx, tx, owner, id); err != nil {
			return err
		}
		key, err := s.dataKey(ctx, tx, owner)
		if err != nil {
			return err
		}
		after, err := openCursor(key, id, "versions", cursor)
		if err != nil {
			return err
		}
		all, err := readVersions(ctx, tx, owner, id, after, limit+1)
		if err != nil {
			return err
		}
		for _, v := range all[:min(limit, len(all))] {
			versions = append(versions, s.showVersion(ctx, owner, key, v))
		}
		if len(all) > limit {
			next = sealCursor(key, id, "versions", numberMark(all[limit-1].ReplacedAt, all[limit-1].ID))
		}
		return nil
	})
	return versions, next, err
}

// VersionContent is [Service.Content] of a version.
func (s *Service) VersionContent(ctx context.Context, owner account.ID, id, versionID string) (o *content.Object, about content.Description, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		r, err := s.fileRow(ctx, tx, owner, id)
		if err != nil {
			return err
		}
		key, err := s.dataKey(ctx, tx, owner)
		if err != nil {
			return err
		}
		name, err := openName(key, r)
		if err != nil {
			return err
		}
		v, err := readVersion(ctx, tx, owner, id, versionID)
		if err != nil {
			return err
		}
		d, err := openVersion(key, v)
		if err != nil {
			return err
		}
		about = content.Description{Name: name, MediaType: d.mediaType, Sum: d.sum, StoredAt: time.UnixMilli(d.stored).UTC()}
		if o, err = s.Contents.Find(ctx, tx, owner, v.Blob, v.Size); err != nil {
			return fmt.Errorf("version %s: %w", v.ID, err)
		}
		return nil
	})
	return o, about, err
}

// RestoreVersion makes a version the file's content; the content before becomes a version.
func (s *Service) RestoreVersion(ctx context.Context, owner account.ID, id, versionID string) (e Entry, err error) {
	err = s.changeNames(ctx, owner, func(c *changing) error {
		r, err := s.fileRow(ctx, c.tx, owner, id)
		if err != nil {
			return err
		}
		v, err := takeVersion(ctx, c.tx, owner, id, versionID)
		if err != nil {
			return err
		}
		was, err := openVersion(c.key, v)
		if err != nil {
			return err
		}
		is, err := openDetails(c.key, r)
		if err != nil {
			return err
		}
		now := s.Now().UnixMilli()
		before := newVersion(c.key, &r, is, now)
		// It counts as stored now: a client that asks by time must not think that it has it.
		was.stored = now
		r.Blob, r.Size, r.ModifiedAt, r.Change = &v.Blob, v.Size, now, c.count
		r.sealDetails(c.key, was)
		if r.Thumbnail, err = hasThumbnail(ctx, c.tx, owner, v.Blob); err != nil {
			return err
		}
		if e = s.show(ctx, owner, c.key, r); !r.Thumbnail && mayBePicture(e.Name, e.MediaType, r.Size) {
			if err := s.enqueueThumbnails(ctx, c.tx, owner); err != nil { // it may have been replaced before the job came
				return err
			}
		}
		if err := s.mark(ctx, c.tx, owner, &e); err != nil {
			return err
		}
		if err := s.trim(ctx, c, []string{id}); err != nil {
			return err
		}
		return s.keepVersions(ctx, c, r.Parent, []*row{&r}, []version{before})
	})
	return e, err
}

// DeleteVersion removes a version for good.
func (s *Service) DeleteVersion(ctx context.Context, owner account.ID, id, versionID string) error {
	return s.change(ctx, owner, func(c *changing) error {
		r, err := s.fileRow(ctx, c.tx, owner, id)
		if err != nil {
			return err
		}
		v, err := takeVersion(ctx, c.tx, owner, id, versionID)
		if err != nil {
			return err
		}
		c.news(r.Parent)
		return s.Contents.Release(ctx, c.tx, owner, v.Blob)
	})
}

// purgeVersions removes versions that were replaced too long ago. It runs hourly.
func (s *Service) purgeVersions(ctx context.Context) error {
	if s.VersionsKeep == 0 {
		return nil
	}
	before := s.Now().Add(-s.VersionsKeep).UnixMilli()
	return s.eachOwner(ctx, readOldVersions, before, func(c *changing) (int, error) {
		blobs, err := deleteOldVersions(ctx, c.tx, c.owner, before, clearRows)
		if err != nil {
			return 0, err
		}
		return len(blobs), s.Contents.Release(ctx, c.tx, c.owner, blobs...)
	})
}

// eachOwner calls purge for each account of the rows that find returns, in transactions that hold the
// account's lock, until purge removes less than a batch. An account that cannot be purged holds up no
// other. Rows of one time and account may share their place in the order: one of them is enough.
func (s *Service) eachOwner(ctx context.Context, find func(ctx context.Context, q db.Querier, before int64, last *old, limit int) ([]old, error), before int64, purge func(c *changing) (int, error)) error {
	done := map[account.ID]bool{}
	return db.Walk(ctx, func(last *old, limit int) ([]old, error) {
		return find(ctx, s.DB, before, last, limit)
	}, func(o old) error {
		if done[o.owner] {
			return nil
		}
		done[o.owner] = true
		for n := clearRows; n >= clearRows; {
			err := s.change(ctx, o.owner, func(c *changing) (err error) {
				n, err = purge(c)
				return err
			})
			if err != nil {
				return fmt.Errorf("account %s: %w", o.owner, err)
			}
		}
		return nil
	})
}
