package token_test

import (
	"crypto/rsa"
	"testing"

	"coffer/internal/db/dbtest"
	"coffer/internal/keyring"
	"coffer/internal/token/tokentest"
)

// go-jose, which this project did not write, verifies our tokens with our key set.
func TestOtherImplementationVerifies(t *testing.T) {
	t.Parallel()
	for alg, bits := range map[string]int{"RS256": 2048, "RS256-3072": 3072, "ES256": 0, "EdDSA": 0} {
		t.Run(alg, func(t *testing.T) {
			w := newWorld(t, dbtest.SQLite(t), func(s *setup) { s.TokenAlg = alg })
			text := w.issue(w.below.Join("ada"), "").text
			set := tokentest.KeySet(t, w.door, base)
			if len(set.Keys) != 2 {
				t.Errorf("%d keys are published, want the one that signs and the next", len(set.Keys))
			}
			if !tokentest.Verified(t, set, text) || !w.alive(text) {
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

// Keys that sign tokens and seal records change without any token dying. A destroyed key
// ends what hangs on it, however warm the caches are, and nothing else.
func TestDestroyedKeys(t *testing.T) {
	t.Parallel()
	for _, purpose := range []keyring.Purpose{keyring.Token, keyring.Session} {
		t.Run(string(purpose), func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, w *world) {
				ctx := t.Context()
				ada := w.below.Join("ada")
				warm, cold := w.issue(ada, "P-256"), w.issue(ada, "P-256")
				key, err := w.Ring.Active(ctx, purpose)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := w.Ring.Rotate(ctx, purpose); err != nil {
					t.Fatal(err)
				}
				late := w.issue(ada, "P-256")
				if !w.alive(warm.text) || !w.alive(late.text) || !tokentest.Verified(t, tokentest.KeySet(t, w.door, base), warm.text) {
					t.Fatal("a rotation ended a token")
				}
				if err := w.Ring.ForceDestroy(ctx, purpose, key.ID); err != nil {
					t.Fatal(err)
				}
				if w.alive(warm.text) || w.alive(cold.text) {
					t.Error("a token outlives a key that it hangs on")
				}
				if !w.alive(late.text) {
					t.Error("a token dies with another token's key")
				}
				if signed := tokentest.Verified(t, tokentest.KeySet(t, w.door, base), warm.text); signed != (purpose == keyring.Session) {
					t.Errorf("the key set verifies the token: %t", signed)
				}
			})
		})
	}
}
