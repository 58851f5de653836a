package file

import (
	"context"
	"slices"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/keyring"
)

// What rooms above this one ask for: a place for a file whose content they keep. And the way
// to an entry, for answers that show it.

// CheckPlace returns the canonical form of a name. It refuses a name that no file can have,
// and a parent ("" = root) that takes no files. [Service.Receive] decides.
func (s *Service) CheckPlace(ctx context.Context, owner account.ID, parent, name string) (clean string, err error) {
	if clean, err = cleanName("/name", name); err != nil {
		return "", err
	}
	_, err = s.folderFor(ctx, s.DB, owner, parent)
	return clean, err
}

// Arriving is where a content is to appear as a file.
type Arriving struct {
	Parent    string // "" = root
	Name      string // cleaned by [Service.CheckPlace]
	MediaType string // cleaned by [content.CleanType]
	// Replace makes it the content of the file that has the name, which keeps its old one
	// as a version. Without such a file it has no effect.
	Replace bool
	// Done, if not nil, ends the transaction: it records what the content has become.
	Done func(ctx context.Context, tx *db.Tx, e Entry) error
}

// Receive makes a content appear as a file, in one transaction. In it settle makes the
// content live. The transaction keeps session from ending, or is refused.
func (s *Service) Receive(ctx context.Context, owner account.ID, session string, a Arriving, settle func(ctx context.Context, tx *db.Tx) (content.Stored, error)) (e Entry, err error) {
	hold := func(ctx context.Context, tx *db.Tx) error { return s.hold(ctx, tx, owner, session) }
	err = s.changeHeld(ctx, owner, hold, s.withKey(ctx, func(c *changing) error {
		up, err := s.folderFor(ctx, c.tx, owner, a.Parent)
		if err != nil {
			return err
		}
		stored, err := settle(ctx, c.tx)
		if err != nil {
			return err
		}
		files := []arrival{{a.Name, a.MediaType, stored}}
		var old map[string]row
		if a.Replace {
			if old, err = s.replaceable(ctx, c, a.Parent, files); err != nil {
				return err
			}
		}
		rows, err := s.place(ctx, c, a.Parent, files, old, nil)
		if err != nil {
			return err
		}
		e = s.show(ctx, owner, c.key, *rows[0])
		if err := s.mark(ctx, c.tx, owner, &e); err != nil {
			return err
		}
		if err := c.raise(ctx, up, 1); err != nil || a.Done == nil {
			return err
		}
		return a.Done(ctx, c.tx, e)
	}))
	return e, err
}

// hold keeps a session from ending before tx has, or refuses.
func (s *Service) hold(ctx context.Context, tx *db.Tx, owner account.ID, session string) error {
	if s.Hold == nil {
		return nil
	}
	return s.Hold(ctx, tx, owner, session)
}

// Step is a folder on the way to an entry.
type Step struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// path returns the folders above an entry, outermost first.
func (s *Service) path(ctx context.Context, q db.Querier, key *keyring.DataKey, owner account.ID, id string) ([]Step, error) {
	names, up, err := readPath(ctx, q, owner, id)
	if err == nil {
		err = s.check(ctx, owner, id, up)
	}
	if err != nil {
		return nil, err
	}
	steps := []Step{}
	for _, r := range names[1:] {
		name, err := openName(key, r)
		if err != nil {
			name = damagedName
		}
		steps = append(steps, Step{ID: r.ID, Name: name})
	}
	slices.Reverse(steps)
	return steps, nil
}
