package session_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// stolen is a remembered device in a thief's hands, who knows the password as well, and the
// owner at another remembered one.
type stolen struct {
	*world
	ada              account.ID
	owner, thief     *browser
	session, refresh string // the thief's
}

func (w *stolen) signOut() { w.is(w.thief.as("POST", "/auth/sign-out", nil), 204, "") }

func (w *stolen) revoke(which string) { w.is(w.owner.as("DELETE", "/sessions"+which, nil), 204, "") }

// Whatever the owner does against a stolen device makes it ask for the layers again; what
// is not against it does not.
func TestAttackRememberedDeviceOfAThief(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name         string
		do           func(w *stolen)
		thief, owner int // what a sign-in answers afterwards
	}{
		{"nothing", func(*stolen) {}, 201, 201},
		{"it signs out", (*stolen).signOut, 201, 201},
		{"its session is ended", func(w *stolen) { w.revoke("/" + w.session) }, 202, 201},
		{"a session that it opened later is ended", func(w *stolen) {
			w.signOut()
			w.revoke("/" + w.is(w.thief.attempt("ada"), 201, "").SessionID)
		}, 202, 201},
		{"a session that remembered it anew is ended", func(w *stolen) {
			w.revoke("/" + w.is(w.thief.attempt("ada", fields{"remember_device": true}), 201, "").SessionID)
		}, 202, 201},
		{"an older session is ended, it was remembered anew and signed out", func(w *stolen) {
			delete(w.thief.jar, "__Host-coffer-refresh") // else the new session ends the older one
			w.is(w.thief.attempt("ada", fields{"remember_device": true}), 201, "")
			w.signOut()
			w.revoke("/" + w.session)
		}, 202, 201},
		{"all others are ended", func(w *stolen) { w.revoke("") }, 202, 201},
		{"all others are ended, it was remembered anew with the owner's token", func(w *stolen) {
			w.thief.jar["__Host-coffer-device"] = w.owner.jar["__Host-coffer-device"]
			w.is(w.thief.attempt("ada", fields{"remember_device": true}), 201, "")
			w.revoke("")
		}, 202, 202},
		{"all others are ended, it is signed out", func(w *stolen) { w.signOut(); w.revoke("") }, 202, 201},
		{"the layer is set up anew", func(w *stolen) { w.withoutApp(w.ada); w.withApp(w.ada) }, 202, 202},
		{"a refresh token comes back", func(w *stolen) {
			w.is(w.thief.trade(w.refresh), 201, "")
			w.below.Advance(time.Minute)
			w.is(w.thief.trade(w.refresh), 401, "invalid_refresh_token")
		}, 202, 201},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := &stolen{world: newWorld(t, d)}
				w.ada = w.below.Join("ada")
				w.withApp(w.ada)
				for _, b := range []**browser{&w.owner, &w.thief} {
					*b = w.browser()
					c := (*b).attempt("ada", fields{"remember_device": true})
					w.session = w.is((*b).pass(c, "app", w.code()), 201, "").SessionID
					w.refresh = (*b).jar["__Host-coffer-refresh"]
					w.below.Advance(30 * time.Second)
				}
				tt.do(w)
				if got := w.thief.attempt("ada"); got.Status != tt.thief {
					t.Errorf("the thief's device: %s, want %d", said(got), tt.thief)
				}
				if got := w.owner.attempt("ada"); got.Status != tt.owner {
					t.Errorf("the owner's device: %s, want %d", said(got), tt.owner)
				}
			})
		})
	}
}

// A device that asks to be remembered at every sign-in is spared its layers for as long as
// one that asks once.
func TestAttackDeviceRememberedForEver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.withApp(w.below.Join("ada"))
	remember := fields{"remember_device": true}
	b := w.browser()
	w.is(b.pass(b.attempt("ada", remember), "app", w.code()), 201, "")
	for range 29 {
		w.below.Advance(24 * time.Hour)
		w.is(b.attempt("ada", remember), 201, "")
	}
	w.below.Advance(24 * time.Hour)
	// Passing them again, it may be remembered anew.
	w.is(b.pass(w.is(b.attempt("ada", remember), 202, ""), "app", w.code()), 201, "")
	w.below.Advance(29 * 24 * time.Hour)
	w.is(b.attempt("ada"), 201, "")
}

// A sign-in that waits for a layer opens nothing that the owner has taken back or turned on
// meanwhile.
func TestAttackSignInOutlivesChange(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		do   func(w *world, ada account.ID, owner *browser, session string)
	}{
		{"the device is forgotten", func(w *world, ada account.ID, _ *browser, _ string) {
			w.withoutApp(ada)
			w.withApp(ada)
		}},
		{"the device's session is ended", func(w *world, _ account.ID, owner *browser, session string) {
			w.is(owner.as("DELETE", "/sessions/"+session, nil), 204, "")
		}},
		{"all others are ended", func(w *world, _ account.ID, owner *browser, _ string) {
			w.is(owner.as("DELETE", "/sessions", nil), 204, "")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := newWorld(t, d)
				ada := w.below.Join("ada")
				w.withApp(ada)
				owner, thief := w.browser(), w.browser()
				w.is(owner.pass(owner.attempt("ada"), "app", w.code()), 201, "")
				w.below.Advance(30 * time.Second)
				c := thief.attempt("ada", fields{"remember_device": true})
				session := w.is(thief.pass(c, "app", w.code()), 201, "").SessionID
				w.pin.set(ada, true)
				// The device is spared the app's layer.
				waits := w.is(thief.attempt("ada", fields{"remember_device": true}), 202, "")
				tt.do(w, ada, owner, session)
				w.is(thief.pass(waits, "pin", "1234"), 410, "attempt_over")
				if got := w.is(thief.attempt("ada"), 202, ""); layers(got) != "app pin" {
					t.Errorf("asked for %s", layers(got))
				}
			})
		})
	}
}

// A layer that is turned on while a sign-in waits is asked of it, also of a fresh proof.
func TestAttackLayerTurnedOnMeanwhile(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada := w.below.Join("ada")
		owner, thief := w.browser(), w.browser()
		w.is(owner.attempt("ada"), 201, "")
		w.pin.set(ada, true)
		waits := w.is(thief.attempt("ada"), 202, "")
		fresh := w.is(owner.as("POST", "/account/reauthenticate", fields{"password": password}), 202, "")
		w.withApp(ada)
		w.is(thief.pass(waits, "pin", "1234"), 410, "attempt_over")
		w.is(owner.pass(fresh, "pin", "1234"), 410, "attempt_over")
	})
}

// The transaction that opens or renews the session looks at the layers once more: one is turned on
// after the server has looked at them for the last answer.
func TestAttackLayerTurnedOnAtTheLastMoment(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada, eve := w.below.Join("ada"), w.below.Join("eve")
		thief, owner := w.browser(), w.browser()
		owner.signIn("eve")
		w.pin.set(ada, true)
		w.pin.set(eve, true)
		waits := w.is(thief.attempt("ada"), 202, "")
		fresh := w.is(owner.as("POST", "/account/reauthenticate", fields{"password": password}), 202, "")
		w.pin.meanwhile = func() { w.withApp(ada) }
		w.is(thief.pass(waits, "pin", "1234"), 410, "attempt_over")
		w.pin.meanwhile = func() { w.withApp(eve) }
		w.is(owner.pass(fresh, "pin", "1234"), 410, "attempt_over")
	})
}

// What a sign-in passed of a layer does not count for the layer that came after it.
func TestAttackLayerSetUpAnewMeanwhile(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada := w.layered("ada")
		thief := w.browser()
		waits := w.is(thief.pass(thief.attempt("ada"), "app", w.code()), 202, "")
		w.withoutApp(ada)
		w.withApp(ada)
		w.is(thief.pass(waits, "pin", "1234"), 410, "attempt_over")
	})
}

// A device that is forgotten while it signs in is asked, and not remembered with what it was
// spared.
func TestAttackDeviceForgottenWhileItSignsIn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada := w.below.Join("ada")
		w.withApp(ada)
		b := w.remembered("ada")
		w.pin.meanwhile = func() { w.withoutApp(ada); w.withApp(ada) }
		if c := w.is(b.attempt("ada", fields{"remember_device": true}), 202, ""); layers(c) != "app" {
			t.Errorf("asked for %s", layers(c))
		}
		if n := w.count(`SELECT COUNT(*) FROM devices`); n != 0 {
			t.Errorf("%d devices are remembered", n)
		}
	})
}

// A thief who signs in again and again with a remembered device keeps no session when the
// owner ends all others.
func TestAttackSignInsBesideTheEndOfAllOthers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, inMemory, func(s *setup) { s.config.SessionsMax = 1000 })
		w.withApp(w.below.Join("ada"))
		owner := w.remembered("ada")
		for round := range 3 {
			w.below.Advance(30 * time.Second)
			thief := w.remembered("ada")
			device := thief.jar[deviceCookie]
			for range 10 { // sessions that take time to end
				delete(thief.jar, "__Host-coffer-refresh")
				w.is(thief.attempt("ada"), 201, "")
			}
			tokens, over := make([][]string, 4), make(chan struct{})
			var begun, done sync.WaitGroup
			begun.Add(len(tokens))
			for i := range tokens {
				done.Go(func() {
					first := sync.OnceFunc(begun.Done)
					defer first()
					for {
						select {
						case <-over:
							return
						default:
						}
						b := w.browser()
						b.jar[deviceCookie] = device
						if got := b.attempt("ada"); got.Status == 201 {
							tokens[i] = append(tokens[i], got.AccessToken)
							first()
						} else if got.Status >= 500 {
							t.Errorf("a sign-in: %s", said(got))
							return
						}
					}
				})
			}
			begun.Wait()
			got := owner.as("DELETE", "/sessions", nil)
			close(over)
			done.Wait()
			w.is(got, 204, "")
			for _, access := range slices.Concat(tokens...) {
				if owner.alive(access) {
					t.Errorf("round %d: a session of the thief lives", round)
				}
			}
			if n := w.count(`SELECT COUNT(*) FROM sessions`); n != 1 || !owner.alive(owner.access) {
				t.Errorf("round %d: %d sessions are left, want the owner's", round, n)
			}
			if w.is(thief.attempt("ada"), 202, ""); t.Failed() {
				return
			}
		}
	})
}
