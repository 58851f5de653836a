package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// What asks for a fresh proof takes one that is at most ten minutes old, and as strong as
// the account can give (NIST SP 800-63B §4.1.2.1; security.md rows 38 and 56).
func TestStepUp(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		plain, weak := w.below.Join("plain"), w.below.Join("weak")
		w.layered("strong")
		w.pin.set(weak, true)
		opened := map[string]*browser{}
		for name, who := range map[string]string{"password alone": "plain", "a weak layer": "weak"} {
			opened[name] = w.browser()
			if c := opened[name].attempt(who); c.Status == 202 {
				w.is(opened[name].pass(c, "pin", "1234"), 201, "")
			}
		}
		opened["two factors"] = w.remembered("strong")
		opened["a remembered device"] = w.browser()
		opened["a remembered device"].jar[deviceCookie] = opened["two factors"].jar[deviceCookie]
		w.is(opened["a remembered device"].attempt("strong"), 201, "")

		check := func(when string, want map[string]int) {
			t.Helper()
			for name, status := range want {
				got := opened[name].as("POST", "/fresh", nil)
				if got.Status != status || status == 403 && got.Code != "step_up_required" {
					t.Errorf("%s, %s: %d %s, want %d", name, when, got.Status, got.Raw, status)
				}
			}
		}
		check("at once", map[string]int{"password alone": 204, "a weak layer": 204, "two factors": 204, "a remembered device": 403})
		w.below.Advance(10 * time.Minute)
		check("after ten minutes", map[string]int{"password alone": 204, "a weak layer": 204, "two factors": 204, "a remembered device": 403})
		w.below.Advance(time.Second)
		check("later", map[string]int{"password alone": 403, "a weak layer": 403, "two factors": 403, "a remembered device": 403})
		// A refresh is no proof.
		for _, b := range opened {
			w.is(b.send("POST", "/auth/refresh", "", nil), 201, "")
		}
		check("after a refresh", map[string]int{"password alone": 403, "a weak layer": 403, "two factors": 403, "a remembered device": 403})
		// A factor that is set up asks older sessions for itself.
		w.is(opened["password alone"].as("POST", "/account/reauthenticate", fields{"password": password}), 201, "")
		check("after a fresh proof", map[string]int{"password alone": 204})
		w.withApp(plain)
		check("with a new factor", map[string]int{"password alone": 403})
		// Without a session nobody gets as far as that.
		w.is(w.browser().send("POST", "/fresh", "", nil), 401, "unauthenticated")
	})
}

func TestReauthenticate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.below.Join("ada")
		b := w.browser()
		first := b.signIn("ada")
		w.below.Advance(14 * time.Minute)
		w.is(b.as("POST", "/fresh", nil), 403, "step_up_required")
		w.is(b.as("POST", "/account/reauthenticate", fields{"password": "wrong otters 41"}), 401, "invalid_credentials")
		w.is(b.as("POST", "/fresh", nil), 403, "step_up_required")
		refresh := b.jar["__Host-coffer-refresh"]
		got := w.is(b.as("POST", "/account/reauthenticate", fields{"password": password}), 201, "")
		if got.SessionID != first.SessionID || got.RefreshToken != "" || got.Header.Get("Set-Cookie") != "" || got.AAL != "aal1" || got.ExpiresIn != 900 {
			t.Errorf("a fresh proof: %s", got.Raw)
		}
		w.is(b.as("POST", "/fresh", nil), 204, "")
		// The proof is the session's: what is refreshed has it too.
		if b.jar["__Host-coffer-refresh"] != refresh {
			t.Error("the refresh token changed")
		}
		w.is(b.send("POST", "/auth/refresh", "", nil), 201, "")
		w.is(b.as("POST", "/fresh", nil), 204, "")
		if n := w.count(`SELECT COUNT(*) FROM sessions`); n != 1 {
			t.Errorf("%d sessions, want 1", n)
		}
	})
}

// In a session that passed no layer the layers are asked for; the same session rises.
func TestReauthenticateWithLayers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada := w.layered("ada")
		b := w.remembered("ada")
		first := w.is(b.attempt("ada"), 201, "")
		w.below.Advance(time.Minute)
		w.is(b.as("POST", "/fresh", nil), 403, "step_up_required")
		c := w.is(b.as("POST", "/account/reauthenticate", fields{"password": password}), 202, "")
		if layers(c) != "app pin" {
			t.Fatalf("asked for %q: a remembered device does not count here", layers(c))
		}
		w.is(b.pass(c, "pin", "1234"), 202, "")
		if strings.Contains(b.as("GET", "/sessions/"+first.SessionID, nil).Raw, "aal2") {
			t.Error("half a proof counts")
		}
		got := w.is(b.pass(c, "app", w.code()), 201, "")
		if got.SessionID != first.SessionID || got.AAL != "aal2" || strings.Join(got.AMR, " ") != "pwd otp pin mfa" || got.RefreshExpiresIn != 86340 {
			t.Errorf("the renewed session: %s", got.Raw)
		}
		w.is(b.as("POST", "/fresh", nil), 204, "")
		again := w.is(b.send("POST", "/auth/refresh", "", nil), 201, "")
		if again.AAL != "aal2" || strings.Join(again.AMR, " ") != "pwd otp pin mfa" {
			t.Errorf("after a refresh: %s %v", again.AAL, again.AMR)
		}
		if listed := w.is(b.as("GET", "/sessions", nil), 200, "").Items[0]; listed.AAL != "aal2" || strings.Join(listed.AMR, " ") != "pwd otp pin mfa" {
			t.Errorf("the list says %s %v", listed.AAL, listed.AMR)
		}
		// At aal2 the password is enough to be fresh again.
		w.below.Advance(11 * time.Minute)
		w.is(b.as("POST", "/fresh", nil), 403, "step_up_required")
		if got := w.is(b.as("POST", "/account/reauthenticate", fields{"password": password}), 201, ""); got.AAL != "aal2" || strings.Join(got.AMR, " ") != "pwd otp pin mfa" {
			t.Errorf("at aal2: %s", got.Raw)
		}
		w.is(b.as("POST", "/fresh", nil), 204, "")
		// A proof for a session that has ended renews nothing.
		w.bump(ada)
		w.is(b.as("POST", "/account/reauthenticate", fields{"password": password}), 401, "unauthenticated")
	})
}

func TestRenewedSessionHasEnded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada := w.below.Join("ada")
		b := w.browser()
		b.signIn("ada")
		w.pin.set(ada, true)
		c := w.is(b.as("POST", "/account/reauthenticate", fields{"password": password}), 202, "")
		w.is(b.send("POST", "/auth/sign-out", "Bearer "+b.access, nil), 204, "")
		w.is(b.pass(c, "pin", "1234"), 401, "unauthenticated")
		if n := w.count(`SELECT COUNT(*) FROM sessions`); n != 0 {
			t.Errorf("%d sessions", n)
		}
		// The record goes before the row. Between the two the session has ended as well.
		w.pin.set(ada, false)
		id := b.signIn("ada").SessionID
		w.pin.set(ada, true)
		c = w.is(b.as("POST", "/account/reauthenticate", fields{"password": password}), 202, "")
		if err := w.below.KV.Delete(t.Context(), recordName(id)); err != nil {
			t.Fatal(err)
		}
		w.is(b.pass(c, "pin", "1234"), 401, "unauthenticated")
	})
}

func TestWrongPasswordsOfReauthenticate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), inMemory)
	w.below.Join("ada")
	w.below.Join("eve")
	b, other := w.browser(), w.browser()
	b.signIn("ada")
	other.signIn("eve")
	for i := range 10 {
		w.is(b.as("POST", "/account/reauthenticate", fields{"password": fmt.Sprint("guess ", i)}), 401, "invalid_credentials")
	}
	if got := w.is(b.as("POST", "/account/reauthenticate", fields{"password": password}), 429, "rate_limited"); got.Header.Get("Retry-After") == "" {
		t.Error("429 without Retry-After")
	}
	w.is(other.as("POST", "/account/reauthenticate", fields{"password": password}), 201, "")
	// Whoever has another address but the same session has no more guesses than fifty.
	for i := range 40 {
		b.addr = fmt.Sprintf("198.51.100.%d", i/5)
		w.is(b.as("POST", "/account/reauthenticate", fields{"password": fmt.Sprint("guess ", i)}), 401, "invalid_credentials")
	}
	b.addr = "198.51.100.99"
	w.is(b.as("POST", "/account/reauthenticate", fields{"password": password}), 429, "rate_limited")
	w.is(w.browser().attempt("ada"), 201, "")
}

// A password on a device that is spared a layer is no fresh proof, whatever the layer is
// worth: step-up asks for the layer.
func TestStepUpOnARememberedDevice(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.pin.set(w.below.Join("ada"), true)
		b := w.remembered("ada")
		w.is(b.as("POST", "/fresh", nil), 204, "")
		w.below.Advance(w.StepUpTTL + time.Second)
		w.is(b.attempt("ada"), 201, "")
		w.is(b.as("POST", "/fresh", nil), 403, "step_up_required")
		c := w.is(b.as("POST", "/account/reauthenticate", fields{"password": password}), 202, "")
		w.is(b.pass(c, "pin", "1234"), 201, "")
		w.is(b.as("POST", "/fresh", nil), 204, "")
	})
}

// A change of password is no way around the layers: the password makes a session fresh only where
// it would at a re-authentication.
func TestStepUpAfterAChangeOfPassword(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.pin.set(w.below.Join("ada"), true)
		w.below.Join("plain")
		b, plain := w.remembered("ada"), w.browser()
		plain.signIn("plain")
		w.below.Advance(w.StepUpTTL + time.Second)
		w.is(b.attempt("ada"), 201, "") // the device is spared the layer
		change := func(b *browser, current, next string) {
			t.Helper()
			b.access = w.is(b.change(current, next, fields{"revoke_others": false}), 201, "").AccessToken
		}
		change(b, password, otherPassword)
		w.is(b.as("POST", "/fresh", nil), 403, "step_up_required")
		w.is(b.send("POST", "/auth/refresh", "", nil), 201, "")
		w.is(b.as("POST", "/fresh", nil), 403, "step_up_required")
		c := w.is(b.as("POST", "/account/reauthenticate", fields{"password": otherPassword}), 202, "")
		w.is(b.pass(c, "pin", "1234"), 201, "")
		// A proof that is fresh stays so, and grows no younger.
		w.below.Advance(w.StepUpTTL)
		change(b, otherPassword, password)
		w.is(b.as("POST", "/fresh", nil), 204, "")
		w.below.Advance(time.Second)
		w.is(b.as("POST", "/fresh", nil), 403, "step_up_required")

		w.is(plain.send("POST", "/auth/refresh", "", nil), 201, "")
		w.is(plain.as("POST", "/fresh", nil), 403, "step_up_required")
		change(plain, password, otherPassword)
		w.is(plain.as("POST", "/fresh", nil), 204, "")
	})
}
