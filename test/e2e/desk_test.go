package e2e

import (
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"coffer/client"
)

// operator makes the first admin of a server, signed in.
func (s *server) operator(t *testing.T) (*person, *client.Client) {
	t.Helper()
	p := s.stranger()
	if err := p.client(t).FirstAdmin(t.Context(), s.firstAdminToken(), p.NewAccount); err != nil {
		t.Fatal(err)
	}
	return p, p.signIn(t, client.WithoutProofs())
}

// makeAdmin makes a person an admin as an operator does at the console, beside the server.
func (s *server) makeAdmin(t *testing.T, p *person) {
	t.Helper()
	cmd := exec.Command(program, "admin", "account", "role", p.Username, "admin")
	cmd.Dir, cmd.Env = s.data, s.env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// An admin suspends an account: its sessions end at once, its links too, and only an admin
// opens it again. Every act is in the log, and no answer names a file. Rows 36, 53, 55 and 83.
func TestAdminDesk(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		ctx := t.Context()
		s := start(t, in)
		_, boss := s.operator(t)
		ada := s.member(t)
		c := ada.signIn(t)
		f, err := c.Upload(ctx, "", client.Source{Name: "canary-7731.txt", Content: strings.NewReader("canary-7731")})
		if err != nil {
			t.Fatal(err)
		}
		link, err := c.CreateShare(ctx, f[0].ID, client.NewShare{})
		if err != nil {
			t.Fatal(err)
		}
		found, err := boss.AdminAccounts(ctx, ada.Email, "")
		if err != nil || len(found.Items) != 1 || found.Items[0].Username != ada.Username {
			t.Fatalf("%+v, %v", found, err)
		}
		id := found.Items[0].ID
		if part, err := boss.AdminAccounts(ctx, ada.Email[1:], ""); err != nil || len(part.Items) != 0 {
			t.Errorf("a part of an address: %+v, %v", part, err)
		}
		if all, err := boss.AdminAccounts(ctx, "", ""); err != nil || len(all.Items) != 2 || all.Items[0].ID != id {
			t.Errorf("all: %+v, %v", all, err)
		}
		if _, err := boss.AdminAccount(ctx, "01890000-0000-7000-8000-000000000000"); client.Code(err) != "not_found" {
			t.Errorf("an unknown account: %v", err)
		}
		deskRefuses(t, s, boss, ada, id, link.ID)
		a, err := boss.AdminChange(ctx, id, map[string]any{"status": "suspended", "quota_bytes": 1000})
		if err != nil || !a.Suspended || a.Sessions != 0 || a.Usage.QuotaBytes == nil || *a.Usage.QuotaBytes != 1000 {
			t.Fatalf("%+v, %v", a, err)
		}
		if _, err := c.Profile(ctx); err == nil {
			t.Errorf("a session of a suspended account: %v", err)
		}
		if _, _, err := ada.client(t).SignIn(ctx, client.SignIn{Identifier: ada.Email, Password: ada.Password}); client.Code(err) != "account_suspended" {
			t.Errorf("sign-in: %v", err)
		}
		if got := s.raw(t, ada.from, "GET", "/v1/public/shares/"+link.Token, ""); got.status != http.StatusNotFound {
			t.Errorf("a link of a suspended account: %d", got.status)
		}
		if a, err = boss.AdminChange(ctx, id, map[string]any{"status": "active", "quota_bytes": nil}); err != nil || a.Status != "active" || a.Usage.OwnQuotaBytes {
			t.Errorf("%+v, %v", a, err)
		}
		if err := boss.AdminBlockShare(ctx, link.URL, true); err != nil {
			t.Error(err)
		}
		if err := boss.AdminStartReset(ctx, id); err != nil {
			t.Error(err)
		}
		// A second admin; of two who demote each other at once, one stays.
		second := ada.signIn(t, client.WithoutProofs())
		if _, err := boss.AdminChange(ctx, id, map[string]any{"role": "admin"}); err != nil {
			t.Fatal(err)
		}
		me, err := boss.Profile(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := boss.AdminChange(ctx, me.ID, map[string]any{"role": "user"}); client.Code(err) != "not_yourself" {
			t.Errorf("the own role: %v", err)
		}
		var both sync.WaitGroup
		errs := make([]error, 2)
		both.Go(func() { _, errs[0] = boss.AdminChange(ctx, id, map[string]any{"role": "user"}) })
		both.Go(func() { _, errs[1] = second.AdminChange(ctx, me.ID, map[string]any{"role": "user"}) })
		both.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("of two who demote each other: %v, %v", errs[0], errs[1])
		}
		left, gone := boss, second
		if errs[1] == nil {
			left, gone = second, boss
		}
		if _, err := gone.AdminEvents(ctx, ""); client.Code(err) != "admin_only" {
			t.Errorf("the demoted admin's same token: %v", err)
		}
		events, err := left.AdminEvents(ctx, "")
		if err != nil || len(events.Items) < 6 || events.Items[0].Action != "account.role" || events.Items[0].Actor.Kind != "admin" {
			t.Errorf("%+v, %v", events, err)
		}
		for _, path := range []string{"/v1/admin/accounts/" + id, "/v1/admin/events", "/v1/admin/jobs?state=waiting", "/v1/admin/keys", "/v1/admin/overview", "/v1/admin/shares/" + link.ID} {
			got := s.raw(t, ada.from, "GET", path, "", "Authorization", "Bearer "+left.Credentials().AccessToken)
			if got.status != 200 || strings.Contains(got.body, "canary-7731") || strings.Contains(got.body, link.Token) {
				t.Errorf("%s: %d %s", path, got.status, got.body)
			}
		}
	})
}

// deskRefuses calls every operation of admins as an ordinary person, and changes an account in
// ways that are none.
func deskRefuses(t *testing.T, s *server, boss *client.Client, ada *person, id, link string) {
	t.Helper()
	ctx := t.Context()
	// No user is let in, and no field of an account but those of the contract is taken.
	bare := ada.signIn(t, client.WithoutProofs())
	for _, o := range operations(t, boss) {
		if !strings.HasPrefix(o.path, "/v1/admin/") {
			continue
		}
		path := strings.NewReplacer("{id}", id, "{ref}", link, "{name}", "calm-otter").Replace(o.path)
		body := guarded[o.method+" "+strings.TrimPrefix(o.path, "/v1")]
		if a := s.raw(t, ada.from, o.method, path, body, "Authorization", "Bearer "+bare.Credentials().AccessToken); a.status != http.StatusForbidden || !strings.Contains(a.body, "admin_only") {
			t.Errorf("%s %s by a user: %d %s", o.method, o.path, a.status, a.body)
		}
	}
	for _, changes := range []map[string]any{{"password": "nine loud herons 52"}, {"email": "x@example.org"}, {"ver": 1}, {"status": "deleting"}, {"role": "root"}, {"quota_bytes": -1}} {
		if _, err := boss.AdminChange(ctx, id, changes); client.Status(err) != 400 && client.Status(err) != 422 {
			t.Errorf("%v: %v", changes, err)
		}
	}
}
