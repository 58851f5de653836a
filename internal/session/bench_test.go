package session_test

import (
	"testing"

	"coffer/internal/db/dbtest"
	"coffer/internal/kv"
	"coffer/internal/rest"
)

func BenchmarkRefresh(b *testing.B) {
	w := newWorld(b, dbtest.SQLite(b), func(s *setup) { s.TokenAlg = "RS256" })
	w.below.Join("ada")
	token := w.browser().signIn("ada", inBody).RefreshToken
	b.ReportAllocs()
	for b.Loop() {
		a, err := w.Refresh(b.Context(), &rest.Sent{}, token, nil)
		if err != nil {
			b.Fatal(err)
		}
		token = a.RefreshToken
	}
}

var _ kv.Store = (*breakable)(nil)
