package account

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
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
		if len(m.Data["code"]) != 6 || len(tokenOf(m.Message)) != 43 || !strings.HasPrefix(m.Data["link"], "https://coffer.test/verify-email#token=") {
			t.Errorf("mail data = %v", m.Data)
		}
		if _, err := w.CheckPassword(ctx, in.Email, in.Password); !errors.Is(err, ErrCredentials) {
			t.Errorf("sign-in before the proof: %v, want ErrCredentials", err)
		}
		if err := w.VerifyToken(ctx, m.byLink()); err != nil {
			t.Fatal(err)
		}
		if got := code(w.VerifyToken(ctx, m.byLink())); got != "link_gone" {
			t.Errorf("the link again: %q, want link_gone", got)
		}
		if got := code(w.VerifyCode(ctx, m.byCode())); got != "link_gone" {
			t.Errorf("the code after the link: %q, want link_gone", got)
		}
		for _, identifier := range []string{"zoe.ng@example.org", "ZOE.NG@EXAMPLE.ORG", "zoe.ng", "Zoe.Ng"} {
			st, err := w.CheckPassword(ctx, identifier, goodPassword)
			if err != nil {
				t.Fatalf("sign-in as %q: %v", identifier, err)
			}
			again, err := w.State(ctx, st.ID)
			want := State{ID: st.ID, Status: Active, SessionEpoch: 1, Role: User, Lang: "de"}
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
			hashes := w.hasher.done.Load()
			_, err := w.SignUp(ctx, in, at(1))
			done := w.hasher.done.Load() - hashes
			ran := w.RunJobs()
			return work{code(err), done, len(w.Mails()), ran}
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
	if _, err := w.SignUp(ctx, in, at(1)); err != nil {
		t.Fatal(err)
	}
	if m := w.mail("sign-up-exists"); m.To != "Member@example.org" || m.Data["name"] != "Ada" {
		t.Errorf("mail = %+v, want it to the stored address and name", m)
	}
}
