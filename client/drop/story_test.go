package drop

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// ear remembers the notices of a member.
type ear struct {
	mu   sync.Mutex
	all  []Notice
	wake chan struct{}
}

func newEar() *ear { return &ear{wake: make(chan struct{}, 1)} }

func (e *ear) hear(n Notice) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, n)
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// await returns the first notice that fits, waiting for it.
func (e *ear) await(t testing.TB, what string, fits func(Notice) bool) Notice {
	t.Helper()
	late := time.After(10 * time.Second)
	for {
		e.mu.Lock()
		i := slices.IndexFunc(e.all, fits)
		var n Notice
		if i >= 0 {
			n = e.all[i]
		}
		e.mu.Unlock()
		if i >= 0 {
			return n
		}
		select {
		case <-e.wake:
		case <-late:
			t.Fatalf("no notice of %s; heard %+v", what, e.heard())
		}
	}
}

func (e *ear) awaitEvent(t testing.TB, what Event) Notice {
	t.Helper()
	return e.await(t, eventNames[what], func(n Notice) bool { return n.Event == what })
}

// awaitCount waits until an event was heard n times.
func (e *ear) awaitCount(t testing.TB, what Event, n int) {
	t.Helper()
	late := time.After(10 * time.Second)
	for e.count(what) < n {
		select {
		case <-e.wake:
		case <-late:
			t.Fatalf("%d times %s, want %d; heard %v", e.count(what), eventNames[what], n, e.heard())
		}
	}
}

func (e *ear) heard() (names []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, n := range e.all {
		text := eventNames[n.Event]
		if n.Err != nil {
			text += ": " + n.Err.Error()
		}
		names = append(names, text)
	}
	return names
}

func (e *ear) count(what Event) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, x := range e.all {
		if x.Event == what {
			n++
		}
	}
	return n
}

var eventNames = []string{"joined", "left", "came", "went", "offered", "withdrawn", "wrong code", "burnt", "sending", "verified", "not sent", "receiving", "retrying", "checking", "received", "reconnecting", "back", "renamed", "suspicious"}

// end is one device of a story.
type end struct {
	*Member
	ear *ear
}

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func leave(t testing.TB, m *Member) {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = m.Close(ctx)
	})
}

func openAt(t testing.TB, server string) end {
	t.Helper()
	e := newEar()
	m, err := Open(soon(t), Config{Server: server, Device: "host", Notify: e.hear})
	if err != nil {
		t.Fatal("open:", err)
	}
	leave(t, m)
	return end{m, e}
}

func joinAt(t testing.TB, server, name, secret, device string) end {
	t.Helper()
	e := newEar()
	m, err := Join(soon(t), Config{Server: server, Device: device, Notify: e.hear}, name, secret)
	if err != nil {
		t.Fatal("join:", err)
	}
	leave(t, m)
	return end{m, e}
}

// pair is a drop with a host and one guest.
func pair(t testing.TB) (r *relay, host, guest end) {
	t.Helper()
	r = newRelay(t)
	host = openAt(t, r.server.URL)
	guest = joinAt(t, r.server.URL, host.Name(), host.Code(), "guest")
	return r, host, guest
}

// give offers content and returns the item as the other end sees it.
func give(t testing.TB, from, to end, content []byte, name string) (Item, *memory) {
	t.Helper()
	src := &memory{b: content, name: name}
	items, err := from.Offer(soon(t), src)
	if err != nil {
		t.Fatal("offer:", err)
	}
	n := to.ear.await(t, "the offer", func(n Notice) bool {
		return n.Event == Offered && slices.ContainsFunc(n.Items, func(i Item) bool { return i.ID == items[0].ID })
	})
	i := slices.IndexFunc(n.Items, func(i Item) bool { return i.ID == items[0].ID })
	if n.Items[i] != items[0] {
		t.Fatalf("offered %+v, heard %+v", items[0], n.Items[i])
	}
	return n.Items[i], src
}

func TestItemsOfEverySize(t *testing.T) {
	t.Parallel()
	r, host, guest := pair(t)
	for _, size := range []int{0, 1, minChunk - 1, minChunk, minChunk + 1, 3 * minChunk, 17<<20 + 5} {
		content := contentOf(int64(size), size)
		item, _ := give(t, host, guest, content, "a file")
		sink := &memory{}
		if err := guest.Receive(soon(t), item, sink); err != nil {
			t.Fatalf("%d bytes: %v; heard %v and %v", size, err, guest.ear.heard(), host.ear.heard())
		}
		if !bytes.Equal(sink.bytes(), content) {
			t.Errorf("%d bytes: other content arrived", size)
		}
		host.ear.await(t, "verification", func(n Notice) bool { return n.Event == Verified && n.Item.ID == item.ID && n.Bytes == int64(size) })
		guest.ear.await(t, "completion", func(n Notice) bool { return n.Event == Received && n.Item.ID == item.ID && n.Err == nil })
	}
	if n := host.ear.count(Suspicious) + guest.ear.count(Suspicious); n != 0 {
		t.Errorf("an honest server is suspected: %v %v", host.ear.heard(), guest.ear.heard())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for what, secret := range map[string][]byte{"code": []byte(host.gate.code), "key": []byte(b64(host.gate.key)), "name": []byte("a file"), "group key": host.group} {
		if bytes.Contains(r.seen, secret) {
			t.Errorf("the %s passed the server", what)
		}
	}
}

func TestEverybodyOffers(t *testing.T) {
	t.Parallel()
	r, host, guest := pair(t)
	other := joinAt(t, r.server.URL, host.Name(), linkPrefix+b64(host.gate.key), "other")
	// A guest hears of a guest, and takes from it.
	item, _ := give(t, guest, other, []byte("from guest to guest"), "hello.txt")
	sink := &memory{}
	if err := other.Receive(soon(t), item, sink); err != nil || string(sink.bytes()) != "from guest to guest" {
		t.Errorf("%q, %v", sink.bytes(), err)
	}
	for _, e := range []end{host, guest, other} {
		if p := e.People(); len(p) != 3 || !p[0].Me || p[0].RID != e.RID() {
			t.Errorf("people: %+v", p)
		}
	}
	host.ear.await(t, "the device", func(n Notice) bool { return n.Person.Device == "other" })
	// A member that joins later gets the earlier offers.
	late := joinAt(t, r.server.URL, host.Name(), host.Code(), "late")
	late.ear.await(t, "the earlier offer", func(n Notice) bool { return n.Event == Offered && n.Items[0].ID == item.ID })
	guest.Withdraw(item.ID)
	late.ear.await(t, "the withdrawal", func(n Notice) bool { return n.Event == Withdrawn && n.Items[0].ID == item.ID })
	if err := other.Receive(soon(t), item, &memory{}); !errors.Is(err, ErrUnknownFile) {
		t.Errorf("a withdrawn item: %v", err)
	}
	if err := guest.Close(soon(t)); err != nil {
		t.Error(err)
	}
	late.ear.awaitEvent(t, Left)
	if err := late.Receive(soon(t), item, &memory{}); !errors.Is(err, ErrSenderGone) {
		t.Errorf("an item of a member that left: %v", err)
	}
}

func TestManyReceiversAndOneSlow(t *testing.T) {
	t.Parallel()
	r, host, guest := pair(t)
	content := contentOf(3, 4<<20)
	item, src := give(t, host, guest, content, "big")
	slow := joinAt(t, r.server.URL, host.Name(), host.Code(), "slow")
	slow.ear.awaitEvent(t, Offered)
	ctx, cancel := context.WithCancel(soon(t))
	defer cancel()
	slowEnded := make(chan error, 1)
	go func() { slowEnded <- slow.Receive(ctx, item, &memory{pause: time.Hour}) }()
	slow.ear.awaitEvent(t, Receiving)
	var group sync.WaitGroup
	for range 8 {
		g := joinAt(t, r.server.URL, host.Name(), host.Code(), "fast")
		g.ear.awaitEvent(t, Offered)
		group.Go(func() {
			sink := &memory{}
			if err := g.Receive(soon(t), item, sink); err != nil || !bytes.Equal(sink.bytes(), content) {
				t.Errorf("a receiver beside a slow one: %v", err)
			}
		})
	}
	group.Wait()
	host.ear.awaitCount(t, Verified, 8)
	if src.changed || host.ear.count(NotSent) != 0 {
		t.Errorf("heard %v", host.ear.heard())
	}
	cancel()
}

func TestResume(t *testing.T) {
	t.Parallel()
	r, host, guest := pair(t)
	content := contentOf(9, 30*minChunk+77)
	item, _ := give(t, host, guest, content, "big")
	// The first try ends in the middle; the next one is told of it.
	ctx, cancel := context.WithCancel(soon(t))
	sink := &memory{}
	sink.grown = func(n int) {
		if n == 20*minChunk {
			cancel()
		}
	}
	if err := guest.Receive(ctx, item, sink); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	held := len(sink.bytes())
	if held < 20*minChunk || held > 25*minChunk || !bytes.Equal(sink.b, content[:held]) {
		t.Fatalf("%d bytes were held", held)
	}
	sink.b = append(sink.b, content[held:held+100]...) // a piece of a chunk, as a killed process leaves
	sink.grown = nil
	r.mu.Lock()
	asked := len(r.asked)
	r.mu.Unlock()
	if err := guest.Receive(soon(t), item, sink); err != nil || !bytes.Equal(sink.bytes(), content) {
		t.Fatal(err)
	}
	if sent := r.transfers[r.asked[asked]].chunks; sent != 31-held/minChunk {
		t.Errorf("%d chunks were sent again, %d were missing", sent, 31-held/minChunk)
	}

	// A part of something else is dropped.
	other := &memory{b: contentOf(1000, 5*minChunk)}
	if err := guest.Receive(soon(t), item, other); err != nil || !bytes.Equal(other.bytes(), content) {
		t.Error(err)
	}
	// A whole one is only compared.
	r.mu.Lock()
	asked = len(r.asked)
	r.mu.Unlock()
	if err := guest.Receive(soon(t), item, other); err != nil || r.transfers[r.asked[asked]].chunks != 0 {
		t.Errorf("a whole item was sent again: %v", err)
	}
}

func TestCutsAreMended(t *testing.T) {
	t.Parallel()
	r, host, guest := pair(t)
	content := contentOf(9, 40*minChunk)
	item, _ := give(t, host, guest, content, "big")
	var cuts int
	var cut *relayedTransfer
	r.lie(lies{chunk: func(tr *relayedTransfer, i int, c []byte) [][]byte {
		if i == 12 && cuts < 2 {
			cuts++
			cut = tr
			go r.cut(tr.sender.id.String())
			go r.cut(tr.receiver.id.String())
		}
		if tr == cut {
			return nil
		}
		return [][]byte{c}
	}})
	sink := &memory{}
	if err := guest.Receive(soon(t), item, sink); err != nil || !bytes.Equal(sink.bytes(), content) {
		t.Fatalf("%v; heard %v", err, guest.ear.heard())
	}
	if cuts != 2 || guest.ear.count(Retrying) < 2 || host.ear.count(Reconnecting) < 2 || host.ear.count(Back) < 2 {
		t.Errorf("%d cuts; guest %v; host %v", cuts, guest.ear.heard(), host.ear.heard())
	}
	host.ear.awaitEvent(t, Verified)
	if guest.ear.count(Left) != 0 || len(guest.Items()) != 1 {
		t.Errorf("a cut lost people or items: %v", guest.ear.heard())
	}
}

func TestChangedContent(t *testing.T) {
	t.Parallel()
	r, host, guest := pair(t)
	item, src := give(t, host, guest, contentOf(9, 3*minChunk), "changing")
	src.mu.Lock()
	src.changed = true
	src.mu.Unlock()
	if err := guest.Receive(soon(t), item, &memory{}); !errors.Is(err, ErrChanged) {
		t.Errorf("changed: %v", err)
	}
	if n := host.ear.awaitEvent(t, NotSent); !errors.Is(n.Err, ErrChanged) || n.Item.ID != item.ID {
		t.Errorf("the sender heard %+v", n)
	}
	r.mu.Lock()
	if n := r.transfers[r.asked[0]].chunks; n != 0 {
		t.Errorf("%d chunks of changed content were sent", n)
	}
	r.mu.Unlock()
	// A change while the content is on its way.
	item, src = give(t, host, guest, contentOf(9, 3*8*minChunk), "changing later") // more than the relay's window
	r.lie(lies{chunk: func(_ *relayedTransfer, _ int, c []byte) [][]byte {
		src.mu.Lock()
		defer src.mu.Unlock()
		src.changed = true
		return [][]byte{c}
	}})
	if err := guest.Receive(soon(t), item, &memory{}); !errors.Is(err, ErrChanged) {
		t.Errorf("changed on its way: %v", err)
	}
	r.lie(lies{})
	item, src = give(t, host, guest, contentOf(9, 3*minChunk), "shrinking")
	src.mu.Lock()
	src.b = src.b[:minChunk]
	src.mu.Unlock()
	sink := &memory{}
	if err := guest.Receive(soon(t), item, sink); !errors.Is(err, ErrChanged) {
		t.Errorf("shrunk: %v", err)
	}
}

func TestFullSink(t *testing.T) {
	t.Parallel()
	_, host, guest := pair(t)
	item, _ := give(t, host, guest, contentOf(9, 9*minChunk), "big")
	err := guest.Receive(soon(t), item, &memory{full: 3 * minChunk})
	if err == nil || err.Error() != "no space left" {
		t.Errorf("a full disk: %v", err)
	}
}

func TestWhatEndsADrop(t *testing.T) {
	t.Parallel()
	r, host, guest := pair(t)
	host.ear.awaitEvent(t, Joined)
	if err := host.Rename(soon(t), "Taken_Name"); !errors.Is(err, ErrNameTaken) {
		t.Errorf("a taken name: %v", err)
	}
	if err := host.Rename(soon(t), "blue whale"); err != nil || host.Name() != "blue-whale" {
		t.Error(err)
	}
	guest.ear.awaitEvent(t, Renamed)
	if guest.Name() != "blue-whale" {
		t.Errorf("the guest knows %q", guest.Name())
	}
	if _, err := Join(soon(t), Config{Server: r.server.URL}, "red-fox", host.Code()); !errors.Is(err, ErrNotFound) {
		t.Errorf("the old name: %v", err)
	}
	if err := host.Close(soon(t)); err != nil {
		t.Error(err)
	}
	select {
	case <-guest.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("the guest was not told")
	}
	if !errors.Is(guest.Err(), ErrClosed) || !errors.Is(host.Err(), ErrLeft) {
		t.Errorf("ends: %v, %v", guest.Err(), host.Err())
	}
	if _, err := Join(soon(t), Config{Server: r.server.URL}, "blue-whale", "123456"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a dead drop: %v", err)
	}
	if _, err := guest.Offer(soon(t), &memory{name: "x"}); !errors.Is(err, ErrClosed) {
		t.Errorf("an offer afterwards: %v", err)
	}
}

// TestCloseAtOnce: a member can be closed as soon as it is there, and while it reconnects.
func TestCloseAtOnce(t *testing.T) {
	t.Parallel()
	r := newRelay(t)
	host := openAt(t, r.server.URL)
	for range 20 {
		guest := joinAt(t, r.server.URL, host.Name(), host.Code(), "brief")
		if err := guest.Close(soon(t)); err != nil || !errors.Is(guest.Err(), ErrLeft) {
			t.Error(err, guest.Err())
		}
	}
	guest := joinAt(t, r.server.URL, host.Name(), host.Code(), "brief")
	r.cut(guest.RID())
	guest.ear.awaitEvent(t, Reconnecting)
	if err := guest.Close(soon(t)); err != nil {
		t.Error(err)
	}
}

// TestNothingStays: a closed member leaves no goroutine behind.
func TestNothingStays(t *testing.T) {
	before := goleak.IgnoreCurrent()
	r, host, guest := pair(t)
	item, src := give(t, host, guest, contentOf(1, 9*minChunk), "x")
	if err := guest.Receive(soon(t), item, &memory{}); err != nil {
		t.Fatal(err)
	}
	r.cut(guest.RID())
	guest.ear.awaitEvent(t, Back)
	for _, e := range []end{guest, host} {
		if err := e.Close(soon(t)); err != nil {
			t.Error(err)
		}
	}
	if !src.closed {
		t.Error("the source is open")
	}
	r.server.CloseClientConnections()
	r.server.Close()
	goleak.VerifyNone(t, before)
}
