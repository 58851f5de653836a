package session_test

import (
	"crypto/rsa"
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"coffer/internal/db/dbtest"
	"coffer/internal/keyring"
)

// keySet reads the published keys as another implementation does.
func (w *world) keySet() jose.JSONWebKeySet {
	w.t.Helper()
	got := w.browser().send("GET", "/.well-known/jwks.json", "", nil)
	if got.Status != 200 || got.Header.Get("Cache-Control") != "public, max-age=300" {
		w.t.Fatalf("%d %v", got.Status, got.Header)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(got.Raw), &set); err != nil {
		w.t.Fatal(err)
	}
	// The same stands where everybody looks for it.
	rec := httptest.NewRecorder()
	w.door.ServeHTTP(rec, httptest.NewRequest("GET", base+"/.well-known/jwks.json", nil))
	var again jose.JSONWebKeySet
	if err := json.Unmarshal(rec.Body.Bytes(), &again); err != nil || len(again.Keys) != len(set.Keys) {
		w.t.Errorf("/.well-known/jwks.json: %d %s", rec.Code, rec.Body)
	}
	return set
}

// verified says whether another implementation takes a token by the published keys.
func verified(t *testing.T, set jose.JSONWebKeySet, token string) bool {
	t.Helper()
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.EdDSA})
	if err != nil {
		t.Fatal(err)
	}
	keys := set.Key(jws.Signatures[0].Header.KeyID)
	if len(keys) != 1 {
		return false
	}
	if keys[0].Algorithm != jws.Signatures[0].Header.Algorithm || keys[0].Use != "sig" || !keys[0].Valid() || !keys[0].IsPublic() {
		t.Errorf("published: %+v", keys[0])
	}
	_, err = jws.Verify(keys[0].Key)
	return err == nil
}

// go-jose, which this project did not write, verifies our tokens with our key set.
func TestOtherImplementationVerifies(t *testing.T) {
	t.Parallel()
	for alg, bits := range map[string]int{"RS256": 2048, "RS256-3072": 3072, "ES256": 0, "EdDSA": 0} {
		t.Run(alg, func(t *testing.T) {
			w := newWorld(t, dbtest.SQLite(t), func(s *setup) { s.TokenAlg = alg })
			w.below.Join("ada")
			b := w.browser()
			token := b.signIn("ada").AccessToken
			set := w.keySet()
			if len(set.Keys) != 2 {
				t.Errorf("%d keys are published, want the one that signs and the next", len(set.Keys))
			}
			if !verified(t, set, token) || !b.alive(token) {
				t.Error("the token is not good")
			}
			for _, k := range set.Keys {
				if public, ok := k.Key.(*rsa.PublicKey); ok != (bits > 0) || ok && (public.N.BitLen() != bits || public.E != 65537) {
					t.Errorf("a key of %T", k.Key)
				}
			}
		})
	}
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
			if !b.alive(old) || !b.alive(b.access) || !verified(t, w.keySet(), old) {
				t.Fatal("a rotation signed somebody out")
			}
			w.is(b.send("POST", "/auth/refresh", "", nil), 201, "")
			if !b.alive(b.access) || !verified(t, w.keySet(), b.access) {
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
		_, h, _ := partsOf(t, old)
		if err := w.Ring.ForceDestroy(ctx, keyring.Token, h.Kid); err != nil {
			t.Fatal(err)
		}
		if b.alive(old) || verified(t, w.keySet(), old) {
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
		if !b.alive(b.access) || !verified(t, w.keySet(), b.access) {
			t.Fatalf("signed out after %d half days", half)
		}
	}
	w.below.Advance(12 * time.Hour)
	w.is(b.send("POST", "/auth/refresh", "", nil), 401, "invalid_refresh_token")
	if live, err := w.Ring.Live(t.Context(), keyring.Session); err != nil || len(live) < 25 {
		t.Errorf("%d session keys were made in a month, %v", len(live), err)
	}
}
