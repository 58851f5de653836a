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

// pageParts is how many parts of a list an object holds at a time. Ten thousand of them would
// take a megabyte of each stalled download.
const pageParts = 128

// mark is a place in a list: the end of the parts before it, and their hash.
type mark struct {
	at   int64
	hash list
}

// with returns the place behind one more part; false for a part that does not begin there.
func (m mark) with(p part) (mark, bool) {
	return mark{m.at + p.size, m.hash.with(p)}, p.start == m.at && p.size > 0
}

// readList goes through the object's list and keeps its first page, and the mark of each.
func (o *Object) readList(ctx context.Context, q db.Querier) error {
	m, n, whole := mark{0, newList(o.id)}, 0, true
	o.pages, o.page, o.first = nil, nil, 0
	err := readParts(ctx, q, o.id, 0, MaxParts+1, func(p part) {
		if n%o.s.pageParts == 0 {
			o.pages = append(o.pages, m)
		}
		if n++; n <= o.s.pageParts {
			o.page = append(o.page, p)
		}
		var follows bool
		m, follows = m.with(p)
		whole = whole && follows
	})
	if err == nil && !whole {
		err = errDamaged
	}
	o.pages = append(o.pages, m)
	return err
}

// checkList refuses a list that is not the one to which the object's key is bound.
func (o *Object) checkList() error {
	end := o.pages[len(o.pages)-1]
	if end.at != o.size || !bytes.Equal(end.hash[:], o.list) {
		return errDamaged
	}
	return nil
}

// partAt returns the part with the byte at an offset. A page that is read again has the hash
// that it had when the object was found.
func (o *Object) partAt(ctx context.Context, at int64) (part, error) {
	next := sort.Search(len(o.pages), func(i int) bool { return o.pages[i].at > at })
	if next == 0 || next == len(o.pages) {
		return part{}, errDamaged
	}
	from, to := o.pages[next-1], o.pages[next]
	if o.first != from.at {
		page, m, whole := make([]part, 0, o.s.pageParts), from, true
		err := readParts(ctx, o.s.DB, o.id, from.at, o.s.pageParts, func(p part) {
			var follows bool
			m, follows = m.with(p)
			whole = whole && follows
			page = append(page, p)
		})
		if err == nil && (!whole || m != to) {
			err = fmt.Errorf("list of parts of object %s is gone or has changed: %w", o.id, errDamaged)
		}
		if err != nil {
			return part{}, err
		}
		o.page, o.first = page, from.at
	}
	return o.page[sort.Search(len(o.page), func(i int) bool { return o.page[i].start > at })-1], nil
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
	p, err := r.o.partAt(r.ctx, r.at)
	if err != nil {
		return err
	}
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
