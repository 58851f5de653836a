package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/session"
)

// heard listens to quiet events, and returns what gives those since the last call.
func (w *world) heard() func() []string {
	var mu sync.Mutex
	var lines []string
	w.below.Events.Listen(func(_ context.Context, _ *db.Tx, e event.Event) error {
		mu.Lock()
		defer mu.Unlock()
		if e.Quiet {
			lines = append(lines, strings.TrimSpace(e.Kind+" "+e.Data["device"]+" "+e.Data["address"]))
		}
		return nil
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		out := lines
		lines = nil
		return out
	}
}

// The watch hears of each wrong proof once, whether or not there is an account, and of no right
// one.
func TestWatch(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, inMemory)
		ada := w.below.Join("ada")
		var heard []session.Failure
		var broken error
		w.Watch(func(_ context.Context, f session.Failure) error {
			heard = append(heard, f)
			return broken
		})
		b := w.from(firefox, "192.0.2.7")
		id := b.signIn("ada").SessionID
		check := func(what string, got reply, status int, code string, want ...session.Failure) {
			t.Helper()
			w.is(got, status, code)
			for i := range heard {
				if c := heard[i].Client; c.UserAgent != firefox || c.Addr.String() != "192.0.2.7" {
					t.Errorf("%s: from %+v", what, c)
				}
				heard[i].Client = want[min(i, len(want)-1)].Client
			}
			if !slices.Equal(heard, want) {
				t.Errorf("%s: heard %+v, want %+v", what, heard, want)
			}
			heard = nil
		}
		check("nothing yet", reply{Status: 200}, 200, "")
		wrong := fields{"password": "wrong otters 41"}
		guess := func(who string) reply {
			return b.request(true, "POST", "/auth/sign-in", "", fields{"identifier": who, "password": "wrong otters 41"})
		}
		check("a wrong password", guess("ada"), 401, "invalid_credentials", session.Failure{Account: ada, Subject: "username_index ada", Method: "password"})
		check("another spelling", guess("ADA@canary.example"), 401, "invalid_credentials", session.Failure{Account: ada, Subject: "email_index ada@canary.example", Method: "password"})
		check("an unknown name", guess("eve"), 401, "invalid_credentials", session.Failure{Subject: "username_index eve", Method: "password"})
		own := func(method, of string) session.Failure {
			return session.Failure{Account: ada, Subject: string(ada) + " signed in", Method: method, Session: of}
		}
		check("a wrong fresh proof", b.as("POST", "/account/reauthenticate", wrong), 401, "invalid_credentials", own("password", id))
		check("a wrong present password", b.as("PUT", "/account/password", fields{"current_password": "wrong otters 41", "new_password": "eight quiet otters 41"}),
			401, "invalid_credentials", own("password", id))
		w.pin.set(ada, true)
		c := b.attempt("ada")
		check("a layer is asked", c, 202, "")
		check("a wrong answer to a layer", b.pass(c, "pin", "9999"), 401, "invalid_credentials", own("pin", ""))
		check("a right one", b.pass(c, "pin", "1234"), 201, "")
		check("a good fresh proof", b.as("POST", "/account/reauthenticate", fields{"password": password}), 202, "")

		// A watch that cannot hear is no silent pass.
		broken = fault.ErrUnavailable.Because(errors.New("no store"))
		check("unheard", guess("eve"), 503, "unavailable", session.Failure{Subject: "username_index eve", Method: "password"})
	})
}

// A sign-in, a fresh proof and the end of a session by its owner are quiet events, told with
// their session. A sign-out is none.
func TestQuietEvents(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, inMemory)
		w.below.Join("ada")
		var heard []string
		w.below.Events.Listen(func(_ context.Context, _ *db.Tx, e event.Event) error {
			if e.Quiet {
				heard = append(heard, fmt.Sprintf("%s %s %s known=%s first=%s", e.Kind, e.Data["session"], e.Data["methods"], e.Data["known"], e.Data["first"]))
			}
			return nil
		})
		check := func(what string, want ...string) {
			t.Helper()
			if !slices.Equal(heard, want) {
				t.Errorf("%s: heard %q, want %q", what, heard, want)
			}
			heard = nil
		}
		home := w.from(firefox, "192.0.2.7")
		a := home.signIn("ada", fields{"remember_device": true}).SessionID
		check("the first", "signed-in "+a+" pwd known=false first=true")
		home.addr = "198.51.100.1"
		b := home.signIn("ada").SessionID
		check("a remembered device elsewhere", "signed-in "+b+" pwd known=true first=false")
		thief := w.from(chrome, "203.0.113.5")
		c := thief.signIn("ada").SessionID
		check("a new device", "signed-in "+c+" pwd known=false first=false")
		again := w.from(chrome, "203.0.113.5")
		e := again.signIn("ada").SessionID
		check("a known client", "signed-in "+e+" pwd known=true first=false")
		w.is(home.as("POST", "/account/reauthenticate", fields{"password": password}), 201, "")
		check("a fresh proof", "stepped-up "+b+" pwd known= first=")
		w.is(thief.as("POST", "/auth/sign-out", nil), 204, "")
		check("a sign-out")
		w.is(home.as("DELETE", "/sessions/"+e, nil), 204, "")
		check("an end from the list", "session-ended "+e+"  known= first=")
		w.is(home.as("DELETE", "/sessions/"+e, nil), 404, "not_found")
		check("an end of none")
		if told := w.below.Told(); len(told) != 1 {
			t.Errorf("told %q, want the one new device", told)
		}
	})
}
