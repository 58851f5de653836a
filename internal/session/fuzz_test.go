package session_test

import (
	"testing"

	"coffer/internal/session"
)

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
