package drop

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"os"
	"time"

	"coffer/internal/db"
	"coffer/internal/kv"
)

const (
	silence   = 30 * time.Second // until an accept
	pulse     = 15 * time.Second // between keep-alives
	looksTime = 5 * time.Second  // between two looks at a sender of which nothing comes
	piece     = 256 << 10        // of a chunk, after which the receiver has moved
	movesTime = 5 * time.Second  // between two notes that it has
)

// take gives a transfer's stream to this process, once.
func (s *Service) take(ctx context.Context, m member, id string) (sender string, err error) {
	sender, err = takeTransfer(ctx, s.DB, hexDigest(id), m, s.node)
	if !errors.Is(err, db.ErrNoRows) {
		return sender, err
	}
	has, err := hasTransfer(ctx, s.DB, hexDigest(id), m)
	switch {
	case err != nil:
		return "", err
	case has:
		return "", errStreamed
	}
	return "", errNoTransfer
}

// forward sends a transfer to its receiver until it ends. Then it tells the sender's process.
func (s *Service) forward(ctx context.Context, m member, id, sender string, out *outlet) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.drained, cancel)()
	f := &forwarding{s: s, m: m, id: id, sender: sender, out: out, begun: time.Now(), noted: time.Now(), pulsed: time.Now()}
	out.moves = f.moves
	if f.number, err = findConnection(ctx, s.DB, m.Drop, sender); err != nil && !errors.Is(err, db.ErrNoRows) {
		s.Log.Warn("drops: cannot look for a sender", "error", err) // the transfer ends as sender_gone
	}
	code, err := f.open(ctx)
	s.ended.With(cmp.Or(code, "failed")).Inc()
	// The receiver may be gone, so its context is too.
	ctx, end := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer end()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		code = "stalled"
	}
	if code != "" {
		if terr := s.tellSender(ctx, m.Drop, id, noteOver, code); terr != nil {
			s.Log.Warn("drops: a sender could not be told of the end", "error", terr)
		}
	}
	if terr := errors.Join(s.Bus.Discard(ctx, queueOf(id)), deleteTransfer(ctx, s.DB, hexDigest(id))); terr != nil {
		s.Log.Warn("drops: a transfer could not be removed", "error", terr)
	}
	return err
}

// forwarding is one transfer on its way to its receiver.
type forwarding struct {
	s          *Service
	m          member
	id, sender string
	out        *outlet
	begun      time.Time
	started    bool
	noted      time.Time
	pulsed     time.Time
	number     int64 // of the sender's connection: with another the transfer is lost
}

// moves tells the sender's process now and then that a chunk is being taken.
func (f *forwarding) moves() {
	if now := time.Now(); now.Sub(f.noted) > min(movesTime, f.s.DropStall/4) {
		f.noted = now
		f.note(noteMoves)
	}
}

func (f *forwarding) note(kind byte) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := f.s.tellSender(ctx, f.m.Drop, f.id, kind, ""); err != nil {
		f.s.Log.Warn("drops: a sender could not be told of its credit", "error", err)
	}
}

// open tells the receiver that its stream is open, and is run. A receiver that is gone by then
// ends a transfer as every other: its row would count as one that it receives.
func (f *forwarding) open(ctx context.Context) (code string, err error) {
	if err := http.NewResponseController(f.out.w).Flush(); err != nil {
		return "receiver_gone", err
	}
	return f.run(ctx)
}

// run returns what the sender is told, or "" when it knows.
func (f *forwarding) run(ctx context.Context) (code string, err error) {
	const gone = "receiver_gone"
	for {
		wait := looksTime
		if !f.started {
			wait = min(looksTime, max(time.Millisecond, silence-time.Since(f.begun)))
		}
		b, err := f.s.Bus.Pop(ctx, queueOf(f.id), wait)
		switch {
		case errors.Is(err, kv.ErrMissing):
			if over, err := f.idle(ctx); over || err != nil {
				return gone, err
			}
			continue
		case f.s.drained.Err() != nil:
			return gone, f.out.write(errorOctets("reconnect"))
		case ctx.Err() != nil:
			return gone, ctx.Err()
		case err != nil: // the bus is away, and with it the transfer
			f.s.Log.Warn("drops: a queue could not be read", "error", err)
			return gone, f.out.write(errorOctets("reconnect"))
		}
		if err := f.out.write(b); err != nil {
			return gone, err
		}
		switch b[0] {
		case frameStart:
			f.started = true
		case frameChunk:
			f.s.passed.Add(int64(len(b) - frameHead))
			recycle(b)
			f.noted = time.Now()
			f.note(noteTaken)
		case frameEnd:
			return "delivered", nil
		case frameError:
			return "", nil
		}
	}
}

// idle keeps a stream alive to which nothing comes, unless its sender is not there any more.
func (f *forwarding) idle(ctx context.Context) (over bool, err error) {
	if !f.started && time.Since(f.begun) >= silence {
		return true, f.out.write(errorOctets("sender_silent"))
	}
	number, err := findConnection(ctx, f.s.DB, f.m.Drop, f.sender)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		f.s.Log.Warn("drops: cannot look for a sender", "error", err)
	} else if err != nil || number == 0 || number != f.number {
		return true, f.out.write(errorOctets("sender_gone"))
	}
	if time.Since(f.pulsed) < pulse {
		return false, nil
	}
	f.pulsed = time.Now()
	return false, f.out.write(octets(frameAlive, nil))
}

// outlet writes frames as the receiver wants them.
type outlet struct {
	w      http.ResponseWriter
	events bool   // server-sent events in place of octets
	moves  func() // called after each piece
	text   []byte
}

// write sends one frame.
func (o *outlet) write(b []byte) error {
	if o.events {
		b = o.event(b)
	}
	for len(b) > piece+piece/2 { // no short last piece
		if _, err := o.w.Write(b[:piece]); err != nil {
			return err
		}
		b = b[piece:]
		o.moves()
	}
	if _, err := o.w.Write(b); err != nil {
		return err
	}
	return http.NewResponseController(o.w).Flush()
}

// event is a frame as a server-sent event (WHATWG HTML §9.2). The base64 of a chunk is one
// line.
func (o *outlet) event(b []byte) []byte {
	kind, payload := b[0], b[frameHead:]
	t := o.text[:0]
	switch kind {
	case frameAlive:
		return append(t, ":\n\n"...)
	case frameStart:
		t = append(append(t, "event: start\ndata: "...), payload...)
	case frameChunk:
		t = base64.StdEncoding.AppendEncode(append(t, "event: chunk\ndata: "...), payload)
	case frameEnd:
		t = append(t, "event: end\ndata: {}"...)
	case frameError:
		t = append(append(t, "event: error\ndata: "...), payload...)
	}
	o.text = append(t, "\n\n"...)
	return o.text
}
