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
	list    []byte // hash of the list of parts; nil when it is in one piece
	pages   []mark // where each page of the list begins, and where the last one ends
	page    []part // the one that was read last
	first   int64  // the start of its first part
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

// unwrap opens the object's key, and checks the list of parts to which the key is bound.
func (o *Object) unwrap(ctx context.Context) (err error) {
	if o.key != nil {
		return nil
	}
	key, err := o.s.Ring.Open(ctx, keyring.Blob, o.wrapped, keyAAD(o.id, o.owner, o.list))
	if err == nil && o.list != nil {
		err = o.checkList()
	}
	if err != nil {
		return fmt.Errorf("key of object %s: %w", o.id, err)
	}
	o.key = key
	return nil
}

// Open returns the bytes [off, off+n). What it returns implements io.WriterTo, releases a
// byte only after it has authenticated, and ends in io.EOF only when all n have been read.
// An object that is longer or shorter than its record says is damaged.
func (o *Object) Open(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	if err := o.unwrap(ctx); err != nil {
		return nil, err
	}
	if o.list == nil {
		p := part{id: o.id, size: o.size, sealed: o.small}
		return o.openPiece(ctx, piece{p, contentAAD(o.id), o.small != nil}, off, n)
	}
	if off < 0 || n < 0 || off > o.size || n > o.size-off {
		return nil, fmt.Errorf("content: internal error: range %d+%d outside of %d bytes", off, n, o.size)
	}
	return &inParts{ctx: ctx, o: o, at: off, end: off + n}, nil
}

// sendWhole is how many bytes Send reads before it writes: less than the buffer that a reader
// keeps while its client takes nothing. An archive of small files holds no such buffer.
const sendWhole = 16 << 10

// Send writes the bytes [off, off+n) to what begin returns. It calls begin once the first of
// them have authenticated, so an object that is lost, or broken at its front, sends nothing.
func (o *Object) Send(ctx context.Context, off, n int64, begin func() (io.Writer, error)) error {
	body, err := o.Open(ctx, off, n)
	if err != nil {
		return err
	}
	if n <= sendWhole {
		whole := bytes.NewBuffer(make([]byte, 0, max(n, 0)+bytes.MinRead))
		_, err := whole.ReadFrom(body)
		body.Close()
		if err != nil {
			return err
		}
		w, err := begin()
		if err == nil {
			_, err = w.Write(whole.Bytes())
		}
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
