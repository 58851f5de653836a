package account

import (
	"errors"
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/keyring"
)

var rotated = []keyring.Purpose{keyring.Field, keyring.Pepper, keyring.Index}

// rotateAll retires the keys that walks free, and returns them.
func (w *world) rotateAll() (old []keyring.Key) {
	w.t.Helper()
	for _, p := range rotated {
		k, err := w.Ring.Active(w.t.Context(), p)
		if err != nil {
			w.t.Fatal(err)
		}
		old = append(old, k)
		if _, err := w.Ring.Rotate(w.t.Context(), p); err != nil {
			w.t.Fatal(err)
		}
	}
	w.Advance(keyring.Settle)
	return old
}

func (w *world) destroy(old []keyring.Key) {
	w.t.Helper()
	for _, k := range old {
		if err := w.Ring.Destroy(w.t.Context(), k.Purpose, k.ID); err != nil {
			w.t.Error(err)
		}
	}
}

// Each walk goes past a damaged row, and what is whole in an account, or in the others, is
// worth as much as before when the old keys are gone.
func TestRewrapsGoPastDamage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		ada, bio := w.join(person1("ada")), w.join(person1("bio"))
		lost, moved, away := w.join(person1("lost")), w.join(person1("moved")), w.join(person1("away"))
		w.apply(person1("torn"))
		exec := func(q string, args ...any) {
			t.Helper()
			if n, err := d.Exec(ctx, q, args...); err != nil || n != 1 {
				t.Fatalf("%s: %d rows, %v", q, n, err)
			}
		}
		exec(`UPDATE accounts SET bio = $1, first_name = $1 WHERE id = $2`, []byte("x"), string(bio))
		exec(`UPDATE account_keys SET wrapped = $1 WHERE account = $2`, []byte("x"), string(lost))                                           // keys, emails, usernames
		exec(`UPDATE accounts SET password = (SELECT o.password FROM accounts o WHERE o.id = $1) WHERE id = $2`, string(ada), string(moved)) // passwords
		exec(`UPDATE accounts SET standing = (SELECT o.standing FROM accounts o WHERE o.id = $1) WHERE id = $2`, string(ada), string(away))  // standings
		exec(`UPDATE sign_ups SET wrapped = $1, password = $1 WHERE used_at IS NULL`, []byte("x"))                                           // all three of sign-ups
		fresh := w.apply(person1("fresh"))
		old := w.rotateAll()
		if err := w.Ring.RewrapAll(ctx, w.Ring.Rewraps(), nil); err != nil {
			t.Fatal(err)
		}
		if n, err := w.Ring.Damaged(ctx); n != 8 || err != nil {
			t.Errorf("Damaged = %d, %v, want 8", n, err)
		}
		w.destroy(old)
		for _, name := range []string{"ada", "bio"} {
			for _, login := range []string{name, name + "@example.org"} {
				if _, err := w.CheckPassword(ctx, login, goodPassword); err != nil {
					t.Errorf("%s: %v", login, err)
				}
			}
		}
		for _, login := range []string{"lost", "moved"} {
			if _, err := w.CheckPassword(ctx, login, goodPassword); !errors.Is(err, ErrCredentials) {
				t.Errorf("%s: %v, want that no password is right", login, err)
			}
		}
		if err := w.VerifyToken(ctx, fresh.byLink()); err != nil {
			t.Error(err)
		}
	})
}

// Two accounts change places in an index. The walk tries again until each has its own.
func TestReindexBehindATakenPlace(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		first, second := w.join(person1("ada")), w.join(person1("bob"))
		name := "ada"
		if first > second {
			first, second, name = second, first, "bob"
		}
		old := w.rotateAll()
		// The index that the first is going to get stands in the second's row already.
		taken, err := w.Ring.Index(ctx, usernameColumn, name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Exec(ctx, `UPDATE accounts SET username_index = $1 WHERE id = $2`, taken, string(second)); err != nil {
			t.Fatal(err)
		}
		if err := w.Ring.RewrapAll(ctx, w.Ring.Rewraps(), nil); !errors.Is(err, keyring.ErrNoKey) {
			t.Errorf("RewrapAll = %v, want that the first waits", err)
		}
		if err := w.Ring.Destroy(ctx, keyring.Index, old[2].ID); !errors.Is(err, keyring.ErrNeeded) {
			t.Errorf("the key of the index that the first still has: %v", err)
		}
		if err := w.Ring.RewrapAll(ctx, w.Ring.Rewraps(), nil); err != nil {
			t.Fatal(err)
		}
		w.destroy(old)
		for _, login := range []string{"ada", "bob"} {
			if _, err := w.CheckPassword(ctx, login, goodPassword); err != nil {
				t.Errorf("%s: %v", login, err)
			}
		}
	})
}

// A sign-up that is proven when the walk has passed its account's place, and one that is
// still queued, leave nothing under the old keys.
func TestRotationDuringASignUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		waiting := w.apply(person1("waiting"))
		if _, err := w.SignUp(ctx, person1("queued"), at(1)); err != nil {
			t.Fatal(err)
		}
		old := w.rotateAll()
		works := w.Ring.Rewraps()
		var accounts, rest []keyring.Rewrap
		for _, work := range works {
			switch work.Name {
			case "account.keys", "account.standings", "account.passwords":
				accounts = append(accounts, work)
			default:
				rest = append(rest, work)
			}
		}
		if err := w.Ring.RewrapAll(ctx, accounts, nil); err != nil {
			t.Fatal(err)
		}
		if err := w.VerifyToken(ctx, waiting.byLink()); err != nil {
			t.Fatal(err)
		}
		jobs := keyring.Rewrap{Name: "jobs", Purpose: keyring.Field, Step: w.Jobs.Reseal}
		if err := w.Ring.RewrapAll(ctx, append(rest, jobs), nil); err != nil {
			t.Fatal(err)
		}
		w.destroy(old)
		st, err := w.CheckPassword(ctx, "waiting", goodPassword)
		if err != nil {
			t.Error(err)
		}
		if p, err := w.Profile(ctx, st.ID); err != nil || p.Email != "waiting@example.org" {
			t.Errorf("%+v, %v", p, err)
		}
		m := w.mail("verify-email")
		if err := w.VerifyToken(ctx, Proof{Token: tokenOf(m), Password: goodPassword, From: at(1)}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.CheckPassword(ctx, "queued", goodPassword); err != nil {
			t.Error(err)
		}
	})
}
