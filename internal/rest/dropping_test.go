package rest

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"
)

// One address takes a part of the places at which refused bodies are dropped, and gives them
// back.
func TestDroppingByAddress(t *testing.T) {
	var d dropping
	greedy := netip.MustParseAddr("192.0.2.7")
	for i := range maxDroppingAddress + 5 {
		if got := d.begin(greedy); got != (i < maxDroppingAddress) {
			t.Fatalf("body %d of one address is dropped: %v", i+1, got)
		}
	}
	other := greedy
	left := maxDropping - maxDroppingAddress
	for range left {
		if other = other.Next(); !d.begin(other) {
			t.Fatal("another address has no place")
		}
	}
	if d.begin(other.Next()) {
		t.Errorf("more than %d at once", maxDropping)
	}
	for range maxDroppingAddress {
		d.end(greedy)
	}
	if !d.begin(greedy) {
		t.Error("a place that was given back is taken")
	}
	d.end(greedy)
	if len(d.addrs) != left {
		t.Errorf("%d addresses are remembered, want %d", len(d.addrs), left)
	}
}

// Bodies of one address that the server has refused, and that do not end, leave places for
// others. Each gets its refusal.
func TestRefusedBodiesOfOneAddress(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Deadlines.Linger = time.Hour })
	for range maxDroppingAddress + 4 {
		c, err := net.Dial("tcp", w.srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		_, _ = io.WriteString(c, "POST /v1/nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\nx")
		if res, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || res.StatusCode != http.StatusNotFound {
			t.Fatalf("%v, %v", res, err)
		}
	}
	dropped := func() int {
		w.dropping.mu.Lock()
		defer w.dropping.mu.Unlock()
		return w.dropping.all
	}
	for end := time.Now().Add(30 * time.Second); dropped() < maxDroppingAddress; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d bodies are dropped", dropped())
		}
	}
	for range 20 {
		time.Sleep(5 * time.Millisecond)
		if n := dropped(); n > maxDroppingAddress {
			t.Fatalf("%d bodies of one address are dropped, want %d", n, maxDroppingAddress)
		}
	}
}
