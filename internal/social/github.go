package social

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/oauth2"
)

// gitHub is GitHub, which speaks OAuth 2.0 without OpenID Connect: it has no id_token and no
// nonce. PKCE and state bind the answer to its request.
type gitHub struct {
	issuer, api string
	client      *http.Client
	config      oauth2.Config
}

var _ provider = (*gitHub)(nil)

func newGitHub(s *Settings, redirect string) *gitHub {
	base := strings.TrimRight(s.GitHubURL, "/")
	return &gitHub{
		issuer: base, api: strings.TrimRight(s.GitHubAPIURL, "/"), client: caller(s.GitHubURL, s.GitHubAPIURL),
		config: oauth2.Config{
			ClientID: s.GitHubID, ClientSecret: s.GitHubSecret, RedirectURL: redirect, Scopes: []string{"read:user", "user:email"},
			Endpoint: oauth2.Endpoint{AuthURL: base + "/login/oauth/authorize", TokenURL: base + "/login/oauth/access_token", AuthStyle: oauth2.AuthStyleInParams},
		},
	}
}

func (g *gitHub) begin(_ context.Context, f flow) (string, error) {
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(f.Verifier)}
	if f.Fresh {
		options = append(options, oauth2.SetAuthURLParam("prompt", "select_account"))
	}
	return g.config.AuthCodeURL(f.State, options...), nil
}

func (g *gitHub) finish(ctx context.Context, f flow, a answer) (person, error) {
	// GitHub's own name for itself is the address of its OAuth endpoints.
	if a.Issuer == g.issuer+"/login/oauth" {
		a.Issuer = g.issuer
	}
	if err := a.check(g.issuer, false); err != nil {
		return person{}, err
	}
	t, err := redeem(ctx, g.client, g.config, f, a.Code)
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
func (g *gitHub) read(ctx context.Context, t *oauth2.Token, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.api+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+t.AccessToken)
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	res, err := g.client.Do(req)
	if err != nil {
		return errAway.Because(short(err))
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	switch {
	case err == nil && res.StatusCode == http.StatusForbidden, err == nil && res.StatusCode == http.StatusUnauthorized:
		return errRefused.Because(fmt.Errorf("GET %s: %s", path, res.Status))
	case err == nil && res.StatusCode != http.StatusOK:
		err = errors.New(res.Status)
	case err == nil:
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		return errAway.Because(short(fmt.Errorf("GET %s: %w", path, err)))
	}
	return nil
}
