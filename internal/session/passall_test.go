package session_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/kv"
	"coffer/internal/session"
)

// One proof passes every layer of an attempt, held ones too, which never begin.
func TestPassAll(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx, k := t.Context(), w.keyed()
		w.pin.last = true
		ada := w.layered("ada")
		b := w.browser()
		c := w.is(b.attempt("ada", fields{"remember_device": true, "refresh_in": "body"}), 202, "")
		in := input(c.AttemptID, c.AttemptToken)
		if !strings.Contains(c.Raw, `"passkey":true`) || !strings.Contains(b.send("GET", "/auth/attempts/"+c.AttemptID, in.Authorization, nil).Raw, `"passkey":true`) {
			t.Errorf("the challenge does not offer it: %s", c.Raw)
		}
		if who, err := w.AttemptOwner(ctx, in); who != ada || err != nil {
			t.Errorf("the owner: %q, %v", who, err)
		}
		for name, bad := range map[string]session.AttemptInput{
			"attempt_over": input(c.AttemptID, strings.Repeat("A", 43)), "unauthenticated": {ID: c.AttemptID},
		} {
			if _, err := w.AttemptOwner(ctx, bad); code(err) != name {
				t.Errorf("the owner: %v, want %s", err, name)
			}
			if got := outcome(k.passAll(bad, k.proof(name))); got != name {
				t.Errorf("%s, want %s", got, name)
			}
		}
		out, err := k.passAll(in, k.proof("one"))
		if err != nil {
			t.Fatal(err)
		}
		o := out.Opened
		if o.AAL != session.AAL2 || strings.Join(o.AMR, " ") != "pwd hwk user mfa" || o.DeviceToken == "" || w.pin.begun != 0 {
			t.Errorf("%+v; %d messages", o, w.pin.begun)
		}
		b.access = o.AccessToken
		w.is(b.as("POST", "/fresh", nil), 204, "")
		if got := outcome(k.passAll(in, k.proof("two"))); got != "attempt_over" {
			t.Errorf("again: %s", got)
		}
		if w.count(`SELECT COUNT(*) FROM test_key`) != 3 {
			t.Error("a proof was spent on an attempt that is over")
		}
		// The device has passed the layers.
		e := w.entry(session.SessionRequest{DeviceToken: o.DeviceToken}, session.AMRPassword)
		if got := outcome(w.EnterRemembered(ctx, w.state(ada), e)); got != "open" {
			t.Errorf("the remembered device: %s", got)
		}
	})
}

// Wrong proofs count as wrong codes do: five end the attempt. What the room writes of a wrong
// one stays, and of one that it cannot judge nothing does.
func TestPassAllRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		k := w.keyed()
		w.layered("ada")
		b := w.browser()
		c := w.is(b.attempt("ada"), 202, "")
		in := input(c.AttemptID, c.AttemptToken)
		try := func(name string, refusal error) string {
			return outcome(w.PassAll(t.Context(), in, func(ctx context.Context, tx *db.Tx, _ account.ID) ([]string, error) {
				if _, err := tx.Exec(ctx, `INSERT INTO test_key (proof) VALUES ($1)`, name); err != nil {
					return nil, err
				}
				return keyAMR, refusal
			}))
		}
		for range 6 {
			if got := try("away", kv.ErrUnavailable); got != kv.ErrUnavailable.Error() && got != "unavailable" {
				t.Fatalf("%s", got)
			}
		}
		for i := range 4 {
			if got := try(fmt.Sprint("wrong ", i), errCode); got != "invalid_code" {
				t.Fatalf("%s", got)
			}
		}
		w.is(b.pass(c, "pin", "0000"), 401, "invalid_credentials")
		if got := try("late", nil); got != "attempt_over" {
			t.Errorf("after five: %s", got)
		}
		if n := w.count(`SELECT COUNT(*) FROM test_key`); n != 4 {
			t.Errorf("%d rows of wrong proofs, want 4", n)
		}
		if n := w.count(`SELECT COUNT(*) FROM sessions`); n != 0 {
			t.Errorf("%d sessions", n)
		}
		c = w.is(b.attempt("ada"), 202, "")
		in = input(c.AttemptID, c.AttemptToken)
		got := race(20, func(int) string { return outcome(k.passAll(in, "none")) })
		if got["invalid_code"] != 5 || got["attempt_over"] != 15 {
			t.Errorf("at once: %v", got)
		}
	})
}

// Twenty right proofs at once open one session, with layers passed at the same moment too.
func TestPassAllAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		k := w.keyed()
		w.pin.set(w.below.Join("ada"), true)
		b := w.browser()
		c := w.is(b.attempt("ada"), 202, "")
		in := input(c.AttemptID, c.AttemptToken)
		for i := range 20 {
			k.proof(fmt.Sprint(i))
		}
		got := race(20, func(i int) string {
			if i%4 == 0 {
				a := b.request(true, "POST", "/auth/attempts/"+c.AttemptID+"/pin", in.Authorization, fields{"code": "1234"})
				return map[int]string{201: "open"}[a.Status] + a.Code
			}
			return outcome(k.passAll(in, fmt.Sprint(i)))
		})
		if got["open"] != 1 || got["attempt_over"] != 19 || w.count(`SELECT COUNT(*) FROM sessions`) != 1 {
			t.Errorf("%v", got)
		}
		// Many attempts and one proof: one.
		attempts := make([]reply, 20)
		for i := range attempts {
			attempts[i] = w.is(b.attempt("ada"), 202, "")
		}
		k.proof("one")
		got = race(20, func(i int) string {
			return outcome(k.passAll(input(attempts[i].AttemptID, attempts[i].AttemptToken), "one"))
		})
		if got["open"] != 1 || got["invalid_code"] != 19 {
			t.Errorf("one proof: %v", got)
		}
	})
}

// A proof passes a layer that was turned on meanwhile, and "always ask" that was chosen since.
// It opens nothing for an account that ended its sessions, or is gone.
func TestPassAllOfAnAccountThatChanged(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		k := w.keyed()
		for name, tt := range map[string]struct {
			want    string
			happens func(account.ID)
		}{
			"layer": {"open", w.withApp},
			"asks": {"open", func(id account.ID) {
				if err := w.Accounts.SetAlwaysAsk(context.Background(), id, true); err != nil {
					t.Fatal(err)
				}
			}},
			"epoch":       {"attempt_over", w.bump},
			"deactivated": {"attempt_over", w.deactivate},
			"marked": {"attempt_over", func(id account.ID) {
				if _, err := d.Exec(context.Background(), `UPDATE accounts SET status = 'deactivated' WHERE id = $1`, string(id)); err != nil {
					t.Fatal(err)
				}
			}},
			"deleted": {"attempt_over", func(id account.ID) {
				if err := w.Accounts.Delete(context.Background(), id); err != nil {
					t.Fatal(err)
				}
			}},
		} {
			id := w.below.Join(name)
			w.pin.set(id, true)
			c := w.is(w.browser().attempt(name), 202, "")
			tt.happens(id)
			if got := outcome(k.passAll(input(c.AttemptID, c.AttemptToken), k.proof(name))); got != tt.want {
				t.Errorf("%s: %s, want %s", name, got, tt.want)
			}
		}
		if n := w.count(`SELECT COUNT(*) FROM sessions`); n != 2 {
			t.Errorf("%d sessions", n)
		}
	})
}

// A right proof whose session could not be opened is not lost: the next call goes on, with
// whatever it shows.
func TestPassAllGoesOn(t *testing.T) {
	t.Parallel()
	var broken breakable
	w := newWorld(t, dbtest.SQLite(t), func(s *setup) { s.KV = broken.over })
	k := w.keyed()
	w.layered("ada")
	b := w.browser()
	c := w.is(b.attempt("ada"), 202, "")
	k.proof("one")
	broken.down.Store(true)
	if got := outcome(k.passAll(input(c.AttemptID, c.AttemptToken), "one")); got == "open" {
		t.Fatalf("%s", got)
	}
	broken.down.Store(false)
	if out, err := k.passAll(input(c.AttemptID, c.AttemptToken), "one"); err != nil || out.Opened.AAL != session.AAL2 {
		t.Errorf("%+v, %v", out, err)
	}
}

// On a device that is spared a layer, a proof that passes all is as fresh as anywhere.
func TestPassAllIsFresh(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		k, ada := w.keyed(), w.below.Join("ada")
		w.withApp(ada)
		b := w.remembered("ada")
		w.pin.set(ada, true)
		w.below.Advance(w.StepUpTTL + time.Second)
		c := w.is(b.attempt("ada"), 202, "")
		out, err := k.passAll(input(c.AttemptID, c.AttemptToken), k.proof("one"))
		if err != nil {
			t.Fatal(err)
		}
		b.access = out.Opened.AccessToken
		w.is(b.as("POST", "/fresh", nil), 204, "")
	})
}

// An attempt that renews a session renews it to aal2. That of a weak recovery session makes it
// an ordinary one.
func TestPassAllRenews(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		k, ada := w.keyed(), w.below.Join("ada")
		b := w.browser()
		first := b.signIn("ada")
		w.withApp(ada)
		w.is(b.as("POST", "/fresh", nil), 403, "step_up_required")
		c := w.is(b.as("POST", "/account/reauthenticate", fields{"password": password}), 202, "")
		out, err := k.passAll(input(c.AttemptID, c.AttemptToken), k.proof("one"))
		if err != nil || out.Opened.ID != first.SessionID || out.Opened.AAL != session.AAL2 {
			t.Fatalf("%+v, %v", out, err)
		}
		b.access = out.Opened.AccessToken
		w.is(b.as("POST", "/fresh", nil), 204, "")

		weak := w.browser()
		o := w.recover(weak, ada, session.AMRTrusted)
		c = w.is(weak.password(repaired), 202, "")
		if !strings.Contains(c.Raw, `"passkey":true`) {
			t.Errorf("%s", c.Raw)
		}
		out, err = k.passAll(input(c.AttemptID, c.AttemptToken), k.proof("two"))
		if err != nil || out.Opened.ID != o.ID || out.Opened.AAL != session.AAL2 || out.Opened.Recovery != nil {
			t.Fatalf("%+v, %v", out, err)
		}
	})
}
