package session_test

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/kv"
	"coffer/internal/rest"
	"coffer/internal/session"
	"coffer/internal/token"
	"coffer/internal/token/tokentest"
)

// trade uses a refresh token as a client does that keeps none of it.
func (b *browser) trade(token string, more ...fields) reply {
	body := fields{"refresh_token": token}
	for _, m := range more {
		for k, v := range m {
			body[k] = v
		}
	}
	return b.request(true, "POST", "/auth/refresh", "", body)
}

// dead fails the test unless a session is over and its owner was told so many times.
func (w *world) dead(b *browser, mails int, access string, refresh ...string) {
	w.t.Helper()
	if b.alive(access) {
		w.t.Error("the session's access token is good")
	}
	for _, token := range refresh {
		w.is(b.trade(token), 401, "invalid_refresh_token")
	}
	got := w.below.Told()
	if len(got) != mails || mails > 0 && got[0] != "ada@canary.example refresh-reuse" {
		w.t.Errorf("mails %q, want %d of refresh-reuse", got, mails)
	}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.below.Join("ada")
		b := w.browser()
		_, public := tokentest.KeyPair(t, "P-256")
		first := b.signIn("ada", inBody, fields{"public_key": public})
		if !strings.HasPrefix(first.RefreshToken, "cr1.") || len(strings.Split(first.RefreshToken, ".")) != 3 {
			t.Errorf("a refresh token is %q", first.RefreshToken)
		}
		seen := map[string]bool{first.RefreshToken: true}
		token := first.RefreshToken
		for range 5 {
			w.below.Advance(time.Hour)
			got := w.is(b.trade(token), 201, "")
			if seen[got.RefreshToken] || got.SessionID != first.SessionID || got.AAL != "aal1" || got.Account.ID != first.Account.ID ||
				got.ExpiresIn != 900 || got.RefreshExpiresIn != 86400 || !cmp.Equal(got.ServerPublicKey, first.ServerPublicKey) {
				t.Fatalf("refresh: %s", got.Raw)
			}
			if !b.alive(got.AccessToken) {
				t.Error("the new access token is refused")
			}
			token = got.RefreshToken
			seen[token] = true
		}
		if n := w.count(`SELECT refresh_seq FROM sessions WHERE id = $1`, first.SessionID); n != 5 {
			t.Errorf("%d rotations, want 5", n)
		}
		if mails := w.below.Told(); len(mails) != 0 {
			t.Errorf("mails %q", mails)
		}
	})
}

// Any number of uses of one token at the same moment: one rotation, one child, nobody is
// signed out.
func TestRefreshRace(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.below.Join("ada")
		b := w.browser()
		got := b.signIn("ada", inBody)
		token := got.RefreshToken
		for round := range 4 {
			children := race(12, func(int) string {
				r := b.trade(token)
				if r.Status != 201 || !b.alive(r.AccessToken) {
					t.Errorf("%d %.200s", r.Status, r.Raw)
				}
				return r.RefreshToken
			})
			if len(children) != 1 {
				t.Fatalf("%d children of one token: %v", len(children), children)
			}
			for child := range children {
				if child == token {
					t.Fatal("the child is its parent")
				}
				token = child
			}
			if n := w.count(`SELECT refresh_seq FROM sessions WHERE id = $1`, got.SessionID); n != round+1 {
				t.Fatalf("%d rotations after %d rounds", n, round+1)
			}
		}
		if mails := w.below.Told(); len(mails) != 0 {
			t.Errorf("mails %q", mails)
		}
	})
}

func TestRefreshGrace(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.below.Join("ada")
		b := w.browser()
		first := b.signIn("ada", inBody)
		child := b.trade(first.RefreshToken)
		w.below.Advance(10 * time.Second)
		again := w.is(b.trade(first.RefreshToken), 201, "")
		if again.RefreshToken != child.RefreshToken || again.RefreshExpiresIn != 86390 {
			t.Errorf("within the grace: %.300s", again.Raw)
		}
		// Asking again does not prolong the grace.
		w.below.Advance(time.Millisecond)
		w.is(b.trade(first.RefreshToken), 401, "invalid_refresh_token")
		w.dead(b, 1, child.AccessToken, child.RefreshToken, first.RefreshToken)
	})
}

func TestNoGrace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), func(s *setup) { s.config.RefreshGrace = 0 })
	w.below.Join("ada")
	b := w.browser()
	first := b.signIn("ada", inBody)
	child := b.trade(first.RefreshToken)
	w.below.Advance(time.Millisecond)
	w.is(b.trade(first.RefreshToken), 401, "invalid_refresh_token")
	w.dead(b, 1, child.AccessToken, child.RefreshToken)
}

// Once the child was used, its parent is stolen goods, grace or not.
func TestReuseAfterTheChild(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.below.Join("ada")
		b, other := w.browser(), w.browser()
		first := b.signIn("ada", inBody)
		bystander := other.signIn("ada", inBody)
		child := b.trade(first.RefreshToken)
		grandchild := b.trade(child.RefreshToken)
		if grandchild.Status != 201 {
			t.Fatal(grandchild.Raw)
		}
		w.is(b.trade(first.RefreshToken), 401, "invalid_refresh_token")
		w.dead(b, 1, grandchild.AccessToken, grandchild.RefreshToken, child.RefreshToken, first.RefreshToken)
		if !other.alive(bystander.AccessToken) || other.trade(bystander.RefreshToken).Status != 201 {
			t.Error("another session of the account died with it")
		}
		if n := w.count(`SELECT COUNT(*) FROM sessions`); n != 1 {
			t.Errorf("%d sessions are left, want 1", n)
		}
	})
}

// Thieves and owner at once with an old token: the session dies once, with one mail.
func TestReuseRace(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.below.Join("ada")
		b := w.browser()
		first := b.signIn("ada", inBody)
		child := b.trade(first.RefreshToken)
		w.below.Advance(time.Minute)
		got := race(12, func(i int) string {
			if i%2 == 0 {
				return said(b.trade(first.RefreshToken))
			}
			return said(b.trade(child.RefreshToken))
		})
		if got["401 invalid_refresh_token"]+got["201"] != 12 || got["401 invalid_refresh_token"] < 6 {
			t.Errorf("answers %v", got)
		}
		w.dead(b, 1, child.AccessToken, child.RefreshToken)
	})
}

// Two uses of a stolen token that both find the session alive end it once: one mail.
func TestReuseToldOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var gate cutting
		w := newWorld(t, d, func(s *setup) {
			s.KV = func(now func() time.Time) kv.Store { gate.Store = kv.NewMemory(now); return &gate }
		})
		w.below.Join("ada")
		b := w.browser()
		first := b.signIn("ada", inBody)
		child := b.trade(first.RefreshToken)
		w.below.Advance(time.Minute)
		var both sync.WaitGroup
		both.Add(2)
		gate.deleting = func() { both.Done(); both.Wait() }
		if got := race(2, func(int) string { return said(b.trade(first.RefreshToken)) }); got["401 invalid_refresh_token"] != 2 {
			t.Errorf("answers %v", got)
		}
		gate.deleting = nil
		w.dead(b, 1, child.AccessToken, child.RefreshToken)
	})
}

// Who knows a family and not its token has held an old one, or guesses 256 bits: both end
// the session.
func TestForgedSecret(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.below.Join("ada")
		b := w.browser()
		first := b.signIn("ada", inBody)
		family, secret, ok := session.ParseRefresh(first.RefreshToken)
		if !ok {
			t.Fatal("the refresh token cannot be read")
		}
		// What is not of the form, or of no family, says nothing about anybody.
		for name, token := range map[string]string{
			"nothing": "", "another family": session.FormatRefresh(bytes.Repeat([]byte{1}, 16), secret),
			"short": session.FormatRefresh(family, secret[:31]), "long": session.FormatRefresh(family, append(bytes.Clone(secret), 0)),
			"version": "cr2" + first.RefreshToken[3:], "padding": first.RefreshToken + "=", "line end": first.RefreshToken + "\n",
			"four parts": first.RefreshToken + ".x", "an access token": first.AccessToken[:90], "a device token": "cd1." + strings.Repeat("A", 43),
			"NUL": "cr1.\x00.\x00",
		} {
			if got := b.trade(token); said(got) != "401 invalid_refresh_token" {
				t.Errorf("%s: %d %.200s", name, got.Status, got.Raw)
			}
		}
		if !b.alive(first.AccessToken) {
			t.Fatal("tokens of nobody ended a session")
		}
		w.is(b.trade(session.FormatRefresh(family, bytes.Repeat([]byte{2}, 32))), 401, "invalid_refresh_token")
		w.dead(b, 1, first.AccessToken, first.RefreshToken)
	})
}

// Idle and absolute ends, on the second.
func TestRefreshEnds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.below.Join("ada")
		idle, busy := w.browser(), w.browser()
		lazy := idle.signIn("ada", inBody)
		token := busy.signIn("ada", inBody).RefreshToken
		w.below.Advance(24*time.Hour - time.Second)
		lazy = w.is(idle.trade(lazy.RefreshToken), 201, "") // moves the idle end
		token = w.is(busy.trade(token), 201, "").RefreshToken
		w.below.Advance(24 * time.Hour)
		w.is(idle.trade(lazy.RefreshToken), 401, "invalid_refresh_token")
		// Constant activity does not move the absolute end.
		w.below.Advance(-time.Hour)
		for w.Now().Before(time.Date(2026, 12, 20, 8, 0, 0, 0, time.UTC)) {
			got := w.is(busy.trade(token), 201, "")
			token = got.RefreshToken
			w.below.Advance(23 * time.Hour)
		}
		w.below.Advance(time.Date(2026, 12, 20, 8, 59, 0, 0, time.UTC).Sub(w.Now()))
		last := w.is(busy.trade(token), 201, "")
		if last.RefreshExpiresIn != 60 || last.ExpiresIn != 60 {
			t.Errorf("a minute before the end: %d and %d s", last.RefreshExpiresIn, last.ExpiresIn)
		}
		w.below.Advance(time.Minute)
		w.is(busy.trade(last.RefreshToken), 401, "invalid_refresh_token")
		if busy.alive(last.AccessToken) {
			t.Error("an access token outlives the session")
		}
		if mails := w.below.Told(); len(mails) != 0 {
			t.Errorf("an end in time worries the owner: %q", mails)
		}
		if err := w.Prune(t.Context()); err != nil || w.count(`SELECT COUNT(*) FROM sessions`) != 0 {
			t.Errorf("sessions that are over are left behind, %v", err)
		}
	})
}

func TestRefreshClientKey(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.below.Join("ada")
		b := w.browser()
		_, mine := tokentest.KeyPair(t, "P-256")
		_, other := tokentest.KeyPair(t, "P-256")
		_, curve := tokentest.KeyPair(t, "X25519")
		first := b.signIn("ada", inBody, fields{"public_key": mine})
		for _, k := range []*token.PublicKey{other, curve} {
			w.is(b.trade(first.RefreshToken, fields{"public_key": k}), 401, "invalid_refresh_token")
		}
		if !b.alive(first.AccessToken) {
			t.Fatal("an unused token that came with another key ended the session")
		}
		child := w.is(b.trade(first.RefreshToken, fields{"public_key": mine}), 201, "")
		// The grace is for the client that lost an answer.
		w.is(b.trade(first.RefreshToken, fields{"public_key": other}), 401, "invalid_refresh_token")
		w.dead(b, 1, child.AccessToken, child.RefreshToken)
	})
}

// A store that is away costs a wait, never a session: the token is as good as before.
func TestRefreshWithoutStores(t *testing.T) {
	t.Parallel()
	var broken breakable
	w := newWorld(t, dbtest.SQLite(t), func(s *setup) { s.KV = broken.over })
	w.below.Join("ada")
	b := w.browser()
	first := b.signIn("ada", inBody)
	broken.down.Store(true)
	for range 3 {
		w.is(b.trade(first.RefreshToken), 503, "unavailable")
	}
	broken.down.Store(false)
	w.below.Advance(time.Hour)
	child := w.is(b.trade(first.RefreshToken), 201, "")
	// A reuse that is noticed while the store is away ends the session when it is back.
	w.below.Advance(time.Minute)
	broken.down.Store(true)
	w.is(b.trade(first.RefreshToken), 503, "unavailable")
	broken.down.Store(false)
	if !b.alive(child.AccessToken) {
		t.Error("half an end")
	}
	w.is(b.trade(first.RefreshToken), 401, "invalid_refresh_token")
	w.dead(b, 1, child.AccessToken, child.RefreshToken)
}

// A process that dies, or a client that hangs up, between any two steps of a refresh:
// asked again within the grace, the answer is the one that was lost.
func TestRefreshCutOff(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var gate cutting
		w := newWorld(t, d, func(s *setup) {
			s.KV = func(now func() time.Time) kv.Store { gate.Store = kv.NewMemory(now); return &gate }
			s.accessTTL = time.Minute
		})
		w.below.Join("ada")
		first := w.browser().signIn("ada", inBody)
		ctx, cancel := context.WithCancel(t.Context())
		gate.got = func(string) { cancel() } // after the record is read, before the token is used up
		if _, err := w.Refresh(ctx, &rest.Sent{}, first.RefreshToken, nil); err == nil {
			t.Fatal("a refresh whose client has gone came to an end")
		}
		gate.got = nil
		if n := w.count(`SELECT refresh_seq FROM sessions`); n != 0 {
			t.Fatalf("%d rotations by a refresh that was cut off", n)
		}
		// Now cut off after the rotation: the answer is lost.
		lost, err := w.Refresh(t.Context(), &rest.Sent{}, first.RefreshToken, nil)
		if err != nil {
			t.Fatal(err)
		}
		again := w.is(w.browser().trade(first.RefreshToken), 201, "")
		if again.RefreshToken != lost.RefreshToken {
			t.Error("who lost an answer gets another one")
		}
		w.is(w.browser().trade(again.RefreshToken), 201, "")
	})
}

// cutting is a store that tells when a record was read, or is about to be removed.
type cutting struct {
	kv.Store
	got      func(key string)
	deleting func()
}

func (c *cutting) Delete(ctx context.Context, key string) error {
	if c.deleting != nil {
		c.deleting()
	}
	return c.Store.Delete(ctx, key)
}

func (c *cutting) Get(ctx context.Context, key string) ([]byte, error) {
	b, err := c.Store.Get(ctx, key)
	if c.got != nil {
		c.got(key)
	}
	return b, err
}
