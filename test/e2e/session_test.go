package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/client"
)

// rotate trades a refresh token without keeping any credentials.
func (p *person) rotate(t *testing.T, token string) (refresh, access string, status int) {
	t.Helper()
	held := proofOf(familyOf(token))
	held.AccessToken, held.RefreshToken = "none", token
	c := p.client(t, client.WithCredentials(held))
	s, err := c.Refresh(t.Context())
	if err != nil {
		return "", "", client.Status(err)
	}
	return s.RefreshToken, s.AccessToken, http.StatusOK
}

// accessWorks tries an access token, with a proof where its session wants one.
func (p *person) accessWorks(t *testing.T, token string) bool {
	t.Helper()
	held := proofOf(sessionOf(token))
	held.AccessToken, held.AccessExpires = token, time.Now().Add(time.Hour)
	_, err := p.client(t, client.WithCredentials(held)).Profile(t.Context())
	if err != nil && !errors.Is(err, client.ErrSignedOut) {
		t.Error(err)
	}
	return err == nil
}

// proofs are the sessions that clients of this run opened with proofs, by id and by the family
// of their refresh tokens.
var proofs sync.Map

func rememberProof(_ context.Context, c client.Credentials) error {
	if c.ProofKey != nil {
		held := client.Credentials{SessionID: c.SessionID, ProofKey: c.ProofKey, Origin: c.Origin}
		proofs.Store(c.SessionID, held)
		proofs.Store(familyOf(c.RefreshToken), held)
	}
	return nil
}

// proofOf returns what signs the requests of a session; nothing for one without proofs.
func proofOf(name string) client.Credentials {
	held, _ := proofs.Load(name)
	c, _ := held.(client.Credentials)
	return c
}

func familyOf(refresh string) string { return refresh[:strings.LastIndexByte(refresh, '.')+1] }

// sessionOf reads the session's id in an access token.
func sessionOf(token string) string {
	var claims struct{ Sid string }
	if parts := strings.Split(token, "."); len(parts) == 3 {
		raw, _ := base64.RawURLEncoding.DecodeString(parts[1])
		_ = json.Unmarshal(raw, &claims) // a forged token may have none
	}
	return claims.Sid
}

// refreshRepeated repeats a refresh, as after a lost answer or from twenty tabs at once.
// All get the same successor, and the session goes on.
func refreshRepeated(t *testing.T, s *server) {
	p := s.member(t)
	first := p.signIn(t).Credentials().RefreshToken
	var mu sync.Mutex
	children := map[string]int{}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			child, access, status := p.rotate(t, first)
			if status != http.StatusOK {
				t.Errorf("refresh: %d", status)
				return
			}
			if !p.accessWorks(t, access) {
				t.Error("the access token of a repeated refresh is not good")
			}
			mu.Lock()
			defer mu.Unlock()
			children[child]++
		})
	}
	all.Wait()
	if len(children) != 1 {
		t.Fatalf("%d children of one token, want 1", len(children))
	}
	for child := range children {
		next, access, status := p.rotate(t, child)
		if status != http.StatusOK || next == child || next == first || !strings.HasPrefix(next, "cr1.") || !p.accessWorks(t, access) {
			t.Errorf("the child's child: %q, %d", next, status)
		}
	}
	if slices.Contains(p.mails(t), "security-notice") {
		t.Error("a lost answer worried the owner")
	}
}

// A refresh token reused after the grace ends the session and notifies the owner.
func TestRefreshReuse(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := start(t, in, "COFFER_REFRESH_GRACE=0s")
		p := s.member(t)
		stolen := p.signIn(t).Credentials()
		bystander := p.signIn(t)
		refresh, access, status := p.rotate(t, stolen.RefreshToken)
		if status != http.StatusOK {
			t.Fatal(status)
		}
		// The grace is measured in milliseconds: another one passes.
		time.Sleep(5 * time.Millisecond)
		if _, _, status := p.rotate(t, stolen.RefreshToken); status != http.StatusUnauthorized {
			t.Errorf("a used token: %d", status)
		}
		p.dead(t, client.Credentials{AccessToken: access, RefreshToken: refresh})
		p.dead(t, stolen)
		if m := p.mail(t, "security-notice"); m.link != "" && !strings.HasPrefix(m.link, "http://localhost") {
			t.Errorf("the mail links to %q", m.link)
		}
		if _, err := bystander.Profile(t.Context()); err != nil {
			t.Errorf("the person's other session: %v", err)
		}
	})
}

// An access token expires, and the client replaces it by itself.
func TestAccessExpires(t *testing.T) {
	t.Parallel()
	s := start(t, alone, "COFFER_ACCESS_TTL=5s")
	p := s.member(t)
	c := p.signIn(t)
	first := c.Credentials()
	if !p.accessWorks(t, first.AccessToken) {
		t.Error("a new access token is not good")
	}
	wait(t, "the access token ends", func() bool {
		if _, err := c.Profile(t.Context()); err != nil {
			t.Fatalf("the client kept up until then: %v", err)
		}
		return !p.accessWorks(t, first.AccessToken)
	})
	if _, err := c.Profile(t.Context()); err != nil {
		t.Errorf("after the end of the first token: %v", err)
	}
	if c.Credentials().RefreshToken == first.RefreshToken {
		t.Error("the client did not refresh")
	}
}

// A session ends, however busy it is, and ends when it is idle.
func TestSessionExpires(t *testing.T) {
	t.Parallel()
	t.Run("absolute", func(t *testing.T) {
		t.Parallel()
		p := start(t, alone, "COFFER_SESSION_TTL=2s").member(t)
		c := p.signIn(t)
		var last client.Credentials
		n := 0
		wait(t, "the session ends", func() bool {
			last = c.Credentials()
			_, err := c.Refresh(t.Context())
			if err == nil {
				n++
				return false
			}
			if !errors.Is(err, client.ErrSignedOut) {
				t.Fatal(err)
			}
			return true
		})
		if n == 0 {
			t.Error("it never refreshed")
		}
		p.dead(t, last)
	})
	t.Run("idle", func(t *testing.T) {
		t.Parallel()
		p := start(t, alone, "COFFER_REFRESH_TTL=2s").member(t)
		busy, idle := p.signIn(t), p.signIn(t)
		list := func() (n int) {
			for _, err := range busy.Sessions(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				n++
			}
			return n
		}
		wait(t, "the idle session ends", func() bool {
			if _, err := busy.Refresh(t.Context()); err != nil {
				t.Fatalf("the busy session: %v", err)
			}
			return list() == 1
		})
		p.dead(t, idle.Credentials())
	})
}

// devices lists, renames and ends sessions.
func devices(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	phone := p.client(t, client.WithUserAgent("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"))
	p.signInAt(t, phone, client.SignIn{DeviceName: "phone"})
	laptop, desk := p.signIn(t), p.signIn(t)
	list := func(c *client.Client) map[string]client.Device {
		all := map[string]client.Device{}
		for d, err := range c.Sessions(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			all[d.ID] = d
		}
		return all
	}
	id := func(c *client.Client) string { return c.Credentials().SessionID }
	all := list(laptop)
	if len(all) != 3 || !all[id(laptop)].Current || all[id(desk)].Current || all[id(phone)].Name != "phone" || all[id(phone)].Device != "Firefox 140 on Linux" ||
		strings.Join(all[id(phone)].AMR, " ") != "pwd" {
		t.Errorf("devices %+v", all)
	}
	renamed, err := laptop.RenameSession(ctx, id(desk), "desk ✓")
	if err != nil || renamed.Name != "desk ✓" {
		t.Errorf("renamed %+v, %v", renamed, err)
	}
	if one, err := phone.SessionByID(ctx, id(desk)); err != nil || !cmp.Equal(one, renamed) {
		t.Errorf("read %+v, %v", one, err)
	}
	before := desk.Credentials()
	if err := laptop.RevokeSession(ctx, before.SessionID); err != nil {
		t.Fatal(err)
	}
	p.dead(t, before)
	if err := laptop.RevokeSession(ctx, before.SessionID); client.Code(err) != "not_found" {
		t.Errorf("a session that has ended: %v", err)
	}
	if _, err := phone.Profile(ctx); err != nil {
		t.Errorf("the phone: %v", err)
	}
	before = phone.Credentials()
	if err := laptop.RevokeOtherSessions(ctx); err != nil {
		t.Fatal(err)
	}
	p.dead(t, before)
	if all := list(laptop); len(all) != 1 || !all[id(laptop)].Current {
		t.Errorf("left %+v", all)
	}
}

// enumeration compares the answers about a person with an account and about an unknown one.
// Status, header and body are equal.
func enumeration(t *testing.T, s *server) {
	member := s.member(t)
	waiting := s.stranger()
	waiting.apply(t, waiting.client(t))
	waiting.mail(t, "verify-email")
	nobody := s.stranger()
	signUp := func(p *person) string {
		return fmt.Sprintf(`{"first_name":"Eve","last_name":"Else","username":"eve%d","email":%q,"password":"nine loud herons 52"}`, people.Add(1), p.Email)
	}
	signIn := func(name string) string {
		return fmt.Sprintf(`{"identifier":%q,"password":"nine loud herons 52"}`, name)
	}
	for _, tt := range []struct {
		path   string
		status int
		bodies []string
	}{
		{"/v1/auth/sign-up", http.StatusAccepted, []string{signUp(nobody), signUp(member), signUp(waiting)}},
		{"/v1/auth/verify-email/resend", http.StatusAccepted, []string{
			fmt.Sprintf(`{"email":%q}`, s.stranger().Email), fmt.Sprintf(`{"email":%q}`, member.Email), fmt.Sprintf(`{"email":%q}`, waiting.Email),
		}},
		{"/v1/auth/sign-in", http.StatusUnauthorized, []string{
			signIn(s.stranger().Email), signIn(member.Email), signIn(waiting.Email), signIn(s.stranger().Username), signIn(member.Username), signIn("@"),
		}},
		{"/v1/auth/password/forgot", http.StatusAccepted, []string{
			fmt.Sprintf(`{"email":%q}`, s.stranger().Email), fmt.Sprintf(`{"email":%q}`, member.Email), fmt.Sprintf(`{"email":%q}`, waiting.Email),
		}},
		{"/v1/auth/activate", http.StatusUnauthorized, []string{
			signIn(s.stranger().Email), signIn(member.Email), signIn(waiting.Email), signIn(s.stranger().Username), signIn(member.Username), signIn("@"),
		}},
		{"/v1/auth/verify-email", http.StatusUnauthorized, []string{
			fmt.Sprintf(`{"email":%q,"code":"000000"}`, s.stranger().Email), fmt.Sprintf(`{"email":%q,"code":"000000"}`, member.Email), fmt.Sprintf(`{"email":%q,"code":"0000000"}`, waiting.Email),
		}},
	} {
		var want answer
		for i, body := range tt.bodies {
			got := s.raw(t, newAddress(), "POST", tt.path, body).plain()
			if i == 0 {
				want = got
			}
			if got.status != tt.status {
				t.Errorf("%s %s: %d %s", tt.path, body, got.status, got.body)
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(answer{})); diff != "" {
				t.Errorf("%s answers %s unlike an unknown one:\n%s", tt.path, body, diff)
			}
		}
	}
	// The owner of the address gets a mail; the newcomer's password was not taken over.
	member.mail(t, "sign-up-exists")
	member.mail(t, "reset-password")
	member.signIn(t)
}
