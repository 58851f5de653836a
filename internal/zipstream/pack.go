package zipstream

import (
	"bytes"
	"compress/flate"
	"io"
	"sync"
)

// pieceSize is how many bytes of a content are packed at a time. A compressor has 0.8 MB, and
// a stalled stream must not hold one: it takes one for a piece, and gives it back before it
// writes. So matches end at the ends of pieces.
const pieceSize = 32 << 10

var packers = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(nil, flate.DefaultCompression) // fails for unknown levels only
	return w
}}

// pack returns a piece as DEFLATE has it: whole bytes, which more pieces follow until the end.
func pack(plain []byte, end bool) ([]byte, error) {
	var b bytes.Buffer
	w := packers.Get().(*flate.Writer)
	defer packers.Put(w)
	w.Reset(&b)
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	finish := w.Flush
	if end {
		finish = w.Close
	}
	if err := finish(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

var unpackers = sync.Pool{New: func() any { return flate.NewReader(nil) }}

// unpack is the inverse of pack with an end.
func unpack(packed []byte) ([]byte, error) {
	r := unpackers.Get().(io.ReadCloser)
	defer unpackers.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(packed), nil); err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
