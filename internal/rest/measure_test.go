package rest

import (
	"net/http"
	"strings"
	"testing"

	"coffer/internal/metric"
)

// The server counts each request once, by its registered route, also one that no route takes.
func TestMeasures(t *testing.T) {
	set := metric.New("")
	w := newWorld(t, func(c *Config) { c.Metrics = set })
	w.Handle("/pages/{name}", http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte("ten bytes.")) }))
	w.post(t, `{"name":"abc"}`)
	w.post(t, `{"name":"abc"}`)
	w.post(t, `{"nam`)
	w.do(t, "GET", "/v1/fail/internal", "")
	w.do(t, "GET", "/pages/ada@example.org", "")
	for _, path := range []string{"/ada", "/v1/ada", "/v1/things/ada/more"} {
		w.do(t, "GET", path, "")
	}
	w.do(t, "ADA", "/v1/things", "")
	page := string(set.Page(t.Context()))
	for _, want := range []string{
		`coffer_http_requests_total{method="POST",route="/v1/things",class="2xx"} 2`,
		`coffer_http_requests_total{method="POST",route="/v1/things",class="4xx"} 1`,
		`coffer_http_requests_total{method="any",route="/pages/{name}",class="2xx"} 1`,
		`coffer_http_requests_total{method="any",route="none",class="4xx"} 4`,
		`coffer_http_request_duration_seconds_count{method="POST",route="/v1/things"} 3`,
		`coffer_http_refusals_total{code="invalid_json"} 1`,
		`coffer_http_requests_running 0`,
	} {
		if !strings.Contains(page, want+"\n") {
			t.Errorf("the page does not have %s", want)
		}
	}
	if strings.Contains(page, "ada") || t.Failed() {
		t.Errorf("the page:\n%s", page)
	}
}
