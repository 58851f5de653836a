package account

import (
	"testing"

	"coffer/internal/db/dbtest"
)

func TestPruneInBatches(t *testing.T) {
	d := dbtest.SQLite(t)
	prune := func() error {
		_, err := pruneSignUps(t.Context(), d, 1)
		return err
	}
	dbtest.PrunesInBatches(t, d, "sign_up_proofs", `INSERT INTO sign_up_proofs (token, sign_up, link, code, code_expires_at, expires_at)
		SELECT CAST(i AS BLOB), 's' || i, x'', x'', 1, 1 FROM n`, prune)
	dbtest.PrunesInBatches(t, d, "sign_ups", `INSERT INTO sign_ups (id, email_index, source, belonging, wrapped, lang, email, username, first_name,
		last_name, password, expires_at) SELECT 's' || i, x'', x'', x'', x'', '', x'', x'', x'', x'', x'', 1 FROM n`, prune)
}
