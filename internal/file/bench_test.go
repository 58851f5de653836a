package file

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"coffer/internal/blob/blobtest"
	"coffer/internal/db/dbtest"
	"coffer/internal/seal"
)

const benchSize = 256 << 20

// endless gives n bytes of a block, over and over.
type endless struct {
	block []byte
	left  int64
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(int64(len(p)), e.left)], e.block)
	e.left -= int64(n)
	return n, nil
}

// BenchmarkLimits are what uploads and downloads stand beside: one core's AES-GCM and
// SHA-256, and the disk with a sync.
func BenchmarkLimits(b *testing.B) {
	block := blobtest.Pattern(1 << 20)
	b.Run("AES-GCM", func(b *testing.B) {
		c, err := aes.NewCipher(make([]byte, 32))
		if err != nil {
			b.Fatal(err)
		}
		gcm, err := cipher.NewGCM(c)
		if err != nil {
			b.Fatal(err)
		}
		buf := make([]byte, seal.SegmentSize-16, seal.SegmentSize)
		b.SetBytes(int64(len(buf)))
		for b.Loop() {
			gcm.Seal(buf[:0], make([]byte, 12), buf, nil)
		}
	})
	b.Run("SHA-256", func(b *testing.B) {
		h := sha256.New()
		b.SetBytes(int64(len(block)))
		for b.Loop() {
			h.Write(block)
		}
	})
	b.Run("disk", func(b *testing.B) {
		name := filepath.Join(b.TempDir(), "f")
		b.SetBytes(benchSize)
		for b.Loop() {
			f, err := os.Create(name)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.CopyBuffer(struct{ io.Writer }{f}, &endless{block, benchSize}, make([]byte, 1<<20)); err != nil {
				b.Fatal(err)
			}
			if err := errors.Join(f.Sync(), f.Close(), os.Remove(name)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("loopback", func(b *testing.B) {
		w := newWorld(b, dbtest.SQLite(b))
		w.http.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Length", fmt.Sprint(benchSize))
			for range benchSize / len(block) {
				if _, err := rw.Write(block); err != nil {
					return
				}
			}
		})
		b.SetBytes(benchSize)
		for b.Loop() {
			w.fetch(b, "/")
		}
	})
}

// fetch reads a path as ada and throws the bytes away.
func (w *world) fetch(b *testing.B, path string, header ...string) {
	req, err := http.NewRequestWithContext(context.Background(), "GET", w.http.URL+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Authorization", string(ada))
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, resp.Body, make([]byte, 1<<20)); err != nil || resp.StatusCode >= 300 {
		b.Fatal(resp.StatusCode, err)
	}
}

// longForm is a multipart body of one file of size bytes that is never in memory.
func longForm(size int64) (body io.Reader, length int64, contentType string) {
	var head, tail bytes.Buffer
	m := multipart.NewWriter(&head)
	if _, err := m.CreateFormFile("file", "big.bin"); err != nil {
		panic(err)
	}
	fmt.Fprintf(&tail, "\r\n--%s--\r\n", m.Boundary())
	return io.MultiReader(bytes.NewReader(head.Bytes()), &endless{blobtest.Pattern(1 << 20), size}, bytes.NewReader(tail.Bytes())),
		int64(head.Len()) + size + int64(tail.Len()), m.FormDataContentType()
}

// send uploads one file of size bytes over HTTP.
func (w *world) send(t testing.TB, size int64) {
	t.Helper()
	body, length, contentType := longForm(size)
	req, err := http.NewRequestWithContext(context.Background(), "POST", w.http.URL+"/v1/files", body)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = length
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", string(ada))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if p, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s %v", resp.StatusCode, p, err)
	}
}

func BenchmarkUpload(b *testing.B) {
	w := newWorld(b, dbtest.SQLite(b))
	b.SetBytes(benchSize)
	for b.Loop() {
		w.send(b, benchSize)
		b.StopTimer()
		w.clear(b)
		b.StartTimer()
	}
}

// clear deletes every file and its object.
func (w *world) clear(t testing.TB) {
	t.Helper()
	entries, _, err := w.List(context.Background(), ada, "", "created", "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := w.Delete(context.Background(), ada, e.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.purge(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkDownload(b *testing.B) {
	w := newWorld(b, dbtest.SQLite(b))
	w.send(b, benchSize)
	entries, _, err := w.List(b.Context(), ada, "", "name", "", 1)
	if err != nil {
		b.Fatal(err)
	}
	path := "/v1/files/" + entries[0].ID + "/content"
	b.Run("whole", func(b *testing.B) {
		b.SetBytes(benchSize)
		for b.Loop() {
			w.fetch(b, path)
		}
	})
	b.Run("1 MiB range", func(b *testing.B) {
		b.SetBytes(1 << 20)
		b.ReportAllocs()
		off := 0
		for b.Loop() {
			off = (off + 7919<<12 + 13) % (benchSize - 1<<20)
			w.fetch(b, path, "Range", fmt.Sprintf("bytes=%d-%d", off, off+1<<20-1))
		}
	})
}

// BenchmarkBigFolder lists the first page of a folder of 100,000 files, its order known
// and not.
func BenchmarkBigFolder(b *testing.B) {
	w := newWorld(b, dbtest.SQLite(b))
	for range 100 {
		u := w.NewUpload(ada)
		for range MaxFiles {
			u.files = append(u.files, stored{name: "picture " + newID() + ".jpg", blob: newID()})
			if err := insertBlob(b.Context(), w.DB, ada, u.files[len(u.files)-1].blob, []byte{}, w.now()); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := u.Publish(b.Context(), ""); err != nil {
			b.Fatal(err)
		}
	}
	for _, sort := range []string{"name", "-created"} {
		b.Run(sort, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := w.List(b.Context(), ada, "", sort, "", 50); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("name after a change", func(b *testing.B) {
		for b.Loop() {
			w.orders.put(ada, "", -1, nil)
			if _, _, err := w.List(b.Context(), ada, "", "name", "", 50); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// An upload and a download take the same memory whatever their length: both go through a
// few buffers. The heap is sampled while the bytes flow, by the bytes themselves.
func TestMemoryIsFlat(t *testing.T) {
	const size = 192 << 20
	w := newWorld(t, dbtest.SQLite(t))
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	var most atomic.Uint64
	watch := func(p []byte) (int, error) {
		runtime.ReadMemStats(&now)
		most.Store(max(most.Load(), now.HeapAlloc))
		return len(p), nil
	}
	sample := &everyMiB{writerFunc(watch), 0}
	u := w.NewUpload(ada)
	if err := u.Add(t.Context(), "big", unknownType, io.TeeReader(&endless{blobtest.Pattern(1 << 20), size}, sample)); err != nil {
		t.Fatal(err)
	}
	entries, err := u.Publish(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.Content(t.Context(), ada, entries[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Open(t.Context(), 0, size)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if n, err := r.(io.WriterTo).WriteTo(sample); err != nil || n != size {
		t.Fatal(n, err)
	}
	if grown := int64(most.Load()) - int64(before.HeapAlloc); grown > 64<<20 {
		t.Errorf("the heap grew by %d MiB for %d MiB of content", grown>>20, size>>20)
	}
}

// everyMiB hands on one write a mebibyte.
type everyMiB struct {
	w io.Writer
	n int
}

func (e *everyMiB) Write(p []byte) (int, error) {
	if e.n += len(p); e.n >= 1<<20 {
		e.n = 0
		return e.w.Write(p)
	}
	return len(p), nil
}
