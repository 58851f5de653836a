package file

import (
	"context"
	"sync"
	"time"

	"coffer/internal/account"
	"coffer/internal/fault"
)

// placeWaiters is how many calls of one account wait for its place.
const placeWaiters = 3

// ErrBusy refuses a call of an account that has several waiting.
var ErrBusy = &fault.Error{Kind: fault.Unavailable, Code: "busy", RetryAfter: 5 * time.Second, Detail: "The server is busy with other large requests. Try again in a few seconds."}

// Places bounds calls that hold much memory: all of them together, and one at a time for each account.
type Places struct {
	free  chan struct{} // holds one for each call that runs
	mu    sync.Mutex
	lines map[account.ID]*line
}

// line is the calls of one account.
type line struct {
	first chan struct{} // holds one: the call that has the place, or waits for a free one
	calls int
}

// NewPlaces lets n calls run at once.
func NewPlaces(n int) *Places {
	return &Places{free: make(chan struct{}, n), lines: map[account.ID]*line{}}
}

// Take waits for a place. The caller leaves it when err is nil. It refuses with [ErrBusy].
func (p *Places) Take(ctx context.Context, owner account.ID) (leave func(), err error) {
	l := p.enter(owner)
	if l == nil {
		return nil, ErrBusy
	}
	var taken []chan struct{}
	leave = func() {
		for _, c := range taken {
			<-c
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if l.calls--; l.calls == 0 {
			delete(p.lines, owner)
		}
	}
	for _, c := range []chan struct{}{l.first, p.free} {
		select {
		case c <- struct{}{}:
			taken = append(taken, c)
		case <-ctx.Done():
			leave()
			return nil, context.Cause(ctx)
		}
	}
	return leave, nil
}

// enter adds a call to the line of its account; nil when that is full.
func (p *Places) enter(owner account.ID) *line {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lines[owner]
	if l == nil {
		l = &line{first: make(chan struct{}, 1)}
		p.lines[owner] = l
	}
	if l.calls > placeWaiters {
		return nil
	}
	l.calls++
	return l
}
