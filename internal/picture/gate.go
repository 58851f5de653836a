package picture

import (
	"bytes"
	"context"
	"runtime"
	"slices"
	"sync"
)

// Lane says who waits for a picture.
type Lane int

// The lanes. People go first.
const (
	People Lane = iota // a person looks at a page until it is done
	Jobs               // no person waits; jobs leave one place free
)

// Service bounds the decoding of the whole process. It is safe for concurrent use.
type Service struct {
	limits  Limits
	workers int
	memory  int64 // of all decoding together

	mu      sync.Mutex
	running [2]int
	used    int64
	waiting [2][]*waiter
}

type waiter struct {
	cost  int64
	ready chan struct{}
}

// collectedAt is the memory of a picture that the collector takes back before another one may
// take its place. Small pictures wait for the collector.
const collectedAt = 32 << 20

// New returns a service. The zero settings are the defaults.
func New(s Settings) *Service {
	l := Limits{Pixels: s.Pixels}
	return &Service{limits: l, workers: s.workers(), memory: bytesAPixel * l.pixels()}
}

// Work waits for a place, decodes data and calls fn with the picture. The place is held until
// fn returns. A picture that Decode refuses before decoding needs no place. The wait ends
// with ctx.
func (s *Service) Work(ctx context.Context, lane Lane, data []byte, fn func(*Picture) error) error {
	info, err := Probe(bytes.NewReader(data))
	if err != nil {
		return err
	}
	if err := s.limits.check(info); err != nil {
		return err
	}
	if err := s.enter(ctx, lane, info.cost); err != nil {
		return err
	}
	defer func() {
		if info.cost >= collectedAt {
			runtime.GC() // else what is left of it lies beside the next one
		}
		s.leave(lane, info.cost)
	}()
	p, err := decode(ctx, data, info, s.limits)
	if err != nil {
		return err
	}
	return fn(p)
}

// enter takes a place and cost bytes.
func (s *Service) enter(ctx context.Context, lane Lane, cost int64) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	w := &waiter{cost: cost, ready: make(chan struct{})}
	s.mu.Lock()
	s.waiting[lane] = append(s.waiting[lane], w)
	s.admit()
	s.mu.Unlock()
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	at := slices.Index(s.waiting[lane], w)
	if at >= 0 {
		s.waiting[lane] = slices.Delete(s.waiting[lane], at, at+1)
		s.admit() // the next one may need less
	}
	s.mu.Unlock()
	if at < 0 { // admitted meanwhile
		s.leave(lane, cost)
	}
	return context.Cause(ctx)
}

func (s *Service) leave(lane Lane, cost int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running[lane]--
	s.used -= cost
	s.admit()
}

// admit gives free places to those that wait: people in their order, then jobs in theirs. A
// large picture is not overtaken within its lane or by a job, so its turn comes.
func (s *Service) admit() {
	for lane := range s.waiting {
		for len(s.waiting[lane]) > 0 {
			w := s.waiting[lane][0]
			if !s.free(Lane(lane), w.cost) {
				return
			}
			s.waiting[lane] = s.waiting[lane][1:]
			s.running[lane]++
			s.used += w.cost
			close(w.ready)
		}
	}
}

func (s *Service) free(lane Lane, cost int64) bool {
	all := s.running[People] + s.running[Jobs]
	if all >= s.workers || s.used+cost > s.memory {
		return false
	}
	return lane == People || s.running[Jobs] < max(1, s.workers-1)
}
