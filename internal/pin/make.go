package pin

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strconv"

	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/ipfs"
	"coffer/internal/keyring"
	"coffer/internal/parcel"
	"coffer/internal/pinning"
	"coffer/internal/seal"
)

// maker makes the blocks of one pin again. It belongs to one goroutine.
type maker struct {
	s      *Service
	pin    row
	data   *keyring.DataKey // of the account
	key    parcel.Key       // of an encrypted pin
	ord    int64            // of object
	object *content.Object
}

// newMaker returns the maker of a pin's blocks. A row that a writer of the database made, or made public,
// does not open.
func (s *Service) newMaker(ctx context.Context, r row) (*maker, error) {
	key, err := s.dataKey(ctx, s.DB, r.Account)
	if err != nil {
		return nil, err
	}
	d, err := r.open(key)
	if err != nil {
		return nil, err
	}
	return &maker{s: s, pin: r, data: key, key: d.key()}, nil
}

// open returns the bytes [off, off+n) of what is sent of an object.
func (m *maker) open(ctx context.Context, o *content.Object, ord, off, n int64) (io.ReadCloser, error) {
	if !m.pin.Encrypt {
		return o.Open(ctx, off, n)
	}
	// The key is this pin's alone, and an object never changes: it and the nonce seal one content.
	key, nonce := m.key.Stream(strconv.FormatInt(ord, 10))
	return seal.SealRange(func(off, n int64) (io.ReadCloser, error) { return o.Open(ctx, off, n) }, o.Size(), key, nonce, []byte(parcel.AAD), off, n)
}

// file computes the blocks of a whole file.
func (m *maker) file(ctx context.Context, f fileRow, sink ipfs.Sink) (ipfs.Node, error) {
	o, err := m.s.Contents.Find(ctx, m.s.DB, m.pin.Account, *f.Object, f.Size)
	if err != nil {
		return ipfs.Node{}, err
	}
	size := f.Size
	if m.pin.Encrypt {
		size = seal.CipherSize(size)
	}
	body, err := m.open(ctx, o, f.Ord, 0, size)
	if err != nil {
		return ipfs.Node{}, err
	}
	defer body.Close()
	return ipfs.File(body, sink)
}

// block returns the bytes of a block, which have its digest.
func (m *maker) block(ctx context.Context, b blockRow) ([]byte, error) {
	make := m.leaf
	if b.Ord < 0 {
		make = m.kept
	}
	data, err := make(ctx, b)
	if err != nil {
		return nil, err
	}
	if ipfs.Sum(b.CID.Codec, data) != b.CID {
		return nil, fmt.Errorf("block %s of pin %s: %w", b.CID, m.pin.ID, seal.ErrOpen)
	}
	return data, nil
}

// kept opens the bytes of a block that is not in a file. A writer of the database can compute the
// digest of any bytes, and not their seal.
func (m *maker) kept(ctx context.Context, b blockRow) ([]byte, error) {
	sealed, err := readBytes(ctx, m.s.DB, m.pin.ID, b.CID.Digest[:])
	if errors.Is(err, db.ErrNoRows) {
		err = seal.ErrOpen
	}
	var data []byte
	if err == nil {
		data, err = m.data.Open("pin_blocks", "bytes", b.place(m.pin.ID), sealed)
	}
	if err == nil && int64(len(data)) != b.Length {
		err = seal.ErrOpen
	}
	if err != nil {
		return nil, fmt.Errorf("bytes of block %s of pin %s: %w", b.CID, m.pin.ID, err)
	}
	return data, nil
}

// leaf reads a part of a file.
func (m *maker) leaf(ctx context.Context, b blockRow) ([]byte, error) {
	body, err := m.openLeaf(ctx, b)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	data := make([]byte, b.Length)
	_, err = io.ReadFull(body, data)
	return data, err
}

// copyLeaf writes a part of a file to w, and keeps little of it in memory.
func (m *maker) copyLeaf(ctx context.Context, w io.Writer, b blockRow) error {
	body, err := m.openLeaf(ctx, b)
	if err != nil {
		return err
	}
	defer body.Close()
	const some = 32 << 10
	_, err = io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{io.LimitReader(body, b.Length)}, make([]byte, some))
	return err
}

// checkLeaf compares the digest of a part of a file, and keeps nothing of it.
func (m *maker) checkLeaf(ctx context.Context, b blockRow) error {
	sum := sha256.New()
	if err := m.copyLeaf(ctx, sum, b); err != nil {
		return err
	}
	if [sha256.Size]byte(sum.Sum(nil)) != b.CID.Digest {
		return fmt.Errorf("block %s of pin %s: %w", b.CID, m.pin.ID, seal.ErrOpen)
	}
	return nil
}

// openLeaf opens a part of a file, which authenticates as it is read.
func (m *maker) openLeaf(ctx context.Context, b blockRow) (io.ReadCloser, error) {
	if b.Length < 0 || b.Length > ipfs.ChunkSize {
		return nil, fmt.Errorf("block of %d bytes: %w", b.Length, seal.ErrOpen)
	}
	if m.object == nil || m.ord != b.Ord {
		f, err := readFile(ctx, m.s.DB, m.pin.ID, b.Ord)
		if errors.Is(err, db.ErrNoRows) || err == nil && f.Object == nil {
			return nil, fmt.Errorf("file %d of pin %s: %w", b.Ord, m.pin.ID, seal.ErrOpen)
		}
		if err == nil {
			_, err = f.open(m.data, m.pin.ID) // it names the object
		}
		if err != nil {
			return nil, err
		}
		if m.object, err = m.s.Contents.Find(ctx, m.s.DB, m.pin.Account, *f.Object, f.Size); err != nil {
			m.object = nil
			return nil, err
		}
		m.ord = b.Ord
	}
	return m.open(ctx, m.object, b.Ord, b.Start, b.Length)
}

// blocksAtOnce is how many rows of an outline are read together.
const blocksAtOnce = 256

// source is what a target is given. Its name tells nothing: the provider sees it.
func (s *Service) source(ctx context.Context, r row, root ipfs.CID) pinning.Source {
	return pinning.Source{
		Name: "coffer-" + r.ID, Root: root, Framed: r.Framed,
		Blocks: func(yield func(ipfs.Block) error) error {
			m, err := s.newMaker(ctx, r)
			if err != nil {
				return err
			}
			for after := (blockRow{Ord: asNode - 1}); ; {
				rows, err := readInOrder(ctx, s.DB, r.ID, after, blocksAtOnce)
				if err != nil || len(rows) == 0 {
					return err
				}
				for _, b := range rows {
					data, err := m.block(ctx, b)
					if err != nil {
						return err
					}
					if err := yield(ipfs.Block{CID: b.CID, Data: data}); err != nil {
						return err
					}
				}
				after = rows[len(rows)-1]
			}
		},
	}
}
