package file

import (
	"context"
	"io"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/keyring"
)

// Upload is the files of one request on their way in. None of them is visible before
// [Upload.Publish], and then all are. It belongs to one goroutine.
type Upload struct {
	s        *Service
	owner    account.ID
	contents *content.Upload
	files    []arrival
	// Replace puts each file into the file of its name, which keeps its content as a version.
	Replace bool
	// session sends the files; [Upload.Publish] refuses one that has ended meanwhile.
	session string
	// guests, if not nil, takes the session's place.
	guests func(ctx context.Context, tx *db.Tx, files int) error
	done   func(ctx context.Context, tx *db.Tx, files int) error // ends the transaction; nil: nothing
}

// arrival is a file whose content is stored.
type arrival struct {
	name, mediaType string
	content.Stored
}

// NewUpload begins an upload of the owner's. The caller ends it with [Upload.Publish] or
// [Upload.Abort].
func (s *Service) NewUpload(owner account.ID) *Upload {
	u := &Upload{s: s, owner: owner, contents: s.Contents.NewUpload(owner)}
	u.contents.Stands = func(ctx context.Context, tx *db.Tx) error {
		_, err := s.dataKey(ctx, tx, owner)
		return err
	}
	return u
}

// CheckFolder refuses a parent that nothing can be put into, before bytes are read for
// nothing. [Upload.Publish] decides.
func (u *Upload) CheckFolder(ctx context.Context, parent string) error {
	_, err := u.s.folderFor(ctx, u.s.DB, u.owner, parent)
	return err
}

// Len returns how many files have been added.
func (u *Upload) Len() int { return len(u.files) }

// Add stores the content of one more file under a name that [cleanName] has passed.
func (u *Upload) Add(ctx context.Context, name, mediaType string, r io.Reader) error {
	o, err := u.contents.Store(ctx, r)
	if err == nil {
		u.files = append(u.files, arrival{name, mediaType, o})
	}
	return err
}

// Abort removes what is not published.
func (u *Upload) Abort(ctx context.Context) { u.contents.Abort(ctx) }

// Publish makes every file appear in parent ("" = root). Taken names are numbered, or
// replaced.
func (u *Upload) Publish(ctx context.Context, parent string) (entries []Entry, err error) {
	var n *naming
	if len(u.files) > fewFiles && !u.Replace {
		// Others may write while names are looked for and sealed. Those that are taken
		// meanwhile are looked for again behind the lock.
		err := u.s.DB.Read(ctx, func(tx *db.Tx) error {
			key, err := u.s.dataKey(ctx, tx, u.owner)
			if err != nil {
				return err
			}
			n = u.naming(key, parent)
			if err := n.check(ctx, tx); err != nil {
				return err
			}
			return n.find(ctx, tx)
		})
		if err != nil {
			return nil, err
		}
	}
	hold := func(ctx context.Context, tx *db.Tx) error {
		if u.guests != nil {
			return u.guests(ctx, tx, len(u.files))
		}
		return u.s.hold(ctx, tx, u.owner, u.session)
	}
	err = u.s.changeHeld(ctx, u.owner, hold, u.s.withKey(ctx, func(c *changing) error {
		up, err := u.s.folderFor(ctx, c.tx, u.owner, parent)
		if err != nil {
			return err
		}
		var old map[string]row
		if u.Replace {
			if old, err = u.s.replaceable(ctx, c, parent, u.files); err != nil {
				return err
			}
		}
		if err := u.contents.Settle(ctx, c.tx); err != nil {
			return err
		}
		rows, err := u.s.place(ctx, c, parent, u.files, old, n)
		if err != nil {
			return err
		}
		entries = make([]Entry, len(rows))
		for i, r := range rows {
			entries[i] = u.s.show(ctx, u.owner, c.key, *r)
		}
		if u.done != nil {
			if err := u.done(ctx, c.tx, len(u.files)); err != nil {
				return err
			}
		}
		if u.Replace { // others are new
			if err := u.s.mark(ctx, c.tx, u.owner, pointers(entries)...); err != nil {
				return err
			}
		}
		return c.raise(ctx, up, 1)
	}))
	if err != nil {
		return nil, err
	}
	return entries, nil
}

// fewFiles are named behind the lock: that takes no longer than asking beforehand.
const fewFiles = 16

// naming returns the entries that the files become, with the names that they want.
func (u *Upload) naming(key *keyring.DataKey, parent string) *naming {
	n := newNaming(key, u.owner, parent)
	now := u.s.Now().UnixMilli()
	for i := range u.files {
		u.files[i].want(n, now)
	}
	return n
}
