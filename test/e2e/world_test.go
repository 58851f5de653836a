package e2e

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"coffer/client"
	"coffer/internal/blob/blobtest"
	"coffer/internal/db/dbtest"
	"coffer/internal/kv/kvtest"
)

var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "coffer-e2e-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "coffer")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", program, "coffer/cmd/coffer")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, out)
		return 1
	}
	// Most of these tests wait for a time to pass. With services they have more to do.
	if os.Getenv("COFFER_TEST_POSTGRES_URL") == "" {
		if err := flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))); err != nil {
			panic(err)
		}
	}
	return m.Run()
}

// setup is the set of stores that a server uses.
type setup struct {
	name string
	// env returns the settings of one server, with a fresh database, Redis and folder each. A PostgreSQL
	// database has its tables already; TestNewerSchema has the program make them.
	env func(t *testing.T) []string
}

var (
	alone = setup{"SQLite", func(*testing.T) []string { return nil }}
	scale = setup{"PostgreSQL, Redis and S3", func(t *testing.T) []string {
		return stores(t, dbtest.PostgreSQLURL(t))
	}}
	setups = []setup{alone, scale}
)

func stores(t *testing.T, database string) []string {
	t.Helper()
	return []string{"COFFER_DATABASE_URL=" + database, "COFFER_REDIS_URL=" + redisURL(t), "COFFER_BLOBS=" + blobtest.S3URL(t)}
}

// redisURL names a Redis database that no other server of this run uses: 1 to 15, because
// other packages' tests use 0.
func redisURL(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(kvtest.RedisURL(t))
	if err != nil {
		t.Fatal(err)
	}
	n := <-redisFree
	t.Cleanup(func() { redisFree <- n })
	u.Path = fmt.Sprintf("/%d", n)
	clearRedis(t, u.String())
	return u.String()
}

var redisFree = func() chan int {
	free := make(chan int, 15)
	for n := range cap(free) {
		free <- n + 1
	}
	return free
}()

// each runs a story on a separate server for each set-up.
func each(t *testing.T, story func(t *testing.T, in setup)) {
	for _, in := range setups {
		t.Run(in.name, func(t *testing.T) {
			t.Parallel()
			story(t, in)
		})
	}
}

// server is the program, started by a test.
type server struct {
	t    *testing.T
	url  string // http://127.0.0.1:PORT
	data string // folder
	env  []string

	mu     sync.Mutex
	cmd    *exec.Cmd
	out    *output // of all starts
	starts int
	end    chan error
}

// output is the program's output on both streams.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// small makes hashes and new keys cheap; other tests measure their cost. The shared server
// uses the default keys.
var small = []string{"COFFER_ARGON2_MEMORY=1024", "COFFER_ARGON2_TIME=1", "COFFER_TOKEN_ALG=EdDSA"}

// newServer prepares a server without starting it.
func newServer(t *testing.T, in setup, env ...string) *server {
	t.Helper()
	port := freePort(t)
	s := &server{t: t, url: fmt.Sprintf("http://127.0.0.1:%d", port), data: t.TempDir(), out: &output{}}
	s.env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.data, "TMPDIR=" + s.data, fmt.Sprintf("COFFER_ADDR=127.0.0.1:%d", port), "COFFER_DATA=" + s.data}, small...)
	s.env = append(append(s.env, in.env(t)...), env...)
	t.Cleanup(s.cleanUp)
	return s
}

// start starts a server and waits until it is alive.
func start(t *testing.T, in setup, env ...string) *server {
	t.Helper()
	s := newServer(t, in, env...)
	s.start()
	return s
}

// start starts the program and waits until it is alive.
func (s *server) start() {
	s.t.Helper()
	if err := s.launch(); err != nil {
		s.t.Fatal(err)
	}
	s.starts++
	const greeted = "Coffer is at " // in one write with the link of the first admin
	deadline := time.Now().Add(30 * time.Second)
	for {
		res, err := http.Get(s.url + "/healthz")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK && strings.Count(s.out.String(), greeted) >= s.starts {
				return
			}
		}
		select {
		case err := <-s.end:
			s.end <- err
			s.t.Fatalf("the server ended: %v\n%s", err, s.out)
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the server is not alive after 30 s (%v)\n%s", err, s.out)
		}
	}
}

func (s *server) launch() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	cmd := exec.Command(program, "serve")
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = s.data, s.env, s.out, s.out
	if u := s.setting("COFFER_DATABASE_URL"); u != "" {
		cmd.Env = append(slices.Clone(s.env), "COFFER_DATABASE_URL="+few(u))
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	end := make(chan error, 1)
	go func() { end <- cmd.Wait() }()
	s.cmd, s.end = cmd, end
	return nil
}

// few bounds the program's connections, each of which is a process that PostgreSQL starts. A start opens
// sixteen otherwise, which cost more than the start itself. pg_dump and pgx refuse that word in a URL.
func few(database string) string {
	u, err := url.Parse(database)
	if err != nil {
		return database
	}
	q := u.Query()
	q.Set("pool_max_conns", "6")
	u.RawQuery = q.Encode()
	return u.String()
}

// stop ends the program as an operator does, and expects a clean exit.
func (s *server) stop() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Error(err)
	}
	select {
	case err := <-s.end:
		s.end <- err
		if err != nil {
			s.t.Errorf("SIGTERM: %v\n%s", err, s.tail())
		}
	case <-time.After(30 * time.Second):
		_ = s.cmd.Process.Signal(syscall.SIGQUIT) // makes it print its goroutines
		s.end <- <-s.end
		s.t.Errorf("the server lives 30 s after SIGTERM\n%s", s.out)
	}
}

// kill ends the program at once, as a power cut does.
func (s *server) kill() {
	_ = s.cmd.Process.Kill() // it may have ended already
	s.end <- <-s.end
}

func (s *server) restart() {
	s.t.Helper()
	s.stop()
	s.start()
}

func (s *server) cleanUp() {
	if s.cmd == nil {
		return
	}
	select {
	case err := <-s.end:
		s.end <- err
	default:
		s.stop()
	}
	if s.t.Failed() {
		s.t.Logf("the server printed:\n%s", s.tail())
	}
	if strings.Contains(s.out.String(), "level=ERROR msg=panic") {
		s.t.Errorf("the server panicked:\n%s", s.out)
	}
}

func (s *server) tail() string {
	lines := strings.Split(s.out.String(), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

var ports = func() *atomic.Int64 { // below the range for outgoing connections
	var n atomic.Int64
	n.Store(12_000 + rand.Int64N(18_000))
	return &n
}()

func freePort(t *testing.T) int {
	t.Helper()
	for range 1000 {
		port := ports.Add(1)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			l.Close()
			return int(port)
		}
	}
	t.Fatal("no free port")
	return 0
}

// firstAdminToken reads the printed link of the latest start; "" without one.
func (s *server) firstAdminToken() string {
	printed := s.out.String()
	printed = printed[max(0, strings.LastIndex(printed, "Coffer is at ")):]
	m := regexp.MustCompile(`(?m)^(http\S+)/first-admin#token=(\S+)$`).FindStringSubmatch(printed)
	if m == nil {
		return ""
	}
	return m[2]
}

// Each address is one client to the server's limits. Systems other than Linux only have
// 127.0.0.1.
var addresses atomic.Uint32

func newAddress() net.IP {
	if runtime.GOOS != "linux" {
		return net.IPv4(127, 0, 0, 1)
	}
	n := addresses.Add(1)
	return net.IPv4(127, 1+byte(n>>16), byte(n>>8), byte(n))
}

func transport(from net.IP) *http.Transport {
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: from}, Timeout: 10 * time.Second}
	return &http.Transport{DialContext: d.DialContext, MaxIdleConnsPerHost: 64, ExpectContinueTimeout: 5 * time.Second}
}

// client returns a client with its own connection pool.
func (s *server) client(t *testing.T, from net.IP, opts ...client.Option) *client.Client {
	t.Helper()
	tr := transport(from)
	t.Cleanup(tr.CloseIdleConnections)
	c, err := client.New(s.url, append([]client.Option{client.WithHTTPClient(&http.Client{Transport: tr, Timeout: time.Minute}), client.WithUserAgent("coffer-e2e/1"), client.WithSave(rememberProof)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answer is the response to a request that our client would not send.
type answer struct {
	status int
	header http.Header
	body   string
}

// rawClients send handwritten requests, one client per address.
var rawClients sync.Map

// raw sends a request unchanged. Header values are given in pairs.
func (s *server) raw(t *testing.T, from net.IP, method, path string, body string, header ...string) answer {
	t.Helper()
	a, err := s.try(t.Context(), from, method, path, body, header...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (s *server) try(ctx context.Context, from net.IP, method, path string, body string, header ...string) (answer, error) {
	found, _ := rawClients.LoadOrStore(from.String(), &http.Client{
		Transport: transport(from), Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, r)
	if err != nil {
		return answer{}, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Del(header[i])
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	res, err := found.(*http.Client).Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(raw)}, err
}

var requestID = regexp.MustCompile(`"request_id":"[^"]*"`)

// signUpToken matches the token, new in each answer to a sign-up.
var signUpToken = regexp.MustCompile(`("sign_up":"|__Host-coffer-sign-up=)[\w-]{43}`)

// plain removes the parts that differ in every answer, so that equal results compare equal.
func (a answer) plain() answer {
	h := a.header.Clone()
	h.Del("Date")
	h.Del("X-Request-Id")
	h.Del("RateLimit") // one call less with each
	for i, cookie := range h["Set-Cookie"] {
		h["Set-Cookie"][i] = signUpToken.ReplaceAllString(cookie, "$1…")
	}
	return answer{a.status, h, signUpToken.ReplaceAllString(requestID.ReplaceAllString(a.body, `"request_id":"…"`), "$1…")}
}

// wait polls until ok holds.
func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	patience := 30 * time.Second
	if thorough() {
		patience = 2 * time.Minute
	}
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, patience)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// thorough runs take the time that a lease or a slow machine needs.
func thorough() bool {
	return os.Getenv("COFFER_TEST_LONG") == "1" || os.Getenv("COFFER_TEST_REQUIRE") == "1"
}
