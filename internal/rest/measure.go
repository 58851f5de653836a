package rest

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"coffer/internal/metric"
)

// measures count requests and their answers. The labels are those of registered routes, so
// nothing of a request's address becomes one.
type measures struct {
	answers metric.Counters
	took    metric.Histograms
	refused metric.Counters
	sent    *metric.Counter
	running atomic.Int64
	// unrouted are the requests that reach no route.
	unrouted *answers
}

func newMeasures(a *API, s *metric.Set) *measures {
	m := &measures{
		answers: s.Counter("coffer_http_requests_total", "Answered requests. The class none is an answer that was never begun.", "method", "route", "class").Sparse(),
		took: s.Histogram("coffer_http_request_duration_seconds", "Time from a request's header to the end of its answer, streams and sockets included.",
			metric.Requests, "method", "route").Sparse(),
		refused: s.Counter("coffer_http_refusals_total", "Refusals by the code that docs/errors.md explains.", "code"),
		sent:    s.Counter("coffer_http_sent_bytes_total", "Bytes of the bodies of answers.").With(),
	}
	m.unrouted = m.of("none")
	s.Read(func(_ context.Context, r *metric.Reading) error {
		r.Gauge("coffer_http_requests_running", "Requests whose answer has not ended.", float64(a.measures.running.Load()))
		moving, waiting := a.streams.running()
		const name, help = "coffer_http_streams_running", "Streams by kind: moving are uploads and downloads, waiting are open pages."
		r.Gauge(name, help, float64(moving), "kind", "moving")
		r.Gauge(name, help, float64(waiting), "kind", "waiting")
		return nil
	})
	return m
}

// answers are the counters of one route, looked up when it is registered.
type answers struct {
	classes [len(classes)]*metric.Counter
	took    *metric.Histogram
}

var classes = [...]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"}

// of returns the counters of a route, for a pattern of [http.ServeMux].
func (m *measures) of(pattern string) *answers {
	method, route, ok := strings.Cut(pattern, " ")
	if !ok {
		method, route = "any", pattern
	}
	a := &answers{took: m.took.With(method, route)}
	for i, class := range classes {
		a.classes[i] = m.answers.With(method, route, class)
	}
	return a
}

// count counts an exchange that has ended.
func (m *measures) count(x *exchange) {
	m.running.Add(-1)
	to := m.unrouted
	if x.declared != nil && x.declared.answers != nil {
		to = x.declared.answers
	}
	to.classes[min(max(x.status/100, 0), len(classes)-1)].Inc()
	to.took.Observe(time.Since(x.start))
	m.sent.Add(x.bytes)
	if x.cause != nil {
		m.refused.With(x.cause.Code).Inc()
	}
}

// running returns how many streams of each crowd run.
func (s *streams) running() (moving, waiting int) {
	return s.moving.running(), s.waiting.running()
}
