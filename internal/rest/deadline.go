package rest

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"
)

// Deadlines limit the client's time. A zero field has its default. Package server limits
// the time for headers and whole requests.
type Deadlines struct {
	Body    time.Duration // for a body that is not streamed; 20 s
	Stall   time.Duration // for the next byte of a stream; 1 minute
	Linger  time.Duration // for the next piece of a refused body; 2 s
	Session time.Duration // between two session checks of a stream; 2 s
}

func (d *Deadlines) complete() {
	d.Body = cmp.Or(max(d.Body, 0), 20*time.Second)
	d.Stall = cmp.Or(max(d.Stall, 0), time.Minute)
	d.Linger = cmp.Or(max(d.Linger, 0), 2*time.Second)
	d.Session = cmp.Or(max(d.Session, 0), 2*time.Second)
}

const (
	// paceBytes of a body must arrive in every two stalls, so a byte now and then does not
	// hold a stream. In each stall a client must take one piece of an answer, which is as
	// long.
	paceBytes = 64 << 10
	// longestPiece bounds the pieces in which an answer goes to a fast client.
	longestPiece = 4 << 20
)

var errPace = errors.New("rest: the body comes too slowly")

// incoming is a request's body. It records whether it was read to its end, and enforces the
// deadlines on the sender.
type incoming struct {
	src    io.ReadCloser
	x      *exchange
	moved  time.Time // when the deadline last moved
	ended  bool      // the handler reads no more of it
	late   bool      // its time is over
	begun  bool      // the client was told to send it, or sends it anyway
	window time.Time // start of the counting window
	bytes  int64     // in this window
	proof  *streamProof
	// refused says that the whole answer went out, and the body may still come: see dropBody.
	refused bool
}

// takeBody watches r's body and returns a copy of r. net/http uses the original's body to
// decide what happens to the connection.
func (x *exchange) takeBody(r *http.Request) *http.Request {
	if r.Body == nil || r.Body == http.NoBody {
		return r
	}
	r = r.WithContext(r.Context())
	x.body = &incoming{src: r.Body, x: x, begun: r.Header.Get("Expect") == ""}
	r.Body = x.body
	return r
}

// Read implements io.Reader.
func (b *incoming) Read(p []byte) (int, error) {
	if b.ended {
		return 0, io.EOF
	}
	if err := b.before(time.Now()); err != nil {
		return 0, err
	}
	b.begun = true
	n, err := b.src.Read(p)
	b.bytes += int64(n)
	if b.proof != nil {
		if refusal := b.proof.take(p[:n]); refusal != nil {
			return 0, refusal
		}
	}
	if err != nil {
		b.ended = err == io.EOF
		// After the body net/http watches the connection for a hang-up. A deadline that
		// passed then would cancel the request's context.
		b.x.setReadDeadline(time.Time{})
		if errors.Is(err, os.ErrDeadlineExceeded) {
			b.late = true
			err = b.x.cut(err)
		}
	}
	return n, err
}

// before moves the deadline. That costs a system call, so it happens only now and then.
func (b *incoming) before(now time.Time) error {
	d := &b.x.api.cfg.Deadlines
	if b.x.stream == nil {
		if b.moved.IsZero() {
			b.moved = now
			b.x.setReadDeadline(now.Add(d.Body))
		}
		return nil
	}
	if b.window.IsZero() {
		b.window, b.bytes = now, 0
	}
	if now.Sub(b.window) >= 2*d.Stall {
		if b.bytes < paceBytes {
			b.late = true
			return b.x.cut(errPace)
		}
		b.window, b.bytes = now, 0
	}
	if now.Sub(b.moved) >= d.Stall/12 {
		b.moved = now
		b.x.setReadDeadline(now.Add(d.Stall))
	}
	return nil
}

// Close implements io.Closer.
func (b *incoming) Close() error { return b.src.Close() }

// cut is the refusal for a body whose reading failed with err.
func (x *exchange) cut(err error) error {
	if x.stream != nil && x.stream.over() {
		return errUnauthenticated.Because(errSessionOver)
	}
	return errBodyCut.Because(err)
}

// leaveBody decides, before an answer begins, what happens to an unread body. A refusal
// goes out at once and is the connection's last answer. Otherwise net/http looks for the
// end of the body and reads at most 256 KiB. Neither lasts longer than Linger.
func (x *exchange) leaveBody(status int) {
	if x.body == nil || x.body.ended || status < 200 {
		return
	}
	if status >= 400 {
		x.w.Header()["Connection"] = closing
	}
	linger := x.api.cfg.Deadlines.Linger
	if x.body.late {
		linger = 0
	}
	x.body.ended = true
	x.setReadDeadline(time.Now().Add(linger))
}

const (
	// Of a refused body the server drops this much, in pieces; each has Deadlines.Linger.
	droppedBytes = 64 << 20
	droppedPiece = 16 << 10
	// droppedTimes is how many times Deadlines.Linger all pieces may take.
	droppedTimes = 15
	// maxDropping bounds how many connections are served so at once, and maxDroppingAddress those
	// of one address: it must not take the answers of all others.
	maxDropping        = 64
	maxDroppingAddress = 16
)

// dropping counts the connections whose refused bodies are read and dropped.
type dropping struct {
	mu    sync.Mutex
	all   int
	addrs map[netip.Addr]int // those of one network
}

// begin reports whether one more of an address has room.
func (d *dropping) begin(addr netip.Addr) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all >= maxDropping || d.addrs[addr] >= maxDroppingAddress {
		return false
	}
	if d.addrs == nil {
		d.addrs = map[netip.Addr]int{}
	}
	d.all++
	d.addrs[addr]++
	return true
}

func (d *dropping) end(addr netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all--
	if d.addrs[addr]--; d.addrs[addr] == 0 {
		delete(d.addrs, addr)
	}
}

// dropBody reads and drops what the client of a refusal still sends, within bounds. A browser reads
// no answer before it has sent its body, and closing a connection with unread bytes resets it.
func (x *exchange) dropBody() {
	b := x.body
	if b == nil || !b.refused || b.late || !b.begun || x.r.ProtoMajor != 1 {
		return
	}
	if http.NewResponseController(x.w).Flush() != nil {
		return
	}
	addr := network(x.clientOf(x.r).Addr)
	if !x.api.dropping.begin(addr) {
		return
	}
	defer x.api.dropping.end(addr)
	linger := x.api.cfg.Deadlines.Linger
	end := time.Now().Add(droppedTimes * linger)
	for range droppedBytes / droppedPiece {
		next := time.Now().Add(linger)
		if next.After(end) {
			next = end
		}
		x.setReadDeadline(next)
		if _, err := io.CopyN(io.Discard, b.src, droppedPiece); err != nil || x.api.drained.Load() {
			return
		}
	}
}

// Drain makes refused bodies keep the server no longer.
func (a *API) Drain() { a.drained.Store(true) }

// write writes p to a stream's client, which must take one piece in each stall. The pieces
// grow while the client takes them quickly.
func (x *exchange) write(p []byte) (n int, err error) {
	stall := cmp.Or(x.stall, x.api.cfg.Deadlines.Stall)
	for first := true; first || n < len(p); first = false {
		piece := p[n:min(len(p), n+x.piece)]
		start := time.Now()
		if start.Sub(x.moved) >= stall/12 {
			x.moved = start
			x.setWriteDeadline(start.Add(stall))
		}
		m, err := x.w.Write(piece)
		if n += m; err != nil {
			return n, err
		}
		if time.Since(start) > stall/60 {
			x.piece, x.moved = paceBytes, time.Time{}
		} else {
			x.piece = min(2*x.piece, longestPiece)
		}
	}
	return n, nil
}

func (x *exchange) setReadDeadline(t time.Time) {
	x.setDeadline(t, http.NewResponseController(x.w).SetReadDeadline)
}

func (x *exchange) setWriteDeadline(t time.Time) {
	x.setDeadline(t, http.NewResponseController(x.w).SetWriteDeadline)
}

// setDeadline sets a deadline, unless the stream's session is over.
func (x *exchange) setDeadline(t time.Time, set func(time.Time) error) {
	if x.stream == nil {
		_ = set(t) // fails only without a connection, in tests
		return
	}
	x.stream.mu.Lock()
	defer x.stream.mu.Unlock()
	if !x.stream.ended {
		_ = set(t)
	}
}
