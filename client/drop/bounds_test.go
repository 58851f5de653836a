package drop

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestRelayRepeatsAfterGone: what was heard stays heard when the server says that its sender left
// and came back.
func TestRelayRepeatsAfterGone(t *testing.T) {
	t.Parallel()
	r, host, guest := pair(t)
	var said []map[string]any
	var asked map[string]any
	r.lie(lies{message: func(from, _ *relayed, body map[string]any) []map[string]any {
		if from.host {
			said = append(said, body)
		}
		return []map[string]any{body}
	}, request: func(f map[string]any) []map[string]any {
		asked = f
		return []map[string]any{f}
	}})
	item, _ := give(t, host, guest, []byte("x"), "x")
	if err := guest.Receive(soon(t), item, &memory{}); err != nil {
		t.Fatal(err)
	}
	host.Withdraw(item.ID)
	guest.ear.awaitEvent(t, Withdrawn)
	r.mu.Lock()
	to := r.find(guest.RID())
	back := func(m, about *relayed) {
		r.write(m, map[string]any{"t": "member", "rid": about.id, "host": about.host, "here": false, "gone": true})
		r.write(m, map[string]any{"t": "member", "rid": about.id, "host": about.host, "here": true})
	}
	back(to, r.hostMember())
	for _, body := range slices.Clone(said) {
		r.write(to, map[string]any{"t": "msg", "from": r.hostMember().id, "body": body})
	}
	r.mu.Unlock()
	fresh, _ := give(t, host, guest, []byte("y"), "y")
	if got := guest.Items(); len(got) != 1 || got[0].ID != fresh.ID || guest.ear.count(Offered) != 2 {
		t.Errorf("an old offer was heard again: %+v", got)
	}
	if err := guest.Receive(soon(t), fresh, &memory{}); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	again := map[string]any{}
	for k, v := range asked {
		again[k] = v
	}
	again["n"], again["transfer"] = 77, b64(random(16))
	back(r.hostMember(), to)
	r.write(r.hostMember(), again)
	r.mu.Unlock()
	if n := host.ear.awaitEvent(t, Suspicious); !strings.Contains(n.Err.Error(), "twice") {
		t.Errorf("a repeated request: %v", n.Err)
	}
}

// TestServerNames: a name that is none, for it may hold commands to a terminal, is not taken.
func TestServerNames(t *testing.T) {
	t.Parallel()
	r, host, guest := pair(t)
	r.mu.Lock()
	r.everybody(map[string]any{"t": "name", "name": "a\x1b[2Jb", "expires_at": time.Now()})
	r.everybody(map[string]any{"t": "name", "name": "blue-fox", "expires_at": time.Now()})
	r.name = "a\x1b[2J"
	r.mu.Unlock()
	for _, e := range []end{host, guest} {
		e.ear.await(t, "the new name", func(n Notice) bool { return n.Event == Renamed && e.Name() == "blue-fox" })
		if n := e.ear.count(Renamed); n != 1 {
			t.Errorf("%d names were taken", n)
		}
	}
	if m, err := Open(soon(t), Config{Server: r.server.URL}); err == nil {
		t.Errorf("opened as %q", m.Name())
		leave(t, m)
	}
}

// TestBoundsOfStrangers: a server that lists members without end, and a member that fills its
// offers with words, fill no memory.
func TestBoundsOfStrangers(t *testing.T) {
	t.Parallel()
	m, err := newMember(Config{Server: "http://localhost"})
	if err != nil {
		t.Fatal(err)
	}
	m.group = random(32)
	m.mu.Lock()
	defer m.mu.Unlock()
	for range 2 * maxKnown {
		id := rid(random(16))
		m.meet(id, true)
		m.part(id)
		m.meet(rid(random(16)), true)
	}
	if len(m.people) > maxKnown || len(m.heard) > maxKnown {
		t.Errorf("%d people", len(m.people))
	}
	owner := rid(random(16))
	i := saidItem{ID: owner.String() + "." + b64(random(16)), Name: "x", Kind: "file", Chunk: minChunk, Type: strings.Repeat("x", 256)}
	if got := itemsOf(said{Items: []saidItem{i}}, owner); len(got) != 1 || got[0].Type != "" {
		t.Errorf("a type of %d bytes is kept", len(got[0].Type))
	}
}

// leaver is a sink whose receiver goes once everything is there, before it confirms.
type leaver struct {
	*memory
	leave func()
}

func (l leaver) Sync() error {
	l.leave()
	return nil
}

// TestReceiverThatNeverConfirms: a receiver that takes much and confirms nothing keeps no other
// waiting.
func TestReceiverThatNeverConfirms(t *testing.T) {
	t.Parallel()
	r, host, guest := pair(t)
	r.lie(lies{message: func(from, _ *relayed, body map[string]any) []map[string]any {
		if from.id.String() == guest.RID() && body["k"] == "done" {
			return nil
		}
		return []map[string]any{body}
	}})
	for range 4 * maxSending {
		item, _ := give(t, host, guest, []byte("x"), "x")
		ctx, cancel := context.WithCancel(soon(t))
		if err := guest.Receive(ctx, item, leaver{&memory{}, cancel}); err != nil {
			t.Fatal(err)
		}
	}
	other := joinAt(t, r.server.URL, host.Name(), host.Code(), "other")
	item, _ := give(t, host, other, []byte("y"), "y")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := other.Receive(ctx, item, &memory{}); err != nil {
		t.Errorf("another receiver: %v", err)
	}
	n := host.ear.awaitEvent(t, NotSent)
	if !errors.Is(n.Err, ErrUnconfirmed) || n.Person.RID != guest.RID() {
		t.Errorf("%+v", n)
	}
	host.ear.mu.Lock()
	defer host.ear.mu.Unlock()
	for _, n := range host.ear.all {
		if n.Event == NotSent && n.Person.RID != guest.RID() {
			t.Errorf("%+v", n)
		}
	}
}

// TestReceiveWaitsAsTold: a refusal that says when to come back is heard.
func TestReceiveWaitsAsTold(t *testing.T) {
	t.Parallel()
	r, host, guest := pair(t)
	item, _ := give(t, host, guest, []byte("x"), "x")
	r.lie(lies{busy: 1, wait: 2})
	began := time.Now()
	if err := guest.Receive(soon(t), item, &memory{}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 2*time.Second {
		t.Errorf("it came back after %v", took)
	}
	n := guest.ear.awaitEvent(t, Retrying)
	if !errors.Is(n.Err, ErrBusy) || guest.ear.count(Retrying) != 1 {
		t.Errorf("heard %v", guest.ear.heard())
	}
}
