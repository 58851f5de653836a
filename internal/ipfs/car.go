package ipfs

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrCAR is wrapped by errors about archives that are cut off, malformed or hold a damaged block.
var ErrCAR = errors.New("ipfs: malformed CAR")

// The header of a CAR is canonical dag-cbor: {"roots": [CID, …], "version": 1}. A CID is tag 42 around
// its binary form behind a zero.
const (
	headRoots   = "\xa2\x65roots"
	headCID     = "\xd8\x2a\x58"
	headVersion = "\x67version\x01"
	maxRoots    = 23 // an array whose length stands in its first byte
	cborArray   = 0x80
)

// CARWriter writes an archive of version 1.
type CARWriter struct {
	w       io.Writer
	section []byte
}

// WriteCAR begins an archive with its header. It makes two small writes for each block.
func WriteCAR(w io.Writer, roots ...CID) (*CARWriter, error) {
	if len(roots) > maxRoots {
		return nil, fmt.Errorf("ipfs: a CAR of %d roots, at most %d", len(roots), maxRoots)
	}
	head := append([]byte(headRoots), cborArray|byte(len(roots)))
	for _, c := range roots {
		head = c.append(append(append(head, headCID...), 1+cidBytes, 0))
	}
	head = append(head, headVersion...)
	_, err := w.Write(append(binary.AppendUvarint(nil, uint64(len(head))), head...))
	return &CARWriter{w: w}, err
}

// Put appends a block.
func (c *CARWriter) Put(b Block) error {
	return c.PutFrom(b.CID, int64(len(b.Data)), func(w io.Writer) error {
		_, err := w.Write(b.Data)
		return err
	})
}

// PutFrom appends a block of so many bytes, which write writes.
func (c *CARWriter) PutFrom(id CID, size int64, write func(io.Writer) error) error {
	c.section = id.append(binary.AppendUvarint(c.section[:0], uint64(cidBytes+size)))
	if _, err := c.w.Write(c.section); err != nil {
		return err
	}
	return write(c.w)
}

// CARReader reads an archive of version 1.
type CARReader struct {
	r        *bufio.Reader
	roots    []CID
	maxBlock int
	buf      []byte
}

// NewCARReader reads the header of an archive whose blocks have at most maxBlock bytes.
func NewCARReader(r io.Reader, maxBlock int) (*CARReader, error) {
	c := &CARReader{r: bufio.NewReader(r), maxBlock: maxBlock}
	const most = len(headRoots) + 1 + maxRoots*(len(headCID)+2+cidBytes) + len(headVersion)
	head, err := c.section(most)
	if err == io.EOF {
		err = fmt.Errorf("%w: it is empty", ErrCAR)
	}
	if err != nil {
		return nil, err
	}
	if c.roots, err = readHead(head); err != nil {
		return nil, err
	}
	return c, nil
}

func readHead(head []byte) (roots []CID, err error) {
	bad := fmt.Errorf("%w: no header of version 1", ErrCAR)
	head, ok := bytes.CutPrefix(head, []byte(headRoots))
	if !ok || len(head) == 0 || head[0] < cborArray || head[0] > cborArray+maxRoots {
		return nil, bad
	}
	n := int(head[0] - cborArray)
	head = head[1:]
	for range n {
		if head, ok = bytes.CutPrefix(head, []byte(headCID)); !ok || len(head) < 2 || head[1] != 0 {
			return nil, bad
		}
		root, size := prefixed(head[2:])
		if size == 0 || int(head[0]) != 1+size {
			return nil, bad
		}
		roots, head = append(roots, root), head[2+size:]
	}
	if string(head) != headVersion {
		return nil, bad
	}
	return roots, nil
}

// Roots are the identifiers that the header names. An archive need not hold their blocks.
func (c *CARReader) Roots() []CID { return c.roots }

// Next returns the next block, whose data are valid until the following call, and io.EOF after the
// last one. It has checked the block's digest.
func (c *CARReader) Next() (Block, error) {
	section, err := c.section(cidBytes + c.maxBlock)
	if err != nil {
		return Block{}, err
	}
	id, n := prefixed(section)
	if n == 0 {
		return Block{}, fmt.Errorf("%w: a block with an identifier that is not read here", ErrCAR)
	}
	b := Block{id, section[n:]}
	if Sum(id.Codec, b.Data) != id {
		return Block{}, fmt.Errorf("%w: the block of %s is damaged", ErrCAR, id)
	}
	return b, nil
}

// section reads a length and that many bytes; io.EOF when the archive ends before it.
func (c *CARReader) section(most int) ([]byte, error) {
	length, err := c.length()
	if err != nil {
		return nil, err
	}
	if length > uint64(most) {
		return nil, fmt.Errorf("%w: a section of %d bytes, at most %d", ErrCAR, length, most)
	}
	n := int(length)
	if cap(c.buf) < n {
		c.buf = make([]byte, n)
	}
	if _, err := io.ReadFull(c.r, c.buf[:n]); err != nil {
		return nil, cutOff(err)
	}
	return c.buf[:n], nil
}

// length reads a varint in its shortest form.
func (c *CARReader) length() (v uint64, err error) {
	for i := range binary.MaxVarintLen32 {
		b, err := c.r.ReadByte()
		if err == io.EOF && i == 0 {
			return 0, io.EOF
		}
		if err != nil {
			return 0, cutOff(err)
		}
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			if i > 0 && b == 0 {
				break
			}
			return v, nil
		}
	}
	return 0, fmt.Errorf("%w: a length that is too long", ErrCAR)
}

// cutOff is the error of an archive that ends inside a section.
func cutOff(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w: it is cut off", ErrCAR)
	}
	return err
}
