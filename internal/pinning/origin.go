package pinning

import (
	"context"
	"crypto/sha256"
	"errors"
	"math/big"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"coffer/internal/outbound"
)

// A provider of the Pinning Service API fetches content from the origins of a request: at
// most 20 multiaddrs, each ending in /p2p/PEER and none of a private network (PSA, "Provider
// hints"). There are two kinds:
//
//   - A Kubo node: the content is loaded into it without a pin, and its public addresses are the
//     origins. The provider fetches by Bitswap. This is the way that every provider knows.
//   - This server's own trustless gateway, /dns/HOST/tcp/443/tls/http. No peer stands behind it, so
//     the peer is a hash that no key has, and a provider that insists on Bitswap cannot use it.

// Bounds of provider hints.
const (
	maxOrigins   = 20
	maxDelegates = 4
	maxAddr      = 1024 // bytes of a multiaddr
)

// originPeer begins what is hashed for the peer of a gateway.
const originPeer = "coffer ipfs origin "

// webOrigin returns the multiaddr of this server's gateway, if its address is public.
func webOrigin(address string) (string, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return "", false
	}
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = "443"
	}
	protocol := "dns"
	if a, err := netip.ParseAddr(host); err == nil {
		if !outbound.Public(a) {
			return "", false
		}
		protocol = "ip6"
		if a.Is4() {
			protocol = "ip4"
		}
	} else if outbound.Here(host) || !strings.Contains(host, ".") {
		return "", false
	}
	sum := sha256.Sum256([]byte(originPeer + u.Host))
	return "/" + protocol + "/" + host + "/tcp/" + port + "/tls/http/p2p/" + peerID(sum), true
}

// peerID writes a SHA-256 multihash in base58btc, the usual form of a peer's id.
func peerID(sum [sha256.Size]byte) string {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	n, base, digit := new(big.Int).SetBytes(append([]byte{0x12, sha256.Size}, sum[:]...)), big.NewInt(58), new(big.Int)
	var id []byte
	for n.Sign() > 0 {
		n.DivMod(n, base, digit)
		id = append(id, alphabet[digit.Int64()])
	}
	slices.Reverse(id)
	return string(id)
}

// publicAddr reports whether a multiaddr of a peer may be told to others, or be connected to:
// an IP address of the internet, not a private one and no name, which could lead to one.
func publicAddr(addr string) bool {
	parts := strings.Split(addr, "/")
	if len(addr) > maxAddr || len(parts) < 5 || parts[0] != "" || parts[1] != "ip4" && parts[1] != "ip6" || parts[len(parts)-2] != "p2p" {
		return false
	}
	a, err := netip.ParseAddr(parts[2])
	return err == nil && outbound.Public(a) && !strings.ContainsFunc(addr, func(r rune) bool { return r <= ' ' || r > '~' })
}

// origins returns the node's public addresses. There may be none: then the provider looks for
// the content in the network's tables.
func (k *kubo) origins(ctx context.Context) ([]string, error) {
	const step = "asking for the node's addresses"
	a, err := k.run(ctx, step, "id")
	if err != nil {
		return nil, err
	}
	if !a.good() {
		return nil, k.refusal(step, a, kuboWords(a.body))
	}
	all, err := readAddresses(a.body)
	if err != nil {
		return nil, k.unclear(step, err)
	}
	return all[:min(len(all), maxOrigins)], nil
}

// readAddresses reads the public addresses in the answer to id.
func readAddresses(raw []byte) ([]string, error) {
	var said struct {
		ID        string
		Addresses []string
	}
	if err := json.Unmarshal(raw, &said); err != nil {
		return nil, err
	}
	if said.ID == "" {
		return nil, errors.New("it has no id")
	}
	return slices.DeleteFunc(said.Addresses, func(a string) bool { return !publicAddr(a) || !strings.HasSuffix(a, "/p2p/"+said.ID) }), nil
}

// connect asks the node to connect to a provider's peers, where their addresses are public.
func (k *kubo) connect(ctx context.Context, delegates []string) {
	n := 0
	for _, addr := range delegates {
		if !publicAddr(addr) {
			continue
		}
		if n++; n > maxDelegates {
			return
		}
		if _, err := k.run(ctx, "connecting", "swarm/connect", "arg", addr); err != nil {
			return
		}
	}
}
