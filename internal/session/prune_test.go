package session_test

import (
	"testing"

	"coffer/internal/db/dbtest"
)

func TestPruneInBatches(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	w := newWorld(t, d)
	w.below.Join("ada")
	prune := func() error { return w.Prune(t.Context()) }
	for _, ends := range []string{"1, 9000000000000000", "9000000000000000, 1"} { // its own end, and that of its refresh token
		dbtest.PrunesInBatches(t, d, "sessions", `INSERT INTO sessions (id, account, ver, aal, amr, auth_time, public_key, label, family,
			refresh_hash, refresh_kid, refresh_seq, refreshed_at, seal, created_at, expires_at, refresh_expires_at)
			SELECT 's' || i, (SELECT id FROM accounts), 1, '', '', 1, x'', x'', CAST(i AS BLOB), x'', '', 1, 1, x'', 1, `+ends+` FROM n`, prune)
	}
	dbtest.PrunesInBatches(t, d, "attempts", `INSERT INTO attempts (id, account, token, data, tries, expires_at)
		SELECT 'a' || i, (SELECT id FROM accounts), x'', x'', 0, 1 FROM n`, prune)
	dbtest.PrunesInBatches(t, d, "session_clients", `INSERT INTO session_clients (account, client, session, first_at, expires_at)
		SELECT (SELECT id FROM accounts), CAST(i AS BLOB), '', 1, 1 FROM n`, prune)
	dbtest.PrunesInBatches(t, d, "devices", `INSERT INTO devices (token, account, ver, layers, family, expires_at, seal)
		SELECT CAST(i AS BLOB), (SELECT id FROM accounts), 1, '', x'', 1, x'' FROM n`, prune)
}
