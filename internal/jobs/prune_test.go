package jobs

import (
	"testing"

	"coffer/internal/db/dbtest"
)

func TestForgetDeadInBatches(t *testing.T) {
	d := dbtest.SQLite(t)
	dbtest.PrunesInBatches(t, d, "jobs", `INSERT INTO jobs (id, kind, payload, created_at, run_at, dead_at) SELECT 'j' || i, 'call', x'', 1, 1, 1 FROM n`,
		func() error { return deleteDead(t.Context(), d, 2) })
}
