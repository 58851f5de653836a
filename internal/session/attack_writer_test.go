package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/token/tokentest"
)

// writer is eve, who has an account, knows ada's password and can write to the database.
type writer struct {
	*world
	ada, eve account.ID
}

func (w *writer) exec(q string, args ...any) {
	w.t.Helper()
	if _, err := w.DB.Exec(w.t.Context(), q, args...); err != nil {
		w.t.Fatalf("%s: %v", q, err)
	}
}

// altered runs try while the rows of table are changed by q, and puts them back as they were.
func (w *writer) altered(table, q string, args []any, try func()) {
	w.t.Helper()
	w.exec(`CREATE TABLE kept AS SELECT * FROM ` + table)
	n, err := w.DB.Exec(w.t.Context(), q, args...)
	if err != nil || n == 0 {
		w.t.Fatalf("%s: %d rows, %v", q, n, err)
	}
	try()
	w.exec(`DELETE FROM ` + table)
	w.exec(`INSERT INTO ` + table + ` SELECT * FROM kept`)
	w.exec(`DROP TABLE kept`)
}

func eachWriter(t *testing.T, fn func(t *testing.T, w *writer)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := &writer{world: newWorld(t, d)}
		w.ada, w.eve = w.below.Join("ada"), w.below.Join("eve")
		fn(t, w)
	})
}

// A session's row that was changed by hand opens nothing, is not shown and is not sealed anew.
func TestAttackWriterOfSessions(t *testing.T) {
	t.Parallel()
	eachWriter(t, func(t *testing.T, w *writer) {
		a, e := w.browser(), w.browser()
		hers, own := a.signIn("ada", inBody), e.signIn("eve", inBody)
		_, other := tokentest.KeyPair(t, "P-521")
		point := tokentest.Point(t, other)
		far := w.Now().Add(90 * 24 * time.Hour).UnixMilli()
		for _, tt := range []struct {
			name, set string
			args      []any
		}{
			{"the account", `account = $2`, []any{string(w.ada)}},
			{"the version", `ver = ver + 1`, nil},
			{"the level", `aal = 'aal2'`, nil},
			{"the methods", `amr = 'pwd otp mfa'`, nil},
			{"the time of the proof", `auth_time = auth_time + 1000`, nil},
			{"the client's key", `public_key = $2`, []any{point}},
			{"the end", `expires_at = $2`, []any{far}},
			{"the beginning", `created_at = created_at + 1`, nil},
			{"the device", `device = $2`, []any{point[:32]}},
			{"the family of the device", `device_family = $2`, []any{point[:32]}},
			{"the seal", `seal = (SELECT s.seal FROM sessions s WHERE s.id = $2)`, []any{hers.SessionID}},
			{"everything but the id", `account = v.account, seal = v.seal, public_key = v.public_key, auth_time = v.auth_time, created_at = v.created_at, expires_at = v.expires_at
				FROM (SELECT * FROM sessions WHERE id = $2) v`, []any{hers.SessionID}},
		} {
			q := `UPDATE sessions SET ` + tt.set + ` WHERE sessions.id = $1`
			w.altered("sessions", q, append([]any{own.SessionID}, tt.args...), func() {
				for what, got := range map[string]reply{
					"refresh":  e.trade(own.RefreshToken),
					"sign-out": e.request(true, "POST", "/auth/sign-out", "", fields{"refresh_token": own.RefreshToken}),
				} {
					if got.Status != 401 {
						t.Errorf("%s was changed: %s: %s", tt.name, what, said(got))
					}
				}
				for b, owner := range map[*browser]string{a: "ada", e: "eve"} {
					for _, d := range w.is(b.request(true, "GET", "/sessions", "Bearer "+b.access, nil), 200, "").Items {
						if d.ID == own.SessionID {
							t.Errorf("%s was changed: %s sees the session", tt.name, owner)
						}
					}
				}
				if got := e.request(true, "GET", "/sessions/"+own.SessionID, "Bearer "+e.access, nil); got.Status != 404 {
					t.Errorf("%s was changed: read: %s", tt.name, said(got))
				}
				if got := e.request(true, "POST", "/account/reauthenticate", "Bearer "+e.access, fields{"password": password}); got.Status != 401 {
					t.Errorf("%s was changed: step-up: %s", tt.name, said(got))
				}
			})
		}
		// Her chain of refresh tokens put into ada's row: the family belongs to a session.
		w.altered("sessions", `DELETE FROM sessions WHERE id = $1`, []any{own.SessionID}, func() {
			w.exec(`UPDATE sessions SET family = k.family, refresh_hash = k.refresh_hash FROM (SELECT * FROM kept WHERE id = $1) k WHERE sessions.id = $2`, own.SessionID, hers.SessionID)
			w.is(e.trade(own.RefreshToken), 401, "invalid_refresh_token")
		})
		if mails := w.below.Told(); len(mails) != 0 {
			t.Errorf("a row that nobody owns told somebody: %q", mails)
		}
		// Nothing was changed: all of it is good again.
		w.is(e.as("POST", "/account/reauthenticate", fields{"password": password}), 201, "")
		w.is(e.trade(own.RefreshToken), 201, "")
		w.is(a.trade(hers.RefreshToken), 201, "")
	})
}

// A sign-in that ends the browser's former session believes an altered row no more.
func TestAttackWriterEndsNobodysSession(t *testing.T) {
	t.Parallel()
	eachWriter(t, func(t *testing.T, w *writer) {
		a, e := w.browser(), w.browser()
		hers := a.signIn("ada")
		e.signIn("eve")
		w.altered("sessions", `UPDATE sessions SET account = $1 WHERE account = $2`, []any{string(w.ada), string(w.eve)}, func() {
			w.is(e.attempt("eve"), 201, "")
		})
		if !a.alive(hers.AccessToken) {
			t.Error("ada's session was ended")
		}
	})
}

// Step-ups at the same time leave one row whose seal is right.
func TestRenewalsAtOnce(t *testing.T) {
	t.Parallel()
	eachWriter(t, func(t *testing.T, w *writer) {
		b := w.browser()
		own := b.signIn("eve", inBody)
		got := race(10, func(int) string {
			return said(b.request(true, "POST", "/account/reauthenticate", "Bearer "+own.AccessToken, fields{"password": password}))
		})
		if got["201"] != 10 {
			t.Errorf("%v", got)
		}
		w.is(b.trade(own.RefreshToken), 201, "")
	})
}

// An attempt that was changed by hand is over: no layer is passed by a writer's pen.
func TestAttackWriterOfAttempts(t *testing.T) {
	t.Parallel()
	eachWriter(t, func(t *testing.T, w *writer) {
		w.withApp(w.ada)
		w.exec(`INSERT INTO test_app (account, last_step) VALUES ($1, 0)`, string(w.eve))
		w.exec(`UPDATE test_app SET last_step = $1 WHERE account = $2`, w.step()+100, string(w.ada)) // only eve's code is good
		e := w.browser()
		own := w.is(e.attempt("eve"), 202, "")
		hers := w.is(e.attempt("ada"), 202, "")
		pending := w.is(w.browser().attempt("ada"), 202, "") // ada's own, whose token eve does not know
		for _, tt := range []struct {
			name, set, id string
			args          []any
			use           reply
		}{
			{"whose code is asked", `account = $2`, hers.AttemptID, []any{string(w.eve)}, hers},
			{"who signs in", `account = $2`, own.AttemptID, []any{string(w.ada)}, own},
			{"the plan", `data = (SELECT o.data FROM attempts o WHERE o.id = $2)`, own.AttemptID, []any{hers.AttemptID}, own},
			{"the plan and the account", `account = $3, data = (SELECT o.data FROM attempts o WHERE o.id = $2)`, own.AttemptID, []any{hers.AttemptID, string(w.ada)}, own},
			{"the token", `token = (SELECT o.token FROM attempts o WHERE o.id = $2)`, pending.AttemptID, []any{own.AttemptID},
				reply{AttemptID: pending.AttemptID, AttemptToken: own.AttemptToken}},
			{"the end", `expires_at = expires_at + 1`, own.AttemptID, nil, own},
		} {
			q := `UPDATE attempts SET ` + tt.set + ` WHERE attempts.id = $1`
			w.altered("attempts", q, append([]any{tt.id}, tt.args...), func() {
				seen := e.send("GET", "/auth/attempts/"+tt.use.AttemptID, "Attempt "+tt.use.AttemptToken, nil)
				got := e.pass(tt.use, "app", w.code())
				if seen.Status != 410 || got.Status != 410 {
					t.Errorf("%s was changed: %s, %s", tt.name, said(seen), said(got))
				}
			})
		}
		w.is(e.pass(own, "app", w.code()), 201, "")
	})
}

// A device that was changed by hand is spared nothing.
func TestAttackWriterOfDevices(t *testing.T) {
	t.Parallel()
	eachWriter(t, func(t *testing.T, w *writer) {
		remember := fields{"remember_device": true}
		for _, id := range []account.ID{w.ada, w.eve} {
			w.withApp(id)
		}
		a, e := w.browser(), w.browser()
		w.is(a.pass(a.attempt("ada", remember), "app", w.code()), 201, "")
		w.is(e.pass(e.attempt("eve", remember), "app", w.code()), 201, "")
		w.pin.set(w.eve, true) // which her device has not passed
		mine, hers := string(w.eve), string(w.ada)
		for _, tt := range []struct {
			name, q string
			args    []any
			who     string
			days    int
		}{
			{"the account", `UPDATE devices SET account = $1 WHERE account = $2`, []any{hers, mine}, "ada", 0},
			{"the layers", `UPDATE devices SET layers = 'app pin' WHERE account = $1`, []any{mine}, "eve", 0},
			{"the version", `UPDATE devices SET ver = ver + 1 WHERE account = $1`, []any{mine}, "eve", 0},
			{"the end", `UPDATE devices SET expires_at = expires_at * 2 WHERE account = $1`, []any{mine}, "eve", 31},
		} {
			w.altered("devices", tt.q, tt.args, func() {
				clock := w.Now()
				w.below.Advance(time.Duration(tt.days) * 24 * time.Hour)
				c := w.is(e.attempt(tt.who), 202, "")
				if !strings.Contains(c.Raw, `"app"`) {
					t.Errorf("%s was changed: the app is not asked: %s", tt.name, c.Raw)
				}
				w.below.Advance(clock.Sub(w.Now()))
			})
		}
		w.altered("devices", `DELETE FROM devices WHERE account = $1`, []any{mine}, func() {
			w.exec(`UPDATE devices SET token = (SELECT token FROM kept WHERE account = $1)`, mine)
			w.is(e.attempt("ada"), 202, "")
		})
		w.pin.set(w.eve, false)
		w.is(e.attempt("eve"), 201, "")
	})
}

// One label that does not open hides neither its session nor the others.
func TestDamagedLabel(t *testing.T) {
	t.Parallel()
	eachWriter(t, func(t *testing.T, w *writer) {
		b := w.browser()
		w.browser().signIn("eve", fields{"device_name": "fine"})
		own := b.signIn("eve", fields{"device_name": "torn"})
		w.exec(`UPDATE sessions SET label = $1 WHERE id = $2`, []byte("torn"), own.SessionID)
		var seen []string
		for _, d := range w.is(b.as("GET", "/sessions", nil), 200, "").Items {
			seen = append(seen, fmt.Sprintf("%s/%s", d.Name, d.UserAgent))
		}
		if got := strings.Join(seen, " "); got != "/unknown device fine/canary-agent/1.0" && got != "fine/canary-agent/1.0 /unknown device" {
			t.Errorf("the list shows %q", got)
		}
		if got := w.is(b.as("GET", "/sessions/"+own.SessionID, nil), 200, ""); !strings.Contains(got.Raw, "unknown device") {
			t.Errorf("%s", got.Raw)
		}
		if !strings.Contains(w.log.String(), "a label does not open") {
			t.Error("the log does not say so")
		}
		// Its owner can name it anew, or end it.
		if got := w.is(b.as("PATCH", "/sessions/"+own.SessionID, fields{"name": "mended"}), 200, ""); got.Name != "mended" {
			t.Errorf("%s", got.Raw)
		}
		w.is(b.as("DELETE", "/sessions/"+own.SessionID, nil), 204, "")
	})
}

// A layer whose row was deleted by hand is asked for all the same, and cannot be passed.
func TestAttackWriterDeletesALayer(t *testing.T) {
	t.Parallel()
	eachWriter(t, func(t *testing.T, w *writer) {
		w.withApp(w.ada)
		err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { return w.Accounts.SetLayer(t.Context(), tx, w.ada, "app", true) })
		if err != nil {
			t.Fatal(err)
		}
		w.exec(`DELETE FROM test_app WHERE account = $1`, string(w.ada))
		b := w.browser()
		c := w.is(b.attempt("ada"), 202, "")
		w.is(b.pass(c, "app", w.code()), 401, "invalid_code")
		w.is(w.browser().attempt("eve"), 201, "")
	})
}
