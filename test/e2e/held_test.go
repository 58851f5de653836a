package e2e

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"coffer/client"
	"coffer/internal/pinning/pinningtest"
)

// crowd is the people that hold streams, each from their own address. No account and no address
// holds more than the server's defaults allow, so the sum is what a default server can meet.
type crowd struct {
	t       *testing.T
	s       *server
	private string // address of the counts
	n       int    // streams that are held at once
	people  []*holder
}

// holder is one of the people.
type holder struct {
	*client.Client
	from   net.IP
	bearer string // header line
}

// of returns the person that holds stream i.
func (c *crowd) of(i int) *holder { return c.people[i%len(c.people)] }

// heldKind is a kind of stream. A stream is held when its client has sent all of send, and then
// neither sends nor reads.
type heldKind struct {
	name string
	send func(i int) string
	dial func(i int, conn net.Conn) error // in place of send
	// held counts them on the server's side.
	held func(counts map[string][]series) float64
	most int // that the server lets in; 0: all
}

func moving(m map[string][]series) float64 {
	return count(m, "coffer_http_streams_running", "kind", "moving")
}
func pages(m map[string][]series) float64 {
	return count(m, "coffer_http_streams_running", "kind", "waiting")
}
func open(m map[string][]series) float64 { return count(m, "process_open_fds") }

// Held streams take little server memory, whatever they carry: their clients stall while they
// send, or do not read. COFFER_TEST_LONG=1 holds a thousand of each kind, in 256 MiB over idle.
func TestHeldStreamsInLittleMemory(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc, which only Linux has")
	}
	for _, group := range []struct {
		name  string
		kinds func(c *crowd) []heldKind
	}{{"sent", (*crowd).sent}, {"read", (*crowd).read}, {"archives", (*crowd).archives}, {"exports", (*crowd).exports}} {
		t.Run(group.name, func(t *testing.T) {
			kubo := pinningtest.NewKubo(t)
			c := gather(t, "COFFER_IPFS_RPC="+kubo.URL, "COFFER_PIN_CHECK=200ms")
			for _, kind := range group.kinds(c) {
				t.Run(kind.name, func(t *testing.T) { c.hold(t, kind) })
			}
		})
	}
}

// sent are the streams on which clients send.
func (c *crowd) sent() []heldKind {
	const form = "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 900000000\r\n\r\n"
	const file = "--b\r\nContent-Disposition: form-data; name=f; filename=a\r\n\r\n"
	const tus = "Tus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: 900000\r\n"
	const json = "POST /v1/auth/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n"
	some := strings.Repeat("x", 200<<10)
	post := func(line, rest string) func(int) string {
		return func(i int) string { return line + " HTTP/1.1\r\nHost: localhost\r\n" + c.of(i).bearer + rest }
	}
	links := make([]string, len(c.people))
	uploads := make([]string, c.n+1)
	for i, h := range c.people {
		folder, err := h.CreateFolder(c.t.Context(), "", "in")
		if err != nil {
			c.t.Fatal(err)
		}
		link, err := h.CreateShare(c.t.Context(), folder.ID, client.NewShare{Kind: "request"})
		if err != nil {
			c.t.Fatal(err)
		}
		links[i] = link.Token
	}
	for i := range uploads {
		id, err := c.of(i).BeginUpload(c.t.Context(), client.NewUpload{Name: "part.bin", Size: 900_000})
		if err != nil {
			c.t.Fatal(err)
		}
		uploads[i] = id
	}
	metadata := "Upload-Length: 900000\r\nUpload-Metadata: filename " + base64.StdEncoding.EncodeToString([]byte("a")) + "\r\n"
	// A picture is decoded as a whole. So the server takes in few at once.
	size := 1 << 20
	if thousand() {
		size = 10 << 20
	}
	picture := fmt.Sprintf("Content-Type: image/png\r\nContent-Length: %d\r\n\r\n%s", size, strings.Repeat("x", size-1))
	return []heldKind{
		{name: "uploads", send: post("POST /v1/files", form+file+some), held: moving},
		{name: "headers of parts", send: post("POST /v1/files", form+"--b\r\nA: "+strings.Repeat("x", 30<<10)), held: moving},
		{name: "new resumable uploads", send: post("POST /v1/uploads", metadata+tus+"\r\n"+some), held: moving},
		{name: "parts of resumable uploads", send: func(i int) string {
			return post("PATCH /v1/uploads/"+uploads[i], "Upload-Offset: 0\r\n"+tus+"\r\n"+some)(i)
		}, held: moving},
		{name: "files handed in", send: func(i int) string {
			return "POST /v1/public/shares/" + links[i%len(links)] + "/files HTTP/1.1\r\nHost: localhost\r\n" + form + file + some
		}, held: moving},
		{name: "pictures", send: post("PUT /v1/account/avatar", picture), held: moving, most: min(16, 2*len(c.people))},
		{name: "headers", send: func(int) string { return "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 30<<10) }, held: open},
		{name: "JSON", send: func(int) string { return json + strings.Repeat(" ", 15<<10) }, held: open},
		{name: "long JSON", send: func(int) string { return json + strings.Repeat(" ", 800<<10) }, held: open, most: min(16, 2*len(c.people))},
		{name: "idle ones", send: func(int) string { return "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" }, held: open},
		{name: "open pages", send: post("GET /v1/changes", "\r\n"), held: pages},
		{name: "sockets of drops", dial: func(i int, conn net.Conn) error { return hostByHand(conn) },
			held: func(m map[string][]series) float64 { return count(m, "coffer_drop_sockets") }},
	}
}

// read are the streams that clients read, archives and exports apart.
func (c *crowd) read() []heldKind {
	const size = 2 << 20 // more than socket buffers hold
	var whole, parts, links []string
	for _, h := range c.people {
		id := uploadPattern(c.t, h.Client, size)
		link, err := h.CreateShare(c.t.Context(), id, client.NewShare{})
		if err != nil {
			c.t.Fatal(err)
		}
		whole, links = append(whole, id), append(links, link.Token)
		parts = append(parts, uploadParts(c.t, c.s, h.Client, 100, 20_000))
	}
	get := func(path func(i int) string) func(int) string {
		return func(i int) string {
			return "GET " + path(i%len(c.people)) + " HTTP/1.1\r\nHost: localhost\r\n" + c.of(i).bearer + "\r\n"
		}
	}
	d := desk{c.people[0].Client, c.t, nil}
	pin, err := d.CreatePin(c.t.Context(), whole[0], client.NewPin{Public: true})
	d.must(err)
	cid := *pinned(c.t, d.Client, pin.ID, "verified").CID
	return []heldKind{
		{name: "downloads", send: get(func(i int) string { return "/v1/files/" + whole[i] + "/content" }), held: moving},
		{name: "downloads in parts", send: get(func(i int) string { return "/v1/files/" + parts[i] + "/content" }), held: moving},
		{name: "downloads of ranges", send: func(i int) string {
			return strings.Replace(get(func(i int) string { return "/v1/files/" + whole[i] + "/content" })(i), "\r\n", "\r\nRange: bytes=1-1500000, 1600000-1700000\r\n", 1)
		}, held: moving},
		{name: "downloads by a link", send: func(i int) string {
			return "GET /v1/public/shares/" + links[i%len(links)] + "/content HTTP/1.1\r\nHost: localhost\r\n\r\n"
		}, held: moving},
		{name: "archives of IPFS", send: func(int) string { return "GET /ipfs/" + cid + "?format=car HTTP/1.1\r\nHost: localhost\r\n\r\n" }, held: moving},
	}
}

func (c *crowd) archives() []heldKind {
	folders, links := make([]string, len(c.people)), make([]string, len(c.people))
	for i, h := range c.people {
		folders[i] = c.manyFiles(h)
		link, err := h.CreateShare(c.t.Context(), folders[i], client.NewShare{})
		if err != nil {
			c.t.Fatal(err)
		}
		links[i] = link.Token
	}
	return []heldKind{
		{name: "archives", send: func(i int) string {
			return "GET /v1/files/" + folders[i%len(folders)] + "/archive HTTP/1.1\r\nHost: localhost\r\n" + c.of(i).bearer + "\r\n"
		}, held: moving},
		{name: "archives of what is chosen", send: func(i int) string {
			body := `{"ids":["` + folders[i%len(folders)] + `"]}`
			return "POST /v1/files/archive HTTP/1.1\r\nHost: localhost\r\n" + c.of(i).bearer + "Content-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
		}, held: moving},
		{name: "archives by a link", send: func(i int) string {
			return "GET /v1/public/shares/" + links[i%len(links)] + "/archive HTTP/1.1\r\nHost: localhost\r\n\r\n"
		}, held: moving},
	}
}

func (c *crowd) exports() []heldKind {
	for _, h := range c.people {
		c.manyFiles(h)
	}
	return []heldKind{{name: "exports", send: func(i int) string {
		return "GET /v1/account/export HTTP/1.1\r\nHost: localhost\r\n" + c.of(i).bearer + "\r\n"
	}, held: moving}}
}

// gather starts a server with as many people as the limits per account need.
func gather(t *testing.T, env ...string) *crowd {
	t.Helper()
	n, each := 30, 15
	if thousand() {
		n, each = 1000, 100
	}
	private := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	// Callers without a session have half of all places.
	s := start(t, alone, append(env, fmt.Sprintf("COFFER_MAX_STREAMS=%d", 2*n), "COFFER_METRICS_ADDR="+private)...)
	c := &crowd{t: t, s: s, private: private, n: n}
	for range n / each {
		p := s.member(t)
		in := p.signIn(t, client.WithoutProofs())
		c.people = append(c.people, &holder{in, p.from, "Authorization: Bearer " + in.Credentials().AccessToken + "\r\n"})
	}
	return c
}

// manyFiles uploads more than socket buffers hold, and returns its folder. Of a thousand archives
// each has come a long way when it stalls.
func (c *crowd) manyFiles(h *holder) (folder string) {
	c.t.Helper()
	e, err := h.CreateFolder(c.t.Context(), "", "many")
	if err != nil {
		c.t.Fatal(err)
	}
	batches, size := 1, 20_000
	if thousand() {
		batches, size = 20, 1000
	}
	for batch := range batches {
		files := make([]client.Source, 50)
		for i := range files {
			files[i] = client.Source{Name: fmt.Sprintf("note %d.txt", 50*batch+i), Content: bytes.NewReader(make([]byte, size))}
		}
		if _, err := h.Upload(c.t.Context(), e.ID, files...); err != nil {
			c.t.Fatal(err)
		}
	}
	return e.ID
}

// hostByHand opens a drop, and becomes its host, by one connection.
func hostByHand(conn net.Conn) error {
	in := bufio.NewReader(conn)
	ask := func(status int, request string) (body []byte, err error) {
		if _, err := io.WriteString(conn, request); err != nil {
			return nil, err
		}
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			return nil, err
		}
		defer res.Body.Close()
		if res.StatusCode != status {
			return nil, errors.New(res.Status)
		}
		if status == http.StatusSwitchingProtocols {
			return nil, nil
		}
		return io.ReadAll(res.Body)
	}
	body, err := ask(http.StatusCreated, "POST /v1/drops HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
	if err != nil {
		return err
	}
	var drop struct {
		Name  string `json:"name"`
		Token string `json:"host_token"`
	}
	if err := json.Unmarshal(body, &drop); err != nil {
		return err
	}
	_, err = ask(http.StatusSwitchingProtocols, "GET /v1/drops/"+drop.Name+"/socket HTTP/1.1\r\nHost: localhost\r\nAuthorization: Drop "+drop.Token+
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: coffer.drop.v1\r\n\r\n")
	return err
}

// open opens stream i.
func (c *crowd) open(kind heldKind, i int) (net.Conn, error) {
	from := c.of(i).from
	if kind.dial != nil {
		from = newAddress() // one address opens few drops
	}
	conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}).Dial("tcp", strings.TrimPrefix(c.s.url, "http://"))
	if err != nil {
		return nil, err
	}
	if kind.dial != nil {
		return conn, kind.dial(i, conn)
	}
	_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10) // so that the server holds what is not read
	_ = conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.WriteString(conn, kind.send(i)) // a refused connection is cut
	return conn, nil
}

// hold holds n streams, and compares what they take with what is promised.
func (c *crowd) hold(t *testing.T, kind heldKind) {
	n, want := c.n, c.n
	most, quiet, pause := int64(c.n)<<20+48<<20, 4, 50*time.Millisecond // generous: it has garbage, and shared buffers
	if kind.most > 0 {                                                  // and as many again, which are refused
		n, want = 2*kind.most, kind.most
	}
	if thousand() {
		most, quiet, pause = 256<<20, 10, 100*time.Millisecond
		c.s.restart() // what the kind before left is not idle
	}
	// The first one makes what all have in common.
	first, err := c.open(kind, c.n)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	first.Close()
	settled := c.settle(t, kind)
	before := c.s.memory(t, "VmRSS")
	conns := make([]net.Conn, n)
	for i := range conns {
		conn, err := c.open(kind, i)
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		defer conn.Close()
		if conns[i] = conn; i%50 == 49 || i == n-1 { // so that none waits for the others to begin
			c.await(t, kind, settled+float64(min(i+1, want)), conn)
		}
	}
	// Until none of them moves: memory has its peak, and the kernel takes no more of an answer.
	// Some are held for ten seconds only. So each look asks whether all are.
	held, peak, unsent, looks := 0.0, int64(0), int64(0), 0
	for still := 0; still < quiet; still++ {
		now, kept, all := c.s.memory(t, "VmRSS"), c.s.unsent(t), c.count(t, kind)-settled
		if all < float64(want) {
			break
		}
		if looks++; now > peak+1<<20 || kept != unsent {
			still = 0
		}
		peak, unsent, held = max(now, peak), kept, all
		time.Sleep(pause)
	}
	if looks < quiet {
		t.Errorf("%d are held for %d looks only", want, looks)
	}
	kernel := unsent / int64(n)
	t.Logf("%.0f %s: %d MiB over %d MiB, and %d KiB each in the kernel", held, kind.name, (peak-before)>>20, before>>20, kernel>>10)
	if took := peak - before; took > most {
		t.Errorf("they take %d MiB, more than %d", took>>20, most>>20)
	}
	if kernel > 512<<10 {
		t.Errorf("the kernel keeps %d KiB of each", kernel>>10)
	}
	for _, conn := range conns {
		conn.Close()
	}
	c.settle(t, kind)
}

// await waits until the server holds n, the last of them by conn.
func (c *crowd) await(t *testing.T, kind heldKind, n float64, conn net.Conn) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		now := c.count(t, kind)
		if now >= n {
			return
		}
		if time.Now().After(end) {
			_ = conn.SetReadDeadline(time.Now().Add(time.Second))
			answer := make([]byte, 1000)
			got, _ := conn.Read(answer)
			t.Fatalf("the server was to hold %.0f, and holds %.0f; the last one got %q", n, now, answer[:got])
		}
	}
}

// count asks the server how many it holds of a kind.
func (c *crowd) count(t *testing.T, kind heldKind) float64 {
	t.Helper()
	m, _ := page(t, c.private)
	return kind.held(m)
}

// settle waits until the streams have ended, and returns what is counted without them.
func (c *crowd) settle(t *testing.T, kind heldKind) (settled float64) {
	t.Helper()
	same := 0
	wait(t, "the streams end", func() bool {
		m, _ := page(t, c.private)
		now := kind.held(m)
		if same++; now != settled || moving(m)+pages(m) > 0 {
			settled, same = now, 0
		}
		return same >= 3
	})
	return settled
}

// thousand says that the test holds a thousand streams of each kind.
func thousand() bool { return os.Getenv("COFFER_TEST_LONG") == "1" }
