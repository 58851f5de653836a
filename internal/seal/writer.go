package seal

import (
	"crypto/rand"
	"errors"
	"io"
)

var errClosed = errors.New("seal: write to a closed stream")

// Writer encrypts a stream and writes segments in batches to the writer below. The stream
// is whole only after Close has returned nil. To abandon a stream, the caller never calls
// Close. Without Close there is no last segment, so the part already written never opens as
// a stream. Not safe for concurrent use.
type Writer struct {
	stream
	w    io.Writer
	buf  *buffer // nil while the Writer rests
	kept []byte  // the beginning of buf, while the Writer rests
	at   int     // where in buf the open segment begins; the bytes before are sealed
	have int     // plaintext bytes of the open segment
	err  error   // sticky
}

var _ io.ReaderFrom = (*Writer)(nil)

// NewWriter returns a Writer for one stream under key, bound to aad. Every stream gets its
// own salt, so one key may seal any number of streams. The Writer writes to w only when the
// first batch is full or on Close.
func NewWriter(w io.Writer, key, aad []byte) (*Writer, error) {
	sw := &Writer{w: w, buf: buffers.Get().(*buffer), at: headerSize}
	header := sw.buf[:headerSize]
	header[0] = headerSize
	rand.Read(header[1:])
	if err := sw.init(key, aad, header); err != nil {
		return nil, err
	}
	return sw, nil
}

// end returns where in buf the open segment's plaintext must end. Segments stand on
// multiples of SegmentSize; the header counts towards the first.
func (w *Writer) end() int { return w.at/SegmentSize*SegmentSize + plainFull }

// Write seals each segment as soon as p shows that another one follows.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	w.wake()
	written := 0
	for len(p) > 0 {
		room := w.end() - w.at - w.have
		var n int
		switch {
		case room == 0: // full, and p shows that it is not the last
			w.seal(w.buf[w.at:w.at+w.have], false)
		case w.have == 0 && len(p) > room: // seals directly from p, without a copy
			n = room
			w.seal(p[:n], false)
		default:
			n = copy(w.buf[w.at+w.have:w.end()], p)
			w.have += n
		}
		if w.err == nil && w.at == batch*SegmentSize {
			w.flush()
		}
		if w.err != nil {
			return written, w.err
		}
		p = p[n:]
		written += n
	}
	return written, nil
}

// ReadFrom reads r to its end directly into the segments. It does not close w.
func (w *Writer) ReadFrom(r io.Reader) (int64, error) {
	var total int64
	w.wake()
	for w.err == nil {
		start, end := w.at+w.have, w.end()
		full := start == end
		if full { // only a further byte shows that the full segment is not the last
			start, end = end+tagSize, end+tagSize+plainFull
		}
		n, err := r.Read(w.buf[start:end])
		total += int64(n)
		if n > 0 {
			if full {
				w.seal(w.buf[w.at:w.at+w.have], false)
				w.have = n
			} else {
				w.have += n
			}
			if w.err == nil && w.at == batch*SegmentSize {
				w.flush()
			}
		}
		if err == io.EOF {
			return total, w.err
		}
		if err != nil {
			return total, err
		}
	}
	return total, w.err
}

// Close seals and writes the last segment. It does not close the writer below.
func (w *Writer) Close() error {
	if w.err == errClosed {
		return nil
	}
	if w.err != nil {
		return w.err
	}
	w.wake()
	w.seal(w.buf[w.at:w.at+w.have], true)
	if w.err == nil {
		w.flush()
	}
	if w.err != nil {
		return w.err
	}
	w.err = errClosed
	buffers.Put(w.buf)
	w.buf = nil
	return nil
}

// Rest writes the sealed segments and keeps only the open one in memory until the next
// Write. It is for a source that stalls.
func (w *Writer) Rest() error {
	if w.err != nil || w.buf == nil {
		return w.err
	}
	if w.at >= SegmentSize {
		if w.flush(); w.err != nil {
			return w.err
		}
	}
	w.kept = append([]byte{}, w.buf[:w.at+w.have]...)
	buffers.Put(w.buf)
	w.buf = nil
	return nil
}

// wake ends a rest.
func (w *Writer) wake() {
	if w.buf == nil && w.err == nil {
		w.buf = buffers.Get().(*buffer)
		copy(w.buf[:], w.kept)
		w.kept = nil
	}
}

// seal closes the open segment. Its plaintext is in the segment itself or outside the
// buffer.
func (w *Writer) seal(plaintext []byte, last bool) {
	nonce, err := w.next(last)
	if err != nil {
		w.err = err
		return
	}
	w.at += len(w.aead.Seal(w.buf[w.at:w.at], nonce, plaintext, nil))
	w.have = 0
}

// flush writes the sealed segments and moves the open one to the front of the buffer.
func (w *Writer) flush() {
	if _, err := w.w.Write(w.buf[:w.at]); err != nil {
		w.err = err
		return
	}
	copy(w.buf[:], w.buf[w.at:w.at+w.have])
	w.at = 0
}
