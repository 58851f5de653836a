package avatar

import (
	"bytes"
	"context"
	"io"
	"time"

	"coffer/internal/account"
)

// Bounds of the pictures that are received and decoded at once on one node. Each may have
// [Settings.Max] bytes in memory.
const (
	maxAtOnce    = 16
	maxOfAccount = 2
	// enoughTime is how long a picture may come while another one waits for its place. Otherwise
	// a few accounts that send slowly would keep all others from changing a picture.
	enoughTime = 20 * time.Second
)

// cutEvery is how often a Read is cut until it has ended: package rest moves the deadline of the
// connection forward as bytes arrive.
const cutEvery = 20 * time.Millisecond

// arrival is a picture on its way in. Its fields but from and left are for the holder of the
// service's lock.
type arrival struct {
	owner  account.ID
	since  time.Time
	whole  bool // all bytes are in, so it keeps its place
	passed bool // another one has its place
	from   io.Reader
	left   chan struct{} // closed when it holds no memory any more
}

// begin counts a picture on its way in, until end is called with it. Where all places are taken,
// the one that has been coming for the longest time, and for long enough, loses its place.
func (s *Service) begin(ctx context.Context, owner account.ID, r io.Reader) (*arrival, error) {
	a := &arrival{owner: owner, since: s.Now(), from: r, left: make(chan struct{})}
	s.mu.Lock()
	slow, room := s.slowest(a)
	if slow != nil {
		slow.passed = true
		delete(s.running, slow)
	}
	if room {
		s.running[a] = true
	}
	s.mu.Unlock()
	if !room {
		return nil, errBusy
	}
	if slow != nil {
		if err := slow.cut(ctx); err != nil {
			s.end(a)
			return nil, err
		}
	}
	return a, nil
}

// slowest returns the arrival that gives its place to a; nil while there is a free one. room says
// that a may come.
func (s *Service) slowest(a *arrival) (slow *arrival, room bool) {
	mine := 0
	for other := range s.running {
		if other.owner == a.owner {
			mine++
		}
	}
	if len(s.running) < maxAtOnce && mine < maxOfAccount {
		return nil, true
	}
	for other := range s.running {
		switch {
		case other.whole || a.since.Sub(other.since) < enoughTime:
		case mine >= maxOfAccount && other.owner != a.owner:
		case slow == nil || other.since.Before(slow.since):
			slow = other
		}
	}
	return slow, slow != nil
}

// cut ends the reading of a picture that has lost its place, and waits until its memory is free.
func (a *arrival) cut(ctx context.Context) error {
	tick := time.NewTicker(cutEvery)
	defer tick.Stop()
	for {
		select {
		case <-a.left: // another cut would hit the answer
			return nil
		default:
		}
		if r, ok := a.from.(interface{ Cut() }); ok {
			r.Cut()
		}
		select {
		case <-a.left:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (s *Service) end(a *arrival) {
	s.mu.Lock()
	delete(s.running, a)
	s.mu.Unlock()
	close(a.left)
}

// pieceSize is how many bytes of a picture lie together while it comes in. One buffer that
// grows leaves several times the picture to the collector.
const pieceSize = 128 << 10

// gather reads r to its end.
func gather(r io.Reader) ([]byte, error) {
	var pieces [][]byte
	for {
		piece := bytes.NewBuffer(make([]byte, 0, pieceSize+bytes.MinRead))
		if _, err := piece.ReadFrom(io.LimitReader(r, pieceSize)); err != nil {
			return nil, err
		}
		pieces = append(pieces, piece.Bytes())
		if piece.Len() < pieceSize {
			return bytes.Join(pieces, nil), nil
		}
	}
}

// receive returns a picture's bytes.
func (s *Service) receive(a *arrival) ([]byte, error) {
	data, err := gather(io.LimitReader(reading{s, a}, s.Max+1))
	s.mu.Lock()
	a.whole = true
	passed := a.passed
	s.mu.Unlock()
	switch {
	case passed:
		return nil, errBusy.Because(err)
	case err != nil:
		return nil, err
	case int64(len(data)) > s.Max:
		return nil, errTooLarge
	}
	return data, nil
}

// reading reads an arrival until it loses its place.
type reading struct {
	s *Service
	a *arrival
}

func (r reading) Read(p []byte) (int, error) {
	r.s.mu.Lock()
	passed := r.a.passed
	r.s.mu.Unlock()
	if passed {
		return 0, errBusy
	}
	return r.a.from.Read(p)
}
