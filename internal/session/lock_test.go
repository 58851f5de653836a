package session_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
	"coffer/internal/keyring"
	"coffer/internal/limit"
	"coffer/internal/rest"
	"coffer/internal/session"
)

// guesses tries n wrong passwords, each from another address, and returns what was said.
func (w *world) guesses(name string, n int, more ...fields) map[string]int {
	all := map[string]int{}
	for i := range n {
		b := w.browser()
		b.addr = fmt.Sprintf("198.18.%d.%d", i/250, i%250)
		all[said(b.attempt(name, append([]fields{{"password": fmt.Sprint("guess ", i)}}, more...)...))]++
	}
	return all
}

// unlockLinks returns the tokens of the links that were mailed since the last call.
func (w *world) unlockLinks(kind string) (tokens []string) {
	w.t.Helper()
	if err := w.Close(); err != nil {
		w.t.Fatal(err)
	}
	for _, m := range w.below.Mails() {
		if m.Kind == kind {
			_, token, found := strings.Cut(m.Data["link"], base+"/unlock#token=")
			if !found || m.To == "" {
				w.t.Errorf("a mail to %q with the link %q", m.To, m.Data["link"])
			}
			tokens = append(tokens, token)
		}
	}
	return tokens
}

// lock locks an account as an admin does. changes is false where it is locked so already.
func (w *world) lock(id account.ID, changes bool) {
	w.t.Helper()
	if err := w.DB.Tx(w.t.Context(), func(tx *db.Tx) error {
		changed, err := w.Lock(w.t.Context(), tx, id)
		if changed != changes {
			w.t.Errorf("a lock changes something: %v", changed)
		}
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) unlock(id account.ID) {
	w.t.Helper()
	if err := w.DB.Tx(w.t.Context(), func(tx *db.Tx) error { return w.Unlock(w.t.Context(), tx, id) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) locked(id account.ID) bool {
	w.t.Helper()
	is, err := w.Locked(w.t.Context(), w.DB, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return is
}

// accountLimit sets how many failures hold the door of an identifier.
func accountLimit(n int) func(*setup) {
	return func(s *setup) { s.config.AccountLimit = limit.Rule{Limit: n, Window: time.Hour} }
}

// A door that strangers hold looks the same for a right, a wrong and an unknown name. The owner
// passes it by mail, from whatever device, and strangers do not see that (security.md row 17).
func TestHeldDoor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.below.Join("ada")
		for _, name := range []string{"ada", "nobody"} {
			if got := w.guesses(name, 5); got["401 invalid_credentials"] != 5 {
				t.Fatalf("%s: %v", name, got)
			}
		}
		w.unlockLinks("unlock")
		ask := func(name, password string) reply {
			b := w.browser()
			b.addr = "192.0.2.77"
			return w.is(b.attempt(name, fields{"password": password}), 403, "sign_in_held")
		}
		right, wrong, nobody := ask("ada", password), ask("ada", "guess"), ask("nobody", "guess")
		for _, other := range []reply{wrong, nobody} {
			if diff := cmp.Diff(refusal(right), refusal(other)); diff != "" {
				t.Errorf("the answers differ: %s", diff)
			}
		}
		links := w.unlockLinks("unlock")
		if len(links) != 1 {
			t.Fatalf("%d links for a right password", len(links))
		}
		// The link is opened at a telephone, and the sign-in waits at a desk.
		phone, desk := w.browser(), w.browser()
		phone.addr, desk.addr = "203.0.113.1", "203.0.113.2"
		w.is(phone.send("POST", "/auth/unlock/check", "", fields{"token": links[0]}), 204, "")
		got := race(8, func(int) string {
			return said(phone.request(true, "POST", "/auth/unlock", "", fields{"token": links[0] + "x"}))
		})
		if got["410 link_gone"] != 8 {
			t.Errorf("a wrong link: %v", got)
		}
		w.is(phone.send("POST", "/auth/unlock", "", fields{"token": links[0]}), 200, "")
		w.is(phone.send("POST", "/auth/unlock", "", fields{"token": links[0]}), 410, "link_gone")
		w.is(phone.send("POST", "/auth/unlock/check", "", fields{"token": links[0]}), 410, "link_gone")
		if w.below.Mails(); phone.jar["__Host-coffer-device"] == "" {
			t.Error("the device is not known")
		}
		ask("ada", "guess")
		ask("nobody", "guess")
		w.is(desk.attempt("ada"), 201, "")
		w.below.Advance(16 * time.Minute)
		if got := w.guesses("ada", 6); got["403 sign_in_held"] == 0 {
			t.Errorf("the attack goes on: %v", got)
		}
		desk = w.browser()
		desk.addr = "203.0.113.3"
		w.is(desk.attempt("ada"), 403, "sign_in_held")
		w.is(phone.attempt("ada"), 201, "")
	}, accountLimit(5))
}

// The link makes a browser known that another account remembers: that account's token says nothing
// for this one.
func TestUnlockWhereAnotherAccountIsRemembered(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada := w.below.Join("ada")
		w.pin.set(w.below.Join("eve"), true)
		b := w.remembered("eve")
		w.lock(ada, true)
		w.is(b.attempt("ada"), 401, "invalid_credentials")
		w.is(b.send("POST", "/auth/unlock", "", fields{"token": w.unlockLinks("unlock")[0]}), 200, "")
		w.lock(ada, true) // a lock asks new devices alone
		w.is(b.attempt("ada"), 201, "")
	})
}

// Of many calls with one link one is told that it worked, and one device is known.
func TestUnlockAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, accountLimit(1))
		ada := w.below.Join("ada")
		w.guesses("ada", 1)
		w.is(w.browser().attempt("ada"), 403, "sign_in_held")
		link := w.unlockLinks("unlock")[0]
		got := race(20, func(int) string {
			return said(w.browser().request(true, "POST", "/auth/unlock", "", fields{"token": link, "refresh_in": "body"}))
		})
		if got["200"] != 1 || got["410 link_gone"] != 19 {
			t.Errorf("%v", got)
		}
		if n := w.count(`SELECT COUNT(*) FROM devices WHERE account = $1`, string(ada)); n != 1 {
			t.Errorf("%d devices", n)
		}
	})
}

var freely = func(s *setup) {
	many := limit.Rule{Limit: 100_000, Window: time.Hour}
	s.config.AccountLimit, s.config.PairLimit, s.config.AddressLimit = many, many, many
}

// After a hundred wrong passwords in a row, of all its identifiers together, the right one opens
// nothing, whatever time passes and whatever key rotates. The answer is that to a wrong one
// (security.md row 14; NIST SP 800-63B §3.2.2).
func TestHundredInARow(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, freely)
		ada := w.below.Join("ada")
		known := w.browser()
		w.is(known.attempt("ada", fields{"remember_device": true}), 201, "")
		w.guesses("ada", 99)
		w.is(w.browser().attempt("ada"), 201, "") // a right one ends the row
		w.guesses("ada", 60)
		if got := w.guesses("ada@canary.example", 40); got["401 invalid_credentials"] != 40 || !w.locked(ada) {
			t.Fatalf("%v, locked %v", got, w.locked(ada))
		}
		if n := len(w.unlockLinks("unlock-guesses")); n != 1 {
			t.Errorf("%d mails when the row was full", n)
		}
		refused := func() {
			t.Helper()
			wrong := w.is(w.browser().attempt("ada", fields{"password": "guess"}), 401, "invalid_credentials")
			for _, name := range []string{"ada", "ada@canary.example"} {
				right := w.is(w.browser().attempt(name), 401, "invalid_credentials")
				if diff := cmp.Diff(refusal(wrong), refusal(right)); diff != "" {
					t.Errorf("the right password shows: %s", diff)
				}
			}
		}
		refused()
		if _, err := w.Ring.Rotate(t.Context(), keyring.Index); err != nil {
			t.Fatal(err)
		}
		refused()
		w.below.Advance(300 * 24 * time.Hour)
		if err := w.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		refused()
		links := w.unlockLinks("unlock")
		if len(links) == 0 {
			t.Fatal("no link")
		}
		w.is(w.browser().send("POST", "/auth/unlock", "", fields{"token": links[len(links)-1]}), 200, "")
		w.is(w.browser().attempt("ada@canary.example"), 201, "")
		if w.locked(ada) {
			t.Error("it is locked after the owner confirmed")
		}
		// Names that no account has leave no rows, however many there are.
		before := w.count(`SELECT COUNT(*) FROM sign_in_failures`)
		for i := range 40 {
			w.is(w.browser().attempt(fmt.Sprint("nobody", i)), 401, "invalid_credentials")
		}
		if n := w.count(`SELECT COUNT(*) FROM sign_in_failures`); n != before {
			t.Errorf("%d rows, %d before", n, before)
		}
	})
}

// Of two hundred guesses at once each has a number of its own, so no more than a hundred may
// open anything; none is lost on the way.
func TestTwoHundredAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, freely, inMemory)
		ada := w.below.Join("ada")
		b := w.browser()
		got := race(200, func(i int) string {
			return said(b.request(true, "POST", "/auth/sign-in", "", fields{"identifier": []string{"ada", "ada@canary.example"}[i%2], "password": fmt.Sprint("guess ", i)}))
		})
		if got["401 invalid_credentials"] != 200 {
			t.Errorf("%v", got)
		}
		if n := w.count(`SELECT failures FROM sign_in_failures WHERE subject = $1`, string(ada)); n != 200 {
			t.Errorf("%d failures are counted", n)
		}
		if n := len(w.unlockLinks("unlock-guesses")); n != 1 {
			t.Errorf("%d mails", n)
		}
		w.is(b.attempt("ada"), 401, "invalid_credentials")
	})
}

// A guess that the server could not judge is no failure.
func TestUnjudgedIsNoFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), inMemory, freely)
	ada := w.below.Join("ada")
	for range 3 {
		w.is(w.browser().attempt("ada", fields{"password": strings.Repeat("a", 5000)}), 422, "validation_failed")
	}
	if n := w.count(`SELECT failures FROM sign_in_failures WHERE subject = $1`, string(ada)); n != 0 {
		t.Errorf("%d failures are counted", n)
	}
}

// An admin's lock asks new devices for the link, and does not show. Whatever else lets the owner
// in goes on.
func TestLockByAnAdmin(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada := w.below.Join("ada")
		known := w.browser()
		w.is(known.attempt("ada", fields{"remember_device": true}), 201, "")
		w.lock(ada, true)
		w.lock(ada, false)
		right := w.is(w.browser().attempt("ada"), 401, "invalid_credentials")
		wrong := w.is(w.browser().attempt("ada", fields{"password": "guess"}), 401, "invalid_credentials")
		if diff := cmp.Diff(refusal(wrong), refusal(right)); diff != "" || !w.locked(ada) {
			t.Errorf("locked %v: %s", w.locked(ada), diff)
		}
		if !known.alive(known.access) {
			t.Error("the live session ended")
		}
		w.is(known.attempt("ada"), 201, "")
		w.is(known.as("POST", "/account/reauthenticate", fields{"password": password}), 201, "")
		fine := func(context.Context, *db.Tx, string) error { return nil }
		if got := outcome(w.EnterProven(t.Context(), w.state(ada), w.entry(session.SessionRequest{}, keyAMR...), fine)); got != "open" {
			t.Errorf("a passkey: %s", got)
		}
		if got := outcome(w.EnterRemembered(t.Context(), w.state(ada), w.entry(session.SessionRequest{}, session.AMRFederated))); got != "open" {
			t.Errorf("another service's word: %s", got)
		}
		// Its link ends with all sessions, and the next one works.
		link := w.unlockLinks("unlock")[0]
		w.bump(ada)
		w.is(w.browser().send("POST", "/auth/unlock", "", fields{"token": link}), 410, "link_gone")
		w.below.Advance(time.Hour)
		w.is(w.browser().attempt("ada"), 401, "invalid_credentials")
		w.is(w.browser().send("POST", "/auth/unlock", "", fields{"token": w.unlockLinks("unlock")[0]}), 200, "")
		w.is(w.browser().attempt("ada"), 201, "")

		w.lock(ada, true)
		w.is(w.browser().attempt("ada"), 401, "invalid_credentials") // also right after a confirmation
		w.unlock(ada)
		if w.is(w.browser().attempt("ada"), 201, ""); w.locked(ada) {
			t.Error("it stays locked")
		}
		// A proof of the mailbox, as of a reset, counts as the link.
		w.lock(ada, true)
		if got := outcome(w.Enter(t.Context(), w.state(ada), w.entry(session.SessionRequest{}, session.AMREmail))); got != "open" || w.locked(ada) {
			t.Errorf("after a reset: %s, locked %v", got, w.locked(ada))
		}
	})
}

// Strangers cause a mail a day, a person who knows the password three an hour. A deleted
// account gets none, a deactivated one does.
func TestUnlockMailsAreFew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), inMemory, freely, accountLimit(3))
	ada, eve := w.below.Join("ada"), w.below.Join("eve")
	w.guesses("ada", 60)
	if n := len(w.unlockLinks("unlock-guesses")); n != 1 {
		t.Errorf("%d mails for wrong passwords", n)
	}
	for range 20 {
		w.is(w.browser().attempt("ada"), 403, "sign_in_held")
	}
	links := w.unlockLinks("unlock")
	if len(links) != 3 {
		t.Errorf("%d mails for right passwords", len(links))
	}
	// Every link works, and one use ends them all.
	w.is(w.browser().send("POST", "/auth/unlock", "", fields{"token": links[0]}), 200, "")
	w.is(w.browser().send("POST", "/auth/unlock", "", fields{"token": links[1]}), 410, "link_gone")

	w.guesses("eve", 3)
	w.deactivate(eve)
	w.is(w.browser().attempt("eve"), 403, "sign_in_held")
	link := w.unlockLinks("unlock")
	if len(link) != 1 {
		t.Fatalf("%d mails to a deactivated account", len(link))
	}
	w.is(w.browser().send("POST", "/auth/unlock", "", fields{"token": link[0]}), 200, "")
	w.is(w.browser().attempt("eve"), 403, "account_deactivated")
	if err := w.Accounts.Forget(t.Context(), eve); err != nil {
		t.Fatal(err)
	}
	w.is(w.browser().attempt("eve"), 403, "sign_in_held")
	if n := len(w.unlockLinks("unlock")); n != 0 {
		t.Errorf("%d mails to nobody", n)
	}
	if n := w.count(`SELECT COUNT(*) FROM sign_in_failures WHERE account IS NOT NULL AND account <> $1`, string(ada)); n != 0 {
		t.Errorf("%d rows of a deleted account", n)
	}
}

// A device that a link made known has passed no layer, and its first sign-in is told. One whose
// owner does not want it remembered is known for a quarter of an hour.
func TestUnlockedDevice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := w.layered("ada")
		link := func() string {
			t.Helper()
			w.below.Advance(2 * time.Hour)
			w.guesses("ada", 1)
			b := w.browser()
			b.addr = "203.0.113.9"
			w.is(b.attempt("ada"), 403, "sign_in_held")
			return w.unlockLinks("unlock")[0]
		}
		b := w.browser()
		b.addr = "203.0.113.10"
		w.is(b.send("POST", "/auth/unlock", "", fields{"token": link()}), 200, "")
		if c := w.is(b.attempt("ada"), 202, ""); layers(c) != "app pin" {
			t.Errorf("asked for %s", layers(c))
		}
		// A device that passed the layers keeps its token.
		w.below.Advance(2 * time.Hour)
		known := w.remembered("ada")
		before := known.jar["__Host-coffer-device"]
		got := w.is(known.send("POST", "/auth/unlock", "", fields{"token": link()}), 200, "")
		if known.jar["__Host-coffer-device"] != before || got.ExpiresIn < 3600 {
			t.Errorf("the device has another token, for %d s", got.ExpiresIn)
		}
		w.pin.set(ada, false)
		// Not to be remembered.
		short := w.browser()
		short.addr = "203.0.113.11"
		got = w.is(short.send("POST", "/auth/unlock", "", fields{"token": link(), "remember": false, "refresh_in": "body"}), 200, "")
		if got.DeviceToken == "" || got.ExpiresIn != 900 {
			t.Errorf("%+v", got)
		}
		w.is(short.attempt("ada", fields{"device_token": got.DeviceToken}), 202, "")
		w.below.Advance(16 * time.Minute)
		w.is(short.attempt("ada", fields{"device_token": got.DeviceToken}), 403, "sign_in_held")
		w.unlockLinks("unlock")
		// Another account's link makes no device of this one.
		w.below.Join("eve")
		w.guesses("eve", 1)
		w.is(w.browser().attempt("eve"), 403, "sign_in_held")
		theirs := w.is(w.browser().send("POST", "/auth/unlock", "", fields{"token": w.unlockLinks("unlock")[0], "refresh_in": "body"}), 200, "")
		other := w.browser()
		other.addr = "203.0.113.12"
		w.is(other.attempt("ada", fields{"device_token": theirs.DeviceToken}), 403, "sign_in_held")
	}, accountLimit(1))
}

// The first sign-in of a device that a link made known is that of a new device.
func TestUnlockedDeviceIsNew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), inMemory)
	ada := w.below.Join("ada")
	w.browser().signIn("ada")
	w.lock(ada, true)
	b := w.browser()
	b.addr = "203.0.113.9"
	w.is(b.attempt("ada"), 401, "invalid_credentials")
	w.is(b.send("POST", "/auth/unlock", "", fields{"token": w.unlockLinks("unlock")[0]}), 200, "")
	w.is(b.attempt("ada"), 201, "")
	if told := w.below.Told(); len(told) != 1 || !strings.HasSuffix(told[0], "new-device") {
		t.Errorf("told %v", told)
	}
}

// A stolen device that is used for a hundred guesses is remembered no longer; neither is a
// session that guesses a hundred fresh proofs.
func TestGuessesFromKnownPlaces(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, freely)
		ada := w.layered("ada")
		b := w.remembered("ada")
		w.is(b.attempt("ada"), 201, "")
		w.guesses("ada", 99, fields{"device_token": b.jar["__Host-coffer-device"]})
		w.is(b.attempt("ada"), 201, "") // a right one ends the row
		w.guesses("ada", 99, fields{"device_token": b.jar["__Host-coffer-device"]})
		if w.locked(ada) {
			t.Error("guesses with a device's token count for the account")
		}
		w.guesses("ada", 1, fields{"device_token": b.jar["__Host-coffer-device"]})
		w.is(b.attempt("ada"), 202, "")

		s := b.access
		for i := range 100 {
			w.is(b.as("POST", "/account/reauthenticate", fields{"password": fmt.Sprint("guess ", i)}), 401, "invalid_credentials")
		}
		if b.alive(s) {
			t.Error("the session lives on after a hundred guesses")
		}
	})
}

// The room that looks at sign-ins can have all layers asked, or a link; its error is a refusal.
// It hears of right passwords only, and a remembered device is not held.
func TestJudge(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), inMemory)
	w.below.Join("eve")
	ada := w.layered("ada")
	var v session.Verdict
	var fails error
	var seen []session.Entering
	w.Judge(func(_ context.Context, _ account.State, e session.Entering) (session.Verdict, error) {
		seen = append(seen, e)
		return v, fails
	})
	b := w.remembered("ada")
	seen = nil
	w.is(b.attempt("ada", fields{"password": "guess"}), 401, "invalid_credentials")
	w.is(b.attempt("ada"), 201, "")
	if len(seen) != 1 || !seen[0].Known || seen[0].Method != session.AMRPassword || seen[0].Client.Addr.String() != b.addr {
		t.Errorf("it saw %+v", seen)
	}
	v.AskAll = true
	if c := w.is(b.attempt("ada"), 202, ""); layers(c) != "app pin" {
		t.Errorf("asked for %s", layers(c))
	}
	if out, err := w.EnterRemembered(t.Context(), w.state(ada), w.entry(session.SessionRequest{DeviceToken: b.jar["__Host-coffer-device"]}, session.AMRFederated)); err != nil || out.Challenge == nil || len(out.Challenge.Layers) != 2 {
		t.Errorf("another service's word: %+v, %v", out, err)
	}
	v = session.Verdict{Hold: true}
	w.is(w.browser().attempt("ada"), 202, "") // the layers stand in the link's place
	w.is(w.browser().attempt("eve"), 403, "sign_in_held")
	owner := w.browser()
	w.is(owner.send("POST", "/auth/unlock", "", fields{"token": w.unlockLinks("unlock")[0]}), 200, "")
	w.is(w.browser().attempt("eve"), 403, "sign_in_held") // an intruder gains nothing by the owner's click
	w.is(owner.attempt("eve"), 201, "")
	w.below.Advance(16 * time.Minute)
	w.is(w.browser().attempt("eve"), 403, "sign_in_held")
	fails = fault.ErrUnavailable
	w.is(w.browser().attempt("eve"), 503, "unavailable")
}

// The mail about a held sign-in is written beside the answer. Its limit must not touch the
// answer's header, which another goroutine writes.
func TestHeldMailLeavesTheAnswerAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), inMemory, accountLimit(1))
	w.below.Join("ada")
	var mu sync.Mutex
	inRequest := map[string]bool{}
	w.below.Limits.Show = func(ctx context.Context, p fault.Policy, _ time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		_, inRequest[p.Name] = rest.ClientIn(ctx)
	}
	w.guesses("ada", 1)
	w.is(w.browser().attempt("ada"), 403, "sign_in_held")
	if links := w.unlockLinks("unlock"); len(links) != 1 {
		t.Fatalf("%d links", len(links))
	}
	mu.Lock()
	defer mu.Unlock()
	if in, shown := inRequest["unlock-mail"]; !shown || in {
		t.Errorf("the limit of the mail: counted %v, shown in the request %v", shown, in)
	}
}

// An admin who unlocks an account opens the door of its identifiers too, by address and by name.
func TestOpenDoor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id := w.below.Join("ada")
		for _, name := range []string{"ada", "ada@canary.example"} {
			w.guesses(name, 5)
			w.is(w.browser().attempt(name), 403, "sign_in_held")
		}
		w.unlock(id)
		w.is(w.browser().attempt("ada"), 403, "sign_in_held")
		if err := w.OpenDoor(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"ada", "ada@canary.example"} {
			w.is(w.browser().attempt(name), 201, "")
		}
		if got := w.guesses("ada", 6); got["403 sign_in_held"] != 1 {
			t.Errorf("guesses that go on: %v", got)
		}
	}, accountLimit(5))
}

// The row that counts guesses at an unknown identifier is chosen by the server's key, among
// many: a stranger cannot keep it busy and measure whether a guess waits there.
func TestDecoysAreTheServersChoice(t *testing.T) {
	t.Parallel()
	chosen := func() (rows []string) {
		w := newWorld(t, dbtest.SQLite(t), inMemory)
		for i := range 3 {
			w.guesses(fmt.Sprint("nobody", i), 1)
			var row string
			if err := w.DB.QueryRow(t.Context(), `SELECT MIN(subject) FROM sign_in_failures WHERE account IS NULL AND failures > 0`).Scan(&row); err != nil {
				t.Fatal(err)
			}
			rows = append(rows, row)
			if _, err := w.DB.Exec(t.Context(), `UPDATE sign_in_failures SET failures = 0`); err != nil {
				t.Fatal(err)
			}
		}
		if n := w.count(`SELECT COUNT(*) FROM sign_in_failures`); n != 4096 {
			t.Errorf("%d rows", n)
		}
		return rows
	}
	if one, two := chosen(), chosen(); slices.Equal(one, two) {
		t.Errorf("two servers choose the same rows: %q", one)
	}
}
