package session_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/rest"
	"coffer/internal/session"
)

// renew renews a session by a key, which passes every layer.
func (k *key) renew(c rest.Caller, proof string) (session.Outcome, error) {
	return k.w.Renew(context.Background(), c, keyAMR, true, k.use(proof))
}

// A proof that passes every layer makes the session aal2 and fresh, once.
func TestRenew(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		k, ada := w.keyed(), w.below.Join("ada")
		b := w.browser()
		first := b.signIn("ada")
		w.withApp(ada)
		w.below.Advance(11 * time.Minute)
		w.is(b.as("POST", "/fresh", nil), 403, "step_up_required")
		c := w.caller(b.access)
		if got := outcome(k.renew(c, "none")); got != "invalid_code" {
			t.Errorf("without a proof: %s", got)
		}
		w.is(b.as("POST", "/fresh", nil), 403, "step_up_required")
		out, err := k.renew(c, k.proof("one"))
		if err != nil || out.Opened.ID != first.SessionID || out.Opened.AAL != session.AAL2 || strings.Join(out.Opened.AMR, " ") != "pwd hwk user mfa" || out.Opened.RefreshToken != "" {
			t.Fatalf("%+v, %v", out, err)
		}
		b.access = out.Opened.AccessToken
		w.is(b.as("POST", "/fresh", nil), 204, "")
		if got := outcome(k.renew(c, "one")); got != "invalid_code" {
			t.Errorf("a used proof: %s", got)
		}
		w.is(b.send("POST", "/auth/refresh", "", nil), 201, "")
		w.is(b.as("POST", "/fresh", nil), 204, "")
		// A second one names no method twice.
		if out, err := k.renew(w.caller(b.access), k.proof("two")); err != nil || strings.Join(out.Opened.AMR, " ") != "pwd hwk user mfa" {
			t.Errorf("%+v, %v", out, err)
		}
	})
}

// A proof that passes no layer is worth what a password is.
func TestRenewAsks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		k, ada := w.keyed(), w.below.Join("ada")
		b := w.browser()
		b.signIn("ada")
		renew := func(proof string) (session.Outcome, error) {
			return w.Renew(t.Context(), w.caller(b.access), []string{session.AMRFederated}, false, k.use(proof))
		}
		out, err := renew(k.proof("plain"))
		if err != nil || out.Opened.AAL != session.AAL1 || !slices.Equal(out.Opened.AMR, []string{"fed"}) {
			t.Fatalf("%+v, %v", out, err)
		}
		w.withApp(ada)
		if got := outcome(renew("none")); got != "invalid_code" || w.count(`SELECT COUNT(*) FROM attempts`) != 0 {
			t.Errorf("without a proof: %s", got)
		}
		if out, err = renew(k.proof("layered")); err != nil || out.Challenge == nil {
			t.Fatalf("%+v, %v", out, err)
		}
		c := reply{AttemptID: out.Challenge.AttemptID, AttemptToken: out.Challenge.AttemptToken}
		if got := w.is(b.pass(c, "app", w.code()), 201, ""); got.AAL != "aal2" || strings.Join(got.AMR, " ") != "fed otp mfa" {
			t.Errorf("%s", got.Raw)
		}
		// At aal2 it is fresh again, and what was passed stays.
		w.below.Advance(11 * time.Minute)
		if out, err = renew(k.proof("aal2")); err != nil || out.Opened.AAL != session.AAL2 || strings.Join(out.Opened.AMR, " ") != "fed otp mfa" {
			t.Errorf("%+v, %v", out, err)
		}
	})
}

// A session that has ended meanwhile is not renewed, and the proof is not spent.
func TestRenewTooLate(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		k := w.keyed()
		for name, end := range map[string]func(id account.ID, sessionID string){
			"epoch":       func(id account.ID, _ string) { w.bump(id) },
			"deactivated": func(id account.ID, _ string) { w.deactivate(id) },
			"deleted": func(id account.ID, _ string) {
				if err := w.Accounts.Delete(context.Background(), id); err != nil {
					t.Fatal(err)
				}
			},
			"session": func(id account.ID, sessionID string) {
				if err := w.Revoke(context.Background(), id, sessionID); err != nil {
					t.Fatal(err)
				}
			},
		} {
			for _, layered := range []bool{false, true} {
				for _, aal2 := range []bool{true, false} {
					who := fmt.Sprintf("%s-%t-%t", name, layered, aal2)
					id := w.below.Join(who)
					b := w.browser()
					b.signIn(who)
					w.pin.set(id, layered)
					c := w.caller(b.access)
					end(id, c.Session)
					if got := outcome(w.Renew(t.Context(), c, keyAMR, aal2, k.use(k.proof(who)))); got != "unauthenticated" {
						t.Errorf("%s: %s", who, got)
					}
					if n := w.count(`SELECT COUNT(*) FROM test_key WHERE proof = $1`, who); n != 1 {
						t.Errorf("%s: the proof is spent", who)
					}
				}
			}
		}
		if n := w.count(`SELECT COUNT(*) FROM attempts`); n != 0 {
			t.Errorf("%d attempts", n)
		}
	})
}

// Twenty renewals at once with one proof: one. Another account's session is not touched.
func TestRenewAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		k := w.keyed()
		w.below.Join("ada")
		b := w.browser()
		b.signIn("ada")
		c := w.caller(b.access)
		k.proof("one")
		if got := race(20, func(int) string { return outcome(k.renew(c, "one")) }); got["open"] != 1 || got["invalid_code"] != 19 {
			t.Errorf("%v", got)
		}
		eve := c
		eve.Account = string(w.below.Join("eve"))
		if got := outcome(k.renew(eve, k.proof("eve"))); got != "unauthenticated" {
			t.Errorf("another account's session: %s", got)
		}
	})
}

// A proof that passes every layer makes a recovery session an ordinary one, weak or strong. Its
// end stays, and its methods do. Another proof does not.
func TestRenewOfARecovery(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		k := w.keyed()
		for _, way := range []string{session.AMRTrusted, session.AMRBackupCode} {
			ada := w.layered("ada" + way[:2])
			b := w.browser()
			o := w.recover(b, ada, way)
			c := w.caller(b.access)
			if got := outcome(w.Renew(t.Context(), c, []string{session.AMRFederated}, false, k.use(k.proof("fed "+way)))); got != "step_up_required" {
				t.Errorf("%s: %s", way, got)
			}
			out, err := k.renew(c, k.proof(way))
			if err != nil || out.Opened.ID != o.ID || out.Opened.AAL != session.AAL2 || out.Opened.Recovery != nil || out.Opened.AMR[0] != way {
				t.Fatalf("%s: %+v, %v", way, out, err)
			}
			b.access = out.Opened.AccessToken
			w.is(b.as("POST", "/fresh", nil), 204, "")
			w.is(b.as("GET", "/sessions", nil), 200, "")
			w.is(b.password(repaired), 422, "validation_failed") // it gives the present password now
			w.below.Advance(time.Hour)
			w.is(b.refreshed(), 401, "invalid_refresh_token")
		}
	})
}

// A way in that is added makes a recovery session an ordinary one and tells the owner. A
// session that has ended adds and removes nothing.
func TestRegistered(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx, ada := t.Context(), w.below.Join("ada")
		b := w.browser()
		o := w.recover(b, ada, session.AMRBackupCode)
		c := w.caller(b.access)
		registered := func() error {
			return w.DB.Tx(ctx, func(tx *db.Tx) error { return w.Registered(ctx, tx, c, "password-changed", nil) })
		}
		changed := func() error {
			return w.DB.Tx(ctx, func(tx *db.Tx) error { return w.Changed(ctx, tx, c, "password-changed", nil) })
		}
		told := func(n int) {
			t.Helper()
			if mails := w.below.Told(); len(mails) != n {
				t.Errorf("told %v, want %d", mails, n)
			}
		}
		w.below.Told()
		if err := changed(); err != nil {
			t.Fatal(err)
		}
		told(1)
		if got := w.is(b.refreshed(), 201, ""); got.AAL != session.AALRecovery {
			t.Errorf("a way in that was removed: %s", got.Raw)
		}
		if err := registered(); err != nil {
			t.Fatal(err)
		}
		told(1)
		if got := w.is(b.refreshed(), 201, ""); got.AAL != session.AAL1 || got.SessionID != o.ID || !slices.Equal(got.AMR, []string{"backup_code"}) {
			t.Errorf("a way in that was added: %s", got.Raw)
		}
		if err := w.Revoke(ctx, ada, o.ID); err != nil {
			t.Fatal(err)
		}
		for name, call := range map[string]func() error{"added": registered, "removed": changed} {
			if got := code(call()); got != "unauthenticated" {
				t.Errorf("%s by a session that has ended: %s", name, got)
			}
		}
		told(0)
	})
}

// A sign-in that began with a way in does not outlive that way in.
func TestChangedEndsOpenSignIns(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx, ada := t.Context(), w.below.Join("ada")
		b := w.browser()
		b.signIn("ada")
		w.pin.set(ada, true)
		out, err := w.EnterRemembered(ctx, w.state(ada), w.entry(session.SessionRequest{}, session.AMRFederated))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.DB.Tx(ctx, func(tx *db.Tx) error { return w.Changed(ctx, tx, w.caller(b.access), "password-changed", nil) }); err != nil {
			t.Fatal(err)
		}
		w.is(b.pass(reply{AttemptID: out.Challenge.AttemptID, AttemptToken: out.Challenge.AttemptToken}, "pin", "1234"), 410, "attempt_over")
		if !b.alive(b.access) {
			t.Error("the session ended")
		}
	})
}
