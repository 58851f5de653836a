package account

import (
	"strings"
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// TestCheckLink: a page learns whether its link works, and the question changes nothing.
func TestCheckLink(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		h := w.serve()
		ask := func(path, token string) string {
			got := send(h, "POST", path+"/check", "", `{"token":"`+token+`"}`)
			if got.Status == 204 {
				return "works"
			}
			return got.Code
		}
		m := w.apply(person1("ada"))
		token := tokenOf(m.Message)
		for range 3 {
			if got := ask("/auth/verify-email", token); got != "works" {
				t.Fatalf("a fresh link: %s", got)
			}
		}
		for name, bad := range map[string]string{"none": "", "another": strings.Repeat("A", tokenLength), "cut": token[1:]} {
			if got := ask("/auth/verify-email", bad); got != "link_gone" {
				t.Errorf("%s: %s", name, got)
			}
		}
		if err := w.VerifyToken(t.Context(), m.byLink()); err != nil {
			t.Fatalf("after it was asked about: %v", err)
		}
		if got := ask("/auth/verify-email", token); got != "link_gone" {
			t.Errorf("a used link: %s", got)
		}
		late := tokenOf(w.apply(person1("late")).Message)
		w.Advance(w.LinkTTL)
		if got := ask("/auth/verify-email", late); got != "link_gone" {
			t.Errorf("an expired link: %s", got)
		}

		first, err := w.Bootstrap(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := ask("/auth/first-admin", first); got != "works" {
			t.Errorf("the printed link: %s", got)
		}
		if _, err := w.FirstAdmin(t.Context(), first, person1("boss")); err != nil {
			t.Fatal(err)
		}
		if got := ask("/auth/first-admin", first); got != "link_gone" {
			t.Errorf("the printed link, used: %s", got)
		}
		w.VerifyLimit.Limit = 1
		for range 2 {
			ask("/auth/verify-email", token)
		}
		if got := ask("/auth/verify-email", token); got != "rate_limited" {
			t.Errorf("many guesses: %s", got)
		}
	})
}
