package passkey

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/limit"
	"coffer/internal/rest"
)

// mails stands for the room that mails links to activate.
type mails struct {
	mu    sync.Mutex
	asked []account.ID
}

func (w *world) mails() *mails {
	m := &mails{}
	w.Sessions.AddActivation(func(_ context.Context, id account.ID, _ rest.Client) error {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.asked = append(m.asked, id)
		return nil
	})
	return m
}

// since returns the accounts that a mail was asked for since the last call.
func (m *mails) since() []account.ID {
	m.mu.Lock()
	defer m.mu.Unlock()
	asked := m.asked
	m.asked = nil
	return asked
}

func (w *world) activate(a answer) error { return w.Activate(context.Background(), a.pack(), from) }

// closed makes a deactivated account with a passkey.
func (w *world) closed(name string) (account.ID, *key) {
	w.t.Helper()
	id, k := w.below.Join(name), w.newKey()
	w.add(w.caller(name), k, "")
	if err := w.Accounts.Deactivate(context.Background(), id); err != nil {
		w.t.Fatal(err)
	}
	w.below.Told()
	return id, k
}

// A passkey asks for the mail to a deactivated account, and for none to an active one. It opens
// no session and activates nothing. Each use is spent.
func TestActivate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := w.mails()
		ada, k := w.closed("ada")
		open := w.newKey()
		w.below.Join("eve")
		w.add(w.caller("eve"), open, "")
		var before, after int
		sessions := func(into *int) {
			if err := w.DB.QueryRow(t.Context(), `SELECT COUNT(*) FROM sessions`).Scan(into); err != nil {
				t.Fatal(err)
			}
		}
		sessions(&before)
		open.count++
		w.wants("an active account", w.activate(open.get(w.challenge())), "")
		if asked := m.since(); len(asked) != 0 {
			t.Errorf("an active account: asked for %q", asked)
		}
		w.wants("its count again", w.activate(open.get(w.challenge())), "invalid_passkey")
		_, err := w.signIn(k)
		w.wants("a sign-in", err, "account_deactivated")
		for range 2 { // a mail may be lost
			k.count++
			good := k.get(w.challenge())
			w.wants("a deactivated account", w.activate(good), "")
			if asked := m.since(); !slices.Equal(asked, []account.ID{ada}) {
				t.Errorf("a deactivated account: asked for %q", asked)
			}
			w.wants("the same answer again", w.activate(good), "invalid_passkey")
			_, err := w.send(good)
			w.wants("a sign-in with it", err, "invalid_passkey")
		}
		if sessions(&after); before != after {
			t.Errorf("%d sessions, want %d", after, before)
		}
		if st, err := w.Accounts.State(t.Context(), ada); err != nil || st.Status != account.Deactivated {
			t.Errorf("%+v, %v", st, err)
		}
		if asked := m.since(); len(asked) != 0 {
			t.Errorf("asked for %q", asked)
		}
	})
}

// An activation refuses every answer that a sign-in refuses, with the same code. The server then
// mails nothing.
func TestAttackActivate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.mails()
		ada, k := w.closed("ada")
		_, other := w.closed("other")
		eve := w.stranger()
		hers := w.newKey()
		w.add(eve, hers, "")
		k.count = 9
		w.wants("right", w.activate(k.get(w.challenge())), "")
		m.since()
		w.below.Told()

		renewal, err := w.BeginRenewal(t.Context(), eve)
		if err != nil {
			t.Fatal(err)
		}
		used := w.challenge()
		k.count++
		_, err = w.send(k.get(used))
		w.wants("a sign-in", err, "account_deactivated")
		changed := func(change func(*key)) answer {
			copied := *k
			copied.count = 100
			change(&copied)
			return copied.get(w.challenge())
		}
		forged := changed(func(*key) {})
		forged.signature = hers.sign(forged).signature
		for what, a := range map[string]answer{
			"an unknown passkey":            w.newKey().get(w.challenge()),
			"another key's signature":       forged,
			"another account's user handle": changed(func(k *key) { k.owner = other.owner }),
			"no user handle":                changed(func(k *key) { k.owner = nil }),
			"another account's passkey":     changed(func(k *key) { k.id = other.id }),
			"another page":                  changed(func(k *key) { k.party.origin = "https://evil.test" }),
			"another party":                 changed(func(k *key) { k.party.id = "evil.test" }),
			"no verification":               changed(func(k *key) { k.flags = present }),
			"a used challenge":              changed(func(*key) {}).again(k, used),
			"a challenge of a fresh proof":  hers.get(renewal.Challenge),
			"a challenge of a registration": hers.get(w.registration(eve)),
			"no challenge":                  k.get(""),
		} {
			w.wants(what, w.activate(a), "invalid_passkey")
		}
		for _, text := range []string{"", "{}", "null", `{"id":"x"}`} {
			w.wants("the credential "+text, w.Activate(t.Context(), []byte(text), from), "invalid_passkey")
		}
		late := w.challenge()
		w.below.Advance(challengeLife)
		w.wants("an expired challenge", w.activate(k.get(late)), "invalid_passkey")
		if told := w.below.Told(); len(told) != 0 {
			t.Errorf("told %q", told)
		}
		k.count = 5
		w.wants("an old count", w.activate(k.get(w.challenge())), "invalid_passkey")
		if told := w.below.Told(); !slices.Equal(told, []string{"ada@canary.example passkey-cloned"}) {
			t.Errorf("told of a copy: %q", told)
		}
		k.count = 200
		w.exec(`UPDATE passkeys SET record = name WHERE account = $1`, string(ada))
		w.wants("an altered row", w.activate(k.get(w.challenge())), "invalid_passkey")
		if asked := m.since(); len(asked) != 0 {
			t.Errorf("asked for %q", asked)
		}
	})
}

// again is an answer of k to another challenge.
func (a answer) again(k *key, challenge string) answer {
	a.said = k.said(gotten, challenge)
	return k.sign(a)
}

// A passkey of an account that is being deleted, or is gone, is unknown.
func TestAttackActivateDeleting(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	m := w.mails()
	gone, k := w.closed("gone")
	if err := w.Accounts.Delete(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	k.count++
	w.wants("a deleted account", w.activate(k.get(w.challenge())), "invalid_passkey")
	going, k := w.closed("going")
	w.Accounts.Keep("stuck", account.Keeper{Forget: func(context.Context, *db.Tx, account.ID) error { return errors.New("a store is down") }})
	if err := w.Accounts.Delete(t.Context(), going); err == nil {
		t.Fatal("the store was up")
	}
	k.count++
	w.wants("an account that is being deleted", w.activate(k.get(w.challenge())), "invalid_passkey")
	if asked := m.since(); len(asked) != 0 {
		t.Errorf("asked for %q", asked)
	}
}

// Wrong answers of an address are counted with its failed sign-ins, and right ones are not. A
// lock of one address leaves others alone.
func TestActivateLimit(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	m := w.mails()
	_, k := w.closed("ada")
	w.Sessions.AddressLimit = limit.Rule{Name: "activate-test", Limit: 3, Window: w.Sessions.AddressLimit.Window}
	right := func() error { k.count++; return w.activate(k.get(w.challenge())) }
	for range 5 {
		w.wants("right", right(), "")
	}
	w.wants("wrong", w.activate(w.newKey().get(w.challenge())), "invalid_passkey")
	_, err := w.send(w.newKey().get(w.challenge()))
	w.wants("a wrong sign-in", err, "invalid_passkey")
	w.wants("wrong", w.activate(w.newKey().get(w.challenge())), "invalid_passkey")
	w.wants("right, after three wrong ones", right(), "rate_limited")
	if asked := m.since(); len(asked) != 5 {
		t.Errorf("%d mails asked for, want 5", len(asked))
	}
	k.count++
	elsewhere := from
	elsewhere.Addr = elsewhere.Addr.Next()
	w.wants("from another address", w.Activate(t.Context(), k.get(w.challenge()).pack(), elsewhere), "")
}

// Of twenty answers at once to one challenge, or with one sign count, one asks for a mail.
func TestAttackActivateAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.mails()
		_, k := w.closed("ada")
		k.count = 1
		one := k.get(w.challenge())
		if won := w.atOnce(20, func() error { return w.activate(one) }); won != 1 {
			t.Errorf("one challenge: %d", won)
		}
		k.count = 2
		answers := make(chan answer, 20)
		for range cap(answers) {
			answers <- k.get(w.challenge())
		}
		if won := w.atOnce(cap(answers), func() error { return w.activate(<-answers) }); won != 1 {
			t.Errorf("one sign count: %d", won)
		}
		if asked := m.since(); len(asked) != 2 {
			t.Errorf("%d mails asked for, want 2", len(asked))
		}
	})
}
