package main

import (
	"bytes"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"coffer/internal/jobs"
)

// stays are the tables that have a time and whose rows no age removes, each with its reason.
var stays = map[string]string{
	"accounts":           "until its owner deletes it",
	"addresses":          "with their account",
	"admin_log":          "for two years however many follow, and then while it is one of the newest million",
	"backup_codes":       "with their account: one set, and one to be confirmed",
	"drop_nodes":         "a row for each running process: the others remove that of a dead one",
	"identities":         "with their account",
	"job_periods":        "a row for each piece of periodic work",
	"ledger_checkpoints": "each one proves what the ledger was",
	"ledger_entries":     "the ledger is permanent",
	"ledger_keys":        "a row for each rotation: old checkpoints are verified with them",
	"ledger_state":       "one row",
	"mailcode":           "with its account",
	"passkeys":           "with their account",
	"pin_copies":         "until the last pin that needs one goes",
	"pin_loose":          "until periodic work has released its files",
	"pin_targets":        "with their pin",
	"pins":               "until their owner removes them",
	"questions":          "with their account",
	"resource_servers":   "until the operator removes them",
	"ring_keys":          "keys are destroyed by age, and their history stays",
	"ring_rewraps":       "a row for each kind of sealed value",
	"shares":             "until their owner removes them, or their entry goes: an expired link is shown as such",
	"smscode":            "with its account",
	"totp":               "with its account",
}

// TestTablesWithATimeHaveAnEnd reads the schema: a table with a column of a time is one that
// grows, so periodic work removes its old rows, or it stays for a reason.
func TestTablesWithATimeHaveAnEnd(t *testing.T) {
	onEachEngine(t, func(w *forgotten, _ []string) {
		schema := `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY table_name, column_name`
		if strings.HasSuffix(w.Name(), "SQLite") {
			schema = `SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY m.name, c.name`
		}
		removed := map[string]bool{}
		for _, r := range w.app.jobs.Removals() {
			removed[r.Table] = true
		}
		rows, err := w.app.db.Query(w.Context(), schema)
		if err != nil {
			w.Fatal(err)
		}
		defer rows.Close()
		timed, isTime := map[string]string{}, regexp.MustCompile(`(^|_)at$`)
		for rows.Next() {
			var table, column string
			if err := rows.Scan(&table, &column); err != nil {
				w.Fatal(err)
			}
			if isTime.MatchString(column) {
				timed[table] = column
			}
		}
		if err := rows.Err(); err != nil || len(timed) < 20 {
			w.Fatalf("the schema has the times %v, %v", timed, err)
		}
		for _, table := range slices.Sorted(maps.Keys(timed)) {
			switch _, kept := stays[table]; {
			case !removed[table] && !kept:
				w.Errorf("%s has the time %s and nothing removes its rows: name it with jobs.Old where its room calls Jobs.Every, or say in stays why it stays", table, timed[table])
			case removed[table] && kept:
				w.Errorf("%s stands in stays, and periodic work removes its rows", table)
			}
		}
		for table := range stays {
			if timed[table] == "" {
				w.Errorf("%s stands in stays, and there is no such table with a time", table)
			}
		}
	})
}

// TestPrune counts the rows that may go, removes them, and leaves all others.
func TestPrune(t *testing.T) {
	onEachEngine(t, func(w *forgotten, _ []string) {
		w.member("ada")
		w.member("bob")
		exec := func(q string) {
			w.Helper()
			if _, err := w.app.db.Exec(w.Context(), q); err != nil {
				w.Fatal(err)
			}
		}
		sessions := w.count(`SELECT COUNT(*) FROM sessions`)
		exec(`INSERT INTO smscode_counts (rule, key, nth, n, ends_at) VALUES ('x', '1', 1, 1, 1), ('x', '1', 2, 1, 1), ('x', '1', 3, 1, 9999999999999)`)
		exec(`INSERT INTO drops (id, name, expires_at) VALUES ('old', 'old', 1), ('new', 'new', 9999999999999)`)
		exec(`INSERT INTO jobs (id, kind, payload, created_at, run_at, dead_at) VALUES ('old', 'x', '', 1, 1, 1)`)
		exec(`UPDATE sessions SET refresh_expires_at = 1 WHERE id = (SELECT MIN(id) FROM sessions)`)

		var out bytes.Buffer
		counted := func(dry bool) map[string]string {
			w.Helper()
			out.Reset()
			if err := pruneAll(w.Context(), w.app, dry, &out); err != nil {
				w.Fatal(err)
			}
			all := map[string]string{}
			for line := range strings.Lines(out.String()) {
				fields := strings.Fields(line)
				all[fields[0]] = fields[len(fields)-1]
			}
			return all
		}
		want := map[string]string{"smscode_counts": "2", "drops": "1", "jobs": "1", "sessions": "1", "links": "0"}
		check := func(dry bool, want map[string]string) {
			w.Helper()
			got := counted(dry)
			for table, n := range want {
				if got[table] != n {
					w.Errorf("dry %v: %s rows of %s, want %s\n%s", dry, got[table], table, n, out.String())
				}
			}
		}
		check(true, want)
		check(true, want) // it removed nothing
		check(false, want)
		check(true, map[string]string{"smscode_counts": "0", "drops": "0", "jobs": "0", "sessions": "0"})
		if n := w.count(`SELECT COUNT(*) FROM sessions`); n != sessions-1 {
			w.Errorf("%d sessions are left of %d", n, sessions)
		}
		// Settings that keep rows for another time than the servers' remove and count nothing.
		exec(`INSERT INTO job_periods (name, due_at, ages) VALUES ('guard.prune', 1, 'sign_in_events for 1h0m0s')`)
		for _, dry := range []bool{true, false} {
			if err := pruneAll(w.Context(), w.app, dry, &out); !errors.Is(err, jobs.ErrAges) {
				w.Errorf("dry %v with other ages: %v", dry, err)
			}
		}
		if n := w.count(`SELECT COUNT(*) FROM smscode_counts`) + w.count(`SELECT COUNT(*) FROM drops`); n != 2 {
			w.Errorf("%d rows are left that had not ended, want 2", n)
		}
	})
}

func TestKeptFor(t *testing.T) {
	if got := keptFor(0) + ", " + keptFor(jobs.Forever) + ", " + keptFor(jobs.KeepDead); got != "until their end, for ever, 720h" {
		t.Error(got)
	}
}
