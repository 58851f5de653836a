package drop

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coffer/internal/db/dbtest"
	"coffer/internal/limit/limittest"
)

// Windows of 32 transfers of the largest chunks fit into what one drop gets by default, and
// all comes back.
func TestBudget(t *testing.T) {
	var s Settings
	limittest.Defaults(t, &s)
	b := newBudget(s.DropMemory)
	var windows []int
	for range s.DropGuests {
		n := b.window("a", maxChunk+slack, s.DropQueue)
		if n == 0 {
			t.Fatalf("no room after the windows %v", windows)
		}
		windows = append(windows, n)
	}
	if windows[0] < 4 {
		t.Errorf("the first window is %d", windows[0])
	}
	if n := b.window("b", minChunk+slack, s.DropQueue); n != s.DropQueue {
		t.Errorf("another drop gets a window of %d", n)
	}
	for b.take("a", maxChunk, 1) == 1 {
	}
	if used := b.used["a"]; used > s.DropMemory/4 || used < s.DropMemory/4-maxChunk {
		t.Errorf("a drop took %d of %d", used, s.DropMemory)
	}
	b.give("a", b.used["a"])
	b.give("b", int64(s.DropQueue)*(minChunk+slack))
	if len(b.used) != 0 || b.free != s.DropMemory {
		t.Errorf("%v, %d", b.used, b.free)
	}
}

// Drops that take all they get leave something to the next one.
func TestBudgetOfManyDrops(t *testing.T) {
	var s Settings
	limittest.Defaults(t, &s)
	b := newBudget(s.DropMemory)
	for i := range 10 {
		if n := b.window(fmt.Sprint(i), maxChunk+slack, s.DropQueue); n == 0 {
			t.Fatalf("after %d greedy drops the next gets no window", i)
		}
		for b.take(fmt.Sprint(i), maxBody, 1) == 1 {
		}
	}
	if n := b.take("another", maxBody, 1); n == 0 {
		t.Error("another drop has no room for a message")
	}
}

func TestSettings(t *testing.T) {
	var good Settings
	limittest.Defaults(t, &good)
	if err := good.AfterApply(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Settings){
		"COFFER_DROP_TTL":    func(s *Settings) { s.DropTTL = maxTTL + 1 },
		"COFFER_DROP_GRACE":  func(s *Settings) { s.DropGrace = 0 },
		"COFFER_DROP_STALL":  func(s *Settings) { s.DropStall = time.Millisecond },
		"COFFER_DROP_PING":   func(s *Settings) { s.DropPing = 2 * time.Hour },
		"COFFER_DROP_QUEUE":  func(s *Settings) { s.DropQueue = 0 },
		"COFFER_DROP_MEMORY": func(s *Settings) { s.DropMemory = 1 << 20 },
		"COFFER_DROP_GUESTS": func(s *Settings) { s.DropGuests = -1 },
	} {
		s := good
		change(&s)
		if err := s.AfterApply(); err == nil || !strings.HasPrefix(err.Error(), name+":") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRate(t *testing.T) {
	var r rate
	now := time.Now()
	for n := range burst {
		if r.spend(now) < 0 {
			t.Fatalf("after %d", n)
		}
	}
	if r.spend(now) >= 0 {
		t.Error("a burst has no end")
	}
	now = now.Add(time.Second)
	n := 0
	for r.spend(now) >= 0 {
		n++
	}
	if n != perSecond-1 {
		t.Errorf("%d in the second after", n)
	}
}

// A buffer holds what was asked for, whatever comes back to the pools.
func TestBuffers(t *testing.T) {
	for size := minChunk; size <= maxChunk; size *= 2 {
		want := frameHead + size + overhead + 1
		for range 3 {
			b := buffer(want)
			if len(b) != want || cap(b) > 2*size {
				t.Errorf("%d of %d for %d", len(b), cap(b), want)
			}
			recycle(b[:100])
		}
	}
	recycle(make([]byte, 10))
	recycle(make([]byte, 10<<20))
	if b := octets(frameChunk, []byte("xy")); !bytes.Equal(b, []byte{2, 0, 0, 0, 2, 'x', 'y'}) {
		t.Errorf("%v", b)
	}
}

// A receiver hears of a sender that does not accept, and of one that has gone.
func TestIdleStream(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	o, host := w.openDrop()
	guest := w.guest(o.Name, address(1))
	number, err := connect(t.Context(), w.DB, host.RID, "elsewhere", w.Now().UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	for want, f := range map[string]forwarding{
		"sender_silent": {begun: time.Now().Add(-silence), number: number},
		"sender_gone":   {begun: time.Now(), started: true, number: number - 1},
	} {
		rec := httptest.NewRecorder()
		f.s, f.m, f.sender, f.out = w.Service, guest, host.RID, &outlet{w: rec, moves: func() {}}
		over, err := f.idle(t.Context())
		if got := rec.Body.String(); !over || err != nil || !strings.HasSuffix(got, `{"code":"`+want+`"}`) || got[0] != frameError {
			t.Errorf("%s: %v %v %q", want, over, err, got)
		}
	}
	// A sender that is there keeps the stream.
	rec := httptest.NewRecorder()
	f := forwarding{s: w.Service, m: guest, sender: host.RID, out: &outlet{w: rec}, begun: time.Now(), started: true, number: number}
	if over, err := f.idle(t.Context()); over || err != nil || !bytes.Equal(rec.Body.Bytes(), []byte{0, 0, 0, 0, 0}) {
		t.Errorf("%v %v %v", over, err, rec.Body.Bytes())
	}
}

// A sender whose chunk takes long is no receiver that takes nothing.
func TestSlowChunk(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	o, host := w.openDrop()
	e := w.dial(o.Name, o.Token)
	e.want("welcome")
	c := w.local(host.Drop, host.RID)
	id := strings.Repeat("t", ridLength)
	c.asked(request{Transfer: id, From: host.RID})
	e.want("request")
	xy := strings.Repeat("A", 88)
	e.say(`{"t":"accept","n":1,"public_key":{"kty":"EC","crv":"P-521","x":"` + xy + `","y":"` + xy + `"},"sealed":"","chunk":65536}`)
	e.want("credit")
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- c.readChunk(out) }()
	if _, err := in.Write([]byte{0, 0, 0, 1, 9}); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	w.stalled(time.Now().Add(2 * w.DropStall))
	if w.transfer(id) == nil {
		t.Error("the transfer was ended while its chunk was on its way")
	}
	if err := errors.Join(in.Close(), <-done); err != nil {
		t.Error(err)
	}
	w.stalled(time.Now().Add(2 * w.DropStall))
	if w.transfer(id) != nil {
		t.Error("a chunk that nobody takes ends no transfer")
	}
}
