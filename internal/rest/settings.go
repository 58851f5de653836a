package rest

import (
	"encoding"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// Settings are the operator's settings of this package; the tags hold their defaults.
type Settings struct {
	// TrustedProxies are the peers whose X-Forwarded-For is believed. A request that
	// comes from one may carry any Host: checking it is the proxy's work.
	TrustedProxies Networks     `env:"COFFER_TRUSTED_PROXIES" placeholder:"CIDR,…" group:"Where it listens" help:"Networks whose X-Forwarded-For the server trusts. Empty: none."`
	Streams        StreamLimits `embed:""`
}

// StreamLimits bound the concurrent streams of this process.
type StreamLimits struct {
	All     int `name:"max-streams" env:"COFFER_MAX_STREAMS" default:"1000" group:"Limits" help:"Uploads and downloads at once on one node. Callers without a session have half of them."`
	Account int `name:"max-streams-account" env:"COFFER_MAX_STREAMS_ACCOUNT" default:"100" group:"Limits" help:"Uploads and downloads at once of one account on one node."`
	Address int `name:"max-streams-address" env:"COFFER_MAX_STREAMS_ADDRESS" default:"200" group:"Limits" help:"Uploads and downloads at once from one address (IPv6: one /64) on one node."`
}

// AfterApply refuses limits that allow no stream. Package kong calls it.
func (l *StreamLimits) AfterApply() error {
	switch {
	case l.All < 1:
		return errors.New("COFFER_MAX_STREAMS: must be positive")
	case l.Account < 1:
		return errors.New("COFFER_MAX_STREAMS_ACCOUNT: must be positive")
	case l.Address < 1:
		return errors.New("COFFER_MAX_STREAMS_ADDRESS: must be positive")
	}
	return nil
}

// Networks is a comma-separated list of networks; a bare address is a network of one.
type Networks []netip.Prefix

var _ encoding.TextUnmarshaler = (*Networks)(nil)

// UnmarshalText reads the list.
func (n *Networks) UnmarshalText(text []byte) error {
	*n = nil
	for part := range strings.SplitSeq(string(text), ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if addr, err := netip.ParseAddr(part); err == nil {
			*n = append(*n, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(part)
		if err != nil {
			return fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8", part)
		}
		*n = append(*n, prefix.Masked())
	}
	return nil
}

// String returns the form that UnmarshalText reads.
func (n Networks) String() string {
	parts := make([]string, len(n))
	for i, prefix := range n {
		parts[i] = prefix.String()
	}
	return strings.Join(parts, ",")
}
