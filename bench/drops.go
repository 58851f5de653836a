package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// couriers moves one file from a sending program to receiving ones through a server.
type couriers struct {
	b    *bench
	p    *process
	file string // what is sent
	size int64
	n    int // of scratch folders
}

// drops is P7: files from command line to command line through the server, beside programs
// that do the same through their own relays.
func (b *bench) drops() ([]row, error) {
	p, _, err := b.coffer("p7", dropLimits...)
	if err != nil {
		return nil, err
	}
	b.later(p.stop)
	c := &couriers{b: b, p: p, file: b.path("sent.bin"), size: b.size / 2}
	if err := c.fill(); err != nil {
		return nil, err
	}
	b.later(func() { os.Remove(c.file) })
	idle := p.memory("VmRSS")
	one := func() (sample, error) { return c.coffer(idle, 1) }
	crocs := c.croc()
	rows := []row{
		{
			id: "P7", work: fmt.Sprintf("a drop of %d MiB, command line to command line", c.size>>20), per: "GiB", format: mega, ours: one,
			beside: append(crocs, c.wormhole()),
			// The queue is 8 chunks of 256 KiB.
			must: []target{{text: "≥3× croc", of: []string{crocs[0].name, crocs[1].name}, ratio: 3},
				{text: "≤0.5 CPU-s per GiB", cpu: 0.5}, {text: "≤3 MiB a transfer over idle", memory: 3 << 20}},
		},
		{
			id: "P7", work: fmt.Sprintf("one sender to 8 receivers, %d MiB each: sum of the rates", c.size>>20), per: "GiB", format: mega,
			ours:   func() (sample, error) { return c.coffer(idle, 8) },
			beside: []contender{{name: "one receiver", run: one}},
			must:   []target{{text: "≥2× one receiver", of: []string{"one receiver"}, ratio: 2}},
		},
	}
	if os.Getenv("CHROMIUM") == "" {
		log.Print("P7 between browsers is not measured: CHROMIUM names no browser")
		return rows, nil
	}
	return append(rows, row{
		id: "P7", work: fmt.Sprintf("a drop of %d MiB, browser to browser", c.size>>20), per: "GiB", format: mega,
		ours: c.browsers, must: []target{{text: "≥80 MB/s", least: 80e6}},
	}), nil
}

// dropLimits lift what one address may do.
var dropLimits = []string{
	"COFFER_LIMIT_DROP_OPEN=1000000/1s", "COFFER_LIMIT_DROP_JOIN=1000000/1s", "COFFER_LIMIT_DROP_READ=1000000/1s", "COFFER_LIMIT_DROP_ASK=1000000/1s",
}

// fill writes the file that is sent: random bytes, which no peer can compress.
func (c *couriers) fill() error {
	f, err := os.Create(c.file)
	if err != nil {
		return err
	}
	defer f.Close()
	var seed [32]byte
	rand.Read(seed[:])
	_, err = io.CopyN(f, mathrand.NewChaCha8(seed), c.size)
	return err
}

// folder returns an empty folder to receive into.
func (c *couriers) folder() (string, error) {
	c.n++
	dir := c.b.path(fmt.Sprintf("received-%d", c.n))
	return dir, os.MkdirAll(dir, 0o755)
}

// arrived checks that a whole file came, and removes it.
func (c *couriers) arrived(dir string) error {
	defer os.RemoveAll(dir)
	info, err := os.Stat(filepath.Join(dir, filepath.Base(c.file)))
	if err != nil {
		return err
	}
	if info.Size() != c.size {
		return fmt.Errorf("%d bytes arrived of %d", info.Size(), c.size)
	}
	return nil
}

// coffer sends to receivers that have joined, and measures until all of them are done.
func (c *couriers) coffer(idle int64, receivers int) (sample, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if err := c.p.resetPeak(); err != nil {
		return sample{}, err
	}
	before := c.p.cpu()
	send := exec.CommandContext(ctx, c.b.binary, "send", "--server", "http://"+c.p.addr, "--receivers", fmt.Sprint(receivers), c.file)
	send.Stderr = os.Stderr
	out, err := send.StdoutPipe()
	if err != nil {
		return sample{}, err
	}
	if err := send.Start(); err != nil {
		return sample{}, err
	}
	said := map[string]string{}
	lines := bufio.NewScanner(out)
	for said["link"] == "" && lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ": ")
		said[key] = value
	}
	if said["link"] == "" {
		return sample{}, errors.New("coffer send printed no link")
	}
	go io.Copy(io.Discard, out)
	begin := time.Now()
	errs := make(chan error, receivers)
	for range receivers {
		dir, err := c.folder()
		if err != nil {
			return sample{}, err
		}
		go func() {
			receive := exec.CommandContext(ctx, c.b.binary, "receive", said["link"], "--server", "http://"+c.p.addr, "--out", dir)
			if text, err := receive.CombinedOutput(); err != nil {
				errs <- fmt.Errorf("coffer receive: %w: %s", err, text)
				return
			}
			errs <- c.arrived(dir)
		}()
	}
	for range receivers {
		if err := <-errs; err != nil {
			return sample{}, err
		}
	}
	took := time.Since(begin).Seconds()
	if err := send.Wait(); err != nil {
		return sample{}, fmt.Errorf("coffer send: %w", err)
	}
	moved := float64(c.size) * float64(receivers)
	s := sample{value: moved / took, cpu: (c.p.cpu() - before) / moved * gib}
	if receivers == 1 {
		s.memory = c.p.memory("VmHWM") - idle
	}
	return s, nil
}

// browsers sends between two browsers, each with a profile of its own.
func (c *couriers) browsers() (sample, error) {
	before := c.p.cpu()
	out, err := exec.Command("node", "web/test/drop-speed.mjs", "http://"+strings.Replace(c.p.addr, "127.0.0.1", "localhost", 1), c.file, "1").Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	if err != nil {
		return sample{}, fmt.Errorf("drop-speed.mjs: %w", err)
	}
	var got struct {
		Bytes   int64   `json:"bytes"`
		Seconds float64 `json:"seconds"`
	}
	if err := json.Unmarshal(out, &got); err != nil || got.Bytes != c.size {
		return sample{}, fmt.Errorf("drop-speed.mjs: %w: %s", err, out)
	}
	return sample{value: float64(got.Bytes) / got.Seconds, cpu: (c.p.cpu() - before) / float64(got.Bytes) * gib}, nil
}

// croc is croc with its own relay, as it ships and without compression.
func (c *couriers) croc() []contender {
	shipped, plain := contender{name: "croc"}, contender{name: "croc --no-compress"}
	program, err := c.b.peer("croc")
	if err == nil {
		err = c.relay(&shipped, &plain, program)
	}
	if err != nil {
		return []contender{shipped.without(err), plain.without(err)}
	}
	return []contender{shipped, plain}
}

func (c *couriers) relay(shipped, plain *contender, program string) error {
	base := 20000 + os.Getpid()%20000
	ports := make([]string, 5)
	for i := range ports {
		ports[i] = fmt.Sprint(base + i)
	}
	relay := exec.Command(program, "relay", "--host", "127.0.0.1", "--ports", strings.Join(ports, ","))
	if err := relay.Start(); err != nil {
		return err
	}
	c.b.later(func() { relay.Process.Kill(); relay.Wait() })
	if err := reachable("127.0.0.1:" + ports[0]); err != nil {
		return err
	}
	run := func(options ...string) func() (sample, error) {
		return again(func() (sample, error) {
			secret := fmt.Sprintf("%04d-bench-%d", 1000+mathrand.IntN(9000), c.n)
			common := append([]string{"--relay", "127.0.0.1:" + ports[0], "--yes", "--disable-clipboard", "--ignore-stdin"}, options...)
			env := append(os.Environ(), "CROC_SECRET="+secret)
			send := append(slices.Clone(common), "send", "--no-local", c.file)
			return c.pair(env, program, send, append(common, "--overwrite"))
		})
	}
	shipped.run, plain.run = run(), run("--no-compress")
	return nil
}

// again repeats a peer's run that failed, twice: its ends may miss each other.
func again(run func() (sample, error)) func() (sample, error) {
	return func() (s sample, err error) {
		for range 3 {
			if s, err = run(); err == nil {
				break
			}
		}
		return s, err
	}
}

// wormhole is magic-wormhole of Debian through a mailbox and a transit relay on this machine.
func (c *couriers) wormhole() contender {
	w := contender{name: "magic-wormhole", note: "its mailbox and transit relay are here too"}
	program, err := exec.LookPath("wormhole")
	if err != nil {
		return w.without(errors.New("it is not installed, with its transit relay and mailbox server, from Debian's packages"))
	}
	mailbox, transit := freeAddr(), freeAddr()
	for plugin, addr := range map[string]string{"wormhole-mailbox": mailbox, "transitrelay": transit} {
		_, port, _ := net.SplitHostPort(addr)
		server := exec.Command("twist3", plugin, "--port", "tcp:"+port+":interface=127.0.0.1")
		server.Dir = c.b.dir
		if err := server.Start(); err != nil {
			return w.without(err)
		}
		c.b.later(func() { server.Process.Kill(); server.Wait() })
		if err := reachable(addr); err != nil {
			return w.without(err)
		}
	}
	c.b.peers = append(c.b.peers, "magic-wormhole of Debian")
	w.run = again(func() (sample, error) {
		code := fmt.Sprintf("%d-bench-mark", 1+mathrand.IntN(1000))
		common := []string{"--relay-url", "ws://" + mailbox + "/v1", "--transit-helper", "tcp:" + transit}
		send := append(common[:4:4], "send", "--hide-progress", "--no-listen", "--code", code, c.file)
		receive := append(common[:4:4], "receive", "--hide-progress", "--no-listen", "--accept-file", code)
		return c.pair(os.Environ(), program, send, receive)
	})
	return w
}

// pair runs a sender, and after it a receiver in a folder of its own, which is measured.
func (c *couriers) pair(env []string, program string, send, receive []string) (sample, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 45*time.Second) // ends that miss each other wait for ever
	defer cancel()
	dir, err := c.folder()
	if err != nil {
		return sample{}, err
	}
	sender := exec.CommandContext(ctx, program, send...)
	sender.Env = env
	if err := sender.Start(); err != nil {
		return sample{}, err
	}
	time.Sleep(2 * time.Second) // it waits at the relay
	receiver := exec.CommandContext(ctx, program, receive...)
	receiver.Env, receiver.Dir = env, dir
	begin := time.Now()
	text, err := receiver.CombinedOutput()
	took := time.Since(begin).Seconds()
	if err != nil {
		sender.Process.Kill()
		sender.Wait()
		return sample{}, fmt.Errorf("%s: %w: %s", filepath.Base(program), err, text)
	}
	sender.Wait()
	return sample{value: float64(c.size) / took}, c.arrived(dir)
}

// reachable waits for a listener.
func reachable(addr string) error {
	for range 500 {
		if conn, err := net.Dial("tcp", addr); err == nil {
			return conn.Close()
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("nothing listens at %s", addr)
}

// idleSockets is the number of sockets of P8.
const idleSockets = 10_000

// sockets is P8: the memory of hosts that wait.
func (b *bench) sockets() ([]row, error) {
	return []row{{
		id: "P8", work: fmt.Sprintf("%d idle drop sockets: memory of each", idleSockets), format: func(v float64) string { return fmt.Sprintf("%.1f KiB", v/1024) },
		ours: b.waiting, must: []target{{text: "≤20 KiB each", most: 20 << 10}},
	}}, nil
}

// waiting opens the sockets, and measures what the server has grown by for each.
func (b *bench) waiting() (sample, error) {
	data := fmt.Sprintf("p8-%d", time.Now().UnixNano())
	p, _, err := b.coffer(data, append([]string{
		"COFFER_MAX_STREAMS=100000", "COFFER_MAX_STREAMS_ADDRESS=100000", "COFFER_DROP_SOCKETS_ADDRESS=100000",
	}, dropLimits...)...)
	if err != nil {
		return sample{}, err
	}
	defer p.stop()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	open := func() (*websocket.Conn, error) {
		var drop struct {
			Name      string `json:"name"`
			HostToken string `json:"host_token"`
		}
		if err := p.call("POST", "/v1/drops", "", map[string]any{}, &drop); err != nil {
			return nil, err
		}
		conn, _, err := websocket.Dial(ctx, "ws://"+p.addr+"/v1/drops/"+drop.Name+"/socket", &websocket.DialOptions{
			HTTPHeader: http.Header{"Authorization": {"Drop " + drop.HostToken}}, Subprotocols: []string{"coffer.drop.v1"}})
		if err == nil {
			_, _, err = conn.Read(ctx) // the welcome
		}
		return conn, err
	}
	var (
		mu    sync.Mutex
		conns []*websocket.Conn
		errs  = make(chan error, 1)
		wg    sync.WaitGroup
	)
	hold := func(n int) {
		for range 8 {
			wg.Go(func() {
				for range n / 8 {
					conn, err := open()
					if err != nil {
						select {
						case errs <- err:
						default:
						}
						return
					}
					go conn.CloseRead(ctx) // answers pings
					mu.Lock()
					conns = append(conns, conn)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
	}
	defer func() {
		for _, conn := range conns {
			conn.CloseNow()
		}
	}()
	hold(80) // what the first sockets cost is not theirs
	settle := func() int64 { time.Sleep(3 * time.Second); return p.memory("VmRSS") }
	before := settle()
	hold(idleSockets)
	after := settle()
	select {
	case err := <-errs:
		return sample{}, err
	default:
	}
	return sample{value: float64(after-before) / idleSockets}, nil
}
