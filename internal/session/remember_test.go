package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

const deviceCookie = "__Host-coffer-device"

// remembered signs in with every layer and has the device remembered.
func (w *world) remembered(name string, more ...fields) *browser {
	w.t.Helper()
	b := w.browser()
	c := w.is(b.attempt(name, append(more, fields{"remember_device": true})...), 202, "")
	for _, l := range c.Layers {
		code := "1234"
		if l.Layer == "app" {
			code = w.code()
		}
		c = b.pass(c, l.Layer, code)
	}
	if w.is(c, 201, ""); c.AAL == "" || (b.jar[deviceCookie] == "") == (c.DeviceToken == "") {
		w.t.Fatalf("no device is remembered: %s", c.Raw)
	}
	return b
}

func TestRememberedDevice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := w.layered("ada")
		b := w.remembered("ada")
		got := w.is(b.attempt("ada"), 201, "")
		// A password alone: the session says so.
		if got.AAL != "aal1" || strings.Join(got.AMR, " ") != "pwd" {
			t.Errorf("%s %v", got.AAL, got.AMR)
		}
		w.is(b.attempt("ada", fields{"password": "wrong otters 41"}), 401, "invalid_credentials")
		// Somebody else's sign-in from this device is asked.
		w.layered("eve")
		w.is(b.attempt("eve"), 202, "")
		w.is(w.browser().attempt("ada"), 202, "")
		// A token that was made up, cut or lengthened is no device.
		token := b.jar[deviceCookie]
		for _, bad := range []string{"cd1.", "cd1." + strings.Repeat("A", 43), token[:len(token)-1], token + "A", "cd2" + token[3:], strings.Repeat("A", 5000)} {
			stranger := w.browser()
			stranger.jar[deviceCookie] = bad
			if got := stranger.attempt("ada"); got.Status != 202 {
				t.Errorf("device %.60q: %d", bad, got.Status)
			}
		}
		// Once the account's version has changed, it is asked again.
		w.bump(ada)
		w.is(b.attempt("ada"), 202, "")
		// It ends after thirty days.
		w.below.Advance(time.Minute)
		fresh := w.remembered("eve")
		w.below.Advance(30*24*time.Hour - time.Second)
		w.is(fresh.attempt("eve"), 201, "")
		w.below.Advance(time.Second)
		w.is(fresh.attempt("eve"), 202, "")
		if err := w.Prune(t.Context()); err != nil || w.count(`SELECT COUNT(*) FROM devices`) != 0 {
			t.Errorf("devices that are over are left behind, %v", err)
		}
	})
}

// Only what was asked for is remembered.
func TestNotRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.pin.set(w.below.Join("ada"), true)
	b := w.browser()
	got := w.is(b.pass(b.attempt("ada"), "pin", "1234"), 201, "")
	if b.jar[deviceCookie] != "" || got.DeviceToken != "" || w.count(`SELECT COUNT(*) FROM devices`) != 0 {
		t.Error("a device is remembered that did not ask for it")
	}
	w.is(b.attempt("ada"), 202, "")
	// An attempt that is given up remembers nothing.
	w.is(b.attempt("ada", fields{"remember_device": true}), 202, "")
	if n := w.count(`SELECT COUNT(*) FROM devices`); n != 0 {
		t.Errorf("%d devices of a sign-in that did not end", n)
	}
}

// A layer that the device has never passed is asked for, alone; afterwards both are known.
func TestLayerAfterRemembering(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada := w.below.Join("ada")
		w.withApp(ada)
		b := w.remembered("ada")
		w.pin.set(ada, true)
		c := w.is(b.attempt("ada", fields{"remember_device": true}), 202, "")
		if layers(c) != "pin" {
			t.Fatalf("asked for %q, want the new layer alone", layers(c))
		}
		old := b.jar[deviceCookie]
		if got := w.is(b.pass(c, "pin", "1234"), 201, ""); got.AAL != "aal1" {
			t.Errorf("a remembered factor counts as passed: %s", got.Raw)
		}
		if b.jar[deviceCookie] == old {
			t.Error("the device's token did not change")
		}
		w.is(b.attempt("ada"), 201, "")
		stale := w.browser()
		stale.jar[deviceCookie] = old
		w.is(stale.attempt("ada"), 202, "")
		if n := w.count(`SELECT COUNT(*) FROM devices`); n != 1 {
			t.Errorf("%d devices, want 1", n)
		}
	})
}

// Clients without cookies get the token in the answer and send it in the body.
func TestDeviceTokenInBody(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.pin.set(w.below.Join("ada"), true)
		b := w.browser()
		c := b.attempt("ada", inBody, fields{"remember_device": true})
		got := w.is(b.pass(c, "pin", "1234"), 201, "")
		if got.Header.Get("Set-Cookie") != "" || !strings.HasPrefix(got.DeviceToken, "cd1.") {
			t.Fatalf("%s %v", got.Raw, got.Header)
		}
		w.is(w.browser().attempt("ada", inBody, fields{"device_token": got.DeviceToken}), 201, "")
		// The digest is all that is stored.
		dump := w.dump("devices")
		if n := w.count(`SELECT LENGTH(token) FROM devices`); n != 32 || !strings.Contains(dump, "pin") {
			t.Errorf("a device is %d bytes", n)
		}
		w.silent(dump, got.DeviceToken)
	})
}

// Strangers who guess lock out strangers, not the devices that the owner has used.
func TestLockoutSparesKnownDevices(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), inMemory)
	ada := w.below.Join("ada")
	known, stale := w.browser(), w.browser()
	for _, b := range []*browser{known, stale} {
		w.is(b.attempt("ada", fields{"remember_device": true}), 201, "")
	}
	session := known.access
	// A token of an earlier version is no longer the owner's.
	w.bump(ada)
	w.is(known.attempt("ada", fields{"remember_device": true}), 201, "")
	attacker := w.browser()
	for i := range 50 {
		attacker.addr = fmt.Sprintf("198.51.100.%d", i/5)
		w.is(attacker.attempt("ada", fields{"password": fmt.Sprint("guess ", i)}), 401, "invalid_credentials")
	}
	attacker.addr = "198.51.100.99"
	w.is(attacker.attempt("ada"), 403, "sign_in_held")
	w.is(stale.attempt("ada"), 403, "sign_in_held")
	w.is(known.attempt("ada"), 201, "")
	if known.access == session || !known.alive(known.access) {
		t.Error("the owner is locked out")
	}
	// Nor can they keep somebody who is signed in from proving it afresh.
	w.is(known.as("POST", "/account/reauthenticate", fields{"password": password}), 201, "")
	// A stolen device has limits of its own, from however many addresses.
	for i := range 50 {
		known.addr = fmt.Sprintf("203.0.113.%d", i/5)
		w.is(known.attempt("ada", fields{"password": fmt.Sprint("guess ", i)}), 401, "invalid_credentials")
	}
	known.addr = "203.0.113.99"
	w.is(known.attempt("ada"), 429, "rate_limited")
}

// While the owner wants to be asked always, a remembered device is spared no layer, also in
// an attempt that began before, and no device is remembered.
func TestAlwaysAsk(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := w.layered("ada")
		always := func(on bool) {
			t.Helper()
			if err := w.Accounts.SetAlwaysAsk(t.Context(), ada, on); err != nil {
				t.Fatal(err)
			}
		}
		w.pin.set(ada, false)
		b := w.remembered("ada")
		w.is(b.attempt("ada"), 201, "")
		w.pin.set(ada, true)
		waits := w.is(b.attempt("ada"), 202, "") // is spared the app's layer
		always(true)
		w.is(b.pass(waits, "pin", "1234"), 410, "attempt_over")
		c := w.is(b.attempt("ada", fields{"remember_device": true}), 202, "")
		if layers(c) != "app pin" {
			t.Errorf("asked for %s", layers(c))
		}
		w.below.Advance(30 * time.Second)
		before := w.count(`SELECT COUNT(*) FROM devices`)
		w.is(b.pass(b.pass(c, "pin", "1234"), "app", w.code()), 201, "")
		if n := w.count(`SELECT COUNT(*) FROM devices`); n != before {
			t.Errorf("%d devices are remembered, %d before", n, before)
		}
		always(false)
		if c = w.is(b.attempt("ada"), 202, ""); layers(c) != "pin" {
			t.Errorf("afterwards asked for %s", layers(c))
		}
	})
}
