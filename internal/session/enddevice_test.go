package session_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/event"
	"coffer/internal/session"
)

// endLink returns the token of the link in the one mail about a new device.
func (w *world) endLink() string {
	w.t.Helper()
	token := ""
	for _, m := range w.below.Mails() {
		if m.Kind == "new-device" {
			link, ok := strings.CutPrefix(m.Data["link"], base+"/end-device#token=")
			if !ok || token != "" {
				w.t.Fatalf("the link %q, beside %q", m.Data["link"], token)
			}
			token = link
		}
	}
	return token
}

// The link in the mail about a new device ends every session of that device and forgets that
// it was remembered and known. It spares others, works once and signs nobody in.
func TestEndDevice(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.below.Join("ada")
		home := w.from(firefox, "192.0.2.7")
		home.signIn("ada", fields{"remember_device": true})
		w.below.Mails()
		at := w.below.Now().UTC().Truncate(time.Millisecond)
		thief := w.from(chrome, "203.0.113.5")
		thief.signIn("ada", fields{"remember_device": true})
		token := w.endLink()
		w.below.Advance(time.Minute)
		second := w.from(chrome, "203.0.113.5") // no mail tells of it
		second.signIn("ada", fields{"remember_device": true})
		elsewhere := w.from(chrome, "198.51.100.7")
		elsewhere.signIn("ada")
		w.below.Mails()

		stranger := w.from("curl/8", "198.51.100.99")
		got := w.is(stranger.send("POST", "/auth/end-device/check", "", fields{"token": token}), 200, "")
		var shown session.DeviceToEnd
		if err := json.Unmarshal([]byte(got.Raw), &shown); err != nil || shown != (session.DeviceToEnd{Device: "Chrome 128 on Windows", SignedInAt: at}) {
			t.Errorf("shown %+v, %v", shown, err)
		}
		heard := w.heard()
		for range 2 { // a yes uses nothing up, and is noted once
			w.is(stranger.send("POST", "/auth/end-device/confirm", "", fields{"token": token}), 204, "")
		}
		if got := heard(); len(got) != 1 || got[0] != "device-confirmed Chrome on Windows 203.0.113.5" {
			t.Errorf("a yes tells %q", got)
		}
		if !thief.alive(thief.access) {
			t.Error("a yes ends the session")
		}
		if got = w.is(stranger.send("POST", "/auth/end-device", "", fields{"token": token}), 204, ""); got.AccessToken != "" || len(stranger.jar) != 0 {
			t.Errorf("the link signs in: %+v", got)
		}
		for name, one := range map[string]struct {
			b    *browser
			want bool
		}{"home": {home, true}, "the thief": {thief, false}, "the thief again": {second, false}, "the same browser elsewhere": {elsewhere, true}} {
			if one.b.alive(one.b.access) != one.want {
				t.Errorf("%s: alive is not %v", name, one.want)
			}
		}
		if n := w.count(`SELECT COUNT(*) FROM devices WHERE account = $1`, string(id)); n != 0 {
			t.Errorf("%d remembered devices, want none", n)
		}
		w.is(stranger.send("POST", "/auth/end-device", "", fields{"token": token}), 410, "link_gone")
		w.is(stranger.send("POST", "/auth/end-device/check", "", fields{"token": token}), 410, "link_gone")
		w.is(stranger.send("POST", "/auth/end-device/confirm", "", fields{"token": token}), 410, "link_gone")
		if got := heard(); len(got) != 1 || got[0] != "device-ended Chrome on Windows 203.0.113.5" {
			t.Errorf("a no tells %q", got)
		}
		w.below.RunJobs()
		if told := w.below.Told(); len(told) != 0 {
			t.Errorf("told %q of the end", told)
		}
		thief.signIn("ada")
		w.wantNotices("the device comes back", 1)
	})
}

// The link outlives whatever the intruder does: a sign-out that keeps the remembered device,
// and the end of all other sessions.
func TestEndDeviceAfterItLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), inMemory)
	id := w.below.Join("ada")
	w.from(firefox, "192.0.2.7").signIn("ada")
	thief := w.from(chrome, "203.0.113.5")
	thief.signIn("ada", fields{"remember_device": true})
	token := w.endLink()
	w.is(thief.as("POST", "/auth/sign-out", nil), 204, "")
	if n := w.count(`SELECT COUNT(*) FROM devices`); n != 1 {
		t.Fatalf("%d remembered devices", n)
	}
	b := w.browser()
	w.is(b.send("POST", "/auth/end-device", "", fields{"token": token}), 204, "")
	if n := w.count(`SELECT COUNT(*) FROM devices`); n != 0 {
		t.Errorf("%d remembered devices of a device that was ended", n)
	}
	thief = w.from(chrome, "203.0.113.6")
	spared := thief.signIn("ada").SessionID
	token = w.endLink()
	if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { return w.Accounts.InvalidateSessions(t.Context(), tx, id, spared) }); err != nil {
		t.Fatal(err)
	}
	w.is(b.send("POST", "/auth/end-device", "", fields{"token": token}), 204, "")
	if n := w.count(`SELECT COUNT(*) FROM sessions WHERE id = $1`, spared); n != 0 {
		t.Error("the session that was spared lives on")
	}
}

// Of twenty who say yes at once, one adds a line to the history.
func TestConfirmDeviceAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, inMemory)
		w.below.Join("ada")
		w.from(firefox, "192.0.2.7").signIn("ada")
		w.from(chrome, "203.0.113.5").signIn("ada")
		token := w.endLink()
		var mu sync.Mutex
		noted := 0
		w.below.Events.Listen(func(_ context.Context, _ *db.Tx, e event.Event) error {
			mu.Lock()
			defer mu.Unlock()
			if e.Kind == "device-confirmed" {
				noted++
			}
			return nil
		})
		b := w.browser()
		if got := race(20, func(int) string {
			return said(b.request(true, "POST", "/auth/end-device/confirm", "", fields{"token": token}))
		}); got["204"] != 20 || noted != 1 {
			t.Errorf("%v, %d lines", got, noted)
		}
		w.is(b.send("POST", "/auth/end-device", "", fields{"token": token}), 204, "")
	})
}

// Of twenty uses of one link, one ends the device.
func TestEndDeviceAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, inMemory)
		w.below.Join("ada")
		w.from(firefox, "192.0.2.7").signIn("ada")
		w.from(chrome, "203.0.113.5").signIn("ada")
		token := w.endLink()
		b := w.browser()
		if got := race(20, func(int) string { return said(b.request(true, "POST", "/auth/end-device", "", fields{"token": token})) }); got["204"] != 1 || got["410 link_gone"] != 19 {
			t.Errorf("%v", got)
		}
	})
}

// An unlinked token, one of another purpose, or of a session that the database's writer
// moved, ends nothing.
func TestEndDeviceOfAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), inMemory)
	w.below.Join("ada")
	bob := w.below.Join("bob")
	w.from(firefox, "192.0.2.7").signIn("ada")
	thief := w.from(chrome, "203.0.113.5")
	thief.signIn("ada")
	token := w.endLink()
	b := w.browser()
	for _, wrong := range []string{"", token[1:] + token[:1], token + "A"} {
		w.is(b.send("POST", "/auth/end-device", "", fields{"token": wrong}), 410, "link_gone")
	}
	if _, err := w.DB.Exec(t.Context(), `UPDATE links SET account = $1`, string(bob)); err != nil {
		t.Fatal(err)
	}
	w.is(b.send("POST", "/auth/end-device", "", fields{"token": token}), 410, "link_gone")
	w.is(b.send("POST", "/account/email/undo", "", fields{"token": token}), 410, "link_gone")
	if !thief.alive(thief.access) {
		t.Error("the session ended")
	}
}

// An intruder takes the remembered device elsewhere, under another name and with new tokens.
// No mail tells of that, so the link in the first one ends it all.
func TestAttackEndDeviceThatMovedOn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.below.Join("ada")
		home := w.from(firefox, "192.0.2.7")
		home.signIn("ada", fields{"remember_device": true})
		w.below.Mails()
		thief := w.from(chrome, "203.0.113.5")
		first := thief.signIn("ada", fields{"remember_device": true, "refresh_in": "body"})
		token := w.endLink()
		moved := w.from("curl/8", "198.51.100.7")
		second := moved.signIn("ada", fields{"remember_device": true, "refresh_in": "body", "device_token": first.DeviceToken})
		again := w.from("wget/1", "198.51.100.9")
		again.signIn("ada", fields{"remember_device": true, "device_token": second.DeviceToken})
		w.wantNotices("a remembered device", 0)

		w.is(home.send("POST", "/auth/end-device", "", fields{"token": token}), 204, "")
		for name, b := range map[string]*browser{"the thief": thief, "the thief elsewhere": moved, "the thief with a third token": again} {
			if b.alive(b.access) {
				t.Errorf("%s lives on", name)
			}
		}
		if !home.alive(home.access) {
			t.Error("the owner is signed out")
		}
		if n := w.count(`SELECT COUNT(*) FROM devices WHERE account = $1`, string(id)); n != 0 {
			t.Errorf("%d remembered devices, want none", n)
		}
	})
}
