package passkey

import (
	"bytes"
	"context"
	"crypto/sha256"
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

// A challenge is good once, for five minutes, for its ceremony, account and session.
func TestAttackChallenges(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.below.Join("ada")
		w.below.Join("eve")
		ada, adaToo, eve := w.caller("ada"), w.caller("ada"), w.caller("eve")
		k, hers := w.newKey(), w.newKey()
		w.add(ada, k, "")
		w.add(eve, hers, "")
		renewal := func(c rest.Caller) string {
			o, err := w.BeginRenewal(ctx, c)
			if err != nil {
				t.Fatal(err)
			}
			return o.Challenge
		}
		renew := func(c rest.Caller, k *key, challenge string) error {
			k.count++
			_, err := w.Renew(ctx, c, from, k.get(challenge).pack())
			return err
		}
		signIn := func(k *key, challenge string) error { k.count++; _, err := w.send(k.get(challenge)); return err }
		register := func(c rest.Caller, challenge string) error {
			_, err := w.Register(ctx, c, w.newKey().create(challenge).pack(), "")
			return err
		}
		w.wants("a sign-in with the challenge of a renewal", signIn(k, renewal(ada)), "invalid_passkey")
		w.wants("a sign-in with the challenge of a registration", signIn(k, w.registration(ada)), "invalid_passkey")
		w.wants("a sign-in with a challenge of its own", signIn(k, b64.EncodeToString(make([]byte, 32))), "invalid_passkey")
		w.wants("a renewal with the challenge of a sign-in", renew(ada, k, w.challenge()), "invalid_passkey")
		w.wants("a renewal with the challenge of a registration", renew(ada, k, w.registration(ada)), "invalid_passkey")
		w.wants("a renewal with the challenge of another session", renew(ada, k, renewal(adaToo)), "invalid_passkey")
		w.wants("a renewal with the challenge of somebody else", renew(ada, k, renewal(eve)), "invalid_passkey")
		w.wants("a renewal with somebody else's passkey", renew(ada, hers, renewal(ada)), "invalid_passkey")
		w.wants("a registration with the challenge of a sign-in", register(ada, w.challenge()), "passkey_refused")
		w.wants("a registration with the challenge of a renewal", register(ada, renewal(ada)), "passkey_refused")
		w.wants("a registration with the challenge of another session", register(ada, w.registration(adaToo)), "passkey_refused")
		w.wants("a registration with the challenge of somebody else", register(ada, w.registration(eve)), "passkey_refused")

		used := w.challenge()
		w.wants("a sign-in", signIn(k, used), "")
		w.wants("the same challenge again", signIn(k, used), "invalid_passkey")
		spoilt := w.challenge()
		w.wants("somebody's bad answer", signIn(w.newKey(), spoilt), "invalid_passkey")
		w.wants("a good one after it", signIn(k, spoilt), "invalid_passkey")
		w.wants("a registration", register(ada, w.registration(ada)), "")
		w.wants("a renewal", renew(ada, k, renewal(ada)), "")
		if w.kvClock() {
			late, later := w.challenge(), w.challenge()
			w.below.Advance(challengeLife - time.Second)
			w.wants("a moment before the end", signIn(k, late), "")
			w.below.Advance(time.Second)
			w.wants("at the end", signIn(k, later), "invalid_passkey")
		}
	})
}

// kvClock reports whether the key store has the world's clock.
func (w *world) kvClock() bool {
	w.t.Helper()
	ctx := w.t.Context()
	if err := w.KV.Put(ctx, "clock", []byte("x"), time.Second); err != nil {
		w.t.Fatal(err)
	}
	w.below.Advance(2 * time.Second)
	_, err := w.KV.Get(ctx, "clock")
	return err != nil
}

// keyOf is where the key store holds a challenge.
func keyOf(challenge string) string {
	digest := sha256.Sum256([]byte(challenge))
	return challengeKey(digest[:])
}

// A writer of the key store makes no challenge good: neither one of another ceremony or
// account, nor one that was used or has expired.
func TestAttackKeyStore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		w.below.Join("ada")
		c := w.caller("ada")
		k := w.newKey()
		w.add(c, k, "")
		stored := func(challenge string) []byte {
			t.Helper()
			v, err := w.KV.Get(ctx, keyOf(challenge))
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		put := func(challenge string, v []byte) {
			t.Helper()
			if err := w.KV.Put(ctx, keyOf(challenge), v, time.Hour); err != nil {
				t.Fatal(err)
			}
			if err := w.KV.Delete(ctx, keyOf(challenge)+":used"); err != nil {
				t.Fatal(err)
			}
		}
		try := func(what, challenge, want string) {
			t.Helper()
			k.count++
			_, err := w.send(k.get(challenge))
			w.wants(what, err, want)
		}
		chosen := b64.EncodeToString([]byte("thirty-two bytes of the attacker"))
		put(chosen, stored(w.challenge()))
		try("a value of another challenge", chosen, "invalid_passkey")
		put(chosen, []byte(`{"kind":"sign-in"}`))
		try("a value in clear", chosen, "invalid_passkey")
		renewal, err := w.BeginRenewal(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		put(renewal.Challenge, stored(w.challenge()))
		try("a renewal's challenge as a sign-in's", renewal.Challenge, "invalid_passkey")
		old := w.challenge()
		kept := stored(old)
		w.below.Advance(challengeLife)
		put(old, kept)
		try("an expired one, put back", old, "invalid_passkey")
		try("a good one", w.challenge(), "")
		// A reader of the key store learns neither the account nor the ceremony.
		o, err := w.BeginRenewal(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{c.Account, c.Session, renewing, o.Challenge} {
			if v := stored(o.Challenge); bytes.Contains(v, []byte(secret)) || strings.Contains(keyOf(o.Challenge), secret) {
				t.Errorf("the key store shows %q", secret)
			}
		}
	})
}

// Twenty answers to one challenge, and twenty with one sign count: one passes.
func TestAttackRaces(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		id := w.below.Join("ada")
		c := w.caller("ada")
		k := w.newKey()
		w.add(c, k, "")
		challenge := w.challenge()
		still := make(chan answer, 20)
		for range cap(still) {
			k.count++
			still <- k.get(challenge)
		}
		if won := w.atOnce(cap(still), func() error { _, err := w.send(<-still); return err }); won != 1 {
			t.Errorf("one challenge: %d sessions", won)
		}
		k.count += 100
		for range cap(still) {
			still <- k.get(w.challenge())
		}
		if won := w.atOnce(cap(still), func() error { _, err := w.send(<-still); return err }); won != 1 {
			t.Errorf("one sign count: %d sessions", won)
		}
		o, err := w.BeginRenewal(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		k.count++
		if won := w.atOnce(20, func() error { _, err := w.Renew(ctx, c, from, k.get(o.Challenge).pack()); return err }); won != 1 {
			t.Errorf("one proof: %d renewals", won)
		}
		fresh, challenges := w.newKey(), make(chan string, 20)
		for range cap(challenges) {
			challenges <- w.registration(c)
		}
		if won := w.atOnce(cap(challenges), func() error { _, err := w.Register(ctx, c, fresh.create(<-challenges).pack(), ""); return err }); won != 1 {
			t.Errorf("one credential: registered %d times", won)
		}
		all, err := w.List(ctx, id)
		if err != nil || len(all) != 2 {
			t.Fatalf("%+v, %v", all, err)
		}
		if won := w.atOnce(20, func() error { return w.Remove(ctx, c, all[1].ID) }); won != 1 {
			t.Errorf("removed %d times", won)
		}
	})
}

// The last way in stays, also when two are removed at once.
func TestAttackLastWayIn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := context.Background()
		c := w.newcomer("ada")
		keys := map[string]*key{}
		ids := make(chan string, 2)
		for range 2 {
			k := w.newKey()
			p := w.add(c, k, "")
			keys[p.ID] = k
			ids <- p.ID
		}
		w.below.Told()
		if won := w.atOnce(2, func() error { return w.Remove(ctx, c, <-ids) }); won != 1 {
			t.Errorf("%d removed, want one of two", won)
		}
		all, err := w.List(ctx, account.ID(c.Account))
		if err != nil || len(all) != 1 {
			t.Fatalf("left: %+v, %v", all, err)
		}
		w.wants("the last one", w.Remove(ctx, c, all[0].ID), "last_way_in")
		if told := w.below.Told(); len(told) != 1 {
			t.Errorf("told %q, want one removal", told)
		}
		_, err = w.signIn(keys[all[0].ID])
		w.wants("the way in that is left", err, "")
	})
}

// newcomer opens a session of a new account without a password.
func (w *world) newcomer(name string) rest.Caller {
	w.t.Helper()
	ctx := w.t.Context()
	n, err := w.Accounts.NewFederated(ctx, account.NewAccount{FirstName: "Ada", LastName: "Lovelace", Username: name, Email: name + "@canary.example"})
	var id account.ID
	if err == nil {
		err = w.DB.Tx(ctx, func(tx *db.Tx) (err error) { id, err = w.Accounts.CreateFederated(ctx, tx, n); return err })
	}
	if err != nil {
		w.t.Fatal(err)
	}
	st, err := w.Accounts.State(ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	e, err := w.Sessions.Prepare(sessionRequest, from, session.AMRFederated)
	if err != nil {
		w.t.Fatal(err)
	}
	out, err := w.Sessions.EnterRemembered(ctx, st, e)
	if err != nil || out.Opened == nil {
		w.t.Fatalf("%+v, %v", out, err)
	}
	return callerOf(out.Opened)
}

// A writer of the database makes no passkey, moves none and revives none: eve, who has a
// passkey of her own, does not get into ada's account.
func TestAttackWriter(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		// a write gets the account and the row that it attacks, her row, and her row's index.
		for nth, a := range []struct {
			name  string
			write func(ada account.ID, row, hers string, index []byte)
		}{
			{"her row moved to the account", func(ada account.ID, _, hers string, _ []byte) {
				w.exec(`UPDATE passkeys SET account = $1 WHERE id = $2`, string(ada), hers)
			}},
			{"her row copied into the account", func(ada account.ID, _, hers string, index []byte) {
				w.exec(`UPDATE passkeys SET credential_index = $2 WHERE id = $1`, hers, []byte("free "+hers))
				w.exec(`INSERT INTO passkeys (id, account, credential_index, name, record, created_at)
					SELECT 'copy', $1, $3, name, record, created_at FROM passkeys WHERE id = $2`, string(ada), hers, index)
			}},
			{"her row in the place of the other", func(ada account.ID, row, hers string, _ []byte) {
				w.exec(`DELETE FROM passkeys WHERE id = $1`, row)
				w.exec(`UPDATE passkeys SET account = $1, id = $2 WHERE id = $3`, string(ada), row, hers)
			}},
			{"her record in the other row", func(_ account.ID, row, hers string, index []byte) {
				w.exec(`UPDATE passkeys SET record = (SELECT record FROM passkeys WHERE id = $2), created_at = (SELECT created_at FROM passkeys WHERE id = $2) WHERE id = $1`, row, hers)
				w.exec(`UPDATE passkeys SET credential_index = $2 WHERE id = $1`, hers, []byte("free "+hers))
				w.exec(`UPDATE passkeys SET credential_index = $2 WHERE id = $1`, row, index)
			}},
			{"her index on the other row", func(_ account.ID, row, hers string, index []byte) {
				w.exec(`UPDATE passkeys SET credential_index = $2 WHERE id = $1`, hers, []byte("free "+hers))
				w.exec(`UPDATE passkeys SET credential_index = $2 WHERE id = $1`, row, index)
			}},
			{"a record of her own making", func(_ account.ID, row, hers string, index []byte) {
				w.exec(`UPDATE passkeys SET credential_index = $2 WHERE id = $1`, hers, []byte("free "+hers))
				w.exec(`UPDATE passkeys SET credential_index = $2, record = $3 WHERE id = $1`, row, index, []byte(`{"id":"","key":""}`))
			}},
			{"her account's data key in the place of the other", func(ada account.ID, row, hers string, _ []byte) {
				w.exec(`UPDATE account_keys SET wrapped = (SELECT k.wrapped FROM account_keys k JOIN passkeys p ON p.account = k.account WHERE p.id = $2) WHERE account = $1`, string(ada), hers)
				w.exec(`UPDATE passkeys SET account = $1 WHERE id = $2`, string(ada), hers)
			}},
		} {
			ada := w.below.Join(fmt.Sprintf("ada%d", nth))
			w.below.Join(fmt.Sprintf("eve%d", nth))
			his, hers := w.newKey(), w.newKey()
			row := w.add(w.caller(fmt.Sprintf("ada%d", nth)), his, "").ID
			evil := w.add(w.caller(fmt.Sprintf("eve%d", nth)), hers, "").ID
			if _, err := w.signIn(hers); err != nil {
				t.Fatal(err)
			}
			var index []byte
			if err := d.QueryRow(ctx, `SELECT credential_index FROM passkeys WHERE id = $1`, evil).Scan(&index); err != nil {
				t.Fatal(err)
			}
			a.write(ada, row, evil, index)
			for _, owner := range [][]byte{hers.owner, his.owner} {
				hers.count++
				hers.owner = owner
				_, err := w.send(hers.get(w.challenge()))
				w.wants(a.name, err, "invalid_passkey")
			}
		}
		if !strings.Contains(w.log.String(), "level=ERROR") {
			t.Error("the log says nothing of altered rows")
		}
	})
}

// A row that was altered is no passkey, tells the log, and is listed as damaged, so that its owner
// can remove it.
func TestAltered(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		id := w.below.Join("ada")
		c := w.caller("ada")
		k := w.newKey()
		p := w.add(c, k, "Name in clear")
		var r row
		var index []byte
		if err := d.QueryRow(ctx, `SELECT name, record, credential_index FROM passkeys WHERE id = $1`, p.ID).Scan(&r.Name, &r.Record, &index); err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]byte{r.Name, r.Record, index} {
			for _, secret := range [][]byte{[]byte("Name in clear"), k.id, k.cose()[10:42], k.owner} {
				if bytes.Contains(b, secret) {
					t.Errorf("a row shows %q", secret)
				}
			}
		}
		// A later date would let it outlive the stop of a recovery.
		w.exec(`UPDATE passkeys SET created_at = created_at - 1 WHERE id = $1`, p.ID)
		_, err := w.signIn(k)
		w.wants("an altered row", err, "invalid_passkey")
		if all, err := w.List(ctx, id); err != nil || len(all) != 1 || !all[0].Damaged || all[0].ID != p.ID || all[0].Name != "Name in clear" || !strings.Contains(w.log.String(), "level=ERROR") {
			t.Errorf("the list: %+v, %v; log %q", all, err, w.log.String())
		}
		if _, err := w.BeginRegistration(ctx, c); err != nil {
			t.Error(err)
		}
		w.wants("remove it", w.Remove(ctx, c, p.ID), "")
		// A name that was altered is replaced, and the passkey works.
		p = w.add(c, k, "mine")
		w.exec(`UPDATE passkeys SET name = $2 WHERE id = $1`, p.ID, []byte("x"))
		if all, err := w.List(ctx, id); err != nil || len(all) != 1 || all[0].Name != unnamed {
			t.Errorf("the list: %+v, %v", all, err)
		}
		_, err = w.signIn(k)
		w.wants("with an altered name", err, "")
	})
}

// The index key rotates: passkeys are found before, during and after the walk.
func TestRotation(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.below.Join("ada")
		c := w.caller("ada")
		var keys []*key
		for range 3 {
			k := w.newKey()
			w.add(c, k, "")
			keys = append(keys, k)
		}
		all := func(when string) {
			t.Helper()
			for i, k := range keys {
				if _, err := w.signIn(k); err != nil {
					t.Errorf("%s: passkey %d: %v", when, i, err)
				}
			}
		}
		all("before")
		if _, err := w.Ring.Rotate(t.Context(), "index"); err != nil {
			t.Fatal(err)
		}
		all("with a new key")
		_, err := w.Register(t.Context(), c, keys[0].create(w.registration(c)).pack(), "")
		w.wants("one that is known under the old key", err, "passkey_exists")
		k := w.newKey()
		w.add(c, k, "")
		keys = append(keys, k)
		if err := w.Ring.RewrapAll(t.Context(), w.Ring.Rewraps(), nil); err != nil {
			t.Fatal(err)
		}
		all("after the walk")
		old, err := w.Ring.Indexes(t.Context(), indexColumn, string(keys[0].id))
		if err != nil {
			t.Fatal(err)
		}
		var index []byte
		if err := d.QueryRow(t.Context(), `SELECT credential_index FROM passkeys ORDER BY created_at, id LIMIT 1`).Scan(&index); err != nil || string(index) != string(old[0]) {
			t.Errorf("the walk left the old index: %v", err)
		}
	})
}

// A stopped recovery removes the passkeys that were added since it began.
func TestDropSince(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.below.Join("ada")
		c := w.caller("ada")
		old, young := w.newKey(), w.newKey()
		w.add(c, old, "old")
		w.below.Advance(time.Minute)
		since := w.Now()
		w.add(c, young, "young")
		w.below.Told()
		for range 2 {
			if err := d.Tx(t.Context(), func(tx *db.Tx) error { return w.Accounts.DropWaysSince(t.Context(), tx, id, since) }); err != nil {
				t.Fatal(err)
			}
		}
		if told := w.below.Told(); len(told) != 1 {
			t.Errorf("told %q, want one removal", told)
		}
		_, err := w.signIn(young)
		w.wants("the young one", err, "invalid_passkey")
		_, err = w.signIn(old)
		w.wants("the old one", err, "")
	})
}

// A deactivated account, a deleted one and one whose sessions all ended at that moment.
func TestAttackStates(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		id := w.below.Join("ada")
		c := w.caller("ada")
		k := w.newKey()
		w.add(c, k, "")
		// A session that has ended adds, names and removes nothing.
		dead := w.caller("ada")
		challenge := w.registration(dead)
		if err := w.Sessions.Revoke(ctx, id, dead.Session); err != nil {
			t.Fatal(err)
		}
		_, err := w.Register(ctx, dead, w.newKey().create(challenge).pack(), "")
		w.wants("add in a session that has ended", err, "unauthenticated")
		all, err := w.List(ctx, id)
		if err != nil || len(all) != 1 {
			t.Fatalf("%+v, %v", all, err)
		}
		_, err = w.Rename(ctx, dead, all[0].ID, "n")
		w.wants("name in it", err, "unauthenticated")
		w.wants("remove in it", w.Remove(ctx, dead, all[0].ID), "unauthenticated")
		o, err := w.BeginRenewal(ctx, dead)
		if err != nil {
			t.Fatal(err)
		}
		k.count++
		_, err = w.Renew(ctx, dead, from, k.get(o.Challenge).pack())
		w.wants("renew it", err, "unauthenticated")

		if err := w.Accounts.Deactivate(ctx, id); err != nil {
			t.Fatal(err)
		}
		_, err = w.signIn(k)
		w.wants("a deactivated account", err, "account_deactivated")
		k.flags &^= verified
		_, err = w.signIn(k)
		w.wants("a deactivated account, with a bad answer", err, "invalid_passkey")
		k.flags |= verified
		if err := w.Accounts.Forget(ctx, id); err != nil {
			t.Fatal(err)
		}
		_, err = w.signIn(k)
		w.wants("a deleted account", err, "invalid_passkey")
		if n, err := count(ctx, d, id); n != 0 || err != nil {
			t.Errorf("%d rows of a deleted account, %v", n, err)
		}
	})
}

// Failed answers count against their address; right ones do not.
func TestAttackLimits(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.Sessions.AddressLimit.Limit = 3
	w.BeginLimit.Limit = 12
	w.below.Join("ada")
	k := w.newKey()
	w.add(w.caller("ada"), k, "")
	for range 5 {
		if _, err := w.signIn(k); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		_, err := w.signIn(w.newKey())
		w.wants("a wrong one", err, "invalid_passkey")
	}
	_, err := w.signIn(k)
	w.wants("after three", err, "rate_limited")
	for range 3 {
		w.challenge()
	}
	_, err = w.BeginSignIn(t.Context(), from)
	w.wants("the thirteenth beginning", err, "rate_limited")
}
