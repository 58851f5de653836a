package seal

import (
	"crypto/rand"
	"errors"
	"io"
)

var errClosed = errors.New("seal: write to a closed stream")

// Writer encrypts what is written to it and writes segments to the writer below, a
// batch at a time. Nothing is whole before Close has returned nil. A Writer that is
// given up is left alone: without Close there is no last segment, so what was written
// so far never opens as a stream. Not safe for concurrent use.
type Writer struct {
	stream
	w    io.Writer
	buf  *buffer // nil while the Writer rests
	kept []byte  // what buf begins with, while it rests
	at   int     // where in buf the open segment begins; what is before it is sealed
	have int     // plaintext bytes of the open segment
	err  error   // sticky
}

var _ io.ReaderFrom = (*Writer)(nil)

// NewWriter returns a Writer for one stream under key, bound to aad. Every stream gets
// a salt of its own, so one key may seal any number of streams. Nothing is written
// to w before the first batch is full or Close is called.
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

// end returns where in buf the open segment's plaintext must end: segments, the first
// one with its header, stand on multiples of SegmentSize.
func (w *Writer) end() int { return w.at/SegmentSize*SegmentSize + plainFull }

// Write seals every segment that p shows not to be the last.
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
		case room == 0: // full, and p says that it is not the last
			w.seal(w.buf[w.at:w.at+w.have], false)
		case w.have == 0 && len(p) > room: // straight from p, without a copy
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

// ReadFrom reads r to its end straight into the segments. It does not close w.
func (w *Writer) ReadFrom(r io.Reader) (int64, error) {
	var total int64
	w.wake()
	for w.err == nil {
		start, end := w.at+w.have, w.end()
		full := start == end
		if full { // read on behind it: only then is it known whether it is the last
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

// Close seals the last segment and writes what is left. It does not close the writer below.
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

// Rest writes what is sealed and holds the open segment only, until there is more to write.
// It is for a source that stands still.
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

// seal closes the open segment with plaintext, which is the segment itself or lies
// outside the buffer.
func (w *Writer) seal(plaintext []byte, last bool) {
	nonce, err := w.next(last)
	if err != nil {
		w.err = err
		return
	}
	w.at += len(w.aead.Seal(w.buf[w.at:w.at], nonce, plaintext, nil))
	w.have = 0
}

// flush writes the sealed segments and moves the open one, if it has begun, to the front.
func (w *Writer) flush() {
	if _, err := w.w.Write(w.buf[:w.at]); err != nil {
		w.err = err
		return
	}
	copy(w.buf[:], w.buf[w.at:w.at+w.have])
	w.at = 0
}
