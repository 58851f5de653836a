package dbtest

import (
	"net"
	"sync"
	"testing"
)

// Proxy is a network between client and server in which a test can cause faults.
type Proxy struct {
	target string
	addr   string

	mu       sync.Mutex
	listener net.Listener // nil while cut
	frozen   chan struct{}
	conns    map[net.Conn]struct{}
	hear     func([]byte)
	all      sync.WaitGroup
}

// NewProxy forwards to target, a HOST:PORT, until the test ends.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	p := &Proxy{target: target, addr: "127.0.0.1:0", conns: map[net.Conn]struct{}{}}
	p.Restore(t)
	t.Cleanup(func() {
		p.Cut()
		p.all.Wait()
	})
	return p
}

// Hear calls fn with all that clients send, before the server gets it.
func (p *Proxy) Hear(fn func([]byte)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hear = fn
}

// Addr returns the HOST:PORT to connect to. It stays the same.
func (p *Proxy) Addr() string { return p.addr }

// Cut refuses new connections and breaks the others.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		p.listener.Close()
		p.listener = nil
	}
	p.breakAll()
}

// Break breaks every connection. New ones succeed, as after a restart.
func (p *Proxy) Break() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.breakAll()
}

func (p *Proxy) breakAll() {
	for c := range p.conns {
		c.Close()
	}
	p.thaw()
}

// Freeze keeps every connection open, accepts new ones and forwards nothing.
func (p *Proxy) Freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen == nil {
		p.frozen = make(chan struct{})
	}
}

func (p *Proxy) thaw() {
	if p.frozen != nil {
		close(p.frozen)
		p.frozen = nil
	}
}

// Restore forwards again. Frozen connections go on; broken ones stay broken.
func (p *Proxy) Restore(t testing.TB) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.thaw()
	if p.listener != nil {
		return
	}
	l, err := net.Listen("tcp", p.addr)
	if err != nil {
		t.Fatal(err)
	}
	p.listener, p.addr = l, l.Addr().String()
	p.all.Go(func() { p.accept(l) })
}

func (p *Proxy) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		p.all.Go(func() { p.forward(c) })
	}
}

func (p *Proxy) forward(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	if !p.add(client, server) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.copy(server, client, true) })
	both.Go(func() { p.copy(client, server, false) })
	both.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, client)
	delete(p.conns, server)
}

// add records the pair, unless the network was cut meanwhile.
func (p *Proxy) add(client, server net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener == nil {
		return false
	}
	p.conns[client], p.conns[server] = struct{}{}, struct{}{}
	return true
}

func (p *Proxy) copy(to, from net.Conn, asks bool) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		frozen, hear := p.frozen, p.hear
		p.mu.Unlock()
		if frozen != nil {
			<-frozen
		}
		if n > 0 {
			if asks && hear != nil {
				hear(buf[:n])
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
