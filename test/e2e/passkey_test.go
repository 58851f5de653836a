package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"

	"coffer/client"
)

// securityKey is a person's authenticator with one key, beside a browser that shows the
// page of a server.
type securityKey struct {
	t      *testing.T
	party  virtualwebauthn.RelyingParty
	device virtualwebauthn.Authenticator
	key    virtualwebauthn.Credential
}

// origin is the origin of the server's page: without COFFER_URL the server is at localhost.
func (s *server) origin() string { return strings.Replace(s.url, "127.0.0.1", "localhost", 1) }

func newSecurityKey(t *testing.T, s *server) *securityKey {
	return &securityKey{
		t: t, party: virtualwebauthn.RelyingParty{ID: "localhost", Name: "Coffer", Origin: s.origin()},
		device: virtualwebauthn.NewAuthenticator(), key: virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2),
	}
}

// create answers the options of a registration.
func (a *securityKey) create(options json.RawMessage) json.RawMessage {
	a.t.Helper()
	o, err := virtualwebauthn.ParseAttestationOptions(string(options))
	if err != nil {
		a.t.Fatalf("options %s: %v", options, err)
	}
	a.device.Options.UserHandle = []byte(o.UserID)
	return json.RawMessage(virtualwebauthn.CreateAttestationResponse(a.party, a.device, a.key, *o))
}

// get answers the options of an assertion. Its sign count grows.
func (a *securityKey) get(options json.RawMessage) json.RawMessage {
	a.t.Helper()
	o, err := virtualwebauthn.ParseAssertionOptions(string(options))
	if err != nil {
		a.t.Fatalf("options %s: %v", options, err)
	}
	a.key.Counter++
	return json.RawMessage(virtualwebauthn.CreateAssertionResponse(a.party, a.device, a.key, *o))
}

// register adds a passkey in the session of c, whose proof is fresh.
func (a *securityKey) register(c *client.Client, name string) client.Passkey {
	a.t.Helper()
	options, err := c.BeginNewPasskey(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	p, err := c.AddPasskey(a.t.Context(), a.create(options), name)
	if err != nil {
		a.t.Fatal(err)
	}
	return p
}

// signIn signs in on c.
func (a *securityKey) signIn(c *client.Client) (*client.Session, error) {
	options, err := c.BeginPasskeySignIn(a.t.Context())
	if err != nil {
		return nil, err
	}
	return c.SignInByPasskey(a.t.Context(), a.get(options), "")
}

// noticed waits for a notice to the person with a subject.
func (p *person) noticed(t *testing.T, subject string) {
	t.Helper()
	wait(t, "the notice "+subject, func() bool {
		return slices.ContainsFunc(p.s.outbox(t), func(l letter) bool { return l.to == p.Email && l.header.Get("Subject") == subject })
	})
}

// TestPasskey covers a passkey's whole life. Row F-P1.
func TestPasskey(t *testing.T) {
	each(t, func(t *testing.T, in setup) {
		s := start(t, in)
		ctx := t.Context()
		p := s.member(t)
		c := p.signIn(t)
		if set, err := c.Settings(ctx); err != nil || !set.Passkeys {
			t.Errorf("the settings: %+v, %v", set, err)
		}
		if all, err := c.Passkeys(ctx); err != nil || len(all) != 0 {
			t.Errorf("before: %+v, %v", all, err)
		}
		a := newSecurityKey(t, s)
		made := a.register(c, "")
		if made.Name != "Passkey" || made.LastUsedAt != nil || made.Synced || made.BackedUp {
			t.Errorf("made %+v", made)
		}
		p.noticed(t, "A passkey was added to your account")

		// It signs in without a name, and is as good as two factors.
		d := p.client(t)
		opened, err := a.signIn(d)
		if err != nil || opened.AAL != "aal2" || opened.Account.ID == "" {
			t.Fatalf("sign in: %+v, %v", opened, err)
		}
		for _, method := range []string{"hwk", "user", "mfa"} {
			if !slices.Contains(opened.AMR, method) {
				t.Errorf("amr %q lacks %s", opened.AMR, method)
			}
		}
		if me, err := d.Profile(ctx); err != nil || me.Email != p.Email {
			t.Errorf("the account: %+v, %v", me, err)
		}
		all, err := d.Passkeys(ctx)
		if err != nil || len(all) != 1 || all[0].ID != made.ID || all[0].LastUsedAt == nil {
			t.Fatalf("the list: %+v, %v", all, err)
		}
		if line, err := d.Security(ctx); err != nil || !line["passkeys"].Enabled || *line["passkeys"].Left != 1 {
			t.Errorf("the security page: %+v, %v", line["passkeys"], err)
		}

		// It passes every layer of an attempt.
		p.harden(t, d)
		attempt := p.client(t)
		_, ch, err := attempt.SignIn(ctx, client.SignIn{Identifier: p.Username, Password: p.Password})
		if err != nil || ch == nil || !ch.Passkey || len(ch.Layers) != len(layers) {
			t.Fatalf("an attempt: %+v, %v", ch, err)
		}
		options, err := ch.BeginPasskey(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if opened, err = ch.PassByPasskey(ctx, a.get(options)); err != nil || opened.AAL != "aal2" || !slices.Contains(opened.AMR, "pwd") || !slices.Contains(opened.AMR, "hwk") {
			t.Fatalf("the attempt: %+v, %v", opened, err)
		}
		if _, err := attempt.Profile(ctx); err != nil {
			t.Error(err)
		}
		// And it signs in at once, where a password would ask for all of them.
		if opened, err = a.signIn(p.client(t)); err != nil || opened.AAL != "aal2" {
			t.Errorf("sign in with layers on: %+v, %v", opened, err)
		}

		// It is a fresh proof, for a session that has passed no layer too.
		options, err = c.BeginPasskeyProof(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.RenamePasskey(ctx, made.ID, "n"); client.Code(err) != "step_up_required" {
			t.Errorf("a change without a layer: %v", err)
		}
		if opened, err := c.ReauthenticateByPasskey(ctx, a.get(options)); err != nil || opened.AAL != "aal2" {
			t.Fatalf("a fresh proof: %+v, %v", opened, err)
		}
		if named, err := c.RenamePasskey(ctx, made.ID, "Blue key"); err != nil || named.Name != "Blue key" {
			t.Errorf("rename: %+v, %v", named, err)
		}
		if err := c.RemovePasskey(ctx, made.ID); err != nil {
			t.Fatal(err)
		}
		p.noticed(t, "A passkey was removed from your account")
		if _, err := a.signIn(p.client(t)); client.Code(err) != "invalid_passkey" {
			t.Errorf("a passkey that was removed: %v", err)
		}
		if err := c.RemovePasskey(ctx, made.ID); client.Status(err) != http.StatusNotFound {
			t.Errorf("removed twice: %v", err)
		}
	})
}
