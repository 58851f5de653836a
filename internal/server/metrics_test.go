package server

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"coffer/internal/metric"
)

// The private listener serves its one page, and ends when it is closed.
func TestMetricsListener(t *testing.T) {
	m := NewMetrics("127.0.0.1:0", metric.New("v1"), slog.New(slog.DiscardHandler))
	if err := m.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { m.Serve(); close(done) }()
	base := "http://" + m.l.Addr().String()
	for _, test := range []struct {
		method, path string
		status       int
	}{{"GET", "/metrics", 200}, {"HEAD", "/metrics", 200}, {"POST", "/metrics", 405}, {"GET", "/", 404}, {"GET", "/metrics/x", 404}, {"GET", "/debug/pprof/", 404}} {
		req, err := http.NewRequestWithContext(t.Context(), test.method, base+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != test.status {
			t.Errorf("%s %s: %d, %v", test.method, test.path, res.StatusCode, err)
		}
		if test.method+test.path == "GET/metrics" && (!strings.Contains(string(body), `coffer_build_info{version="v1"`) || res.Header.Get("Cache-Control") != "no-store") {
			t.Errorf("%v\n%s", res.Header, body)
		}
	}
	m.Close()
	<-done
}

func TestNoMetricsListener(t *testing.T) {
	m := NewMetrics("", metric.New(""), nil)
	if err := m.Listen(t.Context()); err != nil || m != nil {
		t.Error(m, err)
	}
	m.Serve()
	m.Close()
}

func TestMetricsAddr(t *testing.T) {
	for addr, refused := range map[string]bool{
		"": false, "127.0.0.1:9420": false, "[::1]:9420": false, "10.0.0.1:8421": false,
		"127.0.0.1:8420": true, "0.0.0.0:8420": true, ":8420": true, "127.0.0.1:0": true, "9420": true, "127.0.0.1": true, "x:y": true,
	} {
		s := Settings{Addr: "127.0.0.1:8420", MetricsAddr: addr}
		if err := s.AfterApply(); (err != nil) != refused || err != nil && !strings.HasPrefix(err.Error(), "COFFER_METRICS_ADDR: ") {
			t.Errorf("%q: %v", addr, err)
		}
	}
}
