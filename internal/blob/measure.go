package blob

import (
	"context"
	"errors"
	"io"
	"time"

	"coffer/internal/metric"
)

// Measured is a store whose work is counted.
type Measured struct {
	Store
	ended   metric.Counters
	took    metric.Histograms
	in, out *metric.Counter
}

// Measure counts the work of a store.
func Measure(store Store, s *metric.Set) *Measured {
	bytes := s.Counter("coffer_blob_bytes_total", "Bytes that the blob store took and gave.", "direction")
	return &Measured{
		Store: store, in: bytes.With("in"), out: bytes.With("out"),
		ended: s.Counter("coffer_blob_operations_total", "Operations of the blob store by their outcome: ok, missing, exists, caller gave up, or unavailable.", "operation", "outcome"),
		took:  s.Histogram("coffer_blob_duration_seconds", "Time of an operation of the blob store; of a get, the time until its first byte may be read.", metric.Requests, "operation"),
	}
}

func (m *Measured) end(operation string, begun time.Time, err error) {
	outcome := "caller"
	switch {
	case err == nil:
		outcome = "ok"
	case errors.Is(err, ErrMissing):
		outcome = "missing"
	case errors.Is(err, ErrExists):
		outcome = "exists"
	case errors.Is(err, ErrUnavailable):
		outcome = "unavailable"
	}
	m.ended.With(operation, outcome).Inc()
	m.took.With(operation).Observe(time.Since(begun))
}

// Put implements [Store].
func (m *Measured) Put(ctx context.Context, id string, r io.Reader) (int64, error) {
	begun := time.Now()
	n, err := m.Store.Put(ctx, id, r)
	m.end("put", begun, err)
	m.in.Add(n)
	return n, err
}

// Get implements [Store].
func (m *Measured) Get(ctx context.Context, id string, off, n int64) (io.ReadCloser, int64, error) {
	begun := time.Now()
	r, size, err := m.Store.Get(ctx, id, off, n)
	m.end("get", begun, err)
	if err != nil {
		return nil, 0, err
	}
	return &measuredObject{r, m.out}, size, nil
}

// Delete implements [Store].
func (m *Measured) Delete(ctx context.Context, id string) error {
	begun := time.Now()
	err := m.Store.Delete(ctx, id)
	m.end("delete", begun, err)
	return err
}

// measuredObject counts what is read of an object.
type measuredObject struct {
	io.ReadCloser
	out *metric.Counter
}

func (o *measuredObject) Read(p []byte) (int, error) {
	n, err := o.ReadCloser.Read(p)
	o.out.Add(int64(n))
	return n, err
}
