package token

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json"

	"coffer/internal/rest"
)

// Routes registers every operation of this room.
func (s *Service) Routes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/.well-known/jwks.json", ID: "read-jwks", Tag: "Sign-in", Status: http.StatusOK, Rows: "F-S2",
		Summary:     "The keys that sign access tokens",
		Description: "Also at /.well-known/jwks.json, outside /v1. A key appears an hour before it signs, and stays until its tokens have expired.",
	}, s.getJWKS)
	a.Handle("GET /.well-known/jwks.json", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		set, err := s.JWKS(r.Context())
		var body []byte
		if err == nil {
			body, err = json.Marshal(set)
		}
		if err != nil {
			rest.Refuse(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", jwksCaching)
		_, _ = w.Write(body) // a client that has hung up reads no answer
	}))
}

// jwksCaching is far below the hour that a key is published before it signs.
const jwksCaching = "public, max-age=300"

type jwksOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         JWKS
}

func (s *Service) getJWKS(ctx context.Context, _ *struct{}) (*jwksOutput, error) {
	set, err := s.JWKS(ctx)
	return &jwksOutput{jwksCaching, set}, err
}
