package session_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db/dbtest"
	"coffer/internal/token/tokentest"
)

// What sign-in and refresh give is sealed to the client's key.
func TestClientOpensItsToken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id := w.below.Join("ada")
		for crv := range tokentest.Suites {
			private, public := tokentest.KeyPair(t, crv)
			b := w.browser()
			got := b.signIn("ada", fields{"public_key": public})
			if got.ServerPublicKey.Crv != crv || got.TokenType != "Bearer" || got.ExpiresIn != 900 || got.RefreshExpiresIn != 86400 {
				t.Errorf("%s: %s", crv, got.Raw)
			}
			plain := tokentest.Opened(t, crv, private, got.ServerPublicKey, got.AccessToken)
			if len(plain)%128 != 0 {
				t.Errorf("%s: a payload of %d bytes, want whole blocks of 128", crv, len(plain))
			}
			var p map[string]any
			if err := json.Unmarshal(plain, &p); err != nil {
				t.Fatal(err)
			}
			want := map[string]any{"uid": string(id), "aal": "aal1", "amr": []any{"pwd"}, "auth_time": float64(w.Now().Unix()), "ver": p["ver"]}
			if diff := cmp.Diff(want, p); diff != "" {
				t.Errorf("%s: %s", crv, diff)
			}
			_, h, c := tokentest.Parts(t, got.AccessToken)
			now := w.Now().Unix()
			if h.Typ != "coffer-at+jwt" || c.Iss != base || c.Aud != base || c.Iat != now || c.Nbf != now || c.Exp != now+900 ||
				c.Sid != got.SessionID || len(tokentest.Decode(t, c.Sid)) != 16 || len(tokentest.Decode(t, c.Jti)) != 16 || len(tokentest.Decode(t, c.V)) != 12 ||
				!bytes.Equal(tokentest.Decode(t, c.K), private.PublicKey().Bytes()) {
				t.Errorf("%s: %+v %+v", crv, h, c)
			}
			if strings.Contains(got.AccessToken, string(id)) || len(got.AccessToken) > 2048 {
				t.Errorf("%s: %d bytes of token", crv, len(got.AccessToken))
			}
			if !b.alive(got.AccessToken) {
				t.Errorf("%s: the token is refused", crv)
			}
			// A renewed token is sealed to the same two keys.
			if again := w.is(b.send("POST", "/auth/refresh", "", nil), 201, ""); !bytes.Equal(plain, tokentest.Opened(t, crv, private, again.ServerPublicKey, again.AccessToken)) {
				t.Errorf("%s: the payload changed with a refresh", crv)
			}
		}
		// Without a key of its own the client gets a throw-away pair on P-521.
		if got := w.browser().signIn("ada"); got.ServerPublicKey.Crv != "P-521" {
			t.Errorf("no key: %s", got.Raw)
		}
	})
}

// Accounts of other lengths and methods of other numbers make payloads of one length.
func TestPayloadLengthTellsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	lengths := map[int]bool{}
	for _, name := range []string{"ada", "grace"} {
		id := w.below.Join(name)
		w.pin.set(id, name == "grace")
		b := w.browser()
		got := b.attempt(name)
		if got.Status == 202 {
			got = b.pass(got, "pin", "1234")
		}
		_, _, c := tokentest.Parts(t, w.is(got, 201, "").AccessToken)
		lengths[len(tokentest.Decode(t, c.Data))] = true
	}
	if len(lengths) != 1 || !lengths[128+16] && !lengths[256+16] {
		t.Errorf("sealed payloads have lengths %v", lengths)
	}
}

// At the door: each invalid key of the vectors, and what else is no public key, gets the
// same answer, before a password is looked at or a limit touched.
func TestInvalidPublicKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.below.Join("ada")
	b := w.browser()
	bad := tokentest.InvalidKeys(t)
	_, good := tokentest.KeyPair(t, "P-521")

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
	// Far more refusals than failures are allowed: none of them was a failure.
	b.signIn("ada", fields{"public_key": good})
	if got := b.send("POST", "/auth/refresh", "", fields{"public_key": bad["a private key"]}); said(got) != "400 invalid_public_key" {
		t.Errorf("at refresh: %d %s", got.Status, got.Raw)
	}
	// What browsers export beside the point is taken.
	b.signIn("ada", fields{"public_key": fields{"kty": good.Kty, "crv": good.Crv, "x": good.X, "y": good.Y, "ext": true, "key_ops": []string{}, "kid": "1", "use": "enc", "alg": "ECDH-ES"}})
	w.is(b.attempt("ada", fields{"public_key": fields{"kty": "RSA", "n": "AQAB", "e": "AQAB"}}), 400, "invalid_json")
}
