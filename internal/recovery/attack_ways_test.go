package recovery_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/rest"
	"coffer/internal/session"
)

// linkTo returns the token in the newest mail of a kind to an address, and drops other mails.
func (w *world) linkTo(kind, to string) (token string) {
	w.t.Helper()
	for _, m := range w.mailed(kind) {
		if m.To == to {
			_, token, _ = strings.Cut(m.Data["link"], "#token=")
		}
	}
	return token
}

// An intruder with the password and a backup code moves the account to a mailbox of their
// own. After the stop that mailbox lets nobody in, and the owner's does.
func TestAttackStopGivesTheAddressBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		_, codes := w.coded("ada")
		as := "Bearer " + w.is(w.useCode("ada", oldPassword, codes[0]), 201, "").AccessToken
		link := w.stopLink()
		for _, to := range []string{"eve@evil.example", "eve@second.example"} {
			w.is(w.call(home, "POST", "/account/email", as, fields{"email": to}), 202, "")
			w.is(w.call(home, "POST", "/account/email/confirm", as, fields{"token": w.linkTo("change-email", to)}), 200, "")
		}
		w.is(w.call(home, "DELETE", "/account/totp?recovery=off", as, nil), 204, "")
		w.Mails()
		w.is(w.stop(link), 204, "")
		if got := w.told(); got != "ada@canary.example email-restored, ada@canary.example recovery-stopped, eve@second.example email-restored" {
			t.Errorf("told: %s", got)
		}
		for _, to := range []string{"eve@evil.example", "eve@second.example"} {
			w.is(w.post("/auth/password/forgot", fields{"email": to}), 202, "")
			if token := w.linkTo("reset-password", to); token != "" {
				t.Errorf("after the stop %s gets a link to set the password", to)
			}
		}
		w.forgot("ada")
	})
}

// The owner has signed up anew with the former address meanwhile. The stop works all the same.
func TestStopWithTheAddressTaken(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		_, codes := w.coded("ada")
		as := "Bearer " + w.is(w.useCode("ada", oldPassword, codes[0]), 201, "").AccessToken
		link := w.stopLink()
		w.is(w.call(home, "POST", "/account/email", as, fields{"email": "eve@evil.example"}), 202, "")
		w.is(w.call(home, "POST", "/account/email/confirm", as, fields{"token": w.linkTo("change-email", "eve@evil.example")}), 200, "")
		if _, err := w.Accounts.Create(t.Context(), account.NewAccount{
			FirstName: "Ada", LastName: "Lovelace", Username: "ada-2", Email: "ada@canary.example", Password: oldPassword,
		}, account.User); err != nil {
			t.Fatal(err)
		}
		w.is(w.stop(link), 204, "")
		if w.alive(strings.TrimPrefix(as, "Bearer ")) {
			t.Error("the intruder's session lives on")
		}
	})
}

// Ways back that an intruder has made go with the stop. Those of before stay.
func TestAttackStopTakesTheWaysBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada, codes := w.coded("ada")
		w.is(w.verifyTrusted(w.askTrusted(ada, "ada@second.example")), 204, "")
		w.Advance(time.Minute)
		w.is(w.useCode("ada", oldPassword, codes[0]), 201, "")
		first := w.linkTo("recovery-used", "ada@second.example")
		w.is(w.useCode("ada", oldPassword, codes[1]), 201, "")
		second := w.linkTo("recovery-used", "ada@canary.example")
		w.Advance(time.Minute)
		w.is(w.stop(first), 204, "")
		if got := w.readTrusted(ada).Email; got != "ada@second.example" || len(shown(w.readBackup(ada))) != 10 {
			t.Errorf("the owner's ways back are gone: %q, %v", got, shown(w.readBackup(ada)))
		}
		w.withCodes(ada)
		w.is(w.verifyTrusted(w.askTrusted(ada, "eve@evil.example")), 204, "")
		w.is(w.stop(second), 204, "")
		if got := w.readTrusted(ada).Email; got != "" || w.readBackup(ada).Enabled {
			t.Errorf("an intruder's ways back stay: %q, %v", got, w.readBackup(ada))
		}
	})
}

// A thief reads the trusted mailbox once. The links of that day open nothing strong, even if
// one of them outlives the wait.
func TestAttackLinkKeptThroughTheWait(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.trusting("ada")
		w.Advance(rest3days)
		began := w.Now()
		if got := w.recovered("ada"); got != weak(began.Add(wait1day)) {
			t.Fatal(got)
		}
		w.Advance(time.Minute)
		kept := w.trustedLink("ada")
		w.Advance(wait1day - 30*time.Second)
		if got := w.strength(w.useTrusted(kept)); got != weak(began.Add(wait1day)) {
			t.Errorf("a link from before the end of the wait: %s", got)
		}
		if got := w.recovered("ada"); got != "strong" {
			t.Errorf("the owner's own link after it: %s", got)
		}
	})
}

// A request of the intruder is under way when the stop is acknowledged, from a session that
// is an ordinary one by now. It changes nothing more.
func TestAttackRequestAfterTheStop(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d, nil)
		ada, codes := w.coded("ada")
		b := w.is(w.useCode("ada", oldPassword, codes[0]), 201, "")
		link := w.stopLink()
		w.is(w.call(home, "PUT", "/account/password", "Bearer "+b.AccessToken, fields{"new_password": newPassword}), 201, "")
		w.is(w.stop(link), 204, "")
		w.Mails()
		for _, c := range []rest.Caller{
			{Account: string(ada), Session: b.SessionID, AAL: session.AAL1, AMR: []string{session.AMRPassword, session.AMRBackupCode}},
			{Account: string(ada), Session: b.SessionID, AAL: session.AAL2, AMR: []string{session.AMRPassword, "otp", "mfa"}},
		} {
			if err := w.back.AskTrusted(ctx, c, "eve@evil.example", account.Source{Addr: home, Net: home}); codeOf(err) != "unauthenticated" {
				t.Errorf("a trusted address: %v", err)
			}
			if err := w.back.DropTrusted(ctx, c); codeOf(err) != "unauthenticated" {
				t.Errorf("no trusted address: %v", err)
			}
			if err := w.codes.Disable(ctx, c, true); codeOf(err) != "unauthenticated" {
				t.Errorf("a layer off: %v", err)
			}
			turnOn := w.DB.Tx(ctx, func(tx *db.Tx) error { return w.sessions.TurnOn(ctx, tx, c, "broken", "totp-enabled") })
			if codeOf(turnOn) != "unauthenticated" {
				t.Errorf("a layer on: %v", turnOn)
			}
		}
		if got := w.told(); got != "" {
			t.Errorf("told: %s", got)
		}
	})
}

// The intruder confirms a mailbox and a trusted address at the moment of the stop. Neither
// is the account's afterwards, whichever came first.
func TestAttackStopRacesTheAddresses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		for i := range 4 {
			name := fmt.Sprintf("ada-%d", i)
			ada, codes := w.coded(name)
			w.Advance(time.Minute)
			as := "Bearer " + w.is(w.useCode(name, oldPassword, codes[0]), 201, "").AccessToken
			link := w.stopLink()
			w.is(w.call(home, "POST", "/account/email", as, fields{"email": name + "@evil.example"}), 202, "")
			mine := w.linkTo("change-email", name+"@evil.example")
			second := w.askTrusted(ada, name+secondOf)
			got := race(3, func(i int) string {
				switch i {
				case 0:
					return said(w.stop(link))
				case 1:
					return said(w.call(home, "POST", "/account/email/confirm", as, fields{"token": mine}))
				default:
					return said(w.verifyTrusted(second))
				}
			})
			to, err := w.Accounts.Contact(t.Context(), w.DB, ada)
			if err != nil || to.Email != name+primaryOf || w.readTrusted(ada).Email != "" {
				t.Errorf("%v: primary %q, trusted %q, %v", got, to.Email, w.readTrusted(ada).Email, err)
			}
		}
	})
}
