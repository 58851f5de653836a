package session_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// hold sends the header of a request with the browser's access token. The server asks for the
// body once it has admitted the caller. finish sends the body late, and returns the answer.
func (b *browser) hold(srv *httptest.Server, method, path, body string) (finish func() reply) {
	t := b.w.t
	t.Helper()
	c, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_, err = fmt.Fprintf(c, "%s /v1%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		method, path, b.access, len(body))
	if err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(c)
	for _, want := range []string{"HTTP/1.1 100 Continue\r\n", "\r\n"} {
		if line, err := in.ReadString('\n'); err != nil || line != want {
			t.Fatalf("%q, %v", line, err)
		}
	}
	return func() (out reply) {
		t.Helper()
		time.Sleep(150 * time.Millisecond) // rest asks again after 100
		if _, err := io.WriteString(c, body); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		raw, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		out.Status, out.Raw = res.StatusCode, string(raw)
		if strings.Contains(res.Header.Get("Content-Type"), "json") {
			if err := json.Unmarshal(raw, &out); err != nil {
				t.Fatal(err)
			}
		}
		return out
	}
}

// A client may hold a body back. When its session ends meanwhile, or a stronger proof is wanted,
// the request changes nothing.
func TestHeldBody(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		srv := httptest.NewServer(w.door)
		t.Cleanup(srv.Close)
		ctx := context.Background()
		ends := map[string]func(account.ID, string) error{
			"revoked":  func(id account.ID, session string) error { return w.Revoke(ctx, id, session) },
			"othersof": func(id account.ID, _ string) error { return w.RevokeAll(ctx, id, "") },
			"closed":   func(id account.ID, _ string) error { return w.Accounts.Deactivate(ctx, id) },
			"suspended": func(id account.ID, _ string) error {
				return w.DB.Tx(ctx, func(tx *db.Tx) error { _, err := w.Accounts.Suspend(ctx, tx, id); return err })
			},
		}
		for name, end := range ends {
			id, b := w.below.Join(name), w.browser()
			session := b.signIn(name).SessionID
			finish := b.hold(srv, "PATCH", "/account", `{"bio":"canary"}`)
			if err := end(id, session); err != nil {
				t.Fatal(err)
			}
			if got := finish(); got.Status != 401 || got.Code != "unauthenticated" {
				t.Errorf("%s: %d %s", name, got.Status, got.Raw)
			}
			if p, err := w.Accounts.Profile(ctx, id); err != nil || p.Bio != "" {
				t.Errorf("%s: the bio is %q, %v", name, p.Bio, err)
			}
		}
		id, b := w.below.Join("ada"), w.browser()
		b.signIn("ada")
		w.is(b.hold(srv, "PATCH", "/account", `{"bio":"late"}`)(), 200, "")
		finish := b.hold(srv, "PUT", "/account/always-ask", `{"always_ask":true}`)
		w.withApp(id) // the password alone is no fresh proof from now on
		w.is(finish(), 403, "step_up_required")
	})
}

// An admin who loses the role while a body is held back does nothing more with it.
func TestHeldBodyOfAnAdmin(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		srv := httptest.NewServer(w.door)
		t.Cleanup(srv.Close)
		role := func(id account.ID, role string) {
			t.Helper()
			if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { _, err := w.Accounts.SetRole(t.Context(), tx, id, role); return err }); err != nil {
				t.Fatal(err)
			}
		}
		id, b := w.below.Join("root"), w.browser()
		role(w.below.Join("other"), account.Admin)
		role(id, account.Admin)
		b.signIn("root")
		w.is(b.hold(srv, "POST", "/admin-only", `{"note":"before"}`)(), 204, "")
		finish := b.hold(srv, "POST", "/admin-only", `{"note":"after"}`)
		role(id, account.User)
		w.is(finish(), 403, "admin_only")
	})
}
