package smscode

import (
	"slices"
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// An attacker who writes to the database turns no layer off and sends no code to a number of
// their own: the account's seal says that the layer is on, and a number opens in its own row,
// for its own time, alone.
func TestAttackSMSWriter(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		ada, eve := w.below.Join("ada"), w.below.Join("eve")
		w.enabled(ada, phone)
		w.enabled(eve, "+43660123499")
		// The number that Ada had before, and one that somebody began to set up in her session.
		var former []byte
		var since int64
		if err := d.QueryRow(ctx, `SELECT phone, enabled_at FROM smscode WHERE account = $1`, string(ada)).Scan(&former, &since); err != nil {
			t.Fatal(err)
		}
		w.enabled(ada, "+491701234577")
		if _, err := w.Enrol(ctx, ada, "+43660123498"); err != nil {
			t.Fatal(err)
		}
		w.messages()
		asked := func() bool {
			t.Helper()
			st, err := w.Accounts.State(ctx, ada)
			if err != nil {
				t.Fatal(err)
			}
			return slices.Contains(st.Layers, name)
		}
		for n, q := range []string{
			`UPDATE smscode SET phone = (SELECT phone FROM smscode o WHERE o.account <> smscode.account) WHERE account = $1 AND account <> $2`,
			`UPDATE smscode SET phone = pending WHERE account = $1 AND account <> $2`,
			`UPDATE smscode SET phone = pending, enabled_at = setup_at WHERE account = $1 AND account <> $2`,
			`UPDATE smscode SET enabled_at = enabled_at + 1 WHERE account = $1 AND account <> $2`,
			`UPDATE smscode SET phone = NULL WHERE account = $1 AND account <> $2`,
			`UPDATE smscode SET enabled_at = NULL WHERE account = $1 AND account <> $2`,
			`DELETE FROM smscode WHERE account = $1 AND account <> $2`,
		} {
			if changed, err := d.Exec(ctx, q, string(ada), string(eve)); err != nil || changed != 1 {
				t.Fatalf("%s: %d rows, %v", q, changed, err)
			}
			p, err := w.begin(ada, "attempt")
			if err != nil || p.SentTo != "" || !asked() {
				t.Errorf("%d: %+v, %v, asked %t", n, p, err, asked())
			}
			if sent := w.messages(); len(sent) != 0 {
				t.Errorf("%d: a message to %s", n, sent[0].To)
			}
			if err := w.use(ada, "attempt", "123456"); err == nil {
				t.Errorf("%d: a code passes", n)
			}
		}
		// Its owner, in a session that has passed it, turns it off and may set it up anew.
		if err := w.Disable(ctx, by(ada), false); err != nil || asked() {
			t.Errorf("turned off: %v, asked %t", err, asked())
		}
		w.below.Advance(w.Codes.Cooldown)
		w.enabled(ada, "+491701234577")
		if _, err := d.Exec(ctx, `UPDATE smscode SET phone = $1 WHERE account = $2`, former, string(ada)); err != nil {
			t.Fatal(err)
		}
		if p, err := w.begin(ada, "attempt"); err != nil || p.SentTo != "" {
			t.Errorf("a number of the past: %+v, %v", p, err)
		}
		if !w.isOn(ada) || !asked() {
			t.Error("it is off")
		}
	})
}
