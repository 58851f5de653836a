package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/client"
)

// link is an address of the web app in a mail: COFFER_URL is unset, so localhost names the
// server, whatever name a request uses.
func (s *server) link(path string) string {
	return strings.Replace(s.url, "127.0.0.1", "localhost", 1) + path
}

// told waits for a security notice to the person whose text has these words.
func (p *person) told(t *testing.T, words string) {
	t.Helper()
	wait(t, "a notice to "+p.Email+": "+words, func() bool {
		for _, l := range p.s.outbox(t) {
			if l.to == p.Email && l.kind == "security-notice" && strings.Contains(strings.Join(strings.Fields(l.text), " "), words) {
				return true
			}
		}
		return false
	})
}

// forgotten asks for a reset and returns the mailed link's token.
func (p *person) forgotten(t *testing.T) string {
	t.Helper()
	if err := patiently(func() error { return p.client(t).Forgot(t.Context(), p.Email) }); err != nil {
		t.Fatal(err)
	}
	l := p.mail(t, "reset-password")
	if !strings.HasPrefix(l.link, p.s.link("/reset#token=")) {
		t.Errorf("the link %q", l.link)
	}
	return l.token()
}

// dead reports a session whose access or refresh token still works.
func dead(t *testing.T, what string, s *server, c client.Credentials) {
	t.Helper()
	p := &person{s: s, from: newAddress()}
	if p.accessWorks(t, c.AccessToken) {
		t.Errorf("%s: the access token is good", what)
	}
	if _, _, status := p.rotate(t, c.RefreshToken); status != http.StatusUnauthorized {
		t.Errorf("%s: the refresh token: %d", what, status)
	}
}

// ends waits until a stream ends. It may bring changes before.
func ends(t *testing.T, next func() (client.Change, error)) {
	t.Helper()
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			if _, err := next(); err != nil {
				return
			}
		}
	}()
	select {
	case <-over:
	case <-time.After(20 * time.Second): // 5 s, and a busy machine
		t.Error("a stream outlives its session")
	}
}

// forgotten tells of somebody who forgot the password, without a layer and with all of them.
func forgotten(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	old, thief := p.signIn(t), p.signIn(t)
	next := p.watch(t, thief)
	older, token := p.forgotten(t), p.forgotten(t)

	c := p.client(t)
	for range 2 {
		if err := c.CheckReset(ctx, token); err != nil {
			t.Errorf("a look at the link: %v", err)
		}
	}
	for word, code := range map[string]string{"short": "too_short", "passwordpassword": "too_common", p.Username + " 2026": "too_personal"} {
		_, _, err := c.ResetPassword(ctx, client.Reset{Token: token, Password: word})
		if refused := new(client.Error); !errors.As(err, &refused) || len(refused.Fields) != 1 || refused.Fields[0].Pointer != "/password" || refused.Fields[0].Code != code {
			t.Errorf("%q: %v, want %s", word, err, code)
		}
	}
	p.Password = "nine loud herons 52"
	opened, challenge, err := c.ResetPassword(ctx, client.Reset{Token: token, Password: p.Password, DeviceName: "the new one"})
	if err != nil || challenge != nil || opened.AAL != "aal1" {
		t.Fatalf("%+v, %+v, %v", opened, challenge, err)
	}
	if me, err := c.Profile(ctx); err != nil || me.Email != p.Email {
		t.Errorf("the session after a reset: %+v, %v", me, err)
	}
	if _, err := c.Refresh(ctx); err != nil {
		t.Errorf("its refresh: %v", err)
	}
	dead(t, "an old session", s, old.Credentials())
	dead(t, "a thief's session", s, thief.Credentials())
	ends(t, next)
	for what, link := range map[string]string{"used": token, "older": older, "altered": token[1:] + token[:1], "none": "x"} {
		if _, _, err := c.ResetPassword(ctx, client.Reset{Token: link, Password: password}); client.Code(err) != "link_gone" || client.Status(err) != http.StatusGone {
			t.Errorf("a link that is %s: %v", what, err)
		}
		if err := c.CheckReset(ctx, link); client.Code(err) != "link_gone" {
			t.Errorf("a look at a link that is %s: %v", what, err)
		}
	}
	if _, _, err := c.SignIn(ctx, client.SignIn{Identifier: p.Email, Password: password}); client.Code(err) != "invalid_credentials" {
		t.Errorf("the old password: %v", err)
	}
	p.told(t, "A new password was set")

	// With layers a reset opens nothing, on a remembered device neither.
	p.harden(t, p.signIn(t))
	trusted := p.client(t)
	p.signInAt(t, trusted, client.SignIn{Remember: true})
	p.Password = password
	device := p.client(t, client.WithCredentials(client.Credentials{DeviceToken: trusted.Credentials().DeviceToken}))
	opened, challenge, err = device.ResetPassword(ctx, client.Reset{Token: p.forgotten(t), Password: p.Password})
	if err != nil || opened != nil || challenge == nil {
		t.Fatalf("a reset with layers: %+v, %+v, %v", opened, challenge, err)
	}
	for _, l := range challenge.Layers {
		if l.Done {
			t.Errorf("the layer %s is not asked", l.Name)
		}
	}
	dead(t, "a session with layers", s, trusted.Credentials())
	if _, challenge, err := device.SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password}); err != nil || challenge == nil {
		t.Errorf("the remembered device after the reset: %+v, %v", challenge, err)
	}
}

// resetAtOnce: of twenty resets with one link one wins.
func resetAtOnce(t *testing.T, s *server) {
	p := s.member(t)
	token := p.forgotten(t)
	var mu sync.Mutex
	var won []string
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			word := fmt.Sprintf("nine loud herons %d", 100+i)
			_, _, err := p.client(t).ResetPassword(context.WithoutCancel(t.Context()), client.Reset{Token: token, Password: word})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won = append(won, word)
			case client.Code(err) != "link_gone" && client.Status(err) != http.StatusServiceUnavailable:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(won) != 1 {
		t.Fatalf("%d of 20 resets won", len(won))
	}
	p.Password = won[0]
	p.signIn(t)
}

// changePassword tells of an owner who changes the password on one of several devices.
func changePassword(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	phone, stays := p.signIn(t), p.signIn(t)
	ended, lives := p.watch(t, phone), p.watch(t, stays)
	link := p.forgotten(t)
	before := stays.Credentials()

	if _, err := stays.ChangePassword(ctx, client.PasswordChange{Current: "wrong otters 41", New: "nine loud herons 52"}); client.Code(err) != "invalid_credentials" {
		t.Errorf("a wrong password: %v", err)
	}
	if _, err := stays.ChangePassword(ctx, client.PasswordChange{Current: password, New: "Lovelace Ada 1"}); client.Code(err) != "validation_failed" {
		t.Errorf("a personal password: %v", err)
	}
	p.Password = "nine loud herons 52"
	got, err := stays.ChangePassword(ctx, client.PasswordChange{Current: password, New: p.Password})
	if err != nil || got.ID != before.SessionID {
		t.Fatalf("%+v, %v", got, err)
	}
	dead(t, "the phone", s, phone.Credentials())
	if p.accessWorks(t, before.AccessToken) {
		t.Error("the old access token is good")
	}
	ends(t, ended)
	if err := p.client(t).CheckReset(ctx, link); client.Code(err) != "link_gone" {
		t.Errorf("an outstanding link: %v", err)
	}
	if _, err := stays.Refresh(ctx); err != nil {
		t.Errorf("the session's refresh token: %v", err)
	}
	folder, err := stays.CreateFolder(ctx, "", "after the change")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stays.CreateFolder(ctx, folder.ID, "inner"); err != nil {
		t.Fatal(err)
	}
	for { // its stream lives: it tells of a change after the other stream has ended
		change, err := lives()
		if err != nil {
			t.Fatalf("the session's own stream: %v", err)
		}
		if change.ID == folder.ID {
			break
		}
	}
	p.told(t, "was changed on a device that was signed in")

	other := p.signIn(t)
	if _, err := stays.ChangePassword(ctx, client.PasswordChange{Current: p.Password, New: password, KeepOthers: true}); err != nil {
		t.Fatal(err)
	}
	p.Password = password
	if _, err := other.Profile(ctx); err != nil {
		t.Errorf("another session that was to live on: %v", err)
	}
	p.signIn(t)
}

// deactivated tells of somebody who leaves and comes back, twice.
func deactivated(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	c := p.signIn(t)
	if _, err := c.Upload(ctx, "", client.Source{Name: "diary.txt", Content: strings.NewReader("Dear diary")}); err != nil {
		t.Fatal(err)
	}
	for round := range 2 {
		other := p.signIn(t)
		next := p.watch(t, other)
		creds := c.Credentials()
		if err := c.Deactivate(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Profile(ctx); !errors.Is(err, client.ErrSignedOut) {
			t.Errorf("the client after it: %v", err)
		}
		dead(t, "the session that deactivated", s, creds)
		dead(t, "another session", s, other.Credentials())
		ends(t, next)
		if l := p.mail(t, "security-notice"); l.link != s.link("/activate") {
			t.Errorf("the notice's link %q:\n%s", l.link, l.text)
		}
		fresh := p.client(t)
		if _, _, err := fresh.SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password}); client.Code(err) != "account_deactivated" {
			t.Errorf("sign-in: %v", err)
		}
		if err := fresh.Activate(ctx, p.Email, "wrong otters 41"); client.Code(err) != "invalid_credentials" {
			t.Errorf("activation with a wrong password: %v", err)
		}
		if err := fresh.Activate(ctx, p.Username, p.Password); err != nil {
			t.Fatal(err)
		}
		l := p.mail(t, "activate")
		if !strings.HasPrefix(l.link, s.link("/activate#token=")) {
			t.Errorf("the link %q", l.link)
		}
		if err := fresh.CheckActivation(ctx, l.token()); err != nil {
			t.Errorf("a look at the link: %v", err)
		}
		if _, _, err := fresh.SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password}); client.Code(err) != "account_deactivated" {
			t.Errorf("sign-in before the link is used: %v", err)
		}
		if _, _, err := fresh.ConfirmActivation(ctx, client.Activation{Token: p.s.stranger().Username}); client.Code(err) != "link_gone" {
			t.Errorf("a made-up link: %v", err)
		}
		opened, challenge, err := fresh.ConfirmActivation(ctx, client.Activation{Token: l.token(), DeviceName: "back"})
		if err != nil || challenge != nil || opened == nil {
			t.Fatalf("round %d: %+v, %+v, %v", round, opened, challenge, err)
		}
		if err := fresh.CheckActivation(ctx, l.token()); client.Code(err) != "link_gone" {
			t.Errorf("a look at a used link: %v", err)
		}
		p.told(t, "was activated")
		found := 0
		for e, err := range fresh.Files(ctx, "", "") {
			if err != nil {
				t.Fatal(err)
			}
			if e.Name == "diary.txt" {
				found++
			}
		}
		if found != 1 {
			t.Errorf("the files of an activated account: %d", found)
		}
		c = fresh
		_ = p.mail(t, "security-notice") // of the activation
	}
}
