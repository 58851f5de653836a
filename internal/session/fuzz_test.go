package session_test

import (
	"bytes"
	"crypto/ecdh"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"coffer/internal/db/dbtest"
	"coffer/internal/session"
)

// FuzzToken: of all texts only the good token is one, and every other gets the same error.
func FuzzToken(f *testing.F) {
	w := newWorld(f, dbtest.SQLite(f))
	w.below.Join("ada")
	good := w.browser().signIn("ada").AccessToken
	parts := strings.Split(good, ".")
	for _, seed := range []string{good, "", "..", "a.b.c", good + ".", good[1:], parts[0] + "." + parts[1] + ".", strings.ToUpper(good), strings.Repeat("A", 5000)} {
		f.Add(seed)
	}
	for _, header := range []string{`{}`, `{"alg":"none","kid":"x","typ":"coffer-at+jwt"}`, `[`, `{"kid":"\u0000"}`} {
		f.Add(b64.EncodeToString([]byte(header)) + "." + parts[1] + "." + parts[2])
	}
	ctx := f.Context()
	f.Fuzz(func(t *testing.T, token string) {
		err := w.ReadToken(ctx, token)
		switch {
		case token == good && err != nil:
			t.Fatalf("the good token: %v", err)
		case token != good && !errors.Is(err, session.ErrToken):
			t.Fatalf("%q: %v, want a bad token", token, err)
		}
	})
}

// FuzzRefreshToken: what is read is written the same way, and nothing else is read.
func FuzzRefreshToken(f *testing.F) {
	f.Add(session.FormatRefresh(make([]byte, 16), make([]byte, 32)))
	for _, seed := range []string{"", "cr1.", "cr1..", "cr1.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB", "cr1.A.A.A", "cr1.\n.\r", "cd1.AAAA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		family, secret, ok := session.ParseRefresh(token)
		if !ok {
			return
		}
		if len(family) != 16 || len(secret) != 32 {
			t.Fatalf("%q: %d and %d bytes", token, len(family), len(secret))
		}
		if again := session.FormatRefresh(family, secret); again != token {
			t.Fatalf("%q is another spelling of %q", token, again)
		}
	})
}

// FuzzPublicKey: what is taken is a point of the curve that it names, in its one spelling,
// and agrees with a server's key.
func FuzzPublicKey(f *testing.F) {
	curves := map[string]ecdh.Curve{"P-521": ecdh.P521(), "P-256": ecdh.P256(), "X25519": ecdh.X25519()}
	servers := map[string]*ecdh.PrivateKey{}
	for crv := range curves {
		private, public := keyPair(f, crv)
		servers[crv] = private
		seed, err := json.Marshal(public)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Add([]byte(`{"kty":"OKP","crv":"X25519","x":"` + b64.EncodeToString(make([]byte, 32)) + `"}`))
	f.Add([]byte(`{"kty":"EC","crv":"P-256","x":"","y":"","d":""}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var k session.PublicKey
		if json.Unmarshal(raw, &k) != nil {
			return
		}
		point, err := session.ParseKey(&k)
		if err != nil {
			return
		}
		public, err := curves[k.Crv].NewPublicKey(point)
		if err != nil {
			t.Fatalf("%s: taken, but %v", raw, err)
		}
		want := jwkOf(k.Crv, point)
		if k.D != "" || k.X != want.X || k.Y != want.Y || k.Kty != want.Kty || !bytes.Equal(public.Bytes(), point) {
			t.Fatalf("%s: another spelling of %+v", raw, want)
		}
		if _, err := session.SealKeyOf(servers[k.Crv], public); err != nil {
			t.Fatalf("%s: taken, but no agreement: %v", raw, err)
		}
	})
}
