package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/client"
)

// deleteAccount: a person deletes the account. Sessions, streams and links end at once, the
// address and the username are free, and a last mail comes. Row F-A7, seed 004 item 7.
func deleteAccount(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	c, other := p.signIn(t, client.WithoutProofs()), p.signIn(t)
	const size = 24 << 20 // more than socket buffers hold
	id := uploadPattern(t, c, size)
	d, err := p.client(t, client.WithCredentials(c.Credentials())).Download(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Body.Close()
	if _, err := io.CopyN(io.Discard, d.Body, 1<<20); err != nil {
		t.Fatal(err)
	}
	next := p.watch(t, other)
	if err := c.Forgot(ctx, p.Email); err != nil {
		t.Fatal(err)
	}
	reset := p.mail(t, "reset-password").token()
	if err := c.ChangeEmail(ctx, "new-"+p.Email); err != nil {
		t.Fatal(err)
	}
	undo := p.mail(t, "change-email-notice").token()

	creds := []client.Credentials{c.Credentials(), other.Credentials()}
	got := s.raw(t, p.from, "DELETE", "/v1/account", "", "Authorization", "Bearer "+creds[0].AccessToken)
	if got.status != http.StatusNoContent || !strings.Contains(got.header.Get("Clear-Site-Data"), "cookies") {
		t.Fatalf("%d %v %s", got.status, got.header, got.body)
	}
	for _, one := range creds {
		p.dead(t, one)
	}
	began := time.Now()
	for {
		if _, err := next(); err != nil {
			break
		}
	}
	if err := p.client(t).CheckReset(ctx, reset); client.Code(err) != "link_gone" {
		t.Errorf("a reset link: %v", err)
	}
	if err := p.client(t).UndoEmail(ctx, undo); client.Code(err) != "link_gone" {
		t.Errorf("an undo link: %v", err)
	}
	if _, _, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password}); client.Code(err) != "invalid_credentials" {
		t.Errorf("sign-in: %v", err)
	}
	p.mail(t, "account-deleted")
	time.Sleep(time.Until(began.Add(6 * time.Second))) // the server ends a download within five seconds
	if n, err := io.Copy(io.Discard, d.Body); err == nil {
		t.Errorf("the download ran on for %d bytes", n)
	}
	p.join(t) // with the same address and username, at once
	if list := names(t, p.signIn(t), "", ""); len(list) != 0 {
		t.Errorf("a new account has files: %v", list)
	}
}

// Sign-ins, uploads, resets and activations that race a deletion find the account, or answer
// as if it never was. None of them is an error of the server.
func TestDeleteWhileInUse(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := start(t, in, "COFFER_LIMIT_SIGN_IN_ACCOUNT=100000/15m", "COFFER_LIMIT_SIGN_IN_PAIR=100000/15m", "COFFER_LIMIT_SIGN_IN_ADDRESS=100000/15m")
		for range 3 {
			p := s.member(t)
			c, uploader := p.signIn(t), p.signIn(t)
			if err := c.Forgot(t.Context(), p.Email); err != nil {
				t.Fatal(err)
			}
			reset := p.mail(t, "reset-password").token()
			ctx, stop := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			allowed := func(what string, err error, statuses ...int) {
				var refused *client.Error
				if err == nil || !errors.As(err, &refused) {
					return
				}
				for _, status := range statuses {
					if refused.Status == status {
						return
					}
				}
				t.Errorf("%s: %v", what, err)
			}
			for range 3 {
				wg.Go(func() {
					for ctx.Err() == nil {
						_, _, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password})
						allowed("sign-in", err, 401, 503)
						if client.Status(err) == 401 && client.Code(err) != "invalid_credentials" {
							t.Errorf("sign-in: %v", err)
						}
					}
				})
			}
			wg.Go(func() {
				for ctx.Err() == nil {
					_, err := uploader.Upload(ctx, "", client.Source{Name: "f", Content: strings.NewReader(strings.Repeat("x", 100_000))})
					allowed("upload", err, 401, 404, 503)
					if err != nil {
						return
					}
				}
			})
			wg.Go(func() {
				_, _, err := p.client(t).ResetPassword(ctx, client.Reset{Token: reset + "x", Password: "eight noisy beavers 52"})
				allowed("reset", err, 410)
			})
			time.Sleep(60 * time.Millisecond)
			if err := patiently(func() error { return c.DeleteAccount(ctx) }); err != nil {
				t.Errorf("delete: %v", err)
			}
			got := s.raw(t, p.from, "POST", "/v1/auth/activate", fmt.Sprintf(`{"identifier":%q,"password":%q}`, p.Email, p.Password))
			if got.status != http.StatusUnauthorized {
				t.Errorf("activate: %d %s", got.status, got.body)
			}
			time.Sleep(30 * time.Millisecond)
			stop()
			wg.Wait()
			p.join(t)
		}
	})
}

// The server is killed while accounts are deleted. Each is there whole, or goes for good
// without another call, with its content.
func TestKilledWhileDeleting(t *testing.T) {
	t.Parallel()
	if !thorough() {
		t.Skip("waits a minute for the lease of a job whose worker was killed: COFFER_TEST_LONG=1, or COFFER_TEST_REQUIRE=1 as in CI")
	}
	each(t, func(t *testing.T, in setup) {
		s := start(t, in)
		var gone []*person
		for range 6 {
			p := s.member(t)
			c := p.signIn(t)
			p.signIn(t)
			if _, err := c.Upload(t.Context(), "", set(p.Username)...); err != nil {
				t.Fatal(err)
			}
			acked := s.killDuring(t, func() error { return c.DeleteAccount(t.Context()) })
			again := p.client(t)
			_, _, err := again.SignIn(t.Context(), client.SignIn{Identifier: p.Email, Password: p.Password})
			switch {
			case err == nil && acked:
				t.Error("an acknowledged deletion did not happen")
			case err == nil:
				if n := len(names(t, again, "", "")); n != 3 {
					t.Errorf("before, but %d files", n)
				}
				if err := again.DeleteAccount(t.Context()); err != nil {
					t.Errorf("before, and deleted again: %v", err)
				}
			case client.Code(err) != "invalid_credentials":
				t.Errorf("sign-in: %v", err)
			}
			if _, err := c.Profile(t.Context()); err == nil {
				t.Error("a session lives on")
			}
			gone = append(gone, p)
		}
		// A job that died with its process starts again when its lease ends, within a minute.
		d := s.database(t)
		left := func() (n int) {
			err := d.QueryRowContext(t.Context(), `SELECT (SELECT COUNT(*) FROM accounts) + (SELECT COUNT(*) FROM jobs)`).Scan(&n)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		deadline := time.Now().Add(2 * time.Minute)
		for left() > 0 || s.objects(t) > 0 {
			if time.Now().After(deadline) {
				t.Fatalf("left: %d accounts and jobs, %d objects", left(), s.objects(t))
			}
			time.Sleep(200 * time.Millisecond)
		}
		for _, p := range gone {
			p.mail(t, "account-deleted")
		}
		gone[0].join(t)
	})
}
