//go:build unix

package db

import (
	"net"
	"syscall"
)

// quiet reports whether an idle connection is open and has nothing to read. A server that
// went away left an end of file or its last message there. The check costs one system call
// and no round trip.
func quiet(c net.Conn) bool {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok { // crypto/tls
		c = t.NetConn()
	}
	sc, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	silent := false
	// Control, not Read: after a slow write, pgx may have its own reader waiting on this
	// socket. Read would wait behind it until data comes.
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		silent = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
	})
	return err == nil && silent
}
