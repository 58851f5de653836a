package guard_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/guard"
	"coffer/internal/lang"
	"coffer/internal/limit/limittest"
	"coffer/internal/mail"
	"coffer/internal/rest"
	"coffer/internal/session"
	"coffer/internal/token"
)

// checked is the room over the real rooms below it, with a layer that wants "1234", and a
// database of two places.
type checked struct {
	*guard.Service
	below    *accounttest.World
	sessions *session.Service
	t        *testing.T
	layer    bool
	offences []string
}

// knock is the layer.
type knock struct{ w *checked }

var _ session.Layer = knock{}

func (knock) Name() string              { return "knock" }
func (knock) Last() bool                { return false }
func (knock) Assurance() (string, bool) { return "knock", false }
func (k knock) Enabled(context.Context, db.Querier, account.ID) (bool, error) {
	return k.w.layer, nil
}
func (knock) Begin(context.Context, *db.Tx, account.ID, string) (session.Prompt, error) {
	return session.Prompt{}, nil
}

const (
	fox    = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
	chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36"
)

func newChecked(t *testing.T, d *db.DB) *checked {
	t.Helper()
	w := &checked{t: t, below: accounttest.New(t, d, limittest.Setup{})}
	b := w.below
	tc := token.Config{KV: b.KV, Ring: b.Ring, Accounts: b.Accounts, Now: b.Now, BaseURL: accounttest.BaseURL}
	limittest.Defaults(t, &tc.Settings)
	tokens, err := token.New(tc)
	if err != nil {
		t.Fatal(err)
	}
	c := session.Config{DB: d, Ring: b.Ring, Limit: b.Limits, Jobs: b.Jobs, Accounts: b.Accounts, Events: b.Events, Tokens: tokens, Now: b.Now}
	c.Place = func(a netip.Addr) session.Place {
		switch {
		case netip.MustParsePrefix("192.0.2.0/24").Contains(a):
			return session.Place{Name: "Lisbon, Portugal", Lat: 38.72, Lon: -9.14, Located: true}
		case netip.MustParsePrefix("203.0.113.0/24").Contains(a):
			return session.Place{Name: "Oslo, Norway", Lat: 59.91, Lon: 10.75, Located: true}
		}
		return session.Place{}
	}
	limittest.Defaults(t, &c.Settings)
	if w.sessions, err = session.New(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.sessions.Close(); err != nil {
			t.Error(err)
		}
	})
	gc := guard.Config{DB: d, Ring: b.Ring, Jobs: b.Jobs, Accounts: b.Accounts, Events: b.Events, Sessions: w.sessions, Now: b.Now}
	gc.Offence = func(_ context.Context, a netip.Addr, reason string) error {
		w.offences = append(w.offences, a.String()+" "+reason)
		return nil
	}
	limittest.Defaults(t, &gc.Settings)
	if w.Service, err = guard.New(gc); err != nil {
		t.Fatal(err)
	}
	w.sessions.AddLayer(knock{w}, func(context.Context, *db.Tx, account.ID) (bool, error) { return false, nil })
	return w
}

func from(agent, addr string) rest.Client {
	return rest.Client{Addr: netip.MustParseAddr(addr), UserAgent: agent}
}

// signIn signs in with a password, and reports whether it was right.
func (w *checked) signIn(name, password string, c rest.Client, r session.SessionRequest) (session.Outcome, bool) {
	w.t.Helper()
	out, err := w.sessions.SignIn(w.t.Context(), name, password, r, c)
	return out, err == nil
}

func (w *checked) right(name string, c rest.Client) {
	w.t.Helper()
	if _, ok := w.signIn(name, accounttest.Password, c, session.SessionRequest{}); !ok {
		w.t.Fatalf("%s is refused", name)
	}
}

// held signs in with the right password, and is sent to the mailbox.
func (w *checked) held(name string, c rest.Client) {
	w.t.Helper()
	if _, err := w.sessions.SignIn(w.t.Context(), name, accounttest.Password, session.SessionRequest{}, c); !errors.Is(err, session.ErrSignInHeld) {
		w.t.Fatalf("%s: %v, want a held sign-in", name, err)
	}
}

func (w *checked) wrong(name string, c rest.Client) {
	w.t.Helper()
	if _, ok := w.signIn(name, "no such otter 17", c, session.SessionRequest{}); ok {
		w.t.Fatalf("%s is let in", name)
	}
}

// alerts returns the rules of each alert that was mailed since the last call.
func (w *checked) alerts() (all []string) {
	w.t.Helper()
	for _, m := range w.below.Mails() {
		if m.Kind == "security-alert" {
			if !strings.HasPrefix(m.Data["link"], accounttest.BaseURL+"/end-device#token=") {
				w.t.Errorf("the link is %q", m.Data["link"])
			}
			if m.Data["rules"] != "layer_failed" && (m.Data["device"] == "" || m.Data["address"] == "") {
				w.t.Errorf("the alert says %v", m.Data)
			}
			all = append(all, m.Data["rules"])
		}
	}
	return all
}

func (w *checked) told(what string, want ...string) {
	w.t.Helper()
	if got := w.alerts(); !slices.Equal(got, want) {
		w.t.Errorf("%s: alerts %q, want %q", what, got, want)
	}
}

// found lists the rules of an account's newest happening of a kind.
func (w *checked) found(id account.ID, kind string) (rules []string) {
	w.t.Helper()
	list, err := w.List(w.t.Context(), rest.Caller{Account: string(id)}, guard.Filter{Kind: kind}, rest.Paging{Limit: 1})
	if err != nil || len(list.Items) != 1 {
		w.t.Fatalf("%d of %s, %v", len(list.Items), kind, err)
	}
	for _, f := range list.Items[0].Findings {
		rules = append(rules, f.Rule)
	}
	return rules
}

func (w *checked) count(q string, args ...any) (n int) {
	w.t.Helper()
	if err := w.below.DB.QueryRow(w.t.Context(), q, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// One account: what stands out is in its history, and the owner is told once an hour.
func TestCheckOfOneAccount(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newChecked(t, d)
		id := w.below.Join("ada")
		home := from(fox, "192.0.2.7")
		w.right("ada", home)
		w.below.Advance(time.Second)
		for range 3 {
			w.wrong("ada", home)
		}
		w.told("wrong answers alone")
		w.below.Advance(time.Minute)
		w.right("ada", home)
		w.told("three wrong answers and a right one", "after_failures")
		if got := w.found(id, "signed-in"); !slices.Equal(got, []string{"after_failures"}) {
			t.Errorf("the history says %q", got)
		}
		if got := w.found(id, "security-alert"); !slices.Equal(got, []string{"after_failures"}) {
			t.Errorf("the alert in the history says %q", got)
		}
		w.below.Advance(time.Second)
		for range 3 {
			w.wrong("ada", home)
		}
		w.right("ada", home)
		w.told("the same within the hour")
		w.below.Advance(time.Hour)
		w.right("ada", home)
		w.told("as always")

		away := from(chrome, "203.0.113.5")
		w.below.Advance(time.Minute)
		w.held("ada", away)
		w.told("a stranger is held")
		if got := w.found(id, "sign-in-held"); !slices.Equal(got, []string{"new_place", "new_device", "impossible_travel", "stranger"}) {
			t.Errorf("the history says %q", got)
		}
		out, _ := w.signIn("ada", accounttest.Password, home, session.SessionRequest{RememberDevice: true})
		device := session.SessionRequest{DeviceToken: out.Opened.DeviceToken}
		w.below.Advance(time.Minute)
		if _, ok := w.signIn("ada", accounttest.Password, away, device); !ok {
			t.Fatal("a remembered device is held")
		}
		w.told("a remembered device that flew", "moved_device impossible_travel")
		w.right("ada", home)
		if _, ok := w.signIn("ada", accounttest.Password, away, device); !ok {
			t.Fatal("a remembered device is held")
		}
		w.told("both are known now")

		w.layer = true
		var ok bool
		if out, ok = w.signIn("ada", accounttest.Password, home, session.SessionRequest{}); !ok || out.Challenge == nil {
			t.Fatalf("%+v", out)
		}
		in := session.AttemptInput{ID: out.Challenge.AttemptID, Authorization: "Attempt " + out.Challenge.AttemptToken}
		pass := func(right bool) error {
			_, err := w.sessions.Pass(t.Context(), in, "knock", func(context.Context, *db.Tx, account.ID) error {
				if right {
					return nil
				}
				return account.ErrCredentials
			})
			return err
		}
		if err := pass(false); err == nil {
			t.Fatal("a wrong answer passes")
		}
		w.told("a right password and a wrong answer", "layer_failed")
		if err := pass(true); err != nil {
			t.Fatal(err)
		}
		w.told("the right answer")
	})
}

// Wrong guesses teach nothing and cost the same rows for a name without an account.
func TestCheckLearnsFromSuccessAlone(t *testing.T) {
	t.Parallel()
	w := newChecked(t, dbtest.SQLite(t))
	id := w.below.Join("ada")
	w.right("ada", from(fox, "192.0.2.7"))
	w.below.RunJobs()
	var before, after []byte
	read := func(to *[]byte) {
		t.Helper()
		if err := w.below.DB.QueryRow(t.Context(), `SELECT sealed FROM habits WHERE account = $1`, string(id)).Scan(to); err != nil {
			t.Fatal(err)
		}
	}
	read(&before)
	for _, name := range []string{"ada", "nobody", "ada", "nobody"} {
		was := w.count(`SELECT COUNT(*) FROM guard_failures`)
		w.wrong(name, from(chrome, "203.0.113.5"))
		if n := w.count(`SELECT COUNT(*) FROM guard_failures`); n != was+1 {
			t.Errorf("a wrong password of %s adds %d rows", name, n-was)
		}
	}
	w.below.RunJobs()
	read(&after)
	if string(after) != string(before) {
		t.Error("wrong guesses changed the habit")
	}
	// A habit that a writer of the database took from another account is none.
	bob := w.below.Join("bob")
	w.right("bob", from(chrome, "203.0.113.5"))
	if _, err := w.below.DB.Exec(t.Context(), `UPDATE habits SET sealed = (SELECT sealed FROM habits WHERE account = $1) WHERE account = $2`, string(bob), string(id)); err != nil {
		t.Fatal(err)
	}
	w.right("ada", from(chrome, "203.0.113.5"))
	if got := w.found(id, "signed-in"); len(got) != 0 {
		t.Errorf("another account's habit finds %q", got)
	}
}

// A network that guesses at many accounts is blocked, and owners who were entered from it before
// that was known are told. People behind one address are not.
func TestCheckAcrossAccounts(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newChecked(t, d)
		w.below.Join("ada")
		bob := w.below.Join("bob")
		attacker, campus := from(chrome, "198.51.100.9"), from(fox, "198.51.100.77")
		w.right("ada", from(fox, "192.0.2.7"))
		w.right("ada", attacker)
		for i := range 24 {
			w.wrong(fmt.Sprint("person", i), attacker)
		}
		w.wrong("person0", attacker) // many guesses at one account are no campaign
		if len(w.offences) != 0 {
			t.Errorf("blocked too early: %q", w.offences)
		}
		w.wrong("bob", attacker)
		if !slices.Equal(w.offences, []string{"198.51.100.9 stuffing"}) {
			t.Errorf("offences %q", w.offences)
		}
		w.told("before the look back")
		for range 2 {
			if err := w.LookBack(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.told("the look back", "stuffing")
		w.below.Advance(time.Minute)
		w.held("bob", attacker)
		if got := w.found(bob, "sign-in-held"); !slices.Equal(got, []string{"stuffing"}) {
			t.Errorf("the history of bob says %q", got)
		}
		w.told("a success from a network that is known to guess is held")

		// The address of a proxy, with everybody behind it.
		w.offences = nil
		for i := range 30 {
			w.wrong(fmt.Sprint("person", i), from(chrome, "10.0.0.1"))
		}
		if len(w.offences) != 0 {
			t.Errorf("a proxy is blocked: %q", w.offences)
		}

		// A network of people: whoever mistypes signs in after it.
		w.offences = nil
		for i := range 16 {
			name := fmt.Sprint("student", i)
			w.below.Join(name)
			w.wrong(name, campus)
			w.right(name, campus)
		}
		for i := range 14 {
			w.wrong(fmt.Sprint("freshman", i), campus)
		}
		if len(w.offences) != 0 {
			t.Errorf("people are blocked: %q", w.offences)
		}
		w.below.Mails()
		if err := w.LookBack(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.told("people behind one address")
	})
}

// The mail says each reason in words, in every language.
func TestAlertWords(t *testing.T) {
	t.Parallel()
	w := newChecked(t, dbtest.SQLite(t))
	for _, l := range lang.All() {
		seen := map[string]bool{}
		for _, rule := range []string{"layer_failed", "after_failures", "impossible_travel", "moved_device", "stranger", "spraying", "stuffing", "none"} {
			r, err := w.below.Mailer.Render(mail.Message{Kind: "security-alert", To: "ada@example.org", Lang: l, Data: map[string]string{
				"link": accounttest.BaseURL + "/end-device#token=AbC", rule: "yes", "rules": rule,
			}})
			if err != nil {
				t.Fatal(err)
			}
			if seen[r.Text] || !strings.Contains(r.Text, "/end-device#token=AbC") || !strings.Contains(r.HTML, "/end-device#token=AbC") {
				t.Errorf("%s in %s: %s", rule, l, r.Text)
			}
			seen[r.Text] = true
		}
	}
}

// When the last hour alone stands out, the look back tells of the sign-ins of that hour, and of
// no older one.
func TestLookBackOfAnHour(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newChecked(t, d)
		attacker := from(chrome, "198.51.100.9")
		ids := map[string]account.ID{}
		for _, name := range []string{"early", "late"} {
			ids[name] = w.below.Join(name)
			w.right(name, from(fox, "192.0.2.7"))
		}
		w.right("early", attacker)
		w.below.Advance(90 * time.Minute)
		w.right("late", attacker)
		for i := range 16 {
			w.wrong(fmt.Sprint("person", i), attacker)
		}
		if err := w.LookBack(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.below.RunJobs()
		for name, want := range map[string]int{"early": 0, "late": 1} {
			if n := w.count(`SELECT COUNT(*) FROM sign_in_events WHERE account = $1 AND kind = 'security-alert'`, string(ids[name])); n != want {
				t.Errorf("%s: %d alerts, want %d", name, n, want)
			}
		}
	})
}

// openedOf is the session that a sign-in opens.
func (w *checked) openedOf(name string, c rest.Client, r session.SessionRequest) *session.Opened {
	w.t.Helper()
	out, ok := w.signIn(name, accounttest.Password, c, r)
	if !ok || out.Opened == nil {
		w.t.Fatalf("%s from %s: %+v", name, c.Addr, out)
	}
	return out.Opened
}

// A session that its owner ends from the list leaves nothing in the habit: the client is new
// again where it came from.
func TestEndedSessionLeavesNoHabit(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newChecked(t, d)
		id := w.below.Join("ada")
		w.right("ada", from(fox, "192.0.2.7"))
		thief := from(chrome, "198.51.100.9")
		for range 2 {
			w.below.Advance(time.Minute)
			w.openedOf("ada", thief, session.SessionRequest{})
			if got := w.found(id, "signed-in"); !slices.Equal(got, []string{"new_device"}) {
				t.Fatalf("the history says %q", got)
			}
			w.below.Advance(time.Minute)
			w.right("ada", thief)
			if got := w.found(id, "signed-in"); len(got) != 0 {
				t.Fatalf("the second time it says %q", got)
			}
			if err := w.sessions.RevokeAll(t.Context(), id, ""); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A No in the mail about a new device forgets every place from which that device signed in, not
// only the one that the mail told of.
func TestEndedDeviceLeavesNoHabit(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newChecked(t, d)
		id := w.below.Join("ada")
		w.right("ada", from(fox, "192.0.2.7"))
		w.below.Mails()
		w.below.Advance(time.Minute)
		opened := w.openedOf("ada", from(chrome, "198.51.100.9"), session.SessionRequest{RememberDevice: true})
		token := ""
		for _, m := range w.below.Mails() {
			if m.Kind == "new-device" {
				_, token, _ = strings.Cut(m.Data["link"], "#token=")
			}
		}
		elsewhere := from(chrome, "198.51.100.77")
		w.below.Advance(time.Minute)
		w.openedOf("ada", elsewhere, session.SessionRequest{DeviceToken: opened.DeviceToken})
		if err := w.sessions.EndDevice(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		w.below.Advance(time.Minute)
		w.right("ada", elsewhere)
		if got := w.found(id, "signed-in"); !slices.Equal(got, []string{"new_device"}) {
			t.Errorf("the history says %q", got)
		}
	})
}

// A network has few rows for one name and for one account in an hour, so that its noise pushes
// no other name out of the comparison. A name without an account has as many.
func TestAttackNoiseOfOneName(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newChecked(t, d)
		id := w.below.Join("ada")
		c := from(fox, "198.51.100.9")
		rows := func(want int) {
			t.Helper()
			if n := w.count(`SELECT COUNT(*) FROM guard_failures`); n != want {
				t.Errorf("%d rows of failures, want %d", n, want)
			}
		}
		for i, name := range []string{"ada", "nobody"} {
			for range 8 {
				w.wrong(name, c)
			}
			rows(5 * (i + 1))
		}
		w.wrong("somebody", c)
		rows(11)
		w.wrong("nobody", from(fox, "198.51.100.77")) // another network
		rows(12)
		w.below.Advance(61 * time.Minute)
		w.wrong("nobody", c)
		rows(13)
		for range 8 {
			w.right("ada", c)
		}
		if n := w.count(`SELECT COUNT(*) FROM guard_entries WHERE account = $1`, string(id)); n != 5 {
			t.Errorf("%d rows of sign-ins, want 5", n)
		}
	})
}

// Failures that the owner's own sign-in made old leave room for those that come after it.
func TestAttackFailuresBeforeTheOwnersSignIn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newChecked(t, d)
		id := w.below.Join("ada")
		home, strange := from(fox, "192.0.2.7"), from(chrome, "192.0.2.200")
		w.right("ada", home)
		for range 5 {
			w.wrong("ada", strange)
		}
		w.below.Advance(time.Minute)
		w.right("ada", home)
		w.below.Advance(16 * time.Minute) // the limit of the pair begins anew
		for range 4 {
			w.wrong("ada", strange)
		}
		w.below.Advance(time.Minute)
		w.signIn("ada", accounttest.Password, strange, session.SessionRequest{})
		if rules := w.found(id, "signed-in"); !slices.Contains(rules, "after_failures") {
			t.Errorf("the sign-in after four wrong passwords has %q", rules)
		}
	})
}
