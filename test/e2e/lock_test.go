package e2e

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/client"
)

// signsIn asks for a session from an address, without a device's token.
func (s *server) signsIn(t *testing.T, from []byte, identifier, password string) answer {
	t.Helper()
	return s.raw(t, from, "POST", "/v1/auth/sign-in", fmt.Sprintf(`{"identifier":%q,"password":%q,"refresh_in":"body"}`, identifier, password))
}

// A lock by strangers is no weapon, and does not show (security.md rows 13, 17 and 20): live
// sessions, remembered devices, passkeys and the forgot flow go on, and a new device gets a link.
func TestHeldSignIn(t *testing.T) {
	t.Parallel()
	if newAddress().String() == "127.0.0.1" {
		t.Skip("needs more than one loopback address, which only Linux has")
	}
	each(t, func(t *testing.T, in setup) {
		ctx := t.Context()
		s := start(t, in, "COFFER_LIMIT_SIGN_IN_ACCOUNT=12/1h")
		p, nobody := s.member(t), s.stranger()
		live := p.signIn(t)
		key := newSecurityKey(t, s)
		key.register(live, "")
		known := p.client(t)
		p.signInAt(t, known, client.SignIn{Remember: true})
		device := known.Credentials().DeviceToken

		for _, name := range []string{p.Username, nobody.Username} {
			from := newAddress()
			for i := range 12 {
				if i == 6 {
					from = newAddress()
				}
				if a := s.signsIn(t, from, name, fmt.Sprintf("a wrong password %d", i)); a.status != http.StatusUnauthorized {
					t.Fatalf("guess %d at %s: %d %s", i, name, a.status, a.body)
				}
			}
		}
		held := s.signsIn(t, newAddress(), p.Username, p.Password)
		if held.status != http.StatusForbidden || !strings.Contains(held.body, `"sign_in_held"`) {
			t.Fatalf("the right password at a held door: %d %s", held.status, held.body)
		}
		for _, other := range []answer{s.signsIn(t, newAddress(), p.Username, "a wrong password"), s.signsIn(t, newAddress(), nobody.Username, "a wrong password")} {
			if diff := cmp.Diff(held.plain(), other.plain(), cmp.AllowUnexported(answer{})); diff != "" {
				t.Errorf("the answers differ: %s", diff)
			}
		}
		// The limit of a pair goes on at a held door.
		from := newAddress()
		for i := range 10 {
			if a := s.signsIn(t, from, p.Username, "a wrong password"); a.status != http.StatusForbidden {
				t.Fatalf("guess %d from one address: %d %s", i, a.status, a.body)
			}
		}
		if a := s.signsIn(t, from, p.Username, "a wrong password"); a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" {
			t.Errorf("guess 11 from one address: %d %s", a.status, a.body)
		}

		if _, err := live.Profile(ctx); err != nil {
			t.Errorf("the live session: %v", err)
		}
		if _, _, err := live.Reauthenticate(ctx, p.Password); err != nil {
			t.Errorf("a fresh proof in it: %v", err)
		}
		again := p.client(t, client.WithCredentials(client.Credentials{DeviceToken: device}))
		if opened, _, err := again.SignIn(ctx, client.SignIn{Identifier: p.Username, Password: p.Password}); err != nil || opened == nil {
			t.Errorf("the remembered device: %v", err)
		}
		if _, err := key.signIn(p.client(t)); err != nil {
			t.Errorf("a passkey: %v", err)
		}

		fresh := s.client(t, newAddress())
		if _, _, err := fresh.SignIn(ctx, client.SignIn{Identifier: p.Username, Password: p.Password}); client.Code(err) != "sign_in_held" {
			t.Errorf("a new device before the link: %v", err)
		}
		l := p.mail(t, "unlock")
		if !strings.HasPrefix(l.link, s.link("/unlock#token=")) {
			t.Errorf("the link %q", l.link)
		}
		if err := fresh.CheckUnlock(ctx, l.token()); err != nil {
			t.Fatal(err)
		}
		if err := fresh.Unlock(ctx, l.token(), true); err != nil {
			t.Fatal(err)
		}
		if err := fresh.Unlock(ctx, l.token(), true); client.Code(err) != "link_gone" {
			t.Errorf("the link a second time: %v", err)
		}
		if opened, _, err := fresh.SignIn(ctx, client.SignIn{Identifier: p.Username, Password: p.Password}); err != nil || opened == nil {
			t.Errorf("the new device after the link: %v", err)
		}
		if a := s.signsIn(t, newAddress(), p.Username, "a wrong password"); a.status != http.StatusForbidden {
			t.Errorf("strangers see that the owner unlocked: %d %s", a.status, a.body)
		}

		// The forgot flow, from a device that nothing knows.
		reset := s.client(t, newAddress())
		if opened, _, err := reset.ResetPassword(ctx, client.Reset{Token: p.forgotten(t), Password: "nine loud badgers 52"}); err != nil || opened == nil {
			t.Errorf("a reset: %v", err)
		}
		if a := s.signsIn(t, newAddress(), p.Username, "nine loud badgers 52"); a.status != http.StatusCreated {
			t.Errorf("the new password: %d %s", a.status, a.body)
		}
	})
}

// Two hundred guesses at once on two nodes are all counted. After a hundred in a row the right
// password opens nothing (security.md row 14), also after a restart, until the owner has used a
// mailed link.
func TestHundredGuesses(t *testing.T) {
	t.Parallel()
	for _, in := range setups {
		t.Run(in.name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			env := append(in.env(t), "COFFER_URL=http://localhost:8420", "COFFER_ROOT_KEY="+base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)),
				"COFFER_LIMIT_SIGN_IN_ACCOUNT=10000/1h", "COFFER_LIMIT_SIGN_IN_PAIR=10000/1h", "COFFER_LIMIT_SIGN_IN_ADDRESS=10000/1h")
			one := setup{in.name, func(*testing.T) []string { return env }}
			s := start(t, one)
			p := s.member(t)
			live := p.signIn(t)
			nodes := []*server{s, s}
			if in.name != alone.name {
				nodes[1] = start(t, one) // from here on either node sends mails
			}
			from := newAddress()
			var all sync.WaitGroup
			var mu sync.Mutex
			got := map[int]int{}
			for i := range 200 {
				all.Go(func() {
					body := fmt.Sprintf(`{"identifier":%q,"password":"a wrong password %d"}`, []string{p.Username, p.Email}[i%2], i)
					for {
						a, err := nodes[i%4/2].try(ctx, from, "POST", "/v1/auth/sign-in", body)
						if err == nil && a.status == http.StatusServiceUnavailable {
							continue // too many passwords wait to be hashed: this one was not judged
						}
						mu.Lock()
						defer mu.Unlock()
						if err != nil {
							t.Error(err)
						}
						got[a.status]++
						return
					}
				})
			}
			all.Wait()
			if got[http.StatusUnauthorized] != 200 {
				t.Errorf("answers %v", got)
			}
			var n int
			if err := s.database(t).QueryRowContext(ctx, `SELECT failures FROM sign_in_failures WHERE account IS NOT NULL`).Scan(&n); err != nil || n != 200 {
				t.Errorf("%d failures are counted, %v", n, err)
			}
			if nodes[1] != s {
				nodes[1].stop()
			}
			s.restart()
			wrong := s.signsIn(t, newAddress(), p.Username, "a wrong password")
			for _, name := range []string{p.Username, p.Email} {
				right := s.signsIn(t, newAddress(), name, p.Password)
				if diff := cmp.Diff(wrong.plain(), right.plain(), cmp.AllowUnexported(answer{})); diff != "" || right.status != http.StatusUnauthorized {
					t.Errorf("the right password: %d %s", right.status, diff)
				}
			}
			if _, err := live.Profile(ctx); err != nil {
				t.Errorf("the live session: %v", err)
			}
			phone := s.client(t, newAddress())
			if err := phone.Unlock(ctx, p.mail(t, "unlock").token(), false); err != nil {
				t.Fatal(err)
			}
			if a := s.signsIn(t, newAddress(), p.Email, p.Password); a.status != http.StatusCreated {
				t.Errorf("after the link: %d %s", a.status, a.body)
			}
		})
	}
}
