package social

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/session"
	"coffer/internal/social/socialtest"
)

// stop takes the identities of an account and ends its sessions, as the stop of a recovery does.
func (w *world) stop(id account.ID, since time.Time) {
	w.t.Helper()
	ctx := context.Background()
	err := w.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := w.Accounts.InvalidateSessions(ctx, tx, id, ""); err != nil {
			return err
		}
		return w.Accounts.DropWaysSince(ctx, tx, id, since)
	})
	if err != nil {
		w.t.Error(err)
	}
}

// A sign-in that found an identity before a stop took it opens nothing after the stop.
func TestAttackSignInDuringAStop(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		w.google.Become(ada)
		began := w.Now()
		id := account.ID(w.signsIn("google").Account)
		p := person{Issuer: w.google.URL, Subject: ada.Subject}
		if who, err := w.owner(ctx, d, p); err != nil || who != id {
			t.Fatalf("%s, %v", who, err)
		}
		before, err := w.Accounts.State(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.use(ctx, p, id); err != nil {
			t.Fatal(err)
		}
		w.stop(id, began)
		if got := codeOf(w.use(ctx, p, id)); got != "link_gone" {
			t.Errorf("the identity that was found: %s", got)
		}
		// It was noted as used before the stop: its session is of a former epoch.
		e, err := w.Sessions.Prepare(session.SessionRequest{RefreshIn: "body"}, here, session.AMRFederated)
		if err != nil {
			t.Fatal(err)
		}
		out, err := w.Sessions.EnterRemembered(ctx, before, e)
		if err == nil && w.Sessions.Alive(ctx, callerOf(t, out)) == nil {
			t.Error("a session outlives the stop")
		}
	})
}

// The same at one moment, many times.
func TestAttackSignInsDuringStops(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for i := range 10 {
			who := socialtest.Person{Subject: fmt.Sprint(i), Email: fmt.Sprintf("ada%d@social.example", i), Verified: true, First: "Ada", Last: "Lovelace"}
			w.google.Become(who)
			began := w.Now()
			id := account.ID(w.signsIn("google").Account)
			p := person{Issuer: w.google.URL, Subject: who.Subject}
			e, err := w.Sessions.Prepare(session.SessionRequest{RefreshIn: "body"}, here, session.AMRFederated)
			if err != nil {
				t.Fatal(err)
			}
			outs := make([]session.Outcome, 4)
			var wg sync.WaitGroup
			for n := range outs {
				wg.Go(func() { outs[n], _ = w.enter(context.Background(), "google", p, Newcomer{}, e) })
			}
			wg.Go(func() { w.stop(id, began) })
			wg.Wait()
			for _, out := range outs {
				if out.Opened != nil && w.Sessions.Alive(t.Context(), callerOf(t, out)) == nil {
					t.Errorf("round %d: a session outlives the stop", i)
				}
			}
		}
	})
}
