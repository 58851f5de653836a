package file

import (
	"context"
	"errors"
	"fmt"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
)

// An account keeps the entries that the root or the trash leads to, and their versions.
// The export reads them; every other operation sees what the root leads to.

// keptRow is row of an entry that may also lie in the trash, or below it.
func (s *Service) keptRow(ctx context.Context, q db.Querier, owner account.ID, id string) (row, error) {
	r, up, err := readRow(ctx, q, owner, id)
	if err != nil {
		return r, err
	}
	if up.top != "" {
		if _, _, up, err = readAncestors(ctx, q, owner, id); err != nil { // readRow tells the root from the rest only
			return r, err
		}
		trash, err := readTrashFolder(ctx, q, owner)
		if err != nil && !errors.Is(err, db.ErrNoRows) {
			return r, err
		}
		if trash == up.top {
			up.top = ""
		}
	}
	return r, s.check(ctx, owner, id, up)
}

// listKept returns a page of the children of a folder.
func (s *Service) listKept(ctx context.Context, owner account.ID, folder, cursor string) (entries []Entry, next string, err error) {
	const limit = walkPage
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		key, err := s.dataKey(ctx, tx, owner)
		if err != nil {
			return err
		}
		if _, err := s.keptRow(ctx, tx, owner, folder); err != nil {
			return err
		}
		after, err := openCursor(key, folder, "kept", cursor)
		if err != nil {
			return err
		}
		rows, err := readPage(ctx, tx, owner, folder, "created_at", false, after == nil, after.number(), after.entry(), limit+1)
		if err != nil {
			return err
		}
		next = ""
		if len(rows) > limit {
			rows = rows[:limit]
			next = sealCursor(key, folder, "kept", numberMark(rows[limit-1].CreatedAt, rows[limit-1].ID))
		}
		entries = s.showAll(ctx, owner, key, rows)
		return nil
	})
	return entries, next, err
}

// keptContent returns the object of a file.
func (s *Service) keptContent(ctx context.Context, owner account.ID, id string) (o *content.Object, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		r, err := s.keptRow(ctx, tx, owner, id)
		if err != nil {
			return err
		}
		key, err := s.dataKey(ctx, tx, owner)
		if err != nil {
			return err
		}
		if _, err := open(key, r); err != nil {
			return err
		}
		if o, err = s.Contents.Find(ctx, tx, owner, *r.Blob, r.Size); err != nil {
			return fmt.Errorf("entry %s: %w", id, err)
		}
		return nil
	})
	return o, err
}

// keptVersions returns a file's name, and all its versions, the newest first.
func (s *Service) keptVersions(ctx context.Context, owner account.ID, id string) (name string, versions []Version, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		r, err := s.keptRow(ctx, tx, owner, id)
		if err != nil {
			return err
		}
		key, err := s.dataKey(ctx, tx, owner)
		if err != nil {
			return err
		}
		name = s.show(ctx, owner, key, r).Name
		all, err := readVersions(ctx, tx, owner, id, nil, mostVersions)
		versions = nil
		for _, v := range all {
			versions = append(versions, s.showVersion(ctx, owner, key, v))
		}
		return err
	})
	return name, versions, err
}

// keptVersion returns the object of a version.
func (s *Service) keptVersion(ctx context.Context, owner account.ID, id, versionID string) (o *content.Object, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		if _, err := s.keptRow(ctx, tx, owner, id); err != nil {
			return err
		}
		key, err := s.dataKey(ctx, tx, owner)
		if err != nil {
			return err
		}
		v, err := readVersion(ctx, tx, owner, id, versionID)
		if err != nil {
			return err
		}
		if _, err := openVersion(key, v); err != nil {
			return err
		}
		if o, err = s.Contents.Find(ctx, tx, owner, v.Blob, v.Size); err != nil {
			return fmt.Errorf("version %s: %w", v.ID, err)
		}
		return nil
	})
	return o, err
}
