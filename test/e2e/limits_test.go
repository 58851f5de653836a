package e2e

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"coffer/client"
)

// guessingPasswords has ten tries for one account from one address; another address counts
// as another client.
func guessingPasswords(t *testing.T, s *server) {
	if newAddress().String() == "127.0.0.1" {
		t.Skip("needs more than one loopback address, which only Linux has")
	}
	p := s.member(t)
	live := p.signIn(t)
	attacker := newAddress()
	guess := func(from []byte, password string, header ...string) answer {
		return s.raw(t, from, "POST", "/v1/auth/sign-in", fmt.Sprintf(`{"identifier":%q,"password":%q}`, p.Email, password), header...)
	}
	for i := range 10 {
		if a := guess(attacker, fmt.Sprintf("a wrong password %d", i)); a.status != http.StatusUnauthorized {
			t.Fatalf("guess %d: %d %s", i+1, a.status, a.body)
		}
	}
	a := guess(attacker, "a wrong password 11")
	after, err := strconv.Atoi(a.header.Get("Retry-After"))
	if a.status != http.StatusTooManyRequests || !strings.Contains(a.body, `"rate_limited"`) || err != nil || after < 1 || after > 1800 {
		t.Fatalf("guess 11: %d, Retry-After %q, %s", a.status, a.header.Get("Retry-After"), a.body)
	}
	if reset := limitShown(t, a, "sign-in-pair", 10, 900, 0); reset != after {
		t.Errorf("RateLimit says %d seconds, Retry-After %d", reset, after)
	}
	if a := guess(attacker, p.Password); a.status != http.StatusTooManyRequests {
		t.Errorf("the right password from there: %d", a.status)
	}
	// A client's own claims about its address do not count.
	for _, forged := range [][]string{
		{"X-Forwarded-For", "203.0.113.7"}, {"X-Forwarded-For", "203.0.113.8, 127.0.0.1"}, {"X-Real-IP", "203.0.113.9"}, {"Forwarded", "for=203.0.113.10"},
		{"CF-Connecting-IP", "203.0.113.11"}, {"True-Client-IP", "203.0.113.12"}, {"X-Client-IP", "203.0.113.13"},
		{"X-Forwarded-For", "203.0.113.14", "X-Forwarded-For", "203.0.113.15"},
	} {
		if a := guess(attacker, "a wrong password", forged...); a.status != http.StatusTooManyRequests {
			t.Errorf("%v: %d", forged, a.status)
		}
	}
	// The owner keeps a live session, and can sign in from elsewhere.
	if _, err := live.Profile(t.Context()); err != nil {
		t.Errorf("the owner's session: %v", err)
	}
	if a := guess(p.from, p.Password); a.status != http.StatusCreated {
		t.Errorf("the owner from another address: %d %s", a.status, a.body)
	}
	// Another person can sign in from the attacker's address.
	q := s.member(t)
	if a := s.raw(t, attacker, "POST", "/v1/auth/sign-in", fmt.Sprintf(`{"identifier":%q,"password":%q}`, q.Email, q.Password)); a.status != http.StatusCreated {
		t.Errorf("another account from that address: %d %s", a.status, a.body)
	}
}

// limitShown checks the fields of a limit: its name, calls, seconds, and the calls left. It
// returns the seconds until more are.
func limitShown(t *testing.T, a answer, name string, calls, seconds, left int) (reset int) {
	t.Helper()
	if got, want := a.header.Values("RateLimit-Policy"), fmt.Sprintf("%q;q=%d;w=%d", name, calls, seconds); len(got) != 1 || got[0] != want {
		t.Errorf("RateLimit-Policy %q, want %s", got, want)
	}
	got, begins := a.header.Values("RateLimit"), fmt.Sprintf("%q;r=%d;t=", name, left)
	if len(got) != 1 || !strings.HasPrefix(got[0], begins) {
		t.Fatalf("RateLimit %q, want %s…", got, begins)
	}
	reset, err := strconv.Atoi(strings.TrimPrefix(got[0], begins))
	if err != nil {
		t.Errorf("RateLimit %q: %v", got, err)
	}
	return reset
}

// Of fifty concurrent guesses the server checks at most ten.
func TestGuessesAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := start(t, in)
		p := s.member(t)
		from := newAddress()
		var judged, limited atomic.Int64
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				a, err := s.try(t.Context(), from, "POST", "/v1/auth/sign-in", fmt.Sprintf(`{"identifier":%q,"password":"wrong password %d"}`, p.Username, i))
				switch {
				case err != nil:
					t.Error(err)
				case a.status == http.StatusUnauthorized:
					judged.Add(1)
				case a.status == http.StatusTooManyRequests:
					limited.Add(1)
				default:
					t.Errorf("%d %s", a.status, a.body)
				}
			})
		}
		all.Wait()
		if judged.Load() > 10 || judged.Load() == 0 || judged.Load()+limited.Load() != 50 {
			t.Errorf("%d guesses were looked at, %d limited; want 10 at most", judged.Load(), limited.Load())
		}
	})
}

// forwardedFor sends a header that no trusted proxy vouches for.
func forwardedFor(t *testing.T, s *server) {
	p := s.member(t)
	if got := addressSeen(t, p, "203.0.113.7"); got != p.from.String() {
		t.Errorf("the device's address is %s, want %s", got, p.from)
	}
}

// addressSeen signs in with a forwarded address and returns the address in the list of
// devices.
func addressSeen(t *testing.T, p *person, forwarded ...string) string {
	t.Helper()
	var header []string
	for _, f := range forwarded {
		header = append(header, "X-Forwarded-For", f)
	}
	a := p.s.raw(t, p.from, "POST", "/v1/auth/sign-in", fmt.Sprintf(`{"identifier":%q,"password":%q,"refresh_in":"body","device_name":"forwarded"}`, p.Email, p.Password), header...)
	if a.status != http.StatusCreated {
		t.Fatalf("sign in: %d %s", a.status, a.body)
	}
	for d, err := range p.signIn(t).Sessions(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if d.Name == "forwarded" {
			return d.Address
		}
	}
	t.Fatal("the device is not in the list")
	return ""
}

// Behind a trusted proxy the header counts from the right.
func TestTrustedProxy(t *testing.T) {
	t.Parallel()
	s := start(t, alone, "COFFER_TRUSTED_PROXIES=127.0.0.0/8")
	for _, tt := range []struct {
		forwarded []string
		want      string
	}{
		{[]string{"203.0.113.7"}, "203.0.113.7"},
		{[]string{"198.51.100.1, 203.0.113.7"}, "203.0.113.7"},
		{[]string{"198.51.100.1", "203.0.113.7, 127.0.0.9"}, "203.0.113.7"},
		{[]string{"2001:db8::7"}, "2001:db8::7"},
	} {
		t.Run(strings.Join(tt.forwarded, " and "), func(t *testing.T) {
			t.Parallel()
			if got := addressSeen(t, s.member(t), tt.forwarded...); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// Mails to one mailbox are limited per source and in total; the answers do not reveal it.
func TestMailsToOneRecipient(t *testing.T) {
	t.Parallel()
	s := start(t, alone, "COFFER_LIMIT_MAIL_RECIPIENT=2/1h", "COFFER_LIMIT_MAIL_TOTAL=5/1h")
	p := s.stranger()
	p.apply(t, p.client(t))
	for _, from := range []net.IP{newAddress(), newAddress(), newAddress()} {
		for range 4 {
			if err := s.client(t, from).ResendVerification(t.Context(), p.Email, ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	// Requests are handled in order: when this mail has come, the earlier ones are decided.
	q := s.stranger()
	q.apply(t, q.client(t))
	q.mail(t, "verify-email")
	wait(t, "five mails", func() bool { return len(p.mails(t)) >= 5 })
	if got := p.mails(t); len(got) != 5 {
		t.Errorf("got %d mails, want 5: the sign-up, two from each of two askers", len(got))
	}
	// The newest mail is valid.
	if err := p.prove(t, p.client(t), p.mail(t, "verify-email")); err != nil {
		t.Error(err)
	}
	if _, _, err := p.client(t).SignIn(t.Context(), client.SignIn{Identifier: p.Email, Password: p.Password}); err != nil {
		t.Error(err)
	}
}
