package recovery_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/rest"
)

// An account is deactivated and activated as often as its owner wishes. Deactivation ends
// everything at once, and only credentials and a mailed link bring the account back.
func TestDeactivateAndActivate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.Join("ada")
		open := w.is(w.signIn("ada", oldPassword, nil), 201, "")
		for range 3 {
			other := w.is(w.signIn("ada", oldPassword, fields{"remember_device": true}), 201, "")
			w.Mails()
			reset := w.forgot("ada")
			got := w.is(w.call(home, "POST", "/account/deactivate", "Bearer "+open.AccessToken, nil), 204, "")
			if clear := got.Header.Get("Clear-Site-Data"); clear != `"cache","cookies","storage"` {
				t.Errorf("Clear-Site-Data %q", clear)
			}
			for _, s := range []reply{open, other} {
				if w.alive(s.AccessToken) {
					t.Error("a session of a deactivated account lives")
				}
				w.is(w.post("/auth/refresh", fields{"refresh_token": s.RefreshToken}), 401, "invalid_refresh_token")
			}
			w.is(w.reset(reset, newPassword), 410, "link_gone")
			mails := w.mailed("account-deactivated")
			if len(mails) != 1 || mails[0].Data["link"] != "https://coffer.test/activate" {
				t.Fatalf("%+v", mails)
			}
			w.is(w.signIn("ada", oldPassword, nil), 403, "account_deactivated")
			w.is(w.signIn("ada", newPassword, nil), 401, "invalid_credentials")

			token := w.activation("ada@canary.example", oldPassword)
			w.is(w.signIn("ada", oldPassword, nil), 403, "account_deactivated") // the link is not used
			for range 2 {
				w.is(w.post("/auth/activate/check", fields{"token": token}), 204, "")
			}
			open = w.is(w.confirm(token), 201, "")
			if strings.Join(open.AMR, " ") != "email" || !w.alive(open.AccessToken) {
				t.Errorf("the session: %s", open.Raw)
			}
			w.is(w.confirm(token), 410, "link_gone")
			w.is(w.post("/auth/activate/check", fields{"token": token}), 410, "link_gone")
			if told := w.Told(); !slices.Contains(told, "ada@canary.example account-activated") {
				t.Errorf("told %v", told)
			}
		}
		if st, err := w.Accounts.State(t.Context(), ada); err != nil || st.Status != account.Active {
			t.Errorf("%+v, %v", st, err)
		}
	})
}

// With a layer on, the activated account's owner passes it before a session opens.
func TestActivateAsksForLayers(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), nil)
	secret := w.withApp(w.Join("ada"))
	open := w.is(w.pass(w.signIn("ada", oldPassword, nil), secret), 201, "")
	w.Advance(time.Minute)
	w.deactivate(open.AccessToken)
	w.Mails()
	got := w.is(w.confirm(w.activation("ada", oldPassword)), 202, "")
	if len(got.Layers) != 1 || got.Layers[0].Layer != "totp" || got.AccessToken != "" || len(got.Header["Set-Cookie"]) != 0 {
		t.Errorf("%s", got.Raw)
	}
	if in := w.is(w.pass(got, secret), 201, ""); in.AAL != "aal2" {
		t.Errorf("%s", in.Raw)
	}
}

// Of twenty activations with one link one gets in. Of twenty deactivations at once, one is
// told to the owner.
func TestActivateAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada := w.Join("ada")
		open := w.is(w.signIn("ada", oldPassword, nil), 201, "")
		w.Mails()
		got := race(20, func(int) string {
			return said(w.call(home, "POST", "/account/deactivate", "Bearer "+open.AccessToken, nil))
		})
		if got["204"] == 0 || got["204"]+got["401 unauthenticated"] != 20 {
			t.Errorf("%v", got)
		}
		if n := len(w.mailed("account-deactivated")); n != 1 {
			t.Errorf("%d mails of a deactivation", n)
		}
		if st, err := w.Accounts.State(t.Context(), ada); err != nil || st.SessionEpoch != 2 {
			t.Errorf("%+v, %v", st, err)
		}
		token := w.activation("ada", oldPassword)
		got = race(20, func(int) string { return said(w.confirm(token)) })
		if got["201"] != 1 || got["410 link_gone"] != 19 {
			t.Errorf("%v", got)
		}
		if n := w.count(`SELECT COUNT(*) FROM sessions`); n != 1 {
			t.Errorf("%d sessions", n)
		}
		if n := len(w.mailed("account-activated")); n != 1 {
			t.Errorf("%d mails of an activation", n)
		}
	})
}

// A link that is not good activates nothing.
func TestActivateLinks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada, eve := w.Join("ada"), w.Join("eve")
		for _, id := range []account.ID{ada, eve} {
			if err := w.Accounts.Deactivate(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		w.Mails()
		older := w.activation("ada", oldPassword)
		reset, token := w.forgot("ada"), w.activation("ada", oldPassword)
		bad := map[string]string{"altered": token[1:] + token[:1], "of another purpose": reset, "empty": "", "that a newer one replaced": older}
		bad["of another account"] = w.activation("eve", oldPassword)
		w.exec(`UPDATE links SET account = $1 WHERE account = $2`, string(ada), string(eve))
		for what, link := range bad {
			if got := said(w.confirm(link)); got != "410 link_gone" {
				t.Errorf("a link %s: %s", what, got)
			}
			if got := said(w.post("/auth/activate/check", fields{"token": link})); got != "410 link_gone" {
				t.Errorf("a look at a link %s: %s", what, got)
			}
		}
		key := fields{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}
		w.is(w.post("/auth/activate/confirm", fields{"token": token, "public_key": key}), 400, "invalid_public_key")
		w.is(w.post("/auth/activate/check", fields{"token": token}), 204, "")
		w.Advance(w.Accounts.LinkTTL)
		w.is(w.confirm(token), 410, "link_gone")
		for _, id := range []account.ID{ada, eve} {
			if st, err := w.Accounts.State(t.Context(), id); err != nil || st.Status != account.Deactivated {
				t.Errorf("%+v, %v", st, err)
			}
		}
	})
}

// Activation takes credentials within the limits of a sign-in. Nobody learns from it who has
// an account, and nothing is mailed to an active one.
func TestActivateTakesCredentials(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), nil)
	gone := w.Join("gone")
	w.Join("ada")
	if err := w.Accounts.Deactivate(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	w.Mails()
	ask := func(name, password string) reply {
		return w.post("/auth/activate", fields{"identifier": name, "password": password})
	}
	want := ask("nobody", "wrong password 1")
	for _, name := range []string{"gone", "ada", "gone@canary.example", "nobody@canary.example"} {
		got := w.is(ask(name, "wrong password 1"), 401, "invalid_credentials")
		if same := strings.NewReplacer(want.Header.Get("X-Request-Id"), "", got.Header.Get("X-Request-Id"), ""); same.Replace(got.Raw) != same.Replace(want.Raw) {
			t.Errorf("%s: %s, want %s", name, got.Raw, want.Raw)
		}
	}
	w.is(ask("ada", oldPassword), 202, "")
	if mails := w.Mails(); len(mails) != 0 {
		t.Errorf("%v", mails)
	}
	for range 9 { // and one above
		w.is(ask("gone", "wrong password 1"), 401, "invalid_credentials")
	}
	w.is(ask("gone", oldPassword), 429, "rate_limited")
	w.is(w.signIn("gone", oldPassword, nil), 429, "rate_limited") // one count for both
	if got := w.call("192.0.2.8", "POST", "/auth/activate", "", fields{"identifier": "gone", "password": oldPassword}); said(got) != "202" {
		t.Errorf("from another address: %s", said(got))
	}
	// Right credentials cause no more mails than the shares allow.
	sent := len(w.mailed("activate"))
	for range 25 {
		w.call("192.0.2.8", "POST", "/auth/activate", "", fields{"identifier": "gone", "password": oldPassword})
		sent += len(w.mailed("activate"))
	}
	if sent != w.Accounts.MailRecipientLimit.Limit {
		t.Errorf("%d mails, want %d", sent, w.Accounts.MailRecipientLimit.Limit)
	}
}

// A proof of another room causes what a password does: one mail, whose link works, to a
// deactivated account alone, within the shares of its address.
func TestActivateByAnotherProof(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada, going := w.Federate("ada"), w.Join("going")
		asks := func(id account.ID, status string) {
			t.Helper()
			st, err := w.Accounts.State(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if status != "" {
				st.Status = status
			}
			if err := w.sessions.AskActivation(t.Context(), st, rest.Client{Addr: netip.MustParseAddr(home)}); err != nil {
				t.Fatal(err)
			}
		}
		w.Mails()
		asks(ada, "")
		asks(going, account.Deleting)
		if n := w.RunJobs(); n != 0 {
			t.Errorf("%d jobs for accounts that are not deactivated", n)
		}
		asks(ada, account.Deactivated) // by a state that is over
		if mails := w.Mails(); len(mails) != 0 {
			t.Errorf("%v", mails)
		}
		if err := w.Accounts.Deactivate(t.Context(), ada); err != nil {
			t.Fatal(err)
		}
		w.Mails()
		asks(ada, "")
		token := w.tokenIn("activate", "/activate")
		if in := w.is(w.confirm(token), 201, ""); strings.Join(in.AMR, " ") != "email" {
			t.Errorf("%s", in.Raw)
		}
		w.is(w.confirm(token), 410, "link_gone")
		if err := w.Accounts.Deactivate(t.Context(), ada); err != nil {
			t.Fatal(err)
		}
		w.Mails()
		sent := 2 // the link above, and the share of the mail that was not due
		for range 25 {
			asks(ada, "")
			sent += len(w.mailed("activate"))
		}
		if sent != w.Accounts.MailRecipientLimit.Limit {
			t.Errorf("%d mails, want %d", sent, w.Accounts.MailRecipientLimit.Limit)
		}
	})
}

// A job that comes late mails no link to an account that is active by then.
func TestActivateJobComesLate(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), nil)
	ada := w.Join("ada")
	if err := w.Accounts.Deactivate(t.Context(), ada); err != nil {
		t.Fatal(err)
	}
	w.Mails()
	w.is(w.post("/auth/activate", fields{"identifier": "ada", "password": oldPassword}), 202, "")
	if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { _, err := w.Accounts.Activate(t.Context(), tx, ada); return err }); err != nil {
		t.Fatal(err)
	}
	if mails := w.Mails(); len(mails) != 0 {
		t.Errorf("%v", mails)
	}
}

// A link to activate dies with a reset: the password that it was asked with is gone.
func TestResetEndsALinkToActivate(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), nil)
	if err := w.Accounts.Deactivate(t.Context(), w.Join("ada")); err != nil {
		t.Fatal(err)
	}
	w.Mails()
	token := w.activation("ada", oldPassword)
	w.is(w.reset(w.forgot("ada"), newPassword), 403, "account_deactivated")
	w.is(w.confirm(token), 410, "link_gone")
}

// The account is active when the session after it fails, and the answer says so.
func TestActivateWithoutASession(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), nil)
	if err := w.Accounts.Deactivate(t.Context(), w.Join("ada")); err != nil {
		t.Fatal(err)
	}
	w.Mails()
	token := w.activation("ada", oldPassword)
	w.refuse = db.ErrNoRows
	w.is(w.confirm(token), 503, "not_signed_in")
	w.refuse = nil
	w.is(w.signIn("ada", oldPassword, nil), 201, "")
}

// An attacker who writes to the database and reads the mailbox does not get past a layer:
// the server seals no altered row anew.
func TestAttackWriterCannotDropALayer(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), nil)
	ada := w.Join("ada")
	w.withApp(ada)
	w.Mails()
	reset := w.forgot("ada")
	w.exec(`DELETE FROM totp WHERE account = $1`, string(ada))
	w.exec(`UPDATE accounts SET standing = x'00' WHERE id = $1`, string(ada))
	if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { tx.Changed("account", string(ada)); return nil }); err != nil {
		t.Fatal(err)
	}
	w.is(w.reset(reset, newPassword), 500, "internal_error")
	token := w.activation("ada", oldPassword)
	w.is(w.confirm(token), 500, "internal_error")
	w.is(w.signIn("ada", oldPassword, nil), 403, "account_deactivated")
	if !strings.Contains(w.log.String(), "a row was altered in the database") {
		t.Error("the log says nothing")
	}
}
