package token_test

import (
	"bytes"
	"crypto/ecdh"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"coffer/internal/fault"
	"coffer/internal/token"
	"coffer/internal/token/tokentest"
)

// Every point that Wycheproof calls invalid is refused where clients send keys, and every
// valid one leads to the agreement that it should (security.md row 62).
func TestWycheproofAgreement(t *testing.T) {
	t.Parallel()
	for file, crv := range tokentest.AgreementFiles {
		t.Run(file, func(t *testing.T) {
			good, bad := 0, 0
			for _, g := range tokentest.Vectors(t, file) {
				for _, v := range g.Tests {
					if crv == "P-521" && v.ID%8 != 0 && slices.Contains(v.Flags, "EdgeCaseDoubling") && os.Getenv("COFFER_TEST_LONG") != "1" {
						continue // hundreds of doublings at milliseconds each: arithmetic that is not ours
					}
					public, _, private := tokentest.Agreement(t, crv, v)
					if public == nil {
						bad++ // compressed, or of another length: there is no JWK for it
						if v.Result == "valid" {
							t.Errorf("%d %s: a valid point has no JWK", v.ID, v.Comment)
						}
						continue
					}
					if public.Crv != crv && tokentest.Suites[public.Crv] != "" {
						continue
					}
					shared := tokentest.Unhex(t, v.Shared)
					got, err := token.SealKey(public, private, []byte("sid"), "iss")
					if tokentest.Refused(crv, public, v) {
						bad++
						if err == nil {
							t.Errorf("%d %s %v: taken", v.ID, v.Comment, v.Flags)
						}
						continue
					}
					if err != nil {
						t.Errorf("%d %s: %v", v.ID, v.Comment, err)
						continue
					}
					good++
					own, err := tokentest.Curves[crv].NewPrivateKey(private)
					if err != nil {
						t.Fatal(err)
					}
					if want := tokentest.Agreed(crv, shared, []byte("sid"), "iss", own.PublicKey().Bytes(), tokentest.Point(t, public)); !bytes.Equal(got, want) {
						t.Errorf("%d %s: another key than the one that the shared secret makes", v.ID, v.Comment)
					}
				}
			}
			if good < 100 || bad < 20 {
				t.Errorf("%d good and %d bad vectors were looked at", good, bad)
			}
		})
	}
}

// Each invalid key of the vectors, and what else is no public key, gets the same refusal.
func TestInvalidKeys(t *testing.T) {
	t.Parallel()
	for name, key := range tokentest.InvalidKeys(t) {
		if _, err := token.ParseKey(key); err == nil || fault.Of(err).Code != token.ErrPublicKey.Code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A point of low order is refused by the agreement as well.
func TestLowOrderAgreement(t *testing.T) {
	t.Parallel()
	server, _ := tokentest.KeyPair(t, "X25519")
	for _, point := range [][]byte{make([]byte, 32), append([]byte{1}, make([]byte, 31)...)} {
		low, err := ecdh.X25519().NewPublicKey(point)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := token.SealKeyOf(server, low); err == nil {
			t.Error("an agreement on zero")
		}
		if _, err := token.ParseKey(tokentest.JWK("X25519", point)); err == nil {
			t.Error("a client's key of low order is taken")
		}
	}
}

// The cipher of payloads: AES-256-GCM with 96-bit nonces and whole tags.
func TestWycheproofAESGCM(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, g := range tokentest.Vectors(t, "aes_gcm_test.json") {
		for _, v := range g.Tests {
			key, iv := tokentest.Unhex(t, v.Key), tokentest.Unhex(t, v.IV)
			if len(key) != 32 || len(iv) != 12 || len(v.Tag) != 32 {
				continue
			}
			seen++
			aead, err := token.NewAEAD(key)
			if err != nil {
				t.Fatal(err)
			}
			got, err := aead.Open(nil, iv, tokentest.Unhex(t, v.CT+v.Tag), tokentest.Unhex(t, v.AAD))
			if (err == nil) != (v.Result == "valid") || err == nil && !bytes.Equal(got, tokentest.Unhex(t, v.Msg)) {
				t.Errorf("%d %s: %v", v.ID, v.Comment, err)
			}
		}
	}
	if seen < 60 {
		t.Errorf("%d vectors were looked at", seen)
	}
}

// Our signature check on Wycheproof's JWS: for keys and algorithms that a ring can hold,
// what is invalid is refused and what is valid is taken.
func TestWycheproofJWS(t *testing.T) {
	t.Parallel()
	valid, invalid := 0, 0
	for _, g := range tokentest.Vectors(t, "json_web_signature_test.json") {
		raw := g.Public
		if raw == nil {
			raw = g.Private
		}
		var k jose.JSONWebKey
		if err := json.Unmarshal(raw, &k); err != nil {
			continue // a key that go-jose does not read either: oct with odd members, other curves
		}
		if k.Algorithm != "RS256" && k.Algorithm != "ES256" && k.Algorithm != "EdDSA" {
			continue
		}
		for _, v := range g.Tests {
			text, compact := v.JWS.(string)
			if !compact {
				continue
			}
			// The one part of our check that knows the token's alg: it must be the key's.
			first, _, _ := strings.Cut(text, ".")
			var h struct{ Alg string }
			if b, err := b64.DecodeString(first); err == nil {
				_ = json.Unmarshal(b, &h) // what is no JSON has no alg
			}
			got := h.Alg == k.Algorithm && token.VerifyJWS(k.Public().Key, text)
			switch {
			case v.Result == "valid" && k.Use != "enc":
				valid++
			default:
				invalid++
			}
			if got != (v.Result == "valid") {
				t.Errorf("%s %d %s %v: good = %t, want %s", g.Comment, v.ID, v.Comment, v.Flags, got, v.Result)
			}
		}
	}
	if valid < 3 || invalid < 50 {
		t.Errorf("%d valid and %d invalid vectors were looked at", valid, invalid)
	}
}
