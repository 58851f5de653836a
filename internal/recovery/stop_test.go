package recovery_test

import (
	"slices"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

func (w *world) stop(token string) reply {
	w.t.Helper()
	return w.post("/auth/recovery/stop", fields{"token": token})
}

// stopLink returns the token in the mail about a recovery.
func (w *world) stopLink() string {
	w.t.Helper()
	return w.tokenIn("recovery-used", "/stop-recovery")
}

// An owner stops an intruder's recovery, who has set a password and an authenticator app.
// Everything ends, the owner's own layers stay, and the way in is a reset.
func TestStop(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada, codes := w.coded("ada")
		w.Advance(time.Minute)
		b := w.is(w.useCode("ada", oldPassword, codes[0]), 201, "")
		link := w.stopLink()
		for _, token := range []string{"", link[1:], link + "x", "nothing"} {
			w.is(w.stop(token), 410, "link_gone")
		}
		w.is(w.post("/auth/recovery/stop/check", fields{"token": link}), 204, "")
		w.is(w.post("/auth/password/reset", fields{"token": link, "password": newPassword}), 410, "link_gone")
		w.is(w.call(home, "PUT", "/account/password", "Bearer "+b.AccessToken, fields{"new_password": newPassword}), 201, "")
		own, err := w.Accounts.State(t.Context(), ada)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(own.Layers, "totp") {
			if err := w.codes.Disable(t.Context(), caller(ada), true); err != nil {
				t.Fatal(err)
			}
		}
		secret := w.withApp(ada)
		in := w.is(w.pass(w.is(w.signIn("ada", newPassword, nil), 202, ""), secret), 202, "")
		w.Mails()
		w.is(w.stop(link), 204, "")
		if n := len(w.mailed("recovery-stopped")); n != 1 {
			t.Errorf("%d mails", n)
		}
		w.is(w.stop(link), 410, "link_gone")
		w.is(w.post("/auth/recovery/stop/check", fields{"token": link}), 410, "link_gone")
		w.is(w.signIn("ada", newPassword, nil), 401, "invalid_credentials")
		w.is(w.signIn("ada", oldPassword, nil), 401, "invalid_credentials")
		w.is(w.call(home, "GET", "/auth/attempts/"+in.AttemptID, "Attempt "+in.AttemptToken, nil), 410, "attempt_over")
		if n := w.count(`SELECT COUNT(*) FROM sessions`) + w.count(`SELECT COUNT(*) FROM totp`) + w.count(`SELECT COUNT(*) FROM devices`); n != 0 {
			t.Errorf("%d rows stay", n)
		}
		st, err := w.Accounts.State(t.Context(), ada)
		if err != nil || slices.Contains(st.Layers, "totp") || len(st.Layers) != len(own.Layers)-1 {
			t.Errorf("layers %v, before %v; %v", st.Layers, own.Layers, err)
		}
		w.forgot("ada")
	})
}

// Of many stops at once one is done. A link of another recovery still works, and none works
// after its day.
func TestStopAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		_, codes := w.coded("ada")
		w.is(w.useCode("ada", oldPassword, codes[0]), 201, "")
		first := w.stopLink()
		w.is(w.useCode("ada", oldPassword, codes[1]), 201, "")
		second := w.stopLink()
		w.is(w.useCode("ada", oldPassword, codes[2]), 201, "")
		third := w.stopLink()
		got := race(20, func(int) string { return said(w.stop(first)) })
		if got["204"] != 1 || got["204"]+got["410 link_gone"]+got["429 rate_limited"]+got["503 busy"] != 20 {
			t.Errorf("answers %v", got)
		}
		if n := len(w.mailed("recovery-stopped")); n != 1 {
			t.Errorf("%d mails", n)
		}
		w.Advance(time.Hour)
		w.is(w.stop(second), 204, "")
		w.Advance(23*time.Hour + time.Second)
		w.is(w.stop(third), 410, "link_gone")
	})
}

// A stop and a password of the recovery at once leave the intruder outside, whichever is first.
func TestStopAgainstAPassword(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		_, codes := w.coded("ada")
		for i := range 4 {
			var b reply
			if i == 0 {
				b = w.is(w.useCode("ada", oldPassword, codes[i]), 201, "")
			} else {
				w.is(w.reset(w.forgot("ada"), oldPassword), 202, "")
				w.Mails()
				b = w.is(w.useCode("ada", oldPassword, codes[i]), 201, "")
			}
			link := w.stopLink()
			race(2, func(n int) string {
				if n == 0 {
					return said(w.stop(link))
				}
				return said(w.call(home, "PUT", "/account/password", "Bearer "+b.AccessToken, fields{"new_password": newPassword}))
			})
			w.is(w.signIn("ada", newPassword, nil), 401, "invalid_credentials")
			w.is(w.call(home, "GET", "/account", "Bearer "+b.AccessToken, nil), 401, "unauthenticated")
			if n := w.count(`SELECT COUNT(*) FROM sessions`); n != 0 {
				t.Errorf("%d sessions", n)
			}
			w.Advance(time.Hour)
		}
	})
}

// A locked authenticator app is turned off and set up again from a strong recovery session.
func TestRecoverLockedApp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		_, codes := w.coded("ada")
		w.exec(`UPDATE totp SET failures = 100`)
		b := w.is(w.useCode("ada", oldPassword, codes[0]), 201, "")
		w.is(w.call(home, "DELETE", "/account/totp?recovery=off", "Bearer "+b.AccessToken, nil), 204, "")
		w.is(w.call(home, "POST", "/account/totp", "Bearer "+b.AccessToken, nil), 201, "")
		if n := w.count(`SELECT COUNT(*) FROM totp WHERE failures > 0`); n != 0 {
			t.Error("the new app is locked")
		}
	})
}
