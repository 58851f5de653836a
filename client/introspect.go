package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// ResourceServer is the credentials with which a program asks about access tokens. The
// operator makes them with "coffer clients add".
type ResourceServer struct{ ID, Secret string }

// Introspection is what a resource server learns of a token. Only Active is set for a token
// that is no live access token.
type Introspection struct {
	Active   bool
	Account  string // id
	Expires  time.Time
	AAL      string   // "aal1" or "aal2"
	AMR      []string // RFC 8176
	AuthTime time.Time
}

// Introspect asks about an access token that somebody sent to this program (RFC 7662). A
// session may end before its token expires, so an answer is good for the moment. Code
// "invalid_client".
func (c *Client) Introspect(ctx context.Context, as ResourceServer, token string) (Introspection, error) {
	u := c.base.JoinPath("/v1/auth/introspect")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(url.Values{"token": {token}}.Encode()))
	if err != nil {
		return Introspection{}, err
	}
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(as.ID), url.QueryEscape(as.Secret))
	res, err := c.http.Do(req)
	if err != nil {
		return Introspection{}, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return Introspection{}, ReadError(res)
	}
	raw, err := readAtMost(res.Body, maxJSON)
	if err != nil {
		return Introspection{}, err
	}
	var in struct {
		Active   bool
		Sub, AAL string
		AMR      []string
		Exp      int64
		AuthTime int64 `json:"auth_time"`
	}
	if err := json.Unmarshal(raw, &in); err != nil || !in.Active {
		return Introspection{}, err
	}
	return Introspection{true, in.Sub, time.Unix(in.Exp, 0), in.AAL, in.AMR, time.Unix(in.AuthTime, 0)}, nil
}
