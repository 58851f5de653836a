package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// layered makes an account with both layers on.
func (w *world) layered(name string) (id account.ID) {
	id = w.below.Join(name)
	w.pin.set(id, true)
	w.withApp(id)
	return id
}

// layers are those of a challenge, "+" for those passed.
func layers(c reply) string {
	var out []string
	for _, l := range c.Layers {
		name := l.Layer
		if l.Done {
			name += "+"
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

// Each listed layer must be passed, in any order; the call that passes the last one
// answers with the session, once.
func TestLayersInAnyOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.layered("ada")
		for _, order := range [][]string{{"app", "pin"}, {"pin", "app"}} {
			w.below.Advance(time.Minute)
			code := map[string]string{"app": w.code(), "pin": "1234"}
			b := w.browser()
			c := w.is(b.attempt("ada", inBody), 202, "")
			if layers(c) != "app pin" || c.AccessToken != "" || c.SessionID != "" || c.Header.Get("Set-Cookie") != "" || c.Layers[1].Hint != "canary-hint" {
				t.Fatalf("a challenge: %s", c.Raw)
			}
			next := w.is(b.pass(c, order[0], code[order[0]]), 202, "")
			want := map[string]string{"app": "app+ pin", "pin": "app pin+"}[order[0]]
			if layers(next) != want || next.AttemptID != c.AttemptID || next.AttemptToken != c.AttemptToken || next.AccessToken != "" {
				t.Errorf("after %s: %s", order[0], next.Raw)
			}
			seen := w.is(b.send("GET", "/auth/attempts/"+c.AttemptID, "attempt "+c.AttemptToken, nil), 200, "")
			if layers(seen) != want {
				t.Errorf("GET: %s", seen.Raw)
			}
			// What is passed need not be passed again, and is no way past the other.
			if again := w.is(b.pass(c, order[0], code[order[0]]), 202, ""); layers(again) != want {
				t.Errorf("again: %s", again.Raw)
			}
			got := w.is(b.pass(c, order[1], code[order[1]]), 201, "")
			if got.AAL != "aal2" || strings.Join(got.AMR, " ") != "pwd otp pin mfa" || !b.alive(got.AccessToken) || got.RefreshToken == "" {
				t.Errorf("a session: %.300s", got.Raw)
			}
			for _, over := range []reply{b.pass(c, order[1], code[order[1]]), b.pass(c, order[0], "000000"), b.send("GET", "/auth/attempts/"+c.AttemptID, "Attempt "+c.AttemptToken, nil)} {
				w.is(over, 410, "attempt_over")
			}
		}
		if n := w.count(`SELECT COUNT(*) FROM sessions`); n != 2 {
			t.Errorf("%d sessions, want 2", n)
		}
	})
}

// A layer that is no second factor makes no aal2.
func TestWeakLayer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.pin.set(w.below.Join("ada"), true)
	b := w.browser()
	got := w.is(b.pass(b.attempt("ada"), "pin", "1234"), 201, "")
	if got.AAL != "aal1" || strings.Join(got.AMR, " ") != "pwd pin" {
		t.Errorf("%s %v", got.AAL, got.AMR)
	}
}

func TestFiveWrongCodes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.layered("ada")
		b := w.browser()
		c := b.attempt("ada")
		// Wrong codes of all layers count together; right ones do not count.
		w.is(b.pass(c, "pin", "0"), 401, "invalid_credentials")
		w.is(b.pass(c, "pin", "1"), 401, "invalid_credentials")
		w.is(b.pass(c, "pin", "1234"), 202, "")
		w.is(b.pass(c, "app", "000000"), 401, "invalid_code")
		w.is(b.pass(c, "app", "000000"), 401, "invalid_code")
		// A layer that is not asked, and a body that cannot be read, are no answers.
		w.is(b.pass(c, "sms", "1"), 404, "not_found")
		w.is(b.pass(c, "app", "what"), 422, "validation_failed")
		w.is(b.send("GET", "/auth/attempts/"+c.AttemptID, "Attempt "+c.AttemptToken, nil), 200, "")
		w.is(b.pass(c, "app", "000000"), 401, "invalid_code")
		w.is(b.pass(c, "app", w.code()), 410, "attempt_over")
		w.is(b.send("GET", "/auth/attempts/"+c.AttemptID, "Attempt "+c.AttemptToken, nil), 410, "attempt_over")
		// The code was not spent on a dead attempt.
		c = b.attempt("ada")
		w.is(b.pass(c, "app", w.code()), 202, "")
		w.is(b.pass(c, "pin", "1234"), 201, "")
	})
}

// Of wrong codes at once, no more than five are looked at.
func TestTriesAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.pin.set(w.below.Join("ada"), true)
		b := w.browser()
		c := b.attempt("ada")
		got := race(20, func(int) string {
			return said(b.request(true, "POST", "/auth/attempts/"+c.AttemptID+"/pin", "Attempt "+c.AttemptToken, fields{"code": "0"}))
		})
		if got["401 invalid_credentials"] != 5 || got["410 attempt_over"] != 15 {
			t.Errorf("answers %v, want 5 wrong and 15 too late", got)
		}
		w.is(b.pass(c, "pin", "1234"), 410, "attempt_over")
	})
}

// Twenty right answers at once open one session: in one attempt, whose layer would take
// each of them, and over twenty attempts with one code.
func TestOneSessionOfMany(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pinned := w.below.Join("pinned")
		w.pin.set(pinned, true)
		b := w.browser()
		c := b.attempt("pinned")
		post := func(c reply, layer, code string) reply {
			return b.request(true, "POST", "/auth/attempts/"+c.AttemptID+"/"+layer, "Attempt "+c.AttemptToken, fields{"code": code})
		}
		got := race(20, func(int) string { return said(post(c, "pin", "1234")) })
		if got["201"] != 1 || got["410 attempt_over"] != 19 {
			t.Errorf("one attempt: %v", got)
		}
		if n := w.count(`SELECT COUNT(*) FROM sessions WHERE account = $1`, string(pinned)); n != 1 {
			t.Errorf("one attempt opened %d sessions", n)
		}
		coded := w.below.Join("coded")
		w.withApp(coded)
		attempts := make([]reply, 20)
		for i := range attempts {
			attempts[i] = w.is(b.attempt("coded"), 202, "")
		}
		code := w.code()
		got = race(20, func(i int) string { return said(post(attempts[i], "app", code)) })
		if got["201"] != 1 || got["401 invalid_code"] != 19 {
			t.Errorf("twenty attempts: %v", got)
		}
		if n := w.count(`SELECT COUNT(*) FROM sessions WHERE account = $1`, string(coded)); n != 1 {
			t.Errorf("one code opened %d sessions", n)
		}
	})
}

// An attempt that is over, was never, or is somebody else's: one answer.
func TestAttemptsOfNobody(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.layered("ada")
		w.layered("eve")
		b := w.browser()
		mine, hers := b.attempt("ada"), b.attempt("eve")
		over := b.attempt("ada")
		w.below.Advance(10*time.Minute - time.Second)
		w.is(b.send("GET", "/auth/attempts/"+over.AttemptID, "Attempt "+over.AttemptToken, nil), 200, "")
		w.below.Advance(time.Second)
		fresh := w.is(b.attempt("ada"), 202, "")
		if fresh.ExpiresIn != 600 {
			t.Errorf("a fresh attempt lives %d s", fresh.ExpiresIn)
		}
		unknown, _ := uuid.NewV7()
		want := ""
		for name, try := range map[string][2]string{
			"expired":            {over.AttemptID, over.AttemptToken},
			"another's token":    {mine.AttemptID, hers.AttemptToken},
			"no such token":      {fresh.AttemptID, strings.Repeat("A", 43)},
			"unknown id":         {unknown.String(), fresh.AttemptToken},
			"no id":              {"x", fresh.AttemptToken},
			"another's spelling": {strings.ToUpper(fresh.AttemptID), fresh.AttemptToken},
			"a token of NUL":     {fresh.AttemptID, "\x00"},
		} {
			for _, got := range []reply{
				b.send("GET", "/auth/attempts/"+try[0], "Attempt "+try[1], nil),
				b.send("POST", "/auth/attempts/"+try[0]+"/pin", "Attempt "+try[1], fields{"code": "1234"}),
			} {
				w.is(got, 410, "attempt_over")
				if want == "" {
					want = refusal(got)
				} else if refusal(got) != want {
					t.Errorf("%s: another answer: %s", name, got.Raw)
				}
			}
		}
		for _, authorization := range []string{"", "Attempt", "Attempt ", "Bearer " + fresh.AttemptToken, fresh.AttemptToken} {
			w.is(b.send("POST", "/auth/attempts/"+fresh.AttemptID+"/pin", authorization, fields{"code": "1234"}), 401, "unauthenticated")
		}
		w.is(b.pass(fresh, "pin", "1234"), 202, "")
		if err := w.Prune(t.Context()); err != nil || w.count(`SELECT COUNT(*) FROM attempts`) != 1 {
			t.Errorf("attempts that are over are left behind, %v", err)
		}
	})
}

// What ends every session of an account ends the sign-ins that are under way.
func TestAttemptOutlivesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada := w.below.Join("ada")
		w.pin.set(ada, true)
		b := w.browser()
		c := b.attempt("ada")
		w.bump(ada)
		w.is(b.pass(c, "pin", "1234"), 410, "attempt_over")
		c = b.attempt("ada")
		if _, err := d.Exec(t.Context(), `UPDATE accounts SET status = $1 WHERE id = $2`, account.Deactivated, string(ada)); err != nil {
			t.Fatal(err)
		}
		w.is(b.pass(c, "pin", "1234"), 410, "attempt_over")
		eve := w.below.Join("eve")
		w.pin.set(eve, true)
		c = b.attempt("eve")
		if err := w.Accounts.Forget(t.Context(), eve); err != nil {
			t.Fatal(err)
		}
		w.is(b.pass(c, "pin", "1234"), 410, "attempt_over")
		if n := w.count(`SELECT COUNT(*) FROM sessions`); n != 0 {
			t.Errorf("%d sessions", n)
		}
	})
}

// A right code whose session could not be opened is not lost: the same call goes on.
func TestAttemptGoesOn(t *testing.T) {
	t.Parallel()
	var broken breakable
	w := newWorld(t, dbtest.SQLite(t), func(s *setup) { s.KV = broken.over })
	w.withApp(w.below.Join("ada"))
	b := w.browser()
	c := b.attempt("ada")
	broken.down.Store(true)
	w.is(b.pass(c, "app", w.code()), 503, "unavailable")
	broken.down.Store(false)
	w.is(b.pass(c, "app", w.code()), 201, "")
	if n := w.count(`SELECT COUNT(*) FROM sessions`); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

// A layer that cannot judge costs no try.
func TestTryTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.pin.set(w.below.Join("ada"), true)
	b := w.browser()
	c := b.attempt("ada")
	for range 4 {
		if err := w.TryOf(t.Context(), c.AttemptID, c.AttemptToken); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		w.is(b.pass(c, "app", "000000"), 404, "not_found")
	}
	for range 3 {
		w.is(b.pass(c, "pin", "away"), 503, "unavailable")
	}
	w.is(b.pass(c, "pin", "1234"), 201, "")
}

// Nothing in the table of attempts can be read.
func TestAttemptsAreSealed(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.layered("ada")
		b := w.browser()
		c := b.attempt("ada", fields{"device_name": "canary-name", "remember_device": true})
		dump := w.dump("attempts")
		if !strings.Contains(dump, c.AttemptID) {
			t.Fatal("the dump has no attempts")
		}
		w.silent(dump, c.AttemptToken)
	})
}

// dump is what somebody who reads these tables sees: text, and bytes as they are.
func (w *world) dump(tables ...string) string {
	w.t.Helper()
	var out strings.Builder
	for _, table := range tables {
		cols := map[string]string{
			"sessions": "id, account, aal, amr, public_key, label, family, refresh_hash, COALESCE(refresh_before, refresh_hash), refresh_kid",
			"attempts": "id, account, token, data", "devices": "token, account, layers",
			"kv": "key, COALESCE(value, CAST('' AS BLOB))",
		}[table]
		if w.DB.Engine() == db.PostgreSQL {
			cols = strings.ReplaceAll(cols, "BLOB", "BYTEA")
		}
		rows, err := w.DB.Query(w.t.(*testing.T).Context(), `SELECT `+cols+` FROM `+table)
		if err != nil {
			w.t.Fatal(err)
		}
		n := strings.Count(cols, ",") + 1 - strings.Count(cols, "COALESCE")
		for rows.Next() {
			values, dest := make([]any, n), make([]any, n)
			for i := range values {
				dest[i] = &values[i]
			}
			if err := rows.Scan(dest...); err != nil {
				w.t.Fatal(err)
			}
			for _, v := range values {
				if b, ok := v.([]byte); ok {
					v = string(b)
				}
				fmt.Fprintf(&out, "%v\n", v)
			}
		}
		if err := rows.Err(); err != nil {
			w.t.Fatal(err)
		}
		rows.Close()
	}
	return out.String()
}

// silent fails the test when what was written says who somebody is or holds a secret.
func (w *world) silent(written string, secrets ...string) {
	w.t.Helper()
	for _, s := range append(secrets, "canary", "192.0.2.", password, "Lovelace") {
		if s == "" {
			w.t.Fatal("no secret to look for")
		}
		forms := []string{s}
		if i := strings.LastIndexByte(s, '.'); i > 0 && len(s) > 30 {
			forms = append(forms, s[i+1:]) // the secret part alone
		}
		if raw, err := b64.DecodeString(forms[len(forms)-1]); err == nil && len(raw) >= 16 {
			forms = append(forms, string(raw))
		}
		for _, f := range forms {
			if strings.Contains(written, f) {
				w.t.Errorf("%q can be read", f)
			}
		}
	}
}

// A layer that is last is asked for when all others are passed, and shows nothing before.
func TestLastLayer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.pin.last = true
		w.layered("ada")
		w.below.Advance(time.Minute)
		b := w.browser()
		c := w.is(b.attempt("ada", inBody), 202, "")
		if layers(c) != "app pin" || c.Layers[1].Hint != "" || w.pin.begun != 0 || strings.Contains(c.Raw, "canary-hint") {
			t.Fatalf("before its turn: %s", c.Raw)
		}
		w.is(b.pass(c, "pin", "1234"), 409, "earlier_layers_open")
		w.is(b.send("POST", "/auth/attempts/"+c.AttemptID+"/pin/resend", "attempt "+c.AttemptToken, nil), 409, "earlier_layers_open")
		for range 6 { // each too early, and none a try
			w.is(b.pass(c, "pin", "0000"), 409, "earlier_layers_open")
		}
		w.is(b.pass(c, "app", w.code()), 202, "")
		c = w.is(b.send("GET", "/auth/attempts/"+c.AttemptID, "attempt "+c.AttemptToken, nil), 200, "")
		if layers(c) != "app+ pin" || c.Layers[1].Hint != "canary-hint" || w.pin.begun != 1 {
			t.Errorf("in its turn: %s", c.Raw)
		}
		w.is(b.pass(c, "pin", "1234"), 201, "")

		// Alone, it is asked for at once.
		w.pin.set(w.below.Join("eve"), true)
		c = w.is(b.attempt("eve", inBody), 202, "")
		if layers(c) != "pin" || c.Layers[0].Hint != "canary-hint" {
			t.Errorf("alone: %s", c.Raw)
		}
		w.is(b.pass(c, "pin", "1234"), 201, "")
	})
}

// A message that is sent again changes what the person is shown, and is no try.
func TestSentAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.layered("ada")
		w.below.Advance(time.Minute)
		b := w.browser()
		c := w.is(b.attempt("ada", inBody), 202, "")
		again := func() reply {
			return b.send("POST", "/auth/attempts/"+c.AttemptID+"/pin/resend", "attempt "+c.AttemptToken, nil)
		}
		for range 6 {
			w.is(again(), 202, "")
		}
		if seen := w.is(b.send("GET", "/auth/attempts/"+c.AttemptID, "attempt "+c.AttemptToken, nil), 200, ""); seen.Layers[1].Hint != "sent again" {
			t.Errorf("shown: %s", seen.Raw)
		}
		w.is(b.pass(c, "pin", "1234"), 202, "")
		w.is(again(), 404, "not_found") // it is passed
		w.is(b.send("POST", "/auth/attempts/"+c.AttemptID+"/pin/resend", "attempt x"+c.AttemptToken, nil), 410, "attempt_over")
		w.is(b.pass(c, "app", w.code()), 201, "")
		w.is(again(), 410, "attempt_over")
	})
}
