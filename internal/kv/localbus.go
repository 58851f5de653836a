package kv

import (
	"context"
	"slices"
	"sync"
	"time"
)

// LocalBus is a bus within one process. It copies no message, and neither a queue nor a
// subscription has a goroutine of its own.
type LocalBus struct {
	mu       sync.Mutex
	channels map[string]map[*subscription]struct{}
	queues   map[string]*queue
}

var _ Bus = (*LocalBus)(nil)

// queue has messages, or callers that wait for some, or neither until its end.
type queue struct {
	messages [][]byte
	waiting  []chan []byte // each with room for one message
	ends     time.Time
	end      *time.Timer // nil before the first Push
}

// NewLocalBus returns an empty bus.
func NewLocalBus() *LocalBus {
	return &LocalBus{channels: map[string]map[*subscription]struct{}{}, queues: map[string]*queue{}}
}

// Publish gives m to every subscriber of the channel.
func (b *LocalBus) Publish(ctx context.Context, channel string, m []byte) error {
	if err := before(ctx, checkMessage(channel, m)); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.channels[channel] {
		if s.put(m) {
			s.lose()
			b.remove(channel, s)
		}
	}
	return nil
}

// Subscribe calls hear for each later message.
func (b *LocalBus) Subscribe(ctx context.Context, channel string, hear func([]byte)) (cancel func(), lost <-chan struct{}, err error) {
	if err := before(ctx, checkKey(channel)); err != nil {
		return nil, nil, err
	}
	s := newSubscription(hear)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.channels[channel] == nil {
		b.channels[channel] = map[*subscription]struct{}{}
	}
	b.channels[channel][s] = struct{}{}
	return func() {
		s.end()
		b.mu.Lock()
		defer b.mu.Unlock()
		b.remove(channel, s)
	}, s.lost, nil
}

func (b *LocalBus) remove(channel string, s *subscription) {
	delete(b.channels[channel], s)
	if len(b.channels[channel]) == 0 {
		delete(b.channels, channel)
	}
}

// Push appends to a queue.
func (b *LocalBus) Push(ctx context.Context, name string, m []byte, ttl time.Duration) error {
	if err := before(ctx, checkPush(name, m, ttl)); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.queue(name)
	q.ends = time.Now().Add(ttl)
	if q.end == nil {
		q.end = time.AfterFunc(ttl, func() { b.expire(name, q) })
	} else {
		q.end.Reset(ttl)
	}
	if len(q.waiting) > 0 {
		q.waiting[0] <- m
		q.waiting = slices.Delete(q.waiting, 0, 1)
		return nil
	}
	q.messages = append(q.messages, m)
	return nil
}

func (b *LocalBus) queue(name string) *queue {
	q := b.queues[name]
	if q == nil {
		q = &queue{}
		b.queues[name] = q
	}
	return q
}

// expire runs at the end of a queue, unless a Push came while it was on its way.
func (b *LocalBus) expire(name string, q *queue) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if q.end != nil && !time.Now().Before(q.ends) {
		b.empty(name, q)
	}
}

// empty removes a queue, except for the callers that wait for its next message.
func (b *LocalBus) empty(name string, q *queue) {
	if q.end != nil {
		q.end.Stop()
	}
	q.messages, q.end = nil, nil
	b.forget(name, q)
}

// forget removes a queue that has neither an end nor a caller.
func (b *LocalBus) forget(name string, q *queue) {
	if q.end == nil && len(q.waiting) == 0 && b.queues[name] == q {
		delete(b.queues, name)
	}
}

// Pop removes the oldest message.
func (b *LocalBus) Pop(ctx context.Context, name string, wait time.Duration) ([]byte, error) {
	if err := before(ctx, checkKey(name)); err != nil {
		return nil, err
	}
	m, q, next := b.take(name, wait)
	if next == nil {
		return m, missing(m)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case m = <-next:
		return some(m), nil
	case <-timer.C:
		m = b.leave(name, q, next)
		return m, missing(m)
	case <-ctx.Done():
		b.leave(name, q, next)
		return nil, ctx.Err()
	}
}

// take returns the oldest message, or a place among those that wait for the next.
func (b *LocalBus) take(name string, wait time.Duration) ([]byte, *queue, chan []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.queues[name]
	if q != nil && len(q.messages) > 0 {
		m := q.messages[0]
		q.messages[0] = nil
		if q.messages = q.messages[1:]; len(q.messages) == 0 {
			q.messages = nil
		}
		return some(m), q, nil
	}
	if wait <= 0 {
		return nil, q, nil
	}
	q = b.queue(name)
	next := make(chan []byte, 1)
	q.waiting = append(q.waiting, next)
	return nil, q, next
}

// leave gives up a place, and returns the message that came meanwhile, if one did.
func (b *LocalBus) leave(name string, q *queue, next chan []byte) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case m := <-next:
		return some(m)
	default:
	}
	q.waiting = slices.DeleteFunc(q.waiting, func(c chan []byte) bool { return c == next })
	b.forget(name, q)
	return nil
}

// some distinguishes an empty message from none.
func some(m []byte) []byte {
	if m == nil {
		return []byte{}
	}
	return m
}

func missing(m []byte) error {
	if m == nil {
		return ErrMissing
	}
	return nil
}

// Discard removes a queue.
func (b *LocalBus) Discard(ctx context.Context, name string) error {
	if err := before(ctx, checkKey(name)); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if q := b.queues[name]; q != nil {
		b.empty(name, q)
	}
	return nil
}
