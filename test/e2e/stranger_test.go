package e2e

import (
	"net/http"
	"testing"

	"coffer/client"
)

const planted = "planted by a stranger 7"

// strangerFirst tells of a newcomer with whose address a stranger signs up before, between
// and after. Whichever link is opened, the account is the newcomer's (security.md row 44).
func strangerFirst(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.stranger()
	stranger := &person{s: s, from: newAddress(), NewAccount: p.NewAccount}
	stranger.FirstName, stranger.Username, stranger.Password = "Mallory", "m"+p.Username, planted
	there, here := stranger.client(t), p.client(t)
	type attempt struct {
		mail   letter
		signUp string
	}
	var theirs []attempt
	plant := func(times int) {
		t.Helper()
		for range times {
			stranger.apply(t, there)
			theirs = append(theirs, attempt{p.mail(t, "verify-email"), stranger.signUp})
		}
	}
	plant(6)
	p.apply(t, here)
	own := p.mail(t, "verify-email")
	plant(6)

	// The stranger requests mails too; they cost the newcomer none.
	for _, signUp := range []string{"", theirs[0].signUp} {
		if err := there.ResendVerification(ctx, p.Email, signUp); err != nil {
			t.Fatal(err)
		}
		p.mail(t, "verify-email")
	}
	newest := theirs[len(theirs)-1]
	for what, v := range map[string]client.Verification{
		"the newest link in the newcomer's browser": {Token: newest.mail.token(), SignUp: p.signUp},
		"the newest link elsewhere":                 {Token: newest.mail.token()},
		"the newest link, the newcomer's password":  {Token: newest.mail.token(), Password: p.Password},
		"the newest code, the newcomer's password":  {Email: p.Email, Code: newest.mail.code, SignUp: p.signUp, Password: p.Password},
		"the newcomer's code, the stranger's token": {Email: p.Email, Code: own.code, SignUp: newest.signUp},
		"the newcomer's link, the planted password": {Token: own.token(), SignUp: newest.signUp, Password: planted},
	} {
		if err := here.VerifyEmail(ctx, v); client.Code(err) != "sign_up_proof_required" || client.Status(err) != http.StatusForbidden {
			t.Errorf("%s: %v", what, err)
		}
	}
	for range 12 { // codes tried there do not count here
		for _, v := range []client.Verification{{}, {SignUp: newest.signUp}} {
			v.Email, v.Code = p.Email, "00000x"
			if err := there.VerifyEmail(ctx, v); err == nil {
				t.Fatal("a code that is none")
			}
		}
	}
	if err := here.VerifyEmail(ctx, client.Verification{Email: p.Email, Code: own.code, SignUp: p.signUp}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := there.SignIn(ctx, client.SignIn{Identifier: p.Email, Password: planted}); client.Code(err) != "invalid_credentials" {
		t.Errorf("the planted password: %v", err)
	}
	if me, err := p.signIn(t).Profile(ctx); err != nil || me.FirstName != "Ada" || me.Username != p.Username {
		t.Errorf("profile %+v, %v", me, err)
	}
	for i, a := range theirs {
		if err := there.VerifyEmail(ctx, client.Verification{Token: a.mail.token(), SignUp: a.signUp}); client.Status(err) != http.StatusGone {
			t.Errorf("link %d of the stranger: %v", i, err)
		}
	}
	// Once the account exists, a sign-up only notifies its owner.
	stranger.apply(t, there)
	p.mail(t, "sign-up-exists")
}
