package pinning

import (
	"context"
	"fmt"
	"net/http"

	"coffer/internal/ipfs"
)

// gateway reads blocks through a trustless gateway (Trustless Gateway Specification,
// "GET /ipfs/{cid}").
type gateway struct {
	caller
	base string
	key  string // Pinata's, for content whose root is not asked for; empty: none
}

// newGateway returns the reader of a gateway. No token of the provider goes to it.
func newGateway(name, at, key string) gateway {
	u := must(at)
	return gateway{newCaller(name, "", u), u.String(), key}
}

// Block implements [Target].
func (g *gateway) Block(ctx context.Context, c ipfs.CID) ([]byte, error) {
	const step = "reading a block"
	req, err := g.request(ctx, http.MethodGet, g.base+"/ipfs/"+c.String()+"?format=raw", nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/vnd.ipld.raw")
	if g.key != "" {
		req.Header.Set("X-Pinata-Gateway-Token", g.key)
	}
	a, err := g.do(step, req)
	switch {
	case err != nil:
		return nil, err
	case a.status == http.StatusOK:
		return a.body, nil
	case a.status == http.StatusNotFound || a.status == http.StatusGone:
		return nil, &RetryError{Reason: Absent, Err: fmt.Errorf("%s: %s: %w", g.name, step, ErrAbsent)}
	}
	return nil, g.refusal(step, a, "")
}
