package social

import (
	"context"
	"errors"
	"slices"
	"testing"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/limit"
	"coffer/internal/rest"
	"coffer/internal/session"
)

// mails stands for the room that mails links to activate. The function that it returns tells
// the accounts that a mail was asked for since its last call.
func (w *world) mails() func() []account.ID {
	var asked []account.ID
	w.Sessions.AddActivation(func(_ context.Context, id account.ID, _ rest.Client) error {
		asked = append(asked, id)
		return nil
	})
	return func() []account.ID {
		was := asked
		asked = nil
		return was
	}
}

func (w *world) activate(code, browser string) error {
	return w.Activate(context.Background(), code, browser, here)
}

// closed is the deactivated account of the person at Google.
func (w *world) closed() account.ID {
	w.t.Helper()
	id := account.ID(w.signsIn(google).Account)
	if err := w.Accounts.Deactivate(w.t.Context(), id); err != nil {
		w.t.Fatal(err)
	}
	return id
}

// A code of a sign-in asks for the mail to a deactivated account, and for none to an active one.
// It stays good: the mail may be asked for again, and the code signs in afterwards.
func TestActivate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		asked := w.mails()
		w.google.Become(ada)
		w.signsIn(google)
		b := w.browser()
		if err := w.activate(w.code(google, b, signIn, rest.Caller{}), b); err != nil || len(asked()) != 0 {
			t.Errorf("an active account: %v", err)
		}
		id := w.closed()
		code := w.code(google, b, signIn, rest.Caller{})
		if _, err := w.exchange(code, b); !errors.Is(err, session.ErrDeactivated) {
			t.Fatal(err)
		}
		before := w.rows()
		for range 3 {
			if err := w.activate(code, b); err != nil {
				t.Fatal(err)
			}
			if got := asked(); !slices.Equal(got, []account.ID{id}) {
				t.Errorf("asked for %q", got)
			}
		}
		if after := w.rows(); after != before {
			t.Errorf("%s, want %s", after, before)
		}
		if st, err := w.Accounts.State(t.Context(), id); err != nil || st.Status != account.Deactivated {
			t.Errorf("%+v, %v", st, err)
		}
		if err := d.Tx(t.Context(), func(tx *db.Tx) error { _, err := w.Accounts.Activate(t.Context(), tx, id); return err }); err != nil {
			t.Fatal(err)
		}
		if out, err := w.exchange(code, b); err != nil || out.Opened == nil {
			t.Errorf("the code afterwards: %+v, %v", out, err)
		}
		if err := w.activate(code, b); codeOf(err) != "link_gone" {
			t.Errorf("a spent code: %v", err)
		}
	})
}

// A code of another browser, purpose or person, and one that is over, ask for nothing.
func TestAttackActivate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		asked := w.mails()
		w.google.Become(ada)
		c := w.signsIn(google)
		b := w.browser()
		renewal := w.code(google, b, renew, c)
		linking := w.code(google, b, link, c)
		id := w.closed()
		code := w.code(google, b, signIn, rest.Caller{})
		w.google.Become(bob)
		unknown := w.code(google, b, signIn, rest.Caller{})
		before := w.rows()
		for what, try := range map[string][2]string{
			"another browser":  {code, w.browser()},
			"no browser":       {code, ""},
			"no code":          {"", b},
			"an unknown code":  {w.browser(), b},
			"a fresh proof":    {renewal, b},
			"a link":           {linking, b},
			"somebody unknown": {unknown, b},
		} {
			if err := w.activate(try[0], try[1]); codeOf(err) != "link_gone" {
				t.Errorf("%s: %v", what, err)
			}
		}
		if after := w.rows(); after != before {
			t.Errorf("%s, want %s", after, before)
		}
		// Whoever writes to the database gives a person no other's account.
		exec := func(q string, args ...any) {
			t.Helper()
			if n, err := d.Exec(t.Context(), q, args...); err != nil || n == 0 {
				t.Fatalf("%d rows, %v", n, err)
			}
		}
		owner := w.joined("owner")
		if err := w.Accounts.Deactivate(t.Context(), account.ID(owner.Account)); err != nil {
			t.Fatal(err)
		}
		exec(`UPDATE identities SET account = $1 WHERE account = $2`, owner.Account, string(id))
		if err := w.activate(code, b); codeOf(err) != "identity_altered" {
			t.Errorf("a moved row: %v", err)
		}
		exec(`UPDATE identities SET account = $1 WHERE account = $2`, string(id), owner.Account)
		w.below.Advance(w.Accounts.CodeTTL)
		if err := w.activate(code, b); codeOf(err) != "link_gone" {
			t.Errorf("an expired code: %v", err)
		}
		// An identity that was disconnected, by a stop of a recovery, is nobody's.
		w.google.Become(ada)
		code = w.code(google, b, signIn, rest.Caller{})
		exec(`DELETE FROM identities WHERE account = $1`, string(id))
		if err := w.activate(code, b); codeOf(err) != "link_gone" {
			t.Errorf("a disconnected one: %v", err)
		}
		if got := asked(); len(got) != 0 {
			t.Errorf("asked for %q", got)
		}
	})
}

// An account that is being deleted is unknown.
func TestAttackActivateDeleting(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	asked := w.mails()
	w.google.Become(ada)
	id := w.closed()
	b := w.browser()
	code := w.code(google, b, signIn, rest.Caller{})
	w.Accounts.Keep("stuck", account.Keeper{Forget: func(context.Context, *db.Tx, account.ID) error { return errors.New("a store is down") }})
	if err := w.Accounts.Delete(t.Context(), id); err == nil {
		t.Fatal("the store was up")
	}
	if err := w.activate(code, b); codeOf(err) != "link_gone" || len(asked()) != 0 {
		t.Errorf("an account that is being deleted: %v", err)
	}
}

// A code works often, so an address is bounded.
func TestActivateLimit(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	asked := w.mails()
	w.google.Become(ada)
	w.closed()
	b := w.browser()
	code := w.code(google, b, signIn, rest.Caller{})
	w.SocialLimit = limit.Rule{Name: "activate-test", Limit: 3, Window: w.SocialLimit.Window}
	in := &codeInput{Request: rest.Request{Client: here}, Cookied: Cookied{Cookie: b}, Body: socialCode{Code: code}}
	for i, want := range []string{"ok", "ok", "ok", "rate_limited"} {
		if _, err := w.postActivate(t.Context(), in); codeOf(err) != want {
			t.Errorf("call %d: %v, want %s", i, err, want)
		}
	}
	if got := asked(); len(got) != 3 {
		t.Errorf("asked %d times", len(got))
	}
}
