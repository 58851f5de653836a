package e2e

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"coffer/client"
)

// The printed link makes one admin and then no other.
func TestFirstAdmin(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		ctx := t.Context()
		s := start(t, in)
		old := s.firstAdminToken()
		if old == "" {
			t.Fatalf("no link was printed:\n%s", s.out)
		}
		s.restart()
		token := s.firstAdminToken()
		if token == "" || token == old {
			t.Fatalf("after a restart: %q, before it %q", token, old)
		}
		for _, wrong := range []string{old, "", "nothing", token + "A"} {
			if err := s.stranger().client(t).FirstAdmin(ctx, wrong, s.stranger().NewAccount); client.Status(err) != http.StatusGone && client.Status(err) != http.StatusUnprocessableEntity {
				t.Errorf("%q: %v", wrong, err)
			}
		}
		bad := s.stranger().NewAccount
		bad.Password = "short"
		if err := s.client(t, newAddress()).FirstAdmin(ctx, token, bad); client.Code(err) != "validation_failed" {
			t.Errorf("a short password: %v", err)
		}
		var won atomic.Pointer[person]
		var all sync.WaitGroup
		for range 20 {
			p := s.stranger()
			c := p.client(t)
			all.Go(func() {
				switch err := c.FirstAdmin(ctx, token, p.NewAccount); {
				case err == nil && !won.CompareAndSwap(nil, p):
					t.Error("the link made two admins")
				case err != nil && client.Code(err) != "link_gone":
					t.Errorf("got %v", err)
				}
			})
		}
		all.Wait()
		admin := won.Load()
		if admin == nil {
			t.Fatal("the link made no admin")
		}
		if me, err := admin.signIn(t).Profile(ctx); err != nil || me.Role != "admin" {
			t.Errorf("profile %+v, %v", me, err)
		}
		p := s.stranger()
		if err := p.client(t).FirstAdmin(ctx, token, p.NewAccount); client.Code(err) != "link_gone" {
			t.Errorf("the link again: %v", err)
		}
		s.restart()
		if got := s.firstAdminToken(); got != "" {
			t.Error("a server that has an admin prints a link for another")
		}
		// The server has no default accounts.
		for _, name := range []string{"admin", "root", "coffer"} {
			if _, _, err := s.client(t, newAddress()).SignIn(ctx, client.SignIn{Identifier: name, Password: name}); client.Code(err) != "invalid_credentials" {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
