package e2e

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"coffer/client"
)

// proxies start a proxy of deploy/ before the nodes at these addresses. It listens at
// http://localhost:port until the test ends.
var proxies = map[string]func(t *testing.T, port int, nodes ...string){
	"caddy": startCaddy,
	"nginx": startNginx,
}

// needs finds a program that test/services brings.
func needs(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("COFFER_TEST_REQUIRE") == "1" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed (make test brings it)", name)
	}
	return path
}

// runs a proxy until the test ends, once it listens.
func runs(t *testing.T, port int, cmd *exec.Cmd) {
	t.Helper()
	out := &output{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait() // its exit code says nothing about us
		kill.Stop()
		if t.Failed() {
			t.Logf("the proxy printed:\n%s", out)
		}
	})
	wait(t, "the proxy listens", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func startCaddy(t *testing.T, port int, nodes ...string) {
	caddy, home := needs(t, "caddy"), t.TempDir()
	config, err := filepath.Abs(filepath.Join(deploy, "Caddyfile"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(caddy, "run", "--adapter", "caddyfile", "--config", config)
	cmd.Dir = home
	cmd.Env = []string{"HOME=" + home, fmt.Sprintf("SITE=http://localhost:%d", port), "NODES=" + strings.Join(nodes, " ")}
	runs(t, port, cmd)
}

// startNginx runs deploy/nginx.conf with other addresses, and without TLS.
func startNginx(t *testing.T, port int, nodes ...string) {
	nginx, home := needs(t, "nginx"), t.TempDir()
	raw, err := os.ReadFile(filepath.Join(deploy, "nginx.conf"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for i, node := range nodes {
		text = replaced(t, text, fmt.Sprintf("server 127.0.0.1:%d ", 8420+i), "server "+node+" ")
	}
	text = replaced(t, text, "listen 443 ssl;", fmt.Sprintf("listen 127.0.0.1:%d;", port))
	text = replaced(t, text, "server_name files.example.org;", "server_name localhost;")
	text = regexp.MustCompile(`(?m)^\s+ssl_.*$`).ReplaceAllString(text, "")
	whole := fmt.Sprintf("daemon off; pid %s/pid; error_log stderr warn;\nevents { worker_connections 512; }\nhttp {\naccess_log off;\n", home)
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		whole += fmt.Sprintf("%s_temp_path %s/%s;\n", kind, home, kind)
	}
	if os.Getuid() == 0 { // else it cannot and need not change its user
		whole = "user root;\n" + whole
	}
	file := filepath.Join(home, "nginx.conf")
	if err := os.WriteFile(file, []byte(whole+text+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	runs(t, port, exec.Command(nginx, "-p", home, "-e", "stderr", "-c", file))
}

func replaced(t *testing.T, text, old, by string) string {
	t.Helper()
	if strings.Count(text, old) != 1 {
		t.Fatalf("%d times %q", strings.Count(text, old), old)
	}
	return strings.Replace(text, old, by, 1)
}

// plainNode stands in for a node, and shows what the proxy makes of requests.
func plainNode(t *testing.T, came chan string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/readyz":
		case "/up":
			first := make([]byte, 5)
			_, err := io.ReadFull(r.Body, first)
			came <- fmt.Sprint(string(first), err)
			_, _ = io.Copy(io.Discard, r.Body)
		case "/down":
			w.Header().Set("Content-Length", "10") // of a known length Caddy holds back by itself
			fmt.Fprint(w, "first")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-came:
				fmt.Fprint(w, " half")
			case <-r.Context().Done():
			}
		case "/who":
			fmt.Fprintln(w, r.Host, r.Header["X-Forwarded-For"])
		case "/socket":
			if r.Header.Get("Upgrade") != "websocket" || r.Header.Get("Sec-Websocket-Protocol") != "coffer.drop.v1" {
				http.Error(w, "no socket", http.StatusBadRequest)
				return
			}
			c, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
			_, _ = io.Copy(c, rw) // an echo
		}
	}
}

// The proxies pass on every byte at once, both ways, whole WebSockets, the Host and the
// caller's address, and no address that the caller claims.
func TestProxiesPassOnAtOnce(t *testing.T) {
	t.Parallel()
	for name, startProxy := range proxies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			came := make(chan string, 1)
			node := httptest.NewServer(plainNode(t, came))
			defer node.Close()
			port := freePort(t)
			startProxy(t, port, strings.TrimPrefix(node.URL, "http://"), fmt.Sprintf("127.0.0.1:%d", freePort(t)))
			site := fmt.Sprintf("http://localhost:%d", port)
			wait(t, "the proxy knows the node that lives", func() bool {
				for range 5 {
					res, err := http.Get(site + "/readyz")
					if err != nil || res.StatusCode != http.StatusOK {
						return false
					}
					res.Body.Close()
				}
				return true
			})

			r, w := io.Pipe()
			sent := make(chan error, 1)
			go func() {
				res, err := http.Post(site+"/up", "application/octet-stream", r)
				if err == nil {
					res.Body.Close()
				}
				sent <- err
			}()
			fmt.Fprint(w, "first")
			if got := within5s(t, came); got != "first<nil>" {
				t.Errorf("the node got %q", got)
			}
			w.Close()
			if err := <-sent; err != nil {
				t.Error(err)
			}

			res, err := (&http.Client{Timeout: 5 * time.Second}).Get(site + "/down")
			if err != nil {
				t.Fatal(err)
			}
			first := make(chan string, 1)
			go func() {
				b := make([]byte, 5)
				_, err := io.ReadFull(res.Body, b)
				first <- fmt.Sprint(string(b), err)
			}()
			if got := within5s(t, first); got != "first<nil>" {
				t.Errorf("the caller got %q", got)
			}
			came <- "go on"
			res.Body.Close()

			req, err := http.NewRequest(http.MethodGet, site+"/who", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Forwarded-For", "192.0.2.1")
			if res, err = http.DefaultClient.Do(req); err != nil {
				t.Fatal(err)
			}
			who, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if got, want := string(who), fmt.Sprintf("localhost:%d [127.0.0.1]\n", port); got != want {
				t.Errorf("the node sees %q, want %q", got, want)
			}

			c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(20 * time.Second))
			fmt.Fprintf(c, "GET /socket HTTP/1.1\r\nHost: localhost:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: coffer.drop.v1\r\n\r\n", port)
			buffered := bufio.NewReader(c)
			if res, err = http.ReadResponse(buffered, nil); err != nil || res.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("%v, %v", res, err)
			}
			for _, m := range []string{"ping", strings.Repeat("long", 100<<10)} {
				go func() { _, _ = io.WriteString(c, m) }()
				got := make([]byte, len(m))
				if _, err := io.ReadFull(buffered, got); err != nil || string(got) != m {
					t.Errorf("the socket echoed %d of %d bytes, %v", len(got), len(m), err)
				}
			}
		})
	}
}

func within5s(t *testing.T, c <-chan string) string {
	t.Helper()
	select {
	case s := <-c:
		return s
	case <-time.After(5 * time.Second):
		return "nothing in five seconds"
	}
}

// site is an installation as compose.yaml makes it: two nodes behind a proxy. It is a
// server at the proxy's address, and its data are those of both nodes.
type site struct {
	*server
	nodes [2]*server
}

// nodes starts two nodes on the same stores, for the site at http://localhost:port.
func nodes(t *testing.T, port int, env ...string) (both [2]*server, data string) {
	t.Helper()
	data = t.TempDir()
	env = append(scale.env(t), append([]string{fmt.Sprintf("COFFER_URL=http://localhost:%d", port), "COFFER_TRUSTED_PROXIES=127.0.0.1/32", "COFFER_DATA=" + data,
		"COFFER_ROOT_KEY=" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{9}, 32))}, env...)...)
	node := setup{scale.name, func(*testing.T) []string { return env }}
	return [2]*server{start(t, node), start(t, node)}, data
}

// newSite starts the nodes and, before them, the proxy.
func newSite(t *testing.T, startProxy func(t *testing.T, port int, nodes ...string), env ...string) *site {
	t.Helper()
	port := freePort(t)
	both, data := nodes(t, port, env...)
	startProxy(t, port, strings.TrimPrefix(both[0].url, "http://"), strings.TrimPrefix(both[1].url, "http://"))
	s := &site{&server{t: t, url: fmt.Sprintf("http://localhost:%d", port), data: data, out: &output{}}, both}
	wait(t, "the site answers", func() bool {
		res, err := http.Get(s.url + "/healthz")
		if err == nil {
			res.Body.Close()
		}
		return err == nil && res.StatusCode == http.StatusOK
	})
	return s
}

// A person's way through the proxy: sign up, upload, download, hear of changes. Then one
// node after the other stops and starts, and no request fails.
func TestThroughTheProxy(t *testing.T) {
	t.Parallel()
	for name, startProxy := range proxies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, startProxy)
			p := s.member(t)
			c := p.signIn(t)
			const size = 40 << 20
			id := uploadPattern(t, c, size)
			for range 3 {
				downloadPattern(t, c, id, size)
			}
			next := p.watch(t, p.signIn(t))
			if _, err := c.CreateFolder(t.Context(), "", "heard"); err != nil {
				t.Fatal(err)
			}
			if _, err := next(); err != nil {
				t.Errorf("a change: %v", err)
			}

			var calls, failed atomic.Int64
			stop, done := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				for {
					select {
					case <-stop:
						return
					default:
					}
					calls.Add(1)
					if err := onePage(t, c); err != nil {
						failed.Add(1)
						t.Errorf("a list while a node stops: %v", err)
					}
				}
			}()
			for _, node := range s.nodes {
				node.stop()
				before := calls.Load()
				wait(t, "requests go on without a node", func() bool { return calls.Load() > before+20 })
				node.start()
				wait(t, "the node is ready", func() bool {
					ready, err := node.client(t, p.from).Ready(t.Context())
					return err == nil && ready.Status == "ok"
				})
				// Until the proxy believes in it again, the other one alone must not stop.
				time.Sleep(4 * time.Second)
			}
			close(stop)
			<-done
			if calls.Load() < 40 {
				t.Errorf("%d requests were made", calls.Load())
			}
			downloadPattern(t, c, id, size)
		})
	}
}

func onePage(t *testing.T, c *client.Client) error {
	for _, err := range c.Files(t.Context(), "", "") {
		return err
	}
	return nil
}
