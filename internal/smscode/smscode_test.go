package smscode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/account"
	"coffer/internal/code"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
	"coffer/internal/lang"
	"coffer/internal/limit/limittest"
)

func TestLifeOfTheSMSLayer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		id := w.below.Join("ada")
		if err := w.Confirm(ctx, by(id), "123456"); !errors.Is(err, errNotPending) {
			t.Errorf("before a set-up: %v", err)
		}
		sent, err := w.Enrol(ctx, id, "+49 170 123-4512")
		if err != nil || sent.To != "+49 ••• ••12" || !sent.Again.Equal(w.Now().Add(w.Codes.Cooldown)) {
			t.Fatalf("%+v, %v", sent, err)
		}
		first := w.code(phone)
		if err := w.Confirm(ctx, by(id), other(first)); !errors.Is(err, code.ErrWrong) {
			t.Errorf("a wrong code: %v", err)
		}
		if w.isOn(id) {
			t.Error("on before it is confirmed")
		}
		if err := w.Confirm(ctx, by(id), first); err != nil || !w.isOn(id) {
			t.Fatalf("%v, on %t", err, w.isOn(id))
		}
		if err := w.Confirm(ctx, by(id), first); !errors.Is(err, errNotPending) {
			t.Errorf("a second time: %v", err)
		}
		if _, err := w.Enrol(ctx, id, phone); !errors.Is(err, errEnabled) {
			t.Errorf("the same number: %v", err)
		}
		if got := w.below.Told(); !slices.Equal(got, []string{"ada@canary.example sms-enabled"}) {
			t.Errorf("told %q", got)
		}

		p, err := w.begin(id, "one")
		if err != nil || p.SentTo != "+49 ••• ••12" || p.ResendAt == nil || !p.ResendAt.Equal(w.Now().Add(w.Codes.Cooldown)) {
			t.Fatalf("%+v, %v", p, err)
		}
		text := w.code(phone)
		if err := w.use(id, "two", text); !errors.Is(err, code.ErrOver) {
			t.Errorf("for another attempt: %v", err)
		}
		if err := w.use(id, "one", other(text)); !errors.Is(err, code.ErrWrong) {
			t.Errorf("a wrong code: %v", err)
		}
		if err := w.use(id, "one", text); err != nil {
			t.Error(err)
		}
		if err := w.use(id, "one", text); !errors.Is(err, code.ErrOver) {
			t.Errorf("twice: %v", err)
		}
		if n := count1(t, d, `SELECT COUNT(*) FROM smscode WHERE used_at = $1`, w.Now().UnixMilli()); n != 1 {
			t.Error("the use is not noted")
		}

		// Another number: the old one stays until the new one is proved.
		const second = "+43660123499"
		if _, err := w.Enrol(ctx, id, second); err != nil {
			t.Fatal(err)
		}
		fresh := w.code(second)
		if p, err := w.begin(id, "three"); err != nil || p.SentTo != "+49 ••• ••12" {
			t.Errorf("%+v, %v", p, err)
		}
		open := w.code(phone)
		if err := w.Confirm(ctx, by(id), fresh); err != nil {
			t.Fatal(err)
		}
		if err := w.use(id, "three", open); !errors.Is(err, code.ErrOver) {
			t.Errorf("a code that went to the old number: %v", err)
		}
		if p, err := w.begin(id, "four"); err != nil || p.SentTo != "+43 ••• ••99" {
			t.Errorf("%+v, %v", p, err)
		}
		text = w.code(second)
		if err := w.Disable(ctx, by(id), false); err != nil || w.isOn(id) {
			t.Fatalf("%v, on %t", err, w.isOn(id))
		}
		if err := w.use(id, "four", text); !errors.Is(err, code.ErrOver) {
			t.Errorf("a code after the layer is off: %v", err)
		}
		if err := w.Disable(ctx, by(id), false); err != nil {
			t.Errorf("off already: %v", err)
		}
		if got := w.below.Told(); !slices.Equal(got, []string{"ada@canary.example sms-changed", "ada@canary.example sms-disabled"}) {
			t.Errorf("told %q", got)
		}
		if amr, aal2 := w.Assurance(); amr != "sms" || !aal2 || w.Last() || w.Name() != "sms" {
			t.Errorf("%s %t", amr, aal2)
		}
	})
}

func count1(t *testing.T, d *db.DB, q string, args ...any) (n int) {
	t.Helper()
	if err := d.QueryRow(t.Context(), q, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func refusedFor(err error) time.Duration {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind == fault.Limited {
		return f.RetryAfter
	}
	return 0
}

// A set-up sends again after a while, and no faster by beginning anew. The older code dies.
func TestSMSSetUpIsSentAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		id := w.below.Join("ada")
		if _, err := w.Resend(ctx, id); !errors.Is(err, errNotPending) {
			t.Errorf("without a set-up: %v", err)
		}
		if _, err := w.Enrol(ctx, id, phone); err != nil {
			t.Fatal(err)
		}
		first := w.code(phone)
		w.below.Advance(10 * time.Second)
		if _, err := w.Resend(ctx, id); refusedFor(err) != w.Codes.Cooldown-10*time.Second {
			t.Errorf("too soon: %v", err)
		}
		_, err := w.Enrol(ctx, id, "+43660123499")
		if p := fault.Of(err).Policy; refusedFor(err) != w.Codes.Cooldown-10*time.Second || p == nil || *p != (fault.Policy{Name: "code-resend", Limit: 1, Window: w.Codes.Cooldown}) {
			t.Errorf("another number too soon: %v, %+v", err, p)
		}
		w.below.Advance(w.Codes.Cooldown)
		if sent, err := w.Resend(ctx, id); err != nil || sent.To != "+49 ••• ••12" {
			t.Fatalf("%+v, %v", sent, err)
		}
		second := w.code(phone)
		if err := w.Confirm(ctx, by(id), first); first != second && !errors.Is(err, code.ErrWrong) {
			t.Errorf("the older code: %v", err)
		}
		w.below.Advance(codeFor)
		if err := w.Confirm(ctx, by(id), second); !errors.Is(err, code.ErrOver) {
			t.Errorf("after ten minutes: %v", err)
		}
		// A code of a set-up that another one replaced confirms nothing.
		if _, err := w.Enrol(ctx, id, phone); err != nil {
			t.Fatal(err)
		}
		old := w.code(phone)
		w.below.Advance(w.Codes.Cooldown)
		if _, err := w.Enrol(ctx, id, "+43660123499"); err != nil {
			t.Fatal(err)
		}
		if err := w.Confirm(ctx, by(id), old); err == nil && old != w.code("+43660123499") {
			t.Error("a code of the first number proves the second")
		}
		w.below.Advance(pendingFor)
		if _, err := w.Resend(ctx, id); !errors.Is(err, errNotPending) {
			t.Errorf("after half an hour: %v", err)
		}
	})
}

func TestNumbersAreChecked(t *testing.T) {
	w := newWorldWith(t, dbtest.SQLite(t), func(c *Config) { c.SMSCountries = "+49, +43" })
	id := w.below.Join("ada")
	for phone, want := range map[string]string{
		"0170 1234512": "invalid_phone", "+49 (0) 170 1234512": "invalid_phone", "+49": "invalid_phone", "+4917012345123456": "invalid_phone", "+49170123451\n": "invalid_phone",
		"+1 876 555 0100": "unsupported_country", "+41791234567": "unsupported_country",
	} {
		_, err := w.Enrol(t.Context(), id, phone)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Code != want || f.Fields[0].Pointer != "/phone" {
			t.Errorf("%q: %v", phone, err)
		}
	}
	if _, err := w.Enrol(t.Context(), id, "+43 660 1234567"); err != nil {
		t.Error(err)
	}
	// Without a list every country may be set up. What belongs to no country may with a list alone.
	w = newWorldWith(t, dbtest.SQLite(t), func(c *Config) { c.SMSCountries = "" })
	id = w.below.Join("ada")
	for _, phone := range []string{"+979123456789", "+870773123456", "+881612345678", "+882161234567", "+883510012345"} {
		_, err := w.Enrol(t.Context(), id, phone)
		if f, ok := errors.AsType[*fault.Error](err); !ok || len(f.Fields) != 1 || f.Fields[0].Code != "unsupported_country" {
			t.Errorf("%q: %v", phone, err)
		}
	}
	if _, err := w.Enrol(t.Context(), id, "+88017112345678"); err != nil { // Bangladesh
		t.Error(err)
	}
	w = newWorldWith(t, dbtest.SQLite(t), func(c *Config) { c.SMSCountries = "+8816" })
	if _, err := w.Enrol(t.Context(), w.below.Join("ada"), "+881612345678"); err != nil {
		t.Error(err)
	}
	for _, list := range []string{"49", "+", "+049", "+49;+43", "+49,"} {
		s := Settings{SMSCountries: list}
		if err := s.AfterApply(); err == nil || !strings.Contains(err.Error(), "COFFER_SMS_COUNTRIES") {
			t.Errorf("%q: %v", list, err)
		}
	}
}

func TestMaskAndArea(t *testing.T) {
	for number, want := range map[string][2]string{
		"+491701234512": {"+49 ••• ••12", "+49"}, "+14155550199": {"+1 ••• ••99", "+1415"}, "+18765550100": {"+1 ••• ••00", "+1876"}, "+79161234567": {"+7 ••• ••67", "+7"},
		"+3545551234": {"+354 ••• ••34", "+354"}, "+2348031234567": {"+234 ••• ••67", "+234"}, "+8613712345678": {"+86 ••• ••78", "+86"}, "+85291234567": {"+852 ••• ••67", "+852"},
	} {
		if got := [2]string{mask(number), area(number)}; got != want {
			t.Errorf("%s: %q, want %q", number, got, want)
		}
	}
}

// Each cap refuses by itself, says until when, counts no message that is not sent, and ends.
func TestSMSCaps(t *testing.T) {
	for what, tt := range map[string]struct {
		set     func(*Config)
		between func(n int) (who, number string)
	}{
		"an account": {func(c *Config) { c.SMSAccountLimit.Limit = 3 }, func(n int) (string, string) { return "ada", fmt.Sprintf("+4917012345%02d", n) }},
		"a number":   {func(c *Config) { c.SMSNumberLimit.Limit = 5 }, func(n int) (string, string) { return fmt.Sprintf("ada%d", n), phone }},
		"a number with zeros": {func(c *Config) { c.SMSNumberLimit.Limit = 5 }, func(n int) (string, string) {
			return fmt.Sprintf("ada%d", n), "+49" + strings.Repeat("0", n) + "170123456"
		}},
		"a country": {func(c *Config) { c.SMSCountryLimit.Limit = 5 }, func(n int) (string, string) { return fmt.Sprintf("ada%d", n), fmt.Sprintf("+4917012345%02d", n) }},
		"all":       {func(c *Config) { c.SMSTotalLimit.Limit = 5 }, func(n int) (string, string) { return fmt.Sprintf("ada%d", n), fmt.Sprintf("+%d917012345", 30+n) }},
	} {
		t.Run(what, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := newWorldWith(t, d, tt.set)
				ids := map[string]account.ID{}
				try := func(n int) error {
					who, number := tt.between(n)
					if ids[who] == "" {
						ids[who] = w.below.Join(who)
					}
					w.below.Advance(w.Codes.Cooldown)
					_, err := w.Enrol(t.Context(), ids[who], number)
					return err
				}
				for n := range 3 {
					if err := try(n); err != nil {
						t.Fatalf("message %d: %v", n, err)
					}
				}
				next := w.Now().Truncate(time.Hour).Add(time.Hour)
				for range 2 { // a refused one is not counted
					if err := try(3); refusedFor(err) != next.Sub(w.Now()) {
						t.Errorf("one more: %v, want %s", err, next.Sub(w.Now()))
					}
				}
				if n := len(w.messages()); n != 3 {
					t.Errorf("%d messages", n)
				}
				w.below.Advance(next.Sub(w.Now()))
				if err := try(3); err != nil {
					t.Errorf("in the next hour: %v", err)
				}
			})
		})
	}
}

// Strangers who begin set-ups, also with somebody else's number, use up half of the caps of a
// number, a country and all. Sign-ins get what is left, up to the whole.
func TestSetUpsLeaveMessagesToSignIns(t *testing.T) {
	for what, set := range map[string]func(*Config){
		"a number":  func(c *Config) { c.SMSNumberLimit.Limit = 6 },
		"a country": func(c *Config) { c.SMSCountryLimit.Limit = 6 },
		"all":       func(c *Config) { c.SMSTotalLimit.Limit = 6 },
	} {
		t.Run(what, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := newWorldWith(t, d, set)
				ada := w.below.Join("ada")
				w.below.Advance(w.Now().Truncate(time.Hour).Add(time.Hour).Sub(w.Now())) // a window begins
				w.enabled(ada, phone)
				refused := 0
				for n := range 4 {
					number := fmt.Sprintf("+4917012399%02d", n)
					if what == "a number" {
						number = phone
					}
					if _, err := w.Enrol(t.Context(), w.below.Join(fmt.Sprintf("eve%d", n)), number); refusedFor(err) > 0 {
						refused++
					} else if err != nil {
						t.Fatal(err)
					}
				}
				if n := len(w.messages()); n != 2 || refused != 2 {
					t.Errorf("%d set-ups were sent a code, %d refused", n, refused)
				}
				for n := range 4 {
					p, err := w.begin(ada, fmt.Sprint("attempt ", n))
					if err != nil || (p.SentTo != "") != (n < 3) {
						t.Errorf("sign-in %d: %+v, %v", n, p, err)
					}
				}
				if n := len(w.messages()); n != 3 {
					t.Errorf("%d sign-ins were sent a code", n)
				}
			})
		})
	}
}

// Of messages at once, no more are sent than a cap allows.
func TestSMSCapsAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorldWith(t, d, func(c *Config) { c.SMSNumberLimit.Limit = 8 })
		ids := make(chan account.ID, 12)
		for n := range cap(ids) {
			ids <- w.below.Join(fmt.Sprintf("ada%d", n))
		}
		if won := limittest.AtOnce(cap(ids), func() error { _, err := w.Enrol(context.Background(), <-ids, phone); return err }); won != 4 {
			t.Errorf("%d were sent, want 4", won)
		}
		if n := len(w.messages()); n != 4 {
			t.Errorf("%d messages", n)
		}
	})
}

// A sign-in whose message a cap forbids is a challenge that says when to ask.
func TestSignInBeyondTheCap(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorldWith(t, d, func(c *Config) { c.SMSNumberLimit.Limit = 2 })
		id := w.below.Join("ada")
		w.enabled(id, phone)
		if p, err := w.begin(id, "one"); err != nil || p.SentTo == "" {
			t.Fatalf("%+v, %v", p, err)
		}
		w.code(phone)
		p, err := w.begin(id, "two")
		next := w.Now().Truncate(time.Hour).Add(time.Hour)
		if err != nil || p.SentTo != "" || p.ResendAt == nil || !p.ResendAt.Equal(next) || len(w.messages()) != 0 {
			t.Errorf("%+v, %v, want %s", p, err, next)
		}
	})
}

func TestSMSGuessesAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada, bob := w.below.Join("ada"), w.below.Join("bob")
		w.enabled(ada, phone)
		w.enabled(bob, "+43660123499")
		if _, err := w.begin(ada, "one"); err != nil {
			t.Fatal(err)
		}
		text := w.code(phone)
		limittest.AtOnce(200, func() error {
			err := w.use(ada, "one", other(text))
			if !errors.Is(err, code.ErrWrong) && !errors.Is(err, code.ErrOver) {
				t.Error(err)
			}
			return err
		})
		if n := count1(t, d, `SELECT COUNT(*) FROM code_failures`); n != 5 {
			t.Errorf("%d of 200 guesses were looked at", n)
		}
		if err := w.use(ada, "one", text); !errors.Is(err, code.ErrOver) {
			t.Errorf("the right code afterwards: %v", err)
		}
		if _, err := w.begin(bob, "two"); err != nil {
			t.Fatal(err)
		}
		text = w.code("+43660123499")
		if won := limittest.AtOnce(20, func() error { return w.use(bob, "two", text) }); won != 1 {
			t.Errorf("one code passed %d times", won)
		}
	})
}

func TestOneSMSConfirmationAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.below.Join("ada")
		if _, err := w.Enrol(t.Context(), id, phone); err != nil {
			t.Fatal(err)
		}
		text := w.code(phone)
		if won := limittest.AtOnce(20, func() error { return w.Confirm(context.Background(), by(id), text) }); won != 1 {
			t.Errorf("%d of 20 confirmed", won)
		}
		if got := w.below.Told(); len(got) != 1 {
			t.Errorf("told %q", got)
		}
	})
}

func TestSMSSpeaksTheLanguage(t *testing.T) {
	for _, l := range lang.All() {
		if notices[l] == "" {
			t.Errorf("no notice in %s", l)
		}
	}
	w := newWorld(t, dbtest.SQLite(t))
	id := w.below.Join("ada")
	german := "de"
	if _, err := w.Accounts.Change(t.Context(), id, account.Changes{Lang: &german}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Enrol(t.Context(), id, phone); err != nil {
		t.Fatal(err)
	}
	sent := w.messages()
	if len(sent) != 1 || !strings.Contains(sent[0].Text, " ist Ihr Coffer-Code") || !strings.Contains(sent[0].Text, "\n\n@coffer.test #") || sent[0].Kind != "sms-code" {
		t.Fatalf("%+v", sent)
	}
	if !sent[0].Ends.Equal(w.Now().Add(codeFor)) {
		t.Errorf("it may be sent until %s", sent[0].Ends)
	}
}

// Nothing in a table is readable.
func TestNumbersAreSealed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.below.Join("ada")
		w.enabled(id, phone)
		if _, err := w.Enrol(t.Context(), id, "+43660123499"); err != nil {
			t.Fatal(err)
		}
		var sealed, pending []byte
		if err := d.QueryRow(t.Context(), `SELECT phone, pending FROM smscode`).Scan(&sealed, &pending); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(sealed, []byte("1701234")) || bytes.Contains(pending, []byte("660123")) || len(sealed) == 0 || len(pending) == 0 {
			t.Error("the row holds a number in clear")
		}
		rows, err := d.Query(t.Context(), `SELECT key FROM smscode_counts`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for n := 0; rows.Next(); n++ {
			var key []byte
			if err := rows.Scan(&key); err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(key, []byte("1701234")) || bytes.Contains(key, []byte(id)) {
				t.Error("a count names its key")
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	})
}

// The security page shows the number masked, also of a row that is gone or altered.
func TestSMSProtection(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.below.Join("ada")
		is := func(want account.Protection) {
			t.Helper()
			got, err := w.Accounts.Security(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got["sms"]); diff != "" {
				t.Error(diff)
			}
		}
		is(account.Protection{})
		since := w.Now().UTC()
		w.enabled(id, phone)
		is(account.Protection{Enabled: true, Since: &since, Hint: "+49 ••• ••12"})
		if _, err := d.Exec(t.Context(), `UPDATE smscode SET phone = $1`, []byte("x")); err != nil {
			t.Fatal(err)
		}
		is(account.Protection{Enabled: true, Since: &since})
		if _, err := d.Exec(t.Context(), `DELETE FROM smscode`); err != nil {
			t.Fatal(err)
		}
		is(account.Protection{Enabled: true})
	})
}

func TestSMSForgotten(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.below.Join("ada")
		w.enabled(id, phone)
		if err := w.Accounts.Forget(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if n := count1(t, d, `SELECT COUNT(*) FROM smscode`); n != 0 {
			t.Errorf("%d rows left", n)
		}
	})
	d := dbtest.SQLite(t)
	dbtest.PrunesInBatches(t, d, "smscode_counts", `INSERT INTO smscode_counts (rule, key, nth, n, ends_at) SELECT 'r', x'', i, 1, 1 FROM n`,
		func() error { return prune(t.Context(), d, 1) })
}

// A text message's code lives for ten minutes, also where mailed codes live for hours.
func TestTextMessagesLiveTenMinutes(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.Accounts.CodeTTL = 6 * time.Hour
	id := w.below.Join("ada")
	w.enabled(id, phone)
	for _, late := range []bool{false, true} {
		if _, err := w.begin(id, fmt.Sprint(late)); err != nil {
			t.Fatal(err)
		}
		text := w.code(phone)
		w.below.Advance(codeFor - time.Second)
		if late {
			w.below.Advance(time.Second)
		}
		if err := w.use(id, fmt.Sprint(late), text); errors.Is(err, code.ErrOver) != late || !late && err != nil {
			t.Errorf("late %t: %v", late, err)
		}
	}
}
