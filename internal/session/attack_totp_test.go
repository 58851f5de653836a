package session_test

import (
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// Who has the password begins as many attempts as they like and sends all their guesses at
// the same moment. No more than a hundred in a row are looked at (NIST SP 800-63B §3.2.2).
func TestAttackGuessingCodesOverManyAttempts(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, inMemory)
		secret := w.withTOTP(w.join("ada"))
		b := w.browser()
		attempts := make([]reply, 40)
		for i := range attempts {
			attempts[i] = w.is(b.attempt("ada"), 202, "")
		}
		wrong := "000000"
		if w.code(secret) == wrong {
			wrong = "000001"
		}
		got := race(5*len(attempts), func(i int) string {
			c := attempts[i/5]
			return said(b.request(true, "POST", "/auth/attempts/"+c.AttemptID+"/totp", "Attempt "+c.AttemptToken, fields{"code": wrong}))
		})
		if got["401 invalid_code"] > 100 || got["401 invalid_code"]+got["401 totp_locked"] != 200 {
			t.Errorf("answers %v, want at most a hundred codes that were looked at", got)
		}
		w.is(b.pass(b.attempt("ada"), "totp", w.code(secret)), 401, "totp_locked")
		if got := w.mails(); len(got) == 0 || got[len(got)-1] != "ada@canary.example totp-locked" {
			t.Errorf("mails %v, want one of the lock at the end", got)
		}
	})
}
