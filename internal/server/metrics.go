package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"coffer/internal/metric"
)

// Metrics is the private listener of the process's counts. It serves one page and knows
// none of the public routes. A nil *Metrics serves nothing.
type Metrics struct {
	addr string
	http *http.Server
	log  *slog.Logger
	l    net.Listener
}

// pageTime is the longest time that the reads of a page take.
const pageTime = 5 * time.Second

// NewMetrics returns the listener of set at addr, or nil without an address.
func NewMetrics(addr string, set *metric.Set, log *slog.Logger) *Metrics {
	if addr == "" {
		return nil
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), pageTime)
		defer cancel()
		page := set.Page(ctx)
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(page) // a client that hung up reads no answer
	})
	return &Metrics{addr: addr, log: log, http: &http.Server{
		Handler: mux, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: headerBytes,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}}
}

// Listen binds the address.
func (m *Metrics) Listen(ctx context.Context) error {
	if m == nil {
		return nil
	}
	var err error
	if m.l, err = new(net.ListenConfig).Listen(ctx, "tcp", m.addr); err != nil {
		return fmt.Errorf("COFFER_METRICS_ADDR: listen at %s: %w", m.addr, err)
	}
	return nil
}

// Serve answers until [Metrics.Close]. A listener that fails is logged: the server goes on
// without its page.
func (m *Metrics) Serve() {
	if m == nil {
		return
	}
	if err := m.http.Serve(m.l); !errors.Is(err, http.ErrServerClosed) {
		m.log.Error("the listener of metrics ended", "address", m.addr, "cause", err)
	}
}

// Close ends Serve and cuts its connections: a page is asked for again.
func (m *Metrics) Close() {
	if m != nil {
		_ = m.http.Close() // nothing is lost
	}
}
