package drop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"coffer/client"

	"github.com/coder/websocket"
)

// link is one connection of a member's socket. A lost one is never used again.
type link struct {
	conn   *websocket.Conn
	gather *gatherer
	out    chan queued // in the order in which messages were sealed
	ctx    context.Context
	stop   context.CancelCauseFunc
	alive  *time.Timer

	mu       sync.Mutex
	outgoing map[uint32]*outgoing // by number on this connection
}

// queued is a text frame that waits, or a mark that is closed once all before it is sent.
type queued struct {
	raw  []byte
	mark chan struct{}
}

// The server lets a member send 100 messages a second, and 400 at once. This end stays
// below, so that no message is lost.
const (
	messageRate  = 80
	messageBurst = 300
	waitingMax   = 2048 // text frames that wait; a connection that far behind is dead
)

// dial opens the socket and reads the welcome.
func dial(ctx context.Context, hc *http.Client, base *url.URL, name, token string) (*link, frame, error) {
	l := &link{out: make(chan queued, waitingMax), outgoing: map[uint32]*outgoing{}}
	l.ctx, l.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	l.alive = time.AfterFunc(deadTime, func() { l.stop(ErrCut) })

	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	upgrading := *hc
	transport := upgrading.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	upgrading.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		res, err := transport.RoundTrip(r)
		if err == nil && res.StatusCode == http.StatusSwitchingProtocols {
			if rwc, ok := res.Body.(io.ReadWriteCloser); ok {
				l.gather = &gatherer{ReadWriteCloser: rwc}
				res.Body = l.gather
			}
		}
		return res, err
	})
	conn, res, err := websocket.Dial(ctx, base.JoinPath("v1", "drops", name, "socket").String(), &websocket.DialOptions{
		HTTPClient:   &upgrading,
		HTTPHeader:   http.Header{"Authorization": {"Drop " + token}},
		Subprotocols: []string{subprotocol},
		OnPingReceived: func(context.Context, []byte) bool {
			l.alive.Reset(deadTime)
			return true
		},
	})
	if err != nil {
		l.close(err)
		if res != nil && res.StatusCode >= 400 {
			return nil, frame{}, refusal(client.ReadError(res))
		}
		return nil, frame{}, err
	}
	l.conn = conn
	conn.SetReadLimit(maxText)
	context.AfterFunc(l.ctx, func() { conn.CloseNow() })
	go l.write()
	welcome, err := l.read(ctx)
	if err == nil && welcome.T != "welcome" {
		err = refusalOf(welcome)
	}
	if err != nil {
		l.close(err)
		return nil, frame{}, err
	}
	return l, welcome, nil
}

// refusalOf is the end that a frame tells, or an error for a frame out of order.
func refusalOf(f frame) error {
	if err := joinRefusals[f.Code]; err != nil {
		return err
	}
	if f.T == "reconnect" {
		return ErrCut
	}
	return errors.New("drop: the server sent a frame out of order: " + clean(f.T, 20))
}

// refusal translates a problem of the server. The problem stays within reach of errors.As.
func refusal(err error) error {
	known := joinRefusals[client.Code(err)]
	if known == nil && client.Status(err) == http.StatusTooManyRequests {
		known = ErrTooOften
	}
	if known == nil {
		return err
	}
	return refused{known, err}
}

// refused is a known refusal, with what the server said.
type refused struct{ known, said error }

func (r refused) Error() string   { return r.known.Error() }
func (r refused) Unwrap() []error { return []error{r.known, r.said} }

// roundTripper is a function as a transport.
type roundTripper func(*http.Request) (*http.Response, error)

var _ http.RoundTripper = roundTripper(nil)

// RoundTrip calls the function.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (l *link) close(cause error) {
	l.stop(cause)
	l.alive.Stop()
}

// read returns the next text frame that can be read. Frames of other forms are skipped.
func (l *link) read(ctx context.Context) (frame, error) {
	for {
		kind, raw, err := l.conn.Read(ctx)
		if err != nil {
			if l.ctx.Err() != nil {
				err = context.Cause(l.ctx)
			}
			return frame{}, err
		}
		l.alive.Reset(deadTime)
		if kind != websocket.MessageText {
			continue
		}
		f, err := readFrame(raw)
		if err != nil {
			continue
		}
		return f, nil
	}
}

// post queues a text frame. Its order is the order of the calls.
func (l *link) post(v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	select {
	case l.out <- queued{raw: raw}:
		return nil
	case <-l.ctx.Done():
		return ErrCut
	default:
		l.stop(ErrCut)
		return ErrCut
	}
}

// write sends the queued frames, no faster than the server takes them.
func (l *link) write() {
	left, at := float64(messageBurst), time.Now()
	for {
		select {
		case <-l.ctx.Done():
			return
		case q := <-l.out:
			if q.mark != nil {
				close(q.mark)
				continue
			}
			now := time.Now()
			left = min(messageBurst, left+now.Sub(at).Seconds()*messageRate) - 1
			at = now
			if left < 0 {
				time.Sleep(time.Duration(-left / messageRate * float64(time.Second)))
			}
			if err := l.send(websocket.MessageText, q.raw); err != nil {
				return
			}
		}
	}
}

// flush waits until all that was posted is sent.
func (l *link) flush(ctx context.Context) {
	mark := make(chan struct{})
	select {
	case l.out <- queued{mark: mark}:
	case <-l.ctx.Done():
		return
	case <-ctx.Done():
		return
	}
	select {
	case <-mark:
	case <-l.ctx.Done():
	case <-ctx.Done():
	}
}

// sendJSON sends a text frame at once, past the queue.
func (l *link) sendJSON(v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return l.send(websocket.MessageText, raw)
}

// send writes one message. An error ends the connection.
func (l *link) send(kind websocket.MessageType, raw []byte) error {
	err := l.conn.Write(l.ctx, kind, raw)
	if err == nil && l.gather != nil {
		err = l.gather.flush()
	}
	if err != nil {
		l.stop(ErrCut)
		return ErrCut
	}
	return nil
}

// farewell says a last word and closes the connection as the protocol wishes.
func (l *link) farewell(last any) {
	if last != nil {
		_ = l.sendJSON(last)
	}
	_ = l.conn.Close(websocket.StatusNormalClosure, "")
	l.close(ErrLeft)
}

// gatherer joins the small writes of a long frame. The WebSocket library masks and writes
// 4 KiB at a time; a system call for each would cost more than the encryption.
type gatherer struct {
	io.ReadWriteCloser
	mu      sync.Mutex
	waiting bytes.Buffer
}

const (
	gatherPiece = 4 << 10 // a write of that length is not the end of a frame, or flush follows
	gatherMost  = 256 << 10
)

var _ io.ReadWriteCloser = (*gatherer)(nil)

// Write keeps full pieces back and sends everything with the first shorter one.
func (g *gatherer) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(p) < gatherPiece && g.waiting.Len() == 0 {
		return g.ReadWriteCloser.Write(p)
	}
	g.waiting.Write(p)
	if len(p) >= gatherPiece && g.waiting.Len() < gatherMost {
		return len(p), nil
	}
	return len(p), g.drain()
}

func (g *gatherer) flush() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.drain()
}

func (g *gatherer) drain() error {
	if g.waiting.Len() == 0 {
		return nil
	}
	_, err := g.ReadWriteCloser.Write(g.waiting.Bytes())
	g.waiting.Reset()
	return err
}
