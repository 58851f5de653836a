package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coffer/internal/blob"
	"coffer/internal/blob/blobtest"
)

// makes reports whether a request makes an object appear.
func makes(r *http.Request) bool {
	query := r.URL.Query()
	return r.Method == http.MethodPut && !query.Has("partNumber") || r.Method == http.MethodPost && query.Has("uploadId")
}

// noUpload is what some servers say of an upload that is complete; others say yes again.
func noUpload(w http.ResponseWriter) {
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, `<Error><Code>NoSuchUpload</Code></Error>`)
}

func s3Address(t *testing.T) *url.URL {
	t.Helper()
	spec, err := url.Parse(blobtest.S3URL(t))
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// A server has stored an object and does not say so. When it is asked again it speaks of the object that
// it has just made. The object stands, whole, and the Put succeeds.
func TestS3StoresWithoutSayingSo(t *testing.T) {
	spec := s3Address(t)
	for name, answer := range map[string]func(http.ResponseWriter){
		"silent": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		"busy":   func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) },
	} {
		var stored atomic.Int64
		s := behind(t, spec, func(front http.Handler, w http.ResponseWriter, r *http.Request) {
			switch {
			case !makes(r):
				front.ServeHTTP(w, r)
			case stored.Add(1) == 1:
				front.ServeHTTP(httptest.NewRecorder(), r)
				answer(w)
			case r.Method == http.MethodPost:
				noUpload(w)
			default:
				front.ServeHTTP(w, r)
			}
		})
		for _, n := range []int{3, 17 << 20} {
			stored.Store(0)
			id, p := blobtest.NewID(), blobtest.Pattern(n)
			if size, err := s.Put(t.Context(), id, bytes.NewReader(p)); err != nil || size != int64(n) {
				t.Errorf("%s, %d bytes: %d, %v", name, n, size, err)
			}
			if got, err := blobtest.Read(t, s, id, 0, -1); err != nil || !bytes.Equal(got, p) || stored.Load() == 0 {
				t.Errorf("%s: %d of %d bytes are stored, %v", name, len(got), n, err)
			}
			if err := s.Delete(t.Context(), id); err != nil {
				t.Error(err)
			}
		}
	}
}

// A server completes an upload behind a connection that broke, and denies the upload meanwhile. Its
// object appears late, and the Put waits for it.
func TestS3CompletesLate(t *testing.T) {
	t.Run("no upload", func(t *testing.T) { completesLate(t, noUpload) })
	t.Run("another request makes it", func(t *testing.T) {
		completesLate(t, func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, `<Error><Code>ConditionalRequestConflict</Code></Error>`)
		})
	})
}

func completesLate(t *testing.T, deny func(http.ResponseWriter)) {
	var done sync.WaitGroup
	var asked atomic.Int64
	s := behind(t, s3Address(t), func(front http.Handler, w http.ResponseWriter, r *http.Request) {
		switch {
		case !makes(r):
			front.ServeHTTP(w, r)
		case asked.Add(1) == 1:
			body, _ := io.ReadAll(r.Body)
			late := r.Clone(context.Background())
			late.Body = io.NopCloser(bytes.NewReader(body))
			done.Go(func() {
				time.Sleep(time.Second)
				front.ServeHTTP(httptest.NewRecorder(), late)
			})
			panic(http.ErrAbortHandler)
		default:
			deny(w)
		}
	})
	id, p := blobtest.NewID(), blobtest.Pattern(17<<20)
	if size, err := s.Put(t.Context(), id, bytes.NewReader(p)); err != nil || size != int64(len(p)) || asked.Load() < 2 {
		t.Errorf("asked %d times: %d, %v", asked.Load(), size, err)
	}
	done.Wait()
	if got, err := blobtest.Read(t, s, id, 0, -1); err != nil || !bytes.Equal(got, p) {
		t.Errorf("%d of %d bytes, %v", len(got), len(p), err)
	}
	if err := s.Delete(t.Context(), id); err != nil {
		t.Error(err)
	}
}

// A completion is asked for while the server is busy, and no longer than there is time.
func TestS3AsksForACompletion(t *testing.T) {
	var left, asked atomic.Int64
	spec := s3Address(t)
	s := behind(t, spec, func(front http.Handler, w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Query().Has("uploadId") && asked.Add(1) > 0 && left.Add(-1) >= 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		front.ServeHTTP(w, r)
	})
	p := blobtest.Pattern(17 << 20)
	left.Store(5)
	id := blobtest.MustPut(t, s, p)
	if got, err := blobtest.Read(t, s, id, 0, -1); err != nil || !bytes.Equal(got, p) || asked.Load() != 6 {
		t.Errorf("%d of %d bytes, %v; asked %d times", len(got), len(p), err, asked.Load())
	}
	if err := s.Delete(t.Context(), id); err != nil {
		t.Error(err)
	}
	left.Store(1 << 40)
	s.SettleFor(time.Second)
	id = blobtest.NewID()
	if _, err := s.Put(t.Context(), id, bytes.NewReader(p)); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("a server that stays busy: %v, want ErrUnavailable", err)
	}
	blobtest.Nothing(t, s, id)
}

// After a lost answer a Put takes no object for its own that has another size, other parts or the mark of
// another write, and none that the store does not show.
func TestS3TakesNoOtherObject(t *testing.T) {
	spec := s3Address(t)
	for name, c := range map[string]struct {
		show func(h http.Header)
		want error
	}{
		"another size":    {func(h http.Header) { h.Set("Content-Length", strconv.Itoa(17<<20-1)) }, blob.ErrUnavailable},
		"other parts":     {func(h http.Header) { h.Set("ETag", `"00112233445566778899aabbccddeeff-2"`) }, blob.ErrUnavailable},
		"another write":   {func(h http.Header) { h.Set("X-Amz-Meta-Coffer-Put", "another") }, blob.ErrExists},
		"no mark":         {func(h http.Header) { h.Del("X-Amz-Meta-Coffer-Put") }, blob.ErrUnavailable},
		"no object":       {nil, blob.ErrUnavailable},
		"its own, at all": {func(http.Header) {}, nil},
	} {
		var lost atomic.Bool
		s := behind(t, spec, func(front http.Handler, w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodHead && lost.Load() && c.show == nil:
				w.WriteHeader(http.StatusNotFound)
			case r.Method == http.MethodHead && lost.Load():
				answer := httptest.NewRecorder()
				front.ServeHTTP(answer, r)
				c.show(answer.Header())
				for field, values := range answer.Header() {
					w.Header()[field] = values
				}
				w.WriteHeader(answer.Code)
			case makes(r) && lost.Swap(true):
				noUpload(w)
			case makes(r):
				front.ServeHTTP(httptest.NewRecorder(), r)
				panic(http.ErrAbortHandler)
			default:
				front.ServeHTTP(w, r)
			}
		})
		s.SettleFor(time.Second)
		id := blobtest.NewID()
		size, err := s.Put(t.Context(), id, bytes.NewReader(make([]byte, 17<<20)))
		if !errors.Is(err, c.want) || err == nil && size != 17<<20 {
			t.Errorf("%s: %d, %v, want %v", name, size, err, c.want)
		}
		lost.Store(false)
		if err := s.Delete(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
}
