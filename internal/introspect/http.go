package introspect

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"coffer/internal/fault"
	"coffer/internal/rest"
)

// Routes registers every operation of this room.
func (s *Service) Routes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/auth/introspect", ID: "introspect", Tag: "Resource servers", Access: rest.Resource, Form: true,
		Status: http.StatusOK, Rows: "F-S6",
		Summary: "Ask about an access token",
		Description: "For resource servers (RFC 7662), with HTTP Basic. The operator makes their credentials with `coffer clients add NAME`. " +
			"A token that is not a live access token of this server is inactive, whatever is wrong with it. " +
			"A token whose session wants signed requests is inactive too: a resource server cannot check the signatures.",
		Errors: []*fault.Error{ErrClient},
	}, s.postIntrospect)
}

type introspectInput struct {
	Authorization string `header:"Authorization" doc:"Basic, of id and secret (RFC 6749 §2.3.1)."`
	Body          struct {
		Token string `json:"token" maxLength:"8192" doc:"The access token."`
		Hint  string `json:"token_type_hint,omitempty" maxLength:"100" doc:"Ignored: the server knows its tokens."`
	}
}

// Introspection is what a resource server learns of a token.
type Introspection struct {
	Active   bool     `json:"active"`
	Account  string   `json:"sub,omitempty" doc:"The account's id."`
	Expires  int64    `json:"exp,omitzero" doc:"When the token expires; seconds since 1970. Its session may end before: ask again."`
	AAL      string   `json:"aal,omitempty" doc:"Assurance level: aal1 or aal2 (NIST SP 800-63B)."`
	AMR      []string `json:"amr,omitempty" doc:"Authentication methods (RFC 8176)."`
	AuthTime int64    `json:"auth_time,omitzero" doc:"The last proof of presence; seconds since 1970."`
}

type introspectOutput struct{ Body Introspection }

func (s *Service) postIntrospect(ctx context.Context, in *introspectInput) (*introspectOutput, error) {
	id, secret := basic(in.Authorization)
	if err := s.admit(ctx, id, secret); err != nil {
		return nil, err
	}
	c, end, ok, err := s.inspect(ctx, in.Body.Token)
	if err != nil || !ok {
		return &introspectOutput{}, err
	}
	return &introspectOutput{Introspection{
		Active: true, Account: c.Account, Expires: end.Unix(), AAL: c.AAL, AMR: c.AMR, AuthTime: c.AuthTime.Unix(),
	}}, nil
}

// basic returns id and secret of an Authorization header. Both were form-encoded before they
// were joined (RFC 6749 §2.3.1). Neither of ours changes by that.
func basic(authorization string) (id, secret string) {
	text, ok := rest.Credentials(authorization, "Basic")
	if !ok {
		return "", ""
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", ""
	}
	id, secret, _ = strings.Cut(string(raw), ":")
	if plain, err := url.QueryUnescape(id); err == nil {
		id = plain
	}
	if plain, err := url.QueryUnescape(secret); err == nil {
		secret = plain
	}
	return id, secret
}
