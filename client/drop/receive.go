package drop

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"coffer/client"
)

// incoming is one transfer to this member.
type incoming struct {
	from    rid
	answers chan string // tags of verified
}

func (in *incoming) answer(tag string) {
	select {
	case in.answers <- tag:
	default: // more than an honest sender says
	}
}

// sinkError is an error of this device, which no other attempt mends.
type sinkError struct{ err error }

func (e sinkError) Error() string { return e.err.Error() }
func (e sinkError) Unwrap() error { return e.err }

// reception is one item on its way to this member, over all its attempts.
type reception struct {
	m     *Member
	item  Item
	owner rid
	sink  Sink

	loaded bool  // held and digest are known
	proved bool  // the sender has agreed to them; before, the sink only claims
	held   int64 // chunks from the start
	digest digest
	told   time.Time // of the last notice
	acked  time.Time
}

func (r *reception) count() int64 { return chunksOf(r.item.Size, r.item.Chunk) }
func (r *reception) whole() bool  { return r.proved && r.held == r.count() }
func (r *reception) bytes() int64 { return min(r.held*int64(r.item.Chunk), r.item.Size) }

// Receive brings an item into the sink. It continues what the sink holds, if the sender
// proves that it fits. It tries again after each cut, until ctx ends, the drop ends, or a
// refusal is final: [ErrUnknownFile], [ErrChanged], [ErrCancelled], [ErrSenderGone],
// [ErrTampered], [ErrTruncated], or an error of the sink. Without an error the sink holds
// the whole item. Eight run at once; more wait.
func (m *Member) Receive(ctx context.Context, item Item, sink Sink) error {
	r := &reception{m: m, item: item, sink: sink}
	if err := r.owner.UnmarshalText([]byte(item.Owner)); err != nil || !goodChunk(item.Chunk) || item.Size < 0 {
		return ErrUnknownFile
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(m.ctx, func() { cancel(m.Err()) })()
	select {
	case m.receiving <- struct{}{}:
		defer func() { <-m.receiving }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	pause := firstPause
	for asked := 0; ; {
		moved := m.movement()
		before, waiting := r.held, r.whole()
		confirmed, err := r.attempt(ctx)
		if err == nil && confirmed {
			m.notes.tell(Notice{Event: Received, Person: m.person(r.owner), Item: item, Bytes: item.Size})
			return nil
		}
		// Once all was there, only the sender's word is missing.
		if r.whole() && (waiting || err == nil) && !errors.Is(err, ErrTooOften) {
			if asked++; asked > askTimes || ctx.Err() != nil || final(err) {
				m.notes.tell(Notice{Event: Received, Person: m.person(r.owner), Item: item, Bytes: item.Size, Err: ErrUnconfirmed})
				return nil
			}
		}
		var local sinkError
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &local) || final(err):
			return err
		case err == nil:
			continue // whole, and asked to confirm
		}
		if r.held > before {
			pause = firstPause
		}
		m.notes.tell(Notice{Event: Retrying, Person: m.person(r.owner), Item: item, Bytes: r.bytes(), Err: err})
		if !errors.Is(err, ErrAway) {
			moved = nil
		}
		var said *client.Error
		if errors.As(err, &said) {
			pause = max(pause, said.RetryAfter)
		}
		select {
		case <-time.After(pause):
			pause = min(2*pause, longPause)
		case <-moved:
			pause = firstPause
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// movement is closed when the connection or the people change.
func (m *Member) movement() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.moved
}

// load reads what the sink holds, and its digest.
func (r *reception) load(ctx context.Context) error {
	size, err := r.sink.Size()
	if err != nil {
		return sinkError{err}
	}
	r.held, r.digest = size/int64(r.item.Chunk), firstDigest(r.item.Chunk)
	switch {
	case size > r.item.Size || size == 0:
		r.held = 0
	case size == r.item.Size:
		r.held = r.count()
	}
	buf := getBuffer(r.item.Chunk)
	defer putBuffer(buf)
	for i := range r.held {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		off := i * int64(r.item.Chunk)
		plain := (*buf)[:min(int64(r.item.Chunk), r.item.Size-off)]
		if n, err := r.sink.ReadAt(plain, off); n < len(plain) {
			return sinkError{fmt.Errorf("reading the part: %w", err)}
		}
		r.digest = r.digest.next(plain)
	}
	if size != r.bytes() {
		if err := r.sink.Truncate(r.bytes()); err != nil {
			return sinkError{err}
		}
	}
	r.loaded = true
	return nil
}

// ask asks for the item. The transfer's id is the server's.
func (r *reception) ask(ctx context.Context, secret *ecdh.PrivateKey) (id string, err error) {
	m := r.m
	w := wanted{From: r.held}
	if r.held > 0 {
		w.Digest = b64(r.digest[:])
	}
	plain, err := json.Marshal(w)
	if err != nil {
		return "", err
	}
	pk := secret.PublicKey()
	m.mu.Lock()
	p := m.people[r.owner]
	if p == nil {
		m.mu.Unlock()
		return "", ErrSenderGone
	}
	sealed := p.out.seal("request", m.counter.next(), plain, []byte(r.item.ID), pk.Bytes())
	m.mu.Unlock()
	in := struct {
		FileID    string `json:"file_id"`
		PublicKey jwk    `json:"public_key"`
		Sealed    string `json:"sealed"`
	}{r.item.ID, jwkOf(pk), sealed}
	var out struct {
		ID string `json:"id"`
	}
	if err := m.call(ctx, "POST", in, &out, "drops", m.Name(), "transfers"); err != nil {
		return "", transferRefusal(err)
	}
	if _, err := fromB64(out.ID, 16); err != nil {
		return "", ErrTampered
	}
	return out.ID, nil
}

// transferRefusal translates what the server says to a transfer.
func transferRefusal(err error) error {
	switch client.Code(err) {
	case "file_not_found":
		return fmt.Errorf("%w: %w", ErrAway, err)
	case "too_many_transfers":
		return fmt.Errorf("%w: %w", ErrBusy, err)
	case "rate_limited":
		return fmt.Errorf("%w: %w", ErrTooOften, err)
	}
	return err
}

// attempt is one transfer. It reports whether the sender has confirmed the whole.
func (r *reception) attempt(ctx context.Context) (confirmed bool, err error) {
	m := r.m
	if !r.loaded {
		if err := r.load(ctx); err != nil {
			return false, err
		}
		r.progress(true)
	}
	secret, err := ecdh.P521().GenerateKey(rand.Reader)
	if err != nil {
		return false, err
	}
	id, err := r.ask(ctx, secret)
	if err != nil {
		return false, err
	}
	in := &incoming{from: r.owner, answers: make(chan string, 8)}
	m.mu.Lock()
	m.incoming[id] = in
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.incoming, id)
	}()
	ack, err := r.stream(ctx, id, secret)
	if err != nil {
		return false, err
	}
	if err := r.sink.Sync(); err != nil {
		return false, sinkError{err}
	}
	m.notes.tell(Notice{Event: Checking, Person: m.person(r.owner), Item: r.item, Bytes: r.item.Size})
	return r.confirm(ctx, id, ack, in), nil
}

// confirm tells the sender that all is here, and waits for its answer.
func (r *reception) confirm(ctx context.Context, id string, ack []byte, in *incoming) bool {
	late := time.After(askAgain)
	_ = r.m.tell(r.owner, body{K: "done", Transfer: id, Tag: b64(doneTag(ack, r.item.ID, r.item.Size, r.digest[:]))})
	for {
		select {
		case text := <-in.answers:
			if tag, err := fromB64(text, 32); err == nil && sameTag(verifiedTag(ack, r.digest[:]), tag) {
				return true
			}
			r.m.suspect(r.owner, fmt.Errorf("%w: a confirmation has a wrong tag", ErrTampered))
		case <-late:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// stream reads the transfer's chunks into the sink and returns the key for its tags.
func (r *reception) stream(ctx context.Context, id string, secret *ecdh.PrivateKey) (ack []byte, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(silentTime, func() { cancel(ErrCut) })
	defer silence.Stop()
	req, err := http.NewRequestWithContext(ctx, "GET", r.m.base.JoinPath("v1", "drops", r.m.Name(), "transfers", id, "stream").String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Drop "+r.m.token)
	req.Header.Set("Accept", "application/octet-stream")
	res, err := r.m.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCut, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, transferRefusal(refusal(client.ReadError(res)))
	}
	p := &parts{from: res.Body}
	s, err := readHead(p, silence)
	if err != nil {
		return nil, err
	}
	keys, from, err := r.agree(id, secret, s)
	if err != nil {
		return nil, err
	}
	if err := r.startAt(from); err != nil {
		return nil, err
	}
	r.proved = true
	return keys.ack, r.take(ctx, p, id, keys, cancel, silence)
}

// readHead reads up to the start of a stream.
func readHead(p *parts, silence *time.Timer) (start, error) {
	for {
		kind, payload, err := p.next(nil)
		if err != nil {
			return start{}, fmt.Errorf("%w: %w", ErrCut, err)
		}
		silence.Reset(silentTime)
		switch kind {
		case partAlive:
		case partStart:
			s, err := readStart(payload)
			if err != nil {
				return start{}, fmt.Errorf("%w: %w", ErrTampered, err)
			}
			return s, nil
		case partError:
			return start{}, streamError(payload)
		default:
			return start{}, fmt.Errorf("%w: the stream does not begin with its start", ErrTampered)
		}
	}
}

// streamError is the error that a stream tells. An unknown one is a cut: the next attempt
// may pass.
func streamError(payload []byte) error {
	code := readCode(payload)
	if err := streamRefusals[code]; err != nil {
		return err
	}
	return fmt.Errorf("%w (%s)", ErrCut, clean(code, 40))
}

// agree checks the sender's answer and derives the keys.
func (r *reception) agree(id string, secret *ecdh.PrivateKey, s start) (keys transferKeys, from int64, err error) {
	pub, pkS, err := s.PublicKey.point()
	if err != nil {
		return keys, 0, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	m := r.m
	m.mu.Lock()
	p := m.people[r.owner]
	m.mu.Unlock()
	if p == nil {
		return keys, 0, ErrSenderGone
	}
	raw, err := fromB64(id, 16)
	if err != nil {
		return keys, 0, err
	}
	pkR := secret.PublicKey().Bytes()
	_, plain, err := p.in.open("accept", s.Sealed, raw, pkR, pkS)
	if err != nil {
		return keys, 0, fmt.Errorf("%w: the sender's answer does not open", ErrTampered)
	}
	a, err := readAgreed(plain)
	if err != nil || a.Size != r.item.Size || a.Chunk != r.item.Chunk || s.Chunk != a.Chunk {
		return keys, 0, fmt.Errorf("%w: the sender's answer is about another item", ErrTampered)
	}
	if a.From != 0 && (a.From != r.held || a.Digest != b64(r.digest[:])) {
		return keys, 0, fmt.Errorf("%w: the sender continues at a place that was not asked for", ErrTampered)
	}
	shared, err := secret.ECDH(pub)
	if err != nil {
		return keys, 0, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	return newTerms(raw, r.item, m.id, r.owner, pkR, pkS, a.From).keys(shared, m.group), a.From, nil
}

// startAt drops what the sender does not continue.
func (r *reception) startAt(from int64) error {
	if from == r.held {
		return nil
	}
	r.held, r.digest = 0, firstDigest(r.item.Chunk)
	if err := r.sink.Truncate(0); err != nil {
		return sinkError{err}
	}
	return nil
}

// opened is a chunk that is ready to be written.
type opened struct {
	buf   *[]byte
	plain []byte
}

// take brings the chunks into the sink. One goroutine reads and opens the next chunk while
// the other digests and writes. It fails unless every chunk was there.
func (r *reception) take(ctx context.Context, p *parts, id string, keys transferKeys, cancel context.CancelCauseFunc, silence *time.Timer) error {
	ready := make(chan opened, 1)
	stopped := make(chan struct{})
	var readErr error
	from := r.held
	go func() {
		defer close(ready)
		readErr = r.openAll(p, keys.stream, from, ready, stopped, silence)
	}()
	var err error
	for o := range ready {
		if err == nil {
			if err = context.Cause(ctx); err == nil {
				err = r.write(o.plain, id, keys.ack)
			}
			if err != nil {
				close(stopped)
				cancel(err)
			}
		}
		putBuffer(o.buf)
	}
	switch {
	case err != nil:
		return err
	case readErr != nil:
		return readErr
	case !r.whole():
		return ErrTruncated
	}
	return nil
}

// openAll reads parts to the end of the stream and opens their chunks.
func (r *reception) openAll(p *parts, s *stream, from int64, ready chan<- opened, stopped <-chan struct{}, silence *time.Timer) error {
	for i := from; ; {
		buf := getBuffer(r.item.Chunk)
		kind, payload, err := p.next((*buf)[:0])
		if err != nil {
			putBuffer(buf)
			return fmt.Errorf("%w: %w", ErrCut, err)
		}
		silence.Reset(silentTime)
		switch kind {
		case partAlive:
		case partChunk:
			plain, err := s.open(i, payload)
			if err != nil {
				putBuffer(buf)
				return fmt.Errorf("%w: %w", ErrTampered, err)
			}
			i++
			select {
			case ready <- opened{buf, plain}:
				continue
			case <-stopped:
			}
		case partEnd:
			putBuffer(buf)
			return nil // whether it was the end of the item, take says
		case partError:
			err := streamError(payload)
			putBuffer(buf)
			return err
		default:
			putBuffer(buf)
			return fmt.Errorf("%w: a second start", ErrTampered)
		}
		putBuffer(buf)
		select {
		case <-stopped:
			return nil
		default:
		}
	}
}

// write keeps one chunk.
func (r *reception) write(plain []byte, id string, ack []byte) error {
	if len(plain) > 0 {
		if _, err := r.sink.WriteAt(plain, r.held*int64(r.item.Chunk)); err != nil {
			return sinkError{err}
		}
	}
	r.digest = r.digest.next(plain)
	r.held++
	r.progress(false)
	if now := time.Now(); now.Sub(r.acked) >= ackPause {
		r.acked = now
		held := r.held
		_ = r.m.tell(r.owner, body{K: "ack", Transfer: id, Chunks: &held, Tag: b64(ackTag(ack, held))})
	}
	return nil
}

// progress tells how much is held, at most ten times a second.
func (r *reception) progress(now bool) {
	if t := time.Now(); now || t.Sub(r.told) >= 100*time.Millisecond {
		r.told = t
		r.m.notes.tell(Notice{Event: Receiving, Person: r.m.person(r.owner), Item: r.item, Bytes: r.bytes()})
	}
}
