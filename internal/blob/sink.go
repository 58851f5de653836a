package blob

import (
	"context"
	"io"
	"os"
	"sync"
)

// This file writes an object's bytes to disk and decides what stays in the page cache. A
// new object is often read next, so its beginning stays, up to a share of the machine's
// memory. The rest leaves the cache once it is on disk, so an upload does not evict other
// readers' data. Writing starts at once and lags a few steps at most. So the final sync is
// short, and the database's syncs meet no long queue.
const (
	sinkBuffer = 256 << 10
	step       = 8 << 20
	behind     = 4 * step // in the cache, perhaps not yet on disk
)

var sinkBuffers = sync.Pool{New: func() any { b := make([]byte, sinkBuffer); return &b }}

// fill copies r into f and tells errors of r from those of f. keep is how much may stay in
// the cache.
func fill(ctx context.Context, f *os.File, r io.Reader, keep int64) (int64, error) {
	s := &sink{ctx: ctx, f: f, keep: keep}
	var err error
	if w, ok := r.(io.WriterTo); ok {
		_, err = w.WriteTo(s)
	} else {
		buf := sinkBuffers.Get().(*[]byte)
		_, err = io.CopyBuffer(s, struct{ io.Reader }{r}, *buf)
		sinkBuffers.Put(buf)
	}
	switch {
	case s.err != nil:
		return 0, down(ctx, "put", s.err)
	case ctx.Err() != nil:
		return 0, context.Cause(ctx)
	}
	return s.size, err
}

// sink is the file that a Put fills. Its writes fail when the context ends.
type sink struct {
	ctx   context.Context
	f     *os.File
	keep  int64
	size  int64
	begun int64 // the system was asked to write up to here
	err   error // the file's own
}

// Write implements io.Writer.
func (s *sink) Write(p []byte) (int, error) {
	if s.err == nil && s.ctx.Err() != nil {
		return 0, s.ctx.Err()
	}
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.f.Write(p)
	s.size, s.err = s.size+int64(n), err
	for s.err == nil && s.size-s.begun >= step {
		startWriting(s.f, s.begun, step)
		if s.begun += step; s.begun > behind {
			from := s.begun - behind - step
			finishWriting(s.f, from, step, from >= s.keep)
		}
	}
	return n, s.err
}
