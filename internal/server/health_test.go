package server

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// ping is a dependency that the test can switch off.
type ping struct {
	away  atomic.Bool
	calls atomic.Int32
}

func (p *ping) Ping(context.Context) error {
	p.calls.Add(1)
	if p.away.Load() {
		return errors.New("dial 10.0.0.9: refused")
	}
	return nil
}

func TestHealth(t *testing.T) {
	var database, kv ping
	w := newWorld(t, func(c *Config) {
		c.Checks = []Check{{"database", database.Ping}, {"kv", kv.Ping}}
	})
	steps := []struct {
		name           string
		database, away bool // database is away, kv is away
		status         int
		body           string
	}{
		{"all there", false, false, 200, `{"status":"ok","checks":{"database":"ok","kv":"ok"}}`},
		{"one away", false, true, 503, `{"status":"unavailable","checks":{"database":"ok","kv":"unavailable"}}`},
		{"still", false, true, 503, `{"status":"unavailable","checks":{"database":"ok","kv":"unavailable"}}`},
		{"both", true, true, 503, `{"status":"unavailable","checks":{"database":"unavailable","kv":"unavailable"}}`},
		{"back", false, false, 200, `{"status":"ok","checks":{"database":"ok","kv":"ok"}}`},
	}
	for _, step := range steps {
		database.away.Store(step.database)
		kv.away.Store(step.away)
		w.clock.pass(time.Second)
		got := w.do(t, "GET", "/readyz", "")
		if got.status != step.status || strings.TrimSpace(got.body) != step.body || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: got %d %s, want %d %s", step.name, got.status, got.body, step.status, step.body)
		}
		if strings.Contains(got.body, "10.0.0.9") {
			t.Errorf("%s: the answer says why: %s", step.name, got.body)
		}
		// A process without its stores is alive.
		if got := w.do(t, "GET", "/healthz", ""); got.status != 200 || strings.TrimSpace(got.body) != `{"status":"ok"}` {
			t.Errorf("%s: healthz: got %d %s", step.name, got.status, got.body)
		}
	}
	log := w.log.String()
	if lost, back := strings.Count(log, "dependency lost"), strings.Count(log, "dependency back"); lost != 2 || back != 2 || !strings.Contains(log, "10.0.0.9") {
		t.Errorf("log has %d losses and %d returns, want 2 and 2, with their causes:\n%s", lost, back, log)
	}
}

func TestReadinessIsAskedOnceASecond(t *testing.T) {
	var database ping
	w := newWorld(t, func(c *Config) { c.Checks = []Check{{"database", database.Ping}} })
	for range 20 {
		w.do(t, "GET", "/readyz", "")
	}
	if n := database.calls.Load(); n != 1 {
		t.Errorf("the database was asked %d times in a second", n)
	}
	w.clock.pass(time.Second)
	w.do(t, "GET", "/readyz", "")
	if n := database.calls.Load(); n != 2 {
		t.Errorf("after a second: asked %d times, want 2", n)
	}
}

// A dependency that never answers makes the process unready; readiness still answers.
func TestReadinessDoesNotWait(t *testing.T) {
	h := newHealth(Config{Now: time.Now, Log: newStopped(t).cfg.Log, Checks: []Check{
		{"slow", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
		{"good", func(context.Context) error { return nil }},
	}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // instead of waiting for checkTime
	if got := h.check(ctx); got["slow"] {
		t.Errorf("got %v, want slow to be away", got)
	}
}

func TestHealthAnswersAnyHost(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		if got := w.do(t, "GET", path, "", "Host: 10.0.0.5:8420"); got.status != 200 {
			t.Errorf("%s: got %d %s", path, got.status, got.body)
		}
		if got := w.do(t, "POST", path, ""); got.status != 405 {
			t.Errorf("POST %s: got %d", path, got.status)
		}
	}
	if got := w.do(t, "GET", "/", "", "Host: 10.0.0.5:8420"); got.status != 400 {
		t.Errorf("the page: got %d, want 400", got.status)
	}
}
