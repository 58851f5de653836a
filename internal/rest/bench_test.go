package rest

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// discard is a ResponseWriter that keeps its header between requests.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

// BenchmarkGet measures rest's cost for an authenticated read: admission, route, decoding,
// encoding, headers and log.
func BenchmarkGet(b *testing.B) {
	w := newWorld(b, func(c *Config) { c.Log = slog.New(slog.DiscardHandler) })
	h := w.Handler()
	r := httptest.NewRequest("GET", "http://localhost/v1/me", nil)
	r.Header.Set("Authorization", "Bearer good")
	out := &discard{http.Header{}}
	for b.Loop() {
		h.ServeHTTP(out, r)
	}
	b.ReportAllocs()
}

// BenchmarkPost adds a small JSON body.
func BenchmarkPost(b *testing.B) {
	w := newWorld(b, func(c *Config) { c.Log = slog.New(slog.DiscardHandler) })
	h := w.Handler()
	const body = `{"name":"ab","inner":{"deep":[{"value":1}]}}`
	r := httptest.NewRequest("POST", "http://localhost/v1/things", nil)
	r.Header.Set("Content-Type", "application/json")
	r.ContentLength = int64(len(body))
	out := &discard{http.Header{}}
	for b.Loop() {
		r.Body = readCloser{strings.NewReader(body)}
		h.ServeHTTP(out, r)
	}
	b.ReportAllocs()
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// BenchmarkBare is the same answer without rest.
func BenchmarkBare(b *testing.B) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/me", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"Account":"alice"}`))
	})
	r := httptest.NewRequest("GET", "http://localhost/v1/me", nil)
	out := &discard{http.Header{}}
	for b.Loop() {
		mux.ServeHTTP(out, r)
	}
	b.ReportAllocs()
}
