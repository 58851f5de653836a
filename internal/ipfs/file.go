package ipfs

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
)

// piece is how much of a chunk is read before it is hashed: the processor's cache still holds it then.
const piece = 64 << 10

// File reads a file to its end and makes its blocks. A file of one chunk is that raw leaf alone.
// It holds one chunk and, for each level of the tree, at most MaxLinks links.
func File(r io.Reader, s Sink) (Node, error) { return file(r, s, ChunkSize, MaxLinks) }

// file is File with other bounds.
func file(r io.Reader, s Sink, chunk, width int) (Node, error) {
	f := filer{sink: s, width: width, levels: make([][]Node, 1)}
	in := chunker{r: r, size: chunk, hash: sha256.New()}
	var at int64
	for {
		data, id, err := in.next()
		if err != nil {
			return Node{}, err
		}
		n := int64(len(data))
		if n == 0 && at > 0 {
			break
		}
		if s.Leaf != nil {
			if err := s.Leaf(Leaf{id, at, n}, data); err != nil {
				return Node{}, err
			}
		}
		if err := f.add(0, Node{id, n, n}); err != nil {
			return Node{}, err
		}
		at += n
		if in.ended {
			break
		}
	}
	return f.end()
}

// chunker cuts a stream.
type chunker struct {
	r     io.Reader
	size  int
	hash  hash.Hash
	buf   []byte
	ended bool
}

// next returns the next chunk, which is valid until the following call, and its identifier. A chunk
// shorter than size is the last one. Only io.EOF ends the stream: a reader that breaks off with
// io.ErrUnexpectedEOF has an error.
func (c *chunker) next() ([]byte, CID, error) {
	c.hash.Reset()
	n, idle := 0, 0
	for n < c.size && !c.ended {
		if n == len(c.buf) {
			c.grow()
		}
		m, err := c.r.Read(c.buf[n:min(n+piece, len(c.buf))])
		c.hash.Write(c.buf[n : n+m])
		n += m
		switch {
		case err == io.EOF:
			c.ended = true
		case err != nil:
			return nil, CID{}, err
		case m > 0:
			idle = 0
		case idle == 100:
			return nil, CID{}, io.ErrNoProgress
		default:
			idle++
		}
	}
	id := CID{Codec: Raw}
	c.hash.Sum(id.Digest[:0])
	return c.buf[:n], id, nil
}

// grow doubles the buffer up to a whole chunk, so that small files need little memory.
func (c *chunker) grow() {
	grown := make([]byte, min(c.size, max(piece, 2*len(c.buf))))
	copy(grown, c.buf)
	c.buf = grown
}

// filer builds the balanced tree of a file.
type filer struct {
	sink        Sink
	width       int
	levels      [][]Node // leaves first: children that have no parent yet
	block, data []byte   // of the last node
}

// add takes a child. A full level becomes one child of the next.
func (f *filer) add(level int, child Node) error {
	f.levels[level] = append(f.levels[level], child)
	if len(f.levels[level]) < f.width {
		return nil
	}
	return f.close(level)
}

// close makes the children of a level a node on the next.
func (f *filer) close(level int) error {
	var n Node
	children := f.levels[level]
	for _, c := range children {
		n.Size += c.Size
		n.Total += c.Total
	}
	f.block = f.block[:0]
	f.data = binary.AppendUvarint(append(f.data[:0], tagType, byte(typeFile), tagFileSize), uint64(n.Size))
	for _, c := range children {
		f.block = appendLink(f.block, "", c)
		f.data = binary.AppendUvarint(append(f.data, tagBlockSize), uint64(c.Size))
	}
	f.block = appendData(f.block, f.data)
	n.Total += int64(len(f.block))
	var err error
	if n.CID, err = f.sink.node(f.block); err != nil {
		return err
	}
	f.levels[level] = children[:0]
	if level+1 == len(f.levels) {
		f.levels = append(f.levels, nil)
	}
	return f.add(level+1, n)
}

// end closes all levels and returns the root: the only child of the last level. All leaves keep the
// same depth, so a level with one child also becomes a node while there is another level above.
func (f *filer) end() (Node, error) {
	for level := 0; ; level++ {
		children := f.levels[level]
		if level == len(f.levels)-1 && len(children) == 1 {
			return children[0], nil
		}
		if len(children) > 0 {
			if err := f.close(level); err != nil {
				return Node{}, err
			}
		}
	}
}
