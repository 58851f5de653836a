package session_test

import (
	"testing"
	"time"

	"coffer/internal/db/dbtest"
	"coffer/internal/keyring"
	"coffer/internal/token/tokentest"
)

// published reports whether another implementation takes a token by the published keys.
func (w *world) published(token string) bool {
	w.t.Helper()
	return tokentest.Verified(w.t, tokentest.KeySet(w.t, w.door, base), token)
}

// Signing, record and refresh keys change without anybody noticing, each any number of
// times; a destroyed one ends what hangs on it, however warm the caches are.
func TestRotation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.below.Join("ada")
		b := w.browser()
		b.signIn("ada")
		old := b.access
		for range 3 {
			for _, p := range []keyring.Purpose{keyring.Token, keyring.Session, keyring.Refresh} {
				if _, err := w.Ring.Rotate(ctx, p); err != nil {
					t.Fatal(err)
				}
			}
			if !b.alive(old) || !b.alive(b.access) || !w.published(old) {
				t.Fatal("a rotation signed somebody out")
			}
			w.is(b.send("POST", "/auth/refresh", "", nil), 201, "")
			if !b.alive(b.access) || !w.published(b.access) {
				t.Fatal("no good token after a rotation")
			}
			w.browser().signIn("ada")
		}
		// A lost answer is repeated with the key that made it.
		before := b.jar["__Host-coffer-refresh"]
		child := w.is(b.send("POST", "/auth/refresh", "", nil), 201, "")
		if _, err := w.Ring.Rotate(ctx, keyring.Refresh); err != nil {
			t.Fatal(err)
		}
		want := b.jar["__Host-coffer-refresh"]
		b.jar["__Host-coffer-refresh"] = before
		w.is(b.send("POST", "/auth/refresh", "", nil), 201, "")
		if b.jar["__Host-coffer-refresh"] != want {
			t.Error("a rotation between two uses of one refresh token made two children")
		}
		_, h, _ := tokentest.Parts(t, old)
		if err := w.Ring.ForceDestroy(ctx, keyring.Token, h.Kid); err != nil {
			t.Fatal(err)
		}
		if b.alive(old) || w.published(old) {
			t.Error("a token outlives the key that signed it")
		}
		if !b.alive(child.AccessToken) {
			t.Error("a token dies with another token's key")
		}
	})
}

func TestDestroyedSessionKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.below.Join("ada")
		b, cold := w.browser(), w.browser()
		b.signIn("ada")
		cold.signIn("ada")
		key, err := w.Ring.Active(t.Context(), keyring.Session)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Ring.Rotate(t.Context(), keyring.Session); err != nil {
			t.Fatal(err)
		}
		late := w.browser()
		late.signIn("ada")
		if !b.alive(b.access) {
			t.Fatal("a rotation signed somebody out")
		}
		if err := w.Ring.ForceDestroy(t.Context(), keyring.Session, key.ID); err != nil {
			t.Fatal(err)
		}
		if b.alive(b.access) || cold.alive(cold.access) {
			t.Error("a session outlives the key that seals its record")
		}
		w.is(b.send("POST", "/auth/refresh", "", nil), 401, "invalid_refresh_token")
		if !late.alive(late.access) {
			t.Error("a session dies with another one's key")
		}
	})
}

// What maintenance does to the ring in a session's whole life signs nobody out of it.
func TestMaintenanceSignsNobodyOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.below.Join("ada")
	b := w.browser()
	b.signIn("ada")
	for half := 1; half < 60; half++ {
		w.below.Advance(12 * time.Hour)
		if err := w.Ring.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.is(b.send("POST", "/auth/refresh", "", nil), 201, "")
		if !b.alive(b.access) || !w.published(b.access) {
			t.Fatalf("signed out after %d half days", half)
		}
	}
	w.below.Advance(12 * time.Hour)
	w.is(b.send("POST", "/auth/refresh", "", nil), 401, "invalid_refresh_token")
	if live, err := w.Ring.Live(t.Context(), keyring.Session); err != nil || len(live) < 25 {
		t.Errorf("%d session keys were made in a month, %v", len(live), err)
	}
}
