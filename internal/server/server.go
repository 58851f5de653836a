// Package server is all rooms as one handler and one set of jobs.
//
// The rooms register their operations on a [rest.API] first. This package adds the
// operations without a room (health, readiness, the web app, reports of its policy). It
// runs the one [http.Server] around everything.
//
// # What it defends against
//
//   - Slow and silent clients: request line and header have ten seconds, a request and its
//     answer a minute each, an idle connection two. Streams extend their own deadlines
//     (package rest).
//   - Injected scripts: the web app's page allows scripts by a nonce new for every load. It
//     allows styles and calls from our own origin only, and no frame around it (CSP level
//     3). Browsers report violations to [ReportPath].
//   - Stale or poisoned assets: only an address with the hash of its content may be cached
//     for long. Another hash, from another version behind the same address, gets the file
//     with no-store.
//   - Misleading names: a path with a dot file, a file name or a diagnostic's name never
//     gets the web app's page.
//   - Costly checks: the server checks its stores at most once a second, however often a
//     client asks for readiness. Details are in the log, not in the answer.
//
// # What it leaves to others
//
// The proxy does TLS and HTTP/2. net/http itself answers a request that it cannot read.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"coffer/internal/rest"
)

// Config configures a [Server].
type Config struct {
	Settings
	API     *rest.API        // with every room's operations on it
	Web     fs.FS            // the built web app, index.html at its root; nil serves none
	Log     *slog.Logger     // nil discards
	Images  string           // an origin of pictures that the app's page may show; empty is none beside this server
	Checks  []Check          // the dependencies of readiness
	Now     func() time.Time // nil is time.Now
	Drain   func()           // called when a drain begins, to end endless streams; nil without any
	Timeout time.Duration    // longest drain; 0 is 15 s

	// The client's time limits; 0 is the value in each comment. Package rest sets a shorter
	// one for JSON bodies and a longer one for streams.
	HeaderTime  time.Duration // for a request line and header: 10 s
	RequestTime time.Duration // for a request, and as long for its answer: 1 minute
	IdleTime    time.Duration // between two requests: 2 minutes
}

func (c *Config) complete() {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Drain == nil {
		c.Drain = func() {}
	}
	c.Timeout = cmp.Or(c.Timeout, 15*time.Second)
	c.HeaderTime = cmp.Or(c.HeaderTime, 10*time.Second)
	c.RequestTime = cmp.Or(c.RequestTime, time.Minute)
	c.IdleTime = cmp.Or(c.IdleTime, 2*time.Minute)
}

// Server is one listener and its handlers.
type Server struct {
	cfg      Config
	http     *http.Server
	listener net.Listener
	// requests ends the context of every request still running after the drain.
	requests context.CancelFunc
	// Each request read-locks running, so Lock waits for all of them.
	running sync.RWMutex
}

const (
	headerBytes = 32 << 10
	// lastWait is how long handlers may run after their connections were cut.
	lastWait = 5 * time.Second
)

// New adds the operations without a room to cfg.API. It fails when it cannot read the web
// app.
func New(cfg Config) (*Server, error) {
	cfg.complete()
	s := &Server{cfg: cfg}
	newHealth(cfg).routes(cfg.API)
	if cfg.Web != nil {
		if err := newWeb(cfg.Web, cfg.API, cfg.Images); err != nil {
			return nil, err
		}
		newReports(cfg).routes(cfg.API)
	}
	var base context.Context
	base, s.requests = context.WithCancel(context.Background())
	handler := cfg.API.Handler()
	s.http = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.running.RLock()
			defer s.running.RUnlock()
			handler.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: cfg.HeaderTime, ReadTimeout: cfg.RequestTime, WriteTimeout: cfg.RequestTime, IdleTimeout: cfg.IdleTime,
		MaxHeaderBytes:               headerBytes,
		DisableGeneralOptionsHandler: true, // OPTIONS * gets our headers too
		ErrorLog:                     slog.NewLogLogger(cfg.Log.Handler(), slog.LevelWarn),
		BaseContext:                  func(net.Listener) context.Context { return base },
	}
	return s, nil
}

// Listen binds the address. Connections wait until [Server.Serve] runs.
func (s *Server) Listen(ctx context.Context) error {
	listen := net.ListenConfig{Control: boundUnsent}
	listen.SetMultipathTCP(false) // multipath sockets do not inherit the bound
	l, err := listen.Listen(ctx, "tcp", s.cfg.Addr)
	if err != nil {
		return fmt.Errorf("listen at %s: %w", s.cfg.Addr, err)
	}
	s.listener = l
	return nil
}

// Addr is the address that [Server.Listen] took, as host:port.
func (s *Server) Addr() string {
	if s.listener == nil {
		return s.cfg.Addr
	}
	return s.listener.Addr().String()
}

// Serve answers requests until ctx ends and then drains. It refuses new connections, lets
// requests finish within Config.Timeout and cuts the others. It returns nil after a drain,
// complete or cut, once no handler runs.
func (s *Server) Serve(ctx context.Context) error {
	if s.listener == nil {
		return errors.New("internal error: Serve before Listen")
	}
	defer s.requests()
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(s.listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve at %s: %w", s.Addr(), err)
	case <-ctx.Done():
	}
	s.cfg.Log.Info("draining", "at_most", s.cfg.Timeout)
	s.cfg.Drain()
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Timeout)
	defer cancel()
	err := s.http.Shutdown(limit)
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	s.cfg.Log.Warn("some requests did not finish in time and were cut")
	err = s.http.Close() // first: no handler may send an apparent answer
	s.requests()
	s.wait()
	return err
}

// wait returns when no handler runs, or after lastWait. The stores close next; a handler
// that still uses them gets an error, no harm.
func (s *Server) wait() {
	done := make(chan struct{})
	go func() {
		s.running.Lock()
		defer s.running.Unlock()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(lastWait):
		s.cfg.Log.Error("a request does not end although its connection was cut")
	}
}
