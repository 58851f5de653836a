package seal

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

var errGivenUp = errors.New("seal: read from a closed range")

// Reader decrypts a stream in order. It returns a byte only after the byte's segment has
// authenticated, and io.EOF only after the last segment. Any other end is [ErrOpen] or the
// source's error. A source that ends inside the header or a tag is io.ErrUnexpectedEOF as
// well. Not safe for concurrent use.
type Reader struct {
	stream
	r       io.Reader
	key     []byte // nil once the header has been read
	aad     []byte
	last    int64  // index of the last segment; -1: known when the source ends
	skip    int    // plaintext bytes of the first segment before the range
	left    int64  // plaintext bytes still to return; -1: to the end
	buf     []byte // small unless the reader is or was fast
	from    int    // buf[from:to] is ciphertext not yet opened
	to      int
	out     []byte // where a fast reader decrypts a batch; nil: in place
	plain   []byte // decrypted and not yet returned
	drained bool   // the source has ended
	place   place  // the count that includes buf
	err     error  // sticky
}

var _ io.WriterTo = (*Reader)(nil)

// NewReader returns a Reader for one stream. It does not read from r yet.
func NewReader(r io.Reader, key, aad []byte) (*Reader, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("seal: key of %d bytes, want %d", len(key), KeySize)
	}
	return &Reader{r: r, key: key, aad: aad, last: -1, left: -1}, nil
}

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(r.plain) == 0 {
		if r.err != nil {
			r.giveBuf()
			return 0, r.err
		}
		r.plain = r.open()
	}
	n := copy(p, r.plain)
	r.plain = r.plain[n:]
	return n, nil
}

// WriteTo writes the rest of the stream to w. It returns nil only when the stream was
// whole. It begins with one segment at a time, so a stalled w holds little memory. A fast w
// gets batches, and each batch is decrypted while w takes the one before.
func (r *Reader) WriteTo(w io.Writer) (total int64, err error) {
	for quick := 0; ; {
		if len(r.plain) == 0 && r.err == nil {
			r.plain = r.open()
		}
		if len(r.plain) == 0 {
			break
		}
		start := time.Now()
		n, err := w.Write(r.plain)
		total, r.plain = total+int64(n), nil
		if err != nil {
			r.giveUp()
			return total, err
		}
		if quick++; time.Since(start) > slow {
			quick = 0
		}
		if quick >= batch && r.err == nil && r.speedUp() {
			n, err := r.ahead(w)
			if total, quick = total+n, 0; err != nil {
				r.giveUp()
				return total, err
			}
		}
	}
	r.giveBuf()
	if r.err == io.EOF {
		return total, nil
	}
	return total, r.err
}

// slow is the duration of a write that shows a slow client.
const slow = time.Second / 2

// maxFast bounds the fast readers, each of which holds three buffers of over half a
// megabyte. A stalled write keeps its buffers. So a fast reader that stalls frees its place
// and counts among the stalled, while there are fewer than maxStalled. Both together hold
// 170 MB at most.
const (
	maxFast    = 32
	maxStalled = 64
)

var fast, stalled atomic.Int32

// place records which count includes a reader's large buffers.
type place struct{ of atomic.Pointer[atomic.Int32] }

// take adds the reader to kind unless kind has reached limit.
func (p *place) take(kind *atomic.Int32, limit int32) bool {
	if kind.Add(1) > limit {
		kind.Add(-1)
		return false
	}
	if before := p.of.Swap(kind); before != nil {
		before.Add(-1)
	}
	return true
}

// stall moves a fast reader to the stalled. It may run while the reader is being closed.
func (p *place) stall() {
	if stalled.Add(1) > maxStalled || !p.of.CompareAndSwap(&fast, &stalled) {
		stalled.Add(-1)
		return
	}
	fast.Add(-1)
}

func (p *place) leave() {
	if kind := p.of.Swap(nil); kind != nil {
		kind.Add(-1)
	}
}

// smallBuffer is the buffer of every other reader: one segment and the beginning of the
// next.
type smallBuffer [SegmentSize + 4<<10]byte

var smallBuffers = sync.Pool{New: func() any { return new(smallBuffer) }}

// speedUp gives r the buffers of a fast reader, if any are left.
func (r *Reader) speedUp() bool {
	if r.place.of.Load() != &fast && !r.place.take(&fast, maxFast) {
		return false
	}
	if !r.large() {
		large := buffers.Get().(*buffer)[:]
		r.to = copy(large, r.buf[r.from:r.to])
		r.from = 0
		smallBuffers.Put((*smallBuffer)(r.buf))
		r.buf = large
	}
	r.out = buffers.Get().(*buffer)[:]
	return true
}

func (r *Reader) large() bool { return len(r.buf) == len(buffer{}) }

// giveBuf returns buf to its pool. No slice may point into it.
func (r *Reader) giveBuf() {
	if r.large() {
		buffers.Put((*buffer)(r.buf))
		r.place.leave()
	} else if r.buf != nil {
		smallBuffers.Put((*smallBuffer)(r.buf))
	}
	r.buf = nil
}

// ahead decrypts batches in its own goroutine until the stream ends, or w fails or is slow.
func (r *Reader) ahead(w io.Writer) (total int64, err error) {
	type opened struct {
		plain []byte
		in    []byte
	}
	var stop atomic.Bool
	ready, free := make(chan opened), make(chan []byte, 2)
	free <- r.out
	free <- buffers.Get().(*buffer)[:]
	go func() {
		defer close(ready)
		for r.err == nil && !stop.Load() {
			r.out = <-free
			if p := r.open(); len(p) > 0 {
				ready <- opened{p, r.out}
			} else {
				free <- r.out
			}
		}
	}()
	watch := time.AfterFunc(slow, r.place.stall)
	watch.Stop()
	for b := range ready {
		if err == nil {
			var n int
			start := time.Now()
			watch.Reset(slow)
			n, err = w.Write(b.plain)
			watch.Stop()
			total += int64(n)
			if err != nil || time.Since(start) > slow {
				stop.Store(true)
			}
		}
		free <- b.in
	}
	r.out = nil
	for range 2 {
		buffers.Put((*buffer)(<-free))
	}
	return total, err
}

// open returns the plaintext of at least one segment. It sets r.err when the stream ends or
// breaks. One call can do both.
func (r *Reader) open() []byte {
	if r.large() && r.out == nil && r.from == r.to {
		r.giveBuf() // no longer a fast reader
	}
	if r.buf == nil {
		r.buf, r.from, r.to = smallBuffers.Get().(*smallBuffer)[:], 0, 0
	}
	if r.key != nil {
		if r.err = r.readHeader(); r.err != nil {
			return nil
		}
	}
	out := r.out[:0]
	for r.err == nil {
		size := SegmentSize
		if r.index == 0 {
			size -= headerSize
		}
		need := size
		if r.last < 0 {
			need++ // one byte more shows that this is not the last segment
		}
		if r.to-r.from < need && !r.drained {
			if len(out) > 0 {
				break
			}
			r.err = r.fill()
			continue
		}
		have := min(size, r.to-r.from)
		last := r.index == r.last || r.last < 0 && r.to-r.from <= size
		dst := out[len(out):]
		if r.out == nil {
			dst = r.buf[r.from:r.from]
		}
		var p []byte
		if p, r.err = r.segment(dst, r.buf[r.from:r.from+have], last); r.err != nil {
			break
		}
		r.from += have
		p = r.cut(p)
		if r.left == 0 || r.left < 0 && last {
			r.err = io.EOF
		} else if last {
			r.err = errTruncated
		}
		if r.out == nil && len(p) > 0 {
			return p
		}
		out = out[:len(out)+copy(out[len(out):cap(out)], p)]
	}
	return out
}

// cut returns the requested part of the segment p.
func (r *Reader) cut(p []byte) []byte {
	p = p[min(r.skip, len(p)):]
	r.skip = 0
	if r.left >= 0 {
		p = p[:min(int64(len(p)), r.left)]
		r.left -= int64(len(p))
	}
	return p
}

// segment decrypts one segment and appends it to dst.
func (r *Reader) segment(dst, sealed []byte, last bool) ([]byte, error) {
	if len(sealed) < tagSize {
		return nil, errTruncated
	}
	// Only an empty stream ends with an empty segment, so a plaintext has one form.
	if len(sealed) == tagSize && r.index > 0 {
		return nil, ErrOpen
	}
	nonce, err := r.next(last)
	if err != nil {
		return nil, err
	}
	p, err := r.aead.Open(dst, nonce, sealed, nil)
	if err != nil {
		return nil, ErrOpen
	}
	return p, nil
}

func (r *Reader) readHeader() error {
	for r.to < headerSize && !r.drained {
		if err := r.fill(); err != nil {
			return err
		}
	}
	if r.to < headerSize {
		return errTruncated
	}
	err := r.init(r.key, r.aad, r.buf[:headerSize])
	r.from, r.key, r.aad = headerSize, nil, nil
	return err
}

// fill reads once, after making room for more than a segment.
func (r *Reader) fill() error {
	if r.from == r.to {
		r.from, r.to = 0, 0
	} else if len(r.buf)-r.from <= SegmentSize {
		r.to = copy(r.buf[:], r.buf[r.from:r.to])
		r.from = 0
	}
	n, err := r.r.Read(r.buf[r.to:])
	r.to += n
	if err == io.EOF {
		r.drained = true
		return nil
	}
	return err
}

// giveUp closes a reader before its stream has ended.
func (r *Reader) giveUp() {
	if r.err == nil {
		r.err = errGivenUp
	}
	r.plain = nil
	r.giveBuf()
}

// OpenRange returns the plaintext bytes [off, off+n) of a stream of cipherSize bytes. fetch
// returns the stream's bytes [off, off+n). OpenRange calls it at most twice, for the header
// and for the segments of the range, and closes its readers. The result implements
// io.WriterTo and authenticates as [Reader] does. A store that reports a wrong size, or
// returns too few bytes, causes [ErrOpen], never a short success.
func OpenRange(fetch func(off, n int64) (io.ReadCloser, error), cipherSize int64, key, aad []byte, off, n int64) (io.ReadCloser, error) {
	plain, err := PlainSize(cipherSize)
	if err != nil {
		return nil, err
	}
	if off < 0 || n < 0 || off > plain || n > plain-off {
		return nil, fmt.Errorf("seal: range %d+%d outside of %d bytes", off, n, plain)
	}
	r, err := NewReader(nil, key, aad)
	if err != nil {
		return nil, err
	}
	r.last, r.left = lastSegment(plain), n
	first := segmentAt(off)
	if first > 0 {
		if err := r.fetchHeader(fetch); err != nil {
			return nil, err
		}
		r.index = first
	}
	r.skip = int(off - plainStart(first))
	start := first * SegmentSize
	end := min(cipherSize, (segmentAt(max(off, off+n-1))+1)*SegmentSize)
	if first > r.last { // the range begins behind the end
		r.err = io.EOF
		return &ranged{Reader: r, body: io.NopCloser(nil)}, nil
	}
	body, err := fetch(start, end-start)
	if err != nil {
		return nil, err
	}
	r.r = io.LimitReader(body, end-start)
	return &ranged{Reader: r, body: body}, nil
}

func (r *Reader) fetchHeader(fetch func(off, n int64) (io.ReadCloser, error)) error {
	body, err := fetch(0, headerSize)
	if err != nil {
		return err
	}
	defer body.Close()
	var header [headerSize]byte
	if _, err := io.ReadFull(body, header[:]); err == io.EOF || err == io.ErrUnexpectedEOF {
		return errTruncated
	} else if err != nil {
		return err
	}
	err = r.init(r.key, r.aad, header[:])
	r.key, r.aad = nil, nil
	return err
}

// segmentAt returns the index of the segment that holds the plaintext byte at off.
func segmentAt(off int64) int64 {
	if off < plainFirst {
		return 0
	}
	return 1 + (off-plainFirst)/plainFull
}

// plainStart returns the offset of a segment's first plaintext byte.
func plainStart(segment int64) int64 {
	if segment == 0 {
		return 0
	}
	return plainFirst + (segment-1)*plainFull
}

// ranged is a Reader that closes its source.
type ranged struct {
	*Reader
	body io.Closer
}

// Close ends the reader early.
func (r *ranged) Close() error {
	r.giveUp()
	return r.body.Close()
}
