package server

import (
	"fmt"
	"net"
	"strconv"
)

// Settings are the operator's settings of this package; the tags hold their defaults.
type Settings struct {
	Addr        string `env:"COFFER_ADDR" default:"127.0.0.1:8420" group:"Where it listens" help:"Address and port to listen on."`
	MetricsAddr string `env:"COFFER_METRICS_ADDR" placeholder:"127.0.0.1:9420" group:"Where it listens" help:"Private address and port of /metrics, for Prometheus. Never make it public: it asks for no password. Empty: none."`
}

// AfterApply refuses unusable addresses. Package kong calls it.
func (s *Settings) AfterApply() error {
	port, err := portOf(s.Addr)
	if err != nil {
		return fmt.Errorf("COFFER_ADDR: %w", err)
	}
	if s.MetricsAddr == "" {
		return nil
	}
	private, err := portOf(s.MetricsAddr)
	if err != nil {
		return fmt.Errorf("COFFER_METRICS_ADDR: %w", err)
	}
	// One port may be bound at two addresses of a machine. Then a rule of a firewall or a
	// proxy for the one would often hold for the other too.
	if private == port {
		return fmt.Errorf("COFFER_METRICS_ADDR: %q has the port of COFFER_ADDR; counts are private, so give them a port of their own", s.MetricsAddr)
	}
	return nil
}

func portOf(addr string) (uint64, error) {
	_, port, err := net.SplitHostPort(addr)
	n, perr := strconv.ParseUint(port, 10, 16)
	if err != nil || perr != nil || n == 0 {
		return 0, fmt.Errorf("%q is not HOST:PORT", addr)
	}
	return n, nil
}
