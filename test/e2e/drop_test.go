package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coffer/client/drop"
	"coffer/client/drop/disk"
)

// dropEnd is a member of a drop, with what it was told.
type dropEnd struct {
	*drop.Member
	mu   sync.Mutex
	told []drop.Notice
	wake chan struct{}
}

func (e *dropEnd) hear(n drop.Notice) {
	e.mu.Lock()
	e.told = append(e.told, n)
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// await returns the first notice that fits, waiting for it.
func (e *dropEnd) await(t *testing.T, what string, fits func(drop.Notice) bool) drop.Notice {
	t.Helper()
	late := time.After(30 * time.Second)
	for {
		e.mu.Lock()
		told := slices.Clone(e.told)
		e.mu.Unlock()
		if i := slices.IndexFunc(told, fits); i >= 0 {
			return told[i]
		}
		select {
		case <-e.wake:
		case <-late:
			t.Fatalf("no notice of %s in %+v", what, told)
		}
	}
}

func (e *dropEnd) count(what drop.Event) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, x := range e.told {
		if x.Event == what {
			n++
		}
	}
	return n
}

// offerOf waits for the offer of an item, as this end hears of it.
func (e *dropEnd) offerOf(t *testing.T, id string) drop.Item {
	t.Helper()
	var item drop.Item
	e.await(t, "the offer", func(n drop.Notice) bool {
		i := slices.IndexFunc(n.Items, func(i drop.Item) bool { return i.ID == id })
		if n.Event != drop.Offered || i < 0 {
			return false
		}
		item = n.Items[i]
		return true
	})
	return item
}

func hostDrop(t *testing.T, server string) *dropEnd {
	t.Helper()
	e := &dropEnd{wake: make(chan struct{}, 1)}
	m, err := drop.Open(t.Context(), drop.Config{Server: server, Device: "host", Notify: e.hear})
	if err != nil {
		t.Fatal("open a drop:", err)
	}
	e.Member = m
	t.Cleanup(e.leave)
	return e
}

func joinDrop(t *testing.T, server string, host *dropEnd, secret string) *dropEnd {
	t.Helper()
	e := &dropEnd{wake: make(chan struct{}, 1)}
	m, err := drop.Join(t.Context(), drop.Config{Server: server, Device: "guest", Notify: e.hear}, host.Name(), secret)
	if err != nil {
		t.Fatal("join a drop:", err)
	}
	e.Member = m
	t.Cleanup(e.leave)
	return e
}

func (e *dropEnd) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = e.Close(ctx) // the server may be gone
}

// offerFile writes a file of size bytes and offers it.
func (e *dropEnd) offerFile(t *testing.T, size int64) (id, name string, sum []byte) {
	t.Helper()
	name = filepath.Join(t.TempDir(), fmt.Sprintf("file of %d.bin", size))
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(f, h), rand.NewChaCha8([32]byte{byte(size)}), size); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return e.offerPath(t, name), name, h.Sum(nil)
}

func (e *dropEnd) offerPath(t *testing.T, name string) string {
	t.Helper()
	src, err := disk.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	items, err := e.Offer(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	return items[0].ID
}

func sumOf(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return h.Sum(nil)
}

// fileSink is a file that receives. Every write takes pause.
type fileSink struct {
	*os.File
	pause atomic.Int64 // before each write
	grown func(size int64)
}

func newFileSink(t *testing.T) *fileSink {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "received"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &fileSink{File: f}
}

func (s *fileSink) Size() (int64, error) {
	info, err := s.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (s *fileSink) WriteAt(p []byte, off int64) (int, error) {
	time.Sleep(time.Duration(s.pause.Load()))
	n, err := s.File.WriteAt(p, off)
	if s.grown != nil {
		s.grown(off + int64(n))
	}
	return n, err
}

// Sync leaves the disk alone: these tests cut no power.
func (s *fileSink) Sync() error { return nil }

func TestDropSizes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := start(t, in)
		host := hostDrop(t, s.url)
		byCode := joinDrop(t, s.url, host, host.Code())
		_, _, key, ok := drop.ParseLink(host.Link())
		if !ok {
			t.Fatalf("the link %q", host.Link())
		}
		byLink := joinDrop(t, s.url, host, key)
		for i, size := range []int64{0, 1, 65535, 65536, 65537, 64 << 20} {
			from, to := host, byCode
			if i%2 == 1 {
				from, to = byCode, byLink
			}
			id, _, sum := from.offerFile(t, size)
			sink := newFileSink(t)
			if err := to.Receive(t.Context(), to.offerOf(t, id), sink); err != nil {
				t.Fatalf("%d bytes: %v", size, err)
			}
			if got := sumOf(t, sink.Name()); !bytes.Equal(got, sum) {
				t.Errorf("%d bytes: other content arrived", size)
			}
			from.await(t, "verification", func(n drop.Notice) bool { return n.Event == drop.Verified && n.Item.ID == id })
			to.await(t, "completion", func(n drop.Notice) bool { return n.Event == drop.Received && n.Item.ID == id && n.Err == nil })
		}
		for _, e := range []*dropEnd{host, byCode, byLink} {
			if n := e.count(drop.Suspicious) + e.count(drop.Retrying) + e.count(drop.NotSent); n != 0 {
				t.Errorf("an honest server was suspected, or a transfer was cut: %+v", e.told)
			}
		}
	})
}

// TestDropToMany: a slow receiver holds up no other.
func TestDropToMany(t *testing.T) {
	t.Parallel()
	s := start(t, alone)
	host := hostDrop(t, s.url)
	id, _, sum := host.offerFile(t, 20<<20)
	slow := joinDrop(t, s.url, host, host.Code())
	ctx, cancel := context.WithCancel(t.Context())
	slowSink := newFileSink(t)
	slowSink.pause.Store(int64(500 * time.Millisecond))
	slowEnd := make(chan error, 1)
	slowItem := slow.offerOf(t, id)
	go func() { slowEnd <- slow.Receive(ctx, slowItem, slowSink) }()
	slow.await(t, "the first chunk", func(n drop.Notice) bool { return n.Event == drop.Receiving })
	var group sync.WaitGroup
	for range 7 {
		e := joinDrop(t, s.url, host, host.Code())
		item := e.offerOf(t, id)
		group.Go(func() {
			sink := newFileSink(t)
			if err := e.Receive(t.Context(), item, sink); err != nil {
				t.Error(err)
			} else if !bytes.Equal(sumOf(t, sink.Name()), sum) {
				t.Error("other content arrived")
			}
		})
	}
	group.Wait()
	select {
	case err := <-slowEnd:
		t.Errorf("the slow receiver was not slow: %v", err)
	default:
	}
	slowSink.pause.Store(0)
	if err := <-slowEnd; err != nil || !bytes.Equal(sumOf(t, slowSink.Name()), sum) {
		t.Errorf("the slow receiver: %v", err)
	}
	cancel()
}

// TestDropResumes: after a cut at any place, at most one window is sent again.
func TestDropResumes(t *testing.T) {
	t.Parallel()
	s := start(t, alone)
	host := hostDrop(t, s.url)
	const size, chunk, window = 48 << 20, 256 << 10, 8
	id, name, sum := host.offerFile(t, size)
	guest := joinDrop(t, s.url, host, host.Code())
	item := guest.offerOf(t, id)
	sink := newFileSink(t)
	at := rand.Int64N(size)
	t.Logf("the cut comes after %d bytes", at)
	ctx, cancel := context.WithCancel(t.Context())
	sink.grown = func(n int64) {
		if n >= at {
			cancel()
		}
	}
	if err := guest.Receive(ctx, item, sink); !errors.Is(err, context.Canceled) && at < size-window*chunk {
		t.Fatal("the first try:", err)
	}
	sink.grown = nil
	held, _ := sink.Size()

	// The guest's program ends and starts again: it is a new member with the old part.
	guest.leave()
	again := joinDrop(t, s.url, host, host.Code())
	var first int64 = -1
	var least int64 = size
	before := held / chunk * chunk
	sink.grown = func(n int64) {
		if first < 0 {
			first = n
		}
		least = min(least, n)
	}
	if err := again.Receive(t.Context(), again.offerOf(t, id), sink); err != nil {
		t.Fatal(err)
	}
	if first >= 0 && (least <= before || first > before+chunk) {
		t.Errorf("%d bytes were held, and the first write ended at %d", held, first)
	}
	if !bytes.Equal(sumOf(t, sink.Name()), sum) {
		t.Error("other content arrived")
	}

	// A file that changed is refused, and says so at both ends.
	if err := os.WriteFile(name, []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	other := newFileSink(t)
	if err := again.Receive(t.Context(), again.offerOf(t, id), other); !errors.Is(err, drop.ErrChanged) {
		t.Errorf("a changed file: %v", err)
	}
	host.await(t, "the change", func(n drop.Notice) bool { return n.Event == drop.NotSent && errors.Is(n.Err, drop.ErrChanged) })
}

// TestDropCodeBurns: three wrong codes void the code, and the link still works.
func TestDropCodeBurns(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := start(t, in)
		host := hostDrop(t, s.url)
		code := host.Code()
		wrong := func() error {
			other := "000000"
			if code == other {
				other = "000001"
			}
			_, err := drop.Join(t.Context(), drop.Config{Server: s.url, HTTP: dropDialer(newAddress())}, host.Name(), other)
			return err
		}
		for i := range 3 {
			if err := wrong(); !errors.Is(err, drop.ErrWrongCode) {
				t.Fatalf("wrong code %d: %v", i, err)
			}
		}
		host.await(t, "the burnt code", func(n drop.Notice) bool { return n.Event == drop.Burnt && n.Tries == 0 })
		if host.Code() != "" {
			t.Error("a void code is still shown")
		}
		if _, err := drop.Join(t.Context(), drop.Config{Server: s.url, HTTP: dropDialer(newAddress())}, host.Name(), code); !errors.Is(err, drop.ErrBurnt) {
			t.Errorf("the right code after three wrong ones: %v", err)
		}
		_, _, key, _ := drop.ParseLink(host.Link())
		joinDrop(t, s.url, host, key)
		joinDrop(t, s.url, host, host.NewCode())
	})
}
