package account

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

func TestFirstAdmin(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		old, err := w.Bootstrap(ctx)
		if err != nil || old == "" {
			t.Fatalf("Bootstrap = %q, %v", old, err)
		}
		token, err := w.Bootstrap(ctx)
		if err != nil || token == old {
			t.Fatalf("the next start must replace the token: %v", err)
		}
		hashes := w.hasher.done.Load()
		for _, bad := range []string{old, "", "guess"} {
			if _, err := w.FirstAdmin(ctx, bad, person1("root")); code(err) != "link_gone" {
				t.Errorf("token %q: %v, want link_gone", bad, err)
			}
		}
		if w.hasher.done.Load() != hashes {
			t.Error("a guess got a password hashed")
		}
		got := race(20, func(i int) error {
			_, err := w.FirstAdmin(ctx, token, person1(fmt.Sprintf("root%d", i)))
			return err
		})
		if diff := cmp.Diff(map[string]int{"": 1, "link_gone": 19}, got); diff != "" {
			t.Error(diff)
		}
		if again, err := w.Bootstrap(ctx); err != nil || again != "" {
			t.Errorf("Bootstrap with an admin = %q, %v; want none", again, err)
		}
		admins := 0
		for i := range 20 {
			if st, err := w.CheckPassword(ctx, fmt.Sprintf("root%d", i), goodPassword); err == nil && st.Role == Admin && st.Status == Active {
				admins++
			}
		}
		if admins != 1 {
			t.Errorf("%d admins can sign in, want 1", admins)
		}
	})
}

func TestFirstAdminKeepsTokenWhenRefused(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t))
	w.join(person1("taken"))
	token, err := w.Bootstrap(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.FirstAdmin(ctx, token, person1("taken")); code(err) != "account_exists" {
		t.Fatalf("got %v, want account_exists", err)
	}
	if _, err := w.FirstAdmin(ctx, token, person1("boss")); err != nil {
		t.Errorf("the token must be as good as before: %v", err)
	}
}

func TestFirstAdminTokenDiesWithAnyAdmin(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t))
	token, err := w.Bootstrap(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Create(ctx, person1("operator"), Admin); err != nil {
		t.Fatal(err)
	}
	if _, err := w.FirstAdmin(ctx, token, person1("second")); code(err) != "link_gone" {
		t.Errorf("got %v, want link_gone", err)
	}
}
