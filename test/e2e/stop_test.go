package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"coffer/client"
)

// recoveryStopped tells of an intruder with the password and a backup code, who sets a
// password and an authenticator app. The owner reads the mail and stops it. Row F-R3.
func recoveryStopped(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	own := p.signIn(t)
	p.twoLayers(t, own)
	codes := p.backup(t, own)

	thief := &person{s: s, from: newAddress(), NewAccount: p.NewAccount}
	in := thief.client(t)
	opened, err := in.RecoverByBackupCode(ctx, client.BackupRecovery{Identifier: p.Email, Password: p.Password, Code: codes[0]})
	if err != nil || opened.AAL != client.AALRecovery {
		t.Fatalf("%+v, %v", opened, err)
	}
	l := p.mail(t, "recovery")
	if !strings.HasPrefix(l.link, s.page("/stop-recovery#token=")) || !strings.Contains(l.text, "used a backup code") {
		t.Errorf("the link %q:\n%s", l.link, l.text)
	}
	thief.Password = "nine loud herons 52"
	if _, ch, err := in.RepairPassword(ctx, thief.Password); err != nil || ch != nil {
		t.Fatalf("%+v, %v", ch, err)
	}
	dead(t, "the owner's session after the intruder's password", s, own.Credentials())
	thief.enrol(t, in)
	if _, err := in.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	if st, err := in.Security(ctx); err != nil || !st[client.TOTP].Enabled {
		t.Fatalf("the intruder's layer: %+v, %v", st[client.TOTP], err)
	}

	anybody := p.client(t)
	for what, token := range map[string]string{"altered": l.token()[1:] + l.token()[:1], "none": ""} {
		if err := anybody.StopRecovery(ctx, token); client.Code(err) != "link_gone" || client.Status(err) != http.StatusGone {
			t.Errorf("a link that is %s: %v", what, err)
		}
	}
	for range 2 {
		if err := anybody.CheckStopRecovery(ctx, l.token()); err != nil {
			t.Errorf("a look at the link: %v", err)
		}
	}
	if _, err := in.Profile(ctx); err != nil {
		t.Errorf("a look stops the recovery: %v", err)
	}
	if err := anybody.StopRecovery(ctx, l.token()); err != nil {
		t.Fatal(err)
	}
	p.told(t, "was stopped")
	dead(t, "the intruder's session", s, in.Credentials())
	if err := anybody.StopRecovery(ctx, l.token()); client.Code(err) != "link_gone" {
		t.Errorf("a second press: %v", err)
	}
	if err := anybody.CheckStopRecovery(ctx, l.token()); client.Code(err) != "link_gone" {
		t.Errorf("a look at a used link: %v", err)
	}
	for _, word := range []string{thief.Password, password} {
		if _, _, err := anybody.SignIn(ctx, client.SignIn{Identifier: p.Email, Password: word}); client.Code(err) != "invalid_credentials" {
			t.Errorf("the password %q: %v", word, err)
		}
		if _, err := anybody.RecoverByBackupCode(ctx, client.BackupRecovery{Identifier: p.Email, Password: word, Code: codes[1]}); client.Code(err) != "invalid_credentials" {
			t.Errorf("a backup code and the password %q: %v", word, err)
		}
	}

	// The mailbox leads back in, through the owner's own layers.
	p.Password = "eleven shy lemurs 63"
	back := p.client(t)
	session, ch, err := back.ResetPassword(ctx, client.Reset{Token: p.forgotten(t), Password: p.Password})
	if err != nil || ch == nil {
		t.Fatalf("%+v, %+v, %v", session, ch, err)
	}
	asked := map[string]bool{}
	for err == nil && ch != nil {
		next := slices.IndexFunc(ch.Layers, func(l client.Layer) bool { return !l.Done && !layers[l.Name].last })
		if next < 0 {
			next = slices.IndexFunc(ch.Layers, func(l client.Layer) bool { return !l.Done })
		}
		name := ch.Layers[next].Name
		asked[name] = true
		session, ch, err = layers[name].pass(ctx, p, ch)
	}
	if err != nil || session == nil || len(asked) != 2 || asked[client.TOTP] {
		t.Fatalf("%+v, asked %v, %v", session, asked, err)
	}
	st, err := back.Security(ctx)
	if err != nil || st[client.TOTP].Enabled || !st[client.EmailOTP].Enabled || !st[client.SecurityQuestion].Enabled {
		t.Errorf("the layers afterwards: %+v, %v", st, err)
	}
}
