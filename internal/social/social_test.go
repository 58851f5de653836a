package social

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauth2-proxy/mockoidc"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/keyring"
	"coffer/internal/limit/limittest"
	"coffer/internal/rest"
	"coffer/internal/session"
	"coffer/internal/social/socialtest"
)

func request(t *testing.T) session.SessionRequest {
	t.Helper()
	_, public := key(t)
	return session.SessionRequest{RefreshIn: "body", PublicKey: public}
}

// A first sign-in makes an account with a proven address and no password; the next ones find it
// by issuer and subject, whatever the address has become. Rows 12 and 44.
func TestSignIn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for provider, become := range map[string]func(){
			google: func() { w.google.Become(ada) },
			"acme": func() { w.acme.Become(bob) },
			github: func() {
				w.github.Become(7, socialtest.GitHubEmail{Email: "seven@social.example", Primary: true, Verified: true})
			},
		} {
			become()
			b := w.browser()
			code := w.code(provider, b, signIn, rest.Caller{})
			seen, err := w.Check(t.Context(), code, b)
			if err != nil || seen.Known || seen.LinkNeeded || seen.Username == "" || seen.Provider != provider || seen.Purpose != signIn || !strings.Contains(seen.Email, "@social.example") {
				t.Fatalf("%s: %+v, %v", provider, seen, err)
			}
			out, err := w.Exchange(t.Context(), code, b, Newcomer{FirstName: "Grace", LastName: "Hopper", Lang: "de"}, request(t), here)
			if err != nil {
				t.Fatal(err)
			}
			c := callerOf(t, out)
			if !slices.Equal(c.AMR, []string{"fed"}) || c.AAL != session.AAL1 {
				t.Errorf("%s: %+v", provider, c)
			}
			to, err := w.Accounts.Contact(t.Context(), w.DB, account.ID(c.Account))
			if err != nil || to.Email != seen.Email || to.FirstName != "Grace" || to.Lang != "de" {
				t.Errorf("%s: %+v, %v", provider, to, err)
			}
			lines, err := w.Accounts.Security(t.Context(), account.ID(c.Account))
			if line := lines["identity_"+provider]; err != nil || !line.Enabled || line.LastUsed == nil || line.Hint != account.MaskEmail(seen.Email) || lines["password"].Enabled {
				t.Errorf("%s: %+v, %v", provider, lines, err)
			}
			if _, err := w.exchange(code, b); codeOf(err) != "link_gone" {
				t.Errorf("%s: a code works twice: %v", provider, err)
			}
			if _, err := w.Check(t.Context(), code, b); codeOf(err) != "link_gone" {
				t.Errorf("%s: a used code is shown: %v", provider, err)
			}
			w.google.Become(socialtest.Person{Subject: ada.Subject, Email: "moved@social.example"})
			if again := w.signsIn(provider); again.Account != c.Account {
				t.Errorf("%s: another account", provider)
			}
		}
		// The same address under another subject, or another issuer, is somebody else.
		w.google.Become(socialtest.Person{Subject: "ada-9", Email: "ADA@social.example", Verified: true})
		b := w.browser()
		if _, err := w.exchange(w.code(google, b, signIn, rest.Caller{}), b); codeOf(err) != "link_needed" {
			t.Errorf("another subject: %v", err)
		}
		w.acme.Become(ada)
		if _, err := w.exchange(w.code("acme", b, signIn, rest.Caller{}), b); codeOf(err) != "link_needed" {
			t.Errorf("another issuer: %v", err)
		}
	})
}

// A correct provider that this project did not write.
func TestMockOIDC(t *testing.T) {
	m, err := mockoidc.NewServer(nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	// It announces HTTP Basic, and reads the client from the form alone.
	if err := m.AddMiddleware(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if id, secret, ok := r.BasicAuth(); ok && r.ParseForm() == nil {
				r.Form.Set("client_id", id)
				r.Form.Set("client_secret", secret)
			}
			next.ServeHTTP(w, r)
		})
	}); err != nil {
		t.Fatal(err)
	}
	if err := m.Start(l, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Shutdown() })
	w := newWorldAt(t, dbtest.SQLite(t), limittest.Setup{Start: time.Now()})
	p := newOIDC(m.Issuer(), m.ClientID, m.ClientSecret, accounttest.BaseURL+"/v1/auth/social/mock/callback", w.Now, w.Log)
	w.providers = append(w.providers, named{"mock", "Mock", "", p})
	m.QueueUser(&mockoidc.MockUser{Subject: "jane-1", Email: "jane@mock.example", EmailVerified: true})
	b := w.browser()
	code := w.code("mock", b, signIn, rest.Caller{})
	out, err := w.Exchange(t.Context(), code, b, Newcomer{FirstName: "Jane", LastName: "Doe", Username: "jane"}, request(t), here)
	if err != nil {
		t.Fatal(err)
	}
	m.QueueUser(&mockoidc.MockUser{Subject: "jane-1"})
	if again := w.signsIn("mock"); again.Account != callerOf(t, out).Account {
		t.Error("another account")
	}
	m.QueueUser(&mockoidc.MockUser{Subject: "jane-2", Email: "jane-2@mock.example"})
	if _, err := w.back("mock", b, w.goes("mock", b, signIn, rest.Caller{})); codeOf(err) != "email_unverified" {
		t.Errorf("an unverified address: %v", err)
	}
}

// A refusal leaves the code good: a taken username, names that are missing.
func TestCodeSurvivesRefusals(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.joined("grace")
		w.google.Become(socialtest.Person{Subject: "1", Email: "new@social.example", Verified: true})
		b := w.browser()
		code := w.code(google, b, signIn, rest.Caller{})
		before := w.rows()
		for want, n := range map[string]Newcomer{
			"username_taken": {Username: "Grace", FirstName: "A", LastName: "B"}, "validation_failed": {Username: "fine"},
		} {
			if _, err := w.Exchange(t.Context(), code, b, n, request(t), here); codeOf(err) != want {
				t.Errorf("%v, want %s", err, want)
			}
		}
		if after := w.rows(); after != before {
			t.Errorf("%s, want %s", after, before)
		}
		if _, err := w.Exchange(t.Context(), code, b, Newcomer{Username: "fine", FirstName: "A", LastName: "B"}, request(t), here); err != nil {
			t.Error(err)
		}
	})
}

// Answers and codes that belong elsewhere go nowhere (rows 40 and 42), and nothing is created.
func TestElsewhere(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.google.Become(ada)
		w.acme.Become(ada)
		w.github.Become(7, socialtest.GitHubEmail{Email: "seven@social.example", Primary: true, Verified: true})
		before := w.rows()
		mine, theirs := w.browser(), w.browser()
		q := w.goes(google, mine, signIn, rest.Caller{})
		for name, try := range map[string]func() (string, error){
			"another browser":           func() (string, error) { return w.back(google, theirs, q) },
			"no browser":                func() (string, error) { return w.back(google, "", q) },
			"another provider":          func() (string, error) { return w.back("acme", mine, q) },
			"a provider without tokens": func() (string, error) { return w.back(github, mine, q) },
			"no state":                  func() (string, error) { return w.Arrive(t.Context(), google, mine, "", answer{Code: q.Get("code")}) },
			"another state": func() (string, error) {
				return w.Arrive(t.Context(), google, mine, w.browser(), answer{Code: q.Get("code")})
			},
		} {
			if code, err := try(); codeOf(err) != "invalid_state" || code != "" {
				t.Errorf("%s: %q %v", name, code, err)
			}
		}
		if n := w.google.Calls("/token") + w.acme.Calls("/token") + w.github.Calls("/login/oauth/access_token"); n != 0 {
			t.Errorf("%d codes were sent somewhere", n)
		}
		// Mixed up: the code of one provider in the transaction of another.
		other := w.goes(github, mine, signIn, rest.Caller{})
		other.Set("code", q.Get("code"))
		if _, err := w.back(github, mine, other); codeOf(err) != "provider_refused" {
			t.Errorf("a mixed-up code: %v", err)
		}
		// The owner's own browser is not disturbed by all that.
		code, err := w.back(google, mine, q)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.back(google, mine, q); codeOf(err) != "invalid_state" {
			t.Errorf("a state works twice: %v", err)
		}
		for name, browser := range map[string]string{"another browser": theirs, "no browser": ""} {
			if _, err := w.exchange(code, browser); codeOf(err) != "link_gone" {
				t.Errorf("exchange in %s: %v", name, err)
			}
			if _, err := w.Check(t.Context(), code, browser); codeOf(err) != "link_gone" {
				t.Errorf("check in %s: %v", name, err)
			}
		}
		late := w.goes(google, mine, signIn, rest.Caller{})
		w.below.Advance(transactionFor + time.Second)
		if _, err := w.back(google, mine, late); codeOf(err) != "invalid_state" {
			t.Errorf("after its time: %v", err)
		}
		w.below.Advance(w.Accounts.CodeTTL)
		if _, err := w.exchange(code, mine); codeOf(err) != "link_gone" {
			t.Errorf("a code after its time: %v", err)
		}
		if after := w.rows(); !strings.HasPrefix(after, before[:strings.Index(before, "codes")]) {
			t.Errorf("%s, want %s", after, before)
		}
	})
}

// An account with the same address is linked after its owner has signed in to it, and no sooner.
// Row 44.
func TestSameAddress(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		owner, eve := w.joined("owner"), w.joined("eve")
		w.google.Become(socialtest.Person{Subject: "1", Email: "Owner@canary.example", Verified: true, First: "O", Last: "W"})
		b := w.browser()
		code := w.code(google, b, signIn, rest.Caller{})
		before := w.rows()
		seen, err := w.Check(t.Context(), code, b)
		if err != nil || !seen.LinkNeeded || seen.Known || seen.Email == "Owner@canary.example" || seen.Username != "" {
			t.Errorf("%+v, %v", seen, err)
		}
		for range 3 {
			if _, err := w.exchange(code, b); codeOf(err) != "link_needed" {
				t.Fatal(err)
			}
		}
		if _, err := w.Link(t.Context(), eve, google, code, b); codeOf(err) != "link_gone" {
			t.Errorf("another account links it: %v", err)
		}
		if _, err := w.Link(t.Context(), owner, google, code, w.browser()); codeOf(err) != "link_gone" {
			t.Errorf("another browser links it: %v", err)
		}
		if _, err := w.Link(t.Context(), owner, "acme", code, b); codeOf(err) != "link_gone" {
			t.Errorf("another provider links it: %v", err)
		}
		if _, err := w.Renew(t.Context(), owner, google, code, b); codeOf(err) != "link_gone" {
			t.Errorf("a sign-in is a fresh proof: %v", err)
		}
		if after := w.rows(); after != before {
			t.Errorf("%s, want %s", after, before)
		}
		w.below.Mails()
		if _, err := w.Link(t.Context(), owner, google, code, b); err != nil {
			t.Fatal(err)
		}
		if told := w.below.Told(); !slices.Contains(told, "owner@canary.example identity-linked") {
			t.Errorf("told: %q", told)
		}
		if got := w.signsIn(google); got.Account != owner.Account {
			t.Error("another account")
		}
	})
}

// An unverified address of an account links nothing, even by the account's owner with a code
// of a sign-in: there is no such code.
func TestUnverifiedAddressGetsNoCode(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	owner := w.joined("owner")
	w.google.Become(socialtest.Person{Subject: "1", Email: "owner@canary.example"})
	b := w.browser()
	if _, err := w.back(google, b, w.goes(google, b, signIn, rest.Caller{})); codeOf(err) != "email_unverified" {
		t.Error(err)
	}
	// The owner may connect it from the inside: the address proves nothing there.
	if _, err := w.Link(t.Context(), owner, google, w.code(google, b, link, owner), b); err != nil {
		t.Error(err)
	}
}

// A link belongs to the session and the browser that began it, and an identity to one account.
func TestLink(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		owner, eve := w.joined("owner"), w.joined("eve")
		second := w.anotherSession("owner")
		w.google.Become(ada)
		b := w.browser()
		code := w.code(google, b, link, owner)
		for name, try := range map[string]func() error{
			"another account":         func() error { _, err := w.Link(t.Context(), eve, google, code, b); return err },
			"another session":         func() error { _, err := w.Link(t.Context(), second, google, code, b); return err },
			"another browser":         func() error { _, err := w.Link(t.Context(), owner, google, code, w.browser()); return err },
			"another provider":        func() error { _, err := w.Link(t.Context(), owner, "acme", code, b); return err },
			"a sign-in":               func() error { _, err := w.exchange(code, b); return err },
			"a fresh proof":           func() error { _, err := w.Renew(t.Context(), owner, google, code, b); return err },
			"a code that nobody gave": func() error { _, err := w.Link(t.Context(), owner, google, w.browser(), b); return err },
		} {
			if err := try(); codeOf(err) != "link_gone" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := w.Link(t.Context(), owner, "nobody", code, b); codeOf(err) != "not_found" {
			t.Errorf("an unknown provider: %v", err)
		}
		got, err := w.Link(t.Context(), owner, google, code, b)
		if err != nil || got.Provider != google || got.Label != "Google" || got.Email != ada.Email {
			t.Fatalf("%+v, %v", got, err)
		}
		if _, err := w.Link(t.Context(), owner, google, code, b); codeOf(err) != "link_gone" {
			t.Errorf("a code links twice: %v", err)
		}
		if _, err := w.Link(t.Context(), owner, google, w.code(google, b, link, owner), b); codeOf(err) != "provider_linked" {
			t.Errorf("the same again: %v", err)
		}
		if _, err := w.Link(t.Context(), eve, google, w.code(google, b, link, eve), b); codeOf(err) != "identity_taken" {
			t.Errorf("another's identity: %v", err)
		}
		w.google.Become(bob)
		if _, err := w.Link(t.Context(), owner, google, w.code(google, b, link, owner), b); codeOf(err) != "provider_linked" {
			t.Errorf("a second one of the provider: %v", err)
		}
		list, err := w.Identities(t.Context(), account.ID(owner.Account))
		if err != nil || len(list) != 1 || list[0].Email != ada.Email || list[0].LastUsedAt != nil {
			t.Errorf("%+v, %v", list, err)
		}
		// A session that has ended links nothing.
		w.google.Become(bob)
		code = w.code(google, b, link, eve)
		if err := w.Accounts.DB.Tx(t.Context(), func(tx *db.Tx) error {
			return w.Accounts.InvalidateSessions(t.Context(), tx, account.ID(eve.Account), "")
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Link(t.Context(), eve, google, code, b); codeOf(err) != "unauthenticated" {
			t.Errorf("an ended session: %v", err)
		}
		if w.found(person{Issuer: w.google.URL, Subject: bob.Subject}) != "" {
			t.Error("an ended session linked an identity")
		}
	})
}

func (w *world) anotherSession(name string) rest.Caller {
	w.t.Helper()
	out, err := w.Sessions.SignIn(w.t.Context(), name, accounttest.Password, session.SessionRequest{RefreshIn: "body"}, here)
	if err != nil {
		w.t.Fatal(err)
	}
	return callerOf(w.t, out)
}

// The last way in stays; a notice tells of each that goes.
func TestUnlink(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.google.Become(ada)
		c := w.signsIn(google)
		id := account.ID(c.Account)
		w.below.Mails()
		if err := w.Unlink(t.Context(), c, google); codeOf(err) != "last_way_in" {
			t.Fatalf("the last way in: %v", err)
		}
		if err := w.Unlink(t.Context(), c, "acme"); codeOf(err) != "not_found" {
			t.Errorf("none of that provider: %v", err)
		}
		if told := w.below.Told(); len(told) != 0 {
			t.Errorf("told of nothing: %q", told)
		}
		w.acme.Become(bob)
		b := w.browser()
		if _, err := w.Link(t.Context(), c, "acme", w.code("acme", b, link, c), b); err != nil {
			t.Fatal(err)
		}
		// Of two removals at once one stays.
		errs := make(chan error, 2)
		for _, p := range []string{google, "acme"} {
			go func() { errs <- w.Unlink(context.Background(), c, p) }()
		}
		got := []string{codeOf(<-errs), codeOf(<-errs)}
		slices.Sort(got)
		if !slices.Equal(got, []string{"last_way_in", "ok"}) {
			t.Errorf("both at once: %q", got)
		}
		if list, err := w.Identities(t.Context(), id); err != nil || len(list) != 1 {
			t.Errorf("%+v, %v", list, err)
		}
		if told := w.below.Told(); !slices.Contains(told, ada.Email+" identity-unlinked") {
			t.Errorf("told: %q", told)
		}
	})
}

// An identity of a provider that is set no more is no way in.
func TestProviderThatIsGoneIsNoWayIn(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.acme.Become(ada)
	c := w.signsIn("acme")
	w.google.Become(bob)
	b := w.browser()
	if _, err := w.Link(t.Context(), c, google, w.code(google, b, link, c), b); err != nil {
		t.Fatal(err)
	}
	w.providers = slices.DeleteFunc(w.providers, func(p named) bool { return p.ID == "acme" })
	if err := w.Unlink(t.Context(), c, google); codeOf(err) != "last_way_in" {
		t.Error(err)
	}
	// Nor is one of a provider that is now set to another issuer, nor a damaged one.
	w.providers = append(w.providers, named{ID: "acme", Label: "acme", Issuer: w.acme.URL + "/other"})
	if err := w.Unlink(t.Context(), c, google); codeOf(err) != "last_way_in" {
		t.Errorf("another issuer: %v", err)
	}
	w.providers[len(w.providers)-1].Issuer = w.acme.URL
	if n, err := w.count(t.Context(), w.DB, account.ID(c.Account)); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	var kept []byte
	if err := w.DB.QueryRow(t.Context(), `SELECT record FROM identities WHERE provider = 'acme'`).Scan(&kept); err != nil {
		t.Fatal(err)
	}
	put := func(record []byte) {
		t.Helper()
		if _, err := w.DB.Exec(t.Context(), `UPDATE identities SET record = $1 WHERE provider = 'acme'`, record); err != nil {
			t.Fatal(err)
		}
	}
	put([]byte("damaged"))
	if err := w.Unlink(t.Context(), c, google); codeOf(err) != "last_way_in" {
		t.Errorf("a damaged one: %v", err)
	}
	put(kept)
	list, err := w.Identities(t.Context(), account.ID(c.Account))
	if err != nil || len(list) != 2 || list[0].Label != "acme" {
		t.Errorf("%+v, %v", list, err)
	}
	if err := w.Unlink(t.Context(), c, "acme"); err != nil {
		t.Errorf("and it can be removed: %v", err)
	}
}

// A fresh proof is the account's own identity, in the session and browser that began it.
func TestRenew(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.google.Become(ada)
		c := w.signsIn(google)
		other := w.signsIn(google)
		eve := w.joined("eve")
		b := w.browser()
		code := w.code(google, b, renew, c)
		for name, try := range map[string]func() error{
			"another session": func() error { _, err := w.Renew(t.Context(), other, google, code, b); return err },
			"another account": func() error { _, err := w.Renew(t.Context(), eve, google, code, b); return err },
			"another browser": func() error { _, err := w.Renew(t.Context(), c, google, code, w.browser()); return err },
			"a sign-in":       func() error { _, err := w.exchange(code, b); return err },
			"a link":          func() error { _, err := w.Link(t.Context(), c, google, code, b); return err },
		} {
			if err := try(); codeOf(err) != "link_gone" {
				t.Errorf("%s: %v", name, err)
			}
		}
		out, err := w.Renew(t.Context(), c, google, code, b)
		if err != nil || out.Opened == nil || out.Opened.ID != c.Session {
			t.Fatalf("%+v, %v", out, err)
		}
		if _, err := w.Renew(t.Context(), c, google, code, b); codeOf(err) != "link_gone" {
			t.Errorf("a code works twice: %v", err)
		}
		if _, err := w.Renew(t.Context(), eve, google, w.code(google, b, renew, eve), b); codeOf(err) != "wrong_identity" {
			t.Errorf("another's identity: %v", err)
		}
		w.google.Become(bob)
		if _, err := w.Renew(t.Context(), c, google, w.code(google, b, renew, c), b); codeOf(err) != "wrong_identity" {
			t.Errorf("nobody's identity: %v", err)
		}
		// A provider that signs in without a question says so.
		w.google.Become(ada)
		w.google.Lie(set("auth_time", w.Now().Add(-time.Hour).Unix()))
		if _, err := w.back(google, b, w.goes(google, b, renew, c)); codeOf(err) != "invalid_id_token" {
			t.Errorf("an old proof: %v", err)
		}
		w.signsIn(google) // which asks for no fresh one
	})
}

// Somebody who writes to the database lets nobody in.
func TestWriter(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		owner := w.joined("owner")
		w.google.Become(ada)
		eve := w.signsIn(google)
		w.acme.Become(bob)
		b := w.browser()
		if _, err := w.Link(t.Context(), owner, "acme", w.code("acme", b, link, owner), b); err != nil {
			t.Fatal(err)
		}
		hers := person{Issuer: w.google.URL, Subject: ada.Subject}
		exec := func(q string, args ...any) {
			t.Helper()
			if _, err := d.Exec(t.Context(), q, args...); err != nil {
				t.Fatal(err)
			}
		}
		refused := func(what string) {
			t.Helper()
			code, err := w.back(google, b, w.goes(google, b, signIn, rest.Caller{}))
			if err == nil {
				_, err = w.exchange(code, b)
			}
			if codeOf(err) != "identity_altered" {
				t.Errorf("%s: %v", what, err)
			}
			if id := w.found(hers); id == account.ID(owner.Account) {
				t.Errorf("%s: she is the owner", what)
			}
		}
		// Her row becomes the owner's.
		exec(`UPDATE identities SET account = $1 WHERE account = $2`, owner.Account, eve.Account)
		refused("a moved row")
		exec(`UPDATE identities SET account = $1 WHERE provider = 'google'`, eve.Account)
		w.signsIn(google)
		// The owner's row is found by her index.
		var index []byte
		if err := d.WriteRow(t.Context(), `DELETE FROM identities WHERE account = $1 RETURNING subject_index`, eve.Account).Scan(&index); err != nil {
			t.Fatal(err)
		}
		exec(`UPDATE identities SET subject_index = $1 WHERE account = $2`, index, owner.Account)
		refused("another's index")
		// A record that does not open, and another time or provider, are noticed.
		exec(`UPDATE identities SET record = subject_index`)
		refused("another record")
		// The owner can still remove the damaged row, and it is listed.
		if list, err := w.Identities(t.Context(), account.ID(owner.Account)); err != nil || len(list) != 1 || list[0].Email != "" {
			t.Errorf("%+v, %v", list, err)
		}
		if err := w.Unlink(t.Context(), owner, "acme"); err != nil {
			t.Error(err)
		}
	})
}

// Rotating the index key loses nobody: before the walk, and after it when the old key is gone.
func TestRotation(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.google.Become(ada)
		first := w.signsIn(google)
		if _, err := w.Ring.Rotate(t.Context(), keyring.Index); err != nil {
			t.Fatal(err)
		}
		if got := w.signsIn(google); got.Account != first.Account {
			t.Error("lost before the walk")
		}
		var before, after []byte
		read := func(into *[]byte) {
			if err := d.QueryRow(t.Context(), `SELECT subject_index FROM identities`).Scan(into); err != nil {
				t.Fatal(err)
			}
		}
		read(&before)
		if err := w.Ring.RewrapAll(t.Context(), w.Ring.Rewraps(), nil); err != nil {
			t.Fatal(err)
		}
		if read(&after); string(before) == string(after) {
			t.Error("the walk changed nothing")
		}
		if got := w.signsIn(google); got.Account != first.Account {
			t.Error("lost after the walk")
		}
	})
}

// A deactivated account opens no session, and its code stays good.
func TestDeactivated(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.google.Become(ada)
	c := w.signsIn(google)
	if err := w.Accounts.Deactivate(t.Context(), account.ID(c.Account)); err != nil {
		t.Fatal(err)
	}
	b := w.browser()
	code := w.code(google, b, signIn, rest.Caller{})
	if _, err := w.exchange(code, b); !errors.Is(err, session.ErrDeactivated) {
		t.Error(err)
	}
}
