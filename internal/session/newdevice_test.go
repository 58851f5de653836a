package session_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

const (
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
	newer   = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"
	chrome  = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36"
)

// from is a browser of this kind at this address.
func (w *world) from(agent, addr string) *browser {
	b := w.browser()
	b.agent, b.addr = agent, addr
	return b
}

// wantNotices fails the test unless the owner was told of so many new devices, and of
// nothing else.
func (w *world) wantNotices(when string, want int) {
	w.t.Helper()
	if got := w.below.Told(); len(got) != want || slices.ContainsFunc(got, func(s string) bool { return s != "ada@canary.example new-device" }) {
		w.t.Errorf("%s: told %q, want %d new devices", when, got, want)
	}
}

// The owner is told of a sign-in from a device that is new, once, and of no other.
func TestNewDevice(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, inMemory)
		ada := w.below.Join("ada")
		w.below.Join("bob")
		w.from(firefox, "192.0.2.7").signIn("ada")
		w.wantNotices("the very first sign-in", 0)
		w.from(firefox, "192.0.2.7").signIn("ada")
		w.wantNotices("the same browser again", 0)
		w.from(newer, "192.0.2.7").signIn("ada")
		w.wantNotices("the same browser, updated", 0)

		w.from(chrome, "192.0.2.7").signIn("ada")
		w.wantNotices("another browser", 1)
		w.from(chrome, "192.0.2.7").signIn("ada")
		w.wantNotices("that browser again", 0)
		w.from(firefox, "192.0.2.8").signIn("ada")
		w.wantNotices("another network", 1)
		w.from(firefox, "[2001:db8:7:1::1]").signIn("ada")
		w.wantNotices("a network of IPv6", 1)
		w.from(firefox, "[2001:db8:7:2::9]").signIn("ada")
		w.wantNotices("the same network of IPv6", 0)
		w.from(chrome, "192.0.2.7").signIn("bob")
		w.wantNotices("somebody else's first", 0)

		// Who signs out is known when they come back; who was not there for long is new.
		b := w.from(firefox, "192.0.2.7")
		b.signIn("ada")
		w.is(b.as("POST", "/auth/sign-out", nil), 204, "")
		w.from(firefox, "192.0.2.7").signIn("ada")
		w.wantNotices("after a sign-out", 0)
		w.below.Advance(91 * 24 * time.Hour)
		w.from(firefox, "192.0.2.7").signIn("ada")
		w.wantNotices("after three months", 1)
		w.from(firefox, "192.0.2.7").signIn("ada")
		w.wantNotices("and again", 0)

		if err := w.Accounts.Forget(t.Context(), ada); err != nil {
			t.Fatal(err)
		}
		if n := w.count(`SELECT COUNT(*) FROM session_clients WHERE account = $1`, string(ada)); n != 0 {
			t.Errorf("%d clients of an account that is gone", n)
		}
	})
}

// What the owner is told: time, device, place and address, and nothing that only the
// client says of itself.
func TestNewDeviceFacts(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	w := newWorld(t, d, inMemory)
	w.below.Join("ada")
	w.from(firefox, "192.0.2.7").signIn("ada")
	w.below.Told()
	w.from("evil\u202e\x01/1 https://evil.example/ "+strings.Repeat("x", 1000), "198.51.100.9").signIn("ada", fields{"device_name": "your bank"})
	mails := w.below.Mails()
	if len(mails) != 1 {
		t.Fatalf("%+v", mails)
	}
	r, err := w.below.Mailer.Render(mails[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Time: 20 November 2026, 09:00 UTC", "Device: evil/1", "Address: 198.51.100.9", "Hello Ada,"} {
		if !strings.Contains(r.Text, want) {
			t.Errorf("no %q in\n%s", want, r.Text)
		}
	}
	if r.Kind != "new-device" || strings.Contains(r.Text, "bank") || strings.Count(r.Text, "://") != 1 || !strings.Contains(r.Text, "\nhttps://coffer.test/end-device#token=") {
		t.Errorf("%s\n%s", r.Kind, r.Text)
	}
}

// A device that is remembered is known wherever it is; one that the owner turned out is new.
func TestNewDeviceAndRemembered(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, inMemory)
		w.below.Join("ada")
		home := w.from(firefox, "192.0.2.7")
		home.signIn("ada", fields{"remember_device": true})
		home.addr = "198.51.100.1"
		home.signIn("ada")
		w.wantNotices("a remembered device elsewhere", 0)
		stranger := w.from(firefox, "198.51.100.2")
		stranger.jar = map[string]string{"__Host-coffer-device": home.jar["__Host-coffer-device"] + "x"}
		stranger.signIn("ada")
		w.wantNotices("with a token that is none", 1)
		thief := w.from(chrome, "203.0.113.5")
		session := thief.signIn("ada").SessionID
		w.wantNotices("a thief", 1)
		w.is(home.as("DELETE", "/sessions/"+session, nil), 204, "")
		w.from(chrome, "203.0.113.5").signIn("ada")
		w.wantNotices("the thief, turned out", 1)
		again := w.from(chrome, "203.0.113.6")
		again.signIn("ada")
		w.wantNotices("the thief elsewhere", 1)
		w.is(again.as("POST", "/auth/sign-out", nil), 204, "")
		w.is(home.as("DELETE", "/sessions", nil), 204, "")
		w.from(firefox, "198.51.100.1").signIn("ada")
		w.wantNotices("the browser that turned out all others", 0)
		w.from(chrome, "203.0.113.5").signIn("ada")
		w.wantNotices("the thief, turned out with all others", 1)
		w.from(chrome, "203.0.113.6").signIn("ada")
		w.wantNotices("the thief who had signed out by then", 1)
	})
}

// Of many sign-ins at once from one new device the owner is told of one; of very many
// devices the owner is told of a bounded number an hour.
func TestNewDevicesAtOnceAndMany(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, inMemory)
		w.below.Join("ada")
		w.from(firefox, "192.0.2.7").signIn("ada")
		w.wantNotices("the first", 0)
		got := race(10, func(int) string { return said(w.from(chrome, "192.0.2.7").attempt("ada")) }) // more are over the limit of the pair while they run
		if got["201"] != 10 {
			t.Fatalf("%v", got)
		}
		w.wantNotices("ten at once", 1)
		for n := range 40 {
			w.from("agent"+string(rune('A'+n)), "192.0.2.7").signIn("ada")
		}
		w.wantNotices("very many", 18) // the first two of the hour are firefox and chrome
		w.below.Advance(2 * time.Hour)
		w.from("later", "192.0.2.7").signIn("ada")
		w.wantNotices("two hours later", 1)
	})
}

// A wrong password, and a layer that is not passed, tell nobody and make nothing known. A
// transaction that does not commit tells nobody.
func TestNewDeviceOnlyWithASession(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, inMemory)
		ada := w.below.Join("ada")
		w.from(firefox, "192.0.2.7").signIn("ada")
		b := w.from(chrome, "198.51.100.2")
		for _, who := range []string{"ada", "nobody"} {
			w.is(b.request(true, "POST", "/auth/sign-in", "", fields{"identifier": who, "password": "wrong password"}), 401, "invalid_credentials")
		}
		w.pin.on[ada] = true
		w.is(b.request(true, "POST", "/auth/sign-in", "", fields{"identifier": "ada", "password": password}), 202, "")
		w.wantNotices("without a session", 0)
		if n := w.count(`SELECT COUNT(*) FROM session_clients`); n != 1 {
			t.Errorf("%d clients are known, want 1", n)
		}
		w.pin.on[ada] = false

		// The account goes while the session is opened.
		if _, err := d.Exec(t.Context(), `DELETE FROM addresses WHERE account = $1`, string(ada)); err != nil {
			t.Fatal(err)
		}
		b.signIn("ada")
		w.wantNotices("without an address", 0)
	})
}

// What happens to sessions is told to every verified address, and to no other.
func TestEveryVerifiedAddressIsTold(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, inMemory, func(s *setup) { s.config.RefreshGrace = 0 })
		ada := w.below.Join("ada")
		w.below.Address(ada, "second", "ada@second.example", true)
		w.below.Address(ada, "third", "ada@third.example", false)
		b := w.from(firefox, "192.0.2.7")
		first := b.signIn("ada", inBody)
		told := func(kind string) {
			t.Helper()
			got := w.below.Told()
			slices.Sort(got)
			if want := []string{"ada@canary.example " + kind, "ada@second.example " + kind}; !slices.Equal(got, want) {
				t.Errorf("told %q, want %q", got, want)
			}
		}
		w.from(chrome, "192.0.2.7").signIn("ada")
		told("new-device")
		w.is(b.trade(first.RefreshToken), 201, "")
		w.below.Advance(time.Second)
		w.is(b.trade(first.RefreshToken), 401, "invalid_refresh_token")
		told("refresh-reuse")
	})
}
