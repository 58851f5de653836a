package mailcode

import (
	"context"
	"errors"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/event"
)

// duringMove runs call while a change of ada's address to grace's stands in an open transaction,
// and lets that commit as soon as call waits for it. PostgreSQL alone has two writers at once.
func (w *world) duringMove(id account.ID, call func() answer) (got answer) {
	w.t.Helper()
	ctx := w.t.Context()
	if err := w.Accounts.ChangeEmail(ctx, id, "grace@canary.example", account.Source{}); err != nil {
		w.t.Fatal(err)
	}
	answered := make(chan answer, 1)
	var waited error
	w.Events.Listen(func(ctx context.Context, _ *db.Tx, e event.Event) error {
		if e.Kind == account.EmailChanged {
			go func() { answered <- call() }()
			waited = w.aCallWaits(ctx)
		}
		return nil
	})
	if _, err := w.Accounts.ConfirmEmail(ctx, id, w.newAddress()); err != nil || waited != nil {
		w.t.Fatal(err, waited)
	}
	select {
	case got = <-answered:
	case <-time.After(10 * time.Second):
		w.t.Fatal("the call did not end with the transaction that it waited for")
	}
	return got
}

// aCallWaits returns when a transaction of the database waits for a lock of another one.
func (w *world) aCallWaits(ctx context.Context) error {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		var n int
		err := w.DB.QueryRow(ctx, `SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&n)
		if err != nil || n > 0 {
			return err
		}
	}
	return errors.New("the call does not wait for the change of the address")
}

// A code that is made while the address changes goes to the new one.
func TestRaceCodeForAFormerAddress(t *testing.T) {
	w := newWorld(t, dbtest.PostgreSQL(t))
	id := w.on("ada")
	at := w.is(w.duringMove(id, func() answer { return w.signIn("ada", nil) }), 202, "")
	if text := w.code("ada"); text != "" {
		t.Error("the code went to the former address")
	}
	w.is(w.try(at, w.code("grace")), 201, "")
}

// A code of the former mailbox that comes in while the address changes is wrong.
func TestRaceCodeOfAFormerAddress(t *testing.T) {
	w := newWorld(t, dbtest.PostgreSQL(t))
	id := w.on("ada")
	at := w.is(w.signIn("ada", nil), 202, "")
	text := w.code("ada")
	w.is(w.duringMove(id, func() answer { return w.try(at, text) }), 401, "invalid_code")
}
