package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"coffer/internal/limit/limittest"
	"coffer/internal/rest"
)

// world is a server on its own port.
type world struct {
	*Server
	api   *rest.API
	log   *logBook
	clock *clock
	base  string
	stop  context.CancelFunc
	done  chan error
}

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

type logBook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func testApp() fstest.MapFS {
	return fstest.MapFS{
		"index.html": {Data: []byte(`<!doctype html><link rel="stylesheet" href="/assets/app.css"><script nonce="{{nonce}}" type="module" src="/assets/app.js"></script>`)},
		"app.js":     {Data: []byte(strings.Repeat("console.log('coffer');\n", 100))},
		"app.css":    {Data: []byte("body{}")},
		"icon.svg":   {Data: []byte("<svg/>")},
	}
}

// newWorld starts a server; change may replace parts of its Config.
func newWorld(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	w := newStopped(t, change...)
	if err := w.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.base = "http://" + w.Addr()
	var ctx context.Context
	ctx, w.stop = context.WithCancel(context.Background())
	w.done = make(chan error, 1)
	go func() { w.done <- w.Serve(ctx) }()
	t.Cleanup(func() {
		w.stop()
		if err := <-w.done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return w
}

func newStopped(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	u, err := url.Parse("https://coffer.example")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{log: &logBook{}, clock: &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	c := rest.Config{Title: "Coffer", Version: "1", BaseURL: u, Log: log}
	limittest.Defaults(t, &c.Settings)
	w.api = rest.New(c)
	cfg := Config{API: w.api, Web: testApp(), Log: log, Now: w.clock.now}
	cfg.Addr = "127.0.0.1:0"
	for _, c := range change {
		c(&cfg)
	}
	if w.Server, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return w
}

type reply struct {
	status int
	header http.Header
	body   string
}

// client requests no compression and keeps no connection, so that a server may stop at any
// time.
var client = &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}

func (w *world) do(t *testing.T, method, path, body string, headers ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			req.Host = value
		}
		req.Header.Set(name, value)
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, string(got)}
}

// slow registers GET /slow, which reports its beginning and ends on request.
func (w *world) slow() (began, end chan struct{}) {
	began, end = make(chan struct{}), make(chan struct{})
	w.api.Handle("GET /slow", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		close(began)
		select {
		case <-end:
			_, _ = io.WriteString(rw, "whole")
		case <-r.Context().Done():
		}
	}))
	return began, end
}

func TestDrainLetsRequestsFinish(t *testing.T) {
	w := newWorld(t)
	began, end := w.slow()
	got := make(chan string, 1)
	go func() {
		res, err := client.Get(w.base + "/slow")
		if err != nil {
			got <- err.Error()
			return
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		got <- res.Status + " " + string(body)
	}()
	<-began
	w.stop()
	waitUntilClosed(t, w.Addr())
	select {
	case err := <-w.done:
		t.Fatalf("Serve returned %v while a request ran", err)
	default:
	}
	close(end)
	if a := <-got; a != "200 OK whole" {
		t.Errorf("got %q, want the whole answer", a)
	}
	err := <-w.done
	w.done <- nil // for the cleanup
	if err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// waitUntilClosed returns when addr refuses connections.
func waitUntilClosed(t *testing.T, addr string) {
	t.Helper()
	for {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		c.Close()
		if t.Context().Err() != nil {
			t.Fatal("still listening")
		}
	}
}

func TestDrainCutsWhatDoesNotFinish(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Timeout = time.Nanosecond })
	began, _ := w.slow()
	failed := make(chan error, 1)
	go func() {
		res, err := client.Get(w.base + "/slow")
		if err == nil {
			res.Body.Close()
		}
		failed <- err
	}()
	<-began
	w.stop()
	err := <-w.done
	w.done <- nil
	if err != nil {
		t.Errorf("Serve: %v", err)
	}
	if err := <-failed; err == nil {
		t.Error("the request has an answer, want a cut connection")
	}
	if !strings.Contains(w.log.String(), "were cut") {
		t.Errorf("log:\n%s", w.log)
	}
}

func TestListen(t *testing.T) {
	w := newWorld(t)
	if strings.HasSuffix(w.Addr(), ":0") {
		t.Errorf("Addr is %s, want the port that was taken", w.Addr())
	}
	second := newStopped(t, func(c *Config) { c.Addr = w.Addr() })
	if err := second.Listen(t.Context()); err == nil || !strings.Contains(err.Error(), w.Addr()) {
		t.Errorf("a taken address: got %v, want an error that names it", err)
	}
	if err := second.Serve(t.Context()); err == nil {
		t.Error("Serve without Listen: got nil")
	}
	if got := second.Addr(); got != w.Addr() {
		t.Errorf("Addr before Listen: got %s", got)
	}
}

func TestServeReportsALostListener(t *testing.T) {
	w := newStopped(t)
	if err := w.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.listener.Close()
	if err := w.Serve(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want net.ErrClosed", err)
	}
}

// A header that is too long, or never ends, costs little.
func TestConnectionLimits(t *testing.T) {
	w := newWorld(t)
	s := w.http
	if s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= 0 || s.WriteTimeout <= 0 || s.IdleTimeout <= 0 {
		t.Errorf("a time is without limit: %v %v %v %v", s.ReadHeaderTimeout, s.ReadTimeout, s.WriteTimeout, s.IdleTimeout)
	}
	c, err := net.Dial("tcp", w.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\nX: "+strings.Repeat("x", 64<<10)+"\r\n\r\n")
	head := make([]byte, 12)
	if _, err := io.ReadFull(c, head); err != nil || string(head) != "HTTP/1.1 431" {
		t.Errorf("got %q %v, want 431", head, err)
	}
	got := w.do(t, "OPTIONS", "/", "")
	if got.status != 405 || got.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("OPTIONS: got %d %v", got.status, got.header)
	}
	if got := w.raw(t, "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); !strings.Contains(got, "X-Content-Type-Options: nosniff") {
		t.Errorf("OPTIONS *: got %q, want our headers", got)
	}
}

// raw writes text to a connection and returns everything received until the server closes
// it.
func (w *world) raw(t *testing.T, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", w.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}
