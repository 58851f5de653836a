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

	// A layer that it needs goes only with it.
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
