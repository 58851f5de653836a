package account

import (
	"errors"
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/limit/limittest"
)

// A server keeps its last active admin, also when two go at once.
func TestDeactivateKeepsAnAdmin(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		ada := w.join(person1("ada"))
		boss, err := w.Create(ctx, person1("boss"), Admin)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Deactivate(ctx, boss); !errors.Is(err, ErrLastAdmin) {
			t.Errorf("the only admin went: %v", err)
		}
		if err := w.Deactivate(ctx, ada); err != nil {
			t.Errorf("a user: %v", err)
		}
		// A deactivated admin keeps nobody's place.
		chief, err := w.Create(ctx, person1("chief"), Admin)
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			ids := make(chan ID, 2)
			ids <- boss
			ids <- chief
			gone := limittest.AtOnce(2, func() error {
				err := w.Deactivate(ctx, <-ids)
				if err != nil && !errors.Is(err, ErrLastAdmin) {
					t.Error(err)
				}
				return err
			})
			if gone != 1 {
				t.Fatalf("%d of 2 admins went at once", gone)
			}
			for _, id := range []ID{boss, chief} {
				if st, err := w.State(ctx, id); err != nil || st.Role != Admin {
					t.Fatalf("%+v, %v", st, err)
				} else if st.Status == Deactivated {
					if err := w.DB.Tx(ctx, func(tx *db.Tx) error { _, err := w.Activate(ctx, tx, id); return err }); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	})
}

// An active account is not activated: the link has nothing to do.
func TestActivateAnActiveAccount(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	ada := w.join(person1("ada"))
	err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { _, err := w.Activate(t.Context(), tx, ada); return err })
	if !errors.Is(err, ErrLinkGone) {
		t.Errorf("%v", err)
	}
}

// A new password takes the place of the one that its owner gave, and of no other. A hash that
// was sealed anew meanwhile is the same password.
func TestReplacePassword(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		ada := w.join(person1("ada"))
		set := func(p Password) error {
			return w.DB.Tx(ctx, func(tx *db.Tx) error { return w.SetPassword(ctx, tx, p) })
		}
		replace := func(current, next string) Password {
			t.Helper()
			p, err := w.ReplacePassword(ctx, ada, current, next)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		first, second := replace(goodPassword, "nine loud herons 52"), replace(goodPassword, "six slow badgers 63")
		if err := set(first); err != nil {
			t.Fatal(err)
		}
		if err := set(second); !errors.Is(err, ErrCredentials) {
			t.Errorf("a change that came second: %v", err)
		}
		resealed := replace("nine loud herons 52", "six slow badgers 63")
		sealed, err := readPassword(ctx, d, ada)
		if err != nil {
			t.Fatal(err)
		}
		hash, err := w.openPassword(ctx, ada, sealed)
		if err != nil {
			t.Fatal(err)
		}
		again, err := w.sealPassword(ctx, ada, hash)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := swapPassword(ctx, d, ada, sealed, again); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if err := set(resealed); err != nil {
			t.Errorf("a change after a rotation of keys: %v", err)
		}
		if _, err := w.CheckPassword(ctx, "ada", "six slow badgers 63"); err != nil {
			t.Errorf("the new password: %v", err)
		}
	})
}
