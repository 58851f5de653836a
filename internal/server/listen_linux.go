package server

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// unsent bounds the kernel's unsent bytes of an answer, for each connection. Without it a
// stalled reader lets the send buffer grow to some MiB (tcp(7), tcp_wmem).
const unsent = 256 << 10

// boundUnsent is a net.ListenConfig.Control. Connections inherit the option from the
// listener.
func boundUnsent(_, _ string, c syscall.RawConn) error {
	var err error
	if ctlErr := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsent)
	}); ctlErr != nil {
		return ctlErr
	}
	return err
}
