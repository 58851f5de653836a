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
	"GET /v1/account/passkeys": true, "POST /v1/account/reauthenticate/passkey/options": true, "POST /v1/account/reauthenticate/passkey": true,
	"POST /v1/account/passkeys/options": false, "POST /v1/account/passkeys": false, "PATCH /v1/account/passkeys/{id}": false, "DELETE /v1/account/passkeys/{id}": false,
}

// TestRecoverySessionOfEveryOperation calls each operation that needs a session with a strong
// and with a weak recovery session. Those that do not repair are refused and change nothing.
func TestRecoverySessionOfEveryOperation(t *testing.T) {
	t.Parallel()
	s := start(t, alone, "COFFER_TRUSTED_COOLDOWN=0s")
	ctx := t.Context()
	p, c, trusted, codes := withWaysBack(t, s)
	weak := p.client(t, client.WithoutProofs())
	if _, err := weak.ConfirmTrustedRecovery(ctx, client.TrustedRecovery{Token: p.recoveryLink(t, trusted)}); err != nil {
		t.Fatal(err)
	}
	strong := p.strongly(t, codes[0])
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
				if _, own := changing[name]; own && who == "strong" {
					continue // it changes something: see below
				}
			}
			got := s.raw(t, p.from, o.method, path, body, "Authorization", "Bearer "+by.Credentials().AccessToken)
			code := ""
			for _, known := range []string{"recovery_session", "recovery_waits"} {
				if got.status == http.StatusForbidden && strings.Contains(got.body, `"code":"`+known+`"`) {
					code = known
				}
			}
			if o.method == http.MethodHead && got.status == http.StatusForbidden {
				code = "recovery_session" // an answer to HEAD has no body
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
	for name := range changing {
		if _, may := repairs[name]; !may {
			t.Errorf("%s does not repair", name)
		}
		t.Run(name, func(t *testing.T) { repairsOne(t, s, name) })
	}
}

// withWaysBack returns a person with two layers, a trusted address and backup codes.
func withWaysBack(t *testing.T, s *server) (p *person, c *client.Client, trusted *person, codes []string) {
	t.Helper()
	p = s.member(t)
	c = p.signIn(t)
	p.twoLayers(t, c)
	trusted = p.trusts(t, c, "two-"+p.Email)
	return p, c, trusted, p.backup(t, c)
}

// strongly opens a strong recovery session.
func (p *person) strongly(t *testing.T, code string) *client.Client {
	t.Helper()
	c := p.client(t, client.WithoutProofs())
	opened, err := c.RecoverByBackupCode(t.Context(), client.BackupRecovery{Identifier: p.Email, Password: p.Password, Code: code})
	if err != nil || opened.AAL != client.AALRecovery {
		t.Fatalf("%+v, %v", opened, err)
	}
	return c
}

// change is what an operation without a body does from a strong recovery session.
type change struct {
	query  string
	before string // an operation that goes first, in the same session
	status int
	line   string // of the security page
	on     bool   // the line afterwards
	ends   bool   // the session becomes an ordinary one
}

// changing are the operations that change something although they have no body.
var changing = map[string]change{
	"POST /v1/account/totp":                {status: 201, line: client.TOTP},
	"DELETE /v1/account/totp":              {status: 204, line: client.TOTP},
	"POST /v1/account/email-otp":           {before: "DELETE /v1/account/email-otp?recovery=off", status: 204, line: client.EmailOTP, on: true, ends: true},
	"DELETE /v1/account/email-otp":         {query: "?recovery=off", status: 204, line: client.EmailOTP},
	"DELETE /v1/account/sms":               {status: 204, line: client.SMS},
	"DELETE /v1/account/security-question": {query: "?recovery=off", status: 204, line: client.SecurityQuestion},
	"DELETE /v1/account/trusted-email":     {status: 204, line: client.TrustedEmail},
}

// repairsOne calls one of them with a strong recovery session that has done nothing else.
func repairsOne(t *testing.T, s *server, name string) {
	does := changing[name]
	p, c, _, codes := withWaysBack(t, s)
	by := p.strongly(t, codes[0])
	call := func(name string) answer {
		method, path, _ := strings.Cut(name, " ")
		return s.raw(t, p.from, method, path, "", "Authorization", "Bearer "+by.Credentials().AccessToken)
	}
	if does.before != "" {
		if got := call(does.before); got.status >= 300 {
			t.Fatalf("%s: %d %s", does.before, got.status, got.body)
		}
	}
	if got := call(name + does.query); got.status != does.status {
		t.Fatalf("%d %.200s, want %d", got.status, got.body, does.status)
	}
	if st, err := c.Security(t.Context()); err != nil || st[does.line].Enabled != does.on {
		t.Errorf("%s: %+v, %v", does.line, st[does.line], err)
	}
	if now, err := by.Refresh(t.Context()); err != nil || (now.AAL != client.AALRecovery) != does.ends {
		t.Errorf("the session afterwards: %+v, %v", now, err)
	}
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
