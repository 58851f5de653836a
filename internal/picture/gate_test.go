package picture

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
)

// place is one picture in a test of the bounds: it enters, says so, and leaves when told.
type place struct {
	in, out, done chan struct{}
	err           error
}

func (s *Service) hold(ctx context.Context, lane Lane, cost int64) *place {
	p := &place{in: make(chan struct{}), out: make(chan struct{}), done: make(chan struct{})}
	s.mu.Lock()
	before := len(s.waiting[lane]) + s.running[lane]
	s.mu.Unlock()
	go func() {
		defer close(p.done)
		if p.err = s.enter(ctx, lane, cost); p.err != nil {
			return
		}
		close(p.in)
		<-p.out
		s.leave(lane, cost)
	}()
	for { // until it waits or runs
		s.mu.Lock()
		now := len(s.waiting[lane]) + s.running[lane]
		s.mu.Unlock()
		if now > before {
			return p
		}
	}
}

func (p *place) leave() { close(p.out); <-p.done }

// has reports how many of a lane run.
func (s *Service) has(lane Lane) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running[lane]
}

func TestLanes(t *testing.T) {
	s := New(Settings{Workers: 2, Pixels: 1000})
	ctx := t.Context()
	job := s.hold(ctx, Jobs, 10)
	<-job.in
	job2 := s.hold(ctx, Jobs, 10)
	if s.has(Jobs) != 1 {
		t.Fatal("jobs take every place")
	}
	ada := s.hold(ctx, People, 10)
	<-ada.in
	bob := s.hold(ctx, People, 10)
	if s.has(People) != 1 {
		t.Fatal("there are more places than workers")
	}
	job.leave()
	<-bob.in // before the job that came first
	if s.has(Jobs) != 0 {
		t.Fatal("a job went before a person")
	}
	ada.leave()
	<-job2.in
	bob.leave()
	job2.leave()
	if s.used != 0 || s.running != [2]int{} {
		t.Errorf("%d bytes and %v places are left", s.used, s.running)
	}
}

func TestMemoryOfAll(t *testing.T) {
	s := New(Settings{Workers: 8, Pixels: 1000}) // 8,000 bytes
	ctx := t.Context()
	small := s.hold(ctx, People, 5000)
	<-small.in
	large := s.hold(ctx, People, 8000)
	next := s.hold(ctx, People, 10)
	job := s.hold(ctx, Jobs, 10)
	if s.has(People) != 1 || s.has(Jobs) != 0 {
		t.Fatal("a large picture is overtaken, or gets memory that is taken")
	}
	small.leave()
	<-large.in
	if s.has(People) != 1 {
		t.Fatal("all pictures together have more memory than the bound")
	}
	large.leave()
	<-next.in
	<-job.in
	next.leave()
	job.leave()
}

func TestWaitEnds(t *testing.T) {
	s := New(Settings{Workers: 2, Pixels: 1000})
	a, b := s.hold(t.Context(), People, 1), s.hold(t.Context(), People, 1)
	ctx, cancel := context.WithCancel(t.Context())
	gone := s.hold(ctx, People, 1)
	after := s.hold(t.Context(), People, 1)
	cancel()
	<-gone.done
	if !errors.Is(gone.err, context.Canceled) {
		t.Errorf("the wait ended with %v", gone.err)
	}
	a.leave()
	<-after.in
	b.leave()
	after.leave()
	if s.used != 0 || s.running != [2]int{} {
		t.Errorf("%d bytes and %v places are left", s.used, s.running)
	}
}

// However many come at once, no more are decoded at once than there are workers.
func TestWorkAtOnce(t *testing.T) {
	s := New(Settings{Workers: 2})
	data := pngOf(t, quartered(8, 8))
	var now, most atomic.Int32
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			err := s.Work(t.Context(), Lane(i%2), data, func(*Picture) error {
				n := now.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				now.Add(-1)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() > 2 {
		t.Errorf("%d pictures at once", most.Load())
	}
	// A refusal, an error and a panic of the caller's function give the place back.
	broken := errors.New("broken")
	if err := s.Work(t.Context(), People, data, func(*Picture) error { return broken }); err != broken {
		t.Errorf("Work = %v", err)
	}
	if err := s.Work(t.Context(), People, data[:60], func(*Picture) error { return nil }); !errors.Is(err, ErrDamaged) && err == nil {
		t.Errorf("Work = %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = s.Work(t.Context(), People, data, func(*Picture) error { panic("a bug") })
	}()
	if s.used != 0 || s.running != [2]int{} {
		t.Errorf("%d bytes and %v places are left", s.used, s.running)
	}
}

func TestSettings(t *testing.T) {
	for s, ok := range map[Settings]bool{
		{Pixels: 50_000_000}: true, {Pixels: 300_000}: true, {Pixels: 500_000_001}: false, {Pixels: 299_999}: false, {}: false, {Pixels: 50_000_000, Workers: -1}: false,
	} {
		if err := s.AfterApply(); (err == nil) != ok {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

// Large pictures that are done leave no memory behind, though the collector would not come yet.
func TestMemoryComesBack(t *testing.T) {
	t.Cleanup(func(percent int) func() { return func() { debug.SetGCPercent(percent) } }(debug.SetGCPercent(-1)))
	const side = 3000
	var rows bytes.Buffer
	z := zlib.NewWriter(&rows)
	for range side {
		if _, err := z.Write(make([]byte, 1+4*side)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	data := append(append(ihdr(side, side, 8, 6, 0), pngChunk("IDAT", rows.Bytes())...), pngChunk("IEND", nil)...)
	s := New(Settings{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 4 {
		if err := s.Work(t.Context(), People, data, func(*Picture) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4*side*side {
		t.Errorf("%d MiB are left", grown>>20)
	}
}
