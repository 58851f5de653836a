package recovery_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// A reset lets its owner in, and nobody else: every session, refresh token, remembered
// device, attempt and outstanding link of the account is dead on the first try.
func TestResetEndsEverything(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada := w.Join("ada")
		w.Join("bob")
		w.Address(ada, "second", "ada@second.example", true)
		secret := w.withApp(ada)
		w.Mails()

		first := w.is(w.signIn("ada", oldPassword, fields{"remember_device": true}), 202, "")
		open := w.is(w.pass(first, secret), 201, "")
		if open.DeviceToken == "" || w.is(w.signIn("ada", oldPassword, fields{"device_token": open.DeviceToken}), 201, "").AAL != "aal1" {
			t.Fatal("the device is not remembered")
		}
		w.Advance(time.Minute)
		attempt := w.is(w.signIn("ada", oldPassword, nil), 202, "")
		bob := w.is(w.signIn("bob", oldPassword, nil), 201, "")
		w.Mails()
		older, token := w.forgot("ada"), w.forgot("ada")

		got := w.is(w.reset(token, newPassword), 202, "") // with layers: a challenge
		if got.AccessToken != "" || len(got.Header["Set-Cookie"]) != 0 || len(got.Layers) != 1 || got.Layers[0].Layer != "totp" {
			t.Errorf("a reset of an account with a layer: %s", got.Raw)
		}
		if w.alive(open.AccessToken) {
			t.Error("an access token outlives the reset")
		}
		w.is(w.post("/auth/refresh", fields{"refresh_token": open.RefreshToken}), 401, "invalid_refresh_token")
		w.is(w.pass(attempt, secret), 410, "attempt_over")
		w.is(w.signIn("ada", oldPassword, nil), 401, "invalid_credentials")
		w.is(w.signIn("ada", newPassword, fields{"device_token": open.DeviceToken}), 202, "") // the device must pass the layer
		w.is(w.reset(older, "another good one 11"), 410, "link_gone")
		w.is(w.reset(token, "another good one 11"), 410, "link_gone")
		in := w.is(w.pass(got, secret), 201, "")
		if in.AAL != "aal2" || strings.Join(in.AMR, " ") != "email otp mfa" || !w.alive(in.AccessToken) {
			t.Errorf("the session after the layer: %s", in.Raw)
		}
		if !w.alive(bob.AccessToken) {
			t.Error("a reset ends another account's session")
		}
		told := w.Told()
		for _, to := range []string{"ada@canary.example", "ada@second.example"} {
			if !slices.Contains(told, to+" password-reset") {
				t.Errorf("%s was not told of the reset: %v", to, told)
			}
		}
	})
}

// An account without layers gets its session at once.
func TestResetOpensASession(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.Join("ada")
		token := w.forgot("ada")
		for range 2 { // looking uses nothing up
			w.is(w.post("/auth/password/reset/check", fields{"token": token}), 204, "")
		}
		got := w.is(w.reset(token, newPassword), 201, "")
		if got.AAL != "aal1" || strings.Join(got.AMR, " ") != "email" || !w.alive(got.AccessToken) {
			t.Errorf("the session: %s", got.Raw)
		}
		w.is(w.post("/auth/refresh", fields{"refresh_token": got.RefreshToken}), 201, "")
		w.is(w.post("/auth/password/reset/check", fields{"token": token}), 410, "link_gone")
		w.is(w.signIn("ada", newPassword, nil), 201, "")

		cookie := w.is(w.post("/auth/password/reset", fields{"token": w.forgot("ada"), "password": oldPassword}), 201, "")
		if c := strings.Join(cookie.Header["Set-Cookie"], " "); !strings.Contains(c, "__Host-coffer-refresh=") || cookie.RefreshToken != "" {
			t.Errorf("a browser's refresh token: %q %q", c, cookie.RefreshToken)
		}
	})
}

// Records of sessions go by a job. Before it runs the tokens are dead already: the program
// may be killed between the commit and the job.
func TestResetBeforeItsJob(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), nil)
	w.Join("ada")
	open := w.is(w.signIn("ada", oldPassword, nil), 201, "")
	w.is(w.reset(w.forgot("ada"), newPassword), 201, "")
	if w.alive(open.AccessToken) {
		t.Error("an access token lives until the job")
	}
	w.is(w.post("/auth/refresh", fields{"refresh_token": open.RefreshToken}), 401, "invalid_refresh_token")
	records := func() int { return w.count(`SELECT COUNT(*) FROM kv WHERE key LIKE 'session:%'`) }
	if n := records(); n != 2 {
		t.Errorf("%d records before the job, want the old one and the new one", n)
	}
	w.RunJobs()
	if n := records(); n != 1 {
		t.Errorf("%d records after the job, want the new one", n)
	}
}

// Of twenty resets with one link, one sets its password.
func TestResetAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.Join("ada")
		token := w.forgot("ada")
		words := func(i int) string { return fmt.Sprintf("nine loud herons %d", 100+i) }
		var won []int
		answers := make([]string, 20)
		got := race(20, func(i int) string { answers[i] = said(w.reset(token, words(i))); return answers[i] })
		for i, a := range answers {
			if a == "201" {
				won = append(won, i)
			}
		}
		if got["201"] != 1 || got["410 link_gone"] != 19 {
			t.Fatalf("%v", got)
		}
		w.is(w.signIn("ada", words(won[0]), nil), 201, "")
		if n := w.count(`SELECT COUNT(*) FROM sessions`); n != 2 {
			t.Errorf("%d sessions, want the winner's and this one's", n)
		}
		if n := len(w.mailed("password-reset")); n != 1 {
			t.Errorf("%d mails of a reset", n)
		}
	})
}

// A link that is not good changes nothing.
func TestResetLinks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.Join("ada")
		eve := w.Join("eve")
		open := w.is(w.signIn("ada", oldPassword, nil), 201, "")
		gone := w.is(w.signIn("eve", oldPassword, nil), 201, "")
		token := w.forgot("ada")
		altered := token[1:] + token[:1]
		w.deactivate(gone.AccessToken)
		activate := w.activation("eve", oldPassword)
		for what, link := range map[string]string{"altered": altered, "of another purpose": activate, "empty": "", "longer": token + "A"} {
			if got := said(w.reset(link, newPassword)); got != "410 link_gone" {
				t.Errorf("a link %s: %s", what, got)
			}
			if got := said(w.post("/auth/password/reset/check", fields{"token": link})); got != "410 link_gone" {
				t.Errorf("a look at a link %s: %s", what, got)
			}
		}
		// Moved to another account by a writer of the database.
		stolen := w.forgot("eve")
		w.exec(`UPDATE links SET account = (SELECT account FROM sessions) WHERE account = $1 AND purpose = 'reset-password'`, string(eve))
		w.is(w.reset(stolen, newPassword), 410, "link_gone")
		if !w.alive(open.AccessToken) {
			t.Error("a bad link ended a session")
		}
		w.is(w.signIn("ada", oldPassword, nil), 201, "")
		w.Advance(w.Accounts.LinkTTL)
		w.is(w.reset(token, newPassword), 410, "link_gone")
		w.is(w.signIn("ada", oldPassword, nil), 201, "")
		if mails := w.mailed("password-reset"); len(mails) != 0 {
			t.Errorf("mails of a reset that was none: %v", mails)
		}
	})
}

// A request that is refused leaves the link good.
func TestResetRefusals(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), nil)
	w.Join("gracehopper")
	token := w.forgot("gracehopper")
	for password, want := range map[string]string{
		"short":                         "too_short",
		"passwordpassword":              "too_common",
		"ada-lovelace-1815":             "too_personal",
		"Gracehopper 2026!":             "too_personal",
		strings.Repeat("otter ", 50):    "too_long",
		strings.Repeat("\u00e9", 11):    "too_short",
		strings.Repeat("a", 1025) + "b": "too_long",
	} {
		got := w.is(w.reset(token, password), 422, "validation_failed")
		if len(got.Errors) != 1 || got.Errors[0].Pointer != "/password" || got.Errors[0].Code != want {
			t.Errorf("%.20q: %s, want %s", password, got.Raw, want)
		}
	}
	key := fields{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}
	w.is(w.post("/auth/password/reset", fields{"token": token, "password": newPassword, "public_key": key}), 400, "invalid_public_key")
	w.is(w.signIn("gracehopper", oldPassword, nil), 201, "")
	w.is(w.reset(token, newPassword), 201, "")
}

// Guesses at a link are limited, and cost no hash.
func TestGuessesAtALink(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), nil)
	w.Join("ada")
	token := w.forgot("ada")
	for range 100 {
		w.is(w.call("192.0.2.9", "POST", "/auth/password/reset", "", fields{"token": "guess", "password": newPassword}), 410, "link_gone")
	}
	w.is(w.call("192.0.2.9", "POST", "/auth/password/reset", "", fields{"token": token, "password": newPassword}), 429, "rate_limited")
	w.is(w.call("192.0.2.9", "POST", "/auth/password/reset/check", "", fields{"token": token}), 429, "rate_limited")
	w.is(w.reset(token, newPassword), 201, "")
}

// forgot answers alike for every address, and does alike: the same statements and one job.
// A stranger who asks voids no link of the owner.
func TestForgotTellsNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.Join("ada")
		gone := w.Join("gone")
		if err := w.Accounts.Deactivate(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
		w.Mails()
		type answer struct {
			status int
			body   string
			header string
			asked  string
			queued int
		}
		ask := func(email string) answer {
			var got reply
			asked := dbtest.Ran(w.DB, func() { got = w.post("/auth/password/forgot", fields{"email": email}) })
			a := answer{status: got.Status, body: got.Raw, asked: strings.Join(asked, "\n")}
			for name := range got.Header {
				if name != "X-Request-Id" {
					a.header += name + ": " + strings.Join(got.Header[name], ",") + "\n"
				}
			}
			a.header = strings.Join(slices.Sorted(slices.Values(strings.Split(a.header, "\n"))), "\n")
			a.queued = w.count(`SELECT COUNT(*) FROM jobs WHERE kind = 'recovery.forgot'`)
			w.Mails()
			return a
		}
		ask("first@canary.example") // fills caches
		want := ask("nobody@canary.example")
		if want.status != http.StatusAccepted || strings.TrimSpace(want.body) != `{"status":"accepted"}` || want.queued != 1 || d.Engine() == db.SQLite && !strings.Contains(want.asked, "INSERT INTO jobs") {
			t.Fatalf("%+v", want)
		}
		for _, email := range []string{"ada@canary.example", "ADA@Canary.example", "gone@canary.example"} {
			if got := ask(email); got != want {
				t.Errorf("%s: %+v, want %+v", email, got, want)
			}
		}
		w.is(w.post("/auth/password/forgot", fields{"email": "no address"}), 422, "validation_failed")

		mine := w.forgot("ada")
		for i := range 5 {
			w.is(w.call(fmt.Sprintf("198.51.100.%d", i), "POST", "/auth/password/forgot", "", fields{"email": "ada@canary.example"}), 202, "")
		}
		if n := len(w.mailed("reset-password")); n != 5 {
			t.Errorf("%d mails", n)
		}
		w.is(w.reset(mine, newPassword), 201, "")
	})
}

// Mails count against the shares of recipient and source, silently.
func TestForgotMailsAreLimited(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), nil)
	w.Join("ada")
	sent := 0
	for range 25 {
		w.is(w.post("/auth/password/forgot", fields{"email": "ada@canary.example"}), 202, "")
		sent += len(w.mailed("reset-password"))
	}
	if sent != w.Accounts.MailRecipientLimit.Limit {
		t.Errorf("one source caused %d mails, want %d", sent, w.Accounts.MailRecipientLimit.Limit)
	}
	for range 5 {
		w.post("/auth/password/forgot", fields{"email": "nobody@canary.example"})
	}
	w.is(w.post("/auth/password/forgot", fields{"email": "ada@canary.example"}), 429, "rate_limited")
	w.is(w.call("192.0.2.8", "POST", "/auth/password/forgot", "", fields{"email": "ada@canary.example"}), 202, "")
	if n := len(w.mailed("reset-password")); n != 1 {
		t.Errorf("another source caused %d mails", n)
	}
}

// The link comes from the server's address and the mail goes to the stored address, whatever
// the request says.
func TestForgotMail(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), nil)
	w.Join("ada")
	w.is(w.post("/auth/password/forgot", fields{"email": " ADA@CANARY.example "}), 202, "")
	mails := w.mailed("reset-password")
	if len(mails) != 1 || mails[0].To != "ada@canary.example" || !strings.HasPrefix(mails[0].Data["link"], "https://coffer.test/reset#token=") {
		t.Errorf("%+v", mails)
	}
}

// The owner who failed to sign in too often gets in after the reset, at this device and
// another one.
func TestResetForgivesFailedSignIns(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), nil)
	w.Join("ada")
	for _, name := range []string{"ada", "ada@canary.example"} {
		for i := range 50 {
			w.is(w.call(fmt.Sprintf("198.51.100.%d", i/10), "POST", "/auth/sign-in", "", fields{"identifier": name, "password": "wrong password"}), 401, "invalid_credentials")
		}
		w.is(w.signIn(name, oldPassword, nil), 403, "sign_in_held")
	}
	w.is(w.reset(w.forgot("ada"), newPassword), 201, "")
	for _, name := range []string{"ada", "ada@canary.example"} {
		w.is(w.signIn(name, newPassword, nil), 201, "")
	}
}

// A deactivated account gets the new password and stays deactivated: its owner needs the
// password to activate it.
func TestResetOfADeactivatedAccount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada := w.Join("ada")
		w.deactivate(w.is(w.signIn("ada", oldPassword, nil), 201, "").AccessToken)
		w.Mails()
		got := w.is(w.reset(w.forgot("ada"), newPassword), 403, "account_deactivated")
		if len(got.Header["Set-Cookie"]) != 0 {
			t.Errorf("cookies %v", got.Header["Set-Cookie"])
		}
		if st, err := w.Accounts.State(t.Context(), ada); err != nil || st.Status != account.Deactivated {
			t.Errorf("%+v, %v", st, err)
		}
		w.is(w.signIn("ada", newPassword, nil), 403, "account_deactivated")
		w.Mails()
		w.is(w.confirm(w.activation("ada", newPassword)), 201, "")
	})
}

// A session that cannot be opened after the reset does not undo it, and the answer says so.
func TestResetWithoutASession(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), nil)
	w.Join("ada")
	token := w.forgot("ada")
	w.refuse = db.ErrNoRows
	w.is(w.reset(token, newPassword), 503, "not_signed_in")
	w.refuse = nil
	w.is(w.signIn("ada", newPassword, nil), 201, "")
	w.is(w.reset(token, oldPassword), 410, "link_gone")
}
