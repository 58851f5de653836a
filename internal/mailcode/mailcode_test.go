package mailcode

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/account"
	"coffer/internal/block"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/limit/limittest"
)

// The whole life of the layer: on, a code at sign-in, used once, off.
func TestMailedCode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.below.Join("ada")
		bearer := "Bearer " + w.is(w.signIn("ada", nil), 201, "").AccessToken
		w.below.Told()
		w.is(w.call("POST", "/account/email-otp", "", nil), 401, "unauthenticated")
		for range 2 { // the second is no error, and tells nobody
			w.is(w.call("POST", "/account/email-otp", bearer, nil), 204, "")
		}
		if got, want := w.below.Told(), []string{"ada@canary.example email-otp-enabled"}; !cmp.Equal(got, want) {
			t.Errorf("mails %v, want %v", got, want)
		}
		if p := w.line(id); !p.Enabled || p.Since == nil || p.LastUsed != nil || p.Hint != "a…@canary.example" {
			t.Errorf("the security page: %+v", p)
		}

		at := w.is(w.signIn("ada", nil), 202, "")
		if len(at.Layers) != 1 || at.Layers[0].Layer != name || at.Layers[0].SentTo != "a…@canary.example" ||
			!at.Layers[0].ResendAt.Equal(w.Now().Add(w.Codes.Cooldown)) || at.AccessToken != "" {
			t.Errorf("the challenge: %s", at.Raw)
		}
		text := w.code("ada")
		w.is(w.try(at, other(text)), 401, "invalid_code")
		got := w.is(w.try(at, text), 201, "")
		if got.AAL != "aal1" || !slices.Contains(got.AMR, "otp") {
			t.Errorf("the session: %s", got.Raw)
		}
		w.is(w.try(at, text), 410, "attempt_over")
		if p := w.line(id); p.LastUsed == nil || !p.LastUsed.Equal(w.Now()) {
			t.Errorf("last used: %+v", p)
		}
		// A second attempt does not take the code of the first, even when that is unused.
		first, second := w.is(w.signIn("ada", nil), 202, ""), w.is(w.signIn("ada", nil), 202, "")
		newest := w.code("ada")
		if older := w.code("ada"); older != newest {
			w.is(w.try(first, newest), 401, "invalid_code")
			w.is(w.try(second, older), 401, "invalid_code")
		}
		w.is(w.try(second, newest), 201, "")

		w.below.Told()
		for range 2 {
			w.is(w.call("DELETE", "/account/email-otp", bearer, nil), 204, "")
		}
		if got, want := w.below.Told(), []string{"ada@canary.example email-otp-disabled"}; !cmp.Equal(got, want) {
			t.Errorf("mails %v, want %v", got, want)
		}
		w.is(w.signIn("ada", nil), 201, "")
	})
}

func (w *world) line(id account.ID) account.Protection {
	w.t.Helper()
	lines, err := w.Accounts.Security(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return lines[name]
}

// A further code waits for the cooldown, voids the older one and forgives no wrong answer.
func TestMailedCodeAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.on("ada")
		at := w.is(w.signIn("ada", nil), 202, "")
		older := w.code("ada")
		for range 3 {
			w.is(w.try(at, other(older)), 401, "invalid_code")
		}
		if got := w.is(w.again(at), 429, "rate_limited"); got.RetryAfter != "30" || got.Limit != `"code-resend";r=0;t=30 "code-resend";q=1;w=30` || w.code("ada") != "" {
			t.Errorf("while it cools: %+v", got)
		}
		w.below.Advance(w.Codes.Cooldown)
		if got := w.is(w.again(at), 202, ""); !got.ResendAt.Equal(w.Now().Add(w.Codes.Cooldown)) {
			t.Errorf("again at %v", got.ResendAt)
		}
		shown := w.is(w.call("GET", "/auth/attempts/"+at.AttemptID, "Attempt "+at.AttemptToken, nil), 200, "")
		if !shown.Layers[0].ResendAt.Equal(w.Now().Add(w.Codes.Cooldown)) || shown.Layers[0].SentTo != "a…@canary.example" {
			t.Errorf("the attempt says %s", shown.Raw)
		}
		newer := w.code("ada")
		if newer == "" {
			t.Fatal("no second mail")
		}
		wrong := older
		if older == newer {
			wrong = other(newer)
		}
		w.is(w.try(at, wrong), 401, "invalid_code")
		w.is(w.try(at, other(newer)), 401, "invalid_code") // the fifth
		w.is(w.try(at, newer), 410, "attempt_over")
		w.is(w.again(at), 410, "attempt_over")
	})
}

// A person presses "send again" once a second, until the sign-in gets no more codes. The
// refusals are less than half of those that block an address.
func TestImpatienceBlocksNobody(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.on("ada")
	at := w.is(w.signIn("ada", nil), 202, "")
	var mailed, early int64
	for last := ""; last != "code_expired"; {
		w.below.Advance(time.Second)
		switch last = w.again(at).Code; last {
		case "":
			mailed++
		case "rate_limited":
			early++
		}
		if mailed+early > 1000 {
			t.Fatal("a sign-in gets codes without an end")
		}
	}
	var s block.Settings
	limittest.Defaults(t, &s)
	if w.over.Load() != early || mailed != 4 || early == 0 || 2*early >= int64(s.Refusals.Limit) {
		t.Errorf("%d more codes; %d early calls, of which %d count towards a block; %d block", mailed, early, w.over.Load(), s.Refusals.Limit)
	}
}

// Twenty enable, use and ask at once: one wins.
func TestMailedCodeRaces(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.below.Join("ada")
		limittest.AtOnce(20, func() error { return w.Enable(t.Context(), by(id)) })
		if got := w.below.Told(); len(got) != 1 || !w.line(id).Enabled {
			t.Errorf("turned on at once: %v", got)
		}
		at := w.is(w.signIn("ada", nil), 202, "")
		text := w.code("ada")
		var opened, unknown atomic.Int64
		limittest.AtOnce(20, func() error {
			switch got := w.try(at, text); {
			case got.Status == 201:
				opened.Add(1)
			case got.Code != "attempt_over" && got.Code != "code_expired":
				unknown.Add(1)
				t.Errorf("%d %s", got.Status, got.Raw)
			}
			return nil
		})
		if opened.Load() != 1 {
			t.Errorf("one code opened %d sessions", opened.Load())
		}
		at = w.is(w.signIn("ada", nil), 202, "")
		w.below.Advance(w.Codes.Cooldown)
		w.below.Mails()
		var sent atomic.Int64
		limittest.AtOnce(20, func() error {
			if w.again(at).Status == 202 {
				sent.Add(1)
			}
			return nil
		})
		if mails := w.below.Mails(); sent.Load() != 1 || len(mails) != 1 {
			t.Errorf("asked again at once: %d sent, %d mails", sent.Load(), len(mails))
		}
		limittest.AtOnce(20, func() error { return w.Disable(t.Context(), by(id), false) })
		if got := w.below.Told(); len(got) != 1 || w.line(id).Enabled {
			t.Errorf("turned off at once: %v", got)
		}
	})
}

// Of 200 guesses at once the server looks at five at most.
func TestMailedCodeGuesses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.on("ada")
		at := w.is(w.signIn("ada", nil), 202, "")
		text := w.code("ada")
		var looked atomic.Int64
		limittest.AtOnce(200, func() error {
			switch got := w.try(at, other(text)); got.Code {
			case "invalid_code":
				looked.Add(1)
			case "attempt_over", "code_expired":
			default:
				t.Errorf("%d %s", got.Status, got.Raw)
			}
			return nil
		})
		if n := w.count(`SELECT COUNT(*) FROM code_failures`); looked.Load() > 5 || n > 5 || n == 0 {
			t.Errorf("%d guesses were looked at, %d counted", looked.Load(), n)
		}
		w.is(w.try(at, text), 410, "attempt_over")
	})
}

// Ten wrong answers an hour, over all attempts; and no more than twenty unused codes.
func TestMailedCodeLimitsOfAnAccount(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.on("ada")
	for range 10 {
		at := w.is(w.signIn("ada", nil), 202, "")
		w.is(w.try(at, other(w.code("ada"))), 401, "invalid_code")
	}
	at := w.is(w.signIn("ada", nil), 202, "")
	text := w.code("ada")
	if got := w.is(w.try(at, text), 429, "rate_limited"); got.RetryAfter != "3600" || got.Limit != `"code-wrong";r=0;t=3600 "code-wrong";q=10;w=3600` {
		t.Errorf("retry after %s, limit %s", got.RetryAfter, got.Limit)
	}
	w.below.Advance(time.Hour)
	at = w.is(w.signIn("ada", nil), 202, "")
	w.is(w.try(at, w.code("ada")), 201, "")

	w.on("bob")
	w.below.Mails()
	for range 20 {
		w.is(w.signIn("bob", nil), 202, "")
	}
	if got := w.is(w.signIn("bob", nil), 429, "rate_limited"); got.RetryAfter == "" || !strings.HasPrefix(got.Limit, `"code-waiting";r=0;t=`) ||
		!strings.HasSuffix(got.Limit, ` "code-waiting";q=20;w=600`) || len(w.below.Mails()) != 20 {
		t.Errorf("the twenty-first mail: %+v", got)
	}
	w.below.Advance(w.Accounts.CodeTTL)
	at = w.is(w.signIn("bob", nil), 202, "")
	w.is(w.try(at, w.code("bob")), 201, "")
}

func TestMailedCodeExpires(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.Accounts.CodeTTL = 6 * time.Hour
	w.on("ada")
	for _, at := range []struct {
		after  time.Duration
		status int
		code   string
	}{{6*time.Hour - time.Second, 201, ""}, {6 * time.Hour, 410, "attempt_over"}} {
		a := w.is(w.signIn("ada", nil), 202, "")
		text := w.code("ada")
		w.below.Advance(at.after)
		w.is(w.try(a, text), at.status, at.code)
	}
}

// The mail holds the code on a line of its own and no link, in every language. It waits in
// the queue while the mail server is away.
func TestMailedCodeMail(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.on("ada")
	w.below.Mails()
	w.is(w.signIn("ada", nil), 202, "")
	if n := w.count(`SELECT COUNT(*) FROM jobs`); n != 1 {
		t.Fatalf("%d jobs wait", n)
	}
	mails := w.below.Mails()
	for _, lang := range []string{"en", "de"} {
		m := mails[0]
		m.Lang = lang
		r, err := w.below.Mailer.Render(m)
		if err != nil {
			t.Fatal(err)
		}
		if r.Kind != message || !slices.Contains(strings.Split(r.Text, "\n"), m.Data["code"]) || strings.Contains(r.Subject, m.Data["code"]) {
			t.Errorf("%s: %s\n%s", r.Kind, r.Subject, r.Text)
		}
		if strings.Contains(r.Text, "#token=") {
			t.Errorf("a link: %s", r.Text)
		}
	}
}

// While "always ask" is on, a remembered device is asked and no new one is remembered.
func TestAlwaysAskOverHTTP(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.on("ada")
		at := w.is(w.signIn("ada", fields{"remember_device": true}), 202, "")
		in := w.is(w.try(at, w.code("ada")), 201, "")
		device := fields{"device_token": in.DeviceToken}
		w.is(w.signIn("ada", device), 201, "")
		bearer := "Bearer " + in.AccessToken
		w.is(w.call("PUT", "/account/always-ask", "", fields{"always_ask": true}), 401, "unauthenticated")
		w.is(w.call("PUT", "/account/always-ask", bearer, fields{"always_ask": "yes"}), 422, "validation_failed")
		w.below.Advance(w.Sessions.StepUpTTL + time.Second)
		w.is(w.call("PUT", "/account/always-ask", bearer, fields{"always_ask": true}), 403, "step_up_required")
		at = w.is(w.call("POST", "/account/reauthenticate", bearer, fields{"password": "seven quiet otters 41"}), 202, "")
		bearer = "Bearer " + w.is(w.try(at, w.code("ada")), 201, "").AccessToken

		waits := w.is(w.signIn("ada", fields{"remember_device": true}), 202, "") // since before the change
		waiting := w.code("ada")
		w.is(w.call("PUT", "/account/always-ask", bearer, fields{"always_ask": true}), 204, "")
		if got := w.is(w.call("GET", "/account", bearer, nil), 200, ""); !strings.Contains(got.Raw, `"always_ask":true`) {
			t.Errorf("the profile says %s", got.Raw)
		}
		if got := w.is(w.try(waits, waiting), 201, ""); got.DeviceToken != "" {
			t.Error("an attempt from before the change remembers its device")
		}
		asked := w.is(w.signIn("ada", fields{"device_token": in.DeviceToken, "remember_device": true}), 202, "")
		if got := w.is(w.try(asked, w.code("ada")), 201, ""); got.DeviceToken != "" {
			t.Error("a device is remembered")
		}
		w.is(w.signIn("ada", device), 202, "")
		w.is(w.call("PUT", "/account/always-ask", bearer, fields{"always_ask": false}), 204, "")
		w.is(w.signIn("ada", device), 201, "")
	})
}

// A code in a mailbox that the account has left is wrong; one that is asked for again goes to
// the present address, and wrong answers stay counted.
func TestMailedCodeOfAFormerAddress(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		id := w.on("ada")
		at := w.is(w.signIn("ada", nil), 202, "")
		former := w.code("ada")
		if err := w.Accounts.ChangeEmail(ctx, id, "grace@canary.example", account.Source{}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Accounts.ConfirmEmail(ctx, id, w.newAddress()); err != nil {
			t.Fatal(err)
		}
		w.is(w.try(at, former), 401, "invalid_code")
		w.below.Advance(w.Codes.Cooldown)
		w.is(w.again(at), 202, "")
		if text := w.code("ada"); text != "" {
			t.Error("a code goes to the former address")
		}
		w.is(w.try(at, w.code("grace")), 201, "")
	})
}

// newAddress returns the token of the last link that confirms an address.
func (w *world) newAddress() (token string) {
	for _, m := range w.below.Mails() {
		if m.Kind == "change-email" {
			_, token, _ = strings.Cut(m.Data["link"], "#token=")
		}
	}
	return token
}

// remembered signs ada in on a device that she has remembered.
func (w *world) remembered() (device fields, bearer string) {
	at := w.is(w.signIn("ada", fields{"remember_device": true}), 202, "")
	in := w.is(w.try(at, w.code("ada")), 201, "")
	return fields{"device_token": in.DeviceToken}, "Bearer " + in.AccessToken
}

// A device that was spared the layer for a code of the former mailbox is asked again, once the
// account has left that mailbox. That a change is asked for changes nothing.
func TestDevicesOfAFormerAddress(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.on("ada")
		device, bearer := w.remembered()
		w.is(w.call("POST", "/account/email", bearer, fields{"email": "grace@canary.example"}), 202, "")
		w.is(w.signIn("ada", device), 201, "")
		w.is(w.call("POST", "/account/email/confirm", bearer, fields{"token": w.newAddress()}), 200, "")
		at := w.is(w.signIn("ada", device), 202, "")
		w.is(w.try(at, w.code("grace")), 201, "")
	})
}

// With the layer ends all that has passed it: a device that was spared it, and a sign-in that waits,
// pass the one that is turned on next.
func TestDevicesOfAFormerLayer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.on("ada")
		device, bearer := w.remembered()
		w.is(w.signIn("ada", device), 201, "")
		waits := w.is(w.signIn("ada", nil), 202, "")
		text := w.code("ada")
		w.is(w.call("DELETE", "/account/email-otp", bearer, nil), 204, "")
		w.is(w.call("POST", "/account/email-otp", bearer, nil), 204, "")
		w.is(w.signIn("ada", device), 202, "")
		w.is(w.try(waits, text), 410, "attempt_over")
	})
}
