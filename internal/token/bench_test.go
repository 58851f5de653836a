package token_test

import (
	"testing"

	"coffer/internal/db/dbtest"
	"coffer/internal/rest"
	"coffer/internal/token/tokentest"
)

// What a request pays for its token. Warm is a token that was seen before, with and without
// the account's row; Cold is one that was not, per curve and per algorithm.
func BenchmarkAuthenticate(b *testing.B) {
	memory := func(alg string) func(*setup) {
		var m breakable
		return func(s *setup) { s.TokenAlg, s.KV = alg, m.over }
	}
	warm := newWorld(b, dbtest.SQLite(b), memory("RS256"))
	text := warm.issue(warm.below.Join("ada"), "").text
	b.Run("Warm", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := warm.Read(b.Context(), text); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("WarmWithAccount", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := warm.Authenticate(b.Context(), &rest.Sent{Authorization: "Bearer " + text}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Refused", func(b *testing.B) {
		bad := text[:len(text)-4] + "AAAA"
		b.ReportAllocs()
		for b.Loop() {
			if warm.Read(b.Context(), bad) == nil {
				b.Fatal("taken")
			}
		}
	})
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		for crv := range tokentest.Suites {
			w := newWorld(b, dbtest.SQLite(b), memory(alg))
			text := w.issue(w.below.Join("ada"), crv).text
			b.Run("Cold/"+alg+"/"+crv, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					w.Forget()
					if err := w.Read(b.Context(), text); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
