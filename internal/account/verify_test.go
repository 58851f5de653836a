package account

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

func TestVerifyByCode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		m := w.apply(person1("grace"))
		c := m.Data["code"]
		typed := m.byCode()
		typed.Email, typed.Code = " GRACE@example.org", c[:3]+" "+c[3:]
		if err := w.VerifyCode(ctx, typed); err != nil {
			t.Fatal(err)
		}
		if got := code(w.VerifyCode(ctx, m.byCode())); got != "link_gone" {
			t.Errorf("the code again: %q, want link_gone", got)
		}
		if got := code(w.VerifyToken(ctx, m.byLink())); got != "link_gone" {
			t.Errorf("the link after the code: %q, want link_gone", got)
		}
	})
}

// The proofs of a sign-up are bound to its row: an attacker who writes to the database
// cannot make one sign-up open by the code, token or mail of another.
func TestProofsAreBoundToTheirSignUp(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t))
	mine, theirs := w.apply(person1("mine")), w.apply(person1("theirs"))
	rows := map[string]proven{}
	for _, a := range []applied{mine, theirs} {
		r, err := findByToken(ctx, w.DB, tokenDigest(tokenOf(a.Message)))
		if err != nil {
			t.Fatal(err)
		}
		rows[a.in.Username] = r
	}
	exec := func(q string, args ...any) {
		t.Helper()
		if n, err := w.DB.Exec(ctx, q, args...); err != nil || n != 1 {
			t.Fatal(n, err)
		}
	}
	stolen := theirs.byCode()
	stolen.Code = mine.Data["code"]
	exec(`UPDATE sign_up_proofs SET code = $1 WHERE sign_up = $2`, rows["mine"].Code, string(rows["theirs"].ID))
	if got := code(w.VerifyCode(ctx, stolen)); got != "invalid_code" {
		t.Errorf("another sign-up's code: %q, want invalid_code", got)
	}
	// The token of my sign-up is written beside theirs, whose link I was mailed.
	exec(`UPDATE sign_ups SET belonging = $1 WHERE id = $2`, rows["mine"].Belonging, string(rows["theirs"].ID))
	moved := theirs.byLink()
	moved.SignUp = mine.signUp
	if got := code(w.VerifyToken(ctx, moved)); got != "sign_up_proof_required" {
		t.Errorf("another sign-up's token: %q, want sign_up_proof_required", got)
	}
	// A link that the writer knows is put before their sign-up.
	forged := theirs.byLink()
	forged.Token = strings.Repeat("A", tokenLength)
	exec(`INSERT INTO sign_up_proofs (token, sign_up, link, code, code_expires_at, expires_at) SELECT $1, sign_up, link, code, code_expires_at, expires_at
		FROM sign_up_proofs WHERE sign_up = $2`, tokenDigest(forged.Token), string(rows["theirs"].ID))
	forged.Password = goodPassword
	if got := code(w.VerifyToken(ctx, forged)); got != "link_gone" {
		t.Errorf("a link that was never mailed: %q, want link_gone", got)
	}
	// Their sign-up is put behind my link.
	exec(`UPDATE sign_up_proofs SET sign_up = $1 WHERE sign_up = $2`, string(rows["theirs"].ID), string(rows["mine"].ID))
	for _, p := range []Proof{mine.byLink(), {Token: tokenOf(mine.Message), SignUp: theirs.signUp}, {Token: tokenOf(mine.Message), Password: goodPassword}} {
		if got := code(w.VerifyToken(ctx, p)); got != "link_gone" {
			t.Errorf("my link before their sign-up: %q, want link_gone", got)
		}
	}
	// Their sealed password is replaced by mine.
	exec(`UPDATE sign_ups SET password = $1 WHERE id = $2`, rows["mine"].Password, string(rows["theirs"].ID))
	if err := w.VerifyToken(ctx, Proof{Token: tokenOf(theirs.Message), Password: goodPassword, From: at(0)}); err == nil {
		t.Error("another sign-up's password opens it")
	}
}

// Five wrong codes end a count, a new code does not begin it anew, and an address that is
// nobody's answers the same all the way, with a sign-up named and without.
func TestCodeTries(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		for _, named := range []bool{false, true} {
			suffix := fmt.Sprint(named)
			first := w.apply(person1("grace" + suffix))
			w.join(person1("member" + suffix))
			tokens := map[string]string{"grace": first.signUp}
			var err error
			if tokens["member"], err = w.SignUp(ctx, person1("member"+suffix), at(0)); err != nil {
				t.Fatal(err)
			}
			w.mail("sign-up-exists")
			if tokens["nobody"], err = newToken(w.Rand); err != nil {
				t.Fatal(err)
			}
			try := func(to, c string) string {
				p := Proof{Email: to + suffix + "@example.org", Code: c, From: at(1)}
				if named {
					p.SignUp = tokens[to]
				}
				return code(w.VerifyCode(ctx, p))
			}
			wrong := func(c string) string { return fmt.Sprintf("%06d", (atoi(c)+1)%1_000_000) }
			answers := map[string][]string{}
			for i := range 8 {
				if i == 4 {
					for to, token := range tokens {
						if err := w.Resend(ctx, to+suffix+"@example.org", token, at(0)); err != nil {
							t.Fatal(err)
						}
					}
					first.Message = w.mail("verify-email")
				}
				for to := range tokens {
					answers[to] = append(answers[to], try(to, wrong(first.Data["code"])))
				}
			}
			want := []string{"invalid_code", "invalid_code", "invalid_code", "invalid_code", "invalid_code", "link_gone", "link_gone", "link_gone"}
			for to, got := range answers {
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("named %t, %s: %s", named, to, diff)
				}
			}
			if got := try("grace", first.Data["code"]); got != "link_gone" {
				t.Errorf("named %t, the right code after five wrong ones: %q, want link_gone", named, got)
			}
			if err := w.VerifyToken(ctx, first.byLink()); err != nil {
				t.Errorf("named %t, the link must still work: %v", named, err)
			}
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
	w.Advance(10*time.Minute + time.Second)
	if got := code(w.VerifyCode(ctx, m.byCode())); got != "link_gone" {
		t.Errorf("code after 10 min: %q, want link_gone", got)
	}
	w.Advance(24*time.Hour - 10*time.Minute - 2*time.Second)
	late := w.apply(person1("edith"))
	if err := w.VerifyToken(ctx, m.byLink()); err != nil {
		t.Errorf("link in its last second: %v", err)
	}
	w.Advance(24 * time.Hour)
	if got := code(w.VerifyToken(ctx, late.byLink())); got != "link_gone" {
		t.Errorf("link after 24 h: %q, want link_gone", got)
	}
	if n, err := pruneSignUps(ctx, w.DB, w.Now().UnixMilli()); err != nil || n != 2 {
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
		if got := code(w.VerifyToken(ctx, m.byLink())); got != "username_taken" {
			t.Fatalf("got %q, want username_taken", got)
		}
		if got := code(w.VerifyCode(ctx, m.byCode())); got != "username_taken" {
			t.Fatalf("by code: got %q, want username_taken", got)
		}
		other := m.byLink()
		other.Username = "not a name"
		if got := code(w.VerifyToken(ctx, other)); got != "validation_failed" {
			t.Errorf("got %q, want validation_failed", got)
		}
		other.Username = "Second"
		if err := w.VerifyToken(ctx, other); err != nil {
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
		got[code(w.VerifyToken(ctx, m.byLink()))]++
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
		got := race(20, func(int) error { return w.VerifyToken(ctx, m.byLink()) })
		if diff := cmp.Diff(map[string]int{"": 1, "link_gone": 19}, got); diff != "" {
			t.Errorf("one link: %s", diff)
		}

		m = w.apply(person1("edith"))
		got = race(20, func(i int) error {
			if i%2 == 0 {
				return w.VerifyToken(ctx, m.byLink())
			}
			return w.VerifyCode(ctx, m.byCode())
		})
		if got[""] != 1 || got[""]+got["link_gone"] != 20 {
			t.Errorf("link and code of one mail: %v, want one winner", got)
		}

		var proofs []applied
		for i := range 10 {
			in := person1(fmt.Sprintf("rival%d", i))
			in.Username = "wanted"
			proofs = append(proofs, w.apply(in))
		}
		got = race(10, func(i int) error { return w.VerifyToken(ctx, proofs[i].byLink()) })
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
