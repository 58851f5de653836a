package drop

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"coffer/internal/db"
	"coffer/internal/fault"
)

// texts hold text frames while they are read.
var texts = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// readText reads a text frame and does what it says.
func (c *socket) readText(r io.Reader) error {
	b := texts.Get().(*bytes.Buffer)
	defer func() { b.Reset(); texts.Put(b) }()
	// A frame that comes byte by byte would hold its buffer, which no budget counts.
	_ = c.wire.SetReadDeadline(time.Now().Add(2 * c.s.DropPing)) // fails only after the end
	defer func() { _ = c.wire.SetReadDeadline(time.Time{}) }()
	n, err := b.ReadFrom(io.LimitReader(r, maxText+1))
	if err != nil {
		return err
	}
	if n > maxText {
		return violation{closeLarge, "a text frame is longer than 64 KiB"}
	}
	left := c.rate.spend(time.Now())
	if left < -burst {
		return breach("too many frames")
	}
	var in incoming
	if err := json.Unmarshal(b.Bytes(), &in); err != nil {
		return breach("a text frame is a JSON object of this protocol")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	switch in.T {
	case "msg":
		return c.message(ctx, in, left < 0)
	case "admit", "reject":
		if !c.m.Host || !validRID(in.RID) {
			return breach("only a host admits and rejects, by rid")
		}
		if in.T == "admit" {
			return c.log(c.admit(ctx, in.RID))
		}
		return c.refuse(ctx, in.RID, in.Code)
	case "accept":
		return c.accept(ctx, in)
	case "finish", "fail":
		return c.finish(in)
	case "leave":
		if c.m.Host {
			return breach("a host closes its drop")
		}
		return c.log(c.leaveForGood(ctx))
	}
	return breach("an unknown frame")
}

// log writes down an error of a store. The connection goes on.
func (c *socket) log(err error) error {
	if err != nil {
		c.s.Log.Warn("drops: a frame could not be served", "error", err)
	}
	return nil
}

// message passes a message on to another member.
func (c *socket) message(ctx context.Context, in incoming, tooFast bool) error {
	if !validRID(in.To) || len(in.Body) < 2 || in.Body[0] != '{' {
		return breach("a message has a member to go to and an object as its body")
	}
	if len(in.Body) > maxBody {
		return violation{closeLarge, "a body is longer than 48 KiB"}
	}
	if tooFast {
		c.mustSend(errorFrame("too_fast", in.To))
		return nil
	}
	code, err := c.deliver(ctx, in)
	if err != nil {
		code = "member_gone"
	}
	if code != "" {
		c.mustSend(errorFrame(code, in.To))
	}
	return c.log(err)
}

// deliver returns the code of a message that was not delivered.
func (c *socket) deliver(ctx context.Context, in incoming) (code string, err error) {
	admitted := c.admitted.Load()
	if !admitted {
		if in.To != c.m.HostRID || c.told.Load() == maxTold || c.ending() {
			return "not_admitted", nil
		}
		defer func() {
			if code == "" && err == nil {
				c.told.Add(1)
			}
		}()
	}
	text := messageFrame(c.m.RID, in.Body)
	if to := c.s.local(c.m.Drop, in.To); to != nil {
		if !c.m.Host && !to.m.Host && !to.admitted.Load() {
			return "not_admitted", nil
		}
		if !to.send(text) {
			return "too_fast", nil
		}
		return "", nil
	}
	p, err := findPerson(ctx, c.s.DB, c.m.Drop, in.To)
	switch {
	case errors.Is(err, db.ErrNoRows):
		return "member_gone", nil
	case err != nil:
		return "", err
	case !c.m.Host && !p.Host && !p.Admitted:
		return "not_admitted", nil
	case !p.Here:
		return "member_gone", nil
	}
	return "", c.s.publish(ctx, c.m.Drop, noteMessage, in.To, text)
}

// admit lets a guest in and introduces it and the others.
func (c *socket) admit(ctx context.Context, rid string) error {
	s := c.s
	ok, err := admitGuest(ctx, s.DB, c.m.Drop, rid, s.lateBefore())
	if err == nil && !ok { // it may have been cut: its guess was right, and counts no more
		err = acquitGuest(ctx, s.DB, c.m.Drop, rid)
	}
	if err != nil || !ok {
		return err
	}
	people, err := listPeople(ctx, s.DB, c.m.Drop)
	if err != nil {
		return err
	}
	if err := s.tell(ctx, c.m.Drop, rid, noteAdmitted, nil); err != nil {
		return err
	}
	here := false
	for _, p := range people {
		switch {
		case p.RID == rid:
			here = p.Here
		case p.Admitted && !p.Host:
			if err := s.tell(ctx, c.m.Drop, rid, noteFrame, memberFrame(p.RID, false, p.Here, false)); err != nil {
				return err
			}
		}
	}
	return s.publish(ctx, c.m.Drop, noteAll, rid, memberFrame(rid, false, here, false))
}

// refuse ends a guest that the host does not let in, and counts its address.
func (c *socket) refuse(ctx context.Context, rid, code string) error {
	if code != "wrong" && code != "burnt" && code != "full" {
		return breach("a guest is rejected as wrong, burnt or full")
	}
	address, err := rejectGuest(ctx, c.s.DB, c.m.Drop, rid)
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err == nil && code != "full" {
		err = c.s.countGuess(ctx, c.m.Drop, address)
	}
	return c.log(errors.Join(err, c.s.tell(ctx, c.m.Drop, rid, noteOut, []byte(code))))
}

// countGuess counts a guest's address that the host did not let in.
func (s *Service) countGuess(ctx context.Context, drop string, address []byte) error {
	err := s.Limit.Take(ctx, s.reject, rejectKey(drop, address))
	if err != nil && fault.Of(err).Kind == fault.Limited {
		return nil
	}
	return err
}

// leaveForGood removes a guest.
func (c *socket) leaveForGood(ctx context.Context) error {
	s := c.s
	deleted, err := deleteGuest(ctx, s.DB, c.m.Drop, c.m.RID)
	if err == nil && deleted {
		err = s.publish(ctx, c.m.Drop, noteAll, c.m.RID, memberFrame(c.m.RID, false, false, true))
	}
	c.end(nil, closeNormal)
	return err
}
