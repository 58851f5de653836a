package account

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
)

// Of three admins who are demoted or suspended at once, one stays: each waits for the others,
// also while the row that it waits for stops being an admin's.
func TestThreeDemotionsAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for round := range 5 {
			var admins []ID
			for i := range 3 {
				id, err := w.Create(t.Context(), person1(fmt.Sprintf("chief%d-%d", round, i)), Admin)
				if err != nil {
					t.Fatal(err)
				}
				admins = append(admins, id)
			}
			if round > 0 { // the one that stayed
				var kept ID
				if err := d.QueryRow(t.Context(), `SELECT MIN(id) FROM accounts WHERE role = 'admin' AND status = 'active'`).Scan(&kept); err != nil {
					t.Fatal(err)
				}
				if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { _, err := w.SetRole(t.Context(), tx, kept, User); return err }); err != nil {
					t.Fatal(err)
				}
			}
			got := race(3, func(i int) error {
				return w.DB.Tx(context.Background(), func(tx *db.Tx) error {
					if (round+i)%3 == 0 {
						_, err := w.Suspend(context.Background(), tx, admins[i])
						return err
					}
					_, err := w.SetRole(context.Background(), tx, admins[i], User)
					return err
				})
			})
			if n := w.countOf(`SELECT COUNT(*) FROM accounts WHERE role = 'admin' AND status = 'active'`); n != 1 || got[""] != 2 || got["last_admin"] != 1 {
				t.Fatalf("round %d: %d admins are left, %v", round, n, got)
			}
		}
	})
}

// An admin hands the role to an account that its owner is closing: one of them stays. On
// PostgreSQL the closing has asked for the role before the account got it.
func TestRoleGivenToAnAccountThatCloses(t *testing.T) {
	for name, leave := range map[string]func(*Service, ID) error{
		"deactivated": func(s *Service, id ID) error { return s.Deactivate(context.Background(), id) },
		"deleted":     func(s *Service, id ID) error { return s.Delete(context.Background(), id) },
		"suspended": func(s *Service, id ID) error {
			return s.DB.Tx(context.Background(), func(tx *db.Tx) error { _, err := s.Suspend(context.Background(), tx, id); return err })
		},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := newWorld(t, d)
				ctx := t.Context()
				heir := w.join(person1("heir"))
				boss, err := w.Create(ctx, person1("boss"), Admin)
				if err != nil {
					t.Fatal(err)
				}
				left := make(chan error, 1)
				if err := d.Tx(ctx, func(tx *db.Tx) error {
					if _, err := w.SetRole(ctx, tx, heir, Admin); err != nil {
						return err
					}
					go func() { left <- leave(w.Service, heir) }()
					time.Sleep(300 * time.Millisecond) // it waits for the row of heir, or for the writer
					_, err := w.SetRole(ctx, tx, boss, User)
					return err
				}); err != nil {
					t.Fatal(err)
				}
				if err := <-left; !errors.Is(err, ErrLastAdmin) {
					t.Errorf("got %v, want %v", err, ErrLastAdmin)
				}
				if n := w.countOf(`SELECT COUNT(*) FROM accounts WHERE role = 'admin' AND status = 'active'`); n != 1 {
					t.Errorf("%d admins are left", n)
				}
			})
		})
	}
}

// An account that is being deleted stays so, whatever an operator does, and counts as such.
func TestOperatorMeetsADeletion(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		down := errors.New("the store is away")
		w.Keep("fails", Keeper{
			Empty:  func(context.Context, ID) error { return down },
			Forget: func(context.Context, *db.Tx, ID) error { return down },
		})
		ada := w.join(person1("ada"))
		if err := w.Delete(ctx, ada); !errors.Is(err, down) {
			t.Fatal(err)
		}
		for what, do := range map[string]func(tx *db.Tx) error{
			"suspend": func(tx *db.Tx) error { _, err := w.Suspend(ctx, tx, ada); return err },
			"resume":  func(tx *db.Tx) error { _, err := w.Resume(ctx, tx, ada); return err },
			"promote": func(tx *db.Tx) error { _, err := w.SetRole(ctx, tx, ada, Admin); return err },
		} {
			if err := w.DB.Tx(ctx, do); fault.Of(err).Code != ErrNotFound.Code {
				t.Errorf("%s: %v", what, err)
			}
		}
		if l, err := w.Look(ctx, ada); err != nil || l.Status != Deleting || l.Role != User {
			t.Errorf("%+v, %v", l, err)
		}
		if n, err := w.Numbers(ctx, w.DB); err != nil || n.Deleting != 1 || n.Active != 0 {
			t.Errorf("%+v, %v", n, err)
		}
	})
}
