package server

import (
	"fmt"
	"net"
	"strconv"
)

// Settings are the operator's settings of this package; the tags hold their defaults.
type Settings struct {
	Addr string `env:"COFFER_ADDR" default:"127.0.0.1:8420" group:"Where it listens" help:"Address and port to listen on."`
}

// AfterApply refuses an unusable address. Package kong calls it.
func (s *Settings) AfterApply() error {
	_, port, err := net.SplitHostPort(s.Addr)
	if n, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || n == 0 {
		return fmt.Errorf("COFFER_ADDR: %q is not HOST:PORT", s.Addr)
	}
	return nil
}
