package e2e

import (
	"net/url"
	"sync"
	"testing"
	"time"

	"coffer/client"
	"coffer/internal/social/socialtest"
)

// A provider that lies gets nobody in, and no account is made. Row 43.
func TestSocialHostile(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := startProvided(t, in)
		ctx := t.Context()
		s.google.Become(socialtest.Person{Subject: "g-1", Email: "ada@google.example", Verified: true, First: "Ada", Last: "Lovelace"})
		claim := func(name string, value any) socialtest.Lies {
			return socialtest.Lies{Claims: func(c map[string]any) { c[name] = value }}
		}
		for name, lie := range map[string]struct {
			socialtest.Lies
			code   string
			status int
		}{
			"aud":              {claim("aud", "another"), "invalid_id_token", 401},
			"a second aud":     {claim("aud", []string{socialtest.ClientID, "another"}), "invalid_id_token", 401},
			"azp":              {claim("azp", "another"), "invalid_id_token", 401},
			"iss":              {claim("iss", "https://evil.example"), "invalid_id_token", 401},
			"nonce":            {claim("nonce", "another"), "invalid_id_token", 401},
			"exp":              {claim("exp", time.Now().Add(-time.Minute).Unix()), "invalid_id_token", 401},
			"iat":              {claim("iat", time.Now().Add(-time.Hour).Unix()), "invalid_id_token", 401},
			"sub":              {claim("sub", ""), "invalid_id_token", 401},
			"at_hash":          {claim("at_hash", "AAAA"), "invalid_id_token", 401},
			"alg none":         {socialtest.Lies{Token: socialtest.Unsigned}, "invalid_id_token", 401},
			"an unknown kid":   {socialtest.Lies{Token: func(c map[string]any) string { return socialtest.SignAs(c, "HS256", make([]byte, 64), "unknown") }}, "invalid_id_token", 401},
			"userinfo":         {socialtest.Lies{Claims: func(c map[string]any) { delete(c, "email") }, UserInfo: func(i map[string]any) { i["sub"] = "g-2" }}, "invalid_id_token", 401},
			"unverified":       {claim("email_verified", false), "email_unverified", 403},
			"a code of nobody": {socialtest.Lies{Answer: func(a url.Values) { a.Set("code", "guessed") }}, "provider_refused", 400},
			"iss of an answer": {socialtest.Lies{Answer: func(a url.Values) { a.Set("iss", s.acme.URL) }}, "invalid_state", 400},
		} {
			s.google.Lie(lie.Lies)
			c := s.client(t, newAddress())
			at, err := c.BeginSocial(ctx, "google")
			if err != nil {
				t.Fatal(err)
			}
			if code, err := c.EndSocial(ctx, visit(t, at)); client.Code(err) != lie.code || client.Status(err) != lie.status || code != "" {
				t.Errorf("%s: %v", name, err)
			}
		}
		s.github.Become(77, socialtest.GitHubEmail{Email: "ada@github.example", Primary: true}, socialtest.GitHubEmail{Email: "other@github.example", Verified: true})
		c := s.client(t, newAddress())
		at, err := c.BeginSocial(ctx, "github")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.EndSocial(ctx, visit(t, at)); client.Code(err) != "email_unverified" {
			t.Errorf("GitHub's unverified address: %v", err)
		}
		s.google.Lie(socialtest.Lies{})
		if seen, err := c.CheckSocial(ctx, arrive(t, c, "google")); err != nil || seen.Known || seen.LinkNeeded {
			t.Errorf("something was created: %+v, %v", seen, err)
		}
		// One code twenty times at once: one session.
		code := arrive(t, c, "google")
		got := map[string]int{}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				_, _, err := c.ExchangeSocial(ctx, code, client.SocialSignIn{})
				mu.Lock()
				defer mu.Unlock()
				got[client.Code(err)]++
			})
		}
		wg.Wait()
		if got[""] != 1 || got["link_gone"] != 19 {
			t.Errorf("one code twenty times: %v", got)
		}
		// Another browser's code opens nothing.
		other := s.client(t, newAddress())
		arrive(t, other, "google")
		if _, _, err := other.ExchangeSocial(ctx, arrive(t, c, "google"), client.SocialSignIn{}); client.Code(err) != "link_gone" {
			t.Errorf("another browser's code: %v", err)
		}
	})
}

// Beginning is limited by address, for browsers and for credentials alike.
func TestSocialLimit(t *testing.T) {
	t.Parallel()
	s := startProvided(t, alone, "COFFER_LIMIT_SOCIAL=3/15m")
	from := newAddress()
	for range 3 {
		if a := s.raw(t, from, "GET", "/v1/auth/social/github", "", "Accept", "text/html"); a.status != 303 || a.header.Get("Set-Cookie") == "" {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	if a := s.raw(t, from, "GET", "/v1/auth/social/github", ""); a.status != 429 || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := s.raw(t, from, "GET", "/v1/auth/social/github", "", "Accept", "text/html"); a.header.Get("Location") != "/social#error=rate_limited&provider=github" {
		t.Errorf("%d %s", a.status, a.header.Get("Location"))
	}
	g, err := s.client(t, from).BeginGoogle("", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := g.Finish(t.Context(), "x", client.SocialSignIn{}); client.Code(err) != "rate_limited" {
		t.Errorf("a credential: %v", err)
	}
	if a := s.raw(t, newAddress(), "GET", "/v1/auth/social/github", ""); a.status != 303 {
		t.Errorf("another address: %d", a.status)
	}
}

// Neither the stores nor the log tell who signed in with a provider, with which token or code.
func TestSocialCanary(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := startProvided(t, in, "COFFER_LOG_LEVEL=debug")
		who := socialtest.Person{Subject: "kanarienvogel-4711", Email: "Gelber.Vogel@nest-social.example", Verified: true, First: "Zwitscherina", Last: "Federkleidson"}
		s.google.Become(who)
		c := s.client(t, newAddress())
		at, err := c.BeginSocial(t.Context(), "google") // waits
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		waits := arrive(t, c, "google")
		if _, _, err := c.ExchangeSocial(t.Context(), arrive(t, c, "google"), client.SocialSignIn{}); err != nil {
			t.Fatal(err)
		}
		uploadPattern(t, c, 1<<20) // so that each store holds something
		s.google.Lie(socialtest.Lies{Claims: func(c map[string]any) { c["aud"] = "x" }})
		if code, err := c.BeginSocial(t.Context(), "google"); err == nil {
			if _, err := c.EndSocial(t.Context(), visit(t, code)); client.Code(err) != "invalid_id_token" {
				t.Error(err)
			}
		}
		hunt(t, s.server, []string{who.Subject, who.Email, "nest-social.example", who.First, who.Last, waits, u.Query().Get("state"), u.Query().Get("nonce"), socialtest.ClientSecret})
	})
}
