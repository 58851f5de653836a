package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"coffer/client"
)

// theAdmin is the first admin of a server, who has just proven presence.
func theAdmin(t *testing.T, s *server) (*person, *client.Client) {
	t.Helper()
	admin := s.stranger()
	if err := admin.client(t).FirstAdmin(t.Context(), s.firstAdminToken(), admin.NewAccount); err != nil {
		t.Fatal(err)
	}
	c := admin.signIn(t)
	admin.stepUp(t, c)
	return admin, c
}

// TestBlocks: an admin blocks a network by API and at the server. Its requests are refused
// before anything else is looked at, everybody else's are not, and health checks go on.
func TestBlocks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		ctx := t.Context()
		s := start(t, in, "COFFER_TRUSTED_PROXIES=127.0.0.1")
		_, c := theAdmin(t, s)
		proxy := net.IPv4(127, 0, 0, 1)
		from := func(addr, method, path, body string, header ...string) answer {
			return s.raw(t, proxy, method, path, body, append(header, "X-Forwarded-For", addr)...)
		}
		open := func(addr string) bool {
			a := from(addr, "GET", "/v1/settings", "")
			if a.status != http.StatusOK && (a.status != http.StatusForbidden || !strings.Contains(a.body, `"address_blocked"`)) {
				t.Fatalf("%s: %d %s", addr, a.status, a.body)
			}
			return a.status == http.StatusOK
		}
		becomes := func(addr string, want bool) {
			t.Helper()
			wait(t, fmt.Sprintf("%s comes in: %v", addr, want), func() bool { return open(addr) == want })
		}
		end := time.Now().Add(time.Hour)
		b, err := c.AddBlock(ctx, client.NewBlock{Network: "::ffff:203.0.113.0/121", Reason: "a flood", ExpiresAt: &end})
		if err != nil || b.Network != "203.0.113.0/25" || b.Automatic || b.ExpiresAt == nil {
			t.Fatalf("%+v, %v", b, err)
		}
		becomes("203.0.113.127", false)
		for _, one := range []string{"203.0.113.0", "::ffff:203.0.113.5", "203.0.113.9:4711", "[::ffff:203.0.113.9]:4711"} {
			if open(one) {
				t.Errorf("%s comes in", one)
			}
		}
		for _, one := range []string{"203.0.113.128", "203.0.112.255", "2001:db8::1", "::203.0.113.5"} {
			if !open(one) {
				t.Errorf("%s is refused", one)
			}
		}
		refusedAtTheDoor(t, from, c)
		// A client's own claim reaches no block, in either direction: it comes from no proxy.
		stranger := newAddress()
		if a := s.raw(t, stranger, "GET", "/v1/settings", "", "X-Forwarded-For", "203.0.113.5"); a.status != http.StatusOK {
			t.Errorf("a forged address is believed: %d", a.status)
		}
		if open("203.0.113.200, 203.0.113.5") {
			t.Error("an address left of the one that the proxy saw is believed")
		}

		// Nobody blocks themselves, or the proxy through which all come, or half of the world.
		for network, code := range map[string]string{
			"127.0.0.1": "covers_proxy", "127.0.0.0/24": "covers_proxy", "0.0.0.0/0": "too_wide", "::/0": "too_wide", "::ffff:0:0/96": "too_wide",
			"fe80::1%eth0": "invalid_network", "example.org": "invalid_network", seenAddress(t, c): "would_block_you",
		} {
			_, err := c.AddBlock(ctx, client.NewBlock{Network: network, Reason: "no"})
			var p *client.Error
			if !errors.As(err, &p) || len(p.Fields) != 1 || p.Fields[0].Code != code {
				t.Errorf("%s: %v, want %s", network, err, code)
			}
		}

		// At the server it works without an account, and a running server hears of it.
		out := s.coffer(t, "admin", "block", "add", "2001:db8:5::/48", "--reason", "by hand", "--for", "1h")
		becomes("2001:db8:5:ffff::1", false)
		if !open("2001:db8:6::1") {
			t.Error("a neighbour is refused")
		}
		list := s.coffer(t, "admin", "block", "list")
		if !strings.Contains(list, "2001:db8:5::/48") || !strings.Contains(list, "a flood") || !strings.Contains(list, "hand") {
			t.Errorf("%s\n%s", out, list)
		}
		s.restart()
		if open("203.0.113.5") || open("2001:db8:5::1") {
			t.Error("a restart forgets blocks")
		}
		s.coffer(t, "admin", "block", "remove", b.ID)
		becomes("203.0.113.5", true)
		n := 0
		for other, err := range c.Blocks(ctx, nil) {
			if err != nil || other.Network != "2001:db8:5::/48" {
				t.Fatalf("%+v, %v", other, err)
			}
			if err := c.RemoveBlock(ctx, other.ID); err != nil {
				t.Fatal(err)
			}
			if err := c.RemoveBlock(ctx, other.ID); client.Status(err) != http.StatusNotFound {
				t.Errorf("removed twice: %v", err)
			}
			n++
		}
		becomes("2001:db8:5::1", true)
		if n != 1 {
			t.Errorf("%d blocks", n)
		}
		member := s.member(t).signIn(t)
		if _, err := member.AddBlock(ctx, client.NewBlock{Network: "203.0.113.0/24"}); client.Code(err) != "admin_only" {
			t.Errorf("a member blocks: %v", err)
		}
	})
}

// refusedAtTheDoor asks much from a blocked address, with any credentials: there is one
// refusal, which says when to come again. The app's page is refused too; the health of the
// server is not.
func refusedAtTheDoor(t *testing.T, from func(addr, method, path, body string, header ...string) answer, c *client.Client) {
	t.Helper()
	bearer := "Bearer " + c.Credentials().AccessToken
	for _, r := range [][]string{
		{"GET", "/v1/account", "", "Authorization", bearer}, {"POST", "/v1/auth/sign-in", `{"identifier":`}, {"GET", "/", ""}, {"GET", "/nothing", ""},
		{"TRACE", "/v1/settings", ""}, {"POST", "/v1/auth/sign-in", "", "Content-Encoding", "gzip"}, {"GET", "/v1/settings?a=1&a=2", ""}, {"GET", "/healthz/", ""},
	} {
		a := from("203.0.113.5", r[0], r[1], r[2], r[3:]...)
		after, err := strconv.Atoi(a.header.Get("Retry-After"))
		if a.status != http.StatusForbidden || !strings.Contains(a.body, `"address_blocked"`) || err != nil || after < 3500 || after > 3600 {
			t.Errorf("%v: %d, Retry-After %q, %s", r[:2], a.status, a.header.Get("Retry-After"), a.body)
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if a := from("203.0.113.5", "GET", path, ""); a.status != http.StatusOK {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

// TestAutomaticBlocks: an address that goes on after its limit is blocked, alone, and the
// address of an admin is not. Wrong links block as well; the pictures of one link do not.
func TestAutomaticBlocks(t *testing.T) {
	t.Parallel()
	s := start(t, alone, "COFFER_TRUSTED_PROXIES=127.0.0.1", "COFFER_BLOCK_REFUSALS=5/1h", "COFFER_BLOCK_TOKENS=5/1h", "COFFER_LIMIT_DROP_READ=2/1h")
	ctx := t.Context()
	admin, c := theAdmin(t, s)
	proxy := net.IPv4(127, 0, 0, 1)
	get := func(addr, path string) answer {
		return s.raw(t, proxy, "GET", path, "", "X-Forwarded-For", addr)
	}
	flood := func(addr string) (last answer) {
		for range 12 {
			last = get(addr, "/v1/drops/nobody-knows-this")
		}
		return last
	}
	if a := flood("198.51.100.7"); a.status != http.StatusForbidden || !strings.Contains(a.body, `"address_blocked"`) || a.header.Get("Retry-After") == "" {
		t.Fatalf("after a flood: %d %s", a.status, a.body)
	}
	if a := get("198.51.100.8", "/v1/settings"); a.status != http.StatusOK {
		t.Errorf("its neighbour: %d", a.status)
	}
	automatic := true
	var found []string
	for b, err := range c.Blocks(ctx, &automatic) {
		if err != nil || !b.Automatic || b.ExpiresAt == nil || b.ExpiresAt.Sub(b.CreatedAt) != 15*time.Minute {
			t.Errorf("%+v, %v", b, err)
		}
		found = append(found, b.Network)
	}
	if len(found) != 1 || found[0] != "198.51.100.7/32" {
		t.Errorf("blocked are %v", found)
	}
	// A whole /64 counts as one.
	for i := range 4 {
		for range 4 {
			get(fmt.Sprintf("2001:db8:1:1::%x", i+1), "/v1/drops/nobody-knows-this")
		}
	}
	if a := get("2001:db8:1:1:ffff::1", "/v1/settings"); a.status != http.StatusForbidden {
		t.Errorf("the /64: %d", a.status)
	}
	// Where an admin was, a flood of another one blocks nobody.
	if a := s.raw(t, proxy, "GET", "/v1/account", "", "X-Forwarded-For", "198.51.100.9", "Authorization", "Bearer "+bearerOf(t, admin)); a.status != http.StatusOK {
		t.Fatalf("the admin there: %d %s", a.status, a.body)
	}
	if a := flood("198.51.100.9"); a.status != http.StatusTooManyRequests {
		t.Errorf("an admin's address: %d %s", a.status, a.body)
	}
	// Links that do not exist.
	link := func(n int) string { return "/v1/public/shares/" + strings.Repeat(string(rune('A'+n)), 43) }
	for range 20 {
		if a := get("198.51.100.10", link(0)); a.status != http.StatusNotFound {
			t.Fatalf("one link that is gone, again: %d %s", a.status, a.body)
		}
	}
	for n := range 5 {
		get("198.51.100.10", link(n))
	}
	if a := get("198.51.100.10", "/v1/settings"); a.status != http.StatusForbidden {
		t.Errorf("after five links: %d", a.status)
	}
	// A loopback address is everybody's behind a proxy that nobody named: it stays open.
	near := newAddress()
	for range 12 {
		s.raw(t, near, "GET", "/v1/drops/nobody-knows-this", "")
	}
	if a := s.raw(t, near, "GET", "/v1/settings", ""); a.status != http.StatusOK {
		t.Errorf("a loopback address: %d", a.status)
	}
	// A success under a limit tells what is left, and a refusal for another reason does not.
	a := s.raw(t, newAddress(), "POST", "/v1/drops", `{}`)
	if a.status != http.StatusCreated {
		t.Fatalf("open a drop: %d %s", a.status, a.body)
	}
	if reset := limitShown(t, a, "drop-open", 30, 3600, 29); reset < 1 || reset > 3600 {
		t.Errorf("the hour ends in %d seconds", reset)
	}
	wrong := s.raw(t, newAddress(), "POST", "/v1/auth/sign-in", fmt.Sprintf(`{"identifier":%q,"password":"a wrong password"}`, admin.Email))
	if wrong.status != http.StatusUnauthorized || wrong.header.Get("RateLimit") != "" {
		t.Errorf("a wrong password: %d, RateLimit %q", wrong.status, wrong.header.Get("RateLimit"))
	}
}

// seenAddress is the address that the server sees of a client.
func seenAddress(t *testing.T, c *client.Client) string {
	t.Helper()
	for d, err := range c.Sessions(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if d.ID == c.Credentials().SessionID {
			return d.Address
		}
	}
	t.Fatal("the session is not in the list")
	return ""
}

// bearerOf is an access token that no key of a client is bound to.
func bearerOf(t *testing.T, p *person) string {
	t.Helper()
	a := p.s.raw(t, p.from, "POST", "/v1/auth/sign-in", fmt.Sprintf(`{"identifier":%q,"password":%q,"refresh_in":"body"}`, p.Email, p.Password))
	var in struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(a.body), &in); err != nil || in.AccessToken == "" {
		t.Fatalf("sign in: %d %s", a.status, a.body)
	}
	return in.AccessToken
}
