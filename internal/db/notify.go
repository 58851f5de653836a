package db

import (
	"context"
	"errors"
	"sync"
	"unicode/utf8"
)

// Notes tell the nodes on one database of changes: this process at once, on PostgreSQL
// every other process when it reads its connection. On SQLite the owner hears that there was a
// note of another process (others.go). A note is a hint to look, not the news
// itself. After a gap in the notes every listener gets "".

// maxNote bounds topic and payload together: PostgreSQL carries less than 8000 bytes.
const maxNote = 7000

type note struct{ topic, payload string }

// Notify tells every listener of topic on every node when the transaction commits. Topic
// and payload are UTF-8 without NUL, together at most 7000 bytes. The topic has no space.
func (t *Tx) Notify(ctx context.Context, topic, payload string) error {
	if err := t.usable(); err != nil {
		return err
	}
	for _, s := range []string{topic, payload} {
		if !utf8.ValidString(s) {
			return errors.New("note: not UTF-8")
		}
	}
	if len(topic)+len(payload) > maxNote {
		return errors.New("note: too long")
	}
	n := note{topic, payload}
	if err := t.fail(t.db.engine.publish(ctx, t.session, n)); err != nil {
		return err
	}
	t.notes = append(t.notes, n)
	return nil
}

// Listen calls fn with the payload of each note on topic, and with "" after a possible gap.
// fn runs on the goroutine that commits or receives the note. It must be quick and must not
// call the database.
func (d *DB) Listen(topic string, fn func(payload string)) (stop func()) {
	return d.hub.listen(topic, fn)
}

// notifier carries notes between processes.
type notifier interface {
	// publish sends the note when the session's transaction commits.
	publish(ctx context.Context, s session, n note) error
	// receive calls heard for each note of other processes, and missed after each gap,
	// until ctx ends.
	receive(ctx context.Context, heard func(note), missed func())
}

// localOnly is the notifier of an engine without notes between processes.
type localOnly struct{}

func (localOnly) publish(context.Context, session, note) error { return nil }
func (localOnly) receive(context.Context, func(note), func())  {}

// hub holds this process's listeners.
type hub struct {
	engine notifier
	cancel context.CancelFunc
	ctx    context.Context
	once   sync.Once
	ended  sync.WaitGroup

	mu        sync.RWMutex
	listeners map[string]map[*listener]struct{}
}

type listener struct{ fn func(string) }

func newHub(e notifier) *hub {
	h := &hub{engine: e, listeners: map[string]map[*listener]struct{}{}}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h
}

func (h *hub) listen(topic string, fn func(string)) (stop func()) {
	l := &listener{fn}
	h.mu.Lock()
	if h.listeners[topic] == nil {
		h.listeners[topic] = map[*listener]struct{}{}
	}
	h.listeners[topic][l] = struct{}{}
	h.mu.Unlock()
	h.once.Do(func() {
		h.ended.Go(func() {
			h.engine.receive(h.ctx, func(n note) { h.tell([]note{n}) }, h.missed)
		})
	})
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.listeners[topic], l)
	}
}

func (h *hub) tell(notes []note) {
	for _, n := range notes {
		h.mu.RLock()
		fns := make([]func(string), 0, len(h.listeners[n.topic]))
		for l := range h.listeners[n.topic] {
			fns = append(fns, l.fn)
		}
		h.mu.RUnlock()
		for _, fn := range fns {
			fn(n.payload)
		}
	}
}

func (h *hub) missed() {
	h.mu.RLock()
	topics := make([]note, 0, len(h.listeners))
	for topic := range h.listeners {
		topics = append(topics, note{topic: topic})
	}
	h.mu.RUnlock()
	h.tell(topics)
}

func (h *hub) close() {
	h.cancel()
	h.ended.Wait()
}
