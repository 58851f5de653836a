package server

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"coffer/internal/rest"
)

// Check is one dependency of this process.
type Check struct {
	Name string
	// Ping returns nil when the dependency answers. It must return soon after ctx ends.
	Ping func(ctx context.Context) error
}

const (
	checkTime = 2 * time.Second // longest duration of a check
	checkAge  = time.Second     // how long a result counts
)

// health reports whether the process lives and whether it can work.
type health struct {
	cfg Config

	mu     sync.Mutex // held while checks run: concurrent requests share the result
	at     time.Time
	status map[string]bool
}

func newHealth(cfg Config) *health { return &health{cfg: cfg, status: map[string]bool{}} }

func (h *health) routes(api *rest.API) {
	api.HandleAnyHost(http.MethodGet, "/healthz", http.HandlerFunc(alive))
	api.HandleAnyHost(http.MethodGet, "/readyz", http.HandlerFunc(h.ready))
}

type readiness struct {
	Status string            `json:"status"`
	Checks map[string]string `json:"checks,omitzero"`
}

const (
	up   = "ok"
	down = "unavailable"
)

// alive needs only a running process: an absent store is no reason to restart it.
func alive(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, readiness{Status: up}) }

func (h *health) ready(w http.ResponseWriter, r *http.Request) {
	// The first client may hang up; others share the result.
	result := h.check(context.WithoutCancel(r.Context()))
	doc, status := readiness{Status: up, Checks: map[string]string{}}, http.StatusOK
	for name, ok := range result {
		doc.Checks[name] = up
		if !ok {
			doc.Checks[name] = down
			doc.Status, status = down, http.StatusServiceUnavailable
		}
	}
	answer(w, status, doc)
}

// check pings every dependency at once and caches the result for checkAge. The returned map
// is never written again.
func (h *health) check(ctx context.Context) map[string]bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.cfg.Now()
	if age := now.Sub(h.at); !h.at.IsZero() && age >= 0 && age < checkAge {
		return h.status
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	type result struct {
		name string
		err  error
	}
	results := make(chan result, len(h.cfg.Checks))
	for _, c := range h.cfg.Checks {
		go func() { results <- result{c.Name, c.Ping(ctx)} }()
	}
	status := map[string]bool{}
	for _, c := range h.cfg.Checks {
		status[c.Name] = false // until its ping succeeds
	}
	errs := map[string]error{}
	for range h.cfg.Checks {
		select {
		case r := <-results:
			status[r.name], errs[r.name] = r.err == nil, r.err
		case <-ctx.Done():
		}
	}
	h.logChanges(status, errs)
	h.at, h.status = now, status
	return status
}

// logChanges logs one line when a dependency goes and one when it returns, not one per
// check.
func (h *health) logChanges(status map[string]bool, errs map[string]error) {
	for name, ok := range status {
		before, known := h.status[name]
		switch {
		case !ok && (before || !known):
			cause := "no answer in time"
			if errs[name] != nil {
				cause = errs[name].Error()
			}
			h.cfg.Log.Warn("dependency lost", slog.String("name", name), slog.String("cause", cause))
		case ok && known && !before:
			h.cfg.Log.Info("dependency back", slog.String("name", name))
		}
	}
}

func answer(w http.ResponseWriter, status int, doc any) {
	body, err := json.Marshal(doc, json.Deterministic(true))
	if err != nil {
		panic("internal error: an answer has no JSON: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a client that hung up reads no answer
}
