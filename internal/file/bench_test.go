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
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coffer/internal/blob/blobtest"
	"coffer/internal/content"
	"coffer/internal/db/dbtest"
	"coffer/internal/seal"
)

const benchSize = 1 << 30

// endless gives n bytes of a block, over and over, and calls each once a mebibyte.
type endless struct {
	block []byte
	left  int64
	each  func()
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(int64(len(p)), e.left)], e.block)
	if e.each != nil && e.left>>20 != (e.left-int64(n))>>20 {
		e.each()
	}
	e.left -= int64(n)
	return n, nil
}

// BenchmarkLimits are what uploads and downloads stand beside: one core's AES-GCM and
// SHA-256, and the disk with a sync.
func BenchmarkLimits(b *testing.B) {
	block := blobtest.Pattern(1 << 20)
	b.Run("AES-GCM", func(b *testing.B) {
		b.SetBytes(benchSize)
		for b.Loop() {
			sealAll(b, benchSize)
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
		dir := b.TempDir()
		b.SetBytes(benchSize)
		for b.Loop() {
			writeAndSync(b, dir, benchSize)
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
			w.fetch(b, "/", nil)
		}
	})
}

// sealAll does with one core what sealing size bytes takes at least.
func sealAll(b *testing.B, size int64) {
	c, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	gcm, err := cipher.NewGCM(c)
	if err != nil {
		b.Fatal(err)
	}
	buf, nonce := make([]byte, seal.SegmentSize-16, seal.SegmentSize), make([]byte, 12)
	for range size / int64(len(buf)) {
		gcm.Seal(buf[:0], nonce, buf, nil)
	}
}

// writeAndSync does with the disk what storing size bytes takes at least, as dd does it.
func writeAndSync(b *testing.B, dir string, size int64) {
	f, err := os.Create(filepath.Join(dir, "f"))
	if err != nil {
		b.Fatal(err)
	}
	content := &endless{block: blobtest.Pattern(1 << 20), left: size}
	if _, err := io.CopyBuffer(struct{ io.Writer }{f}, content, make([]byte, 1<<20)); err != nil {
		b.Fatal(err)
	}
	if err := errors.Join(f.Sync(), f.Close(), os.Remove(f.Name())); err != nil {
		b.Fatal(err)
	}
}

// fetch reads a path as ada, throws the bytes away and returns their number.
func (w *world) fetch(t testing.TB, path string, each func(), header ...string) int64 {
	req, err := http.NewRequestWithContext(context.Background(), "GET", w.http.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", string(ada))
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer resp.Body.Close()
	buf, total, next := make([]byte, 1<<20), int64(0), int64(0)
	for {
		n, err := resp.Body.Read(buf)
		if total += int64(n); each != nil && total >= next {
			each()
			next = total + 1<<20
		}
		if err == io.EOF && resp.StatusCode < 300 {
			return total
		} else if err != nil {
			t.Error(resp.StatusCode, err)
			return total
		}
	}
}

// longForm is a multipart body of one file of size bytes that is never in memory.
func longForm(size int64, each func()) (body io.Reader, length int64, contentType string) {
	var head, tail bytes.Buffer
	m := multipart.NewWriter(&head)
	if _, err := m.CreateFormFile("file", "big.bin"); err != nil {
		panic(err)
	}
	fmt.Fprintf(&tail, "\r\n--%s--\r\n", m.Boundary())
	content := &endless{block: blobtest.Pattern(1 << 20), left: size, each: each}
	return io.MultiReader(bytes.NewReader(head.Bytes()), content, bytes.NewReader(tail.Bytes())),
		int64(head.Len()) + size + int64(tail.Len()), m.FormDataContentType()
}

// send uploads one file of size bytes over HTTP.
func (w *world) send(t testing.TB, size int64, each func()) {
	t.Helper()
	body, length, contentType := longForm(size, each)
	req, err := http.NewRequestWithContext(context.Background(), "POST", w.http.URL+"/v1/files", body)
	if err != nil {
		t.Error(err)
		return
	}
	req.ContentLength = length
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", string(ada))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return
	}
	defer resp.Body.Close()
	if p, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusCreated {
		t.Errorf("%d %s %v", resp.StatusCode, p, err)
	}
}

// BenchmarkUpload tells its rate as a part of the disk's too, taken in turns: machines that
// others use are only worth comparing with themselves.
func BenchmarkUpload(b *testing.B) {
	w := newWorld(b, dbtest.SQLite(b))
	b.SetBytes(benchSize)
	var disk time.Duration
	for b.Loop() {
		w.send(b, benchSize, nil)
		b.StopTimer()
		w.clear(b)
		at := time.Now()
		writeAndSync(b, w.blobs, benchSize)
		disk += time.Since(at)
		b.StartTimer()
	}
	b.ReportMetric(disk.Seconds()/b.Elapsed().Seconds(), "of-disk")
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
	if err := w.Contents.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkDownload(b *testing.B) {
	w := newWorld(b, dbtest.SQLite(b))
	w.send(b, benchSize, nil)
	entries, _, err := w.List(b.Context(), ada, "", "name", "", 1)
	if err != nil {
		b.Fatal(err)
	}
	path := "/v1/files/" + entries[0].ID + "/content"
	b.Run("whole", func(b *testing.B) {
		w.fetch(b, path, nil) // the first one reads the disk
		b.SetBytes(benchSize)
		var core time.Duration
		for b.Loop() {
			w.fetch(b, path, nil)
			b.StopTimer()
			at := time.Now()
			sealAll(b, benchSize)
			core += time.Since(at)
			b.StartTimer()
		}
		b.ReportMetric(core.Seconds()/b.Elapsed().Seconds(), "of-AES-GCM")
	})
	b.Run("1 MiB range", func(b *testing.B) {
		b.SetBytes(1 << 20)
		b.ReportAllocs()
		off := 0
		for b.Loop() {
			off = (off + 7919<<12 + 13) % (benchSize - 1<<20)
			w.fetch(b, path, nil, "Range", fmt.Sprintf("bytes=%d-%d", off, off+1<<20-1))
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
			if err := u.Add(b.Context(), "picture "+newID()+".jpg", content.UnknownType, strings.NewReader("")); err != nil {
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
	b.Run("name, not kept", func(b *testing.B) {
		for b.Loop() {
			w.orders.put(ada, "", -1, nil)
			if _, _, err := w.List(b.Context(), ada, "", "name", "", 50); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("a new folder, then name", func(b *testing.B) {
		for b.Loop() {
			if _, err := w.NewFolder(b.Context(), ada, "", newID()); err != nil {
				b.Fatal(err)
			}
			if _, _, err := w.List(b.Context(), ada, "", "name", "", 50); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// Uploads and downloads take the same memory whatever their length: both go through a few
// buffers. Two of each run over HTTP, and the heap is sampled by the bytes as they flow.
func TestMemoryIsFlat(t *testing.T) {
	const size = 128 << 20
	w := newWorld(t, dbtest.SQLite(t))
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	var most atomic.Uint64
	sample := func() {
		var now runtime.MemStats
		runtime.ReadMemStats(&now)
		for was := most.Load(); now.HeapAlloc > was && !most.CompareAndSwap(was, now.HeapAlloc); was = most.Load() {
		}
	}
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			w.send(t, size, sample)
		})
	}
	wg.Wait()
	entries, _, err := w.List(t.Context(), ada, "", "name", "", 2)
	if err != nil || len(entries) != 2 {
		t.Fatal(entries, err)
	}
	for _, e := range entries {
		wg.Go(func() {
			if n := w.fetch(t, "/v1/files/"+e.ID+"/content", sample); n != size {
				t.Errorf("%d bytes came back", n)
			}
		})
	}
	wg.Wait()
	if grown := int64(most.Load()) - int64(before.HeapAlloc); grown > 64<<20 {
		t.Errorf("the heap grew by %d MiB for %d MiB of content", grown>>20, size>>20)
	}
}
