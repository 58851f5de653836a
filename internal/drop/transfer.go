package drop

import (
	"context"
	"encoding/binary"
	"math/bits"
	"sync"
	"time"
)

// A transfer's chunks wait in a queue of the bus, as the frames in which the receiver's
// stream gets them: a type, a length and a payload (docs/drop-protocol.md §7).
const (
	frameAlive = iota
	frameStart
	frameChunk
	frameEnd
	frameError

	frameHead = 5 // bytes before the payload
)

// queueTime is how long a queue outlives its last frame.
const queueTime = 5 * time.Minute

func queueOf(transfer string) string { return "drop:t:" + transfer }

// putHead writes type and length before a payload that is already in b.
func putHead(b []byte, kind byte) []byte {
	b[0] = kind
	binary.BigEndian.PutUint32(b[1:], uint32(len(b)-frameHead))
	return b
}

// octets is a frame with a payload.
func octets(kind byte, payload []byte) []byte {
	return putHead(append(make([]byte, frameHead, frameHead+len(payload)), payload...), kind)
}

func errorOctets(code string) []byte {
	return octets(frameError, frame(struct {
		Code string `json:"code"`
	}{code}))
}

// chunkBuffers are buffers of chunks by the logarithm of their size.
var chunkBuffers [6]sync.Pool

// slack is the room of a buffer beyond the chunk's plaintext.
const slack = 64

// class is the pool of buffers that hold size bytes.
func class(size int) int { return max(0, bits.Len(uint((size-slack-1)/minChunk))) }

// buffer returns size bytes with any content.
func buffer(size int) []byte {
	i := class(size)
	if b, ok := chunkBuffers[i].Get().(*[]byte); ok {
		return (*b)[:size]
	}
	return make([]byte, size, minChunk<<i+slack)
}

// recycle gives back a buffer that has been read.
func recycle(b []byte) {
	if i := class(cap(b)); i < len(chunkBuffers) && cap(b) == minChunk<<i+slack {
		chunkBuffers[i].Put(&b)
	}
}

// state is how far a transfer is, for its sender.
type state uint8

const (
	asked state = iota
	running
	finished
)

// transfer is one that a member connected here sends. Its socket's lock guards what changes.
type transfer struct {
	id    string
	from  *socket
	n     uint32 // on that socket
	state state
	ended bool

	chunk   int
	window  int // chunks that the budget holds room for
	credits int // that the sender has
	waiting int // chunks that the receiver has not taken
	taken   int // chunks that it took, whose credits were not given back yet
	moved   time.Time
}

// asked gives the sender a request. To a sender that reads slowly a request is a message of
// another member: without room the receiver is refused, and the sender keeps its connection.
func (c *socket) asked(r request) {
	c.mu.Lock()
	t := &transfer{id: r.Transfer, from: c, n: c.next, moved: time.Now()}
	r.T, r.N = "request", t.n
	if c.closed || c.last != nil || len(c.transfers) >= maxSending || c.next == maxNumber || !c.fits(frame(r)) {
		c.mu.Unlock()
		c.s.pushBack(r.Transfer, errorOctets("busy"))
		return
	}
	c.next++
	c.transfers[t.n] = t
	c.mu.Unlock()
	c.s.hub.mu.Lock()
	defer c.s.hub.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !t.ended { // its sender may have answered, and failed, meanwhile
		c.s.hub.transfers[t.id] = t
	}
}

// accept starts a transfer: its first frame, and the first credits as far as memory allows.
func (c *socket) accept(ctx context.Context, in incoming) error {
	if in.Chunk < minChunk || in.Chunk > maxChunk || bits.OnesCount(uint(in.Chunk)) != 1 || !in.PublicKey.valid() || len(in.Sealed) > maxSealed {
		return breach("an accept has a chunk, a public key and a sealed part")
	}
	c.mu.Lock()
	t := c.transfers[in.N]
	if t == nil || t.state != asked {
		known := in.N > 0 && in.N < c.next
		c.mu.Unlock()
		if known && t == nil {
			return nil // it ended meanwhile
		}
		return breach("an accept of no request")
	}
	t.chunk = in.Chunk
	window := c.s.budget.window(c.m.Drop, t.cost(), c.s.DropQueue)
	if window == 0 {
		c.mu.Unlock()
		c.s.pushBack(t.id, errorOctets("busy"))
		c.s.over(t, "busy")
		return nil
	}
	t.window, t.state, t.moved = window, running, time.Now()
	c.mu.Unlock()
	start := octets(frameStart, frame(struct {
		PublicKey publicKey `json:"public_key"`
		Sealed    string    `json:"sealed"`
		Chunk     int       `json:"chunk"`
	}{in.PublicKey, in.Sealed, in.Chunk}))
	if !c.s.push(t, start) {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !t.ended {
		t.credits = window
		c.owe(t.n, window)
	}
	return nil
}

// cost is what one chunk of the transfer takes of the budget.
func (t *transfer) cost() int64 { return int64(t.chunk + slack) }

// owe queues credits for the sender. The caller holds the lock.
func (c *socket) owe(n uint32, chunks int) {
	for i := range c.owed {
		if c.owed[i].n == n {
			c.owed[i].chunks += chunks
			return
		}
	}
	c.owed = append(c.owed, owed{n, chunks})
	c.pump()
}

// moves notes that the receiver takes a chunk, or took it.
func (t *transfer) moves(taken bool) {
	c := t.from
	c.mu.Lock()
	defer c.mu.Unlock()
	t.moved = time.Now()
	if !taken || t.ended || t.waiting == 0 {
		return
	}
	t.waiting--
	t.taken++
	// A frame for each credit would cost more than it tells. The sender still has others
	// while these wait.
	if t.state == running && (t.taken >= t.window/4 || t.credits == 0) {
		t.credits += t.taken
		c.owe(t.n, t.taken)
		t.taken = 0
	}
}

// finish is the sender's end of a transfer: whole, or not.
func (c *socket) finish(in incoming) error {
	if in.T == "fail" && in.Code != "unknown_file" && in.Code != "changed" && in.Code != "busy" && in.Code != "cancelled" {
		return breach("a transfer fails as unknown_file, changed, busy or cancelled")
	}
	c.mu.Lock()
	t := c.transfers[in.N]
	known := in.N > 0 && in.N < c.next
	whole := in.T == "finish"
	if t == nil && known {
		c.mu.Unlock()
		return nil // it ended meanwhile
	}
	if t == nil || whole && t.state != running {
		c.mu.Unlock()
		return breach("the end of no transfer")
	}
	if whole {
		t.state = finished
	}
	c.mu.Unlock()
	if whole {
		c.s.push(t, octets(frameEnd, nil))
		return nil
	}
	c.s.fail(t, in.Code)
	return nil
}

// push appends a frame to the queue of a transfer; false when that has ended.
func (s *Service) push(t *transfer, b []byte) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Bus.Push(ctx, queueOf(t.id), b, queueTime); err != nil {
		s.Log.Warn("drops: a chunk could not be passed on", "error", err)
		s.over(t, "broken")
		return false
	}
	t.from.mu.Lock()
	ended := t.ended
	t.from.mu.Unlock()
	if ended { // while the frame was on its way: no stream takes it
		s.discard(t.id)
	}
	return !ended
}

// pushBack is push for a transfer that has no sender, or no longer.
func (s *Service) pushBack(id string, b []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Bus.Push(ctx, queueOf(id), b, queueTime); err != nil {
		s.Log.Warn("drops: the end of a transfer could not be passed on", "error", err)
	}
}

func (s *Service) discard(id string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Bus.Discard(ctx, queueOf(id)); err != nil {
		s.Log.Warn("drops: a queue could not be removed", "error", err)
	}
}

// close takes a transfer out of the books; false when it was out before.
func (s *Service) close(t *transfer, say []byte) bool {
	if !t.from.forget(t, say) {
		return false
	}
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if s.hub.transfers[t.id] == t {
		delete(s.hub.transfers, t.id)
	}
	return true
}

// forget takes a transfer off its sender, which hears say; false when it was off before.
func (c *socket) forget(t *transfer, say []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.ended {
		return false
	}
	t.ended = true
	delete(c.transfers, t.n)
	c.late += t.credits
	for i := range c.owed {
		if c.owed[i].n == t.n {
			c.late -= min(c.late, c.owed[i].chunks) // it never heard of these
			c.owed = append(c.owed[:i], c.owed[i+1:]...)
			break
		}
	}
	if t.window > 0 {
		c.s.budget.give(c.m.Drop, int64(t.window)*t.cost())
	}
	if say != nil {
		c.must(say)
	}
	return true
}

// over ends a transfer for its sender.
func (s *Service) over(t *transfer, code string) {
	if s.close(t, endFrame(t.n, code)) && code != "busy" {
		s.discard(t.id)
	}
}

// fail ends a transfer for its receiver. What waits goes with it: close has given its memory
// back, so a sender that fails again and again would fill the node. The receiver resumes with it.
func (s *Service) fail(t *transfer, code string) {
	if s.close(t, nil) {
		s.discard(t.id)
		s.pushBack(t.id, errorOctets(code))
	}
}

// stalled ends the transfers of which the receiver takes nothing, and those whose sender
// never answered. The receiver's process looks first, so this one waits a little longer.
func (s *Service) stalled(now time.Time) {
	s.hub.mu.Lock()
	var all []*transfer
	for _, t := range s.hub.transfers {
		all = append(all, t)
	}
	s.hub.mu.Unlock()
	for _, t := range all {
		t.from.mu.Lock()
		quiet := now.Sub(t.moved) > s.DropStall+s.DropStall/8
		stuck := quiet && (t.state == asked || t.waiting > 0 || t.state == finished)
		t.from.mu.Unlock()
		if stuck {
			s.over(t, "stalled")
		}
	}
}
