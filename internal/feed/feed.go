// Package feed tells the open pages of a person what changed: one event stream for each.
//
// # What it defends against
//
//   - Another person's news: a stream carries only the events of its session's account, and
//     ends within seconds after that session (package rest).
//   - Revealing news: an event has a kind and an id, never a name or a content. The page
//     requests the details, and the server refuses what it may not see.
//   - Costly streams: concurrent changes of one subject are one event. A stream sends at
//     most a few events a second and remembers a bounded number of subjects.
//   - Lost news: after a gap the server tells the page that anything may have changed.
package feed

import (
	"context"
	"strings"
	"sync"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
)

// topic is the topic of the notes between nodes.
const topic = "feed"

// Config configures a Service. DB is required.
type Config struct {
	DB    *db.DB
	Pause time.Duration // between two batches of events of a stream; zero: 250 ms
	Pulse time.Duration // time without an event after which a stream sends a comment; zero: 20 s
}

// Service is the room. It is safe for concurrent use.
type Service struct {
	Config
	closed chan struct{}

	mu      sync.Mutex
	streams map[account.ID]map[*stream]struct{}
}

// New returns the room. It listens until the database closes.
func New(c Config) *Service {
	if c.Pause <= 0 {
		c.Pause = 250 * time.Millisecond
	}
	if c.Pulse <= 0 {
		c.Pulse = 20 * time.Second
	}
	s := &Service{Config: c, closed: make(chan struct{}), streams: map[account.ID]map[*stream]struct{}{}}
	c.DB.Listen(topic, s.hear)
	return s
}

// Close ends every stream, so a draining server need not wait for them.
func (s *Service) Close() { close(s.closed) }

// Tell announces to the account's open pages, when tx commits, that the thing of that kind
// and id changed. kind is a word and id has no space; the owner sees both.
func (s *Service) Tell(ctx context.Context, tx *db.Tx, who account.ID, kind, id string) error {
	return tx.Notify(ctx, topic, string(who)+" "+kind+" "+id)
}

// subject identifies a changed thing.
type subject struct{ kind, id string }

// anything is the subject after a gap, and in place of too many subjects.
var anything = subject{kind: "anything"}

// maxSubjects bounds the waiting subjects of a stream.
const maxSubjects = 50

// hear passes a note to the streams; "" means that notes may have been missed.
func (s *Service) hear(note string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if note == "" {
		for _, all := range s.streams {
			for one := range all {
				one.add(anything)
			}
		}
		return
	}
	who, rest, _ := strings.Cut(note, " ")
	kind, id, _ := strings.Cut(rest, " ")
	if strings.Trim(kind, "abcdefghijklmnopqrstuvwxyz") != "" {
		return // Tell made no such note: it would end the line, and begin an event of its own
	}
	for one := range s.streams[account.ID(who)] {
		one.add(subject{kind, id})
	}
}

// stream is one open page.
type stream struct {
	wake chan struct{} // holds one value while a subject waits

	mu      sync.Mutex
	waiting map[subject]bool
}

func (c *stream) add(what subject) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) >= maxSubjects {
		c.waiting, what = map[subject]bool{}, anything
	}
	if !c.waiting[anything] {
		c.waiting[what] = true
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// take removes and returns the waiting subjects.
func (c *stream) take() map[subject]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.waiting
	c.waiting = map[subject]bool{}
	return all
}

// open returns a stream of the account's events, until the caller calls end.
func (s *Service) open(who account.ID) (c *stream, end func()) {
	c = &stream{wake: make(chan struct{}, 1), waiting: map[subject]bool{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams[who] == nil {
		s.streams[who] = map[*stream]struct{}{}
	}
	s.streams[who][c] = struct{}{}
	return c, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if delete(s.streams[who], c); len(s.streams[who]) == 0 {
			delete(s.streams, who)
		}
	}
}
