// Package server is all rooms as one handler and one set of jobs.
//
// The rooms have put their operations on a [rest.API] before it comes here. This package
// adds what belongs to no room (health, readiness, the web app, reports of its policy)
// and runs the one [http.Server] around everything.
//
// # What it defends against
//
//   - Slow and silent clients: a request line and header have ten seconds, a whole request
//     and its answer a minute each, an idle connection two. Streams move their own
//     deadlines on (package rest).
//   - Injected scripts: the page that starts the web app allows scripts by a nonce that is
//     new for every load, styles and calls from our own origin only, and may stand in no
//     frame (CSP level 3). What a browser refuses is reported to [ReportPath].
//   - Stale or poisoned assets: only an address that carries the hash of what is sent may
//     be kept for long. Another hash, as two versions behind one address produce it, gets
//     the file with no-store.
//   - Names that look like something else: no path with a dot file, a file name or a
//     diagnostic's name gets the web app's page.
//   - Questions that cost: readiness is asked of the stores at most once a second, however
//     often a client asks. What went wrong is in the log, not in the answer.
//
// # What it leaves to others
//
// TLS and HTTP/2 are the proxy's. A request that net/http cannot read is answered by it.
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

// Config is what a [Server] is made of.
type Config struct {
	Settings
	API     *rest.API        // with every room's operations on it
	Web     fs.FS            // the built web app, index.html at its root; nil serves none
	Log     *slog.Logger     // nil discards
	Checks  []Check          // what readiness depends on
	Now     func() time.Time // nil is time.Now
	Drain   func()           // called when a drain begins, to end streams that have no end; nil has none
	Timeout time.Duration    // how long a drain may take; 0 is 15 s

	// How long a client may take; 0 is what stands behind each. A JSON body has a shorter
	// time and a stream a longer one: package rest sets those.
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

// Server is one listener and everything that answers there.
type Server struct {
	cfg      Config
	http     *http.Server
	listener net.Listener
	// requests ends the context of every request that outlives the drain.
	requests context.CancelFunc
	// running is read-locked by each request, so that locking it waits for all of them.
	running sync.RWMutex
}

const (
	headerBytes = 32 << 10
	// lastWait is how long handlers have to return after their connections were cut.
	lastWait = 5 * time.Second
)

// New puts what belongs to no room on cfg.API. It fails when the web app cannot be read.
func New(cfg Config) (*Server, error) {
	cfg.complete()
	s := &Server{cfg: cfg}
	newHealth(cfg).routes(cfg.API)
	if cfg.Web != nil {
		if err := newWeb(cfg.Web, cfg.API); err != nil {
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
		DisableGeneralOptionsHandler: true, // OPTIONS * gets our headers, too
		ErrorLog:                     slog.NewLogLogger(cfg.Log.Handler(), slog.LevelWarn),
		BaseContext:                  func(net.Listener) context.Context { return base },
	}
	return s, nil
}

// Listen takes the address. Until [Server.Serve] runs, connections wait.
func (s *Server) Listen(ctx context.Context) error {
	listen := net.ListenConfig{Control: boundUnsent}
	listen.SetMultipathTCP(false) // its sockets do not inherit the bound
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

// Serve answers requests until ctx ends and then drains: it takes no more connections,
// lets requests finish within Config.Timeout and cuts those that do not. It returns nil
// after a drain, whole or cut, once no handler runs.
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
	err = s.http.Close() // first: no handler may send what looks like an answer
	s.requests()
	s.wait()
	return err
}

// wait returns when no handler runs, or after lastWait: the stores are closed next, and a
// handler that still uses them would be told so, not harmed.
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
