package social

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

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

// person is whom a provider says it is.
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
		all = append(all, named{google, "Google", newOIDC(s.GoogleIssuer, s.GoogleID, s.GoogleSecret, redirect(google), now, log)})
	}
	if s.GitHubID != "" {
		all = append(all, named{github, "GitHub", newGitHub(s, redirect(github))})
	}
	for _, f := range s.Further {
		id := strings.ToLower(f.Name)
		all = append(all, named{id, cmp.Or(f.Caption, f.Name), newOIDC(f.Issuer, f.ID, f.Secret, redirect(id), now, log)})
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

// redeem gives the provider the code of the answer for its tokens. The code is sent once.
func redeem(ctx context.Context, client *http.Client, c oauth2.Config, f flow, code string) (*oauth2.Token, error) {
	t, err := c.Exchange(context.WithValue(ctx, oauth2.HTTPClient, client), code, oauth2.VerifierOption(f.Verifier))
	if err == nil {
		return t, nil
	}
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if ok && (refused.Response.StatusCode < 300 || refused.Response.StatusCode >= 400 && refused.Response.StatusCode < 500) {
		return nil, errRefused.Because(short(err))
	}
	return nil, errAway.Because(short(err))
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
