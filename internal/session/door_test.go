package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
	"coffer/internal/limit"
	"coffer/internal/rest"
	"coffer/internal/session"
)

// key stands for a room whose proof passes every layer. Each proof works once.
type key struct{ w *world }

// keyed makes the room. Every account has a key.
func (w *world) keyed() *key {
	w.t.Helper()
	if _, err := w.DB.Exec(context.Background(), `CREATE TABLE test_key (proof TEXT PRIMARY KEY)`); err != nil {
		w.t.Fatal(err)
	}
	w.AddPass(func(context.Context, db.Querier, account.ID) (bool, error) { return true, nil })
	return &key{w}
}

// proof makes a proof that works once.
func (k *key) proof(name string) string {
	k.w.t.Helper()
	if _, err := k.w.DB.Exec(context.Background(), `INSERT INTO test_key (proof) VALUES ($1)`, name); err != nil {
		k.w.t.Fatal(err)
	}
	return name
}

// use takes a proof, in the transaction of what it opens.
func (k *key) use(proof string) func(context.Context, *db.Tx, string) error {
	return func(ctx context.Context, tx *db.Tx, _ string) error {
		n, err := tx.Exec(ctx, `DELETE FROM test_key WHERE proof = $1`, proof)
		if err == nil && n == 0 {
			err = errCode
		}
		return err
	}
}

var keyAMR = []string{"hwk", "user", "mfa"}

// state reads an account as a room does that found it by a proof.
func (w *world) state(id account.ID) account.State {
	w.t.Helper()
	st, err := w.Accounts.State(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return st
}

func (w *world) entry(r session.SessionRequest, amr ...string) session.Entry {
	w.t.Helper()
	r.RefreshIn = "body"
	e, err := w.Prepare(r, rest.Client{}, amr...)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// code is the code of an error; "" for none, its text for one without a code.
func code(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// outcome says what came of a call.
func outcome(out session.Outcome, err error) string {
	switch {
	case err != nil:
		return code(err)
	case out.Challenge != nil:
		return "challenge"
	}
	return "open"
}

// caller is the caller of a session.
func (w *world) caller(access string) rest.Caller {
	w.t.Helper()
	c, err := w.Authenticate(context.Background(), &rest.Sent{Authorization: "Bearer " + access})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// deactivate deactivates an account as its owner does.
func (w *world) deactivate(id account.ID) {
	w.t.Helper()
	if err := w.Accounts.Deactivate(context.Background(), id); err != nil {
		w.t.Fatal(err)
	}
}

func input(id, token string) session.AttemptInput {
	return session.AttemptInput{ID: id, Authorization: "Attempt " + token}
}

// passAll answers an attempt with a proof that works once.
func (k *key) passAll(in session.AttemptInput, proof string) (session.Outcome, error) {
	return k.w.PassAll(context.Background(), in, func(ctx context.Context, tx *db.Tx, _ account.ID) ([]string, error) {
		return keyAMR, k.use(proof)(ctx, tx, "")
	})
}

// A proof that passes every layer opens an aal2 session, also where the owner chose "always
// ask". It works once, and a refusal opens nothing.
func TestEnterProven(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx, k, ada := t.Context(), w.keyed(), w.layered("ada")
		if err := w.Accounts.SetAlwaysAsk(ctx, ada, true); err != nil {
			t.Fatal(err)
		}
		proof, seen := k.proof("one"), ""
		enter := func() (session.Outcome, error) {
			return w.EnterProven(ctx, w.state(ada), w.entry(session.SessionRequest{RememberDevice: true}, keyAMR...), func(ctx context.Context, tx *db.Tx, id string) error {
				seen = id
				return k.use(proof)(ctx, tx, id)
			})
		}
		out, err := enter()
		if err != nil || out.Opened == nil {
			t.Fatalf("%+v, %v", out, err)
		}
		o := out.Opened
		if o.AAL != session.AAL2 || !slices.Equal(o.AMR, keyAMR) || o.DeviceToken != "" || o.ID != seen || o.Recovery != nil {
			t.Errorf("%+v; first saw %q", o, seen)
		}
		b := w.browser()
		b.access = o.AccessToken
		w.is(b.as("POST", "/fresh", nil), 204, "")
		if n := w.count(`SELECT COUNT(*) FROM devices`); n != 0 {
			t.Errorf("%d devices are remembered", n)
		}
		if got := outcome(enter()); got != "invalid_code" {
			t.Errorf("a used proof: %s", got)
		}
		if n := w.count(`SELECT COUNT(*) FROM sessions`); n != 1 {
			t.Errorf("%d sessions", n)
		}
	})
}

// What happened to the account since the proof was looked at: nothing opens, and the proof is
// not asked.
func TestEnterProvenTooLate(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		asked := false
		fine := func(context.Context, *db.Tx, string) error { asked = true; return nil }
		for _, tt := range []struct {
			name, want string
			happens    func(account.ID)
		}{
			{"epoch", "invalid_credentials", w.bump},
			{"deactivated", "invalid_credentials", w.deactivate}, // its sessions ended with it
			{"deleted", "invalid_credentials", func(id account.ID) {
				if err := w.Accounts.Delete(context.Background(), id); err != nil {
					t.Fatal(err)
				}
			}},
			{"marked", "account_deactivated", func(id account.ID) {
				if _, err := d.Exec(context.Background(), `UPDATE accounts SET status = 'deactivated' WHERE id = $1`, string(id)); err != nil {
					t.Fatal(err)
				}
			}},
		} {
			id := w.below.Join(tt.name)
			st := w.state(id)
			tt.happens(id)
			if got := outcome(w.EnterProven(t.Context(), st, w.entry(session.SessionRequest{}, keyAMR...), fine)); got != tt.want {
				t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
			}
		}
		gone := w.below.Join("gone")
		w.deactivate(gone)
		if got := outcome(w.EnterProven(t.Context(), w.state(gone), w.entry(session.SessionRequest{}, keyAMR...), fine)); got != "account_deactivated" {
			t.Errorf("a deactivated account: %s", got)
		}
		if n := w.count(`SELECT COUNT(*) FROM sessions`); n != 0 || asked {
			t.Errorf("%d sessions; first was asked: %t", n, asked)
		}
	})
}

// Twenty sign-ins at once with one proof open one session.
func TestEnterProvenAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		k, ada := w.keyed(), w.below.Join("ada")
		proof := k.proof("one")
		st, e := w.state(ada), w.entry(session.SessionRequest{}, keyAMR...)
		got := race(20, func(int) string { return outcome(w.EnterProven(context.Background(), st, e, k.use(proof))) })
		if got["open"] != 1 || got["invalid_code"] != 19 || w.count(`SELECT COUNT(*) FROM sessions`) != 1 {
			t.Errorf("%v", got)
		}
	})
}

// A sign-in that passes every layer and the end of all sessions at the same moment: either the
// session is refused or it is over.
func TestEnterProvenAgainstAnEnd(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for i, end := range []func(account.ID){w.bump, w.deactivate} {
			for n := range 5 {
				id := w.below.Join(fmt.Sprintf("ada%d%d", i, n))
				st, e := w.state(id), w.entry(session.SessionRequest{}, keyAMR...)
				var out session.Outcome
				race(2, func(n int) string {
					if n == 0 {
						end(id)
						return ""
					}
					out, _ = w.EnterProven(context.Background(), st, e, func(context.Context, *db.Tx, string) error { return nil })
					return ""
				})
				if out.Opened != nil && w.browser().answers(out.Opened.AccessToken) {
					t.Errorf("%d: a session outlives the end of all", i)
				}
			}
		}
	})
}

// answers reports whether an access token is good.
func (b *browser) answers(access string) bool {
	return b.request(true, "GET", "/account", "Bearer "+access, nil).Status == 200
}

// Strangers who guess a password lock out the password alone. Their guesses stay counted after
// another way in was used.
func TestOtherWaysPassAPasswordLock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), inMemory, func(s *setup) { s.config.AccountLimit = limit.Rule{Limit: 5, Window: time.Hour} })
	ada := w.below.Join("ada")
	for range 5 {
		w.is(w.browser().attempt("ada", fields{"password": "wrong otters 41"}), 401, "invalid_credentials")
	}
	locked := func() { t.Helper(); w.is(w.browser().attempt("ada"), 403, "sign_in_held") }
	locked()
	fine := func(context.Context, *db.Tx, string) error { return nil }
	if got := outcome(w.EnterProven(t.Context(), w.state(ada), w.entry(session.SessionRequest{}, keyAMR...), fine)); got != "open" {
		t.Errorf("a proof that passes every layer: %s", got)
	}
	locked()
	if got := outcome(w.EnterRemembered(t.Context(), w.state(ada), w.entry(session.SessionRequest{}, session.AMRFederated))); got != "open" {
		t.Errorf("another service's word: %s", got)
	}
	locked()
}

// Every first proof asks for the same layers, but one that passes all (security.md row 21). A
// remembered device is spared them as after a password.
func TestEveryWayInAsksForTheLayers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx, ada := t.Context(), w.layered("ada")
		enter := func(who account.ID, r session.SessionRequest) session.Outcome {
			t.Helper()
			out, err := w.EnterRemembered(ctx, w.state(who), w.entry(r, session.AMRFederated))
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		asked := func(c *session.Challenge) string {
			var names []string
			for _, l := range c.Layers {
				names = append(names, l.Layer)
			}
			return strings.Join(names, " ")
		}
		want := layers(w.is(w.browser().attempt("ada"), 202, ""))
		out := enter(ada, session.SessionRequest{RememberDevice: true})
		if out.Challenge == nil || asked(out.Challenge) != want || out.Challenge.Passkey {
			t.Fatalf("asked for %+v, want %q", out, want)
		}
		if out, err := w.Enter(ctx, w.state(ada), w.entry(session.SessionRequest{}, session.AMREmail)); err != nil || asked(out.Challenge) != want {
			t.Errorf("after a mailed link: %+v, %v", out, err)
		}
		b := w.browser()
		c := reply{AttemptID: out.Challenge.AttemptID, AttemptToken: out.Challenge.AttemptToken}
		w.is(b.pass(c, "pin", "1234"), 202, "")
		got := w.is(b.pass(c, "app", w.code()), 201, "")
		if got.AAL != "aal2" || strings.Join(got.AMR, " ") != "fed otp pin mfa" || got.DeviceToken == "" {
			t.Fatalf("%s", got.Raw)
		}
		device := session.SessionRequest{DeviceToken: got.DeviceToken}
		out = enter(ada, device)
		if out.Opened == nil || out.Opened.AAL != session.AAL1 || !slices.Equal(out.Opened.AMR, []string{"fed"}) {
			t.Fatalf("a remembered device: %+v", out)
		}
		b.access = out.Opened.AccessToken
		w.is(b.as("POST", "/fresh", nil), 403, "step_up_required")
		if out := enter(w.layered("eve"), device); out.Challenge == nil {
			t.Error("another account's device is spared the layers")
		}
		if err := w.Accounts.SetAlwaysAsk(ctx, ada, true); err != nil {
			t.Fatal(err)
		}
		if out := enter(ada, device); out.Challenge == nil || asked(out.Challenge) != want {
			t.Error("always ask: a remembered device is spared the layers")
		}
		plain := enter(w.below.Join("plain"), session.SessionRequest{})
		if plain.Opened == nil || plain.Opened.AAL != session.AAL1 {
			t.Errorf("an account without layers: %+v", plain)
		}
	})
}

// A device stays remembered when a session that a proof opened there ends the others.
func TestEnterProvenOnARememberedDevice(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada := w.layered("ada")
		b := w.remembered("ada")
		e := w.entry(session.SessionRequest{DeviceToken: b.jar[deviceCookie], Former: b.jar["__Host-coffer-refresh"]}, keyAMR...)
		out, err := w.EnterProven(t.Context(), w.state(ada), e, func(context.Context, *db.Tx, string) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		b.access = out.Opened.AccessToken
		w.is(b.as("DELETE", "/sessions", nil), 204, "")
		w.is(b.attempt("ada"), 201, "")
	})
}
