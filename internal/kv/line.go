package kv

import (
	"context"
	"errors"
	"sync"

	"github.com/redis/rueidis"
)

// line is one connection to Redis with all subscriptions of this process. It ends with the
// connection, and every subscription with it.
type line struct {
	client rueidis.DedicatedClient
	ended  chan struct{}
	turn   chan struct{} // SUBSCRIBE and UNSUBSCRIBE go one after another

	mu       sync.Mutex
	over     bool
	channels map[string]*hearers
	unheard  []string // channels to leave
	leaving  bool     // a goroutine leaves them
}

// hearers are the subscriptions of one channel.
type hearers struct {
	all  map[*subscription]struct{}
	held bool // the server knows that we listen
}

var errLineOver = errors.New("the connection of the subscriptions broke")

func newLine(client rueidis.DedicatedClient) *line {
	return &line{client: client, ended: make(chan struct{}), turn: make(chan struct{}, 1), channels: map[string]*hearers{}}
}

// add returns when messages of the channel reach s.
func (l *line) add(ctx context.Context, channel string, s *subscription) error {
	if held, err := l.join(channel, s); held || err != nil {
		return err
	}
	err := l.hold(ctx, channel)
	if err != nil {
		s.end()
		l.remove(channel, s)
	}
	return err
}

// join adds s to the channel, so that it misses nothing once the channel is held. It reports
// whether it is already.
func (l *line) join(channel string, s *subscription) (held bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return false, errLineOver
	}
	h := l.channels[channel]
	if h == nil {
		h = &hearers{all: map[*subscription]struct{}{}}
		l.channels[channel] = h
	}
	h.all[s] = struct{}{}
	return h.held, nil
}

// hold subscribes to a channel at the server.
func (l *line) hold(ctx context.Context, channel string) error {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if l.holds(channel, false) {
		return nil
	}
	if err := l.client.Do(ctx, l.client.B().Subscribe().Channel(channel).Build()).Error(); err != nil {
		return err
	}
	if !l.holds(channel, true) {
		return errLineOver
	}
	return nil
}

// holds reports whether the channel is held, after noting that it is now.
func (l *line) holds(channel string, now bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.channels[channel]
	if h == nil {
		return false
	}
	h.held = h.held || now
	return h.held
}

// remove takes s from its channel.
func (l *line) remove(channel string, s *subscription) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop(channel, s)
}

// drop takes s from its channel. A channel without hearers is left a little later.
func (l *line) drop(channel string, s *subscription) {
	h := l.channels[channel]
	if h == nil {
		return
	}
	delete(h.all, s)
	if len(h.all) > 0 {
		return
	}
	l.unheard = append(l.unheard, channel)
	if !l.leaving {
		l.leaving = true
		go l.leave()
	}
}

// leave unsubscribes at the server from all channels without hearers.
func (l *line) leave() {
	for {
		l.turn <- struct{}{}
		channels := l.toLeave()
		if len(channels) > 0 {
			ctx, cancel := context.WithTimeout(context.Background(), answerFor)
			// After an error the line has broken. Or the server goes on to send what no hearer wants.
			_ = l.client.Do(ctx, l.client.B().Unsubscribe().Channel(channels...).Build()).Error()
			cancel()
		}
		<-l.turn
		l.mu.Lock()
		if len(l.unheard) == 0 {
			l.leaving = false
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
	}
}

// toLeave returns the channels that still have no hearers, and forgets them.
func (l *line) toLeave() (channels []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, channel := range l.unheard {
		if h := l.channels[channel]; h != nil && len(h.all) == 0 {
			delete(l.channels, channel)
			channels = append(channels, channel)
		}
	}
	l.unheard = nil
	return channels
}

// deliver runs for every message, on the goroutine that reads the connection.
func (l *line) deliver(m rueidis.PubSubMessage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.channels[m.Channel]
	if h == nil {
		return
	}
	message := []byte(m.Message)
	for s := range h.all {
		if s.put(message) {
			s.lose()
			l.drop(m.Channel, s)
		}
	}
}

// end ends every subscription as lost.
func (l *line) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	for _, h := range l.channels {
		for s := range h.all {
			s.lose()
		}
	}
	l.channels, l.unheard = nil, nil
}
