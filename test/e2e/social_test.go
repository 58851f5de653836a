package e2e

import (
	"net/http"
	"testing"

	"coffer/client"
	"coffer/internal/social/socialtest"
)

// provided starts a server with a provider that stands in for Google, another OpenID Connect
// provider, and one that stands in for GitHub.
type provided struct {
	*server
	google, acme *socialtest.Provider
	github       *socialtest.GitHub
}

func startProvided(t *testing.T, in setup, env ...string) *provided {
	t.Helper()
	p := &provided{google: socialtest.New(), acme: socialtest.New(), github: socialtest.NewGitHub()}
	t.Cleanup(p.google.Close)
	t.Cleanup(p.acme.Close)
	t.Cleanup(p.github.Close)
	p.server = start(t, in, append([]string{
		"COFFER_GOOGLE_CLIENT_ID=" + socialtest.ClientID, "COFFER_GOOGLE_CLIENT_SECRET=" + socialtest.ClientSecret, "COFFER_GOOGLE_ISSUER=" + p.google.URL,
		"COFFER_GITHUB_CLIENT_ID=" + socialtest.ClientID, "COFFER_GITHUB_CLIENT_SECRET=" + socialtest.ClientSecret,
		"COFFER_GITHUB_URL=" + p.github.URL, "COFFER_GITHUB_API_URL=" + p.github.URL,
		"COFFER_OIDC_ACME_CLIENT_ID=" + socialtest.ClientID, "COFFER_OIDC_ACME_CLIENT_SECRET=" + socialtest.ClientSecret, "COFFER_OIDC_ACME_ISSUER=" + p.acme.URL,
		"COFFER_OIDC_ACME_LABEL=Acme Inc.",
	}, env...)...)
	return p
}

// visit is a browser at a provider: it returns the address that the provider sends it back to.
func visit(t *testing.T, at string) string {
	t.Helper()
	h := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := h.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	to := res.Header.Get("Location")
	if to == "" {
		t.Fatalf("GET %s: %s", at, res.Status)
	}
	return to
}

// arrive goes to a provider and back, and returns the code.
func arrive(t *testing.T, c *client.Client, provider string) string {
	t.Helper()
	at, err := c.BeginSocial(t.Context(), provider)
	if err != nil {
		t.Fatal(err)
	}
	code, err := c.EndSocial(t.Context(), visit(t, at))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestSocialHappy(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := startProvided(t, in)
		c := s.client(t, newAddress())
		s.google.Become(socialtest.Person{Subject: "1", Email: "ada@social.example", Verified: true, First: "Ada", Last: "Lovelace"})
		code := arrive(t, c, "google")
		a, err := c.CheckSocial(t.Context(), code)
		t.Logf("%+v %v", a, err)
		session, ch, err := c.ExchangeSocial(t.Context(), code, client.SocialSignIn{})
		t.Logf("%+v %v %v", session, ch, err)
		if err != nil {
			t.Fatal(err)
		}
		list, err := c.Identities(t.Context())
		t.Logf("%+v %v", list, err)
	})
}
