package e2e

import (
	"bytes"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// Receivers that take nothing hold up themselves alone, and not for long. One that never
// opens its stream does no more.
func TestDropStalledReceivers(t *testing.T) {
	t.Parallel()
	s := start(t, alone, "COFFER_DROP_STALL=4s", "COFFER_DROP_GUESTS=100", "COFFER_DROP_MEMORY=67108864")
	host := openDrop(t, s, newAddress())
	const bad, size = 32, 1 << 20
	var guests []*rawDrop
	for range bad + 1 {
		guests = append(guests, host.guest(newAddress()))
	}
	good := guests[bad]
	before := s.memory(t, "VmRSS")
	var ids []string
	for n, d := range guests[:bad] {
		ids = append(ids, d.ask(host.item()))
		if n%4 != 0 { // some never open their stream
			d.stream(ids[n])
		}
	}
	// The sender fills every window that it gets. A quarter of 64 MiB is for one drop, so the
	// windows are small, and the last transfers find no room.
	block := make([]byte, size+16)
	codes, over := map[any]int{}, 0
	began := time.Now()
	var res *http.Response
	for over < bad {
		select {
		case f := <-host.frames:
			n, _ := f["n"].(float64)
			switch f["t"] {
			case "request":
				host.accept(n, size)
			case "credit":
				for range int(f["chunks"].(float64)) {
					host.write(websocket.MessageBinary, chunk(uint32(n), block))
				}
			case "end":
				codes[f["code"]]++
				over++
			}
		case <-time.After(15 * time.Second):
			t.Fatalf("%d transfers ended, as %v", over, codes)
		}
	}
	if codes["stalled"] < 8 || codes["busy"] == 0 || codes["stalled"]+codes["busy"] != bad {
		t.Errorf("the transfers ended as %v", codes)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("after %s", took)
	}
	if grown := s.memory(t, "VmRSS") - before; grown > 96<<20 {
		t.Errorf("the server grew by %d MiB", grown>>20)
	}
	// Their memory is free again.
	id := good.ask(host.item())
	n := host.want("request", "transfer", id)["n"]
	res = good.stream(id)
	host.accept(n, 64<<10)
	if f := host.want("credit", "n", n); f["chunks"] != 8.0 {
		t.Errorf("after all of it: %v", f)
	}
	res.Body.Close()
	host.want("end", "n", n, "code", "receiver_gone")
}

// A receiver that takes nothing holds up neither its sender's other transfers nor others.
func TestDropOneStalls(t *testing.T) {
	t.Parallel()
	s := start(t, alone)
	host := openDrop(t, s, newAddress())
	bad, good := host.guest(newAddress()), host.guest(newAddress())
	const size = 256 << 10
	block := make([]byte, size+16)
	bad.stream(bad.ask(host.item())) // and nothing is read
	id := good.ask(host.item())
	res := good.stream(id)
	got := make(chan int)
	go func() {
		n := 0
		for {
			kind, _, err := frameOf(res.Body)
			if kind != 1 && kind != 2 || err != nil {
				got <- n
				return
			}
			n++
		}
	}()
	const chunks = 400
	var goodN float64
	sent := map[float64]int{}
	for sent[goodN] < chunks || goodN == 0 {
		f := host.next()
		n, _ := f["n"].(float64)
		switch f["t"] {
		case "request":
			if f["transfer"] == id {
				goodN = n
			}
			host.accept(n, size)
		case "credit":
			for range int(f["chunks"].(float64)) {
				host.write(websocket.MessageBinary, chunk(uint32(n), block))
				sent[n]++
			}
		}
	}
	host.say(map[string]any{"t": "finish", "n": goodN})
	if n := <-got; n != sent[goodN]+1 {
		t.Errorf("the good receiver got %d frames of %d", n, sent[goodN]+1)
	}
	for n, count := range sent {
		if n != goodN && count >= chunks/2 {
			t.Errorf("the stalled receiver was sent %d chunks", count)
		}
	}
}

// Each side hears when the other one ends.
func TestDropHalves(t *testing.T) {
	t.Parallel()
	s := start(t, alone)
	host := openDrop(t, s, newAddress())
	guest := host.guest(newAddress())
	begin := func() (id string, n any) {
		id = guest.ask(host.item())
		return id, host.want("request", "transfer", id)["n"]
	}
	for _, code := range []string{"unknown_file", "changed", "busy", "cancelled"} {
		id, n := begin()
		res := guest.stream(id)
		host.say(map[string]any{"t": "fail", "n": n, "code": code})
		if kind, b, err := frameOf(res.Body); kind != 4 || string(b) != `{"code":"`+code+`"}` || err != nil {
			t.Errorf("%s: %d %s %v", code, kind, b, err)
		}
		if kind, _, err := frameOf(res.Body); kind != -1 || err != nil {
			t.Errorf("%s: more: %d %v", code, kind, err)
		}
	}
	// The same stream again, and another member's.
	id, n := begin()
	if a := guest.call("HEAD", "/transfers/"+id+"/stream", ""); a.status != 200 || a.header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("HEAD: %d %v", a.status, a.header)
	}
	res := guest.stream(id)
	if again := guest.stream(id); again.StatusCode != 409 {
		t.Errorf("a stream twice: %d", again.StatusCode)
	}
	if others := host.stream(id); others.StatusCode != 404 {
		t.Errorf("another's stream: %d", others.StatusCode)
	}
	// Chunks that were on their way when the transfer ended breach nothing.
	host.accept(n, 64<<10)
	host.want("credit", "n", n)
	res.Body.Close()
	host.want("end", "n", n, "code", "receiver_gone")
	for range 8 {
		host.write(websocket.MessageBinary, chunk(uint32(n.(float64)), make([]byte, 64<<10+16)))
	}
	host.say(map[string]any{"t": "finish", "n": n})
	id, _ = begin()
	res = guest.stream(id)
	// The sender goes.
	host.conn.CloseNow()
	if kind, b, err := frameOf(res.Body); kind != 4 || string(b) != `{"code":"sender_gone"}` || err != nil {
		t.Errorf("%d %s %v", kind, b, err)
	}
	guest.want("member", "rid", host.rid, "here", false)
	a := guest.call("POST", "/transfers", `{"file_id":"`+host.item()+`","public_key":`+dropKey+`,"sealed":""}`)
	if a.status != 404 || !strings.Contains(a.body, `"file_not_found"`) {
		t.Errorf("a file of a member that is away: %d %s", a.status, a.body)
	}
	host.connect()
	for range 8 {
		guest.ask(host.item())
	}
	a = guest.call("POST", "/transfers", `{"file_id":"`+host.item()+`","public_key":`+dropKey+`,"sealed":""}`)
	if a.status != 429 || a.header.Get("Retry-After") == "" {
		t.Errorf("the ninth transfer at once: %d %s", a.status, a.body)
	}
}

// After kill -9 of the server the members come back with their tokens, and the transfer goes on
// as a new one.
func TestDropKill(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := start(t, in, "COFFER_DROP_GRACE=20s")
		host := openDrop(t, s, newAddress())
		guest := host.guest(newAddress())
		for round := range 2 {
			id := guest.ask(host.item())
			n := host.want("request", "transfer", id)["n"]
			res := guest.stream(id)
			host.accept(n, 64<<10)
			host.want("credit", "n", n)
			host.write(websocket.MessageBinary, chunk(uint32(n.(float64)), make([]byte, 64<<10+16)))
			for _, want := range []int{1, 2} {
				if kind, _, err := frameOf(res.Body); kind != want || err != nil {
					t.Fatalf("round %d: %d %v", round, kind, err)
				}
			}
			if round == 1 {
				break
			}
			s.kill()
			if kind, _, err := frameOf(res.Body); err == nil {
				t.Errorf("a stream of a killed server ended well, with %d", kind)
			}
			host.closes()
			guest.closes()
			s.start()
			if w := host.connect(); len(w["members"].([]any)) != 2 {
				t.Errorf("%v", w)
			}
			if w := guest.connect(); len(w["members"].([]any)) != 2 || w["name"] != host.name {
				t.Errorf("%v", w)
			}
			host.want("member", "rid", guest.rid, "here", true)
		}
	})
}

// A server that stops sends its members elsewhere.
func TestDropDrain(t *testing.T) {
	t.Parallel()
	s := start(t, alone)
	host := openDrop(t, s, newAddress())
	guest := host.guest(newAddress())
	id := guest.ask(host.item())
	n := host.want("request", "transfer", id)["n"]
	res := guest.stream(id)
	host.accept(n, 64<<10)
	host.want("credit")
	if kind, _, err := frameOf(res.Body); kind != 1 || err != nil {
		t.Fatal(kind, err)
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for _, d := range []*rawDrop{host, guest} {
		d.want("reconnect")
		if code := d.closes(); code != websocket.StatusServiceRestart {
			t.Errorf("close code %d: %v", code, *d.ended)
		}
	}
	if kind, b, err := frameOf(res.Body); kind != 4 || string(b) != `{"code":"reconnect"}` || err != nil {
		t.Errorf("%d %s %v", kind, b, err)
	}
	began := time.Now()
	if err := <-s.end; err != nil {
		t.Errorf("the server: %v", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %s to stop", took)
	}
	s.end <- nil
	s.start()
	host.connect()
	if w := guest.connect(); len(w["members"].([]any)) != 2 {
		t.Errorf("%v", w)
	}
}

// A member that is silent but there is pinged and stays; its pongs count. One whose network is
// gone is found.
func TestDropPings(t *testing.T) {
	t.Parallel()
	s := start(t, alone, "COFFER_DROP_PING=1s")
	host := openDrop(t, s, newAddress())
	guest := host.guest(newAddress())
	deaf := host.guest(newAddress())
	gone := &rawDrop{t: t, s: s, from: newAddress(), name: deaf.name, token: deaf.token}
	conn, _, err := gone.dial("", gone.auth(), "coffer.drop.v1") // takes deaf's place and reads nothing, not even pings
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	deaf.want("replaced")
	host.want("member", "rid", deaf.rid, "here", true)
	began := time.Now()
	host.want("member", "rid", deaf.rid, "here", false)
	if took := time.Since(began); took > 6*time.Second {
		t.Errorf("found after %s", took)
	}
	time.Sleep(3 * time.Second)
	guest.message(host.rid, map[string]any{"k": string(bytes.Repeat([]byte("x"), 10))})
	host.want("msg", "from", guest.rid)
}
