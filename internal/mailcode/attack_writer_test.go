package mailcode

import (
	"bytes"
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// An attacker who writes to the database turns nothing off, makes no code and has no mail
// sent elsewhere: the seal of the account says that the layer is on.
func TestAttackWriter(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada, eve := w.on("ada"), w.on("eve")
		do := func(q string, args ...any) {
			t.Helper()
			if _, err := d.Exec(t.Context(), q, args...); err != nil {
				t.Fatal(err)
			}
		}
		hers := w.is(w.signIn("ada", nil), 202, "")
		text := w.code("ada")
		mine := w.is(w.signIn("eve", nil), 202, "")
		my := w.code("eve")
		do(`UPDATE codes SET code = (SELECT code FROM codes WHERE account = $2) WHERE account = $1`, string(ada), string(eve))
		if my != text {
			w.is(w.try(hers, my), 401, "invalid_code")
		}
		w.is(w.try(hers, text), 401, "invalid_code")
		w.is(w.try(mine, my), 201, "")

		// eve's attempt, moved to ada's account, opens nothing.
		mine = w.is(w.signIn("eve", nil), 202, "")
		my = w.code("eve")
		do(`UPDATE attempts SET account = $1 WHERE account = $2`, string(ada), string(eve))
		do(`UPDATE codes SET account = $1 WHERE account = $2`, string(ada), string(eve))
		w.is(w.try(mine, my), 410, "attempt_over")

		do(`DELETE FROM mailcode`)
		if at := w.is(w.signIn("ada", nil), 202, ""); len(at.Layers) != 1 || at.Layers[0].Layer != name {
			t.Errorf("without its row the layer is not asked: %s", at.Raw)
		} else if p := w.line(ada); !p.Enabled {
			t.Errorf("the security page: %+v", p)
		} else {
			w.is(w.try(at, w.code("ada")), 201, "") // the owner still comes in
		}
		// A row of the writer's own asks for more, not for less.
		do(`INSERT INTO mailcode (account, enabled_at) VALUES ($1, 1)`, string(w.below.Join("bob")))
		w.is(w.signIn("bob", nil), 202, "")
	})
}

// A reader of the database finds no code that waits: neither its row nor the queued mail
// shows it.
func TestMailedCodeIsNotInTheDatabase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.on("ada")
		w.is(w.signIn("ada", nil), 202, "")
		var row, attempt, queued []byte
		for q, to := range map[string]*[]byte{
			`SELECT code FROM codes WHERE account = $1`: &row, `SELECT data FROM attempts WHERE account = $1`: &attempt,
			`SELECT payload FROM jobs WHERE kind = 'mail' AND $1 <> '' ORDER BY id DESC LIMIT 1`: &queued,
		} {
			if err := d.QueryRow(t.Context(), q, string(id)).Scan(to); err != nil {
				t.Fatalf("%s: %v", q, err)
			}
		}
		text := w.code("ada")
		for what, raw := range map[string][]byte{"the code's row": row, "the attempt": attempt, "the queued mail": queued} {
			if text == "" || bytes.Contains(raw, []byte(text)) {
				t.Errorf("%s shows the code", what)
			}
		}
	})
}
