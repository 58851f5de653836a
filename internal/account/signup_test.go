package account

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/mail"
)

func TestSignUpStory(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		in := NewAccount{FirstName: "Zoë", LastName: "Ng", Username: "Zoe.Ng", Email: "Zoe.NG@Example.ORG", Password: goodPassword, Lang: "de"}
		m := w.apply(in)
		if m.To != "Zoe.NG@example.org" || m.Lang != "de" {
			t.Errorf("mail to %q in %q, want the address as its owner wrote it, in the language chosen", m.To, m.Lang)
		}
		if len(m.Data["code"]) != 6 || len(tokenOf(m)) != 43 || !strings.HasPrefix(m.Data["link"], "https://coffer.test/verify-email#token=") {
			t.Errorf("mail data = %v", m.Data)
		}
		if _, err := w.CheckPassword(ctx, in.Email, in.Password); !errors.Is(err, ErrCredentials) {
			t.Errorf("sign-in before the proof: %v, want ErrCredentials", err)
		}
		if err := w.VerifyToken(ctx, tokenOf(m), ""); err != nil {
			t.Fatal(err)
		}
		if got := code(w.VerifyToken(ctx, tokenOf(m), "")); got != "link_gone" {
			t.Errorf("the link again: %q, want link_gone", got)
		}
		if got := code(w.VerifyCode(ctx, in.Email, m.Data["code"], "")); got != "link_gone" {
			t.Errorf("the code after the link: %q, want link_gone", got)
		}
		for _, identifier := range []string{"zoe.ng@example.org", "ZOE.NG@EXAMPLE.ORG", "zoe.ng", "Zoe.Ng"} {
			st, err := w.CheckPassword(ctx, identifier, goodPassword)
			if err != nil {
				t.Fatalf("sign-in as %q: %v", identifier, err)
			}
			again, err := w.State(ctx, st.ID)
			want := State{ID: st.ID, Status: Active, Ver: 1, Role: User, Lang: "de"}
			if diff := cmp.Diff(want, again); err != nil || diff != "" {
				t.Errorf("State: %v %s", err, diff)
			}
		}
		for _, wrong := range [][2]string{{"zoe.ng", goodPassword + " "}, {"zoe.ng", strings.ToUpper(goodPassword)}, {"nobody", goodPassword}, {"no@where.example", goodPassword}, {"", goodPassword}, {"@", goodPassword}} {
			if _, err := w.CheckPassword(ctx, wrong[0], wrong[1]); !errors.Is(err, ErrCredentials) {
				t.Errorf("CheckPassword(%q, %q) = %v, want ErrCredentials", wrong[0], wrong[1], err)
			}
		}
		if _, err := w.State(ctx, "nobody"); !errors.Is(err, ErrNotFound) {
			t.Errorf("State of nobody: %v", err)
		}
	})
}

// security.md row 44: whoever signed up first with a stranger's address has nothing once
// the stranger proves it.
func TestNewestSignUpVoidsOlder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		attacker := person1("victim")
		attacker.Username, attacker.Password, attacker.FirstName = "attacker", "planted before the owner", "Mallory"
		planted := w.apply(attacker)
		owner := person1("victim")
		proof := w.apply(owner)
		if got := code(w.VerifyToken(ctx, tokenOf(planted), "")); got != "link_gone" {
			t.Errorf("the older link: %q, want link_gone", got)
		}
		if got := code(w.VerifyCode(ctx, owner.Email, planted.Data["code"], "")); got != "invalid_code" {
			t.Errorf("the older code: %q, want invalid_code", got)
		}
		if err := w.VerifyToken(ctx, tokenOf(proof), ""); err != nil {
			t.Fatal(err)
		}
		for _, identifier := range []string{owner.Email, "victim", "attacker"} {
			if _, err := w.CheckPassword(ctx, identifier, attacker.Password); !errors.Is(err, ErrCredentials) {
				t.Errorf("the planted password opens %q: %v", identifier, err)
			}
		}
		st, err := w.CheckPassword(ctx, owner.Email, owner.Password)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := w.Profile(ctx, st.ID); err != nil || p.FirstName != "Ada" || p.Username != "victim" {
			t.Errorf("profile = %+v, %v", p, err)
		}
	})
}

// A stranger must not be able to tell the three kinds of address apart: the request does
// the same work, and each address gets as many mails.
func TestSignUpTellsNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		w.join(person1("member"))
		w.apply(person1("waiting"))
		type work struct {
			Err    string
			Hashes int64
			Mails  int
			Jobs   int
		}
		measure := func(email string, username string) work {
			in := person1(username)
			in.Email = email
			hashes, ran := w.hasher.done.Load(), w.work
			err := w.SignUp(ctx, in)
			done := w.hasher.done.Load() - hashes
			return work{code(err), done, len(w.mails()), w.work - ran}
		}
		want := work{Hashes: 1, Mails: 1, Jobs: 2}
		for _, email := range []string{"new@example.org", "member@example.org", "waiting@example.org", "MEMBER@example.org"} {
			for _, username := range []string{"member", "fresh"} {
				if diff := cmp.Diff(want, measure(email, username)); diff != "" {
					t.Errorf("%s as %s: %s", email, username, diff)
				}
			}
		}
		for _, identifier := range []string{"member", "nobody", "member@example.org", "nobody@example.org", "waiting"} {
			before := w.hasher.done.Load()
			if _, err := w.CheckPassword(ctx, identifier, "not the right password"); !errors.Is(err, ErrCredentials) {
				t.Errorf("%s: %v", identifier, err)
			}
			if got := w.hasher.done.Load() - before; got != 1 {
				t.Errorf("%s cost %d hashes, want 1", identifier, got)
			}
		}
	})
}

func TestSignUpExistsMail(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t))
	in := person1("member")
	in.Email = "Member@example.org"
	w.join(in)
	in.Email, in.FirstName, in.Username = "MEMBER@example.org", "Mallory", "mallory"
	if err := w.SignUp(ctx, in); err != nil {
		t.Fatal(err)
	}
	if m := w.mail("sign-up-exists"); m.To != "Member@example.org" || m.Data["name"] != "Ada" {
		t.Errorf("mail = %+v, want it to the stored address and name", m)
	}
}

func TestMailsToOneRecipientAreLimited(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t))
	var last mail.Message
	for range 5 {
		last = w.apply(person1("grace"))
	}
	if err := w.SignUp(ctx, person1("grace")); err != nil {
		t.Errorf("over the share the answer must be the same: %v", err)
	}
	if err := w.Resend(ctx, "grace@example.org"); err != nil {
		t.Error(err)
	}
	if got := w.mails(); len(got) != 0 {
		t.Errorf("%d mails over the share, want none", len(got))
	}
	if err := w.VerifyToken(ctx, tokenOf(last), ""); err != nil {
		t.Errorf("what was not mailed must not void what was: %v", err)
	}
}
