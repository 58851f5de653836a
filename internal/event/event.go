// Package event is what happened to an account, recorded in the transaction in which it happened.
//
// A room declares each kind of event with the words of its mail when it is made. It records
// an event in the transaction of the change. The listeners run in that transaction: the
// change, what they write, and the jobs they enqueue stand or fall together.
package event

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"coffer/internal/db"
	"coffer/internal/mail"
)

// Event is one thing that happened to one account.
type Event struct {
	Kind    string    // as declared
	Account string    // its id
	At      time.Time // set by [Log.Record]
	// Data holds facts for the owner, under the names that mails use: device, place,
	// address, link. The caller may have chosen them.
	Data map[string]string
}

// Listener hears of an event in the transaction in which it happened. It enqueues slow work
// as a job in tx. Its error undoes the transaction.
type Listener func(ctx context.Context, tx *db.Tx, e Event) error

// Log knows the kinds of events and who listens. Rooms declare and listen when they are
// made, before the first event; after that it is safe for concurrent use.
type Log struct {
	mailer    *mail.Mailer
	now       func() time.Time
	kinds     map[string]bool
	listeners []Listener
}

// New returns a log without kinds. The words of its kinds go to mailer.
func New(mailer *mail.Mailer, now func() time.Time) *Log {
	return &Log{mailer: mailer, now: now, kinds: map[string]bool{}}
}

// Declare adds a kind of event and the words of its mail; see [mail.Mailer.Declare]. It
// panics when the kind is declared twice, or lacks words in a language.
func (l *Log) Declare(k mail.Kind, words fs.FS) {
	l.mailer.Declare(k, words)
	l.kinds[k.Name] = true
}

// Listen adds a listener. Listeners run in the order in which they were added.
func (l *Log) Listen(fn Listener) { l.listeners = append(l.listeners, fn) }

// Record tells every listener of an event. It returns the first error; the caller returns
// it from the transaction, which undoes what the listeners before wrote.
func (l *Log) Record(ctx context.Context, tx *db.Tx, e Event) error {
	if !l.kinds[e.Kind] {
		return fmt.Errorf("event: %q is not declared", e.Kind)
	}
	e.At = l.now().UTC()
	for _, listen := range l.listeners {
		if err := listen(ctx, tx, e); err != nil {
			return fmt.Errorf("event %s: %w", e.Kind, err)
		}
	}
	return nil
}
