package e2e

import (
	"slices"
	"strings"
	"testing"

	"coffer/client"
)

// newDevice signs in from several browsers, and the owner gets a mail about new ones.
func newDevice(t *testing.T, s *server) {
	p := s.member(t)
	const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
	const chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36"
	notices := func() (n int) {
		for _, kind := range p.mails(t) {
			if kind == "new-device" {
				n++
			}
		}
		return n
	}

	home := p.client(t, client.WithUserAgent(firefox))
	p.signInAt(t, home, client.SignIn{Remember: true})
	p.signIn(t, client.WithUserAgent(firefox))
	p.signIn(t, client.WithUserAgent(chrome))
	l := p.mail(t, "new-device")
	for _, want := range []string{"Device: Chrome on Windows", "Address: " + p.from.String(), "Time: "} {
		if !strings.Contains(l.text, want) {
			t.Errorf("the mail lacks %q:\n%s", want, l.text)
		}
	}
	p.signIn(t, client.WithUserAgent(chrome))

	// The remembered device on another network, and a browser that is known on no other.
	away := &person{s: s, NewAccount: p.NewAccount}
	away.from = newAddress()
	away.signIn(t, client.WithUserAgent(firefox), client.WithCredentials(client.Credentials{DeviceToken: home.Credentials().DeviceToken}))
	away.signIn(t, client.WithUserAgent(chrome))
	last := p.mail(t, "new-device")
	if !strings.Contains(last.text, "Address: "+away.from.String()) || !strings.Contains(last.text, "Chrome on Windows") {
		t.Errorf("the second mail:\n%s", last.text)
	}
	// The mails of earlier sign-ins were queued before this one's.
	if n := notices(); n != 2 {
		t.Errorf("%d mails of new devices, want 2: %v", n, p.mails(t))
	}
	if slices.Contains(p.mails(t), "security-notice") {
		t.Error("a new device is no other notice")
	}
}
