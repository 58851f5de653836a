package e2e

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"coffer/client"
)

// An attacker with the password opens many sign-ins and sends all guesses at the same
// moment. The server checks at most a hundred in a row.
func TestAttackGuessingCodesOverManySignIns(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := start(t, in)
		ctx := t.Context()
		p := s.member(t)
		p.enrol(t, p.signIn(t))
		c := p.client(t)
		attempts := make([]*client.Challenge, 40)
		for i := range attempts {
			_, ch, err := c.SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password})
			if err != nil || ch == nil {
				t.Fatal(ch, err)
			}
			attempts[i] = ch
		}
		wrong := wrongCode(p.secret)
		var judged, locked atomic.Int64
		var all sync.WaitGroup
		for i := range 5 * len(attempts) {
			all.Go(func() {
				_, _, err := attempts[i/5].Pass(ctx, client.TOTP, client.TOTPCode{Code: wrong})
				switch client.Code(err) {
				case "invalid_code":
					judged.Add(1)
				case "totp_locked":
					locked.Add(1)
				default:
					t.Errorf("got %v", err)
				}
			})
		}
		all.Wait()
		if judged.Load() != 100 || locked.Load() != 100 {
			t.Errorf("%d codes were looked at and %d refused unseen, want 100 each", judged.Load(), locked.Load())
		}
		p.mail(t, "security-notice")
	})
}

// A thief has the password and a stolen remembered device. The owner's countermeasures make
// the device ask for the code again, and so does a new authenticator app.
func TestAttackStolenDeviceThatIsRemembered(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := start(t, in)
		for name, defend := range map[string]func(p *person, owner, thief *client.Client) error{
			"its session is ended": func(_ *person, owner, thief *client.Client) error {
				return owner.RevokeSession(t.Context(), thief.Credentials().SessionID)
			},
			"all other sessions are ended": func(_ *person, owner, _ *client.Client) error {
				return owner.RevokeOtherSessions(t.Context())
			},
			"the app is set up anew": func(p *person, _, strong *client.Client) error {
				// Only a session that passed the layer may turn it off.
				if err := strong.DisableTOTP(t.Context()); err != nil {
					return err
				}
				p.enrol(t, strong)
				return nil
			},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				p := s.member(t)
				owner := p.signIn(t)
				p.enrol(t, owner)
				thief := p.client(t)
				p.signInAt(t, thief, client.SignIn{Remember: true})
				creds := thief.Credentials()
				back := func() int {
					a := s.raw(t, p.from, "POST", "/v1/auth/sign-in", fmt.Sprintf(`{"identifier":%q,"password":%q,"refresh_in":"body","device_token":%q}`, p.Email, p.Password, creds.DeviceToken))
					return a.status
				}
				if got := back(); got != http.StatusCreated {
					t.Fatalf("the remembered device: %d", got)
				}
				if err := defend(p, owner, thief); err != nil {
					t.Fatal(err)
				}
				if got := back(); got != http.StatusAccepted {
					t.Errorf("the stolen device comes back: %d, want a challenge", got)
				}
			})
		}
	})
}
