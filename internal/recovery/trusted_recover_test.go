package recovery_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/kv"
	"coffer/internal/rest"
)

const (
	rest3days = 72 * time.Hour
	wait1day  = 24 * time.Hour
)

// trustedLinks returns the tokens of the links to trusted addresses that were mailed since
// the last call, and drops other mails.
func (w *world) trustedLinks() (tokens []string) {
	w.t.Helper()
	for _, m := range w.mailed("recovery-trusted") {
		token, ok := strings.CutPrefix(m.Data["link"], "https://coffer.test/recover#token=")
		token, also := strings.CutSuffix(token, "&way=trusted-email")
		if !ok || !also || !strings.HasSuffix(m.To, secondOf) {
			w.t.Fatalf("the mail %+v", m)
		}
		tokens = append(tokens, token)
	}
	return tokens
}

// trustedLink asks for a link to the trusted address of an account.
func (w *world) trustedLink(name string) string {
	w.t.Helper()
	w.Mails()
	w.is(w.post("/auth/recovery/trusted-email", fields{"identifier": name}), 202, "")
	tokens := w.trustedLinks()
	if len(tokens) != 1 {
		w.t.Fatalf("%d links", len(tokens))
	}
	return tokens[0]
}

func (w *world) useTrusted(token string) reply {
	w.t.Helper()
	return w.post("/auth/recovery/trusted-email/confirm", fields{"token": token, "refresh_in": "body"})
}

// strength describes a recovery session: strong, or weak with the time from which on another
// one is strong.
func (w *world) strength(r reply) string {
	w.t.Helper()
	var body struct {
		Recovery struct {
			MayRepairLayers bool       `json:"may_repair_layers"`
			From            *time.Time `json:"from"`
		}
	}
	if err := json.Unmarshal([]byte(r.Raw), &body); err != nil {
		w.t.Fatal(err)
	}
	amr := strings.Join(r.AMR, " ")
	switch got := body.Recovery; {
	case r.Status != 201 || r.AAL != "recovery":
		return said(r) + " " + r.AAL
	case amr == "trusted_email delay" && got.MayRepairLayers && got.From == nil:
		return "strong"
	case amr == "trusted_email" && !got.MayRepairLayers && got.From != nil:
		return "weak, " + got.From.Format(time.RFC3339)
	default:
		return "neither: " + r.Raw
	}
}

// weak is what strength says of a session whose wait ends at a time.
func weak(from time.Time) string { return "weak, " + from.UTC().Format(time.RFC3339) }

// recovered opens a recovery session by the trusted address and returns its strength.
func (w *world) recovered(name string) string {
	w.t.Helper()
	return w.strength(w.useTrusted(w.trustedLink(name)))
}

// The trusted address rests, opens a weak session, waits, and opens a strong one.
func TestTrustedRecovery(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.trusting("ada")
		w.Advance(rest3days - time.Millisecond)
		w.is(w.post("/auth/recovery/trusted-email", fields{"identifier": "ada"}), 202, "")
		if got := w.told(); got != "" {
			t.Errorf("mails while it rests: %s", got)
		}
		w.Advance(time.Millisecond)
		for _, name := range []string{"ada", "ADA@canary.example"} {
			w.is(w.post("/auth/recovery/trusted-email", fields{"identifier": name}), 202, "")
			if got := w.told(); got != "ada@second.example recovery-trusted" {
				t.Errorf("after its rest: %s", got)
			}
		}
		token := w.trustedLink("ada")
		for range 2 {
			w.is(w.post("/auth/recovery/trusted-email/confirm/check", fields{"token": token}), 204, "")
		}
		began := w.Now()
		first := w.useTrusted(token)
		if got := w.strength(first); got != weak(began.Add(wait1day)) {
			t.Errorf("the first: %s", got)
		}
		if got := w.told(); got != "ada@canary.example recovery-used, ada@second.example recovery-used" {
			t.Errorf("told of the first: %s", got)
		}
		w.is(w.useTrusted(token), 410, "link_gone")
		w.is(w.post("/auth/recovery/trusted-email/confirm/check", fields{"token": token}), 410, "link_gone")
		if !w.alive(first.AccessToken) {
			t.Error("the session reads nothing")
		}
		for _, op := range []string{"DELETE /account/totp", "DELETE /account/trusted-email"} {
			method, path, _ := strings.Cut(op, " ")
			got := w.is(w.call(home, method, path, "Bearer "+first.AccessToken, nil), 403, "recovery_waits")
			if !strings.Contains(got.Raw, began.Add(wait1day).UTC().Format(time.RFC3339)) {
				t.Errorf("%s does not say when: %s", op, got.Raw)
			}
		}
		w.is(w.call(home, "PUT", "/account/trusted-email", "Bearer "+first.AccessToken, fields{"email": "eve@evil.example"}), 403, "recovery_waits")

		// A use before the end neither shortens nor begins the wait anew.
		w.Advance(wait1day - time.Minute)
		if got := w.recovered("ada"); got != weak(began.Add(wait1day)) {
			t.Errorf("early: %s", got)
		}
		w.Advance(time.Minute)
		strong := w.useTrusted(w.trustedLink("ada"))
		if got := w.strength(strong); got != "strong" {
			t.Errorf("after the wait: %s", got)
		}
		w.is(w.call(home, "DELETE", "/account/totp", "Bearer "+strong.AccessToken, nil), 409, "recovery_needs_two_layers")
		// The wait is used up: the next recovery begins at the beginning.
		if got := w.recovered("ada"); got != weak(w.Now().Add(wait1day)) {
			t.Errorf("after a strong one: %s", got)
		}
		w.is(w.call(home, "DELETE", "/account/totp?recovery=off", "Bearer "+strong.AccessToken, nil), 204, "")
		w.Advance(wait1day)
		w.is(w.post("/auth/recovery/trusted-email", fields{"identifier": "ada"}), 202, "")
		if got := w.trustedLinks(); len(got) != 0 {
			t.Errorf("links to an address that went with a layer: %q", got)
		}
	})
}

// A layer that is passed or changed, another address and seven days end a wait. The password
// alone does not.
func TestTrustedWaitIsOver(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		for i, c := range []struct {
			name   string
			happen func(id account.ID, name, secret string)
			over   bool
		}{
			{"nothing", func(account.ID, string, string) {}, false},
			{"a password", func(_ account.ID, name, _ string) { w.is(w.signIn(name, oldPassword, nil), 202, "") }, false},
			{"a reset", func(_ account.ID, name, _ string) { w.is(w.reset(w.forgot(name), oldPassword), 202, "") }, false},
			{"a layer passed", func(_ account.ID, name, secret string) {
				w.is(w.pass(w.is(w.signIn(name, oldPassword, nil), 202, ""), secret), 202, "")
			}, true},
			{"a layer turned on", func(id account.ID, _, _ string) { w.layer(id, "email_otp", true) }, true},
			{"a layer turned off", func(id account.ID, _, _ string) {
				w.layer(id, "email_otp", true)
				w.layer(id, w.Name(), false)
			}, true},
			{"a layer set up anew", func(id account.ID, _, _ string) {
				w.layer(id, "email_otp", true)
				if err := w.codes.Disable(t.Context(), caller(id), false); err != nil {
					t.Fatal(err)
				}
				w.withApp(id)
				w.layer(id, "email_otp", false)
			}, true},
			{"7 days", func(account.ID, string, string) { w.Advance(7*wait1day - time.Hour) }, true},
			{"nearly 7 days", func(account.ID, string, string) { w.Advance(7*wait1day - time.Hour - time.Minute) }, false},
			{"dropped and set anew", func(id account.ID, name, _ string) {
				if err := w.back.DropTrusted(t.Context(), caller(id)); err != nil {
					t.Fatal(err)
				}
				w.is(w.verifyTrusted(w.askTrusted(id, name+secondOf)), 204, "")
				w.Advance(rest3days)
			}, true},
			{"replaced", func(id account.ID, name, _ string) {
				w.is(w.verifyTrusted(w.askTrusted(id, name+"-3"+secondOf)), 204, "")
				w.Advance(rest3days)
			}, true},
		} {
			name := fmt.Sprintf("ada-%d", i)
			id, secret := w.trusting(name)
			w.Advance(rest3days)
			if got := w.recovered(name); got != weak(w.Now().Add(wait1day)) {
				t.Fatalf("%s: the first: %s", c.name, got)
			}
			w.Advance(time.Hour)
			before := w.Now()
			c.happen(id, name, secret)
			if since := w.Now().Sub(before); since < wait1day {
				w.Advance(wait1day - since)
			}
			want := "strong"
			if c.over {
				want = weak(w.Now().Add(wait1day))
			}
			if got := w.recovered(name); got != want {
				t.Errorf("%s: %s, want %s", c.name, got, want)
			}
		}
	})
}

// A link opens one session, of its account and purpose, while the address is the trusted one.
func TestTrustedRecoveryLinks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada, _ := w.trusting("ada")
		bob, _ := w.trusting("bob")
		w.Advance(rest3days)
		token := w.trustedLink("ada")
		gone := func(what, token string) {
			t.Helper()
			for _, path := range []string{"/auth/recovery/trusted-email/confirm", "/auth/recovery/trusted-email/confirm/check"} {
				if got := said(w.post(path, fields{"token": token})); got != "410 link_gone" {
					t.Errorf("%s at %s: %s", what, path, got)
				}
			}
		}
		gone("altered", token[1:]+token[:1])
		gone("none", "")
		gone("of another purpose", w.forgot("ada"))
		gone("of the other link", w.askTrusted(ada, "ada-3"+secondOf))
		w.is(w.reset(token, newPassword), 410, "link_gone")
		w.is(w.verifyTrusted(token), 410, "link_gone")
		for what, q := range map[string]string{
			"moved to another account": `UPDATE links SET account = $2 WHERE account = $1 AND purpose = 'recovery-trusted'`,
			"prolonged":                `UPDATE links SET expires_at = expires_at + 1 WHERE account = $1 AND purpose = 'recovery-trusted' AND $2 <> ''`,
			"another one's content": `UPDATE links SET data = (SELECT data FROM links o WHERE o.account = $2 AND o.purpose = 'recovery-trusted')
				WHERE account = $1 AND purpose = 'recovery-trusted'`,
		} {
			w.exec(`DELETE FROM links WHERE purpose = 'recovery-trusted'`)
			w.trustedLink("bob")
			altered := w.trustedLink("ada")
			w.exec(q, string(ada), string(bob))
			gone(what, altered)
		}
		w.exec(`DELETE FROM links WHERE purpose = 'recovery-trusted'`)
		// A stranger's requests void no link that the owner waits for.
		token = w.trustedLink("ada")
		for i := range 5 {
			w.is(w.call(fmt.Sprintf("198.51.100.%d", i), "POST", "/auth/recovery/trusted-email", "", fields{"identifier": "ada"}), 202, "")
		}
		others := w.trustedLinks()
		w.is(w.useTrusted(token), 201, "")
		w.is(w.post("/auth/recovery/trusted-email/confirm/check", fields{"token": others[0]}), 204, "")
		// Another trusted address, also when the former one comes back.
		w.is(w.verifyTrusted(w.askTrusted(ada, "ada-3"+secondOf)), 204, "")
		gone("to a former address", others[0])
		w.Advance(time.Second)
		w.is(w.verifyTrusted(w.askTrusted(ada, "ada"+secondOf)), 204, "")
		gone("to a former address that came back", others[1])
		// A new password ends it, and so does its time.
		w.Advance(rest3days)
		token = w.trustedLink("ada")
		w.is(w.reset(w.forgot("ada"), newPassword), 202, "")
		gone("before a new password", token)
		token = w.trustedLink("ada")
		w.Advance(w.Accounts.LinkTTL)
		gone("expired", token)
		if got := w.count(`SELECT COUNT(*) FROM sessions WHERE account = $1`, string(bob)); got != 0 {
			t.Errorf("%d sessions of another account", got)
		}
	})
}

// Of twenty uses of one link at once one opens a session. Of two links after the wait one
// opens a strong one.
func TestTrustedRecoveryAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.trusting("ada")
		w.Advance(rest3days)
		token := w.trustedLink("ada")
		got := race(20, func(int) string { return said(w.useTrusted(token)) })
		if got["201"] != 1 || got["410 link_gone"] != 19 {
			t.Errorf("%v", got)
		}
		w.Mails()
		w.Advance(wait1day)
		var tokens []string
		for range 6 {
			tokens = append(tokens, w.trustedLink("ada"))
		}
		got = race(len(tokens), func(i int) string { return w.strength(w.useTrusted(tokens[i])) })
		if got["strong"] != 1 || got[weak(w.Now().Add(wait1day))] != len(tokens)-1 {
			t.Errorf("%v", got)
		}
	})
}

// A writer of the database cannot shorten a wait, or move it to another account.
func TestAttackWriterOfWaits(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada, _ := w.trusting("ada")
		bob, _ := w.trusting("bob")
		w.Advance(rest3days)
		w.recovered("bob")
		w.Advance(wait1day) // bob's is over
		for what, q := range map[string]string{
			"bob's":        `UPDATE trusted_waits SET wait = (SELECT wait FROM trusted_waits WHERE account = $2) WHERE account = $1`,
			"bob's, whole": `INSERT INTO trusted_waits (account, wait) SELECT $1, wait FROM trusted_waits WHERE account = $2`,
			"his address":  `UPDATE trusted_waits SET wait = (SELECT email FROM addresses WHERE account = $1 AND kind = 'trusted') WHERE account = $1 AND $2 <> ''`,
		} {
			w.exec(`DELETE FROM trusted_waits WHERE account = $1`, string(ada))
			if !strings.HasPrefix(q, "INSERT") {
				w.recovered("ada")
			}
			w.exec(q, string(ada), string(bob))
			w.log.Reset()
			if got := w.recovered("ada"); got != weak(w.Now().Add(wait1day)) || !strings.Contains(w.log.String(), "a wait was altered") {
				t.Errorf("%s: %s; log %s", what, got, w.log.String())
			}
		}
		// The address that rests, as if it had rested.
		eve, _ := w.trusting("eve")
		w.exec(`UPDATE addresses SET verified_at = verified_at - 864000000 WHERE account = $1 AND kind = 'trusted'`, string(eve))
		w.is(w.post("/auth/recovery/trusted-email", fields{"identifier": "eve"}), 202, "")
		if got := w.trustedLinks(); len(got) != 0 {
			t.Errorf("links to an address that rests: %q", got)
		}
	})
}

// The request answers alike for every identifier, and does alike.
func TestTrustedRecoveryTellsNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.trusting("usable")
		w.Advance(rest3days)
		w.trusting("resting")
		w.Join("without")
		gone, _ := w.trusting("gone")
		if err := w.Accounts.Deactivate(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
		w.Mails()
		type answer struct{ said, body, header, asked string }
		ask := func(name string) answer {
			var got reply
			asked := dbtest.Ran(w.DB, func() { got = w.post("/auth/recovery/trusted-email", fields{"identifier": name}) })
			var headers []string
			for name, values := range got.Header {
				if name != "X-Request-Id" {
					headers = append(headers, name+": "+strings.Join(values, ","))
				}
			}
			slices.Sort(headers)
			w.Mails()
			return answer{said(got), got.Raw, strings.Join(headers, "\n"), strings.Join(asked, "\n")}
		}
		ask("first") // fills caches
		want := ask("nobody")
		if want.said != fmt.Sprintf("%d", http.StatusAccepted) || strings.TrimSpace(want.body) != `{"status":"accepted"}` || d.Engine() == db.SQLite && !strings.Contains(want.asked, "INSERT INTO jobs") {
			t.Fatalf("%+v", want)
		}
		for _, name := range []string{"usable", "usable@canary.example", "usable@second.example", "resting", "without", "gone", "no such name", "", strings.Repeat("x", 320)} {
			if got := ask(name); got != want {
				t.Errorf("%q: %+v, want %+v", name, got, want)
			}
		}
	})
}

// Mails count against the shares of recipient and source, silently.
func TestTrustedRecoveryMailsAreLimited(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), nil)
	w.trusting("ada")
	w.Advance(rest3days)
	sent := 0
	for range 25 {
		w.is(w.post("/auth/recovery/trusted-email", fields{"identifier": "ada"}), 202, "")
		sent += len(w.trustedLinks())
	}
	if sent != w.Accounts.MailRecipientLimit.Limit {
		t.Errorf("one source caused %d mails, want %d", sent, w.Accounts.MailRecipientLimit.Limit)
	}
	for range 5 {
		w.post("/auth/recovery/trusted-email", fields{"identifier": "nobody"})
	}
	w.is(w.post("/auth/recovery/trusted-email", fields{"identifier": "ada"}), 429, "rate_limited")
}

// A deactivated account stays closed, and its link good. An account that is gone opens nothing.
func TestTrustedRecoveryOfAClosedAccount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada, _ := w.trusting("ada")
		w.Advance(rest3days)
		if err := w.Accounts.Deactivate(context.Background(), ada); err != nil {
			t.Fatal(err)
		}
		token := w.trustedLink("ada")
		for range 2 {
			w.is(w.useTrusted(token), 403, "account_deactivated")
		}
		w.is(w.post("/auth/recovery/trusted-email/confirm/check", fields{"token": token}), 204, "")
		bob, _ := w.trusting("bob")
		w.Advance(rest3days)
		token = w.trustedLink("bob")
		if err := w.Accounts.Delete(t.Context(), bob); err != nil {
			t.Fatal(err)
		}
		w.is(w.useTrusted(token), 410, "link_gone")
		for _, table := range []string{"trusted_waits", "addresses"} {
			if n := w.count(`SELECT COUNT(*) FROM `+table+` WHERE account = $1`, string(bob)); n != 0 {
				t.Errorf("%d rows of an account that is gone in %s", n, table)
			}
		}
	})
}

// The link that stops a recovery ends the wait. It takes back a trusted address that was
// verified since, and leaves an older one.
func TestTrustedRecoveryStopped(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada, _ := w.trusting("ada")
		bob, _ := w.trusting("bob")
		w.Advance(rest3days)
		stop := func(name string) {
			t.Helper()
			for _, m := range w.mailed("recovery-used") {
				if m.To == name+primaryOf {
					_, token, _ := strings.Cut(m.Data["link"], "#token=")
					w.is(w.post("/auth/recovery/stop", fields{"token": token}), 204, "")
					return
				}
			}
			t.Fatal("no mail tells of the recovery")
		}
		w.is(w.useTrusted(w.trustedLink("ada")), 201, "")
		stop("ada")
		if got := w.readTrusted(ada); got.Email != "ada"+secondOf {
			t.Errorf("an older trusted address: %+v", got)
		}
		w.Advance(wait1day)
		if got := w.recovered("ada"); got != weak(w.Now().Add(wait1day)) {
			t.Errorf("after the wait was stopped: %s", got)
		}
		w.is(w.useTrusted(w.trustedLink("bob")), 201, "")
		used := w.Mails()
		w.is(w.verifyTrusted(w.askTrusted(bob, "eve"+secondOf)), 204, "")
		for _, m := range used {
			if m.Kind == "recovery-used" && m.To == "bob"+primaryOf {
				_, token, _ := strings.Cut(m.Data["link"], "#token=")
				w.is(w.post("/auth/recovery/stop", fields{"token": token}), 204, "")
			}
		}
		if got := w.readTrusted(bob); got.Email != "" {
			t.Errorf("an intruder's trusted address: %+v", got)
		}
	})
}

// An owner drops the address while the job runs that mails a link there: no link goes out.
func TestTrustedRecoveryRacesADrop(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		store := &between{}
		w := newWorld(t, d, func(now func() time.Time) kv.Store { store.Store = kv.NewMemory(now); return store })
		ada, _ := w.trusting("ada")
		w.Advance(rest3days)
		w.is(w.post("/auth/recovery/trusted-email", fields{"identifier": "ada"}), 202, "")
		dropped := false
		store.run = func() {
			dropped = true
			if err := w.back.DropTrusted(context.Background(), caller(ada)); err != nil {
				t.Error(err)
			}
		}
		if got := w.trustedLinks(); !dropped || len(got) != 0 {
			t.Errorf("dropped: %v; links %q", dropped, got)
		}
	})
}

// A recovery session that was stopped a moment ago neither drops the address nor asks for
// another one.
func TestTrustedAfterAStop(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada, _ := w.trusting("ada")
		w.Advance(rest3days)
		open := w.is(w.useTrusted(w.trustedLink("ada")), 201, "")
		as := rest.Caller{Account: string(ada), Session: open.SessionID, AAL: open.AAL, AMR: open.AMR}
		if err := w.back.AskTrusted(t.Context(), as, "ada-3"+secondOf, wherever); err != nil {
			t.Errorf("while it is open: %v", err)
		}
		w.is(w.reset(w.forgot("ada"), newPassword), 202, "") // it ends the session
		if err := w.back.DropTrusted(t.Context(), as); codeOf(err) != "unauthenticated" || w.readTrusted(ada).Email == "" {
			t.Errorf("dropped after the end: %v", err)
		}
		if err := w.back.AskTrusted(t.Context(), as, "ada-3"+secondOf, wherever); codeOf(err) != "unauthenticated" {
			t.Errorf("asked for after the end: %v", err)
		}
	})
}
