package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"coffer/client"
)

// repairs are the operations that a recovery session may call. false: only a strong one.
var repairs = map[string]bool{
	"GET /v1/account": true, "GET /v1/account/security": true, "PUT /v1/account/password": true,
	"POST /v1/account/totp": false, "GET /v1/account/totp/qr.png": false, "POST /v1/account/totp/confirm": false, "DELETE /v1/account/totp": false,
	"POST /v1/account/email-otp": false, "DELETE /v1/account/email-otp": false,
	"POST /v1/account/sms": false, "POST /v1/account/sms/confirm": false, "POST /v1/account/sms/resend": false, "DELETE /v1/account/sms": false,
	"PUT /v1/account/security-question": false, "DELETE /v1/account/security-question": false,
	"POST /v1/account/email": false, "POST /v1/account/email/confirm": false, "POST /v1/account/email/confirm/check": false,
	"PUT /v1/account/trusted-email": false, "DELETE /v1/account/trusted-email": false,
}

// TestRecoverySessionOfEveryOperation calls each operation that needs a session with a strong
// and with a weak recovery session. Those that do not repair are refused and change nothing.
func TestRecoverySessionOfEveryOperation(t *testing.T) {
	t.Parallel()
	s := start(t, alone, "COFFER_TRUSTED_COOLDOWN=0s")
	ctx := t.Context()
	p := s.member(t)
	c := p.signIn(t)
	p.twoLayers(t, c)
	trusted := p.trusts(t, c, "two-"+p.Email)
	var codes []string
	err := p.fresh(t, c, func() (err error) { codes, err = c.MakeBackupCodes(ctx); return err })
	if err == nil {
		err = p.fresh(t, c, func() error { return c.ConfirmBackupCodes(ctx) })
	}
	if err != nil {
		t.Fatal(err)
	}
	weak := p.client(t, client.WithoutProofs())
	if _, err := weak.ConfirmTrustedRecovery(ctx, client.TrustedRecovery{Token: p.recoveryLink(t, trusted)}); err != nil {
		t.Fatal(err)
	}
	strong := p.client(t, client.WithoutProofs())
	if _, err := strong.RecoverByBackupCode(ctx, client.BackupRecovery{Identifier: p.Email, Password: p.Password, Code: codes[0]}); err != nil {
		t.Fatal(err)
	}
	all, err := c.Security(ctx)
	if err != nil {
		t.Fatal(err)
	}
	unknown := map[string]bool{}
	for name := range repairs {
		unknown[name] = true
	}
	refused := 0
	for _, o := range operations(t, c) {
		name := o.method + " " + o.path
		if o.public {
			continue
		}
		both, may := repairs[name]
		delete(unknown, name)
		for who, by := range map[string]*client.Client{"strong": strong, "weak": weak} {
			path := strings.NewReplacer("{id}", "x", "{provider}", "google").Replace(o.path)
			body := guarded[o.method+" "+strings.TrimPrefix(o.path, "/v1")]
			if may {
				if o.method != http.MethodGet {
					body = `{}` // it is let in, and changes nothing
				}
				if body == "{}" && o.method == http.MethodDelete || strings.HasSuffix(o.path, "/email-otp") || o.path == "/v1/account/totp" {
					if who == "strong" {
						continue // it would change something: a story of its own
					}
				}
			}
			got := s.raw(t, p.from, o.method, path, body, "Authorization", "Bearer "+by.Credentials().AccessToken)
			code := ""
			for _, known := range []string{"recovery_session", "recovery_waits"} {
				if got.status == http.StatusForbidden && strings.Contains(got.body, `"code":"`+known+`"`) {
					code = known
				}
			}
			want := ""
			switch {
			case !may:
				want = "recovery_session"
			case who == "weak" && !both:
				want = "recovery_waits"
			}
			if code != want || want == "" && (got.status == http.StatusUnauthorized || got.status == http.StatusForbidden || got.status >= 500) {
				t.Errorf("%s with a %s session: %d %.200s, want %q", name, who, got.status, got.body, want)
			}
			if want != "" {
				refused++
			}
		}
	}
	if len(unknown) > 0 || refused < 40 {
		t.Errorf("not in the document: %v; %d refused", unknown, refused)
	}
	now, err := c.Security(ctx)
	if err != nil {
		t.Fatalf("the owner's session: %v", err)
	}
	for name, line := range all {
		if now[name].Enabled != line.Enabled {
			t.Errorf("%s was %v and is %v", name, line.Enabled, now[name].Enabled)
		}
	}
	if a, err := c.Profile(ctx); err != nil || a.Email != p.Email {
		t.Errorf("the account %+v, %v", a, err)
	}

	repairsAll(t, strong, c)
}

// repairsAll turns a layer off and sets a password: the strong session becomes an ordinary one.
func repairsAll(t *testing.T, strong, other *client.Client) {
	t.Helper()
	ctx := t.Context()
	if err := strong.DisableEmailOTP(ctx, client.DisableRecovery); err != nil {
		t.Fatal(err)
	}
	opened, challenge, err := strong.RepairPassword(ctx, "nine loud herons 52")
	if err != nil || challenge != nil || opened.AAL != "aal1" || !slices.Contains(opened.AMR, "backup_code") {
		t.Fatalf("%+v, %+v, %v", opened, challenge, err)
	}
	if _, err := strong.CreateFolder(ctx, "", "mine again"); err != nil {
		t.Error(err)
	}
	if _, err := other.Profile(ctx); err == nil {
		t.Error("another session lives on")
	}
}
