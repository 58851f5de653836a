package session_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
	"coffer/internal/rest"
)

// A token and its session end when they say, by the server's clock alone.
func TestLifetimes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.below.Join("ada")
		b := w.browser()
		first := b.signIn("ada")
		w.below.Advance(15*time.Minute - time.Second)
		if !b.alive(first.AccessToken) {
			t.Error("a token died before its time")
		}
		w.below.Advance(time.Second)
		if b.alive(first.AccessToken) {
			t.Error("a token outlived its time")
		}
		w.is(b.send("POST", "/auth/refresh", "", nil), 201, "")
		if !b.alive(b.access) {
			t.Error("a refreshed token is refused")
		}
		// A clock that is a little behind the node's that made the token is borne.
		w.below.Advance(-5 * time.Second)
		if !b.alive(b.access) {
			t.Error("a clock five seconds behind refuses fresh tokens")
		}
		w.below.Advance(-time.Minute)
		if b.alive(b.access) {
			t.Error("a token is good long before it was made")
		}
	})
}

// Nothing that a session has can live longer than it.
func TestTokensEndWithTheirSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), func(s *setup) {
		s.accessTTL, s.config.RefreshTTL, s.config.SessionTTL = time.Hour, 10*time.Minute, 15*time.Minute
	})
	w.below.Join("ada")
	b := w.browser()
	got := b.signIn("ada")
	if got.ExpiresIn != 600 || got.RefreshExpiresIn != 600 {
		t.Errorf("an idle life of ten minutes gives tokens of %d and %d s", got.ExpiresIn, got.RefreshExpiresIn)
	}
	w.below.Advance(8 * time.Minute)
	got = w.is(b.send("POST", "/auth/refresh", "", nil), 201, "")
	if got.ExpiresIn != 420 || got.RefreshExpiresIn != 420 {
		t.Errorf("seven minutes before the end: tokens of %d and %d s", got.ExpiresIn, got.RefreshExpiresIn)
	}
	w.below.Advance(7 * time.Minute)
	if b.alive(b.access) {
		t.Error("a token outlives its session")
	}
}

// A session's end is sealed in its record and in its row: who can write to the database, and
// keeps the key store from forgetting, does not prolong it.
func TestEndIsSealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), inMemory, func(s *setup) { s.config.RefreshTTL, s.config.SessionTTL = time.Hour, time.Hour })
	w.below.Join("ada")
	b := w.browser()
	got := b.signIn("ada", inBody)
	record, err := w.below.KV.Get(t.Context(), recordName(got.SessionID))
	if err != nil {
		t.Fatal(err)
	}
	for _, left := range []time.Duration{30 * time.Minute, -time.Second} {
		w.below.Advance(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC).Add(-left).Sub(w.Now()))
		far := w.Now().Add(24 * time.Hour).UnixMilli()
		if _, err := w.DB.Exec(t.Context(), `UPDATE sessions SET refresh_expires_at = $1`, far); err != nil {
			t.Fatal(err)
		}
		if err := w.below.KV.Put(t.Context(), recordName(got.SessionID), record, 24*time.Hour); err != nil {
			t.Fatal(err)
		}
		want := 201
		if left < 0 {
			want = 401
		}
		next := b.trade(got.RefreshToken)
		if next.Status != want {
			t.Fatalf("%s before the end: %d %.200s", left, next.Status, next.Raw)
		}
		if left > 0 {
			got.RefreshToken = next.RefreshToken
		}
	}
	far := w.Now().Add(24 * time.Hour).UnixMilli()
	if _, err := w.DB.Exec(t.Context(), `UPDATE sessions SET expires_at = $1`, far); err != nil {
		t.Fatal(err)
	}
	w.is(b.trade(got.RefreshToken), 401, "invalid_refresh_token")
}

// Neither store alone, nor both, opens a token without the ring and the token; and what
// is cached does not answer for a store that is away.
func TestStoresThatAreAway(t *testing.T) {
	t.Parallel()
	var broken breakable
	w := newWorld(t, dbtest.SQLite(t), func(s *setup) { s.KV = broken.over })
	w.below.Join("ada")
	b := w.browser()
	b.signIn("ada")
	if !b.alive(b.access) {
		t.Fatal("a fresh token is refused")
	}
	broken.down.Store(true)
	w.is(b.as("GET", "/account", nil), 503, "unavailable")
	w.is(b.attempt("ada"), 503, "unavailable")
	w.is(b.send("POST", "/auth/sign-out", "Bearer "+b.access, nil), 503, "unavailable")
	broken.down.Store(false)
	if !b.alive(b.access) {
		t.Error("the token is refused once the store is back")
	}
}

// Status and version of the account are asked on every request.
func TestAccountDecidesEachTime(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada, eve := w.below.Join("ada"), w.below.Join("eve")
		a, e := w.browser(), w.browser()
		a.signIn("ada")
		e.signIn("eve")
		if !a.alive(a.access) || !e.alive(e.access) {
			t.Fatal("fresh tokens are refused")
		}
		w.bump(ada)
		if a.alive(a.access) {
			t.Error("a token outlives its account's version")
		}
		w.is(a.send("POST", "/auth/refresh", "", nil), 401, "invalid_refresh_token")
		if err := w.Accounts.Forget(t.Context(), eve); err != nil {
			t.Fatal(err)
		}
		if e.alive(e.access) {
			t.Error("a token outlives its account")
		}
		w.is(e.send("POST", "/auth/refresh", "", nil), 401, "invalid_refresh_token")
		if n := w.count(`SELECT COUNT(*) FROM sessions WHERE account = $1`, string(eve)); n != 0 {
			t.Errorf("%d sessions of an account that is gone", n)
		}
		deactivated := w.below.Join("zoe")
		z := w.browser()
		z.signIn("zoe")
		if _, err := w.DB.Exec(t.Context(), `UPDATE accounts SET status = $1 WHERE id = $2`, account.Deactivated, string(deactivated)); err != nil {
			t.Fatal(err)
		}
		if z.alive(z.access) {
			t.Error("a token outlives its account's deactivation")
		}
		w.is(z.send("POST", "/auth/refresh", "", nil), 401, "invalid_refresh_token")
		w.is(z.attempt("zoe"), 403, "account_deactivated")
		w.is(z.attempt("zoe", fields{"password": "wrong otters 41"}), 401, "invalid_credentials")
	})
}

// Alive and Hold refuse a session after each way of ending it, and ignore the access
// token's expiry.
func TestAliveAndHold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id := w.below.Join("ada")
		hold := func(c rest.Caller) error {
			return w.DB.Tx(t.Context(), func(tx *db.Tx) error { return w.Hold(t.Context(), tx, account.ID(c.Account), c.Session) })
		}
		both := func(what string, c rest.Caller, live bool) {
			t.Helper()
			for name, err := range map[string]error{"Alive": w.Alive(t.Context(), c), "Hold": hold(c)} {
				if (err == nil) != live || err != nil && fault.Of(err).Kind != fault.Unauthenticated {
					t.Errorf("%s: %s: %v, want live: %t", what, name, err, live)
				}
			}
		}
		begin := func() (*browser, rest.Caller) {
			b := w.browser()
			c, err := w.Authenticate(t.Context(), &rest.Sent{Authorization: "Bearer " + b.signIn("ada").AccessToken})
			if err != nil {
				t.Fatal(err)
			}
			return b, c
		}
		b, c := begin()
		both("at the start", c, true)
		w.below.Advance(16 * time.Minute)
		both("when the token has ended", c, true)
		w.is(b.send("POST", "/auth/refresh", "", nil), 201, "")
		w.is(b.send("POST", "/auth/sign-out", "", nil), 204, "")
		both("signed out", c, false)

		_, c = begin()
		stranger := c
		stranger.Account = string(w.below.Join("eve"))
		if err := hold(stranger); err == nil {
			t.Error("held somebody else's session")
		}
		if err := w.RevokeAll(t.Context(), id, ""); err != nil {
			t.Fatal(err)
		}
		both("revoked", c, false)

		_, c = begin()
		w.bump(id)
		both("of an account that was bumped", c, false)

		_, c = begin()
		w.below.Advance(25 * time.Hour)
		both("idle for too long", c, false)

		_, c = begin()
		if _, err := w.DB.Exec(t.Context(), `UPDATE accounts SET status = $1 WHERE id = $2`, account.Deactivated, string(id)); err != nil {
			t.Fatal(err)
		}
		if err := hold(c); err == nil {
			t.Error("held a session of a deactivated account")
		}
	})
}

// An end that is acknowledged before the commit wins, and one that is not waits for it.
func TestHoldAgainstSignOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id := w.below.Join("ada")
		for range 20 {
			b := w.browser()
			c, err := w.Authenticate(t.Context(), &rest.Sent{Authorization: "Bearer " + b.signIn("ada").AccessToken})
			if err != nil {
				t.Fatal(err)
			}
			var acknowledged atomic.Bool
			var late bool
			var all sync.WaitGroup
			all.Go(func() {
				if err := w.Revoke(t.Context(), id, c.Session); err != nil {
					t.Error(err)
				}
				acknowledged.Store(true)
			})
			all.Go(func() {
				err := w.DB.Tx(t.Context(), func(tx *db.Tx) error {
					late = false
					if err := w.Hold(t.Context(), tx, id, c.Session); err != nil {
						return err
					}
					late = acknowledged.Load()
					return nil
				})
				if err != nil && fault.Of(err).Kind != fault.Unauthenticated {
					t.Error(err)
				}
			})
			all.Wait()
			if late {
				t.Fatal("held a session whose end was acknowledged")
			}
		}
	})
}
