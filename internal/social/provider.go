package social

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"coffer/internal/outbound"
)

// provider is one that people sign in with. Its errors are those of this room.
type provider interface {
	// begin returns the address that a transaction sends the browser to.
	begin(ctx context.Context, f flow) (string, error)
	// finish turns the answer that the browser brings back into a person.
	finish(ctx context.Context, f flow, a answer) (person, error)
}

// named is a provider as the operator set it.
type named struct {
	ID, Label string
	Issuer    string // of the identities that it signs in
	provider
}

// flow is what one transaction must remember of its request.
type flow struct {
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"` // of PKCE
	Fresh    bool      `json:"fresh"`    // the person must show their presence now
	Began    time.Time `json:"began"`
}

// answer is the query that a provider sends the browser back with.
type answer struct{ Code, Error, Issuer string }

// person is what a provider says of a person.
type person struct {
	Issuer   string `json:"issuer"`
	Subject  string `json:"subject"`
	Email    string `json:"email"`
	Verified bool   `json:"verified"` // the provider has proven the address
	First    string `json:"first"`
	Last     string `json:"last"`
}

// callTime is that of one call to a provider. A person waits for up to four.
const callTime = 8 * time.Second

// providers returns those that the settings name, in the order of the sign-in page.
func (s *Settings) providers(baseURL string, now func() time.Time, log *slog.Logger) []named {
	redirect := func(id string) string { return baseURL + "/v1/auth/social/" + id + "/callback" }
	var all []named
	if s.GoogleID != "" {
		all = append(all, named{google, "Google", s.GoogleIssuer, newOIDC(s.GoogleIssuer, s.GoogleID, s.GoogleSecret, redirect(google), now, log)})
	}
	if s.GitHubID != "" {
		g := newGitHub(s, redirect(github))
		all = append(all, named{github, "GitHub", g.issuer, g})
	}
	for _, f := range s.Further {
		id := strings.ToLower(f.Name)
		all = append(all, named{id, cmp.Or(f.Caption, f.Name), f.Issuer, newOIDC(f.Issuer, f.ID, f.Secret, redirect(id), now, log)})
	}
	return all
}

// caller returns the client for calls to hosts of the settings, and to public ones.
func caller(urls ...string) *http.Client {
	c := outbound.Config{Time: callTime}
	for _, text := range urls {
		if u, err := url.Parse(text); err == nil {
			c.Named = append(c.Named, u.Hostname())
		}
	}
	return outbound.New(c).HTTP()
}

// oauth is the client's part in OAuth 2.0: its name at a provider, and where its requests go.
type oauth struct {
	id, secret, redirect, scope string
	authorize, token            string // endpoints
	inForm                      bool   // the token endpoint reads the client from the form
	client                      *http.Client
}

// request returns the address of an authorization request with PKCE (RFC 7636 §4.3). The
// endpoint may have a query of its own.
func (o oauth) request(f flow, more url.Values) (string, error) {
	u, err := url.Parse(o.authorize)
	if err != nil {
		return "", errAway.Because(err)
	}
	q := u.Query()
	maps.Copy(q, more)
	q.Set("response_type", "code")
	q.Set("client_id", o.id)
	q.Set("redirect_uri", o.redirect)
	q.Set("scope", o.scope)
	q.Set("state", f.State)
	q.Set("code_challenge", b64.EncodeToString(digest(f.Verifier)))
	q.Set("code_challenge_method", "S256")
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// tokens are what a code is worth.
type tokens struct {
	Access string `json:"access_token"`
	ID     any    `json:"id_token"`
	Error  string `json:"error"` // GitHub refuses with status 200
}

// redeem gives the provider the code of the answer for its tokens. The code is sent once.
func (o oauth) redeem(ctx context.Context, f flow, code string) (tokens, error) {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {o.redirect}, "code_verifier": {f.Verifier}}
	if o.inForm {
		form.Set("client_id", o.id)
		form.Set("client_secret", o.secret)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.token, strings.NewReader(form.Encode()))
	if err != nil {
		return tokens{}, errAway.Because(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if !o.inForm { // RFC 6749 §2.3.1
		req.SetBasicAuth(url.QueryEscape(o.id), url.QueryEscape(o.secret))
	}
	var t tokens
	status, err := call(o.client, req, &t)
	switch {
	case status >= 400 && status < 500 || status == http.StatusOK && t.Error != "":
		return tokens{}, errRefused.Because(short(fmt.Errorf("the token endpoint: %d %s", status, t.Error)))
	case err == nil && status != http.StatusOK:
		err = fmt.Errorf("the token endpoint: status %d", status)
	case err == nil && t.Access == "":
		err = errors.New("the token endpoint gives no access token")
	}
	if err != nil {
		return tokens{}, errAway.Because(short(err))
	}
	return t, nil
}

// resource reads what an access token opens.
func resource(ctx context.Context, client *http.Client, at, access string, header http.Header, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return errAway.Because(err)
	}
	if header != nil {
		req.Header = header.Clone()
	}
	req.Header.Set("Authorization", "Bearer "+access)
	status, err := call(client, req, into)
	switch {
	case status == http.StatusForbidden || status == http.StatusUnauthorized:
		return errRefused.Because(fmt.Errorf("GET %s: status %d", req.URL.Path, status))
	case err == nil && status != http.StatusOK:
		err = fmt.Errorf("GET %s: status %d", req.URL.Path, status)
	}
	if err != nil {
		return errAway.Because(short(err))
	}
	return nil
}

// call makes a request whose answer is JSON; of a refusal it may be anything.
func call(client *http.Client, req *http.Request, into any) (status int, err error) {
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "application/json")
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err == nil {
		err = json.Unmarshal(raw, into) // each name once, and in its case
	}
	return res.StatusCode, err
}

// check refuses an answer that is none, or that another provider sent (RFC 9207 §2.4).
func (a answer) check(issuer string, announced bool) error {
	if a.Issuer != issuer && (a.Issuer != "" || announced) {
		return errState.Because(errors.New("the answer is of another issuer"))
	}
	if a.Error != "" {
		return errRefused.Because(short(errors.New(a.Error)))
	}
	if a.Code == "" {
		return errState.Because(errors.New("the answer has no code"))
	}
	return nil
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// short is an error for the log, which gets no more than this of what a provider wrote.
func short(err error) error {
	const longest = 300
	if text := err.Error(); len(text) > longest {
		return errors.New(text[:longest] + "…")
	}
	return err
}
