package rest

import (
	"context"
	"net/http"
	"net/netip"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Client is the origin of a request.
type Client struct {
	// Addr is the client's address as far as the trusted proxies report it. It is the zero
	// value when the connection has none.
	Addr      netip.Addr
	UserAgent string // at most 512 bytes of valid UTF-8; the client's claim
	RequestID string
	Origin    string // of the page that sent the request, if the browser names it
}

// Request is embedded in an operation's input. It holds the caller, the client and what the
// client sent.
type Request struct {
	Caller Caller
	Client Client
	Sent   *Sent
}

// Resolve implements huma.Resolver.
func (q *Request) Resolve(ctx huma.Context) []error {
	c := ctx.(*call)
	q.Caller, q.Client, q.Sent = c.x.caller, c.x.clientOf(c.r), &c.x.sent
	return nil
}

// ClientIn returns the origin of the request that ctx belongs to; false outside of one, as
// in a job.
func ClientIn(ctx context.Context) (Client, bool) {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	if x == nil {
		return Client{}, false
	}
	return x.clientOf(x.r), true
}

// CallerIn returns the caller of the request that ctx belongs to; the zero value outside of one,
// and for a request without a session.
func CallerIn(ctx context.Context) Caller {
	if x, _ := ctx.Value(exchangeKey{}).(*exchange); x != nil {
		return x.caller
	}
	return Caller{}
}

// CallerOf returns the caller, for handlers given to [Raw].
func CallerOf(r *http.Request) Caller {
	if x := exchangeOf(r); x != nil {
		return x.caller
	}
	return Caller{}
}

type clientCache struct {
	known bool
	Client
}

func (x *exchange) clientOf(r *http.Request) Client {
	if !x.client.known {
		agent := r.Header.Get("User-Agent")
		const longest = 512
		agent = strings.ToValidUTF8(agent[:min(len(agent), longest)], "")
		x.client = clientCache{true, Client{
			Addr: x.api.guard.clientAddr(r), UserAgent: agent, RequestID: x.id, Origin: r.Header.Get("Origin"),
		}}
	}
	return x.client.Client
}

// peer is the other end of the connection.
func peer(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{} // a socket without addresses
	}
	return ap.Addr().Unmap().WithZone("")
}

func (g *guard) trusted(addr netip.Addr) bool {
	for _, p := range g.proxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// clientAddr walks X-Forwarded-For from the right while the reporting address is a trusted
// proxy. It returns the first address that is not. Entries further left come from the
// client and count for nothing.
func (g *guard) clientAddr(r *http.Request) netip.Addr {
	addr := peer(r)
	if len(g.proxies) == 0 || !g.trusted(addr) {
		return addr
	}
	lines := r.Header["X-Forwarded-For"]
	for i := len(lines) - 1; i >= 0; i-- {
		line := lines[i]
		for line != "" {
			var hop string
			if cut := strings.LastIndexByte(line, ','); cut >= 0 {
				line, hop = line[:cut], line[cut+1:]
			} else {
				line, hop = "", line
			}
			hop = strings.Trim(hop, " \t")
			if hop == "" {
				continue // an empty list element has no meaning (RFC 9110 §5.6.1)
			}
			next, ok := parseHop(hop)
			if !ok {
				return addr // the proxy wrote no address: this one is the last known
			}
			addr = next
			if !g.trusted(addr) {
				return addr
			}
		}
	}
	return addr
}

// parseHop reads an address with or without brackets and port.
func parseHop(s string) (netip.Addr, bool) {
	if addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")); err == nil {
		return addr.Unmap().WithZone(""), true
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}
