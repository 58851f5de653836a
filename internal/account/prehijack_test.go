package account

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/limit"
)

const planted = "planted by a stranger 7"

// plant is what a stranger signs up with under somebody else's address.
func plant(victim NewAccount) NewAccount {
	victim.FirstName, victim.Username, victim.Password = "Mallory", "mallory", planted
	return victim
}

// A stranger signs up with a newcomer's address, in any order and any number of times. Once
// the newcomer has proven the address, the stranger holds nothing, whichever link the
// newcomer pressed (security.md row 44).
func TestStrangersSignUps(t *testing.T) {
	link, code6 := applied.byLink, applied.byCode
	stories := []struct {
		order string // s: a stranger signs up, v: the victim
		proof func(own applied) Proof
	}{
		{"sv", link},
		{"sssssv", code6},
		{"vsssss", func(own applied) Proof { return elsewhere(own.byLink(), own.in.Password) }},
		{"sssvsss", func(own applied) Proof { return elsewhere(own.byCode(), own.in.Password) }},
		{"svsvs", link},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d, generous, func(c *Config) { c.ProofLimit = limit.Rule{Name: "sign-up-password", Limit: 1000, Window: time.Hour} })
		for n, story := range stories {
			victim := person1(fmt.Sprintf("victim%d", n))
			var strangers, own []applied
			for i, who := range story.order {
				if who == 's' {
					strangers = append(strangers, w.applyFrom(at(i%2), plant(victim)))
				} else {
					own = append(own, w.applyFrom(at(100), victim))
				}
			}
			mine := own[len(own)-1]
			for _, s := range []applied{strangers[0], strangers[len(strangers)-1]} {
				for what, p := range map[string]Proof{
					"their link in the victim's browser":               {Token: tokenOf(s.Message), SignUp: mine.signUp},
					"their link with the victim's password":            {Token: tokenOf(s.Message), Password: victim.Password},
					"their link in the victim's browser, both":         {Token: tokenOf(s.Message), SignUp: mine.signUp, Password: victim.Password},
					"their link alone":                                 {Token: tokenOf(s.Message)},
					"their code in the victim's browser":               {Email: victim.Email, Code: s.Data["code"], SignUp: mine.signUp},
					"their code with the victim's password":            {Email: victim.Email, Code: s.Data["code"], Password: victim.Password},
					"the victim's code with their token":               {Email: victim.Email, Code: mine.Data["code"], SignUp: s.signUp},
					"the victim's link with their token":               {Token: tokenOf(mine.Message), SignUp: s.signUp},
					"the victim's link with their token and password":  {Token: tokenOf(mine.Message), SignUp: s.signUp, Password: planted},
					"the victim's link with the password they planted": {Token: tokenOf(mine.Message), Password: planted},
				} {
					p.From = at(200 + n) // a count of its own
					if got := code(w.verify(ctx, p)); got != "sign_up_proof_required" {
						t.Errorf("%s, %s: %q, want sign_up_proof_required", story.order, what, got)
					}
				}
			}
			if err := w.verify(ctx, story.proof(mine)); err != nil {
				t.Fatalf("%s: %v", story.order, err)
			}
			for _, identifier := range []string{victim.Email, victim.Username, "mallory"} {
				if _, err := w.CheckPassword(ctx, identifier, planted); code(err) != "invalid_credentials" {
					t.Errorf("%s: the planted password opens %q: %v", story.order, identifier, err)
				}
			}
			st, err := w.CheckPassword(ctx, victim.Email, victim.Password)
			if err != nil {
				t.Fatalf("%s: %v", story.order, err)
			}
			if p, err := w.Profile(ctx, st.ID); err != nil || p.FirstName != "Ada" || p.Username != victim.Username {
				t.Errorf("%s: profile %+v, %v", story.order, p, err)
			}
			for _, a := range append(strangers, own...) {
				if got := code(w.verify(ctx, a.byLink())); got != "link_gone" {
					t.Errorf("%s: a link of another sign-up: %q, want link_gone", story.order, got)
				}
			}
			var left int
			indexes, _ := w.emailIndexes(ctx, address{Canonical: victim.Email})
			if err := w.DB.QueryRow(ctx, `SELECT COUNT(*) FROM sign_ups WHERE email_index = $1 AND id <> $2`, indexes[0], string(st.ID)).Scan(&left); err != nil || left != 0 {
				t.Errorf("%s: %d sign-ups are left, %v", story.order, left, err)
			}
		}
	})
}

// elsewhere is a proof where nothing but the password is at hand.
func elsewhere(p Proof, password string) Proof {
	p.SignUp, p.Password = "", password
	return p
}

// verify proves by what p has.
func (w *world) verify(ctx context.Context, p Proof) error {
	if p.Token != "" {
		return w.VerifyToken(ctx, p)
	}
	return w.VerifyCode(ctx, p)
}

// Two sign-ups of one address are proven at the same moment: one account, of one of them.
func TestSignUpsRace(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d, generous)
		victim := person1("victim")
		all := make([]applied, 6)
		for i := range all {
			in := victim
			in.Username, in.Password = fmt.Sprintf("rival%d", i), fmt.Sprintf("%s %d", planted, i)
			all[i] = w.applyFrom(at(i), in)
		}
		got := race(len(all), func(i int) error {
			if i%2 == 0 {
				return w.VerifyToken(ctx, all[i].byLink())
			}
			return w.VerifyCode(ctx, all[i].byCode())
		})
		// A code whose sign-up is gone already is a code of nothing.
		if got[""] != 1 || got[""]+got["link_gone"]+got["invalid_code"] != len(all) {
			t.Errorf("%v, want one winner", got)
		}
		open := 0
		for _, a := range all {
			if _, err := w.CheckPassword(ctx, victim.Email, a.in.Password); err == nil {
				open++
			}
		}
		if open != 1 {
			t.Errorf("%d passwords open the account", open)
		}
	})
}

// A stranger's mails, however many sources they come from, do not keep the mail of
// somebody new from being sent; beyond the sum for all they do, and the hour ends it.
func TestSharesOfMails(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t), inMemory)
	victim, _ := parseEmail("victim@example.org")
	sign := func(from Source, n int) (sent int) {
		t.Helper()
		for range n {
			may, err := w.mayMail(ctx, victim, from)
			if err != nil {
				t.Fatal(err)
			}
			if may {
				sent++
			}
		}
		return sent
	}
	if got := sign(at(1), 25); got != 20 {
		t.Errorf("one source: %d mails, want 20", got)
	}
	if got := sign(at(2), 25); got != 20 {
		t.Errorf("a second source: %d mails, want 20", got)
	}
	if got := sign(at(3), 5); got != 1 {
		t.Errorf("a third source, past the sum for those that have sent: %d mails, want its first", got)
	}
	sent := 0
	for i := range 20 { // every /64 of one /48
		sent += sign(SourceOf(netip.MustParseAddr(fmt.Sprintf("2001:db8:7:%x::1", i))), 1)
	}
	if sent != 1 {
		t.Errorf("one IPv6 network: %d mails, want 1", sent)
	}
	if _, err := w.SignUp(ctx, plant(person1("victim")), at(1)); err != nil {
		t.Errorf("over the share the answer must be the same: %v", err)
	}
	if got := len(w.Mails()); got != 0 {
		t.Errorf("%d mails over the share", got)
	}
	own := w.applyFrom(at(4), person1("victim"))
	if err := w.Resend(ctx, "victim@example.org", "", at(5)); err != nil {
		t.Fatal(err)
	}
	w.mail("verify-email")
	if err := w.VerifyToken(ctx, own.byLink()); err != nil {
		t.Fatal(err)
	}
	// The owner is told of sign-ups with the same shares, and of what happens to the
	// account without any.
	for i := range 100 {
		sign(at(1000+i), 1)
	}
	if got := sign(at(2000), 1); got != 0 {
		t.Errorf("over the sum for all: %d mails", got)
	}
	st, err := w.CheckPassword(ctx, "victim@example.org", goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.DB.Tx(ctx, func(tx *db.Tx) error { return w.happen(tx, st.ID) }); err != nil {
		t.Fatal(err)
	}
	w.mail(happened)
	w.Advance(2 * time.Hour)
	if got := sign(at(2000), 1); got != 1 {
		t.Errorf("later: %d mails, want 1", got)
	}
}

// A source that fills what may wait loses its own sign-ups, never another's.
func TestWaitingIsBounded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d, generous)
		own := w.applyFrom(at(1), person1("victim"))
		var strangers []applied
		for range waitingOfSource + 3 {
			strangers = append(strangers, w.applyFrom(at(2), plant(person1("victim"))))
		}
		for i, s := range strangers {
			want := "sign_up_proof_required"
			if i < 3 {
				want = "link_gone"
			}
			if got := code(w.VerifyToken(ctx, Proof{Token: tokenOf(s.Message)})); got != want {
				t.Errorf("sign-up %d of one source: %q, want %q", i, got, want)
			}
		}
		third := w.applyFrom(at(3), plant(person1("victim")))
		indexes, err := w.emailIndexes(ctx, address{Canonical: "victim@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		// With room for four, the source of twenty keeps two.
		if err := d.Tx(ctx, func(tx *db.Tx) error { return boundSignUps(ctx, tx, indexes, waitingOfSource, 4) }); err != nil {
			t.Fatal(err)
		}
		left, err := findSignUps(ctx, d, indexes, w.Now().UnixMilli())
		if err != nil || len(left) != 4 {
			t.Fatalf("%d wait, %v; want 4", len(left), err)
		}
		for _, a := range []applied{third, strangers[len(strangers)-1], strangers[len(strangers)-2]} {
			if got := code(w.VerifyToken(ctx, Proof{Token: tokenOf(a.Message)})); got != "sign_up_proof_required" {
				t.Errorf("%q, want sign_up_proof_required", got)
			}
		}
		var orphans int
		if err := d.QueryRow(ctx, `SELECT COUNT(*) FROM sign_up_proofs WHERE sign_up NOT IN (SELECT id FROM sign_ups)`).Scan(&orphans); err != nil || orphans != 0 {
			t.Errorf("%d proofs of nothing, %v", orphans, err)
		}
		if err := w.VerifyToken(ctx, own.byLink()); err != nil {
			t.Error(err)
		}
	})
}

// A stranger's wrong codes leave the victim's code as it is.
func TestStrangersCodeTries(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t), generous, inMemory)
	own := w.applyFrom(at(1), person1("victim"))
	theirs := w.applyFrom(at(2), plant(person1("victim")))
	for range 30 {
		for _, p := range []Proof{{}, {SignUp: theirs.signUp}, {SignUp: strings.Repeat("A", tokenLength)}, {Password: planted}} {
			p.Email, p.Code, p.From = "victim@example.org", "00000x", at(2)
			if got := code(w.VerifyCode(ctx, p)); got != "invalid_code" && got != "link_gone" {
				t.Fatal(got)
			}
		}
	}
	if got := code(w.VerifyCode(ctx, theirs.byCode())); got != "link_gone" {
		t.Errorf("their own code, guessed at last: %q, want link_gone", got)
	}
	if err := w.VerifyCode(ctx, own.byCode()); err != nil {
		t.Errorf("the victim's code: %v", err)
	}
}

// However many sign-ups of its own a source names, it tries a bounded number of codes.
func TestCodeTriesOfASource(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t), generous, inMemory)
	tried := 0
	for range 8 {
		a := w.applyFrom(at(2), plant(person1("victim")))
		for range maxCodeTries {
			p := a.byCode()
			p.Code = "00000x"
			if code(w.VerifyCode(ctx, p)) == "invalid_code" {
				tried++
			}
		}
	}
	if tried != maxSourceTries {
		t.Errorf("%d codes were tried, want %d", tried, maxSourceTries)
	}
}

// Wrong passwords are counted where they come from; the token needs no count, and a
// password is hashed for the holder of the mail alone.
func TestWrongPasswordsOfASignUp(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t), generous, inMemory)
	a := w.applyFrom(at(1), person1("grace"))
	guess := elsewhere(a.byLink(), "not the password")
	guess.From = at(2)
	got := map[string]int{}
	hashes := w.hasher.done.Load()
	for range 13 {
		got[code(w.VerifyToken(ctx, guess))]++
	}
	if diff := cmp.Diff(map[string]int{"sign_up_proof_required": 10, "rate_limited": 3}, got); diff != "" {
		t.Error(diff)
	}
	for _, p := range []Proof{
		{Token: strings.Repeat("A", tokenLength), Password: goodPassword, From: at(3)},
		{Email: "grace@example.org", Code: "00000x", Password: goodPassword, From: at(3)},
		{Email: "nobody@example.org", Code: "000000", Password: goodPassword, From: at(3)},
	} {
		if err := w.verify(ctx, p); err == nil {
			t.Errorf("%+v passed", p)
		}
	}
	if got := w.hasher.done.Load() - hashes; got != 10 {
		t.Errorf("%d hashes, want 10", got)
	}
	// A taken name does not count a right password.
	w.join(person1("popular"))
	right := elsewhere(a.byLink(), goodPassword)
	right.Username = "popular"
	for range 9 {
		if got := code(w.VerifyToken(ctx, right)); got != "username_taken" {
			t.Fatalf("%q, want username_taken", got)
		}
	}
	right.From, right.Username = guess.From, ""
	if got := code(w.VerifyToken(ctx, right)); got != "rate_limited" {
		t.Errorf("the right password where too many were tried: %q, want rate_limited", got)
	}
	w.Advance(2 * time.Hour)
	if err := w.VerifyToken(ctx, right); err != nil {
		t.Errorf("later: %v", err)
	}
}

// Asking for a mail voids what the asker has, and nothing of anybody else's.
func TestResendVoidsOnesOwn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d, generous)
		own := w.applyFrom(at(1), person1("victim"))
		theirs := w.applyFrom(at(2), plant(person1("victim")))
		resend := func(token string, from Source) applied {
			t.Helper()
			if err := w.Resend(ctx, "victim@example.org", token, from); err != nil {
				t.Fatal(err)
			}
			return applied{Message: w.mail("verify-email")}
		}
		for _, tc := range []struct {
			token string
			from  Source
			whose applied
			void  bool
		}{
			{"", at(1), own, false},
			{"", at(2), theirs, false},
			{"", at(3), theirs, false}, // the newest
			{strings.Repeat("A", tokenLength), at(1), own, false},
			{theirs.signUp, at(1), theirs, true},
			{own.signUp, at(3), own, true},
		} {
			m := resend(tc.token, tc.from)
			// Its own token tells whose mail it is.
			probe := Proof{Token: tokenOf(m.Message), SignUp: tc.whose.signUp, Username: "not a name"}
			if got := code(w.VerifyToken(ctx, probe)); got != "validation_failed" {
				t.Errorf("the mail for %q from %s is another's: %q", tc.token, tc.from.Addr, got)
			}
			first := tc.whose.byLink()
			first.Username = "not a name"
			want := "validation_failed"
			if tc.void {
				want = "link_gone"
			}
			if got := code(w.VerifyToken(ctx, first)); got != want {
				t.Errorf("the first link after a resend with %q from %s: %q, want %q", tc.token, tc.from.Addr, got, want)
			}
		}
	})
}
