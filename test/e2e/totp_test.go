package e2e

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"image/png"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coffer/client"
)

var _ = addLayer("totp", layer{
	enrol: (*person).enrol,
	pass: func(ctx context.Context, p *person, ch *client.Challenge) (*client.Session, *client.Challenge, error) {
		return ch.Pass(ctx, client.TOTP, client.TOTPCode{Code: p.code(0)})
	},
	body:   `{"code":"123456"}`,
	strong: true,
	traces: func(p *person) []string {
		raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(p.secret)
		if err != nil {
			panic(err)
		}
		return []string{p.secret, string(raw)}
	},
	stories: []story{
		{"the authenticator app", authenticator},
		{"a code twenty times at once", codeAtOnce},
		{"guessing codes", guessingCodes},
		{"a device that is remembered", rememberedDevice},
	},
})

// authenticator covers the layer's whole life.
func authenticator(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	c := p.signIn(t)
	e, err := c.EnrolTOTP(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if picture, err := png.Decode(bytes.NewReader(e.QRPNG)); err != nil || picture.Bounds().Dx() < 100 {
		t.Errorf("the QR code: %v", err)
	}
	if len(e.Secret) != 32 || !strings.HasPrefix(e.OTPAuthURI, "otpauth://totp/") || !strings.Contains(e.OTPAuthURI, "secret="+e.Secret) {
		t.Errorf("enrolment %q %q", e.Secret, e.OTPAuthURI)
	}
	if err := c.ConfirmTOTP(ctx, wrongCode(e.Secret)); client.Code(err) != "invalid_code" {
		t.Errorf("a wrong code: %v", err)
	}
	if st, err := c.Security(ctx); err != nil || st[client.TOTP].Enabled {
		t.Errorf("before it is confirmed: %+v, %v", st, err)
	}
	p.enrol(t, c)
	if st, err := c.Security(ctx); err != nil || !st[client.TOTP].Enabled || st[client.TOTP].Since == nil || time.Since(*st[client.TOTP].Since).Abs() > time.Hour {
		t.Errorf("enabled: %+v, %v", st, err)
	}
	p.mail(t, "security-notice")
	if _, err := c.EnrolTOTP(ctx); err == nil {
		t.Error("a session that passed no code may set up another app")
	}

	d := p.client(t)
	opened, ch, err := d.SignIn(ctx, client.SignIn{Identifier: p.Username, Password: p.Password})
	if err != nil || opened != nil || len(ch.Layers) != 1 || !ch.Open("totp") {
		t.Fatalf("sign in: %+v, %+v, %v", opened, ch, err)
	}
	if _, _, err := ch.Pass(ctx, client.TOTP, client.TOTPCode{Code: p.code(1)}); client.Code(err) != "invalid_code" {
		t.Errorf("the code that confirmed the app: %v", err)
	}
	if err := ch.Refresh(ctx); err != nil || !ch.Open("totp") {
		t.Errorf("the attempt: %+v, %v", ch, err)
	}
	opened, _, err = ch.Pass(ctx, client.TOTP, client.TOTPCode{Code: p.code(0)})
	if err != nil {
		t.Fatal(err)
	}
	if opened.AAL != "aal2" || !slices.Contains(opened.AMR, "otp") || !slices.Contains(opened.AMR, "mfa") {
		t.Errorf("session %+v", opened)
	}
	if err := ch.Refresh(ctx); client.Status(err) != http.StatusGone {
		t.Errorf("the attempt when it is complete: %v", err)
	}

	// Another device cannot use the same code. A session without a code cannot turn the
	// layer off.
	_, ch2, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Username, Password: p.Password})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := ch2.Pass(ctx, client.TOTP, client.TOTPCode{Code: p.code(0)}); client.Code(err) != "invalid_code" {
		t.Errorf("a code twice: %v", err)
	}
	if err := c.DisableTOTP(ctx); client.Code(err) != "step_up_required" {
		t.Errorf("turn off with the password alone: %v", err)
	}
	if err := d.DisableTOTP(ctx); err != nil {
		t.Fatal(err)
	}
	p.mail(t, "security-notice")
	if opened, ch, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password}); err != nil || ch != nil || opened.AAL != "aal1" {
		t.Errorf("after it is off: %+v, %+v, %v", opened, ch, err)
	}
}

// wrongCode returns a code that is not valid now or soon.
func wrongCode(secret string) string {
	now := step()
	for _, code := range []string{"000000", "000001", "000002", "000003", "000004"} {
		if !slices.Contains([]string{totp(secret, now-1), totp(secret, now), totp(secret, now+1), totp(secret, now+2)}, code) {
			return code
		}
	}
	panic("internal error: five codes are good at once")
}

// codeAtOnce sends one code to twenty attempts, and twenty times to one attempt: one
// succeeds.
func codeAtOnce(t *testing.T, s *server) {
	for _, tt := range []struct {
		name     string
		attempts int
	}{{"twenty attempts", 20}, {"one attempt", 1}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			p := s.member(t)
			p.enrol(t, p.signIn(t))
			challenges := make([]*client.Challenge, tt.attempts)
			for i := range challenges {
				_, ch, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password})
				if err != nil {
					t.Fatal(err)
				}
				challenges[i] = ch
			}
			code := p.code(0)
			var won atomic.Int64
			var all sync.WaitGroup
			for i := range 20 {
				all.Go(func() {
					opened, _, err := challenges[i%tt.attempts].Pass(ctx, client.TOTP, client.TOTPCode{Code: code})
					switch {
					case err == nil && opened != nil:
						won.Add(1)
					case client.Code(err) != "invalid_code" && client.Code(err) != "attempt_over":
						t.Errorf("got %v", err)
					}
				})
			}
			all.Wait()
			if got := won.Load(); got != 1 {
				t.Errorf("%d sign-ins with one code, want 1", got)
			}
		})
	}
}

// guessingCodes ends an attempt after five wrong codes, even concurrent ones.
func guessingCodes(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	p.enrol(t, p.signIn(t))
	_, ch, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password})
	if err != nil {
		t.Fatal(err)
	}
	var judged atomic.Int64
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, _, err := ch.Pass(ctx, client.TOTP, client.TOTPCode{Code: wrongCode(p.secret)})
			if client.Code(err) == "invalid_code" {
				judged.Add(1)
			} else if client.Code(err) != "attempt_over" {
				t.Errorf("got %v", err)
			}
		})
	}
	all.Wait()
	if judged.Load() > 5 {
		t.Errorf("%d codes were looked at, want 5 at most", judged.Load())
	}
	if _, _, err := ch.Pass(ctx, client.TOTP, client.TOTPCode{Code: p.code(0)}); client.Code(err) != "attempt_over" {
		t.Errorf("the right code afterwards: %v", err)
	}
	// An attempt that is over did not use up the code.
	p.signIn(t)
}

// rememberedDevice passes without a code; every other device needs one.
func rememberedDevice(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	p.enrol(t, p.signIn(t))
	c := p.client(t)
	p.signInAt(t, c, client.SignIn{Remember: true})
	if c.Credentials().DeviceToken == "" {
		t.Fatal("no device token")
	}
	if err := c.SignOut(ctx); err != nil {
		t.Fatal(err)
	}
	opened, ch, err := c.SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password})
	if err != nil || ch != nil {
		t.Fatalf("the remembered device: %+v, %v", ch, err)
	}
	if opened.AAL != "aal1" {
		t.Errorf("a session without a code has %s", opened.AAL)
	}
	if _, ch, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password}); err != nil || ch == nil {
		t.Errorf("another device: %+v, %v", ch, err)
	}
	q := s.member(t)
	q.enrol(t, q.signIn(t))
	stolen := client.WithCredentials(client.Credentials{DeviceToken: c.Credentials().DeviceToken})
	if _, ch, err := q.client(t, stolen).SignIn(ctx, client.SignIn{Identifier: q.Email, Password: q.Password}); err != nil || ch == nil {
		t.Errorf("somebody else with the device token: %+v, %v", ch, err)
	}
	if _, _, err := p.client(t, stolen).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: "another password 41"}); client.Code(err) != "invalid_credentials" {
		t.Errorf("the device with a wrong password: %v", err)
	}
}

// A proof of presence ages: sensitive changes then require a new one.
func TestStepUp(t *testing.T) {
	t.Parallel()
	s := start(t, alone, "COFFER_STEP_UP_TTL=1s")
	ctx := t.Context()
	p := s.member(t)
	c := p.signIn(t)
	old := func() bool { return client.Code(c.DisableTOTP(ctx)) == "step_up_required" } // it is off: nothing changes
	wait(t, "the proof gets old", old)
	if _, err := c.EnrolTOTP(ctx); client.Code(err) != "step_up_required" || client.Status(err) != http.StatusForbidden {
		t.Errorf("enrol: %v", err)
	}
	if _, _, err := c.Reauthenticate(ctx, "another password 41"); client.Code(err) != "invalid_credentials" {
		t.Errorf("a wrong password: %v", err)
	}
	if !old() {
		t.Error("a wrong password counts as a proof")
	}
	before := c.Credentials()
	if _, ch, err := c.Reauthenticate(ctx, p.Password); err != nil || ch != nil {
		t.Fatalf("%+v, %v", ch, err)
	}
	if after := c.Credentials(); after.SessionID != before.SessionID || after.RefreshToken != before.RefreshToken || after.AccessToken == before.AccessToken {
		t.Errorf("a proof is of the same session: %+v", after)
	}
	p.enrol(t, c)

	// With the layer on, the password alone is no proof.
	wait(t, "the proof gets old", old)
	opened, ch, err := c.Reauthenticate(ctx, p.Password)
	if err != nil || opened != nil || !ch.Open("totp") {
		t.Fatalf("%+v, %+v, %v", opened, ch, err)
	}
	if !old() {
		t.Error("half a proof counts")
	}
	if opened, _, err = ch.Pass(ctx, client.TOTP, client.TOTPCode{Code: p.code(0)}); err != nil || opened.ID != before.SessionID || opened.AAL != "aal2" {
		t.Fatalf("%+v, %v", opened, err)
	}
	if err := c.DisableTOTP(ctx); err != nil {
		t.Error(err)
	}
	if _, err := c.Refresh(ctx); err != nil {
		t.Errorf("refresh after a proof: %v", err)
	}
}

// step is the number of 30-second steps since 1970.
func step() int64 { return time.Now().Unix() / 30 }

// code is the person's code of back steps ago (RFC 6238).
func (p *person) code(back int64) string { return totp(p.secret, step()-back) }

func totp(secret string, step int64) string {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		panic(err)
	}
	mac := hmac.New(sha1.New, key)
	binary.Write(mac, binary.BigEndian, step)
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:])&0x7fffffff)%1_000_000)
}

// enrol sets the app up with the previous step's code, so that the current one is still
// valid for a sign-in.
func (p *person) enrol(t *testing.T, c *client.Client) {
	t.Helper()
	for range 4 { // the step may end between the two calls
		e, err := c.EnrolTOTP(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p.secret = e.Secret
		before := step()
		err = c.ConfirmTOTP(t.Context(), totp(e.Secret, before-1))
		if err == nil {
			return
		}
		if step() == before {
			t.Fatal(err)
		}
	}
	t.Fatal("the clock does not stand still for a code")
}
