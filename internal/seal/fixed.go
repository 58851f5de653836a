package seal

import (
	"errors"
	"fmt"
	"io"
)

// NonceSize is the length of what makes a stream's header beside its length: salt and nonce
// prefix.
const NonceSize = saltSize + prefixSize

// SealRange returns the bytes [off, off+n) of the stream whose plaintext has plain bytes and
// whose header holds nonce. read returns the plaintext's bytes [off, off+n); SealRange calls
// it at most once and closes its reader. A plaintext that ends early is io.ErrUnexpectedEOF.
//
// [Writer] draws a nonce for each stream. Here the caller brings it, so that a part of a
// stream can be made again without the rest. A caller must never seal a second plaintext
// under the same key, nonce and aad: GCM then reveals both, and lets streams be forged. So
// key and nonce belong to one content that never changes.
func SealRange(read func(off, n int64) (io.ReadCloser, error), plain int64, key, nonce, aad []byte, off, n int64) (io.ReadCloser, error) {
	if whole := CipherSize(plain); plain < 0 || off < 0 || n < 0 || off > whole || n > whole-off {
		return nil, fmt.Errorf("seal: range %d+%d outside of a stream of %d plain bytes", off, n, plain)
	}
	if len(nonce) != NonceSize {
		return nil, fmt.Errorf("seal: nonce of %d bytes, want %d", len(nonce), NonceSize)
	}
	s := &sealing{last: lastSegment(plain), plain: plain, left: n}
	s.header[0] = headerSize
	copy(s.header[1:], nonce)
	if err := s.init(key, aad, s.header[:]); err != nil {
		return nil, err
	}
	if s.last >= maxSegments {
		return nil, errTooLong
	}
	s.index = off / SegmentSize
	s.skip = int(off - s.index*SegmentSize)
	if n == 0 {
		return s, nil
	}
	end := plain
	if until := (off + n - 1) / SegmentSize; until < s.last {
		end = plainStart(until + 1)
	}
	from := plainStart(s.index)
	var err error
	if s.source, err = read(from, end-from); err != nil {
		return nil, err
	}
	return s, nil
}

// sealing is a part of a stream that is being made.
type sealing struct {
	stream
	source io.ReadCloser // nil of an empty range
	last   int64         // index of the last segment
	plain  int64         // bytes of the whole plaintext
	left   int64         // bytes still to return
	skip   int           // bytes of the first segment before the range
	header [headerSize]byte
	buf    *smallBuffer
	out    []byte // sealed and not yet returned
}

// Read implements io.Reader.
func (s *sealing) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if s.left == 0 {
		return 0, io.EOF
	}
	if len(s.out) == 0 {
		if err := s.segment(); err != nil {
			return 0, err
		}
	}
	n := copy(p[:min(int64(len(p)), s.left)], s.out)
	s.out = s.out[n:]
	s.left -= int64(n)
	return n, nil
}

// segment seals the next segment.
func (s *sealing) segment() error {
	if s.buf == nil {
		s.buf = smallBuffers.Get().(*smallBuffer)
	}
	start := 0
	if s.index == 0 {
		start = copy(s.buf[:], s.header[:])
	}
	size := min(int64(plainFull-start), s.plain-plainStart(s.index))
	content := s.buf[start : start+int(size)]
	if _, err := io.ReadFull(s.source, content); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	nonce, err := s.next(s.index == s.last)
	if err != nil {
		return err
	}
	sealed := s.aead.Seal(content[:0], nonce, content, nil)
	s.out = s.buf[s.skip : start+len(sealed)]
	s.skip = 0
	return nil
}

// Close ends the reader.
func (s *sealing) Close() error {
	s.left, s.out = 0, nil
	if s.buf != nil {
		smallBuffers.Put(s.buf)
		s.buf = nil
	}
	if s.source == nil {
		return nil
	}
	err := s.source.Close()
	s.source = nil
	return err
}
