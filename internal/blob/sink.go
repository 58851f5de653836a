package blob

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
)

// How an object's bytes reach the disk. A Put ends in a sync, so the page cache gives it
// nothing: what is behind the first [cached] bytes goes past it where the system can
// (O_DIRECT). That halves the work a byte costs, keeps long uploads from pushing out what
// others read, and from standing in the way of the database's own syncs. One buffer is
// written while the next is filled.
const (
	sinkBuffer = 1 << 20 // long enough for one write to keep a disk busy; a multiple of every block size
	cached     = 8 << 20
)

var sinkBuffers = sync.Pool{New: func() any { b := make([]byte, sinkBuffer); return &b }}

// fill copies r into f and tells whose an error is.
func fill(ctx context.Context, f *os.File, r io.Reader) (int64, error) {
	s := &sink{ctx: ctx, f: f, buf: sinkBuffers.Get().(*[]byte)}
	err := s.take(r)
	if waitErr := s.wait(); err == nil && waitErr == nil {
		err = s.finish()
	}
	sinkBuffers.Put(s.buf)
	if s.next != nil {
		sinkBuffers.Put(s.next)
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
	ctx  context.Context
	f    *os.File
	size int64 // bytes taken

	buf  *[]byte // being filled
	have int
	next *[]byte // being written, or free; nil until the first is full

	writing chan error // the write under way; nil when there is none
	err     error      // the file's own error

	// What follows belongs to the write under way.
	written int64
	hinted  int64
	direct  bool
}

// take reads r to its end. Readers that write themselves do.
func (s *sink) take(r io.Reader) error {
	if w, ok := r.(io.WriterTo); ok {
		_, err := w.WriteTo(s)
		return err
	}
	for {
		n, err := r.Read((*s.buf)[s.have:])
		s.have += n
		s.size += int64(n)
		if s.have == sinkBuffer {
			if err := s.flush(); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := s.ctx.Err(); err != nil {
			return err
		}
	}
}

// Write implements io.Writer.
func (s *sink) Write(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	taken := 0
	for taken < len(p) {
		n := copy((*s.buf)[s.have:], p[taken:])
		s.have += n
		s.size += int64(n)
		taken += n
		if s.have == sinkBuffer {
			if err := s.flush(); err != nil {
				return taken, err
			}
		}
	}
	return taken, nil
}

// flush begins to write the full buffer once the one before is written.
func (s *sink) flush() error {
	if err := s.wait(); err != nil {
		return err
	}
	if s.next == nil {
		s.next = sinkBuffers.Get().(*[]byte)
	}
	s.buf, s.next, s.have = s.next, s.buf, 0
	full, done := *s.next, make(chan error, 1)
	s.writing = done
	go func() { done <- s.write(full) }()
	return nil
}

// wait waits for the write under way and returns the first error there was.
func (s *sink) wait() error {
	if s.writing != nil {
		if err := <-s.writing; s.err == nil {
			s.err = err
		}
		s.writing = nil
	}
	return s.err
}

// finish writes the last, shorter buffer, which no block size divides.
func (s *sink) finish() error {
	if s.direct {
		s.direct = false
		s.err = setDirect(s.f, false)
	}
	if s.err == nil {
		s.err = s.write((*s.buf)[:s.have])
	}
	return s.err
}

func (s *sink) write(p []byte) error {
	if s.written == cached {
		s.direct = setDirect(s.f, true) == nil
	}
	n, err := s.f.Write(p)
	if s.direct && errors.Is(err, syscall.EINVAL) {
		// A file system that knows the flag and refuses the write: the rest goes the usual way.
		s.direct = false
		if err = setDirect(s.f, false); err == nil {
			_, err = s.f.Write(p[n:])
		}
	}
	s.written += int64(len(p))
	if !s.direct && s.written-s.hinted >= cached {
		startWriting(s.f, s.hinted, s.written-s.hinted) // the sync has less left to wait for
		s.hinted = s.written
	}
	return err
}
