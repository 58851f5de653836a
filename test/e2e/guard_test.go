package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"coffer/client"
)

const (
	firefoxAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
	chromeAgent  = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36"
)

// placesFile is a database in which people are in Lisbon, and 127.77.0.0/16 is in Oslo.
func placesFile(t *testing.T) string {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "Test-City", IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	for network, p := range map[string]struct {
		city, country string
		lat, lon      float64
	}{"127.1.0.0/16": {"Lisbon", "Portugal", 38.72, -9.14}, "127.77.0.0/16": {"Oslo", "Norway", 59.91, 10.75}} {
		_, prefix, err := net.ParseCIDR(network)
		if err != nil {
			t.Fatal(err)
		}
		names := func(name string) mmdbtype.Map {
			return mmdbtype.Map{"names": mmdbtype.Map{"en": mmdbtype.String(name)}}
		}
		if err := tree.Insert(prefix, mmdbtype.Map{"city": names(p.city), "country": names(p.country), "location": mmdbtype.Map{
			"latitude": mmdbtype.Float64(p.lat), "longitude": mmdbtype.Float64(p.lon), "accuracy_radius": mmdbtype.Uint16(20),
		}}); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "places.mmdb")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = tree.WriteTo(f)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// inOslo is the person at an address there.
func (p *person) inOslo() *person {
	away := *p
	if home := p.from.To4(); home[0] == 127 && home[1] != 0 {
		away.from = net.IPv4(127, 77, home[2], home[3])
	}
	return &away
}

// alerted waits for a mail of the security check that says some words, and reads in both of its
// parts when, where and with what the sign-in was.
func (p *person) alerted(t *testing.T, words string, from *person, device string) letter {
	t.Helper()
	var found letter
	wait(t, "a mail that says "+words, func() bool {
		for _, l := range p.s.outbox(t) {
			if l.to == p.Email && l.kind == "security-notice" && strings.Contains(strings.Join(strings.Fields(l.text), " "), words) {
				found = l
				return true
			}
		}
		return false
	})
	for _, want := range []string{"Time: ", "Device: " + device, "Address: " + from.from.String()} {
		label, value, _ := strings.Cut(want, ": ")
		if !strings.Contains(found.text, want) || !strings.Contains(found.html, label) || !strings.Contains(found.html, value) {
			t.Errorf("the mail that says %q lacks %q:\n%s", words, want, found.text)
		}
	}
	if !strings.Contains(found.link, "/end-device#token=") {
		t.Errorf("the mail's link is %q", found.link)
	}
	return found
}

// alerts counts the mails of the security check.
func (p *person) alerts(t *testing.T) (n int) {
	t.Helper()
	for _, l := range p.s.outbox(t) {
		if l.to == p.Email && strings.Contains(l.text, "was not like the others") {
			n++
		}
	}
	return n
}

// happened waits for a happening with some rules in the history that c sees.
func happened(t *testing.T, c *client.Client, kind string, rules ...string) {
	t.Helper()
	var got []string
	wait(t, fmt.Sprintf("%s with %q in the history", kind, rules), func() bool {
		for e, err := range c.SignIns(t.Context(), client.SignInFilter{Kind: kind}) {
			if err != nil {
				t.Fatal(err)
			}
			got = nil
			for _, f := range e.Findings {
				got = append(got, f.Rule)
			}
			if slices.Equal(got, rules) {
				return true
			}
		}
		return false
	})
}

// The owner is told of what stands out, once, and a remembered device that cannot have
// travelled is asked for every layer (security.md row 20).
func TestGuardOfOneAccount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := start(t, in, "COFFER_GEOIP="+placesFile(t))
		ctx := t.Context()
		p := s.member(t)
		firefox := client.WithUserAgent(firefoxAgent)
		p.signIn(t, firefox)
		wrong := func() {
			t.Helper()
			if _, _, err := p.client(t, firefox).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: "another password 41"}); client.Code(err) != "invalid_credentials" {
				t.Fatalf("a wrong password: %v", err)
			}
		}
		for range 3 {
			wrong()
		}
		c := p.signIn(t, firefox)
		p.alerted(t, "It succeeded after three or more wrong answers.", p, "Firefox on Linux")
		happened(t, c, "signed-in", "after_failures")
		for range 3 {
			wrong()
		}
		p.signIn(t, firefox)

		// A new device far away, with the password alone, waits for the mailbox.
		away := p.inOslo()
		if net.IP.Equal(away.from, p.from) {
			t.Skip("needs more than one loopback address, which only Linux has")
		}
		if _, _, err := away.client(t, client.WithUserAgent(chromeAgent)).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password}); client.Code(err) != "sign_in_held" {
			t.Errorf("a stranger: %v", err)
		}
		happened(t, c, "sign-in-held", "new_place", "new_device", "impossible_travel", "stranger")

		p.enrol(t, c)
		home := p.client(t, firefox)
		p.signInAt(t, home, client.SignIn{Remember: true})
		device := client.WithCredentials(client.Credentials{DeviceToken: home.Credentials().DeviceToken})
		in2 := client.SignIn{Identifier: p.Email, Password: p.Password}
		if _, ch, err := p.client(t, firefox, device).SignIn(ctx, in2); err != nil || ch != nil {
			t.Fatalf("the remembered device at home: %+v, %v", ch, err)
		}
		_, ch, err := away.client(t, firefox, device).SignIn(ctx, in2)
		if err != nil || ch == nil {
			t.Fatalf("the remembered device, which cannot have travelled: %+v, %v", ch, err)
		}
		if _, _, err := ch.Pass(ctx, client.TOTP, client.TOTPCode{Code: wrongCode(p.secret)}); client.Code(err) != "invalid_code" {
			t.Fatalf("a wrong code: %v", err)
		}
		l := p.alerted(t, "The password was right, but the answer to the next step was wrong", away, "Firefox on Linux")
		if !strings.Contains(l.text, "Oslo, Norway") {
			t.Errorf("the mail does not say where:\n%s", l.text)
		}
		happened(t, c, "sign-in-failed", "layer_failed")
		if n := p.alerts(t); n != 2 {
			t.Errorf("%d alerts, want one for each reason", n)
		}
	})
}

// One address that tries many accounts is blocked. People behind one address, who mistype and
// then sign in, are not.
func TestGuardOfManyAccounts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := start(t, in, "COFFER_BLOCK_PRIVATE=true")
		ctx := t.Context()
		attacker, campus := newAddress(), newAddress()
		if attacker.Equal(campus) {
			t.Skip("needs more than one loopback address, which only Linux has")
		}
		guess := func(from net.IP, name string) error {
			_, _, err := s.client(t, from).SignIn(ctx, client.SignIn{Identifier: name + "@example.org", Password: "another password 41"})
			return err
		}
		for range 3 {
			p := s.member(t)
			p.from = campus
			if _, _, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: "another password 41"}); client.Code(err) != "invalid_credentials" {
				t.Fatal(err)
			}
			p.signIn(t)
		}
		for i := range 14 {
			if err := guess(campus, fmt.Sprint("freshman", i)); client.Code(err) != "invalid_credentials" {
				t.Fatalf("a person behind a shared address: %v", err)
			}
		}
		p := s.member(t)
		p.from = campus
		p.signIn(t)

		for i := range 25 {
			if err := guess(attacker, fmt.Sprint("stolen", i)); client.Code(err) != "invalid_credentials" {
				t.Fatalf("guess %d: %v", i, err)
			}
		}
		if err := guess(attacker, "stolen25"); client.Code(err) != "address_blocked" {
			t.Errorf("after 25 accounts: %v", err)
		}
		p.signIn(t)
	})
}
