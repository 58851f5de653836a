package account

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/seal"
)

// An attacker who writes to the database gains no role, status, older version, password of
// another account or link of their own.
func TestAttackWriterOfAccounts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		ada, eve := w.join(person1("ada")), w.join(person1("eve"))
		exec := func(q string, args ...any) {
			t.Helper()
			if n, err := d.Exec(ctx, q, args...); err != nil || n == 0 {
				t.Fatalf("%s: %d rows, %v", q, n, err)
			}
		}
		state := func(id ID) State {
			t.Helper()
			st, err := w.State(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			return st
		}
		change := func(fn func(*State)) {
			t.Helper()
			if err := d.Tx(ctx, func(tx *db.Tx) error { return w.changeStanding(ctx, tx, eve, fn) }); err != nil {
				t.Fatal(err)
			}
		}

		exec(`UPDATE accounts SET role = 'admin' WHERE id = $1`, string(eve))
		if p, err := w.Profile(ctx, eve); state(eve).Role != User || err != nil || p.Role != User {
			t.Errorf("a role set by hand: %+v, profile %q, %v", state(eve), p.Role, err)
		}
		if st, err := w.CheckPassword(ctx, "eve", goodPassword); err != nil || st.Role != User {
			t.Errorf("a role set by hand, signed in: %+v, %v", st, err)
		}
		change(func(st *State) { st.Status, st.SessionEpoch = Deactivated, st.SessionEpoch+3 })
		exec(`UPDATE accounts SET status = 'active', ver = 1 WHERE id = $1`, string(eve))
		if st := state(eve); st.Status != Deactivated || st.SessionEpoch != 4 {
			t.Errorf("a status and a version set by hand: %+v", st)
		}
		change(func(st *State) { st.Status = Active })
		// The seal of another account, of an admin, opens here no more.
		boss, err := w.Create(ctx, person1("boss"), Admin)
		if err != nil {
			t.Fatal(err)
		}
		if state(boss).Role != Admin {
			t.Fatal("an admin is none")
		}
		exec(`UPDATE accounts SET role = 'admin', standing = (SELECT standing FROM accounts b WHERE b.id = $2) WHERE id = $1`, string(eve), string(boss))
		if st := state(eve); st.Role != User || st.Status != Deactivated {
			t.Errorf("a seal moved by hand: %+v", st)
		}
		// Taking away works, as it must: a demotion is felt at the next call.
		exec(`UPDATE accounts SET role = 'user' WHERE id = $1`, string(boss))
		if st := state(boss); st.Role != User || st.Status != Active {
			t.Errorf("a role taken away: %+v", st)
		}

		// Her own password in ada's row.
		exec(`UPDATE accounts SET password = (SELECT password FROM accounts b WHERE b.id = $2) WHERE id = $1`, string(ada), string(eve))
		if _, err := w.CheckPassword(ctx, "ada", goodPassword); code(err) != "invalid_credentials" {
			t.Errorf("a password moved by hand: %v, want invalid_credentials", err)
		}
	})
}

// An attacker who writes to the database neither moves an address to another account nor
// makes one verified, another kind, or older.
func TestAttackWriterOfAddresses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		ada, eve := w.join(person1("ada")), w.join(person1("eve"))
		w.address(eve, "second", "eve@second.example", true)
		w.address(ada, "third", "ada@third.example", false)
		for _, attack := range []struct {
			name, do, undo string
			want           []string // told of what happens to ada
		}{
			{"verified by hand",
				`UPDATE addresses SET verified_at = (SELECT verified_at FROM addresses o WHERE o.account = $1 AND o.kind = 'primary') WHERE account = $1 AND kind = 'third' AND $2 <> ''`,
				`UPDATE addresses SET verified_at = NULL WHERE account = $1 AND kind = 'third' AND $2 <> ''`, []string{"ada@example.org"}},
			{"moved from another account",
				`UPDATE addresses SET account = $1 WHERE account = $2 AND kind = 'second'`,
				`UPDATE addresses SET account = $2 WHERE account = $1 AND kind = 'second'`, []string{"ada@example.org"}},
			{"another account's in its place",
				`UPDATE addresses SET email = (SELECT email FROM addresses o WHERE o.account = $2 AND o.kind = 'primary') WHERE account = $1 AND kind = 'primary'`, "", nil},
		} {
			if n, err := d.Exec(ctx, attack.do, string(ada), string(eve)); err != nil || n != 1 {
				t.Fatalf("%s: %d rows, %v", attack.name, n, err)
			}
			w.log.Reset()
			if got := w.told(ada); !slices.Equal(got, attack.want) {
				t.Errorf("%s: told %q, want %q", attack.name, got, attack.want)
			}
			if !strings.Contains(w.log.String(), "an address was altered in the database") {
				t.Errorf("%s: not noticed: %s", attack.name, w.log.String())
			}
			if attack.undo == "" {
				continue
			}
			if n, err := d.Exec(ctx, attack.undo, string(ada), string(eve)); err != nil || n != 1 {
				t.Fatalf("%s, undone: %d rows, %v", attack.name, n, err)
			}
		}
		// The secondary address of eve in the place of her primary one.
		if _, err := d.Exec(ctx, `UPDATE addresses SET email = (SELECT email FROM addresses o WHERE o.account = $1 AND o.kind = 'second'),
			verified_at = (SELECT verified_at FROM addresses o WHERE o.account = $1 AND o.kind = 'second') WHERE account = $1 AND kind = 'primary'`, string(eve)); err != nil {
			t.Fatal(err)
		}
		if got := w.told(eve); !slices.Equal(got, []string{"eve@second.example"}) {
			t.Errorf("a secondary address as the primary: told %q", got)
		}
		if _, err := w.Contact(ctx, d, eve); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("a secondary address as the primary: %v", err)
		}
	})
}

// A link of the first admin that somebody wrote there makes none.
func TestAttackWriterOfFirstAdmin(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		if _, err := d.Exec(t.Context(), `INSERT INTO first_admin (id, token) VALUES (1, $1)`, tokenDigest("planted")); err != nil {
			t.Fatal(err)
		}
		if _, err := w.FirstAdmin(t.Context(), "planted", person1("eve")); code(err) != "link_gone" {
			t.Errorf("got %v, want link_gone", err)
		}
	})
}

// Changes of standing at the same time all stand.
func TestStandingsAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.join(person1("ada"))
		race(10, func(i int) error {
			return d.Tx(t.Context(), func(tx *db.Tx) error {
				if i%2 == 0 {
					return w.InvalidateSessions(t.Context(), tx, id, "")
				}
				return w.SetLayer(t.Context(), tx, id, string(rune('a'+i)), true)
			})
		})
		st, err := w.State(t.Context(), id)
		slices.Sort(st.Layers)
		if want := []string{"b", "d", "f", "h", "j"}; err != nil || st.SessionEpoch != 6 || !slices.Equal(st.Layers, want) {
			t.Errorf("%+v, %v; want version 6 and layers %v", st, err, want)
		}
		// Twice on is once on; off is off.
		err = d.Tx(t.Context(), func(tx *db.Tx) error {
			for _, on := range []bool{true, true, false} {
				if err := w.SetLayer(t.Context(), tx, id, "b", on); err != nil {
					return err
				}
			}
			return nil
		})
		if st, _ = w.State(t.Context(), id); err != nil || len(st.Layers) != 4 {
			t.Errorf("%+v, %v", st, err)
		}
	})
}
