package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/client"
)

// page is the address of a page at the server's own address, which no request chose.
func (s *server) page(path string) string {
	return strings.Replace(s.url, "127.0.0.1", "localhost", 1) + path
}

// mailbox is a reader of mails at an address that is no member's.
func (s *server) mailbox(email string) *person {
	p := s.stranger()
	p.Email = email
	return p
}

// ask asks for another address, and returns its mailbox with the link, and the undo link of
// the present address.
func (p *person) ask(t *testing.T, c *client.Client, email string) (to *person, confirm, undo string) {
	t.Helper()
	if err := patiently(func() error { return c.ChangeEmail(t.Context(), email) }); err != nil {
		t.Fatal(err)
	}
	to = p.s.mailbox(email)
	return to, to.mail(t, "change-email").token(), p.mail(t, "change-email-notice").token()
}

// changeEmail: an owner moves to another address, a thief moves on from there, and the owner
// undoes all of it with a mail to the first address. Rows F-U2 and security.md row 37.
func changeEmail(t *testing.T, s *server) {
	ctx := t.Context()
	p, other := s.member(t), s.member(t)
	first := p.Email
	c, stranger := p.signIn(t), other.signIn(t)
	second := "new-" + first
	to, confirm, undo := p.ask(t, c, second)
	profile := func(email string, pending *string) {
		t.Helper()
		got, err := c.Profile(ctx)
		if err != nil || got.Email != email || (got.PendingEmail == nil) != (pending == nil) || pending != nil && *got.PendingEmail != *pending {
			t.Errorf("profile %q, pending %v, %v; want %q, %v", got.Email, got.PendingEmail, err, email, pending)
		}
	}
	profile(first, &second)
	for what, err := range map[string]error{
		"one's present address": c.ChangeEmail(ctx, strings.ToUpper(first)), "no address": c.ChangeEmail(ctx, "nobody"),
	} {
		if client.Status(err) != http.StatusUnprocessableEntity {
			t.Errorf("to %s: %v", what, err)
		}
	}
	// A reader of the new mailbox confirms nothing without a session of this account.
	if _, err := stranger.ConfirmEmail(ctx, confirm); client.Code(err) != "link_gone" {
		t.Errorf("a stranger confirms: %v", err)
	}
	if err := stranger.CheckConfirmEmail(ctx, confirm); client.Code(err) != "link_gone" {
		t.Errorf("a stranger looks: %v", err)
	}
	if got := s.raw(t, other.from, "POST", "/v1/account/email/confirm", fmt.Sprintf(`{"token":%q}`, confirm)); got.status != http.StatusUnauthorized {
		t.Errorf("without a session: %d", got.status)
	}
	if err := c.CheckConfirmEmail(ctx, confirm); err != nil {
		t.Error(err)
	}
	if got, err := c.ConfirmEmail(ctx, confirm); err != nil || got.Email != second {
		t.Fatalf("confirmed: %+v, %v", got, err)
	}
	profile(second, nil)
	if _, err := c.ConfirmEmail(ctx, confirm); client.Code(err) != "link_gone" {
		t.Errorf("confirmed twice: %v", err)
	}
	to.mail(t, "security-notice")
	again := p.mail(t, "security-notice")
	if !strings.HasPrefix(again.link, s.page("/undo-email#token=")) {
		t.Errorf("the link of the notice: %q", again.link)
	}
	for identifier, want := range map[string]int{second: 201, first: 401, p.Username: 201} {
		got := s.raw(t, newAddress(), "POST", "/v1/auth/sign-in", fmt.Sprintf(`{"identifier":%q,"password":%q}`, identifier, p.Password))
		if got.status != want {
			t.Errorf("sign in as %s: %d, want %d", identifier, got.status, want)
		}
	}

	// The thief moves on to a third address.
	to.NewAccount = p.NewAccount
	to.Email = second
	third, confirm, undoOfThief := to.ask(t, c, "thief-"+first)
	if _, err := c.ConfirmEmail(ctx, confirm); err != nil {
		t.Fatal(err)
	}
	creds := c.Credentials()
	for _, token := range []string{undo, again.token()} {
		if err := s.client(t, newAddress()).CheckUndoEmail(ctx, token); err != nil {
			t.Errorf("an undo link after two changes: %v", err)
		}
	}
	owner := s.client(t, newAddress())
	if err := owner.UndoEmail(ctx, undo); err != nil {
		t.Fatal(err)
	}
	p.dead(t, creds)
	for what, token := range map[string]string{"the same": undo, "the second to that address": again.token(), "the thief's": undoOfThief} {
		if err := owner.UndoEmail(ctx, token); client.Code(err) != "link_gone" {
			t.Errorf("%s link after the restoration: %v", what, err)
		}
	}
	if got, err := p.signIn(t).Profile(ctx); err != nil || got.Email != first {
		t.Errorf("restored: %+v, %v", got, err)
	}
	p.mail(t, "security-notice")
	third.mail(t, "security-notice")
}

// changeEmailToAnothers: an address of another account answers like a free one. Its owner
// alone learns of it.
func changeEmailToAnothers(t *testing.T, s *server) {
	ctx := t.Context()
	p, victim := s.member(t), s.member(t)
	c := p.signIn(t, client.WithoutProofs())
	token := "Bearer " + c.Credentials().AccessToken
	ask := func(email string) answer {
		return s.raw(t, p.from, "POST", "/v1/account/email", fmt.Sprintf(`{"email":%q}`, email), "Authorization", token).plain()
	}
	free, taken := ask("free-"+p.Email), ask(victim.Email)
	for _, name := range []string{"Ratelimit", "Ratelimit-Policy"} { // counts of one's own calls
		free.header.Del(name)
		taken.header.Del(name)
	}
	if free.status != http.StatusAccepted || fmt.Sprint(free) != fmt.Sprint(taken) {
		t.Errorf("free  %+v\ntaken %+v", free, taken)
	}
	if got, err := c.Profile(ctx); err != nil || got.PendingEmail == nil || *got.PendingEmail != victim.Email {
		t.Errorf("%+v, %v", got, err)
	}
	if l := victim.mail(t, "security-notice"); l.link != "" {
		t.Errorf("the notice has a link: %s", l.link)
	}
	p.mail(t, "change-email-notice")
	p.mail(t, "change-email-notice")
	if slices.Contains(victim.mails(t), "change-email") {
		t.Error("the owner of an address gets a link that takes it")
	}
}

// endDevice: an owner ends a new device from the mail, without signing in.
func endDevice(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	home := p.signIn(t, client.WithUserAgent("otter/1"))
	thief := p.client(t, client.WithUserAgent("thief/1"))
	p.signInAt(t, thief, client.SignIn{Remember: true})
	l := p.mail(t, "new-device")
	if !strings.HasPrefix(l.link, s.page("/end-device#token=")) || !strings.Contains(l.text, "end it with this link, then change your password") {
		t.Errorf("the mail:\n%s", l.text)
	}
	anybody := s.client(t, newAddress())
	if d, err := anybody.CheckEndDevice(ctx, l.token()); err != nil || d.Device != "thief/1" || time.Since(d.SignedInAt) > time.Hour {
		t.Errorf("%+v, %v", d, err)
	}
	creds := thief.Credentials()
	if err := anybody.EndDevice(ctx, l.token()); err != nil {
		t.Fatal(err)
	}
	p.dead(t, creds)
	if _, err := home.Profile(ctx); err != nil {
		t.Errorf("the other device: %v", err)
	}
	if err := anybody.EndDevice(ctx, l.token()); client.Code(err) != "link_gone" {
		t.Errorf("ended twice: %v", err)
	}
	if _, err := anybody.CheckEndDevice(ctx, l.token()); client.Code(err) != "link_gone" {
		t.Errorf("looked at after its use: %v", err)
	}
	thief = p.client(t, client.WithUserAgent("thief/1"))
	p.signInAt(t, thief, client.SignIn{})
	p.mail(t, "new-device") // it is new again
}

// The server is killed while an address is confirmed, and while that is undone. Each time the
// account is as before, and the link works, or as after, and the link is used.
func TestKilledWhileTheAddressChanges(t *testing.T) {
	t.Parallel()
	if !thorough() {
		t.Skip("waits up to a minute for the lease of a mail whose worker was killed: COFFER_TEST_LONG=1, or COFFER_TEST_REQUIRE=1 as in CI")
	}
	each(t, func(t *testing.T, in setup) {
		s := start(t, in)
		for round := range 4 {
			p := s.member(t)
			first, second := p.Email, fmt.Sprintf("new%d-%s", round, p.Email)
			c := p.signIn(t)
			_, confirm, undo := p.ask(t, c, second)
			acked := s.killDuring(t, func() error { _, err := c.ConfirmEmail(t.Context(), confirm); return err })
			got, err := c.Profile(t.Context())
			if err != nil || acked && got.Email != second {
				t.Fatalf("acknowledged %v: %+v, %v", acked, got, err)
			}
			switch got.Email {
			case first:
				if got.PendingEmail == nil || *got.PendingEmail != second {
					t.Errorf("before, but nothing waits: %+v", got)
				}
				if _, err := c.ConfirmEmail(t.Context(), confirm); err != nil {
					t.Errorf("before, but the link: %v", err)
				}
			case second:
				if _, err := c.ConfirmEmail(t.Context(), confirm); client.Code(err) != "link_gone" || got.PendingEmail != nil {
					t.Errorf("after, but the link: %v", err)
				}
			default:
				t.Errorf("the address is %s", got.Email)
			}
			p.mail(t, "security-notice") // it was enqueued with the change
			creds := c.Credentials()
			anybody := s.client(t, newAddress())
			acked = s.killDuring(t, func() error { return anybody.UndoEmail(t.Context(), undo) })
			err = anybody.CheckUndoEmail(t.Context(), undo)
			if acked && err == nil {
				t.Error("an acknowledged undo did not happen")
			}
			if err == nil {
				if got, err := c.Profile(t.Context()); err != nil || got.Email != second {
					t.Errorf("before: %+v, %v", got, err)
				}
				if err := anybody.UndoEmail(t.Context(), undo); err != nil {
					t.Errorf("before, but the link: %v", err)
				}
			}
			p.dead(t, creds)
			if got, err := p.signIn(t).Profile(t.Context()); err != nil || got.Email != first {
				t.Errorf("after: %+v, %v", got, err)
			}
		}
	})
}

// killDuring kills the server while do runs and starts it again. It reports whether do was
// acknowledged.
func (s *server) killDuring(t *testing.T, do func() error) (acked bool) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- do() }()
	time.Sleep(time.Duration(rand.IntN(25)) * time.Millisecond)
	s.kill()
	err := <-done
	s.start()
	return err == nil
}

// One sign-in more than COFFER_SESSIONS_MAX ends the session whose last use is the longest
// ago.
func TestSessionsAreLimited(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := start(t, in, "COFFER_SESSIONS_MAX=2")
		p := s.member(t)
		first, second := p.signIn(t), p.signIn(t)
		time.Sleep(20 * time.Millisecond)
		if _, err := first.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		creds := second.Credentials()
		third := p.signIn(t)
		p.dead(t, creds)
		for _, c := range []*client.Client{first, third} {
			if _, err := c.Profile(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}
