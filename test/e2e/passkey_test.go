package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/google/go-cmp/cmp"

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

// newCredential makes a key. The library drops leading zeros of a coordinate, which RFC 9053
// §7.1.1 forbids, and the server refuses: such a key, one of 128, is not taken.
func newCredential() virtualwebauthn.Credential {
	const whole = 77 // bytes of a key of P-256 in COSE
	for {
		if c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2); len(c.Key.AttestationData()) == whole {
			return c
		}
	}
}

func newSecurityKey(t *testing.T, s *server) *securityKey {
	return &securityKey{
		t: t, party: virtualwebauthn.RelyingParty{ID: "localhost", Name: "Coffer", Origin: s.origin()},
		device: virtualwebauthn.NewAuthenticator(), key: newCredential(),
	}
}

// challengeOf is the challenge of options.
func challengeOf(t *testing.T, options json.RawMessage) string {
	t.Helper()
	var o struct {
		Challenge string `json:"challenge"`
	}
	if err := json.Unmarshal(options, &o); err != nil || len(o.Challenge) != 43 {
		t.Fatalf("options %s: %v", options, err)
	}
	return o.Challenge
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

// plainOptions are options without what differs in each answer.
func plainOptions(t *testing.T, a answer) answer {
	t.Helper()
	if a.status == http.StatusOK {
		a.body = strings.Replace(a.body, challengeOf(t, json.RawMessage(a.body)), "…", 1)
	}
	return a.plain()
}

// TestPasskeyAnswers is security.md row 10 for passkeys: neither text, headers nor time tell
// whether a passkey or an account exists, and every fault has one answer.
func TestPasskeyAnswers(t *testing.T) {
	t.Parallel()
	s := start(t, alone, "COFFER_LIMIT_SIGN_IN_ADDRESS=100000/15m", "COFFER_LIMIT_PASSKEY_BEGIN=100000/15m", "COFFER_LOG_LEVEL=warn")
	ctx := t.Context()
	p := s.member(t)
	c := p.signIn(t)
	known := newSecurityKey(t, s)
	known.register(c, "")
	from := newAddress()
	begin := func() json.RawMessage {
		t.Helper()
		return json.RawMessage(s.raw(t, from, "POST", "/v1/auth/passkey/options", "").body)
	}
	want := plainOptions(t, s.raw(t, from, "POST", "/v1/auth/passkey/options", ""))
	if got := plainOptions(t, s.raw(t, newAddress(), "POST", "/v1/auth/passkey/options", "")); want.status != http.StatusOK || !cmp.Equal(want, got, cmp.AllowUnexported(answer{})) {
		t.Errorf("the options differ: %+v, %+v", want, got)
	}
	finish := func(credential json.RawMessage) answer {
		t.Helper()
		return s.raw(t, from, "POST", "/v1/auth/passkey", `{"credential":`+string(credential)+`}`)
	}
	stranger := func() *securityKey { // of nobody, with the handle of somebody
		k := newSecurityKey(t, s)
		k.device.Options.UserHandle = known.device.Options.UserHandle
		return k
	}
	forged := func() json.RawMessage { // the known credential, signed by another key
		k := stranger()
		k.key.ID = known.key.ID
		k.key.Counter = 1000
		return k.get(begin())
	}
	elsewhere := *known
	elsewhere.party.Origin = "http://evil.localhost:1"
	other := *known
	other.party.ID = "evil.localhost"
	unverified := *known
	unverified.device.Options.UserNotVerified = true
	handle := *known
	handle.device.Options.UserHandle = []byte("somebody else's handle of 32 byt")
	refused := finish(stranger().get(begin())).plain()
	if refused.status != http.StatusUnauthorized || !strings.Contains(refused.body, `"code":"invalid_passkey"`) {
		t.Fatalf("an unknown passkey: %d %s", refused.status, refused.body)
	}
	used := known.get(begin())
	if a := finish(used); a.status != http.StatusCreated {
		t.Fatalf("a good one: %d %s", a.status, a.body)
	}
	for name, credential := range map[string]json.RawMessage{
		"signed by another key": forged(), "of another page": elsewhere.get(begin()), "of another party": other.get(begin()), "without verification": unverified.get(begin()),
		"with another handle": handle.get(begin()), "used": used, "empty": json.RawMessage(`{}`), "of a registration": known.create(begin()),
	} {
		if diff := cmp.Diff(refused, finish(credential).plain(), cmp.AllowUnexported(answer{})); diff != "" {
			t.Errorf("%s: another answer:\n%s", name, diff)
		}
	}
	// Time: 200 calls each, interleaved. A loaded machine delays most of them, and the fastest tenth little.
	var unknown, wrong []time.Duration
	for range 200 {
		for _, one := range []struct {
			credential json.RawMessage
			took       *[]time.Duration
		}{{stranger().get(begin()), &unknown}, {forged(), &wrong}} {
			began := time.Now()
			finish(one.credential)
			*one.took = append(*one.took, time.Since(began))
		}
	}
	slices.Sort(unknown)
	slices.Sort(wrong)
	if gap := (unknown[20] - wrong[20]).Abs(); gap > 5*time.Millisecond {
		t.Errorf("an unknown passkey takes %s, a known one %s", unknown[20], wrong[20])
	}
	if _, err := c.Profile(ctx); err != nil {
		t.Error(err)
	}
}

// TestPasskeyAttacks: races with one winner, a copied key, guesses at an attempt, a locked
// password, and what another person's passkey can do.
func TestPasskeyAttacks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := start(t, in, "COFFER_LIMIT_SIGN_IN_ACCOUNT=5/15m")
		ctx := t.Context()
		p, eve := s.member(t), s.member(t)
		c := p.signIn(t)
		key, hers := newSecurityKey(t, s), newSecurityKey(t, s)
		key.register(c, "")
		hers.register(eve.signIn(t), "")

		// Twenty uses of one challenge.
		options, err := p.client(t).BeginPasskeySignIn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var won atomic.Int32
		var all sync.WaitGroup
		for range 20 {
			answer, from := key.get(options), p.client(t)
			all.Go(func() {
				if _, err := from.SignInByPasskey(ctx, answer, ""); err == nil {
					won.Add(1)
				} else if client.Code(err) != "invalid_passkey" {
					t.Error(err)
				}
			})
		}
		if all.Wait(); won.Load() != 1 {
			t.Errorf("one challenge opens %d sessions", won.Load())
		}

		// A copy of the key.
		clone := *key
		if _, err := key.signIn(p.client(t)); err != nil {
			t.Fatal(err)
		}
		if _, err := clone.signIn(p.client(t)); client.Code(err) != "invalid_passkey" {
			t.Errorf("a copied key: %v", err)
		}
		p.noticed(t, "A passkey of your account may have been copied")

		// Somebody else's passkey, five times, ends an attempt. A right one comes too late.
		p.enrol(t, c)
		_, ch, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password})
		if err != nil || ch == nil || !ch.Passkey {
			t.Fatalf("an attempt: %+v, %v", ch, err)
		}
		late, err := ch.BeginPasskey(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			options, err := ch.BeginPasskey(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ch.PassByPasskey(ctx, hers.get(options)); client.Code(err) != "invalid_passkey" {
				t.Errorf("her passkey passes his attempt: %v", err)
			}
		}
		if _, err := ch.PassByPasskey(ctx, key.get(late)); client.Status(err) != http.StatusGone {
			t.Errorf("after five wrong answers: %v", err)
		}
		// A challenge of one attempt is not good for another.
		_, one, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password})
		if err != nil {
			t.Fatal(err)
		}
		_, two, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password})
		if err != nil {
			t.Fatal(err)
		}
		if options, err = one.BeginPasskey(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := two.PassByPasskey(ctx, key.get(options)); client.Code(err) != "invalid_passkey" {
			t.Errorf("another attempt's challenge: %v", err)
		}
		if options, err = two.BeginPasskey(ctx); err != nil {
			t.Fatal(err)
		}
		if opened, err := two.PassByPasskey(ctx, key.get(options)); err != nil || opened.AAL != "aal2" {
			t.Errorf("its own: %+v, %v", opened, err)
		}

		// Strangers lock the password, and not the passkey.
		for range 8 {
			s.client(t, newAddress()).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: "a wrong guess 77"})
		}
		if _, _, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password}); client.Code(err) != "sign_in_held" {
			t.Errorf("the password is not locked: %v", err)
		}
		if _, err := key.signIn(p.client(t)); err != nil {
			t.Errorf("a passkey while the password is locked: %v", err)
		}
	})
}

// TestPasskeyInRecovery: a passkey makes a weak recovery session an ordinary one. A sign-in
// with it shows that the owner is there, which ends a wait of the trusted address.
func TestPasskeyInRecovery(t *testing.T) {
	t.Parallel()
	s := start(t, alone, "COFFER_TRUSTED_COOLDOWN=0s", "COFFER_RECOVERY_WAIT=3s")
	ctx := t.Context()
	p := s.member(t)
	c := p.signIn(t)
	p.harden(t, c)
	key, hers := newSecurityKey(t, s), newSecurityKey(t, s)
	key.register(c, "")
	eve := s.member(t)
	hers.register(eve.signIn(t), "")
	second := p.trusts(t, c, "second."+p.Email)

	_, opened := p.recovers(t, second)
	if opened.Recovery == nil || opened.Recovery.MayRepairLayers {
		t.Fatalf("a first recovery: %+v", opened)
	}
	if _, err := key.signIn(p.client(t)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3100 * time.Millisecond)
	weak, opened := p.recovers(t, second)
	if opened.Recovery == nil || opened.Recovery.MayRepairLayers {
		t.Errorf("a recovery after the wait, in which the owner was there: %+v", opened.Recovery)
	}

	if _, err := weak.BeginNewPasskey(ctx); client.Code(err) != "recovery_waits" {
		t.Errorf("a weak session begins to add a passkey: %v", err)
	}
	options, err := weak.BeginPasskeyProof(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := weak.ReauthenticateByPasskey(ctx, hers.get(options)); client.Code(err) != "invalid_passkey" {
		t.Errorf("somebody else's passkey: %v", err)
	}
	if options, err = weak.BeginPasskeyProof(ctx); err != nil {
		t.Fatal(err)
	}
	if opened, err := weak.ReauthenticateByPasskey(ctx, key.get(options)); err != nil || opened.AAL != "aal2" || opened.Recovery != nil {
		t.Errorf("a passkey in a weak session: %+v, %v", opened, err)
	}
	if err := weak.DisableTOTP(ctx); err != nil {
		t.Errorf("the ordinary session repairs: %v", err)
	}
}

// TestPasskeysByAddress: a server that is reached by an IP address has no passkeys, and says
// so.
func TestPasskeysByAddress(t *testing.T) {
	t.Parallel()
	s := newServer(t, alone)
	s.env = append(s.env, "COFFER_URL="+s.url)
	s.start()
	ctx := t.Context()
	p := s.member(t)
	c := p.signIn(t)
	if set, err := c.Settings(ctx); err != nil || set.Passkeys {
		t.Errorf("the settings: %+v, %v", set, err)
	}
	if _, err := p.client(t).BeginPasskeySignIn(ctx); client.Code(err) != "passkeys_unavailable" || client.Status(err) != http.StatusConflict {
		t.Errorf("begin to sign in: %v", err)
	}
	if _, err := c.BeginNewPasskey(ctx); client.Code(err) != "passkeys_unavailable" {
		t.Errorf("begin to register: %v", err)
	}
	if _, err := c.BeginPasskeyProof(ctx); client.Code(err) != "passkeys_unavailable" {
		t.Errorf("begin to confirm: %v", err)
	}
	if all, err := c.Passkeys(ctx); err != nil || len(all) != 0 {
		t.Errorf("the list: %+v, %v", all, err)
	}
}
