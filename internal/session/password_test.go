package session_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/limit"
	"coffer/internal/rest"
	"coffer/internal/session"
)

const otherPassword = "nine loud herons 52"

// change sends a change of password with a session's token.
func (b *browser) change(current, next string, more ...fields) reply {
	body := fields{"current_password": current, "new_password": next}
	for _, m := range more {
		for k, v := range m {
			body[k] = v
		}
	}
	return b.request(true, "PUT", "/account/password", "Bearer "+b.access, body)
}

// A change of password ends every other session, remembered device, attempt and refresh
// token on the first try. The caller's session goes on with a new access token and the
// refresh token that it has.
func TestChangePassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := w.layered("ada")
		w.below.Address(ada, "second", "ada@second.example", true)
		w.below.Join("eve")
		other := w.remembered("ada")
		w.below.Advance(time.Minute)
		mine := w.remembered("ada")
		eve := w.browser()
		eve.signIn("eve")
		w.below.Advance(time.Minute)
		attempt := w.is(w.browser().attempt("ada"), 202, "")
		before, err := w.Authenticate(t.Context(), &rest.Sent{Authorization: "Bearer " + mine.access})
		if err != nil {
			t.Fatal(err)
		}
		gone, err := w.Authenticate(t.Context(), &rest.Sent{Authorization: "Bearer " + other.access})
		if err != nil {
			t.Fatal(err)
		}
		w.below.Mails()
		w.below.Advance(time.Minute)

		got := w.is(mine.change(password, otherPassword), 201, "")
		if got.SessionID != before.Session || got.AAL != "aal2" || strings.Join(got.AMR, " ") != "pwd otp pin mfa" || got.RefreshToken != "" || got.Header.Get("Set-Cookie") != "" {
			t.Errorf("the answer: %s", got.Raw)
		}
		after, err := w.Authenticate(t.Context(), &rest.Sent{Authorization: "Bearer " + got.AccessToken})
		if err != nil || !after.AuthTime.Equal(w.Now().Truncate(time.Second)) {
			t.Errorf("the new token: %+v, %v", after, err)
		}
		if mine.alive(mine.access) || other.alive(other.access) {
			t.Error("an access token outlives the change")
		}
		if err := w.Alive(t.Context(), gone); err == nil {
			t.Error("a stream of another session lives on")
		}
		if err := w.Alive(t.Context(), before); err != nil {
			t.Errorf("a stream of this session ends: %v", err)
		}
		w.is(other.send("POST", "/auth/refresh", "", nil), 401, "invalid_refresh_token")
		next := w.is(mine.send("POST", "/auth/refresh", "", nil), 201, "")
		if !mine.alive(next.AccessToken) || !eve.alive(eve.access) {
			t.Error("the session, or another account's, has ended")
		}
		w.is(w.browser().pass(attempt, "pin", "1234"), 410, "attempt_over")
		w.is(w.browser().attempt("ada"), 401, "invalid_credentials")
		for _, device := range []*browser{mine, other} {
			w.is(device.attempt("ada", fields{"password": otherPassword}), 202, "") // the layers are asked
		}
		told := w.below.Told()
		for _, to := range []string{"ada@canary.example", "ada@second.example"} {
			if !slices.Contains(told, to+" password-changed") {
				t.Errorf("%s was not told: %v", to, told)
			}
		}
		if n := w.count(`SELECT COUNT(*) FROM sessions WHERE account = $1`, string(ada)); n != 1 {
			t.Errorf("%d sessions", n)
		}
	})
}

// With revoke_others false other sessions and devices live on. What may stand on the old
// password ends: attempts and mailed links.
func TestChangePasswordKeepsOthers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada := w.layered("ada")
		other := w.remembered("ada")
		w.below.Advance(time.Minute)
		mine := w.remembered("ada")
		w.below.Advance(time.Minute)
		attempt := w.is(w.browser().attempt("ada"), 202, "")
		if _, err := d.Exec(t.Context(), `INSERT INTO links (token, account, purpose, stays, data, made_at, expires_at)
			VALUES ($1, $2, 'a', FALSE, $1, 1, 4102444800000), ($3, $2, 'b', TRUE, $3, 1, 4102444800000)`, []byte("ends"), string(ada), []byte("stays")); err != nil {
			t.Fatal(err)
		}
		got := w.is(mine.change(password, otherPassword, fields{"revoke_others": false}), 201, "")
		if !mine.alive(got.AccessToken) || !mine.alive(mine.access) || !other.alive(other.access) {
			t.Error("a session has ended")
		}
		w.is(other.send("POST", "/auth/refresh", "", nil), 201, "")
		w.is(other.attempt("ada", fields{"password": otherPassword}), 201, "") // the device is remembered
		w.is(w.browser().pass(attempt, "pin", "1234"), 410, "attempt_over")
		if n := w.count(`SELECT COUNT(*) FROM links WHERE account = $1`, string(ada)); n != 1 {
			t.Errorf("%d links, want the one that stays", n)
		}
		w.is(w.browser().attempt("ada"), 401, "invalid_credentials")
	})
}

// Nothing changes unless the present password is right and the new one is good.
func TestChangePasswordRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.below.Join("gracehopper")
	b, other := w.browser(), w.browser()
	b.signIn("gracehopper")
	other.signIn("gracehopper")
	w.is(w.browser().send("PUT", "/account/password", "", fields{"current_password": password, "new_password": otherPassword}), 401, "unauthenticated")
	for next, want := range map[string]string{
		"short": "too_short", "passwordpassword": "too_common", "ada-lovelace-1815": "too_personal", "Gracehopper 2026!": "too_personal",
		strings.Repeat("otter ", 50): "too_long", password: "unchanged",
	} {
		got := w.is(b.change(password, next), 422, "validation_failed")
		if !strings.Contains(got.Raw, `"pointer":"/new_password"`) || !strings.Contains(got.Raw, `"code":"`+want+`"`) {
			t.Errorf("%.20q: %s, want %s", next, got.Raw, want)
		}
	}
	if got := w.is(b.change(strings.Repeat("x", 2000), otherPassword), 422, "validation_failed"); !strings.Contains(got.Raw, "/current_password") {
		t.Errorf("%s", got.Raw)
	}
	w.is(b.change("wrong otters 41", otherPassword), 401, "invalid_credentials")
	if !b.alive(b.access) || !other.alive(other.access) {
		t.Error("a refused change ended a session")
	}
	w.browser().signIn("gracehopper")

	// Wrong ones are counted with those of a fresh proof: the signed-in owner's own count.
	for range 9 {
		w.is(b.change("wrong otters 41", otherPassword), 401, "invalid_credentials")
	}
	w.is(b.change(password, otherPassword), 429, "rate_limited")
	w.is(b.as("POST", "/account/reauthenticate", fields{"password": password}), 429, "rate_limited")
	w.browser().signIn("gracehopper")
	w.below.Advance(31 * time.Minute)
	w.is(b.send("POST", "/auth/refresh", "", nil), 201, "")
	w.is(b.change(password, otherPassword), 201, "")
}

// Of twenty changes with one present password, one wins, from one session or many.
func TestChangePasswordAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, func(s *setup) {
			s.config.PairLimit, s.config.SessionsMax = limit.Rule{Limit: 1000, Window: time.Minute}, 100
		})
		w.below.Join("ada")
		for _, revoke := range []bool{true, false} {
			var sessions []*browser
			for range 20 {
				b := w.browser()
				b.attempt("ada", fields{"password": current(revoke)})
				sessions = append(sessions, b)
			}
			w.below.Mails()
			next := func(i int) string { return fmt.Sprintf("nine loud herons %t %d", revoke, 100+i) }
			if !revoke {
				next = func(i int) string { return fmt.Sprintf("six slow badgers %d", 100+i) }
			}
			answers := make([]reply, 20)
			race(20, func(i int) string {
				answers[i] = sessions[i].change(current(revoke), next(i), fields{"revoke_others": revoke})
				return said(answers[i])
			})
			won := -1
			for i, a := range answers {
				switch said(a) {
				case "201":
					if won >= 0 {
						t.Errorf("two winners, revoke %t", revoke)
					}
					won = i
				case "401 invalid_credentials", "401 unauthenticated":
				default:
					t.Errorf("%s", a.Raw)
				}
			}
			if won < 0 {
				t.Fatalf("no winner, revoke %t", revoke)
			}
			if !sessions[0].alive(answers[won].AccessToken) {
				t.Error("the winner's session is dead")
			}
			for i, b := range sessions {
				if alive := b.alive(b.access); alive == revoke {
					t.Errorf("session %d alive %t, revoke %t", i, alive, revoke)
				}
			}
			if n := len(w.below.Told()); n != 1 {
				t.Errorf("%d notices", n)
			}
			w.is(w.browser().attempt("ada", fields{"password": next(won)}), 201, "")
			if revoke { // back to a password that the next round knows
				b := w.browser()
				b.attempt("ada", fields{"password": next(won)})
				w.is(b.change(next(won), current(false)), 201, "")
			}
		}
	})
}

// current is the password at the start of a round of TestChangePasswordAtOnce.
func current(revoke bool) string {
	if revoke {
		return password
	}
	return "eleven calm geese 7"
}

// An account without a password gets its first one for a fresh proof of another kind. What may
// stand on the account's other sessions ends as with every change.
func TestFirstPassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := w.below.Federate("ada")
		enter := func() *browser {
			t.Helper()
			out, err := w.EnterRemembered(t.Context(), w.state(ada), w.entry(session.SessionRequest{}, session.AMRFederated))
			if err != nil || out.Opened == nil {
				t.Fatalf("%+v, %v", out, err)
			}
			b := w.browser()
			b.access, b.refresh = out.Opened.AccessToken, out.Opened.RefreshToken
			return b
		}
		other, b := enter(), enter()
		w.is(b.change("", otherPassword), 401, "invalid_credentials")
		w.is(b.change(password, otherPassword), 401, "invalid_credentials")
		w.is(b.as("POST", "/account/reauthenticate", fields{"password": ""}), 401, "invalid_credentials")
		w.is(b.password("short"), 422, "validation_failed")
		w.below.Advance(w.StepUpTTL + time.Second)
		w.is(b.password(otherPassword), 403, "step_up_required")
		b = enter()
		w.below.Mails()
		old := b.access
		got := w.is(b.password(otherPassword), 201, "")
		if got.AAL != "aal1" || !slices.Equal(got.AMR, []string{"fed"}) {
			t.Errorf("%s", got.Raw)
		}
		if b.alive(old) || other.alive(other.access) || !b.alive(b.access) {
			t.Error("an access token outlives the change, or the session does not")
		}
		if told := w.below.Told(); !slices.Equal(told, []string{"ada@canary.example password-set"}) {
			t.Errorf("told %v", told)
		}
		w.is(b.password("eleven shy lemurs 63"), 422, "validation_failed") // it has one now
		w.is(w.browser().attempt("ada", fields{"password": otherPassword}), 201, "")
	})
}

// A first password needs a proof that is worth the account's layers.
func TestFirstPasswordWithLayers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada := w.below.Federate("ada")
		out, err := w.EnterRemembered(t.Context(), w.state(ada), w.entry(session.SessionRequest{}, session.AMRFederated))
		if err != nil {
			t.Fatal(err)
		}
		w.withApp(ada)
		b := w.browser()
		b.access = out.Opened.AccessToken
		w.is(b.password(otherPassword), 403, "step_up_required")
		if out, err = w.EnterProven(t.Context(), w.state(ada), w.entry(session.SessionRequest{}, keyAMR...), func(context.Context, *db.Tx, string) error { return nil }); err != nil {
			t.Fatal(err)
		}
		b.access = out.Opened.AccessToken
		w.is(b.as("PUT", "/account/password", fields{"new_password": otherPassword, "revoke_others": false}), 201, "")
		w.is(w.browser().attempt("ada", fields{"password": otherPassword}), 202, "")
	})
}

// Of twenty first passwords at once, from many sessions, one is set.
func TestFirstPasswordsAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada := w.below.Federate("ada")
		all := make([]*browser, 10)
		for i := range all {
			out, err := w.EnterRemembered(t.Context(), w.state(ada), w.entry(session.SessionRequest{}, session.AMRFederated))
			if err != nil {
				t.Fatal(err)
			}
			all[i] = w.browser()
			all[i].access = out.Opened.AccessToken
		}
		got := race(20, func(i int) string {
			b := all[i%10]
			return said(b.request(true, "PUT", "/account/password", "Bearer "+b.access, fields{"new_password": fmt.Sprint(otherPassword, i), "revoke_others": false}))
		})
		// The losers find that another was set, or that there is a present one to give.
		if got["201"] != 1 || got["201"]+got["401 invalid_credentials"]+got["422 validation_failed"] != 20 {
			t.Errorf("%v", got)
		}
		if n := len(w.below.Told()); n != 1 {
			t.Errorf("%d notices", n)
		}
	})
}

// A session that a writer of the database altered is not sealed anew, and the change does
// not happen.
func TestChangePasswordOfAnAlteredSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.below.Join("ada")
	b := w.browser()
	b.signIn("ada")
	if _, err := w.DB.Exec(t.Context(), `UPDATE sessions SET aal = 'aal2'`); err != nil {
		t.Fatal(err)
	}
	w.is(b.change(password, otherPassword), 401, "unauthenticated")
	w.browser().signIn("ada")
	if mails := w.below.Told(); slices.Contains(mails, "ada@canary.example password-changed") {
		t.Errorf("%v", mails)
	}
}

// A key store that fails in the middle leaves the old password.
func TestChangePasswordWithoutAStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.below.Join("ada")
	b := w.browser()
	id := b.signIn("ada").SessionID
	caller, err := w.Authenticate(t.Context(), &rest.Sent{Authorization: "Bearer " + b.access})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Tokens.End(t.Context(), id); err != nil { // between the check of the token and the change
		t.Fatal(err)
	}
	if _, err := w.ChangePassword(t.Context(), caller, rest.Client{}, password, otherPassword, true); err == nil {
		t.Error("changed for a session without a record")
	}
	w.browser().signIn("ada")
}

// An intruder with the password cannot bury the first notice below thousands of others. Other
// proofs of the password still count.
func TestAttackManyChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.below.Join("ada")
	b := w.browser()
	b.signIn("ada")
	w.below.Mails()
	now := password
	for i := range w.PairLimit.Limit {
		next := fmt.Sprintf("nine loud herons %d", 100+i)
		b.access = w.is(b.change(now, next), 201, "").AccessToken
		now = next
	}
	w.is(b.change(now, otherPassword), 429, "rate_limited")
	if n := len(w.below.Mails()); n != w.PairLimit.Limit {
		t.Errorf("%d mails, want %d", n, w.PairLimit.Limit)
	}
	b.access = w.is(b.as("POST", "/account/reauthenticate", fields{"password": now}), 201, "").AccessToken
	w.below.Advance(2 * w.PairLimit.Window)
	b.signIn("ada", fields{"password": now})
	w.is(b.change(now, otherPassword), 201, "")
}
