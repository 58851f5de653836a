package e2e

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coffer/client"
)

var _ = addLayer(client.EmailOTP, layer{
	enrol: func(p *person, t *testing.T, c *client.Client) {
		t.Helper()
		if err := c.EnableEmailOTP(t.Context()); err != nil {
			t.Fatal(err)
		}
	},
	pass: func(ctx context.Context, p *person, ch *client.Challenge) (*client.Session, *client.Challenge, error) {
		code, err := p.mailedCode(ctx)
		if err != nil {
			return nil, nil, err
		}
		return ch.Pass(ctx, client.EmailOTP, client.EmailCode{Code: code})
	},
	body:    `{"code":"123456"}`,
	resends: true,
	// Six digits alone stand in any dump by chance.
	traces: func(p *person) (all []string) {
		for _, code := range p.codes {
			all = append(all, `"`+code+`"`, " "+code+" ", ","+code+",")
		}
		return all
	},
	stories: []story{
		{"codes by mail", mailedCodes},
		{"a mailed code twenty times at once", mailedCodeAtOnce},
		{"guessing mailed codes", guessingMailedCodes},
	},
})

// mailedCode waits for the newest code that was mailed and not taken.
func (p *person) mailedCode(ctx context.Context) (string, error) {
	for {
		all, err := p.s.readOutbox()
		if err != nil {
			return "", err
		}
		for _, l := range slices.Backward(all) {
			if l.to == p.Email && l.kind == "email-code" {
				if _, taken := read.LoadOrStore(l.file, true); !taken {
					p.codes = append(p.codes, l.code)
					return l.code, nil
				}
			}
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// wrongDigits is a code that code is not.
func wrongDigits(code string) string {
	if code[0] == '9' {
		return "1" + code[1:]
	}
	return "9" + code[1:]
}

// mailedCodes covers the layer's whole life.
func mailedCodes(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	c := p.signIn(t)
	if st, err := c.Security(ctx); err != nil || st[client.EmailOTP].Enabled {
		t.Errorf("before it is on: %+v, %v", st, err)
	}
	if err := c.EnableEmailOTP(ctx); err != nil {
		t.Fatal(err)
	}
	p.mail(t, "security-notice")
	d := p.client(t)
	opened, ch, err := d.SignIn(ctx, client.SignIn{Identifier: p.Username, Password: p.Password})
	if err != nil || opened != nil || len(ch.Layers) != 1 || !ch.Open(client.EmailOTP) || ch.Layers[0].ResendAt == nil {
		t.Fatalf("sign in: %+v, %+v, %v", opened, ch, err)
	}
	if masked := ch.Layers[0].SentTo; masked != p.Email[:1]+"…@example.org" {
		t.Errorf("sent to %q", masked)
	}
	l := p.mail(t, "email-code")
	if l.link != "" || strings.Contains(l.text, "#token=") || !slices.Contains(strings.Split(strings.ReplaceAll(l.text, "\r", ""), "\n"), l.code) {
		t.Errorf("the mail: %s", l.text)
	}
	if _, err := ch.Resend(ctx, client.EmailOTP); client.Code(err) != "rate_limited" || client.Status(err) != http.StatusTooManyRequests {
		t.Errorf("again at once: %v", err)
	}
	if _, _, err := ch.Pass(ctx, client.EmailOTP, client.EmailCode{Code: wrongDigits(l.code)}); client.Code(err) != "invalid_code" {
		t.Errorf("a wrong code: %v", err)
	}
	if opened, _, err = ch.Pass(ctx, client.EmailOTP, client.EmailCode{Code: l.code}); err != nil || opened.AAL != "aal1" || !slices.Contains(opened.AMR, "otp") {
		t.Fatalf("%+v, %v", opened, err)
	}
	if _, _, err := ch.Pass(ctx, client.EmailOTP, client.EmailCode{Code: l.code}); client.Code(err) != "attempt_over" {
		t.Errorf("a code twice: %v", err)
	}
	if st, err := d.Security(ctx); err != nil || !st[client.EmailOTP].Enabled || st[client.EmailOTP].LastUsed == nil || st[client.EmailOTP].Hint != p.Email[:1]+"…@example.org" {
		t.Errorf("the security page: %+v, %v", st, err)
	}

	// A code of one sign-in is none of another.
	_, first, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password})
	if err != nil {
		t.Fatal(err)
	}
	code := p.mail(t, "email-code").code
	_, second, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password})
	if err != nil {
		t.Fatal(err)
	}
	if other := p.mail(t, "email-code").code; other != code {
		if _, _, err := second.Pass(ctx, client.EmailOTP, client.EmailCode{Code: code}); client.Code(err) != "invalid_code" {
			t.Errorf("the code of another sign-in: %v", err)
		}
	}
	if _, _, err := first.Pass(ctx, client.EmailOTP, client.EmailCode{Code: code}); err != nil {
		t.Error(err)
	}

	if err := d.DisableEmailOTP(ctx); err != nil {
		t.Fatal(err)
	}
	p.mail(t, "security-notice")
	if opened, ch, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password}); err != nil || ch != nil {
		t.Errorf("after it is off: %+v, %+v, %v", opened, ch, err)
	}
}

func mailedCodeAtOnce(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	layers[client.EmailOTP].enrol(p, t, p.signIn(t))
	_, ch, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password})
	if err != nil {
		t.Fatal(err)
	}
	code := p.mail(t, "email-code").code
	var won atomic.Int64
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			opened, _, err := ch.Pass(ctx, client.EmailOTP, client.EmailCode{Code: code})
			switch {
			case err == nil && opened != nil:
				won.Add(1)
			case client.Code(err) != "attempt_over" && client.Code(err) != "code_expired":
				t.Errorf("got %v", err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d sign-ins with one code, want 1", won.Load())
	}
}

// guessingMailedCodes sends 200 guesses at once: five at most are looked at.
func guessingMailedCodes(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	layers[client.EmailOTP].enrol(p, t, p.signIn(t))
	_, ch, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password})
	if err != nil {
		t.Fatal(err)
	}
	code := p.mail(t, "email-code").code
	var judged atomic.Int64
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			_, _, err := ch.Pass(ctx, client.EmailOTP, client.EmailCode{Code: wrongDigits(code)})
			switch client.Code(err) {
			case "invalid_code":
				judged.Add(1)
			case "attempt_over", "code_expired":
			default:
				if client.Status(err) != http.StatusServiceUnavailable { // as a full machine answers
					t.Errorf("got %v", err)
				}
			}
		})
	}
	all.Wait()
	if judged.Load() > 5 {
		t.Errorf("%d codes were looked at, want 5 at most", judged.Load())
	}
	if _, _, err := ch.Pass(ctx, client.EmailOTP, client.EmailCode{Code: code}); client.Code(err) != "attempt_over" {
		t.Errorf("the right code afterwards: %v", err)
	}
}

// A further code voids the older one and forgives no wrong answer.
func TestMailedCodeIsSentAgain(t *testing.T) {
	t.Parallel()
	s := start(t, alone, "COFFER_CODE_COOLDOWN=1s")
	ctx := t.Context()
	p := s.member(t)
	layers[client.EmailOTP].enrol(p, t, p.signIn(t))
	_, ch, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password})
	if err != nil {
		t.Fatal(err)
	}
	older := p.mail(t, "email-code").code
	for range 3 {
		if _, _, err := ch.Pass(ctx, client.EmailOTP, client.EmailCode{Code: wrongDigits(older)}); client.Code(err) != "invalid_code" {
			t.Fatal(err)
		}
	}
	wait(t, "a further code may be sent", func() bool {
		at, err := ch.Resend(ctx, client.EmailOTP)
		if err != nil && client.Code(err) != "rate_limited" || err == nil && time.Until(at).Abs() > 10*time.Second {
			t.Fatalf("%v, %v", at, err)
		}
		return err == nil
	})
	newer := p.mail(t, "email-code").code
	for _, code := range []string{older, wrongDigits(newer)} {
		if code == newer {
			code = wrongDigits(newer)
		}
		if _, _, err := ch.Pass(ctx, client.EmailOTP, client.EmailCode{Code: code}); client.Code(err) != "invalid_code" {
			t.Errorf("an older or wrong code: %v", err)
		}
	}
	if _, _, err := ch.Pass(ctx, client.EmailOTP, client.EmailCode{Code: newer}); client.Code(err) != "attempt_over" {
		t.Errorf("after five wrong answers: %v", err)
	}
}
