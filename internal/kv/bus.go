package kv

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// MaxMessage is the most bytes of a message: a chunk of 1 MiB and what belongs around it.
const MaxMessage = 1<<20 + 4096

// mostWaiting bounds what waits for one slow hearer, in bytes.
const mostWaiting = 8 << 20

// Bus carries messages between the processes of a server: [LocalBus] for one process,
// [RedisBus] for many. Its methods are safe for concurrent use.
//
// A channel reaches all its present subscribers, and keeps nothing. A queue keeps each
// message until one caller takes it. A message belongs to the Bus from Publish or Push on,
// whatever they answer; hearers of a channel share it and only read it.
type Bus interface {
	// Publish gives m to every subscriber of the channel. Each of them hears the messages of
	// one caller in their order.
	Publish(ctx context.Context, channel string, m []byte) error
	// Subscribe calls hear for each later message, one at a time, until cancel. It returns
	// when the subscription holds. hear may get messages too that were still under way.
	//
	// lost closes when messages may have been missed, because the connection broke or hear
	// was too slow; the subscription is over then. No call of hear begins after cancel has
	// returned or lost has closed; one may still be running.
	Subscribe(ctx context.Context, channel string, hear func([]byte)) (cancel func(), lost <-chan struct{}, err error)
	// Push appends to a queue, which vanishes ttl after its last Push.
	Push(ctx context.Context, queue string, m []byte, ttl time.Duration) error
	// Pop removes the oldest message and gives it to the caller. It waits for one for up to
	// wait, then answers [ErrMissing]. A Pop that ends with another error may have taken one.
	Pop(ctx context.Context, queue string, wait time.Duration) ([]byte, error)
	// Discard removes a queue; an absent one is no error.
	Discard(ctx context.Context, queue string) error
}

func checkMessage(name string, m []byte) error {
	if len(m) > MaxMessage {
		return fmt.Errorf("kv: a message of %d bytes; %d are allowed", len(m), MaxMessage)
	}
	return checkKey(name)
}

func checkPush(queue string, m []byte, ttl time.Duration) error {
	if ttl <= 0 {
		return fmt.Errorf("kv: a life of %s", ttl)
	}
	return checkMessage(queue, m)
}

// subscription passes messages to one hearer. A goroutine runs only while some wait, so a
// slow hearer holds up no other and an idle one costs nothing.
type subscription struct {
	hear func([]byte)
	lost chan struct{}

	mu      sync.Mutex
	over    bool
	running bool
	waiting [][]byte
	bytes   int
}

func newSubscription(hear func([]byte)) *subscription {
	return &subscription{hear: hear, lost: make(chan struct{})}
}

// put passes m on, and reports whether the hearer is too slow for it.
func (s *subscription) put(m []byte) (tooSlow bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	if s.bytes += cost("", m); s.bytes > mostWaiting {
		return true
	}
	s.waiting = append(s.waiting, m)
	if !s.running {
		s.running = true
		go s.run()
	}
	return false
}

func (s *subscription) run() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.waiting) > 0 {
		batch := s.waiting
		s.waiting = nil
		for _, m := range batch {
			if s.over {
				break
			}
			s.mu.Unlock()
			s.hear(m)
			s.mu.Lock()
			s.bytes -= cost("", m)
		}
	}
	s.running = false
}

// end is for the hearer that cancels: nothing was lost.
func (s *subscription) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over, s.waiting = true, nil
}

// lose ends a subscription that may have missed messages.
func (s *subscription) lose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.over, s.waiting = true, nil
		close(s.lost)
	}
}
