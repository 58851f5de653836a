package outbound

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestPublicAddresses(t *testing.T) {
	for text, want := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "172.15.0.1": true, "172.32.0.1": true, "100.63.0.1": true, "100.128.0.1": true, "223.255.255.1": true,
		"2606:4700::1111": true, "2a00:1450::1": true, "64:ff9b::8.8.8.8": true, "::ffff:8.8.8.8": true, "2001:4860::8888": true,
		"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "100.64.0.1": false, "127.0.0.1": false, "127.255.0.1": false, "169.254.169.254": false,
		"172.16.0.1": false, "172.31.255.255": false, "192.0.0.8": false, "192.0.2.1": false, "192.88.99.1": false, "192.168.1.1": false,
		"198.18.0.1": false, "198.51.100.7": false, "203.0.113.7": false, "224.0.0.1": false, "240.0.0.1": false, "255.255.255.255": false,
		"::": false, "::1": false, "::127.0.0.1": false, "::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::ffff:0:127.0.0.1": false,
		"64:ff9b::127.0.0.1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b:1::8.8.8.8": false, "2002:7f00:1::": false, "2001:0:1::1": false,
		"2001:db8::1": false, "3fff::1": false, "100::1": false, "fc00::1": false, "fd00:ec2::254": false, "fe80::1": false, "fec0::1": false,
		"ff02::1": false, "5f00::1": false, "fe80::1%eth0": false, "2606:4700::1111%eth0": false,
	} {
		if got := Public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s is public: %t, want %t", text, got, want)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

// listener counts its connections, which must not come.
func listener(t *testing.T) (port string, came *atomic.Int64) {
	t.Helper()
	came = new(atomic.Int64)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			came.Add(1)
			c.Close()
		}
	}()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port, came
}

func post(t *testing.T, c *Client, url string) (Answer, error) {
	t.Helper()
	return c.Post(t.Context(), url, nil, []byte("hello"))
}

// Every way to write this machine's address is refused, and its listener hears nothing.
func TestPrivatePlacesAreRefused(t *testing.T) {
	port, came := listener(t)
	c := New(Config{Named: []string{"elsewhere.example", "10.0.0.1"}})
	for _, host := range []string{
		"127.0.0.1", "localhost", "LOCALHOST", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "[::]", "2130706433", "0x7f000001", "0x7f.0.0.1",
		"0X7F.1", "0177.0.0.1", "127.1", "127.0.0.01", "169.254.169.254", "[fe80::1%25lo]", "[64:ff9b::7f00:1]", "10.0.0.2", "127.0.0.2",
	} {
		if _, err := post(t, c, "https://"+host+":"+port+"/"); !errors.Is(err, ErrRefused) {
			t.Errorf("https://%s: %v", host, err)
		}
	}
	for _, url := range []string{
		"http://127.0.0.1:" + port, "http://elsewhere.example/", "http://example.org/", "ftp://example.org/", "https://", "https:opaque", "https://ada:secret@example.org/", "//x", ":",
		"file:///etc/passwd", "unix:///var/run/x.sock",
	} {
		if _, err := post(t, c, url); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", url, err)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
	if n := came.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

// A name is judged by the address that is dialled, whatever it resolved to before.
func TestTheDialledAddressDecides(t *testing.T) {
	port, came := listener(t)
	c := New(Config{Named: []string{"named.example", "127.0.0.1", "169.254.169.254"}})
	dial := func(host, address string) error {
		d := c.dialer(host)
		return d.Control("tcp", net.JoinHostPort(address, port), nil)
	}
	for _, tt := range []struct {
		host, address string
		good          bool
	}{
		{"rebind.example", "8.8.8.8", true}, {"rebind.example", "127.0.0.1", false}, {"rebind.example", "::ffff:10.1.1.1", false},
		{"named.example", "127.0.0.1", true}, {"named.example", "192.168.0.9", true}, {"named.example", "fd00::1", true}, {"named.example", "8.8.8.8", true},
		{"named.example", "169.254.169.254", false}, {"named.example", "0.0.0.0", false}, {"named.example", "fe80::1", false},
		{"127.0.0.1", "127.0.0.1", true}, {"127.0.0.1", "127.0.0.2", false}, {"169.254.169.254", "169.254.169.254", true},
	} {
		if err := dial(tt.host, tt.address); (err == nil) != tt.good || err != nil && !errors.Is(err, ErrRefused) {
			t.Errorf("%s at %s: %v", tt.host, tt.address, err)
		}
	}
	if came.Load() != 0 {
		t.Error("the listener was called")
	}
}

// named returns a client whose settings name the server.
func named(t *testing.T, h http.HandlerFunc) (*Client, string) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return New(Config{Named: []string{u.Hostname()}, Time: 2 * time.Second}), srv.URL
}

func TestPost(t *testing.T) {
	c, at := named(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("X-Test") != "yes" || r.Header.Get("Accept-Encoding") != "" || r.ContentLength != 5 {
			t.Errorf("%s %v, %d bytes", r.Method, r.Header, r.ContentLength)
		}
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		w.Write([]byte("later"))
	})
	a, err := c.Post(t.Context(), at, http.Header{"X-Test": {"yes"}}, []byte("hello"))
	if err != nil || a.Status != 429 || string(a.Body) != "later" || a.Header.Get("Retry-After") != "7" {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	port, came := listener(t)
	for _, status := range []int{301, 302, 303, 307, 308} {
		c, at := named(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:"+port+"/")
			w.WriteHeader(status)
		})
		if a, err := post(t, c, at); err != nil || a.Status != status {
			t.Errorf("%d: %+v, %v", status, a, err)
		}
	}
	if came.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

// A proxy of the environment would connect in our place, past the check.
func TestNoProxy(t *testing.T) {
	if New(Config{}).http.Transport.(*http.Transport).Proxy != nil {
		t.Error("the client asks for a proxy")
	}
}

func TestAnswersAreBounded(t *testing.T) {
	long := make(chan struct{})
	defer close(long) // before the servers wait for their handlers
	for what, h := range map[string]http.HandlerFunc{
		"a long body": func(w http.ResponseWriter, r *http.Request) {
			for range 100 {
				w.Write(make([]byte, 4096))
			}
		},
		"long headers": func(w http.ResponseWriter, r *http.Request) {
			for range 100 {
				w.Header().Add("X-Long", strings.Repeat("x", 1000))
			}
		},
		"no answer": func(w http.ResponseWriter, r *http.Request) {
			<-long
		},
		"a body that trickles": func(w http.ResponseWriter, r *http.Request) {
			for err := error(nil); err == nil; {
				_, err = w.Write([]byte("x"))
				w.(http.Flusher).Flush()
				time.Sleep(10 * time.Millisecond)
			}
		},
	} {
		c, at := named(t, h)
		c.Time = 300 * time.Millisecond
		began := time.Now()
		_, err := post(t, c, at)
		if err == nil || time.Since(began) > 2*time.Second {
			t.Errorf("%s: %v after %s", what, err, time.Since(began))
		}
		if what == "a long body" && !errors.Is(err, ErrTooLong) {
			t.Errorf("%s: %v", what, err)
		}
		if strings.HasPrefix(what, "no") && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A certificate of nobody's is refused.
func TestTLS(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the server was asked") }))
	defer srv.Close()
	srv.Config.ErrorLog = nil
	c := New(Config{Named: []string{"127.0.0.1"}})
	if _, err := post(t, c, srv.URL); err == nil || errors.Is(err, ErrRefused) || strings.Contains(err.Error(), srv.URL) {
		t.Errorf("an unknown certificate: %v", err)
	}
}

// Libraries that make their own requests meet the same guards.
func TestHTTP(t *testing.T) {
	port, came := listener(t)
	c, at := named(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, "https://127.0.0.1:"+port+"/", http.StatusFound)
		case "/long":
			w.Write(make([]byte, maxAnswer+1))
		default:
			w.Write([]byte(r.Method + " " + r.Header.Get("Authorization") + " " + r.Header.Get("User-Agent")))
		}
	})
	get := func(path string) (int, string, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer x")
		res, err := c.HTTP().Do(req)
		if err != nil {
			return 0, "", err
		}
		defer res.Body.Close()
		raw, err := io.ReadAll(res.Body)
		return res.StatusCode, string(raw), err
	}
	if status, body, err := get(at); status != 200 || body != "GET Bearer x Coffer" || err != nil {
		t.Errorf("%d %q %v", status, body, err)
	}
	if status, _, err := get(at + "/away"); status != http.StatusFound || err != nil {
		t.Errorf("a redirect: %d %v", status, err)
	}
	if _, _, err := get(at + "/long"); !errors.Is(err, ErrTooLong) {
		t.Errorf("a long body: %v", err)
	}
	for _, url := range []string{"https://127.0.0.2:" + port, "http://example.org", "https://169.254.169.254/"} {
		if _, _, err := get(url); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", url, err)
		}
	}
	if came.Load() != 0 {
		t.Error("a redirect was followed, or a private address called")
	}
}
