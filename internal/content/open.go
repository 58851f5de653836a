package content

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"coffer/internal/account"
	"coffer/internal/blob"
	"coffer/internal/db"
	"coffer/internal/keyring"
	"coffer/internal/seal"
)

// errDamaged says that an object is not the one that the caller's record names.
var errDamaged = fmt.Errorf("record and object do not belong together: %w", seal.ErrOpen)

// IsLost reports whether err says that an object is missing or damaged. Trying again does
// not help then, as it may when a store does not answer.
func IsLost(err error) bool { return errors.Is(err, seal.ErrOpen) || errors.Is(err, blob.ErrMissing) }

// Object is a live object whose content is not read yet. It belongs to one goroutine.
type Object struct {
	s       *Service
	id      string
	owner   account.ID
	size    int64
	wrapped []byte
	key     []byte // unwrapped at the first use
	small   []byte // sealed; nil when it is in the store
}

// Find returns a live object of the owner's. size is the one that the caller's record says.
// A missing row and another size are damage: a record goes in the transaction that marks
// its object for deletion.
func (s *Service) Find(ctx context.Context, q db.Querier, owner account.ID, id string, size int64) (*Object, error) {
	o := &Object{s: s, id: id, owner: owner, size: size}
	stored, err := o.read(ctx, q)
	if errors.Is(err, db.ErrNoRows) || err == nil && stored != size {
		err = errDamaged
	}
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", id, err)
	}
	return o, nil
}

// Size returns the bytes of the content.
func (o *Object) Size() int64 { return o.size }

// unwrap opens the object's key.
func (o *Object) unwrap(ctx context.Context) (err error) {
	if o.key != nil {
		return nil
	}
	if o.key, err = o.s.Ring.Open(ctx, keyring.Blob, o.wrapped, blobAAD(o.id, o.owner)); err != nil {
		return fmt.Errorf("key of object %s: %w", o.id, err)
	}
	return nil
}

// Open returns the bytes [off, off+n). What it returns implements io.WriterTo, releases a
// byte only after it has authenticated, and ends in io.EOF only when all n have been read.
// An object that is longer or shorter than its record says is damaged.
func (o *Object) Open(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	if err := o.unwrap(ctx); err != nil {
		return nil, err
	}
	whole := seal.CipherSize(o.size)
	fetch := func(off, n int64) (r io.ReadCloser, err error) {
		size := int64(len(o.small))
		if o.small != nil {
			end := min(off+n, size)
			r = io.NopCloser(bytes.NewReader(o.small[min(off, end):end]))
		} else if r, size, err = o.s.Blobs.Get(ctx, o.id, off, n); err != nil {
			if errors.Is(err, blob.ErrMissing) {
				err = fmt.Errorf("content of object %s: %w", o.id, err)
			}
			return nil, err
		}
		if size != whole {
			return nil, errors.Join(fmt.Errorf("content of object %s has %d bytes, want %d: %w", o.id, size, whole, errDamaged), r.Close())
		}
		return r, nil
	}
	return seal.OpenRange(fetch, whole, o.key, contentAAD(o.id), off, n)
}

// Send writes the bytes [off, off+n) to what begin returns. It calls begin once the first of
// them have authenticated, so an object that is lost, or broken at its front, sends nothing.
func (o *Object) Send(ctx context.Context, off, n int64, begin func() (io.Writer, error)) error {
	body, err := o.Open(ctx, off, n)
	if err != nil {
		return err
	}
	defer body.Close()
	var first [512]byte
	read, err := body.Read(first[:])
	if err != nil && err != io.EOF {
		return err
	}
	w, err := begin()
	if err != nil {
		return err
	}
	if _, err := w.Write(first[:read]); err != nil {
		return err
	}
	_, err = body.(io.WriterTo).WriteTo(w)
	return err
}
