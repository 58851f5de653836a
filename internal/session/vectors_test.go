package session_test

import (
	"bytes"
	"crypto/ecdh"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"coffer/internal/db/dbtest"
	"coffer/internal/session"
)

// vector is one case of any of the Wycheproof files that are read here.
type vector struct {
	ID      int `json:"tcId"`
	Comment string
	Flags   []string
	Result  string

	Public, Private json.RawMessage // points, or JWKs
	Shared          string
	Key, IV         string
	AAD, Msg        string
	CT, Tag         string
	JWS             any
}

type group struct {
	Comment, Type   string
	Public, Private json.RawMessage
	Tests           []vector
}

func vectors(t *testing.T, file string) []group {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "test", "wycheproof", file))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ TestGroups []group }
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	return doc.TestGroups
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// agreement is one ECDH vector as a session sees it.
func agreement(t *testing.T, crv string, v vector) (public *session.PublicKey, point, private []byte) {
	t.Helper()
	var k session.PublicKey
	if err := json.Unmarshal(v.Public, &k); err == nil {
		var own session.PublicKey
		if err := json.Unmarshal(v.Private, &own); err != nil {
			t.Fatal(err)
		}
		return &k, nil, unb64(t, own.D)
	}
	var encoded, secret string
	if json.Unmarshal(v.Public, &encoded) != nil || json.Unmarshal(v.Private, &secret) != nil {
		t.Fatalf("vector %d has no keys", v.ID)
	}
	point, private = unhex(t, encoded), unhex(t, secret)
	size := map[string]int{"P-521": 66, "P-256": 32, "X25519": 32}[crv]
	// Wycheproof writes private keys as integers of any length.
	private = append(make([]byte, max(0, size-len(private))), bytes.TrimLeft(private, "\x00")...)
	private = append(make([]byte, max(0, size-len(private))), private...)
	private = private[len(private)-size:]
	if crv == "X25519" {
		private = unhex(t, secret)
	} else if len(point) != 1+2*size || point[0] != 4 {
		return nil, point, private
	}
	return jwkOf(crv, point), point, private
}

// refused reports whether no server may take this vector's key: an invalid one, or for
// X25519 one that agrees on zero. A key of another of our curves is good by itself.
func refused(crv string, public *session.PublicKey, v vector) bool {
	if public != nil && public.Crv != crv {
		return suiteNames[public.Crv] == ""
	}
	return v.Result == "invalid" || crv == "X25519" && strings.Trim(v.Shared, "0") == ""
}

// Every point that Wycheproof calls invalid is refused where clients send keys, and every
// valid one leads to the agreement that it should (security.md row 62).
func TestWycheproofAgreement(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"ecdh_secp521r1_webcrypto_test.json": "P-521", "ecdh_secp521r1_ecpoint_test.json": "P-521",
		"ecdh_secp256r1_webcrypto_test.json": "P-256", "ecdh_secp256r1_ecpoint_test.json": "P-256",
		"x25519_jwk_test.json": "X25519", "x25519_test.json": "X25519",
	}
	for file, crv := range files {
		t.Run(file, func(t *testing.T) {
			good, bad := 0, 0
			for _, g := range vectors(t, file) {
				for _, v := range g.Tests {
					if crv == "P-521" && v.ID%8 != 0 && slices.Contains(v.Flags, "EdgeCaseDoubling") && os.Getenv("COFFER_TEST_LONG") != "1" {
						continue // hundreds of doublings at milliseconds each: arithmetic that is not ours
					}
					public, _, private := agreement(t, crv, v)
					if public == nil {
						bad++ // compressed, or of another length: there is no JWK for it
						if v.Result == "valid" {
							t.Errorf("%d %s: a valid point has no JWK", v.ID, v.Comment)
						}
						continue
					}
					if public.Crv != crv && suiteNames[public.Crv] != "" {
						continue
					}
					shared := unhex(t, v.Shared)
					got, err := session.SealKey(public, private, []byte("sid"), "iss")
					if refused(crv, public, v) {
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
					own, err := map[string]ecdh.Curve{"P-521": ecdh.P521(), "P-256": ecdh.P256(), "X25519": ecdh.X25519()}[crv].NewPrivateKey(private)
					if err != nil {
						t.Fatal(err)
					}
					if want := agreed(crv, shared, []byte("sid"), "iss", own.PublicKey().Bytes(), pointOf(t, public)); !bytes.Equal(got, want) {
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

// At the door: each invalid key of the vectors, and what else is no public key, gets the
// same answer, before a password is looked at or a limit touched.
func TestInvalidPublicKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.below.Join("ada")
	b := w.browser()
	bad := map[string]any{}
	for file, crv := range map[string]string{
		"ecdh_secp521r1_webcrypto_test.json": "P-521", "ecdh_secp521r1_ecpoint_test.json": "P-521",
		"ecdh_secp256r1_webcrypto_test.json": "P-256", "ecdh_secp256r1_ecpoint_test.json": "P-256",
		"x25519_test.json": "X25519", "x25519_jwk_test.json": "X25519",
	} {
		for _, g := range vectors(t, file) {
			for _, v := range g.Tests {
				public, point, _ := agreement(t, crv, v)
				if refused(crv, public, v) {
					if public == nil { // what a careless client makes of it
						public = &session.PublicKey{Kty: "EC", Crv: crv, X: b64.EncodeToString(point), Y: b64.EncodeToString(point)}
					}
					bad[file+" "+v.Comment+" "+strings.Join(v.Flags, " ")] = public
				}
			}
		}
	}
	private, good := keyPair(t, "P-521")
	zero := b64.EncodeToString(make([]byte, 66))
	alter := func(name string, change func(*session.PublicKey)) {
		k := *good
		change(&k)
		bad[name] = &k
	}
	alter("a private key", func(k *session.PublicKey) { k.D = b64.EncodeToString(private.Bytes()) })
	alter("no crv", func(k *session.PublicKey) { k.Crv = "" })
	alter("another crv", func(k *session.PublicKey) { k.Crv = "P-256" })
	alter("P-384", func(k *session.PublicKey) { k.Crv = "P-384" })
	alter("kty OKP", func(k *session.PublicKey) { k.Kty = "OKP" })
	alter("kty lower case", func(k *session.PublicKey) { k.Kty = "ec" })
	alter("no y", func(k *session.PublicKey) { k.Y = "" })
	alter("x is y", func(k *session.PublicKey) { k.X = k.Y })
	alter("zero", func(k *session.PublicKey) { k.X, k.Y = zero, zero })
	alter("padding", func(k *session.PublicKey) { k.X += "=" })
	alter("a line end", func(k *session.PublicKey) { k.X = k.X[:10] + "\n" + k.X[10:] })
	alter("a leading zero", func(k *session.PublicKey) { k.X = b64.EncodeToString(append([]byte{0}, unb64(t, k.X)...)) })
	alter("trailing bits", func(k *session.PublicKey) { k.X = k.X[:len(k.X)-1] + "_" + k.X[len(k.X)-1:] })
	bad["nothing in it"] = &session.PublicKey{}
	_, x := keyPair(t, "X25519")
	x.Y = x.X
	bad["X25519 with y"] = x

	want := ""
	for name, key := range bad {
		got := b.attempt("ada", fields{"public_key": key})
		if got.Status != 400 || got.Code != "invalid_public_key" {
			t.Errorf("%s: %d %.200s", name, got.Status, got.Raw)
		}
		if body := refusal(got); want == "" {
			want = body
		} else if body != want {
			t.Errorf("%s: another answer: %.200s", name, body)
		}
		// Nobody's password is looked at, right or wrong.
		if got := b.attempt("ada", fields{"public_key": key, "password": "wrong"}); refusal(got) != want {
			t.Errorf("%s with a wrong password: another answer: %.200s", name, got.Raw)
		}
	}
	if len(bad) < 60 {
		t.Errorf("only %d bad keys", len(bad))
	}
	// Far more refusals than failures are allowed: none of them was a failure.
	b.signIn("ada", fields{"public_key": good})
	if got := b.send("POST", "/auth/refresh", "", fields{"public_key": bad["a private key"]}); said(got) != "400 invalid_public_key" {
		t.Errorf("at refresh: %d %s", got.Status, got.Raw)
	}
	// What browsers export beside the point is taken.
	b.signIn("ada", fields{"public_key": fields{"kty": good.Kty, "crv": good.Crv, "x": good.X, "y": good.Y, "ext": true, "key_ops": []string{}, "kid": "1", "use": "enc", "alg": "ECDH-ES"}})
	w.is(b.attempt("ada", fields{"public_key": fields{"kty": "RSA", "n": "AQAB", "e": "AQAB"}}), 400, "invalid_json")
}

// A point of low order is refused by the agreement as well.
func TestLowOrderAgreement(t *testing.T) {
	t.Parallel()
	server, _ := keyPair(t, "X25519")
	for _, point := range [][]byte{make([]byte, 32), append([]byte{1}, make([]byte, 31)...)} {
		low, err := ecdh.X25519().NewPublicKey(point)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := session.SealKeyOf(server, low); err == nil {
			t.Error("an agreement on zero")
		}
		if _, err := session.ParseKey(jwkOf("X25519", point)); err == nil {
			t.Error("a client's key of low order is taken")
		}
	}
}

// The cipher of payloads: AES-256-GCM with 96-bit nonces and whole tags.
func TestWycheproofAESGCM(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, g := range vectors(t, "aes_gcm_test.json") {
		for _, v := range g.Tests {
			key, iv := unhex(t, v.Key), unhex(t, v.IV)
			if len(key) != 32 || len(iv) != 12 || len(v.Tag) != 32 {
				continue
			}
			seen++
			aead, err := session.NewAEAD(key)
			if err != nil {
				t.Fatal(err)
			}
			got, err := aead.Open(nil, iv, unhex(t, v.CT+v.Tag), unhex(t, v.AAD))
			if (err == nil) != (v.Result == "valid") || err == nil && !bytes.Equal(got, unhex(t, v.Msg)) {
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
	for _, g := range vectors(t, "json_web_signature_test.json") {
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
			token, compact := v.JWS.(string)
			if !compact {
				continue
			}
			// The one part of our check that knows the token's alg: it must be the key's.
			first, _, _ := strings.Cut(token, ".")
			var h struct{ Alg string }
			if b, err := b64.DecodeString(first); err == nil {
				_ = json.Unmarshal(b, &h) // what is no JSON has no alg
			}
			got := h.Alg == k.Algorithm && session.VerifyJWS(k.Public().Key, token)
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
