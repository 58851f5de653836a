package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/client"
)

// guarded are the operations that need a fresh proof by the contract, with a body where one
// is needed. Those that the server does not have yet are tested as soon as it has them.
var guarded = map[string]string{
	"DELETE /account": "", "GET /account/export": "", "POST /account/email": `{"email":"fresh@proof.example"}`,
	"POST /account/totp": "", "DELETE /account/totp": "",
	"POST /account/email-otp": "", "DELETE /account/email-otp": "",
	"POST /account/sms": `{"phone":"+41446681800"}`, "DELETE /account/sms": "",
	"PUT /account/always-ask":        `{"always_ask":true}`,
	"PUT /account/security-question": `{"question":"Which river?","answer":"Limmat","hint":"h"}`, "DELETE /account/security-question": "",
	"GET /account/backup-codes": "", "POST /account/backup-codes": "", "POST /account/backup-codes/regenerate": "",
	"POST /account/backup-codes/confirm": "", "DELETE /account/backup-codes": "",
	"GET /account/trusted-email": "", "PUT /account/trusted-email": `{"email":"fresh@proof.example"}`, "DELETE /account/trusted-email": "",
	"POST /account/passkeys/options": "", "POST /account/passkeys": "{}", "PATCH /account/passkeys/{id}": `{"name":"n"}`, "DELETE /account/passkeys/{id}": "",
	"POST /account/identities/{provider}": "", "POST /account/identities/{provider}/confirm": `{"code":"c"}`, "DELETE /account/identities/{provider}": "",
	"POST /access-tokens": `{"name":"n"}`, "GET /access-tokens": "",
	"POST /hooks": "{}", "GET /hooks": "",
	"PATCH /admin/accounts/{id}": "{}", "DELETE /admin/accounts/{id}/sessions": "", "POST /admin/accounts/{id}/reset": "",
	"POST /admin/blocks": "{}", "DELETE /admin/blocks/{id}": "", "POST /admin/jobs/{id}/retry": "", "POST /admin/keys": "{}",
	"PATCH /admin/shares/{ref}": `{"blocked":true}`, "DELETE /admin/drops/{name}": "",
}

// stepUps lists the server's operations that its document says need a fresh proof, and fails
// the test unless they are those of the contract.
func stepUps(t *testing.T, c *client.Client) []string {
	t.Helper()
	raw, err := c.OpenAPI(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]struct {
			StepUp bool `json:"x-coffer-step-up"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	var all []string
	for path, methods := range document.Paths {
		for method, o := range methods {
			name := strings.ToUpper(method) + " " + path
			_, listed := guarded[name]
			if o.StepUp != listed {
				t.Errorf("%s: needs a fresh proof: %v; by the contract: %v", name, o.StepUp, listed)
			}
			if listed {
				all = append(all, name)
			}
		}
	}
	slices.Sort(all)
	if len(all) < 5 {
		t.Fatalf("only %q need a fresh proof", all)
	}
	return all
}

// TestStepUpOfEveryOperation calls each operation that the contract marks with an old proof,
// after a fresh password, and after a fresh password and code. Row F-A14.
func TestStepUpOfEveryOperation(t *testing.T) {
	t.Parallel()
	s := start(t, alone, "COFFER_STEP_UP_TTL=3s")
	type signedIn struct {
		p *person
		c *client.Client
	}
	// Everybody's proof grows old at once: the test waits one time.
	ready := map[string]signedIn{}
	named := func(name string, strong bool) string { return name + map[bool]string{true: " with a layer"}[strong] }
	operations := stepUps(t, s.client(t, newAddress()))
	for _, name := range operations {
		for _, strong := range []bool{false, true} {
			p := s.member(t)
			c := p.signIn(t, client.WithoutProofs())
			if strong {
				p.enrol(t, c)
			}
			if strings.Contains(name, " /admin/") {
				s.makeAdmin(t, p)
			}
			ready[named(name, strong)] = signedIn{p, c}
		}
	}
	time.Sleep(4100 * time.Millisecond) // the time of a proof is in seconds
	for _, name := range operations {
		for _, strong := range []bool{false, true} {
			t.Run(named(name, strong), func(t *testing.T) {
				p, c := ready[named(name, strong)].p, ready[named(name, strong)].c
				method, path, _ := strings.Cut(name, " ")
				call := func() answer {
					return s.raw(t, p.from, method, "/v1"+strings.NewReplacer("{id}", "x", "{provider}", "google").Replace(path), guarded[name],
						"Authorization", "Bearer "+c.Credentials().AccessToken)
				}
				refused := func(a answer) bool {
					return a.status == 403 && strings.Contains(a.body, `"code":"step_up_required"`)
				}
				if got := call(); !refused(got) {
					t.Fatalf("with an old proof: %d %.200s", got.status, got.body)
				}
				if _, _, err := c.Reauthenticate(t.Context(), "another password 41"); client.Code(err) != "invalid_credentials" {
					t.Errorf("a wrong password: %v", err)
				}
				if got := call(); !refused(got) {
					t.Fatalf("after a wrong password: %d %.200s", got.status, got.body)
				}
				got := answer{status: 403}
				for tries := 0; tries < 5 && (tries == 0 || refused(got)); tries++ { // the machine may take a second
					_, ch, err := c.Reauthenticate(t.Context(), p.Password)
					if err != nil {
						t.Fatal(err)
					}
					if (ch != nil) != (strong && tries == 0) {
						t.Fatalf("try %d asks for %+v", tries, ch)
					}
					if ch != nil {
						if got := call(); !refused(got) {
							t.Fatalf("with half a proof: %d %.200s", got.status, got.body)
						}
						if _, _, err := ch.Pass(t.Context(), client.TOTP, client.TOTPCode{Code: p.code(0)}); err != nil {
							t.Fatal(err)
						}
					}
					got = call()
				}
				if refused(got) || got.status >= 500 || got.status == 401 || got.status == 403 {
					t.Errorf("after a fresh proof: %d %.200s", got.status, got.body)
				}
			})
		}
	}
}
