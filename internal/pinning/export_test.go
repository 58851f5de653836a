package pinning

import (
	"context"
	"net/http"
	"net/url"
)

// Clients returns the clients that a target calls with, by part.
func Clients(t Target) map[string]func(context.Context, string) error {
	ask := func(c *caller) func(context.Context, string) error {
		return func(ctx context.Context, at string) error {
			_, err := c.get(ctx, "trying", http.MethodGet, at)
			return err
		}
	}
	switch t := t.(type) {
	case *pinata:
		return map[string]func(context.Context, string) error{"api": ask(&t.caller), "gateway": ask(&t.gateway.caller)}
	case *psa:
		return map[string]func(context.Context, string) error{"api": ask(&t.caller), "gateway": ask(&t.gateway.caller)}
	case *kubo:
		return map[string]func(context.Context, string) error{"rpc": ask(&t.caller)}
	}
	return nil
}

// Try makes a call to an address.
func Try(ctx context.Context, client func(context.Context, string) error, at string) error {
	return client(ctx, at)
}

// NamedHosts returns those of addresses that the operator has named.
func NamedHosts(at ...string) []string {
	var urls []*url.URL
	for _, a := range at {
		urls = append(urls, must(a))
	}
	return named(urls)
}
