package e2e

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

// enters signs in with a provider.
func enters(t *testing.T, c *client.Client, provider string) *client.Session {
	t.Helper()
	s, ch, err := c.ExchangeSocial(t.Context(), arrive(t, c, provider), client.SocialSignIn{FirstName: "Ada", LastName: "Lovelace"})
	if err != nil || ch != nil {
		t.Fatalf("%+v, %v", ch, err)
	}
	return s
}

// Everybody signs in with each provider: an account at first, the same one ever after. The
// page that leads there is told of the providers. Rows F-O1 and F-O3, seeds 001 and 002.
func TestSocialSignIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := startProvided(t, in)
		ctx := t.Context()
		told, err := s.client(t, newAddress()).Settings(ctx)
		want := []client.Provider{{ID: "google", Label: "Google"}, {ID: "github", Label: "GitHub"}, {ID: "acme", Label: "Acme Inc."}}
		if err != nil || !cmp.Equal(told.Providers, want) {
			t.Errorf("%+v, %v", told.Providers, err)
		}
		s.google.Become(socialtest.Person{Subject: "g-1", Email: "ada@google.example", Verified: true, First: "Ada", Last: "Lovelace"})
		s.acme.Become(socialtest.Person{Subject: "a-1", Email: "ada@acme.example", Verified: true})
		s.github.Become(77, socialtest.GitHubEmail{Email: "old@github.example", Verified: true}, socialtest.GitHubEmail{Email: "ada@github.example", Primary: true, Verified: true})
		for _, provider := range want {
			c := s.client(t, newAddress())
			code := arrive(t, c, provider.ID)
			seen, err := c.CheckSocial(ctx, code)
			address := "ada@" + provider.ID + ".example"
			if err != nil || seen.Known || seen.Email != address || !strings.HasPrefix(seen.Username, "ada") {
				t.Fatalf("%+v, %v", seen, err)
			}
			first, _, err := c.ExchangeSocial(ctx, code, client.SocialSignIn{Username: "ada." + provider.ID, FirstName: "Ada", LastName: "Byron"})
			if err != nil {
				t.Fatal(err)
			}
			p, err := c.Profile(ctx)
			if err != nil || p.Username != "ada."+provider.ID || p.Email != address || !p.EmailVerified || p.HasPassword || p.LastName != "Byron" {
				t.Errorf("%+v, %v", p, err)
			}
			if got, want := first.AAL+" "+strings.Join(first.AMR, " "), "aal1 fed"; got != want || first.Binding != "proof" {
				t.Errorf("%s, %s", got, first.Binding)
			}
			again := enters(t, s.client(t, newAddress()), provider.ID)
			if again.Account != first.Account {
				t.Errorf("%s: another account", provider.ID)
			}
			list, err := c.Identities(ctx)
			if err != nil || len(list) != 1 || list[0].Provider != provider.ID || list[0].Label != provider.Label || list[0].Email != address || list[0].LastUsedAt == nil {
				t.Errorf("%+v, %v", list, err)
			}
		}
	})
}

// The layers are asked as after a password, and a remembered device is spared them. Row 21.
func TestSocialAsksLayers(t *testing.T) {
	t.Parallel()
	s := startProvided(t, alone)
	ctx := t.Context()
	s.google.Become(socialtest.Person{Subject: "g-1", Email: "ada@google.example", Verified: true})
	p := &person{s: s.server, from: newAddress()}
	c := p.client(t)
	enters(t, c, "google")
	p.enrol(t, c)
	device := p.client(t)
	signIn := func(c *client.Client) *client.Challenge {
		_, ch, err := c.ExchangeSocial(ctx, arrive(t, c, "google"), client.SocialSignIn{Remember: true})
		if err != nil {
			t.Fatal(err)
		}
		return ch
	}
	ch := signIn(device)
	if ch == nil || !ch.Open(client.TOTP) {
		t.Fatalf("no layer is asked: %+v", ch)
	}
	opened, _, err := layers["totp"].pass(ctx, p, ch)
	if err != nil || opened.AAL != "aal2" || !cmp.Equal(opened.AMR, []string{"fed", "otp", "mfa"}) && len(opened.AMR) < 2 {
		t.Fatalf("%+v, %v", opened, err)
	}
	if ch := signIn(device); ch != nil {
		t.Errorf("a remembered device is asked: %+v", ch)
	}
	if ch := signIn(p.client(t)); ch == nil {
		t.Error("another device is not asked")
	}
}

// The two redirects as browsers see them. Rows 40, 45, 47, 48 and 65.
func TestSocialRedirects(t *testing.T) {
	t.Parallel()
	s := startProvided(t, alone)
	from := newAddress()
	s.google.Become(socialtest.Person{Subject: "g-1", Email: "ada@google.example", Verified: true})
	const html = "text/html,application/xhtml+xml"
	for _, site := range []string{"cross-site", "same-site"} {
		if a := s.raw(t, from, "GET", "/v1/auth/social/google", "", "Sec-Fetch-Site", site, "Accept", html); a.status != http.StatusForbidden || !strings.Contains(a.body, "cross_origin") || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %+v", site, a)
		}
	}
	for _, path := range []string{"/v1/auth/social/nobody", "/v1/auth/social/nobody/callback?state=x", "/v1/auth/social/GOOGLE"} {
		if a := s.raw(t, from, "GET", path, "", "Accept", html); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	begin := func(query string) (to, cookie string) {
		t.Helper()
		a := s.raw(t, from, "GET", "/v1/auth/social/google"+query, "", "Sec-Fetch-Site", "same-origin", "Accept", html)
		set := strings.Split(a.header.Get("Set-Cookie"), "; ")
		slices.Sort(set[1:])
		if want := []string{"HttpOnly", "Max-Age=600", "Path=/", "SameSite=Lax", "Secure"}; a.status != http.StatusSeeOther || !slices.Equal(set[1:], want) || len(set[0]) != len("__Host-coffer-social=")+43 {
			t.Fatalf("%d %q", a.status, set)
		}
		return a.header.Get("Location"), set[0]
	}
	// Whatever the query asks for, the browser goes to the provider and comes back here.
	for _, next := range []string{"", "?next=//evil.example", "?next=/%5Cevil.example", "?redirect_uri=https://evil.example/", "?return_to=javascript:alert(1)", "?state=mine"} {
		to, cookie := begin(next)
		if !strings.HasPrefix(to, s.google.URL+"/authorize?") || strings.Contains(to, "evil") || strings.Contains(to, "alert") || strings.Contains(to, "state=mine") {
			t.Errorf("%s leads to %s", next, to)
		}
		back := strings.TrimPrefix(visit(t, to), s.origin())
		a := s.raw(t, from, "GET", back+strings.Replace(next, "?", "&", 1), "", "Cookie", cookie, "Sec-Fetch-Site", "cross-site", "Accept", html)
		if next == "?state=mine" {
			if a.status != http.StatusUnprocessableEntity && a.status != http.StatusBadRequest {
				t.Errorf("two states: %d %s", a.status, a.header.Get("Location"))
			}
			continue
		}
		if got := a.header.Get("Location"); a.status != http.StatusSeeOther || len(got) != len("/social#code=")+43 || !strings.HasPrefix(got, "/social#code=") {
			t.Errorf("%s: %d %s %s", next, a.status, got, a.body)
		}
	}
	// Faults end at the page, for programs in a problem. No text of the query comes along.
	to, cookie := begin("")
	back := strings.TrimPrefix(visit(t, to), s.origin())
	for name, try := range map[string]struct{ path, cookie, code string }{
		"no cookie":          {back, "", "invalid_state"},
		"another browser":    {back, "__Host-coffer-social=" + strings.Repeat("A", 43), "invalid_state"},
		"another provider":   {strings.Replace(back, "/google/", "/acme/", 1), cookie, "invalid_state"},
		"GitHub":             {strings.Replace(back, "/google/", "/github/", 1), cookie, "invalid_state"},
		"nothing":            {"/v1/auth/social/google/callback", cookie, "invalid_state"},
		"an error of nobody": {"/v1/auth/social/google/callback?error=%3Cscript%3E&error_description=x&state=guessed", cookie, "invalid_state"},
	} {
		provider := strings.Split(try.path, "/")[4]
		if a := s.raw(t, from, "GET", try.path, "", "Cookie", try.cookie, "Accept", html); a.status != http.StatusSeeOther || a.header.Get("Location") != "/social#error="+try.code+"&provider="+provider {
			t.Errorf("%s: %d %s", name, a.status, a.header.Get("Location"))
		}
		if a := s.raw(t, from, "GET", try.path, "", "Cookie", try.cookie); a.status != http.StatusBadRequest || !strings.Contains(a.body, `"code":"`+try.code+`"`) {
			t.Errorf("%s, a program: %d %s", name, a.status, a.body)
		}
	}
	if n := s.acme.Calls("/token") + s.github.Calls("/login/oauth/access_token"); n != 0 {
		t.Errorf("%d codes went to another provider", n)
	}
	s.google.Lie(socialtest.Lies{Answer: func(a url.Values) {
		a.Del("code")
		a.Set("error", "access_denied")
		a.Set("error_description", "<script>")
	}})
	to, cookie = begin("")
	if a := s.raw(t, from, "GET", strings.TrimPrefix(visit(t, to), s.origin()), "", "Cookie", cookie, "Accept", html); a.header.Get("Location") != "/social#error=provider_refused&provider=google" {
		t.Errorf("a refusal: %s", a.header.Get("Location"))
	}
}

// origin is where the server says it is.
func (p *provided) origin() string {
	return strings.Replace(p.url, "127.0.0.1", "localhost", 1)
}

// Somebody with an account signs in to it first. A stranger who signed up under the address
// keeps nothing. Rows 12 and 44.
func TestSocialSameAddress(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := startProvided(t, in)
		ctx := t.Context()
		owner := s.member(t)
		s.google.Become(socialtest.Person{Subject: "g-1", Email: strings.ToUpper(owner.Email[:1]) + owner.Email[1:], Verified: true, First: "O", Last: "W"})
		c := owner.client(t)
		code := arrive(t, c, "google")
		if seen, err := c.CheckSocial(ctx, code); err != nil || !seen.LinkNeeded || strings.EqualFold(seen.Email, owner.Email) {
			t.Errorf("%+v, %v", seen, err)
		}
		if _, _, err := c.ExchangeSocial(ctx, code, client.SocialSignIn{}); client.Code(err) != "link_needed" {
			t.Fatalf("the same address: %v", err)
		}
		if _, err := c.ConfirmIdentity(ctx, "google", code); client.Status(err) != http.StatusUnauthorized && !errors.Is(err, client.ErrSignedOut) {
			t.Errorf("without a session: %v", err)
		}
		owner.signInAt(t, c, client.SignIn{})
		if _, err := c.ConfirmIdentity(ctx, "google", code); err != nil {
			t.Fatal(err)
		}
		owner.mail(t, "security-notice")
		if got := enters(t, owner.client(t), "google"); got.Account.ID != accountOf(t, c) {
			t.Error("another account")
		}

		// A stranger was first, and the owner of the mailbox comes with a provider.
		stranger := s.stranger()
		before := stranger.client(t)
		stranger.apply(t, before)
		l := stranger.mail(t, "verify-email")
		s.acme.Become(socialtest.Person{Subject: "a-1", Email: stranger.Email, Verified: true})
		victim := enters(t, s.client(t, newAddress()), "acme")
		if err := stranger.prove(t, before, l); client.Code(err) == "" {
			t.Error("the stranger's link works on")
		}
		if err := before.VerifyEmail(ctx, client.Verification{Email: stranger.Email, Code: l.code, Password: stranger.Password}); client.Code(err) == "" {
			t.Error("the stranger's code works on")
		}
		if _, _, err := stranger.client(t).SignIn(ctx, client.SignIn{Identifier: stranger.Email, Password: stranger.Password}); client.Code(err) != "invalid_credentials" {
			t.Errorf("the stranger's password: %v", err)
		}
		if again := enters(t, s.client(t, newAddress()), "acme"); again.Account != victim.Account {
			t.Error("another account")
		}
	})
}

// A credential of Google opens a session for its own key, once. Row F-O2, seed 000.
func TestSocialGoogleToken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := startProvided(t, in)
		ctx := t.Context()
		ada := socialtest.Person{Subject: "g-1", Email: "ada@google.example", Verified: true, First: "Ada", Last: "Lovelace"}
		for _, curve := range []client.Curve{client.P521, client.P256, client.X25519} {
			c := s.client(t, newAddress(), client.WithCurve(curve))
			g, err := c.BeginGoogle("front end", false)
			if err != nil {
				t.Fatal(err)
			}
			stolen := s.google.Sign(s.google.Claims(ada, g.Nonce))
			thief, err := s.client(t, newAddress()).BeginGoogle("thief", false)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := thief.Finish(ctx, stolen, client.SocialSignIn{}); client.Code(err) != "invalid_id_token" || client.Status(err) != 401 {
				t.Errorf("another key: %v", err)
			}
			opened, ch, err := g.Finish(ctx, stolen, client.SocialSignIn{})
			if err != nil || ch != nil {
				t.Fatalf("%v, %v", ch, err)
			}
			if p, err := c.Profile(ctx); err != nil || p.ID != opened.Account.ID || p.Email != ada.Email {
				t.Errorf("%+v, %v", p, err)
			}
			if _, _, err := g.Finish(ctx, stolen, client.SocialSignIn{}); client.Code(err) != "invalid_id_token" {
				t.Errorf("again: %v", err)
			}
		}
		for name, body := range map[string]string{
			"no key": `{"id_token":"x","nonce":"` + strings.Repeat("A", 43) + `"}`, "a bad key": `{"id_token":"x","nonce":"` + strings.Repeat("A", 43) + `","public_key":{"kty":"EC"}}`,
		} {
			if a := s.raw(t, newAddress(), "POST", "/v1/auth/social/google/token", body); a.status != 422 && a.status != 400 {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
		}
	})
	without := start(t, alone)
	g, err := without.client(t, newAddress()).BeginGoogle("", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := g.Finish(t.Context(), "x", client.SocialSignIn{}); client.Code(err) != "not_found" {
		t.Errorf("without Google: %v", err)
	}
}

// Connecting and disconnecting need a fresh proof and are told; the last way in stays. A proof
// with the provider is a fresh one. Row F-O3.
func TestSocialIdentities(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := startProvided(t, in, "COFFER_STEP_UP_TTL=2s")
		ctx := t.Context()
		s.google.Become(socialtest.Person{Subject: "g-1", Email: "ada@google.example", Verified: true})
		s.github.Become(77)
		p := &person{s: s.server, from: newAddress()}
		p.Email = "ada@google.example"
		c := p.client(t)
		enters(t, c, "google")
		time.Sleep(3100 * time.Millisecond)
		if _, err := c.BeginIdentity(ctx, "github"); client.Code(err) != "step_up_required" {
			t.Errorf("an old proof: %v", err)
		}
		if err := c.DeleteIdentity(ctx, "google"); client.Code(err) != "step_up_required" {
			t.Errorf("an old proof: %v", err)
		}
		prove := func() {
			t.Helper()
			at, err := c.BeginReauthenticateSocial(ctx, "google")
			if err != nil {
				t.Fatal(err)
			}
			code, err := c.EndSocial(ctx, visit(t, at))
			if err != nil {
				t.Fatal(err)
			}
			if _, ch, err := c.ReauthenticateSocial(ctx, "google", code); err != nil || ch != nil {
				t.Fatal(ch, err)
			}
		}
		prove()
		at, err := c.BeginIdentity(ctx, "github")
		if err != nil {
			t.Fatal(err)
		}
		code, err := c.EndSocial(ctx, visit(t, at))
		if err != nil {
			t.Fatal(err)
		}
		prove()
		if i, err := c.ConfirmIdentity(ctx, "github", code); err != nil || i.Label != "GitHub" || i.Email != "" {
			t.Fatalf("%+v, %v", i, err)
		}
		p.mail(t, "security-notice")
		if got := enters(t, p.client(t), "github"); got.Account.ID != accountOf(t, c) {
			t.Error("another account")
		}
		prove()
		if err := c.DeleteIdentity(ctx, "github"); err != nil {
			t.Error(err)
		}
		p.mail(t, "security-notice")
		prove()
		if err := c.DeleteIdentity(ctx, "google"); client.Code(err) != "last_way_in" {
			t.Errorf("the last way in: %v", err)
		}
		prove()
		if _, err := c.ChangePassword(ctx, client.PasswordChange{New: "seven quiet otters 41"}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Reauthenticate(ctx, "seven quiet otters 41"); err != nil {
			t.Fatal(err)
		}
		if err := c.DeleteIdentity(ctx, "google"); err != nil {
			t.Error(err)
		}
		// The former identity is a newcomer's now, whose address has an account.
		other := s.client(t, newAddress())
		if _, _, err := other.ExchangeSocial(ctx, arrive(t, other, "google"), client.SocialSignIn{}); client.Code(err) != "link_needed" {
			t.Errorf("after it was disconnected: %v", err)
		}
	})
}

// A provider that is away, from the start on or later, takes nothing but itself away.
func TestSocialProviderAway(t *testing.T) {
	t.Parallel()
	s := startProvided(t, alone, "COFFER_GOOGLE_ISSUER=http://127.0.0.1:1", "COFFER_OIDC_ACME_ISSUER=http://127.0.0.1:2")
	ctx := t.Context()
	from := newAddress()
	if a := s.raw(t, from, "GET", "/v1/auth/social/google", "", "Accept", "text/html"); a.status != http.StatusSeeOther || a.header.Get("Location") != "/social#error=provider_unavailable&provider=google" {
		t.Errorf("%d %s", a.status, a.header.Get("Location"))
	}
	if _, err := s.client(t, from).BeginSocial(ctx, "acme"); client.Code(err) != "provider_unavailable" || client.Status(err) != http.StatusServiceUnavailable {
		t.Errorf("a program: %v", err)
	}
	s.github.Become(77, socialtest.GitHubEmail{Email: "ada@github.example", Primary: true, Verified: true})
	c := s.client(t, from)
	enters(t, c, "github")
	p := s.member(t)
	p.signIn(t)
	s.github.Close()
	away := s.client(t, newAddress())
	at, err := away.BeginSocial(ctx, "github")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := away.EndSocial(ctx, s.url+"/v1/auth/social/github/callback?code=x&state="+u.Query().Get("state")); client.Code(err) != "provider_unavailable" {
		t.Errorf("away later: %v", err)
	}
	p.signIn(t)
}

// A provider of which a part is set is refused by name, and the secret is not printed.
func TestSocialSettings(t *testing.T) {
	t.Parallel()
	for name, env := range map[string][]string{
		"COFFER_GOOGLE_CLIENT_SECRET": {"COFFER_GOOGLE_CLIENT_ID=x"}, "COFFER_GOOGLE_CLIENT_ID": {"COFFER_GOOGLE_CLIENT_SECRET=hunter2"},
		"COFFER_GITHUB_CLIENT_SECRET": {"COFFER_GITHUB_CLIENT_ID=x"}, "COFFER_GITHUB_CLIENT_ID": {"COFFER_GITHUB_CLIENT_SECRET=hunter2"},
		"COFFER_OIDC_ACME_ISSUER":        {"COFFER_OIDC_ACME_CLIENT_ID=x", "COFFER_OIDC_ACME_CLIENT_SECRET=hunter2"},
		"COFFER_OIDC_ACME_CLIENT_ID":     {"COFFER_OIDC_ACME_ISSUER=https://a.example", "COFFER_OIDC_ACME_CLIENT_SECRET=hunter2"},
		"COFFER_OIDC_ACME_CLIENT_SECRET": {"COFFER_OIDC_ACME_ISSUER=https://a.example", "COFFER_OIDC_ACME_CLIENT_ID=x"},
		"COFFER_GITHUB_URL":              {"COFFER_GITHUB_URL=http://github.example"},
		"COFFER_GOOGLE_ISSUER":           {"COFFER_GOOGLE_ISSUER=https://u:hunter2@google.example"},
		"COFFER_OIDC_ACME_SECRET":        {"COFFER_OIDC_ACME_SECRET=hunter2"},
		"COFFER_OIDC_GOOGLE_…":           {"COFFER_OIDC_GOOGLE_ISSUER=https://a.example", "COFFER_OIDC_GOOGLE_CLIENT_ID=x", "COFFER_OIDC_GOOGLE_CLIENT_SECRET=hunter2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newServer(t, alone, env...).refuses(t, "coffer: "+name+": ")
		})
	}
	config := exec.Command(program, "config")
	config.Dir = t.TempDir()
	config.Env = append([]string{"PATH=" + os.Getenv("PATH")}, "COFFER_OIDC_ACME_ISSUER=https://a.example", "COFFER_OIDC_ACME_CLIENT_ID=known", "COFFER_OIDC_ACME_CLIENT_SECRET=hunter2",
		"COFFER_GOOGLE_CLIENT_ID=other", "COFFER_GOOGLE_CLIENT_SECRET=hunter2")
	out, err := config.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{`COFFER_OIDC_ACME_CLIENT_SECRET\s+••••••\s+environment`, `COFFER_OIDC_ACME_ISSUER\s+https://a.example\s+environment`, `COFFER_GOOGLE_CLIENT_SECRET\s+••••••\s`} {
		if !regexp.MustCompile(want).Match(out) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
	if strings.Contains(string(out), "hunter2") {
		t.Error("it prints a secret")
	}
}

// accountOf is whose session a client has.
func accountOf(t *testing.T, c *client.Client) string {
	t.Helper()
	p, err := c.Profile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p.ID
}
