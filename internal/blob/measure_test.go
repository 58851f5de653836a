package blob_test

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"coffer/internal/blob"
	"coffer/internal/blob/blobtest"
	"coffer/internal/metric"
)

// A store that is counted keeps every promise of a store.
func TestMeasured(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store {
		return blob.Measure(openDir(t, filepath.Join(t.TempDir(), "blobs")), nil)
	})
	set := metric.New("")
	s := blob.Measure(openDir(t, filepath.Join(t.TempDir(), "blobs")), set)
	ctx := t.Context()
	if _, err := s.Put(ctx, "abcd", strings.NewReader("0123456789")); err != nil {
		t.Fatal(err)
	}
	_, taken := s.Put(ctx, "abcd", strings.NewReader("other"))
	r, _, err := s.Get(ctx, "abcd", 2, 5)
	if err != nil || taken == nil {
		t.Fatal(err, taken)
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	r.Close()
	if _, _, err := s.Get(ctx, "dead", 0, -1); err == nil {
		t.Fatal("an absent object was read")
	}
	if err := s.Delete(ctx, "abcd"); err != nil {
		t.Fatal(err)
	}
	page := string(set.Page(ctx))
	for _, want := range []string{
		`coffer_blob_operations_total{operation="put",outcome="ok"} 1`, `coffer_blob_operations_total{operation="put",outcome="exists"} 1`,
		`coffer_blob_operations_total{operation="get",outcome="ok"} 1`, `coffer_blob_operations_total{operation="get",outcome="missing"} 1`,
		`coffer_blob_operations_total{operation="delete",outcome="ok"} 1`, `coffer_blob_bytes_total{direction="in"} 10`,
		`coffer_blob_bytes_total{direction="out"} 5`, `coffer_blob_duration_seconds_count{operation="put"} 2`,
	} {
		if !strings.Contains(page, want+"\n") {
			t.Errorf("the page does not have %s:\n%s", want, page)
		}
	}
}
