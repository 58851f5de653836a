package recovery_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/rest"
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

// An intruder has recovered the account, set a password and an app. The owner stops that.
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
		least := w.Accounts.PasswordMin
		w.Accounts.PasswordMin = 100 // a rule for chosen passwords
		w.is(w.stop(link), 204, "")
		w.Accounts.PasswordMin = least
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
		w.Advance(time.Minute)
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

// A stop and a layer that the intruder turns on at once leave the layer off and the intruder
// outside, whichever is first. The intruder's calls were let in before the stop.
func TestStopAgainstALayer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		for i, order := range []string{"the stop first", "the layer first", "at once", "at once", "at once", "at once"} {
			for what, repair := range map[string]bool{"a recovery session": false, "an ordinary session": true} {
				what = what + ", " + order
				name := fmt.Sprintf("ada-%d-%v", i, repair)
				id, codes := w.coded(name)
				b := w.is(w.useCode(name, oldPassword, codes[0]), 201, "")
				link := w.stopLink()
				as := rest.Caller{Account: string(id), Session: b.SessionID, AAL: b.AAL, AMR: b.AMR, AuthTime: w.Now()}
				if err := w.codes.Disable(t.Context(), as, true); err != nil {
					t.Fatal(err)
				}
				if repair {
					b = w.is(w.call(home, "PUT", "/account/password", "Bearer "+b.AccessToken, fields{"new_password": newPassword}), 201, "")
					as.AAL = b.AAL
				}
				e, err := w.codes.Enrol(t.Context(), rest.Caller{Account: string(id)})
				if err != nil {
					t.Fatal(err)
				}
				stop := func() string { return said(w.stop(link)) }
				turnOn := func() string {
					return fmt.Sprint(w.codes.Confirm(context.WithoutCancel(t.Context()), as, w.code(e.Secret)))
				}
				switch order {
				case "the stop first":
					stop()
					if got := turnOn(); got == "<nil>" {
						t.Errorf("%s: an ended session turned a layer on", what)
					}
				case "the layer first":
					if got := turnOn(); got != "<nil>" {
						t.Errorf("%s: %s", what, got)
					}
					stop()
				default:
					race(2, func(n int) string { return []func() string{stop, turnOn}[n]() })
				}
				w.is(w.stop(link), 410, "link_gone")
				if st, err := w.Accounts.State(t.Context(), id); err != nil || !slices.Equal(st.Layers, []string{w.Name()}) {
					t.Errorf("%s: layers %v, %v", what, st.Layers, err)
				}
				if n := w.count(`SELECT COUNT(*) FROM totp WHERE account = $1 AND enabled_at IS NOT NULL`, string(id)); n != 0 {
					t.Errorf("%s: the app is on", what)
				}
				if n := w.count(`SELECT COUNT(*) FROM sessions WHERE account = $1`, string(id)); n != 0 || w.alive(b.AccessToken) {
					t.Errorf("%s: %d sessions", what, n)
				}
				w.is(w.signIn(name, newPassword, nil), 401, "invalid_credentials")
				w.Mails()
			}
			w.Advance(time.Hour)
		}
	})
}

// An ended session of a recovery turns no layer of the owner's off.
func TestStopBeforeALayerIsOff(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		for _, repair := range []bool{false, true} {
			name := fmt.Sprintf("ada-%v", repair)
			id, codes := w.coded(name)
			b := w.is(w.useCode(name, oldPassword, codes[0]), 201, "")
			if repair {
				b = w.is(w.call(home, "PUT", "/account/password", "Bearer "+b.AccessToken, fields{"new_password": newPassword}), 201, "")
			}
			as := rest.Caller{Account: string(id), Session: b.SessionID, AAL: b.AAL, AMR: b.AMR, AuthTime: w.Now()}
			w.is(w.stop(w.stopLink()), 204, "")
			if err := w.codes.Disable(t.Context(), as, true); err == nil {
				t.Errorf("%s: an ended session turned a layer off", b.AAL)
			}
			if st, err := w.Accounts.State(t.Context(), id); err != nil || !slices.Contains(st.Layers, "totp") {
				t.Errorf("%s: layers %v, %v", b.AAL, st.Layers, err)
			}
		}
	})
}

// A stop leaves the layers on that were on before the recovery, and takes one that was
// turned on at its moment.
func TestStopKeepsOlderLayers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		for what, c := range map[string]struct {
			since time.Duration
			stays bool
		}{"ada-before": {-time.Millisecond, true}, "ada-at": {0, false}, "ada-after": {time.Millisecond, false}} {
			id, codes := w.coded(what)
			b := w.is(w.useCode(what, oldPassword, codes[0]), 201, "")
			w.exec(`UPDATE totp SET enabled_at = $2 WHERE account = $1`, string(id), w.Now().Add(c.since).UnixMilli())
			w.Advance(time.Minute)
			w.is(w.stop(w.stopLink()), 204, "")
			st, err := w.Accounts.State(t.Context(), id)
			if err != nil || slices.Contains(st.Layers, "totp") != c.stays || !slices.Contains(st.Layers, w.Name()) {
				t.Errorf("%s: %v, %v", what, st.Layers, err)
			}
			if on := w.count(`SELECT COUNT(*) FROM totp WHERE account = $1`, string(id)); (on == 1) != c.stays {
				t.Errorf("%s: %d rows", what, on)
			}
			if w.alive(b.AccessToken) {
				t.Errorf("%s: the recovery lives", what)
			}
		}
	})
}

// lockApp sends wrong codes until the app answers nobody, and returns how many were judged.
func (w *world) lockApp(name, secret string) (judged int) {
	w.t.Helper()
	for range 500 {
		c := w.signIn(name, oldPassword, nil)
		for c.Status == 202 {
			wrong := "000000"
			if wrong == w.code(secret) {
				wrong = "000001"
			}
			got := w.call(home, "POST", "/auth/attempts/"+c.AttemptID+"/totp", "Attempt "+c.AttemptToken, fields{"code": wrong})
			switch said(got) {
			case "401 invalid_code":
				judged++
				continue
			case "401 totp_locked":
				return judged
			case "410 attempt_over", "429 rate_limited":
			default:
				w.t.Fatalf("a wrong code: %d %s", got.Status, got.Raw)
			}
			break
		}
		w.Advance(5 * time.Minute)
	}
	w.t.Fatalf("no lock after %d codes", judged)
	return judged
}

// A hundred wrong codes lock an authenticator app. A weak recovery session does not turn it
// off. A strong one does, and sets it up again, and sign-in asks the new app.
func TestRecoverLockedApp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		id, secret := w.trusting("ada")
		codes := w.withCodes(id)
		w.Advance(rest3days)
		if judged := w.lockApp("ada", secret); judged != 100 {
			t.Errorf("%d wrong codes were judged", judged)
		}
		if n := len(w.mailed("totp-locked")); n != 2 { // to both addresses
			t.Errorf("%d mails of the lock", n)
		}
		w.Advance(time.Hour)
		w.is(w.pass(w.is(w.signIn("ada", oldPassword, nil), 202, ""), secret), 401, "totp_locked") // a right code, too late

		weak := "Bearer " + w.is(w.useTrusted(w.trustedLink("ada")), 201, "").AccessToken
		w.is(w.call(home, "DELETE", "/account/totp?recovery=off", weak, nil), 403, "recovery_waits")
		w.is(w.call(home, "POST", "/account/totp", weak, nil), 403, "recovery_waits")
		w.is(w.call(home, "POST", "/account/totp/confirm", weak, fields{"code": w.code(secret)}), 403, "recovery_waits")
		w.is(w.pass(w.is(w.signIn("ada", oldPassword, nil), 202, ""), secret), 401, "totp_locked")

		b := w.is(w.useCode("ada", oldPassword, codes[0]), 201, "")
		strong := "Bearer " + b.AccessToken
		w.is(w.call(home, "POST", "/account/totp", strong, nil), 409, "totp_already_enabled")
		w.is(w.call(home, "DELETE", "/account/totp?recovery=off", strong, nil), 204, "")
		var app struct{ Secret string }
		if err := json.Unmarshal([]byte(w.is(w.call(home, "POST", "/account/totp", strong, nil), 201, "").Raw), &app); err != nil || app.Secret == secret {
			t.Fatalf("the new app's secret %q, %v", app.Secret, err)
		}
		w.is(w.call(home, "POST", "/account/totp/confirm", strong, fields{"code": w.code(app.Secret)}), 204, "")
		w.Advance(time.Minute) // to a code that is not spent
		w.is(w.pass(w.is(w.signIn("ada", oldPassword, nil), 202, ""), secret), 401, "invalid_code")
		c := w.is(w.pass(w.is(w.signIn("ada", oldPassword, nil), 202, ""), app.Secret), 202, "")
		c = w.is(w.call(home, "POST", "/auth/attempts/"+c.AttemptID+"/broken", "Attempt "+c.AttemptToken, nil), 201, "")
		if c.AAL != "aal2" {
			t.Errorf("after the new app: %s", c.Raw)
		}
	})
}

// A stop takes the ways in that were added since the recovery began, those of every room. Those
// from before stay, and those of other accounts.
func TestStopTakesWaysIn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		var dropped []string
		for _, room := range []string{"passkeys", "identities"} {
			w.Accounts.AddWayIn(account.WayIn{DropSince: func(_ context.Context, _ *db.Tx, id account.ID, since time.Time) error {
				dropped = append(dropped, fmt.Sprint(room, " of ", id, " since ", since.UTC().Format(time.RFC3339)))
				return nil
			}})
		}
		ada, codes := w.coded("ada")
		w.Advance(time.Minute)
		began := w.Now().UTC().Format(time.RFC3339)
		w.is(w.useCode("ada", oldPassword, codes[0]), 201, "")
		link := w.stopLink()
		w.Advance(time.Hour)
		w.is(w.stop(link), 204, "")
		want := []string{fmt.Sprint("passkeys of ", ada, " since ", began), fmt.Sprint("identities of ", ada, " since ", began)}
		if !slices.Equal(dropped, want) {
			t.Errorf("%q, want %q", dropped, want)
		}
		w.is(w.stop(link), 410, "link_gone")
		if len(dropped) != 2 {
			t.Error("a used link takes ways in")
		}
	})
}

// A stop takes the ways back that were set up since the recovery began. Those from before stay.
func TestStopTakesWaysBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada, codes := w.coded("ada")
		w.Advance(time.Minute)
		w.is(w.useCode("ada", oldPassword, codes[0]), 201, "")
		first := w.stopLink()
		w.is(w.stop(first), 204, "")
		if left := w.backupLine(ada).Left; left == nil || *left != 9 {
			t.Fatalf("the owner's codes are gone: %+v", w.backupLine(ada))
		}
		w.is(w.reset(w.forgot("ada"), oldPassword), 202, "")
		w.is(w.useCode("ada", oldPassword, codes[1]), 201, "")
		second := w.stopLink()
		w.makeCodes(ada, true)
		if err := w.back.ConfirmBackup(t.Context(), caller(ada)); err != nil {
			t.Fatal(err)
		}
		w.is(w.verifyTrusted(w.askTrusted(ada, "mallory@example.org")), 204, "")
		w.is(w.stop(second), 204, "")
		if line, trusted := w.backupLine(ada), w.readTrusted(ada); line.Enabled || trusted.Email != "" {
			t.Errorf("codes %+v, trusted address %q", line, trusted.Email)
		}
	})
}
