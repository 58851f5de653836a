package outbound

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Send makes a call whose body may be long: it streams the body, and the time bounds the
// standstill instead of the whole. Each [Config.Time] must move 64 KiB of the body or end it.
// So a body of n bytes ends within Time × (n / 64 KiB + 1), and a server that takes a byte
// now and then holds nothing for long. Once the body is sent, the whole answer has
// [Config.Wait]. Every other guard of RoundTrip holds. The error of a standstill wraps
// context.DeadlineExceeded.
//
// The server may refuse before it has read the body: Send asks for its word first
// (RFC 9110 §10.1.1, "100-continue"). Send closes the body, perhaps more than once and after
// it returned. Closing must end a Read: the transport waits for that, whatever the context says.
func (c *Client) Send(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	defer cancel()
	var still atomic.Bool
	watch := time.AfterFunc(c.Time, func() {
		still.Store(true)
		cancel()
	})
	defer watch.Stop()
	req = req.Clone(ctx)
	if body := req.Body; body != nil && body != http.NoBody {
		context.AfterFunc(ctx, func() { _ = body.Close() })
		req.Header.Set("Expect", "100-continue")
		req.Body = &paced{ReadCloser: req.Body, moved: func() { watch.Reset(c.Time) }, sent: sync.OnceFunc(func() { watch.Reset(c.Wait) })}
	}
	res, err := c.exchange(req)
	if err != nil && still.Load() {
		return nil, fmt.Errorf("outbound: the call stands still: %w", context.DeadlineExceeded)
	}
	return res, err
}

// paced tells of a body's progress. The transport reads it from one goroutine.
type paced struct {
	io.ReadCloser
	since       int // bytes since moved was called
	moved, sent func()
}

// Read implements io.Reader.
func (p *paced) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	if p.since += n; p.since >= pace {
		p.since = 0
		p.moved()
	}
	if err == io.EOF {
		p.sent()
	}
	return n, err
}
