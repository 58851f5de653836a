package social

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// gitHub is GitHub, which speaks OAuth 2.0 without OpenID Connect: it has no id_token and no
// nonce. PKCE and state bind the answer to its request.
type gitHub struct {
	issuer, api string
	oauth
}

var _ provider = (*gitHub)(nil)

func newGitHub(s *Settings, redirect string) *gitHub {
	base := strings.TrimRight(s.GitHubURL, "/")
	return &gitHub{
		issuer: base, api: strings.TrimRight(s.GitHubAPIURL, "/"),
		oauth: oauth{
			id: s.GitHubID, secret: s.GitHubSecret, redirect: redirect, scope: "read:user user:email", inForm: true,
			authorize: base + "/login/oauth/authorize", token: base + "/login/oauth/access_token", client: caller(s.GitHubURL, s.GitHubAPIURL),
		},
	}
}

func (g *gitHub) begin(_ context.Context, f flow) (string, error) {
	more := url.Values{}
	if f.Fresh {
		more.Set("prompt", "select_account")
	}
	return g.request(f, more)
}

func (g *gitHub) finish(ctx context.Context, f flow, a answer) (person, error) {
	// GitHub's own name for itself is the address of its OAuth endpoints.
	if a.Issuer == g.issuer+"/login/oauth" {
		a.Issuer = g.issuer
	}
	if err := a.check(g.issuer, false); err != nil {
		return person{}, err
	}
	t, err := g.redeem(ctx, f, a.Code)
	if err != nil {
		return person{}, err
	}
	var user struct {
		ID int64 `json:"id"`
	}
	if err := g.read(ctx, t, "/user", &user); err != nil {
		return person{}, err
	}
	if user.ID <= 0 {
		return person{}, errAway.Because(errors.New("GitHub names nobody"))
	}
	var emails []struct {
		Email    string `json:"email"`
		Primary  bool   `json:"primary"`
		Verified bool   `json:"verified"`
	}
	if err := g.read(ctx, t, "/user/emails", &emails); err != nil {
		return person{}, err
	}
	p := person{Issuer: g.issuer, Subject: strconv.FormatInt(user.ID, 10)}
	for _, e := range emails {
		if e.Primary {
			p.Email, p.Verified = e.Email, e.Verified
		}
	}
	return p, nil
}

// read gets one resource of GitHub's API.
func (g *gitHub) read(ctx context.Context, t tokens, path string, into any) error {
	return resource(ctx, g.client, g.api+path, t.Access, http.Header{"Accept": {"application/vnd.github+json"}, "X-Github-Api-Version": {"2022-11-28"}}, into)
}
