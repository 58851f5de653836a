package tokentest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// KeySet reads the published keys of the server at base as another implementation does.
func KeySet(t testing.TB, door http.Handler, base string) jose.JSONWebKeySet {
	t.Helper()
	read := func(path string) (set jose.JSONWebKeySet) {
		rec := httptest.NewRecorder()
		door.ServeHTTP(rec, httptest.NewRequest("GET", base+path, nil))
		if rec.Code != 200 || rec.Header().Get("Cache-Control") != "public, max-age=300" {
			t.Fatalf("%s: %d %v", path, rec.Code, rec.Header())
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &set); err != nil {
			t.Fatal(err)
		}
		return set
	}
	set := read("/v1/.well-known/jwks.json")
	// The same stands where everybody looks for it.
	if again := read("/.well-known/jwks.json"); len(again.Keys) != len(set.Keys) {
		t.Errorf("/.well-known/jwks.json has %d keys, want %d", len(again.Keys), len(set.Keys))
	}
	return set
}

// Verified reports whether another implementation takes a token by the published keys.
func Verified(t testing.TB, set jose.JSONWebKeySet, text string) bool {
	t.Helper()
	jws, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.EdDSA})
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
