package token_test

import (
	"bytes"
	"crypto/ecdh"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"coffer/internal/db/dbtest"
	"coffer/internal/token"
	"coffer/internal/token/tokentest"
)

// FuzzToken: of all texts only the good token is one, and every other gets the same error.
func FuzzToken(f *testing.F) {
	w := newWorld(f, dbtest.SQLite(f))
	good := w.issue(w.below.Join("ada"), "").text
	parts := strings.Split(good, ".")
	for _, seed := range []string{good, "", "..", "a.b.c", good + ".", good[1:], parts[0] + "." + parts[1] + ".", strings.ToUpper(good), strings.Repeat("A", 5000)} {
		f.Add(seed)
	}
	for _, header := range []string{`{}`, `{"alg":"none","kid":"x","typ":"coffer-at+jwt"}`, `[`, `{"kid":"\u0000"}`} {
		f.Add(b64.EncodeToString([]byte(header)) + "." + parts[1] + "." + parts[2])
	}
	ctx := f.Context()
	f.Fuzz(func(t *testing.T, text string) {
		err := w.Read(ctx, text)
		switch {
		case text == good && err != nil:
			t.Fatalf("the good token: %v", err)
		case text != good && !errors.Is(err, token.ErrToken):
			t.Fatalf("%q: %v, want a bad token", text, err)
		}
	})
}

// FuzzPublicKey: what is taken is a point of the curve that it names, in its one spelling,
// and agrees with a server's key.
func FuzzPublicKey(f *testing.F) {
	servers := map[string]*ecdh.PrivateKey{}
	for crv := range tokentest.Curves {
		private, public := tokentest.KeyPair(f, crv)
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
		var k token.PublicKey
		if json.Unmarshal(raw, &k) != nil {
			return
		}
		point, err := token.ParseKey(&k)
		if err != nil {
			return
		}
		public, err := tokentest.Curves[k.Crv].NewPublicKey(point)
		if err != nil {
			t.Fatalf("%s: taken, but %v", raw, err)
		}
		want := tokentest.JWK(k.Crv, point)
		if k.D != "" || k.X != want.X || k.Y != want.Y || k.Kty != want.Kty || !bytes.Equal(public.Bytes(), point) {
			t.Fatalf("%s: another spelling of %+v", raw, want)
		}
		if _, err := token.SealKeyOf(servers[k.Crv], public); err != nil {
			t.Fatalf("%s: taken, but no agreement: %v", raw, err)
		}
	})
}
