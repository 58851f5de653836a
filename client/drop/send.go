package drop

import (
	"cmp"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// frameHead is the u32 n before a chunk.
const frameHead = 4

// buffers are for chunks, one pool for each length: 64 KiB, 128 KiB, … 1 MiB. A buffer has
// room for the frame's head and GCM's tag.
var buffers [5]sync.Pool

func getBuffer(chunk int) *[]byte {
	i := bits.TrailingZeros(uint(chunk / minChunk))
	if b, ok := buffers[i].Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, frameHead+chunk+overhead)
	return &b
}

func putBuffer(b *[]byte) {
	chunk := len(*b) - frameHead - overhead
	buffers[bits.TrailingZeros(uint(chunk/minChunk))].Put(b)
}

// outgoing is one transfer to one receiver.
type outgoing struct {
	n    uint32
	id   string
	to   rid
	item *offered
	ack  []byte
	ctx  context.Context
	stop context.CancelCauseFunc

	mu      sync.Mutex
	credits int
	more    chan struct{} // has room for one word that credits came
	sent    int64         // chunks that the receiver can have
	acked   int64
	whole   digest // of the item; set when all was sent
	all     bool
	unequal bool // a done had a wrong tag

	once      sync.Once
	delivered chan struct{} // closed: the receiver's stream took everything
	verified  chan struct{} // closed: the receiver has proved that it holds everything
}

// credit adds to a transfer's credits.
func (l *link) credit(n uint32, chunks int) {
	l.mu.Lock()
	o := l.outgoing[n]
	l.mu.Unlock()
	if o == nil || chunks <= 0 {
		return
	}
	o.mu.Lock()
	o.credits = min(o.credits+chunks, 1<<20)
	o.mu.Unlock()
	select {
	case o.more <- struct{}{}:
	default:
	}
}

// pay waits for a credit and takes it.
func (o *outgoing) pay() error {
	for {
		o.mu.Lock()
		if o.credits > 0 {
			o.credits--
			o.mu.Unlock()
			return nil
		}
		o.mu.Unlock()
		select {
		case <-o.more:
		case <-o.ctx.Done():
			return context.Cause(o.ctx)
		}
	}
}

// requested answers a request in a goroutine of its own: one receiver never waits for
// another.
func (m *Member) requested(l *link, f frame) {
	m.serving.Add(1)
	go func() {
		defer m.serving.Done()
		o, code, err := m.admitRequest(l, f)
		n := Notice{Event: NotSent, Person: m.person(f.From)}
		if o != nil {
			code, err = m.serve(l, o, f)
			n.Item = o.item.item
			m.forget(l, o)
		}
		if code != "" {
			_ = l.post(endFrame{"fail", f.N, code})
		}
		switch {
		case err == nil || errors.Is(err, errAsked):
			return
		case errors.Is(err, ErrTampered):
			m.suspect(f.From, err)
		}
		n.Err = err
		m.notes.tell(n)
	}()
}

// admitRequest finds what a request asks for and makes its transfer. A transfer that is
// returned holds its item.
func (m *Member) admitRequest(l *link, f frame) (*outgoing, string, error) {
	if _, err := fromB64(f.Transfer, 16); err != nil {
		return nil, "cancelled", fmt.Errorf("%w: a transfer without a name", ErrTampered)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var item *offered
	for _, o := range m.own {
		if o.item.ID == f.FileID {
			item = o
		}
	}
	if item == nil {
		return nil, "unknown_file", ErrUnknownFile
	}
	if _, again := m.outgoing[f.Transfer]; again {
		return nil, "", fmt.Errorf("%w: a transfer was named twice", ErrTampered)
	}
	running := 0
	for _, o := range m.outgoing {
		if !o.finished() {
			running++
		}
	}
	if running >= maxSending || len(m.outgoing) >= 4*maxSending && !m.makeRoom() {
		return nil, "busy", ErrBusy
	}
	o := &outgoing{
		n: f.N, id: f.Transfer, to: f.From, item: item, more: make(chan struct{}, 1),
		delivered: make(chan struct{}), verified: make(chan struct{}),
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, again := l.outgoing[f.N]; again || l.ctx.Err() != nil {
		return nil, "", fmt.Errorf("%w: a number was used twice", ErrTampered)
	}
	if !item.use() {
		return nil, "unknown_file", ErrUnknownFile
	}
	o.ctx, o.stop = context.WithCancelCause(l.ctx)
	l.outgoing[f.N] = o
	m.outgoing[f.Transfer] = o
	return o, "", nil
}

// makeRoom ends a transfer that was delivered and waits for its receiver's last word: the oldest of
// the receiver that owes most. Otherwise one that never confirms would keep others out. It reports
// whether there was one. m.mu is held.
func (m *Member) makeRoom() bool {
	owed := map[rid][]*outgoing{}
	var most []*outgoing
	for _, o := range m.outgoing {
		if !o.unconfirmed() {
			continue
		}
		owed[o.to] = append(owed[o.to], o)
		if len(owed[o.to]) > len(most) {
			most = owed[o.to]
		}
	}
	if len(most) == 0 {
		return false
	}
	oldest := slices.MinFunc(most, func(a, b *outgoing) int { return cmp.Compare(a.n, b.n) })
	delete(m.outgoing, oldest.id)
	oldest.stop(ErrUnconfirmed)
	return true
}

// unconfirmed reports whether the receiver's stream took everything, and its word is missing.
func (o *outgoing) unconfirmed() bool {
	select {
	case <-o.verified:
		return false
	default:
	}
	select {
	case <-o.delivered:
		return true
	default:
		return false
	}
}

// finished reports whether all was sent.
func (o *outgoing) finished() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all
}

// forget ends a transfer.
func (m *Member) forget(l *link, o *outgoing) {
	o.stop(ErrCancelled)
	l.mu.Lock()
	delete(l.outgoing, o.n)
	l.mu.Unlock()
	m.mu.Lock()
	delete(m.outgoing, o.id)
	m.mu.Unlock()
	o.item.drop()
}

// errAsked ends a transfer whose receiver has asked anew.
var errAsked = errors.New("drop: the receiver asked again")

// supersede ends older transfers of the same item to the same receiver.
func (m *Member) supersede(o *outgoing) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, other := range m.outgoing {
		if other != o && other.to == o.to && other.item == o.item {
			other.stop(errAsked)
		}
	}
}

// serve plays the sender's part of one transfer. The code is for fail, "" when the server
// already knows.
func (m *Member) serve(l *link, o *outgoing, f frame) (code string, err error) {
	keys, from, err := m.accept(l, o, f)
	var whole digest
	if err == nil {
		whole, err = m.sendChunks(l, o, keys, from)
	}
	if err == nil && o.item.src.Changed() {
		err = ErrChanged
	}
	switch {
	case err == nil:
	case errors.Is(err, ErrChanged):
		o.item.forget()
		return "changed", err
	case o.ctx.Err() != nil:
		return "", context.Cause(o.ctx)
	default:
		return "cancelled", err
	}
	o.mu.Lock()
	o.whole, o.all = whole, true
	o.mu.Unlock()
	if err := l.sendJSON(endFrame{T: "finish", N: o.n}); err != nil {
		return "", err
	}
	return "", o.settle()
}

// settle waits for the receiver's last word. It may come before the server's.
func (o *outgoing) settle() error {
	select {
	case <-o.delivered:
	case <-o.verified:
		return nil
	case <-o.ctx.Done():
		return o.outcome(context.Cause(o.ctx))
	}
	select {
	case <-o.verified:
		return nil
	case <-o.ctx.Done():
		return o.outcome(context.Cause(o.ctx))
	case <-time.After(lingerTime):
		return o.outcome(ErrUnconfirmed)
	}
}

// outcome is err, unless the receiver was told to hold something else.
func (o *outgoing) outcome(err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.unequal && !errors.Is(err, errAsked) {
		return ErrUnequal
	}
	return err
}

// accept checks a request and agrees to it.
func (m *Member) accept(l *link, o *outgoing, f frame) (keys transferKeys, from int64, err error) {
	pub, pkR, err := f.PublicKey.point()
	if err != nil {
		return keys, 0, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	m.mu.Lock()
	p := m.people[f.From]
	m.mu.Unlock()
	if p == nil {
		return keys, 0, fmt.Errorf("%w: a request of a stranger", ErrTampered)
	}
	n, plain, err := p.in.open("request", f.Sealed, []byte(f.FileID), pkR)
	if err != nil {
		return keys, 0, fmt.Errorf("%w: a request does not open", ErrTampered)
	}
	m.mu.Lock()
	fresh := p.requests.take(n)
	m.mu.Unlock()
	if !fresh {
		return keys, 0, fmt.Errorf("%w: a request came twice", ErrTampered)
	}
	held, heldDigest, err := readWanted(plain)
	if err != nil {
		return keys, 0, fmt.Errorf("%w: a request says nothing", ErrTampered)
	}
	m.supersede(o)
	if o.item.src.Changed() {
		return keys, 0, ErrChanged
	}
	terms := agreed{Size: o.item.item.Size, Chunk: o.item.item.Chunk}
	if held > 0 && held <= o.item.count() {
		own, err := o.item.prefix(m.ctx, held)
		if err != nil {
			return keys, 0, err
		}
		if own == heldDigest {
			terms.From, terms.Digest = held, b64(own[:])
		}
	}
	secret, err := ecdh.P521().GenerateKey(rand.Reader)
	if err != nil {
		return keys, 0, err
	}
	shared, err := secret.ECDH(pub)
	if err != nil {
		return keys, 0, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	id, _ := fromB64(o.id, 16)
	pkS := secret.PublicKey().Bytes()
	keys = newTerms(id, o.item.item, f.From, m.id, pkR, pkS, terms.From).keys(shared, m.group)
	o.mu.Lock()
	o.ack, o.sent, o.acked = keys.ack, terms.From, terms.From
	o.mu.Unlock()
	sealed, err := json.Marshal(terms)
	if err != nil {
		return keys, 0, err
	}
	m.mu.Lock()
	number := m.counter.next()
	m.mu.Unlock()
	err = l.sendJSON(acceptFrame{
		T: "accept", N: o.n, PublicKey: jwkOf(secret.PublicKey()), Chunk: terms.Chunk,
		Sealed: p.out.seal("accept", number, sealed, id, pkR, pkS),
	})
	return keys, terms.From, err
}

func newTerms(id []byte, i Item, receiver, sender rid, pkR, pkS []byte, from int64) terms {
	return terms{transfer: id, file: i.ID, receiver: receiver, sender: sender, pkR: pkR, pkS: pkS, size: i.Size, chunk: i.Chunk, from: from}
}

// sealedChunk is a frame that is ready to be sent.
type sealedChunk struct {
	buf   *[]byte
	frame []byte
	index int64
}

// sendChunks sends all chunks from one on, and returns the item's digest. One goroutine
// reads, digests and seals the next chunk while the other sends. A chunk is read only when
// there is a credit for it, so a slow receiver holds no memory here.
func (m *Member) sendChunks(l *link, o *outgoing, keys transferKeys, from int64) (digest, error) {
	ready := make(chan sealedChunk)
	whole, err := digest{}, error(nil)
	go func() {
		defer close(ready)
		whole, err = o.prepare(keys.stream, from, ready)
	}()
	for c := range ready {
		o.mu.Lock()
		o.sent = c.index + 1 // before the write: its ack may be quick
		o.mu.Unlock()
		sendErr := l.send(websocket.MessageBinary, c.frame)
		putBuffer(c.buf)
		if sendErr != nil {
			o.stop(ErrCut)
		}
	}
	return whole, err
}

func (o *outgoing) prepare(s *stream, from int64, ready chan<- sealedChunk) (digest, error) {
	d, known := o.item.digestAt(from)
	if !known {
		return digest{}, errors.New("drop: internal error: a transfer begins where nobody has read")
	}
	for i := from; i < o.item.count(); i++ {
		if err := o.pay(); err != nil {
			return digest{}, err
		}
		buf := getBuffer(o.item.item.Chunk)
		plain := (*buf)[frameHead : frameHead+s.length(i)]
		if err := o.item.read(plain, i); err != nil {
			putBuffer(buf)
			return digest{}, err
		}
		// The sender digests each chunk once, for all receivers. If the file has changed
		// since, the receiver's own digest differs.
		if seen, ok := o.item.digestAt(i + 1); ok {
			d = seen
		} else {
			d = d.next(plain)
			o.item.extend(i+1, d)
		}
		binary.BigEndian.PutUint32(*buf, o.n)
		sealed := s.seal(i, plain)
		select {
		case ready <- sealedChunk{buf, (*buf)[:frameHead+len(sealed)], i}:
		case <-o.ctx.Done():
			putBuffer(buf)
			return digest{}, context.Cause(o.ctx)
		}
	}
	return d, nil
}

// lingerTime is how long a sender waits for a receiver's last word after the last chunk.
const lingerTime = 5 * time.Minute

// over takes the server's word that a transfer has ended.
func (l *link) over(n uint32, code string) {
	l.mu.Lock()
	o := l.outgoing[n]
	l.mu.Unlock()
	switch {
	case o == nil:
	case code == "delivered":
		o.once.Do(func() { close(o.delivered) })
	case streamRefusals[code] != nil:
		o.stop(streamRefusals[code])
	default:
		o.stop(ErrCut)
	}
}

// signed takes a receiver's ack or done. Only the receiver has the key of its tag.
func (m *Member) signed(from rid, b body) {
	m.mu.Lock()
	o := m.outgoing[b.Transfer]
	m.mu.Unlock()
	tag, err := fromB64(b.Tag, 32)
	if o == nil || o.to != from || err != nil {
		return
	}
	item := o.item.item
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ack == nil {
		return
	}
	if b.K == "ack" {
		if b.Chunks == nil || *b.Chunks <= o.acked || *b.Chunks > o.sent || !sameTag(ackTag(o.ack, *b.Chunks), tag) {
			return
		}
		o.acked = *b.Chunks
		m.notes.tell(Notice{Event: Sending, Person: m.person(from), Item: item, Bytes: min(o.acked*int64(item.Chunk), item.Size)})
		return
	}
	select {
	case <-o.verified:
		return
	default:
	}
	if !o.all {
		return
	}
	if !sameTag(doneTag(o.ack, item.ID, item.Size, o.whole[:]), tag) {
		// Somebody forged the tag, or the content changed under the reader's hand. The
		// receiver asks again; then the content is read anew.
		o.unequal = true
		o.item.forget()
		go m.suspect(from, ErrUnequal)
		return
	}
	close(o.verified)
	_ = m.tell(from, body{K: "verified", Transfer: o.id, Tag: b64(verifiedTag(o.ack, o.whole[:]))})
	m.notes.tell(Notice{Event: Verified, Person: m.person(from), Item: item, Bytes: item.Size})
}
