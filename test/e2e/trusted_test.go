package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/client"
)

// fresh calls do, and proves the password anew if its proof was too old.
func (p *person) fresh(t *testing.T, c *client.Client, do func() error) error {
	t.Helper()
	err := do()
	if client.Code(err) == "step_up_required" {
		p.stepUp(t, c)
		err = do()
	}
	return err
}

// twoLayers turns the two layers on that make no aal2, so that c stays good.
func (p *person) twoLayers(t *testing.T, c *client.Client) {
	t.Helper()
	for _, name := range []string{client.EmailOTP, client.SecurityQuestion} {
		layers[name].enrol(p, t, c)
	}
}

// trusts makes a mailbox the trusted address, and returns it.
func (p *person) trusts(t *testing.T, c *client.Client, email string) *person {
	t.Helper()
	if err := p.fresh(t, c, func() error { return c.SetTrustedAddress(t.Context(), email) }); err != nil {
		t.Fatal(err)
	}
	to := p.s.mailbox(email)
	l := to.mail(t, "trusted-email")
	if !strings.HasPrefix(l.link, p.s.page("/trusted-email#token=")) {
		t.Errorf("the link %q", l.link)
	}
	if err := p.client(t).VerifyTrustedAddress(t.Context(), l.token()); err != nil {
		t.Fatal(err)
	}
	return to
}

// trustedAddress tells of an owner who sets a second address, changes it, and drops it. Row
// F-R2 and security.md rows 37 and 39.
func trustedAddress(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	c, anybody := p.signIn(t), s.client(t, newAddress())
	second := "two-" + p.Email
	if err := c.SetTrustedAddress(ctx, second); client.Code(err) != "needs_two_layers" || client.Status(err) != http.StatusConflict {
		t.Errorf("without layers: %v", err)
	}
	p.twoLayers(t, c)
	for what, email := range map[string]string{"the primary address": strings.ToUpper(p.Email), "no address": "nobody"} {
		if err := c.SetTrustedAddress(ctx, email); client.Status(err) != http.StatusUnprocessableEntity {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := c.SetTrustedAddress(ctx, second); err != nil {
		t.Fatal(err)
	}
	to := s.mailbox(second)
	l := to.mail(t, "trusted-email")
	p.told(t, "wants to make another e-mail address its trusted address")
	if got, err := c.TrustedAddress(ctx); err != nil || got != (client.TrustedAddress{Pending: second}) {
		t.Errorf("waiting: %+v, %v", got, err)
	}
	// It is not verified: no notice goes there, and no way back leads through it.
	p.Password = "nine loud herons 52"
	if _, err := c.ChangePassword(ctx, client.PasswordChange{Current: password, New: p.Password}); err != nil {
		t.Fatal(err)
	}
	p.told(t, "was changed on a device that was signed in")
	if err := anybody.CheckTrustedAddress(ctx, l.token()); client.Code(err) != "link_gone" {
		t.Errorf("a link that a new password ended: %v", err)
	}
	if got := to.mails(t); !slices.Equal(got, []string{"trusted-email"}) {
		t.Errorf("mails to an address that is not verified: %q", got)
	}

	if err := p.fresh(t, c, func() error { return c.SetTrustedAddress(ctx, second) }); err != nil {
		t.Fatal(err)
	}
	l = to.mail(t, "trusted-email")
	for range 2 {
		if err := anybody.CheckTrustedAddress(ctx, l.token()); err != nil {
			t.Errorf("a look at the link: %v", err)
		}
	}
	if err := anybody.VerifyTrustedAddress(ctx, l.token()); err != nil {
		t.Fatal(err)
	}
	for what, token := range map[string]string{"used": l.token(), "altered": l.token()[1:], "none": ""} {
		if err := anybody.VerifyTrustedAddress(ctx, token); client.Code(err) != "link_gone" || client.Status(err) != http.StatusGone {
			t.Errorf("a link that is %s: %v", what, err)
		}
	}
	for _, reader := range []*person{p, to} {
		reader.told(t, "The trusted address of your Coffer account was verified")
	}
	got, err := c.TrustedAddress(ctx)
	if err != nil || got.Email != second || got.Pending != "" || time.Since(*got.VerifiedAt).Abs() > time.Hour || got.UsableFrom.Sub(*got.VerifiedAt) != 72*time.Hour {
		t.Errorf("verified: %+v, %v", got, err)
	}
	if st, err := c.Security(ctx); err != nil || !st[client.TrustedEmail].Enabled || st[client.TrustedEmail].Since == nil || st[client.TrustedEmail].Hint != "t…@example.org" {
		t.Errorf("the security page: %+v, %v", st[client.TrustedEmail], err)
	}
	// Both are told of a change of the password; nobody signs in with it.
	if _, err := c.ChangePassword(ctx, client.PasswordChange{Current: p.Password, New: password}); err != nil {
		t.Fatal(err)
	}
	p.Password = password
	to.told(t, "was changed on a device that was signed in")
	if _, _, err := anybody.SignIn(ctx, client.SignIn{Identifier: second, Password: password}); client.Code(err) != "invalid_credentials" {
		t.Errorf("sign-in with it: %v", err)
	}
	if err := anybody.Forgot(ctx, second); err != nil {
		t.Errorf("forgot with it: %v", err)
	}
	// It rests for three days.
	for _, name := range []string{p.Email, p.Username, second, "nobody-" + second} {
		if err := anybody.RecoverByTrustedAddress(ctx, name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The primary address never moves there.
	if err := p.fresh(t, c, func() error { return c.ChangeEmail(ctx, strings.ToUpper(second)) }); client.Status(err) != http.StatusUnprocessableEntity {
		t.Errorf("the primary address moves there: %v", err)
	}

	replaceTrusted(t, p, c, to)
}

// replaceTrusted goes on: the owner changes the address, drops it, and turns a layer off that
// it needs.
func replaceTrusted(t *testing.T, p *person, c *client.Client, to *person) {
	t.Helper()
	ctx := t.Context()
	if err := p.fresh(t, c, func() error { return c.DisableSecurityQuestion(ctx) }); client.Code(err) != "recovery_needs_two_layers" {
		t.Errorf("a layer that it needs: %v", err)
	}
	third := p.trusts(t, c, "three-"+p.Email)
	to.told(t, "was turned off or replaced")
	if err := p.fresh(t, c, func() error { return c.DropTrustedAddress(ctx) }); err != nil {
		t.Fatal(err)
	}
	for _, reader := range []*person{p, third} {
		reader.told(t, "was turned off or replaced")
	}
	fourth := p.trusts(t, c, "four-"+p.Email)
	if err := p.fresh(t, c, func() error { return c.DisableSecurityQuestion(ctx, client.DisableRecovery) }); err != nil {
		t.Fatal(err)
	}
	fourth.told(t, "was turned off or replaced")
	if got, err := c.TrustedAddress(ctx); err != nil || got != (client.TrustedAddress{}) {
		t.Errorf("after its layer is off: %+v, %v", got, err)
	}
	if got := to.mails(t); slices.Contains(got, "recovery") || slices.Contains(got, "reset-password") {
		t.Errorf("mails to an address that rests: %q", got)
	}
}

// recovers opens a recovery session with a link to the trusted address.
func (p *person) recovers(t *testing.T, trusted *person) (*client.Client, *client.Session) {
	t.Helper()
	c := p.client(t)
	opened, err := c.ConfirmTrustedRecovery(t.Context(), client.TrustedRecovery{Token: p.recoveryLink(t, trusted), DeviceName: "the library"})
	if err != nil {
		t.Fatal(err)
	}
	return c, opened
}

// recoveryLink asks for a link to the trusted address and returns its token.
func (p *person) recoveryLink(t *testing.T, trusted *person) string {
	t.Helper()
	if err := patiently(func() error { return p.client(t).RecoverByTrustedAddress(t.Context(), p.Username) }); err != nil {
		t.Fatal(err)
	}
	l := trusted.mail(t, "recovery")
	for strings.HasPrefix(l.link, p.s.page("/stop-recovery#")) { // tells of a recovery before
		l = trusted.mail(t, "recovery")
	}
	token, way, _ := strings.Cut(l.token(), "&")
	if !strings.HasPrefix(l.link, p.s.page("/recover#token=")) || way != "way=trusted-email" {
		t.Errorf("the link %q", l.link)
	}
	return token
}

// TestTrustedRecovery tells of an owner who has lost the password, the mailbox and every
// layer: the trusted address rests, sets a password, waits, and then turns the layers off.
func TestTrustedRecovery(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		const rests, waits = 3 * time.Second, 4 * time.Second
		s := start(t, in, "COFFER_TRUSTED_COOLDOWN="+rests.String(), "COFFER_RECOVERY_WAIT="+waits.String())
		ctx := t.Context()
		p := s.member(t)
		c := p.signIn(t)
		p.twoLayers(t, c)
		trusted := p.trusts(t, c, "two-"+p.Email)
		if err := p.client(t).RecoverByTrustedAddress(ctx, p.Email); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rests)
		if got := trusted.mails(t); slices.Contains(got, "recovery") {
			t.Errorf("mails while it rests: %q", got)
		}
		token := p.recoveryLink(t, trusted)
		for range 2 {
			if err := p.client(t).CheckTrustedRecovery(ctx, token); err != nil {
				t.Errorf("a look at the link: %v", err)
			}
		}
		lost := p.client(t)
		opened, err := lost.ConfirmTrustedRecovery(ctx, client.TrustedRecovery{Token: token})
		if err != nil || opened.AAL != "recovery" || !slices.Equal(opened.AMR, []string{"trusted_email"}) {
			t.Fatalf("%+v, %v", opened, err)
		}
		if opened.Recovery == nil || opened.Recovery.MayRepairLayers || opened.Recovery.From == nil || time.Until(*opened.Recovery.From) > waits {
			t.Errorf("what comes next: %+v", opened.Recovery)
		}
		if _, err := p.client(t).ConfirmTrustedRecovery(ctx, client.TrustedRecovery{Token: token}); client.Code(err) != "link_gone" {
			t.Errorf("the link again: %v", err)
		}
		for _, reader := range []*person{p, trusted} {
			reader.mail(t, "recovery")
		}
		// It removes no layer and reads no file: it sets a password, and layers are asked.
		for what, err := range map[string]error{"a layer": lost.DisableEmailOTP(ctx), "the trusted address": lost.DropTrustedAddress(ctx)} {
			if client.Code(err) != "recovery_waits" || client.Status(err) != http.StatusForbidden {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, err := lost.CreateFolder(ctx, "", "x"); client.Status(err) != http.StatusForbidden && client.Status(err) != http.StatusUnauthorized {
			t.Errorf("a folder: %v", err)
		}
		if err := lost.DeleteAccount(ctx); client.Status(err) != http.StatusForbidden && client.Status(err) != http.StatusUnauthorized {
			t.Errorf("the account: %v", err)
		}

		p.Password = "nine loud herons 52"
		if opened, ch, err := lost.RepairPassword(ctx, p.Password); err != nil || opened != nil || ch == nil {
			t.Fatalf("a new password: %+v, %+v, %v", opened, ch, err)
		}
		if _, ch, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password}); err != nil || ch == nil || len(ch.Layers) != 2 {
			t.Errorf("sign-in with it: %+v, %v", ch, err)
		}

		time.Sleep(waits)
		back, opened := p.recovers(t, trusted)
		if opened.AAL != "recovery" || !slices.Equal(opened.AMR, []string{"trusted_email", "delay"}) || opened.Recovery == nil || !opened.Recovery.MayRepairLayers {
			t.Fatalf("after the wait: %+v", opened)
		}
		if err := back.DisableEmailOTP(ctx, client.DisableRecovery); err != nil {
			t.Fatal(err)
		}
		if err := back.DisableSecurityQuestion(ctx); err != nil {
			t.Fatal(err)
		}
		trusted.told(t, "was turned off or replaced")
		p.Password = password
		if opened, ch, err := back.RepairPassword(ctx, p.Password); err != nil || ch != nil || opened.AAL != "aal1" {
			t.Fatalf("a new password: %+v, %+v, %v", opened, ch, err)
		}
		p.signIn(t)
		if _, err := back.CreateFolder(ctx, "", "home"); err != nil {
			t.Errorf("the session is an ordinary one: %v", err)
		}
		ownerIsThere(t, s, waits)
	})
}

// ownerIsThere tells of an owner who passes the layers while somebody waits: the wait is over.
func ownerIsThere(t *testing.T, s *server, waits time.Duration) {
	t.Helper()
	p := s.member(t)
	c := p.signIn(t)
	p.twoLayers(t, c)
	trusted := p.trusts(t, c, "two-"+p.Email)
	verified, err := c.TrustedAddress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(*verified.UsableFrom))
	if _, opened := p.recovers(t, trusted); opened.Recovery.MayRepairLayers {
		t.Errorf("the first: %+v", opened)
	}
	p.signIn(t)
	time.Sleep(waits)
	if _, opened := p.recovers(t, trusted); opened.AAL != "recovery" || opened.Recovery.MayRepairLayers || !opened.Recovery.From.After(time.Now()) {
		t.Errorf("after the owner was there: %+v", opened.Recovery)
	}
}
