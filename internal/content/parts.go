package content

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"sort"

	"coffer/internal/blob"
	"coffer/internal/db"
	"coffer/internal/seal"
)

// MaxParts is how many parts an object may have. partSize is the most bytes of one: more
// bytes of one append are several parts.
const (
	MaxParts = 10_000
	partSize = 64 << 20
)

// maxSmall is the most bytes of a content that stands in SQL.
const maxSmall = int64(len(chunk{}.buf))

// part is one piece of an object that has grown. Every part has its own salt, so two parts
// for one offset share no key of segments.
type part struct {
	id          string
	start, size int64
	sealed      []byte // of a small one that has no row yet
}

// partAAD binds a part to its object, its place and its id.
func partAAD(blob string, p part) []byte {
	return seal.LP([]byte("coffer/blob/part/v1"), []byte(blob), binary.BigEndian.AppendUint64(nil, uint64(p.start)), []byte(p.id))
}

// list is the hash of a list of parts, each with the hash of those before it.
type list [sha256.Size]byte

// newList returns the hash of an object's empty list.
func newList(blob string) list {
	return sha256.Sum256(seal.LP([]byte("coffer/blob/list/v1"), []byte(blob)))
}

// with returns the hash of the list with one more part.
func (l list) with(p part) list {
	numbers := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(p.start)), uint64(p.size))
	return sha256.Sum256(seal.LP([]byte("coffer/blob/list/v1"), l[:], numbers, []byte(p.id)))
}

// progress is what an append continues. It stands sealed beside its object: the state of the
// hash holds the last bytes of the content.
type progress struct {
	taken  int64
	parts  int64
	list   list
	digest hash.Hash // SHA-256 of the content so far
}

func newProgress(blob string) progress {
	return progress{list: newList(blob), digest: sha256.New()}
}

// progressKey returns the key of an object's progress: not the one from which its parts take
// theirs.
func progressKey(key []byte) ([]byte, error) {
	return hkdf.Key(sha256.New, key, nil, "coffer/blob/progress/v1", seal.KeySize)
}

func progressAAD(blob string) []byte { return seal.LP([]byte("coffer/blob/progress/v1"), []byte(blob)) }

// seal returns the progress as its row holds it.
func (p progress) seal(blob string, key []byte) ([]byte, error) {
	plain := binary.BigEndian.AppendUint64(nil, uint64(p.taken))
	plain = binary.BigEndian.AppendUint64(plain, uint64(p.parts))
	plain = append(plain, p.list[:]...)
	plain, err := p.digest.(encoding.BinaryAppender).AppendBinary(plain)
	if err != nil {
		return nil, err
	}
	k, err := progressKey(key)
	if err != nil {
		return nil, err
	}
	return seal.Seal(k, plain, progressAAD(blob)), nil
}

// openProgress returns the progress of a row that says how far the object has come.
func openProgress(sealed []byte, blob string, key []byte, taken int64) (p progress, err error) {
	k, err := progressKey(key)
	if err != nil {
		return p, err
	}
	plain, err := seal.Open(k, sealed, progressAAD(blob))
	if err != nil {
		return p, fmt.Errorf("progress of object %s: %w", blob, err)
	}
	const fixed = 8 + 8 + sha256.Size
	if len(plain) < fixed {
		return p, errDamaged
	}
	p.taken = int64(binary.BigEndian.Uint64(plain))
	p.parts = int64(binary.BigEndian.Uint64(plain[8:]))
	p.list = list(plain[16:fixed])
	p.digest = sha256.New()
	if err := p.digest.(encoding.BinaryUnmarshaler).UnmarshalBinary(plain[fixed:]); err != nil {
		return p, err
	}
	if p.taken != taken {
		return p, fmt.Errorf("object %s has another progress than its row: %w", blob, errDamaged)
	}
	return p, nil
}

// checkParts refuses parts that are not those of the list to which the object's key is bound.
func (o *Object) checkParts() error {
	l, end := newList(o.id), int64(0)
	for _, p := range o.parts {
		if p.start != end || p.size <= 0 {
			return errDamaged
		}
		l, end = l.with(p), end+p.size
	}
	if end != o.size || !bytes.Equal(l[:], o.list) {
		return errDamaged
	}
	return nil
}

// piece is a stream: a whole object or a part of one.
type piece struct {
	part
	aad   []byte
	small bool // in SQL, and read from there unless it is at hand
}

// openPiece returns the bytes [off, off+n) of a piece.
func (o *Object) openPiece(ctx context.Context, p piece, off, n int64) (io.ReadCloser, error) {
	if p.small && p.sealed == nil {
		var err error
		if p.sealed, err = readSmall(ctx, o.s.DB, p.id); errors.Is(err, db.ErrNoRows) {
			err = fmt.Errorf("content of part %s of object %s: %w", p.id, o.id, blob.ErrMissing)
		}
		if err != nil {
			return nil, err
		}
	}
	whole := seal.CipherSize(p.size)
	fetch := func(off, n int64) (r io.ReadCloser, err error) {
		size := int64(len(p.sealed))
		if p.small {
			end := min(off+n, size)
			r = io.NopCloser(bytes.NewReader(p.sealed[min(off, end):end]))
		} else if r, size, err = o.s.Blobs.Get(ctx, p.id, off, n); err != nil {
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
	return seal.OpenRange(fetch, whole, o.key, p.aad, off, n)
}

// inParts is a range of an object that has grown. It opens a part when its turn comes.
type inParts struct {
	ctx     context.Context
	o       *Object
	at, end int64
	part    io.ReadCloser // nil between two
}

var _ io.WriterTo = (*inParts)(nil)

// next opens the part at which the range stands; io.EOF at its end.
func (r *inParts) next() (err error) {
	if r.part != nil {
		return nil
	}
	if r.at == r.end {
		return io.EOF
	}
	parts := r.o.parts
	p := parts[sort.Search(len(parts), func(i int) bool { return parts[i].start > r.at })-1]
	until := min(r.end, p.start+p.size)
	r.part, err = r.o.openPiece(r.ctx, piece{p, partAAD(r.o.id, p), p.size <= maxSmall}, r.at-p.start, until-r.at)
	if err == nil {
		r.at = until
	}
	return err
}

// done closes a part that was read to its end.
func (r *inParts) done() error {
	err := r.part.Close()
	r.part = nil
	return err
}

// Read implements io.Reader.
func (r *inParts) Read(p []byte) (int, error) {
	for {
		if err := r.next(); err != nil {
			return 0, err
		}
		n, err := r.part.Read(p)
		if err == io.EOF {
			err = r.done()
		}
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
	}
}

// WriteTo implements io.WriterTo.
func (r *inParts) WriteTo(w io.Writer) (total int64, err error) {
	for {
		if err := r.next(); err == io.EOF {
			return total, nil
		} else if err != nil {
			return total, err
		}
		n, err := r.part.(io.WriterTo).WriteTo(w)
		if total += n; err != nil {
			return total, err
		}
		if err := r.done(); err != nil {
			return total, err
		}
	}
}

// Close ends the reader early.
func (r *inParts) Close() error {
	r.at = r.end
	if r.part == nil {
		return nil
	}
	return r.done()
}
