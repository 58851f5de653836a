//go:build !unix

package db

import "net"

// quiet needs a round trip here, so the pool pings every connection.
func quiet(net.Conn) bool { return false }
