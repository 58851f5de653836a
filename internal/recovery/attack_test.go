package recovery_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/kv"
	"coffer/internal/mail"
)

// between is a key store that runs a function once, before the next limit is counted.
type between struct {
	kv.Store
	run func()
}

func (b *between) Add(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error) {
	if run := b.run; run != nil {
		b.run = nil
		run()
	}
	return b.Store.Add(ctx, key, delta, ttl)
}

// An intruder has moved the address and asks for a reset. The owner undoes the change while
// the job runs, after it has read the address: the intruder's mailbox gets no link.
func TestAttackResetJobRacesAnUndo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		store := &between{}
		w := newWorld(t, d, func(now func() time.Time) kv.Store { store.Store = kv.NewMemory(now); return store })
		ada, ctx := w.Join("ada"), t.Context()
		if err := w.Accounts.ChangeEmail(ctx, ada, "eve@evil.example", account.Source{Addr: home, Net: home}); err != nil {
			t.Fatal(err)
		}
		var undo string
		for _, m := range w.Mails() {
			switch _, token, _ := strings.Cut(m.Data["link"], "#token="); m.Kind {
			case "change-email":
				if _, err := w.Accounts.ConfirmEmail(ctx, ada, token); err != nil {
					t.Fatal(err)
				}
			case "change-email-notice":
				undo = token
			}
		}
		w.Mails()
		w.is(w.post("/auth/password/forgot", fields{"email": "eve@evil.example"}), 202, "")
		undone := false
		store.run = func() {
			undone = true
			if err := w.Accounts.UndoEmail(ctx, undo); err != nil {
				t.Error(err)
			}
		}
		var links []mail.Message
		for _, m := range w.Mails() {
			if m.Kind == "reset-password" {
				links = append(links, m)
			}
		}
		if !undone || len(links) != 0 || w.count(`SELECT COUNT(*) FROM links`) != 0 {
			t.Errorf("undone: %t; mails to set a password: %+v", undone, links)
		}
		w.forgot("ada")
	})
}

// A stranger's guesses do not keep the owner of a deactivated account out: a proven mailbox
// clears them, although no session opens.
func TestAttackGuessesAtADeactivatedAccount(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), nil)
	if err := w.Accounts.Deactivate(t.Context(), w.Join("ada")); err != nil {
		t.Fatal(err)
	}
	w.Mails()
	for i := range 50 {
		from := []string{"198.51.100.1", "198.51.100.2", "198.51.100.3", "198.51.100.4", "198.51.100.5"}[i%5]
		for _, name := range []string{"ada", "ada@canary.example"} {
			w.call(from, "POST", "/auth/sign-in", "", fields{"identifier": name, "password": "wrong password 1"})
		}
	}
	w.is(w.post("/auth/activate", fields{"identifier": "ada", "password": oldPassword}), 403, "sign_in_held") // a mailed link leads on
	w.is(w.reset(w.forgot("ada"), newPassword), 403, "account_deactivated")
	for _, name := range []string{"ada", "ada@canary.example"} {
		w.is(w.post("/auth/activate", fields{"identifier": name, "password": newPassword}), 202, "")
	}
}
