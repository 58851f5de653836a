package blob

import (
	"context"
	"io"
	"os"
	"sync"
)

// How an object's bytes reach the disk, and what stays of them in the page cache. What was
// just stored is often read next, so its beginning stays there, as much as a share of the
// machine's memory; what is behind that goes once it is on disk, so that no upload pushes
// out what others read. Writing begins at once and runs at most a few steps behind: the
// sync at the end has little left to wait for, and the database's own syncs are not behind
// a long queue.
const (
	sinkBuffer = 256 << 10
	step       = 8 << 20
	behind     = 4 * step // written to the cache, perhaps not yet to the disk
)

var sinkBuffers = sync.Pool{New: func() any { b := make([]byte, sinkBuffer); return &b }}

// fill copies r into f and tells whose an error is. keep is how much may stay in the cache.
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

// sink is the file that a Put fills. It ends with the context.
type sink struct {
	ctx   context.Context
	f     *os.File
	keep  int64
	size  int64
	begun int64 // up to here the system was asked to write
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
