package e2e

import (
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/client"
	"coffer/internal/social/socialtest"
)

// asked are the layers that a challenge asks for.
func asked(ch *client.Challenge) string {
	var names []string
	for _, l := range ch.Layers {
		names = append(names, l.Name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// knows makes the stand-in for Google know the person.
func (s *provided) knows(p *person, subject string) {
	s.google.Become(socialtest.Person{Subject: subject, Email: p.Email, Verified: true, First: p.FirstName, Last: p.LastName})
}

// connects connects the person's account with the stand-in for Google.
func (s *provided) connects(t *testing.T, p *person, c *client.Client, subject string) {
	t.Helper()
	s.knows(p, subject)
	var at string
	if err := p.fresh(t, c, func() (err error) { at, err = c.BeginIdentity(t.Context(), "google"); return err }); err != nil {
		t.Fatal(err)
	}
	code, err := c.EndSocial(t.Context(), visit(t, at))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ConfirmIdentity(t.Context(), "google", code); err != nil {
		t.Fatal(err)
	}
}

// TestEveryWayIn: each first proof asks for the same layers, but a passkey, which passes them all
// (security.md row 21). Each challenge offers it.
func TestEveryWayIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := startProvided(t, in)
		ctx := t.Context()
		p := s.member(t)
		c := p.signIn(t)
		key := newSecurityKey(t, s.server)
		key.register(c, "")
		s.connects(t, p, c, "every")
		p.harden(t, c)
		want := strings.Join(slices.Sorted(maps.Keys(layers)), " ")
		token := p.forgotten(t)
		for name, enter := range map[string]func(*client.Client) (*client.Session, *client.Challenge, error){
			"password": func(d *client.Client) (*client.Session, *client.Challenge, error) {
				return d.SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password})
			},
			"Google": func(d *client.Client) (*client.Session, *client.Challenge, error) {
				return d.ExchangeSocial(ctx, arrive(t, d, "google"), client.SocialSignIn{})
			},
		} {
			d := p.client(t)
			opened, ch, err := enter(d)
			if err != nil || opened != nil || ch == nil || asked(ch) != want || !ch.Passkey {
				t.Fatalf("%s: %+v, %+v, %v; want %q", name, opened, ch, err, want)
			}
			options, err := ch.BeginPasskey(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if opened, err := ch.PassByPasskey(ctx, key.get(options)); err != nil || opened.AAL != "aal2" {
				t.Errorf("%s, then the passkey: %+v, %v", name, opened, err)
			}
		}
		if opened, err := key.signIn(p.client(t)); err != nil || opened.AAL != "aal2" {
			t.Errorf("passkey: %+v, %v", opened, err)
		}
		// A reset ends what stands on the password, and the passkey passes its layers too.
		d := p.client(t)
		_, ch, err := d.ResetPassword(ctx, client.Reset{Token: token, Password: "nine loud herons 52"})
		if err != nil || ch == nil || asked(ch) != want || !ch.Passkey {
			t.Fatalf("reset: %+v, %v", ch, err)
		}
		options, err := ch.BeginPasskey(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if opened, err := ch.PassByPasskey(ctx, key.get(options)); err != nil || opened.AAL != "aal2" {
			t.Errorf("reset, then the passkey: %+v, %v", opened, err)
		}
	})
}

// TestWaysPastALockedPassword: strangers who guess lock out the password, and nothing else
// (security.md row 17).
func TestWaysPastALockedPassword(t *testing.T) {
	t.Parallel()
	s := startProvided(t, alone, "COFFER_LIMIT_SIGN_IN_ACCOUNT=5/15m")
	ctx := t.Context()
	p := s.member(t)
	c := p.signIn(t)
	key := newSecurityKey(t, s.server)
	key.register(c, "")
	s.connects(t, p, c, "locked")
	for range 5 {
		if _, _, err := s.client(t, newAddress()).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: "guessed otters 11"}); client.Code(err) != "invalid_credentials" {
			t.Fatal(err)
		}
	}
	locked := func(after string) {
		t.Helper()
		if _, _, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password}); client.Code(err) != "sign_in_held" {
			t.Errorf("the password, %s: %v", after, err)
		}
	}
	locked("after five guesses")
	if _, err := c.Profile(ctx); err != nil {
		t.Errorf("an open session: %v", err)
	}
	if opened, err := key.signIn(p.client(t)); err != nil || opened.AAL != "aal2" {
		t.Errorf("the passkey: %+v, %v", opened, err)
	}
	locked("after the passkey")
	d := p.client(t)
	if opened, _, err := d.ExchangeSocial(ctx, arrive(t, d, "google"), client.SocialSignIn{}); err != nil || opened == nil {
		t.Errorf("Google: %+v, %v", opened, err)
	}
	locked("after Google")
	if _, _, err := p.client(t).ResetPassword(ctx, client.Reset{Token: p.forgotten(t), Password: "nine loud herons 52"}); err != nil {
		t.Errorf("a reset: %v", err)
	}
}

// newcomer makes an account without a password by a first sign-in with the stand-in for Google.
func (s *provided) newcomer(t *testing.T, subject string) (*person, *client.Client) {
	t.Helper()
	p := &person{s: s.server, from: newAddress(), NewAccount: s.stranger().NewAccount}
	c := p.client(t)
	s.knows(p, subject)
	opened, ch, err := c.ExchangeSocial(t.Context(), arrive(t, c, "google"), client.SocialSignIn{Username: p.Username})
	if err != nil || ch != nil || opened.AAL != "aal1" || !slices.Equal(opened.AMR, []string{"fed"}) {
		t.Fatalf("%+v, %+v, %v", opened, ch, err)
	}
	return p, c
}

// again proves with Google that the owner of a session is there.
func again(t *testing.T, c *client.Client) {
	t.Helper()
	at, err := c.BeginReauthenticateSocial(t.Context(), "google")
	if err != nil {
		t.Fatal(err)
	}
	code, err := c.EndSocial(t.Context(), visit(t, at))
	if err != nil {
		t.Fatal(err)
	}
	if opened, ch, err := c.ReauthenticateSocial(t.Context(), "google", code); err != nil || ch != nil || opened == nil {
		t.Fatalf("%+v, %+v, %v", opened, ch, err)
	}
}

// tap proves the same with a passkey.
func (a *securityKey) tap(c *client.Client) {
	a.t.Helper()
	options, err := c.BeginPasskeyProof(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	if _, err := c.ReauthenticateByPasskey(a.t.Context(), a.get(options)); err != nil {
		a.t.Fatal(err)
	}
}

// TestAccountWithoutAPassword: a first sign-in with Google makes an account that never had a
// password. No password is right for it, and its last way in stays.
func TestAccountWithoutAPassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := startProvided(t, in)
		ctx := t.Context()
		p, c := s.newcomer(t, "passwordless")
		if me, err := c.Profile(ctx); err != nil || me.HasPassword || me.Email != p.Email || me.Username != p.Username || !me.EmailVerified {
			t.Errorf("%+v, %v", me, err)
		}
		if st, err := c.Security(ctx); err != nil || st["password"].Enabled || !st["identity_google"].Enabled {
			t.Errorf("%+v, %v", st, err)
		}
		for _, guess := range []string{"", "none", password} {
			if _, _, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: guess}); client.Code(err) != "invalid_credentials" {
				t.Errorf("sign-in with %q: %v", guess, err)
			}
			if _, _, err := c.Reauthenticate(ctx, guess); client.Code(err) != "invalid_credentials" {
				t.Errorf("a fresh proof with %q: %v", guess, err)
			}
		}
		if err := c.DeleteIdentity(ctx, "google"); client.Code(err) != "last_way_in" {
			t.Errorf("the last way in: %v", err)
		}
		key := newSecurityKey(t, s.server)
		made := key.register(c, "")
		if opened, err := key.signIn(p.client(t)); err != nil || opened.AAL != "aal2" {
			t.Errorf("the passkey: %+v, %v", opened, err)
		}
		if err := c.DeleteIdentity(ctx, "google"); err != nil {
			t.Errorf("one of two ways in: %v", err)
		}
		if err := c.RemovePasskey(ctx, made.ID); client.Code(err) != "last_way_in" {
			t.Errorf("the last way in: %v", err)
		}
		if err := c.DeleteAccount(ctx); err != nil {
			t.Fatal(err)
		}
		// Google leads to a new account, which has nothing of the old one.
		c = p.client(t)
		if a, err := c.CheckSocial(ctx, arrive(t, c, "google")); err != nil || a.Known || a.LinkNeeded {
			t.Errorf("after the end: %+v, %v", a, err)
		}
	})
}

// TestFirstPassword: an account gets its first password for a fresh proof of another kind, and
// lives on as any other.
func TestFirstPassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := startProvided(t, in, "COFFER_STEP_UP_TTL=8s")
		ctx := t.Context()
		p, c := s.newcomer(t, "first")
		if _, err := c.ChangePassword(ctx, client.PasswordChange{Current: password, New: "nine loud herons 52"}); client.Code(err) != "invalid_credentials" {
			t.Errorf("a present password: %v", err)
		}
		time.Sleep(8100 * time.Millisecond)
		if _, err := c.ChangePassword(ctx, client.PasswordChange{New: "nine loud herons 52"}); client.Code(err) != "step_up_required" {
			t.Errorf("a first password without a fresh proof: %v", err)
		}
		again(t, c)
		key := newSecurityKey(t, s.server)
		made := key.register(c, "")
		other := p.client(t)
		if _, err := key.signIn(other); err != nil {
			t.Fatal(err)
		}
		before := other.Credentials()
		key.tap(c)
		p.Password = "nine loud herons 52"
		if _, err := c.ChangePassword(ctx, client.PasswordChange{New: p.Password}); err != nil {
			t.Fatal(err)
		}
		p.told(t, "A password was set")
		dead(t, "another session after the first password", s.server, before)
		if me, err := c.Profile(ctx); err != nil || !me.HasPassword {
			t.Errorf("%+v, %v", me, err)
		}
		if _, err := c.ChangePassword(ctx, client.PasswordChange{New: password}); client.Code(err) != "validation_failed" {
			t.Errorf("a second first password: %v", err)
		}
		key.tap(c)
		if err := c.RemovePasskey(ctx, made.ID); err != nil {
			t.Errorf("with a password: %v", err)
		}
		again(t, c)
		if err := c.DeleteIdentity(ctx, "google"); err != nil {
			t.Errorf("with a password: %v", err)
		}
		d := p.signIn(t)
		archive, err := d.Export(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, archive); err != nil || n == 0 {
			t.Errorf("the archive: %d bytes, %v", n, err)
		}
		archive.Close()
	})
}

// An account without a password is activated with what its owner has, a passkey or Google, and
// the mailed link. Neither does it without the mail, nor for somebody else.
func TestActivateWithoutAPassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := startProvided(t, in)
		ctx := t.Context()
		p, c := s.newcomer(t, "passwordless")
		key := newSecurityKey(t, s.server)
		key.register(c, "")
		eve := s.member(t)
		hers := newSecurityKey(t, s.server)
		hers.register(eve.signIn(t), "")
		opens := func(how string) {
			t.Helper()
			c = p.client(t)
			opened, ch, err := c.ConfirmActivation(ctx, client.Activation{Token: p.mail(t, "activate").token()})
			if err != nil || ch != nil || opened == nil || !slices.Equal(opened.AMR, []string{"email"}) {
				t.Fatalf("%s: %+v, %+v, %v", how, opened, ch, err)
			}
		}
		begin := func(c *client.Client) json.RawMessage {
			t.Helper()
			options, err := c.BeginPasskeySignIn(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return options
		}
		closes := func() {
			t.Helper()
			if err := c.Deactivate(ctx); err != nil {
				t.Fatal(err)
			}
			c = p.client(t)
		}

		closes()
		if _, err := key.signIn(c); client.Code(err) != "account_deactivated" {
			t.Errorf("a sign-in by passkey: %v", err)
		}
		stolen := *hers
		stolen.key.ID = key.key.ID
		if err := c.ActivateByPasskey(ctx, stolen.get(begin(c))); client.Code(err) != "invalid_passkey" {
			t.Errorf("another's key: %v", err)
		}
		if err := c.ActivateByPasskey(ctx, hers.get(begin(c))); err != nil {
			t.Errorf("an active account: %v", err)
		}
		good := key.get(begin(c))
		if err := c.ActivateByPasskey(ctx, good); err != nil {
			t.Fatal(err)
		}
		if err := c.ActivateByPasskey(ctx, good); client.Code(err) != "invalid_passkey" {
			t.Errorf("the same answer: %v", err)
		}
		if _, err := key.signIn(c); client.Code(err) != "account_deactivated" {
			t.Errorf("before the link is used: %v", err)
		}
		opens("by passkey")
		if opened, err := key.signIn(p.client(t)); err != nil || opened.AAL != "aal2" {
			t.Errorf("the passkey afterwards: %+v, %v", opened, err)
		}

		closes()
		s.knows(p, "passwordless")
		code := arrive(t, c, "google")
		if _, _, err := c.ExchangeSocial(ctx, code, client.SocialSignIn{}); client.Code(err) != "account_deactivated" {
			t.Errorf("a sign-in by Google: %v", err)
		}
		if err := eve.client(t).ActivateSocial(ctx, code); client.Code(err) != "link_gone" {
			t.Errorf("another's browser: %v", err)
		}
		if err := c.ActivateSocial(ctx, code); err != nil {
			t.Fatal(err)
		}
		by := c
		opens("by Google")
		if opened, _, err := by.ExchangeSocial(ctx, code, client.SocialSignIn{}); err != nil || opened == nil {
			t.Errorf("the code afterwards: %+v, %v", opened, err)
		}
		if err := by.ActivateSocial(ctx, code); client.Code(err) != "link_gone" {
			t.Errorf("a spent code: %v", err)
		}
		s.google.Become(socialtest.Person{Subject: "nobody", Email: "nobody@social.example", Verified: true})
		if err := by.ActivateSocial(ctx, arrive(t, by, "google")); client.Code(err) != "link_gone" {
			t.Errorf("somebody unknown: %v", err)
		}
		if kinds := eve.mails(t); slices.Contains(kinds, "activate") {
			t.Errorf("mails to an active account: %q", kinds)
		}
	})
}

// The mailbox sets a password for a closed account without one, and that activates it too.
func TestActivateWithAFirstPassword(t *testing.T) {
	t.Parallel()
	s := startProvided(t, alone)
	ctx := t.Context()
	p, c := s.newcomer(t, "closed")
	if err := c.Deactivate(ctx); err != nil {
		t.Fatal(err)
	}
	c = p.client(t)
	if _, _, err := c.ExchangeSocial(ctx, arrive(t, c, "google"), client.SocialSignIn{}); client.Code(err) != "account_deactivated" {
		t.Errorf("Google: %v", err)
	}
	if err := c.Activate(ctx, p.Email, password); client.Code(err) != "invalid_credentials" {
		t.Errorf("without a password: %v", err)
	}
	if _, _, err := c.ResetPassword(ctx, client.Reset{Token: p.forgotten(t), Password: p.Password}); client.Code(err) != "account_deactivated" {
		t.Errorf("the reset: %v", err)
	}
	if err := c.Activate(ctx, p.Email, p.Password); err != nil {
		t.Fatal(err)
	}
	if opened, _, err := c.ConfirmActivation(ctx, client.Activation{Token: p.mail(t, "activate").token()}); err != nil || opened == nil {
		t.Fatalf("%+v, %v", opened, err)
	}
	d := p.client(t)
	if opened, _, err := d.ExchangeSocial(ctx, arrive(t, d, "google"), client.SocialSignIn{}); err != nil || opened == nil {
		t.Errorf("Google afterwards: %+v, %v", opened, err)
	}
}

// TestStopTakesWaysIn: an intruder recovers an account, adds a passkey and connects it with an
// account of their own at Google. The owner's mailed link takes both. What the owner had stays.
func TestStopTakesWaysIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := startProvided(t, in)
		ctx := t.Context()
		p := s.member(t)
		own := p.signIn(t)
		mine := newSecurityKey(t, s.server)
		mine.register(own, "mine")
		p.twoLayers(t, own)
		codes := p.backup(t, own)

		thief := &person{s: s.server, from: newAddress(), NewAccount: p.NewAccount}
		by := thief.strongly(t, codes[0])
		l := p.mail(t, "recovery")
		theirs := newSecurityKey(t, s.server)
		theirs.register(by, "theirs")
		if now, err := by.Refresh(ctx); err != nil || now.AAL == client.AALRecovery {
			t.Fatalf("the session after a passkey was added: %+v, %v", now, err)
		}
		if opened, err := theirs.signIn(by); err != nil || opened.AAL != "aal2" {
			t.Fatalf("the intruder's passkey: %+v, %v", opened, err)
		}
		s.connects(t, thief, by, "thief")
		if all, err := by.Passkeys(ctx); err != nil || len(all) != 2 {
			t.Fatalf("%+v, %v", all, err)
		}
		if err := p.client(t).StopRecovery(ctx, l.token()); err != nil {
			t.Fatal(err)
		}
		dead(t, "the intruder's session", s.server, by.Credentials())
		if _, err := theirs.signIn(thief.client(t)); client.Code(err) != "invalid_passkey" {
			t.Errorf("the intruder's passkey: %v", err)
		}
		d := thief.client(t)
		if a, err := d.CheckSocial(ctx, arrive(t, d, "google")); err != nil || a.Known {
			t.Errorf("the intruder's account at Google: %+v, %v", a, err)
		}
		back := p.client(t)
		if opened, err := mine.signIn(back); err != nil || opened.AAL != "aal2" {
			t.Fatalf("the owner's passkey: %+v, %v", opened, err)
		}
		if all, err := back.Passkeys(ctx); err != nil || len(all) != 1 || all[0].Name != "mine" {
			t.Errorf("%+v, %v", all, err)
		}
		if all, err := back.Identities(ctx); err != nil || len(all) != 0 {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

// A passkey makes a recovery session an ordinary one, weak or strong: it is worth all layers. A
// weak session adds none.
func TestPasskeyInARecovery(t *testing.T) {
	t.Parallel()
	s := start(t, alone, "COFFER_TRUSTED_COOLDOWN=0s")
	ctx := t.Context()
	p, c, trusted, codes := withWaysBack(t, s)
	p.stepUp(t, c)
	key := newSecurityKey(t, s)
	key.register(c, "")
	weak := p.client(t, client.WithoutProofs())
	if _, err := weak.ConfirmTrustedRecovery(ctx, client.TrustedRecovery{Token: p.recoveryLink(t, trusted)}); err != nil {
		t.Fatal(err)
	}
	if _, err := weak.BeginNewPasskey(ctx); client.Code(err) != "recovery_waits" {
		t.Errorf("a weak session begins a passkey: %v", err)
	}
	for name, by := range map[string]*client.Client{"weak": weak, "strong": p.strongly(t, codes[0])} {
		if _, err := by.CreateFolder(ctx, "", name); client.Code(err) != "recovery_session" {
			t.Errorf("%s: %v", name, err)
		}
		options, err := by.BeginPasskeyProof(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if now, err := by.ReauthenticateByPasskey(ctx, key.get(options)); err != nil || now.AAL != "aal2" {
			t.Fatalf("%s: %+v, %v", name, now, err)
		}
		if _, err := by.CreateFolder(ctx, "", name); err != nil {
			t.Errorf("%s afterwards: %v", name, err)
		}
	}
}
