package account

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/mail"
)

func TestVerifyByCode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		m := w.apply(person1("grace"))
		c := m.Data["code"]
		if err := w.VerifyCode(ctx, " GRACE@example.org", c[:3]+" "+c[3:], ""); err != nil {
			t.Fatal(err)
		}
		if got := code(w.VerifyCode(ctx, "grace@example.org", c, "")); got != "link_gone" {
			t.Errorf("the code again: %q, want link_gone", got)
		}
		if got := code(w.VerifyToken(ctx, tokenOf(m), "")); got != "link_gone" {
			t.Errorf("the link after the code: %q, want link_gone", got)
		}
	})
}

// A code belongs to the mail it came in: its digest put into another sign-up's row, by
// whoever can write there, opens nothing.
func TestCodesAreBoundToTheirSignUp(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t))
	mine := w.apply(person1("mine"))
	w.apply(person1("theirs"))
	rows := map[string]signUpRow{}
	for _, name := range []string{"mine", "theirs"} {
		indexes, err := w.emailIndexes(ctx, address{Canonical: name + "@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		if rows[name], err = findSignUp(ctx, w.DB, indexes); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.DB.Exec(ctx, `UPDATE sign_ups SET code = $1 WHERE id = $2`, rows["mine"].Code, string(rows["theirs"].ID)); err != nil {
		t.Fatal(err)
	}
	if got := code(w.VerifyCode(ctx, "theirs@example.org", mine.Data["code"], "")); got != "invalid_code" {
		t.Errorf("another sign-up's code: %q, want invalid_code", got)
	}
}

// Five wrong codes close an address for codes, a new code opens it not, and an address
// that nobody signed up with answers the same all the way.
func TestCodeTries(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		first := w.apply(person1("grace"))
		member := w.join(person1("member"))
		if member == "" {
			t.Fatal("no account")
		}
		wrong := func(c string) string { return fmt.Sprintf("%06d", (atoi(c)+1)%1_000_000) }
		answers := map[string][]string{}
		for i := range 8 {
			if i == 4 {
				for _, to := range []string{"grace", "nobody", "member"} {
					if err := w.Resend(ctx, to+"@example.org"); err != nil {
						t.Fatal(err)
					}
				}
				first = w.mail("verify-email")
			}
			for _, to := range []string{"grace", "nobody", "member"} {
				answers[to] = append(answers[to], code(w.VerifyCode(ctx, to+"@example.org", wrong(first.Data["code"]), "")))
			}
		}
		want := []string{"invalid_code", "invalid_code", "invalid_code", "invalid_code", "invalid_code", "link_gone", "link_gone", "link_gone"}
		for to, got := range answers {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", to, diff)
			}
		}
		if got := code(w.VerifyCode(ctx, "grace@example.org", first.Data["code"], "")); got != "link_gone" {
			t.Errorf("the right code after five wrong ones: %q, want link_gone", got)
		}
		if err := w.VerifyToken(ctx, tokenOf(first), ""); err != nil {
			t.Errorf("the link must still work: %v", err)
		}
	})
}

func atoi(s string) (n int) {
	for _, r := range s {
		n = n*10 + int(r-'0')
	}
	return n
}

func TestProofsExpire(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t))
	m := w.apply(person1("grace"))
	w.advance(10*time.Minute + time.Second)
	if got := code(w.VerifyCode(ctx, "grace@example.org", m.Data["code"], "")); got != "link_gone" {
		t.Errorf("code after 10 min: %q, want link_gone", got)
	}
	w.advance(24*time.Hour - 10*time.Minute - 2*time.Second)
	late := w.apply(person1("edith"))
	if err := w.VerifyToken(ctx, tokenOf(m), ""); err != nil {
		t.Errorf("link in its last second: %v", err)
	}
	w.advance(24 * time.Hour)
	if got := code(w.VerifyToken(ctx, tokenOf(late), "")); got != "link_gone" {
		t.Errorf("link after 24 h: %q, want link_gone", got)
	}
	if n, err := pruneSignUps(ctx, w.DB, w.now().UnixMilli()); err != nil || n != 2 {
		t.Errorf("pruned %d (%v), want the used and the expired one", n, err)
	}
}

func TestUsernameTakenMeanwhile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		w.join(person1("popular"))
		second := person1("second")
		second.Username = "popular"
		m := w.apply(second)
		if got := code(w.VerifyToken(ctx, tokenOf(m), "")); got != "username_taken" {
			t.Fatalf("got %q, want username_taken", got)
		}
		if got := code(w.VerifyCode(ctx, second.Email, m.Data["code"], "")); got != "username_taken" {
			t.Fatalf("by code: got %q, want username_taken", got)
		}
		if got := code(w.VerifyToken(ctx, tokenOf(m), "not a name")); got != "validation_failed" {
			t.Errorf("got %q, want validation_failed", got)
		}
		if err := w.VerifyToken(ctx, tokenOf(m), "Second"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.CheckPassword(ctx, "second", second.Password); err != nil {
			t.Errorf("sign-in under the second choice: %v", err)
		}
		if _, err := w.CheckPassword(ctx, "popular", goodPassword); err != nil {
			t.Errorf("the first owner: %v", err)
		}
	})
}

func TestUsernamesAreNotProbedForEver(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t))
	w.join(person1("popular"))
	in := person1("prober")
	in.Username = "popular"
	m := w.apply(in)
	got := map[string]int{}
	for range 12 {
		got[code(w.VerifyToken(ctx, tokenOf(m), ""))]++
	}
	if diff := cmp.Diff(map[string]int{"username_taken": 10, "rate_limited": 2}, got); diff != "" {
		t.Error(diff)
	}
}

func TestRaces(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)

		m := w.apply(person1("grace"))
		got := race(20, func(int) error { return w.VerifyToken(ctx, tokenOf(m), "") })
		if diff := cmp.Diff(map[string]int{"": 1, "link_gone": 19}, got); diff != "" {
			t.Errorf("one link: %s", diff)
		}

		m = w.apply(person1("edith"))
		got = race(20, func(i int) error {
			if i%2 == 0 {
				return w.VerifyToken(ctx, tokenOf(m), "")
			}
			return w.VerifyCode(ctx, "edith@example.org", m.Data["code"], "")
		})
		if got[""] != 1 || got[""]+got["link_gone"] != 20 {
			t.Errorf("link and code of one mail: %v, want one winner", got)
		}

		var proofs []mail.Message
		for i := range 10 {
			in := person1(fmt.Sprintf("rival%d", i))
			in.Username = "wanted"
			proofs = append(proofs, w.apply(in))
		}
		got = race(10, func(i int) error { return w.VerifyToken(ctx, tokenOf(proofs[i]), "") })
		if diff := cmp.Diff(map[string]int{"": 1, "username_taken": 9}, got); diff != "" {
			t.Errorf("one username, ten sign-ups: %s", diff)
		}

		var ids []ID
		for i := range 6 {
			ids = append(ids, w.join(person1(fmt.Sprintf("racer%d", i))))
		}
		name := "finish"
		got = race(6, func(i int) error {
			_, err := w.Change(ctx, ids[i], Changes{Username: &name})
			return err
		})
		if diff := cmp.Diff(map[string]int{"": 1, "username_taken": 5}, got); diff != "" {
			t.Errorf("one username, six accounts: %s", diff)
		}
	})
}
