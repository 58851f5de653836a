package seal

import (
	"bytes"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"
)

// A reader with a stalled writer holds little memory, whatever it read before. It frees its
// place among fast readers however it ends.
func TestReadersThatStandStill(t *testing.T) {
	key, plain, stored := sealed(t, 40)
	open := func() *Reader {
		r, err := NewReader(bytes.NewReader(stored), key, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := open()
	broken := errors.New("gone")
	n, err := r.WriteTo(writerFunc(func(p []byte) (int, error) {
		if len(r.buf) > SegmentSize+4<<10 || r.out != nil || len(p) > SegmentSize {
			t.Errorf("the first write of %d bytes finds a reader that holds %d and %d", len(p), len(r.buf), len(r.out))
		}
		return 0, broken
	}))
	if n != 0 || err != broken || r.buf != nil {
		t.Errorf("a writer that breaks: %d, %v, holds %d", n, err, len(r.buf))
	}
	for _, busy := range []int32{0, maxFast} { // places taken by other readers
		fast.Add(busy)
		most := 0
		var got bytes.Buffer
		if _, err := open().WriteTo(writerFunc(func(p []byte) (int, error) {
			most = max(most, len(p))
			return got.Write(p)
		})); err != nil || !bytes.Equal(got.Bytes(), plain) {
			t.Errorf("%d bytes became %d, %v", len(plain), got.Len(), err)
		}
		if quick := most > SegmentSize; quick != (busy == 0) {
			t.Errorf("with %d fast readers it writes %d bytes at once", busy, most)
		}
		left := 12 * SegmentSize // in the middle of a batch
		if _, err := open().WriteTo(writerFunc(func(p []byte) (int, error) {
			if left -= len(p); left < 0 {
				return 0, broken
			}
			return len(p), nil
		})); err != broken {
			t.Errorf("a writer that breaks later: %v", err)
		}
		fast.Add(-busy)
	}
	if n := fast.Load(); n != 0 {
		t.Errorf("%d places are not given back", n)
	}
}

// sealed returns random content of the given number of segments, sealed under key.
func sealed(t *testing.T, segments int) (key, plain, stored []byte) {
	t.Helper()
	key, plain = make([]byte, KeySize), make([]byte, segments*SegmentSize)
	rand.Read(plain)
	var out bytes.Buffer
	w, err := NewWriter(&out, key, nil)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return key, plain, out.Bytes()
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Fast readers with stalled writers do not prevent another fast reader. When the writers go
// on, each reader returns to small buffers and writes the whole.
func TestFastReadersThatStall(t *testing.T) {
	key, plain, stored := sealed(t, 34)
	// run reads the stream; the first batch waits for release.
	run := func(batches *[]int, got *bytes.Buffer, release <-chan struct{}, stands func()) error {
		r, err := NewReader(bytes.NewReader(stored), key, nil)
		if err != nil {
			return err
		}
		_, err = r.WriteTo(writerFunc(func(p []byte) (int, error) {
			if first := len(p) > SegmentSize && len(*batches) == 0; first && release != nil {
				stands()
				<-release
			}
			if len(p) > SegmentSize || len(*batches) > 0 {
				*batches = append(*batches, len(p))
			}
			return got.Write(p)
		}))
		return err
	}
	release := make(chan struct{})
	var standing, all sync.WaitGroup
	standing.Add(maxFast)
	for range maxFast {
		all.Go(func() {
			var batches []int
			var got bytes.Buffer
			if err := run(&batches, &got, release, standing.Done); err != nil || !bytes.Equal(got.Bytes(), plain) {
				t.Errorf("%d bytes became %d, %v", len(plain), got.Len(), err)
			}
			// The reader opened up to two batches before the stall. After them it writes
			// one segment at a time.
			if demoted := slices.IndexFunc(batches, func(n int) bool { return n <= SegmentSize }); demoted < 1 || demoted > 3 {
				t.Errorf("after the stall it writes %v bytes, want small writes soon", batches)
			}
		})
	}
	standing.Wait()
	for end := time.Now().Add(10 * time.Second); fast.Load() > 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	var batches []int
	var got bytes.Buffer
	if err := run(&batches, &got, nil, nil); err != nil || !bytes.Equal(got.Bytes(), plain) {
		t.Errorf("another reader: %d bytes became %d, %v", len(plain), got.Len(), err)
	}
	if len(batches) == 0 {
		t.Error("stalled readers keep others from being fast")
	}
	if n := stalled.Load(); n != maxFast {
		t.Errorf("%d stalled readers, want %d", n, maxFast)
	}
	close(release)
	all.Wait()
	if f, s := fast.Load(), stalled.Load(); f != 0 || s != 0 {
		t.Errorf("%d and %d places are not given back", f, s)
	}
}

// Stalled readers are bounded: beyond maxStalled they keep a fast reader's place.
func TestStalledReadersAreBounded(t *testing.T) {
	var p place
	if !p.take(&fast, maxFast) {
		t.Fatal("no place")
	}
	stalled.Add(maxStalled)
	p.stall()
	if f, s := fast.Load(), stalled.Load(); f != 1 || s != maxStalled {
		t.Errorf("%d fast and %d stalled, want 1 and %d", f, s, maxStalled)
	}
	stalled.Add(-maxStalled)
	p.stall()
	if !p.take(&fast, maxFast) { // no longer stalled
		t.Error("no place for one that is quick again")
	}
	if f, s := fast.Load(), stalled.Load(); f != 1 || s != 0 {
		t.Errorf("%d fast and %d stalled, want 1 and 0", f, s)
	}
	p.leave()
	p.stall() // the watch fires late
	if f, s := fast.Load(), stalled.Load(); f != 0 || s != 0 {
		t.Errorf("%d fast and %d stalled, want none", f, s)
	}
}
