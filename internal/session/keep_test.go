package session_test

import (
	"context"
	"errors"
	"testing"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// An account with more sessions, devices and attempts than one batch takes is emptied. A
// session that is opened while the account is deleted goes with it, its record by a job. A
// deletion that failed half-way is repeated.
func TestForgetAccount(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	w := newWorld(t, d)
	ada := w.below.Join("ada")
	for _, q := range []string{
		`INSERT INTO sessions (id, account, ver, aal, amr, auth_time, public_key, label, family, refresh_hash, refresh_kid, refresh_seq,
			refreshed_at, seal, created_at, expires_at, refresh_expires_at)
			SELECT 's' || i, account, 1, '', '', 1, wrapped, wrapped, CAST(i AS BLOB), wrapped, '', 1, 1, wrapped, i / 7, 1, 1 FROM n, account_keys`,
		`INSERT INTO attempts (id, account, token, data, tries, expires_at) SELECT 'a' || i, account, wrapped, wrapped, 0, 1 FROM n, account_keys`,
		`INSERT INTO devices (token, account, ver, layers, family, expires_at, seal) SELECT CAST(i AS BLOB), account, 1, '', wrapped, 1, wrapped FROM n, account_keys`,
	} {
		_, err := d.Exec(t.Context(), `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1101) `+q)
		if err != nil {
			t.Fatal(err)
		}
	}
	b := w.browser()
	var down error
	w.below.Accounts.Keep("late", account.Keeper{
		Empty: func(context.Context, account.ID) error {
			b.signIn("ada")
			return down
		},
		Forget: func(context.Context, *db.Tx, account.ID) error { return nil },
	})
	down = errors.New("the store is away")
	if err := w.below.Accounts.Forget(t.Context(), ada); !errors.Is(err, down) {
		t.Fatalf("%v, want %v", err, down)
	}
	if !b.alive(b.access) {
		t.Error("a deletion that failed took the account")
	}
	down = nil
	if err := w.below.Accounts.Forget(t.Context(), ada); err != nil {
		t.Fatal(err)
	}
	if b.alive(b.access) {
		t.Error("a token outlives its account")
	}
	for _, table := range []string{"sessions", "attempts", "devices"} {
		if n := w.count(`SELECT COUNT(*) FROM ` + table); n != 0 {
			t.Errorf("%d rows of %s", n, table)
		}
	}
	if n := w.count(`SELECT COUNT(*) FROM kv WHERE key LIKE 'session:%'`); n != 1 {
		t.Errorf("%d records before the job, want the one of the late session", n)
	}
	w.below.RunJobs()
	if n := w.count(`SELECT COUNT(*) FROM kv WHERE key LIKE 'session:%'`); n != 0 {
		t.Errorf("%d records after the job", n)
	}
}
