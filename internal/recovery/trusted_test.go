package recovery_test

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
	"coffer/internal/recovery"
	"coffer/internal/rest"
)

const (
	primaryOf = "@canary.example"
	secondOf  = "@second.example"
)

var wherever = account.Source{Addr: home, Net: home}

func caller(id account.ID) rest.Caller { return rest.Caller{Account: string(id)} }

// twoLayers turns the app on, and a layer that nobody passes. It returns the app's secret.
func (w *world) twoLayers(id account.ID) string {
	w.t.Helper()
	secret := w.withApp(id)
	w.layer(id, w.Name(), true)
	return secret
}

// layer changes what an account's seal says of a layer.
func (w *world) layer(id account.ID, name string, on bool) {
	w.t.Helper()
	if err := w.DB.Tx(context.Background(), func(tx *db.Tx) error { return w.Accounts.SetLayer(context.Background(), tx, id, name, on) }); err != nil {
		w.t.Fatal(err)
	}
}

// askTrusted asks for a trusted address and returns the token that is mailed there.
func (w *world) askTrusted(id account.ID, email string) string {
	w.t.Helper()
	w.Mails()
	if err := w.back.AskTrusted(context.Background(), caller(id), email, wherever); err != nil {
		w.t.Fatal(err)
	}
	mails := w.Mails()
	for _, m := range mails {
		if m.Kind == "trusted-email" && m.To == email {
			token, ok := strings.CutPrefix(m.Data["link"], "https://coffer.test/trusted-email#token=")
			if !ok {
				w.t.Fatalf("the link %q", m.Data["link"])
			}
			return token
		}
	}
	w.t.Fatalf("no link to %s: %+v", email, mails)
	return ""
}

func (w *world) verifyTrusted(token string) reply {
	w.t.Helper()
	return w.post("/auth/trusted-email/verify", fields{"token": token})
}

// trusting is an account with two layers and a trusted address, which counts after a rest.
func (w *world) trusting(name string) (id account.ID, secret string) {
	w.t.Helper()
	id = w.Join(name)
	secret = w.twoLayers(id)
	w.is(w.verifyTrusted(w.askTrusted(id, name+secondOf)), 204, "")
	w.Mails()
	return id, secret
}

func (w *world) readTrusted(id account.ID) recovery.Trusted {
	w.t.Helper()
	got, err := w.back.ReadTrusted(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

// told lists who got which mail since the last call, in order.
func (w *world) told() string {
	w.t.Helper()
	all := w.Told()
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func codeOf(err error) string {
	if refused := new(fault.Error); errors.As(err, &refused) {
		if len(refused.Fields) == 1 {
			return refused.Fields[0].Pointer + " " + refused.Fields[0].Code
		}
		return refused.Code
	}
	return fmt.Sprint(err)
}

// The whole life of a trusted address: asked for, verified, replaced, dropped; and who is
// told of each.
func TestTrustedAddress(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d, nil)
		ada := w.Join("ada")
		if err := w.back.AskTrusted(ctx, caller(ada), "ada@second.example", wherever); codeOf(err) != "needs_two_layers" {
			t.Errorf("without layers: %v", err)
		}
		w.withApp(ada)
		if err := w.back.AskTrusted(ctx, caller(ada), "ada@second.example", wherever); codeOf(err) != "needs_two_layers" {
			t.Errorf("with one layer: %v", err)
		}
		w.layer(ada, w.Name(), true)
		for email, want := range map[string]string{"ADA@canary.EXAMPLE": "/email is_primary", "x": "/email invalid_email"} {
			if err := w.back.AskTrusted(ctx, caller(ada), email, wherever); codeOf(err) != want {
				t.Errorf("%s: %v, want %s", email, err, want)
			}
		}
		w.Mails()
		if err := w.back.AskTrusted(ctx, caller(ada), "Ada@second.example", wherever); err != nil {
			t.Fatal(err)
		}
		if got := w.told(); got != "Ada@second.example trusted-email, ada@canary.example trusted-email-asked" {
			t.Errorf("asked for: %s", got)
		}
		// Until it is verified it gets nothing and counts for nothing.
		if got := w.readTrusted(ada); got != (recovery.Trusted{Pending: "Ada@second.example"}) {
			t.Errorf("waiting: %+v", got)
		}
		w.is(w.post("/auth/recovery/trusted-email", fields{"identifier": "ada"}), 202, "")
		w.is(w.reset(w.forgot("ada"), newPassword), 202, "") // it ends the link, as every new password does
		if got := w.told(); got != "ada@canary.example password-reset" {
			t.Errorf("a notice while it waits: %s", got)
		}
		older, token := w.askTrusted(ada, "Ada@second.example"), w.askTrusted(ada, "Ada@second.example")
		w.is(w.verifyTrusted(older), 410, "link_gone") // only the owner asks, so the newest counts
		for range 2 {
			w.is(w.post("/auth/trusted-email/verify/check", fields{"token": token}), 204, "")
		}
		w.is(w.verifyTrusted(token), 204, "")
		w.is(w.verifyTrusted(token), 410, "link_gone")
		w.is(w.post("/auth/trusted-email/verify/check", fields{"token": token}), 410, "link_gone")
		if got := w.told(); got != "Ada@second.example trusted-email-set, ada@canary.example trusted-email-set" {
			t.Errorf("verified: %s", got)
		}
		at := w.Now().UTC()
		got := w.readTrusted(ada)
		if got.Email != "Ada@second.example" || !got.VerifiedAt.Equal(at) || !got.UsableFrom.Equal(at.Add(72*time.Hour)) || got.Pending != "" {
			t.Errorf("verified: %+v", got)
		}
		lines, err := w.Accounts.Security(ctx, ada)
		if line := lines["trusted_email"]; err != nil || !line.Enabled || !line.Since.Equal(at) || line.Hint != "A…@second.example" {
			t.Errorf("the security page: %+v, %v", line, err)
		}
		// From now on it gets every notice, and nobody signs in with it.
		w.is(w.reset(w.forgot("ada"), oldPassword), 202, "")
		if got := w.told(); got != "Ada@second.example password-reset, ada@canary.example password-reset" {
			t.Errorf("a notice: %s", got)
		}
		w.is(w.signIn("ada@second.example", oldPassword, nil), 401, "invalid_credentials")
		w.is(w.post("/auth/password/forgot", fields{"email": "ada@second.example"}), 202, "")
		if got := w.told(); got != "" {
			t.Errorf("forgot with it: %s", got)
		}
		if err := w.back.AskTrusted(ctx, caller(ada), "ADA@second.example", wherever); codeOf(err) != "/email unchanged" {
			t.Errorf("the same again: %v", err)
		}

		// Another one: the present one stays until the other is verified, and both are told.
		token = w.askTrusted(ada, "ada@third.example")
		if got := w.readTrusted(ada); got.Email != "Ada@second.example" || got.Pending != "ada@third.example" {
			t.Errorf("replacing: %+v", got)
		}
		w.is(w.verifyTrusted(token), 204, "")
		if got := w.told(); got != "Ada@second.example trusted-email-dropped, ada@canary.example trusted-email-set, ada@third.example trusted-email-set" {
			t.Errorf("replaced: %s", got)
		}
		waiting := w.askTrusted(ada, "ada@fourth.example")
		for range 2 { // the second time there is nothing to do
			if err := w.back.DropTrusted(ctx, caller(ada)); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.told(); got != "ada@canary.example trusted-email-dropped, ada@third.example trusted-email-dropped" {
			t.Errorf("dropped: %s", got)
		}
		w.is(w.verifyTrusted(waiting), 410, "link_gone")
		if got := w.readTrusted(ada); got != (recovery.Trusted{}) {
			t.Errorf("dropped: %+v", got)
		}
	})
}

// A link whose conditions are gone meanwhile verifies nothing, and stays good.
func TestTrustedLinkMeanwhile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d, nil)
		ada := w.Join("ada")
		w.twoLayers(ada)
		token := w.askTrusted(ada, "ada@second.example")
		w.layer(ada, w.Name(), false)
		w.is(w.verifyTrusted(token), 409, "needs_two_layers")
		w.layer(ada, w.Name(), true)

		if err := w.Accounts.ChangeEmail(ctx, ada, "Ada@Second.example", wherever); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Accounts.ConfirmEmail(ctx, ada, w.tokenIn("change-email", "/confirm-email")); err != nil {
			t.Fatal(err)
		}
		w.is(w.verifyTrusted(token), 409, "trusted_is_primary")
		if got := w.readTrusted(ada); got.Email != "" {
			t.Errorf("%+v", got)
		}
		if err := w.Accounts.ChangeEmail(ctx, ada, "ada@canary.example", wherever); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Accounts.ConfirmEmail(ctx, ada, w.tokenIn("change-email", "/confirm-email")); err != nil {
			t.Fatal(err)
		}
		w.is(w.verifyTrusted(token), 204, "")
	})
}

// Links of another purpose, and altered, expired or deleted ones, verify nothing.
func TestTrustedLinks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada, bob := w.Join("ada"), w.Join("bob")
		w.twoLayers(ada)
		w.twoLayers(bob)
		w.is(w.verifyTrusted(w.forgot("ada")), 410, "link_gone")
		token := w.askTrusted(ada, "ada@second.example")
		w.is(w.verifyTrusted(token[1:]+token[:1]), 410, "link_gone")
		w.is(w.verifyTrusted(""), 410, "link_gone")
		for _, path := range []string{"/auth/password/reset/check", "/auth/recovery/trusted-email/confirm/check", "/account/email/undo/check"} {
			w.is(w.post(path, fields{"token": token}), 410, "link_gone")
		}
		for _, q := range []string{
			`UPDATE links SET account = $2 WHERE account = $1 AND purpose = 'trusted-email'`,
			`UPDATE links SET expires_at = expires_at + 1 WHERE account = $1 AND purpose = 'trusted-email' AND $2 <> ''`,
			`UPDATE links SET data = (SELECT data FROM links o WHERE o.account = $2 AND o.purpose = 'trusted-email') WHERE account = $1 AND purpose = 'trusted-email'`,
		} {
			token := w.askTrusted(ada, "ada@second.example")
			w.exec(`DELETE FROM links WHERE account = $1`, string(bob))
			w.askTrusted(bob, "bob@second.example")
			w.exec(q, string(ada), string(bob))
			w.is(w.verifyTrusted(token), 410, "link_gone")
		}
		token = w.askTrusted(ada, "ada@second.example")
		w.Advance(24 * time.Hour)
		w.is(w.verifyTrusted(token), 410, "link_gone")
		if got := w.readTrusted(ada); got != (recovery.Trusted{}) {
			t.Errorf("%+v", got)
		}
	})
}

// Of twenty uses of one link at once one verifies, and tells once.
func TestTrustedAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada := w.Join("ada")
		w.twoLayers(ada)
		token := w.askTrusted(ada, "ada@second.example")
		got := race(20, func(int) string { return said(w.verifyTrusted(token)) })
		if got["204"] != 1 || got["410 link_gone"] != 19 {
			t.Errorf("%v", got)
		}
		if got := w.told(); got != "ada@canary.example trusted-email-set, ada@second.example trusted-email-set" {
			t.Errorf("told: %s", got)
		}
	})
}

// The server bounds the links to one mailbox, whether one account asks or many from one source.
func TestTrustedMailsToStrangers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d, nil)
		w.Accounts.MailAddressLimit.Limit = 1000
		var refused, links int
		for i := range 4 {
			id := w.Join(fmt.Sprintf("ada-%d", i))
			w.layer(id, "totp", true)
			w.layer(id, w.Name(), true)
			for range 11 {
				if err := w.back.AskTrusted(ctx, caller(id), "stranger@other.example", wherever); codeOf(err) == "rate_limited" {
					refused++
				} else if err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, m := range w.Mails() {
			if m.To == "stranger@other.example" {
				links++
			}
		}
		if most := w.Accounts.MailRecipientLimit.Limit; refused != 4 || links == 0 || links > most {
			t.Errorf("%d refused, %d mails to a stranger, at most %d", refused, links, most)
		}
	})
}

// The layer that the trusted address needs goes only with it, and the address is told.
func TestTrustedNeedsItsLayers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d, nil)
		ada, _ := w.trusting("ada")
		if err := w.codes.Disable(ctx, caller(ada), false); codeOf(err) != "recovery_needs_two_layers" {
			t.Errorf("the layer alone: %v", err)
		}
		if got := w.readTrusted(ada); got.Email == "" || w.told() != "" {
			t.Errorf("after a refusal: %+v", got)
		}
		if err := w.codes.Disable(ctx, caller(ada), true); err != nil {
			t.Fatal(err)
		}
		if got := w.told(); got != "ada@canary.example totp-disabled, ada@canary.example trusted-email-dropped, ada@second.example trusted-email-dropped" {
			t.Errorf("told: %s", got)
		}
		if got := w.readTrusted(ada); got.Email != "" {
			t.Errorf("%+v", got)
		}
	})
}

// Of a layer that goes and a trusted address that comes at once, one wins: no account with
// too few layers has the address.
func TestTrustedRacesItsLayers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		for i := range 6 {
			name := fmt.Sprintf("ada-%d", i)
			id := w.Join(name)
			w.twoLayers(id)
			token := w.askTrusted(id, name+secondOf)
			got := race(2, func(i int) string {
				if i == 0 {
					return said(w.verifyTrusted(token))
				}
				return codeOf(w.codes.Disable(context.Background(), caller(id), false))
			})
			verified := w.readTrusted(id).Email != ""
			if won := got["204"] + got["<nil>"]; won != 1 || verified != (got["204"] == 1) {
				t.Errorf("%v, verified: %v", got, verified)
			}
		}
	})
}
