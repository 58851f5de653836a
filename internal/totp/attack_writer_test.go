package totp

import (
	"slices"
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// An attacker who writes to the database turns no layer off and moves no secret: the account's seal
// says that the layer is on, and the secret opens in its own row alone.
func TestAttackWriter(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		ada, eve := w.below.Join("ada"), w.below.Join("eve")
		w.enabled(ada)
		hers := w.enabled(eve)
		asked := func() bool {
			t.Helper()
			st, err := w.Accounts.State(ctx, ada)
			if err != nil {
				t.Fatal(err)
			}
			return slices.Contains(st.Layers, name)
		}
		if !asked() {
			t.Fatal("the layer is not noted in the account")
		}
		for _, q := range []string{
			`UPDATE totp SET secret = (SELECT secret FROM totp o WHERE o.account <> totp.account) WHERE account = $1`,
			`UPDATE totp SET enabled_at = NULL WHERE account = $1`,
			`DELETE FROM totp WHERE account = $1`,
		} {
			if _, err := d.Exec(ctx, q, string(ada)); err != nil {
				t.Fatal(err)
			}
			if err := w.use(ada, w.code(hers, 0)); err == nil || !asked() {
				t.Errorf("%s: a code of the writer: %v; asked %t", q, err, asked())
			}
		}
		// Its owner, in a session that has passed it, turns it off and may set it up anew.
		if err := w.Disable(ctx, by(ada), false); err != nil || asked() {
			t.Errorf("turned off: %v, asked %t", err, asked())
		}
		if w.enabled(ada); !asked() || !w.isOn(ada) {
			t.Error("it was not set up anew")
		}
	})
}
