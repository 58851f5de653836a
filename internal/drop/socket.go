package drop

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"coffer/internal/db"
)

const (
	closeNormal  = websocket.StatusNormalClosure
	closePolicy  = websocket.StatusPolicyViolation
	closeLarge   = websocket.StatusMessageTooBig
	closeRestart = websocket.StatusServiceRestart
)

// mostOut bounds what waits for one socket, in bytes. Members' messages leave a part of it to
// the server's own frames: no message of theirs costs a slow reader its connection.
const (
	mostOut   = 4 << 20
	ownFrames = 1 << 20
)

// socket is one connection of a member. Idle it costs a goroutine that reads, two small
// buffers and this struct. A goroutine writes only while something waits to be written.
type socket struct {
	s        *Service
	room     *room
	m        member
	network  string // of its address, by which the crowd counts it
	number   int64  // of the member's connections
	conn     *websocket.Conn
	wire     *wire
	since    time.Time // of the join
	admitted atomic.Bool
	judged   atomic.Bool  // this guest was rejected, or its guess counted
	spared   atomic.Bool  // the server ended it, or a newer socket of the member took its place
	told     atomic.Int32 // messages of a guest before its admission
	rate     rate
	head     [4]byte // of the binary frame that is being read

	mu      sync.Mutex
	out     [][]byte
	bytes   int64 // of out
	owed    []owed
	ping    bool
	ready   bool // welcome is in out
	writing bool
	closed  bool // nothing more is written
	last    *websocket.StatusCode
	pinged  time.Time

	// transfers are those that this member sends, by number.
	transfers map[uint32]*transfer
	next      uint32
	late      int // chunks that may still come for transfers that are over
}

// errForsaken refuses a room that hears nothing any more: its subscription was lost.
var errForsaken = errors.New("the subscription of the drop was lost")

// owed is credits that the sender has not been told of.
type owed struct {
	n      uint32
	chunks int
}

// open makes the socket of a member known, here and to the others.
func (s *Service) open(ctx context.Context, r *room, m member, network string, conn *websocket.Conn, w *wire) (*socket, error) {
	c := &socket{s: s, room: r, m: m, network: network, conn: conn, wire: w, transfers: map[uint32]*transfer{}, next: 1}
	c.admitted.Store(m.Admitted)
	c.since = time.Now().Add(time.UnixMilli(m.Joined).Sub(s.Now())) // a second socket gives no second minute
	if err := s.register(ctx); err != nil {
		return nil, err
	}
	var err error
	if c.number, err = connect(ctx, s.DB, m.RID, s.node, s.Now().UnixMilli()); errors.Is(err, db.ErrNoRows) {
		return nil, ErrNoDrop
	} else if err != nil {
		return nil, err
	}
	if !m.Admitted && c.number > 1 { // its run of the key exchange may have begun on an earlier one
		c.told.Store(maxTold - toldAgain)
	}
	s.hub.mu.Lock()
	older, forsaken := r.sockets[m.RID], s.hub.rooms[r.id] != r
	if older == nil || older.number < c.number {
		r.sockets[m.RID] = c
	}
	s.hub.mu.Unlock()
	if forsaken { // its sockets were told to come back before this one was among them
		return c, errForsaken
	}
	if older != nil {
		if older.number > c.number {
			older = c
		}
		older.spare(replacedFrame, closeNormal)
	}
	people, err := listPeople(ctx, s.DB, m.Drop)
	if err != nil {
		return c, err
	}
	for _, p := range people {
		if p.RID == m.RID && p.Admitted && !m.Admitted { // while its socket was on the way
			c.m.Admitted = true
			c.letIn()
		}
	}
	c.welcome(people)
	if err := s.publish(ctx, m.Drop, noteNewer, m.RID, frame(c.number)); err != nil {
		return c, err
	}
	if c.m.Admitted {
		return c, s.publish(ctx, m.Drop, noteAll, m.RID, memberFrame(m.RID, m.Host, true, false))
	}
	return c, s.tell(ctx, m.Drop, m.HostRID, noteFrame, joinFrame(m.RID))
}

// welcome sends the first frame, and the host those of the guests that wait.
func (c *socket) welcome(people []person) {
	w := welcome{
		T: "welcome", RID: c.m.RID, Host: c.m.Host, HostRID: c.m.HostRID, Name: c.m.Name, Expires: time.UnixMilli(c.m.Expires).UTC(),
		Members: []shownMember{}, Queue: c.s.DropQueue,
	}
	var joins [][]byte
	for _, p := range people {
		switch {
		case p.Admitted && (c.m.Admitted || p.Host):
			w.Members = append(w.Members, shownMember{p.RID, p.Host, p.Here})
		case c.m.Host && !p.Admitted && p.Here:
			joins = append(joins, joinFrame(p.RID))
		}
	}
	first := frame(w)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = append([][]byte{first}, c.out...)
	c.out = append(c.out, joins...)
	for _, b := range append(joins, first) { // few and small, so they count without a question
		c.s.budget.force(c.m.Drop, int64(len(b)))
		c.bytes += int64(len(b))
	}
	c.ready = true
	c.pump()
}

// send queues a message; false when there is no room for it.
func (c *socket) send(b []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.last != nil {
		return true // the member is leaving: nothing reaches it
	}
	return c.fits(b)
}

// fits is send with the lock held, for a socket that is not over.
func (c *socket) fits(b []byte) bool {
	size := int64(len(b))
	if c.bytes+size > mostOut-ownFrames || c.s.budget.take(c.m.Drop, size, 1) == 0 {
		return false
	}
	c.queue(b, size)
	return true
}

// mustSend queues a frame of the server's own, which the member may not miss. The budget may
// be used up by others; a member that does not read loses its connection.
func (c *socket) mustSend(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.must(b)
}

// must is mustSend with the lock held.
func (c *socket) must(b []byte) {
	if c.closed || c.last != nil {
		return
	}
	size := int64(len(b))
	if c.bytes+size > mostOut {
		c.kill()
		return
	}
	c.s.budget.force(c.m.Drop, size)
	c.queue(b, size)
}

func (c *socket) queue(b []byte, size int64) {
	c.out = append(c.out, b)
	c.bytes += size
	c.pump()
}

// farewell bounds how long a member may take to hear that its socket is over. Until then its
// transfers go on, though its drop may have ended.
const farewell = 4 * time.Second

// end queues the last frame. The first call decides.
func (c *socket) end(last []byte, code websocket.StatusCode) { c.endAs(last, code, false) }

// spare is end for a socket whose member did nothing to end it. It counts no guess: the member may
// come back, or is back already, and its guess goes on with its newest socket.
func (c *socket) spare(last []byte, code websocket.StatusCode) { c.endAs(last, code, true) }

func (c *socket) endAs(last []byte, code websocket.StatusCode, spared bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.last != nil {
		return
	}
	c.last = &code
	time.AfterFunc(farewell, c.kill)
	c.spared.Store(spared)
	if !spared {
		go c.countGuess()
	}
	if last != nil {
		c.s.budget.force(c.m.Drop, int64(len(last)))
		c.bytes += int64(len(last))
		c.out = append(c.out, last)
	}
	c.ready = true // a socket that is replaced before its welcome hears that
	c.pump()
}

// ending reports whether the last frame is queued.
func (c *socket) ending() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed || c.last != nil
}

// kill ends the connection without a word. Its reading goroutine clears up.
func (c *socket) kill() { go func() { _ = c.conn.CloseNow() }() }

// pump starts the writing goroutine if there is something to write. The caller holds the
// lock.
func (c *socket) pump() {
	if c.ready && !c.writing && !c.closed {
		c.writing = true
		go c.write()
	}
}

// pingFrame is an empty ping (RFC 6455 §5.5.2). The library would keep a goroutine waiting
// for its answer. It is one write, so it cannot come between two of another frame's.
var pingFrame = []byte{0x89, 0}

// write writes what waits, in this order: credits, frames, a ping, the end.
func (c *socket) write() {
	for {
		c.mu.Lock()
		var b []byte
		var size int64
		ping := false
		var last *websocket.StatusCode
		switch {
		case c.closed:
		case len(c.owed) > 0:
			b = creditFrame(c.owed[0].n, c.owed[0].chunks)
			c.owed = c.owed[1:]
		case len(c.out) > 0:
			b, size = c.out[0], int64(len(c.out[0]))
			c.out[0] = nil
			c.out = c.out[1:]
			c.bytes -= size
		case c.ping:
			c.ping, ping = false, true
		default:
			last = c.last
		}
		if len(c.out) == 0 {
			c.out = nil
		}
		if len(c.owed) == 0 {
			c.owed = nil
		}
		if b == nil && !ping {
			c.writing = false
			c.closed = c.closed || last != nil
			c.mu.Unlock()
			if last != nil {
				_ = c.conn.Close(*last, "") // at worst the connection is cut
			}
			return
		}
		c.mu.Unlock()
		_ = c.wire.SetWriteDeadline(time.Now().Add(c.s.DropPing)) // fails only after the end
		var err error
		if ping {
			_, err = c.wire.Write(pingFrame)
		} else {
			err = c.conn.Write(context.Background(), websocket.MessageText, b)
		}
		if size > 0 {
			c.s.budget.give(c.m.Drop, size)
		}
		if err != nil {
			_ = c.conn.CloseNow()
			c.mu.Lock()
			c.closed, c.writing = true, false
			c.mu.Unlock()
			return
		}
	}
}

// watch pings a silent socket, ends a dead one, and a guest that is not let in.
func (c *socket) watch(now time.Time) {
	if !c.admitted.Load() && now.Sub(c.since) > joinTime {
		c.end(closedFrame("late"), closeNormal)
		return
	}
	heard := time.Unix(0, c.wire.read.Load())
	if now.Sub(heard) <= c.s.DropPing {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.pinged.Before(heard):
		c.pinged, c.ping = now, true
		c.pump()
	case now.Sub(c.pinged) > c.s.DropPing:
		c.kill()
	}
}

// rate is a bucket of messages: perSecond fill it, up to burst.
type rate struct {
	left float64
	at   time.Time
}

const (
	perSecond = 100
	burst     = 400
)

// spend takes one and returns what is left, which may be less than nothing.
func (r *rate) spend(now time.Time) float64 {
	if r.at.IsZero() {
		r.left = burst
	} else {
		r.left = min(burst, r.left+perSecond*now.Sub(r.at).Seconds())
	}
	r.at = now
	r.left--
	return r.left
}

// read reads the member's frames until the connection ends, then clears up.
func (c *socket) read() {
	err := c.readAll()
	refusal, breached := errors.AsType[violation](err)
	// A guest that says goodbye does not come back. One whose connection broke may.
	c.mu.Lock()
	cut := !breached && websocket.CloseStatus(err) < 0 && c.last == nil
	c.mu.Unlock()
	if !cut && !c.spared.Load() {
		c.countGuess()
	}
	if breached {
		c.mu.Lock()
		c.closed = true
		c.mu.Unlock()
		_ = c.conn.Close(refusal.code, refusal.reason) // at worst the connection is cut
	}
	_ = c.conn.CloseNow()
	c.gone(cut)
}

// violation is a breach of the protocol, which ends the connection.
type violation struct {
	code   websocket.StatusCode
	reason string
}

func (v violation) Error() string { return v.reason }

func breach(reason string) error { return violation{closePolicy, reason} }

func (c *socket) readAll() error {
	for {
		kind, r, err := c.conn.Reader(context.Background())
		if err != nil {
			return err
		}
		if kind == websocket.MessageBinary {
			err = c.readChunk(r)
		} else {
			err = c.readText(r)
		}
		if err != nil {
			return err
		}
	}
}

// readChunk passes a chunk on to the queue of its transfer.
func (c *socket) readChunk(r io.Reader) error {
	if _, err := io.ReadFull(r, c.head[:]); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return breach("a binary frame has a number and a chunk")
		}
		return err
	}
	n := binary.BigEndian.Uint32(c.head[:])
	c.mu.Lock()
	t := c.transfers[n]
	known := n > 0 && n < c.next
	spent := false
	switch {
	case t != nil && t.state == running && t.credits > 0:
		t.credits--
	case t == nil && known && c.late > 0:
		c.late--
		spent = true
	default:
		c.mu.Unlock()
		return breach("a chunk without a credit")
	}
	c.mu.Unlock()
	if spent {
		_, err := io.Copy(io.Discard, r)
		return err
	}
	most := t.chunk + overhead
	b := buffer(frameHead + most + 1)
	got, err := io.ReadFull(r, b[frameHead:frameHead+most+1])
	switch {
	case err == nil:
		return breach("a chunk is longer than agreed")
	case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return err
	case got < overhead:
		return breach("a chunk is shorter than its tag")
	}
	if c.wire.broken.Load() { // the frame ended because the connection did
		return io.ErrUnexpectedEOF
	}
	c.mu.Lock()
	if t.waiting == 0 { // from here on the receiver may be slow; before, the sender was
		t.moved = time.Now()
	}
	t.waiting++
	c.mu.Unlock()
	c.s.push(t, putHead(b[:frameHead+got], frameChunk))
	return nil
}

// guessed reports whether this guest may have shown its tag, and the host has not judged it. Its
// second message may be the tag: a guess would cost its address nothing if it left in time.
func (c *socket) guessed() bool {
	return !c.admitted.Load() && c.told.Load() >= 2 && !c.judged.Load()
}

// countGuess counts a guest that ends before the host has judged it.
func (c *socket) countGuess() {
	if !c.guessed() || c.s.drained.Err() != nil || !c.judged.CompareAndSwap(false, true) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = c.log(c.s.countGuess(ctx, c.m.Drop, []byte(c.m.Address)))
}

// lapse counts the guess of a guest that was cut, unless it came back, was let in or was judged. One
// statement decides: then there is nothing to forget.
func (c *socket) lapse() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	forgotten, err := forgetGuest(ctx, c.s.DB, c.m.RID, c.number)
	if _ = c.log(err); forgotten {
		c.countGuess()
	}
}

// gone clears up after the connection. cut: the guest has not said that it leaves.
func (c *socket) gone(cut bool) {
	c.mu.Lock()
	c.closed = true
	c.s.budget.give(c.m.Drop, c.bytes)
	c.out, c.bytes, c.owed = nil, 0, nil
	transfers := make([]*transfer, 0, len(c.transfers))
	for _, t := range c.transfers {
		transfers = append(transfers, t)
	}
	c.mu.Unlock()
	c.s.hub.mu.Lock()
	if c.room.sockets[c.m.RID] == c {
		delete(c.room.sockets, c.m.RID)
	}
	c.s.hub.mu.Unlock()
	code := "sender_gone"
	if c.s.drained.Err() != nil {
		code = "reconnect"
	}
	for _, t := range transfers {
		c.s.fail(t, code)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := c.noteGone(ctx, cut); err != nil {
		c.s.Log.Warn("drops: cannot note the end of a connection", "error", err)
	}
	c.s.leave(c.room)
	c.s.crowd.leave(c.network, c.m.RID)
}

// noteGone tells the database and the others. A guest that was not admitted is forgotten, unless it may
// have shown its tag. Then it may come back: within its minute when the server ended its socket, soon
// when it was cut.
func (c *socket) noteGone(ctx context.Context, cut bool) error {
	s := c.s
	if c.s.drained.Err() != nil && (c.admitted.Load() || c.guessed()) {
		return nil // Drain notes all at once
	}
	late := time.Since(c.since) > joinTime-15*time.Second // its row may go before the guess is counted
	switch {
	case c.admitted.Load(), c.spared.Load() && c.guessed():
	case cut && c.guessed() && !late:
		time.AfterFunc(s.comeBack, c.lapse)
	default:
		c.countGuess()
		if _, err := forgetGuest(ctx, s.DB, c.m.RID, c.number); err != nil {
			return err
		}
	}
	admitted, err := disconnect(ctx, s.DB, c.m.RID, s.node, c.number, s.Now().UnixMilli())
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil || !admitted {
		return err
	}
	return s.publish(ctx, c.m.Drop, noteAll, c.m.RID, memberFrame(c.m.RID, c.m.Host, false, false))
}

// letIn notes the admission of this guest.
func (c *socket) letIn() {
	c.s.crowd.admit(c.network, c.m.RID)
	c.admitted.Store(true)
}

// maxNumber is more transfers than a socket has in its life.
const maxNumber = math.MaxUint32
