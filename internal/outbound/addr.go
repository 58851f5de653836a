package outbound

import (
	"net"
	"net/netip"
	"strings"
)

// special are the networks of IANA's registries of special-purpose addresses (RFC 6890) that
// are not reachable by everybody.
var special = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"2001::/23",     // protocols: Teredo, benchmarks, ORCHID
	"2001:db8::/32", // documentation
	"2002::/16",     // 6to4, which embeds an IPv4 address
	"3fff::/20",     // documentation
)

var (
	global = netip.MustParsePrefix("2000::/3")     // of IPv6, all that is handed out (RFC 4291 §2.4)
	nat64  = netip.MustParsePrefix("64:ff9b::/96") // ends in an IPv4 address (RFC 6052 §2.1)
)

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

// Public reports whether an address belongs to the internet. An IPv6 address that a gateway
// translates counts as the IPv4 address in it.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if a.Is6() {
		if a.Zone() != "" {
			return false
		}
		if b := a.As16(); nat64.Contains(a) {
			a = netip.AddrFrom4([4]byte(b[12:]))
		} else if !global.Contains(a) {
			return false
		}
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return a.IsValid()
}

// near reports whether a host that the operator names may be at an address that is not
// public: this machine, a private network, or the address itself where host is one.
func near(host string, a netip.Addr) bool {
	a = a.Unmap()
	if literal, err := netip.ParseAddr(host); err == nil {
		return literal.Unmap() == a
	}
	return a.IsLoopback() || a.IsPrivate()
}

// Here reports whether a host of a URL is this machine by its name alone.
func Here(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}

// canonical is the form in which hosts are compared.
func canonical(host string) string {
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// numeric reports whether a host is one of the forms that some resolvers read as an IPv4
// address and netip does not: 2130706433, 0x7f.1, 0177.0.0.1 (URL Standard §3.5, "ends in a
// number").
func numeric(host string) bool {
	if net.ParseIP(host) != nil || strings.Contains(host, ":") {
		return false
	}
	last := host[strings.LastIndex(host, ".")+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}
