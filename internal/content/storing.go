package content

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"coffer/internal/seal"
)

// How content gets from a request into an object. Reading, hashing, and encrypting with
// writing run beside each other, a few chunks apart. What an upload holds follows its
// speed: one that stands still gives back all but a chunk and an open segment.

// chunk is what the stages of an upload hand on. Two stages read each chunk.
type chunk struct {
	buf  [64 << 10]byte
	n    int
	left atomic.Int32 // stages that have not read it yet
}

func (c *chunk) bytes() []byte { return c.buf[:c.n] }

// fill reads until the chunk is full or r ends, and then returns io.EOF.
func (c *chunk) fill(r io.Reader) (err error) {
	for c.n = 0; c.n < len(c.buf) && err == nil; {
		var n int
		n, err = r.Read(c.buf[c.n:])
		c.n += n
	}
	return err
}

// inFlight bounds the chunks of one upload: 2 MiB, whatever its length. When all uploads
// together have more than plenty, each makes do with two: many that send at once do not
// hold what they sent while the store falls behind.
const (
	inFlight = 32
	plenty   = 512
)

var lent atomic.Int32 // chunks that are not in the pool

func takeChunk() *chunk {
	lent.Add(1)
	return chunks.Get().(*chunk)
}

func giveChunk(c *chunk) {
	lent.Add(-1)
	chunks.Put(c)
}

// idle is how long the source may be silent before buffers go back. When all uploads together have
// more chunks than plenty it is idleAmongMany: until then a stalled one holds half a megabyte.
const (
	idle          = 300 * time.Millisecond
	idleAmongMany = 5 * time.Millisecond
)

var chunks = sync.Pool{New: func() any { return new(chunk) }}

func giveBack(all []*chunk) {
	for _, c := range all {
		giveChunk(c)
	}
}

// readHead reads the beginning of r: one chunk when that is the whole of it, else more.
func readHead(r io.Reader) (head []*chunk, whole bool, err error) {
	for range 2 {
		c := takeChunk()
		head = append(head, c)
		switch err := c.fill(r); {
		case err == io.EOF && (len(head) == 1 || c.n == 0):
			giveBack(head[1:])
			return head[:1], true, nil
		case err == io.EOF:
			return head, false, nil // the end is told again
		case err != nil:
			giveBack(head)
			return nil, false, err
		}
	}
	return head, false, nil
}

// place is where content is stored, and how it is sealed there.
type place struct {
	id       string
	key, aad []byte
}

// storeContent encrypts head and what follows it in r into the store, writes it to digest too,
// and returns its length. It takes the chunks. alive is called now and then.
func (s *Service) storeContent(ctx context.Context, to place, digest io.Writer, head []*chunk, r io.Reader, alive func()) (size int64, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	toHash, toSeal := make(chan *chunk, inFlight), make(chan *chunk, inFlight)
	p := &pipe{ctx: ctx, alive: alive, free: make(chan *chunk, inFlight), outs: []chan<- *chunk{toHash, toSeal}}
	var wg sync.WaitGroup
	wg.Go(func() {
		for c := range toHash {
			digest.Write(c.bytes())
			p.done(c)
		}
	})
	var putErr error
	wg.Go(func() {
		src := &sealing{pipe: p, from: toSeal, key: to.key, aad: to.aad}
		_, putErr = s.Blobs.Put(ctx, to.id, src)
		if putErr != nil {
			cancel(putErr) // chunks have no taker any more: the reading stage ends
		}
		src.end()
	})
	if err = p.read(head, r); err != nil {
		cancel(err) // before the channel closes: the object must not look complete
	}
	close(toHash)
	close(toSeal)
	wg.Wait()
	p.rest()
	if err == nil { // else the store failed because the reading did
		err = putErr
	}
	return p.size, err
}

// pipe is the way of chunks from the reading stage to the others and back.
type pipe struct {
	ctx   context.Context
	alive func()
	free  chan *chunk
	outs  []chan<- *chunk
	size  int64
	live  atomic.Int32 // chunks that are not in the pool
}

// done gives a chunk back when the last stage is through with it.
func (p *pipe) done(c *chunk) {
	if c.left.Add(-1) == 0 {
		p.free <- c // never blocks: there are no more chunks than room
	}
}

// rest gives the free chunks back to everybody.
func (p *pipe) rest() {
	for {
		select {
		case c := <-p.free:
			p.live.Add(-1)
			giveChunk(c)
		default:
			return
		}
	}
}

// take returns a chunk to fill, nil when the upload has been given up.
func (p *pipe) take() *chunk {
	select {
	case c := <-p.free:
		return c
	default:
	}
	if n := p.live.Load(); n < 2 || n < inFlight && lent.Load() < plenty {
		p.live.Add(1)
		return takeChunk()
	}
	select {
	case c := <-p.free:
		return c
	case <-p.ctx.Done():
		return nil
	}
}

// hand passes a chunk to the other stages.
func (p *pipe) hand(c *chunk) {
	p.size += int64(c.n)
	c.left.Store(int32(len(p.outs)))
	for _, out := range p.outs {
		out <- c // never blocks: there are no more chunks than room
	}
}

// read hands on head and fills chunks from r until it ends.
func (p *pipe) read(head []*chunk, r io.Reader) error {
	p.live.Add(int32(len(head)))
	for _, c := range head {
		p.hand(c)
	}
	for {
		c := p.take()
		if c == nil || p.ctx.Err() != nil { // the store has given up: what comes is for nothing
			if c != nil {
				p.free <- c
			}
			return context.Cause(p.ctx)
		}
		err := c.fill(r)
		if err != nil && err != io.EOF {
			p.free <- c
			return err
		}
		p.hand(c)
		if err == io.EOF {
			return nil
		}
		p.alive()
	}
}

// sealing is an object's ciphertext, made in the goroutine that stores it.
type sealing struct {
	*pipe
	from     chan *chunk
	key, aad []byte
	reader   *io.PipeReader // for a store that reads
}

var _ io.WriterTo = (*sealing)(nil)

// WriteTo seals every chunk into w.
func (s *sealing) WriteTo(w io.Writer) (int64, error) {
	count := &countingWriter{w: w}
	sw, err := seal.NewWriter(count, s.key, s.aad)
	if err != nil {
		return 0, err
	}
	for {
		c, ok, err := s.next(sw)
		if err != nil {
			return count.n, err
		}
		if !ok {
			break
		}
		_, err = sw.Write(c.bytes())
		s.done(c)
		if err != nil {
			return count.n, err
		}
	}
	if s.ctx.Err() != nil { // the source broke: this is not its end
		return count.n, context.Cause(s.ctx)
	}
	err = sw.Close()
	return count.n, err
}

// next returns the next chunk, false at the end. While none comes the buffers go back.
func (s *sealing) next(sw *seal.Writer) (c *chunk, ok bool, err error) {
	select {
	case c, ok = <-s.from:
		return c, ok, nil
	default:
	}
	patience := idle
	if lent.Load() >= plenty {
		patience = idleAmongMany
	}
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case c, ok = <-s.from:
		return c, ok, nil
	case <-t.C:
	}
	s.rest()
	if s.live.Load() == 0 { // the reading stage may have begun to wait for one that rest took
		s.live.Add(1)
		s.free <- takeChunk()
	}
	if err := sw.Rest(); err != nil {
		return nil, false, err
	}
	c, ok = <-s.from
	return c, ok, nil
}

// Read is WriteTo for a store that reads.
func (s *sealing) Read(p []byte) (int, error) {
	if s.reader == nil {
		r, w := io.Pipe()
		s.reader = r
		go func() {
			_, err := s.WriteTo(w)
			w.CloseWithError(err)
		}()
	}
	return s.reader.Read(p)
}

// end takes what is left, so that no stage waits for this one.
func (s *sealing) end() {
	if s.reader != nil {
		s.reader.CloseWithError(context.Canceled)
	}
	for c := range s.from {
		s.done(c)
	}
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
