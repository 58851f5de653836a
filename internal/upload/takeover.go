package upload

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"sync"
	"time"

	"coffer/internal/kv"
)

// An upload has one request that sends bytes. A new one takes over: a connection that broke
// without a word would otherwise hold the upload until its deadline. The running request is
// asked to end; it stores what arrived and says so. Its row names its process, so other
// processes know where to ask. A process that does not answer is passed over: the fence of
// content.Append keeps its late writes out.

// patience is how long a request waits for the running one to end.
const patience = 3 * time.Second

// running is a request that sends bytes to this process.
type running struct {
	stop func(reason error)
	done chan struct{}
}

func nodeChannel(node string) string { return "upload.node." + node }

// takeOver asks the request that sends bytes to the upload to end, and waits for it. It
// returns after patience in any case. ran says that there was such a request, so what was
// read of the upload may be old.
func (s *Service) takeOver(ctx context.Context, r row) (ran bool, err error) {
	s.mu.Lock()
	here := s.running[r.ID]
	s.mu.Unlock()
	if here != nil {
		here.stop(errTakenOver)
		return true, waitFor(ctx, here.done)
	}
	if r.File != "" || r.Node == "" || r.Node == s.node {
		return false, nil
	}
	queue := "upload.end." + rand.Text()
	err = s.Bus.Publish(ctx, nodeChannel(r.Node), []byte(r.ID+" "+queue))
	if err == nil {
		_, err = s.Bus.Pop(ctx, queue, patience)
	}
	if err != nil {
		if ctx.Err() != nil {
			return true, ctx.Err()
		}
		if !errors.Is(err, kv.ErrMissing) {
			s.Log.WarnContext(ctx, "another process could not be asked for an upload", "error", err)
		}
		return true, forgetNode(ctx, s.DB, r)
	}
	return true, nil
}

func waitFor(ctx context.Context, done <-chan struct{}) error {
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// begin makes this request the one that sends bytes to the upload. end leaves it to others.
func (s *Service) begin(ctx context.Context, st *state, stop func(error)) (end func(), err error) {
	s.listen(ctx)
	me := &running{stop: stop, done: make(chan struct{})}
	s.mu.Lock()
	if s.drained {
		s.mu.Unlock()
		return nil, errDraining
	}
	s.running[st.ID] = me
	s.mu.Unlock()
	leave := func() {
		s.mu.Lock()
		if s.running[st.ID] == me {
			delete(s.running, st.ID)
		}
		s.mu.Unlock()
		close(me.done)
	}
	turn, err := takeTurn(ctx, s.DB, st.row, s.node, s.Now().Add(s.Keep))
	if err != nil {
		leave()
		return nil, err
	}
	st.Turn = turn
	return func() {
		// Before it says that it is done: another process then finds no name to ask.
		if st.File == "" {
			ctx := context.WithoutCancel(ctx)
			if err := endTurn(ctx, s.DB, st.ID, turn, s.Now().Add(s.Keep)); err != nil {
				s.Log.WarnContext(ctx, "an upload keeps the name of this process", "error", err)
			}
		}
		leave()
	}, nil
}

// listen subscribes to what other processes ask of this one. Without a bus this process
// cannot be asked, and others pass it over.
func (s *Service) listen(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.heard != nil {
		select {
		case <-s.heard:
		default:
			return
		}
	}
	_, lost, err := s.Bus.Subscribe(context.WithoutCancel(ctx), nodeChannel(s.node), s.hear)
	if err != nil {
		s.heard = nil
		s.Log.WarnContext(ctx, "other processes cannot ask for uploads of this one", "error", err)
		return
	}
	s.heard = lost
}

// hear ends the request that another process asks for, and tells it.
func (s *Service) hear(m []byte) {
	id, queue, ok := bytes.Cut(m, []byte(" "))
	if !ok {
		return
	}
	s.mu.Lock()
	here := s.running[string(id)]
	s.mu.Unlock()
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
		defer cancel()
		if here != nil {
			here.stop(errTakenOver)
			if waitFor(ctx, here.done) != nil {
				return
			}
		}
		if err := s.Bus.Push(ctx, string(queue), nil, 2*patience); err != nil {
			s.Log.WarnContext(ctx, "another process was not told of an upload's end", "error", err)
		}
	}()
}

// Drain ends the requests that send bytes, so that a stopping server stores what arrived.
func (s *Service) Drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drained = true
	for _, r := range s.running {
		r.stop(errDraining)
	}
}

// source is a request's body that another request can end. Package rest moves the read
// deadline of the connection forward as bytes arrive, so stop sets it back until the reader
// has seen it.
type source struct {
	r       io.ReadCloser
	setBack func() // sets the read deadline into the past

	mu      sync.Mutex
	reason  error // why it was stopped
	failure error // of the sender's side
	read    int64
	over    chan struct{} // closed by the reader's side
	once    sync.Once
}

func newSource(r io.ReadCloser, setBack func()) *source {
	return &source{r: r, setBack: setBack, over: make(chan struct{})}
}

// Read implements io.Reader. A stopped source has no error of its own: what arrived is
// stored, and the request's answer names the reason.
func (b *source) Read(p []byte) (int, error) {
	if b.stopped() != nil {
		return 0, io.EOF
	}
	n, err := b.r.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.read += int64(n)
	if err != nil && err != io.EOF {
		if b.failure = err; b.reason != nil {
			err = io.EOF
		}
	}
	return n, err
}

// Close implements io.Closer.
func (b *source) Close() error { return b.r.Close() }

func (b *source) stopped() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reason
}

// count returns how many bytes have come.
func (b *source) count() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.read
}

// broken returns why the body ended before its end, or nil.
func (b *source) broken() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.reason != nil {
		return b.reason
	}
	return b.failure
}

// stop ends the body. It may be called several times and from any goroutine.
func (b *source) stop(reason error) {
	b.mu.Lock()
	first := b.reason == nil
	if first {
		b.reason = reason
	}
	b.mu.Unlock()
	if !first {
		return
	}
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-b.over:
				return
			default:
			}
			b.setBack()
			select {
			case <-b.over:
				return
			case <-tick.C:
			}
		}
	}()
}

// end says that nothing reads any more.
func (b *source) end() { b.once.Do(func() { close(b.over) }) }
