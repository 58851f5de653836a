package session_test

import (
	"testing"

	"coffer/internal/db/dbtest"
	"coffer/internal/kv"
)

// What a request pays for its session. Warm is a token that was seen before, with and
// without the account's row; Cold is one that was not, per curve and per algorithm.
func BenchmarkAuthenticate(b *testing.B) {
	memory := func(alg string) func(*setup) {
		var m breakable
		return func(s *setup) { s.TokenAlg, s.KV = alg, m.over }
	}
	warm := newWorld(b, dbtest.SQLite(b), memory("RS256"))
	warm.below.Join("ada")
	token := warm.browser().signIn("ada").AccessToken
	b.Run("Warm", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := warm.ReadToken(b.Context(), token); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("WarmWithAccount", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := warm.Authenticate(b.Context(), "Bearer "+token); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Refused", func(b *testing.B) {
		bad := token[:len(token)-4] + "AAAA"
		b.ReportAllocs()
		for b.Loop() {
			if warm.ReadToken(b.Context(), bad) == nil {
				b.Fatal("taken")
			}
		}
	})
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		for crv := range suiteNames {
			w := newWorld(b, dbtest.SQLite(b), memory(alg))
			w.below.Join("ada")
			_, public := keyPair(b, crv)
			token := w.browser().signIn("ada", fields{"public_key": public}).AccessToken
			b.Run("Cold/"+alg+"/"+crv, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					w.Forget()
					if err := w.ReadToken(b.Context(), token); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkRefresh(b *testing.B) {
	w := newWorld(b, dbtest.SQLite(b), func(s *setup) { s.TokenAlg = "RS256" })
	w.below.Join("ada")
	token := w.browser().signIn("ada", inBody).RefreshToken
	b.ReportAllocs()
	for b.Loop() {
		a, err := w.Refresh(b.Context(), token, nil, true)
		if err != nil {
			b.Fatal(err)
		}
		token = a.Body.Session.RefreshToken
	}
}

var _ kv.Store = (*breakable)(nil)
