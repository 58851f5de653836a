package main

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"regexp"
	"testing"
)

// TestOverview prints a server that needs its operator: a store is away, jobs are late or dead,
// and a key walk met damage.
func TestOverview(t *testing.T) {
	w := newForgotten(t, "sqlite:"+filepath.Join(t.TempDir(), "coffer.db"))
	w.member("ada")
	show := func() string {
		t.Helper()
		var out bytes.Buffer
		w.must(showOverview(t.Context(), w.app, &out))
		return out.String()
	}
	sees := func(said string, lines ...string) {
		t.Helper()
		for _, line := range lines {
			if !regexp.MustCompile(`(?m)^` + line + `$`).MatchString(said) {
				t.Errorf("no line is %q:\n%s", line, said)
			}
		}
	}
	sees(show(), `database: ok`, `kv: +ok`, `blobs: +ok`, `accounts: 1 active, 0 deactivated, 0 suspended, 0 being deleted; 0 are admins`,
		`files: +0 in 0 folders`, `drops: +0`, `keys: +no value is on its way to a newer key, and none is damaged`)

	for _, q := range []string{
		`DELETE FROM jobs`,
		`INSERT INTO jobs (id, kind, payload, created_at, run_at) VALUES ('late', 'x', '', 1, 1)`,
		`INSERT INTO jobs (id, kind, payload, created_at, run_at, dead_at) VALUES ('dead', 'x', '', 1, 1, 1)`,
		`INSERT INTO ring_rewraps (name, purpose, kid, position, done, damaged, waiting, started_at) VALUES ('files.keys', 'field', 'k', '', 7, 2, 1, 1)`,
	} {
		_, err := w.app.db.Exec(t.Context(), q)
		w.must(err)
	}
	for i := range w.app.admin.Checks {
		if c := &w.app.admin.Checks[i]; c.Name == "blobs" {
			c.Ping = func(context.Context) error { return errors.New("away") }
		}
	}
	sees(show(), `blobs: +unavailable`, `jobs: +1 waiting, 0 running, 1 dead`, `due jobs: the oldest waits for \d+h\d+m\d+s`,
		`keys: +files.keys moves to the newest key, 7 rows so far`, `keys: +files.keys has 2 values that no key opens, and 1 whose key is not here`)
}
