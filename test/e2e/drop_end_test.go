package e2e

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// rawDrop is a member of a drop that speaks the wire by hand. It seals nothing: the server
// must forward whatever it gets.
type rawDrop struct {
	t     *testing.T
	s     *server
	from  net.IP
	name  string
	token string
	rid   string // after connect
	host  string // rid of the host

	conn   *websocket.Conn
	frames chan map[string]any // text frames; closed with the connection
	ended  *error              // why it closed, once frames is closed
}

const dropKey = `{"kty":"EC","crv":"P-521","x":"` +
	`AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"` +
	`AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`

// openDrop opens a drop and connects its host.
func openDrop(t *testing.T, s *server, from net.IP) *rawDrop {
	t.Helper()
	a := s.raw(t, from, "POST", "/v1/drops", "{}")
	var o struct {
		Name  string `json:"name"`
		Token string `json:"host_token"`
	}
	if err := json.Unmarshal([]byte(a.body), &o); a.status != 201 || err != nil || o.Name == "" || len(o.Token) != 43 {
		t.Fatalf("open: %d %s", a.status, a.body)
	}
	d := &rawDrop{t: t, s: s, from: from, name: o.Name, token: o.Token}
	d.connect()
	return d
}

// join takes a place in a drop and connects.
func (h *rawDrop) join(from net.IP) *rawDrop {
	h.t.Helper()
	a := h.s.raw(h.t, from, "POST", "/v1/drops/"+h.name+"/join", "{}")
	var o struct {
		Token string `json:"guest_token"`
		RID   string `json:"rid"`
	}
	if err := json.Unmarshal([]byte(a.body), &o); a.status != 201 || err != nil || len(o.Token) != 43 || len(o.RID) != 22 {
		h.t.Fatalf("join: %d %s", a.status, a.body)
	}
	d := &rawDrop{t: h.t, s: h.s, from: from, name: h.name, token: o.Token, rid: o.RID}
	d.connect()
	return d
}

// guest is join, and the host's admission.
func (h *rawDrop) guest(from net.IP) *rawDrop {
	h.t.Helper()
	d := h.join(from)
	h.want("join", "rid", d.rid)
	h.say(map[string]any{"t": "admit", "rid": d.rid})
	h.want("member", "rid", d.rid)
	return d
}

func dropDialer(from net.IP) *http.Client { return &http.Client{Transport: transport(from)} }

// dial opens a socket with that token, or whatever header and query say.
func (d *rawDrop) dial(query string, header http.Header, protocols ...string) (*websocket.Conn, *http.Response, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return websocket.Dial(ctx, strings.Replace(d.s.url, "http", "ws", 1)+"/v1/drops/"+d.name+"/socket"+query,
		&websocket.DialOptions{HTTPClient: dropDialer(d.from), HTTPHeader: header, Subprotocols: protocols})
}

func (d *rawDrop) auth() http.Header { return http.Header{"Authorization": {"Drop " + d.token}} }

// connect opens the member's socket and waits for its welcome.
func (d *rawDrop) connect() map[string]any {
	d.t.Helper()
	conn, _, err := d.dial("", d.auth(), "coffer.drop.v1")
	if err != nil {
		d.t.Fatal(err)
	}
	d.attach(conn)
	w := d.want("welcome")
	d.rid, d.host = w["rid"].(string), w["host_rid"].(string)
	return w
}

// attach reads frames of a connection.
func (d *rawDrop) attach(conn *websocket.Conn) {
	conn.SetReadLimit(1 << 20)
	frames := make(chan map[string]any, 100000)
	ended := new(error)
	d.conn, d.frames, d.ended = conn, frames, ended
	d.t.Cleanup(func() { conn.CloseNow() })
	go func() {
		defer close(frames)
		for {
			_, b, err := conn.Read(context.Background())
			if err != nil {
				*ended = err
				return
			}
			var f map[string]any
			if json.Unmarshal(b, &f) != nil {
				f = map[string]any{"t": "no JSON: " + string(b)}
			}
			frames <- f
		}
	}()
}

// next returns the next frame, or nil after the end.
func (d *rawDrop) next() map[string]any {
	d.t.Helper()
	select {
	case f := <-d.frames:
		return f
	case <-time.After(30 * time.Second):
		d.t.Fatal("no frame in 30 s")
		return nil
	}
}

// want skips frames until one of that kind whose members have those values.
func (d *rawDrop) want(kind string, pairs ...any) map[string]any {
	d.t.Helper()
	for {
		f := d.next()
		if f == nil {
			d.t.Fatalf("the socket closed before %s %v: %v", kind, pairs, *d.ended)
		}
		ok := f["t"] == kind
		for i := 0; i+1 < len(pairs); i += 2 {
			ok = ok && f[pairs[i].(string)] == pairs[i+1]
		}
		if ok {
			return f
		}
	}
}

// closes waits for the end of the connection and returns its close code.
func (d *rawDrop) closes() websocket.StatusCode {
	d.t.Helper()
	for d.next() != nil {
	}
	return websocket.CloseStatus(*d.ended)
}

// say sends a text frame.
func (d *rawDrop) say(v any) {
	d.t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		d.t.Fatal(err)
	}
	d.write(websocket.MessageText, b)
}

func (d *rawDrop) write(kind websocket.MessageType, b []byte) {
	d.t.Helper()
	if err := d.tryWrite(kind, b); err != nil {
		d.t.Fatal(err)
	}
}

func (d *rawDrop) tryWrite(kind websocket.MessageType, b []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return d.conn.Write(ctx, kind, b)
}

// message sends a message to another member.
func (d *rawDrop) message(to string, body any) {
	d.t.Helper()
	d.say(map[string]any{"t": "msg", "to": to, "body": body})
}

// chunk is a binary frame.
func chunk(n uint32, b []byte) []byte { return append(binary.BigEndian.AppendUint32(nil, n), b...) }

// call calls an operation of the drop with the member's token.
func (d *rawDrop) call(method, path, body string) answer {
	d.t.Helper()
	return d.s.raw(d.t, d.from, method, "/v1/drops/"+d.name+path, body, "Authorization", "Drop "+d.token)
}

// item is an item of a member.
func (d *rawDrop) item() string { return d.rid + ".AAAAAAAAAAAAAAAAAAAAAA" }

// ask asks for an item and returns the transfer's id.
func (d *rawDrop) ask(item string) string {
	d.t.Helper()
	a := d.call("POST", "/transfers", `{"file_id":"`+item+`","public_key":`+dropKey+`,"sealed":"AAAA"}`)
	var o struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal([]byte(a.body), &o); a.status != 201 || err != nil || len(o.ID) != 22 {
		d.t.Fatalf("ask: %d %s", a.status, a.body)
	}
	return o.ID
}

// stream opens the stream of a transfer.
func (d *rawDrop) stream(id string, header ...string) *http.Response {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), "GET", d.s.url+"/v1/drops/"+d.name+"/transfers/"+id+"/stream", nil)
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Drop "+d.token)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := dropDialer(d.from).Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { res.Body.Close() })
	return res
}

// frameOf reads a frame of an octet stream; kind -1 at its end.
func frameOf(r io.Reader) (kind int, payload []byte, err error) {
	for {
		var head [5]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return -1, nil, err
		}
		payload = make([]byte, binary.BigEndian.Uint32(head[1:]))
		if _, err := io.ReadFull(r, payload); err != nil {
			return -1, nil, err
		}
		if head[0] != 0 { // no keep-alive
			return int(head[0]), payload, nil
		}
	}
}

// accept accepts request n, for chunks of a size.
func (d *rawDrop) accept(n any, size int) {
	d.t.Helper()
	d.say(map[string]any{"t": "accept", "n": n, "public_key": json.RawMessage(dropKey), "sealed": "BBBB", "chunk": size})
}
