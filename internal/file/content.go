package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"coffer/internal/account"
	"coffer/internal/blob"
	"coffer/internal/db"
	"coffer/internal/keyring"
	"coffer/internal/seal"
)

// Content is a file's content, opened but not yet read.
type Content struct {
	Entry
	Sum      [32]byte  // SHA-256
	StoredAt time.Time // when the bytes were stored: renaming does not change it

	s     *Service
	blob  string
	key   []byte
	small []byte // sealed; nil when it is in the store
}

// Content returns what downloading a file needs. The entry, its object's row and the
// account's key are of one moment.
func (s *Service) Content(ctx context.Context, owner account.ID, id string) (*Content, error) {
	c := &Content{s: s}
	var wrapped []byte
	err := s.DB.Read(ctx, func(tx *db.Tx) error {
		r, err := s.row(ctx, tx, owner, id)
		if err != nil {
			return err
		}
		key, err := s.dataKey(ctx, tx, owner)
		if err != nil {
			return err
		}
		if c.Entry, err = open(key, r); err != nil {
			return err
		}
		if r.Kind == Folder {
			return errIsFolder
		}
		d, err := openDetails(key, r)
		if err != nil {
			return err
		}
		b, err := readBlob(ctx, tx, owner, *r.Blob)
		if err == nil && b.Size != r.Size {
			err = errDamaged
		}
		if err != nil {
			return fmt.Errorf("object of entry %s: %w", id, err)
		}
		c.Sum, c.blob, c.small, wrapped = d.sum, *r.Blob, b.Content, b.Wrapped
		c.StoredAt = time.UnixMilli(d.stored).UTC()
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.key, err = s.Ring.Open(ctx, keyring.Blob, wrapped, blobAAD(c.blob, owner))
	if err != nil {
		return nil, fmt.Errorf("key of blob %s: %w", c.blob, err)
	}
	return c, nil
}

// Open returns the bytes [off, off+n). What it returns implements io.WriterTo, releases a
// byte only after it has authenticated, and ends in io.EOF only when all n have been read.
// An object that is longer or shorter than its entry says is damaged.
func (c *Content) Open(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	whole := seal.CipherSize(c.Size)
	fetch := func(off, n int64) (r io.ReadCloser, err error) {
		size := int64(len(c.small))
		if c.small != nil {
			end := min(off+n, size)
			r = io.NopCloser(bytes.NewReader(c.small[min(off, end):end]))
		} else if r, size, err = c.s.Blobs.Get(ctx, c.blob, off, n); err != nil {
			if errors.Is(err, blob.ErrMissing) {
				err = fmt.Errorf("content of blob %s: %w", c.blob, err)
			}
			return nil, err
		}
		if size != whole {
			return nil, errors.Join(fmt.Errorf("content of blob %s has %d bytes, want %d: %w", c.blob, size, whole, errDamaged), r.Close())
		}
		return r, nil
	}
	return seal.OpenRange(fetch, whole, c.key, contentAAD(c.blob), off, n)
}
