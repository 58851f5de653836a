package session_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/rest"
	"coffer/internal/session"
	"coffer/internal/token"
)

const repaired = "nine loud herons 52"

// recover opens a recovery session and gives it to a browser.
func (w *world) recover(b *browser, id account.ID, amr ...string) *session.Opened {
	w.t.Helper()
	ctx := context.Background()
	st, err := w.Accounts.State(ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	e, err := w.Prepare(session.SessionRequest{RefreshIn: "body", RememberDevice: true}, rest.Client{}, amr...)
	if err != nil {
		w.t.Fatal(err)
	}
	used := ""
	out, err := w.Recover(ctx, st, e, func(_ context.Context, _ *db.Tx, id string) error { used = id; return nil })
	if err != nil {
		w.t.Fatal(err)
	}
	o := out.Opened
	if o.AAL != session.AALRecovery || used != o.ID || o.DeviceToken != "" || o.RefreshLife > time.Hour || o.AccessLife > time.Hour {
		w.t.Fatalf("a recovery session %+v; used for %q", o, used)
	}
	b.access, b.refresh = o.AccessToken, o.RefreshToken
	return o
}

func (b *browser) password(next string) reply {
	return b.as("PUT", "/account/password", fields{"new_password": next})
}

func (b *browser) refreshed() reply {
	return b.send("POST", "/auth/refresh", "", fields{"refresh_token": b.refresh})
}

// A strong recovery session sets a password without the old one. It becomes an ordinary
// session with the end that it had, and all others end.
func TestRecoverStrong(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := w.below.Join("ada")
		w.withApp(ada)
		w.pin.set(ada, true)
		b, other := w.browser(), w.browser()
		w.recover(b, ada, session.AMRPassword, session.AMRBackupCode)
		w.recover(other, ada, session.AMRTrusted)
		if !other.alive(other.access) {
			t.Error("a recovery ends another session by being opened")
		}
		w.is(b.as("POST", "/fresh", nil), 403, "recovery_session")
		w.is(b.as("POST", "/account/reauthenticate", fields{"password": password}), 403, "recovery_session")
		w.is(b.as("GET", "/sessions", nil), 403, "recovery_session")
		w.is(b.as("DELETE", "/sessions", nil), 403, "recovery_session")
		old := b.access
		got := w.is(b.password(repaired), 201, "")
		if got.AAL != session.AAL1 || !slices.Equal(got.AMR, []string{"pwd", "backup_code"}) || got.RefreshExpiresIn > 3600 {
			t.Errorf("an ordinary session: %s", got.Raw)
		}
		if b.alive(old) || other.alive(other.access) || !b.alive(b.access) {
			t.Error("a token of before the repair, or another session, lives on; or the session does not")
		}
		// A backup code is as strong as the layers for what repairs, and for nothing else.
		c := rest.Caller{Account: string(ada), AAL: got.AAL, AMR: got.AMR, AuthTime: w.Now()}
		if err := w.StepUp(t.Context(), c, true); err != nil {
			t.Errorf("it repairs: %v", err)
		}
		if err := w.StepUp(t.Context(), c, false); err == nil {
			t.Error("a backup code is a fresh proof for everything")
		}
		c.AuthTime = w.Now().Add(-time.Hour)
		if err := w.StepUp(t.Context(), c, true); err == nil {
			t.Error("an old backup code is a fresh proof")
		}
		w.is(b.as("POST", "/fresh", nil), 403, "step_up_required")
		w.is(b.password("again no old one 77"), 422, "validation_failed") // it is ordinary now
		w.is(w.browser().attempt("ada"), 401, "invalid_credentials")
		w.below.Advance(50 * time.Minute)
		w.is(b.refreshed(), 201, "")
		w.below.Advance(11 * time.Minute)
		w.is(b.refreshed(), 401, "invalid_refresh_token")
		if b.alive(b.access) {
			t.Error("the session outlives its hour")
		}
	})
}

// A weak recovery session sets a password and is then asked for the layers.
func TestRecoverWeak(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := w.below.Join("ada")
		w.withApp(ada)
		from := w.Now().Add(24 * time.Hour)
		w.AddWait(func(context.Context, account.ID) (time.Time, error) { return from, nil })
		b := w.browser()
		o := w.recover(b, ada, session.AMRTrusted)
		if o.Recovery == nil || o.Recovery.MayRepairLayers || o.Recovery.From == nil || !o.Recovery.From.Equal(from) {
			t.Errorf("told %+v", o.Recovery)
		}
		err := w.StepUp(t.Context(), rest.Caller{Account: string(ada), AAL: session.AALRecovery, AMR: []string{session.AMRTrusted}, AuthTime: w.Now()}, true)
		if err == nil || !strings.Contains(err.Error(), from.UTC().Format(time.RFC3339)) {
			t.Errorf("a weak session repairs: %v", err)
		}
		w.is(b.password("short"), 422, "validation_failed")
		c := w.is(b.password(repaired), 202, "")
		if c.AccessToken != "" || len(c.Layers) != 1 || b.alive(b.access) {
			t.Errorf("the challenge %s", c.Raw)
		}
		// Without the layers the session stays what it is.
		if got := w.is(b.refreshed(), 201, ""); got.AAL != session.AALRecovery {
			t.Errorf("refreshed: %s", got.Raw)
		}
		w.is(b.as("POST", "/fresh", nil), 403, "recovery_session")
		got := w.is(b.pass(c, "app", w.code()), 201, "")
		if got.AAL != session.AAL2 || got.SessionID != o.ID {
			t.Errorf("after the layers: %s", got.Raw)
		}
		w.is(b.as("POST", "/fresh", nil), 204, "")
		w.below.Advance(time.Hour)
		w.is(b.refreshed(), 401, "invalid_refresh_token")
	})
}

// A weak session of an account that has lost its layers meanwhile becomes an ordinary one.
func TestRecoverWeakWithoutLayers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		w.recover(b, w.below.Join("ada"), session.AMRTrusted)
		if got := w.is(b.password(repaired), 201, ""); got.AAL != session.AAL1 {
			t.Errorf("%s", got.Raw)
		}
	})
}

// A layer that is turned on while a weak session becomes an ordinary one keeps it what it is.
func TestAttackLayerTurnedOnDuringAWeakRepair(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada, b := w.below.Join("ada"), w.browser()
		w.recover(b, ada, session.AMRTrusted)
		w.pin.meanwhile = func() { w.withApp(ada) } // after the server found it off
		w.is(b.password(repaired), 401, "unauthenticated")
		if got := w.is(b.refreshed(), 201, ""); got.AAL != session.AALRecovery {
			t.Errorf("refreshed: %s", got.Raw)
		}
		w.is(b.as("GET", "/sessions", nil), 403, "recovery_session")
	})
}

// A proof opens nothing when it may not be used up, when all sessions were ended after it,
// or when the account is deactivated. A refresh does not lengthen the session.
func TestRecoverRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx, ada := t.Context(), w.below.Join("ada")
		st, err := w.Accounts.State(ctx, ada)
		if err != nil {
			t.Fatal(err)
		}
		e, err := w.Prepare(session.SessionRequest{}, rest.Client{}, session.AMRPassword)
		if err != nil {
			t.Fatal(err)
		}
		e.Prove(session.AMRDelay)
		used := errors.New("used")
		if _, err := w.Recover(ctx, st, e, func(context.Context, *db.Tx, string) error { return used }); !errors.Is(err, used) {
			t.Errorf("a used proof: %v", err)
		}
		w.bump(ada)
		fine := func(context.Context, *db.Tx, string) error { return nil }
		if _, err := w.Recover(ctx, st, e, fine); !errors.Is(err, account.ErrCredentials) {
			t.Errorf("a proof of before the end of all sessions: %v", err)
		}
		st.Status = account.Deactivated
		if _, err := w.Recover(ctx, st, e, fine); !errors.Is(err, session.ErrDeactivated) {
			t.Errorf("a deactivated account: %v", err)
		}
		if n := w.count(`SELECT COUNT(*) FROM sessions`); n != 0 {
			t.Errorf("%d sessions", n)
		}
		b := w.browser()
		w.recover(b, ada, session.AMRBackupCode)
		for range 3 {
			w.below.Advance(15 * time.Minute)
			w.is(b.refreshed(), 201, "")
		}
		w.below.Advance(15 * time.Minute)
		w.is(b.refreshed(), 401, "invalid_refresh_token")
	})
}

// An owner who changes the password, and keeps the other sessions, ends those of recoveries:
// an intruder's would set the next password without giving this one.
func TestAttackRecoveryOutlivesAPassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := w.below.Join("ada")
		own, laptop, strong, weak, repairing := w.browser(), w.browser(), w.browser(), w.browser(), w.browser()
		w.recover(repairing, ada, session.AMRPassword, session.AMRBackupCode)
		w.is(repairing.password(repaired), 201, "")
		w.recover(strong, ada, session.AMRPassword, session.AMRBackupCode)
		w.recover(weak, ada, session.AMRTrusted)
		for _, b := range []*browser{own, laptop} {
			got := w.is(b.send("POST", "/auth/sign-in", "", fields{"identifier": "ada", "password": repaired, "refresh_in": "body"}), 201, "")
			b.access, b.refresh = got.AccessToken, got.RefreshToken
		}
		w.is(own.as("PUT", "/account/password", fields{"current_password": repaired, "new_password": "five calm otters 19", "revoke_others": false}), 201, "")
		if !own.alive(own.access) || !laptop.alive(laptop.access) {
			t.Error("an ordinary session ended")
		}
		for i, b := range []*browser{strong, weak, repairing} {
			if b.alive(b.access) {
				t.Errorf("%d: the session of a recovery lives on", i)
			}
			w.is(b.refreshed(), 401, "invalid_refresh_token")
		}
	})
}

// A fresh proof by the password hides no session of a recovery from that: its methods are others
// then, and it still lives for an hour at most.
func TestAttackRenewedRecoveryOutlivesAPassword(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		thief, own := w.browser(), w.browser()
		w.recover(thief, w.below.Join("ada"), session.AMRPassword, session.AMRBackupCode)
		w.is(thief.password(repaired), 201, "")
		if got := w.is(thief.as("POST", "/account/reauthenticate", fields{"password": repaired}), 201, ""); !slices.Equal(got.AMR, []string{"pwd"}) {
			t.Errorf("its methods are %v", got.AMR)
		}
		own.signIn("ada", fields{"password": repaired})
		w.is(own.as("PUT", "/account/password", fields{"current_password": repaired, "new_password": "five calm otters 19", "revoke_others": false}), 201, "")
		if !own.alive(own.access) || thief.alive(thief.access) {
			t.Error("the owner's session ended, or the session of the recovery lives on")
		}
	})
}

// A repaired session is no fresh proof for what repairs nothing, also of layers that make no aal2.
// When it has passed them, it is.
func TestRecoverStrongIsNoProofOfLayers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada, b := w.below.Join("ada"), w.browser()
		w.pin.set(ada, true)
		w.recover(b, ada, session.AMRPassword, session.AMRBackupCode)
		w.is(b.password(repaired), 201, "")
		w.is(b.as("POST", "/fresh", nil), 403, "step_up_required")
		w.is(b.as("DELETE", "/account", nil), 403, "step_up_required")
		c := w.is(b.as("POST", "/account/reauthenticate", fields{"password": repaired}), 202, "")
		w.is(b.pass(c, "pin", "1234"), 201, "")
		w.is(b.as("POST", "/fresh", nil), 204, "")
	})
}

// Of two passwords at once from one recovery session, one is set.
func TestRecoverPasswordsAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		b := w.browser()
		w.recover(b, w.below.Join("ada"), session.AMRBackupCode)
		got := race(4, func(i int) string {
			return said(b.request(true, "PUT", "/account/password", "Bearer "+b.access, fields{"new_password": repaired + strings.Repeat("x", i)}))
		})
		if got["201"] != 1 || got["401 unauthenticated"] != 3 {
			t.Errorf("answers %v", got)
		}
	})
}

// A call that was let in before the session became an ordinary one sets no password without
// the present one.
func TestRecoverPasswordTooLate(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada := w.below.Join("ada")
		b := w.browser()
		o := w.recover(b, ada, session.AMRBackupCode)
		c := rest.Caller{Account: string(ada), Session: o.ID, AAL: o.AAL, AMR: o.AMR, AuthTime: w.Now()}
		w.is(b.password(repaired), 201, "")
		if _, err := w.ChangePassword(t.Context(), c, rest.Client{}, "", "eleven shy lemurs 63", false); !errors.Is(err, token.ErrUnauthenticated) {
			t.Errorf("a second password: %v", err)
		}
		w.is(w.browser().attempt("ada"), 401, "invalid_credentials")
		if !b.alive(b.access) {
			t.Error("the session ended")
		}
		if got := w.browser().send("POST", "/auth/sign-in", "", fields{"identifier": "ada", "password": repaired}); got.Status != 201 {
			t.Errorf("the first password: %s", got.Raw)
		}
	})
}

// A layer that is turned on makes a recovery session an ordinary one. A session that has
// ended meanwhile turns nothing on.
func TestRecoverTurnOn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx, ada := t.Context(), w.below.Join("ada")
		b := w.browser()
		o := w.recover(b, ada, session.AMRBackupCode)
		c := rest.Caller{Account: string(ada), Session: o.ID, AAL: o.AAL, AMR: o.AMR}
		turnOn := func() error {
			return w.DB.Tx(ctx, func(tx *db.Tx) error { return w.TurnOn(ctx, tx, c, "app", "password-changed") })
		}
		if err := turnOn(); err != nil {
			t.Fatal(err)
		}
		if got := w.is(b.refreshed(), 201, ""); got.AAL != session.AAL1 || !slices.Equal(got.AMR, []string{"backup_code"}) {
			t.Errorf("%s", got.Raw)
		}
		w.bump(ada)
		before := w.count(`SELECT COUNT(*) FROM jobs`)
		if err := turnOn(); err == nil {
			t.Error("an ended session turns a layer on")
		}
		if err := w.TurnOff(ctx, c, "app", "password-changed", false); err == nil {
			t.Error("an ended session turns a layer off")
		}
		if st, err := w.Accounts.State(ctx, ada); err != nil || !slices.Equal(st.Layers, []string{"app"}) || w.count(`SELECT COUNT(*) FROM jobs`) != before {
			t.Errorf("%+v, %v", st, err)
		}
	})
}

// A writer of the database makes no ordinary session of a recovery session, and no strong one
// of a weak one, nor prolongs it.
func TestAttackWriterOfRecovery(t *testing.T) {
	t.Parallel()
	eachWriter(t, func(t *testing.T, w *writer) {
		b := w.browser()
		w.recover(b, w.ada, session.AMRTrusted)
		for _, q := range []string{
			`UPDATE sessions SET aal = 'aal1'`, `UPDATE sessions SET aal = 'aal2'`, `UPDATE sessions SET amr = 'trusted_email backup_code'`,
			`UPDATE sessions SET amr = 'trusted_email delay'`, `UPDATE sessions SET expires_at = expires_at + 3600000, refresh_expires_at = refresh_expires_at + 3600000`,
		} {
			w.altered("sessions", q, nil, func() {
				if got := b.request(true, "POST", "/auth/refresh", "", fields{"refresh_token": b.refresh}); said(got) != "401 invalid_refresh_token" {
					t.Errorf("%s: refreshed: %s", q, got.Raw)
				}
				if got := b.request(true, "PUT", "/account/password", "Bearer "+b.access, fields{"new_password": repaired}); said(got) != "401 unauthenticated" {
					t.Errorf("%s: a password: %s", q, got.Raw)
				}
			})
		}
		if got := w.is(b.refreshed(), 201, ""); got.AAL != session.AALRecovery {
			t.Errorf("%s", got.Raw)
		}
	})
}
