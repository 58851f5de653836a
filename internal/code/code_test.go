package code

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
	"coffer/internal/limit/limittest"
)

// world is the package over real accounts.
type world struct {
	*Service
	below *accounttest.World
	t     *testing.T
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	b := accounttest.New(t, d, limittest.Setup{})
	c := Config{DB: d, Ring: b.Ring, Jobs: b.Jobs, Accounts: b.Accounts, Now: b.Now}
	limittest.Defaults(t, &c.Settings)
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return &world{s, b, t}
}

func (w *world) challenge(id account.ID, name string) Challenge {
	return Challenge{ID: name, Purpose: "test", Account: id, Ends: w.Now().Add(time.Hour)}
}

func (w *world) send(c Challenge) (text string, err error) {
	err = w.DB.Tx(context.Background(), func(tx *db.Tx) error {
		text, _, err = w.Send(context.Background(), tx, c)
		return err
	})
	return text, err
}

func (w *world) sent(c Challenge) string {
	w.t.Helper()
	text, err := w.send(c)
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

func (w *world) try(c Challenge, text string) error {
	return w.Try(context.Background(), c, text, func(*db.Tx) error { return nil })
}

// other is a code that is not text.
func other(text string) string {
	if text[0] == '0' {
		return "1" + text[1:]
	}
	return "0" + text[1:]
}

func wants(t *testing.T, what string, err error, want *fault.Error) {
	t.Helper()
	if want == nil && err != nil || want != nil && (err == nil || fault.Of(err).Code != want.Code || fault.Of(err).Kind != want.Kind || fault.Of(err).Detail != want.Detail) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// limitedBy checks the limit that a refusal names: its answer shows it.
func limitedBy(t *testing.T, what string, err error, want fault.Policy) {
	t.Helper()
	if got := fault.Of(err); got.Policy == nil || *got.Policy != want || got.RetryAfter > want.Window {
		t.Errorf("%s: %+v, again in %v, want %+v", what, got.Policy, got.RetryAfter, want)
	}
}

func TestCode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada, bob := w.below.Join("ada"), w.below.Join("bob")
		c := w.challenge(ada, "one")
		first := w.sent(c)
		if len(first) != digits || strings.Trim(first, "0123456789") != "" {
			t.Fatalf("the code %q", first)
		}
		again, elsewhere, others := c, c, c
		again.ID, elsewhere.Purpose, others.Account = "two", "else", bob
		for what, c := range map[string]Challenge{"another challenge": again, "another purpose": elsewhere, "another account": others} {
			wants(t, what, w.try(c, first), ErrOver)
		}
		moved := c
		moved.To = "elsewhere"
		wants(t, "another recipient", w.try(moved, first), ErrWrong)
		wants(t, "a wrong code", w.try(c, other(first)), ErrWrong)
		soon := errOf(w.send(c))
		wants(t, "too soon", soon, ErrTooSoon)
		limitedBy(t, "too soon", soon, fault.Policy{Name: "code-resend", Limit: 1, Window: w.Cooldown})
		w.below.Advance(w.Cooldown)
		second := w.sent(c)
		if second != first {
			wants(t, "the older code", w.try(c, first), ErrWrong)
		}
		wants(t, "with spaces", w.try(c, " "+second[:3]+" "+second[3:]), nil)
		wants(t, "a second time", w.try(c, second), ErrOver)
		late := w.challenge(ada, "late")
		text := w.sent(late)
		w.below.Advance(w.Accounts.CodeTTL)
		wants(t, "an expired code", w.try(late, text), ErrOver)
		short := Challenge{ID: "short", Purpose: "test", Account: ada, Ends: w.Now().Add(time.Minute)}
		text = w.sent(short)
		w.below.Advance(time.Minute)
		wants(t, "a challenge that is over", w.try(short, text), ErrOver)
	})
}

func errOf(_ string, err error) error { return err }

// A new code forgives no failure, and a challenge gets few codes.
func TestFailuresAreKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.challenge(w.below.Join("ada"), "one")
		text := w.sent(c)
		for range 3 {
			wants(t, "a wrong code", w.try(c, other(text)), ErrWrong)
		}
		w.below.Advance(w.Cooldown)
		text = w.sent(c)
		for range 2 {
			wants(t, "a wrong code", w.try(c, other(text)), ErrWrong)
		}
		wants(t, "the right code after five wrong ones", w.try(c, text), ErrOver)
		for range maxSends - 2 {
			w.below.Advance(w.Cooldown)
			w.sent(c)
		}
		w.below.Advance(w.Cooldown)
		wants(t, "one more code", errOf(w.send(c)), ErrNoMore)
	})
}

// An account bears ten wrong answers an hour, over however many challenges.
func TestFailuresOfAnAccount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada, bob := w.below.Join("ada"), w.below.Join("bob")
		for n := range maxFailures {
			c := w.challenge(ada, fmt.Sprint(n))
			wants(t, "a wrong code", w.try(c, other(w.sent(c))), ErrWrong)
			w.below.Advance(time.Minute)
		}
		c := w.challenge(ada, "last")
		text := w.sent(c)
		err := w.try(c, text)
		wants(t, "the right code after ten wrong ones", err, ErrTooMany)
		limitedBy(t, "the right code after ten wrong ones", err, fault.Policy{Name: "code-wrong", Limit: maxFailures, Window: failureTime})
		if wait := fault.Of(err).RetryAfter; wait != failureTime-maxFailures*time.Minute {
			t.Errorf("try again in %v", wait)
		}
		hers := w.challenge(bob, "hers")
		wants(t, "another account", w.try(hers, w.sent(hers)), nil)
		w.below.Advance(failureTime - maxFailures*time.Minute)
		c = w.challenge(ada, "later")
		wants(t, "an hour after the first", w.try(c, w.sent(c)), nil)
	})
}

func TestGuessesAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.challenge(w.below.Join("ada"), "one")
		text := w.sent(c)
		looked := 0
		limittest.AtOnce(50, func() error {
			err := w.try(c, other(text))
			if err != nil && !errors.Is(err, ErrWrong) && !errors.Is(err, ErrOver) {
				t.Error(err)
			}
			return err
		})
		if err := d.QueryRow(t.Context(), `SELECT COUNT(*) FROM code_failures`).Scan(&looked); err != nil || looked != maxTries {
			t.Errorf("%d of 50 guesses at once were looked at (%v)", looked, err)
		}
		c = w.challenge(w.below.Join("bob"), "two")
		text = w.sent(c)
		if won := limittest.AtOnce(20, func() error { return w.try(c, text) }); won != 1 {
			t.Errorf("one code was good %d times", won)
		}
	})
}

// A right answer whose transaction fails is not spent.
func TestRolledBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.challenge(w.below.Join("ada"), "one")
		text := w.sent(c)
		failed := errors.New("later")
		if err := w.Try(t.Context(), c, text, func(*db.Tx) error { return failed }); !errors.Is(err, failed) {
			t.Fatal(err)
		}
		wants(t, "the same code", w.try(c, text), nil)
	})
}

func TestAttackWriter(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada, eve := w.below.Join("ada"), w.below.Join("eve")
		hers, mine := w.challenge(ada, "hers"), w.challenge(eve, "mine")
		for what, statement := range map[string]string{
			"her own code":                   `UPDATE codes SET code = (SELECT code FROM codes WHERE challenge = 'mine') WHERE challenge = 'hers'`,
			"her own row":                    `UPDATE codes SET challenge = CASE challenge WHEN 'mine' THEN 'hers' ELSE 'x' END, account = '` + string(ada) + `'`,
			"a longer life of the challenge": `UPDATE codes SET ends_at = ends_at + 1 WHERE challenge = 'hers'`,
			"another time of sending":        `UPDATE codes SET sent_at = sent_at - 60000 WHERE challenge = 'hers'`,
			"a longer life":                  `UPDATE codes SET expires_at = expires_at + 1, code = (SELECT code FROM codes WHERE challenge = 'mine')`,
		} {
			right := w.sent(hers)
			text := w.sent(mine)
			if _, err := w.DB.Exec(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
			if err := w.try(hers, text); err == nil {
				t.Errorf("%s passes another's challenge", what)
			}
			if err := w.try(hers, right); err == nil {
				t.Errorf("%s leaves the code good", what)
			}
			if _, err := w.DB.Exec(t.Context(), `DELETE FROM codes`); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestForgottenAndPruned(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	ada := w.below.Join("ada")
	count := func(table string) (n int) {
		if err := w.DB.QueryRow(t.Context(), `SELECT COUNT(*) FROM `+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	c := w.challenge(ada, "one")
	text := w.sent(c)
	wants(t, "a wrong code", w.try(c, other(text)), ErrWrong)
	if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { return w.Accounts.InvalidateSessions(t.Context(), tx, ada, "") }); err != nil {
		t.Fatal(err)
	}
	if count("codes") != 0 || count("code_failures") != 1 {
		t.Error("a code outlives the sessions of its account, or a failure does not")
	}
	w.sent(c)
	if err := w.Accounts.Forget(t.Context(), ada); err != nil {
		t.Fatal(err)
	}
	if count("codes") != 0 || count("code_failures") != 0 {
		t.Error("codes outlive their account")
	}
	bob := w.below.Join("bob")
	dbtest.PrunesInBatches(t, w.DB, "codes", `INSERT INTO codes (challenge, purpose, account, code, tries, sends, sent_at, expires_at, ends_at)
		SELECT 'c' || i, 'p', '`+string(bob)+`', x'', 0, 0, 1, 1, 1 FROM n`, func() error { return prune(t.Context(), w.DB, 1, 0) })
	dbtest.PrunesInBatches(t, w.DB, "code_failures", `INSERT INTO code_failures (account, purpose, at, nth)
		SELECT '`+string(bob)+`', 'p', 1, 'n' || i FROM n`, func() error { return prune(t.Context(), w.DB, 0, 1) })
}

// An account whose codes nobody uses gets no more than twenty at once, also over many
// challenges and in a race; another purpose and another account have their own.
func TestWaitingCodes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada, bob := w.below.Join("ada"), w.below.Join("bob")
		names := make(chan string, 40)
		for n := range 40 {
			names <- fmt.Sprint(n)
		}
		if sent := limittest.AtOnce(40, func() error { return errOf(w.send(w.challenge(ada, <-names))) }); sent != maxWaiting {
			t.Errorf("%d codes of forty challenges at once, want %d", sent, maxWaiting)
		}
		err := errOf(w.send(w.challenge(ada, "more")))
		wants(t, "one more", err, ErrWaiting)
		limitedBy(t, "one more", err, fault.Policy{Name: "code-waiting", Limit: maxWaiting, Window: time.Hour})
		if wait := fault.Of(err).RetryAfter; wait != time.Hour {
			t.Errorf("try again in %v", wait)
		}
		elsewhere := w.challenge(ada, "more")
		elsewhere.Purpose = "else"
		w.sent(elsewhere)
		w.sent(w.challenge(bob, "his"))
		w.below.Advance(time.Hour)
		c := w.challenge(ada, "later")
		wants(t, "when the challenges are over", w.try(c, w.sent(c)), nil)
	})
}

// A sign-in bears a hundred wrong answers in a row, over however many challenges, days and new
// codes. A right one ends the row; a full row ends when the owner has confirmed the account.
func TestHundredInARow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada := w.below.Join("ada")
		challenge := func(n int) Challenge {
			c := w.challenge(ada, fmt.Sprint(n))
			c.Authenticates = true
			return c
		}
		n := 0
		fail := func(times int) {
			t.Helper()
			for range times {
				n++
				w.below.Advance(time.Hour)
				c := challenge(n)
				wants(t, "a wrong code", w.try(c, other(w.sent(c))), ErrWrong)
			}
		}
		right := func(want *fault.Error) {
			t.Helper()
			n++
			w.below.Advance(time.Hour)
			c := challenge(n)
			wants(t, "the right code", w.try(c, w.sent(c)), want)
		}
		fail(maxStreak - 1)
		right(nil)
		fail(maxStreak)
		right(ErrLocked)
		w.below.Advance(300 * 24 * time.Hour)
		right(ErrLocked)
		setUp := w.challenge(ada, "set-up")
		wants(t, "a set-up", w.try(setUp, w.sent(setUp)), nil)
		right(ErrLocked)
		if err := d.Tx(t.Context(), func(tx *db.Tx) error { return w.Forgive(t.Context(), tx, ada, "test") }); err != nil {
			t.Fatal(err)
		}
		right(nil)
	})
}
