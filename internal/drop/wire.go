package drop

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// The buffers of a socket. Chunks pass by both: a read or write that is longer than the buffer
// goes to the connection.
const (
	readBuffer  = 1 << 10
	writeBuffer = 1 << 9
)

// wire is the connection of a socket. It knows when the member last sent something, whatever
// it was: a ping that waits behind a long chunk ends no connection.
type wire struct {
	net.Conn
	read   atomic.Int64 // unix nanoseconds
	broken atomic.Bool  // a read failed
}

// Read implements io.Reader.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if n > 0 {
		w.read.Store(time.Now().UnixNano())
	}
	if err != nil {
		w.broken.Store(true)
	}
	return n, err
}

// hijacker hands a connection out with buffers that are smaller than net/http's.
type hijacker struct {
	http.ResponseWriter
	wire *wire
}

var _ http.Hijacker = (*hijacker)(nil)

// Hijack implements http.Hijacker.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, was, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.wire = &wire{Conn: conn}
	h.wire.read.Store(time.Now().UnixNano())
	early, _ := was.Reader.Peek(was.Reader.Buffered()) // what is buffered can be read
	early = bytes.Clone(early)
	r := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(early), h.wire), max(readBuffer, len(early)))
	if _, err := r.Peek(len(early)); err != nil {
		return nil, nil, err
	}
	return h.wire, bufio.NewReadWriter(r, bufio.NewWriterSize(h.wire, writeBuffer)), nil
}
