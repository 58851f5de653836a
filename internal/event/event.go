// Package event is what happened to an account, recorded in the transaction in which it happened.
//
// A room's constructor declares each kind of event with the words of its mail, or as a quiet
// one, of which no mail tells. The room records an event in the transaction of the change. The listeners run in that transaction,
// so the change, their writes and their jobs commit or roll back together.
package event

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"time"

	"coffer/internal/db"
	"coffer/internal/mail"
	"coffer/internal/rest"
)

// Event is one thing that happened to one account.
type Event struct {
	Kind    string    // as declared
	Account string    // its id
	At      time.Time // set by [Log.Record]
	Quiet   bool      // no mail tells of it; set by [Log.Record]
	// Data holds facts for the owner, under the names that mails use: device, place,
	// address, link. Its values may come from the caller. [Log.Record] adds what is known of
	// the request in which the event happened.
	Data map[string]string
}

// Listener receives an event in the event's transaction. It enqueues slow work as a job in
// tx. Its error rolls the transaction back.
type Listener func(ctx context.Context, tx *db.Tx, e Event) error

// Log holds the kinds of events and the listeners. Rooms declare and listen in their
// constructors, before the first event. After that it is safe for concurrent use.
type Log struct {
	mailer    *mail.Mailer
	now       func() time.Time
	kinds     map[string]bool // whether a declared kind is quiet
	listeners []Listener
	describe  func(rest.Client) map[string]string
}

// New returns a log without kinds. It gives the words of kinds to mailer.
func New(mailer *mail.Mailer, now func() time.Time) *Log {
	return &Log{mailer: mailer, now: now, kinds: map[string]bool{}}
}

// Declare adds a kind of event and the words of its mail; see [mail.Mailer.Declare]. It
// panics on a second declaration, or when a language lacks words.
func (l *Log) Declare(k mail.Kind, words fs.FS) {
	l.mailer.Declare(k, words)
	l.kinds[k.Name] = false
}

// DeclareQuiet adds a kind of event that no mail tells of. Listeners hear it as every other. It
// panics on a second declaration.
func (l *Log) DeclareQuiet(kind string) {
	if _, twice := l.kinds[kind]; twice {
		panic("internal error: event: two declarations of " + kind)
	}
	l.kinds[kind] = true
}

// Describe sets how a request's client is described to owners: device, place, address. Without
// it, events tell nothing of the client.
func (l *Log) Describe(fn func(rest.Client) map[string]string) { l.describe = fn }

// Listen adds a listener. Listeners run in the order of their addition.
func (l *Log) Listen(fn Listener) { l.listeners = append(l.listeners, fn) }

// Record calls every listener with an event. It returns the first error. The caller must
// return it from the transaction, which rolls back the listeners' writes.
func (l *Log) Record(ctx context.Context, tx *db.Tx, e Event) error {
	quiet, ok := l.kinds[e.Kind]
	if !ok {
		return fmt.Errorf("event: %q is not declared", e.Kind)
	}
	e.Quiet, e.At = quiet, l.now().UTC()
	if c, ok := rest.ClientIn(ctx); ok && l.describe != nil {
		data := l.describe(c)
		maps.Copy(data, e.Data)
		e.Data = data
	}
	for _, listen := range l.listeners {
		if err := listen(ctx, tx, e); err != nil {
			return fmt.Errorf("event %s: %w", e.Kind, err)
		}
	}
	return nil
}
