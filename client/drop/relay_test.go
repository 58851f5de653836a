package drop

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// relay is a server of one drop in memory, which lies where a test wants it. It polices
// what ends may do: credits, order, sizes.
type relay struct {
	t      testing.TB
	server *httptest.Server
	queue  int

	mu        sync.Mutex
	name      string
	closed    bool
	members   []*relayed
	transfers map[string]*relayedTransfer
	lies      lies
	other     string   // an id for a lie
	asked     []string // transfers in the order of their requests
	seen      []byte   // everything that passed, for what must not pass
}

// lies change what the server forwards. A nil one forwards the truth.
type lies struct {
	message func(from, to *relayed, body map[string]any) []map[string]any
	request func(frame map[string]any) []map[string]any
	start   func(s map[string]any)
	chunk   func(tr *relayedTransfer, i int, sealed []byte) [][]byte
	finish  func(tr *relayedTransfer) bool // false: the receiver does not hear of the end
	welcome func(w map[string]any)
	busy    int // transfers that are refused at first
	wait    int // seconds until a refused one may come back; 0 is not told
}

// relayed is a member as the server sees it.
type relayed struct {
	id       rid
	token    string
	host     bool
	admitted bool
	gone     bool
	conn     *websocket.Conn
	next     uint32
	byNumber map[uint32]*relayedTransfer
}

type relayedTransfer struct {
	id       string
	n        uint32
	sender   *relayed
	receiver *relayed
	ask      map[string]any
	parts    chan relayedPart
	stop     chan struct{}
	once     sync.Once
	credits  int
	chunks   int
}

type relayedPart struct {
	kind    byte
	payload []byte
}

func newRelay(t testing.TB) *relay {
	r := &relay{t: t, queue: 8, name: "red-fox", transfers: map[string]*relayedTransfer{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/drops", r.open)
	mux.HandleFunc("POST /v1/drops/{name}/join", r.join)
	mux.HandleFunc("PATCH /v1/drops/{name}", r.patch)
	mux.HandleFunc("DELETE /v1/drops/{name}", r.end)
	mux.HandleFunc("GET /v1/drops/{name}/socket", r.socket)
	mux.HandleFunc("POST /v1/drops/{name}/transfers", r.transfer)
	mux.HandleFunc("GET /v1/drops/{name}/transfers/{id}/stream", r.stream)
	r.server = httptest.NewServer(mux)
	t.Cleanup(func() {
		r.server.CloseClientConnections()
		r.server.Close()
	})
	return r
}

func (r *relay) lie(l lies) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lies = l
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	if status >= 400 {
		w.Header().Set("Content-Type", "application/problem+json")
		v = map[string]any{"code": v, "status": status}
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (r *relay) member(req *http.Request) *relayed {
	for _, m := range r.members {
		if req.Header.Get("Authorization") == "Drop "+m.token && !m.gone && !r.closed {
			return m
		}
	}
	return nil
}

func (r *relay) add(host bool) *relayed {
	m := &relayed{id: rid(random(16)), token: b64(random(32)), host: host, admitted: host, byNumber: map[uint32]*relayedTransfer{}}
	r.members = append(r.members, m)
	return m
}

func (r *relay) open(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.add(true)
	answer(w, 201, map[string]any{"name": r.name, "host_token": m.token, "expires_at": time.Now().Add(time.Hour)})
}

func (r *relay) join(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || req.PathValue("name") != r.name {
		answer(w, 404, "drop_not_found")
		return
	}
	m := r.add(false)
	answer(w, 201, map[string]any{"guest_token": m.token, "rid": m.id})
}

func (r *relay) patch(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var in struct {
		Name string `json:"name"`
	}
	_ = json.NewDecoder(req.Body).Decode(&in)
	if m := r.member(req); m == nil || !m.host {
		answer(w, 401, "invalid_drop_token")
		return
	}
	if in.Name == "taken-name" {
		answer(w, 409, "name_taken")
		return
	}
	if in.Name != "" {
		r.name = in.Name
	}
	answer(w, 200, map[string]any{"name": r.name, "expires_at": time.Now().Add(time.Hour)})
	r.everybody(map[string]any{"t": "name", "name": r.name, "expires_at": time.Now().Add(time.Hour)})
}

func (r *relay) end(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.member(req); m == nil || !m.host {
		answer(w, 401, "invalid_drop_token")
		return
	}
	w.WriteHeader(204)
	r.closed = true
	r.everybody(map[string]any{"t": "closed", "code": "closed"})
	for _, m := range r.members {
		if m.conn != nil {
			go m.conn.Close(websocket.StatusNormalClosure, "")
		}
	}
}

// everybody writes a frame to all that are connected. r.mu is held by every writer.
func (r *relay) everybody(f map[string]any) {
	for _, m := range r.members {
		r.write(m, f)
	}
}

func (r *relay) write(m *relayed, f map[string]any) {
	if m.conn == nil {
		return
	}
	raw, err := json.Marshal(f)
	if err != nil {
		r.t.Error(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = m.conn.Write(ctx, websocket.MessageText, raw)
}

func (r *relay) hostMember() *relayed { return r.members[0] }

func (r *relay) socket(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	m := r.member(req)
	if m == nil {
		r.mu.Unlock()
		answer(w, 401, "invalid_drop_token")
		return
	}
	conn, err := websocket.Accept(w, req, &websocket.AcceptOptions{Subprotocols: []string{subprotocol}})
	if err != nil || conn.Subprotocol() != subprotocol {
		r.mu.Unlock()
		r.t.Error("the socket was not accepted:", err)
		return
	}
	conn.SetReadLimit(2 << 20)
	m.conn, m.next, m.byNumber = conn, 0, map[uint32]*relayedTransfer{}
	var there []map[string]any
	for _, o := range r.members {
		if o.admitted && !o.gone && (m.admitted || o.host) {
			there = append(there, map[string]any{"rid": o.id, "host": o.host, "here": o.conn != nil})
		}
	}
	welcome := map[string]any{"t": "welcome", "rid": m.id, "host": m.host, "host_rid": r.hostMember().id, "name": r.name, "expires_at": time.Now().Add(time.Hour), "members": there, "queue": r.queue}
	if r.lies.welcome != nil {
		r.lies.welcome(welcome)
	}
	r.write(m, welcome)
	r.write(m, map[string]any{"t": "news of a later version", "rid": 7})
	if m.admitted {
		r.announce(m, true)
	} else {
		r.write(r.hostMember(), map[string]any{"t": "join", "rid": m.id})
	}
	r.mu.Unlock()
	for {
		kind, raw, err := conn.Read(context.Background())
		r.mu.Lock()
		if err != nil {
			if m.conn == conn {
				m.conn = nil
				r.broken(m)
				if m.admitted && !m.gone {
					r.announce(m, false)
				}
			}
			r.mu.Unlock()
			return
		}
		r.seen = append(r.seen, raw[:min(len(raw), 4096)]...)
		if kind == websocket.MessageBinary {
			r.binary(m, raw)
		} else {
			var f map[string]any
			if err := json.Unmarshal(raw, &f); err != nil {
				r.t.Errorf("a member sent %q: %v", raw, err)
			}
			r.text(m, f)
		}
		r.mu.Unlock()
	}
}

// announce tells the others that a member came or went.
func (r *relay) announce(m *relayed, here bool) {
	for _, o := range r.members {
		if o != m && o.admitted {
			r.write(o, map[string]any{"t": "member", "rid": m.id, "host": m.host, "here": here, "gone": m.gone})
		}
	}
}

// broken ends the transfers of a lost socket.
func (r *relay) broken(m *relayed) {
	for _, tr := range m.byNumber {
		tr.fail("sender_gone")
	}
}

func (tr *relayedTransfer) fail(code string) {
	tr.once.Do(func() {
		close(tr.stop)
		select {
		case tr.parts <- relayedPart{partError, []byte(`{"code":"` + code + `"}`)}:
		default:
		}
	})
}

func (r *relay) find(id any) *relayed {
	for _, m := range r.members {
		if m.id.String() == id {
			return m
		}
	}
	return nil
}

func (r *relay) text(m *relayed, f map[string]any) {
	var tr *relayedTransfer
	if n, ok := f["n"].(float64); ok {
		tr = m.byNumber[uint32(n)]
	}
	switch f["t"] {
	case "msg":
		to := r.find(f["to"])
		if to == nil || to.conn == nil || (!m.admitted && !to.host) {
			r.write(m, map[string]any{"t": "error", "code": "member_gone", "to": f["to"]})
			return
		}
		bodies := []map[string]any{f["body"].(map[string]any)}
		if r.lies.message != nil {
			bodies = r.lies.message(m, to, bodies[0])
		}
		for _, b := range bodies {
			r.write(to, map[string]any{"t": "msg", "from": m.id, "body": b})
		}
	case "admit":
		g := r.find(f["rid"])
		g.admitted = true
		r.announce(g, true)
		for _, o := range r.members {
			if o != g && o.admitted && !o.gone {
				r.write(g, map[string]any{"t": "member", "rid": o.id, "host": o.host, "here": o.conn != nil})
			}
		}
	case "reject":
		g := r.find(f["rid"])
		if g == nil {
			return
		}
		g.gone = true
		r.write(g, map[string]any{"t": "closed", "code": f["code"]})
	case "accept":
		if tr == nil {
			return
		}
		s := map[string]any{"public_key": f["public_key"], "sealed": f["sealed"], "chunk": f["chunk"]}
		if r.lies.start != nil {
			r.lies.start(s)
		}
		raw, _ := json.Marshal(s)
		tr.put(relayedPart{partStart, raw})
		tr.credits = r.queue
		r.write(m, map[string]any{"t": "credit", "n": tr.n, "chunks": r.queue})
	case "finish":
		if tr != nil && (r.lies.finish == nil || r.lies.finish(tr)) {
			tr.put(relayedPart{partEnd, nil})
		}
	case "fail":
		if tr != nil {
			tr.put(relayedPart{partError, []byte(`{"code":"` + f["code"].(string) + `"}`)})
		}
	case "leave":
		m.gone = true
		r.announce(m, false)
	}
}

func (tr *relayedTransfer) put(p relayedPart) {
	select {
	case tr.parts <- p:
	case <-tr.stop:
	}
}

func (r *relay) binary(m *relayed, raw []byte) {
	tr := m.byNumber[binary.BigEndian.Uint32(raw)]
	if tr == nil {
		return // of a transfer that is over
	}
	if tr.credits--; tr.credits < 0 {
		r.t.Error("a chunk came without a credit")
	}
	chunks := [][]byte{raw[4:]}
	if r.lies.chunk != nil {
		chunks = r.lies.chunk(tr, tr.chunks, raw[4:])
	}
	tr.chunks++
	for _, c := range chunks {
		tr.put(relayedPart{partChunk, c})
	}
}

func (r *relay) transfer(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.member(req)
	if m == nil {
		answer(w, 401, "invalid_drop_token")
		return
	}
	var in map[string]any
	_ = json.NewDecoder(req.Body).Decode(&in)
	if r.lies.busy > 0 {
		r.lies.busy--
		if r.lies.wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(r.lies.wait))
		}
		answer(w, 429, "too_many_transfers")
		return
	}
	owner := r.find(in["file_id"].(string)[:22])
	if owner == nil || owner.conn == nil || !m.admitted {
		answer(w, 404, "file_not_found")
		return
	}
	tr := &relayedTransfer{id: b64(random(16)), sender: owner, receiver: m, ask: in, parts: make(chan relayedPart, 4096), stop: make(chan struct{})}
	r.transfers[tr.id] = tr
	answer(w, 201, map[string]any{"id": tr.id})
}

func (r *relay) stream(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	m, tr := r.member(req), r.transfers[req.PathValue("id")]
	if m == nil || tr == nil || tr.receiver != m {
		r.mu.Unlock()
		answer(w, 404, "transfer_not_found")
		return
	}
	s := tr.sender
	s.next++
	tr.n = s.next
	s.byNumber[tr.n] = tr
	r.asked = append(r.asked, tr.id)
	f := map[string]any{"t": "request", "n": tr.n, "transfer": tr.id, "from": m.id, "file_id": tr.ask["file_id"], "public_key": tr.ask["public_key"], "sealed": tr.ask["sealed"]}
	frames := []map[string]any{f}
	if r.lies.request != nil {
		frames = r.lies.request(f)
	}
	for _, f := range frames {
		r.write(s, f)
	}
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(s.byNumber, tr.n)
		tr.once.Do(func() { close(tr.stop) })
	}()
	tell := func(code string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.write(s, map[string]any{"t": "end", "n": tr.n, "code": code})
	}
	w.WriteHeader(200)
	out := http.NewResponseController(w)
	for {
		var p relayedPart
		select {
		case p = <-tr.parts:
		case <-req.Context().Done():
			tell("receiver_gone")
			return
		}
		head := binary.BigEndian.AppendUint32([]byte{p.kind}, uint32(len(p.payload)))
		_, err := w.Write(append(head, p.payload...))
		if err == nil {
			err = out.Flush()
		}
		if err != nil {
			tell("receiver_gone")
			return
		}
		switch p.kind {
		case partChunk:
			r.mu.Lock()
			tr.credits++
			r.write(s, map[string]any{"t": "credit", "n": tr.n, "chunks": 1})
			r.mu.Unlock()
		case partEnd:
			tell("delivered")
			return
		case partError:
			return
		}
	}
}

// cut ends a member's socket as a broken network does.
func (r *relay) cut(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.find(id); m != nil && m.conn != nil {
		_ = m.conn.CloseNow()
	}
}

// memory is content in memory: a source and a sink.
type memory struct {
	mu      sync.Mutex
	b       []byte
	name    string
	changed bool
	closed  bool
	reads   int64 // bytes
	cuts    int
	full    int64 // writes beyond it fail; 0 without
	pause   time.Duration
	grown   func(bytes int)
}

func (m *memory) Info() Info {
	return Info{Name: m.name, Kind: File, Size: int64(len(m.b)), Type: "application/octet-stream"}
}

func (m *memory) ReadAt(p []byte, off int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return 0, os.ErrClosed
	}
	if off > int64(len(m.b)) {
		return 0, io.EOF
	}
	n := copy(p, m.b[off:])
	m.reads += int64(n)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (m *memory) Changed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return errors.New("closed twice")
	}
	m.closed = true
	return nil
}

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	time.Sleep(m.pause)
	m.mu.Lock()
	defer m.mu.Unlock()
	if off != int64(len(m.b)) {
		return 0, errors.New("a hole or an overlap")
	}
	if m.full > 0 && off+int64(len(p)) > m.full {
		return 0, errors.New("no space left")
	}
	m.b = append(m.b, p...)
	if m.grown != nil {
		m.grown(len(m.b))
	}
	return len(p), nil
}

func (m *memory) Size() (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int64(len(m.b)), nil
}

func (m *memory) Truncate(n int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cuts++
	m.b = m.b[:n]
	return nil
}

func (m *memory) Sync() error { return nil }

func (m *memory) bytes() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.b)
}
