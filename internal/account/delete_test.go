package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// goneFor fails the test unless the account cannot be told from one that never was.
func (w *world) goneFor(id ID, name string) {
	w.t.Helper()
	ctx := context.Background()
	for _, identifier := range []string{name, name + "@example.org"} {
		if f, err := w.Find(ctx, identifier); err != nil || f.ID != "" {
			w.t.Errorf("%s is found: %+v, %v", identifier, f.State, err)
		}
		if _, err := w.CheckPassword(ctx, identifier, goodPassword); !errors.Is(err, ErrCredentials) {
			w.t.Errorf("sign-in as %s: %v", identifier, err)
		}
	}
	if st, err := w.State(ctx, id); err == nil && st.Status == Active {
		w.t.Errorf("%+v", st)
	}
	for what, do := range map[string]func(tx *db.Tx) error{
		"hold":         func(tx *db.Tx) error { _, err := w.Hold(ctx, tx, id); return err },
		"sign in":      func(tx *db.Tx) error { _, err := w.SignedIn(ctx, tx, id); return err },
		"activate":     func(tx *db.Tx) error { _, err := w.Activate(ctx, tx, id); return err },
		"end sessions": func(tx *db.Tx) error { return w.InvalidateSessions(ctx, tx, id, "") },
		"set a layer":  func(tx *db.Tx) error { return w.SetLayer(ctx, tx, id, "totp", true) },
	} {
		if err := w.DB.Tx(ctx, do); !errors.Is(err, ErrNotFound) {
			w.t.Errorf("%s: %v", what, err)
		}
	}
	if n := w.countOf(`SELECT COUNT(*) FROM links WHERE account = $1`, id); n != 0 {
		w.t.Errorf("%d links", n)
	}
}

func (w *world) countOf(q string, args ...any) (n int) {
	w.t.Helper()
	for i, a := range args {
		if id, ok := a.(ID); ok {
			args[i] = string(id)
		}
	}
	if err := w.DB.QueryRow(context.Background(), q, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// A deletion frees address and username, and tells every verified address, once.
func TestDelete(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada, bob := w.join(person1("ada")), w.join(person1("bob"))
		w.address(ada, "second", "ada@second.example", true)
		w.link(staying, ada, "")
		if err := w.Delete(t.Context(), ada); err != nil {
			t.Fatal(err)
		}
		w.goneFor(ada, "ada")
		if _, err := w.DataKey(t.Context(), d, ada); !errors.Is(err, ErrNotFound) {
			t.Errorf("the data key: %v", err)
		}
		var told []string
		for _, m := range w.Mails() {
			told = append(told, m.Kind+" "+m.To)
		}
		if slices.Sort(told); !slices.Equal(told, []string{"account-deleted ada@example.org", "account-deleted ada@second.example"}) {
			t.Errorf("told %q", told)
		}
		if err := w.Delete(t.Context(), ada); !errors.Is(err, ErrNotFound) {
			t.Errorf("deleted twice: %v", err)
		}
		if again := w.join(person1("ada")); again == ada {
			t.Error("a new account has the old id")
		}
		if _, err := w.CheckPassword(t.Context(), "bob", goodPassword); err != nil {
			t.Errorf("%s: %v", bob, err)
		}
	})
}

// A store that fails at any step leaves a decided deletion: nobody gets in or stops it, and
// the job finishes it. A failure in the deciding transaction leaves the account as it was.
func TestDeleteResumes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		down := errors.New("the store is away")
		for _, step := range []string{"sign out", "empty", "forget"} {
			w := newWorld(t, d)
			failing := map[string]bool{step: true}
			fail := func(at string) error {
				if failing[at] {
					return down
				}
				return nil
			}
			w.Keep("fails", Keeper{
				SignOut: func(context.Context, *db.Tx, ID, string) error { return fail("sign out") },
				Empty:   func(context.Context, ID) error { return fail("empty") },
				Forget:  func(context.Context, *db.Tx, ID) error { return fail("forget") },
			})
			name := "ada" + strings.ReplaceAll(step, " ", "")
			ada := w.join(person1(name))
			w.link(staying, ada, "")
			if err := w.Delete(t.Context(), ada); !errors.Is(err, down) {
				t.Fatalf("%s: %v", step, err)
			}
			if step == "sign out" {
				if _, err := w.CheckPassword(t.Context(), name, goodPassword); err != nil || len(w.Mails()) != 0 || w.countOf(`SELECT COUNT(*) FROM links`) != 1 {
					t.Errorf("an undecided deletion: %v", err)
				}
				failing = nil
				if err := w.Delete(t.Context(), ada); err != nil {
					t.Error(err)
				}
			} else {
				w.goneFor(ada, name)
				if st, err := w.State(t.Context(), ada); err != nil || st.Status != Deleting {
					t.Errorf("%s: %+v, %v", step, st, err)
				}
				failing = nil
			}
			if mails := w.Mails(); len(mails) != 1 || mails[0].Kind != "account-deleted" { // it runs the jobs
				t.Errorf("%s: mails %+v", step, mails)
			}
			w.Advance(10 * time.Second)
			w.RunJobs()
			if n := w.countOf(`SELECT COUNT(*) FROM accounts WHERE id = $1`, ada); n != 0 {
				t.Errorf("%s: the job left the account", step)
			}
			w.join(person1(name))
		}
	})
}

// A deletion whose job gave up is found again by its sealed status. A status that a writer
// of the database sets deletes nothing, and one that is taken back stops nothing.
func TestDeleteFoundAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		away := true
		w.Keep("fails", Keeper{
			Empty: func(context.Context, ID) error {
				if away {
					return errors.New("the store is away")
				}
				return nil
			},
			Forget: func(context.Context, *db.Tx, ID) error { return nil },
		})
		ada, bob := w.join(person1("ada")), w.join(person1("bob"))
		if err := w.Delete(t.Context(), ada); err == nil {
			t.Fatal("the store was away")
		}
		for _, q := range []string{`DELETE FROM jobs`, `UPDATE accounts SET status = 'active'`} {
			if _, err := d.Exec(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.CheckPassword(t.Context(), "ada", goodPassword); !errors.Is(err, ErrCredentials) {
			t.Errorf("a status that was taken back: %v", err)
		}
		if _, err := d.Exec(t.Context(), `UPDATE accounts SET status = 'deleting'`); err != nil {
			t.Fatal(err)
		}
		away = false
		if err := w.resumeDeletions(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := w.countOf(`SELECT COUNT(*) FROM accounts WHERE id = $1`, ada); n != 0 {
			t.Error("a decided deletion was not finished")
		}
		if n := w.countOf(`SELECT COUNT(*) FROM accounts WHERE id = $1`, bob); n != 1 {
			t.Error("a status set by hand deleted an account")
		}
	})
}

// The last active admin stays. Of two who delete their accounts at once, one does.
func TestDeleteLastAdmin(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var admins []ID
		for _, name := range []string{"root", "toor"} {
			id, err := w.Create(t.Context(), person1(name), Admin)
			if err != nil {
				t.Fatal(err)
			}
			admins = append(admins, id)
		}
		w.join(person1("ada"))
		got := race(2, func(i int) error { return w.Delete(context.Background(), admins[i]) })
		if got[""] != 1 || got["last_admin"] != 1 {
			t.Errorf("two admins at once: %v", got)
		}
		if n := w.countOf(`SELECT COUNT(*) FROM accounts WHERE role = 'admin' AND status = 'active'`); n != 1 {
			t.Errorf("%d admins", n)
		}
	})
}

// Of twenty deletions at once one decides, and one mail is sent.
func TestDeleteAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada := w.join(person1("ada"))
		got := race(20, func(int) error { return w.Delete(context.Background(), ada) })
		if got[""] != 1 || got["not_found"] != 19 {
			t.Errorf("%v", got)
		}
		if mails := w.Mails(); len(mails) != 1 {
			t.Errorf("%+v", mails)
		}
	})
}

// Of many admins who delete their accounts at once one stays, also while the account whose
// row they wait for is being removed.
func TestAttackAllAdminsGo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		kept := ID("")
		for round := range 5 {
			var admins []ID
			for i := range 8 {
				id, err := w.Create(t.Context(), person1(fmt.Sprintf("admin%d-%d", round, i)), Admin)
				if err != nil {
					t.Fatal(err)
				}
				admins = append(admins, id)
			}
			if kept != "" {
				if err := w.Delete(t.Context(), kept); err != nil {
					t.Fatal(err)
				}
			}
			got := race(8, func(i int) error { return w.Delete(context.Background(), admins[i]) })
			if err := d.QueryRow(t.Context(), `SELECT id FROM accounts WHERE role = 'admin' AND status = 'active'`).Scan(&kept); err != nil {
				t.Fatalf("no admin is left: %v, %v", err, got)
			}
			if got[""] != 7 || got["last_admin"] != 1 {
				t.Errorf("%v", got)
			}
		}
	})
}
