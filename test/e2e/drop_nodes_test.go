package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/client/drop"
	"coffer/internal/db/dbtest"
)

// balancer is a proxy for TCP with one preferred node. When that one refuses, it takes the
// next. It can cut every connection of some age, as careless proxies do.
type balancer struct {
	addr  string
	after time.Duration // 0 never cuts

	mu    sync.Mutex
	nodes []string // the preferred one first
	conns map[net.Conn]struct{}
	cuts  int
}

// balance starts a balancer that lives until the test ends.
func balance(t *testing.T, after time.Duration, nodes ...*server) *balancer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{addr: l.Addr().String(), after: after, conns: map[net.Conn]struct{}{}}
	for _, node := range nodes {
		b.nodes = append(b.nodes, strings.TrimPrefix(node.url, "http://"))
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { b.forward(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		b.cut()
		all.Wait()
	})
	return b
}

func (b *balancer) url() string { return "http://" + b.addr }

// count returns how many connections were cut for their age.
func (b *balancer) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cuts
}

// cut breaks every connection.
func (b *balancer) cut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.conns {
		c.Close()
	}
}

func (b *balancer) forward(c net.Conn) {
	defer c.Close()
	node := b.dial()
	if node == nil {
		return
	}
	defer node.Close()
	b.mu.Lock()
	b.conns[c], b.conns[node] = struct{}{}, struct{}{}
	b.mu.Unlock()
	if b.after > 0 {
		timer := time.AfterFunc(b.after, func() {
			b.mu.Lock()
			b.cuts++
			b.mu.Unlock()
			c.Close()
			node.Close()
		})
		defer timer.Stop()
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{c, node}, {node, c}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			way[0].Close()
			way[1].Close()
		})
	}
	both.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.conns, c)
	delete(b.conns, node)
}

func (b *balancer) dial() net.Conn {
	for _, node := range b.nodes {
		if c, err := net.DialTimeout("tcp", node, time.Second); err == nil {
			return c
		}
	}
	return nil
}

// offer is an item in memory.
type offer struct {
	*bytes.Reader
	name string
}

func newOffer(name string, size int) (offer, []byte) {
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(size), byte(size >> 8)}).Read(content)
	return offer{bytes.NewReader(content), name}, content
}

func (o offer) Info() drop.Info { return drop.Info{Name: o.name, Kind: drop.File, Size: o.Size()} }
func (offer) Changed() bool     { return false }
func (offer) Close() error      { return nil }

// part is what a receiver holds, in memory.
type part struct {
	pause time.Duration // before each write, so that a transfer lasts
	reach map[int64]func()

	mu      sync.Mutex
	held    []byte
	written int64 // in all, what came twice included
}

func (p *part) ReadAt(b []byte, off int64) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.NewReader(p.held).ReadAt(b, off)
}

func (p *part) WriteAt(b []byte, off int64) (int, error) {
	time.Sleep(p.pause)
	p.mu.Lock()
	if off != int64(len(p.held)) {
		p.mu.Unlock()
		return 0, fmt.Errorf("a write at %d of a part of %d bytes", off, len(p.held))
	}
	p.held = append(p.held, b...)
	p.written += int64(len(b))
	var due []func()
	for at, do := range p.reach {
		if int64(len(p.held)) >= at {
			due = append(due, do)
			delete(p.reach, at)
		}
	}
	p.mu.Unlock()
	for _, do := range due {
		do()
	}
	return len(b), nil
}

func (p *part) Size() (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int64(len(p.held)), nil
}

func (p *part) Truncate(size int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = p.held[:size]
	return nil
}

func (*part) Sync() error { return nil }

// device is a member of a drop and what it was told.
type device struct {
	*drop.Member
	mu    sync.Mutex
	heard []drop.Notice
}

func (d *device) hear(n drop.Notice) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.heard = append(d.heard, n)
}

func (d *device) count(e drop.Event, item string) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, h := range d.heard {
		if h.Event == e && (item == "" || h.Item.ID == item) {
			n++
		}
	}
	return n
}

func (d *device) last(e drop.Event, item string) (n drop.Notice) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, h := range d.heard {
		if h.Event == e && h.Item.ID == item {
			n = h
		}
	}
	return n
}

func (d *device) events() (all []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, h := range d.heard {
		if h.Event != drop.Sending && h.Event != drop.Receiving {
			all = append(all, fmt.Sprint(h.Event, " ", h.Err))
		}
	}
	return all
}

func closing(t *testing.T, d *device) *device {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s heard %q", d.RID(), d.events())
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		_ = d.Close(ctx) // its server may have ended
	})
	return d
}

// openAt opens a drop at an address.
func openAt(t *testing.T, site string) *device {
	t.Helper()
	d := &device{}
	m, err := drop.Open(t.Context(), drop.Config{Server: site, Device: "host", Notify: d.hear})
	if err != nil {
		t.Fatal(err)
	}
	d.Member = m
	return closing(t, d)
}

// joinAt joins the host's drop by its code, or by its link.
func joinAt(t *testing.T, site string, host *device, byLink bool) *device {
	t.Helper()
	d, secret := &device{}, host.Code()
	if byLink {
		u, err := url.Parse(host.Link())
		if err != nil {
			t.Fatal(err)
		}
		secret = u.Fragment
	}
	m, err := drop.Join(t.Context(), drop.Config{Server: site, Device: "guest", Notify: d.hear}, host.Name(), secret)
	if err != nil {
		t.Fatal(err)
	}
	d.Member = m
	// The guest knows first; the server tells the others.
	wait(t, "the guest is admitted", func() bool {
		return slices.ContainsFunc(host.People(), func(p drop.Person) bool { return p.RID == m.RID() && p.Here })
	})
	return closing(t, d)
}

// item waits until the receiver knows an item.
func item(t *testing.T, d *device, id string) (found drop.Item) {
	t.Helper()
	wait(t, "the offer arrives", func() bool {
		all := d.Items()
		i := slices.IndexFunc(all, func(i drop.Item) bool { return i.ID == id })
		if i >= 0 {
			found = all[i]
		}
		return i >= 0
	})
	return found
}

// handed brings one item from one device to another, whole and verified.
func handed(t *testing.T, from, to *device, size int, into *part) {
	t.Helper()
	source, content := newOffer(fmt.Sprint(size, " bytes"), size)
	items, err := from.Offer(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := to.Receive(ctx, item(t, to, items[0].ID), into); err != nil {
		t.Fatalf("%d bytes: %v after %d; the sender heard %q, the receiver %q", size, err, len(into.held), from.events(), to.events())
	}
	if !bytes.Equal(into.held, content) {
		t.Fatalf("%d bytes: other content, %d bytes", size, len(into.held))
	}
	wait(t, "verified", func() bool { return from.count(drop.Verified, items[0].ID) == 1 })
	wait(t, "the receiver is told", func() bool { return to.count(drop.Received, items[0].ID) == 1 })
	if err := to.last(drop.Received, items[0].ID).Err; err != nil {
		t.Errorf("%d bytes: %v", size, err)
	}
	from.Withdraw(items[0].ID)
}

// pair starts two nodes without a proxy.
func pair(t *testing.T, env ...string) [2]*server {
	t.Helper()
	both, _ := nodes(t, freePort(t), env...)
	return both
}

const dropChunk = 64 << 10 // of items below 16 MiB

// Sender and receiver are on different nodes, in both directions, and on the same; the guest
// comes by code and by link. Every size that is special arrives.
func TestDropAcrossNodes(t *testing.T) {
	t.Parallel()
	n := pair(t)
	for where, at := range map[string][2]*server{"0 to 1": {n[0], n[1]}, "1 to 0": {n[1], n[0]}, "1 to 1": {n[1], n[1]}} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			host := openAt(t, at[0].url)
			guest := joinAt(t, at[1].url, host, where == "1 to 0")
			for _, size := range []int{0, 1, dropChunk - 1, dropChunk, dropChunk + 1, 5<<20 + 3, 40 << 20} {
				handed(t, host, guest, size, &part{})
				handed(t, guest, host, size, &part{})
			}
			if got := guest.People(); len(got) != 2 || !got[1].Here || got[1].Device != "host" {
				t.Errorf("the guest sees %+v", got)
			}
			renamed := "from-" + strings.ReplaceAll(where, " ", "-")
			if err := host.Rename(t.Context(), renamed); err != nil {
				t.Error(err)
			}
			wait(t, "the guest hears the new name", func() bool { return guest.Name() == renamed })
			handed(t, guest, joinAt(t, at[0].url, host, false), 1<<20, &part{})
			if err := host.Close(t.Context()); err != nil {
				t.Error(err)
			}
			select {
			case <-guest.Done():
				if !errors.Is(guest.Err(), drop.ErrClosed) {
					t.Errorf("the guest's end: %v", guest.Err())
				}
			case <-time.After(20 * time.Second):
				t.Error("the guest does not hear that the drop is closed")
			}
		})
	}
}

// Through each proxy of deploy/ every connection falls to either node. One host hands an
// item to several guests at once, and takes one from each.
func TestDropThroughTheProxy(t *testing.T) {
	t.Parallel()
	for name, startProxy := range proxies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, startProxy)
			host := openAt(t, s.url)
			const guests = 6
			source, content := newOffer("for all", 9<<20+7)
			items, err := host.Offer(t.Context(), source)
			if err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			for i := range guests {
				guest := joinAt(t, s.url, host, i%2 == 0)
				all.Go(func() {
					into := &part{}
					if err := guest.Receive(t.Context(), item(t, guest, items[0].ID), into); err != nil || !bytes.Equal(into.held, content) {
						t.Errorf("guest %d: %v, %d bytes; it heard %q", i, err, len(into.held), guest.events())
					}
					handed(t, guest, host, 1<<20+i, &part{})
				})
			}
			all.Wait()
			wait(t, "verified by all", func() bool { return host.count(drop.Verified, items[0].ID) == guests })

			// A node stops. Whoever was there comes back through the proxy, and goes on.
			guest := joinAt(t, s.url, host, false)
			gone := make(chan struct{})
			into := slow(map[int64]func(){lasting / 3: func() {
				go func() {
					s.nodes[0].stop()
					close(gone)
				}()
			}})
			handed(t, host, guest, lasting, into)
			<-gone
			resumed(t, into, 2)
		})
	}
}

// lasting is a transfer that takes some seconds: chunks of 256 KiB into a slow receiver.
const (
	lasting      = 40 << 20
	lastingChunk = 256 << 10
	window       = 8
)

func slow(reach map[int64]func()) *part { return &part{pause: 20 * time.Millisecond, reach: reach} }

// resumed checks that a transfer went on where it was: a new attempt repeats at most a window.
func resumed(t *testing.T, p *part, attempts int) {
	t.Helper()
	if again := p.written - lasting; again > int64(attempts*window*lastingChunk) {
		t.Errorf("%d bytes came twice in %d further attempts", again, attempts)
	}
}

// A node that is stopped, or killed, takes no drop with it: its members reconnect to the
// other node, and the transfer goes on where it was.
func TestDropNodeEnds(t *testing.T) {
	t.Parallel()
	for how, end := range map[string]func(*server){"stopped": (*server).stop, "killed": (*server).kill} {
		for who, index := range map[string]int{"sender": 0, "receiver": 1} {
			t.Run("the "+who+"'s node is "+how, func(t *testing.T) {
				t.Parallel()
				n := pair(t)
				at := [2]*balancer{balance(t, 0, n[0], n[1]), balance(t, 0, n[1], n[0])}
				host := openAt(t, at[0].url())
				guest := joinAt(t, at[1].url(), host, false)
				gone := make(chan struct{})
				into := slow(map[int64]func(){lasting / 3: func() {
					go func() {
						end(n[index])
						close(gone)
					}()
				}})
				handed(t, host, guest, lasting, into)
				<-gone
				resumed(t, into, 1)
				moved := []*device{host, guest}[index]
				if moved.count(drop.Reconnecting, "") == 0 || moved.count(drop.Back, "") == 0 {
					t.Errorf("it heard %q", moved.events())
				}
				if guest.count(drop.Retrying, "") == 0 {
					t.Error("the transfer ended before its node did")
				}
				// Both are on one node now. The other comes back, and takes a new guest.
				n[index].start()
				third := joinAt(t, n[index].url, host, true)
				handed(t, host, third, 1<<20, &part{})
				handed(t, third, guest, 1<<20, &part{})
			})
		}
	}
}

// A node that stops says so: its members go at once, and it ends in time although sockets
// and a transfer were open.
func TestDropNodeStopsInTime(t *testing.T) {
	t.Parallel()
	n := pair(t)
	at := balance(t, 0, n[0], n[1])
	host := openAt(t, at.url())
	guest := joinAt(t, at.url(), host, false)
	into := slow(map[int64]func(){lasting / 4: func() {
		go func() {
			begun := time.Now()
			n[0].stop()
			if took := time.Since(begun); took > 12*time.Second {
				t.Errorf("the node took %s to stop", took)
			}
		}()
	}})
	handed(t, host, guest, lasting, into)
	resumed(t, into, 1)
	for _, d := range []*device{host, guest} {
		if err := d.last(drop.Reconnecting, "").Err; !errors.Is(err, drop.ErrCut) {
			t.Errorf("%v; want the node's own word", err)
		}
	}
}

// Redis loses its connections and all it held in the middle of a transfer. The members
// reconnect, and the transfer goes on.
func TestDropRedisRestarts(t *testing.T) {
	t.Parallel()
	address := redisURL(t)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	wire := dbtest.NewProxy(t, u.Host)
	u.Host = wire.Addr()
	n := pair(t, "COFFER_REDIS_URL="+u.String())
	host := openAt(t, n[0].url)
	guest := joinAt(t, n[1].url, host, false)
	back := make(chan struct{})
	into := slow(map[int64]func(){lasting / 3: func() {
		go func() {
			defer close(back)
			wire.Cut()
			clearRedis(t, address)
			time.Sleep(time.Second)
			wire.Restore(t)
		}()
	}})
	handed(t, host, guest, lasting, into)
	<-back
	if guest.count(drop.Retrying, "") == 0 {
		t.Error("the transfer did not need Redis")
	}
	resumed(t, into, 4)
	handed(t, guest, host, 1<<20, &part{})
}

// A proxy that cuts every connection after some seconds slows a transfer down. It arrives,
// and little of it twice.
func TestDropProxyCuts(t *testing.T) {
	t.Parallel()
	n := pair(t)
	first, second := balance(t, 16*time.Second, n[0], n[1]), balance(t, 17*time.Second, n[1], n[0])
	host := openAt(t, first.url())
	guest := joinAt(t, second.url(), host, false)
	into := slow(nil)
	into.pause = 160 * time.Millisecond
	handed(t, host, guest, lasting, into)
	attempts := guest.count(drop.Retrying, "")
	if a, b := first.count(), second.count(); attempts == 0 || a == 0 || b == 0 {
		t.Errorf("%d attempts, %d and %d cuts", attempts, a, b)
	}
	resumed(t, into, attempts)
}

// The host's connection ends for less than the grace: the drop waits for it. For longer: it
// is over, on every node.
func TestDropWaitsForItsHost(t *testing.T) {
	t.Parallel()
	n := pair(t, "COFFER_DROP_GRACE=4s")
	at := balance(t, 0, n[0])
	host := openAt(t, at.url())
	guest := joinAt(t, n[1].url, host, false)
	at.cut()
	wait(t, "the host is back", func() bool { return host.count(drop.Back, "") == 1 })
	handed(t, host, guest, 1<<20, &part{})
	n[0].kill()
	select {
	case <-guest.Done():
		if !errors.Is(guest.Err(), drop.ErrHostGone) {
			t.Errorf("the guest's end: %v", guest.Err())
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("the drop outlives its host")
	}
	wait(t, "nobody can join", func() bool {
		res, err := http.Get(n[1].url + "/v1/drops/" + host.Name())
		if err == nil {
			res.Body.Close()
		}
		return err == nil && res.StatusCode == http.StatusNotFound
	})
}
